"""What was read lately: it is answered from memory only while the store says the same, and within its bound."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from node.store.database import Database, ReadTx
from node.store.migrate import upgrade
from node.store.remembered import Remembered
from node.store.settings import find_setting, set_setting
from tests.fakes import FakeClock

CHANGE = """
import sqlite3, sys
store = sqlite3.connect(sys.argv[1])
store.execute("UPDATE settings SET value = x'32'")
store.commit()
"""


class Reader:
    """Reads settings as values, and notes what it was asked and given."""

    def __init__(self, database: Database, most_bytes: int = 1000) -> None:
        self.lately: Remembered[str, bytes] = Remembered(database, len, most_bytes)
        self.asked: list[tuple[str, bytes | None]] = []

    async def get(self, name: str, moment: int | None = None) -> bytes | None:
        async def read(tx: ReadTx, known: bytes | None) -> bytes | None:
            self.asked.append((name, known))
            found = await find_setting(tx, name)
            return known if found == known else found

        return await self.lately.get(name, read, moment)


async def put(database: Database, **settings: bytes) -> None:
    async with database.write() as tx:
        for name, value in settings.items():
            await set_setting(tx, name, value)


async def test_value_is_the_one_of_the_last_commit(database: Database) -> None:
    """After every commit the next answer is what was committed, also where nothing was there before."""
    reader = Reader(database)

    seen: list[bytes | None] = [await reader.get("a")]
    for n in range(20):
        await put(database, a=b"%d" % n)
        seen += [await reader.get("a"), await reader.get("a")]

    assert seen == [None, *[b"%d" % (n // 2) for n in range(40)]]


async def test_sqlite_is_asked_again_after_a_commit_and_never_before(database: Database) -> None:
    """While nothing is committed the store is not read; PostgreSQL, which does not tell, is asked each time."""
    await put(database, a=b"1", b=b"2")
    reader = Reader(database)

    for _ in range(3):
        await reader.get("a")
    asked = list(reader.asked)
    await put(database, b=b"3")
    await reader.get("a")

    known: Sequence[bytes | None] = [None] if database.is_sqlite else [None, b"1", b"1"]
    assert asked == [("a", value) for value in known]
    assert reader.asked[len(asked) :] == [("a", b"1")]


async def test_no_answer_is_older_than_what_was_committed_before_the_question(database: Database) -> None:
    """While one writes and others ask, every answer is at least what stood when its question began."""
    await put(database, a=b"0")
    reader, committed, begun = Reader(database), 0, asyncio.Event()

    async def write() -> None:
        nonlocal committed
        await begun.wait()
        for n in range(1, 60):
            await put(database, a=b"%d" % n)
            committed = n

    async def ask() -> None:
        while committed < 59:
            before = committed
            begun.set()
            found = await reader.get("a", database.version())
            assert found is not None
            assert before <= int(found) <= committed + 1
            await asyncio.sleep(0)

    await asyncio.gather(write(), *(ask() for _ in range(5)))
    assert await reader.get("a") == b"59"


async def test_commit_of_another_process_is_seen(tmp_path: Path) -> None:
    """Whoever else writes the file is noticed as this process is."""
    path = tmp_path / "store.sqlite"
    database = Database(f"sqlite+aiosqlite:///{path}", FakeClock())
    await upgrade(database)
    await put(database, a=b"1")
    reader = Reader(database)
    before = await reader.get("a")

    process = await asyncio.create_subprocess_exec(sys.executable, "-c", CHANGE, str(path))
    assert await process.wait() == 0

    assert (before, await reader.get("a")) == (b"1", b"2")
    await database.close()


async def test_memory_is_bounded_and_the_longest_unused_goes_first(database: Database) -> None:
    """What is kept never counts for more than the limit; what was asked for lately stays."""
    names = [f"n{n}" for n in range(10)]
    await put(database, **{name: bytes(100) for name in names}, large=bytes(301))
    reader = Reader(database, most_bytes=300)

    for name in names:
        await reader.get(names[0])
        await reader.get(name)
        assert reader.lately.size <= 300
    assert await reader.get("large") == bytes(301)

    assert reader.lately.size <= 300
    known = {name for name, value in reader.asked if value is not None}
    assert known <= {names[0]}
    reader.asked.clear()
    await reader.get("absent")
    assert await reader.get(names[5]) == bytes(100)
    assert reader.asked == [("absent", None), (names[5], None)]


async def test_glance_that_fails_leaves_the_store_readable(database: Database) -> None:
    """An error of a reader comes out of the glance, and the next one reads as before."""
    await put(database, a=b"1")

    async def break_off(tx: ReadTx) -> None:
        await find_setting(tx, "a")
        raise ValueError("of the reader")

    for _ in range(5):
        with pytest.raises(ValueError, match="of the reader"):
            await database.glance(break_off)
    assert await Reader(database).get("a") == b"1"
    await put(database, a=b"2")
    assert await Reader(database).get("a") == b"2"
