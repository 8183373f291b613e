"""The one writer of a PostgreSQL store: who it is, and what becomes of its work when its session ends."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import pytest

from node.errors import StoreAwayError
from node.store import sessions
from node.store.database import Database
from node.store.errors import AccessError, LockedError, OwnerError
from node.store.migrate import upgrade
from node.store.settings import find_setting, set_setting, settings_like
from tests.builders import id16
from tests.conftest import fresh_database
from tests.fakes import FakeClock
from tests.postgres import Wire, running_wire

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

NODE, OTHER = id16("node"), id16("other")
ENDED = """select count(pg_terminate_backend(pid)) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()"""
WRITER = """select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'
    and database = (select oid from pg_database where datname = current_database())"""


@pytest.fixture
async def url(postgres_url: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty database."""
    monkeypatch.setattr(sessions, "LOCK_WAIT_S", 0.3)
    return await fresh_database(postgres_url, f"w{abs(hash(request.node.nodeid)) % 10**12}")


@pytest.fixture
def wire(postgres_url: str) -> Iterator[Wire]:
    """A way to the server that can be cut."""
    with running_wire(postgres_url) as wire:
        yield wire


@asynccontextmanager
async def writing(url: str, run: str = "run", node: bytes = NODE) -> AsyncIterator[Database]:
    """A store that a run of a node holds."""
    database = Database(url, FakeClock())
    try:
        await upgrade(database)
        await database.hold(node, id16(run))
        yield database
    finally:
        await database.close()


async def ask(url: str, sql: str) -> list[asyncpg.Record]:
    """What the server answers to its administrator."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return list(await connection.fetch(sql))
    finally:
        await connection.close()


async def keep(database: Database, name: str) -> None:
    """Write a value."""
    async with database.write() as tx:
        await set_setting(tx, name, b"1")


async def kept(database: Database, prefix: str = "n") -> list[str]:
    """The values that stand."""
    async with database.read() as tx:
        return sorted(await settings_like(tx, prefix))


async def test_second_writer_of_a_store_is_refused_with_the_name_of_the_first(url: str) -> None:
    """Neither schema nor lock nor a row is to be had: the error says which program on which machine has the store."""
    async with writing(url) as database:
        second = Database(url, FakeClock())
        for attempt in (second.lock, lambda: upgrade(second), lambda: keep(second, "n1")):
            with pytest.raises(LockedError, match=r"another process has this store \(passport-node .+, since 20"):
                await attempt()
        await keep(database, "n2")
        assert await kept(second) == ["n2"]
        await second.close()


async def test_store_is_free_when_its_writer_is_gone(url: str) -> None:
    """The lock ends with the session that holds it."""
    async with writing(url) as first:
        await keep(first, "n1")
    async with writing(url, "second run") as second:
        await keep(second, "n2")
        assert await kept(second) == ["n1", "n2"]


async def test_store_of_another_node_is_refused(url: str) -> None:
    """An address copied from another node's settings is told before anything is written."""
    async with writing(url):
        pass
    with pytest.raises(OwnerError, match=f"this store is of node {NODE.hex()}, the folder is of node {OTHER.hex()}"):
        async with writing(url, node=OTHER):
            pass


async def test_writer_whose_session_was_ended_goes_on_with_another(url: str) -> None:
    """Nobody wrote meanwhile: it takes the lock anew and writes; readers that were cut off notice nothing."""
    async with writing(url) as database:
        await keep(database, "n1")
        assert await kept(database) == ["n1"]
        await ask(url, ENDED)
        await asyncio.sleep(0)  # the ends of connections are heard

        await asyncio.gather(*(_until_kept(database, f"n{n}") for n in range(2, 6)))

        assert await kept(database) == ["n1", "n2", "n3", "n4", "n5"]


async def test_transaction_whose_session_is_ended_leaves_nothing(url: str) -> None:
    """The error says that the store is away, nothing is told after the commit, and the next one writes."""
    told: list[int] = []
    async with writing(url) as database:

        async def write() -> None:
            async with database.write() as tx:
                await set_setting(tx, "n1", b"1")
                tx.on_commit(lambda: told.append(1))
                await ask(url, WRITER)
                await set_setting(tx, "n2", b"1")

        with pytest.raises(StoreAwayError):
            await write()

        await keep(database, "n3")
        assert await kept(database) == ["n3"]
        assert told == []


async def test_writer_that_lost_the_store_to_another_writes_no_more(url: str) -> None:
    """Another run wrote while this one had no session: every write of this one is refused, and its watch ends it."""
    async with writing(url) as first:
        await keep(first, "n1")
        await first.writer.dispose()
        async with writing(url, "second run") as second:
            await keep(second, "n2")
            with pytest.raises(LockedError, match="another process has this store"):
                await keep(first, "n3")
        with pytest.raises(LockedError, match="has written this store meanwhile"):
            await keep(first, "n3")
        with pytest.raises(LockedError):
            async with asyncio.timeout(1):
                await first.watch()
        assert await kept(first) == ["n1", "n2"]


async def test_commit_whose_answer_was_lost_stands(url: str, wire: Wire) -> None:
    """The server had it: whoever waited is answered as if nothing had been, and what follows a commit follows it."""
    told: list[int] = []
    async with writing(wire.address(url)) as database:
        wire.lose_commit(is_taken=True)
        async with database.write() as tx:
            await set_setting(tx, "n1", b"1")
            tx.on_commit(lambda: told.append(1))
        assert wire.lost.is_set()
        await keep(database, "n2")

        assert await kept(database) == ["n1", "n2"]
        assert told == [1]


async def test_commit_that_never_arrived_falls(url: str, wire: Wire) -> None:
    """The server had nothing of it: whoever waited is told so, and the next one writes."""
    async with writing(wire.address(url)) as database:
        wire.lose_commit(is_taken=False)
        with pytest.raises(StoreAwayError):
            await keep(database, "n1")
        assert wire.lost.is_set()
        await keep(database, "n2")

        assert await kept(database) == ["n2"]


async def test_commit_in_doubt_waits_for_the_server(url: str, wire: Wire) -> None:
    """While nobody answers it is told neither that it stands nor that it fell."""
    async with writing(wire.address(url)) as database:
        wire.lose_commit(is_taken=True, is_cut=True)
        doubtful = asyncio.ensure_future(keep(database, "n1"))
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await asyncio.shield(doubtful)
        was_told = doubtful.done()
        wire.mend()
        await doubtful

        assert wire.lost.is_set()
        assert not was_told
        assert await kept(database) == ["n1"]


async def test_what_was_acknowledged_stands_and_what_was_refused_does_not(url: str) -> None:
    """Sessions are ended at random under sixty writers: each value is there exactly where its writer was told so."""
    chance, stood, fell = random.Random(17), set[str](), set[str]()
    async with writing(url) as database:

        async def write(name: str) -> None:
            try:
                await keep(database, name)
                stood.add(name)
            except StoreAwayError:
                fell.add(name)

        async def cut() -> None:
            for _ in range(6):
                await asyncio.sleep(chance.uniform(0.005, 0.03))
                await ask(url, ENDED)

        await asyncio.gather(cut(), *(write(f"n{n:03}") for n in range(60)))
        assert set(await kept(database)) == stood
        assert stood
        assert len(stood) + len(fell) == 60


async def test_password_is_read_from_its_file_for_each_session(url: str, postgres_url: str, tmp_path: Path) -> None:
    """A file that is not there is named; one that says something is used, and read again when it was changed."""
    missing = Database(url, FakeClock(), tmp_path / "none")
    with pytest.raises(AccessError, match=f"password file {tmp_path / 'none'} of the store cannot be read"):
        await missing.lock()
    await missing.close()

    (tmp_path / "password").write_text("whatever a trusting server takes\n")
    database = Database(url, FakeClock(), tmp_path / "password")
    await database.lock()
    await database.close()


async def _until_kept(database: Database, name: str) -> None:
    """Write as whoever tries again."""
    while True:
        try:
            return await keep(database, name)
        except StoreAwayError:
            async with database.read() as tx:
                assert await find_setting(tx, name) is None
