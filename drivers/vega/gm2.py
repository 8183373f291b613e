"""Vega GM-2, the modem of Elster gas meters: data on port 2, settings on 3, clock on 4.

Data, 21 bytes, little-endian: [0] battery % · [1:5] Unix time · [5] °C int8 · [6] reason · [7] [8] inputs 1 and 2
closed · [9] [10] outputs 1 and 2 closed · [11] magnet · [12] case open · [13:17] volume u32 * 0.01 m³ · [17:21] volume
when the modem was put on, u32 * 0.01 m³. Source: the maker's public payload parser `gm2_v1`, restated.
"""

import struct
from decimal import Decimal

from drivers.descriptor import AppliesTo, Capability, Comparison, Descriptor, Field, How, Level, StatusBit, Vector
from drivers.driver import Driver
from drivers.errors import FrameError
from drivers.reading import Decoded, Kind, Reported, alarms_of, from_unix
from drivers.vega import clock, ports
from drivers.vega.frame import preview, unpack_integers

_LAYOUT = struct.Struct("<BIb7BII")
_WHAT = "a GM-2 data frame"
REASONS = ("time", "input_1", "input_2", "output_1", "output_2", "magnet", "case_opened")
VOLUME = Field("volume", "volume", "m3", Kind.COUNTER, channel=1, scale=Decimal("0.01"))
TEMPERATURE = Field("temperature", "temperature", "Cel", Kind.GAUGE)
BATTERY = Field("battery", "battery_level", "%", Kind.GAUGE)


def decode_data(data: bytes) -> Decoded:
    """Read a data frame into readings, states and alarms; raise FrameError naming what and where."""
    battery, seconds, celsius, reason, one, two, first, second, magnet, case, volume, initial = unpack_integers(
        _LAYOUT, data, _WHAT
    )
    if reason >= len(REASONS):
        raise FrameError(f"{_WHAT}: the reason in byte 6 is 0-{len(REASONS) - 1}, got {reason}: {preview(data)}")
    at = from_unix(seconds)
    alarms = alarms_of(
        (
            ("magnet", magnet),
            ("case_opened", case),
            ("guard_input_1", REASONS[reason] == "input_1"),
            ("guard_input_2", REASONS[reason] == "input_2"),
        )
    )
    values = ((VOLUME, volume), (TEMPERATURE, celsius), (BATTERY, battery))
    states = {"input_1_closed": one, "input_2_closed": two, "output_1_closed": first, "output_2_closed": second}
    return Decoded(
        "data",
        at,
        tuple(field.reading(raw * field.scale, at, alarms) for field, raw in values),
        (
            Reported("clock", at),
            Reported("reason", REASONS[reason]),
            *(Reported(name, int(state != 0)) for name, state in states.items()),
            Reported("initial_volume_m3", initial * VOLUME.scale),
        ),
        alarms,
    )


DRIVER = Driver(
    Descriptor(
        id="vega-gm2",
        publisher="passport-node",
        name="Vega GM-2 modem of Elster gas meters",
        version="1.0.0",
        level=Level.NATIVE,
        applies_to=AppliesTo(models=("GM-2", "Vega GM-2", "Вега GM-2"), match=(("payload", "vega-gm2"),)),
        transports=("lorawan", "replay"),
        ports=ports.ALL,
        fields=(VOLUME, TEMPERATURE, BATTERY),
        clock=clock.POLICY,
        capabilities=(Capability.TIME_READ, Capability.TIME_SET),
        states=tuple(
            StatusBit(name, alarm=True) for name in ("magnet", "case_opened", "guard_input_1", "guard_input_2")
        ),
        comparisons=(
            Comparison("clock", How.NEAR_RECEIVED),
            Comparison("temperature", How.IN_RANGE, Decimal(-40), Decimal(85)),
            Comparison("volume", How.NOT_BELOW),
        ),
        vectors=(
            Vector(
                "data",
                ports.DATA,
                "5eacc12a621b00000000000001e2f4020000000000",
                "data @2022-03-11T03:27:40Z | 1:volume=1937.62 m3 0:temperature=27 Cel 0:battery_level=94 %"
                " | clock=2022-03-11T03:27:40Z reason=time input_1_closed=0 input_2_closed=0 output_1_closed=0"
                " output_2_closed=0 initial_volume_m3=0.00 | !case_opened",
            ),
        ),
        source="the maker's public payload parser gm2_v1, restated",
    ),
    ports.decoder(decode_data),
    ("drivers.vega.gm2", *ports.MODULES),
    clock.answer_clock_report,
)
