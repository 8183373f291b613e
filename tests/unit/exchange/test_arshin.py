"""The import file of the register of verifications."""

import os
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from node.exchange.arshin import check_application, write_application
from node.exchange.errors import ArshinError, ExchangeError
from node.passport.register_answers import parse_answer
from node.passport.strict_json import Json, parse_json

EXAMPLES = Path(__file__).parents[3] / "examples"
SAMPLE = EXAMPLES / "exchange" / "arshin_application.xml"
DEMO = Path(os.environ.get("PASSPORT_DEMO", EXAMPLES.parents[1] / "shared" / "demo")) / "exchange"
APPLICATION, ANSWER = b"import/2020-06-19", b'"vri_id"'


def protocol(**changes: Json) -> Any:
    document = parse_json((EXAMPLES / "protocols" / "verification.ok.json").read_bytes())
    assert isinstance(document, dict)
    return deepcopy(document) | changes


def without(pointer: str) -> Any:
    document = protocol()
    *parents, last = pointer[1:].split("/")
    node = document
    for name in parents:
        node = node[int(name) if isinstance(node, list) else name]
    del node[last]
    return document


UNFIT: dict[str, Json] = {"applicable": False, "unfit_reasons": "Погрешность на Q1 превышает допускаемую"}


def meaning(element: Any) -> Any:
    """An element as (name, text or children): what it says without its layout and prefix."""
    children = [meaning(child) for child in element]
    return element.tag, children or (element.text or "").strip()


def results(data: bytes) -> list[Any]:
    return [meaning(result) for result in etree.fromstring(data)]


def texts(data: bytes, name: str) -> list[str | None]:
    return [element.text for element in etree.fromstring(data).iter("{*}" + name)]


def test_application_says_what_the_sample_says() -> None:
    """The good protocol and its unfit neighbour give the sample's two results, element for element."""
    neighbour = protocol(**UNFIT)
    neighbour["device"]["serial"] = "25000027"

    written = write_application([protocol(), neighbour])

    assert results(written) == results(SAMPLE.read_bytes())
    check_application(written)
    check_application(SAMPLE.read_bytes())


def test_conditions_are_texts_with_a_decimal_comma() -> None:
    """Numbers keep the digits they were measured with, and the register's spelling of humidity is kept."""
    written = write_application(
        [protocol(conditions={"t_air": Decimal("20.0"), "pressure": 101, "humidity": Decimal("4.5e1"), "other": "—"})]
    )

    assert texts(written, "temperature") == ["20,0 °C"]
    assert texts(written, "pressure") == ["101 кПа"]
    assert texts(written, "hymidity") == ["45 %"]
    assert texts(written, "other") == ["—"]


def test_unfit_result_has_reasons_and_no_term() -> None:
    """An unfit device goes in as inapplicable with its reasons, even where the protocol still names a date."""
    written = write_application([protocol(**UNFIT)])

    assert texts(written, "reasons") == [UNFIT["unfit_reasons"]]
    assert texts(written, "validDate") == texts(written, "applicable") == []


def test_means_are_grouped_by_kind() -> None:
    """Standards go in groups by kind, instruments by type and number."""
    standards: Json = [
        {"kind": "mi", "type_number": "999905-00", "serial": "7"},
        {"kind": "mieta", "reg_number": "1"},
        {"kind": "npe", "reg_number": "2"},
        {"kind": "mieta", "reg_number": "3"},
        {"kind": "mi", "type_number": "999906-00", "serial": "8"},
    ]
    means = etree.fromstring(write_application([protocol(standards=standards)])).find(".//{*}means")

    assert means is not None
    assert [
        (etree.QName(group).localname, [[text for text in map(str, item.itertext()) if text.strip()] for item in group])
        for group in means
    ] == [
        ("npe", [["2"]]),
        ("mieta", [["1"], ["3"]]),
        ("mis", [["999905-00", "7"], ["999906-00", "8"]]),
    ]


def test_periodic_verification_by_calibration_with_a_sticker() -> None:
    """Kind 2, calibration results and the sticker's number stand where the register wants them."""
    written = write_application([protocol(kind="periodic", by_calibration_results=True, sticker_no="Н-7")])

    assert (texts(written, "type"), texts(written, "calibration"), texts(written, "stickerNum")) == (
        ["2"],
        ["true"],
        ["Н-7"],
    )


def test_device_without_an_execution_goes_by_its_model() -> None:
    """The modification is the execution, else the model."""
    assert texts(write_application([without("/device/execution")]), "modification") == ["ВС-15Д"]


@pytest.mark.parametrize(
    "pointer",
    [
        "/device/grsi",
        "/device/serial",
        "/sign_cipher",
        "/owner",
        "/date",
        "/applicable",
        "/kind",
        "/method_doc",
        "/standards",
        "/standards/0/reg_number",
        "/conditions/t_air",
        "/conditions/pressure",
        "/conditions/humidity",
        "/sign_in_passport",
        "/sign_on_device",
    ],
)
def test_protocol_that_lacks_what_the_file_needs_is_named(pointer: str) -> None:
    """The refusal names which protocol of the file and which of its places."""
    with pytest.raises(ArshinError) as refusal:
        write_application([protocol(), without(pointer)])

    assert f"protocol 2 (ПП-25-000812), {pointer}" in str(refusal.value)


def test_unfit_result_without_reasons_is_refused() -> None:
    """The register takes no unfit device without a reason."""
    with pytest.raises(ArshinError, match="/unfit_reasons"):
        write_application([protocol(applicable=False)])


def test_latin_cipher_is_refused_with_the_letters_meant() -> None:
    """Latin look-alikes are named as Latin, with the Cyrillic ones that seem to be meant."""
    with pytest.raises(ArshinError, match=r"Latin letters ABC.*'АВС' seems to be meant"):
        write_application([protocol(sign_cipher="ABC")])


@pytest.mark.parametrize(
    "change",
    [
        {"sign_cipher": "ъыь"},
        {"sign_cipher": "АБВГ"},
        {"sign_cipher": "А1"},
        {"kind": "third"},
        {"date": "15.05.2025"},
        {"date": "2025-02-30"},
        {"owner": " "},
        {"owner": "x" * 513},
        {"owner": "a\x00b"},
        {"applicable": "да"},
        {"method_doc": 7},
        {"standards": []},
        {"standards": [{"kind": "se", "reg_number": "1"}]},
        {"conditions": {"t_air": "21,7", "pressure": 98, "humidity": 45}},
    ],
)
def test_value_the_register_would_refuse_is_refused_here(change: dict[str, Json]) -> None:
    """Nothing leaves that the register's own schema would send back."""
    with pytest.raises(ArshinError):
        write_application([protocol(**change)])


@pytest.mark.parametrize("document", [None, [], "x", {}, {"device": []}])
def test_what_is_no_protocol_is_refused(document: Json) -> None:
    """A document of another shape is an exchange error and nothing else."""
    with pytest.raises(ExchangeError):
        write_application([document])


def test_file_without_results_is_refused() -> None:
    """An empty import is a mistake of the one who started it."""
    with pytest.raises(ArshinError, match="got 0"):
        write_application([])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<a/>",
        b"<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/x.dtd'><a/>",
        b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
        b"<!DOCTYPE a [<!ENTITY b 'bbbbbbbbbb'><!ENTITY c '&b;&b;&b;&b;&b;&b;'>]><a>&c;</a>",
    ],
)
def test_hostile_file_is_refused(data: bytes) -> None:
    """No XML, another root, a document type or an entity: refused, nothing fetched and nothing expanded."""
    with pytest.raises(ArshinError):
        check_application(data)


def test_schema_of_the_node_is_the_kept_example() -> None:
    """The schema that files are held to is the one shown in the examples."""
    packaged = Path(__file__).parents[3] / "node" / "exchange" / "schemas" / "arshin-import-subset.xsd"

    assert packaged.read_bytes() == (EXAMPLES / "exchange" / "arshin-import-subset.xsd").read_bytes()


@pytest.mark.skipif(not DEMO.is_dir(), reason="the demo data of PASSPORT_DEMO is not here")
def test_files_of_the_register_in_the_demo_folder_are_read() -> None:
    """Every import file that the demo folder holds is valid by our schema, and every answer is read to the record."""
    files = [path.read_bytes() for path in DEMO.iterdir() if path.suffix in (".xml", ".json")]
    applications = [raw for raw in files if APPLICATION in raw[:1000]]
    answers = [raw for raw in files if ANSWER in raw]

    for raw in applications:
        check_application(raw)

    assert applications
    assert [len(parse_answer(raw).records) for raw in answers] == [raw.count(ANSWER) for raw in answers]
