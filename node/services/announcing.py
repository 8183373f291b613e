"""Telling the holders of the directory what this node holds: the whole list once a day by its digest, changes between.

What a holder has is compared by digests, so that only what differs travels; a holder that was away is told when it is
back. Who is no member announces nothing, and one whose settings say so takes its list back.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

import structlog

from federation.directory import Seats, bucket_of, join_marks, list_digest
from federation.errors import FederationError, RemoteProtocolError
from federation.net.client import PeerClient
from federation.ports import Meter
from federation.sync.announcing import MAX_CHANGED, Announced, whole_lists
from node.passport.seats import seats_of
from node.passport.world import World
from node.services.core import Core
from node.services.holdings import Holdings
from node.services.projection import Projection
from node.services.sync import Sync
from node.store.peers import ACTIVE, Peer, list_peers

log = structlog.get_logger()

DAY_S = 86_400.0
AGAIN_S = 600.0  # until a holder that was not told is told again
AT_ONCE = 8  # holders that are told at the same time
TOLD_S = 60.0  # for one question


@dataclass(frozen=True, slots=True)
class _Told:
    """What a holder has: the digest of the list, and when it said so last."""

    list: bytes
    at_us: int


class Announcing:
    """Keeps the directory's holders told."""

    def __init__(self, core: Core, projection: Projection, sync: Sync, meter: Meter) -> None:
        self._core = core
        self._projection = projection
        self._sync = sync
        self._meter = meter
        self.holdings = Holdings(core)
        self._told: dict[bytes, _Told] = {}
        self._fresh: dict[bytes, set[bytes]] = {}  # marks that came since a holder was told, by node
        self._world: World | None = None
        self._seats = Seats()
        self._held: Mapping[bytes, frozenset[int]] = {}
        self.on_seats: Callable[[], Awaitable[None]] = _nobody

    async def run(self) -> None:
        """Tell the holders whenever what is here changed, and daily, until cancelled."""
        with self._core.bus.listen() as news:
            while True:
                rest_s = DAY_S if await self.tell() else AGAIN_S
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(rest_s):
                        await news.get()
                await asyncio.sleep(self._core.settings.federation.announce_s)
                while not news.empty():
                    news.get_nowait()

    async def tell(self) -> bool:
        """Tell every holder what it has not heard; whether all of them know now."""
        seats = await self._take_seats()
        if self._core.org not in seats.seats:
            return True
        fresh = await self.holdings.keep()
        async with self._core.database.read() as tx:
            peers = [peer for peer in await list_peers(tx, ACTIVE) if self._held.get(peer.org)]
        if not peers:
            return True
        for peer in peers:
            self._fresh.setdefault(peer.node, set()).update(fresh)
        digests = await self.holdings.digests()
        turns = asyncio.Semaphore(AT_ONCE)
        return all(await asyncio.gather(*(self._tell(peer, digests, turns) for peer in peers)))

    async def seats(self) -> Seats:
        """Who holds what, as far as is known here now."""
        await self._take_seats()
        return self._seats

    async def _take_seats(self) -> Seats:
        world = self._projection.world
        if world is not self._world:
            seats = seats_of(world)
            if seats != self._seats:
                self._held = await asyncio.to_thread(seats.held_by)
                self._seats = seats
                await self.on_seats()
            self._world = world
        return self._seats

    async def _tell(self, peer: Peer, digests: Mapping[int, bytes], turns: asyncio.Semaphore) -> bool:
        held = self._held[peer.org]
        if not self._core.settings.federation.announces:
            return await self._take_back(peer)
        mine = {bucket: digest for bucket, digest in digests.items() if bucket in held}
        wanted, told, now = list_digest(mine), self._told.get(peer.node), self._core.clock.now()
        fresh = {mark for mark in self._fresh[peer.node] if bucket_of(mark) in held}
        if told is not None and told.list == wanted and 0 <= now - told.at_us < DAY_S * 1e6:
            self._fresh.pop(peer.node)
            return True
        changes = join_marks(fresh) if told is not None and len(fresh) <= MAX_CHANGED else b""
        try:
            async with turns:
                await self._level(self._sync.client(peer.address), mine, wanted, changes)
        except (TimeoutError, FederationError) as error:
            self._told.pop(peer.node, None)
            log.info("announcing_failed", node=peer.node.hex(), error=repr(error)[:200])
            return False
        self._told[peer.node] = _Told(wanted, now)
        self._fresh[peer.node] -= fresh
        return True

    async def _take_back(self, peer: Peer) -> bool:
        """Have a holder forget the list, once since the start."""
        if self._told.get(peer.node) is None:
            try:
                await self._ask(self._sync.client(peer.address), Announced())
            except (TimeoutError, FederationError):
                return False
            self._told[peer.node] = _Told(b"", self._core.clock.now())
        return True

    async def _level(self, client: PeerClient, mine: Mapping[int, bytes], wanted: bytes, changes: bytes) -> None:
        """Say what changed; where the holder has another list then, all buckets that differ."""
        there = await self._ask(client, Announced(wanted, added=changes))
        if there is None:
            return
        differing = [bucket for bucket in {*mine, *there} if mine.get(bucket) != there.get(bucket)]
        for asked in whole_lists(wanted, await self._whole(differing, mine)):
            there = await self._ask(client, asked)
        if there is not None:
            raise RemoteProtocolError("announce: the holder does not keep what it was told")

    async def _whole(self, buckets: Iterable[int], mine: Mapping[int, bytes]) -> dict[int, bytes]:
        kept = await self.holdings.buckets(bucket for bucket in buckets if bucket in mine)
        return {bucket: kept.get(bucket, b"") for bucket in buckets}

    async def _ask(self, client: PeerClient, asked: Announced) -> dict[int, bytes] | None:
        raw = asked.to_bytes()
        async with asyncio.timeout(TOLD_S):
            answer = await client.announce(raw)
        self._meter.count("directory_announced", "questions")
        self._meter.count("directory_announced", "bytes", len(raw))
        return answer


async def _nobody() -> None:
    """Nobody wants to know."""
