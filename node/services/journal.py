"""Reading the journal: what changed here, who changed it, in which organisation's name."""

from node.errors import StateError
from node.services.core import Core
from node.store.journal import EVERYTHING, JournalRow, Sift, last_journal_id, read_feed, read_journal

__all__ = ["EVERYTHING", "Journal", "JournalRow", "Sift"]


class Journal:
    """The rows of the journal, for pages, the event stream and the API."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def newest(self, before: int = 0, limit: int = 50, subject: bytes | None = None) -> list[JournalRow]:
        """Rows with a smaller id, newest first; 0 begins at the end."""
        async with self._core.database.read() as tx:
            return await read_journal(tx, before, limit, subject, newest_first=True)

    async def after(self, row_id: int, limit: int = 200, sift: Sift = EVERYTHING) -> list[JournalRow]:
        """Rows with a greater id, oldest first."""
        async with self._core.database.read() as tx:
            rows, _ = await read_feed(tx, row_id, limit, sift)
            return rows

    async def feed(self, after: int, limit: int, sift: Sift) -> tuple[list[JournalRow], int]:
        """Rows with a greater id, oldest first, and the id from which to go on.

        Raise StateError for an id that this journal has not reached: the store is an older one than its reader knew.
        """
        async with self._core.database.read() as tx:
            last = await last_journal_id(tx)
            if after > last:
                raise StateError(f"the journal ends at {last}, before {after}", "events_ahead", last=last, after=after)
            return await read_feed(tx, after, limit, sift)

    async def last_id(self) -> int:
        """The newest id, 0 where nothing happened yet."""
        async with self._core.database.read() as tx:
            return await last_journal_id(tx)
