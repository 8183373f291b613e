"""Devices, networks and gateways for tests, and a pure world in which a virtual device speaks to a network server."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from lora.device import DeviceEvent, Uplink, VirtualDevice
from lora.events import ActivationChanged, DownlinkScheduled, Event, SessionChanged, SessionEnded
from lora.identifiers import Eui, NetId
from lora.join import Activation, Network
from lora.keys import Key
from lora.memory import MemoryDirectory, MemorySessionStore
from lora.profile import Device, DeviceProfile
from lora.radio import Heard, LoraRate, Rate
from lora.region import RU864, Region
from lora.server import NetworkServer
from lora.session import Session

SECOND_US = 1_000_000
START_US = 1_760_000_000 * SECOND_US
DEV_EUI = Eui(bytes.fromhex("70b3d58ff1010001"))
JOIN_EUI = Eui(bytes.fromhex("70b3d58ff0000000"))
ROOT_KEY = Key(bytes(range(16)))
OTHER_KEY = Key(bytes(range(16, 32)))
NET_ID = NetId(0x000013)
GATEWAYS = tuple(Eui(bytes.fromhex(f"b827ebfffe00000{index}")) for index in range(1, 6))
DR5 = LoraRate(7, 125_000)
T = TypeVar("T")


def counting_random() -> Callable[[int], bytes]:
    """Bytes that differ at each call and are the same in each run."""
    numbers = itertools.count(1)
    return lambda size: (next(numbers) * 0x9E3779B1 % (1 << 8 * size)).to_bytes(size, "big")


def make_profile(dev_eui: Eui = DEV_EUI, version: str = "1.0.3", region: Region = RU864) -> DeviceProfile:
    """A meter."""
    return DeviceProfile(dev_eui, JOIN_EUI, region, version, ports=(2,))


def make_device(
    dev_eui: Eui = DEV_EUI, key: Key = ROOT_KEY, version: str = "1.0.3", *, reads: bool = True, region: Region = RU864
) -> Device:
    """What the directory knows."""
    return Device(make_profile(dev_eui, version, region), key, reads)


def make_heard(payload: bytes, **changes: object) -> Heard:
    """A frame on the first channel of RU864 at DR5."""
    heard = Heard(payload, 868_900_000, DR5, counter_us=1_000_000, rssi_dbm=-80.0, snr_db=5.0)
    return replace(heard, **changes)  # type: ignore[arg-type]  # the fields of Heard, by name


def heard_of(uplink: Uplink, snr_db: float = 5.0, counter_us: int = 1_000_000, rate: Rate | None = None) -> Heard:
    """An uplink as a gateway heard it."""
    return Heard(uplink.payload, uplink.frequency_hz, rate or uplink.rate, counter_us, -80.0, snr_db)


def only(kind: type[T], events: Sequence[object]) -> T:
    """The one event of a kind."""
    found = [event for event in events if isinstance(event, kind)]
    assert len(found) == 1, f"{len(found)} of {kind.__name__} in {[type(event).__name__ for event in events]}"
    return found[0]


def kinds(events: Sequence[object]) -> list[str]:
    """The names of events, in order."""
    return [type(event).__name__ for event in events]


class Stored:
    """What a caller keeps of events: enough to start a server again."""

    def __init__(self) -> None:
        self.activations: dict[Eui, Activation] = {}
        self.sessions: dict[tuple[Eui, int], Session] = {}

    def keep(self, events: Sequence[Event]) -> None:
        """Take the state out of events, as a transaction would."""
        for event in events:
            match event:
                case ActivationChanged(activation, _):
                    self.activations[activation.dev_eui] = activation
                case SessionChanged(session):
                    self.sessions[session.id] = session
                case SessionEnded(session):
                    self.sessions.pop(session.id, None)

    def store(self) -> MemorySessionStore:
        """A store as after a restart."""
        return MemorySessionStore(self.activations.values(), self.sessions.values())


class World:
    """A network server and the time; what it says is kept as a caller would."""

    def __init__(self, *devices: Device, region: Region = RU864, **network: object) -> None:
        self.network = Network(NET_ID, region, **network)  # type: ignore[arg-type]  # the fields of Network, by name
        self.directory = MemoryDirectory(devices or (make_device(),))
        self.stored = Stored()
        self.now_us = START_US
        self.server = self._make()

    def restart(self) -> None:
        """Begin anew from what was stored."""
        self.server = self._make()

    def hear(self, uplink: Uplink, *gateways: Eui, snr_db: float = 5.0) -> list[Event]:
        """Let gateways hear an uplink now, without waiting for the window to close."""
        events: list[Event] = []
        for gateway in gateways or GATEWAYS[:1]:
            events += self.server.receive(gateway, heard_of(uplink, snr_db), self.now_us)
        self.stored.keep(events)
        return events

    def settle(self) -> list[Event]:
        """Let the window close."""
        due_us = self.server.next_timeout()
        if due_us is None:
            return []
        self.now_us = max(self.now_us, due_us)
        events = self.server.handle_timeout(self.now_us)
        self.stored.keep(events)
        return events

    def say(self, uplink: Uplink, *gateways: Eui) -> list[Event]:
        """Let gateways hear an uplink, and wait for what the server makes of it."""
        return self.hear(uplink, *gateways) + self.settle()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now_us += round(seconds * SECOND_US)

    def _make(self) -> NetworkServer:
        return NetworkServer(self.network, self.directory, self.stored.store(), counting_random())


def make_meter(
    dev_eui: Eui = DEV_EUI, key: Key = ROOT_KEY, region: Region = RU864, dev_nonce: int = 0
) -> VirtualDevice:
    """A virtual meter."""
    return VirtualDevice(dev_eui, JOIN_EUI, key, region, random=counting_random(), dev_nonce=dev_nonce)


def answer(meter: VirtualDevice, events: Sequence[Event]) -> DeviceEvent:
    """Hand the scheduled downlink to the meter."""
    return meter.receive(only(DownlinkScheduled, events).transmission.payload)


def joined(world: World, meter: VirtualDevice | None = None) -> VirtualDevice:
    """A meter that has joined."""
    meter = meter or make_meter(region=world.network.region)
    answer(meter, world.say(meter.join()))
    world.wait(10)
    return meter
