"""The driver of meters on wired M-Bus of any maker: what EN 13757-2 and -3 tell of a frame.

A line has no ports: a frame comes on port 0. Which readings there are, the frames say themselves: no field is declared.
A meter's clock has no zone; it is read in the zone that the context gives.
"""

from drivers.context import NOTHING, Context
from drivers.descriptor import AppliesTo, Capability, ClockPolicy, Comparison, Descriptor, How, Level, StatusBit, Vector
from drivers.driver import Driver
from drivers.errors import ForeignMeterError, FrameError, UnsupportedError
from drivers.mbus.application import Telegram, decode_application
from drivers.mbus.device import STATES, status_alarms
from drivers.mbus.frame import USER_DATA_AT, decode_frame
from drivers.mbus.makers import read_makers
from drivers.mbus.readings import observe
from drivers.reading import Decoded, Reported, ReportedValue, Unmapped, alarms_of

PORT = 0
# An alarm report has eight bits of the maker's own choice.
ALARMS = tuple(f"alarm_{bit}" for bit in range(8))


def decode(port: int, data: bytes, context: Context = NOTHING) -> Decoded:
    """Read a meter's answer into readings, alarms and what it says of itself; raise FrameError or one of its kinds."""
    if port != PORT:
        raise FrameError(f"a frame of the wire comes on port {PORT}, got {port}")
    frame = decode_frame(data)
    if frame is None:
        return Decoded("acknowledgement")
    if not frame.is_answer or not frame.user_data:
        raise UnsupportedError(f"unsupported: C field {frame.control:02x} is no answer of a meter (RSP_UD)")
    telegram = decode_application(frame.user_data, where=USER_DATA_AT)
    name = f"{telegram.manufacturer}-{telegram.id}"
    if context.meter is not None and telegram.manufacturer is not None and name != context.meter:
        raise ForeignMeterError(f"the frame is of {name}, not of {context.meter}")
    return _decoded(telegram, frame.address, context)


def _decoded(telegram: Telegram, address: int, context: Context) -> Decoded:
    alarms = status_alarms(telegram.status)
    records = read_makers(telegram.manufacturer, telegram.medium, telegram.records.records)
    found = observe(records, alarms, context.zone)
    reported = (*_identity(telegram, address), *found.reported)
    if telegram.alarm is not None:
        alarms = alarms_of((name, telegram.alarm >> bit & 1) for bit, name in enumerate(ALARMS))
        return Decoded("alarm", reported=reported, alarms=alarms)
    unmapped = found.unmapped
    if telegram.records.manufacturer_data:
        unmapped = [*unmapped, Unmapped("manufacturer_data", telegram.records.manufacturer_data)]
    return Decoded("data", found.device_time, tuple(found.readings), reported, alarms, tuple(unmapped))


def _identity(telegram: Telegram, address: int) -> tuple[Reported, ...]:
    said: tuple[tuple[str, ReportedValue | None], ...] = (
        ("serial", telegram.id),
        ("manufacturer", telegram.manufacturer),
        ("version", telegram.version),
        ("medium", telegram.medium),
        ("access_number", telegram.access),
        ("address", address),
        ("more_follows", 1 if telegram.records.more_follows else None),
    )
    return tuple(Reported(name, value) for name, value in said if value is not None)


# Invented meters.
_VECTORS = (
    Vector(
        "a heat meter",
        PORT,
        "68535368080772452361902d2c1b042a040000046d0f0ac12a0c06123400000c13876504000b3b5600000a5a43060a5e"
        "21043b2d120000426cbf2c4c06982000008c0106456000008c1013cc00fff002fd1700000f01021916",
        "data @2022-10-01T10:15:00Z | 0:energy=3412000 W.h 0:volume=46.587 m3 0:volume_flow=0.056 m3/h "
        "0:flow_temperature=64.3 Cel 0:return_temperature=42.1 Cel 0:power_error=1200 W "
        "0:energy@billing-1=2098000 W.h 0:energy@billing-2=6045000 W.h 0:error_flags=0 1 | "
        "serial=90612345 manufacturer=KAM version=27 medium=heat access_number=42 address=7 "
        "clock=2022-10-01T10:15:00Z date_storage_1=2021-12-31 | !power_low | ?volume 8c1013=cc00fff0 "
        "?manufacturer_data=0102",
    ),
    Vector(
        "a fixed structure",
        PORT,
        "68131368080573785634120a04e97e01000000350100004016",
        "data | 0:volume=0.001 m3 0:volume@billing-1=0.135 m3 | serial=12345678 medium=water "
        "access_number=10 address=5 | !power_low",
    ),
)

DRIVER = Driver(
    Descriptor(
        id="mbus-generic",
        publisher="passport-node",
        name="Wired M-Bus meters",
        version="1.0.0",
        level=Level.NATIVE,
        applies_to=AppliesTo(match=(("line", "mbus"), ("payload", "mbus-generic"))),
        transports=("serial", "tcp", "replay"),
        ports=(PORT,),
        fields=(),
        clock=ClockPolicy(ahead_s=3600, behind_s=86_400),
        capabilities=(Capability.TIME_READ,),
        states=(*STATES, *(StatusBit(name, alarm=True) for name in ALARMS)),
        comparisons=(
            Comparison("serial", How.SAME_NUMBER),
            Comparison("manufacturer", How.SAME_TEXT),
            Comparison("clock", How.NEAR_RECEIVED),
        ),
        vectors=_VECTORS,
        source="EN 13757-2, EN 13757-3 and the fixed structure of EN 1434-3",
    ),
    decode,
    tuple(
        f"drivers.{name}"
        for name in (
            "context",
            "mbus.application",
            "mbus.device",
            "mbus.driver",
            "mbus.extensions",
            "mbus.fixed",
            "mbus.frame",
            "mbus.headers",
            "mbus.makers",
            "mbus.meanings",
            "mbus.readings",
            "mbus.records",
            "mbus.times",
        )
    ),
    in_context=decode,
)
