"""Talking to peers: heads, mirrors, openings, and live notices both ways.

One task a peer. A peer that is away is asked again later; a peer that breaks the protocol is shown with what it did.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from federation.errors import AwayError, BusyError, FederationError, UnconnectedError
from federation.net.client import PeerClient
from federation.net.desk import Signer
from federation.net.live import Hub
from federation.net.pace import paced
from federation.peer import PeerAddress
from federation.ports import Answer, Asking, Carrier, Question
from federation.sync.allowance import TokenBucket
from federation.sync.frames import MAX_GROWN, Grown, Noticed
from federation.sync.pauses import Pauses
from node.errors import NodeError
from node.services.core import Core
from node.services.dialling import ACTIVE, Dialler
from node.services.exchange import Exchange, Heard
from node.services.ingest import Ingest
from node.services.troubles import trouble_of
from node.store.errors import StoreError
from node.store.logs import list_logs, named_logs
from node.store.peers import Peer, find_peer, list_peers, set_peer_seen
from node.store.trees import find_root

log = structlog.get_logger()

RETRIES = 10
IGNORED = "ignored"
SEEN_US = 10_000_000  # a peer that answers without news is noted no more often
RETRY_S = 0.2
OWN_SIZE_S = 2.0
NEWS = Noticed()
EXCHANGES_S, EXCHANGES_BURST = 10.0, 100  # with one peer, whatever it says that it has
IDLE_S = 1800.0  # half of what health calls away: so often a peer is asked without a reason


@dataclass(frozen=True, slots=True)
class Level:
    """How two nodes stand by the sizes of the logs that both know: what is to come from there, and to go there."""

    to_take: int
    to_give: int
    is_live: bool


class Waking:
    """That a peer is to be asked, and why: for logs that it says have grown, or for anything."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._grown: dict[bytes, Grown] = {}
        self._is_any = False

    def set(self, grown: Sequence[Grown] = ()) -> None:
        """It is to be asked; with `grown`, unless this node has these logs as far."""
        self._grown |= {one.log: one for one in grown}
        self._is_any = self._is_any or not grown or len(self._grown) > MAX_GROWN
        self._event.set()

    async def wait(self) -> Sequence[Grown]:
        """Wait for a reason; nothing where it is to be asked whatever is here."""
        await self._event.wait()
        self._event.clear()
        grown = () if self._is_any else tuple(self._grown.values())
        self._grown, self._is_any = {}, False
        return grown


class Sync:
    """Keeps this node level with its peers."""

    def __init__(self, core: Core, ingest: Ingest, carrier: Carrier, hub: Hub) -> None:
        self._core = core
        self._carrier = carrier
        self._hub = hub
        hub.on_notice = self.noticed
        self._dialler = Dialler(core, carrier, hub, self.client, self.noticed)
        self._wake: dict[bytes, Waking] = {}
        self._heard: dict[bytes, Heard] = {}
        self._clients: dict[bytes, tuple[PeerAddress, Asking, PeerClient]] = {}
        self.levelling = Exchange(core, ingest)
        self.following = self.levelling.following
        self.following.on_change = self.look_again
        self._changed = asyncio.Event()
        self._retries: dict[bytes, int] = {}
        self._unsettled: set[bytes] = set()  # peers from which something is left to take
        self._told: set[bytes] = set()
        self.clock_gaps: dict[bytes, float] = {}  # by how many seconds a peer's clock is ahead
        self.exchanges = 0  # grows whenever something was heard of a peer
        self._heard_again = asyncio.Event()
        self.on_level: Callable[[], Awaitable[None]] = _nothing

    def peer_changed(self, node: bytes) -> None:
        """A peer was added or moved, or it was decided whether to talk to it: do so from now on."""
        self._changed.set()
        self._dialler.wake(node)
        self.noticed(node)
        self._note_heard()

    def look_again(self) -> None:
        """What waited for a root statement may count now, or other things are followed: level with everybody."""
        for wake in self._wake.values():
            wake.set()

    def noticed(self, node: bytes, said: Noticed = NEWS) -> None:
        """A peer says that it has something new."""
        if node in self._wake:
            self._wake[node].set(said.grown)

    async def hang_up(self, nodes: set[bytes]) -> None:
        """End the live connections to these nodes, whoever dialled."""
        await self._hub.close(nodes)

    def client(self, peer: PeerAddress) -> PeerClient:
        """A client for one peer: the same one again, since it knows how the peer's clock goes."""
        way = self._way(peer)
        kept = self._clients.get(peer.node)
        if kept is None or kept[:2] != (peer, way):
            kept = self._clients[peer.node] = (peer, way, self._made(way, peer))
        return kept[2]

    def client_at(self, peer: PeerAddress) -> PeerClient:
        """A client that asks at an address, though the node be connected: who answers there is in question."""
        return self._made(self._carrier, peer)

    def _made(self, way: Asking, peer: PeerAddress) -> PeerClient:
        keystore = self._core.keystore
        signer = Signer(keystore.org, keystore.node, keystore.sign)
        return PeerClient(way, peer, signer, self._core.clock, self._core.random.bytes)

    def _way(self, peer: PeerAddress) -> Asking:
        """On the connection that it dialled, for there it is; else by the address that is known here."""
        return self._hub.incoming(peer.node) or (self._carrier if peer.url else _NOWHERE)

    async def close(self) -> None:
        """Close the connections."""
        await self._carrier.close()

    async def run(self) -> None:
        """Talk to every active peer until cancelled."""
        running: set[bytes] = set()
        async with asyncio.TaskGroup() as tasks:
            while True:
                async with self._core.database.read() as tx:
                    peers, ignored = await list_peers(tx, ACTIVE), {peer.node for peer in await list_peers(tx, IGNORED)}
                for peer in peers:
                    if peer.node not in running:
                        running.add(peer.node)
                        self._wake[peer.node] = Waking()
                        tasks.create_task(self._talk(peer.node))
                        tasks.create_task(self._dialler.run(peer.node))
                await self._hub.close(ignored)
                await self._changed.wait()
                self._changed.clear()

    async def largest_own_size(self, own: bytes) -> int:
        """The largest size of an own log that a reachable peer shows under the own signature."""
        async with self._core.database.read() as tx:
            peers = await list_peers(tx, "active")
        sizes = await asyncio.gather(*(self._own_size(peer, own) for peer in peers))
        return max(sizes, default=0)

    def size_there(self, node: bytes, log: bytes) -> int | None:
        """How far a peer had a log when it was asked last; None where it was not asked since the start."""
        heard = self.heard(node)
        return heard.sizes.get(log, 0) if heard.epoch is not None else None

    async def level(self, node: bytes) -> Level | None:
        """How this node and a peer stand by what the peer said last; None where it said nothing since the start."""
        heard = self._heard.get(node)
        if heard is None or heard.epoch is None:
            return None
        theirs = heard.sizes
        async with self._core.database.read() as tx:
            logs = await list_logs(tx)
        here = {log.log: log.note_size for log in logs if log.stopped is None}
        to_take = sum(max(0, size - here.get(log_id, 0)) for log_id, size in theirs.items())
        to_give = sum(max(0, size - theirs.get(log_id, 0)) for log_id, size in here.items())
        return Level(to_take, to_give, node in self._hub.nodes)

    def heard(self, node: bytes) -> Heard:
        """What a peer told since this node started."""
        return self._heard.setdefault(node, Heard())

    def is_heard(self, node: bytes) -> bool:
        """Whether a peer said since the start what it has."""
        return self.heard(node).epoch is not None

    def has_told(self, node: bytes) -> bool:
        """Whether a peer told since the start all that it has, and what may be taken of it was: a log that is refused,
        or of another branch, may never be.
        """
        return node in self._told

    def sizes_of(self, log_id: bytes) -> dict[bytes, int]:
        """How far each peer has a log, as it said last."""
        return {node: heard.sizes[log_id] for node, heard in self._heard.items() if log_id in heard.sizes}

    async def exchange(self, node: bytes) -> bool:
        """Level with one peer once; whether anything came."""
        async with self._core.database.read() as tx:
            peer = await find_peer(tx, node)
        if peer is None or peer.state != ACTIVE:
            return False
        heard, client = self.heard(node), self.client(peer.address)
        outcome = await self.levelling.level(client, peer, heard)
        self._unsettled = self._unsettled - {node} if outcome.is_settled else self._unsettled | {node}
        if outcome.is_whole and outcome.is_level:
            self._told.add(node)
        if client.clock_gap_s is not None:
            self.clock_gaps[node] = client.clock_gap_s
        if not outcome.is_new and outcome.is_whole and outcome.trouble is None:
            await self._note_answer(peer)
            return False
        await self._note(node, outcome.trouble)
        await self.on_level()
        if not outcome.is_whole:
            return await self._may_retry(node)
        self._retries.pop(node, None)
        # What was refused would be refused again, and who is connected tells of what came meanwhile.
        is_told = outcome.is_settled and node in self._hub.nodes
        return outcome.is_new and outcome.trouble is None and not is_told

    async def _may_retry(self, node: bytes) -> bool:
        """Entries were opened before their leaves came: ask again soon, a few times, then at the next notice."""
        self._retries[node] = self._retries.get(node, 0) + 1
        if self._retries[node] > RETRIES:
            self._retries[node] = 0
            self._told.add(node)  # of a log that is read no further the leaves never come
            return False
        await asyncio.sleep(RETRY_S)
        return True

    async def _own_size(self, peer: Peer, own: bytes) -> int:
        try:
            async with asyncio.timeout(OWN_SIZE_S):
                return await self.levelling.own_size(self.client(peer.address), own)
        except (TimeoutError, FederationError):
            return 0

    async def exchanged(self, since: int) -> None:
        """Wait until something was heard of a peer after so many exchanges."""
        while self.exchanges == since:
            self._heard_again.clear()
            await self._heard_again.wait()

    async def _talk(self, node: bytes) -> None:
        poll_s = self._core.settings.federation.poll_s
        pauses = Pauses(self._core.random.bytes, poll_s, max(poll_s, IDLE_S))
        turns = TokenBucket(EXCHANGES_S, EXCHANGES_BURST)
        while True:
            is_away = False
            try:
                await paced(turns)
                while await self.exchange(node):
                    await paced(turns)
                self._dialler.answers(node)
            except BusyError as error:
                await self._say_trouble(node, trouble_of(error))
                await asyncio.sleep(error.retry_s)  # a notice meanwhile changes nothing
            except AwayError as error:
                is_away = True
                await self._say_trouble(node, trouble_of(error))
            except (FederationError, StoreError, NodeError) as error:
                log.warning("exchange_failed", node=node.hex(), error=str(error))
                await self._say_trouble(node, trouble_of(error))
            except Exception as error:
                # What one peer answers must not end the node.
                log.error("exchange_broke", node=node.hex(), exc_info=error)
                await self._say_trouble(node, trouble_of(error))
            rest_s = pauses.next() if self._may_rest(node, is_away=is_away) else poll_s
            if await self._is_woken(node, rest_s, turns):
                pauses.reset()

    def _may_rest(self, node: bytes, *, is_away: bool) -> bool:
        """Whether a peer need not be asked soon: connected it tells of news, away it is dialled until it answers."""
        return is_away or (node in self._hub.nodes and node not in self._unsettled)

    async def _is_woken(self, node: bytes, within_s: float, turns: TokenBucket) -> bool:
        """Wait until a peer is to be asked, and answer whether somebody said so before the time was over."""
        try:
            async with asyncio.timeout(within_s):
                while (grown := await self._wake[node].wait()) and await self._has(node, grown):
                    await paced(turns)
                return True
        except TimeoutError:
            return False
        except (StoreError, NodeError):
            return True  # whoever asks the peer tells of it

    async def _has(self, node: bytes, grown: Sequence[Grown]) -> bool:
        """Whether a peer says of logs only what is here too: then it is known how far it has them, and not asked."""
        async with self._core.database.read() as tx:
            here = {log.log: log for log in await named_logs(tx, [one.log for one in grown])}
            for one in grown:
                log = here.get(one.log)
                if log is None or one.size > log.note_size or await find_root(tx, log.no, one.size) != one.root:
                    return False
        sizes = self.heard(node).sizes
        further = {one.log: one.size for one in grown if one.size > sizes.get(one.log, 0)}
        if further:
            sizes |= further
            self._note_heard()
            self._core.bus.wake()
        return True

    async def _say_trouble(self, node: bytes, trouble: str) -> None:
        await self._note(node, trouble[:500])

    async def _note_answer(self, peer: Peer) -> None:
        if peer.trouble is not None or self._core.clock.now() - (peer.seen_us or 0) > SEEN_US:
            await self._note(peer.node, None)

    async def _note(self, node: bytes, trouble: str | None) -> None:
        """Keep how an exchange ended, and tell those who look on."""
        async with self._core.database.write() as tx:
            await set_peer_seen(tx, node, trouble)
            tx.on_commit(self._core.bus.wake)
        self._note_heard()

    def _note_heard(self) -> None:
        self.exchanges += 1
        self._heard_again.set()


async def _nothing() -> None:
    """Nobody wants to know."""


class _Nowhere:
    """A node that dials out only, and is not connected."""

    async def ask(self, _peer: PeerAddress, _question: Question, _limit: int) -> Answer:
        raise UnconnectedError("it dials out only, and is not connected")


_NOWHERE = _Nowhere()
