"""Reading a fleet table: the sheet that is one, its columns, and its rows as typed values.

`read_fleet` is what the check-up and an importer stand on. Rows that are no meters (group headings, totals, footers,
repeated headers) are told apart here and counted; an address that heads a group is that of the rows under it.
"""

import datetime
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from node.exchange.cells import Cell, CellKind, Limits, Row
from node.exchange.errors import ColumnError, TableError
from node.exchange.fleet.columns import Why
from node.exchange.fleet.fields import Field
from node.exchange.fleet.headers import is_repeat
from node.exchange.fleet.known import Known
from node.exchange.fleet.layout import Layout, Part, understand
from node.exchange.fleet.mapping import FleetMapping
from node.exchange.fleet.parts import find_parts, join
from node.exchange.fleet.rows import FleetRow, RowMaker
from node.exchange.fleet.sheets import FLEET_LIMITS, read_sheets
from node.exchange.fleet.values import STREET, cut_to_flat, has_flat, looks_like_address
from node.exchange.grids import Grid, Progress, no_progress

_TOTAL = re.compile(r"\s*(?:итог|всего|в том числе|total|subtotal|grand total|сумма по)", re.IGNORECASE)
_FOOTER = re.compile(
    r"\s*(?:исполнител|директор|главн\w+ (?:бухг|инж)|бухгалтер|подпис|ответственн|составил|проверил|м\.? ?п\.|"
    r"руководител|начальник|мастер|инженер|специалист|председател|управляющ|экономист|согласован|signature|"
    r"prepared|approved by|дата составл|отч[её]т сформирован|printed)",
    re.IGNORECASE,
)
_HOUSE = re.compile(r"\s*(?:д|дом|корп|стр|зд|house|bldg|building)\b", re.IGNORECASE)
_TOWN = re.compile(r"\s*(?:г|гор|город|п|пос|посёлок|поселок|пгт|с|село|дер|деревня|town)\b\.?\s*[«\"А-ЯЁA-Z]")
_INSIDE = re.compile(r"\s*(?:кв|квартира|пом|помещение|оф|офис|подъезд|этаж|apt|flat|unit|room)\b", re.IGNORECASE)
ROWS_A_TELL = 2_000
EMPTY = ("the table is empty", "таблица пуста")


@dataclass(frozen=True, slots=True)
class OtherSheet:
    """A sheet that was not read, how many rows it has, and whether it is a fleet table too."""

    name: str
    rows: int
    is_fleet: bool
    is_hidden: bool


@dataclass(slots=True)
class Passed:
    """How many rows were passed over, by what they are."""

    headings: int = 0
    totals: int = 0
    footers: int = 0
    headers: int = 0
    empty: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FleetTable:
    """A table that was understood. `rows` may be asked for more than once and reads the cells anew each time."""

    layout: Layout
    grid: Grid
    others: tuple[OtherSheet, ...]
    today: datetime.date
    known: Known

    def rows(self, passed: Passed | None = None, progress: Progress = no_progress) -> Iterator[FleetRow]:
        """The meters in the order of the file; what was passed over is counted in `passed`."""
        counted = Passed() if passed is None else passed
        return _Body(self, counted, progress).rows()


def read_fleet(
    raw: bytes,
    mapping: FleetMapping | None = None,
    *,
    today: datetime.date,
    known: Known | None = None,
    limits: Limits = FLEET_LIMITS,
    progress: Progress = no_progress,
) -> FleetTable:
    """Understand a file as a fleet table; raise TableError, TableLimitError or ColumnError.

    `today` decides which dates are to come; what is `known` of types helps to split texts that hold two things.
    """
    mapping = mapping or FleetMapping()
    grids = [grid for grid in read_sheets(raw, limits, progress) if grid.rows or grid.name == mapping.sheet]
    if not grids:
        raise TableError(*EMPTY)
    chosen, layouts = _choose(grids, mapping, today)
    layout = layouts[chosen]
    if not layout.has_serials:
        raise layout.lacking()
    if layout.header.first >= len(grids[chosen].rows):
        raise TableError("the table has a header and no meter under it", "в таблице есть заголовок, а приборов нет")
    joined = [] if mapping.sheet else find_parts(grids, layouts, chosen)
    others = tuple(
        OtherSheet(grid.name, len(grid.rows), at in layouts and layouts[at].has_serials, grid.is_hidden)
        for at, grid in enumerate(grids)
        if at != chosen and at not in joined
    )
    grid, layout = join(grids, layouts, joined) if len(joined) > 1 else (grids[chosen], layout)
    return FleetTable(layout, grid, others, today, known or Known())


def _choose(grids: list[Grid], mapping: FleetMapping, today: datetime.date) -> tuple[int, dict[int, Layout]]:
    """The place of the sheet that is a fleet table, the named one, else that with serials, more fields and more rows;
    and how each sheet is understood.
    """
    named = [grid for grid in grids if grid.name == mapping.sheet] if mapping.sheet else grids
    if not named and mapping.is_kept:
        named = grids
    if not named:
        raise ColumnError(
            f"there is no sheet {mapping.sheet!r}; there are {', '.join(repr(g.name) for g in grids)}",
            f"листа «{mapping.sheet}» нет; есть {', '.join(f'«{g.name}»' for g in grids)}",
        )
    layouts: dict[int, Layout] = {}
    refused: ColumnError | None = None
    for at, grid in enumerate(grids):
        try:
            layouts[at] = understand(grid, mapping if grid in named else FleetMapping(), today)
        except ColumnError as error:
            refused = error
            if len(named) > 1:
                layouts[at] = understand(grid, replace(mapping, is_kept=True), today)
    places = [at for at, grid in enumerate(grids) if at in layouts and grid in named]
    # What one of several sheets lacks another one may have.
    if refused and not all(any(layouts[at].names(title) for at in places) for title in mapping.columns):
        raise refused

    def weight(at: int) -> tuple[bool, bool, bool, bool, int]:
        columns = layouts[at].columns
        fields = {column.field for column in columns} - {Field.IGNORED, Field.INDEX, Field.PERSON}
        is_given = any(column.why is Why.GIVEN for column in columns)
        return is_given, layouts[at].has_serials, not grids[at].is_hidden, len(fields) > 2, len(grids[at].rows)

    return max(places, key=weight), layouts


class _Body:
    """One pass over the rows under the header, or under that of each sheet."""

    def __init__(self, table: FleetTable, passed: Passed, progress: Progress) -> None:
        self._table, self._rows, self._passed, self._progress = table, table.grid.rows, passed, progress
        self._part: Part | None = None
        self._last = 0
        self._use(table.layout)
        self._headings = [table.layout.heading] if table.layout.heading else []

    def _use(self, layout: Layout) -> None:
        """Read what follows by the columns of a sheet."""
        self._layout = layout
        known, today = self._table.known, self._table.today
        self._makers = [RowMaker(layout, block, today, known) for block in range(layout.blocks)]
        self._used = [c for c in layout.columns if c.field not in (Field.IGNORED, Field.PERSON)]
        self._houses = {c.place for c in layout.columns if c.field not in (Field.FLAT, Field.BLOCK)} & layout.carries
        self._carried: dict[int, Cell] = {}

    def rows(self) -> Iterator[FleetRow]:
        whole = self._table.layout
        first, total = whole.header.first, len(self._rows)
        self._last = self._last_meter(first, total)
        for at in range(first, total):
            if not at % ROWS_A_TELL:
                self._progress("rows", at, total)
            row = self._rows[at]
            if whole.parts and (part := whole.part(row.number)) is not self._part:
                self._enter(part, at)
            if self._is_passed(row):
                continue
            self._carry(row)
            holding = [maker for maker in self._makers if maker.holds_meter(row)]
            if not holding and not any(maker.is_continued(row) for maker in self._makers):
                self._passed.empty.append(row.number)
            for maker in holding:
                yield maker.make(row, ", ".join(self._headings), self._carried)
        self._progress("rows", total, total)

    def _enter(self, part: Part | None, first: int) -> None:
        """What a sheet says of its rows ends with it."""
        self._part = part
        self._use(part.layout if part and part.layout else self._table.layout)
        self._headings = [part.heading] if part and part.heading else []
        later = (other.after for other in self._table.layout.parts if part and other.after > part.after)
        end = next(later, self._rows[-1].number)
        self._last = self._last_meter(first, bisect_right(self._rows, end, key=lambda row: row.number))

    def _is_passed(self, row: Row) -> bool:
        if is_repeat(row, self._layout.header):
            self._passed.headers += 1
            return True
        texts = [cell.text for cell in row.cells if cell.text and not cell.is_spread]
        if any(_TOTAL.match(text) for text in texts[:3]):
            self._passed.totals += 1
            return True
        if any(maker.has_serial(row) for maker in self._makers) and not _is_one_text(row, self._layout):
            return False
        if any(_FOOTER.match(text) for text in texts) or (row.number > self._last and not _has_digit(texts)):
            self._passed.footers += 1
            return True
        if _is_one_text(row, self._layout) or self._is_heading(row):
            self._take_heading(next((text for text in texts if not _is_number(text)), ""))
            return True
        return False

    def _is_heading(self, row: Row) -> bool:
        """An address with sums beside it and nothing of a meter."""
        texts = [cell.text for cell in row.cells if cell.text and not cell.is_spread]
        words = [text for text in texts if not _is_number(text)]
        if len(words) != 1 or not looks_like_address(words[0]) or has_flat(words[0]):
            return False
        return len(self._used) > 3 and not any(maker.holds_meter(row) for maker in self._makers)

    def _take_heading(self, text: str) -> None:
        self._passed.headings += 1
        level = _level(text)
        if level is None:
            return
        parts = ", ".join(self._headings).split(", ") if self._headings else []
        self._headings = [*(part for part in parts if (_level(part) or 0) < level), cut_to_flat(text)]

    def _last_meter(self, first: int, end: int) -> int:
        """The number of the last row with a serial: what follows without a digit is signatures."""
        rows = (self._rows[at] for at in range(end - 1, first - 1, -1))
        return next((row.number for row in rows if any(maker.has_serial(row) for maker in self._makers)), 0)

    def _carry(self, row: Row) -> None:
        if any(place < len(row.cells) and row.cells[place].text for place in self._houses):
            self._carried = {place: cell for place, cell in self._carried.items() if place in self._houses}
        for place in self._layout.carries:
            if place < len(row.cells) and row.cells[place].text:
                self._carried[place] = row.cells[place]


def _is_one_text(row: Row, layout: Layout) -> bool:
    """Whether a row of a wide table says one thing only."""
    texts = {cell.text for cell in row.cells if cell.kind is not CellKind.EMPTY}
    filled = sum(column.why != "empty" for column in layout.columns)
    return len(texts) == 1 and filled > 2 and not _is_number(next(iter(texts)))


def _level(text: str) -> int | None:
    """How deep a heading stands: a town, a street, a house, what is inside of it; None where it is no address."""
    if STREET.search(text):
        return 1
    if _INSIDE.match(text):
        return 3
    if _HOUSE.match(text):
        return 2
    if _TOWN.match(text):
        return 0
    return 1 if looks_like_address(text) and _has_digit([text]) else None


def _has_digit(texts: Sequence[str]) -> bool:
    return any(sign.isdigit() for text in texts for sign in text)


def _is_number(text: str) -> bool:
    return not any(sign.isalpha() for sign in text)
