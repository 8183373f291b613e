"""Work in a thread, whoever is cancelled meanwhile."""

import asyncio
import threading

import pytest

from node.aside import aside


async def test_cancelled_work_was_told_to_stop_and_has_ended_when_the_lock_is_free() -> None:
    """Who takes the lock after a cancelled holder finds that its thread has ended, however often it was cancelled."""
    lock, begun, stopped, done = asyncio.Lock(), asyncio.Event(), threading.Event(), list[str]()
    loop = asyncio.get_running_loop()

    def work() -> None:
        loop.call_soon_threadsafe(begun.set)
        stopped.wait(10)
        done.append("written")

    async def hold() -> None:
        async with lock:
            await aside(work, lambda: loop.call_later(0.01, stopped.set))

    holder = asyncio.create_task(hold())
    await begun.wait()
    for _ in range(3):
        holder.cancel()
        await asyncio.sleep(0)
    async with lock:
        assert done == ["written"]
    with pytest.raises(asyncio.CancelledError):
        await holder


async def test_what_work_answers_or_raises_comes_out() -> None:
    """The value or the error of the call is the caller's."""
    assert await aside(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await aside(lambda: 1 // 0)
