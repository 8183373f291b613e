"""The fixed data structure of EN 1434-3 (CI 73, and 77 with the highest byte first): two counters in 16 bytes.

ID[4] ACC ST U1 U2 counter 1[4] counter 2[4]. Bits 0-5 of U1 and U2 are the unit, bits 6-7 of U1 the lower and of U2 the
upper half of the medium. Status bit 0: the counters are binary, else BCD; bit 1: they are those of the due date. A
second counter of unit 3E is the first one at the due date.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from drivers.errors import FrameError
from drivers.mbus.records import Function, Record, decode_bcd

SIZE = 16
MEDIA = {
    0x0: "other",
    0x1: "oil",
    0x2: "electricity",
    0x3: "gas",
    0x4: "heat",
    0x5: "steam",
    0x6: "hot water",
    0x7: "water",
    0x8: "heat cost allocation",
    0xA: "gas",
    0xB: "heat",
    0xC: "hot water",
    0xD: "water",
    0xE: "heat cost allocation",
}
_BINARY, _AT_DUE_DATE = 1, 2
_SAME_BUT_HISTORIC = 0x3E
_Row = tuple[int, tuple[str, str, Decimal]]


@dataclass(frozen=True, slots=True)
class Fixed:
    """What a meter says in a fixed structure. `states` are the bits of the status byte that the standard names."""

    id: str
    access: int
    states: int
    medium: str
    records: tuple[Record, Record]


def decode_fixed(data: bytes, *, high_first: bool = False) -> Fixed:
    """Read what follows the CI field; raise FrameError unless it is 16 bytes."""
    if len(data) != SIZE:
        raise FrameError(f"a fixed data structure is {SIZE} bytes, got {len(data)}")
    status, units = data[5], data[6:8]
    order = -1 if high_first else 1
    medium = units[1] >> 6 << 2 | units[0] >> 6
    counters = data[8:12][::order], data[12:16][::order]
    historic = [bool(status & _AT_DUE_DATE)] * 2
    codes = [unit & 0x3F for unit in units]
    if codes[1] == _SAME_BUT_HISTORIC:
        codes[1], historic[1] = codes[0], True
    binary = bool(status & _BINARY)
    first = _record(codes[0], counters[0], binary, historic[0])
    second = _record(codes[1], counters[1], binary, historic[1])
    if (first.quantity, first.storage) == (second.quantity, second.storage):
        # Two counters of one kind are told apart as those of two subunits.
        second = replace(second, subunit=1)
    number = data[:4][::-order].hex().upper()
    return Fixed(number, data[4], status & 0xFC, MEDIA.get(medium, f"type {medium:02x}"), (first, second))


def _record(code: int, raw: bytes, binary: bool, historic: bool) -> Record:
    quantity, unit, scale = _UNITS.get(code, (f"unknown_unit_{code:02x}", "", Decimal(1)))
    number, is_whole = (Decimal(int.from_bytes(raw, "little", signed=True)), True) if binary else decode_bcd(raw)
    places = (Function.INSTANTANEOUS, int(historic), 0, 0)
    return Record(*places, quantity, unit, number * scale, (), raw, bytes([code]), not is_whole)


def _tens(first: int, quantity: str, unit: str, exponent: int) -> Iterator[_Row]:
    """Nine codes in a row, each ten times the one before."""
    for place in range(9):
        yield first + place, (quantity, unit, Decimal(1).scaleb(exponent + place))


_UNITS: dict[int, tuple[str, str, Decimal]] = dict(
    (
        *_tens(0x02, "energy", "W.h", 0),
        *_tens(0x0B, "energy", "J", 3),
        *_tens(0x14, "power", "W", 0),
        *_tens(0x1D, "power", "J/h", 3),
        *_tens(0x26, "volume", "m3", -6),
        *_tens(0x2F, "volume_flow", "m3/h", -6),
        (0x38, ("temperature", "Cel", Decimal("0.001"))),
        (0x39, ("hca", "{hca}", Decimal(1))),
        (0x3F, ("number", "", Decimal(1))),
    )
)
