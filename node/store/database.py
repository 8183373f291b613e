"""The database: one writer, many readers, and transactions that carry their permission in their type.

SQLite: a writer engine of one connection that begins with BEGIN IMMEDIATE, and readers that may not write. A deferred
BEGIN that turns from read to write fails at once, whatever the busy timeout says. PostgreSQL: the same code over
sessions of its own (node/store/sessions.py), of which the one that writes is alone over all processes.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from copy import copy
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from sqlalchemy import (
    Connection,
    CursorResult,
    Dialect,
    Executable,
    Insert,
    Row,
    Table,
    event,
    insert,
    inspect,
    make_url,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlalchemy.sql.selectable import TypedReturnsRows

from node.aside import aside
from node.config import StoreSection
from node.errors import StoreAwayError
from node.folder import NodeFolder
from node.ports import Clock
from node.store.address import password_path
from node.store.direct import Work, drive, join
from node.store.errors import LockedError
from node.store.glances import Glances

if TYPE_CHECKING:
    from node.store.sessions import Fence, Mark, Sessions

BUSY_TIMEOUT_MS = 10_000
SCRUB_TIMEOUT_MS = 200
READERS = 4
OPENED_IN_S = 1.0
WATCH_S = 2.0
AGAIN_S = 0.2
WRITER_BEGIN = "BEGIN IMMEDIATE"
READER_BEGIN = "BEGIN"

JOINED = "joined"

T = TypeVar("T")

Values = Sequence[dict[str, object]] | dict[str, object]
Record = Row[Any]  # Any: the columns of a row are known to the statement that selects them


class ReadTx:
    """One snapshot for reading; `now` is the time of the transaction in microseconds.

    Over a connection that is not asynchronous, in the thread of the database, nothing has to be waited for.
    """

    def __init__(self, connection: AsyncConnection | Connection, now: int) -> None:
        self.connection = connection
        self.now = now

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.connection.dialect.name

    async def all(self, statement: TypedReturnsRows[Any], **values: object) -> Sequence[Record]:
        """Every row; `values` are of the parameters of a statement that was built once."""
        rows: Sequence[Record] = (await self._execute(statement, values or None)).all()
        return rows

    async def first(self, statement: TypedReturnsRows[Any], **values: object) -> Record | None:
        """The first row, or None."""
        row: Record | None = (await self._execute(statement, values or None)).first()
        return row

    async def value(self, statement: TypedReturnsRows[Any], **values: object) -> Any:  # Any: of the selected column
        """The first column of the first row, or None."""
        return (await self._execute(statement, values or None)).scalar()

    async def has_table(self, name: str) -> bool:
        """Whether the store has a table of that name."""
        if isinstance(self.connection, Connection):
            return inspect(self.connection).has_table(name)
        return await self.connection.run_sync(lambda connection: inspect(connection).has_table(name))

    async def aside(self, call: Callable[[], T]) -> T:
        """Do work of some length off the event loop; cancelled, it has ended all the same when this returns."""
        if isinstance(self.connection, Connection):
            return call()
        return await aside(call)

    async def at_once(self, work: Callable[[Self], Work[T]]) -> T:
        """Do work that awaits nothing but the transaction it is given: on SQLite in one hop, off the event loop."""
        if self.dialect != "sqlite" or isinstance(self.connection, Connection):
            return await work(self)
        raw = await self.connection.get_raw_connection()
        driver: Any = raw.driver_connection  # Any: a connection of aiosqlite, which has no public name for its thread

        def hop() -> T:
            there = copy(self)
            there.connection = raw.info.get(JOINED) or raw.info.setdefault(JOINED, join(driver._conn))
            return drive(work(there))

        done: T = await driver._execute(hop)
        return done

    async def _execute(self, statement: Executable, values: Values | None) -> CursorResult[Any]:
        if isinstance(self.connection, Connection):
            return self.connection.execute(statement, values)
        return await self.connection.execute(statement, values)


class WriteTx(ReadTx):
    """A transaction that may write; what it announces goes out after the commit."""

    def __init__(self, connection: AsyncConnection | Connection, now: int) -> None:
        super().__init__(connection, now)
        self.after: list[Callable[[], object]] = []
        self.touched: set[str] = set()

    def on_commit(self, call: Callable[[], object]) -> None:
        """Call something once the transaction stands; never called if it falls."""
        self.after.append(call)

    def touch(self, what: str) -> None:
        """What is kept in memory of such rows holds no more once this ends."""
        self.touched.add(what)

    async def run(self, statement: Executable, rows: Values | None = None) -> int:
        """Execute, once or for many rows; answer how many rows were touched."""
        if rows is not None and not rows:
            return 0
        if isinstance(rows, Sequence):
            return await self._run_many(statement, rows)
        return int((await self._execute(statement, rows)).rowcount)

    async def _run_many(self, statement: Executable, rows: Sequence[dict[str, object]]) -> int:
        """Hand rows to the driver as they are: the column types need no conversion (node/store/types.py)."""
        sql, names = _compiled(self.connection.dialect, statement, tuple(rows[0]))
        values = [tuple([row[name] for name in names]) for row in rows]
        return int((await self._execute_text(sql, values)).rowcount)

    async def _execute_text(self, sql: str, values: list[tuple[object, ...]]) -> CursorResult[Any]:
        if isinstance(self.connection, Connection):
            return self.connection.exec_driver_sql(sql, values)
        return await self.connection.exec_driver_sql(sql, values)

    async def insert_id(self, table: Table, **values: object) -> int:
        """Insert one row into a table with a growing key and answer that key."""
        result = await self._execute(_insert(table), values)
        return int((result.inserted_primary_key or (0,))[0])


@cache  # building a statement costs as much as running it
def _insert(table: Table) -> Insert:
    return insert(table)


@lru_cache(maxsize=256)
def _compiled(dialect: Dialect, statement: Executable, names: tuple[str, ...]) -> tuple[str, list[str]]:
    """The text of a statement for rows of these columns, and the order of its parameters."""
    compiled = statement.compile(dialect=dialect, column_keys=names)  # type: ignore[attr-defined]  # of ClauseElement
    return str(compiled), list(compiled.positiontup)


class Database:
    """The engines of one store."""

    def __init__(self, url: str, clock: Clock, password_file: Path | None = None) -> None:
        """`url` as SQLAlchemy reads it: `sqlite+aiosqlite:///...` or `postgresql+asyncpg://...`."""
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self._clock = clock
        self._taken = asyncio.Event()
        self._touches: Counter[str] = Counter()
        self._sessions = None if self.is_sqlite else _sessions(url, password_file)
        self._fence = self._sessions.fence if self._sessions else None
        self._writer = self._engine(1, WRITER_BEGIN, is_writer=True)
        self._readers = self._engine(READERS, READER_BEGIN, is_writer=False)
        self._glances = Glances(make_url(url).database or "") if self.is_sqlite else None

    @classmethod
    def of_node(cls, folder: NodeFolder, settings: StoreSection, clock: Clock) -> Self:
        """The store of a node, where its settings say."""
        return cls(settings.url or folder.url(), clock, password_path(folder.path, settings.password_file))

    @property
    def writer(self) -> AsyncEngine:
        """The engine for migrations."""
        return self._writer

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadTx]:
        """Open a snapshot."""
        with self._reaching():
            async with self._readers.connect() as connection, connection.begin():
                yield ReadTx(connection, self._clock.now())

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[ReadTx]:
        """Open a snapshot that stays the same however long and however often it is read."""
        with self._reaching():
            async with self._readers.connect() as connection:
                if not self.is_sqlite:  # there a second statement would see what was committed after the first
                    await connection.execution_options(isolation_level="REPEATABLE READ")
                async with connection.begin():
                    yield ReadTx(connection, self._clock.now())

    async def glance(self, work: Callable[[ReadTx], Work[T]]) -> T:
        """Do work that awaits nothing but its snapshot: on SQLite all of it in one hop, off the event loop."""
        if self._glances is None:
            async with self.read() as tx:
                return await work(tx)
        now = self._clock.now()

        def read(joined: Connection) -> T:
            return drive(work(ReadTx(joined, now)))

        return await self._glances.look(read)

    def version(self) -> int | None:
        """Another number whenever anything was committed since, by whatever process; None where nobody tells."""
        return self._glances.version() if self._glances else None

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteTx]:
        """Open the one write transaction; commit at the end, roll back on any error.

        What waits for the commit is called before the next writer begins: that one sees what it set.
        """
        with self._reaching():
            async with self._writer.connect() as connection:
                tx = WriteTx(connection, self._clock.now())
                try:
                    async with self._fenced(self._fence, connection) if self._fence else connection.begin():
                        yield tx
                finally:  # a commit that failed may stand all the same
                    self._touches.update(tx.touched)
                for call in tx.after:
                    call()

    def touches(self, what: str) -> int:
        """Another number whenever a transaction of this process ended that touched such rows."""
        return self._touches[what]

    async def lock(self) -> None:
        """Keep every other process from writing until this is closed; raise LockedError, StoreAwayError.

        A file has the lock of its folder instead.
        """
        if self._fence is not None:
            with self._reaching():
                async with self._writer.connect():
                    pass  # the pool keeps the session, the session the lock

    async def hold(self, node: bytes, run: bytes) -> None:
        """Be the one process that writes: `node` is whose the store is, `run` names this process; 16 bytes each.

        Raise OwnerError where it is another node's.
        """
        if self._fence is not None:
            with self._reaching():
                async with self._writer.begin() as connection:
                    await self._fence.take(connection, node, run)

    async def scrub(self) -> bool:
        """Let the journal of the store keep nothing of what was erased; False where somebody reads just now.

        PostgreSQL keeps what it keeps: its own server decides when pages and its journal are written anew.
        """
        if not self.is_sqlite:
            return True
        async with self._writer.connect() as connection:
            raw = await connection.get_raw_connection()
            driver: Any = raw.driver_connection  # Any: a connection of aiosqlite
            # Nobody writes while it waits for who reads.
            await driver.execute(f"PRAGMA busy_timeout={SCRUB_TIMEOUT_MS}")
            try:
                async with driver.execute("PRAGMA wal_checkpoint(TRUNCATE)") as cursor:
                    is_busy, _, _ = await cursor.fetchone()
            finally:
                await driver.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        return not is_busy

    async def watch(self) -> None:
        """Keep the session that writes; raise LockedError as soon as another process has the store."""
        while self._fence is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(WATCH_S):
                    await self._taken.wait()
            with suppress(StoreAwayError), self._reaching():
                async with self._writer.connect() as connection:
                    await self._fence.stands(connection, None)

    async def read_ahead(self, read: Callable[[ReadTx], Awaitable[None]]) -> None:
        """Let every connection for reading have read something, one at a time: the others are for whoever asks."""
        with suppress(TimeoutError):  # held all by others, they are open
            async with asyncio.timeout(OPENED_IN_S), AsyncExitStack() as held:
                for _ in range(READERS):
                    await held.enter_async_context(self.read())
        for _ in range(READERS):
            async with self.read() as tx:  # the longest unused
                await read(tx)

    async def close(self) -> None:
        """Close every connection."""
        if self._glances is not None:
            self._glances.close()
        await self._readers.dispose()
        await self._writer.dispose()

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Tell in one word that the server does not answer: raise StoreAwayError for whatever the driver says then."""
        try:
            yield
        except LockedError:
            self._taken.set()
            raise
        except SQLAlchemyError as error:
            found = None if self.is_sqlite else _meaning(error)
            if isinstance(found, LockedError):
                self._taken.set()
            if found is None:
                raise
            raise found from error

    @asynccontextmanager
    async def _fenced(self, fence: "Fence", connection: AsyncConnection) -> AsyncIterator[None]:
        """A transaction that carries the mark of its writer, so that it stands or falls even if nobody answers."""
        transaction = await connection.begin()
        try:
            mark = await fence.enter(connection)
            yield
        except BaseException:
            await transaction.rollback()
            raise
        try:
            await transaction.commit()
        except SQLAlchemyError:
            await transaction.rollback()
            if not (connection.invalidated and await self._stands(fence, connection, mark)):
                raise
        fence.passed(mark)

    async def _stands(self, fence: "Fence", connection: AsyncConnection, mark: "Mark | None") -> bool:
        """Whether a transaction stands whose commit was not answered: a new session tells, however long it takes."""
        while True:
            try:
                with self._reaching():
                    return await fence.stands(connection, mark)
            except StoreAwayError:
                await asyncio.sleep(AGAIN_S)
            finally:
                await connection.rollback()

    def _engine(self, size: int, begin: str, *, is_writer: bool) -> AsyncEngine:
        if self._sessions is not None:
            return self._sessions.engine(size, is_writer=is_writer)
        engine = create_async_engine(self.url, poolclass=AsyncAdaptedQueuePool, pool_size=size, max_overflow=0)
        _tune_sqlite(engine, begin, query_only=not is_writer)
        return engine


def _sessions(url: str, password_file: Path | None) -> "Sessions":
    from node.store.sessions import Sessions  # noqa: PLC0415 - most nodes do without it

    return Sessions(url, password_file)


def _meaning(error: SQLAlchemyError) -> Exception | None:
    from node.store.sessions import meaning  # noqa: PLC0415 - most nodes do without it

    return meaning(error)


def _tune_sqlite(engine: AsyncEngine, begin: str, *, query_only: bool) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _record: object) -> None:  # Any: the driver's own connection
        # The driver must not begin by itself: the begin below says which kind of transaction it is.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "cache_size=-32000",
            f"query_only={'ON' if query_only else 'OFF'}",
            # What is deleted or replaced is overwritten: else an erased name would lie on in the free space of a page.
            "secure_delete=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "close")
    def leave(connection: Any, _record: object) -> None:  # Any: SQLAlchemy's wrapper of the driver's connection
        # Who is cancelled between a statement and its rows leaves it unfinished, and SQLite would keep the transaction
        # of the closed connection, and its lock, for as long as anything refers to that statement.
        driver = connection.driver_connection
        if driver._connection is not None:
            driver._tx.put_nowait((None, driver._conn.rollback))

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Any) -> None:  # Any: SQLAlchemy's synchronous connection
        connection.exec_driver_sql(begin)
