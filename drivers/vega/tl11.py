"""Vega TL-11, the thermometer with a sensor outside: data on port 2, settings on 3, clock on 4.

Data, 10 bytes, little-endian: [0] battery % · [1:5] Unix time · [5:7] °C int16 * 0.1 inside · [7:9] °C int16 * 0.1
outside · [9] bits 0-1 reason (0 time, 1 the case was opened), bit 2 the case is open. Channel 0 is the device itself,
channel 1 its sensor. Source: the maker's public payload parser `tl11_v1`, restated.
"""

import struct
from decimal import Decimal

from drivers.descriptor import AppliesTo, Capability, Comparison, Descriptor, Field, How, Level, StatusBit, Vector
from drivers.driver import Driver
from drivers.reading import Decoded, Kind, Reported, alarms_of, from_unix
from drivers.vega import clock, ports
from drivers.vega.frame import unpack_integers

_LAYOUT = struct.Struct("<BIhhB")
REASONS = ("time", "case_opened", "unknown_2", "unknown_3")
INSIDE = Field("inside", "temperature", "Cel", Kind.GAUGE, scale=Decimal("0.1"))
OUTSIDE = Field("outside", "temperature", "Cel", Kind.GAUGE, channel=1, scale=Decimal("0.1"))
BATTERY = Field("battery", "battery_level", "%", Kind.GAUGE)


def decode_data(data: bytes) -> Decoded:
    """Read a data frame into readings and alarms; raise FrameError naming what and where."""
    battery, seconds, inside, outside, bits = unpack_integers(_LAYOUT, data, "a TL-11 data frame")
    at, alarms = from_unix(seconds), alarms_of((("case_opened", bits & 4),))
    values = ((INSIDE, inside), (OUTSIDE, outside), (BATTERY, battery))
    readings = tuple(field.reading(raw * field.scale, at, alarms) for field, raw in values)
    return Decoded("data", at, readings, (Reported("clock", at), Reported("reason", REASONS[bits & 3])), alarms)


DRIVER = Driver(
    Descriptor(
        id="vega-tl11",
        publisher="passport-node",
        name="Vega TL-11 thermometer",
        version="1.0.0",
        level=Level.NATIVE,
        applies_to=AppliesTo(models=("TL-11", "Vega TL-11", "Вега TL-11"), match=(("payload", "vega-tl11"),)),
        transports=("lorawan", "replay"),
        ports=ports.ALL,
        fields=(INSIDE, OUTSIDE, BATTERY),
        clock=clock.POLICY,
        capabilities=(Capability.TIME_READ, Capability.TIME_SET),
        states=(StatusBit("case_opened", alarm=True),),
        comparisons=(
            Comparison("clock", How.NEAR_RECEIVED),
            Comparison("temperature", How.IN_RANGE, Decimal(-40), Decimal(85)),
        ),
        vectors=(
            Vector(
                "data",
                ports.DATA,
                "63cf4f30621101120105",
                "data @2022-03-15T08:35:27Z | 0:temperature=27.3 Cel 1:temperature=27.4 Cel 0:battery_level=99 %"
                " | clock=2022-03-15T08:35:27Z reason=case_opened | !case_opened",
            ),
        ),
        source="the maker's public payload parser tl11_v1, restated",
    ),
    ports.decoder(decode_data),
    ("drivers.vega.tl11", *ports.MODULES),
    clock.answer_clock_report,
)
