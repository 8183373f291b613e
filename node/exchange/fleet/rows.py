"""Rows of a fleet table as typed values, each with what is wrong with it alone."""

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from node.exchange.cells import Cell, CellKind, Row
from node.exchange.fleet import rules
from node.exchange.fleet.fields import ADDRESS_PARTS, OF_A_METER, Field
from node.exchange.fleet.findings import FleetFinding, Rule
from node.exchange.fleet.known import Known
from node.exchange.fleet.layout import Layout
from node.exchange.fleet.plates import NO_SERIAL, cut_generic, key_of, split_device, split_mark
from node.exchange.fleet.values import (
    STREET,
    find_resource,
    find_unit,
    is_nothing,
    read_day,
    read_decimal,
    read_interval,
    split_days,
    split_flat,
    whole_year,
)
from node.passport.errors import NumberError
from node.passport.numbers import parse_grsi
from node.passport.plate import MAX_PLATE_TEXT, cut_label

CACHED = 1 << 15
LONGEST_TEXT = 250  # characters of a row's value; the file's own cell is whole
LONGEST_DAY = 14  # longer is more than one date
EMPTY = Cell()
AS_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)?[Ee]\+?[0-9]+")

_GRSI = re.compile(r"(?<!\d)(\d{1,6})\s*[-–—‑]\s*(\d{2})(?!\d)")
_HEX_NOISE = dict.fromkeys(map(ord, " -:.\u00a0"))
_HEX = re.compile(r"[0-9A-Fa-f]{16}")
_HEX_LOOKS = str.maketrans("АВСЕОавсеоЕOoDd", "ABCE0abce0E00Dd")
_YEAR = re.compile(r"((?:19|20)\d{2}|\d{2})(?:[.,]0)?\s*(?:г\.?)?", re.ASCII)
_PREFIXES = {
    Field.HOUSE: ("д. ", re.compile(r"(?:д|дом|зд|house|стр)\b", re.IGNORECASE)),
    Field.BLOCK: ("корп. ", re.compile(r"(?:к|корп|стр|литер|block)\w*\b", re.IGNORECASE)),
    Field.FLAT: ("кв. ", re.compile(r"(?:кв|пом|оф|apt|flat|unit|room|нежил|моп)\w*", re.IGNORECASE)),
    Field.STREET: ("ул. ", re.compile(r".*[а-яa-z]{2,}", re.IGNORECASE)),
}

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class FleetRow:
    """One meter of a table. Texts are empty and values None where nothing could be read; `plate` is the serial's plate
    text. `until` is the end of the verification as stated, or as computed from the interval; `is_continued` says that
    the serial stands in a merged cell of the row above.
    """

    row: int
    block: int
    serial: str
    plate: str
    serial_kind: CellKind
    designation: str
    mark: str
    resource: str | None
    year: int | None
    made_on: datetime.date | None
    installed_on: datetime.date | None
    verified_on: datetime.date | None
    valid_until: datetime.date | None
    interval_months: int | None
    approval: str | None
    address: str
    account: str
    reading: Decimal | None
    previous: Decimal | None
    read_on: datetime.date | None
    unit: str | None
    dev_eui: str | None
    own_number: str
    is_continued: bool
    findings: tuple[FleetFinding, ...] = field(compare=False)


class RowMaker:
    """Makes typed rows of the cells of one meter of each row."""

    def __init__(self, layout: Layout, block: int, today: datetime.date, known: Known) -> None:
        self._places = layout.places(block)
        self._block, self._today, self._known = block, today, known
        self._caches: dict[object, dict[object, object]] = {}
        self._cells: Sequence[Cell] = ()
        self._number = 0
        self._findings: list[FleetFinding] = []

    def holds_meter(self, row: Row) -> bool:
        """Whether the cells of this meter say anything of one."""
        cells = (self._at(row.cells, name) for name in OF_A_METER)
        return any(
            cell.kind is not CellKind.EMPTY and not cell.is_spread and not is_nothing(cell.text) for cell in cells
        )

    def is_continued(self, row: Row) -> bool:
        """Whether the meter of the row above stands in it too, its cells merged over both."""
        return any(self._at(row.cells, name).is_spread for name in (Field.SERIAL, Field.DEVICE))

    def has_serial(self, row: Row) -> bool:
        """Whether a serial stands in the row."""
        return any(
            cell.text and not is_nothing(cell.text)
            for cell in (self._at(row.cells, Field.SERIAL), self._at(row.cells, Field.DEVICE))
        )

    def make(self, row: Row, address: str, carried: Mapping[int, Cell]) -> FleetRow:
        """The typed row; `address` is what a group row above says, `carried` what stands once for several rows."""
        self._cells, self._number, self._findings = row.cells, row.number, []
        designation, serial, kind = self._device()
        mark, designation = self._cached(self._split, designation) if designation else ("", "")
        year = self._year()
        made_on = self._day(Field.MADE_ON)
        days = {name: self._day(name) for name in (Field.INSTALLED_ON, Field.VERIFIED_ON, Field.READ_ON)}
        until = self._day(Field.VALID_UNTIL, at_end=True)
        days[Field.VERIFIED_ON], until = self._range(days[Field.VERIFIED_ON], until)
        for name, day in ((Field.MADE_ON, made_on), *days.items()):
            if day and day > self._today:
                self.add(rules.DATE_FUTURE, name)
        where, resource = self._address(address, carried)
        unit_text = self._text(Field.UNIT)
        unit = self._cached(find_unit, unit_text) if unit_text else self._title_unit()
        if unit_text and unit is None and not is_nothing(unit_text):
            self.add(rules.UNIT_UNKNOWN, Field.UNIT)
        said = self._text(Field.RESOURCE)
        column = self._places.get(Field.SERIAL) or self._places.get(Field.DEVICE)
        return FleetRow(
            row=row.number,
            block=self._block,
            serial=serial[:LONGEST_TEXT],
            plate=self._serial(serial, kind),
            serial_kind=kind,
            designation=designation[:LONGEST_TEXT],
            mark=(self._text(Field.MARK) or mark)[:LONGEST_TEXT],
            resource=(self._cached(find_resource, said) if said else None) or (column and column.resource) or resource,
            year=year or (made_on.year if made_on else None),
            made_on=made_on,
            installed_on=days[Field.INSTALLED_ON],
            verified_on=days[Field.VERIFIED_ON],
            valid_until=until,
            interval_months=self._interval(),
            approval=self._approval(),
            address=where[:LONGEST_TEXT],
            account=self._text(Field.ACCOUNT)[:LONGEST_TEXT],
            reading=self._decimal(Field.READING),
            previous=self._decimal(Field.PREVIOUS),
            read_on=days[Field.READ_ON],
            unit=unit,
            dev_eui=self._dev_eui(),
            own_number=self._text(Field.OWN_NUMBER)[:LONGEST_TEXT],
            is_continued=bool(column and self._cell(column.field).is_spread),
            findings=tuple(self._findings),
        )

    def add(self, rule: Rule, name: Field, value: str | None = None, **words: object) -> None:
        """Note a finding at the cell of a field."""
        column = self._places.get(name)
        text = self._cell(name).text if value is None else value
        self._findings.append(FleetFinding(rule, self._number, name, column.title if column else "", text, words))

    def _cell(self, name: Field) -> Cell:
        return self._at(self._cells, name)

    def _at(self, cells: Sequence[Cell], name: Field) -> Cell:
        column = self._places.get(name)
        return EMPTY if column is None or column.place >= len(cells) else cells[column.place]

    def _usable(self, name: Field) -> Cell:
        """A cell, empty where it holds no value: formulas without one and errors are noted."""
        cell = self._cell(name)
        if cell.kind is CellKind.FORMULA:
            self.add(rules.FORMULA, name)
            return EMPTY
        if cell.kind is CellKind.ERROR:
            self.add(rules.CELL_ERROR, name)
            return EMPTY
        if cell.is_computed:
            self.add(rules.COMPUTED, name)
        return cell

    def _text(self, name: Field) -> str:
        cell = self._cell(name)
        return cell.text if name in self._places and cell.kind not in (CellKind.FORMULA, CellKind.ERROR) else ""

    def _cached(self, read: Callable[[str], Value], text: str) -> Value:
        cache = self._caches.setdefault(read, {})
        if text not in cache:
            if len(cache) >= CACHED:
                cache.clear()
            cache[text] = read(text)
        return cache[text]  # type: ignore[return-value]  # each function has a cache of its own

    def _split(self, text: str) -> tuple[str, str]:
        return split_mark(cut_generic(text), self._known.knows)

    def _device(self) -> tuple[str, str, CellKind]:
        if Field.DEVICE in self._places:
            both = self._usable(Field.DEVICE)
            if not is_nothing(both.text):
                designation, serial = split_device(both.text, self._known.lines)
                if serial or Field.SERIAL not in self._places:
                    if serial and not designation and Field.DESIGNATION not in self._places:
                        self.add(rules.TYPE_REQUIRED, Field.DEVICE)
                    return designation or self._text(Field.DESIGNATION), serial, both.kind
        cell = self._usable(Field.SERIAL)
        named = self._usable(Field.DESIGNATION)
        designation = "" if is_nothing(named.text) else named.text
        if not designation and Field.DESIGNATION in self._places and not named.text:
            self.add(rules.TYPE_REQUIRED, Field.DESIGNATION)
        if not designation and cell.kind is CellKind.TEXT and any(sign.isalpha() for sign in cell.text):
            # «СГВ-15 № 0012345» among plain serials.
            found = split_device(cell.text, self._known.lines)
            if found[0] and found[1] and " " in cell.text.strip():
                return found[0], found[1], cell.kind
        return designation, cut_label(cell.text) if cell.text else "", cell.kind

    def _serial(self, serial: str, kind: CellKind) -> str:
        """The plate text of a serial; what cannot be one is noted."""
        name = Field.SERIAL if Field.SERIAL in self._places else Field.DEVICE
        cell = self._cell(name)
        if not serial:
            if cell.kind not in (CellKind.FORMULA, CellKind.ERROR):
                self.add(rules.SERIAL_UNREADABLE if cell.text else rules.SERIAL_REQUIRED, name)
            return ""
        if kind is CellKind.DATE:
            self.add(rules.SERIAL_DATE, name)
            return ""
        if AS_NUMBER.fullmatch(serial) or (kind is CellKind.NUMBER and len(serial) > 15):
            self.add(rules.NUMBER, name)
            return ""
        if serial.casefold() in NO_SERIAL or is_nothing(serial) or not any(sign.isdigit() for sign in serial):
            self.add(rules.SERIAL_UNREADABLE, name)
            return ""
        key = key_of(serial)
        if key and not key.strip("0-"):
            self.add(rules.SERIAL_UNREADABLE, name)
            return ""
        if not key:
            rule = rules.SERIAL_LONG if len(serial) > MAX_PLATE_TEXT else rules.SERIAL_UNREADABLE
            self.add(rule, name, most=MAX_PLATE_TEXT)
        return key

    def _day(self, name: Field, *, at_end: bool = False) -> datetime.date | None:
        if name not in self._places:
            return None
        cell = self._usable(name)
        if not cell.text or is_nothing(cell.text):
            return None
        if len(cell.text) > LONGEST_DAY and (both := split_days(cell.text)):
            cell = Cell(both[at_end], CellKind.TEXT)
        column = self._places[name]
        cache = self._caches.setdefault((name, cell.kind), {})
        read = cache.get(cell.text)
        if read is None:
            if len(cache) >= CACHED:
                cache.clear()
            read = cache[cell.text] = read_day(cell, month_first=column.month_first, at_end=at_end)
        day: datetime.date | None = read.day  # type: ignore[attr-defined]  # what the cache of dates holds
        odd: str = read.odd  # type: ignore[attr-defined]  # as above
        if odd:
            self.add(_DAY_RULES[odd], name, guess=day or "")
        return day

    def _range(
        self, verified: datetime.date | None, until: datetime.date | None
    ) -> tuple[datetime.date | None, datetime.date | None]:
        """The other end of a verification whose two dates stand in one column."""
        name = Field.VERIFIED_ON if Field.VERIFIED_ON in self._places else Field.VALID_UNTIL
        both = split_days(self._cell(name).text) if (verified is None) != (until is None) else None
        if both is None:
            return verified, until
        first, last = (read_day(Cell(text, CellKind.TEXT)).day for text in both)
        return verified or first, until or last

    def _year(self) -> int | None:
        cell = self._usable(Field.YEAR)
        if not cell.text or is_nothing(cell.text):
            return None
        found = _YEAR.fullmatch(cell.text) if cell.kind is not CellKind.DATE else _YEAR.match(cell.text)
        if not found:
            day = read_day(cell).day
            if day is not None and day <= self._today:
                return day.year
        year = whole_year(found[1]) if found else 0
        if not 1970 <= year <= self._today.year:
            self.add(rules.YEAR_FORM, Field.YEAR)
            return None
        if found and len(found[1]) == 2:
            self.add(rules.DATE_SHORT, Field.YEAR, guess=year)
        return year

    def _interval(self) -> int | None:
        cell = self._usable(Field.INTERVAL)
        if not cell.text or is_nothing(cell.text):
            return None
        months = read_interval(cell.text, in_years=self._places[Field.INTERVAL].in_years)
        if months is None:
            self.add(rules.INTERVAL_FORM, Field.INTERVAL)
        return months

    def _approval(self) -> str | None:
        cell = self._usable(Field.APPROVAL)
        if not cell.text or is_nothing(cell.text):
            return None
        found = _GRSI.search(cell.text) if cell.kind is CellKind.TEXT else None
        try:
            number = parse_grsi(f"{found[1]}-{found[2]}") if found else None
        except NumberError:
            number = None
        if number is None:
            self.add(rules.APPROVAL_FORM, Field.APPROVAL)
        return None if number is None else str(number)

    def _decimal(self, name: Field) -> Decimal | None:
        if name not in self._places:
            return None
        cell = self._usable(name)
        if not cell.text or (is_nothing(cell.text) and cell.text != "0"):
            return None
        value = read_decimal(cell.text)
        if value is None or cell.kind is CellKind.DATE:
            self.add(rules.READING_FORM, name)
            return None
        if value < 0:
            self.add(rules.READING_NEGATIVE, name)
            return None
        return value

    def _dev_eui(self) -> str | None:
        cell = self._usable(Field.DEV_EUI)
        if not cell.text or is_nothing(cell.text):
            return None
        if (cell.kind is CellKind.NUMBER and len(cell.text) != 16) or AS_NUMBER.fullmatch(cell.text):
            self.add(rules.NUMBER, Field.DEV_EUI)
            return None
        bare = cell.text.translate(_HEX_NOISE)
        if _HEX.fullmatch(bare):
            if cell.kind is CellKind.NUMBER:
                self.add(rules.NUMBER, Field.DEV_EUI)
                return None
            return bare.lower()
        guess = bare.translate(_HEX_LOOKS)
        if guess != bare and _HEX.fullmatch(guess):
            self.add(rules.EUI_LOOK_ALIKE, Field.DEV_EUI, guess=guess.upper())
        else:
            self.add(rules.EUI_FORM, Field.DEV_EUI, length=len(bare))
        return None

    def _title_unit(self) -> str | None:
        column = self._places.get(Field.READING)
        return column.unit if column else None

    def _address(self, heading: str, carried: Mapping[int, Cell]) -> tuple[str, str | None]:
        """The address in one text, and the resource that stands behind a flat."""
        parts: list[str] = []
        resource = None
        whole = self._carried(Field.ADDRESS, carried)
        for name in ADDRESS_PARTS:
            text = self._carried(name, carried)
            if name in (Field.HOUSE, Field.BLOCK, Field.FLAT):
                text = text.removesuffix(".0")
            if not text or is_nothing(text):
                continue
            if name is Field.FLAT:
                text, resource = split_flat(text)
            prefix, marked = _PREFIXES.get(name, ("", None))
            if name is Field.STREET:
                prefix = "" if STREET.search(text) else prefix
            elif marked and marked.match(text):
                prefix = ""
            parts.append(prefix + text)
        if whole and not is_nothing(whole):
            whole, behind = split_flat(whole)
            resource = resource or behind
            if heading and not STREET.search(whole) and heading not in whole:
                whole = f"{heading}, {whole}"
            parts = [whole, *(part for part in parts if part not in whole)]
        elif heading:
            parts = [heading, *parts]
        return ", ".join(parts), resource

    def _carried(self, name: Field, carried: Mapping[int, Cell]) -> str:
        column = self._places.get(name)
        if column is None:
            return ""
        cell = self._cell(name)
        if cell.kind is CellKind.EMPTY:
            cell = carried.get(column.place, EMPTY)
        return "" if cell.kind in (CellKind.FORMULA, CellKind.ERROR) else cell.text


_DAY_RULES = {
    "unreadable": rules.DATE_UNREADABLE,
    "impossible": rules.DATE_IMPOSSIBLE,
    "short_year": rules.DATE_SHORT,
    "number": rules.DATE_NUMBER,
    "swapped": rules.DATE_SWAPPED,
    "month_only": rules.DATE_PART,
    "year_only": rules.DATE_PART,
}
