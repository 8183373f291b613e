"""What this node announces that it holds: the marks of every id and identifier of its passports.

Kept in the same table as the lists of others. What changes is read out of the journal, so that nothing is missed; once
a day all passports are read again, which takes out what is here no more.
"""

from collections.abc import Iterable, Mapping

from federation.directory import bucket_digest, by_bucket, join_marks, mark_of, split_marks
from node.passport.identifiers import keys_of
from node.services.core import Core
from node.services.folding import CHANGED
from node.store.database import ReadTx, WriteTx
from node.store.directory import Announcer, bucket_digests, count_marks, put_announcer, put_buckets, read_buckets
from node.store.journal import Sift, last_journal_id, read_feed
from node.store.passports import list_subjects, page_terms, read_members, terms_of_leads
from node.store.settings import find_setting, set_setting

SCANNED, CURSOR = "directory:scanned", "directory:cursor"
DAY_US = 86_400_000_000
PAGE = 5_000
BUCKETS_AT_ONCE = 64


class Holdings:
    """Keeps the own list."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def keep(self) -> frozenset[bytes]:
        """Bring the list up to date; the marks that are new, none where everything was read again."""
        if not self._core.settings.federation.announces:
            await self._put({})
            return frozenset()
        async with self._core.database.read() as tx:
            scanned, now = await find_setting(tx, SCANNED), tx.now
        if scanned is None or not 0 <= now - int(scanned) < DAY_US:
            await self._scan()
            return frozenset()
        return await self._follow()

    async def digests(self) -> dict[int, bytes]:
        """The digests of its buckets."""
        async with self._core.database.read() as tx:
            return await bucket_digests(tx, self._core.node)

    async def buckets(self, wanted: Iterable[int]) -> dict[int, bytes]:
        """The marks of buckets, of those that are not empty."""
        async with self._core.database.read() as tx:
            return await read_buckets(tx, self._core.node, wanted)

    async def _scan(self) -> None:
        """Read all passports, page by page: others are served meanwhile."""
        found: dict[int, bytearray] = {}
        async with self._core.database.read() as tx:
            cursor, now = await last_journal_id(tx), tx.now
        subject, term = b"", ("", b"")
        while True:
            async with self._core.database.read() as tx:
                subjects = await list_subjects(tx, subject, PAGE)
            _collect(found, map(mark_of, subjects))
            if len(subjects) < PAGE:
                break
            subject = subjects[-1]
        while True:
            async with self._core.database.read() as tx:
                rows = await page_terms(tx, term, PAGE)
                await tx.aside(lambda rows=rows: _collect(found, map(mark_of, keys_of((s, t) for t, _, s in rows))))  # type: ignore[misc]  # mypy infers no type for a lambda with a default
            if len(rows) < PAGE:
                break
            term = rows[-1][:2]
        await self._put(found)
        async with self._core.database.write() as tx:
            await set_setting(tx, SCANNED, str(now).encode())
            await set_setting(tx, CURSOR, str(cursor).encode())

    async def _follow(self) -> frozenset[bytes]:
        """Add what changed since."""
        added: frozenset[bytes] = frozenset()
        while True:
            async with self._core.database.read() as tx:
                cursor = int(await find_setting(tx, CURSOR) or b"0")
                rows, upto = await read_feed(tx, cursor, PAGE, Sift(frozenset({CHANGED})))
                marks = await _marks_of(tx, {row.subject for row in rows if row.subject is not None})
            if upto == cursor:
                return added
            async with self._core.database.write() as tx:
                added |= await self._add(tx, marks)
                await set_setting(tx, CURSOR, str(upto).encode())

    async def _add(self, tx: WriteTx, marks: Iterable[bytes]) -> frozenset[bytes]:
        wanted = by_bucket(marks)
        known = {bucket: set(split_marks(held)) for bucket, held in (await self._read(tx, wanted)).items()}
        fresh = {bucket: some - known.get(bucket, set()) for bucket, some in wanted.items()}
        changed = {bucket: join_marks(known.get(bucket, set()) | some) for bucket, some in fresh.items() if some}
        if changed:
            await put_buckets(tx, self._core.node, changed)
            await self._note(tx)
        return frozenset[bytes]().union(*fresh.values())

    async def _read(self, tx: ReadTx, wanted: Iterable[int]) -> dict[int, bytes]:
        return await read_buckets(tx, self._core.node, wanted)

    async def _put(self, found: Mapping[int, bytearray]) -> None:
        """Let the list be exactly this; what stands is not written again."""
        known = await self.digests()
        changed: dict[int, bytes] = {bucket: b"" for bucket in known if bucket not in found}
        for bucket, raw in found.items():
            marks = join_marks(split_marks(bytes(raw)))
            if known.get(bucket) != bucket_digest(marks):
                changed[bucket] = marks
        order = sorted(changed)
        for at in range(0, len(order), BUCKETS_AT_ONCE):
            async with self._core.database.write() as tx:
                part = order[at : at + BUCKETS_AT_ONCE]
                await put_buckets(tx, self._core.node, {bucket: changed[bucket] for bucket in part})
                await self._note(tx)

    async def _note(self, tx: WriteTx) -> None:
        marks = await count_marks(tx, self._core.node)
        await put_announcer(tx, Announcer(self._core.node, self._core.org, marks, tx.now))


async def _marks_of(tx: ReadTx, leads: Iterable[bytes]) -> set[bytes]:
    wanted = set(leads)
    members, terms = await read_members(tx, wanted), await terms_of_leads(tx, wanted)
    subjects = set[bytes]().union(*members.values())
    return {*map(mark_of, subjects), *map(mark_of, keys_of(terms))}


def _collect(found: dict[int, bytearray], marks: Iterable[bytes]) -> None:
    for bucket, some in by_bucket(marks).items():
        found.setdefault(bucket, bytearray()).extend(b"".join(some))
