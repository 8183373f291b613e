"""What other nodes follow here: kept beside rights, which it narrows and never widens."""

from federation.errors import BusyError, FilterError
from federation.ports import Asker
from federation.sync.following import MAX_FOLLOWED, FollowAsked, Followed
from node.services.core import Core
from node.store.database import ReadTx, WriteTx
from node.store.follows import (
    StoredFilter,
    change_filter,
    count_followed,
    drop_filter,
    find_filter,
    followed_within,
    put_filter,
)
from node.store.rights import (
    FOR_EVER,
    Opening,
    close_to_node,
    last_opening,
    newest_opening,
    open_all_to_node,
    open_to_node,
    openings_after,
)

MOST_OF_ORGANISATION = 10 * MAX_FOLLOWED
WIDENED_US = 60_000_000  # all that may be read is numbered for one node no more often


class Filters:
    """Takes what nodes say that they follow, and has a list of openings for each."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._widened: dict[bytes, int] = {}  # when that was done lately

    async def take(self, asker: Asker, asked: FollowAsked) -> Followed:
        """Keep what a node follows, and open to it what is new of that; raise FilterError where it is too much, and
        BusyError where it takes everything again and again.
        """
        async with self._core.database.write() as tx:
            known = await find_filter(tx, asker.node)
            if asked.everything:
                if known is not None:
                    await self._widen(tx, known)
                known = None
            else:
                known = await self._change(tx, known or await _begun(tx, asker), asked)
            return Followed(known.filter if known else None, await self.last(tx, asker, known))

    async def opened(self, tx: ReadTx, asker: Asker, after: int, limit: int) -> list[Opening]:
        """What was opened to a node after a number."""
        until = _until(await find_filter(tx, asker.node))
        return await openings_after(tx, asker.org, after, limit, asker.node, until)

    async def last(self, tx: ReadTx, asker: Asker, known: StoredFilter | None) -> int:
        """The newest number of what was opened to a node that follows this."""
        return await last_opening(tx, asker.org, asker.node, _until(known))

    async def _widen(self, tx: WriteTx, known: StoredFilter) -> None:
        """Open to a node all that its organisation may read: a short question that makes much work."""
        now = tx.now
        lately = {node: at for node, at in self._widened.items() if 0 <= now - at < WIDENED_US}
        if known.node in lately:
            left_us = lately[known.node] + WIDENED_US - now
            raise BusyError("follow: everything was taken a moment ago", left_us / 1_000_000)
        self._widened = lately | {known.node: now}
        await drop_filter(tx, known.node)
        await open_all_to_node(tx, known.org, known.node)

    async def _change(self, tx: WriteTx, known: StoredFilter, asked: FollowAsked) -> StoredFilter:
        removed = set(asked.removed)
        if asked.within is not None:
            removed = {*await followed_within(tx, known.node, *asked.within)} - asked.added
        kept, fresh = await change_filter(tx, known, asked.added, removed)
        if kept.count > MAX_FOLLOWED or await count_followed(tx, kept.org) > MOST_OF_ORGANISATION:
            raise FilterError(
                f"follow: a node follows at most {MAX_FOLLOWED} subjects, an organisation {MOST_OF_ORGANISATION}"
            )
        await close_to_node(tx, kept.node, removed)
        await open_to_node(tx, kept.node, fresh)
        return kept


async def _begun(tx: WriteTx, asker: Asker) -> StoredFilter:
    """A filter of nothing yet. What was opened to the organisation up to now is told to the node as well."""
    begun = StoredFilter(asker.node, asker.org, since=await newest_opening(tx))
    await put_filter(tx, begun)
    return begun


def _until(known: StoredFilter | None) -> int:
    return FOR_EVER if known is None else known.since
