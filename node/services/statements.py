"""Reading stored entries as statements: only what counts, with the sections that are readable here."""

from collections.abc import Iterable

from federation.errors import VoidError
from federation.fragment import read_header
from federation.organisation import Chain
from node.passport.kept import named_by
from node.passport.statement import Statement, read_statement
from node.store.database import ReadTx
from node.store.fragments import StoredFragment, entries_about, entries_at, entries_of_kinds
from node.store.logs import StoredLog, list_logs
from node.store.organisations import read_statements as read_root_statements
from node.store.timelines import Place, plain_at


class StatementReader:
    """Reads statements in one transaction; the authors of logs are read once."""

    def __init__(self, logs: Iterable[StoredLog], chains: dict[bytes, Chain]) -> None:
        self._logs = {log.log: log for log in logs}
        self._chains = chains
        self.numbers = {log.log: log.no for log in self._logs.values()}

    @classmethod
    async def open(cls, tx: ReadTx) -> "StatementReader":
        """Read logs and chains."""
        chains = {org: Chain(statements) for org, statements in (await read_root_statements(tx)).items()}
        return cls(await list_logs(tx), chains)

    async def about(self, tx: ReadTx, subjects: Iterable[bytes]) -> list[Statement]:
        """Every counted statement that names one of the subjects."""
        return self._read(await entries_about(tx, subjects))

    async def beside_kept(self, tx: ReadTx, subjects: Iterable[bytes]) -> list[Statement]:
        """The same but for those that only add a row to a long passport, where it stands already.

        One that another statement names comes along: what is named does more than add a row.
        """
        found = self._read(await entries_about(tx, subjects, beside_kept=True))
        named = {(self.numbers[ref.log], ref.seq) for ref in named_by(found) if ref.log in self.numbers}
        named -= {(self.numbers[s.ref.log], s.ref.seq) for s in found}
        return [*found, *await self.at(tx, await plain_at(tx, named))]

    async def at(self, tx: ReadTx, places: Iterable[Place]) -> list[Statement]:
        """The counted statements at places (number of a log, seq)."""
        return self._read(await entries_at(tx, places))

    async def of_kinds(self, tx: ReadTx, kinds: Iterable[int]) -> list[Statement]:
        """Every counted statement of those kinds."""
        return self._read(await entries_of_kinds(tx, kinds))

    def _read(self, entries: Iterable[StoredFragment]) -> list[Statement]:
        found = []
        for entry in entries:
            log = self._logs.get(entry.log)
            if log is None or entry.void is not None or not self._counts(log):
                continue
            try:
                header = read_header(entry.header, entry.log, entry.seq)
            except VoidError:
                continue
            found.append(read_statement(entry.to_fragment(), header, log.org))
        return found

    def _counts(self, log: StoredLog) -> bool:
        chain = self._chains.get(log.org)
        node = chain.node(log.node) if chain else None
        return node is not None and not node.disowned
