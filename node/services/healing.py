"""After a fork of the own log: go on in a new one, and say again what fell with it, once.

Two nodes that were started from one folder write two branches of a log. Each comes here for its own: what it wrote past
the proven place counts no more anywhere, and stands in its new log from now on. Refs between those statements name the
new places; what others said about the old ones goes on naming these.
"""

from collections.abc import Iterable, Mapping, Sequence

import structlog

from federation.authority import Kind
from federation.chunks import SUFFIX
from federation.counting import Loss
from federation.errors import CodecError, VoidError
from federation.fragment import Header, Ref, SectionClass, decode_header, section_content
from federation.log import Reason
from node.passport.drafts import Draft, DraftSection
from node.services.core import Core
from node.services.counting import Counting, routes_of
from node.services.ledger import MAX_BATCH, Ledger, entry_ref
from node.store.chunks import copy_chunks, signed_file
from node.store.database import WriteTx
from node.store.forks import note_said_again, said_again
from node.store.fragments import SEALED, STORED, NewEntry, StoredFragment, entries_between
from node.store.held import is_held
from node.store.logs import StoredLog, list_logs

log = structlog.get_logger()

Place = tuple[bytes, int]


class Healing:
    """Brings the own logs out of a fork."""

    def __init__(self, core: Core, ledger: Ledger, counting: Counting) -> None:
        self._core = core
        self._ledger = ledger
        self._counting = counting

    async def run(self) -> None:
        """Heal at the start, and whenever a fork of an own log is proven."""
        self._counting.forked.set()
        while True:
            await self._counting.forked.wait()
            self._counting.forked.clear()
            await self.heal()

    async def heal(self) -> int:
        """Leave a forked log, and say again what fell; answer how many statements.

        Not while something is held back that may have been erased.
        """
        async with self._core.database.read() as tx:
            own = await list_logs(tx, own=True) if not await is_held(tx) else []
        forked = [one for one in own if one.counted.loss is Loss.FORKED]
        if own and forked and own[-1] is forked[-1]:
            await self._ledger.leave(Reason.ROOT_DIFFERS)
        count = 0
        for one in forked:
            count += await self._say_again(one, [known.log for known in forked])
        return count

    async def _say_again(self, fallen: StoredLog, forked: Sequence[bytes]) -> int:
        """What fell with one log, in its order, in as few steps as refs allow."""
        start, count = fallen.counted.size or 0, 0
        while start < fallen.size:
            async with self._core.database.read() as tx:
                found = await entries_between(tx, fallen.no, start, min(start + MAX_BATCH, fallen.size))
                places = await said_again(tx, forked)
            start += MAX_BATCH
            left = [entry for _, entry in sorted(found.items()) if (fallen.log, entry.seq) not in places]
            while left:
                said, left = _step(left, fallen.log)
                places |= await self._say(said, places)
                count += len(said)
        if count:
            await self._tell(fallen, count)
        return count

    async def _say(self, entries: Sequence[StoredFragment], places: Mapping[Place, Ref]) -> dict[Place, Ref]:
        """Say entries again in one transaction with the note of where; answer where they stand now."""
        drafted = [(entry, draft) for entry in entries if (draft := self._draft(entry, places)) is not None]
        moved: dict[Place, Ref] = {}

        async def note(tx: WriteTx, said: Sequence[NewEntry]) -> None:
            for (entry, draft), new in zip(drafted, said, strict=True):
                ref = entry_ref(self._ledger.log.log, new)
                moved[entry.log, entry.seq] = ref
                old = Ref(entry.log, entry.seq, entry.to_fragment().id[:16])
                for section in draft.sections:
                    if section.name.endswith(SUFFIX):
                        await copy_chunks(tx, signed_file(old, section.name), signed_file(ref, section.name))
            await note_said_again(tx, moved)

        if drafted:
            await self._ledger.append([draft for _, draft in drafted], note)
        return moved

    def _draft(self, entry: StoredFragment, places: Mapping[Place, Ref]) -> Draft | None:
        """An entry as it would be said now; None where nothing of it can be read."""
        try:
            header = decode_header(entry.header, entry.log, entry.seq)
            sections = tuple(self._sections(entry, header))
        except (VoidError, CodecError) as error:
            log.warning("not_said_again", log=entry.log.hex(), seq=entry.seq, error=str(error))
            return None
        if not sections or header.kind not in set(Kind):
            return None
        refs, auth = (tuple(_now(ref, places) for ref in refs) for refs in (header.refs, header.auth))
        routes = routes_of(entry.to_fragment())
        return Draft(Kind(header.kind), header.subjects, header.occurred, sections, refs, auth, routes)

    def _sections(self, entry: StoredFragment, header: Header) -> Iterable[DraftSection]:
        stored = {section.name: section for section in entry.sections}
        for head in header.sections:
            section = stored.get(head.name)
            if section is None or section.salt is None or section.form == SEALED:
                continue  # erased, or never opened here
            data = self._core.keystore.vault.open(section.data) if section.form == STORED else section.data
            yield DraftSection(head.name, section_content(head, data), SectionClass(head.klass))

    async def _tell(self, fallen: StoredLog, count: int) -> None:
        async with self._core.database.write() as tx:
            await self._core.announce(tx, "node", "log_said_again", log=fallen.log.hex(), count=count)


def _step(entries: Sequence[StoredFragment], log_id: bytes) -> tuple[list[StoredFragment], list[StoredFragment]]:
    """The first entries none of which names another of them, and the rest: what is named has its new place by then."""
    seqs: set[int] = set()
    for at, entry in enumerate(entries):
        try:
            header = decode_header(entry.header, entry.log, entry.seq)
            named = {ref.seq for ref in (*header.refs, *header.auth) if ref.log == log_id}
        except VoidError:
            named = set()
        if named & seqs:
            return list(entries[:at]), list(entries[at:])
        seqs.add(entry.seq)
    return list(entries), []


def _now(ref: Ref, places: Mapping[Place, Ref]) -> Ref:
    return places.get((ref.log, ref.seq), ref)
