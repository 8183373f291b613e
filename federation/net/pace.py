"""Bytes that come or go must move: a trickle is the peer's fault, a slow line is not."""

import asyncio
from collections.abc import AsyncIterator

from federation.errors import OversizeError, SlowError
from federation.sync.allowance import Hold, TokenBucket

GRACE_S = 10.0
LEAST_BYTES_S = 16 * 1024


def allowed_s(size: int) -> float:
    """Seconds that so many bytes may take."""
    return GRACE_S + size / LEAST_BYTES_S


async def paced(turns: TokenBucket) -> None:
    """Take one turn, as soon as there is one."""
    loop = asyncio.get_running_loop()
    if (wait := turns.wait(loop.time())) > 0:
        await asyncio.sleep(wait)
    turns.take(1, loop.time())


async def gather(chunks: AsyncIterator[bytes], limit: int, hold: Hold) -> bytes:
    """All chunks as one; raise OversizeError beyond the limit, SlowError where they trickle, BusyError without room."""
    raw, began = bytearray(), asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(GRACE_S) as patience:
            async for chunk in chunks:
                hold.take(len(chunk))
                raw += chunk
                if len(raw) > limit:
                    raise OversizeError(f"more than {limit} bytes")
                patience.reschedule(began + allowed_s(len(raw)))
    except TimeoutError as error:
        raise SlowError(f"{len(raw)} bytes in {asyncio.get_running_loop().time() - began:.0f} s, then none") from error
    return bytes(raw)
