"""A device whose every bit is in a test's hands: it speaks under a session's keys and obeys nobody by itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from lora.commands import MacCommand
from lora.crypto import Direction, crypt_payload, data_mic
from lora.events import DownlinkScheduled, Event
from lora.frame import MAX_FOPTS, DataFrame, FCtrl, MType, decode_frame, encode_data
from lora.mac import encode_commands, parse_commands
from lora.radio import Heard
from lora.session import Session
from tests.unit.lora.builders import DEV_EUI, GATEWAYS, World, joined

PORT = 2
EVERY_S = 60


@dataclass(frozen=True)
class Told:
    """A downlink as the device reads it."""

    commands: tuple[MacCommand, ...]
    port: int | None
    payload: bytes
    fopts: bytes
    scheduled: DownlinkScheduled


class Radio:
    """A joined device of a world. `dr` and `snr_db` are how it sends and is heard."""

    def __init__(self, world: World) -> None:
        joined(world)
        self.world = world
        self.dr, self.snr_db, self.adr = 5, 4.0, True
        self.fcnt = 0
        self.last = b""

    @property
    def session(self) -> Session:
        """What the network keeps of it."""
        return next(one for one in self.world.stored.sessions.values() if one.dev_eui == DEV_EUI)

    def send(self, *answers: MacCommand, confirmed: bool = False, raw: bytes = b"", lost: bool = False) -> list[Event]:
        """A frame with these in FOpts or on port 0, a minute after the one before: what the network makes of it."""
        session, fopts = self.session, encode_commands(answers) + raw
        port, key, payload = PORT, session.application_key, b"x"
        if len(fopts) > MAX_FOPTS:
            port, key, payload, fopts = 0, session.network_key, fopts, b""
        assert key is not None
        sealed = crypt_payload(key, Direction.UP, session.dev_addr, self.fcnt, payload)
        mtype = MType.CONFIRMED_UP if confirmed else MType.UNCONFIRMED_UP
        fctrl = FCtrl(adr=self.adr)
        signed = encode_data(mtype, session.dev_addr, fctrl, fcnt=self.fcnt, fopts=fopts, fport=port, payload=sealed)
        self.last = signed + data_mic(session.network_key, Direction.UP, session.dev_addr, self.fcnt, signed)
        self.fcnt += 1
        self.world.wait(EVERY_S)
        return [] if lost else self.again()

    def again(self) -> list[Event]:
        """The last frame once more."""
        world = self.world
        rate = world.network.region.rate(self.dr)
        frequency_hz = world.network.region.channels[0].frequency_hz
        heard = Heard(self.last, frequency_hz, rate, 1_000_000, -80.0, self.snr_db)
        events = world.server.receive(GATEWAYS[0], heard, world.now_us)
        world.stored.keep(events)
        return events + world.settle()

    def told(self, events: Sequence[Event]) -> Told | None:
        """The downlink in these events."""
        found = [event for event in events if isinstance(event, DownlinkScheduled)]
        if not found:
            return None
        session = self.session
        frame = decode_frame(found[0].transmission.payload)
        assert isinstance(frame, DataFrame)
        fcnt = found[0].fcnt
        assert fcnt is not None
        assert data_mic(session.network_key, Direction.DOWN, frame.dev_addr, fcnt, frame.signed) == frame.mic
        key = session.network_key if frame.fport == 0 else session.application_key
        assert key is not None
        payload = crypt_payload(key, Direction.DOWN, frame.dev_addr, fcnt, frame.payload)
        raw = payload if frame.fport == 0 else frame.fopts
        parsed = parse_commands(Direction.DOWN, raw)
        assert not parsed.rest
        return Told(parsed.commands, frame.fport, payload, frame.fopts, found[0])

    def ask(self, *answers: MacCommand) -> tuple[MacCommand, ...]:
        """Send a frame, and read the commands that come back."""
        told = self.told(self.send(*answers))
        return told.commands if told else ()
