"""Inverse compact profiles, EN 13757-3 annex F: many values of one quantity in a record, the latest before first.

A record of variable length with VIFE 13 begins with how it is spaced: bits 6-7 are the mode (0: values, not
differences), 4-5 the unit of the spacing, 0-3 the data field of each value; the next byte is the spacing, where 254 of
days is a month. It is spaced backwards from the date or time that stands under the same storage number, and each value
gets the next storage number. Profiles of another mode stay what they are.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from drivers.mbus.records import Record, decode_with_headers

_INVERSE, _VARIABLE = 0x13, 0x0D
_TABLES, _OF_OTHERS = {0xFB, 0xFD}, {0x7C, 0x7F}
_MAKER, _EXTENSION = 0xFF, 0xFC
_VALUES = 0
_SIZES = {0x1: 1, 0x2: 2, 0x3: 3, 0x4: 4, 0x6: 6, 0x7: 8, 0x9: 1, 0xA: 2, 0xB: 3, 0xC: 4, 0xE: 6}
_STEPS = (timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1))
_DAYS, _MONTH, _MOST = 3, 254, 250
_PREFIX = 3  # LVAR, spacing control, spacing


def expand(records: tuple[Record, ...]) -> tuple[Record, ...]:
    """The records with each inverse profile replaced by its values and their dates."""
    if not any(_is_inverse(record) for record in records):
        return records
    bases = {record.storage: record for record in records if record.quantity in ("date", "datetime")}
    return tuple(part for record in records for part in _parts(record, bases.get(record.storage)))


def _is_inverse(record: Record) -> bool:
    """Whether the last VIFE says so: the same byte may be a VIF, a letter, or the maker's own."""
    vib = _vib(record)
    if vib[-1] != _INVERSE or record.dib_vib[0] & 0x0F != _VARIABLE or vib[0] & 0x7F in _OF_OTHERS:
        return False
    return len(vib) > (2 if vib[0] in _TABLES else 1) and not {_MAKER, _EXTENSION} & set(vib[1:-1])


def _parts(record: Record, base: Record | None) -> Iterator[Record]:
    control = record.raw[1] if len(record.raw) >= _PREFIX else 0
    size = _SIZES.get(control & 0x0F)
    if not _is_inverse(record) or control >> 6 != _VALUES or size is None:
        yield record
        return
    spacing, vib = record.raw[2], _vib(record)[:-1]
    vib = vib[:-1] + bytes([vib[-1] & 0x7F])
    for number, at in enumerate(range(_PREFIX, len(record.raw) - size + 1, size), 1):
        storage = record.storage + number
        header = _dib(record, control & 0x0F, storage) + vib
        value = decode_with_headers((header,), record.raw[at : at + size]).records[0]
        # A place that holds no digits was not filled yet.
        if value.value is None or value.is_spoilt:
            continue
        if base is not None and (moment := _before(base.value, control >> 4 & 3, spacing, number)) is not None:
            yield replace(base, storage=storage, value=moment)
        yield value


def _dib(record: Record, data: int, storage: int) -> bytes:
    """DIF and DIFEs of the record's function and tariff with another data field and storage number."""
    parts = [record.dib_vib[0] & 0x30 | data | (storage & 1) << 6]
    storage, tariff, subunit = storage >> 1, record.tariff, record.subunit
    while storage or tariff or subunit:
        parts.append(storage & 0x0F | (tariff & 3) << 4 | (subunit & 1) << 6)
        storage, tariff, subunit = storage >> 4, tariff >> 2, subunit >> 1
    return bytes([*(part | 0x80 for part in parts[:-1]), parts[-1]])


def _vib(record: Record) -> bytes:
    """The record's VIF and VIFEs."""
    return record.dib_vib[next(at for at, byte in enumerate(record.dib_vib) if not byte & 0x80) + 1 :]


def _before(base: object, unit: int, spacing: int, number: int) -> date | None:
    """The moment that many spacings before the base, None where the profile does not say."""
    if not isinstance(base, date):
        return None
    try:
        if unit == _DAYS and spacing == _MONTH:
            return _months_before(base, number)
        if not 0 < spacing <= _MOST or (unit != _DAYS and not isinstance(base, datetime)):
            return None
        return base - _STEPS[unit] * spacing * number
    except (ValueError, OverflowError):
        return None


def _months_before(base: date, number: int) -> date:
    months = base.year * 12 + base.month - 1 - number
    year, month = months // 12, months % 12 + 1
    following = date(year + month // 12, month % 12 + 1, 1)
    return base.replace(year=year, month=month, day=min(base.day, (following - timedelta(days=1)).day))
