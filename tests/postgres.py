"""A wire to PostgreSQL that can be cut, and that can lose the answer to a commit; a user of it with a password."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import asyncpg

T = TypeVar("T")

HOST = "127.0.0.1"
PORT = 5432
CHUNK = 1 << 16
COMMIT = b"COMMIT"
DEADLINE_S = 10.0


class Wire:
    """A port of loopback that leads to the unix socket of a server, and runs in a thread of its own."""

    def __init__(self, server: str) -> None:
        """`server` is the address of the test's server, which names the folder of its socket."""
        self._socket = f"{parse_qs(urlsplit(server).query)['host'][0]}/.s.PGSQL.{PORT}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._loses_commit = self._takes_commit = self._is_cut = False
        self.lost = threading.Event()
        self.port = 0

    def address(self, url: str, user: str = "postgres") -> str:
        """The address of a database by this wire; `url` leads to it by the socket."""
        return f"postgresql://{user}@{HOST}:{self.port}{urlsplit(url).path}"

    def mend(self) -> None:
        """Open the port, the same one each time."""
        self._listener = self._run(asyncio.start_server(self._carry, HOST, self.port))
        self.port = self._listener.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Close the port and break off all that goes through it."""
        self._run(self._cut())

    def lose_commit(self, *, is_taken: bool, is_cut: bool = False) -> None:
        """Break the next connection off that commits: the server has got that, or has not; or break all off then."""
        self.lost.clear()
        self._loses_commit, self._takes_commit, self._is_cut = True, is_taken, is_cut

    def close(self) -> None:
        """End the thread."""
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE_S)
        self._loop.close()

    def start(self) -> None:
        """Begin to carry."""
        self._thread.start()
        self.mend()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:  # Any: what asyncio sends into a coroutine
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE_S)

    async def _cut(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        back, forth = await asyncio.open_unix_connection(self._socket)
        try:
            await asyncio.wait(
                [asyncio.ensure_future(self._to_server(reader, forth, back)), _pump(back, writer)],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            self._tasks.discard(task)
            for end in (writer, forth):
                end.transport.abort()

    async def _to_server(
        self, reader: asyncio.StreamReader, forth: asyncio.StreamWriter, back: asyncio.StreamReader
    ) -> None:
        while raw := await reader.read(CHUNK):
            is_lost = self._loses_commit and COMMIT in raw
            if self._takes_commit or not is_lost:
                forth.write(raw)
                with suppress(ConnectionError):  # the server ended that session
                    await forth.drain()
            if is_lost:
                self._loses_commit = False
                if self._is_cut and self._listener is not None:
                    self._listener.close()
                self.lost.set()
                return


def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> "asyncio.Future[None]":
    async def pump() -> None:
        with suppress(ConnectionError):
            while raw := await reader.read(CHUNK):
                writer.write(raw)
                await writer.drain()

    return asyncio.ensure_future(pump())


@contextmanager
def running_wire(server: str) -> Iterator[Wire]:
    """A wire for as long as the block lasts."""
    wire = Wire(server)
    wire.start()
    try:
        yield wire
    finally:
        wire.close()


def query(url: str, sql: str, *values: object) -> list[tuple[Any, ...]]:  # Any: the columns of the query
    """What a query finds in a database; parameters are `$1`, `$2` and so on."""

    async def ask() -> list[tuple[Any, ...]]:  # Any: as above
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            return [tuple(row) for row in await connection.fetch(sql, *values)]
        finally:
            await connection.close()

    return asyncio.run(ask())


def end_sessions(url: str) -> None:
    """End every session of a database, as its administrator may at any time."""
    query(
        url,
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()",
    )


def let_in_by_password(server: str, *users: str) -> None:
    """Let users in by their passwords alone; the test's server trusts everybody else."""
    ((hba,),) = query(server, "show hba_file")
    path = Path(hba)
    rule = f"local all {','.join(users)} scram-sha-256\n"
    if rule not in path.read_text():
        path.write_text(rule + path.read_text())
        query(server, "select pg_reload_conf()")
