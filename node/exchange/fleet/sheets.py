"""Sheets of a fleet, of whatever file: XLSX by its first bytes, else CSV; other formats are named and refused."""

from node.exchange.cells import Limits
from node.exchange.errors import TableError
from node.exchange.grid_csv import read_csv_grid
from node.exchange.grid_xlsx import read_xlsx_grids
from node.exchange.grids import Grid, Progress, no_progress
from node.exchange.workbooks import MAGIC

OLD_EXCEL = bytes.fromhex("d0cf11e0a1b11ae1")
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
# A fleet of 300,000 meters with twenty columns fits; the reader builds nothing larger than what is kept.
FLEET_LIMITS = Limits(
    max_bytes=64 << 20,
    max_unpacked=512 << 20,
    max_parts=2_000,
    max_rows=400_000,
    max_columns=256,
    max_cells=10_000_000,
    max_cell=32_767,  # what a spreadsheet takes
    max_text=120_000_000,
)

_MARKUP = (b"<!doctype html", b"<html", b"<table", b"<?xml", b"{\\rtf", b"%pdf")


def read_sheets(raw: bytes, limits: Limits = FLEET_LIMITS, progress: Progress = no_progress) -> tuple[Grid, ...]:
    """Every sheet of a file; raise TableError that says what to save it as, or TableLimitError."""
    limits.check_bytes(len(raw))
    if raw.startswith(MAGIC):
        return read_xlsx_grids(raw, limits, progress)
    if raw.startswith(OLD_EXCEL):
        if ENCRYPTED in raw:
            raise TableError(
                "the workbook is locked with a password: save it without one",
                "книга закрыта паролем: сохраните её без пароля",
            )
        raise TableError(
            "the file is an old Excel workbook (.xls): open it and save it as .xlsx",
            "это книга старого Excel (.xls): откройте её и сохраните как .xlsx",
        )
    head = raw[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(_MARKUP):
        raise TableError(
            "the file is a web page, an XML or another document: open it and save it as .xlsx or .csv",
            "это веб-страница, XML или другой документ, а не таблица: откройте его и сохраните как .xlsx или .csv",
        )
    return (read_csv_grid(raw, limits, progress),)
