"""A store on PostgreSQL: how its sessions are opened, and the one of them that writes.

The session that writes holds an advisory lock of the schema from its first moment on, so that whoever loses the lock
has lost the way to write with it. Each transaction of a running node moves a mark on: where somebody else wrote
meanwhile it finds another mark and falls, and where the answer to a commit was lost the mark tells whether it stands.
"""

import asyncio
import os
import platform
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import structlog
from sqlalchemy import event, select, update
from sqlalchemy.exc import DBAPIError, DisconnectionError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from node.errors import StoreAwayError
from node.store import schema
from node.store.errors import AccessError, LockedError, OwnerError, StoreError

log = structlog.get_logger()

DRIVER = "postgresql+asyncpg://"
CONNECT_S = 10.0
LOCK_WAIT_S = 2.0
AGAIN_S = 0.05
# A machine that vanished is given up after some twenty seconds, by the server and by us.
ALIVE = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "2"}
UNANSWERED_MS = 20_000
MARK = "writer"
# "Passport node" as a number: what else takes advisory locks in this database has others.
LOCK_CLASS = 0x50504E31
TRY_LOCK = f"""select pg_try_advisory_lock({LOCK_CLASS},
    (select oid::bigint::bit(32)::int from pg_namespace where nspname = current_schema()))"""  # noqa: S608 - fixed numbers
HOLDER = f"""select a.pid, a.application_name, host(a.client_addr) as address, a.backend_start
    from pg_locks l join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'advisory' and l.granted and l.classid = {LOCK_CLASS} and l.objsubid = 2
    and l.database = (select oid from pg_database where datname = current_database())
    and l.objid = (select oid from pg_namespace where nspname = current_schema())"""  # noqa: S608 - fixed numbers
# Of a server that starts, stops or has no room (PostgreSQL, appendix A): another try may do.
AWAY_STATES = ("08", "57P01", "57P02", "57P03", "53300")

Session = Any  # Any: asyncpg's connection has no types


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose the store is (16 bytes), in which run (16 bytes), and how many transactions that run has committed."""

    node: bytes
    run: bytes
    count: int = 0

    def to_bytes(self) -> bytes:
        """40 bytes."""
        return self.node + self.run + self.count.to_bytes(8, "big")

    def next(self) -> "Mark":
        """The mark of the following transaction."""
        return Mark(self.node, self.run, self.count + 1)


class Sessions:
    """Opens the sessions of one store."""

    def __init__(self, url: str, password_file: Path | None) -> None:
        """`url` as libpq and asyncpg read it; the password may stand in a file, read at each new session."""
        self._dsn = url.replace(DRIVER, "postgresql://", 1)
        self._password_file = password_file
        self._pid = 0  # of the last session that held the lock
        self.fence = Fence()

    def engine(self, size: int, *, is_writer: bool) -> AsyncEngine:
        """A pool of so many sessions; those of readers see one state in each of their transactions."""
        options: dict[str, Any] = {}
        if not is_writer:
            # Under "read committed" each statement has a snapshot of its own, and a page of several would mix states.
            options["execution_options"] = {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}
        engine = create_async_engine(
            DRIVER,
            async_creator=self._open_writer if is_writer else self._open,
            poolclass=AsyncAdaptedQueuePool,
            pool_size=size,
            max_overflow=0,
            **options,
        )
        event.listen(engine.sync_engine, "checkout", _refuse_closed)
        return engine

    async def _open(self) -> Session:
        password = {} if self._password_file is None else {"password": _read_password(self._password_file)}
        named = f"passport-node {platform.node()} {os.getpid()}"[:63]
        session = await _reached(
            lambda: asyncpg.connect(
                self._dsn, timeout=CONNECT_S, server_settings={"application_name": named, **ALIVE}, **password
            )
        )
        _notice_silence(session)
        return session

    async def _open_writer(self) -> Session:
        session = await self._open()
        try:
            await _reached(lambda: self._lock(session))
        except BaseException:
            session.terminate()
            raise
        return session

    async def _lock(self, session: Session) -> None:
        """Take the lock of the schema; raise LockedError that names who has it."""
        deadline = asyncio.get_running_loop().time() + LOCK_WAIT_S
        while not await session.fetchval(TRY_LOCK):
            holder = await session.fetchrow(HOLDER)
            if holder is not None and holder["pid"] == self._pid:
                # Our own session, of which this side knows that it is over.
                await session.execute("select pg_terminate_backend($1)", self._pid)
            if asyncio.get_running_loop().time() > deadline:
                raise LockedError(f"another process has this store{_named(holder)}: end it first")
            await asyncio.sleep(AGAIN_S)
        self._pid = session.get_server_pid()


class Fence:
    """The mark of a node that writes: what tells it that nobody else does."""

    def __init__(self) -> None:
        self._stands: Mark | None = None
        self._pending: Mark | None = None  # of a transaction that was begun, and may have been left in its commit

    async def take(self, connection: AsyncConnection, node: bytes, run: bytes) -> None:
        """Begin a run, inside a transaction; raise OwnerError where the store is another node's."""
        old = await connection.scalar(_read_mark())
        if old is not None and old[: len(node)] != node:
            raise OwnerError(
                f"this store is of node {old[: len(node)].hex()}, the folder is of node {node.hex()}: name this node's "
                "own database in [store] url"
            )
        mark = Mark(node, run)
        values = {"name": MARK, "value": mark.to_bytes()}
        insert = schema.settings.insert().values(values)
        await connection.execute(insert if old is None else _set_mark(mark))
        self._stands = mark

    async def enter(self, connection: AsyncConnection) -> Mark | None:
        """Move the mark on as part of a transaction; raise LockedError where another process wrote meanwhile."""
        if self._stands is None:
            return None
        known = [mark.to_bytes() for mark in (self._stands, self._pending) if mark is not None]
        following = self._pending = (self._pending or self._stands).next()
        statement = _set_mark(following).where(schema.settings.c.value.in_(known))
        if (await connection.execute(statement)).rowcount != 1:
            raise LockedError("another process has written this store meanwhile: this one writes no more")
        return following

    def passed(self, mark: Mark | None) -> None:
        """A transaction stands."""
        self._stands, self._pending = mark or self._stands, None

    async def stands(self, connection: AsyncConnection, mark: Mark | None) -> bool:
        """Whether a transaction is there whose commit was not answered; raise LockedError as `enter` does."""
        found = await connection.scalar(_read_mark())
        known = {each.to_bytes() for each in (self._stands, mark) if each is not None}
        if self._stands is not None and found not in known:
            raise LockedError("another process has written this store meanwhile: this one writes no more")
        return mark is not None and found == mark.to_bytes()


def meaning(error: Exception) -> Exception | None:
    """The error of this package, or the store that is away, that an error of the driver or the pool means, if any."""
    if isinstance(error, PoolTimeoutError):
        return StoreAwayError("the store is busy: no session became free in time")
    cause = error.orig if isinstance(error, StatementError) else error
    if isinstance(cause, StoreError | StoreAwayError):  # from a session that was opened on the way
        return cause
    is_lost = isinstance(error, DBAPIError) and error.connection_invalidated
    if is_lost or str(getattr(cause, "sqlstate", "")).startswith(AWAY_STATES):
        return StoreAwayError(f"the store is away: {_reason(cause)}")
    return None


async def _reached(call: Callable[[], Awaitable[Session]]) -> Session:
    """What a server answers; raise StoreAwayError where it does not, AccessError where it refuses."""
    try:
        return await call()
    except (OSError, TimeoutError, asyncpg.InterfaceError) as error:
        raise StoreAwayError(f"the store is away: {_reason(error)}") from error
    except asyncpg.PostgresError as error:
        if (found := meaning(error)) is not None:
            raise found from error
        raise AccessError(f"the database refuses this node: {error}") from error


def _reason(error: BaseException | None) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _named(holder: Any) -> str:  # Any: a record of asyncpg
    if holder is None:
        return ""
    since = holder["backend_start"].isoformat(timespec="seconds")
    place = f" at {holder['address']}" if holder["address"] else ""
    return f" ({holder['application_name'] or 'a program without a name'}{place}, since {since})"


def _read_password(path: Path) -> str:
    """The first line of a file; raise AccessError where the system does not give it out."""
    try:
        return path.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise AccessError(f"the password file {path} of the store cannot be read: {why}") from error


def _notice_silence(session: Session) -> None:
    """Let the system give a silent connection up; without it a lost machine is noticed after a quarter of an hour."""
    wire = session._transport.get_extra_info("socket")  # the driver has no public name for its transport
    if wire is None or wire.family not in (socket.AF_INET, socket.AF_INET6):
        return
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        (socket.TCP_KEEPIDLE, ALIVE["tcp_keepalives_idle"]),
        (socket.TCP_KEEPINTVL, ALIVE["tcp_keepalives_interval"]),
        (socket.TCP_KEEPCNT, ALIVE["tcp_keepalives_count"]),
        (socket.TCP_USER_TIMEOUT, UNANSWERED_MS),
    ):
        wire.setsockopt(socket.IPPROTO_TCP, option, int(value))


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:  # Any: the driver's own connection
    """A session that its server ended is not given out: the pool opens another."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _read_mark() -> Any:  # Any: a statement of one column
    return select(schema.settings.c.value).where(schema.settings.c.name == MARK)


def _set_mark(mark: Mark) -> Any:  # Any: a statement
    return update(schema.settings).where(schema.settings.c.name == MARK).values(value=mark.to_bytes())
