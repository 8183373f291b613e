"""The three templates and their documents: accepted, or refused at the layer their names say, in words."""

import json
import os
import string
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from node.passport.strict_json import Json, format_json, json_equal
from node.passport.templates.errors import JsonError
from node.passport.templates.facts import ExtractedFacts, NoPassports
from node.passport.templates.findings import Finding, Layer, Severity, State
from node.passport.templates.layout import BlockKind
from node.passport.templates.messages import LANGUAGES, TEXTS, explain
from node.passport.templates.template import Template, bindings, extract, parse_document, parse_template, validate

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"
DEMO = Path(os.environ.get("PASSPORT_DEMO", ROOT.parent / "shared" / "demo"))
DEVICE = "epd:demo:cw:25000017"


def load_template(name: str, folder: Path = EXAMPLES / "templates") -> Template:
    return parse_template((folder / f"{name}.schema.json").read_bytes())


def load_document(name: str, folder: Path = EXAMPLES / "protocols") -> dict[str, Json]:
    document = parse_document((folder / f"{name}.json").read_bytes())
    assert isinstance(document, dict)
    return document


def seeded_facts(templates: Path, documents: Path) -> ExtractedFacts:
    """The passport that the good verification document gives its device."""
    document = load_document("verification.ok", documents)
    device = document["device"]
    assert isinstance(device, dict)
    return ExtractedFacts({str(device["gid"]): [extract(load_template("verification", templates), document)]})


FACTS = seeded_facts(EXAMPLES / "templates", EXAMPLES / "protocols")
NAMES = sorted(path.name.removesuffix(".json") for path in (EXAMPLES / "protocols").glob("*.json"))


def expected_layer(name: str) -> Layer | None:
    """What `<template>.<ok|bad-layer-…>` says of a document."""
    said = name.split(".", 1)[1]
    return None if said == "ok" else Layer(said.split("-")[1])


@pytest.mark.parametrize("name", NAMES)
def test_example_is_accepted_or_refused_where_its_name_says(name: str) -> None:
    """Of the thirteen documents three are valid, and each other is refused by exactly the layer it was broken in."""
    verdict = validate(load_template(name.partition(".")[0]), load_document(name), FACTS)

    assert verdict.layer is expected_layer(name)
    assert verdict.state is (State.VALID if expected_layer(name) is None else State.INVALID)


def test_thirteen_examples_of_three_templates_are_kept() -> None:
    """The project keeps three templates, three good documents and ten broken ones."""
    assert len(list((EXAMPLES / "templates").glob("*.schema.json"))) == 3
    assert [name for name in NAMES if expected_layer(name) is None] == [
        "commissioning.ok",
        "flow-bench.ok",
        "verification.ok",
    ]
    assert len(NAMES) == 13


@pytest.mark.skipif(not (DEMO / "templates").is_dir(), reason="the demo data of PASSPORT_DEMO is not here")
def test_demo_documents_are_judged_as_their_names_say() -> None:
    """Whatever templates and documents the demo folder holds, the names of the documents are right about them."""
    templates = {path.name.split(".")[0]: parse_template(path.read_bytes()) for path in (DEMO / "templates").iterdir()}
    facts = seeded_facts(DEMO / "templates", DEMO / "examples")
    judged = {
        path.name: (
            validate(templates[path.name.split(".")[0]], parse_document(path.read_bytes()), facts).layer,
            expected_layer(path.name.removesuffix(".json")),
        )
        for path in (DEMO / "examples").glob("*.json")
    }

    assert judged
    assert {name: pair for name, pair in judged.items() if pair[0] is not pair[1]} == {}


@pytest.mark.parametrize(
    ("name", "pointer", "rule", "value"),
    [
        ("flow-bench.bad-rule-error-not-matching", "/points/1/error", "relative_error", "0.1"),
        (
            "verification.bad-rule-docnum-other-date",
            "/fif_record/docnum",
            "docnum_agrees",
            '"С-ЪЫЬ/16-05-2025/900000017"',
        ),
        ("verification.bad-rule-unfit-without-reason", "/unfit_reasons", "required_if", ""),
        ("verification.bad-rule-wrong-valid-until", "/valid_until", "date_plus_months_minus_day", '"2031-05-15"'),
        ("commissioning.bad-rule-admitted-without-seal", "/seals", "min_items_if", "[]"),
        ("flow-bench.bad-schema-unknown-field", "/foo", "additionalProperties", "1"),
        ("flow-bench.bad-schema-no-points", "/points", "minItems", "[]"),
        ("commissioning.bad-schema-negative-reading", "/readings/volume", "minimum", "-1"),
        ("commissioning.bad-schema-bad-dev-eui", "/radio/dev_eui", "pattern", '"02c0de0025000017"'),
        ("verification.bad-schema-latin-cipher", "/sign_cipher", "pattern", '"ABC"'),
    ],
)
def test_refusal_names_place_rule_and_value(name: str, pointer: str, rule: str, value: str) -> None:
    """The first finding of a broken document names where, by which rule and what stands there."""
    finding = validate(load_template(name.partition(".")[0]), load_document(name), FACTS).errors[0]

    assert (finding.pointer, finding.rule, finding.value) == (pointer, rule, value)


def test_refusal_reads_in_russian_and_english() -> None:
    """A broken date says in both languages what is wrong, what was expected and what to do."""
    name = "verification.bad-rule-wrong-valid-until"
    finding = validate(load_template("verification"), load_document(name), FACTS).errors[0]

    russian, english = explain(finding, "ru"), explain(finding, "en")

    assert russian.what == "Указано 2031-05-15, а 2025-05-15 плюс 72 мес. минус день — это 2031-05-14."
    assert english.what == "It says 2031-05-15; 2025-05-15 plus 72 months minus a day is 2031-05-14."
    assert russian.advice.startswith("Исправьте")
    assert english.place == "/valid_until"


def test_latin_cipher_is_refused_with_the_letters_meant() -> None:
    """Latin look-alikes in a Cyrillic pattern are told as such, with the Cyrillic ones beside."""
    name = "verification.bad-schema-latin-cipher"
    finding = validate(load_template("verification"), load_document(name), FACTS).errors[0]

    assert "латинские буквы ABC" in explain(finding, "ru").what
    assert "АВС" in explain(finding, "ru").advice


def test_every_text_can_be_said_in_both_languages() -> None:
    """Russian and English of a code use the same parameters, and an unknown code still says something."""
    for code, texts in TEXTS.items():
        used = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in texts]
        assert used[0] | used[1] == used[2] | used[3], code
        assert all(text.endswith(".") for text in texts), code
    strange = Finding(Layer.RULE, Severity.ERROR, "", "strange", "no-such-code")
    assert all(explain(strange, language).what and explain(strange, language).place == "/" for language in LANGUAGES)


def test_node_without_the_passport_does_not_say_valid() -> None:
    """A rule that reads a passport this node does not have leaves the document not fully checked."""
    verdict = validate(load_template("commissioning"), load_document("commissioning.ok"), NoPassports())

    assert verdict.state is State.NOT_FULLY_CHECKED
    assert {finding.code for finding in verdict.findings} == {"passport-unknown"}


def test_unknown_rule_never_makes_a_document_valid() -> None:
    """A template with a rule of tomorrow still checks today's rules, and says what it could not check."""
    raw = json.loads((EXAMPLES / "templates" / "flow-bench.schema.json").read_text())
    raw["x-epd-template"]["rules"].append({"type": "moon_phase", "pointer": "/started_at"})
    template = parse_template(json.dumps(raw).encode())

    good = validate(template, load_document("flow-bench.ok"), FACTS)
    bad = validate(template, load_document("flow-bench.bad-rule-error-not-matching"), FACTS)

    assert template.unknown_rules == ("moon_phase",)
    assert (good.state, good.findings[0].rule) == (State.NOT_FULLY_CHECKED, "moon_phase")
    assert bad.state is State.INVALID


@pytest.mark.parametrize("member", [{"unless": {}}, {"if": {"pointer": "/result", "equals": "pass", "not": "fail"}}])
def test_known_rule_with_an_unknown_member_is_not_run(member: dict[str, object]) -> None:
    """A member that this node does not understand may change the rule's sense: the rule counts as unknown."""
    raw = json.loads((EXAMPLES / "templates" / "flow-bench.schema.json").read_text())
    raw["x-epd-template"]["rules"][0] |= member
    template = parse_template(json.dumps(raw).encode())

    verdict = validate(template, load_document("flow-bench.bad-rule-error-not-matching"), FACTS)

    assert verdict.state is State.NOT_FULLY_CHECKED


def test_unknown_number_check_is_not_passed_over() -> None:
    """An `x-epd-check` of tomorrow leaves the document not fully checked."""
    raw = json.loads((EXAMPLES / "templates" / "commissioning.schema.json").read_text())
    raw["properties"]["act_no"]["x-epd-check"] = "act-number"

    verdict = validate(parse_template(json.dumps(raw).encode()), load_document("commissioning.ok"), FACTS)

    assert verdict.state is State.NOT_FULLY_CHECKED
    assert verdict.findings[0].rule == "x-epd-check:act-number"


@pytest.mark.parametrize(
    ("snils", "state"),
    [
        ("112-233-445 95", State.VALID),
        ("112-233-445 96", State.INVALID),
        ("000-000-001 01", State.VALID),
        ("087-654-303 00", State.VALID),
    ],
)
def test_snils_is_held_to_its_control_number(snils: str, state: State) -> None:
    """A number of a person whose control does not come out is refused, and marked as personal in the finding."""
    document = load_document("verification.ok")
    document["metrologist"] = {"name": "П.", "snils": snils}

    verdict = validate(load_template("verification"), document, FACTS)

    assert verdict.state is state
    assert all(finding.personal and finding.rule == "x-epd-check:snils" for finding in verdict.errors)


@pytest.mark.parametrize(("inn", "state"), [("0000000025", State.VALID), ("0000000026", State.INVALID)])
def test_inn_is_held_to_its_check_digits(inn: str, state: State) -> None:
    """An organisation's number with a wrong check digit is refused."""
    document = load_document("verification.ok")
    document["verifier_org"] = {"org": "org:lab", "inn": inn}

    assert validate(load_template("verification"), document, FACTS).state is state


def test_numbers_of_a_document_are_exact() -> None:
    """Numbers are Decimal as written and are written back with the same digits."""
    document = parse_document(b'{"b":0.10,"a":[1,1e-7,12345678901234567890.123456789]}')

    assert document == {"b": Decimal("0.10"), "a": [1, Decimal("1E-7"), Decimal("12345678901234567890.123456789")]}
    assert format_json(document) == b'{"a":[1,1E-7,12345678901234567890.123456789],"b":0.10}'
    assert parse_document(format_json(document)) == document


def test_true_is_not_one() -> None:
    """JSON tells true from 1, and does not tell 1 from 1.0."""
    assert not json_equal(True, 1)
    assert json_equal([1, {"a": None}], [Decimal("1.0"), {"a": None}])
    assert not json_equal({"a": 1}, {"a": 1, "b": 1})


def test_float_is_no_document() -> None:
    """A value made in code with a float is refused before it is judged."""
    document: Any = load_document("flow-bench.ok") | {"batch": 0.1}

    with pytest.raises(JsonError, match="float"):
        validate(load_template("flow-bench"), document, FACTS)


def test_document_names_its_device_by_binding() -> None:
    """What the document says of device and type is found by the template's marks."""
    found = bindings(load_template("commissioning"), load_document("commissioning.ok"))

    assert found == {"device.gid": DEVICE, "device.serial": "25000017", "type.grsi": "999902-00"}


def test_template_says_who_signs_and_how_it_looks() -> None:
    """Parties, form and print of the kept templates are read and point at places of the schema."""
    template = load_template("commissioning")

    assert template.layout.signers == ("process_executor", "process_owner")
    assert str(template.layout.form[0].fields[0]) == "/device/gid"
    assert [block.kind for block in template.layout.blocks][-1] is BlockKind.SIGNATURES
    assert (template.id, template.version, template.publisher) == (
        "urn:epd:template:org:heat:commissioning:1.0.0",
        "1.0.0",
        "org:heat",
    )


def test_template_without_a_layout_gets_one_from_its_schema() -> None:
    """Every leaf of the schema is in the form, and lists are tables in print."""
    raw = json.loads((EXAMPLES / "templates" / "flow-bench.schema.json").read_text())
    for name in ("form", "print", "parties"):
        raw["x-epd-template"].pop(name)
    layout = parse_template(json.dumps(raw).encode()).layout

    places = {str(place) for section in layout.form for place in section.fields}
    assert {"/protocol_no", "/device/serial", "/points/*/error", "/adjustment/table/*/k"} <= places
    table = next(block for block in layout.blocks if block.kind is BlockKind.TABLE)
    assert (str(table.each), str(table.fields[0])) == ("/points", "/name")
    assert layout.signers == ()


def test_digest_is_of_the_publishers_bytes() -> None:
    """One more space is another template by digest, though it says the same."""
    data = (EXAMPLES / "templates" / "flow-bench.schema.json").read_bytes()

    assert parse_template(data).digest != parse_template(data + b" ").digest
    assert parse_template(data) == parse_template(data)
