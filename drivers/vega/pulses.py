"""Vega SI-11 and SI-12, counters of pulses at four inputs: two layouts of the same 24 bytes on port 2.

Both are little-endian and both read any bytes with success, so the layout is chosen by the firmware that the passport
states: below 2 the first, from 2 on the second; a device whose firmware nobody stated has no driver.

First: [0] type · [1] battery % · [2] settings · then of type 1 (state) [3:7] Unix time · [7] °C int8, of type 2 (alarm)
[3] number of the input · [4:8] Unix time · [8:24] four inputs, u32.
Second: [0] reason (0 time, 1-4 that input's alarm) · [1] battery % · [2:6] Unix time · [6] °C int8 · [7:23] four
inputs, u32 · [23] settings.
Settings: bit 0 activation by personalisation · bits 1-3 communication period · bits 4-7 input 1-4 is a guard. A guard
input counts nothing: its value is whether it is closed. What a pulse is worth stands in the meter's passport.
Source: the maker's public payload parsers `si11_v1` and `si11_v2`, restated.
"""

import struct
from datetime import datetime
from decimal import Decimal

from drivers.descriptor import (
    AppliesTo,
    Capability,
    Comparison,
    Descriptor,
    Field,
    How,
    Level,
    StatusBit,
    Vector,
    VersionRange,
)
from drivers.driver import Decoder, Driver
from drivers.errors import FrameError
from drivers.reading import Decoded, Kind, Reported, from_unix
from drivers.vega import clock, ports
from drivers.vega.frame import preview, unpack_integers

STATE, ALARM = 1, 2
FIRST_BELOW = "2"
_STATE = struct.Struct("<BBBIb4I")
_ALARM = struct.Struct("<BBBBI4I")
_SECOND = struct.Struct("<BBIb4IB")
_WHAT = "an SI data frame"
_PERIOD_MIN = {0: 5, 1: 360, 2: 30, 4: 15, 5: 720, 6: 60, 7: 1440}
_INVENTED = "015f0200f1536516d204000000000000000000004d000000"

INPUTS = tuple(Field(f"input_{number}", "pulses", "1", Kind.COUNTER, channel=number) for number in (1, 2, 3, 4))
TEMPERATURE = Field("temperature", "temperature", "Cel", Kind.GAUGE)
BATTERY = Field("battery", "battery_level", "%", Kind.GAUGE)
TRIGGERED = tuple(f"guard_input_{number}" for number in (1, 2, 3, 4))


def decode_first(data: bytes) -> Decoded:
    """Read a data frame of the first layout; raise FrameError naming what and where."""
    if data[:1] == bytes([ALARM]):
        _, battery, bits, number, seconds, *inputs = unpack_integers(_ALARM, data, _WHAT)
        if not 1 <= number <= len(INPUTS):
            raise FrameError(f"{_WHAT}: byte 3 names input 1-4, got {number}: {preview(data)}")
        return _decoded("alarm", from_unix(seconds), battery, None, inputs, bits, number)
    kind, battery, bits, seconds, temperature, *inputs = unpack_integers(_STATE, data, _WHAT)
    if kind != STATE:
        raise FrameError(f"{_WHAT} has type {STATE} or {ALARM} in byte 0, got {kind}: {preview(data)}")
    return _decoded("data", from_unix(seconds), battery, temperature, inputs, bits, 0)


def decode_second(data: bytes) -> Decoded:
    """Read a data frame of the second layout; raise FrameError naming what and where."""
    reason, battery, seconds, temperature, *rest = unpack_integers(_SECOND, data, _WHAT)
    if reason > len(INPUTS):
        raise FrameError(f"{_WHAT}: the reason in byte 0 is 0-4, got {reason}: {preview(data)}")
    return _decoded("alarm" if reason else "data", from_unix(seconds), battery, temperature, rest[:4], rest[4], reason)


def _decoded(
    frame: str, at: datetime, battery: int, temperature: int | None, inputs: list[int], bits: int, triggered: int
) -> Decoded:
    guards = [bool(bits >> 4 + place & 1) for place in range(len(INPUTS))]
    alarms = (TRIGGERED[triggered - 1],) if triggered else ()
    values = [
        field.reading(value, at, alarms)
        for field, value, guard in zip(INPUTS, inputs, guards, strict=True)
        if not guard
    ]
    if temperature is not None:
        values.append(TEMPERATURE.reading(temperature, at, alarms))
    said = [Reported("clock", at), Reported("activation", "ABP" if bits & 1 else "OTAA")]
    if (code := bits >> 1 & 7) in _PERIOD_MIN:
        said.append(Reported("communication_period_min", _PERIOD_MIN[code]))
    closed = zip(INPUTS, inputs, guards, strict=True)
    said += [Reported(f"{field.name}_closed", int(value != 0)) for field, value, guard in closed if guard]
    return Decoded(frame, at, (*values, BATTERY.reading(battery, at, alarms)), tuple(said), alarms)


def _driver(layout: int, decode: Decoder, firmware: VersionRange, vector: Vector) -> Driver:
    descriptor = Descriptor(
        id=f"vega-si-v{layout}",
        publisher="passport-node",
        name=f"Vega SI-11 and SI-12 pulse counters, layout {layout}",
        version="1.0.0",
        level=Level.NATIVE,
        applies_to=AppliesTo(
            models=("SI-11", "SI-12", "Vega SI-11", "Vega SI-12", "Вега SI-11", "Вега SI-12"),
            match=(("payload", "vega-si"),),
            firmware=firmware,
        ),
        transports=("lorawan", "replay"),
        ports=ports.ALL,
        fields=(*INPUTS, TEMPERATURE, BATTERY),
        clock=clock.POLICY,
        capabilities=(Capability.TIME_READ, Capability.TIME_SET),
        states=tuple(StatusBit(name, alarm=True) for name in TRIGGERED),
        comparisons=(
            Comparison("clock", How.NEAR_RECEIVED),
            Comparison("temperature", How.IN_RANGE, Decimal(-40), Decimal(85)),
        ),
        vectors=(vector,),
        source=f"the maker's public payload parser si11_v{layout}, restated",
    )
    return Driver(descriptor, decode, ("drivers.vega.pulses", *ports.MODULES), clock.answer_clock_report)


FIRST = _driver(
    1,
    ports.decoder(decode_first),
    VersionRange(below=FIRST_BELOW),
    Vector(
        "data",
        ports.DATA,
        _INVENTED,
        "data @2023-11-14T22:13:20Z | 1:pulses=1234 1 2:pulses=0 1 3:pulses=0 1 4:pulses=77 1 0:temperature=22 Cel"
        " 0:battery_level=95 % | clock=2023-11-14T22:13:20Z activation=OTAA communication_period_min=360",
    ),
)
SECOND = _driver(
    2,
    ports.decoder(decode_second),
    VersionRange(minimum=FIRST_BELOW),
    Vector(
        "the bytes of a state in the first layout",
        ports.DATA,
        _INVENTED,
        "alarm @2014-08-17T19:18:26Z | 1:pulses=315926 1 2:pulses=0 1 3:pulses=0 1 4:pulses=19712 1"
        " 0:temperature=101 Cel 0:battery_level=95 % | clock=2014-08-17T19:18:26Z activation=OTAA"
        " communication_period_min=5 | !guard_input_1",
    ),
)
