"""Betar water meters with the Vega radio: data on port 2, settings on 3, clock on 4.

Data, 15 bytes, little-endian: [0] type = 1 · [1] battery % · [2] °C int8 · [3] magnet · [4] LED lock · [5:9] Unix time
of the reading · [9] leak · [10] break · [11:15] volume u32 * 0.0001 m³. Source: the maker's public parser, checked on
real bytes. The frame carries neither serial nor firmware: what can be compared is clock, temperature and register.
"""

import struct
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from drivers.descriptor import AppliesTo, Capability, Comparison, Descriptor, Field, How, Level, StatusBit, Vector
from drivers.driver import Driver
from drivers.errors import FrameError
from drivers.reading import Decoded, Kind, Reported, alarms_of, from_unix
from drivers.vega import clock, ports, settings
from drivers.vega.frame import pack, preview, to_steps, to_unix, unpack_integers

FRAME = "data"
TYPE = 1
_LAYOUT = struct.Struct("<BBbBBIBBI")
_WHAT = "a Betar data frame"
_REAL = "01631e000032e10b5e000001000000"
_REAL_SETTINGS = "0004000102080001013100010110000102370002b400"

VOLUME = Field("volume", "volume", "m3", Kind.COUNTER, channel=1, scale=Decimal("0.0001"))
TEMPERATURE = Field("temperature", "temperature", "Cel", Kind.GAUGE)
BATTERY = Field("battery", "battery_level", "%", Kind.GAUGE)

DESCRIPTOR = Descriptor(
    id="betar-vega",
    publisher="passport-node",
    name="Betar water meters with the Vega radio",
    version="1.0.0",
    level=Level.NATIVE,
    applies_to=AppliesTo(models=("Betar", "Бетар"), match=(("payload", "betar-vega"),)),
    transports=("lorawan", "replay"),
    ports=ports.ALL,
    fields=(VOLUME, TEMPERATURE, BATTERY),
    clock=clock.POLICY,
    capabilities=(Capability.TIME_READ, Capability.TIME_SET),
    states=(
        StatusBit("magnet", alarm=True),
        StatusBit("leak", alarm=True),
        StatusBit("break", alarm=True),
        StatusBit("led_lock", alarm=False),
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
            _REAL,
            "data @2020-01-01T00:00:50Z | 1:volume=0.0001 m3 0:temperature=30 Cel 0:battery_level=99 %"
            " | clock=2020-01-01T00:00:50Z led_lock=0",
        ),
        Vector("clock", clock.PORT, "ff840e2362", "clock @2022-03-05T07:17:24Z | clock=2022-03-05T07:17:24Z"),
        Vector(
            "settings",
            settings.PORT,
            _REAL_SETTINGS,
            "settings | confirmed=2 uplink_count=1 collection_period=1 collection_period_min=60"
            " communication_period=2 communication_period_min=360 time_zone_min=180",
        ),
    ),
    source="the maker's public payload parser, restated",
)


@dataclass(frozen=True, slots=True)
class BetarData:
    """The data frame by its own fields; `volume_m3` in steps of 0.0001, states 0 or set."""

    battery_percent: int
    temperature_c: int
    device_time: datetime
    volume_m3: Decimal
    magnet: int = 0
    led_lock: int = 0
    leak: int = 0
    broken: int = 0


def parse_data(data: bytes) -> BetarData:
    """Read the 15 bytes of port 2; raise FrameError naming what and where."""
    kind, battery, temperature, magnet, lock, seconds, leak, broken, volume = unpack_integers(_LAYOUT, data, _WHAT)
    if kind != TYPE:
        raise FrameError(f"{_WHAT} has type {TYPE} in byte 0, got {kind}: {preview(data)}")
    return BetarData(battery, temperature, from_unix(seconds), volume * VOLUME.scale, magnet, lock, leak, broken)


def encode_data(data: BetarData) -> bytes:
    """The bytes a meter sends on port 2; raise EncodeError for a value that does not fit."""
    steps = to_steps(data.volume_m3, VOLUME.scale, f"{_WHAT}: volume")
    seconds = to_unix(data.device_time, _WHAT)
    states = (data.leak, data.broken)
    head = (TYPE, data.battery_percent, data.temperature_c, data.magnet, data.led_lock)
    return pack(_LAYOUT, _WHAT, *head, seconds, *states, steps)


def decode_data(data: bytes) -> Decoded:
    """Read a data frame into readings, clock and alarms; raise FrameError."""
    frame = parse_data(data)
    alarms = alarms_of((("magnet", frame.magnet), ("leak", frame.leak), ("break", frame.broken)))
    values = ((VOLUME, frame.volume_m3), (TEMPERATURE, frame.temperature_c), (BATTERY, frame.battery_percent))
    return Decoded(
        FRAME,
        frame.device_time,
        tuple(field.reading(value, frame.device_time, alarms) for field, value in values),
        (Reported("clock", frame.device_time), Reported("led_lock", frame.led_lock)),
        alarms,
    )


DRIVER = Driver(
    DESCRIPTOR, ports.decoder(decode_data), ("drivers.vega.betar", *ports.MODULES), clock.answer_clock_report
)
