"""A network server on a real socket, and gateways' sockets in a test's hands."""

import asyncio
import contextlib
import secrets
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from lora.events import Event
from lora.gateway.virtual import VirtualGateway
from lora.identifiers import Eui
from lora.join import Network
from lora.memory import MemoryDirectory
from lora.net.udp import UdpGateways, Unit
from lora.region import RU864
from lora.server import NetworkServer
from tests.unit.lora.builders import GATEWAYS, NET_ID, Stored, counting_random, make_device

T = TypeVar("T")
DEADLINE_S = 20.0


class Counts(Counter[str]):
    """A Counters port."""

    def count(self, name: str, amount: int = 1) -> None:
        """Add."""
        self[name] += amount


class Node:
    """What a node is to the shell: it keeps state and events, and can be told to fail."""

    def __init__(self) -> None:
        self.stored = Stored()
        self.events: list[Event] = []
        self.counts = Counts()
        self.fails = False
        self.changed = asyncio.Event()
        self.directory = MemoryDirectory([make_device()])

    async def handle(self, units: Sequence[Unit]) -> Sequence[Unit]:
        """Store."""
        if self.fails:
            raise OSError("the disk is full")
        await asyncio.sleep(0)
        events = [event for unit in units for event in unit]
        self.stored.keep(events)
        self.events += events
        self.changed.set()
        return units

    def of(self, kind: type[T]) -> list[T]:
        """The events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until a condition holds; fail at the deadline."""
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                self.changed.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.changed.wait(), 0.02)


@asynccontextmanager
async def serving(node: Node) -> AsyncIterator[UdpGateways]:
    """A network server on a free port of loopback."""
    server = NetworkServer(Network(NET_ID, RU864), node.directory, node.stored.store(), random=secrets.token_bytes)
    gateways = UdpGateways(
        server,
        node.handle,
        now_us=lambda: time.time_ns() // 1000,
        random=secrets.token_bytes,
        is_allowed=lambda eui: eui in GATEWAYS,
        counters=node.counts,
    )
    gateways.bind("127.0.0.1", 0)
    task = asyncio.create_task(gateways.serve())
    try:
        yield gateways
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await task
        gateways.close()


class Wire:
    """A gateway's socket, in a test's hands."""

    def __init__(self, address: tuple[str, int], eui: Eui = GATEWAYS[0]) -> None:
        self.gateway = VirtualGateway(eui, counting_random())
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.connect(address)

    def send(self, data: bytes) -> None:
        self._socket.send(data)

    async def receive(self) -> bytes:
        async with asyncio.timeout(DEADLINE_S):
            return await asyncio.get_running_loop().sock_recv(self._socket, 65_535)

    async def open(self) -> None:
        """Make the way for downlinks known."""
        self.send(self.gateway.pull())
        await self.receive()

    def close(self) -> None:
        self._socket.close()


@asynccontextmanager
async def wires(address: tuple[str, int], *euis: Eui) -> AsyncIterator[list[Wire]]:
    opened = [Wire(address, eui) for eui in euis or GATEWAYS[:1]]
    try:
        yield opened
    finally:
        for wire in opened:
            wire.close()
