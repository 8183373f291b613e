"""What a table is, whichever file it came from: a header, numbered rows, cells that say how they were typed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from node.exchange.errors import TableError, TableLimitError

_DECIMAL = re.compile(r"[+-]?[0-9]{1,24}(?:[.,][0-9]{1,24})?")
_SPACES = dict.fromkeys(map(ord, " \u00a0\u202f\u2009"))
# What neither XML nor a spreadsheet may hold: controls other than tab and line ends, surrogates, non-characters.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class CellKind(StrEnum):
    """How a cell was typed. A CSV file knows text only; grids alone tell formulas and errors apart."""

    EMPTY = "empty"
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    OTHER = "other"
    FORMULA = "formula"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, stripped; a number without exponent, a date as ISO text.

    `is_computed` says that a formula gave the text, `is_spread` that it stands in another cell of a merged area.
    """

    text: str = ""
    kind: CellKind = CellKind.EMPTY
    is_computed: bool = False
    is_spread: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row with its number as the person who opens the file sees it; at least as many cells as the header."""

    number: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was read; rows that are empty are left out and still counted in the numbers."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a stranger's file is read: bytes, characters and counts."""

    max_bytes: int = 16 << 20
    max_unpacked: int = 64 << 20
    max_parts: int = 200
    max_rows: int = 50_000
    max_columns: int = 64
    max_cells: int = 1_000_000
    max_cell: int = 1_000
    max_text: int = 20_000_000

    def check_area(self, rows: int, columns: int) -> None:
        """Raise TableLimitError if a sheet of that area may not be read."""
        if rows > self.max_rows:
            raise TableLimitError(
                f"the table reaches row {rows}, at most {self.max_rows} are read: split it",
                f"таблица доходит до строки {rows}, читается не больше {self.max_rows}: разделите её",
            )
        if columns > self.max_columns:
            raise TableLimitError(
                f"the table has {columns} columns, at most {self.max_columns} are read: delete those not needed",
                f"столбцов в таблице {columns}, читается не больше {self.max_columns}: удалите лишние",
            )
        if rows * columns > self.max_cells:
            raise TableLimitError(
                f"the table has {rows * columns} cells, at most {self.max_cells} are read: split it",
                f"ячеек в таблице {rows * columns}, читается не больше {self.max_cells}: разделите её",
            )

    def check_bytes(self, size: int) -> None:
        """Raise TableLimitError if a file of that size may not be read."""
        if size > self.max_bytes:
            raise TableLimitError(
                f"the file has {size >> 20} MB, at most {self.max_bytes >> 20} MB are read: split it",
                f"в файле {size >> 20} МБ, читается не больше {self.max_bytes >> 20} МБ: разделите его",
            )


def build_table(rows: Sequence[Sequence[Cell]], limits: Limits) -> Table:
    """Take the first row with a text as the header and the others that are not empty; raise TableError if none is."""
    numbered = [(number, _trimmed(row)) for number, row in enumerate(rows, 1)]
    filled = [(number, row) for number, row in numbered if row]
    if not filled:
        raise TableError(
            "the table is empty: the first row holds the names of the columns",
            "таблица пуста: в первой строке должны стоять названия столбцов",
        )
    for number, row in filled:
        for cell in row:
            if len(cell.text) > limits.max_cell:
                raise TableLimitError(
                    f"row {number}: a cell has more than {limits.max_cell} characters",
                    f"строка {number}: в ячейке больше {limits.max_cell} знаков",
                )
    header = tuple(cell.text for cell in filled[0][1])
    return Table(header, tuple(Row(number, _padded(row, len(header))) for number, row in filled[1:]))


def parse_decimal(text: str) -> Decimal:
    """Read a decimal with a point or a comma, spaces between thousands allowed; raise TableError."""
    bare = text.translate(_SPACES)
    if not _DECIMAL.fullmatch(bare):
        raise TableError(f"not a decimal number: {text[:40]!r}")
    return Decimal(bare.replace(",", "."))


def is_decimal(text: str) -> bool:
    """Whether `parse_decimal` reads it."""
    return bool(_DECIMAL.fullmatch(text.translate(_SPACES)))


def printable(text: str) -> str:
    """The text with what no table may hold shown as U+FFFD."""
    return _UNPRINTABLE.sub("\ufffd", text)


def has_unprintable(text: str) -> bool:
    """Whether the text holds what no table may hold."""
    return bool(_UNPRINTABLE.search(text))


def _trimmed(row: Sequence[Cell]) -> tuple[Cell, ...]:
    length = len(row)
    while length and row[length - 1].kind is CellKind.EMPTY:
        length -= 1
    return tuple(row[:length])


def _padded(row: tuple[Cell, ...], length: int) -> tuple[Cell, ...]:
    return row + (Cell(),) * (length - len(row))
