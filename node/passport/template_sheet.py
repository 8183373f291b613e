"""A document laid out for print as its template says: blocks in order, each value with its place, label and unit.

Nothing is judged here and no word is made up: a label is the publisher's own title, and where it gave none the reader
of the sheet names the place.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from node.passport.template_json import Json
from node.passport.template_layout import Block, BlockKind, Texts
from node.passport.template_pointer import EVERY, MISSING, Missing, Pointer, expand, find
from node.passport.template_schema import is_personal, schema_at
from node.passport.templates import Template

DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Label:
    """What a value is called: its place in the template, the publisher's title, the unit; empty where none is given."""

    place: Pointer
    title: str
    unit: str


@dataclass(frozen=True, slots=True)
class Line:
    """A value with its label. MISSING stands where a personal value is withheld."""

    label: Label
    value: Json | Missing


@dataclass(frozen=True, slots=True)
class SheetBlock:
    """A part of the page: lines, or a table of `columns` and `rows`, or a text."""

    kind: BlockKind
    title: Texts
    lines: tuple[Line, ...] = ()
    columns: tuple[Label, ...] = ()
    rows: tuple[tuple[Json | Missing, ...], ...] = ()
    text: Texts | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the document says nothing in it."""
        return self.kind in {BlockKind.FIELDS, BlockKind.TABLE} and not self.lines and not self.rows


@dataclass(frozen=True, slots=True)
class SheetParty:
    """A role of the act, and the organisation that the document names for it."""

    role: str
    signs: bool
    title: Texts
    organisation: str | None


def sheet_of(template: Template, document: Json, *, is_whole: bool = True) -> tuple[SheetBlock, ...]:
    """The blocks of a document that say something; where it is not whole, lacking personal values are shown as such."""
    blocks = (_block(template, document, block, is_whole) for block in template.layout.blocks)
    return tuple(block for block in blocks if not block.is_empty)


def parties_of(template: Template, document: Json) -> tuple[SheetParty, ...]:
    """The parties of the template in order."""
    found = []
    for party in template.layout.parties:
        named = find(document, party.organisation) if party.organisation else MISSING
        found.append(SheetParty(party.role, party.signs, party.title, named if isinstance(named, str) else None))
    return tuple(found)


def attachments_of(
    document: Json,
    place: Pointer = Pointer(),  # noqa: B008 - immutable
) -> Iterator[tuple[Pointer, dict[str, Json]]]:
    """Every file that a document names by its SHA-256, with what else it says of it."""
    if isinstance(document, dict):
        digest = document.get("sha256")
        if isinstance(digest, str) and DIGEST.fullmatch(digest):
            yield place, document
        for name, value in document.items():
            yield from attachments_of(value, place.child(name))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from attachments_of(value, place.child(index))


def _block(template: Template, document: Json, block: Block, is_whole: bool) -> SheetBlock:
    if block.kind is BlockKind.TABLE and block.each is not None:
        return _table(template, document, block, block.each)
    lines = tuple(line for place in block.fields for line in _lines(template, document, place, is_whole))
    return SheetBlock(block.kind, block.title, lines=lines, text=block.text)


def _lines(template: Template, document: Json, place: Pointer, is_whole: bool) -> Iterator[Line]:
    label = _label(template, place)
    values = [value for _, value in expand(document, place)]
    for value in values:
        yield Line(label, value)
    if not values and not is_whole and is_personal(template.schema, place):
        yield Line(label, MISSING)


def _table(template: Template, document: Json, block: Block, each: Pointer) -> SheetBlock:
    items = [item for _, found in expand(document, each) if isinstance(found, list) for item in found]
    rows = [tuple(find(item, column) for column in block.fields) for item in items]
    # A column in which no row says anything only takes room.
    used = [at for at in range(len(block.fields)) if any(row[at] is not MISSING for row in rows)]
    columns = tuple(_label(template, each.child(EVERY).join(block.fields[at])) for at in used)
    return SheetBlock(block.kind, block.title, columns=columns, rows=tuple(tuple(row[a] for a in used) for row in rows))


def _label(template: Template, place: Pointer) -> Label:
    node = schema_at(template.schema, place) or {}
    title, unit = node.get("title"), node.get("x-epd-unit")
    return Label(place, title if isinstance(title, str) else "", unit if isinstance(unit, str) else "")
