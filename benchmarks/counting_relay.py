"""A relay on loopback between a node and a peer, which counts the bytes that cross it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

HOST = "127.0.0.1"


@dataclass(slots=True)
class Relay:
    """Where it listens, where it leads, and how many bytes went there and came back."""

    port: int = 0
    to: int = 0
    sent: int = 0
    received: int = 0


@asynccontextmanager
async def counting_relay() -> AsyncIterator[Relay]:
    """A relay that leads where `to` says once it is set."""
    relay = Relay()

    async def there(data: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        async for part in _parts(data, to):
            relay.sent += part

    async def back(data: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        async for part in _parts(data, to):
            relay.received += part

    async def cross(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far, near = await asyncio.open_connection(HOST, relay.to)
        with suppress(ConnectionError, asyncio.CancelledError):
            await asyncio.gather(there(reader, near), back(far, writer))

    server = await asyncio.start_server(cross, HOST, 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()


async def _parts(data: asyncio.StreamReader, to: asyncio.StreamWriter) -> AsyncIterator[int]:
    """Carry all that comes; the size of each part."""
    while part := await data.read(1 << 16):
        yield len(part)
        to.write(part)
        await to.drain()
    to.close()
