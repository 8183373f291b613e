"""Each rule of the catalog on a document of a few fields."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from node.passport.strict_json import Json
from node.passport.templates.declarations import RULE_TYPES
from node.passport.templates.errors import TemplateRefusedError
from node.passport.templates.facts import NoPassports, PassportFacts, Verification
from node.passport.templates.findings import Severity, State
from node.passport.templates.rules import add_months
from node.passport.templates.template import parse_template, validate

ITEM = {
    "type": "object",
    "additionalProperties": False,
    "properties": {name: {} for name in ("m", "r", "e", "l", "ok")},
}
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:test:template",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "a": {},
        "b": {},
        "n": {},
        "fit": {},
        "items": {"type": "array", "items": ITEM},
        "deep": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"items": {"type": "array", "items": ITEM}},
            },
        },
    },
}
WHEN = {"if": {"pointer": "/fit", "equals": True}}


def template_with(*rules: dict[str, Any]) -> bytes:
    card = {"name": "t", "version": "1", "publisher": "org:t", "title": {"en": "t"}, "rules": list(rules)}
    return json.dumps(SCHEMA | {"x-epd-template": card}).encode()


def codes(rule: dict[str, Any], document: Json, facts: PassportFacts | None = None) -> list[tuple[str, str]]:
    verdict = validate(parse_template(template_with(rule)), document, facts or NoPassports())
    return [(finding.pointer, finding.code) for finding in verdict.findings]


class Passport:
    """A passport with one verification and one parameter."""

    def __init__(self, verification: Verification | None = None, parameter: Json = None) -> None:
        self.verification, self.parameter = verification, parameter

    def has_passport(self, device: str, /) -> bool:
        return device == "d"

    def find_verification(self, device: str, on: date, /) -> Verification | None:
        known = self.verification
        return known if known is not None and known.verified_on <= on else None

    def find_parameter(self, device: str, code: str, /) -> Json:
        return self.parameter if code == "p" else None


RELATIVE = {
    "type": "relative_error",
    "each": "/items",
    "measured": "m",
    "reference": "r",
    "error": "e",
    "tolerance": 0.01,
}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"m": Decimal("0.01009"), "r": Decimal("0.01"), "e": Decimal("0.9")}, []),
        ({"m": Decimal("0.01009"), "r": Decimal("0.01"), "e": Decimal("0.91")}, []),
        ({"m": Decimal("0.01009"), "r": Decimal("0.01"), "e": Decimal("0.9100001")}, ["relative-error-differs"]),
        ({"m": 1, "r": 3, "e": Decimal("-66.67")}, []),
        ({"m": 1, "r": 0, "e": 0}, ["relative-error-no-reference"]),
        ({"m": Decimal("1E+40"), "r": Decimal("1E-40"), "e": 0}, ["relative-error-differs"]),
        ({"m": 1, "e": 0}, []),
    ],
)
def test_relative_error_is_exact_at_its_tolerance(item: Json, expected: list[str]) -> None:
    """The stated error may differ from the computed one by the tolerance, in decimals, and by nothing more."""
    assert [code for _, code in codes(RELATIVE, {"items": [item]})] == expected


def test_relative_error_reaches_lists_within_lists() -> None:
    """A wildcard leads to each list of each item, and the finding names the very place."""
    bad: Json = {"m": 2, "r": 1, "e": 0}
    good: Json = {"m": 2, "r": 1, "e": 100}
    document: Json = {"deep": [{"items": [good]}, {}, {"items": [good, bad]}]}

    assert codes(RELATIVE | {"each": "/deep/*/items"}, document) == [("/deep/2/items/1/e", "relative-error-differs")]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"e": -5, "l": 5, "ok": True}, []),
        ({"e": Decimal("-5.1"), "l": 5, "ok": True}, [("/items/0/ok", "mpe-exceeded")]),
        ({"e": Decimal("5.1"), "l": 5, "ok": False}, []),
        ({"e": 5, "l": 5, "ok": False}, [("/items/0/ok", "mpe-kept-but-failed")]),
        ({"e": 6, "l": 5}, [("/items/0/e", "mpe-exceeded")]),
        ({"e": Decimal("5." + "0" * 30 + "1"), "l": 5}, [("/items/0/e", "mpe-exceeded")]),
        ({"e": 6, "ok": True}, []),
    ],
)
def test_within_mpe_holds_the_flag_to_the_numbers(item: Json, expected: list[tuple[str, str]]) -> None:
    """The flag says truly whether the error is within the limit; without a flag it has to be."""
    rule = {"type": "within_mpe", "each": "/items", "error": "e", "mpe": "l", "flag": "ok"}

    assert codes(rule, {"items": [item]}) == expected


def test_all_pass_wants_every_item_to_say_so() -> None:
    """An item that failed, or does not say that it passed, is found by its place."""
    rule = {"type": "all_pass", "each": "/items", "flag": "ok"} | WHEN
    items: Json = [{"ok": True}, {"ok": False}, {}]

    assert codes(rule, {"items": items, "fit": True}) == [("/items/1/ok", "not-passed"), ("/items/2/ok", "not-passed")]
    assert codes(rule, {"items": items, "fit": False}) == []
    assert codes(rule, {"items": items, "fit": 1}) == []


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2025-05-14T09:12:00+05:00", "2025-05-14T09:12:00+05:00", []),
        ("2025-05-14T09:12:00+05:00", "2025-05-14T05:00:00Z", []),
        ("2025-05-14T09:12:00+05:00", "2025-05-14T04:11:59Z", ["time-order"]),
        ("2025-05-14", "2025-05-13", ["time-order"]),
        ("2025-05-14", "2025-05-14T00:00:00Z", []),
        ("2025-05-14T23:00:00Z", "2025-05-14", []),
        ("2025-05-14T09:12:00", "2025-05-15", ["no-time"]),
        (5, "2025-05-15", ["no-time"]),
    ],
)
def test_time_order_compares_moments(start: Json, end: Json, expected: list[str]) -> None:
    """Times compare across zones, dates by day; what has no zone or is no time is said to be none."""
    rule = {"type": "time_order", "from": "/a", "to": "/b"}

    assert [code for _, code in codes(rule, {"a": start, "b": end})] == expected


def test_required_if_and_min_items_if_follow_their_condition() -> None:
    """A place has to be filled in, and a list to be long enough, only where the condition holds."""
    required = {"type": "required_if", "pointer": "/a"} | WHEN
    items = {"type": "min_items_if", "pointer": "/items", "min": 2} | WHEN

    assert codes(required, {"fit": True}) == [("/a", "required-if")]
    assert codes(required, {"fit": True, "a": ""}) == [("/a", "required-if")]
    assert codes(required, {"fit": True, "a": 0}) == codes(required, {"fit": False}) == codes(required, {}) == []
    assert codes(items, {"fit": True, "items": [{}]}) == codes(items, {"fit": True}) == [("/items", "min-items-if")]
    assert codes(items, {"fit": True, "items": [{}, {}]}) == codes(items, {"fit": False}) == []


@pytest.mark.parametrize(
    ("start", "months", "end", "expected"),
    [
        ("2025-05-15", 72, "2031-05-14", []),
        ("2025-05-15", 72, "2031-05-15", ["valid-until-differs"]),
        ("2024-08-31", 6, "2025-02-27", []),
        ("2024-02-29", 12, "2025-02-27", []),
        ("2024-02-29", 48, "2028-02-28", []),
        ("2025-01-01", 12, "2025-12-31", []),
        ("9999-12-31", 12, "9999-12-31", ["date-out-of-range"]),
        ("2025-05-15", Decimal("1.5"), "2031-05-14", ["date-out-of-range"]),
        ("2025-05-15", 10**30, "2031-05-14", ["date-out-of-range"]),
        ("0001-01-01", 0, "2031-05-14", ["date-out-of-range"]),
        ("2025-05-15", "72", "2031-05-15", []),
    ],
)
def test_validity_is_months_less_a_day(start: str, months: Json, end: str, expected: list[str]) -> None:
    """The term ends on the day before the same day of the month; a day the month lacks becomes its last."""
    rule = {"type": "date_plus_months_minus_day", "from": "/a", "months": "/n", "to": "/b"}

    assert [code for _, code in codes(rule, {"a": start, "n": months, "b": end})] == expected


def test_validity_may_be_a_number_of_the_template() -> None:
    """Months may stand in the template itself."""
    rule = {"type": "date_plus_months_minus_day", "from": "/a", "months": 48, "to": "/b"}

    assert codes(rule, {"a": "2025-05-15", "b": "2029-05-14"}) == []
    assert add_months(date(2025, 5, 15), -5) == date(2024, 12, 15)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("С-ЪЫЬ/15-05-2025/900000017", []),
        ("И-ЪЫЬ/15-05-2025/900000017", ["docnum-fit"]),
        ("С-ЪЫ/15-05-2025/900000017", ["docnum-cipher"]),
        ("И-Ъ/16-05-2025/900000017", ["docnum-fit", "docnum-cipher", "docnum-date"]),
        ("C-ЪЫЬ/15-05-2025/900000017", ["docnum-unreadable"]),
    ],
)
def test_record_number_says_what_the_document_says(number: str, expected: list[str]) -> None:
    """Result, cipher and date in the number are compared one by one; a Latin С makes it unreadable."""
    rule = {"type": "docnum_agrees", "pointer": "/n", "cipher": "/a", "date": "/b", "fit": "/fit"}

    assert [code for _, code in codes(rule, {"n": number, "a": "ЪЫЬ", "b": "2025-05-15", "fit": True})] == expected


FIT = Verification(date(2025, 5, 15), fit=True, valid_until=date(2031, 5, 14))


@pytest.mark.parametrize(
    ("on", "passport", "expected"),
    [
        ("2031-05-14", Passport(FIT), []),
        ("2031-05-15", Passport(FIT), ["verification-expired"]),
        ("2025-05-14", Passport(FIT), ["not-verified"]),
        ("2025-06-01", Passport(), ["not-verified"]),
        ("2025-06-01", Passport(Verification(date(2025, 5, 15), fit=False, valid_until=None)), ["verified-unfit"]),
        (
            "2025-06-01",
            Passport(Verification(date(2025, 5, 15), fit=True, valid_until=None)),
            ["verified-without-term"],
        ),
        ("2025-06-01", NoPassports(), ["passport-unknown"]),
        (7, Passport(FIT), ["fact-not-given"]),
    ],
)
def test_verification_is_read_from_the_passport(on: Json, passport: PassportFacts, expected: list[str]) -> None:
    """The device was found fit on or before the day and the term includes it; what cannot be told is said so."""
    rule = {"type": "verification_valid_on", "device": "/a", "date": "/b"}

    assert [code for _, code in codes(rule, {"a": "d", "b": on}, passport)] == expected


@pytest.mark.parametrize(
    ("code", "known", "stated", "expected"),
    [
        ("p", "x", "x", []),
        ("p", "x", "y", [("/b", "parameter-differs")]),
        ("p", "0.10", Decimal("0.1"), []),
        ("p", "0.2", Decimal("0.1"), [("/b", "parameter-differs")]),
        ("p", 1, True, [("/b", "parameter-differs")]),
        ("q", "x", "y", [("/b", "parameter-first-stated")]),
    ],
)
def test_parameter_is_compared_with_the_passport(code: str, known: Json, stated: Json, expected: list[object]) -> None:
    """A value that the passport contradicts is refused; the first to state a value is only told so."""
    rule = {"type": "parameter_equals", "device": "/a", "parameter": code, "pointer": "/b"}
    document: Json = {"a": "d", "b": stated}

    assert codes(rule, document, Passport(parameter=known)) == expected
    assert codes(rule, {"a": "d"}, Passport(parameter=known)) == []


def test_dev_eui_is_the_same_in_either_case() -> None:
    """A passport keeps hex in lower case and a form in capitals: the radio is one."""

    class Radio(Passport):
        def find_parameter(self, device: str, code: str, /) -> Json:
            return "02c0de0025000017" if code == "dev_eui" else None

    rule = {"type": "parameter_equals", "device": "/a", "parameter": "dev_eui", "pointer": "/b"}

    assert codes(rule, {"a": "d", "b": "02C0DE0025000017"}, Radio()) == []
    assert codes(rule, {"a": "d", "b": "02C0DE0025000018"}, Radio()) == [("/b", "parameter-differs")]


def test_first_statement_leaves_the_document_valid() -> None:
    """A notice changes no verdict."""
    rule = {"type": "parameter_equals", "device": "/a", "parameter": "p", "pointer": "/b"}
    verdict = validate(parse_template(template_with(rule)), {"a": "d", "b": "x"}, Passport())

    assert (verdict.state, verdict.findings[0].severity) == (State.VALID, Severity.NOTICE)


GOOD: list[dict[str, Any]] = [
    RELATIVE,
    {"type": "within_mpe", "each": "/items", "error": "e", "mpe": "l"},
    {"type": "all_pass", "each": "/items", "flag": "ok"},
    {"type": "time_order", "from": "/a", "to": "/b"},
    {"type": "required_if", "pointer": "/a"} | WHEN,
    {"type": "min_items_if", "pointer": "/items", "min": 1} | WHEN,
    {"type": "date_plus_months_minus_day", "from": "/a", "months": "/n", "to": "/b"},
    {"type": "docnum_agrees", "pointer": "/n", "cipher": "/a", "date": "/b", "fit": "/fit"},
    {"type": "verification_valid_on", "device": "/a", "date": "/b"},
    {"type": "parameter_equals", "device": "/a", "parameter": "p", "pointer": "/b"},
]


@pytest.mark.parametrize("rule", GOOD, ids=lambda rule: rule["type"])
def test_rule_that_lacks_a_member_refuses_the_template(rule: dict[str, Any]) -> None:
    """Whatever member is left out of a known rule, the template is refused and the member named."""
    parse_template(template_with(rule))

    for member in rule.keys() - {"type"}:
        broken = {name: value for name, value in rule.items() if name != member}
        with pytest.raises(TemplateRefusedError, match=rf"rules/0.*lacks {member}"):
            parse_template(template_with(broken))


@pytest.mark.parametrize("rule", GOOD, ids=lambda rule: rule["type"])
@pytest.mark.parametrize("wrong", [None, "", "/nowhere", "no pointer", "/a~2", [], {}, True])
def test_rule_with_a_broken_member_refuses_the_template(rule: dict[str, Any], wrong: object) -> None:
    """A pointer that is none, or that leads where the schema allows nothing, refuses the template."""
    member = next(name for name in ("each", "pointer", "from", "device") if name in rule)

    with pytest.raises(TemplateRefusedError, match="rules/0"):
        parse_template(template_with(rule | {member: wrong}))


@pytest.mark.parametrize(
    "change",
    [
        {"tolerance": -1},
        {"tolerance": "1"},
        {"tolerance": True},
        {"measured": "x"},
        {"measured": 1},
        {"if": {}},
        {"if": 1},
    ],
)
def test_relative_error_with_a_broken_member_refuses_the_template(change: dict[str, Any]) -> None:
    """A tolerance that is no number and a member that items cannot have are refused."""
    with pytest.raises(TemplateRefusedError, match="rules/0"):
        parse_template(template_with(RELATIVE | change))


@pytest.mark.parametrize("rule", [{}, 1, {"type": 1}, {"type": ""}, {"pointer": "/a"}])
def test_rule_without_a_type_refuses_the_template(rule: Any) -> None:
    """What does not say which rule it is, is no rule at all."""
    with pytest.raises(TemplateRefusedError, match="a rule has a type"):
        parse_template(template_with(rule))


def test_catalog_is_the_published_one() -> None:
    """The catalog holds exactly the ten published rules, each with a declaration here."""
    assert {rule["type"] for rule in GOOD} == RULE_TYPES
    assert len(RULE_TYPES) == 10
