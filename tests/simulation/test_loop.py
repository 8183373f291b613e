"""Virtual time: what waits costs nothing, and the seed alone decides what comes first."""

import asyncio
import random
import time

import pytest

from tests.simulation.loop import StuckError, VirtualLoop

DAY_S = 86_400.0


def loop(seed: int = 1) -> VirtualLoop:
    return VirtualLoop(random.Random(seed))  # type: ignore[abstract]  # what it has not is not asked of it


async def racers(count: int) -> list[int]:
    """In which order tasks that are ready at once came to their end."""
    came: list[int] = []

    async def race(number: int) -> None:
        await asyncio.sleep(0)
        came.append(number)

    await asyncio.gather(*(race(number) for number in range(count)))
    return came


def test_sleep_takes_virtual_time_alone() -> None:
    """A day goes by on the loop's clock, and none on the machine's."""
    began, virtual = time.monotonic(), loop()

    virtual.run(asyncio.sleep(DAY_S))

    assert virtual.time() == DAY_S
    assert time.monotonic() - began < 1


def test_timeout_ends_a_wait_at_its_virtual_moment() -> None:
    """asyncio.timeout fires after its seconds, and what was waited for is cancelled."""
    virtual = loop()

    async def wait() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.Event().wait()
        return virtual.time()

    assert virtual.run(wait()) == 30.0


def test_order_of_ready_tasks_follows_the_seed() -> None:
    """One seed gives one order each time; of ten seeds not all give the same."""
    orders = [loop(seed).run(racers(6)) for seed in range(10)]

    assert orders == [loop(seed).run(racers(6)) for seed in range(10)]
    assert len({tuple(order) for order in orders}) > 5


def test_timers_of_one_moment_race_and_earlier_ones_come_first() -> None:
    """Who waits less comes first, whatever the seed."""

    async def wait(virtual: VirtualLoop) -> list[float]:
        came: list[float] = []

        async def sleep(seconds: float) -> None:
            await asyncio.sleep(seconds)
            came.append(seconds)

        await asyncio.gather(*(sleep(seconds) for seconds in (3.0, 1.0, 2.0, 1.0)))
        return came

    for seed in range(10):
        virtual = loop(seed)
        assert virtual.run(wait(virtual)) == [1.0, 1.0, 2.0, 3.0]


def test_work_for_a_thread_is_done_here_and_answered_later() -> None:
    """to_thread gives the answer or the error of its work, and lets others come between."""

    async def ask() -> tuple[int, str]:
        try:
            await asyncio.to_thread(int, "x")
        except ValueError as error:
            return await asyncio.to_thread(sum, (1, 2)), type(error).__name__
        raise AssertionError

    assert loop().run(ask()) == (3, "ValueError")


def test_wait_for_nothing_is_told_as_stuck() -> None:
    """Where no timer is set and nothing is ready, the run ends with an error at once."""
    with pytest.raises(StuckError, match="no timer"):
        loop().run(asyncio.Event().wait())


def test_task_group_and_cancellation_work_as_they_do_elsewhere() -> None:
    """An error in one task ends the others of its group; their clean-up runs."""
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.sleep(DAY_S)
        finally:
            ended.append("waiting")

    async def fail() -> None:
        await asyncio.sleep(1)
        raise ValueError("one failed")

    async def group() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(wait())
            tasks.create_task(fail())

    virtual = loop()
    with pytest.raises(ExceptionGroup):
        virtual.run(group())
    assert ended == ["waiting"]
    assert virtual.time() == 1.0
