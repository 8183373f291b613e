"""Data records, EN 13757-3 clause 6: header and value, one behind the other, until the maker's own data or the end.

Numbers are Decimal, taken from the raw bytes without rounding; texts are read from the last byte to the first; what a
meter marks as invalid, and digits that are none, are None. A time has no zone: it is what the meter's clock shows.
A compact frame has values alone: their headers come from a full frame.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from math import isfinite

from drivers.errors import FrameError, UnsupportedError
from drivers.mbus.headers import EXACT, Function, Header, decode_header, find_end
from drivers.mbus.meanings import Shape
from drivers.mbus.times import decode_date, decode_minute, decode_second, decode_time_of_day

__all__ = [
    "Function",
    "Record",
    "Records",
    "Value",
    "decode_bcd",
    "decode_record_headers",
    "decode_records",
    "decode_with_headers",
]

Value = Decimal | date | datetime | str | bytes | None

MAX_RECORDS = 1024
_FILLER, _MAKER, _MAKER_AND_MORE = 0x2F, 0x0F, 0x1F
_SPECIAL, _VARIABLE, _REAL = 0xF, 0xD, 0x5
_BCD = (0x9, 0xA, 0xB, 0xC, 0xE)
# Bytes of data by the low half of the DIF; 8 selects a value for readout and carries none.
_SIZES = {
    0x0: 0,
    0x1: 1,
    0x2: 2,
    0x3: 3,
    0x4: 4,
    0x5: 4,
    0x6: 6,
    0x7: 8,
    0x8: 0,
    0x9: 1,
    0xA: 2,
    0xB: 3,
    0xC: 4,
    0xE: 6,
}
_FLOAT = struct.Struct("<f")
_MOMENTS: dict[int, Callable[[bytes], Value]] = {
    2: decode_date,
    3: decode_time_of_day,
    4: decode_minute,
    6: decode_second,
}
_LARGEST_NUMBER = 8


@dataclass(frozen=True, slots=True)
class Record:
    """One data record. `unit` is UCUM, "" for none; `dib_vib` is its header, `raw` its data, as sent.

    A value whose digits are `spoilt` is none: it is there to be looked at.
    """

    function: Function
    storage: int
    tariff: int
    subunit: int
    quantity: str
    unit: str
    value: Value
    modifiers: tuple[str, ...]
    raw: bytes
    dib_vib: bytes
    is_spoilt: bool = False


@dataclass(frozen=True, slots=True)
class Records:
    """What stands behind a fixed header; `more_follows` says that the meter has more in another telegram."""

    records: tuple[Record, ...]
    manufacturer_data: bytes = b""
    more_follows: bool = False


def decode_records(data: bytes, *, where: int = 0, high_first: bool = False) -> Records:
    """Read records to the end; raise FrameError naming the byte, counted from `where`.

    `high_first` reads values whose highest byte comes first, as meters of the historic mode 2 send them.
    """
    records: list[Record] = []
    at, end = 0, len(data)
    while at < end:
        dif = data[at]
        if dif & 0x0F != _SPECIAL:
            value_at = find_end(data, at, where)
            record, at = _decode_value(decode_header(data[at:value_at]), data, value_at, where, high_first)
            records.append(record)
            if len(records) > MAX_RECORDS:
                raise FrameError(f"byte {where + at}: more than {MAX_RECORDS} records")
        elif dif == _FILLER:
            at += 1
        elif dif in (_MAKER, _MAKER_AND_MORE):
            return Records(tuple(records), data[at + 1 :], dif == _MAKER_AND_MORE)
        else:
            raise UnsupportedError(f"byte {where + at}: DIF {dif:02x} begins no record of a meter")
    return Records(tuple(records))


def decode_record_headers(data: bytes, *, where: int = 0) -> tuple[bytes, ...]:
    """Read headers that stand one behind the other without values, as a format frame has them; raise FrameError."""
    headers: list[bytes] = []
    at = 0
    while at < len(data):
        if data[at] & 0x0F == _SPECIAL:
            raise UnsupportedError(f"byte {where + at}: DIF {data[at]:02x} is no header of a record")
        end = find_end(data, at, where)
        headers.append(data[at:end])
        at = end
    return tuple(headers)


def decode_with_headers(headers: Sequence[bytes], data: bytes, *, where: int = 0) -> Records:
    """Read the values of a compact frame under remembered headers; raise FrameError unless they fill it."""
    records: list[Record] = []
    at = 0
    for header in headers:
        record, at = _decode_value(decode_header(header), data, at, where, high_first=False)
        records.append(record)
    if data[at:].strip(bytes([_FILLER])):
        raise FrameError(f"byte {where + at}: {len(data) - at} bytes are left behind the values of the format")
    return Records(tuple(records))


def decode_bcd(raw: bytes) -> tuple[Decimal, bool]:
    """Type A: packed digits, the least first; a highest one of F is a minus. And whether every digit was one.

    Where letters stand for digits there is no number: told is what libmbus shows, so that the two can be compared.
    """
    digits = raw[::-1].hex()
    if digits.isdecimal():
        return Decimal(digits), True
    if digits[:1] == "f" and digits[1:].isdecimal():
        return -Decimal(digits[1:]), True
    number = 0
    for byte in reversed(raw):
        high, low = byte >> 4, byte & 0xF
        number = 100 * number + (10 * high if high < 10 else 0) + low
    return Decimal(-number if digits[:1] == "f" else number), False


def _decode_value(header: Header, data: bytes, at: int, where: int, high_first: bool) -> tuple[Record, int]:
    start, size, length = at, _SIZES.get(header.data), 0
    if size is None:
        if at >= len(data):
            raise FrameError(f"byte {where + at}: a value of variable length has no length")
        length = data[at]
        size, at = _variable_size(length, where + at), at + 1
    end = at + size
    if end > len(data):
        raise FrameError(
            f"byte {where + at}: a value of {size} bytes goes on behind the end, {len(data) - at} are left"
        )
    raw = data[at:end]
    ordered, is_spoilt = raw[::-1] if high_first else raw, False
    if header.data in _BCD:
        number, is_whole = decode_bcd(ordered)
        value: Value = _scaled(header, number)
        is_spoilt = not is_whole
    else:
        value = _value(header, ordered, length)
    record = Record(
        header.function,
        header.storage,
        header.tariff,
        header.subunit,
        header.quantity,
        header.unit,
        value,
        header.modifiers,
        data[start:end],
        header.raw,
        is_spoilt,
    )
    return record, end


def _value(header: Header, raw: bytes, length: int) -> Value:
    kind = header.data
    if kind == _VARIABLE:
        return _variable(header, raw, length)
    if not raw:
        return None
    if header.shape is Shape.TIME:
        decode = _MOMENTS.get(len(raw))
        return decode(raw) if decode is not None else raw
    if kind == _REAL:
        real = _FLOAT.unpack(raw)[0]
        return _scaled(header, Decimal(real)) if isfinite(real) else None
    return _scaled(header, _integer(header, raw))


def _integer(header: Header, raw: bytes) -> Decimal:
    return Decimal(int.from_bytes(raw, "little", signed=header.shape is not Shape.BITS))


def _scaled(header: Header, number: Decimal | None) -> Decimal | None:
    if number is None:
        return None
    value = EXACT.multiply(number, header.scale)
    return EXACT.add(value, header.offset) if header.offset else value


def _variable_size(length: int, where: int) -> int:
    """Bytes behind LVAR."""
    if length < 0xC0:
        return length
    if length <= 0xC9 or 0xD0 <= length <= 0xD9 or 0xE0 <= length <= 0xEF:
        return length & 0x0F
    if 0xF0 <= length <= 0xF4:
        return 4 * (length - 0xEC)
    if length in (0xF5, 0xF6):
        return 48 if length == 0xF5 else 64
    raise UnsupportedError(f"byte {where}: LVAR {length:02x} names no kind of data")


def _variable(header: Header, raw: bytes, length: int) -> Value:
    """A text, digits with the sign in LVAR, or a binary number."""
    if length < 0xC0:
        text = raw[::-1].decode("latin-1").strip("\0")
        return text if text.isprintable() else raw
    if not raw:
        return None
    if length < 0xE0:
        digits = raw[::-1].hex()
        number = Decimal(digits) if digits.isdecimal() else None
        return _scaled(header, -number if number is not None and length >= 0xD0 else number)
    if header.shape is Shape.TIME:
        return _MOMENTS[len(raw)](raw) if len(raw) in _MOMENTS else raw
    return raw if len(raw) > _LARGEST_NUMBER else _scaled(header, _integer(header, raw))
