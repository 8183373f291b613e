"""Holding a live connection to each peer that has an address, whoever of the two dialled it.

One that does not answer is dialled ever more rarely. When it does again, so may others that went away with it: they are
dialled at once.
"""

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from federation.errors import AwayError, FederationError
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
MOST_S = 600.0
ROUND_S = 60.0  # all that are away are dialled no more often, whoever comes and goes


class Dialler:
    """Dials active peers, again and again, with growing pauses."""

    def __init__(
        self,
        core: Core,
        carrier: Carrier,
        hub: Hub,
        client: Callable[[PeerAddress], PeerClient],
        on_answer: Callable[[bytes], None],
    ) -> None:
        """`on_answer` is told of a peer that was away and answers, be it that it does not hold the connection."""
        self._core = core
        self._on_answer = on_answer
        self._carrier = carrier
        self._hub = hub
        self._client = client
        self._again: dict[bytes, asyncio.Event] = {}
        self._away: dict[bytes, bool] = {}  # whether it does not answer at all
        self._round_s = -ROUND_S

    def wake(self, node: bytes) -> None:
        """The peer was moved or taken up again: dial it now."""
        if node in self._again:
            self._again[node].set()

    def answers(self, node: bytes) -> None:
        """The peer answers: dial it now where it was away. One that hung up is not dialled the sooner for it."""
        if node in self._away:
            self.wake(node)
        self._answered(node)

    async def run(self, node: bytes) -> None:
        """Keep a connection to a peer until cancelled. One that the peer dialled is as good."""
        again, pauses = self._again.setdefault(node, asyncio.Event()), Pauses(self._core.random.bytes, most_s=MOST_S)
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
            self._answered(node)
            self._away.pop(node, None)
            await self._hub.serve(node, wire, dialled=True)
        except FederationError as error:
            is_silent = isinstance(error, AwayError)
            if not is_silent:
                self._answered(node)
            self._away[node] = is_silent
            # Whoever asks the peer tells of one that is away.
            log.debug("dialling_failed", node=node.hex(), error=str(error))
        except Exception as error:  # what one peer answers must not end the node
            log.error("dialling_broke", node=node.hex(), exc_info=error)

    def _answered(self, node: bytes) -> None:
        """A peer answers. Where it was away, what parted it from here may be over for others too."""
        if not self._away.get(node):
            return
        self._away[node] = False
        self._on_answer(node)
        now = self._core.clock.monotonic()
        if now - self._round_s >= ROUND_S:
            self._round_s = now
            for other in [other for other, is_silent in self._away.items() if is_silent]:
                self.wake(other)
