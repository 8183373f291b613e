"""XLSX of strangers, read with care, and XLSX of ours, equal bytes for equal content.

A spreadsheet reader builds a whole rectangle up to the last cell and one text for each reference to a shared one, so a
few kilobytes can ask for terabytes. Every part is therefore unpacked here under a limit, parsed once to count rows,
columns and characters, and only then handed on, in an archive that holds nothing else.
"""

import datetime
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import cast

import python_calamine
from lxml import etree
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from node.exchange.cells import Cell, CellKind, Limits, Table, build_table, has_unprintable, printable
from node.exchange.errors import TableError, TableLimitError

MAGIC = b"PK\x03\x04"
EPOCH = (1980, 1, 1, 0, 0, 0)
CORE = "docProps/core.xml"

_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)
_BROKEN_SHEET = (
    python_calamine.CalamineError,
    python_calamine.ZipError,
    python_calamine.XmlError,
    python_calamine.PasswordError,
    python_calamine.WorksheetNotFound,
)
_CELL_NAME = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_ENCODING = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([^\"']*)", re.IGNORECASE)
_CHUNK = 1 << 16
_CORE_XML = (
    '<?xml version="1.0" encoding="UTF-8"?><cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/'
    '2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>passport-node'
    "</dc:creator></cp:coreProperties>"
)


def read_xlsx(raw: bytes, limits: Limits | None = None) -> Table:
    """Read the first visible sheet; raise TableError, or TableLimitError before anything large is built."""
    limits = limits or Limits()
    limits.check_bytes(len(raw))
    parts = _unpack(raw, limits)
    _check_parts(parts, limits)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(_pack(parts)))
        rows = book.get_sheet_by_name(_first_sheet(book)).to_python(skip_empty_area=False)
    except _BROKEN_SHEET as error:
        raise TableError(f"not an XLSX workbook that can be read: {error}") from error
    return build_table([[_cell(value) for value in row] for row in rows], limits)


def write_xlsx(header: Sequence[str], rows: Iterable[Sequence[str]], title: str = "1") -> bytes:
    """Write one sheet in which every cell is text, so that no zero is lost and no formula runs."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for row in (header, *rows):
        cells = []
        for text in row:
            cell = WriteOnlyCell(sheet, printable(text))
            cell.data_type, cell.number_format = "s", "@"
            cells.append(cell)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    parts = _unpack(out.getvalue(), Limits(max_bytes=1 << 30, max_unpacked=1 << 31))
    return _pack({**parts, CORE: _CORE_XML.encode()})


class _Counter:
    """A parser target that counts what a reader of the part would build."""

    def __init__(self, limits: Limits, shared: Sequence[int]) -> None:
        self.shared: list[int] = []  # lengths of the shared texts that stand in this part
        self._limits, self._lengths = limits, shared
        self._row = self._column = self._columns = self._characters = 0
        self._kind, self._inside, self._text = "", "", ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition("}")[2]
        if name == "row":
            self._row, self._column = _whole(attributes.get("r"), self._row + 1), 0
        elif name == "c":
            self._kind = attributes.get("t", "")
            self._place(attributes.get("r"))
        elif name == "si":
            self.shared.append(0)
        if name in ("v", "t"):
            self._inside, self._text = name, ""

    def data(self, text: str) -> None:
        if not self._inside:
            return
        self._characters += len(text)
        self._text = (self._text + text)[: self._limits.max_cell]
        if self._inside == "t" and self.shared:
            self.shared[-1] += len(text)
        self._check_text()

    def end(self, tag: str) -> None:
        if tag.rpartition("}")[2] == "v" and self._kind == "s" and self._text.strip().isdecimal():
            index = int(self._text)
            self._characters += self._lengths[index] if index < len(self._lengths) else 0
            self._check_text()
        self._inside = ""

    def doctype(self, *_: str | None) -> None:
        raise TableError("a workbook has no DOCTYPE")

    def close(self) -> None:
        return None

    def _place(self, name: str | None) -> None:
        self._column += 1
        if name is not None:
            found = _CELL_NAME.fullmatch(name)
            if not found:
                raise TableError(f"not the name of a cell: {name[:20]!r}")
            self._row, self._column = int(found[2]), _column(found[1])
        self._columns = max(self._columns, self._column)
        self._limits.check_area(self._row, self._columns)

    def _check_text(self) -> None:
        if self._characters > self._limits.max_text:
            raise TableLimitError(f"the table holds more than {self._limits.max_text} characters: split it")


def _check_parts(parts: dict[str, bytes], limits: Limits) -> None:
    shared: list[int] = []
    # The shared texts come first: without their lengths a reference to one cannot be weighed.
    for name in sorted(parts, key=lambda name: not name.lower().endswith("sharedstrings.xml")):
        counter = _Counter(limits, shared)
        _parse(name, parts[name], counter)
        if counter.shared and shared:
            raise TableError("a workbook has one part of shared texts")
        shared = shared or counter.shared
    if any(length > limits.max_cell for length in shared):
        raise TableLimitError(f"a cell has more than {limits.max_cell} characters")


def _parse(name: str, raw: bytes, counter: _Counter) -> None:
    declared = _ENCODING.match(raw.removeprefix(b"\xef\xbb\xbf"))
    if declared and declared[1].lower() not in (b"utf-8", b"us-ascii"):
        raise TableError(f"{name}: a part of a workbook is written in UTF-8")
    try:
        raw.decode("utf-8-sig")
        # The stubs ask for a target that takes bytes too; the parser gives text.
        target = cast("etree.ParserTarget", counter)
        parser = etree.XMLParser(target=target, resolve_entities=False, no_network=True, encoding="utf-8")
        etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, UnicodeDecodeError, ValueError) as error:
        raise TableError(f"{name}: not the XML of a workbook: {error}") from error


def _unpack(raw: bytes, limits: Limits) -> dict[str, bytes]:
    parts: dict[str, bytes] = {}
    left = limits.max_unpacked
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            if len(archive.infolist()) > limits.max_parts:
                raise TableLimitError(f"the workbook has more than {limits.max_parts} parts")
            for info in archive.infolist():
                if not info.filename.endswith((".xml", ".rels")):
                    continue  # pictures and macros are never opened
                if info.filename in parts:
                    raise TableError(f"the part {info.filename[:80]!r} stands twice")
                parts[info.filename] = content = _read_part(archive, info, left)
                left -= len(content)
    except _BROKEN_ZIP as error:
        raise TableError(f"not an XLSX workbook: {type(error).__name__}: {error}") from error
    return parts


def _read_part(archive: zipfile.ZipFile, info: zipfile.ZipInfo, left: int) -> bytes:
    chunks: list[bytes] = []
    with archive.open(info) as part:
        while chunk := part.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise TableLimitError("the workbook unpacks to more than may be read")
            chunks.append(chunk)
    return b"".join(chunks)


def _pack(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return out.getvalue()


def _first_sheet(book: python_calamine.CalamineWorkbook) -> str:
    for sheet in book.sheets_metadata:
        if (
            sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
            and sheet.visible == python_calamine.SheetVisibleEnum.Visible
        ):
            return sheet.name
    raise TableError("the workbook has no visible sheet")


def _cell(value: object) -> Cell:
    if isinstance(value, str):
        if has_unprintable(value):
            raise TableError("the workbook holds control characters")
        return Cell(value.strip(), CellKind.TEXT) if value.strip() else Cell()
    if isinstance(value, bool):
        return Cell("TRUE" if value else "FALSE", CellKind.OTHER)
    if isinstance(value, int | float):
        return Cell(_number(value), CellKind.NUMBER)
    if isinstance(value, datetime.datetime | datetime.date):
        whole = isinstance(value, datetime.datetime) and value.time() == datetime.time()
        return Cell(value.isoformat()[:10] if whole else value.isoformat(), CellKind.DATE)
    return Cell(str(value), CellKind.OTHER)


def _number(value: float) -> str:
    # repr is the shortest text of the number; Decimal writes it without an exponent.
    text = f"{Decimal(repr(value)):f}"
    return text.removesuffix(".0")


def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def _whole(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 7):
        raise TableError(f"not the number of a row: {text[:20]!r}")
    return int(text)
