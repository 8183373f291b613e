"""The shipped store on a real SQLite file, driven without a thread: what asks it waits for turns, never for a disk.

Transactions are what they are in production: one writer, who is waited for, and readers that see what was committed.
The file lies in memory (tmpfs), in the journal mode of production, so that a torn commit is SQLite's own to heal.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.ext.asyncio import AsyncEngine

from node.ports import Clock
from node.store.database import READERS, Database, ReadTx, WriteTx
from node.store.direct import Joined, Work
from node.store.migrate import create_schema

T = TypeVar("T")


class Engine:
    """One engine for all stores of the process: a statement is compiled once, not once a store."""

    def __init__(self) -> None:
        self._raw: sqlite3.Connection | None = None
        self._engine = create_engine("sqlite://", creator=self._give, poolclass=NullPool)

    def over(self, raw: sqlite3.Connection) -> Connection:
        """A connection of SQLAlchemy inside the transactions of that one."""
        self._raw = raw
        return self._engine.connect()

    def _give(self) -> Any:  # Any: as much of a driver's connection as SQLAlchemy needs
        assert self._raw is not None
        return Joined(self._raw)


ENGINE = Engine()


class StillDatabase(Database):
    """The store of one simulated machine.

    `commits` counts its transactions. The power goes while the one numbered `torn_at` is written: `torn_share` of what
    it adds to the journal lies on the disk then.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.url = f"sqlite+aiosqlite:///{path}"
        self.is_sqlite = True
        self.commits = 0
        self.torn_at: int | None = None
        self.torn_share = 0.5
        self.is_dead = False
        self.died = asyncio.Event()
        self._torn: tuple[bytes, bytes] | None = None
        self._path = path
        self._journal = path.with_name(path.name + "-wal")
        self._clock = clock
        if not path.exists():
            path.write_bytes(_empty_store())
        self._writing = asyncio.Lock()
        self._reading = asyncio.Semaphore(READERS)
        self._opened: list[sqlite3.Connection] = []
        self._free: list[tuple[sqlite3.Connection, Connection]] = []
        self._own = self._open()

    @property
    def writer(self) -> AsyncEngine:
        """There is none: the schema is made with the file."""
        raise NotImplementedError("a simulated store is made with its schema")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadTx]:
        """Open a snapshot."""
        await self._turn()
        async with self._reading:
            await self._stand()
            raw, connection = self._free.pop() if self._free else self._open()
            raw.execute("BEGIN")
            try:
                yield ReadTx(connection, self._clock.now())
            finally:
                if not self.is_dead:
                    raw.execute("ROLLBACK")
                    self._free.append((raw, connection))

    snapshot = read

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteTx]:
        """Open the one write transaction; whoever comes meanwhile waits."""
        await self._turn()
        async with self._writing:
            await self._stand()
            raw, connection = self._own
            raw.execute("BEGIN IMMEDIATE")
            try:
                tx = WriteTx(connection, self._clock.now())
                yield tx
                await self._stand()
                self.commits += 1
                if self.commits == self.torn_at:
                    self._tear(raw)
                await self._stand()
                raw.execute("COMMIT")
            except BaseException:
                if not self.is_dead and raw.in_transaction:
                    raw.execute("ROLLBACK")
                raise
            for call in tx.after:
                call()
        await self._turn()

    async def glance(self, work: Callable[[ReadTx], Work[T]]) -> T:
        """Do work over a snapshot."""
        async with self.read() as tx:
            return await work(tx)

    def version(self) -> int | None:
        """Nobody tells."""
        return None

    async def lock(self) -> None:
        """No other process is there."""

    async def hold(self, node: bytes, run: bytes) -> None:
        """No other process is there."""

    async def scrub(self) -> bool:
        """Empty the journal."""
        async with self._writing:
            await self._stand()
            is_busy, _, _ = self._own[0].execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not is_busy

    async def watch(self) -> None:
        """No other process takes it."""

    async def read_ahead(self, read: Callable[[ReadTx], Awaitable[None]]) -> None:
        """Nothing is ever cold here."""

    async def close(self) -> None:
        """Close every connection."""
        self.kill()

    def kill(self) -> None:
        """End as a process does: what was not committed is gone, and nothing is written any more."""
        self._stand_still()
        for raw in self._opened:
            raw.close()
        self._opened.clear()
        self._free.clear()
        if self._torn is not None:
            store, journal = self._torn
            self._path.write_bytes(store)
            self._journal.write_bytes(journal)
            self._torn = None

    def copy_to(self, path: Path) -> None:
        """A copy of what is committed."""
        source, target = sqlite3.connect(self._path), sqlite3.connect(path)
        try:
            source.backup(target)
        finally:
            source.close()
            target.close()

    def _tear(self, raw: sqlite3.Connection) -> None:
        """Commit, and keep what the disk has when the power goes meanwhile: a part of the journal's new bytes."""
        store, before = self._path.read_bytes(), self._journal.read_bytes()
        raw.execute("COMMIT")
        after = self._journal.read_bytes()
        first = next(
            (at for at, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
        )
        cut = first + int((len(after) - first) * self.torn_share)
        self._torn = (store, after[:cut] + before[cut:])
        self._stand_still()

    def _stand_still(self) -> None:
        self.is_dead = True
        self.died.set()

    def _open(self) -> tuple[sqlite3.Connection, Connection]:
        raw = sqlite3.connect(self._path, isolation_level=None)
        always = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY", "secure_delete=ON")
        for pragma in always:
            raw.execute(f"PRAGMA {pragma}")
        self._opened.append(raw)
        return raw, ENGINE.over(raw)

    async def _turn(self) -> None:
        """Whoever else is ready may come first."""
        await asyncio.sleep(0)
        await self._stand()

    async def _stand(self) -> None:
        """Nothing goes on in a machine without power: whoever waits there is swept away with it."""
        if self.is_dead:
            await asyncio.get_running_loop().create_future()


@cache
def _empty_store() -> bytes:
    raw = sqlite3.connect(":memory:", isolation_level=None)
    with ENGINE.over(raw) as connection:
        create_schema(connection)
        connection.commit()
    made = raw.serialize()
    raw.close()
    return made
