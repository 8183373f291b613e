"""SPBZIP CE2726A / CE2727A electricity meters with the Vega radio, port 2.

Info, 34 bytes, little-endian: [0] = 1 · [1:5] serial · [5:9] Unix time · [9:13] flags · [13:17] date made ·
[17:21] firmware * 10 · [21:25] W.h in all · [25] °C int8 · [26:34] no document.
Tariffs, 32 bytes: [0] = 4 · [1:5] serial · [5:9] Unix time · [9] no document · [10:14] W.h in all · [14:30] four
tariffs, W.h · [30:32] no document. Source: the maker's public parser, checked on real bytes, in which one byte stands
between time and total. The info frame names its meter: serial, date made and firmware are compared with the passport.
The clock may be stepped by at most ±30 s at a time and a day or more goes to a person; the command has no document.
"""

import struct
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import cast

from drivers.descriptor import AppliesTo, Capability, ClockPolicy, Comparison, Descriptor, Field, How, Level, Vector
from drivers.driver import Driver
from drivers.errors import EncodeError, FrameError
from drivers.reading import Decoded, Kind, Reported, Unmapped, from_unix
from drivers.vega.frame import pack, preview, to_steps, to_unix, unpack_exact

PORT = 2
INFO, TARIFFS = 1, 4
_INFO = struct.Struct("<BII4sIIIb8s")
_TARIFFS = struct.Struct("<BIIcIIIII2s")
_REAL_INFO = "01c94818002fb930620101ff00808b965d0c00000014d60100270300000013006bd8"
_REAL_TARIFFS = "04c9481800ebc131620315d601000717010060ae000055080000590800001498"

ENERGY = Field("energy", "energy_active_import", "W.h", Kind.COUNTER, channel=1)
TARIFF_FIELDS = tuple(
    Field(f"energy_t{number}", "energy_active_import", "W.h", Kind.COUNTER, channel=1, tariff=number)
    for number in (1, 2, 3, 4)
)
TEMPERATURE = Field("temperature", "temperature", "Cel", Kind.GAUGE)

DESCRIPTOR = Descriptor(
    id="spbzip-ce272x",
    publisher="passport-node",
    name="SPBZIP CE2726A and CE2727A electricity meters with the Vega radio",
    version="1.0.0",
    level=Level.NATIVE,
    applies_to=AppliesTo(models=("CE2726A", "CE2727A"), match=(("payload", "spbzip-ce272x"),)),
    transports=("lorawan", "replay"),
    ports=(PORT,),
    fields=(ENERGY, *TARIFF_FIELDS, TEMPERATURE),
    clock=ClockPolicy(ahead_s=60, behind_s=86_400, max_step_s=30, person_over_s=86_400),
    capabilities=(Capability.TIME_READ, Capability.TIME_SET),
    comparisons=(
        Comparison("serial", How.SAME_NUMBER),
        Comparison("made", How.SAME_TEXT),
        Comparison("firmware", How.SAME_VERSION),
        Comparison("clock", How.NEAR_RECEIVED),
        Comparison("temperature", How.IN_RANGE, Decimal(-40), Decimal(85)),
        Comparison("energy_active_import", How.NOT_BELOW),
    ),
    vectors=(
        Vector(
            "info",
            PORT,
            _REAL_INFO,
            "info @2022-03-15T16:05:03Z | 1:energy_active_import=120340 W.h 0:temperature=39 Cel"
            " | serial=1591497 clock=2022-03-15T16:05:03Z made=2019-10-04 firmware=1.2"
            " | ?flags=0101ff00 ?rest=0300000013006bd8",
        ),
        Vector(
            "tariffs",
            PORT,
            _REAL_TARIFFS,
            "tariffs @2022-03-16T10:54:35Z | 1:energy_active_import=120341 W.h 1:energy_active_import/1=71431 W.h"
            " 1:energy_active_import/2=44640 W.h 1:energy_active_import/3=2133 W.h 1:energy_active_import/4=2137 W.h"
            " | serial=1591497 clock=2022-03-16T10:54:35Z | ?byte_9=03 ?rest=1498",
        ),
    ),
    source="the maker's public payload parser, restated",
)


@dataclass(frozen=True, slots=True)
class SpbzipInfo:
    """The info frame by its own fields; `firmware` is a number with one decimal, energy in W.h."""

    serial: int
    device_time: datetime
    made: date
    firmware: Decimal
    energy_wh: int
    temperature_c: int
    flags: bytes = bytes(4)
    rest: bytes = bytes(8)


@dataclass(frozen=True, slots=True)
class SpbzipTariffs:
    """The tariffs frame by its own fields; energies in W.h."""

    serial: int
    device_time: datetime
    energy_wh: int
    tariffs_wh: tuple[int, int, int, int]
    byte_9: int = 3
    rest: bytes = bytes(2)


def parse_info(data: bytes) -> SpbzipInfo:
    """Read the 34 bytes of an info frame; raise FrameError naming what and where."""
    raw = unpack_exact(_INFO, data, "an SPBZIP info frame")
    kind, serial, seconds, flags, made, firmware, energy, temperature, rest = cast(
        "tuple[int, int, int, bytes, int, int, int, int, bytes]", raw
    )
    _check_type(kind, INFO, data)
    version = Decimal(firmware).scaleb(-1)
    return SpbzipInfo(serial, from_unix(seconds), from_unix(made).date(), version, energy, temperature, flags, rest)


def encode_info(info: SpbzipInfo) -> bytes:
    """The bytes of an info frame; raise EncodeError for a value that does not fit."""
    what = "an SPBZIP info frame"
    firmware = to_steps(info.firmware, Decimal("0.1"), f"{what}: firmware")
    _check_raw(what, info.flags, 4)
    _check_raw(what, info.rest, 8)
    made = to_unix(datetime.combine(info.made, time(), UTC), what)
    seconds = to_unix(info.device_time, what)
    tail = (info.energy_wh, info.temperature_c, info.rest)
    return pack(_INFO, what, INFO, info.serial, seconds, info.flags, made, firmware, *tail)


def parse_tariffs(data: bytes) -> SpbzipTariffs:
    """Read the 32 bytes of a tariffs frame; raise FrameError naming what and where."""
    raw = unpack_exact(_TARIFFS, data, "an SPBZIP tariffs frame")
    kind, serial, seconds, byte_9, energy, first, second, third, fourth, rest = cast(
        "tuple[int, int, int, bytes, int, int, int, int, int, bytes]", raw
    )
    _check_type(kind, TARIFFS, data)
    return SpbzipTariffs(serial, from_unix(seconds), energy, (first, second, third, fourth), byte_9[0], rest)


def encode_tariffs(tariffs: SpbzipTariffs) -> bytes:
    """The bytes of a tariffs frame; raise EncodeError for a value that does not fit."""
    what = "an SPBZIP tariffs frame"
    _check_raw(what, tariffs.rest, 2)
    if not 0 <= tariffs.byte_9 <= 255:
        raise EncodeError(f"{what}: byte 9 is {tariffs.byte_9}")
    seconds = to_unix(tariffs.device_time, what)
    head = (TARIFFS, tariffs.serial, seconds, bytes([tariffs.byte_9]), tariffs.energy_wh)
    return pack(_TARIFFS, what, *head, *tariffs.tariffs_wh, tariffs.rest)


def decode_info(data: bytes) -> Decoded:
    """Read an info frame into readings and what the meter says of itself; raise FrameError."""
    info = parse_info(data)
    return Decoded(
        "info",
        info.device_time,
        (
            ENERGY.reading(info.energy_wh, info.device_time),
            TEMPERATURE.reading(info.temperature_c, info.device_time),
        ),
        (
            *_identity(info.serial, info.device_time),
            Reported("made", info.made),
            Reported("firmware", format(info.firmware, "f")),
        ),
        unmapped=(Unmapped("flags", info.flags), Unmapped("rest", info.rest)),
    )


def decode_tariffs(data: bytes) -> Decoded:
    """Read a tariffs frame into the total and its four tariffs; raise FrameError."""
    frame = parse_tariffs(data)
    values = zip((ENERGY, *TARIFF_FIELDS), (frame.energy_wh, *frame.tariffs_wh), strict=True)
    return Decoded(
        "tariffs",
        frame.device_time,
        tuple(field.reading(value, frame.device_time) for field, value in values),
        _identity(frame.serial, frame.device_time),
        unmapped=(Unmapped("byte_9", bytes([frame.byte_9])), Unmapped("rest", frame.rest)),
    )


def decode(port: int, data: bytes) -> Decoded:
    """Read a frame of port 2 by its first byte; raise FrameError for any other."""
    if port != PORT or not data or data[0] not in _DECODERS:
        raise FrameError(f"no SPBZIP frame with a published layout: port {port}, {preview(data)}")
    return _DECODERS[data[0]](data)


def _identity(serial: int, at: datetime) -> tuple[Reported, ...]:
    return (Reported("serial", str(serial)), Reported("clock", at))


def _check_type(kind: int, expected: int, data: bytes) -> None:
    if kind != expected:
        raise FrameError(f"an SPBZIP frame of type {expected} has it in byte 0, got {kind}: {preview(data)}")


def _check_raw(what: str, raw: bytes, size: int) -> None:
    if len(raw) != size:
        raise EncodeError(f"{what}: the bytes without a document are {size}, got {len(raw)}")


_DECODERS = {INFO: decode_info, TARIFFS: decode_tariffs}
DRIVER = Driver(DESCRIPTOR, decode, ("drivers.vega.spbzip", "drivers.vega.frame"))
