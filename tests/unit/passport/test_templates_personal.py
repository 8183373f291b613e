"""What documents state, and what of them is personal."""

import json
from pathlib import Path
from typing import Any

import pytest

from node.passport.strict_json import Json, format_json
from node.passport.templates.errors import PartsError
from node.passport.templates.facts import NoPassports
from node.passport.templates.findings import State
from node.passport.templates.personal import Parts
from node.passport.templates.template import (
    extract,
    join_personal,
    parse_document,
    parse_template,
    split_personal,
    validate,
)

EXAMPLES = Path(__file__).parents[3] / "examples"
NAMES = sorted(path.name for path in (EXAMPLES / "protocols").glob("*.json"))


def load(name: str) -> Json:
    return parse_document((EXAMPLES / "protocols" / f"{name}.json").read_bytes())


def template_of(name: str) -> Any:
    return parse_template((EXAMPLES / "templates" / f"{name.partition('.')[0]}.schema.json").read_bytes())


def template_with(properties: dict[str, Any], extracted: list[dict[str, Any]] | None = None, **told: Any) -> Any:
    card = {"name": "t", "version": "1", "publisher": "p", "title": {"en": "t"}, "extract": extracted or [], **told}
    root = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:t", "type": "object"}
    return parse_template(json.dumps(root | {"properties": properties, "x-epd-template": card}).encode())


@pytest.mark.parametrize("name", NAMES)
def test_split_document_joins_to_the_same_bytes(name: str) -> None:
    """Open and personal part together are the document, byte for byte in canonical form."""
    document = parse_document((EXAMPLES / "protocols" / name).read_bytes())

    parts = split_personal(template_of(name), document)

    assert format_json(join_personal(parts)) == format_json(document)


def test_open_part_holds_nothing_personal() -> None:
    """Neither the flat nor the people of a commissioning act stand in its open part."""
    parts = split_personal(template_of("commissioning"), load("commissioning.ok"))

    assert parts.personal == {"/place/premise": "кв. 1", "/executor_person": {"name": "Монтажник М.М."}}
    assert "кв. 1" not in format_json(parts.open).decode()
    assert "Монтажник" not in format_json(parts.open).decode()


def test_personal_items_of_a_list_go_back_to_their_places() -> None:
    """Items and members of lists, lists in lists, and names that need escaping are taken out and put back."""
    personal = {"type": "string", "x-epd-access": "personal"}
    template = template_with({
        "people": {"type": "array", "items": personal},
        "flats": {
            "type": "array",
            "items": {"type": "object", "properties": {"who": personal, "~/": personal, "n": {"type": "integer"}}},
        },
        "names": {"type": "object", "additionalProperties": personal},
        "grid": {"type": "array", "items": {"type": "array", "items": personal}},
    })  # fmt: skip
    document: Json = {
        "people": [f"p{index}" for index in range(12)],
        "flats": [{"who": "a", "~/": "b", "n": 1}, {"n": 2}, {"who": "c", "n": 3}],
        "names": {"10": "x", "9": "y", "*": "z"},
        "grid": [["k", "l"], [], ["m"]],
        "free": {"who": "stays"},
    }

    parts = split_personal(template, document)

    assert parts.open == {
        "people": [],
        "flats": [{"n": 1}, {"n": 2}, {"n": 3}],
        "names": {},
        "grid": [[], [], []],
        "free": {"who": "stays"},
    }
    assert join_personal(parts) == document
    assert join_personal(Parts(parts.open, dict(reversed(parts.personal.items())))) == document


@pytest.mark.parametrize(
    "personal",
    [{"/a": 1}, {"/x/y": 1}, {"/l/3": 1}, {"/l/-": 1}, {"/l/01": 1}, {"a": 1}, {"": 1}, {"/t/0": 1}],
)
def test_personal_part_of_another_document_does_not_join(personal: dict[str, Json]) -> None:
    """A place that is taken, or that nothing in the open part can hold, is refused."""
    with pytest.raises(PartsError):
        join_personal(Parts({"a": 0, "l": [1, 2], "t": "text"}, personal))


def test_split_leaves_the_document_as_it_was() -> None:
    """Splitting copies."""
    document = load("verification.ok")
    before = format_json(document)

    split_personal(template_of("verification"), document)

    assert format_json(document) == before


def test_verification_states_its_term_and_its_result() -> None:
    """A good verification states the validity, the record and the event of its day."""
    found = extract(template_of("verification"), load("verification.ok"))

    assert [(item.code, item.value, item.pointer, item.valid_from) for item in found.parameters] == [
        ("verification_valid_until", "2031-05-14", "/valid_until", "2025-05-15"),
        ("fif_docnum", "С-ЪЫЬ/15-05-2025/900000017", "/fif_record/docnum", "2025-05-15"),
    ]
    assert [(item.code, item.when, item.where) for item in found.events] == [("verified", "2025-05-15", None)]


def test_condition_decides_which_event_arises() -> None:
    """The same document with another result states `rejected` and not `verified`."""
    found = extract(template_of("verification"), load("verification.bad-rule-unfit-without-reason"))

    assert [item.code for item in found.events] == ["rejected"]


def test_extract_takes_unit_time_place_and_privacy_from_the_template() -> None:
    """A parameter has the unit of its field and its own valid-from; an event its own place; personal ones say so."""
    template = template_with(
        {
            "v": {"type": "number", "x-epd-unit": "m3"},
            "since": {"type": "string"},
            "at": {"type": "string"},
            "flat": {"type": "string", "x-epd-access": "personal"},
            "none": {"type": "string"},
        },
        [
            {"parameter": "volume", "pointer": "/v", "from": "/since"},
            {"parameter": "flat", "pointer": "/flat"},
            {"parameter": "none", "pointer": "/none"},
            {"event": "moved", "when": "/at", "where": "/flat"},
            {"event": "lost", "when": "/none"},
        ],
    )

    found = extract(template, {"v": 5, "since": "2025-01-01", "at": "2025-02-01", "flat": "7"})

    assert [(item.code, item.unit, item.valid_from, item.personal) for item in found.parameters] == [
        ("volume", "m3", "2025-01-01", False),
        ("flat", "", "2025-02-01", True),
    ]
    assert [(item.code, item.where, item.personal) for item in found.events] == [("moved", "7", True)]
    assert found.skipped == ("lost",)


def test_value_that_holds_personal_data_is_personal() -> None:
    """An object with a name in it is as personal as the name; without the name it is not."""
    who = {"name": {"type": "string", "x-epd-access": "personal"}, "role": {"type": "string"}}
    template = template_with(
        {"who": {"type": "object", "properties": who}}, [{"parameter": "person", "pointer": "/who"}]
    )

    whole: Json = {"who": {"name": "Иванов", "role": "a"}}
    open_part: Json = {"who": {"role": "a"}}

    told = [extract(template, document).parameters[0].personal for document in (whole, open_part)]

    assert told == [True, False]


def test_personal_member_that_looks_like_an_index_is_personal() -> None:
    """Names of an object are no items of a list, whatever they look like."""
    closed = {"items": {"type": "string"}, "additionalProperties": {"x-epd-access": "personal"}}
    template = template_with({"people": closed})

    assert split_personal(template, {"people": {"0": "Иванов"}}).personal == {"/people/0": "Иванов"}


def test_document_without_its_personal_part_is_not_fully_checked() -> None:
    """Required names that are withheld leave it open; what else is wrong with it refuses it all the same."""
    template, document = template_of("verification"), load("verification.ok")
    hidden = split_personal(template, document).open
    assert isinstance(hidden, dict)

    verdict = validate(template, hidden, NoPassports(), is_whole=False)
    wrong = validate(template, {**hidden, "date": 1}, NoPassports(), is_whole=False)

    assert (verdict.state, {finding.code for finding in verdict.findings}) == (
        State.NOT_FULLY_CHECKED,
        {"personal-not-shown"},
    )
    assert wrong.state is State.INVALID
    assert validate(template, hidden, NoPassports()).state is State.INVALID
