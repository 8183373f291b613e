"""The driver of meters on wireless M-Bus and OMS: telegrams of any maker, as far as standards tell them.

A telegram has no port: it comes on port 0. Keys, the meter that it must be of, and formats heard before come with the
context, from the meter's passport.
"""

from drivers.context import NOTHING, Context
from drivers.descriptor import AppliesTo, ClockPolicy, Comparison, Descriptor, How, Level, StatusBit, Vector
from drivers.driver import Driver
from drivers.errors import FrameError
from drivers.reading import Decoded, Reported, Unmapped, alarms_of
from drivers.wmbus.makers import read_maker
from drivers.wmbus.profile import expand
from drivers.wmbus.readings import observe
from drivers.wmbus.telegram import Telegram, decode_telegram
from drivers.wmbus.transport import Content

PORT = 0

# EN 13757-7 table 13, as far as meters are concerned.
MEDIA = {
    0x00: "other",
    0x01: "oil",
    0x02: "electricity",
    0x03: "gas",
    0x04: "heat",
    0x05: "steam",
    0x06: "warm water",
    0x07: "water",
    0x08: "heat cost allocation",
    0x09: "compressed air",
    0x0A: "cooling",
    0x0B: "cooling, measured at the inlet",
    0x0C: "heat, measured at the inlet",
    0x0D: "heat and cooling",
    0x0E: "bus or system",
    0x0F: "unknown",
    0x14: "calorific value",
    0x15: "hot water",
    0x16: "cold water",
    0x17: "hot and cold water",
    0x18: "pressure",
    0x19: "analogue to digital",
    0x1A: "smoke",
    0x1B: "room sensor",
    0x1C: "gas detector",
    0x20: "breaker",
    0x21: "valve",
    0x25: "display",
    0x28: "waste water",
    0x29: "garbage",
    0x31: "communication controller",
    0x32: "unidirectional repeater",
    0x33: "bidirectional repeater",
    0x36: "radio converter, system side",
    0x37: "radio converter, meter side",
}

# EN 13757-7, 7.5.6: bits 0-1 are a number, the upper three are the maker's own.
STATUS_BITS = ("power_low", "permanent_error", "temporary_error", "maker_status_5", "maker_status_6", "maker_status_7")
_APPLICATION = {1: "busy", 2: "application_error", 3: "alarm"}
STATES = (
    *(StatusBit(name, alarm=True) for name in _APPLICATION.values()),
    *(StatusBit(name, True) for name in STATUS_BITS),
)


def decode(port: int, data: bytes, context: Context = NOTHING) -> Decoded:
    """Read a telegram into readings, alarms and what the meter says of itself; raise FrameError or one of its kinds."""
    if port != PORT:
        raise FrameError(f"a wireless telegram comes on port {PORT}, got {port}")
    telegram = decode_telegram(data, context)
    alarms = status_alarms(telegram.header.status)
    records = expand(telegram.records.records) + read_maker(telegram.meter.manufacturer, telegram.records)
    found = observe(records, alarms, context.zone)
    unmapped = (
        *found.unmapped,
        *(Unmapped(name, raw) for name, raw in _left(telegram) if raw),
    )
    return Decoded(
        telegram.header.content.value,
        found.device_time,
        tuple(found.readings),
        (*_identity(telegram), *found.reported),
        alarms,
        unmapped,
    )


def status_alarms(status: int) -> tuple[str, ...]:
    """The names of what the status byte says is wrong."""
    application = _APPLICATION.get(status & 3)
    bits = alarms_of((name, status & 4 << place) for place, name in enumerate(STATUS_BITS))
    return (application, *bits) if application else bits


def _identity(telegram: Telegram) -> list[Reported]:
    meter, sender = telegram.meter, telegram.link.address
    said = [
        Reported("serial", meter.id),
        Reported("manufacturer", meter.manufacturer),
        Reported("version", meter.version),
        Reported("medium", MEDIA.get(meter.device_type, f"type {meter.device_type:02x}")),
        Reported("protection", telegram.protection.value),
    ]
    if sender != meter:
        said.append(Reported("sender", sender.name))
    if telegram.access is not None:
        said.append(Reported("access_number", telegram.access))
    if telegram.records.more_follows:
        said.append(Reported("more_follows", 1))
    if telegram.header.content is Content.FORMAT and telegram.format is not None:
        said.append(Reported("format", f"{telegram.format[0]:04x}"))
    return said


def _left(telegram: Telegram) -> tuple[tuple[str, bytes], ...]:
    return ("manufacturer_data", telegram.records.manufacturer_data), ("rest", telegram.rest)


# Invented meters.
_VECTORS = (
    Vector(
        "a water meter in the clear",
        PORT,
        "30442d2c785634121b077a2a040000046d0f0ac12a0413d2040000426cbf2c4413e803000001fd7463023b640002596c07",
        "full @2022-10-01T10:15:00Z | 0:volume=1.234 m3 0:volume=1.000 m3 0:battery_remaining=99 d "
        "0:volume_flow=0.100 m3/h 0:flow_temperature=19.00 Cel | serial=12345678 manufacturer=KAM "
        "version=27 medium=water protection=none access_number=42 clock=2022-10-01T10:15:00Z "
        "date_storage_1=2021-12-31 | !power_low",
    ),
    Vector(
        "a heat meter behind a converter, opened by the receiver",
        PORT,
        "39445111010000002036728765432151110104050020052f2f0c06123400000b3b5600000a5a43060a5e21041b2b0012002f2f2f2f2f2f0f0102",
        "full | 0:energy=3412000 W.h 0:volume_flow=0.056 m3/h 0:flow_temperature=64.3 Cel "
        "0:return_temperature=42.1 Cel 0:power_maximum=1200 W | serial=21436587 manufacturer=DJQ "
        "version=1 medium=heat protection=opened-before sender=DJQ-00000001 access_number=5 | "
        "?manufacturer_data=0102",
    ),
)

DRIVER = Driver(
    Descriptor(
        id="wmbus-oms",
        publisher="passport-node",
        name="Wireless M-Bus and OMS meters",
        version="1.0.0",
        level=Level.NATIVE,
        applies_to=AppliesTo(match=(("radio", "wmbus"), ("payload", "wmbus-oms"))),
        transports=("wmbus", "lorawan", "tcp", "serial", "replay"),
        ports=(PORT,),
        fields=(),
        clock=ClockPolicy(ahead_s=3600, behind_s=86_400),
        states=STATES,
        comparisons=(
            Comparison("serial", How.SAME_NUMBER),
            Comparison("manufacturer", How.SAME_TEXT),
            Comparison("clock", How.NEAR_RECEIVED),
        ),
        vectors=_VECTORS,
        source="EN 13757-3, -4, -7 and OMS Vol. 2",
    ),
    decode,
    tuple(
        f"drivers.{name}"
        for name in (
            "context",
            "keys",
            "mbus.extensions",
            "mbus.headers",
            "mbus.meanings",
            "mbus.records",
            "mbus.times",
            "wmbus.authentication",
            "wmbus.compact",
            "wmbus.driver",
            "wmbus.extended",
            "wmbus.link",
            "wmbus.makers",
            "wmbus.profile",
            "wmbus.readings",
            "wmbus.telegram",
            "wmbus.transport",
        )
    ),
    in_context=decode,
)
