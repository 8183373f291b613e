"""Asking a node's federation desk within this process: signed, encoded and answered as over https."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from federation.genesis import Genesis
from federation.net.client import PeerClient
from federation.net.desk import Desk as FederationDesk
from federation.net.desk import Signer
from federation.peer import PeerAddress
from federation.ports import Answer, Question
from node.metrics import Metrics
from node.services.access_requests import AccessRequests
from node.services.admission import INTRODUCER, Admission
from node.services.attesting import Attesting
from node.services.boxes import Boxes
from node.services.exchange import Outcome
from node.services.lookup_notes import LookupNotes
from node.services.membership import Membership
from node.services.pointing import Asked
from node.services.referring import Referring
from node.services.search import Search
from node.services.shelf import FederationShelf
from node.services.shipments import Shipments
from node.store.genesis import FEDERATION
from node.store.organisations import read_statements
from node.store.peers import find_peer, put_peer
from node.store.settings import find_setting, set_setting
from tests.unit.node_protocols.builders import Desk, found, join, new_sync, opened


class Wired:
    """A node that is asked, and asks others; `asked` are the questions, `bytes` those of the answers."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        core = desk.core
        keystore = core.keystore
        self.signer = Signer(keystore.org, keystore.node, keystore.sign)
        self.address = PeerAddress("https://127.0.0.1:1", keystore.node, keystore.sign.public, bytes(32))
        sync = new_sync(core, desk.ingest)
        attesting = Attesting(core, desk.ledger, desk.projection)
        membership = Membership(core, desk.ledger, desk.ingest, sync, desk.projection, attesting)
        referring = Referring(core, desk.projection, LookupNotes(core))
        requests = AccessRequests(core, desk.projection, Search(), sync)
        boxes = Boxes(core, Search(), Shipments(core, desk.ledger, desk.projection), Metrics())
        self.shelf = FederationShelf(
            core, desk.ledger, membership, Search(), Admission(core, desk.projection), Asked(referring, requests, boxes)
        )
        self.answers = FederationDesk(self.shelf, self.signer, core.clock, Metrics())
        self.sync = sync
        self.exchange = sync.levelling
        self.clients: dict[bytes, PeerClient] = {}
        self.asked: list[str] = []
        self.bytes = 0

    async def ask(self, _peer: PeerAddress, question: Question, _limit: int) -> Answer:
        """Answer as a carrier would bring it."""
        self.asked.append(question.target.partition("?")[0].rpartition("/")[2])
        answer = await self.answers.answer(question)
        self.bytes += len(answer.body)
        return answer

    async def knows(self, other: "Wired") -> None:
        """Take the other's chain, and the other as a peer, as by its invitation."""
        core = other.desk.core
        async with core.database.read() as tx:
            chain = (await read_statements(tx, core.org))[core.org]
        await self.desk.ingest.take_chain(chain)
        async with self.desk.core.database.write() as tx:
            await put_peer(tx, other.address, core.org, "active")
            await set_setting(tx, INTRODUCER + core.org.hex(), core.node)

    async def level(self, other: "Wired") -> Outcome:
        """Take what the other has, once."""
        core = self.desk.core
        async with core.database.read() as tx:
            peer = await find_peer(tx, other.desk.core.node)
        assert peer is not None
        return await self.exchange.level(self.client(other), peer, self.sync.heard(peer.node))

    def client(self, other: "Wired") -> PeerClient:
        """What asks the other: the same again."""
        core, node = self.desk.core, other.address.node
        if node not in self.clients:
            self.clients[node] = PeerClient(other, other.address, self.signer, core.clock, core.random.bytes)
        return self.clients[node]


@asynccontextmanager
async def wired(folder: Path, name: str, seed: int, of: Desk) -> AsyncIterator[Wired]:
    """A further node in the federation of a desk."""
    await found(folder / name, name, seed)
    async with opened(folder / name, seed) as desk:
        async with of.core.database.read() as tx:
            raw = await find_setting(tx, FEDERATION)
        assert raw is not None
        await join(desk, Genesis.from_bytes(raw))
        await desk.projection.refold_all()
        yield Wired(desk)
