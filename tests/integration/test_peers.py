"""Whom a node talks to."""

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from federation.checkpoint import Checkpoint, sign_checkpoint
from federation.errors import AwayError
from federation.keys import SigningKey
from federation.net.desk import Desk as FederationDesk
from federation.net.desk import Signer
from federation.net.live import Hub
from federation.net.server import FederationServer
from federation.peer import PeerAddress
from federation.ports import Asker
from federation.sync.messages import Heads, HeadsAsked, Openings
from node.certificate import certificate_pin, make_certificate
from node.store.peers import find_peer, put_peer, set_peer_state
from tests.builders import found, id16, log_statement, signing_key
from tests.fakes import FakeClock
from tests.unit.node_protocols.builders import Desk, ended, new_desk, new_sync

NOBODY = "https://127.0.0.1:1"  # tcpmux: nothing listens there
WAIT_S = 10.0  # less than the time after which a peer is asked again without a notice


class Neighbour:
    """A node of another organisation with one log, behind a real federation port; `heads` counts its answers."""

    def __init__(self, desk: Desk, note: bytes | None = None, ahead_s: float = 0) -> None:
        self._desk = desk
        self.line = found().node("node")
        self.given = 0
        self.asked: Counter[str] = Counter()
        self.connections: set[tuple[str, int]] = set()
        self._log, self._note = log_statement(org=self.line.org), note
        clock, signer = FakeClock(desk.core.clock.now()), Signer(self.line.org, id16("node"), signing_key("node"))
        clock.move(ahead_s)
        answers = FederationDesk(self, signer, clock, self)  # type: ignore[arg-type]  # the rest is not asked
        self.hub = Hub(signer.node, answers.answer)
        self.server = FederationServer(answers, self.hub, self)

    async def note_connection(self, request: web.Request, _response: web.StreamResponse) -> None:
        """Remember where a question came from."""
        assert request.transport is not None
        self.connections.add(request.transport.get_extra_info("peername")[:2])

    def count(self, name: str, label: str = "", amount: int = 1) -> None:
        """Count what was answered or refused."""
        if name in ("federation_answers", "federation_refused"):
            self.asked[label] += amount

    async def sign_key(self, org: bytes, node: bytes) -> bytes | None:
        """The desk alone is known."""
        keystore = self._desk.core.keystore
        return keystore.sign.public if (org, node) == (keystore.org, keystore.node) else None

    async def check(self, _asker: Asker, _question: str) -> None:
        """Whoever is known may ask."""

    async def heads(self, _asker: Asker, known: HeadsAsked) -> Heads | None:
        """The own log, and how much was opened."""
        if known == HeadsAsked(self._log.log_id, 3, self.given):
            return None
        notes = (self._note,) if self._note else ()
        return Heads(self._log.log_id, 3, (self.line.statements,), (self._log,), notes, opened=self.given)

    async def opened(self, _asker: Asker, _after: int, _limit: int) -> Openings:
        """Openings of nothing."""
        return Openings(self.given, (), True)


@asynccontextmanager
async def met(desk: Desk, neighbour: Neighbour, folder: Path) -> AsyncIterator[PeerAddress]:
    """The neighbour listens, and is an active peer of the desk."""
    key, certificate = make_certificate("neighbour", desk.core.clock.now())
    (folder / "pair.pem").write_bytes(key + certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "pair.pem")
    application = neighbour.server.application()
    application.on_response_prepare.append(neighbour.note_connection)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        url = f"https://127.0.0.1:{runner.addresses[0][1]}"
        peer = PeerAddress(url, id16("node"), signing_key("node").public, certificate_pin(certificate))
        async with desk.core.database.write() as tx:
            await put_peer(tx, peer, neighbour.line.org, "active")
        yield peer
    finally:
        await runner.cleanup()


async def until(condition: Callable[[], object]) -> None:
    """Look until it holds; raise TimeoutError at the deadline."""
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110 - conditions of many kinds
            await asyncio.sleep(0.01)


async def test_ignored_and_unadded_nodes_are_not_talked_to(tmp_path: Path) -> None:
    """Only an active peer is dialled; one of the inbox, or one that was ignored meanwhile, is left alone."""
    key = SigningKey.from_seed(bytes(32)).public
    peer = PeerAddress(NOBODY, id16("node"), key, bytes(32))
    async with new_desk(tmp_path) as desk:
        sync = new_sync(desk.core, desk.ingest)
        try:
            for state in ("inbox", "ignored"):
                async with desk.core.database.write() as tx:
                    await put_peer(tx, peer, id16("org"), "inbox")
                    await set_peer_state(tx, peer.node, state)
                assert not await sync.exchange(peer.node)
            async with desk.core.database.write() as tx:
                await set_peer_state(tx, peer.node, "active")
            with pytest.raises(AwayError):
                await sync.exchange(peer.node)
            assert await sync.level(peer.node) is None
        finally:
            await sync.close()


async def test_questions_to_a_peer_share_a_connection(tmp_path: Path) -> None:
    """A question costs no handshake of its own: each goes on the connection of the one before."""
    async with new_desk(tmp_path) as desk:
        sync, neighbour = new_sync(desk.core, desk.ingest), Neighbour(desk)
        try:
            async with met(desk, neighbour, tmp_path) as peer:
                for _ in range(3):
                    await sync.exchange(peer.node)
            assert neighbour.asked["heads"] >= 3
            assert len(neighbour.connections) == 1
        finally:
            await sync.close()


async def test_peer_with_a_pin_of_another_size_is_refused_and_ends_nothing(tmp_path: Path) -> None:
    """A member's card may tell any bytes as its certificate: nobody is asked by them, and the others are."""
    async with new_desk(tmp_path) as desk:
        sync, neighbour = new_sync(desk.core, desk.ingest), Neighbour(desk)
        short = PeerAddress(NOBODY, id16("short"), signing_key("short").public, b"ab")
        async with desk.core.database.write() as tx:
            await put_peer(tx, short, id16("org"), "active")
        async with met(desk, neighbour, tmp_path):
            assert await sync.largest_own_size(desk.ledger.log.log) == 0
            running = asyncio.create_task(sync.run())
            try:
                await until(lambda: neighbour.hub.nodes)
                assert not running.done()
            finally:
                await ended(running)
                await sync.close()


async def test_peer_whose_log_is_refused_is_not_asked_again_at_once(tmp_path: Path) -> None:
    """A checkpoint that its node did not sign is shown as trouble; the next notice or look asks again, no loop does."""
    statement = log_statement(org=found().org)
    forged = sign_checkpoint(signing_key("stranger"), Checkpoint(statement.log_id, 1, bytes(32)))
    async with new_desk(tmp_path) as desk:
        neighbour, sync = Neighbour(desk, forged), new_sync(desk.core, desk.ingest)
        async with met(desk, neighbour, tmp_path) as peer:
            try:
                assert not await sync.exchange(peer.node)
            finally:
                await sync.close()
        async with desk.core.database.read() as tx:
            shown = await find_peer(tx, peer.node)
        assert shown is not None
        assert shown.trouble


async def test_peer_that_was_ignored_is_left_and_asked_at_once_when_it_is_active_again(tmp_path: Path) -> None:
    """An ignored peer loses the live connection; news of that time are asked for by the decision, not by a timer."""
    async with new_desk(tmp_path) as desk:
        neighbour, sync = Neighbour(desk), new_sync(desk.core, desk.ingest)
        async with met(desk, neighbour, tmp_path) as peer:
            running = asyncio.create_task(sync.run())

            async def decide(state: str) -> None:
                async with desk.core.database.write() as tx:
                    await set_peer_state(tx, peer.node, state)
                sync.peer_changed(peer.node)

            try:
                await until(lambda: neighbour.hub.nodes and neighbour.asked["heads"] >= 2)
                await decide("ignored")
                await until(lambda: not neighbour.hub.nodes)
                neighbour.given, asked = 1, neighbour.asked["heads"]
                await decide("active")
                await until(lambda: neighbour.asked["heads"] > asked and neighbour.asked["opened"])
                await until(lambda: neighbour.hub.nodes)
            finally:
                await ended(running)
                await sync.close()


async def test_peer_by_another_clock_is_heard_at_once(tmp_path: Path) -> None:
    """Where clocks differ by an hour the live connection goes by the peer's time, as every question does."""
    async with new_desk(tmp_path) as desk:
        neighbour, sync = Neighbour(desk, ahead_s=3600), new_sync(desk.core, desk.ingest)
        async with met(desk, neighbour, tmp_path):
            running = asyncio.create_task(sync.run())
            try:
                await until(lambda: neighbour.hub.nodes and neighbour.asked["heads"])
                neighbour.given = 1
                await neighbour.hub.notify()
                await until(lambda: neighbour.asked["opened"])
            finally:
                await ended(running)
                await sync.close()


async def test_size_of_the_own_log_is_believed_of_its_own_key_alone(tmp_path: Path) -> None:
    """By it a node tells what it lost: a peer that makes up a checkpoint of it frightens nobody."""
    async with new_desk(tmp_path) as desk:
        log = desk.ledger.log.log
        forged = sign_checkpoint(signing_key("stranger"), Checkpoint(log, 10**9, bytes(32)))
        neighbour, sync = Neighbour(desk, forged), new_sync(desk.core, desk.ingest)
        async with met(desk, neighbour, tmp_path) as peer:
            await sync.exchange(peer.node)
            assert sync.is_heard(peer.node)
            assert sync.sizes_of(log) == {}
            await sync.close()
