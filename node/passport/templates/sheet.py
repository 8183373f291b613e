"""A document laid out for print as its template says: blocks in order, each value with its place, label and unit.

Nothing is judged here and no word is made up: a label is the publisher's own title, and where it gave none the reader
of the sheet names the place.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from node.passport.strict_json import Json
from node.passport.templates.layout import Block, BlockKind, Texts
from node.passport.templates.pointer import EVERY, MISSING, Missing, Pointer, expand, find
from node.passport.templates.schema import is_personal, schema_at
from node.passport.templates.template import Template

DIGEST = re.compile("[0-9a-f]{64}")
MAX_VALUES = 20_000  # places that are looked at


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
    """A part of the page: lines, or a table of `columns` and `rows`, or a text; `is_cut` where more is not laid out."""

    kind: BlockKind
    title: Texts
    lines: tuple[Line, ...] = ()
    columns: tuple[Label, ...] = ()
    rows: tuple[tuple[Json | Missing, ...], ...] = ()
    text: Texts | None = None
    is_cut: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether the document says nothing in it."""
        return self.kind in {BlockKind.FIELDS, BlockKind.TABLE} and not (self.lines or self.rows or self.is_cut)


@dataclass(frozen=True, slots=True)
class SheetParty:
    """A role of the act, and the organisation that the document names for it."""

    role: str
    signs: bool
    title: Texts
    organisation: str | None


def sheet_of(template: Template, document: Json, *, is_whole: bool = True) -> tuple[SheetBlock, ...]:
    """The blocks of a document that say something; where it is not whole, lacking personal values are shown as such.

    A stranger's template and document may come to millions of cells: what is over the limit is cut.
    """
    maker = _Maker(template, document, is_whole)
    blocks = [maker.block(block) for block in template.layout.blocks]
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


class _Maker:
    """Makes the blocks of one document, as long as there is room."""

    def __init__(self, template: Template, document: Json, is_whole: bool) -> None:
        self._template = template
        self._document = document
        self._is_whole = is_whole
        self._room = MAX_VALUES

    def block(self, block: Block) -> SheetBlock:
        """A block as far as there is room for it."""
        if block.kind is BlockKind.TABLE and block.each is not None:
            return self._table(block, block.each)
        found = (line for place in block.fields for line in self._lines(place))
        lines = tuple(islice(found, self._room))
        self._room -= len(lines)
        return SheetBlock(block.kind, block.title, lines=lines, text=block.text, is_cut=next(found, None) is not None)

    def _lines(self, place: Pointer) -> Iterator[Line]:
        label, is_told = _label(self._template, place), False
        for _, value in expand(self._document, place):
            is_told = True
            yield Line(label, value)
        if not is_told and not self._is_whole and is_personal(self._template.schema, place):
            yield Line(label, MISSING)

    def _table(self, block: Block, each: Pointer) -> SheetBlock:
        listed = (item for _, found in expand(self._document, each) if isinstance(found, list) for item in found)
        items = list(islice(listed, self._room // max(1, len(block.fields))))
        self._room -= len(items) * len(block.fields)
        rows = [tuple(find(item, column) for column in block.fields) for item in items]
        # A column in which no row says anything only takes room.
        used = [at for at in range(len(block.fields)) if any(row[at] is not MISSING for row in rows)]
        columns = tuple(_label(self._template, each.child(EVERY).join(block.fields[at])) for at in used)
        told = tuple(tuple(row[at] for at in used) for row in rows)
        return SheetBlock(block.kind, block.title, columns=columns, rows=told, is_cut=next(listed, None) is not None)


def _label(template: Template, place: Pointer) -> Label:
    node = schema_at(template.schema, place) or {}
    title, unit = node.get("title"), node.get("x-epd-unit")
    return Label(place, title if isinstance(title, str) else "", unit if isinstance(unit, str) else "")
