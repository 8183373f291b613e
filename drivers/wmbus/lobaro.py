"""The driver of Lobaro bridges: their status, and uplinks with parts of telegrams of wireless M-Bus meters.

Nothing is kept between calls: the parts before one come with the context.
"""

from drivers.context import NOTHING, Context
from drivers.descriptor import AppliesTo, ClockPolicy, Descriptor, Field, Level, Vector
from drivers.driver import Driver
from drivers.errors import FrameError
from drivers.reading import Carried, Decoded, Kind, Reported, from_unix
from drivers.wmbus.bridge import (
    RSSI_PORT,
    STATUS_PORT,
    TIMED_PORT,
    BridgeReported,
    BridgeSession,
    PartsDropped,
    TelegramJoined,
)
from drivers.wmbus.telegram import read_meter

VOLTAGE = Field("battery", "battery_voltage", "V", Kind.GAUGE)
TEMPERATURE = Field("temperature", "temperature", "Cel", Kind.GAUGE)
PORTS = (STATUS_PORT, *(10 * part + of for of in range(1, 10) for part in range(1, of + 1)), TIMED_PORT, RSSI_PORT)


def decode(port: int, data: bytes, context: Context = NOTHING) -> Decoded:
    """Read an uplink, the last of its telegram with the whole telegram; raise FrameError."""
    session = BridgeSession()
    for one in context.earlier:
        try:
            session.receive_uplink(one.port, one.data, one.counter, one.at)
        except FrameError:
            continue  # it was refused when it was heard
    events = session.receive_uplink(port, data, context.counter or 0, context.received_at or from_unix(0))
    said = [Reported("dropped", event.reason) for event in events if isinstance(event, PartsDropped)]
    last = events[-1] if events else None
    match last:
        case BridgeReported():
            return _status(last)
        case TelegramJoined():
            told = () if last.rssi_dbm is None else (Reported("rssi", last.rssi_dbm),)
            carried = Carried(read_meter(last.telegram).name, last.telegram, last.heard_at)
            return Decoded("telegram", None, (), (*said, *told), carried=(carried,))
        case PartsDropped() if not last.parts or last.first_counter == (context.counter or 0):
            raise FrameError(f"this part is of no telegram: {last.reason}")
    return Decoded("part", None, (), tuple(said))


def _status(status: BridgeReported) -> Decoded:
    readings = [VOLTAGE.reading(status.battery_v, None)]
    if status.temperature_c is not None:
        readings.append(TEMPERATURE.reading(status.temperature_c, None))
    return Decoded("status", None, tuple(readings), (Reported("firmware", status.firmware),))


DRIVER = Driver(
    Descriptor(
        id="lobaro-wmbus-bridge",
        publisher="passport-node",
        name="Lobaro wM-Bus bridge over LoRaWAN",
        version="1.0.0",
        level=Level.NATIVE,
        applies_to=AppliesTo(models=("Lobaro wMBUS Bridge",), match=(("payload", "lobaro-wmbus-bridge"),)),
        transports=("lorawan",),
        ports=PORTS,
        fields=(VOLTAGE, TEMPERATURE),
        clock=ClockPolicy(ahead_s=3600, behind_s=86_400),
        vectors=(
            Vector(
                "its status",
                STATUS_PORT,
                "0206030a0ef0000f",
                "status | 0:battery_voltage=3.594 V 0:temperature=24.0 Cel | firmware=2.6.3",
            ),
            Vector(
                "a telegram in one uplink",
                11,
                "30442d2c785634121b077a2a040000046d0f0ac12a0413d2040000426cbf2c4413e803000001fd7463023b640002596c07",
                "telegram | >KAM-12345678="
                "30442d2c785634121b077a2a040000046d0f0ac12a0413d2040000426cbf2c4413e803000001fd7463023b640002596c07",
            ),
            Vector("the first part of two", 12, "30442d2c7856", "part"),
        ),
        source="Lobaro, LoRaWAN Communication of app-nrf9160-wmbus and the manual of the bridge V2",
    ),
    decode,
    tuple(
        f"drivers.{name}"
        for name in ("context", "wmbus.bridge", "wmbus.lobaro", "wmbus.telegram", "wmbus.link", "wmbus.transport")
    ),
    in_context=decode,
    joins=True,
)
