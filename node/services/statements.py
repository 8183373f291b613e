"""Reading stored entries as statements: only what counts, with the sections that are readable here."""

from collections.abc import Iterable

from federation.errors import VoidError
from federation.fragment import decode_header
from federation.organisation import Chain
from node.passport.statement import Statement, read_statement
from node.store.database import ReadTx
from node.store.fragments import StoredFragment, entries_about, entries_of_kinds
from node.store.logs import StoredLog, list_logs
from node.store.organisations import read_statements as read_root_statements


class StatementReader:
    """Reads statements in one transaction; the authors of logs are read once."""

    def __init__(self, logs: Iterable[StoredLog], chains: dict[bytes, Chain]) -> None:
        self._logs = {log.log: log for log in logs}
        self._chains = chains

    @classmethod
    async def open(cls, tx: ReadTx) -> "StatementReader":
        """Read logs and chains."""
        chains = {org: Chain(statements) for org, statements in (await read_root_statements(tx)).items()}
        return cls(await list_logs(tx), chains)

    async def about(self, tx: ReadTx, subjects: Iterable[bytes]) -> list[Statement]:
        """Every counted statement that names one of the subjects."""
        return self._read(await entries_about(tx, subjects))

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
                header = decode_header(entry.header, entry.log, entry.seq)
            except VoidError:
                continue
            found.append(read_statement(entry.to_fragment(), header, log.org))
        return found

    def _counts(self, log: StoredLog) -> bool:
        chain = self._chains.get(log.org)
        node = chain.node(log.node) if chain else None
        return node is not None and not node.disowned
