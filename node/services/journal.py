"""Reading the journal: what changed here, who changed it, in which organisation's name."""

from node.services.core import Core
from node.store.journal import JournalRow, last_journal_id, read_journal

__all__ = ["Journal", "JournalRow"]


class Journal:
    """The rows of the journal, for pages, the event stream and the API."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def newest(self, before: int = 0, limit: int = 50, subject: bytes | None = None) -> list[JournalRow]:
        """Rows with a smaller id, newest first; 0 begins at the end."""
        async with self._core.database.read() as tx:
            return await read_journal(tx, before, limit, subject, newest_first=True)

    async def after(self, row_id: int, limit: int = 200, subject: bytes | None = None) -> list[JournalRow]:
        """Rows with a greater id, oldest first."""
        async with self._core.database.read() as tx:
            return await read_journal(tx, row_id, limit, subject)

    async def last_id(self) -> int:
        """The newest id, 0 where nothing happened yet."""
        async with self._core.database.read() as tx:
            return await last_journal_id(tx)
