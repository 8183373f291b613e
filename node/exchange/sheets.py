"""Documents for paper: titles, pairs, tables and notes on A4 as PDF, equal bytes for equal content."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from node.exchange.errors import SheetError

LONGEST_CELL = 900
MAX_CELLS = 20_000


@dataclass(frozen=True, slots=True)
class Pairs:
    """What is said of some names: (name, value, who says it and how it stands)."""

    title: str
    rows: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; `weights` are the widths of its columns beside each other."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    weights: Sequence[float]


@dataclass(frozen=True, slots=True)
class Notes:
    """Lines of text."""

    title: str
    lines: Sequence[str]


Block = Pairs | Grid | Notes


@dataclass(frozen=True, slots=True)
class Sheet:
    """A document: `foot` stands below every page before its number, `code` is a text to be scanned.

    `pages` is how a page says its number: `page {} of {}`. `made_us` is the moment that the document states of itself.
    """

    language: str
    kind: str
    title: str
    lines: Sequence[str]
    code: str
    blocks: Sequence[Block]
    foot: str
    pages: str
    made_us: int


def write_pdf(sheet: Sheet, fonts: Path) -> bytes:
    """The document as PDF; `fonts` is the folder of the font's parts. Raise SheetError where it is too long."""
    return write_pages([sheet], fonts)


def write_pages(sheets: Sequence[Sheet], fonts: Path) -> bytes:
    """Documents of one language, each from a page of its own on. Raise SheetError where they are too long."""
    if sum(_cells(block) for sheet in sheets for block in sheet.blocks) > MAX_CELLS:
        raise SheetError(f"a document for paper has at most {MAX_CELLS} values")
    from node.exchange.sheet_pages import draw_sheets  # noqa: PLC0415 - a node starts sooner without what draws

    return draw_sheets(sheets, fonts)


def _cells(block: Block) -> int:
    """How much there is to draw: every value, and long ones by their length."""
    if isinstance(block, Notes):
        return sum(1 + len(line) // LONGEST_CELL for line in block.lines)
    return sum(1 + len(text) // LONGEST_CELL for row in block.rows for text in row)
