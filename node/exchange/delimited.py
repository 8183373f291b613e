"""CSV as it is met here: UTF-8 or windows-1251, semicolons, commas or tabs, decimal commas.

What is written opens in a Russian spreadsheet by a double click: UTF-8 with a mark, semicolons, and an apostrophe
before what a spreadsheet would run as a formula. The reader takes that apostrophe off again.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from node.exchange.cells import Cell, CellKind, Limits, Table, build_table, has_unprintable, is_decimal, printable
from node.exchange.errors import TableError

DELIMITERS = ";\t,"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
GUARD = "'"


def read_csv(raw: bytes, limits: Limits | None = None) -> Table:
    """Read a CSV file; raise TableError, or TableLimitError before anything large is built."""
    limits = limits or Limits()
    limits.check_bytes(len(raw))
    text = _decode(raw)
    delimiter = _delimiter(text)
    rows: list[list[Cell]] = []
    columns = 0
    try:
        for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            columns = max(columns, len(record))
            limits.check_area(len(rows) + 1, columns)
            rows.append([_cell(field) for field in record])
    except csv.Error as error:
        raise TableError(f"not a CSV file: {error}") from error
    return build_table(rows, limits)


def write_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Write a CSV file: UTF-8 with a mark, semicolons, formulas guarded."""
    out = io.StringIO(newline="")
    # All is quoted, so that a comma inside a name is not taken for the delimiter when the file comes back.
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow([guard_formula(text) for text in header])
    writer.writerows([guard_formula(text) for text in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def guard_formula(text: str) -> str:
    """The text with an apostrophe before what a spreadsheet would run; numbers stay as they are."""
    shown = printable(text)
    runs = shown.startswith((*FORMULA_STARTS, GUARD))
    return GUARD + shown if runs and not is_decimal(shown) else shown


def _cell(field: str) -> Cell:
    text = field.strip()
    if text.startswith(GUARD) and text[1:].startswith((*FORMULA_STARTS, GUARD)):
        text = text[1:]
    return Cell(text, CellKind.TEXT) if text else Cell()


def _decode(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = raw.decode("cp1251")
        except UnicodeDecodeError as error:
            raise TableError("the file is neither XLSX nor text in UTF-8 or windows-1251") from error
    if has_unprintable(text):
        raise TableError("the file holds control characters: save it as XLSX, or as CSV in UTF-8 or windows-1251")
    return text


def _delimiter(text: str) -> str:
    head = next((line for line in io.StringIO(text) if line.strip(DELIMITERS + " \r\n")), "")
    outside = "".join(head.split('"')[::2])
    return max(DELIMITERS, key=outside.count)
