"""The sheets of an XLSX workbook as grids, each part parsed once while it is unpacked."""

import datetime
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from node.exchange.cells import CellKind, Limits
from node.exchange.errors import TableError, TableLimitError
from node.exchange.grids import Area, Grid, GridBuilder, Progress, no_progress, text_kind
from node.exchange.workbooks import CELL_NAME, Archive, column_number, parse_part

MAX_STARTS = 1 << 16
SHEET_RELATION = "/worksheet"
BINARY_BOOK = "xl/workbook.bin"

_DIGITS = "0123456789"
_DAYS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_ZEROS = re.compile(r"0{2,32}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[Ee][+-]?[0-9]{1,3})?")
# Formats that a spreadsheet knows by number alone: 14-22 and 45-47 everywhere, the others in East Asia.
_DATE_FORMATS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_EPOCH, _EPOCH_1904 = datetime.date(1899, 12, 30), datetime.date(1904, 1, 1)
_LAST_DAY = 2_958_465  # 9999-12-31


@dataclass(frozen=True, slots=True)
class Style:
    """How a format shows a number: as a date, or with leading zeros up to a width."""

    is_date: bool = False
    zeros: int = 0


@dataclass(slots=True)
class _Book:
    """What the small parts say: sheets with their parts, formats, shared texts."""

    sheets: list[tuple[str, str, bool]] = field(default_factory=list)
    styles: list[Style] = field(default_factory=list)
    texts: Sequence[str] = ()
    epoch: datetime.date = _EPOCH


def read_xlsx_grids(raw: bytes, limits: Limits, progress: Progress = no_progress) -> tuple[Grid, ...]:
    """Every worksheet of a workbook; raise TableError, or TableLimitError before anything large is built."""
    archive = Archive(raw, limits)
    parts = {name.lower(): name for name in archive.names}
    book = _read_book(archive, parts, limits)
    grids: list[Grid] = []
    for at, (name, part, is_hidden) in enumerate(book.sheets):
        progress("read", at, len(book.sheets))
        reader = _SheetReader(book, limits)
        parse_part(part, archive.chunks(part), reader)
        grids.append(reader.grid(name, is_hidden=is_hidden))
    if not grids:
        raise TableError("the workbook has no sheet with a table", "в книге нет листа с таблицей")
    progress("read", len(book.sheets), len(book.sheets))
    return tuple(grids)


def _read_book(archive: Archive, parts: dict[str, str], limits: Limits) -> _Book:
    book = _Book()
    if "xl/workbook.xml" not in parts:
        raise TableError(
            "the file is an archive without a workbook: save the table as XLSX or CSV",
            "это архив, а не книга: если таблица в нём, распакуйте её; если это .ods или .xlsb, сохраните как .xlsx",
        )
    starts = _starts(archive, parts["xl/workbook.xml"], {"sheet", "workbookPr"})
    relations = parts.get("xl/_rels/workbook.xml.rels")
    targets = {
        values.get("Id", ""): values.get("Target", "")
        for _, values in (_starts(archive, relations, {"Relationship"}) if relations else ())
        if values.get("Type", "").endswith(SHEET_RELATION)
    }
    for tag, values in starts:
        if tag == "workbookPr":
            book.epoch = _EPOCH_1904 if values.get("date1904") in ("1", "true") else _EPOCH
            continue
        target = next((targets[value] for key, value in values.items() if key.endswith("}id") and value in targets), "")
        part = parts.get(posixpath.normpath(posixpath.join("/xl", target)).lstrip("/").lower()) if target else None
        if part is not None:
            book.sheets.append((values.get("name", ""), part, values.get("state", "visible") != "visible"))
    if styles := parts.get("xl/styles.xml"):
        book.styles = _read_styles(archive, styles)
    if shared := parts.get("xl/sharedstrings.xml"):
        reader = _SharedReader(limits)
        parse_part(shared, archive.chunks(shared), reader)
        book.texts = reader.texts
    return book


def _read_styles(archive: Archive, part: str) -> list[Style]:
    codes: dict[str, str] = {}
    styles: list[Style] = []
    for tag, values in _starts(archive, part, {"numFmt", "xf"}, within="cellXfs"):
        if tag == "numFmt":
            codes[values.get("numFmtId", "")] = values.get("formatCode", "")
        else:
            styles.append(_style(values.get("numFmtId", "0"), codes))
    return styles


def _style(number: str, codes: dict[str, str]) -> Style:
    if number in codes:
        code = codes[number].partition(";")[0]
        bare = _DAYS.sub("", code)
        if _ZEROS.fullmatch(bare):
            return Style(zeros=len(bare))
        return Style(is_date=any(letter in "dmyдмг" for letter in bare.casefold()) and "0.0" not in bare)
    return Style(is_date=number.isdecimal() and len(number) < 5 and int(number) in _DATE_FORMATS)


def _starts(archive: Archive, part: str, wanted: set[str], within: str = "") -> list[tuple[str, dict[str, str]]]:
    target = _Starts(wanted, within)
    parse_part(part, archive.chunks(part), target)
    return target.found


class _Target:
    """What every target of a workbook's part refuses."""

    def doctype(self, *_: str | None) -> None:
        raise TableError("a workbook has no DOCTYPE")

    def close(self) -> None:
        return None


class _Starts(_Target):
    """The attributes of the wanted elements; `xf` counts inside one parent only."""

    def __init__(self, wanted: set[str], within: str) -> None:
        self.found: list[tuple[str, dict[str, str]]] = []
        self._wanted, self._within, self._inside = wanted, within, False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition("}")[2]
        if name == self._within:
            self._inside = True
        if name in self._wanted and (name != "xf" or self._inside):
            if len(self.found) >= MAX_STARTS:
                raise TableLimitError(
                    "the workbook has more sheets or formats than may be read: copy the table to a new one",
                    "листов или форматов в книге больше, чем читается: скопируйте таблицу в новую книгу",
                )
            self.found.append((name, dict(attributes)))

    def end(self, tag: str) -> None:
        if tag.rpartition("}")[2] == self._within:
            self._inside = False

    def data(self, text: str) -> None:
        """No text of these parts counts."""


class _SharedReader(_Target):
    """The shared texts; phonetic runs are left out."""

    def __init__(self, limits: Limits) -> None:
        self.texts: list[str] = []
        self._limits, self._characters = limits, 0
        self._pieces: list[str] = []
        self._takes = self._is_phonetic = False

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        name = tag.rpartition("}")[2]
        if name == "si":
            self._pieces = []
        elif name == "rPh":
            self._is_phonetic = True
        self._takes = name == "t" and not self._is_phonetic

    def data(self, text: str) -> None:
        if self._takes:
            self._characters += len(text)
            if self._characters > self._limits.max_text:
                raise TableLimitError(
                    f"the table holds more than {self._limits.max_text} characters: split it",
                    f"в таблице больше {self._limits.max_text} знаков: разделите её",
                )
            self._pieces.append(text)

    def end(self, tag: str) -> None:
        name = tag.rpartition("}")[2]
        if name == "si":
            self.texts.append("".join(self._pieces).strip())
        elif name == "rPh":
            self._is_phonetic = False
        self._takes = False


class _SheetReader(_Target):
    """The cells of one sheet; what only has a format is passed over."""

    def __init__(self, book: _Book, limits: Limits) -> None:
        self._book, self._builder = book, GridBuilder(limits)
        self._limits = limits
        self._row = self._column = -1
        self._kind, self._style, self._inside = "", "", ""
        self._pieces: list[str] = []
        self._length = 0
        self._is_computed = False
        self._areas: list[Area] = []
        self._hidden_rows = 0
        self._hidden_columns: set[int] = set()
        self._days: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._letters: dict[str, int] = {}

    def grid(self, name: str, *, is_hidden: bool) -> Grid:
        """What was read."""
        builder = self._builder
        for area in self._areas:
            builder.spread(area)
        hidden = tuple(sorted(column for column in self._hidden_columns if column < builder.width))
        return Grid(name[:200], tuple(builder.rows()), builder.width, is_hidden, self._hidden_rows, hidden)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = self._names.get(tag) or self._name(tag)
        if name == "c":
            place = attributes.get("r")
            # The row is that of the element around it: only the letters count.
            self._column = self._column + 1 if place is None else self._column_of(place.rstrip(_DIGITS))
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._pieces, self._length, self._is_computed = [], 0, False
        elif name in ("v", "t"):
            self._inside = name
        elif name == "f":
            self._is_computed = True
        elif name == "row":
            self._start_row(attributes)
        elif name == "mergeCell":
            self._take_area(attributes.get("ref", ""))
        elif name == "col" and attributes.get("hidden") in ("1", "true"):
            first, last = _whole(attributes.get("min", "0")), _whole(attributes.get("max", "0"))
            self._hidden_columns.update(range(first - 1, min(last, self._limits.max_columns)))

    def data(self, text: str) -> None:
        if self._inside:
            self._length += len(text)
            if self._length - len(text) <= self._limits.max_cell:
                self._pieces.append(text)  # the builder cuts what is longer

    def end(self, tag: str) -> None:
        self._inside = ""
        if self._names.get(tag) == "c" and (self._pieces or self._is_computed):
            if self._row < 0:
                raise TableError("a cell of the workbook stands in no row")
            self._put("".join(self._pieces))

    def _name(self, tag: str) -> str:
        name = tag.rpartition("}")[2]
        if len(self._names) < MAX_STARTS:
            self._names[tag] = name
        return name

    def _column_of(self, letters: str) -> int:
        found = self._letters.get(letters)
        if found is None:
            found = self._letters[letters] = _place(f"{letters}1")[1]
        return found

    def _start_row(self, attributes: dict[str, str]) -> None:
        self._row, self._column = _whole(attributes.get("r", str(self._row + 2))) - 1, -1
        if self._row < 0:
            raise TableError("a row of the workbook has the number 0")
        self._hidden_rows += attributes.get("hidden") in ("1", "true")

    def _take_area(self, reference: str) -> None:
        first, _, last = reference.partition(":")
        if len(self._areas) >= self._limits.max_rows:
            raise TableLimitError(
                "the sheet has more merged areas than rows that may be read: take the merging off",
                "объединённых областей на листе больше, чем читается строк: снимите объединение",
            )
        (top, left), (bottom, right) = _place(first), _place(last or first)
        if top <= bottom and left <= right:
            self._areas.append(Area(top, left, bottom, right))

    def _put(self, raw: str) -> None:
        text, kind = self._value(raw)
        if kind is not CellKind.EMPTY:
            self._builder.put(self._row, self._column, text, kind, is_computed=self._is_computed)
        elif self._is_computed:
            self._builder.put(self._row, self._column, "", CellKind.FORMULA, is_computed=True)

    def _value(self, raw: str) -> tuple[str, CellKind]:
        if self._kind == "s":
            index = int(raw) if raw.isascii() and raw.strip().isdecimal() and len(raw) < 10 else -1
            if not 0 <= index < len(self._book.texts):
                return raw, CellKind.ERROR
            text = self._book.texts[index]
            return text, text_kind(text) if text else CellKind.EMPTY
        if self._kind in ("n", ""):
            return self._number(raw.strip())
        if self._kind == "b":
            return ("TRUE" if raw.strip() == "1" else "FALSE"), CellKind.OTHER
        text = raw.strip()
        if not text:
            return "", CellKind.EMPTY
        if self._kind == "d":
            return text, CellKind.DATE
        return text, CellKind.ERROR if self._kind == "e" else text_kind(text)

    def _number(self, raw: str) -> tuple[str, CellKind]:
        style = self._book.styles[int(self._style)] if self._is_style() else Style()
        if raw.isdecimal() and raw.isascii() and len(raw) <= 15 and not style.is_date:
            return (raw.rjust(style.zeros, "0"), CellKind.TEXT) if style.zeros else (raw, CellKind.NUMBER)
        if not raw:
            return "", CellKind.EMPTY
        if not _NUMBER.fullmatch(raw):
            return raw, CellKind.ERROR
        if style.is_date and (day := self._day(raw)):
            return day, CellKind.DATE
        # Fifteen digits are what a spreadsheet shows; what comes behind them is how it computes.
        return f"{Decimal(f'{float(raw):.15g}'):f}", CellKind.NUMBER

    def _day(self, raw: str) -> str:
        if raw not in self._days:
            number = float(raw)
            whole = int(number) if 0 <= number <= _LAST_DAY else -1
            day = self._book.epoch + datetime.timedelta(days=whole) if whole >= 0 else None
            self._days[raw] = day.isoformat() if day else ""
        return self._days[raw]

    def _is_style(self) -> bool:
        style = self._style
        return style.isascii() and style.isdecimal() and len(style) < 6 and int(style) < len(self._book.styles)


def _place(name: str) -> tuple[int, int]:
    found = CELL_NAME.fullmatch(name.replace("$", ""))
    if not found or not int(found[2]):
        raise TableError(f"not the name of a cell: {name[:20]!r}")
    return int(found[2]) - 1, column_number(found[1]) - 1


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 7):
        raise TableError(f"not the number of a row or column: {text[:20]!r}")
    return int(text)
