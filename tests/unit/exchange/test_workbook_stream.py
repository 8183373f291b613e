"""Workbooks that are written as their rows come."""

import io
import tracemalloc

import openpyxl
import pytest

from node.exchange.tables import Limits, read_table
from node.exchange.workbook_stream import MAX_CELL, WorkbookStream

HEADER = ["Прибор", "Заводской №"]
ODD = ["=1+1", "00123", " с краёв ", "а\nб\r\nв", "<&>\"'", "\x00\x0b", "😀", "", "@cmd", "7.0E+15"]


def written(book: WorkbookStream, *pages: list[list[str]]) -> bytes:
    return b"".join([*map(book.add, pages), book.finish()])


def test_cells_come_back_as_the_text_they_were() -> None:
    """Zeros, spaces, signs of formulas and of XML stay; each cell is text with the format of text."""
    raw = written(WorkbookStream("Приборы", HEADER), [[text, "x"] for text in ODD])

    sheet = openpyxl.load_workbook(io.BytesIO(raw))["Приборы"]
    found = [row[0] for row in sheet.iter_rows(min_row=2)]

    wanted = [text.replace("\x00\x0b", "\ufffd\ufffd").replace("\r\n", "\n") for text in ODD]
    assert [str(cell.value or "").replace("\r\n", "\n") for cell in found] == wanted
    assert {(cell.data_type, cell.number_format) for cell in found if cell.value} == {("s", "@")}


def test_own_reader_reads_every_row_of_every_page() -> None:
    """What is written page after page is one table; a list of nothing is its header."""
    pages = [[[f"{page}", f"{row:08d}"] for row in range(200)] for page in range(5)]

    table = read_table(written(WorkbookStream("Приборы", HEADER), *pages), Limits())
    empty = openpyxl.load_workbook(io.BytesIO(written(WorkbookStream("Приборы", HEADER)))).active

    assert [tuple(cell.text for cell in row.cells) for row in table.rows] == [tuple(r) for page in pages for r in page]
    assert empty is not None
    assert [[cell.value for cell in row] for row in empty.iter_rows()] == [HEADER]


@pytest.mark.parametrize("count", [1, 3, 4, 7])
def test_full_sheet_goes_on_on_the_next_under_the_same_header(count: int) -> None:
    """No row is lost between sheets, and each has the header."""
    book = WorkbookStream("Очень длинное название списка приборов", HEADER, max_rows=4)

    read = openpyxl.load_workbook(io.BytesIO(written(book, [[str(n), "x"] for n in range(count)])))

    sheets = [[str(row[0]) for row in sheet.iter_rows(values_only=True)] for sheet in read]
    assert [sheet[0] for sheet in sheets] == [HEADER[0]] * ((count + 2) // 3)
    assert [text for sheet in sheets for text in sheet[1:]] == [str(n) for n in range(count)]
    assert all(len(name) <= 31 for name in read.sheetnames)


def test_long_list_takes_no_memory_and_too_long_a_cell_is_cut() -> None:
    """Above the 50,000 rows of a page of memory nothing grows; a spreadsheet's cell has its limit."""
    book, size = WorkbookStream("Приборы", HEADER), 0
    page = [["СГВ-15 № 0012345", "0012345"]] * 1000
    tracemalloc.start()
    for _ in range(60):
        size += len(book.add(page))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    size += len(book.add([["я" * (MAX_CELL + 1), ""]])) + len(book.finish())

    assert size > 0
    assert peak < 8 << 20


def test_equal_rows_give_equal_bytes() -> None:
    """A workbook holds no time of its own."""
    assert written(WorkbookStream("П", HEADER), [ODD[:2]]) == written(WorkbookStream("П", HEADER), [ODD[:2]])
