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
from node.store.rights import list_of, lists_after, newest_opening

AGAIN_S = 1.0


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
            await self._hub.notify(await self._concerned(news))
        except StoreAwayError:
            self._core.outgoing.tell(news)
            await asyncio.sleep(AGAIN_S)

    async def _concerned(self, news: News) -> set[bytes]:
        """The connected nodes that take everything, and those which follow that were opened something since this was
        asked last; the first time, all.
        """
        async with self._core.database.read() as tx:
            before, newest = self._opened, await newest_opening(tx)
            lists = await lists_after(tx, before) if before is not None else set[bytes]()
            following = await nodes_that_follow(tx)
        self._opened = newest
        if news.is_public or before is None:
            return self._hub.nodes
        quiet = {node for org, nodes in following.items() if org not in news.orgs for node in nodes}
        return {node for node in self._hub.nodes if node not in quiet or list_of(node) in lists}
