"""Sheets as they stand, of any shape: every row that is not empty, merged areas spread, formulas and errors told apart.

A grid is sparse: nothing is built for what is empty, so a format that reaches the last column costs nothing, and every
limit is checked before a cell is kept. What the rows mean is for others to find.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from node.exchange.cells import Cell, CellKind, Limits, Row, has_unprintable, printable
from node.exchange.errors import TableLimitError

# What is done, how far it is, and of how much.
Progress: TypeAlias = Callable[[str, int, int], None]

EMPTY = Cell()
POOLED = 1 << 15  # different cells that are kept once: what repeats in a table is among its first rows
ERRORS = frozenset(
    {
        *("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"),
        *("#Н/Д", "#ССЫЛКА!", "#ЗНАЧ!", "#ДЕЛ/0!", "#ИМЯ?", "#ЧИСЛО!", "#ПУСТО!"),
    }
)


def no_progress(_what: str, _done: int, _total: int) -> None:
    """Tell nobody how far it is."""


@dataclass(frozen=True, slots=True)
class Area:
    """A merged area, rows and columns from 0, the last ones included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet. `rows` are those that are not empty, numbered as the person who opens the file sees them."""

    name: str
    rows: tuple[Row, ...]
    width: int
    is_hidden: bool = False
    hidden_rows: int = 0
    hidden_columns: tuple[int, ...] = ()
    encoding: str = ""


@dataclass(slots=True)
class GridBuilder:
    """Collects cells of one sheet under limits; equal cells are one object."""

    limits: Limits
    pool: dict[tuple[str, CellKind, bool], Cell] = field(default_factory=dict)
    characters: int = 0
    cells: int = 0
    width: int = 0
    _rows: dict[int, list[Cell]] = field(default_factory=dict)

    def put(self, row: int, column: int, text: str, kind: CellKind, *, is_computed: bool = False) -> Cell:
        """Keep a cell, places from 0, and answer it; raise TableLimitError."""
        key = (text, kind, is_computed)
        cell = self.pool.get(key)
        if cell is None:
            text, kind = self._fitting(text, kind)
            self.characters += len(text)
            if self.characters > self.limits.max_text:
                raise TableLimitError(
                    f"the table holds more than {self.limits.max_text} characters: split it",
                    f"в таблице больше {self.limits.max_text} знаков: разделите её",
                )
            cell = Cell(text, kind, is_computed)
            if len(self.pool) < POOLED and kind is key[1]:
                self.pool[key] = cell
        self.place(row, column, cell)
        return cell

    def _fitting(self, text: str, kind: CellKind) -> tuple[str, CellKind]:
        """A text that a cell may hold; what is cut or holds control characters is an error of its cell alone."""
        if len(text) > self.limits.max_cell or has_unprintable(text):
            return printable(text[: self.limits.max_cell]), CellKind.ERROR
        return text, kind

    def place(self, row: int, column: int, cell: Cell) -> None:
        """Keep a cell that was made; raise TableLimitError."""
        cells = self._rows.get(row)
        if cells is None:
            if len(self._rows) >= self.limits.max_rows:
                raise TableLimitError(
                    f"the table has more than {self.limits.max_rows} rows: split it",
                    f"строк в таблице больше {self.limits.max_rows}: разделите её",
                )
            cells = self._rows[row] = []
        if column >= len(cells):
            if column >= self.limits.max_columns:
                raise TableLimitError(
                    f"the table has more than {self.limits.max_columns} columns: delete those that are not needed",
                    f"столбцов в таблице больше {self.limits.max_columns}: удалите лишние",
                )
            self.cells += column + 1 - len(cells)
            if self.cells > self.limits.max_cells:
                raise TableLimitError(
                    f"the table has more than {self.limits.max_cells} cells: split it",
                    f"ячеек в таблице больше {self.limits.max_cells}: разделите её",
                )
            if column > len(cells):
                cells.extend([EMPTY] * (column - len(cells)))
            cells.append(cell)
            if column >= self.width:
                self.width = column + 1
        else:
            cells[column] = cell

    def spread(self, area: Area) -> None:
        """Let the first cell of a merged area stand in all of it, where rows of the sheet are."""
        first = self._rows.get(area.top, [])
        if area.left >= len(first) or first[area.left].kind is CellKind.EMPTY:
            return
        cell = replace(first[area.left], is_spread=True)
        last = min(area.bottom, max(self._rows))
        if last - area.top > self.limits.max_rows:
            raise TableLimitError(
                "a merged area is larger than a table may be: take the merging off",
                "объединённая область больше, чем бывает таблица: снимите объединение",
            )
        for row in range(area.top, last + 1):
            # A row of which nothing else is known is no row of the table.
            for column in range(area.left, min(area.right, self.width - 1) + 1) if row in self._rows else ():
                if (row, column) != (area.top, area.left):
                    self.weigh_spread()
                    self.place(row, column, cell)

    def weigh_spread(self) -> None:
        """Count one more spread cell: areas that overlap may not ask for more work than the table has cells."""
        self._spread += 1
        if self._spread > self.limits.max_cells:
            raise TableLimitError(
                "the merged areas of the table are larger than what may be read: take the merging off",
                "объединённые области больше, чем может быть прочитано: снимите объединение",
            )

    _spread: int = 0

    def rows(self) -> Iterator[Row]:
        """The rows in their order, freed as they are given."""
        for number in sorted(self._rows):
            yield Row(number + 1, tuple(self._rows.pop(number)))


def text_kind(text: str) -> CellKind:
    """Whether a text that stands in a cell is an error of a spreadsheet, hashes of a narrow column, or a text."""
    if text.startswith("#") and (text in ERRORS or (len(text) >= 3 and not text.strip("#"))):
        return CellKind.ERROR
    return CellKind.TEXT
