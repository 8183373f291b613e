"""What makers put into records of their own, where the layout is published; all else stays unmapped.

Qundis walk-by: a record `0D FF 5F` of 53 bytes; nine bytes, a VIF, then a date and three values of eight BCD digits
under that VIF, each but the first behind its date: now, at the due date, at the end of the last month. What follows is
not published. Source: wmbusmeters, drivers/src/qwaterv2.xmq and src/driver_qheat.cc, restated.
BMeters HydroClima: maker's data whose first byte is 10 or 11: temperatures in hundredths of a degree and consumption.
Source: wmbusmeters, drivers/src/hydroclimav2.xmq and src/driver_hydroclima.cc after BMeters PAPP-HARF2, restated; the
two differ on the scale of the total consumption, so it is left unread.
"""

import struct
from collections.abc import Iterator
from decimal import Decimal

from drivers.errors import FrameError
from drivers.mbus.records import Function, Record, Records, decode_records

_QUNDIS, _BMETERS = ("QDS", "LSE"), ("BMP",)
_WALK_BY = bytes.fromhex("0dff5f")
_WALK_BY_SIZE = 53
_VIF_AT = 9
_NO_DATA = 0x8000
_HUNDREDTH = Decimal("0.01")
_CEL, _HCA = "Cel", "{hca}"

# Offset, quantity, modifiers and storage number of 16-bit fields.
_Row = tuple[int, str, tuple[str, ...], int]
_LAST = ("last month",)
_FIRST_EDITION: tuple[_Row, ...] = (
    (7, "external_temperature", ("average",), 0),
    (9, "external_temperature", ("highest",), 0),
    (15, "external_temperature", ("average", *_LAST), 0),
    (17, "flow_temperature", ("average", *_LAST), 0),
)
_SECOND_EDITION: tuple[_Row, ...] = (
    (9, "flow_temperature", ("average",), 0),
    (11, "external_temperature", ("average",), 0),
    (13, "external_temperature", ("highest", *_LAST), 0),
    (17, "flow_temperature", ("average", *_LAST), 0),
    (19, "external_temperature", ("average", *_LAST), 0),
    *((21 + 2 * place, "hca", ("history",), place + 1) for place in range(4)),
    *((29 + 2 * place, "external_temperature", ("history",), place + 1) for place in range(3)),
)
_EDITIONS = {0x10: (_FIRST_EDITION, 24), 0x11: (_SECOND_EDITION, 47)}


def read_maker(manufacturer: str, records: Records) -> tuple[Record, ...]:
    """The records that are hidden in the maker's own ones of this telegram; what is not known gives none."""
    if manufacturer in _QUNDIS:
        return tuple(found for record in records.records for found in _walk_by(record))
    if manufacturer in _BMETERS:
        return tuple(_hydroclima(records.manufacturer_data))
    return ()


def _walk_by(record: Record) -> tuple[Record, ...]:
    body = record.raw[1:]
    if record.dib_vib != _WALK_BY or len(body) != _WALK_BY_SIZE:
        return ()
    vif = body[_VIF_AT : _VIF_AT + 1]
    parts = (
        (b"\x0c" + vif, 12, 4),
        (b"\x42\x6c", 16, 2),
        (b"\x4c" + vif, 18, 4),
        (b"\xc2\x08\x6c", 22, 2),
        (b"\xcc\x08" + vif, 24, 4),
    )
    try:
        return decode_records(b"".join(header + body[at : at + size] for header, at, size in parts)).records
    except FrameError:
        return ()


def _hydroclima(data: bytes) -> Iterator[Record]:
    rows, size = _EDITIONS.get(data[0] if data else 0, ((), 0))
    if len(data) < size:
        return
    for at, quantity, modifiers, storage in rows:
        (value,) = struct.unpack_from("<H", data, at)
        if value != _NO_DATA:
            scale, unit = (1, _HCA) if quantity == "hca" else (_HUNDREDTH, _CEL)
            raw = data[at : at + 2]
            yield Record(
                Function.INSTANTANEOUS, storage, 0, 0, quantity, unit, value * Decimal(scale), modifiers, raw, b""
            )
