"""One look-up at other organisations under way: who is asked in which round trip, and what they answer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from federation.directory import Seats, bucket_of
from federation.errors import AwayError, BusyError, FederationError, RequestError
from federation.sync.announcing import Referral
from federation.sync.looking import Known, Looked
from node.passport.identifiers import Identifier
from node.passport.sightings import Outcome, Reply, Sighting, Source, What, join_sightings, trust_in
from node.store.directory import Announcer
from node.store.peers import Peer

ROUND_S = 5.0
QUESTION_S = 3.0
LATE_S = 1.0  # who has not answered so long after something was found is waited for no longer
MOST_ASKED = 64  # nodes that are asked what they hold, for one text
MOST_REST = 60  # of these, whom nobody named

HERE = b""  # this node, as a holder
Answer = TypeVar("Answer")


class LookupLink(Protocol):
    """How a node is asked; each raises a FederationError where it fails."""

    async def refer(self, keys: Sequence[bytes]) -> list[tuple[Referral, ...]]:
        """For each key who announced there that he holds what has it."""
        ...

    async def lookup(self, scheme: str, value: str) -> Looked:
        """What is there of an identifier."""
        ...


class Checking(Protocol):
    """How an answer is checked."""

    async def check(self, asked: Identifier, known: Known, source: Source) -> Sighting | None:
        """What an answer shows; None where it does not verify."""
        ...


Client = Callable[[Peer], LookupLink]


class Inquiry:
    """Asks holders and, in the moment that one names them, those who hold."""

    def __init__(
        self,
        identifiers: tuple[Identifier, ...],
        peers: Iterable[Peer],
        known: Mapping[bytes, Announcer],
        client: Client,
        evidence: Checking,
    ) -> None:
        """`known` is what is kept of nodes that announced or were named."""
        self._identifiers = identifiers
        self._peers = {peer.node: peer for peer in peers}
        self._known = known
        self._client = client
        self._evidence = evidence
        self._replies: dict[tuple[bytes, Identifier | None], Reply] = {}  # of holders as such under None
        self._sightings: list[Sighting] = []
        self._last: list[tuple[Peer, Identifier]] = []
        self._patience: asyncio.Timeout | None = None
        self._found_in = 0
        self.on_news: Callable[[], None] = _nobody
        self.named_by: dict[bytes, set[bytes]] = {}  # which holders named a node
        self.holders: set[bytes] = set()  # who answered as such

    async def run(self, seats: Seats, hints: Iterable[bytes], here: Mapping[Identifier, Sequence[Referral]]) -> Outcome:
        """Ask, by the directory, by hints, and by what was announced `here`; at last those who announce nothing."""
        await self._together(lambda tasks: self._begin(tasks, seats, hints, here))
        if not self._sightings:
            await self._together(self._ask_rest)
        return self.outcome()

    def outcome(self) -> Outcome:
        """What is known by now."""
        replies = sorted(_by_node(self._replies.values()), key=lambda one: (one.round, one.org, one.node))
        rounds = self._found_in or max((reply.round for reply in replies), default=0)
        return Outcome(join_sightings(self._sightings), tuple(replies), rounds)

    async def _together(self, begin: Callable[[asyncio.TaskGroup], None]) -> None:
        try:
            async with asyncio.timeout(ROUND_S) as self._patience, asyncio.TaskGroup() as tasks:
                begin(tasks)
        except TimeoutError:
            pass  # who did not answer is silent
        late = {key: reply for key, reply in self._replies.items() if reply.what == "asked"}
        self._replies |= {key: replace(reply, what="silent") for key, reply in late.items()}

    def _begin(
        self,
        tasks: asyncio.TaskGroup,
        seats: Seats,
        hints: Iterable[bytes],
        here: Mapping[Identifier, Sequence[Referral]],
    ) -> None:
        for identifier, referrals in here.items():
            self._follow(tasks, identifier, referrals, HERE, 1)
        asked = self._identifiers[-1]
        for org in hints:
            for peer in self._nodes_of(org)[:1]:
                self._look(tasks, peer, asked, 1)
        by_org: dict[bytes, list[Identifier]] = {}
        for identifier in self._identifiers:
            # As a holder itself this node was told what the others were.
            if (key := identifier.key) is not None and not here.get(identifier):
                for org in seats.holders(bucket_of(key)):
                    by_org.setdefault(org, []).append(identifier)
        for org, some in by_org.items():
            if nodes := self._nodes_of(org):
                tasks.create_task(self._refer(tasks, nodes, some))

    def _ask_rest(self, tasks: asyncio.TaskGroup) -> None:
        """Those who were wrong before, those who announce nothing, and where no holder answered, anybody."""
        asked, already = self._identifiers[-1], {node for node, identifier in self._replies if identifier is not None}
        after = 1 + max((reply.round for reply in self._replies.values()), default=1 if self.holders else 0)
        for peer, identifier in self._last:
            self._look(tasks, peer, identifier, after)
        # Who was silent as a holder is not waited for a second time.
        already |= {node for (node, _), reply in self._replies.items() if reply.what == "silent"}
        left = [peer for node, peer in sorted(self._peers.items()) if node not in already]
        # Without a holder that answers nobody is named, and anybody may have announced.
        rest = [peer for peer in left if not self.holders or not self._has_told(peer.node)]
        for peer in rest[:MOST_REST]:
            self._look(tasks, peer, asked, after)

    def _has_told(self, node: bytes) -> bool:
        """Whether a node announces: then nobody who holds its part would leave it out."""
        return node in self._known and self._known[node].told_us is not None

    def _nodes_of(self, org: bytes) -> list[Peer]:
        return [peer for _, peer in sorted(self._peers.items()) if peer.org == org]

    async def _refer(self, tasks: asyncio.TaskGroup, nodes: Sequence[Peer], identifiers: Sequence[Identifier]) -> None:
        """Ask one holder, at its next node where the first is away."""
        keys = [key for identifier in identifiers if (key := identifier.key) is not None]
        for peer in nodes:
            self._replies[peer.node, None] = Reply(peer.org, peer.node, 1)
            self.on_news()
            said = await self._answered(peer, None, self._client(peer).refer(keys))
            if said is not None:
                self._note(peer, None, "nothing")
                self.holders.add(peer.node)
                for identifier, referrals in zip(identifiers, said, strict=True):
                    self._follow(tasks, identifier, referrals, peer.node, 2)
                return

    def _follow(
        self,
        tasks: asyncio.TaskGroup,
        identifier: Identifier,
        referrals: Iterable[Referral],
        holder: bytes,
        round_: int,
    ) -> None:
        for referral in referrals:
            peer, kept = self._peers.get(referral.node), self._known.get(referral.node)
            if peer is None or peer.org != referral.org:
                continue
            self.named_by.setdefault(peer.node, set()).add(holder)
            trust = trust_in(kept.good, kept.bad) if kept is not None else "asked"
            if trust == "asked":
                self._look(tasks, peer, identifier, round_)
            elif trust == "last":
                self._last.append((peer, identifier))

    def _look(self, tasks: asyncio.TaskGroup, peer: Peer, identifier: Identifier, round_: int) -> None:
        if (peer.node, identifier) not in self._replies and len(self._replies) < MOST_ASKED:
            self._replies[peer.node, identifier] = Reply(peer.org, peer.node, round_)
            tasks.create_task(self._ask(peer, identifier))
            self.on_news()

    async def _ask(self, peer: Peer, identifier: Identifier) -> None:
        question = self._client(peer).lookup(identifier.scheme, identifier.value)
        looked = await self._answered(peer, identifier, question)
        if looked is not None:
            what = await self._take(peer, identifier, looked)
            self._note(peer, identifier, what)
            if what == "found":
                self._hurry(self._replies[peer.node, identifier].round)

    async def _take(self, peer: Peer, identifier: Identifier, looked: Looked) -> What:
        seen = [
            await self._evidence.check(identifier, known, Source(peer.org, peer.node, known.age_us))
            for known in looked.known
        ]
        shown = [one for one in seen if one is not None]
        self._sightings += shown
        if shown:
            return "found"
        return "wrong" if seen else "held" if looked.is_held else "nothing"

    async def _answered(self, peer: Peer, identifier: Identifier | None, question: Awaitable[Answer]) -> Answer | None:
        """What a node answers; None where it does not, and why is noted."""
        try:
            async with asyncio.timeout(QUESTION_S):
                return await question
        except (TimeoutError, AwayError):
            self._note(peer, identifier, "silent")
        except (BusyError, RequestError) as error:
            self._note(peer, identifier, "refused", str(error)[:200])
        except FederationError as error:
            self._note(peer, identifier, "wrong", str(error)[:200])
        return None

    def _note(self, peer: Peer, identifier: Identifier | None, what: What, reason: str = "") -> None:
        key = peer.node, identifier
        self._replies[key] = replace(self._replies[key], what=what, reason=reason)
        self.on_news()

    def _hurry(self, round_: int) -> None:
        if not self._found_in and self._patience is not None:
            self._found_in = round_
            self._patience.reschedule(asyncio.get_running_loop().time() + LATE_S)


def _by_node(replies: Iterable[Reply]) -> list[Reply]:
    """Of several answers of a node the one that says most."""
    order: tuple[What, ...] = ("found", "held", "wrong", "asked", "nothing", "refused", "silent")
    best: dict[bytes, Reply] = {}
    for reply in replies:
        if reply.node not in best or order.index(reply.what) < order.index(best[reply.node].what):
            best[reply.node] = reply
    return list(best.values())


def _nobody() -> None:
    """Nobody looks on."""
