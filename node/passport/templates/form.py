"""The form of a template for a document that is being filled in, and a document out of what a form sent.

The form follows the document: a list has as many rows as the document has items. A value that cannot be read as what
its place asks for is kept as it was typed, so that the check names it; nothing is guessed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from node.passport.strict_json import MAX_DIGITS, Json, show
from node.passport.templates.layout import Texts
from node.passport.templates.pointer import EVERY, MISSING, Missing, Pointer, find, is_index
from node.passport.templates.schema import Schema, is_personal, nodes, schema_at
from node.passport.templates.sheet import Label
from node.passport.templates.template import Template

MAX_ROWS = 200
MAX_SHOWN = 5_000  # fields, after which no further rows are shown
LONG = 200  # characters from which on a text has several lines
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
LOCAL_DAY = re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4})(?:\s+(.+))?")
LOCAL_TIME = re.compile(r"(\d\d:\d\d)(:\d\d(?:\.\d+)?)?(.*)")
SPACES = re.compile("[\\s\u00a0\u202f]")


class FieldKind(StrEnum):
    """How a value is typed."""

    TEXT = "text"
    LONG = "long"
    NUMBER = "number"
    INTEGER = "integer"
    FLAG = "flag"
    CHOICE = "choice"
    DATE = "date"
    MOMENT = "moment"
    PAIRS = "pairs"  # names with values, one a line
    PARTY = "party"


@dataclass(frozen=True, slots=True)
class Field:
    """One value; `options` are those of a choice."""

    place: Pointer
    label: Label
    kind: FieldKind
    value: Json | Missing
    is_required: bool
    is_personal: bool
    options: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """A list: the parts of each of its items; `hidden` counts those for which there is no room."""

    place: Pointer
    label: Label
    items: tuple[tuple["Part", ...], ...]
    hidden: int = 0


Part = Field | Rows


@dataclass(frozen=True, slots=True)
class Group:
    """Parts that stand together."""

    title: Texts
    parts: tuple[Part, ...]


def form_of(template: Template, document: Json) -> tuple[Group, ...]:
    """The form of a document as far as it is filled in."""
    maker = _Maker(template, document)
    return tuple(
        Group(section.title, tuple(maker.parts(Pointer(), Pointer(), [place.tokens for place in section.fields])))
        for section in template.layout.form
    )


def fields_of(parts: Sequence[Part]) -> Iterator[Field]:
    """Every field, those of rows among them."""
    for part in parts:
        if isinstance(part, Field):
            yield part
        else:
            for item in part.items:
                yield from fields_of(item)


def rows_of(parts: Sequence[Part]) -> Iterator[Rows]:
    """Every list, those of rows among them."""
    for part in parts:
        if isinstance(part, Rows):
            yield part
            for item in part.items:
                yield from rows_of(item)


def read_form(template: Template, document: Json, values: Mapping[str, str]) -> Json:
    """The document with what a form sent under the pointers of its fields; an empty text takes a value away."""
    filled = deepcopy(document)
    for group in form_of(template, document):
        for field in fields_of(group.parts):
            text = values.get(str(field.place))
            if text is not None:
                put_value(filled, field.place, parse_value(field, text, template.schema))
    return filled


def parse_value(field: Field, text: str, schema: Schema) -> Json | Missing:
    """What was typed, as the type of its place where it can be read so; MISSING for nothing."""
    typed = text.replace("\r\n", "\n").strip()
    if not typed:
        return MISSING
    if field.kind in (FieldKind.NUMBER, FieldKind.INTEGER):
        return _number(typed, field.kind)
    if field.kind is FieldKind.FLAG:
        return {"true": True, "false": False}.get(typed, typed)
    if field.kind is FieldKind.CHOICE:
        return next((option for option in field.options if choice_text(option) == typed), typed)
    if field.kind in (FieldKind.DATE, FieldKind.MOMENT):
        return _day(typed)
    return _pairs(typed, field, schema) if field.kind is FieldKind.PAIRS else typed


def choice_text(option: Json) -> str:
    """What a form sends for an option."""
    return option if isinstance(option, str) else show(option)


def put_value(document: Json, place: Pointer, value: Json | Missing) -> None:
    """Set a value in place, with the objects that hold it; MISSING takes it away, and objects left empty with it."""
    *parents, last = place.tokens
    chain: list[tuple[dict[str, Json], str]] = []
    node = document
    for token in parents:
        if isinstance(node, dict):
            if value is MISSING and token not in node:
                return
            chain.append((node, token))
            node = node.setdefault(token, {})
        elif isinstance(node, list) and is_index(token) and int(token) < len(node):
            chain.clear()
            node = node[int(token)]
        else:
            return
    if isinstance(node, dict):
        _put_member(node, last, value, chain)
    elif isinstance(node, list) and is_index(last) and int(last) < len(node):
        node[int(last)] = "" if isinstance(value, Missing) else value


def add_row(template: Template, document: Json, place: Pointer) -> Json:
    """The document with one more item in a list, as far as there is room for one."""
    pattern = Pointer(tuple(EVERY if is_index(token) else token for token in place.tokens))
    node = schema_at(template.schema, pattern)
    if node is None or _type(node) != "array":
        return document
    filled, items = deepcopy(document), find(document, place)
    fresh = _fresh_row(template.schema, pattern)
    rows = [*deepcopy(items), fresh] if isinstance(items, list) else [fresh]
    if len(rows) <= MAX_ROWS:
        put_value(filled, place, rows)
    return filled


def drop_row(document: Json, place: Pointer) -> Json:
    """The document without one item of a list."""
    filled = deepcopy(document)
    items, last = find(filled, Pointer(place.tokens[:-1])), place.tokens[-1]
    if isinstance(items, list) and is_index(last) and int(last) < len(items):
        items.pop(int(last))
    return filled


def without_empty_rows(value: Json) -> Json:
    """The document without the rows of which nothing is filled in."""
    if isinstance(value, dict):
        return {name: without_empty_rows(child) for name, child in value.items()}
    if isinstance(value, list):
        kept = (without_empty_rows(child) for child in value)
        return [child for child in kept if child not in ("", {}, [])]
    return value


def prefill(template: Template, known: Mapping[str, str], today: str, org: str) -> Json:
    """A new document: what is known of the device by the names of bindings, the day of the act, who signs it.

    Lists that must have an item begin with one.
    """
    document: Json = {}
    beside = _holder_of(template.schema, "device.serial") if "device.serial" in known else None
    for place, node in nodes(template.schema):
        if place.has_wildcard or not place.tokens:
            continue
        value = known.get(str(node.get("x-epd-bind", "")))
        if value is None and place.tokens[:-1] == beside:
            value = known.get(f"device.{place.tokens[-1]}")
        if value:
            put_value(document, place, int(value) if _type(node) == "integer" and value.isdecimal() else value)
        elif _type(node) == "array" and _is_required(template.schema, place):
            put_value(document, place, [_fresh_row(template.schema, place)])
    for item in template.extract:
        when = getattr(item, "when", None)
        if when is not None and (schema_at(template.schema, when) or {}).get("format") == "date":
            put_value(document, when, today)
    first = next((party.organisation for party in template.signers if party.organisation), None)
    if first is not None:
        put_value(document, first, org)
    return document


class _Maker:
    """Makes the parts of one form."""

    def __init__(self, template: Template, document: Json) -> None:
        self._schema = template.schema
        self._document = document
        self._parties = {party.organisation for party in template.layout.parties}
        self._made: dict[Pointer, Field] = {}
        self._shown = 0

    def parts(self, base: Pointer, pattern: Pointer, fields: Sequence[tuple[str, ...]]) -> Iterator[Part]:
        """Parts under a place, `pattern` being the place with `*` for items."""
        done: set[tuple[str, ...]] = set()
        for tokens in fields:
            if EVERY not in tokens:
                yield from self._leaf(base.join(Pointer(tokens)), pattern.join(Pointer(tokens)))
                continue
            head = tokens[: tokens.index(EVERY)]
            if head not in done:
                done.add(head)
                inner = [other[len(head) + 1 :] for other in fields if other[: len(head) + 1] == (*head, EVERY)]
                yield self._rows(base.join(Pointer(head)), pattern.join(Pointer(head)), inner)

    def _leaf(self, place: Pointer, pattern: Pointer) -> Iterator[Part]:
        node = schema_at(self._schema, pattern) or {}
        kind, properties = _type(node), node.get("properties")
        if kind == "object" and isinstance(properties, dict) and properties:
            for name in properties:
                yield from self._leaf(place.child(name), pattern.child(name))
        elif kind == "array":
            yield self._rows(place, pattern, [()])
        else:
            yield self._field(place, pattern, node)

    def _rows(self, place: Pointer, pattern: Pointer, inner: Sequence[tuple[str, ...]]) -> Rows:
        items = find(self._document, place)
        count = len(items) if isinstance(items, list) else 0
        each = pattern.child(EVERY)
        made: list[tuple[Part, ...]] = []
        while len(made) < min(count, MAX_ROWS) and self._shown < MAX_SHOWN:
            made.append(tuple(self.parts(place.child(len(made)), each, inner)))
        return Rows(place, label_of(self._schema, pattern), tuple(made), count - len(made))

    def _field(self, place: Pointer, pattern: Pointer, node: Schema) -> Field:
        self._shown += 1
        made = self._made.get(pattern)
        if made is None:  # what the schema tells is the same for every row
            options = node.get("enum", [node["const"]] if "const" in node else [])
            kind = FieldKind.PARTY if pattern in self._parties else _kind(node)
            made = self._made[pattern] = Field(
                place,
                label_of(self._schema, pattern),
                kind,
                MISSING,
                _is_required(self._schema, pattern),
                is_personal(self._schema, pattern),
                tuple(options) if isinstance(options, list) else (),
            )
        return replace(made, place=place, value=find(self._document, place))


def label_of(schema: Schema, pattern: Pointer) -> Label:
    """What the value of a place is called, items of lists as `*`."""
    node = schema_at(schema, pattern) or {}
    title, unit = node.get("title"), node.get("x-epd-unit")
    return Label(pattern, title if isinstance(title, str) else "", unit if isinstance(unit, str) else "")


def _type(node: Schema) -> str:
    named = node.get("type", "")
    names = named if isinstance(named, list) else [named]
    return next((str(name) for name in names if name != "null"), "")


def _kind(node: Schema) -> FieldKind:
    if "enum" in node or "const" in node:
        return FieldKind.CHOICE
    kind, form, most = _type(node), node.get("format"), node.get("maxLength")
    if kind in _KINDS:
        return _KINDS[kind]
    if form in ("date", "date-time"):
        return FieldKind.DATE if form == "date" else FieldKind.MOMENT
    return FieldKind.LONG if isinstance(most, int) and most > LONG else FieldKind.TEXT


def _is_required(schema: Schema, pattern: Pointer) -> bool:
    """Whether a place and all that holds it must be there, from the nearest list down."""
    tokens = pattern.tokens
    start = len(tokens) - next((n for n, token in enumerate(reversed(tokens)) if token == EVERY), len(tokens))
    for at in range(start, len(tokens)):
        needed = (schema_at(schema, Pointer(tokens[:at])) or {}).get("required", [])
        if not isinstance(needed, list) or tokens[at] not in needed:
            return False
    return start < len(tokens)


def _holder_of(schema: Schema, binding: str) -> tuple[str, ...] | None:
    """Where the object stands that holds the first place with a binding."""
    return next((place.tokens[:-1] for place, node in nodes(schema) if node.get("x-epd-bind") == binding), None)


def _fresh_row(schema: Schema, pattern: Pointer) -> Json:
    return {} if _type(schema_at(schema, pattern.child(EVERY)) or {}) in ("object", "") else ""


def _put_member(
    node: dict[str, Json], name: str, value: Json | Missing, chain: Sequence[tuple[dict[str, Json], str]]
) -> None:
    if not isinstance(value, Missing):
        node[name] = value
        return
    node.pop(name, None)
    for holder, token in reversed(chain):
        if holder.get(token) != {}:
            break
        holder.pop(token)


def _number(typed: str, kind: FieldKind) -> Json:
    plain = SPACES.sub("", typed).replace(",", ".")
    if NUMBER.fullmatch(plain) is None or len(plain) > MAX_DIGITS or not plain.isascii():
        return typed
    return int(plain) if "." not in plain and kind is FieldKind.INTEGER else Decimal(plain)


def _day(typed: str) -> str:
    local = LOCAL_DAY.fullmatch(typed)
    if local is None:
        return typed
    day, month, year, rest = local.groups()
    iso = f"{year}-{int(month):02d}-{int(day):02d}"
    time = LOCAL_TIME.fullmatch(SPACES.sub("", rest or ""))
    if time is None:
        return iso if rest is None else typed
    return f"{iso}T{time[1]}{time[2] or ':00'}{time[3]}"


def _pairs(typed: str, field: Field, schema: Schema) -> Json:
    values = schema_at(schema, field.label.place.child("any")) or {}
    found: dict[str, Json] = {}
    for line in filter(None, (line.strip() for line in typed.split("\n"))):
        name, mark, value = line.partition("=")
        if not mark or not name.strip() or not value.strip():
            return typed
        kind = _kind(values)
        is_number = kind in (FieldKind.NUMBER, FieldKind.INTEGER)
        found[name.strip()] = _number(value.strip(), kind) if is_number else value.strip()
    return found


_KINDS = {
    "number": FieldKind.NUMBER,
    "integer": FieldKind.INTEGER,
    "boolean": FieldKind.FLAG,
    "object": FieldKind.PAIRS,
}
