"""The driver of meters on wireless M-Bus and OMS: telegrams of any maker, as far as standards tell them.

A telegram has no port: it comes on port 0. Keys, the meter that it must be of, and formats heard before come with the
context, from the meter's passport.
"""

from drivers.context import NOTHING, Context
from drivers.descriptor import AppliesTo, Capability, ClockPolicy, Comparison, Descriptor, How, Level, Vector
from drivers.driver import Driver
from drivers.errors import FrameError
from drivers.mbus.device import MEDIA, STATES, status_alarms
from drivers.mbus.readings import observe
from drivers.reading import Decoded, Reported, Unmapped
from drivers.wmbus.makers import read_maker
from drivers.wmbus.profile import expand
from drivers.wmbus.telegram import Telegram, decode_telegram
from drivers.wmbus.transport import Content

__all__ = ["DRIVER", "PORT", "decode", "status_alarms"]

PORT = 0


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
        formats=() if telegram.format is None else (telegram.format,),
    )


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
        "full @2022-10-01T10:15:00Z | 0:volume=1.234 m3 0:volume@billing-1=1.000 m3 0:battery_remaining=99 d "
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
        capabilities=(Capability.TIME_READ,),
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
            "mbus.device",
            "mbus.extensions",
            "mbus.headers",
            "mbus.meanings",
            "mbus.readings",
            "mbus.records",
            "mbus.times",
            "wmbus.authentication",
            "wmbus.compact",
            "wmbus.driver",
            "wmbus.extended",
            "wmbus.link",
            "wmbus.makers",
            "wmbus.profile",
            "wmbus.telegram",
            "wmbus.transport",
        )
    ),
    in_context=decode,
)
