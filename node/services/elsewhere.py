"""Finding a device at other organisations in two round trips: whom the directory's holders name, and what those say.

At once asked are the holders of the keys, and those whom a hint names: the domain of a label, the maker of a line or of
a DevEUI prefix. What a holder says is a claim, and what a node says of a passport counts as proved where it brings the
author's signed statement of the plate; what does not verify is dropped, and counted against who sent it.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import replace

import structlog

from federation.directory import Seats, mark_of
from federation.ports import Meter
from federation.sync.announcing import Referral
from node.passport.hints import hinted
from node.passport.identifiers import Identifier
from node.passport.sightings import WEEK_US, Outcome
from node.services.announcing import Announcing
from node.services.asking import Asking
from node.services.core import Core
from node.services.evidence import Evidence
from node.services.inquiry import HERE, Inquiry
from node.services.lookup_notes import LookedUpNote, LookupNotes
from node.services.projection import Projection
from node.services.sync import Sync
from node.store.database import ReadTx
from node.store.directory import Announcer, announcers_of, find_announcers, put_announcer, read_announcers
from node.store.peers import ACTIVE, Peer, list_peers

NOTHING_US, FOUND_US = 30_000_000, 60_000_000  # so long an answer is told again
MOST_KEPT = 1_000
MOST_AT_ONCE = 64  # texts that others are asked for; further ones wait
LONGEST_NOTED = 64

Identifiers = tuple[Identifier, ...]

log = structlog.get_logger()


class Elsewhere:
    """Asks other organisations."""

    def __init__(
        self,
        core: Core,
        projection: Projection,
        sync: Sync,
        announcing: Announcing,
        notes: LookupNotes,
        meter: Meter,
    ) -> None:
        self._core = core
        self._projection = projection
        self._sync = sync
        self._announcing = announcing
        self._notes = notes
        self._meter = meter
        self._evidence = Evidence(core, projection)
        self._kept: OrderedDict[Identifiers, Asking] = OrderedDict()
        self._waiting: asyncio.Queue[Asking] = asyncio.Queue()

    def begin(self, identifiers: Identifiers, text: str, actor: str) -> Asking:
        """Ask others what a text may be; who asks at the same time, or soon after, is told the same."""
        kept = self._kept.get(identifiers)
        if kept is not None and self._is_fresh(kept):
            return kept
        asking = Asking(identifiers, text, actor)
        self._kept[identifiers] = asking
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        self._waiting.put_nowait(asking)
        return asking

    def forget(self, identifiers: Identifiers) -> None:
        """Ask others anew the next time, unless they are being asked."""
        if (kept := self._kept.get(identifiers)) is not None and kept.is_over:
            del self._kept[identifiers]

    async def run(self) -> None:
        """Ask for those who wait, some at once, until cancelled."""
        slots = asyncio.Semaphore(MOST_AT_ONCE)

        async def serve(asking: Asking) -> None:
            try:
                await self._serve(asking)
            finally:
                slots.release()

        async with asyncio.TaskGroup() as tasks:
            while True:
                asking = await self._waiting.get()
                await slots.acquire()
                tasks.create_task(serve(asking))

    async def _serve(self, asking: Asking) -> None:
        trouble: Exception | None = None
        outcome = Outcome()
        try:
            outcome = await self._ask(asking)
            self._meter.count("lookups_elsewhere", "found" if outcome.sightings else "not_found")
            self._meter.count("lookups_elsewhere", "questions", len(outcome.replies))
            if outcome.replies:
                self._note(outcome, asking.identifiers[0], asking.actor)
        except Exception as error:  # the top of a task: who waits for it is told
            log.warning("lookup_failed", error=repr(error))
            trouble = error
            if self._kept.get(asking.identifiers) is asking:
                del self._kept[asking.identifiers]
        finally:
            asking.end(outcome, self._core.clock.now(), trouble)

    def _is_fresh(self, kept: Asking) -> bool:
        if kept.ended_us is None:
            return True
        return 0 <= self._core.clock.now() - kept.ended_us < (FOUND_US if kept.outcome.sightings else NOTHING_US)

    async def _ask(self, asking: Asking) -> Outcome:
        seats, identifiers = await self._seats(), asking.identifiers

        async def look(tx: ReadTx) -> tuple[list[Peer], list[Announcer], dict[Identifier, list[Referral]]]:
            here = {identifier: await self._announced(tx, identifier) for identifier in identifiers}
            return await list_peers(tx, ACTIVE), await read_announcers(tx), here

        active, announcers, here = await self._core.database.glance(look)
        peers = [peer for peer in active if peer.node != self._core.node]
        known = {one.node: one for one in announcers}
        inquiry = Inquiry(identifiers, peers, known, lambda peer: self._sync.client(peer.address), self._evidence)
        asking.look, inquiry.on_news = inquiry.outcome, asking.tell
        outcome = await inquiry.run(seats, hinted(asking.text, identifiers, self._projection.world), here)
        await self._judge(inquiry, outcome, known)
        return outcome

    async def _seats(self) -> Seats:
        """The directory as far as it answers this node: nobody where it is no member."""
        seats = await self._announcing.seats()
        others = {org: seat for org, seat in seats.seats.items() if org != self._core.org}
        return seats if self._core.org in seats.seats and others else Seats()

    async def _announced(self, tx: ReadTx, identifier: Identifier) -> list[Referral]:
        """Who announced an identifier to this node, as a holder itself."""
        if (key := identifier.key) is None:
            return []
        standings = self._projection.world.standings
        found = [one for one in await announcers_of(tx, mark_of(key)) if standings.of(one.org).standing.is_member]
        return [Referral(one.org, one.node, max(0, tx.now - (one.told_us or 0))) for one in found]

    def _note(self, outcome: Outcome, asked: Identifier, actor: str) -> None:
        value, found = asked.value[:LONGEST_NOTED], len(outcome.sightings)
        self._notes.add(LookedUpNote(actor, asked.scheme, value, len(outcome.replies), found))

    async def _judge(self, inquiry: Inquiry, outcome: Outcome, known: Mapping[bytes, Announcer]) -> None:
        """Count who was named and held nothing: against him where most holders named him, else against who did."""
        replies = {reply.node: reply for reply in outcome.replies}
        bad: Counter[bytes] = Counter()
        good: set[bytes] = set()
        for node, reply in replies.items():
            by = inquiry.named_by.get(node, set())
            if reply.what == "wrong":
                bad[node] += 1
            elif reply.what in ("found", "held"):
                good |= {node} if node in known and known[node].bad else set()
            elif reply.what == "nothing" and by:
                is_sure = HERE in by or 2 * len(by) > len(inquiry.holders)
                bad.update([node] if is_sure else by)
        judged = sorted({*bad, *good} & replies.keys())
        if not judged:
            return
        async with self._core.database.write() as tx:
            stored = await find_announcers(tx, judged)
            for node in judged:
                one = _recent(stored.get(node) or Announcer(node, replies[node].org), tx.now)
                last = tx.now if bad[node] else one.bad_us
                counted = replace(one, good=one.good + (node in good), bad=one.bad + bad[node], bad_us=last)
                await put_announcer(tx, counted)


def _recent(one: Announcer, now: int) -> Announcer:
    """What is kept of a node, without what lies a week back."""
    is_old = one.bad_us is not None and not 0 <= now - one.bad_us < WEEK_US
    return replace(one, good=0, bad=0, bad_us=None) if is_old else one
