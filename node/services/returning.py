"""What comes back after a log was left in doubt: its tail, from whoever mirrored it, and what of it is lost.

A mirror brings the leaves, and the entries that the peer has. An entry or a section that this peer lacks another may
have: so each is asked for what is missing, sections that are secret among it, which come sealed to this node.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import structlog

from federation.counting import Loss
from federation.errors import FederationError, RemoteProtocolError, VoidError
from federation.fragment import Fragment, Ref, decode_header
from federation.sync.messages import Placed, Span, placed_rows, width
from federation.tiles import WIDTH
from node.services.core import Core
from node.services.reopening import Reopening, list_reopenings, put_reopening
from node.services.sync import Sync
from node.store.database import ReadTx
from node.store.errors import StoreError
from node.store.fragments import entries_between
from node.store.logs import StoredLog, find_log
from node.store.peers import Peer, list_peers

log = structlog.get_logger()

PAGE = 1000
REFS_A_TIME = 100
LOOK_EVERY_S = 1.0
ASK_AGAIN_S, LOST_AGAIN_S = 3600.0, 60.0
SHOWN_RANGES = 50

Range = tuple[int, int]  # from, to (excluded)


@dataclass(frozen=True, slots=True)
class Gaps:
    """What of a log is not here: whole entries, and sections of entries that are, by their refs."""

    entries: tuple[Range, ...] = ()
    sections: tuple[Ref, ...] = ()

    @property
    def count(self) -> int:
        """How many statements are not whole here."""
        return sum(end - start for start, end in self.entries) + len(self.sections)


@dataclass(frozen=True, slots=True)
class Returned:
    """How an old log stands: `said` is the largest size known; `is_told` whether every active peer answered."""

    reopening: Reopening
    said: int
    gaps: Gaps
    is_told: bool

    @property
    def came_back(self) -> int:
        """How many statements came from peers."""
        return max(0, self.said - self.reopening.held - self.gaps.count)


class Returning:
    """Pulls back what this node said in logs that it left, and tells what is lost."""

    def __init__(self, core: Core, sync: Sync) -> None:
        self._core, self._sync = core, sync
        self._asked: dict[tuple[bytes, bytes], tuple[float, int]] = {}
        self._looked: dict[bytes, float] = {}

    async def run(self) -> None:
        """Look after exchanges with peers until cancelled."""
        while True:
            seen = self._sync.exchanges
            try:
                await self.look()
            except (FederationError, StoreError) as error:
                log.warning("return_failed", error=str(error))
            await asyncio.sleep(LOOK_EVERY_S)
            await self._sync.exchanged(seen)

    async def look(self) -> None:
        """Ask for what is missing, and say what came of it."""
        for lacking in await self._look_at(self._is_due):
            self._looked[lacking.reopening.log] = self._core.clock.monotonic()
            if lacking.gaps.count:
                await self._ask_peers(lacking)
            (found,) = await self._look_at(partial(_is_of, lacking.reopening.log))
            if found.is_told and found.reopening.missing != found.gaps.count:
                await self._tell(found)

    async def all(self) -> list[Returned]:
        """Every log that was left, oldest first."""
        return await self._look_at(lambda _: True)

    async def _look_at(self, wanted: Callable[[Reopening], bool]) -> list[Returned]:
        async with self._core.database.read() as tx:
            left = [one for one in await list_reopenings(tx) if wanted(one)]
            peers = [peer.node for peer in await list_peers(tx, "active")] if left else []
            is_told = all(self._sync.is_heard(node) for node in peers)
            return [await self._look(tx, one, is_told) for one in left]

    def _is_due(self, left: Reopening) -> bool:
        """Whether something may have changed: what is settled is looked at once an hour, or when a peer shows more."""
        shown = max(self._sync.sizes_of(left.previous).values(), default=0)
        now = self._core.clock.monotonic()
        is_settled = left.missing is not None and shown <= left.said
        again = ASK_AGAIN_S if left.missing == 0 else LOST_AGAIN_S
        return not is_settled or now - self._looked.get(left.log, -again) >= again

    async def _look(self, tx: ReadTx, left: Reopening, is_told: bool) -> Returned:
        old = await find_log(tx, left.previous)
        if old is not None and old.counted.loss is Loss.FORKED:
            # What peers have past the fork is of another writer; what fell here is said again.
            return Returned(left, old.size, Gaps(), is_told)
        shown = self._sync.sizes_of(left.previous).values()
        said = max(left.said, old.size if old else 0, *shown)
        gaps = await _gaps(tx, old, left.held, said) if old else Gaps(((0, said),) if said else ())
        return Returned(left, said, gaps, is_told)

    async def _tell(self, found: Returned) -> None:
        told = replace(found.reopening, missing=found.gaps.count, said=found.said)
        async with self._core.database.write() as tx:
            await put_reopening(tx, told)
            log_id = told.previous.hex()
            if found.gaps.count:
                await self._core.announce(tx, "sync", "statements_lost", log=log_id, count=found.gaps.count)
            elif found.came_back:
                await self._core.announce(tx, "sync", "statements_returned", log=log_id, count=found.came_back)

    async def _ask_peers(self, found: Returned) -> None:
        """Ask each peer that was not asked for this yet."""
        left = found.reopening.previous
        async with self._core.database.read() as tx:
            peers = [peer for peer in await list_peers(tx, "active") if self._sync.is_heard(peer.node)]
        for peer in peers:
            now = self._core.clock.monotonic()
            asked_at, lacked = self._asked.get((peer.node, left), (-ASK_AGAIN_S, 0))
            if lacked == found.gaps.count and now - asked_at < ASK_AGAIN_S:
                continue
            self._asked[peer.node, left] = (now, found.gaps.count)
            try:
                await self._ask(peer, left, found.gaps)
            except FederationError:
                pass  # `Sync` tells of a peer that is away or breaks rules
            except Exception as error:  # what one peer answers must not end the node
                log.error("return_broke", node=peer.node.hex(), exc_info=error)

    async def _ask(self, peer: Peer, log_id: bytes, gaps: Gaps) -> None:
        client, placed = self._sync.client(peer.address), list[Placed]()
        shown = self._sync.sizes_of(log_id).get(peer.node, 0)
        for start, end in gaps.entries:
            at = start
            while at < min(end, shown):
                parts = await client.pull([Span(log_id, at, shown)])
                if [(part.log, part.start) for part in parts] != [(log_id, at)]:
                    raise RemoteProtocolError("pull: another part was asked for")
                rows = parts[0].rows
                found = [Placed(log_id, seq, row) for seq, row in placed_rows(parts[0]) if isinstance(row, Fragment)]
                placed += [one for one in found if one.seq < end]
                # A peer that cannot go on from there may from where the next tile begins.
                at = at + sum(map(width, rows)) if rows else (at // WIDTH + 1) * WIDTH
        for first in range(0, len(gaps.sections), REFS_A_TIME):
            proven = await client.fetch(gaps.sections[first : first + REFS_A_TIME])
            placed += [one.placed for one in proven]
        if placed:
            await self._sync.levelling.take(client, placed)


def _is_of(log_id: bytes, left: Reopening) -> bool:
    return left.log == log_id


async def _gaps(tx: ReadTx, old: StoredLog, held: int, said: int) -> Gaps:
    """What of a log is missing from `held` on: what lies before was here when the log was left."""
    ranges: list[Range] = []
    refs: list[Ref] = []
    for start in range(held, old.size, PAGE):
        end = min(start + PAGE, old.size)
        entries = await entries_between(tx, old.no, start, end)
        ranges += [(seq, seq + 1) for seq in range(start, end) if seq not in entries]
        for seq, entry in sorted(entries.items()):
            with contextlib.suppress(VoidError):
                header = decode_header(entry.header, entry.log, seq) if entry.void is None else None
                if header is not None and len(entry.sections) < len(header.sections):
                    refs.append(Ref(old.log, seq, entry.to_fragment().id[:16]))
    if said > max(held, old.size):
        ranges.append((max(held, old.size), said))
    return Gaps(tuple(_joined(ranges)), tuple(refs))


def _joined(ranges: Sequence[Range]) -> list[Range]:
    found: list[Range] = []
    for start, end in ranges:
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found
