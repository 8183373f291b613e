"""The network server: what gateways heard goes in, events come out. Performs no I/O and reads no clock.

Frames of several gateways are collected for one window (`lora.dedup`), then checked: a join request against the device
directory, a data frame against the sessions of its address. What changes stands in the events before what follows from
it; the caller stores a list of events in one transaction and then sends its downlinks. A server whose store is filled
from what was stored refuses every replay and every used DevNonce that the former one would have refused.

Times are integer microseconds UTC by the node's own receive clock; randomness comes from the caller.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lora.answers import answer_commands
from lora.commands import MacCommand
from lora.crypto import Direction
from lora.dedup import Collected, Deduplicator
from lora.downlink import DutyLedger, Option, Slot, choose, data_slots, fitting, join_slots, options
from lora.errors import EncodeError, FrameError, JoinError, UplinkError
from lora.events import (
    ActivationChanged,
    DownlinkFailed,
    DownlinkScheduled,
    DownlinkSent,
    Event,
    FrameRefused,
    JoinAccepted,
    JoinRefused,
    ReceivedLate,
    Refusal,
    SessionChanged,
    SessionEnded,
    UplinkAccepted,
    UplinkRefused,
    UplinkRepeated,
    join_refusal,
    uplink_refusal,
)
from lora.frame import DataFrame, JoinRequest, decode_frame
from lora.identifiers import Eui
from lora.join import Activation, Network, Random, allocate_address, answer_join, check_join
from lora.mac import encode_commands, parse_commands
from lora.ports import DeviceDirectory, SessionStore
from lora.queue import HEAD_SIZE, build_downlink, settle_head, take_head
from lora.radio import Heard, Reception
from lora.session import COUNTER_END, Match, QueuedDownlink, Session, accept, match_session, open_payload

MAX_QUEUE = 16
MAX_UNUSED_SESSIONS = 3
PENDING_US = 20_000_000


@dataclass(frozen=True, slots=True)
class _Pending:
    """A downlink given to a gateway, with the ways that are left if the gateway refuses it."""

    event: DownlinkScheduled
    ways: tuple[Option, ...]
    at_us: int


class NetworkServer:
    """One network. See the module for its rules."""

    def __init__(
        self,
        network: Network,
        directory: DeviceDirectory,
        store: SessionStore,
        random: Random,
        dedup: Deduplicator | None = None,
    ) -> None:
        self._network = network
        self._region = network.region
        self._directory = directory
        self._store = store
        self._random = random
        self._dedup = dedup or Deduplicator()
        self._ledger = DutyLedger()
        self._pending: dict[int, _Pending] = {}
        self._next_id = 1

    def receive(self, gateway: Eui, heard: Heard, now_us: int) -> list[Event]:
        """Take what a gateway heard. Any bytes give events; a frame's own come when its window closes."""
        events = self.handle_timeout(now_us)
        refusal = self._refusal(heard)
        reception = Reception(gateway, heard, now_us)
        if refusal is None and (closed := self._dedup.find_closed(reception)) is not None:
            return [*events, ReceivedLate(closed.payload, closed.receptions, closed.first_us)]
        if refusal is None and not self._dedup.add(reception):
            refusal = Refusal.BUSY, "too many frames wait"
        if refusal is not None:
            events.append(FrameRefused(gateway, *refusal, now_us))
        return events

    def next_timeout(self) -> int | None:
        """When `handle_timeout` is to be called, or None while nothing waits."""
        return self._dedup.next_timeout()

    def handle_timeout(self, now_us: int) -> list[Event]:
        """Work on the frames whose window has closed."""
        events: list[Event] = []
        if not self._dedup.is_due(now_us):
            return events
        for collected in self._dedup.pop_due(now_us):
            frame = decode_frame(collected.payload)
            if isinstance(frame, JoinRequest):
                events += self._join(frame, collected, now_us)
            elif isinstance(frame, DataFrame):
                events += self._uplink(frame, collected, now_us)
        return events

    def handle_tx_result(self, downlink_id: int, error: str | None, now_us: int) -> list[Event]:
        """Take a gateway's word on a downlink: on an error the next way is tried, over RX1 and RX2 of all gateways."""
        pending = self._pending.pop(downlink_id, None)
        if pending is None:
            return []
        event = pending.event
        if error is None:
            return [DownlinkSent(event.id, event.dev_eui, event.gateway)]
        band = self._region.band(event.transmission.frequency_hz)
        self._ledger.forget(event.gateway, band, event.airtime_us, pending.at_us)
        again = self._schedule(event.id, event.dev_eui, pending.ways, event.fcnt, now_us)
        return [again or DownlinkFailed(event.id, event.dev_eui, error)]

    def enqueue(self, dev_eui: Eui, downlink: QueuedDownlink) -> list[Event]:
        """Let a downlink wait for the device's next uplink; raise EncodeError where it never could be sent."""
        sessions = self._store.sessions_of(dev_eui)
        if not sessions:
            raise EncodeError(f"{dev_eui} has no session")
        session = ([one for one in sessions if one.fcnt_up is not None] or list(sessions))[-1]
        if not 1 <= downlink.port <= 223:
            raise EncodeError(f"an application's port is 1 to 223, got {downlink.port}")
        if len(downlink.payload) > max(self._region.max_payload(dr) for dr in range(len(self._region.rates))):
            raise EncodeError(f"{len(downlink.payload)} bytes fit no data rate of {self._region.name}")
        if session.application_key is None:
            raise EncodeError(f"this node has no application key of {dev_eui}")
        if len(session.queue) >= MAX_QUEUE:
            raise EncodeError(f"{MAX_QUEUE} downlinks wait for {dev_eui} already")
        return self._save(replace(session, queue=(*session.queue, downlink)))

    def _refusal(self, heard: Heard) -> tuple[Refusal, str] | None:
        if not self._region.contains(heard.frequency_hz):
            return Refusal.NOT_OF_REGION, f"{heard.frequency_hz} Hz is not in {self._region.name}"
        if self._region.find_dr(heard.rate) is None:
            return Refusal.NOT_OF_REGION, f"{heard.rate} is no data rate of {self._region.name}"
        try:
            frame = decode_frame(heard.payload)
        except FrameError as error:
            return Refusal.NOT_LORAWAN, str(error)
        if isinstance(frame, JoinRequest) or (isinstance(frame, DataFrame) and frame.is_uplink):
            return None
        return Refusal.NOT_AN_UPLINK, "a network's frame, heard by a gateway"

    def _join(self, request: JoinRequest, heard: Collected, now_us: int) -> list[Event]:
        activation = self._store.find_activation(request.dev_eui) or Activation(request.dev_eui)
        try:
            device = check_join(request, self._directory.find_device(request.dev_eui), activation)
        except JoinError as error:
            ids = (request.dev_eui, request.join_eui, request.dev_nonce)
            return [JoinRefused(join_refusal(error), str(error), *ids, heard.receptions, heard.first_us)]
        address = allocate_address(
            self._network.net_id, lambda taken: bool(self._store.sessions_at(taken)), self._random
        )
        joined = answer_join(
            request, device, activation, network=self._network, dev_addr=address, now_us=heard.first_us
        )
        self._store.save_activation(joined.activation)
        events: list[Event] = [ActivationChanged(joined.activation, request.dev_nonce)]
        events += self._end_unused(request.dev_eui) + self._save(joined.session)
        events.append(
            JoinAccepted(joined.session, request.join_eui, request.dev_nonce, heard.receptions, heard.first_us)
        )
        slots = join_slots(self._region, heard.receptions[0])
        return [*events, self._send(joined.accept, request.dev_eui, slots, heard, fcnt=None, now_us=now_us)]

    def _end_unused(self, dev_eui: Eui) -> list[Event]:
        # A device that never hears its answers would otherwise fill the store with sessions.
        unused = [session for session in self._store.sessions_of(dev_eui) if session.fcnt_up is None]
        return self._end(unused[: max(len(unused) - MAX_UNUSED_SESSIONS + 1, 0)])

    def _uplink(self, frame: DataFrame, heard: Collected, now_us: int) -> list[Event]:
        try:
            match = match_session(self._store.sessions_at(frame.dev_addr), frame)
        except UplinkError as error:
            dev_eui = error.dev_eui if isinstance(error.dev_eui, Eui) else None
            reason = uplink_refusal(error)
            ids = (frame.dev_addr, frame.fcnt, dev_eui)
            return [UplinkRefused(reason, str(error), *ids, heard.receptions, heard.first_us)]
        session, delivered = settle_head(self._inherit(accept(match, frame)), frame)
        payload = open_payload(session, frame, match.fcnt)
        answered, downlink = self._answer(session, frame, _commands(frame, payload), heard, now_us)
        events: list[Event] = [*self._end_older(answered), *self._save(answered), *delivered]
        events.append(_uplink_event(match, answered, frame, payload=payload, heard=heard))
        return events + downlink

    def _older(self, session: Session) -> list[Session]:
        return [other for other in self._store.sessions_of(session.dev_eui) if other.number < session.number]

    def _inherit(self, session: Session) -> Session:
        waiting = tuple(queued for other in self._older(session) for queued in other.queue)
        return replace(session, queue=waiting + session.queue) if waiting else session

    def _end_older(self, session: Session) -> list[Event]:
        # The device uses this session, so it has left those before it (1.0.3, 6.2.5).
        return self._end(self._older(session))

    def _answer(
        self, session: Session, frame: DataFrame, commands: Sequence[MacCommand], heard: Collected, now_us: int
    ) -> tuple[Session, list[Event]]:
        """The session after an answer was made, and the answer's events; both as they were where none is owed."""
        answers = answer_commands(commands, heard.receptions)
        if not (frame.is_confirmed or frame.fctrl.adr_ack_req or answers or session.queue):
            return session, []
        slots = data_slots(self._region, session.rx, heard.receptions[0])
        fopts = encode_commands(answers)
        head = self._fitting_head(session, slots, fopts)
        if session.fcnt_down >= COUNTER_END:
            return session, [DownlinkFailed(self._take_id(), session.dev_eui, "the downlink counter has run out")]
        raw = build_downlink(session, head, fopts, ack=frame.is_confirmed)
        sent = self._send(raw, session.dev_eui, slots, heard, fcnt=session.fcnt_down, now_us=now_us)
        if isinstance(sent, DownlinkFailed):
            return session, [sent]
        session, delivered = take_head(replace(session, fcnt_down=session.fcnt_down + 1), head)
        return session, [*delivered, sent]

    def _fitting_head(self, session: Session, slots: Sequence[Slot], fopts: bytes) -> QueuedDownlink | None:
        if not session.queue:
            return None
        size = HEAD_SIZE + len(fopts) + len(session.queue[0].payload)
        return session.queue[0] if fitting(self._region, slots, size) else None

    def _send(
        self, raw: bytes, dev_eui: Eui, slots: Sequence[Slot], heard: Collected, *, fcnt: int | None, now_us: int
    ) -> DownlinkScheduled | DownlinkFailed:
        ways = tuple(options(self._region, slots, heard.receptions, raw))
        number = self._take_id()
        scheduled = self._schedule(number, dev_eui, ways, fcnt, now_us)
        return scheduled or DownlinkFailed(number, dev_eui, "no window in time and within the duty cycle")

    def _schedule(
        self, number: int, dev_eui: Eui, ways: tuple[Option, ...], fcnt: int | None, now_us: int
    ) -> DownlinkScheduled | None:
        index = choose(self._region, ways, self._ledger, now_us)
        if index is None:
            return None
        way = ways[index]
        band = self._region.band(way.transmission.frequency_hz)
        self._ledger.record(way.gateway, band, way.airtime_us, now_us)
        slot = way.slot
        place = (slot.window, slot.dr, slot.delay_s, way.airtime_us)
        event = DownlinkScheduled(number, dev_eui, way.gateway, way.transmission, *place, fcnt)
        self._forget_old(now_us)
        self._pending[number] = _Pending(event, ways[index + 1 :], now_us)
        return event

    def _forget_old(self, now_us: int) -> None:
        while self._pending:
            oldest = next(iter(self._pending))
            if now_us - self._pending[oldest].at_us <= PENDING_US:
                break
            del self._pending[oldest]

    def _take_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _save(self, session: Session) -> list[Event]:
        self._store.save_session(session)
        return [SessionChanged(session)]

    def _end(self, sessions: Sequence[Session]) -> list[Event]:
        for session in sessions:
            self._store.end_session(session)
        return [SessionEnded(session) for session in sessions]


def _commands(frame: DataFrame, payload: bytes | None) -> tuple[MacCommand, ...]:
    raw = (payload or b"") if frame.fport == 0 else frame.fopts
    return parse_commands(Direction.UP, raw).commands


def _uplink_event(
    match: Match, session: Session, frame: DataFrame, *, payload: bytes | None, heard: Collected
) -> UplinkAccepted | UplinkRepeated:
    if match.is_repeat:
        return UplinkRepeated(session, match.fcnt, heard.receptions, heard.first_us)
    port, data = (None, b"") if not frame.fport else (frame.fport, payload)
    return UplinkAccepted(
        session,
        match.fcnt,
        port,
        data,
        frame.is_confirmed,
        frame.fctrl.adr,
        _commands(frame, payload),
        heard.receptions,
        heard.first_us,
    )
