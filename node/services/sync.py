"""Talking to peers: heads, mirrors, openings, and live notices both ways.

One task a peer. A peer that is away is asked again later; a peer that breaks the protocol is shown with what it did.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import structlog

from federation.checkpoint import verify_checkpoint
from federation.errors import FederationError, RemoteProtocolError, StatementError
from federation.net.client import PeerClient, new_session
from federation.net.server import Signer
from federation.peer import PeerAddress
from federation.statements import RootStatement
from federation.sync.messages import LogHead
from federation.sync.mirror import Mirror, NeedEntries, NeedLeaves, Verified
from node.errors import NodeError
from node.services.core import Core
from node.services.ingest import Ingest
from node.store.errors import StoreError
from node.store.logs import get_log, list_logs
from node.store.organisations import find_sign_key
from node.store.peers import Peer, find_peer, list_peers, set_peer_cursor, set_peer_seen
from node.store.trees import read_range

log = structlog.get_logger()

RETRIES = 10
ACTIVE = "active"
SEEN_US = 10_000_000  # a peer that answers without news is noted no more often
RETRY_S = 0.2
AWAY = (aiohttp.ClientError, TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class Level:
    """How two nodes stand by the sizes of the logs that both know: what is to come from there, and to go there."""

    to_take: int
    to_give: int
    is_live: bool


class Sync:
    """Keeps this node level with its peers."""

    def __init__(self, core: Core, ingest: Ingest) -> None:
        self._core = core
        self._ingest = ingest
        self._wake: dict[bytes, asyncio.Event] = {}
        self._seen: dict[bytes, bytes] = {}
        self._sockets: dict[bytes, aiohttp.ClientWebSocketResponse] = {}
        self._changed = asyncio.Event()
        self._retries: dict[bytes, int] = {}
        self._mirroring: dict[bytes, asyncio.Lock] = {}
        self._session: aiohttp.ClientSession | None = None
        self._sizes: dict[bytes, dict[bytes, int]] = {}
        self.exchanges = 0  # grows whenever something was heard of a peer
        self.on_level: Callable[[], Awaitable[None]] = _nothing

    def peer_changed(self, node: bytes) -> None:
        """A peer was added or moved, or it was decided whether to talk to it: do so from now on."""
        self._changed.set()
        self.noticed(node)

    def noticed(self, node: bytes) -> None:
        """A peer says that it has something new."""
        if node in self._wake:
            self._wake[node].set()

    async def notify(self) -> None:
        """Tell the peers that this node dialled that something new is here."""
        for node, socket in list(self._sockets.items()):
            try:
                async with asyncio.timeout(5):
                    await socket.send_bytes(b"\x01")
            except (*AWAY, RuntimeError):
                self._sockets.pop(node, None)

    def client(self, peer: PeerAddress) -> PeerClient:
        """A client for one peer; only while `run` runs."""
        if self._session is None:
            self._session = new_session()
        keystore = self._core.keystore
        signer = Signer(keystore.org, keystore.node, keystore.sign)
        return PeerClient(self._session, peer, signer, self._core.clock, self._core.random.bytes)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def run(self) -> None:
        """Talk to every active peer until cancelled."""
        running: set[bytes] = set()
        async with asyncio.TaskGroup() as tasks:
            while True:
                async with self._core.database.read() as tx:
                    peers = await list_peers(tx, "active")
                for peer in peers:
                    if peer.node not in running:
                        running.add(peer.node)
                        self._wake[peer.node] = asyncio.Event()
                        tasks.create_task(self._talk(peer.node))
                        tasks.create_task(self._listen(peer.node))
                for node in self._sockets.keys() - {peer.node for peer in peers}:
                    tasks.create_task(self._hang_up(self._sockets.pop(node)))
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
        known = self._sizes.get(node)
        return None if known is None else known.get(log, 0)

    async def level(self, node: bytes) -> Level | None:
        """How this node and a peer stand by what the peer said last; None where it said nothing since the start."""
        theirs = self._sizes.get(node)
        if theirs is None:
            return None
        async with self._core.database.read() as tx:
            logs = await list_logs(tx)
        here = {log.log: log.note_size for log in logs if log.stopped is None}
        to_take = sum(max(0, size - here.get(log_id, 0)) for log_id, size in theirs.items())
        to_give = sum(max(0, size - theirs.get(log_id, 0)) for log_id, size in here.items())
        return Level(to_take, to_give, node in self._sockets)

    async def exchange(self, node: bytes) -> bool:
        """Level with one peer once; whether anything came."""
        async with self._core.database.read() as tx:
            peer = await find_peer(tx, node)
        if peer is None or peer.state != ACTIVE:
            return False
        client = self.client(peer.address)
        answer = await client.heads(self._seen.get(node))
        if answer is None:
            await self._note_answer(peer)
            return False
        digest, heads = answer
        self._sizes[node] = {head.statement.log_id: head.size for head in heads.logs}
        trouble = await self._take_heads(client, [list(chain) for chain in heads.chains], list(heads.logs))
        whole = heads.opened <= peer.cursor or await self._pull(client, peer)
        if trouble is None and whole:
            self._seen[node] = digest
        await self._note(node, trouble)
        await self.on_level()
        if not whole:
            return await self._may_retry(node)
        self._retries.pop(node, None)
        # What was refused would be refused again: it is asked for at the next notice, not at once.
        return trouble is None

    async def _may_retry(self, node: bytes) -> bool:
        """Entries were opened before their leaves came: ask again soon, a few times, then at the next notice."""
        self._retries[node] = self._retries.get(node, 0) + 1
        if self._retries[node] > RETRIES:
            self._retries[node] = 0
            return False
        await asyncio.sleep(RETRY_S)
        return True

    async def _take_heads(
        self, client: PeerClient, chains: list[list[RootStatement]], logs: list[LogHead]
    ) -> str | None:
        for chain in chains:
            with contextlib.suppress(StatementError):
                await self._ingest.take_chain(chain)
        trouble = None
        for head in logs:
            try:
                stored = await self._ingest.take_log(head.statement)
                if stored is not None and head.note is not None:
                    await self._mirror(client, stored.log, head.note)
            except FederationError as error:
                trouble = str(error)
                log.warning("mirror_refused", log=head.statement.log_id.hex(), error=trouble)
        return trouble

    async def _mirror(self, client: PeerClient, log_id: bytes, note: bytes) -> None:
        # Several peers have the same log: one of them at a time brings it on.
        async with self._mirroring.setdefault(log_id, asyncio.Lock()):
            await self._mirror_alone(client, log_id, note)

    async def _mirror_alone(self, client: PeerClient, log_id: bytes, note: bytes) -> None:
        async with self._core.database.read() as tx:
            stored = await get_log(tx, log_id)
            current = (await list_logs(tx, own=True))[-1:]
            sign_key = await find_sign_key(tx, stored)
            held = await read_range(tx, stored.no, stored.size)
        if sign_key is None or any(own.log == stored.log for own in current):
            return
        checkpoint = verify_checkpoint(note, stored.log, sign_key)
        if checkpoint.size <= stored.size:
            return
        mirror = Mirror(stored.log, sign_key, held, checkpoint)
        verified = await self._drive(client, stored.log, mirror)
        await self._ingest.take_entries(stored, verified, note)
        if verified.refused is not None:
            raise verified.refused

    async def _drive(self, client: PeerClient, log_id: bytes, mirror: Mirror) -> Verified:
        while True:
            step = mirror.next()
            if isinstance(step, NeedEntries):
                mirror.receive_rows(await client.entries(log_id, step.start, step.end))
            elif isinstance(step, NeedLeaves):
                return mirror.receive_leaves(await client.leaves(log_id, step.start, step.end))
            else:
                return step

    async def _pull(self, client: PeerClient, peer: Peer) -> bool:
        """Take what was opened; False where a leaf is not mirrored yet, and the opening stays to be pulled."""
        cursor = peer.cursor
        while True:
            pulled = await client.pull(cursor)
            if pulled.next < cursor:
                raise RemoteProtocolError("pull: the number went back")
            if not await self._ingest.take_placed(pulled.entries):
                return False
            cursor = pulled.next
            async with self._core.database.write() as tx:
                await set_peer_cursor(tx, peer.node, cursor)
            if pulled.done:
                return True

    async def _own_size(self, peer: Peer, own: bytes) -> int:
        try:
            async with asyncio.timeout(2):
                answer = await self.client(peer.address).heads(None)
        except (*AWAY, FederationError):
            return 0
        for head in answer[1].logs if answer else ():
            if head.statement.log_id == own and head.note is not None:
                with contextlib.suppress(FederationError):
                    return verify_checkpoint(head.note, own, self._core.keystore.sign.public).size
        return 0

    async def _talk(self, node: bytes) -> None:
        wake = self._wake[node]
        while True:
            try:
                while await self.exchange(node):
                    pass
            except AWAY as error:
                await self._say_trouble(node, f"away: {type(error).__name__}")
            except (FederationError, StoreError, NodeError) as error:
                log.warning("exchange_failed", node=node.hex(), error=str(error))
                await self._say_trouble(node, str(error))
            except Exception as error:
                # What one peer answers must not end the node.
                log.error("exchange_broke", node=node.hex(), exc_info=error)
                await self._say_trouble(node, "internal error of this node: its log tells more")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._core.settings.federation.poll_s):
                    await wake.wait()
            wake.clear()

    async def _listen(self, node: bytes) -> None:
        while True:
            async with self._core.database.read() as tx:
                peer = await find_peer(tx, node)
            if peer is not None and peer.state == ACTIVE:
                try:
                    await self._hear(peer)
                except (*AWAY, FederationError):
                    pass  # `_talk` tells of a peer that is away
                except Exception as error:
                    log.error("listening_broke", node=node.hex(), exc_info=error)
            self._sockets.pop(node, None)
            await asyncio.sleep(min(1.0, self._core.settings.federation.poll_s))

    async def _hear(self, peer: Peer) -> None:
        async with self.client(peer.address).live() as socket:
            self._sockets[peer.node] = socket
            self.noticed(peer.node)
            async for message in socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    self.noticed(peer.node)

    async def _hang_up(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        with contextlib.suppress(*AWAY, RuntimeError):
            await socket.close()

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
        self.exchanges += 1


async def _nothing() -> None:
    """Nobody wants to know."""
