"""Holding a live connection to each peer that has an address, whoever of the two dialled it."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from federation.errors import FederationError
from federation.net.client import PeerClient
from federation.net.live import Hub
from federation.peer import PeerAddress
from federation.ports import Carrier
from federation.sync.pauses import Pauses
from node.services.core import Core
from node.store.peers import find_peer

log = structlog.get_logger()

ACTIVE = "active"
HELD_S = 10.0  # a connection that lasted so long was a good one: the next is tried at once


class Dialler:
    """Dials active peers, again and again, with growing pauses."""

    def __init__(self, core: Core, carrier: Carrier, hub: Hub, client: Callable[[PeerAddress], PeerClient]) -> None:
        self._core = core
        self._carrier = carrier
        self._hub = hub
        self._client = client
        self._again: dict[bytes, asyncio.Event] = {}
        self._away: set[bytes] = set()

    def wake(self, node: bytes) -> None:
        """The peer was moved or taken up again: dial it now."""
        if node in self._again:
            self._again[node].set()

    def answers(self, node: bytes) -> None:
        """The peer answers: dial it now where it was away. One that hung up is not dialled the sooner for it."""
        if node in self._away:
            self.wake(node)

    async def run(self, node: bytes) -> None:
        """Keep a connection to a peer until cancelled. One that the peer dialled is as good."""
        again, pauses = self._again.setdefault(node, asyncio.Event()), Pauses(self._core.random.bytes)
        while True:
            await self._hub.left(node)
            again.clear()
            began = self._core.clock.monotonic()
            await self._hold(node)
            if self._core.clock.monotonic() - began > HELD_S:
                pauses.reset()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pauses.next()):
                    await again.wait()

    async def _hold(self, node: bytes) -> None:
        async with self._core.database.read() as tx:
            peer = await find_peer(tx, node)
        if peer is None or peer.state != ACTIVE or not peer.url:
            return
        try:
            wire = await self._client(peer.address).dial(self._carrier)
            self._away.discard(node)
            await self._hub.serve(node, wire, dialled=True)
        except FederationError as error:
            self._away.add(node)
            # Whoever asks the peer tells of one that is away.
            log.debug("dialling_failed", node=node.hex(), error=str(error))
        except Exception as error:  # what one peer answers must not end the node
            log.error("dialling_broke", node=node.hex(), exc_info=error)
