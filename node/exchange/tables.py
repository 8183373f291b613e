"""Tables of other programs, in and out: XLSX and CSV.

`read_table` tells the two apart by their first bytes, never by a name. Numeric cells stay marked as numbers, because a
serial that was typed as a number has lost its zeros; what is written is text.
"""

from node.exchange.cells import Cell, CellKind, Limits, Row, Table, is_decimal, parse_decimal
from node.exchange.delimited import read_csv, write_csv
from node.exchange.workbooks import MAGIC, read_xlsx, write_xlsx

__all__ = [
    "Cell",
    "CellKind",
    "Limits",
    "Row",
    "Table",
    "is_decimal",
    "parse_decimal",
    "read_csv",
    "read_table",
    "read_xlsx",
    "write_csv",
    "write_xlsx",
]


def read_table(raw: bytes, limits: Limits | None = None) -> Table:
    """Read an XLSX or CSV file; raise TableError, or TableLimitError before anything large is built."""
    return read_xlsx(raw, limits) if raw.startswith(MAGIC) else read_csv(raw, limits)
