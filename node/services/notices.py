"""Telling connected peers that something new is here; what does not concern them they learn at their usual exchange.

A node that takes everything mirrors logs as they grow, so that it knows how far each is. One that takes what it follows
is told where its own list of openings got a number: no right is looked up again, and no other device wakes it.
"""

import asyncio

from federation.net.live import Hub
from node.errors import StoreAwayError
from node.services.core import Core
from node.services.outgoing import News
from node.store.follows import nodes_that_follow
from node.store.peers import list_peers
from node.store.rights import list_of, lists_after, newest_opening

AGAIN_S = 1.0
UNMET = b""  # of whom it is not known here whose node it is: it is told of everything


class Notices:
    """Tells peers as news come."""

    def __init__(self, core: Core, hub: Hub) -> None:
        self._core = core
        self._hub = hub
        self._opened: int | None = None

    async def tell_next(self) -> None:
        """Wait for news and tell those whom they concern; where the store is away, a moment later."""
        news = await self._core.outgoing.wait()
        try:
            anything, growth = await self._concerned(news)
        except StoreAwayError:
            self._core.outgoing.tell(news)
            await asyncio.sleep(AGAIN_S)
        else:
            await self._hub.notify(anything)
            await self._hub.notify(growth, news.grown)

    async def _concerned(self, news: News) -> tuple[set[bytes], set[bytes]]:
        """The connected nodes that are to ask, and those which may have all of it already: only logs grew for them.

        Who was opened something since this was asked last is to ask; the first time, all.
        """
        async with self._core.database.read() as tx:
            before, newest = self._opened, await newest_opening(tx)
            lists = await lists_after(tx, before) if before is not None else set[bytes]()
            following = await nodes_that_follow(tx)
            orgs = {peer.node: peer.org for peer in await list_peers(tx)}
        self._opened = newest
        nodes = self._hub.nodes
        if news.is_any or before is None:
            return nodes, set()
        narrow = {node: org for org, some in following.items() for node in some}
        lacking = {
            node for node in nodes if (list_of(node) if node in narrow else orgs.get(node, UNMET)) in lists | {UNMET}
        }
        growing = {node for node in nodes if node not in narrow or news.is_public or narrow[node] in news.orgs}
        return lacking, growing - lacking if news.grown else set()
