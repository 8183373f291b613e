"""Federations, invitations and peers: who is met, and what anchors say of whom."""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import TypeVar

from federation import codec
from federation.authority import Attestation, Attested
from federation.errors import CodecError, FederationError, InvitationError, RequestError
from federation.genesis import Genesis
from federation.invitation import Invitation, parse_invitation
from federation.peer import PeerAddress, check_url
from federation.sync.messages import HeadsAsked, Join
from node.certificate import certificate_pin
from node.errors import InputError, NotFoundError, PeerError, StateError
from node.passport import drafts
from node.passport.bodies import CardBody
from node.passport.errors import NumberError
from node.passport.numbers import parse_inn, parse_ogrn
from node.services.core import Core
from node.services.counting import ENDED
from node.services.ingest import Ingest
from node.services.known import check_organisation
from node.services.ledger import Ledger
from node.services.projection import Projection
from node.services.sync import Level, Sync
from node.store.database import WriteTx
from node.store.organisations import find_chain, read_statements
from node.store.peers import (
    Peer,
    find_peer,
    insert_invitation,
    list_peers,
    may_use_invitation,
    put_peer,
    set_peer_state,
    use_invitation,
)
from node.store.settings import find_setting, set_setting

__all__ = ["Membership", "Peer"]

FEDERATION = "federation"
CARDED = "carded:"
MDNS = "mdns"
ANSWER_S = 5.0
NUMBERS = {"inn": parse_inn, "ogrn": parse_ogrn}
DAY_US = 86_400_000_000

Said = TypeVar("Said", Genesis, Attestation)


class Membership:
    """Founds and joins federations; keeps the list of peers."""

    def __init__(self, core: Core, ledger: Ledger, ingest: Ingest, sync: Sync, projection: Projection) -> None:
        self._core = core
        self._projection = projection
        self._ledger = ledger
        self._ingest = ingest
        self._sync = sync
        self.url = ""

    async def genesis(self) -> Genesis | None:
        """The federation of this node."""
        async with self._core.database.read() as tx:
            raw = await find_setting(tx, FEDERATION)
        return Genesis.from_bytes(raw) if raw else None

    async def found(self, name: str, actor: str) -> Genesis:
        """Make a federation with this organisation as its only anchor."""
        genesis = _readable(Genesis(name, (self._core.org,), 1))
        async with self._core.database.write() as tx:
            if await find_setting(tx, FEDERATION) is not None:
                raise StateError("this node is in a federation already", "federation_exists")
            await set_setting(tx, FEDERATION, genesis.to_bytes())
            await self._core.announce(tx, actor, "federation_founded", federation=genesis.id.hex(), name=name)
        await self._projection.refold_all()
        return genesis

    async def attest(self, org: bytes, what: Attested, rows: Sequence[str], actor: str) -> None:
        """Say something of an organisation, as an anchor."""
        genesis = await self.genesis()
        if genesis is None or self._core.org not in genesis.anchors:
            raise StateError("only an anchor of a federation attests", "not_an_anchor")
        if what is Attested.NUMBER:
            _check_numbers(rows)
        async with self._core.database.read() as tx:
            await check_organisation(tx, org)
        body = _readable(Attestation(genesis.id, what, org, tuple(sorted(set(rows), key=codec.pack))))

        async def note(tx: WriteTx, _entries: object) -> None:
            await self._core.announce(tx, actor, "attested", of=org.hex(), attested=what.name.lower(), rows=list(rows))

        await self._ledger.append([drafts.attestation(body, self._core.clock.now())], note)

    async def publish_card(self) -> None:
        """Say who this organisation is and where this node is, if that changed."""
        node = self._core.settings.node
        body = CardBody(
            name=node.name,
            inn=node.inn or None,
            ogrn=node.ogrn or None,
            kind=node.kind,
            place=node.place or None,
            url=self.url or None,
            pin=self.pin().hex() if self.url else None,
            node=self._core.node.hex(),
        )
        async with self._core.database.read() as tx:
            said = await find_setting(tx, "card")
        if said == body.to_bytes():
            return

        async def note(tx: WriteTx, _entries: object) -> None:
            await set_setting(tx, "card", body.to_bytes())

        await self._ledger.append([drafts.card(self._core.org, body, self._core.clock.now())], note)

    def pin(self) -> bytes:
        """SHA-256 of the own certificate, by which the others know it where they dial."""
        return certificate_pin(self._core.folder.certificate.read_bytes())

    async def invite(self, actor: str, days: int = 7) -> Invitation:
        """An invitation for one node."""
        genesis = await self.genesis()
        if genesis is None:
            raise StateError("found or join a federation first", "no_federation")
        if not self.url:
            raise StateError("this node only dials out: nobody could join at it", "dials_out_only")
        secret = self._core.random.bytes(16)
        expires = self._core.clock.now() + days * DAY_US
        async with self._core.database.write() as tx:
            await insert_invitation(tx, _secret_hash(secret), expires)
            await self._core.announce(tx, actor, "invited", expires_us=expires)
        sign_key = self._core.keystore.sign.public
        return Invitation(genesis, self._core.org, self._core.node, sign_key, self.pin(), self.url, secret, expires)

    async def join(self, text: str, actor: str) -> Genesis:
        """Take an invitation: meet the node that gave it, and its federation."""
        try:
            invitation = parse_invitation(text, self._core.clock.now())
        except InvitationError as error:
            raise InputError(str(error), "invitation") from error
        if invitation.node == self._core.node:
            raise InputError("this node gave the invitation itself: another node joins by it", "join_self")
        mine = await self.genesis()
        if mine is not None and mine.id != invitation.genesis.id:
            raise StateError("this node is in another federation", "other_federation")
        async with self._core.database.read() as tx:
            chain = (await read_statements(tx, self._core.org))[self._core.org]
        peer = PeerAddress(invitation.url, invitation.node, invitation.sign_key, invitation.pin)
        try:
            client = self._sync.client(peer)
            pin = self.pin() if self.url else b""
            await client.join(Join(invitation.secret, tuple(chain), self._core.node, self.url, pin))
        except RequestError as error:
            raise InputError(f"the node that invited refuses: {error}", "invitation") from error
        except (TimeoutError, FederationError) as error:
            raise PeerError(f"{invitation.url} did not answer: {error or type(error).__name__}") from error
        async with self._core.database.write() as tx:
            await set_setting(tx, FEDERATION, invitation.genesis.to_bytes())
            await put_peer(tx, peer, invitation.org, "active")
            await self._core.announce(tx, actor, "joined_federation", federation=invitation.genesis.id.hex())
        await self._projection.refold_all()
        self._sync.peer_changed(invitation.node)
        return invitation.genesis

    async def admit(self, join: Join) -> None:
        """Take a node that shows an invitation's secret; raise RequestError."""
        secret = _secret_hash(join.secret)
        async with self._core.database.read() as tx:
            # Nothing of a stranger is kept, however well-formed it is.
            if not await may_use_invitation(tx, secret, join.node):
                raise RequestError("join: the invitation is not known here, out of date or used")
        chain = await self._ingest.take_chain(join.chain)
        node = chain.node(join.node)
        if node is None or node.ended is not None:
            raise RequestError("join: the node is not stated by its organisation")
        if join.url:
            check_url(join.url)
        async with self._core.database.write() as tx:
            if not await use_invitation(tx, secret, join.node):
                raise RequestError("join: the invitation is not known here, out of date or used")
            peer = PeerAddress(join.url, join.node, node.sign_key, join.pin)
            await put_peer(tx, peer, chain.org_id, "active")
            await self._core.announce(tx, "peer", "peer_joined", org=chain.org_id, node=join.node.hex(), url=join.url)
        self._sync.peer_changed(join.node)

    async def meet(self, peer: PeerAddress, org: bytes, *, active: bool, how: str) -> None:
        """A node was heard of: talk to it, or put it into the inbox.

        What the local network says is a hint of anybody's: it moves a known node only where that node itself answers.
        """
        if peer.node == self._core.node:
            return
        async with self._core.database.read() as tx:
            known = await find_peer(tx, peer.node)
        if known is not None and known.address == peer and (known.state == "active" or not active):
            return
        if known is not None and how == MDNS and not (known.sign_key == peer.sign_key and await self._answers(peer)):
            return
        async with self._core.database.write() as tx:
            await put_peer(tx, peer, org, "active" if active else "inbox")
            await self._core.announce(tx, how, "peer_met", org=org, node=peer.node.hex(), url=peer.url, active=active)
        self._sync.peer_changed(peer.node)

    async def _answers(self, peer: PeerAddress) -> bool:
        """Whether the node of that key answers at an address: answers are signed."""
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._sync.client(peer).heads(HeadsAsked())
        except (TimeoutError, FederationError):
            return False
        return True

    async def meet_carded(self) -> None:
        """Meet the nodes that cards tell of: attested organisations at once, others wait in the inbox.

        A card speaks once: what was heard of a node later, by mDNS or an invitation, is newer than a card that stands.
        """
        world = self._projection.world
        for org, card in world.cards.items():
            if org == self._core.org or not card.node or not self._may_meet(card):
                continue
            active = bool(world.attestations.of(org))
            said = f"{card.url} {card.pin} {active}".encode()
            async with self._core.database.read() as tx:
                chain = await find_chain(tx, org)
                taken = await find_setting(tx, CARDED + card.node)
            node = chain.node(bytes.fromhex(card.node)) if chain else None
            if taken == said or node is None or node.ended is not None:
                continue
            peer = PeerAddress(card.url or "", node.node, node.sign_key, bytes.fromhex(card.pin or ""))
            await self.meet(peer, org, active=active, how="card")
            async with self._core.database.write() as tx:
                await set_setting(tx, CARDED + card.node, said)

    def _may_meet(self, card: CardBody) -> bool:
        """Whether a card has an address, or tells of a node that could dial this one."""
        if card.url is None and card.pin is None:
            return bool(self.url)
        return card.pin is not None and (card.url or "").startswith("https://")

    async def accept(self, node: bytes, actor: str, state: str = "active") -> None:
        """Take a node out of the inbox, or ignore it."""
        async with self._core.database.write() as tx:
            if (peer := await find_peer(tx, node)) is None:
                raise NotFoundError(f"node {node.hex()} is not known here", "peer_unknown")
            if peer.state == ENDED:
                raise StateError(f"node {node.hex()} was ended by its organisation", "peer_ended")
            await set_peer_state(tx, node, state)
            await self._core.announce(tx, actor, f"peer_{state}", node=node.hex())
        self._sync.peer_changed(node)

    @property
    def exchanges(self) -> int:
        """Grows whenever something was heard of a peer."""
        return self._sync.exchanges

    async def level(self, node: bytes) -> Level | None:
        """How this node and a peer stand; None where it said nothing since the start."""
        return await self._sync.level(node)

    async def peers(self) -> list[Peer]:
        """Every node that was met."""
        async with self._core.database.read() as tx:
            return await list_peers(tx)


def _readable(said: Said) -> Said:
    """What others will read as it is; raise InputError where a text in it breaks a rule of theirs."""
    try:
        return type(said).from_bytes(said.to_bytes())
    except CodecError as error:
        raise InputError(f"this cannot be signed: {error}", "not_signable") from error


def _check_numbers(rows: Sequence[str]) -> None:
    """Raise InputError for a number whose check digits disagree; schemes that are not known here pass."""
    for row in rows:
        scheme, _, number = row.partition(":")
        check = NUMBERS.get(scheme)
        try:
            if check is not None and check(number) != number:
                raise NumberError(f"not as it is written: {number!r}")
        except NumberError as error:
            raise InputError(f"{row}: {error}", "number_wrong") from error


def _secret_hash(secret: bytes) -> bytes:
    return hashlib.sha256(b"passport/invitation/1\n" + secret).digest()
