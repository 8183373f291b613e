"""What this node follows, and telling it to the peers of which it takes nothing else."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from federation.errors import FilterError
from federation.sync.following import (
    FIRST,
    LAST,
    MAX_FOLLOWED,
    NOTHING,
    FollowAsked,
    Followed,
    changes,
    next_after,
    whole,
)
from node.errors import NotFoundError, StateError
from node.services.core import Core
from node.store.database import ReadTx
from node.store.follows import (
    StoredFilter,
    change_filter,
    find_filter,
    followed_among,
    followed_within,
    shown_with,
)
from node.store.passports import read_leads, read_titles
from node.store.peers import ACTIVE, Peer, find_peer, list_peers, set_peer_choice

RECENT = 64  # changes that a peer may have missed and is told by themselves
FOLLOWED, UNFOLLOWED = "followed", "unfollowed"


class FollowLink(Protocol):
    """How a peer is told."""

    async def follow(self, asked: FollowAsked) -> Followed:
        """Say what is followed."""
        ...


@dataclass(frozen=True, slots=True)
class _Change:
    before: bytes
    added: frozenset[bytes]
    removed: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class OneFollowed:
    """A subject that is followed, and what its passport is called here, if there is one."""

    subject: bytes
    title: str


@dataclass(frozen=True, slots=True)
class FollowState:
    """Whether a subject is followed, and of how many peers nothing else is taken."""

    is_followed: bool
    peers: int


class Following:
    """Keeps what this node follows; `on_change` wakes the peers that are to hear of it."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._recent: deque[_Change] = deque(maxlen=RECENT)
        self.on_change: Callable[[], None] = _nobody

    async def filter_at(self, peer: Peer) -> bytes | None:
        """What a peer should keep of this node."""
        if not peer.only_followed:
            return None
        async with self._core.database.read() as tx:
            return (await self._kept(tx)).filter

    async def tell(self, link: FollowLink, peer: Peer, standing: bytes | None) -> Followed:
        """Tell a peer, which keeps another filter, what is followed: what changed since, or else all of it.

        Raise FilterError where it does not keep it then.
        """
        wanted, answer = await self.filter_at(peer), None
        if wanted is None:
            answer = await link.follow(FollowAsked(everything=True))
        else:
            for asked in self._since(standing):
                answer = await link.follow(asked)
            if answer is None or answer.filter != wanted:
                async with self._core.database.read() as tx:
                    subjects, wanted = (
                        await followed_within(tx, self._core.node, FIRST, LAST),
                        (await self._kept(tx)).filter,
                    )
                for asked in whole(subjects):
                    answer = await link.follow(asked)
        if answer is None or answer.filter != wanted:
            raise FilterError("follow: the peer does not keep what it was told")
        return answer

    async def follow(self, subjects: Iterable[bytes], actor: str) -> int:
        """Follow these and what is one passport with them here; answer how many are new."""
        return await self._change(subjects, actor, FOLLOWED)

    async def unfollow(self, subjects: Iterable[bytes], actor: str) -> int:
        """Follow these no more, nor what is one passport with them; answer how many that were. What is here stays."""
        return await self._change(subjects, actor, UNFOLLOWED)

    async def choose(self, node: bytes, actor: str, *, only_followed: bool) -> None:
        """Take of a peer what is followed alone, or everything; raise NotFoundError where it is not known."""
        async with self._core.database.write() as tx:
            peer = await find_peer(tx, node)
            if peer is None:
                raise NotFoundError(f"node {node.hex()} is not known here", "peer_unknown")
            if peer.only_followed == only_followed:
                return
            await set_peer_choice(tx, node, only_followed=only_followed)
            what = "peer_followed_only" if only_followed else "peer_taken_whole"
            await self._core.announce(tx, actor, what, org=peer.org, node=node.hex())
            tx.on_commit(self.on_change)

    async def count(self) -> int:
        """How many subjects are followed."""
        async with self._core.database.read() as tx:
            return (await self._kept(tx)).count

    async def count_at(self, node: bytes) -> int | None:
        """How many subjects a peer follows here; None where it takes everything."""
        async with self._core.database.read() as tx:
            kept = await find_filter(tx, node)
        return kept.count if kept is not None else None

    async def page(self, after: bytes | None, limit: int) -> list[OneFollowed]:
        """What is followed, by subject, after one."""
        first = FIRST if after is None else next_after(after)
        async with self._core.database.read() as tx:
            found = await followed_within(tx, self._core.node, first, LAST, limit) if first else []
            titles = await read_titles(tx, found)
        return [OneFollowed(subject, titles.get(subject, "")) for subject in found]

    async def is_known(self, subject: bytes) -> bool:
        """Whether there is a passport of a subject here."""
        async with self._core.database.read() as tx:
            return subject in await read_leads(tx, [subject])

    async def standing(self, subject: bytes) -> FollowState:
        """Whether a subject is followed, and what that means for it."""
        async with self._core.database.read() as tx:
            is_followed = bool(await followed_among(tx, self._core.node, [subject]))
            peers = [peer for peer in await list_peers(tx, ACTIVE) if peer.only_followed]
        return FollowState(is_followed, len(peers))

    async def _change(self, subjects: Iterable[bytes], actor: str, what: str) -> int:
        async with self._core.database.write() as tx:
            chosen, known = await shown_with(tx, subjects), await self._kept(tx)
            there = await followed_among(tx, self._core.node, chosen)
            added, removed = (chosen - there, set[bytes]()) if what == FOLLOWED else (set[bytes](), there)
            if known.count + len(added) > MAX_FOLLOWED:
                raise StateError(f"at most {MAX_FOLLOWED} subjects are followed", "followed_most", most=MAX_FOLLOWED)
            if not added and not removed:
                return 0
            await change_filter(tx, known, added, removed)
            await self._core.announce_each(tx, actor, what, [(subject, {}) for subject in sorted(added | removed)])
            change = _Change(known.filter, frozenset(added), frozenset(removed))
            tx.on_commit(lambda: self._recent.append(change))
            tx.on_commit(self.on_change)
        return len(added | removed)

    def _since(self, standing: bytes | None) -> Iterable[FollowAsked]:
        """What changed since a filter stood; nothing where that is not remembered."""
        at = next((n for n, change in enumerate(self._recent) if change.before == standing), len(self._recent))
        added, removed = set[bytes](), set[bytes]()
        for change in list(self._recent)[at:]:
            added, removed = (added | change.added) - change.removed, (removed | change.removed) - change.added
        return changes(added, removed)

    async def _kept(self, tx: ReadTx) -> StoredFilter:
        return await find_filter(tx, self._core.node) or StoredFilter(self._core.node, self._core.org, NOTHING)


def _nobody() -> None:
    """Nobody is woken."""
