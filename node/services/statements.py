"""Reading stored entries as statements: only what counts, with the sections that are readable here.

A row of a cut counts where its root is that of the log at that size: looked up here, because the fold sees no log.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from federation.authority import Kind
from federation.errors import VoidError
from federation.fragment import Fragment, Header, SectionClass, read_header
from federation.genesis import Genesis
from node.passport.cuts import CUT_KINDS, rows_of_cut
from node.passport.erasures import Target, erased_of, without_erased
from node.passport.kept import named_by
from node.passport.statement import Statement, read_statement
from node.passport.withdrawals import find_withdrawn
from node.passport.world import PUBLICATION_KINDS, is_standing
from node.store.database import ReadTx
from node.store.erasures import words_about
from node.store.fragments import (
    NewEntry,
    StoredFragment,
    entries_about,
    entries_at,
    entries_of_kinds,
    entries_said_of,
    headers_about,
    headers_between,
    headers_of_kinds,
    mention_counts,
)
from node.store.genesis import find_genesis
from node.store.logs import StoredLog, list_logs
from node.store.timelines import Place, plain_at
from node.store.trees import find_root


class StatementReader:
    """Reads statements in one transaction; what counts of each log is read once."""

    def __init__(self, logs: Iterable[StoredLog], fresh: Mapping[Place, NewEntry] | None = None) -> None:
        self._logs = {log.log: log for log in logs}
        self._fresh = fresh or {}
        self._roots: dict[tuple[bytes, int], bytes | None] = {}
        self.numbers = {log.log: log.no for log in self._logs.values()}

    @classmethod
    async def open(
        cls, tx: ReadTx, log: StoredLog | None = None, entries: Iterable[NewEntry] = ()
    ) -> "StatementReader":
        """Read the logs. Entries of a log that this transaction stored, all that is here of them, are at hand:
        what nobody else speaks of is not read back.
        """
        fresh = {(log.no, entry.seq): entry for entry in entries} if log is not None else {}
        return cls(await list_logs(tx), fresh)

    async def about(self, tx: ReadTx, subjects: Iterable[bytes]) -> list[Statement]:
        """Every counted statement that names one of the subjects."""
        return await self._about(tx, set(subjects), beside_kept=False)

    async def of(self, tx: ReadTx, entries: Iterable[StoredFragment]) -> list[Statement]:
        """The counted statements among entries that were read in this transaction."""
        return await self._proved(tx, await tx.aside(lambda: self._read(entries)))

    async def beside_kept(self, tx: ReadTx, subjects: Iterable[bytes]) -> list[Statement]:
        """The same but for those that only add a row to a long passport, where it stands already.

        One that another statement names comes along: what is named does more than add a row.
        """
        found = await self._about(tx, set(subjects), beside_kept=True)
        named = {(self.numbers[ref.log], ref.seq) for ref in named_by(found) if ref.log in self.numbers}
        named -= {(self.numbers[s.ref.log], s.ref.seq) for s in found}
        return [*found, *await self.at(tx, await plain_at(tx, named))]

    async def at(self, tx: ReadTx, places: Iterable[Place]) -> list[Statement]:
        """The counted statements at places (number of a log, seq)."""
        return await self._proved(tx, self._read(await entries_at(tx, places)))

    async def headers_between(self, tx: ReadTx, log: bytes, first: int, end: int) -> list[Statement]:
        """The counted statements of a log with first <= seq < end, every section of them withheld."""
        return self._read(await headers_between(tx, self.numbers[log], first, end))

    async def headers_about(self, tx: ReadTx, subjects: Iterable[bytes]) -> dict[bytes, list[Statement]]:
        """The counted statements that name each subject, every section of them withheld."""
        return {subject: self._read(entries) for subject, entries in (await headers_about(tx, subjects)).items()}

    def counts(self, log: bytes, seq: int) -> bool:
        """Whether the entry at a place of a known log counts."""
        known = self._logs.get(log)
        return known is not None and known.counted.counts(seq)

    def author(self, log: bytes) -> bytes:
        """The organisation of a known log."""
        return self._logs[log].org

    def standing(self, entries: Iterable[StoredFragment]) -> list[StoredFragment]:
        """Those of some entries that count and that nobody among them took back."""
        kept = [entry for entry in entries if self.counts(entry.log, entry.seq)]
        withdrawn = find_withdrawn(self._read(kept))
        places = {(ref.log, ref.seq) for ref in withdrawn}
        return [entry for entry in kept if (entry.log, entry.seq) not in places]

    async def of_kinds(self, tx: ReadTx, kinds: Iterable[int]) -> list[Statement]:
        """Every counted statement of those kinds."""
        entries = await entries_of_kinds(tx, kinds)
        return await self._proved(tx, await tx.aside(lambda: self._read(entries)))

    async def headers_of_kinds(self, tx: ReadTx, kinds: Iterable[int]) -> list[Statement]:
        """Every counted statement of those kinds, every section of them withheld."""
        entries = await headers_of_kinds(tx, kinds)
        return await tx.aside(lambda: self._read(entries))

    async def standing_grants(self, tx: ReadTx) -> list[Statement]:
        """The grants of organisations over all that is theirs, and what ended such ones."""
        orgs = {log.org for log in self._logs.values()}
        found = self._read(await entries_said_of(tx, (Kind.GRANT, Kind.END), orgs))
        return await self._proved(tx, [statement for statement in found if is_standing(statement)])

    async def published(self, tx: ReadTx, genesis: Genesis | None) -> list[Statement]:
        """Every counted publication, what was said to the whole federation, and grants over all that is somebody's."""
        found = [*await self.of_kinds(tx, PUBLICATION_KINDS), *await self.standing_grants(tx)]
        return found if genesis is None else [*found, *await self.about(tx, [genesis.id])]

    async def _about(self, tx: ReadTx, subjects: set[bytes], *, beside_kept: bool) -> list[Statement]:
        known = await self._named_elsewhere(tx, subjects) if self._fresh else subjects
        stored = await entries_about(tx, known, beside_kept=beside_kept)
        found = await tx.aside(lambda: [*self._read(stored), *self._take(subjects - known, stored)])
        return await self._proved(tx, found)

    async def _proved(self, tx: ReadTx, statements: list[Statement]) -> list[Statement]:
        """The same, without what was erased, and with the rows of their cuts whose roots are those of the logs here."""
        statements = await self._erased(tx, statements)
        cutting = [at for at, statement in enumerate(statements) if statement.kind in CUT_KINDS]
        for at in cutting:
            rows = [row for row in rows_of_cut(statements[at]) if await self._root(tx, row.log, row.size) == row.root]
            if rows:
                cut = tuple((row.log, row.size) for row in rows)
                statements[at] = replace(statements[at], cut=cut)
        return statements

    async def _erased(self, tx: ReadTx, statements: list[Statement]) -> list[Statement]:
        personal = [s for s in statements if any(klass == SectionClass.PERSONAL for _, klass in s.classes)]
        words = await words_about(tx, ((s.ref.log, s.ref.seq) for s in personal)) if personal else {}
        if not words:
            return statements
        genesis = await find_genesis(tx)

        def read(statement: Statement) -> Statement:
            said = words.get((statement.ref.log, statement.ref.seq), ())
            target = Target(statement.ref, statement.org, dict(statement.classes))
            return without_erased(statement, erased_of(said, target, genesis))

        return [read(statement) for statement in statements]

    async def _root(self, tx: ReadTx, log_id: bytes, size: int) -> bytes | None:
        """The root of a log at a size; None where the log is not here so far."""
        log, key = self._logs.get(log_id), (log_id, size)
        if log is None or log.size < size:
            return None
        if key not in self._roots:
            self._roots[key] = await find_root(tx, log.no, size)
        return self._roots[key]

    async def _named_elsewhere(self, tx: ReadTx, subjects: set[bytes]) -> set[bytes]:
        """Those subjects that more entries name than the fresh ones."""
        fresh = Counter(subject for entry in self._fresh.values() for subject in entry.named)
        return {subject for subject, count in (await mention_counts(tx, subjects)).items() if count > fresh[subject]}

    def _take(self, subjects: set[bytes], stored: Iterable[StoredFragment]) -> list[Statement]:
        """What the fresh entries say of subjects that no other entry names, but for those that were read."""
        read = {(entry.log_no, entry.seq) for entry in stored}
        found = [
            self._statement(entry.header, entry.to_fragment())
            for place, entry in self._fresh.items()
            if entry.header is not None and place not in read and not subjects.isdisjoint(entry.named)
        ]
        return [statement for statement in found if statement is not None]

    def _read(self, entries: Iterable[StoredFragment]) -> list[Statement]:
        found = []
        for entry in entries:
            if entry.void is not None:
                continue
            try:
                header = read_header(entry.header, entry.log, entry.seq)
            except VoidError:
                continue
            found.append(self._statement(header, entry.to_fragment()))
        return [statement for statement in found if statement is not None]

    def _statement(self, header: Header, fragment: Fragment) -> Statement | None:
        if not self.counts(header.log, header.seq):
            return None
        return read_statement(fragment, header, self._logs[header.log].org)
