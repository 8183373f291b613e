"""A relay on loopback between a node and a peer, which counts what crosses each connection and how often it turns."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

HOST = "127.0.0.1"


@dataclass(slots=True)
class Crossing:
    """One connection: bytes that went out and came back in each round trip, the newest last."""

    rounds: list[tuple[int, int]] = field(default_factory=list)
    came_back: bool = True

    def note(self, size: int, *, out: bool) -> None:
        """So many bytes went one way: what goes out after something came back begins a round trip."""
        if out and self.came_back:
            self.rounds.append((0, 0))
        self.came_back = not out
        if self.rounds:
            sent, received = self.rounds[-1]
            self.rounds[-1] = (sent + size, received) if out else (sent, received + size)


@dataclass(slots=True)
class Relay:
    """Where it listens, where it leads, and what crossed it by connection."""

    port: int = 0
    to: int = 0
    crossings: list[Crossing] = field(default_factory=list)

    @property
    def busiest(self) -> Crossing:
        """The connection with the most round trips."""
        return max(self.crossings, key=lambda crossing: len(crossing.rounds))


@asynccontextmanager
async def counting_relay() -> AsyncIterator[Relay]:
    """A relay that leads where `to` says once it is set."""
    relay = Relay()

    async def cross(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(HOST, relay.to)
        relay.crossings.append(crossing := Crossing())
        with suppress(ConnectionError, asyncio.CancelledError):
            await asyncio.gather(_pump(reader, back, crossing, out=True), _pump(there, writer, crossing, out=False))

    server = await asyncio.start_server(cross, HOST, 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, crossing: Crossing, *, out: bool) -> None:
    while data := await reader.read(1 << 16):
        crossing.note(len(data), out=out)
        writer.write(data)
        await writer.drain()
    writer.close()
