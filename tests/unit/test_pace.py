"""Answers at an even pace."""

import asyncio
import random

import pytest

from node.services.pace import even_pace
from tests.simulation.loop import VirtualLoop


@pytest.mark.parametrize("work_s", [0.0, 0.001, 0.049])
def test_block_ends_at_a_whole_number_of_steps_however_long_it_took(work_s: float) -> None:
    """Who is answered quickly or slowly cannot be told apart by the time."""

    async def spent() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with even_pace(0.05):
            await asyncio.sleep(work_s)
        return loop.time() - began

    loop = VirtualLoop(random.Random(1))  # type: ignore[abstract]  # what it has not is not asked of it
    assert loop.run(spent()) == pytest.approx(0.05)
