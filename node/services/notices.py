"""Telling connected peers that something new is here for them; the others learn at their usual exchange.

A peer is told where its organisation, or it by itself, got a new number in its list of openings: so nobody is woken for
what it may not see or does not follow, and no right is looked up again.
"""

import asyncio

from federation.net.live import Hub
from node.errors import StoreAwayError
from node.services.core import Core
from node.services.outgoing import News
from node.store.follows import nodes_that_follow
from node.store.peers import list_peers
from node.store.rights import list_of, newest_opening, opened_after

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
        """The connected nodes for which something new is here since this was asked last; the first time, all."""
        async with self._core.database.read() as tx:
            if self._opened is None:
                self._opened, lists = await newest_opening(tx), set[bytes]()
                news = News(is_public=True)
            else:
                self._opened, lists = await opened_after(tx, self._opened)
            orgs = {peer.node: peer.org for peer in await list_peers(tx)}
            following = set[bytes]().union(*(await nodes_that_follow(tx)).values())
        return {
            node for node in self._hub.nodes if _concerns(node, orgs.get(node), news, lists, follows=node in following)
        }


def _concerns(node: bytes, org: bytes | None, news: News, lists: set[bytes], *, follows: bool) -> bool:
    """Whether a node has something new; one that is not known here may."""
    if org is None or news.is_public or org in news.orgs:
        return True
    return list_of(node) in lists or (org in lists and not follows)
