"""Taking in what other organisations said: chains, logs, entries. Everything is verified before it is stored."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from federation.checkpoint import Checkpoint, parse_note
from federation.errors import EntryRefusedError, RemoteProtocolError, SealError, StatementError
from federation.fragment import Fragment, Header, Section, SectionClass
from federation.log import LogStatement
from federation.organisation import Chain
from federation.sealing import is_sealed_to, open_section
from federation.statements import RootStatement
from federation.sync.frames import Grown
from federation.sync.messages import Placed
from federation.sync.mirror import Verified, VerifiedEntry, verify_entry
from node.passport.cuts import read_rows
from node.services.core import Core
from node.services.counting import Counting, routes_of, stored_entry, stored_header
from node.services.forks import Forks
from node.services.ledger import Project, Taken
from node.services.sealing import stored_secret
from node.store.database import WriteTx
from node.store.fragments import (
    CLEAR,
    SEALED,
    STORED,
    NewEntry,
    StoredFragment,
    StoredSection,
    entries_about,
    entries_at,
    insert_entries,
    insert_sections,
)
from node.store.logs import (
    StoredLog,
    find_log,
    get_log,
    insert_checkpoint,
    insert_log,
    list_logs,
    set_size,
    stop_log,
)
from node.store.organisations import find_chain, find_sign_key, known_hashes, read_attested, read_statements
from node.store.trees import append_hashes, fill_tile, missing_tiles, read_leaves_at


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A part of a log as it stands here that a mirror proved, and the checkpoint under which it is."""

    log: StoredLog
    verified: Verified
    note: bytes

    @property
    def reached(self) -> Checkpoint | None:
        """The checkpoint, where the part ends with it."""
        checkpoint = parse_note(self.note)[0]
        return checkpoint if checkpoint.size == self.log.size + self.verified.size else None


class Ingest:
    """Verifies and stores what peers send."""

    def __init__(self, core: Core, project: Project, counting: Counting) -> None:
        self._core = core
        self._project = project
        self._counting = counting
        self.forks = Forks(core, counting)
        self._one_at_a_time = asyncio.Lock()

    async def news_of(self, chains: Iterable[Sequence[RootStatement]]) -> list[Sequence[RootStatement]]:
        """Those of the chains that hold a statement which is not here."""
        chains = [chain for chain in chains if chain]
        async with self._core.database.read() as tx:
            known = await known_hashes(tx, [chain[0].org_id for chain in chains])
        return [chain for chain in chains if any(statement.hash not in known for statement in chain)]

    async def take_chain(self, statements: Sequence[RootStatement]) -> Chain:
        """Keep the statements that stand; raise StatementError where there is no genesis."""
        if not statements:
            raise StatementError("an empty chain")
        async with self._one_at_a_time:
            return await self._take_chain(statements)

    async def _take_chain(self, statements: Sequence[RootStatement]) -> Chain:
        org = statements[0].org_id
        async with self._core.database.read() as tx:
            known = (await read_statements(tx, org)).get(org, [])
            attested = (await read_attested(tx, org)).get(org, frozenset())
        chain = await asyncio.to_thread(Chain, [*known, *statements], attested)
        # By hash: a statement under another signature is the same one.
        have = {statement.hash for statement in known}
        kept = {statement.hash: statement for statement in await asyncio.to_thread(chain.kept)}
        fresh = [statement for found, statement in kept.items() if found not in have]
        if fresh:
            async with self._core.database.write() as tx:
                await self._counting.take_statements(tx, chain.org_id, fresh, have - kept.keys())
        return chain

    async def take_log(self, statement: LogStatement) -> StoredLog | None:
        """Keep a log whose node is stated; None where the node is unknown yet (its entries are pending)."""
        async with self._one_at_a_time:
            return await self._take_log(statement)

    async def _take_log(self, statement: LogStatement) -> StoredLog | None:
        async with self._core.database.read() as tx:
            known = await find_log(tx, statement.log_id)
            chain = await find_chain(tx, statement.org)
            others = await list_logs(tx, org=statement.org)
        if known is not None:
            return known
        node = chain.node(statement.node) if chain else None
        if chain is None or node is None:
            return None
        statement.check_signed_by(node.sign_key)
        statement.check_keys_are_new(log.statement for log in others if chain.counts(log.node))
        async with self._core.database.write() as tx:
            log = await insert_log(tx, statement, own=False)
            await self._counting.judge(tx, log.org)
            return await get_log(tx, log.log)

    async def take_parts(self, parts: Sequence[Mirrored]) -> None:
        """Store what mirrors proved of logs, in one transaction with the projections, and with its last the note."""
        taken = await asyncio.to_thread(lambda: [(part.log, self._entries(part.verified)) for part in parts])
        async with self._core.database.write() as tx:
            kept = [(log, await self._keep(tx, part, e)) for part, (log, e) in zip(parts, taken, strict=True)]
            await self._take_effect(tx, kept)
            reached = [one for part in parts if (one := part.reached) is not None]
            # Their authors learn how far they are known here.
            orgs, grown = {part.log.org for part in parts}, [Grown(one.log, one.size, one.root) for one in reached]
            tx.on_commit(lambda: self._core.outgoing.grew(orgs, grown))

    async def _keep(self, tx: WriteTx, part: Mirrored, entries: Sequence[NewEntry]) -> Sequence[NewEntry]:
        log, verified = part.log, part.verified
        kept = await insert_entries(tx, log.no, entries)
        grown = await append_hashes(tx, log.no, log.size, verified.hashes)
        await set_size(tx, log, grown.size)
        if part.reached is not None:
            await insert_checkpoint(tx, log.no, grown.size, grown.root(), part.note)
        await self._mark(tx, log, verified.refused)
        return kept

    async def take_placed(self, placed: Iterable[Placed], giver: bytes | None = None) -> bool:
        """Store fragments that were opened after their leaves were mirrored; whether every leaf was here.

        What is sealed to this node and is not what its author committed to is left out, and stands in the journal with
        the organisation that is the `giver`.
        """
        by_log: dict[bytes, list[Placed]] = {}
        for item in placed:
            by_log.setdefault(item.log, []).append(item)
        return all([await self._take_placed(log_id, items, giver) for log_id, items in by_log.items()])

    async def unknown_tiles(self, placed: Iterable[Placed]) -> list[tuple[bytes, int]]:
        """Tiles (log, number) of entries that were opened, of whose leaves only the root was mirrored."""
        return await self._missing_tiles((item.log, item.seq) for item in placed)

    async def cut_tiles(self, placed: Iterable[Placed]) -> list[tuple[bytes, int]]:
        """Tiles (log, number) within which cuts of such entries end, of whose leaves only the root was mirrored."""
        cuts = [cut for item in placed if (cut := item.fragment.section("cut")) is not None and cut.salt is not None]
        return await self._missing_tiles((row.log, row.size - 1) for cut in cuts for row in read_rows(cut.data))

    async def _missing_tiles(self, places: Iterable[tuple[bytes, int]]) -> list[tuple[bytes, int]]:
        by_log: dict[bytes, list[int]] = {}
        for log_id, seq in places:
            by_log.setdefault(log_id, []).append(seq)
        async with self._core.database.read() as tx:
            logs = [(log, seqs) for log_id, seqs in by_log.items() if (log := await find_log(tx, log_id)) is not None]
            return [(log.log, n) for log, seqs in logs for n in await missing_tiles(tx, log.no, log.size, seqs)]

    async def take_tile(self, log_id: bytes, n: int, leaves: Sequence[bytes]) -> None:
        """Keep the leaves of a tile of which the root was mirrored; raise RemoteProtocolError where they are others."""
        async with self._core.database.write() as tx:
            if not await fill_tile(tx, (await get_log(tx, log_id)).no, n, leaves):
                raise RemoteProtocolError(f"log {log_id.hex()}: the leaves of tile {n} are not those mirrored")

    async def _take_placed(self, log_id: bytes, items: list[Placed], giver: bytes | None) -> bool:
        async with self._core.database.read() as tx:
            log = await find_log(tx, log_id)
            if log is None:
                return False
            sign_key = await find_sign_key(tx, log)
            leaves = await read_leaves_at(tx, log.no, [item.seq for item in items])
        if sign_key is None:
            return False
        items = await self._of_one_branch(log, items, leaves)
        entries = await asyncio.to_thread(self._judge, items, leaves, sign_key)
        async with self._core.database.write() as tx:
            there = await entries_at(tx, [(log.no, e.seq) for e in entries])
            stored = {entry.seq: _readable(entry.sections) for entry in there}
            fresh = [e for e in entries if e.seq not in stored]
            fuller = [e for e in entries if e.seq in stored and _readable(e.stored) - stored[e.seq]]
            kept = await insert_entries(tx, log.no, fresh)
            await insert_sections(tx, log.no, fuller)
            carried = await self._put_sealed(tx, log, [e for e in entries if e.seq in stored], there, giver)
            # What came may be less than what is here of an entry by now.
            known = [(log.no, entry.seq) for entry in (*fuller, *carried)]
            opened = [stored_entry(e) for e in await entries_at(tx, known)]
            await self._take_effect(tx, [(log, [*kept, *opened])])
            await self._tell_swapped(tx, entries, log, giver)
        return len(entries) == len(items)

    async def _put_sealed(
        self,
        tx: WriteTx,
        log: StoredLog,
        entries: Iterable[NewEntry],
        there: Iterable[StoredFragment],
        giver: bytes | None,
    ) -> list[NewEntry]:
        """Keep what is sealed to others beside entries that are here, and answer these entries. It takes the place of
        what was sealed before only where the author's own node gives it: anybody else could put rubbish there.
        """
        stands = {(one.seq, section.position): section for one in there for section in one.sections}
        kept: list[NewEntry] = []
        for entry in entries:
            sealed = tuple(
                section
                for section in entry.stored
                if section.form == SEALED
                and _gives_way(stands.get((entry.seq, section.position)), section, giver == log.org)
            )
            if sealed:
                kept.append(replace(entry, stored=sealed))
        await insert_sections(tx, log.no, kept, anew=True)
        return kept

    async def _of_one_branch(self, log: StoredLog, items: list[Placed], leaves: Mapping[int, bytes]) -> list[Placed]:
        """Those entries that are not of another branch of a forked log; what shows a fork is evidence, and kept so."""
        kept = []
        for item in items:
            is_other = leaves.get(item.seq, item.fragment.leaf) != item.fragment.leaf
            if is_other and (await self.forks.take_header(item.log, item.seq, item.fragment) or log.counted.loss):
                continue
            kept.append(item)
        return kept

    async def take_secret(self, subject: bytes, section: Section) -> bool:
        """Keep a section that was sealed to this node, beside the entry about the subject that commits to it.

        False where no entry here does.
        """
        async with self._core.database.read() as tx:
            found = await entries_about(tx, [subject])
        for entry in reversed(found):
            header = stored_header(entry)
            if header is None or header.section(section.name) is None:
                continue
            if (opened := self._section(header, section)) is not None and opened.form == STORED:
                fragment = Fragment(entry.header, entry.signature)
                async with self._core.database.write() as tx:
                    kept = NewEntry(entry.seq, fragment, header, None, (opened,), ())
                    await insert_sections(tx, entry.log_no, [kept])
                return True
        return False

    def _judge(self, items: list[Placed], leaves: Mapping[int, bytes], sign_key: bytes) -> list[NewEntry]:
        entries = []
        for item in items:
            leaf = leaves.get(item.seq)
            if leaf is None:
                continue
            if leaf != item.fragment.leaf:
                raise EntryRefusedError(item.log, item.seq, item.fragment.id, "its leaf is not the one mirrored")
            entries.append(self._entry(verify_entry(item.log, item.seq, item.fragment, sign_key)))
        return entries

    async def _take_effect(self, tx: WriteTx, taken: Sequence[Taken]) -> None:
        """Project entries; what does not count is kept and passed on, and moves nothing."""
        counting: list[Taken] = []
        for log, entries in taken:
            counted = await self._counting.judge_log(tx, log)
            counting.append((log, [entry for entry in entries if counted.counts(entry.seq)]))
        # A log without an entry too: it is here further, which passports may wait for.
        await self._project(tx, counting)

    async def _mark(self, tx: WriteTx, log: StoredLog, refused: EntryRefusedError | None) -> None:
        reason = str(refused) if refused else None
        if reason == log.stopped:
            return
        await stop_log(tx, log.no, reason)
        if refused is not None:
            await self._core.announce(
                tx, "sync", "entry_refused", org=log.org, log=log.log.hex(), seq=refused.seq, reason=refused.what
            )

    async def _tell_swapped(
        self, tx: WriteTx, entries: Iterable[NewEntry], log: StoredLog, giver: bytes | None
    ) -> None:
        for entry in entries:
            taken = {section.name for section in entry.stored}
            for name in (one.name for one in entry.fragment.sections if one.name not in taken):
                subject = entry.header.subject if entry.header else None
                place: dict[str, Any] = {"log": log.log.hex(), "seq": entry.seq, "section": name}  # Any: JSON
                await self._core.announce(tx, "sync", "sealed_swapped", subject, org=giver, **place)

    def _entries(self, verified: Verified) -> list[NewEntry]:
        return [self._entry(item) for item in verified.entries]

    def _entry(self, verified: VerifiedEntry) -> NewEntry:
        fragment, header = verified.fragment, verified.header
        if header is None:
            return NewEntry(verified.seq, fragment, None, verified.void)
        given = (self._section(header, section) for section in fragment.sections)
        rest = tuple(section for section in given if section is not None)
        return NewEntry(verified.seq, fragment, header, None, rest, routes_of(fragment))

    def _section(self, header: Header, section: Section) -> StoredSection | None:
        """As it is stored; None where it is sealed to this node, and is not what the header commits to."""
        position = [head.name for head in header.sections].index(section.name)
        if section.salt is not None:
            return StoredSection(position, section.name, section.salt, section.data, CLEAR)
        keys = self._core.keystore.box_keys()
        for key in keys:
            try:
                opened = open_section(key, header, section)
            except SealError:
                continue
            if header.sections[position].klass != SectionClass.SECRET:
                return StoredSection(position, section.name, opened.salt, opened.data, CLEAR)
            return stored_secret(self._core.keystore.vault, position, section.name, opened.salt, opened.data)
        if is_sealed_to(section, {key.id for key in keys}):
            return None
        return StoredSection(position, section.name, None, section.data, SEALED)


def _gives_way(stands: StoredSection | None, sealed: StoredSection, is_by_author: bool) -> bool:
    """Whether a sealed section is to be stored where another one stands, or none."""
    return stands is None or (stands.form == SEALED and is_by_author and stands.data != sealed.data)


def _readable(sections: Iterable[StoredSection]) -> set[str]:
    return {section.name for section in sections if section.form != SEALED}
