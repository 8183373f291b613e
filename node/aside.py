"""Work of some length beside the event loop."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def aside(call: Callable[[], T], stop: Callable[[], object] = lambda: None) -> T:
    """Do work in a thread; cancelled, it is told to `stop` and has ended all the same when this raises.

    What a lock protects is not done any more when the lock is free.
    """
    work = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        stop()
        while not work.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([work])
        if not work.cancelled():
            work.exception()  # nobody asks for it any more
        raise
