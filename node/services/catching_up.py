"""After an older copy of the store: what was erased since goes again before anybody is shown anything.

A node that opened a new log since its store was in doubt asks its peers for their logs before it opens a port: erasures
are among what they have. Where none answers it starts all the same, and holds every personal section back, shown
to nobody and given to nobody, until one peer told what it has.
"""

import asyncio

import structlog

from federation.errors import FederationError
from node.services.core import Core
from node.services.counting import Counting, stored_entry
from node.services.projection import Projection
from node.services.reopening import list_reopenings
from node.services.sync import Sync
from node.store.database import ReadTx
from node.store.errors import StoreError
from node.store.fragments import entries_at
from node.store.held import held_places, hold_personal, release_personal
from node.store.peers import list_peers
from node.store.settings import find_setting, set_setting

log = structlog.get_logger()

CAUGHT_UP = "caught_up"  # the log that was opened in doubt last, once peers had told what was erased
ASKED_S = 10.0


class CatchingUp:
    """Holds back, asks, and lets go."""

    def __init__(self, core: Core, projection: Projection, sync: Sync, counting: Counting) -> None:
        self._core, self._projection, self._sync, self._counting = core, projection, sync, counting

    async def begin(self) -> None:
        """Ask everybody before a port is open; hold back where nobody answers."""
        async with self._core.database.read() as tx:
            doubted, peers = await _doubted(tx), [peer.node for peer in await list_peers(tx, "active")]
        if doubted is None:
            return
        answered = await asyncio.gather(*(self._ask(node) for node in peers))
        if any(answered) or not peers:
            await self._let_go(doubted)
        else:
            await self._hold()

    async def run(self) -> None:
        """Let go once a peer has told what it has, or nobody is left to ask."""
        while True:
            seen = self._sync.exchanges
            async with self._core.database.read() as tx:
                doubted, peers = await _doubted(tx), [peer.node for peer in await list_peers(tx, "active")]
            if doubted is None:
                return
            if not peers or any(map(self._sync.has_told, peers)):
                await self._let_go(doubted)
                return
            await self._sync.exchanged(seen)

    async def take_bundle(self, made_us: int) -> None:
        """A peer told all that it had then, by a file: let go where that was after the log was opened in doubt."""
        async with self._core.database.read() as tx:
            doubted, left = await _doubted(tx), await list_reopenings(tx)
        if doubted is not None and made_us >= left[-1].at_us:
            await self._let_go(doubted)

    async def _ask(self, node: bytes) -> bool:
        """Level with a peer; whether it told all that it has."""
        try:
            async with asyncio.timeout(ASKED_S):
                while await self._sync.exchange(node):
                    pass
        except (TimeoutError, FederationError, StoreError) as error:
            log.warning("not_caught_up", node=node.hex(), error=str(error))
        return self._sync.has_told(node)

    async def _hold(self) -> None:
        async with self._core.database.write() as tx:
            count = await hold_personal(tx)
            await self._projection.refold_of(tx, await _held_subjects(tx))
            if count:
                await self._core.announce(tx, "node", "personal_held", count=count)

    async def _let_go(self, doubted: bytes) -> None:
        async with self._core.database.write() as tx:
            held = await _held_subjects(tx)
            count = await release_personal(tx)
            await self._projection.refold_of(tx, held)
            await set_setting(tx, CAUGHT_UP, doubted)
            if count:
                await self._core.announce(tx, "node", "personal_released", count=count)
            tx.on_commit(self._counting.forked.set)  # what fell with a fork waited


async def _held_subjects(tx: ReadTx) -> set[bytes]:
    """What is said in entries of which something is held back."""
    entries = map(stored_entry, await entries_at(tx, await held_places(tx)))
    return {subject for entry in entries for subject in entry.named}


async def _doubted(tx: ReadTx) -> bytes | None:
    """The log that was opened in doubt last, where no peer has told since what was erased."""
    left = await list_reopenings(tx)
    return left[-1].log if left and await find_setting(tx, CAUGHT_UP) != left[-1].log else None
