"""The simulated store and disk: transactions as in production, and what a loss of power leaves."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from node.folder import write_durably
from node.store.settings import find_setting, set_setting
from tests.fakes import FakeClock
from tests.simulation.disk import Disk
from tests.simulation.loop import VirtualLoop
from tests.simulation.store import StillDatabase

T = TypeVar("T")


def run(work: Callable[[], Awaitable[T]], seed: int = 1) -> T:
    async def main() -> T:
        return await work()

    loop = VirtualLoop(random.Random(seed))  # type: ignore[abstract]  # what it has not is not asked of it
    return loop.run(main())


async def put(store: StillDatabase, name: str, value: bytes) -> None:
    async with store.write() as tx:
        await set_setting(tx, name, value)


async def get(store: StillDatabase, name: str) -> bytes | None:
    async with store.read() as tx:
        return await find_setting(tx, name)


def test_reader_sees_what_was_committed_and_a_second_writer_waits(tmp_path: Path) -> None:
    """While one writes, a reader sees the state before, and another writer comes after him."""

    async def work() -> tuple[bytes | None, bytes | None, list[str]]:
        store, order = StillDatabase(tmp_path / "store", FakeClock()), list[str]()
        await put(store, "a", b"old")
        began = asyncio.Event()

        async def slow() -> None:
            async with store.write() as tx:
                await set_setting(tx, "a", b"new")
                began.set()
                await asyncio.sleep(10)
                order.append("slow")

        async def quick() -> None:
            await began.wait()
            await put(store, "b", b"1")
            order.append("quick")

        writing = asyncio.gather(slow(), quick())
        await began.wait()
        during = await get(store, "a")
        await writing
        after = await get(store, "a")
        store.kill()
        return during, after, order

    assert run(work) == (b"old", b"new", ["slow", "quick"])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.99])
def test_torn_transaction_is_gone_and_those_before_stand(tmp_path: Path, share: float) -> None:
    """However much of the last transaction lies on the disk, the store opens with what was committed before it."""

    async def work() -> tuple[bytes | None, bytes | None]:
        store = StillDatabase(tmp_path / "store", FakeClock())
        await put(store, "a", b"stands")
        store.torn_at, store.torn_share = store.commits + 1, share
        for late in (put(store, "a", b"torn"), get(store, "a")):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(late, 10)
        store.kill()
        again = StillDatabase(tmp_path / "store", FakeClock())
        found = await get(again, "a")
        await put(again, "b", b"goes on")
        went_on = await get(again, "b")
        again.kill()
        return found, went_on

    assert run(work) == (b"stands", b"goes on")


def test_copy_of_a_store_is_that_of_its_moment(tmp_path: Path) -> None:
    """A copy holds what was committed when it was made, and nothing of a transaction that is open."""

    async def work() -> bytes | None:
        store = StillDatabase(tmp_path / "store", FakeClock())
        await put(store, "a", b"1")
        async with store.write() as tx:
            await set_setting(tx, "a", b"2")
            store.copy_to(tmp_path / "copy")
        copy = StillDatabase(tmp_path / "copy", FakeClock())
        found = await get(copy, "a")
        for opened in (store, copy):
            opened.kill()
        return found

    assert run(work) == b"1"


def test_power_takes_back_what_was_not_waited_for(tmp_path: Path) -> None:
    """A file that was written durably stays; one that was only written is what it was before, or gone."""
    disk, head, other = Disk(), tmp_path / "head", tmp_path / "other"
    with disk.watched():
        write_durably(head, b"1")
        write_durably(head, b"2")
        other.write_bytes(b"never waited for")
        lost = tmp_path / "lost"
        lost.write_bytes(b"3")
        lost.replace(head)

    disk.lose_power(tmp_path)

    assert head.read_bytes() == b"2"
    assert not other.exists()
