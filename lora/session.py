"""Sessions: 32-bit counters over the 16 bits on the air, replay, and which of several sessions a frame is of.

A session is a value; every accepted frame makes the next one. It is named by the device and the JoinNonce that made it
(0 for activation by personalisation), never by its DevAddr, which is shared and reused. Counters: 1.0.3, 4.3.1.5.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from lora.crypto import Direction, crypt_payload, data_mic, same_mic
from lora.errors import CounterEndError, ReplayError, UnknownAddressError, UplinkMicError
from lora.frame import DataFrame
from lora.identifiers import DevAddr, Eui
from lora.keys import Key
from lora.link import FRESH, IDLE, Control, Link, Status
from lora.region import Region

COUNTER_END = 1 << 32
COUNTER_STEP = 1 << 16
# What a frame tells of a device: windows, link, control, history and status as they are from then on.
Seen = tuple["RxParams", Link, Control, bytes, Status | None]
# 1.0.3, 18: a device that hears no acknowledgement sends a confirmed frame up to eight times.
MAX_REPEATS = 8


@dataclass(frozen=True, slots=True)
class RxParams:
    """The receive windows of a session: RX1 delay 1-15 s and offset, RX2 data rate and frequency in Hz."""

    rx1_delay_s: int
    rx1_dr_offset: int
    rx2_dr: int
    rx2_frequency_hz: int

    @classmethod
    def of_region(cls, region: Region) -> "RxParams":
        """The region's defaults."""
        return cls(region.rx1_delay_s, 0, region.rx2_dr, region.rx2_frequency_hz)


@dataclass(frozen=True, slots=True)
class QueuedDownlink:
    """What waits for the device's next uplink; `id` is the caller's own."""

    id: int
    port: int
    payload: bytes
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """One activation of one device: all the state that must outlive a restart.

    `fcnt_up` is the last counter accepted (None before the first), `fcnt_down` the next to be used. `mic_up` and
    `repeats` tell a retransmission of the last confirmed frame from a replay. `application_key` is None on a node that
    may not read payloads. `queue` waits for the device's next uplink; its head, where it is
    confirmed, was sent `attempts` times and waits for the device's acknowledgement. `link` and `rx` are what the device
    uses, `control` is what it was asked, `history` how well it was heard (`lora.adr`), `status` what it said of itself.
    """

    dev_eui: Eui
    number: int
    dev_addr: DevAddr
    network_key: Key
    application_key: Key | None
    rx: RxParams
    started_us: int
    fcnt_up: int | None = None
    fcnt_down: int = 0
    mic_up: bytes = b""
    repeats: int = 0
    queue: tuple[QueuedDownlink, ...] = ()
    attempts: int = 0
    link: Link = FRESH
    control: Control = IDLE
    history: bytes = b""
    status: Status | None = None

    def is_of(self, region: Region) -> bool:
        """Whether the region has what this session uses."""
        rx = self.rx
        rates = range(len(region.rates))
        dr_ok = rx.rx2_dr in rates and (self.link.dr is None or self.link.dr in rates)
        frequencies = (rx.rx2_frequency_hz, *self.link.frequencies_hz)
        return dr_ok and all(map(region.contains, frequencies)) and self.link.tx_power < region.tx_powers

    @property
    def repetitions(self) -> int:
        """How often the device may send an unconfirmed frame: NbTrans as it was answered, or as it is being asked."""
        return max(self.link.nb_trans, self.control.nb_trans)

    @property
    def id(self) -> tuple[Eui, int]:
        """What names a session for ever: the device and the number of its activation."""
        return self.dev_eui, self.number


@dataclass(frozen=True, slots=True)
class Match:
    """The session a frame is of, its full counter, and whether it repeats the last frame."""

    session: Session
    fcnt: int
    is_repeat: bool = False


def full_counter(last: int | None, low: int) -> int:
    """The smallest counter that is not below the last one accepted and ends in these 16 bits."""
    if last is None:
        return low
    return last + ((low - last) & (COUNTER_STEP - 1))


def match_session(sessions: Iterable[Session], frame: DataFrame) -> Match:
    """Find the session whose key made the MIC, nearest counter first; raise an UplinkError.

    A frame whose MIC holds with a counter already used is a replay, or a retransmission where it is the last frame bit
    for bit: as often as NbTrans says (5.2), a confirmed one also for want of its acknowledgement. Nothing is changed:
    `accept` makes the next state.
    """
    candidates = sorted(
        ((full_counter(session.fcnt_up, frame.fcnt), session) for session in sessions),
        key=lambda pair: pair[0] - (pair[1].fcnt_up or 0),
    )
    if not candidates:
        raise UnknownAddressError(f"no session has DevAddr {frame.dev_addr}")
    for fcnt, session in candidates:
        if fcnt < COUNTER_END and _holds(session, frame, fcnt):
            return _classify(session, frame, fcnt)
    for fcnt, session in candidates:
        if _holds_before(session, frame, fcnt):
            raise ReplayError(f"counter {frame.fcnt} of DevAddr {frame.dev_addr} was used before", session.dev_eui)
    if all(fcnt >= COUNTER_END for fcnt, _ in candidates):
        raise CounterEndError(f"the counter of DevAddr {frame.dev_addr} has run out")
    raise UplinkMicError(f"the MIC holds under none of {len(candidates)} sessions of DevAddr {frame.dev_addr}")


def accept(match: Match, frame: DataFrame, seen: Seen | None = None) -> Session:
    """The session after this frame, with what it tells of the device."""
    old = match.session
    if match.is_repeat:
        return replace(old, repeats=old.repeats + 1)
    rx, link, control, history, status = seen or (old.rx, old.link, old.control, old.history, old.status)
    # Once a frame: `replace` takes three times as long.
    return Session(
        old.dev_eui,
        old.number,
        old.dev_addr,
        old.network_key,
        old.application_key,
        rx,
        old.started_us,
        match.fcnt,
        old.fcnt_down,
        frame.mic,
        0,
        old.queue,
        old.attempts,
        link,
        control,
        history,
        status,
    )


def open_payload(session: Session, frame: DataFrame, fcnt: int) -> bytes | None:
    """The decrypted FRMPayload of an uplink: under NwkSKey on port 0; None where this node has no key for it."""
    key = session.network_key if frame.fport == 0 else session.application_key
    return None if key is None else crypt_payload(key, Direction.UP, frame.dev_addr, fcnt, frame.payload)


def _holds(session: Session, frame: DataFrame, fcnt: int) -> bool:
    mic = data_mic(session.network_key, Direction.UP, frame.dev_addr, fcnt, frame.signed)
    return same_mic(mic, frame.mic)


def _holds_before(session: Session, frame: DataFrame, fcnt: int) -> bool:
    before = fcnt - COUNTER_STEP
    return before >= 0 and _holds(session, frame, before)


def _classify(session: Session, frame: DataFrame, fcnt: int) -> Match:
    if fcnt != session.fcnt_up:
        return Match(session, fcnt)
    allowed = MAX_REPEATS if frame.is_confirmed else session.repetitions - 1
    if session.repeats >= allowed or not same_mic(frame.mic, session.mic_up):
        raise ReplayError(f"counter {fcnt} of DevAddr {frame.dev_addr} was used before", session.dev_eui)
    return Match(session, fcnt, is_repeat=True)
