"""Nodes as objects, several in one event loop, each with its own folder, keys, store, ports and clock."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from node.app import Addresses, Node
from node.clock import SystemClock, SystemRandom
from node.config import template_config
from node.folder import NodeFolder
from node.ports import Clock
from node.services.found import found_node
from tests.nodes import DEADLINE_S
from tests.unit.node_protocols.builders import ended

Found = TypeVar("Found")
DAY_US = 86_400_000_000


class SkewedClock:
    """The system's time, so many days off, and further when told."""

    def __init__(self, days: int) -> None:
        self._system, self._skew_us = SystemClock(), days * DAY_US

    def move(self, days: int) -> None:
        """Let days pass."""
        self._skew_us += days * DAY_US

    def now(self) -> int:
        """Microseconds since 1970, by this clock."""
        return self._system.now() + self._skew_us

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""
        return self._system.monotonic()


@asynccontextmanager
async def running(folder: Path, name: str, clock: Clock | None = None, **who: str) -> AsyncIterator[Node]:
    """A new node in this loop, its ports open; ended when the block ends."""
    clock = clock or SystemClock()
    await found_node(NodeFolder(folder), template_config({"name": name, **who}, 0, 0, None), clock, SystemRandom())
    async with started(folder, clock) as node:
        yield node


@asynccontextmanager
async def started(folder: Path, clock: Clock | None = None) -> AsyncIterator[Node]:
    """The node of a folder in this loop, its ports open; ended when the block ends."""
    node, opened = Node(folder, clock or SystemClock(), SystemRandom()), asyncio.get_running_loop().create_future()
    served = asyncio.create_task(node.run(opened.set_result))
    try:
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.wait([served, opened], return_when=asyncio.FIRST_COMPLETED)
        assert isinstance(opened.result(), Addresses)
        yield node
    finally:
        async with asyncio.timeout(DEADLINE_S):
            await ended(served)


async def until(node: Node, ask: Callable[[], Awaitable[Found | None]], within_s: float = DEADLINE_S) -> Found:
    """Ask again whenever something changed in a node, until there is an answer."""
    with node.core.bus.listen() as news:
        async with asyncio.timeout(within_s):
            while (found := await ask()) is None:
                await news.get()
    return found


async def soon(ask: Callable[[], object]) -> None:
    """Look until it holds; raise TimeoutError at the deadline."""
    async with asyncio.timeout(DEADLINE_S):
        while not ask():  # noqa: ASYNC110 - conditions of many kinds
            await asyncio.sleep(0.01)
