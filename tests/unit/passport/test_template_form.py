"""Forms made from templates, and documents made from what forms send."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.passport.strict_json import Json, format_json, json_equal
from node.passport.templates.facts import NoPassports
from node.passport.templates.findings import State
from node.passport.templates.form import (
    Field,
    FieldKind,
    Rows,
    add_row,
    drop_row,
    fields_of,
    form_of,
    prefill,
    read_form,
    without_empty_rows,
)
from node.passport.templates.pointer import Pointer, find, parse_pointer
from node.passport.templates.template import Template, parse_document, parse_template, validate
from node.web.protocol_words import typed_text
from tests.laws import cases

EXAMPLES = Path(__file__).parents[3] / "examples"
GOOD = ("flow-bench", "verification", "commissioning")


def template_of(name: str) -> Template:
    return parse_template((EXAMPLES / "templates" / f"{name}.schema.json").read_bytes())


def good(name: str) -> Json:
    return parse_document((EXAMPLES / "protocols" / f"{name}.ok.json").read_bytes())


def fields(template: Template, document: Json) -> dict[str, Field]:
    return {str(field.place): field for group in form_of(template, document) for field in fields_of(group.parts)}


def small(properties: dict[str, Any], required: list[str] | None = None, **card: Any) -> Template:
    """A template with these properties."""
    root = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:t", "type": "object"}
    told = {"name": "t", "version": "1", "publisher": "p", "title": {"en": "t"}} | card
    made = root | {"properties": properties, "required": required or [], "x-epd-template": told}
    return parse_template(json.dumps(made).encode())


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("name", GOOD)
def test_form_of_a_good_document_sends_the_same_document_back(name: str, language: str) -> None:
    """Every value that a form shows is typed as it was, in either language, so that nothing changes by looking."""
    template, document = template_of(name), good(name)

    sent = {place: typed_text(field, language) for place, field in fields(template, document).items()}

    assert json_equal(read_form(template, document, sent), document)


@pytest.mark.parametrize("name", GOOD)
def test_good_document_can_be_typed_into_an_empty_form(name: str) -> None:
    """Rows added where the document has items, then every text typed: a valid document that says the same."""
    template, document = template_of(name), good(name)
    empty: Json = {}
    for place in _lists(document):
        empty = add_row(template, empty, place)
    sent = {place: typed_text(field, "ru") for place, field in fields(template, document).items()}

    typed = read_form(template, empty, sent)

    shown = [parse_pointer(place) for place, text in sent.items() if text]
    assert all(json_equal(find(typed, place), find(document, place)) for place in shown)  # type: ignore[arg-type]  # there


def test_numbers_are_read_with_a_comma_and_kept_exact() -> None:
    """A decimal comma, spaces between thousands; what is no number stays as it was typed, to be named by the check."""
    template = small({"a": {"type": "number"}, "b": {"type": "integer"}, "c": {"type": "number"}})

    typed = read_form(template, {}, {"/a": "1 234,50", "/b": "7", "/c": "много"})

    assert typed == {"a": Decimal("1234.50"), "b": 7, "c": "много"}
    assert validate(template, typed, NoPassports()).errors[0].pointer == "/c"


def test_days_choices_and_pairs_are_read_as_their_types() -> None:
    """A day as people write it, an option, yes or no, and names with values one a line."""
    template = small({
        "day": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "kind": {"enum": ["x", 2]},
        "fit": {"type": "boolean"},
        "readings": {"type": "object", "additionalProperties": {"type": "number"}},
    })  # fmt: skip
    sent = {
        "/day": "3.11.2026", "/at": "03.11.2026 09:30+05:00", "/kind": "2", "/fit": "false",
        "/readings": "volume = 0,5\r\nheat=7",
    }  # fmt: skip

    typed = read_form(template, {}, sent)

    assert typed == {
        "day": "2026-11-03", "at": "2026-11-03T09:30:00+05:00", "kind": 2, "fit": False,
        "readings": {"volume": Decimal("0.5"), "heat": 7},
    }  # fmt: skip


def test_emptied_field_goes_with_the_object_that_held_it_alone() -> None:
    """An optional part of which nothing is left is not in the document; one with other values stays."""
    inner = {"type": "object", "properties": {"x": {"type": "string"}, "y": {"type": "string"}}}
    template = small({"one": inner, "two": inner})

    left = read_form(template, {"one": {"x": "1"}, "two": {"x": "1", "y": "2"}}, {"/one/x": " ", "/two/x": ""})

    assert left == {"two": {"y": "2"}}


def test_rows_are_added_taken_out_and_never_signed_empty() -> None:
    """Lists in lists, of objects and of texts; an unknown place changes nothing, and a list has an end."""
    template = template_of("verification")
    one = add_row(template, {}, Pointer(("operations",)))
    two = add_row(template, one, Pointer(("operations", "0", "points")))
    three = add_row(template, two, Pointer(("seals",)))

    assert three == {"operations": [{"points": [{}]}], "seals": [""]}
    assert add_row(template, three, Pointer(("nowhere",))) == three
    assert drop_row(three, Pointer(("operations", "0"))) == {"operations": [], "seals": [""]}
    assert drop_row(three, Pointer(("operations", "7"))) == three
    assert without_empty_rows(three) == {"operations": [{"points": []}], "seals": []}
    full: Json = {"seals": ["x"] * 200}
    assert add_row(template, full, Pointer(("seals",))) == full


def test_new_form_tells_what_the_passport_knows() -> None:
    """Id, serial and what stands beside them, the approval, the day of the act, the own organisation, a first row."""
    known = {"device.gid": "EPP1-X", "device.serial": "17", "device.model": "ВС-15", "device.year": "2025"}

    begun = prefill(template_of("verification"), known | {"type.grsi": "999902-00"}, "2026-11-03", "ab" * 16)

    assert isinstance(begun, dict)
    assert begun["device"] == {"gid": "EPP1-X", "serial": "17", "model": "ВС-15", "year": 2025, "grsi": "999902-00"}
    assert (begun["date"], begun["verifier_org"], begun["standards"]) == ("2026-11-03", {"org": "ab" * 16}, [{}])


@pytest.mark.timeout(20)
def test_form_of_a_template_of_five_thousand_places_is_made_at_once() -> None:
    """A stranger's template holds the node up neither when a form begins nor when it is shown with its rows."""
    serial = {"type": "object", "properties": {"serial": {"type": "string", "x-epd-bind": "device.serial"}}}
    wide = small({f"p{number}": {"type": "string"} for number in range(4_900)} | {"device": serial})
    names = [f"p{number}" for number in range(2_000)]
    listed = small({name: {"type": "array", "items": {}} for name in names}, names)
    rowed = small({"a": {"type": "array", "items": wide.schema}})

    begun = [prefill(template, {"device.serial": "7"}, "2026-11-03", "ab" * 16) for template in (wide, listed)]
    (rows,) = [part for group in form_of(rowed, {"a": [{}] * 200}) for part in group.parts]

    assert begun == [{"device": {"serial": "7"}}, {name: [{}] for name in names}]
    assert isinstance(rows, Rows)
    assert (len(rows.items), rows.hidden) == (2, 198)


def test_form_marks_what_is_required_personal_and_a_party() -> None:
    """An asterisk for what must be there, a mark for what only the author reads, a choice of organisations."""
    found = fields(template_of("commissioning"), {"seals": [{}]})

    assert (found["/act_no"].is_required, found["/note"].is_required) == (True, False)
    assert (found["/executor_person/name"].is_personal, found["/seals/0/no"].is_required) == (True, True)
    assert (found["/utility/org"].kind, found["/note"].kind) == (FieldKind.PARTY, FieldKind.LONG)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@cases(60)
@given(st.sampled_from(GOOD), st.dictionaries(st.text(max_size=5), VALUES, max_size=4), st.data())
def test_whatever_stands_in_a_document_its_form_can_be_shown_and_sent(
    name: str, broken: dict[str, Any], data: st.DataObject
) -> None:
    """Any value in any place, any text in any field: a form, a document, and a verdict."""
    template, document = template_of(name), good(name)
    assert isinstance(document, dict)
    at = data.draw(st.sampled_from(sorted(document)))
    document = document | {at: data.draw(VALUES)} | broken
    sent = {place: data.draw(st.text(max_size=8)) for place in list(fields(template, document))[:6]}

    typed = read_form(template, document, sent)

    assert validate(template, parse_document(format_json(typed)), NoPassports()).state in State
    assert [group for group in form_of(template, typed) if any(isinstance(part, Rows) for part in group.parts)]


def _lists(document: Json, place: Pointer = Pointer()) -> list[Pointer]:  # noqa: B008 - immutable
    """Each list of a document, once for each of its items, from the outside in."""
    if isinstance(document, dict):
        return [found for name, value in document.items() for found in _lists(value, place.child(name))]
    if isinstance(document, list):
        inner = [found for at, item in enumerate(document) for found in _lists(item, place.child(at))]
        return [place] * len(document) + inner
    return []
