"""Tables of other programs: what is read, what is refused before it costs anything, what is written."""

import io
import zipfile
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from node.exchange.errors import TableError, TableLimitError
from node.exchange.tables import Cell, CellKind, Limits, Table, parse_decimal, read_table, write_csv, write_xlsx

HEADER = ["Заводской номер", "DevEUI"]
SHEET = "xl/worksheets/sheet1.xml"


def a_workbook(*rows: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def altered(raw: bytes, name: str, old: bytes, new: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.namelist():
            content = source.read(part)
            assert part != name or old in content
            target.writestr(part, content.replace(old, new) if part == name else content)
    return out.getvalue()


def texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in table.rows]


def test_xlsx_keeps_what_kind_a_cell_is() -> None:
    """A number, a date and a text are told apart, because a serial typed as a number has lost its zeros."""
    table = read_table(a_workbook(["a", "b", "c"], [12345, 7.0e15, date(2026, 3, 14)], ["0012345", None, True]))

    first, second = table.rows
    assert first.cells == (
        Cell("12345", CellKind.NUMBER),
        Cell("7000000000000000", CellKind.NUMBER),
        Cell("2026-03-14", CellKind.DATE),
    )
    assert second.cells == (Cell("0012345", CellKind.TEXT), Cell(), Cell("TRUE", CellKind.OTHER))


def test_xlsx_date_with_a_time_keeps_it() -> None:
    """A moment is given whole, a date without the midnight that the format adds."""
    table = read_table(a_workbook(["a", "b"], [datetime(2026, 3, 14, 9, 30), datetime(2026, 3, 14)]))  # noqa: DTZ001 - a spreadsheet has no zones

    assert texts(table) == [["2026-03-14T09:30:00", "2026-03-14"]]


def test_rows_are_numbered_as_the_person_sees_them() -> None:
    """Empty rows are left out and still counted, before the header and after it."""
    table = read_table(a_workbook([None], ["a", "b"], [None, None], ["1", "2"]))

    assert table.header == ("a", "b")
    assert [row.number for row in table.rows] == [4]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_csv_in_each_encoding_and_with_each_delimiter(encoding: str, delimiter: str) -> None:
    """A CSV file in UTF-8 or windows-1251 with semicolons, commas or tabs is one table."""
    raw = f'Заводской номер{delimiter}Объём\r\n0012345{delimiter}"0,5"\r\n'.encode(encoding)

    table = read_table(raw)

    assert table.header == ("Заводской номер", "Объём")
    assert texts(table) == [["0012345", "0,5"]]


def test_csv_row_that_is_longer_than_its_header_keeps_its_cells() -> None:
    """A stray delimiter is not hidden by cutting the row."""
    assert texts(read_table(b"a;b\n1;2;3\n4\n")) == [["1", "2", "3"], ["4", ""]]


@pytest.mark.parametrize(("text", "value"), [("0,5", "0.5"), ("0.5", "0.5"), ("-1 234,5", "-1234.5"), ("7", "7")])
def test_decimal_with_a_comma(text: str, value: str) -> None:
    """A decimal has a comma or a point, and may have spaces between its thousands."""
    assert parse_decimal(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "1e5", "1,2,3", "NaN", "Infinity", "1_000", "٣", "0x1", "1" * 60])
def test_decimal_that_is_none_is_refused(text: str) -> None:
    """Exponents, two commas and the names of no numbers are refused."""
    with pytest.raises(TableError):
        parse_decimal(text)


@pytest.mark.parametrize("write", [write_xlsx, write_csv])
def test_written_table_reads_back_as_text(write: Any) -> None:
    """What is written is text in every cell: zeros stay, formulas do not run, and reading gives the same back."""
    rows = [["0012345", "7E15"], ["=1+1", "-5,2"], ["@SUM(A1)", "+7 999"], ["'=x", 'a "b"; c']]

    table = read_table(write(HEADER, rows))

    assert list(table.header) == HEADER
    assert texts(table) == rows
    assert {cell.kind for row in table.rows for cell in row.cells} == {CellKind.TEXT}


def test_xlsx_written_twice_has_equal_bytes() -> None:
    """A workbook depends on its content only, not on the time it was written."""
    assert write_xlsx(HEADER, [["1", "2"]]) == write_xlsx(HEADER, [["1", "2"]])


def test_xlsx_formula_is_written_as_text() -> None:
    """A spreadsheet opens a text that looks like a formula as that text."""
    sheet = openpyxl.load_workbook(io.BytesIO(write_xlsx(["a"], [["=1+1"]]))).active

    assert sheet is not None
    assert (sheet["A2"].value, sheet["A2"].data_type) in {("=1+1", "s"), ("=1+1", "inlineStr")}


def test_csv_formula_is_guarded() -> None:
    """A text that a spreadsheet would run begins with an apostrophe; a negative number does not."""
    raw = write_csv(["a"], [["=1+1"], ["@x"], ["-5,2"], ["-cmd"]]).decode("utf-8-sig")

    assert raw.split() == ['"a"', '"\'=1+1"', '"\'@x"', '"-5,2"', '"\'-cmd"']


def test_control_characters_are_written_as_replaced() -> None:
    """What no table may hold does not stop the writing of a report."""
    assert texts(read_table(write_xlsx(["a"], [["x\x00y\ud800"]]))) == [["x\ufffdy\ufffd"]]


@pytest.mark.parametrize("raw", [b"", b"\r\n;;\r\n", b"a\x00b", b"\x98", b"PK\x03\x04", b"PK\x03\x04" + b"x" * 99])
def test_bytes_that_are_no_table_are_refused(raw: bytes) -> None:
    """Nothing, control characters, bytes of no encoding and broken archives are refused with the package's error."""
    with pytest.raises(TableError):
        read_table(raw)


def test_utf16_is_refused_with_what_to_do() -> None:
    """A file in UTF-16 is no table here, and the message says how to save it."""
    with pytest.raises(TableError, match="UTF-8 or windows-1251"):
        read_table("a;b\r\n".encode("utf-16"))


@pytest.mark.parametrize(
    ("limits", "match"),
    [
        (Limits(max_bytes=10), "MB"),
        (Limits(max_rows=2), "row 3"),
        (Limits(max_columns=1), "2 columns"),
        (Limits(max_cells=5), "6 cells"),
        (Limits(max_cell=4), "4 characters"),
    ],
)
@pytest.mark.parametrize("write", [write_xlsx, write_csv])
def test_table_over_a_limit_is_refused(write: Any, limits: Limits, match: str) -> None:
    """Size, rows, columns, area and the length of a cell each have a limit."""
    raw = write(["a", "b"], [["1", "2"], ["3", "12345"]])

    with pytest.raises(TableLimitError, match=match):
        read_table(raw, limits)


def test_workbook_that_unpacks_to_too_much_is_refused() -> None:
    """A small archive of a large part is given up while it unpacks."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(SHEET, b"\x00" * (4 << 20))

    assert len(out.getvalue()) < 10_000
    with pytest.raises(TableLimitError, match="unpacks"):
        read_table(out.getvalue(), Limits(max_unpacked=1 << 20))


def test_workbook_of_too_many_parts_is_refused() -> None:
    """An archive of many empty parts is not walked."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(201):
            archive.writestr(f"{number}.xml", b"<x/>")

    with pytest.raises(TableLimitError, match="200 parts"):
        read_table(out.getvalue())


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (b'r="A2"', b'r="XFD1048576"', TableLimitError),
        (b'r="A2"', b'r="A99999"', TableLimitError),
        (b'r="A2"', b'r="\xd0\xb62"', TableError),
        (b'row r="2"', b'row r="-2"', TableError),
        (b"<sheetData>", b"<sheetData", TableError),
        (b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet', TableError),
    ],
)
def test_sheet_that_would_cost_too_much_or_is_broken_is_refused(
    old: bytes, new: bytes, error: type[TableError]
) -> None:
    """A far cell asks for a rectangle of seventeen thousand million cells; it and other tricks are seen beforehand."""
    with pytest.raises(error):
        read_table(altered(a_workbook(["a"], [1]), SHEET, old, new))


def test_dimension_that_lies_costs_nothing() -> None:
    """The size that a sheet claims is not believed."""
    raw = altered(a_workbook(["a"], [1]), SHEET, b'ref="A1:A2"', b'ref="A1:XFD1048576"')

    assert texts(read_table(raw)) == [["1"]]


def test_shared_text_that_is_repeated_is_counted_each_time() -> None:
    """One long text to which many cells refer counts as often as it would be built."""
    raw = a_workbook(["x" * 900], *([["x" * 900]] * 50))

    assert len(read_table(raw).rows) == 50
    with pytest.raises(TableLimitError, match="20000 characters"):
        read_table(raw, Limits(max_text=20_000))


def test_workbook_without_a_visible_sheet_is_refused() -> None:
    """A hidden sheet is not read by mistake."""
    raw = altered(a_workbook(["a"], [1]), "xl/workbook.xml", b'state="visible"', b'state="hidden"')

    with pytest.raises(TableError, match="visible"):
        read_table(raw)


def test_part_that_stands_twice_is_refused() -> None:
    """Two parts of one name would be one to us and another to the next reader."""
    out = io.BytesIO(a_workbook(["a"], [1]))
    with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(SHEET, b"<worksheet/>")

    with pytest.raises(TableError, match="twice"):
        read_table(out.getvalue())
