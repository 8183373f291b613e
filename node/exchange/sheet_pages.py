"""The drawing of a document on pages of A4.

A table goes on over pages under its headings; a word that is longer than its column is broken; a cell that is longer
than a page goes on in the rows below it. The fonts are the console's own, of which the PDF holds what it uses.
"""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import segno
from fpdf import FPDF, FontFace
from fpdf.enums import TableBordersLayout, TableHeadingsDisplay, XPos, YPos

from node.exchange.cells import printable
from node.exchange.sheets import LONGEST_CELL, Grid, Notes, Pairs, Sheet

PRODUCER = "passport-node"
FAMILY, FALLBACKS = "golos", ("latin", "latin-ext")
BOLD = {"wght": 700.0}
MARGIN, FOOT = 15, 18
QR_SIDE = 30.0
MAX_COLUMNS = 10
PADDING = (0.9, 1.2)
WIDEST = 3.0  # of a letter in a table, in mm
ROW_LINES, ROW_BREAKS, HEADING_LINES = 30, 18, 12  # a page has room for all of them
# Signs that the font has not, by what reads the same.
SPELT = str.maketrans({"→": "›", "←": "‹", "≥": ">=", "≤": "<=", "≈": "~", "−": "-", "‑": "-"})
INK, QUIET, LINE, SOFT = (24, 24, 27), (96, 100, 108), (205, 208, 214), (242, 243, 245)


def draw_sheets(sheets: Sequence[Sheet], fonts: Path) -> bytes:
    """The documents as one PDF; `fonts` is the folder of the font's parts."""
    page = _Page(sheets[0], fonts)
    for sheet in sheets:
        page.begin(sheet)
        for block in sheet.blocks:
            if isinstance(block, Pairs):
                page.pairs(block)
            elif isinstance(block, Grid):
                page.grid(block.title, block.header, block.rows, block.weights)
            else:
                page.notes(block)
    page.feet()
    return bytes(page.output())


class _Page(FPDF):
    """The drawing of one document."""

    def __init__(self, sheet: Sheet, fonts: Path) -> None:
        super().__init__(format="A4")
        self._sheet = sheet
        self._begun: list[tuple[int, Sheet]] = []  # the first page of each document
        self.set_creation_date(datetime.fromtimestamp(sheet.made_us / 1e6, UTC))
        self.set_title(f"{sheet.kind}: {sheet.title}")
        self.set_lang("ru-RU" if sheet.language == "ru" else "en-GB")
        self.set_producer(PRODUCER)
        self.set_creator(PRODUCER)
        self.set_margin(MARGIN)
        self.set_auto_page_break(True, FOOT)
        # The regular weight is what the font is as it stands; only the bold one has to be made of it.
        for name in (FAMILY, *FALLBACKS):
            part = fonts / f"golos-text-{'cyrillic' if name == FAMILY else name}.woff2"
            family = name if name == FAMILY else f"{FAMILY}-{name}"
            self.add_font(family, "", part)
            self.add_font(family, "B", part, variations=BOLD if name != FALLBACKS[-1] else None)
        self.set_fallback_fonts([f"{FAMILY}-{name}" for name in FALLBACKS], exact_match=True)
        self.set_draw_color(*LINE)

    def begin(self, sheet: Sheet) -> None:
        """Go on with a document on a new page."""
        self._sheet = sheet
        self.add_page()
        self._begun.append((self.page, sheet))
        self.head()

    def feet(self) -> None:
        """What every page says of its document, and its number: drawn last, when the number of pages is known."""
        self.set_auto_page_break(False)
        ends = [first for first, _ in self._begun[1:]] + [self.pages_count + 1]
        for (first, sheet), end in zip(self._begun, ends, strict=True):
            for number in range(first, end):
                self.page = number
                self.set_xy(MARGIN, self.h - FOOT + 6)
                self._font(7, color=QUIET)
                self.cell(self.epw - 30, 4, self._fit(sheet.foot, self.epw - 32))
                self.cell(30, 4, sheet.pages.format(number - first + 1, end - first), align="R")

    def head(self) -> None:
        """The title, the lines under it, and the code to be scanned."""
        top, width = self.get_y(), self.epw - (QR_SIDE + 6 if self._sheet.code else 0)
        self._font(9, color=QUIET)
        self._line(self._sheet.kind, width, 5)
        self._font(17, "B")
        self._line(self._sheet.title, width, 8)
        self._font(9)
        for line in self._sheet.lines:
            self._line(line, width, 5)
        if self._sheet.code:
            below = self.get_y()
            self._draw_code(self.w - MARGIN - QR_SIDE, top)
            self.set_y(max(below, top + QR_SIDE))
        self.ln(2)

    def pairs(self, block: Pairs) -> None:
        """Names with their values."""
        self._heading(block.title)
        if any(said for _, _, said in block.rows):
            self._table((), block.rows, (26, 44, 30))
        else:
            self._table((), [row[:2] for row in block.rows], (38, 62))

    def grid(self, title: str, header: Sequence[str], rows: Sequence[Sequence[str]], weights: Sequence[float]) -> None:
        """A table under its headings; one of more columns than a page has room for comes in parts."""
        self._heading(title)
        for start in range(0, len(header), MAX_COLUMNS):
            part = slice(start, start + MAX_COLUMNS)
            self._table(header[part], [row[part] for row in rows], weights[part])

    def notes(self, block: Notes) -> None:
        """Lines under a title."""
        self._heading(block.title)
        self._font(8.5)
        for line in block.lines:
            self._line(line, self.epw, 4.6)

    def _heading(self, title: str) -> None:
        self.ln(3)
        # A heading does not stand alone at the foot of a page.
        if self.will_page_break(26):
            self.add_page()
        self._font(11.5, "B")
        self._line(title, self.epw, 7)

    def _table(self, header: Sequence[str], rows: Iterable[Sequence[str]], weights: Sequence[float]) -> None:
        self._font(8)
        columns = [(self.epw * weight / sum(weights) - 2 * PADDING[1]) // WIDEST for weight in weights]
        with self.table(
            col_widths=tuple(weights),
            first_row_as_headings=bool(header),
            repeat_headings=TableHeadingsDisplay.ON_TOP_OF_EVERY_PAGE,
            headings_style=FontFace(emphasis="B", fill_color=SOFT),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            line_height=4,
            padding=PADDING,
            text_align="LEFT",
            v_align="T",
        ) as table:
            if header:
                table.row([_shortened(text, HEADING_LINES * wide) for text, wide in zip(header, columns, strict=True)])
            limits = [int(min(LONGEST_CELL, ROW_LINES * wide)) for wide in columns]
            for row in rows:
                for part in _split(row, limits):
                    table.row(part)
        self.set_x(MARGIN)

    def _line(self, text: str, width: float, height: float) -> None:
        self.multi_cell(width, height, _spelt(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _fit(self, text: str, width: float) -> str:
        """The text, cut where it is wider than a line."""
        shown = _spelt(text)
        while shown and self.get_string_width(shown) > width:
            shown = shown[:-2].rstrip("…") + "…" if len(shown) > 2 else ""
        return shown

    def _render_styled_text_line(self, *line: Any, **options: Any) -> Any:  # Any: the library's own, passed on
        # A line that ends in a fallback font leaves it set on the page: each line says its font anew.
        self.current_font_is_set_on_page = False
        return super()._render_styled_text_line(*line, **options)

    def _font(self, size: float, style: str = "", color: tuple[int, int, int] = INK) -> None:
        self.set_font(FAMILY, style, size)
        self.set_text_color(*color)

    def _draw_code(self, left: float, top: float) -> None:
        matrix = _matrix(self._sheet.code)
        side = QR_SIDE / len(matrix)
        self.set_fill_color(*INK)
        for y, row in enumerate(matrix):
            for start, length in _runs(row):
                self.rect(left + start * side, top + y * side, length * side, side, style="F")
        self.set_fill_color(255)


def _spelt(text: str) -> str:
    return printable(text).translate(SPELT)


def _shortened(text: str, most: float) -> str:
    shown = " ".join(_spelt(text).split())
    return shown if len(shown) <= most else shown[: int(most) - 1] + "…"


def _split(row: Sequence[str], limits: Sequence[int]) -> Iterator[list[str]]:
    """A row, and those below it in which cells that are too long for a page go on."""
    parts = [_pieces(_spelt(text), most) for text, most in zip(row, limits, strict=True)]
    for at in range(max(map(len, parts), default=0)):
        yield [part[at] if at < len(part) else "" for part in parts]


def _pieces(text: str, most: int) -> list[str]:
    if len(text) <= most and text.count("\n") <= ROW_BREAKS:
        return [text]
    return textwrap.wrap(text, most, break_on_hyphens=False) or [""]


@lru_cache(maxsize=64)
def _matrix(code: str) -> tuple[bytes, ...]:
    return tuple(map(bytes, segno.make(code, error="m", micro=False).matrix_iter(border=0)))


def _runs(row: bytes) -> Iterator[tuple[int, int]]:
    """(start, length) of the dark stretches of a row."""
    start = None
    for at, dark in enumerate((*row, 0)):
        if dark and start is None:
            start = at
        elif not dark and start is not None:
            yield start, at - start
            start = None
