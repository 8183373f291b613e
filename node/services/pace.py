"""Answers at an even pace: how long they took tells nothing of what was found."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def even_pace(step_s: float) -> AsyncIterator[None]:
    """Let a block end at a whole number of steps after its beginning, however it ends."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        yield
    finally:
        steps = math.ceil((loop.time() - began) / step_s) or 1
        await asyncio.sleep(max(0.0, began + steps * step_s - loop.time()))
