"""Glances at a SQLite store: a short snapshot in one hop to a thread, and whether anything was committed since.

A transaction of the engines goes to the thread of its connection eight times and more, and each time costs more than a
look-up by key. Here a thread has a connection, and begins, reads and ends where it is.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection

from node.store.direct import join

THREADS = 2
BUSY_TIMEOUT_MS = 10_000
TUNING = (f"busy_timeout={BUSY_TIMEOUT_MS}", "temp_store=MEMORY", "cache_size=-8000", "query_only=ON")

T = TypeVar("T")


class Glances:
    """Connections of their own to one store; they are opened when they are first needed."""

    def __init__(self, path: str) -> None:
        """`path` of the file."""
        self._path = path
        self._threads = ThreadPoolExecutor(THREADS, "glance")
        self._here = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._watch: sqlite3.Connection | None = None

    def version(self) -> int:
        """A number that is another one whenever anything was committed since, by whomever. Some microseconds.

        The counter is in memory that all who have the store open share: the disk is not asked.
        """
        self._watch = self._watch or self._open()
        number: int = self._watch.execute("PRAGMA data_version").fetchone()[0]
        return number

    async def look(self, read: Callable[[Connection], T]) -> T:
        """What `read` finds in one snapshot, off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, read)

    def close(self) -> None:
        """Close every connection."""
        self._threads.shutdown()
        for connection in self._opened:
            connection.close()

    def _read(self, read: Callable[[Connection], T]) -> T:
        if not hasattr(self._here, "joined"):
            self._here.raw = self._open()
            self._here.joined = join(self._here.raw)
        raw: sqlite3.Connection = self._here.raw
        raw.execute("BEGIN")
        try:
            return read(self._here.joined)
        finally:
            raw.execute("ROLLBACK")  # nothing was written

    def _open(self) -> sqlite3.Connection:
        # Each is used by one thread at a time and closed by another.
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        for pragma in TUNING:
            connection.execute(f"PRAGMA {pragma}")
        self._opened.append(connection)
        return connection
