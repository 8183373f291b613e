"""XLSX of strangers, read with care, and XLSX of ours, equal bytes for equal content.

A spreadsheet reader builds a whole rectangle up to the last cell and one text for each reference to a shared one, so a
few kilobytes can ask for terabytes. Every part is therefore unpacked here under a limit, parsed once to count rows,
columns and characters, and only then handed on, in an archive that holds nothing else.
"""

import codecs
import datetime
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import cast

import python_calamine
from lxml import etree

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
CELL_NAME = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_ENCODING = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([^\"']*)", re.IGNORECASE)
_CHUNK = 1 << 16
_XML = (".xml", ".rels")
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


class Archive:
    """The XML parts of a workbook, unpacked chunk by chunk under one limit for all of them together."""

    def __init__(self, raw: bytes, limits: Limits) -> None:
        """Read the list of parts; raise TableError, or TableLimitError if there are too many."""
        self._left = limits.max_unpacked
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(raw))
        except _BROKEN_ZIP as error:
            raise _not_a_workbook(error) from error
        if len(self._zip.infolist()) > limits.max_parts:
            raise TableLimitError(
                f"the workbook has more than {limits.max_parts} parts: copy the table to a new one",
                f"частей в книге больше {limits.max_parts}: скопируйте таблицу в новую книгу",
            )
        # Pictures and macros are never opened.
        self.names = tuple(info.filename for info in self._zip.infolist() if info.filename.endswith(_XML))
        for name in self.names:
            if self.names.count(name) > 1:
                raise TableError(f"the part {name[:80]!r} stands twice")

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of a part; raise TableError, or TableLimitError where it unpacks to too much."""
        try:
            with self._zip.open(name) as part:
                while chunk := part.read(_CHUNK):
                    self._left -= len(chunk)
                    if self._left < 0:
                        raise TableLimitError(
                            "the workbook unpacks to more than may be read: split it, or save the table alone",
                            "книга распаковывается больше, чем может быть прочитано: разделите её или сохраните одну "
                            "таблицу",
                        )
                    yield chunk
        except _BROKEN_ZIP as error:
            raise _not_a_workbook(error) from error


def parse_part(name: str, chunks: Iterable[bytes], target: object) -> None:
    """Feed the XML of a part to a parser target; raise TableError where it is no plain UTF-8 XML."""
    try:
        # The stubs ask for a target that takes bytes too; the parser gives text.
        parser = etree.XMLParser(
            target=cast("etree.ParserTarget", target), resolve_entities=False, no_network=True, encoding="utf-8"
        )
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        is_first = True
        for chunk in chunks:
            declared = _ENCODING.match(chunk.removeprefix(codecs.BOM_UTF8)) if is_first else None
            if declared and declared[1].lower() not in (b"utf-8", b"us-ascii"):
                raise TableError(f"{name}: a part of a workbook is written in UTF-8")
            is_first = False
            decoder.decode(chunk)
            parser.feed(chunk)
        decoder.decode(b"", final=True)
        parser.close()
    except (etree.XMLSyntaxError, UnicodeDecodeError, ValueError) as error:
        raise TableError(f"{name}: not the XML of a workbook: {error}") from error


def write_xlsx(header: Sequence[str], rows: Iterable[Sequence[str]], title: str = "1") -> bytes:
    """Write one sheet in which every cell is text, so that no zero is lost and no formula runs."""
    return write_workbook([(title, header, rows)])


def write_workbook(sheets: Iterable[tuple[str, Sequence[str], Iterable[Sequence[str]]]]) -> bytes:
    """Write sheets, each a title, a header and rows, in which every cell is text."""
    from openpyxl import Workbook  # noqa: PLC0415 - a node starts sooner without what writes workbooks
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 - the same

    book = Workbook(write_only=True)
    for title, header, rows in sheets:
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


def column_number(letters: str) -> int:
    """The number of a column by its letters, from 1."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


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
            found = CELL_NAME.fullmatch(name)
            if not found:
                raise TableError(f"not the name of a cell: {name[:20]!r}")
            self._row, self._column = int(found[2]), column_number(found[1])
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
    parse_part(name, [raw], counter)


def _unpack(raw: bytes, limits: Limits) -> dict[str, bytes]:
    archive = Archive(raw, limits)
    return {name: b"".join(archive.chunks(name)) for name in archive.names}


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


def _not_a_workbook(error: Exception) -> TableError:
    return TableError(f"not an XLSX workbook: {type(error).__name__}: {error}")


def _whole(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 7):
        raise TableError(f"not the number of a row: {text[:20]!r}")
    return int(text)
