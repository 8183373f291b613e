"""Betar SGBM gas meters with the Vega radio: data on port 2, settings on 3, clock on 4.

Data, 12 bytes, little-endian: [0] 1 state, 3 magnet, 4 the module does not answer, 5 the module failed · [1] battery %
· [2:6] Unix time · [6] °C int8 · [7:11] volume u32 * 0.001 m³ · [11] number of restarts. Source: the maker's public
payload parser `betar_sgbm_v1`, restated; no real frame of it is published, the vectors are made from the layout.
"""

import struct
from decimal import Decimal

from drivers.descriptor import AppliesTo, Capability, Comparison, Descriptor, Field, How, Level, StatusBit, Vector
from drivers.driver import Driver
from drivers.errors import FrameError
from drivers.reading import Decoded, Kind, Reported, from_unix
from drivers.vega import clock, ports
from drivers.vega.frame import preview, unpack_integers

_LAYOUT = struct.Struct("<BBIbIB")
_WHAT = "an SGBM data frame"
STATE = 1
ALARMS = {3: "magnet", 4: "module_silent", 5: "module_failed"}
VOLUME = Field("volume", "volume", "m3", Kind.COUNTER, channel=1, scale=Decimal("0.001"))
TEMPERATURE = Field("temperature", "temperature", "Cel", Kind.GAUGE)
BATTERY = Field("battery", "battery_level", "%", Kind.GAUGE)


def decode_data(data: bytes) -> Decoded:
    """Read a data frame into readings and alarms; raise FrameError naming what and where."""
    kind, battery, seconds, celsius, volume, restarts = unpack_integers(_LAYOUT, data, _WHAT)
    if kind != STATE and kind not in ALARMS:
        raise FrameError(f"{_WHAT} has type 1, 3, 4 or 5 in byte 0, got {kind}: {preview(data)}")
    at, alarms = from_unix(seconds), (ALARMS[kind],) if kind in ALARMS else ()
    values = ((VOLUME, volume), (TEMPERATURE, celsius), (BATTERY, battery))
    readings = tuple(field.reading(raw * field.scale, at, alarms) for field, raw in values)
    return Decoded("data", at, readings, (Reported("clock", at), Reported("restarts", restarts)), alarms)


DRIVER = Driver(
    Descriptor(
        id="betar-sgbm",
        publisher="passport-node",
        name="Betar SGBM gas meters with the Vega radio",
        version="1.0.0",
        level=Level.NATIVE,
        applies_to=AppliesTo(models=("SGBM", "СГБМ", "Betar SGBM", "Бетар СГБМ"), match=(("payload", "betar-sgbm"),)),
        transports=("lorawan", "replay"),
        ports=ports.ALL,
        fields=(VOLUME, TEMPERATURE, BATTERY),
        clock=clock.POLICY,
        capabilities=(Capability.TIME_READ, Capability.TIME_SET),
        states=tuple(StatusBit(name, alarm=True) for name in ALARMS.values()),
        comparisons=(
            Comparison("clock", How.NEAR_RECEIVED),
            Comparison("temperature", How.IN_RANGE, Decimal(-40), Decimal(85)),
            Comparison("volume", How.NOT_BELOW),
        ),
        vectors=(
            Vector(
                "data, made from the layout",
                ports.DATA,
                "015f00f15365ec40e2010002",
                "data @2023-11-14T22:13:20Z | 1:volume=123.456 m3 0:temperature=-20 Cel 0:battery_level=95 %"
                " | clock=2023-11-14T22:13:20Z restarts=2",
            ),
            Vector(
                "magnet, made from the layout",
                ports.DATA,
                "036400f153651640e2010000",
                "data @2023-11-14T22:13:20Z | 1:volume=123.456 m3 0:temperature=22 Cel 0:battery_level=100 %"
                " | clock=2023-11-14T22:13:20Z restarts=0 | !magnet",
            ),
        ),
        source="the maker's public payload parser betar_sgbm_v1, restated",
    ),
    ports.decoder(decode_data),
    ("drivers.vega.sgbm", *ports.MODULES),
    clock.answer_clock_report,
)
