"""Laws: the verdict follows the template's data, and nothing breaks the machinery."""

import json
import os
from copy import deepcopy
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.passport.strict_json import Json, format_json, parse_json
from node.passport.templates.errors import JsonError, TemplateRefusedError
from node.passport.templates.facts import NoPassports
from node.passport.templates.findings import Finding, State, Verdict
from node.passport.templates.pointer import parse_pointer
from node.passport.templates.rules import add_months
from node.passport.templates.template import extract, join_personal, parse_template, split_personal, validate
from node.passport.templates.validation import SchemaValidator

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"
DEMO = Path(os.environ.get("PASSPORT_DEMO", ROOT.parent / "shared" / "demo"))
PAIRS = [
    (
        json.loads((EXAMPLES / "templates" / f"{name}.schema.json").read_text()),
        (EXAMPLES / "protocols" / f"{name}.ok.json"),
    )
    for name in ("flow-bench", "verification", "commissioning")
]
# Names of fields, among them ones that a pointer has to escape and ones that look like indexes.
NAMES = st.text("abя/~01 ", min_size=1, max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8) | st.just("2025-05-15"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def names(count: int) -> st.SearchStrategy[list[str]]:
    return st.lists(NAMES, min_size=count, max_size=count, unique=True)


def escaped(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")


def judge(properties: dict[str, Any], rules: list[dict[str, Any]], document: dict[str, Json]) -> Verdict:
    card = {"name": "t", "version": "1", "publisher": "p", "title": {"en": "t"}, "rules": rules}
    root = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:t", "type": "object"}
    closed = {"additionalProperties": False, "properties": properties, "x-epd-template": card}
    template = parse_template(json.dumps(root | closed, default=str).encode())
    return validate(template, document, NoPassports())


@given(names(3), st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 240), st.integers(-40, 40), st.booleans())
def test_validity_follows_pointers_and_months(
    fields: list[str], start: date, months: int, slip: int, in_template: bool
) -> None:
    """Under any names, with months from the document or the template, only the one right date is accepted."""
    first, second, third = fields
    later = add_months(start, months)
    assert later is not None
    end = later - timedelta(days=1) + timedelta(days=slip)
    rule = {
        "type": "date_plus_months_minus_day",
        "from": escaped(first),
        "months": months if in_template else escaped(second),
        "to": escaped(third),
    }
    document: dict[str, Json] = {first: start.isoformat(), second: months, third: end.isoformat()}

    verdict = judge({name: {} for name in fields}, [rule], document)

    assert verdict.state is (State.VALID if slip == 0 else State.INVALID)
    assert all(finding.pointer == escaped(third) for finding in verdict.errors)


@given(
    names(4),
    st.integers(1, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 500),
    st.integers(-1_000, 1_000),
)
def test_error_follows_fields_and_tolerance(
    fields: list[str], reference: int, excess: int, tolerance: int, slip: int
) -> None:
    """An error is accepted exactly when it is no farther from the computed one than the template's tolerance."""
    each, measured, ref, error = fields
    stated = Decimal(excess) * 100 / reference + Decimal(slip) / 100
    true_slip = abs(stated - Decimal(excess) * 100 / reference)
    rule = {
        "type": "relative_error",
        "each": escaped(each),
        "measured": escaped(measured),
        "reference": escaped(ref),
        "error": escaped(error),
        "tolerance": tolerance,
    }
    item: Json = {measured: Decimal(reference + excess), ref: reference, error: stated}

    verdict = judge({each: {"type": "array"}}, [rule], {each: [item]})

    if abs(true_slip - tolerance) > Decimal("1e-15"):
        assert verdict.state is (State.VALID if true_slip < tolerance else State.INVALID)


@given(names(2), st.datetimes(), st.datetimes())
def test_order_follows_the_pointers(fields: list[str], one: Any, other: Any) -> None:
    """With the pointers exchanged the verdict is exchanged, unless both times are one."""
    document: dict[str, Json] = {fields[0]: one.isoformat() + "Z", fields[1]: other.isoformat() + "Z"}
    places = [escaped(name) for name in fields]
    there = judge({name: {} for name in fields}, [{"type": "time_order", "from": places[0], "to": places[1]}], document)
    back = judge({name: {} for name in fields}, [{"type": "time_order", "from": places[1], "to": places[0]}], document)

    assert (there.state is State.VALID) == (one <= other)
    assert (back.state is State.VALID) == (other <= one)


@given(st.sampled_from(PAIRS), st.data())
def test_damaged_template_is_refused_or_runs(pair: tuple[dict[str, Any], Path], data: st.DataObject) -> None:
    """A template with any one value replaced is refused as a template, or judges, extracts and splits."""
    schema, path = deepcopy(pair[0]), path_document(pair[1])
    damage(schema, data)
    try:
        template = parse_template(json.dumps(schema).encode())
    except TemplateRefusedError:
        return

    verdict = validate(template, path, NoPassports())

    assert verdict.state in State
    extract(template, path)
    assert format_json(join_personal(split_personal(template, path))) == format_json(path)


@given(st.sampled_from(PAIRS), st.data())
def test_damaged_document_is_judged(pair: tuple[dict[str, Any], Path], data: st.DataObject) -> None:
    """A document with any one value replaced still gets a verdict, an extraction and a lossless split."""
    template, document = parse_template(json.dumps(pair[0]).encode()), path_document(pair[1])
    damage(document, data)

    verdict = validate(template, document, NoPassports())

    assert verdict.state in State
    extract(template, document)
    assert format_json(join_personal(split_personal(template, document))) == format_json(document)


LEAVES = st.sampled_from(
    [
        {"type": "integer", "minimum": 0},
        {"type": "string", "pattern": "^a", "maxLength": 4},
        {"enum": ["a", 1, None]},
        {"const": True},
        {"type": "string", "format": "date"},
        {"type": ["number", "null"], "multipleOf": 2},
        {},
    ]
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.fixed_dictionaries(
        {"properties": st.dictionaries(st.sampled_from("ab0"), inner, max_size=2)},
        optional={
            "type": st.sampled_from(["object", "array", ["object", "array", "null"]]),
            "required": st.lists(st.sampled_from("ab0"), unique=True, max_size=2),
            "additionalProperties": st.booleans() | inner,
            "items": st.booleans() | inner,
            "uniqueItems": st.booleans(),
            "maxItems": st.integers(0, 2),
            "minProperties": st.integers(0, 2),
        },
    ),
    max_leaves=8,
)
INSTANCES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "b", "aaaaa", "2025-05-15"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab01"), inner, max_size=3),
    max_leaves=8,
)


@given(SCHEMAS, INSTANCES)
def test_places_checked_one_by_one_are_the_document_checked_whole(schema: dict[str, Any], document: Any) -> None:
    """Whatever the schema, a document is refused as the whole schema refuses it, and by what that finds outermost."""
    whole = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    wanted = {(tuple(map(str, error.instance_path)), error.kind.name) for error in whole.iter_errors(document)}

    found = list(SchemaValidator(schema).find(document))

    at = {(name_of(finding), finding.rule) for finding in found}
    assert bool(found) == bool(wanted)
    assert at <= wanted
    assert all(any(place[: len(one)] == one for one, _ in at) for place, _ in wanted)


def name_of(finding: Finding) -> tuple[str, ...]:
    """Where a finding is, as the schema engine has it: of what lacks or is too much, the object."""
    tokens = parse_pointer(finding.pointer).tokens if finding.pointer else ()
    return tokens[:-1] if finding.rule in ("required", "additionalProperties") else tokens


@given(st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_json_or_refused(data: bytes) -> None:
    """Whatever comes is a value whose canonical bytes read back to themselves, or JsonError."""
    try:
        value = parse_json(data)
    except JsonError:
        return
    assert format_json(parse_json(format_json(value))) == format_json(value)


def path_document(path: Path) -> Any:
    return parse_json(path.read_bytes())


def damage(value: Any, data: st.DataObject) -> None:
    """Replace one value somewhere inside."""
    while True:
        keys = sorted(value) if isinstance(value, dict) else range(len(value))
        key = data.draw(st.sampled_from(keys))
        child = value[key]
        if not isinstance(child, dict | list) or not child or data.draw(st.integers(0, 3)) == 0:
            value[key] = data.draw(VALUES)
            return
        value = child


SETS = [(EXAMPLES / "templates", EXAMPLES / "protocols"), (DEMO / "templates", DEMO / "examples")]
DOCUMENTS = [
    (templates / f"{path.name.split('.')[0]}.schema.json", path)
    for templates, documents in SETS
    for path in sorted(documents.glob("*.json"))
]


@pytest.mark.parametrize(("schema", "path"), DOCUMENTS, ids=lambda path: f"{path.parent.parent.name}-{path.name}")
def test_verdict_follows_the_template_under_any_names(schema: Path, path: Path) -> None:
    """Every field renamed in template and document alike, pointers with it: the same findings at the new places."""
    root, document = json.loads(schema.read_text()), parse_json(path.read_bytes())
    names = {name: f"п~{number}/{name[::-1]}" for number, name in enumerate(sorted(field_names(root)))}
    before = validate(parse_template(schema.read_bytes()), document, NoPassports())

    renamed = parse_template(json.dumps(rename(root, names), ensure_ascii=False).encode())
    after = validate(renamed, rename_document(document, names), NoPassports())

    assert [(f.layer, f.severity, f.rule, f.code) for f in after.findings] == [
        (f.layer, f.severity, f.rule, f.code) for f in before.findings
    ]
    assert [f.pointer for f in after.findings] == [moved(f.pointer, names) for f in before.findings]


@pytest.mark.parametrize(("schema", "path"), DOCUMENTS, ids=lambda path: f"{path.parent.parent.name}-{path.name}")
def test_verdict_follows_months_and_tolerances_of_the_template(schema: Path, path: Path) -> None:
    """A template that allows any error and reads the interval elsewhere accepts and refuses other documents."""
    root, document = json.loads(schema.read_text()), parse_json(path.read_bytes())
    rules = root["x-epd-template"]["rules"]
    wide, wrong = deepcopy(root), deepcopy(root)
    for rule in wide["x-epd-template"]["rules"]:
        rule.update({"tolerance": 10**9} if rule["type"] == "relative_error" else {})
    for rule in wrong["x-epd-template"]["rules"]:
        rule.update({"months": 1} if rule["type"] == "date_plus_months_minus_day" else {})
        rule.update({"tolerance": 0} if rule["type"] == "relative_error" else {})

    kinds = [kinds_of(judged, document) for judged in (root, wide, wrong)]

    assert kinds[1] == [kind for kind in kinds[0] if kind != "relative_error"]
    if not kinds[0] and any(rule["type"] == "date_plus_months_minus_day" for rule in rules):
        assert "date_plus_months_minus_day" in kinds[2]


def kinds_of(root: dict[str, Any], document: Json) -> list[str]:
    """The rules that refuse a document, by a template as it is given."""
    verdict = validate(parse_template(json.dumps(root, ensure_ascii=False).encode()), document, NoPassports())
    return [finding.rule for finding in verdict.errors]


def field_names(node: Any) -> set[str]:
    """The names of all properties of a schema."""
    if isinstance(node, list):
        return {name for item in node for name in field_names(item)}
    if not isinstance(node, dict):
        return set()
    own = set(node["properties"]) if isinstance(node.get("properties"), dict) else set()
    return own | {name for key, item in node.items() if key != "x-epd-template" for name in field_names(item)}


def rename(node: Any, names: dict[str, str], within: str = "") -> Any:
    """A template with its properties, what requires them, and every pointer to them under other names."""
    if within == "card":
        return rename_card(node, names)
    if isinstance(node, list):
        return [rename(item, names) for item in node]
    if not isinstance(node, dict):
        return node
    found: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            found[key] = {names[name]: rename(child, names) for name, child in value.items()}
        elif key == "required":
            found[key] = [names.get(name, name) for name in value]
        elif key in ("enum", "const", "title", "description"):
            found[key] = value
        else:
            found[key] = rename(value, names, "card" if key == "x-epd-template" else "")
    return found


def rename_card(node: Any, names: dict[str, str], key: str = "") -> Any:
    if isinstance(node, dict):
        return {name: rename_card(value, names, name) for name, value in node.items()}
    if isinstance(node, list):
        return [rename_card(item, names, key) for item in node]
    if key in ("title", "ru", "en", "type", "role", "kind", "parameter", "event", "equals", "name", "process"):
        return node
    if isinstance(node, str) and node.startswith("/"):
        return moved(node, names)
    is_member = key in ("measured", "reference", "error", "mpe", "flag", "columns")
    return moved("/" + node, names) if is_member and key != "columns" else names.get(node, node) if is_member else node


def rename_document(value: Json, names: dict[str, str]) -> Json:
    if isinstance(value, dict):
        return {names.get(name, name): rename_document(child, names) for name, child in value.items()}
    return [rename_document(item, names) for item in value] if isinstance(value, list) else value


def moved(pointer: str, names: dict[str, str]) -> str:
    """A pointer under other names."""
    tokens = [names.get(token, token) for token in pointer.split("/")[1:]]
    return "".join("/" + token.replace("~", "~0").replace("/", "~1") if token != "*" else "/*" for token in tokens)
