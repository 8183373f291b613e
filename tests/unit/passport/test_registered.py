"""What a register was read to say, and results that were annulled, in the fold."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from federation.authority import Attested
from node.passport import drafts
from node.passport.bodies import (
    AnnulmentBody,
    EventBody,
    ExtractBody,
    ParameterRow,
    Place,
    Plate,
    Reference,
    RegisterBody,
)
from node.passport.drafts import Draft
from node.passport.errors import RegisterAnswerError
from node.passport.fold import fold
from node.passport.register_answers import parse_answer
from node.passport.shown import at, rows
from node.passport.view import moment_us, value_on
from node.passport.waiting import Waiting, running
from tests.builders_passport import Author, demo, identity, line_claim, verification

SAMPLE = Path(__file__).parents[3] / "examples" / "exchange" / "arshin_eapi_vri.json"
PLATE = Plate(designation="СГВ-15", serial="0012345", mark="Демо", approvals=("54321-13",), read="scan")
CLAIM = line_claim()
DEVICE = CLAIM.subject.raw
DAY, UNTIL, NUMBER = "2026-03-05", "2032-03-04", "С-ЪЫЬ/05-03-2026/900000017"


def item(**changes: Any) -> dict[str, Any]:
    """A record of the register about the device."""
    said = {
        "vri_id": "1-900000017",
        "org_title": "ФБУ «Демо-ЦСМ»",
        "mit_number": "54321-13",
        "mi_number": "0012345",
        "verification_date": "05.03.2026",
        "valid_date": "04.03.2032",
        "result_docnum": NUMBER,
        "applicability": True,
    }
    return {name: value for name, value in (said | changes).items() if value is not None}


def answer(*items: dict[str, Any]) -> bytes:
    """The bytes that the register answers."""
    told = {"result": {"count": len(items), "start": 0, "rows": 10, "items": list(items)}}
    return json.dumps(told, ensure_ascii=False).encode()


def record(
    *items: dict[str, Any], until: str | None = UNTIL, number: str | None = NUMBER, code: str = "", day: str = DAY,
    asked: str = "2026-04-01",
) -> Draft:  # fmt: skip
    """A reading of the register that says so."""
    values = {"verification_valid_until": until, "fif_docnum": number}
    told = [ParameterRow(code=Reference(central=c), value=v, since=day) for c, v in values.items() if v]
    where = Place(place=Reference(local="ФГИС «Аршин»"), default=True)
    events = (EventBody(what=Reference(central=code), where=where, system="fgis-arshin"),) if code else ()
    body = RegisterBody(source="fgis-arshin", url="https://example.org/eapi/vri?mi_number=0012345", asked=asked)
    extract = ExtractBody(parameters=tuple(told), events=events)
    return drafts.register_record(DEVICE, extract, body, answer(*(items or (item(),))), moment_us(day))


def annulment(ref: Any, day: str = "2026-05-01") -> Draft:
    """The lab takes its result back."""
    where = Place(place=Reference(local="лаборатория"), default=True)
    event = EventBody(what=Reference(central="verification_annulled"), where=where, system="protocol")
    return drafts.annulment(DEVICE, [ref], AnnulmentBody(reason="перепутан эталон"), event, moment_us(day))


def test_sample_answer_gives_its_record() -> None:
    """The recorded answer is one record with its days as ISO texts."""
    (read,) = parse_answer(SAMPLE.read_bytes()).records

    assert (read.serial, read.type_number, read.is_fit) == ("25000017", "999902-00", True)
    assert (read.verified, read.valid_until) == ("2025-05-15", "2031-05-14")
    assert (read.docnum, read.organisation) == ("С-ЪЫЬ/15-05-2025/900000017", "ФБУ «Демо-ЦСМ»")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>503</html>",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"result": []}',
        b'{"result": {"items": [1]}}',
        b'{"result": {"count": true, "items": []}}',
        answer(item(verification_date="2026-03-05")),
        answer(item(verification_date="31.02.2026")),
        answer(item(mi_number=None)),
        answer(item(applicability="true")),
        answer(item(org_title="х" * 513)),
        answer(item(mi_number="1\x00")),
        answer(*[item()] * 101),
        b" " * (128 * 1024 + 1),
    ],
)
def test_answer_out_of_shape_is_refused(raw: bytes) -> None:
    """What is no answer of the register is refused as a whole, and nothing else is raised."""
    with pytest.raises(RegisterAnswerError):
        parse_answer(raw)


def test_record_outranks_the_lab_that_verified() -> None:
    """The register's day stands as registered with its number; the lab's other day is named as a difference."""
    federation, maker, lab = demo()
    said = [
        maker.say(identity(CLAIM, PLATE)),
        lab.say(verification(DEVICE, valid_until="2033-03-04"), on=DAY),
        maker.say(record()),
    ]

    view = fold([DEVICE], said, federation.world)

    found = at(view, "verification")
    assert isinstance(found, dict)
    assert (found["valid_until"], found["standing"], found["ground"]) == (UNTIL, "registered", "register")
    assert (found["record"], found["record_standing"], found["unrecorded"]) == (NUMBER, "registered", None)
    (read,) = rows(view, "verification", "register")
    told = {row["what"]: (row["register"], row["passport"]) for row in rows(read, "differences")}
    assert told == {"valid_until": (UNTIL, "2033-03-04"), "number": (NUMBER, None)}
    row = value_on(view, "verification_valid_until")
    assert row is not None
    assert row["standing"] == "registered"
    assert "2033-03-04" in str(row["others"]) or "2033-03-04" in str(at(view, "parameters"))


@pytest.mark.parametrize(
    "draft",
    [
        record(item(mi_number="0012346")),
        record(item(mit_number="54322-13")),
        record(until="2040-01-01"),
        record(number="С-ЪЫЬ/05-03-2026/1"),
        record(item(applicability=False), code="verified"),
    ],
)
def test_answer_about_something_else_proves_nothing(draft: Draft) -> None:
    """An answer of another serial, type, day, number or conclusion gives its reader's word no rank of the register."""
    federation, maker, lab = demo()
    said = [maker.say(identity(CLAIM, PLATE)), lab.say(verification(DEVICE), on=DAY), maker.say(draft)]

    view = fold([DEVICE], said, federation.world)

    assert at(view, "verification", "standing") == "stated"
    assert rows(view, "verification", "register") == []


def test_strangers_reading_is_a_word_like_any_other() -> None:
    """Who neither makes, verifies, owns nor settles by the thing cannot speak for the register."""
    federation, maker, lab = demo()
    said = [
        maker.say(identity(CLAIM, PLATE)),
        lab.say(verification(DEVICE, valid_until="2033-03-04"), on=DAY),
        Author("stranger").say(record()),
    ]

    view = fold([DEVICE], said, federation.world)

    assert (at(view, "verification", "valid_until"), at(view, "verification", "standing")) == ("2033-03-04", "stated")


def test_readings_that_contradict_each_other_are_a_dispute() -> None:
    """Two parties of the thing who read different days are both shown, and neither wins."""
    federation, maker, lab = demo()
    other = record(item(valid_date="04.03.2031"), until="2031-03-04")
    said = [maker.say(identity(CLAIM, PLATE)), maker.say(record()), lab.say(other)]

    view = fold([DEVICE], said, federation.world)

    assert at(view, "verification", "valid_until") is None
    assert at(view, "verification", "standing") == "disputed"


def test_newer_result_of_a_lab_is_in_force_and_waits_for_its_record() -> None:
    """A result two years after the record is a new one; until its record is read it is shown as missing it."""
    federation, maker, lab = demo()
    said = [
        maker.say(identity(CLAIM, PLATE)),
        maker.say(record()),
        lab.say(verification(DEVICE, valid_until="2034-03-04"), on="2026-06-01"),
    ]

    view = fold([DEVICE], said, federation.world)

    assert (at(view, "verification", "valid_until"), at(view, "verification", "standing")) == ("2034-03-04", "stated")
    assert at(view, "verification", "unrecorded") == "2026-06-01"
    assert [one.what for one in running(view, date(2026, 7, 31))] == []
    assert [one.what for one in running(view, date(2026, 8, 1))] == [Waiting.RECORD_MISSING]


def test_unfit_record_rejects_a_device_that_nobody_else_spoke_of() -> None:
    """A record of unfitness is an event of rejection that ranks as the register, and no verification is in force."""
    federation, maker, _ = demo()
    unfit = item(applicability=False, valid_date=None, result_docnum="И-ЪЫЬ/05-03-2026/900000018")
    draft = record(unfit, until=None, number="И-ЪЫЬ/05-03-2026/900000018", code="rejected")
    said = [maker.say(identity(CLAIM, PLATE)), maker.say(draft)]

    view = fold([DEVICE], said, federation.world)

    assert at(view, "state", "code") == "rejected"
    assert at(view, "verification", "valid_until") is None
    assert [(row["standing"], row["ground"]) for row in rows(view, "events")] == [("registered", "register")]


def test_annulled_result_counts_no_more_and_stays() -> None:
    """After its lab annulled it a protocol gives neither event nor term, nor does what was read before it."""
    federation, maker, lab = demo()
    signed = lab.say(verification(DEVICE), on=DAY)
    said = [maker.say(identity(CLAIM, PLATE)), signed, lab.say(record()), lab.say(annulment(signed.ref))]

    view = fold([DEVICE], said, federation.world)

    assert (at(view, "verification", "valid_until"), at(view, "verification", "verified")) == (None, None)
    assert [at(row, "what", "central") for row in rows(view, "events")] == ["verification_annulled"]
    (protocol,) = rows(view, "protocols")
    assert at(protocol, "annulled", "reason") == "перепутан эталон"

    again = fold([DEVICE], [*said, lab.say(record(asked="2026-06-01"))], federation.world)
    assert at(again, "verification", "standing") == "registered"


def test_nobody_annuls_a_result_of_somebody_else() -> None:
    """An annulment by another organisation than the lab changes nothing."""
    federation, maker, lab = demo()
    federation.attest(maker, Attested.ACCREDITATION, "RA.RU.000001")
    signed = lab.say(verification(DEVICE), on=DAY)
    said = [maker.say(identity(CLAIM, PLATE)), signed, maker.say(annulment(signed.ref))]

    view = fold([DEVICE], said, federation.world)

    assert at(view, "verification", "valid_until") == "2032-02-29"
    assert rows(view, "protocols")[0]["annulled"] is None
