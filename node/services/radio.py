"""The LoRa network of this node: gateways, the network server, and everything it says stored in one transaction.

Nothing goes on the air that was not stored. While the store is away what was heard waits; what the store does not take
for any other reason is logged and set aside alone, so that one frame never holds up the others.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain

import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from lora.events import (
    ActivationChanged,
    DownlinkFailed,
    Event,
    FrameRefused,
    JoinAccepted,
    JoinRefused,
    ReceivedLate,
    SessionChanged,
    SessionEnded,
    UplinkAccepted,
    UplinkRefused,
    UplinkRepeated,
)
from lora.identifiers import Eui, NetId
from lora.join import Activation, Network
from lora.memory import MemoryDirectory, MemorySessionStore
from lora.net.udp import Address, UdpGateways, Unit
from lora.radio import Reception
from lora.region import get_region
from lora.server import NetworkServer
from lora.session import Session
from node.errors import NotFoundError, StoreAwayError
from node.metrics import Metrics
from node.services.commissioning import ACTOR, Commissioning
from node.services.core import Core
from node.services.decoding import Decoding
from node.services.hearing import Hearing
from node.services.radio_records import last_states, open_session, seal_session, show_receptions
from node.store.database import WriteTx
from node.store.radio import (
    FrameState,
    StoredFrame,
    StoredGateway,
    add_nonces,
    each_nonces,
    each_session,
    end_sessions,
    find_device,
    find_recent_frame,
    insert_frames,
    list_frames,
    list_gateways,
    newest_frame,
    next_frames,
    note_gateways,
    prune_refused,
    put_gateway,
    put_sessions,
    remove_gateway,
    set_frame_state,
)

__all__ = ["FrameState", "Radio", "StoredFrame", "StoredGateway"]

log = structlog.get_logger()

# Events that leave a frame in the store.
Kept = JoinAccepted | JoinRefused | UplinkAccepted | UplinkRepeated | UplinkRefused
KEPT = (JoinAccepted, JoinRefused, UplinkAccepted, UplinkRepeated, UplinkRefused)
# Events of which nothing is left to do once the rows of all are put.
SILENT = (ActivationChanged, SessionChanged, SessionEnded, UplinkAccepted, UplinkRepeated)
RETRY_S = 1.0
MAX_STRANGERS = 64
TELL_AGAIN_US = 60_000_000
# How many refused frames are kept; what a stranger sends must not fill the store.
KEPT_REFUSED = 10_000
PRUNE_EVERY = 1_000
REFUSED, DOWNLINK_FAILED, SET_ASIDE = "lora_refused", "lora_downlinks_failed", "lora_set_aside"
# The store is away: busy, full, or its server is restarted.
AWAY = (StoreAwayError, DBAPIError, PoolTimeoutError, OSError)
SPOILT = (IntegrityError, DataError, ProgrammingError)


class Radio:
    """Runs the network server of this node."""

    def __init__(
        self,
        core: Core,
        metrics: Metrics,
        commissioning: Commissioning,
        hearing: Hearing,
        directory: MemoryDirectory,
    ) -> None:
        self._core = core
        self._metrics = metrics
        self._commissioning = commissioning
        self._hearing = hearing
        self._directory = directory
        self._names: dict[bytes, str] = {}
        self._strangers: OrderedDict[bytes, int] = OrderedDict()
        self._told: dict[tuple[bytes, str], int] = {}
        self._refused = 0
        self._gateways: UdpGateways | None = None
        self.address: Address | None = None

    async def open(self) -> Address:
        """Take up what is stored and open the gateway port; raise OSError."""
        settings = self._core.settings.radio
        region = get_region(settings.region)
        await self._commissioning.load()
        async with self._core.database.read() as tx:
            self._names = {gateway.eui: gateway.name for gateway in await list_gateways(tx)}
            store = MemorySessionStore()
            async for joined in each_nonces(tx):
                eui = self._directory.name_of(joined.dev_eui)
                store.save_activation(Activation(eui, joined.join_nonce, joined.dev_nonces))
            async for stored in each_session(tx):
                eui = self._directory.name_of(stored.dev_eui)
                store.save_session(open_session(self._core.keystore.vault, stored, eui))
        random = self._core.random.bytes
        server = NetworkServer(Network(NetId(settings.net_id), region), self._directory, store, random)
        self._gateways = UdpGateways(
            server,
            self.handle,
            now_us=self._core.clock.now,
            random=random,
            is_allowed=self._is_allowed,
            counters=_Counted(self._metrics),
        )
        self.address = self._gateways.bind(settings.host, settings.port)
        return self.address

    async def run(self) -> None:
        """Serve until cancelled; while the store is away, try again and again."""
        if self._gateways is None:
            raise RuntimeError("not open")
        with contextlib.closing(self._gateways):
            while True:
                try:
                    await self._gateways.serve()
                except Exception:  # the top of the task: whatever it is, the network stays up
                    log.exception("radio_failed")
                    self._metrics.count("radio_failed")
                await asyncio.sleep(RETRY_S)

    async def handle(self, units: Sequence[Unit]) -> Sequence[Unit]:
        """Store units together and answer those that stand; raise what tells that the store is away."""
        try:
            await self._store(list(chain.from_iterable(units)))
        except Exception as error:  # what one frame brings about is nobody else's trouble
            if isinstance(error, AWAY) and not isinstance(error, SPOILT):
                raise
            if len(units) > 1:
                return [stored for unit in units for stored in await self.handle([unit])]
            self._set_aside(units[0], error)
            return ()
        return units

    async def frames(
        self, dev_eui: Eui | None, before: int, limit: int, state: FrameState | None = None
    ) -> list[StoredFrame]:
        """Frames as they were heard, newest first."""
        raw = dev_eui.raw if dev_eui else None
        async with self._core.database.read() as tx:
            return await list_frames(tx, dev_eui=raw, state=state, before=before, limit=limit)

    async def newest(self, dev_euis: Sequence[bytes] | None = None) -> int:
        """The number of the newest frame, of some devices or of all."""
        async with self._core.database.read() as tx:
            return await newest_frame(tx, dev_euis)

    async def gateways(self) -> list[StoredGateway]:
        """The gateways that may speak here; when they last did is known to the second since the start."""
        async with self._core.database.read() as tx:
            stored = await list_gateways(tx)
        seen = {one.gateway.raw: one.seen_us for one in self._gateways.seen()} if self._gateways else {}
        return [replace(one, seen_us=max(one.seen_us or 0, seen.get(one.eui, 0)) or None) for one in stored]

    def strangers(self) -> list[tuple[Eui, int]]:
        """Gateways that spoke here and may not, with the last time, newest first."""
        return [(Eui(eui), seen_us) for eui, seen_us in reversed(self._strangers.items())]

    async def allow(self, eui: Eui, name: str, actor: str) -> None:
        """Let a gateway speak here, or give it another name."""
        async with self._core.database.write() as tx:
            await put_gateway(tx, eui.raw, name)
            await self._core.announce(tx, actor, "gateway_allowed", gateway=str(eui), name=name)
        self._names[eui.raw] = name
        self._strangers.pop(eui.raw, None)

    async def forbid(self, eui: Eui, actor: str) -> None:
        """Let a gateway speak no more; raise NotFoundError."""
        async with self._core.database.write() as tx:
            if not await remove_gateway(tx, eui.raw):
                raise NotFoundError(f"gateway {eui} is not known here", "gateway_unknown")
            await self._core.announce(tx, actor, "gateway_removed", gateway=str(eui))
        self._names.pop(eui.raw, None)

    async def _store(self, events: Sequence[Event]) -> None:
        frames = [(event, _frame(event)) for event in events if isinstance(event, KEPT)]
        heard = [frame for _, frame in frames if frame.state is FrameState.UNRESOLVED]
        decodings = await self._commissioning.decode(heard)
        refused = self._refused
        async with self._core.database.write() as tx:
            left = await tx.at_once(lambda here: self._put(here, events, frames, decodings))
            for event in events:
                waits = left.get(id(event))
                if waits is not None:
                    await self._commissioning.heard(tx, *waits)
                elif not isinstance(event, SILENT):
                    await self._take(tx, event)
            refused += sum(isinstance(event, JoinRefused | UplinkRefused) for event in events)
            if refused >= PRUNE_EVERY:
                await prune_refused(tx, KEPT_REFUSED)
                refused = 0
            tx.on_commit(self._core.bus.wake)
        self._refused = refused

    async def _put(
        self,
        tx: WriteTx,
        events: Sequence[Event],
        frames: Sequence[tuple[Kept, StoredFrame]],
        decodings: Sequence[Decoding],
    ) -> dict[int, tuple[StoredFrame, Decoding]]:
        """Keep what many events bring in one go; by the id of their events the frames that are to be looked at."""
        kept, ended = last_states(events)
        used = [
            (event.activation.dev_eui.raw, event.dev_nonce, event.activation.join_nonce)
            for event in events
            if isinstance(event, ActivationChanged)
        ]
        await add_nonces(tx, used)
        await end_sessions(tx, ended)
        await put_sessions(tx, [seal_session(self._core.keystore.vault, session) for session in kept])
        numbers = await next_frames(tx, len(frames))
        numbered = {id(event): replace(frame, id=n) for (event, frame), n in zip(frames, numbers, strict=True)}
        waiting = [frame for frame in numbered.values() if frame.state is FrameState.UNRESOLVED]
        settled = await self._hearing.settle(tx, list(zip(waiting, decodings, strict=True)))
        await insert_frames(tx, [settled.done.get(frame.id, frame) for frame in numbered.values()])
        await note_gateways(tx, _heard(events))
        return {key: (frame, settled.left[frame.id]) for key, frame in numbered.items() if frame.id in settled.left}

    def _set_aside(self, unit: Unit, error: Exception) -> None:
        heard = [reception.heard.payload.hex() for event in unit for reception in _fresh(event)]
        log.error("frames_set_aside", error=repr(error), events=[type(event).__name__ for event in unit], heard=heard)
        self._metrics.count(SET_ASIDE)

    def _is_allowed(self, gateway: Eui) -> bool:
        if gateway.raw in self._names:
            return True
        self._strangers[gateway.raw] = self._core.clock.now()
        self._strangers.move_to_end(gateway.raw)
        if len(self._strangers) > MAX_STRANGERS:
            self._strangers.popitem(last=False)
        return False

    async def _take(self, tx: WriteTx, event: Event) -> None:
        match event:
            case JoinAccepted():
                await self._commissioning.joined(tx, event)
            case JoinRefused() | UplinkRefused():
                await self._take_refused(tx, event)
            case ReceivedLate():
                await self._take_late(tx, event)
            case FrameRefused():
                self._metrics.count(REFUSED, label=event.reason.value)
            case DownlinkFailed():
                self._metrics.count(DOWNLINK_FAILED)
                log.warning("downlink_failed", dev_eui=str(event.dev_eui), reason=event.reason)

    async def _take_late(self, tx: WriteTx, event: ReceivedLate) -> None:
        """Another gateway heard a frame that stands already."""
        frame = await find_recent_frame(tx, event.payload, event.at_us)
        if frame is not None:
            detail = {**frame.detail, "receptions": show_receptions(event.receptions)}
            await set_frame_state(tx, frame.id, frame.state, detail)

    async def _take_refused(self, tx: WriteTx, event: JoinRefused | UplinkRefused) -> None:
        """A device of this network is told of once a minute for each reason."""
        self._metrics.count(REFUSED, label=event.reason.value)
        what = "join" if isinstance(event, JoinRefused) else "uplink"
        device = await find_device(tx, event.dev_eui.raw) if event.dev_eui else None
        if device is None or event.at_us - self._told.get((device.dev_eui, event.reason.value), 0) < TELL_AGAIN_US:
            return
        self._told[device.dev_eui, event.reason.value] = event.at_us
        await self._core.announce(
            tx, ACTOR, f"{what}_refused", device.subject, dev_eui=device.dev_eui.hex(), reason=event.reason.value
        )


def _fresh(event: Event) -> Sequence[Reception]:
    """The receptions that an event is the first to tell of."""
    receptions: Sequence[Reception] = getattr(event, "receptions", ())
    return receptions[-1:] if isinstance(event, ReceivedLate) else receptions


def _heard(events: Iterable[Event]) -> list[tuple[bytes, int, int]]:
    """By gateway: when it was last heard, and how often."""
    heard: dict[bytes, tuple[int, int]] = {}
    for event in events:
        for reception in _fresh(event):
            _, count = heard.get(reception.gateway.raw, (0, 0))
            heard[reception.gateway.raw] = reception.received_us, count + 1
    return [(eui, seen_us, count) for eui, (seen_us, count) in sorted(heard.items())]


class _Counted:
    """The counters of the gateway port in the node's own metrics."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a counter."""
        self._metrics.count(name, amount=amount)


def _frame(event: Kept) -> StoredFrame:
    """A frame as it is stored; what carries nothing for the application has nothing to wait for."""
    match event:
        case JoinAccepted():
            ids = {"join_eui": str(event.join_eui), "dev_nonce": event.dev_nonce}
            return _stored(event, "join", FrameState.ACCEPTED, ids, event.session)
        case UplinkRepeated():
            return _stored(event, "uplink", FrameState.ACCEPTED, {"repeated": True}, event.session, event.fcnt)
        case UplinkAccepted():
            carries = event.port is not None and event.payload is not None
            state = FrameState.UNRESOLVED if carries else FrameState.ACCEPTED
            said = {"confirmed": event.confirmed, "adr": event.adr}
            frame = _stored(event, "uplink", state, said, event.session, event.fcnt)
            return replace(frame, port=event.port, payload=event.payload)
        case JoinRefused():
            ids = {"join_eui": str(event.join_eui), "dev_nonce": event.dev_nonce}
            return _stored(event, "join", FrameState.REFUSED, {**ids, **_refusal(event)})
        case UplinkRefused():
            return _stored(event, "uplink", FrameState.REFUSED, _refusal(event), fcnt=event.fcnt)


def _refusal(event: JoinRefused | UplinkRefused) -> dict[str, object]:
    return {"reason": event.reason.value, "text": event.text}


def _stored(
    event: Kept,
    what: str,
    state: FrameState,
    detail: Mapping[str, object],
    session: Session | None = None,
    fcnt: int | None = None,
) -> StoredFrame:
    dev_eui = session.dev_eui if session is not None else getattr(event, "dev_eui", None)
    return StoredFrame(
        event.at_us,
        what,
        event.receptions[0].heard.payload,
        state,
        dev_eui.raw if dev_eui is not None else None,
        session.number if session is not None else None,
        fcnt=fcnt,
        detail={**detail, "receptions": show_receptions(event.receptions)},
    )
