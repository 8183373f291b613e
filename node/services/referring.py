"""The part of the directory that this node holds: what members announced here, and whom it refers askers to.

Members alone announce and are referred; of others neither the question nor the key is looked at. What is announced is
believed of nobody: who is referred asks the node itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from federation.directory import (
    MARK_SIZE,
    MOST_IN_BUCKET,
    by_bucket,
    join_marks,
    list_digest,
    mark_of,
    split_marks,
)
from federation.errors import RequestError
from federation.ports import Asker
from federation.sync.allowance import Daily
from federation.sync.announcing import MAX_REFERRALS, Announced, Referral
from node.passport.identifiers import lookup_key
from node.services.core import Core
from node.services.lookup_notes import ANSWERED, AnsweredNote, LookupNotes
from node.services.projection import Projection
from node.store.database import ReadTx, WriteTx
from node.store.directory import (
    Announcer,
    announcers_of,
    bucket_digests,
    count_marks,
    drop_lists,
    find_announcers,
    put_announcer,
    put_buckets,
    read_announcers,
    read_buckets,
)
from node.store.journal import read_since

DAY_US = 86_400_000_000
KEY = "key"  # the scheme of a question that says no more than a key of the directory


class Referring:
    """Takes lists, and refers to those who told them."""

    def __init__(self, core: Core, projection: Projection, notes: LookupNotes) -> None:
        self._core = core
        self._projection = projection
        self._notes = notes
        self._daily = Daily()

    async def open(self) -> None:
        """Count what was looked up today before this node began, as the journal tells it."""
        day = self._core.clock.now() // DAY_US
        async with self._core.database.read() as tx:
            rows = await read_since(tx, day * DAY_US, ANSWERED)
        for row in rows:
            scheme, value = str(row.detail["scheme"]), str(row.detail["value"])
            key = bytes.fromhex(value) if scheme == KEY else lookup_key(scheme, value)
            self._daily.take(row.org, mark_of(key), day, len(rows))

    def count(self, asker: Asker, key: bytes, scheme: str, value: str) -> None:
        """Count a device that an organisation looks up; raise RequestError where it is one too many of a day.

        One that it asked for before on that day costs nothing, and has its row in the journal already.
        """
        if asker.org == self._core.org:
            return
        settings = self._core.settings.federation
        most = settings.lookups_agreed.get(asker.org.hex(), settings.lookups_day)
        is_new = self._daily.take(asker.org, mark_of(key), self._core.clock.now() // DAY_US, most)
        if is_new is None:
            raise RequestError(
                f"more than {most} new devices were looked up today: agree on more with this organisation"
            )
        if is_new:
            self._notes.add(AnsweredNote(asker.org, asker.node, scheme, value))

    async def refer(self, asker: Asker, keys: Sequence[bytes]) -> list[list[Referral]]:
        """For each key who announced it here, this node among them; members of now alone."""
        for key in keys:
            self.count(asker, key, KEY, key.hex())

        async def look(tx: ReadTx) -> list[list[Announcer]]:
            return [await announcers_of(tx, mark_of(key)) for key in keys]

        announced, now = await self._core.database.glance(look), self._core.clock.now()
        found = [[self._referral(one, now) for one in some if self._counts(one, asker)] for some in announced]
        return [some[:MAX_REFERRALS] for some in found]

    async def announce(self, asker: Asker, said: Announced) -> Mapping[int, bytes] | None:
        """Take what a node holds; the digests of its buckets where its list is another here than it says."""
        if said == Announced():
            async with self._core.database.write() as tx:
                await drop_lists(tx, [asker.node])
            return None
        async with self._core.database.write() as tx:
            known = (await find_announcers(tx, [asker.node])).get(asker.node) or Announcer(asker.node, asker.org)
            changed = await self._changed(tx, asker.node, said)
            if changed:
                await put_buckets(tx, asker.node, changed)
                known = replace(known, marks=await count_marks(tx, asker.node))
                self._check_room(known)
            digests = await bucket_digests(tx, asker.node) if said.list is not None else {}
            is_level = said.list is not None and list_digest(digests) == said.list
            if changed or is_level:
                told = tx.now if is_level else known.told_us
                await put_announcer(tx, replace(known, org=asker.org, told_us=told))
        return None if said.list is None or is_level else digests

    async def announcers(self) -> list[Announcer]:
        """Everybody who announced here, and to whom this node was referred."""
        async with self._core.database.read() as tx:
            return await read_announcers(tx)

    async def sweep(self) -> None:
        """Forget the lists of those who are no members any more."""
        async with self._core.database.read() as tx:
            gone = [one.node for one in await read_announcers(tx) if one.marks and not self._is_member(one.org)]
        if gone:
            async with self._core.database.write() as tx:
                await drop_lists(tx, gone)

    async def _changed(self, tx: WriteTx, node: bytes, said: Announced) -> dict[int, bytes]:
        """The buckets as they are after an announcement."""
        added, removed = by_bucket(split_marks(said.added)), by_bucket(split_marks(said.removed))
        wanted = {*added, *removed} - said.whole.keys()
        before = {**await read_buckets(tx, node, wanted), **said.whole}
        changed = dict(said.whole)
        for bucket in {*added, *removed}:
            marks = set(split_marks(before.get(bucket, b""))) | added.get(bucket, set())
            changed[bucket] = join_marks(marks - removed.get(bucket, set()))
            if len(changed[bucket]) > MOST_IN_BUCKET * MARK_SIZE:
                raise RequestError(f"announce: more than {MOST_IN_BUCKET} marks in bucket {bucket}")
        return changed

    def _check_room(self, known: Announcer) -> None:
        most = self._core.settings.federation.announced_marks
        if known.marks > most:
            raise RequestError(f"announce: more than {most} marks of one node are not kept here")

    def _counts(self, one: Announcer, asker: Asker) -> bool:
        return one.node != asker.node and self._is_member(one.org)

    def _is_member(self, org: bytes) -> bool:
        return self._projection.world.standings.of(org).standing.is_member

    def _referral(self, one: Announcer, now: int) -> Referral:
        is_here = one.node == self._core.node
        return Referral(one.org, one.node, 0 if is_here or one.told_us is None else max(0, now - one.told_us))
