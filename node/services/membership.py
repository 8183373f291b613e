"""Invitations: how a node joins a federation, and what this one says of where it is."""

import hashlib

from federation.errors import FederationError, InvitationError, RequestError
from federation.genesis import Genesis
from federation.invitation import Invitation, parse_invitation
from federation.peer import PeerAddress, check_url
from federation.sync.messages import Join
from federation.words import fingerprint_words
from node.certificate import certificate_pin
from node.errors import InputError, NotFoundError, PeerError, StateError
from node.passport import drafts
from node.passport.bodies import CardBody
from node.passport.standing import Standing
from node.services.admission import INTRODUCER
from node.services.attesting import Attesting
from node.services.core import Core
from node.services.ingest import Ingest
from node.services.ledger import Ledger
from node.services.projection import Projection
from node.services.sync import Sync
from node.store.database import WriteTx
from node.store.genesis import FEDERATION, find_genesis
from node.store.organisations import read_statements
from node.store.peers import (
    ACTIVE,
    OpenInvitation,
    drop_invitation,
    find_peer,
    insert_invitation,
    may_use_invitation,
    open_invitations,
    put_peer,
    use_invitation,
)
from node.store.settings import find_setting, set_setting

DAY_US = 86_400_000_000
CLOCKS_APART_US = 3 * DAY_US


class Membership:
    """Invites nodes, and joins federations."""

    def __init__(
        self, core: Core, ledger: Ledger, ingest: Ingest, sync: Sync, projection: Projection, attesting: Attesting
    ) -> None:
        self._core = core
        self.attesting = attesting
        self._projection = projection
        self._ledger = ledger
        self._ingest = ingest
        self._sync = sync
        self.url = ""

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
            domain=self._core.settings.public.domain or None,
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
        genesis = await self.attesting.genesis()
        if genesis is None:
            raise StateError("found or join a federation first", "no_federation")
        if not self.url:
            raise StateError("this node only dials out: nobody could join at it", "dials_out_only")
        secret = self._core.random.bytes(16)
        expires = self._core.clock.now() + days * DAY_US
        async with self._core.database.write() as tx:
            await insert_invitation(tx, _secret_hash(secret), expires, actor)
            await self._core.announce(tx, actor, "invited", expires_us=expires)
        return self._introduction(genesis, secret, expires)

    async def words(self, language: str) -> tuple[str, ...]:
        """The words of this node, those of each of its invitations; none while it is in no federation."""
        genesis = await self.attesting.genesis()
        return () if genesis is None else fingerprint_words(self._introduction(genesis, b"", 0), language)

    def _introduction(self, genesis: Genesis, secret: bytes, expires: int) -> Invitation:
        sign_key = self._core.keystore.sign.public
        return Invitation(genesis, self._core.org, self._core.node, sign_key, self.pin(), self.url, secret, expires)

    async def invitations(self) -> list[OpenInvitation]:
        """Those by which a node may still join."""
        async with self._core.database.read() as tx:
            return await open_invitations(tx)

    async def revoke(self, invitation: str, actor: str) -> None:
        """Let nobody join by an invitation any more."""
        async with self._core.database.write() as tx:
            found = [one for one in await open_invitations(tx) if one.id == invitation]
            if not found or not await drop_invitation(tx, found[0].secret_hash):
                raise NotFoundError(f"no open invitation {invitation} is here", "invitation_unknown")
            await self._core.announce(tx, actor, "invitation_revoked", expires_us=found[0].expires_us)

    async def read(self, text: str) -> Invitation:
        """What an invitation says, before anybody joins by it; raise InputError or StateError where it leads nowhere.

        Its expiry is told by the clock of the node that gave it, which decides: this one may be days off.
        """
        try:
            invitation = parse_invitation(text, self._core.clock.now() - CLOCKS_APART_US)
        except InvitationError as error:
            raise InputError(str(error), "invitation") from error
        if invitation.node == self._core.node:
            raise InputError("this node gave the invitation itself: another node joins by it", "join_self")
        mine = await self.attesting.genesis()
        if mine is not None and mine.id != invitation.genesis.id:
            raise StateError("this node is in another federation", "other_federation")
        return invitation

    async def join(self, text: str, actor: str) -> Genesis:
        """Take an invitation: meet the node that gave it, and its federation."""
        invitation = await self.read(text)
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
            mine = await find_genesis(tx)
            if mine is not None and mine.id != invitation.genesis.id:  # founded or joined in another window meanwhile
                raise StateError("this node is in another federation", "other_federation")
            await set_setting(tx, FEDERATION, invitation.genesis.to_bytes())
            await set_setting(tx, INTRODUCER + invitation.org.hex(), invitation.node)
            await put_peer(tx, peer, invitation.org, ACTIVE)
            await self._core.announce(tx, actor, "joined_federation", federation=invitation.genesis.id.hex())
            tx.on_commit(self.attesting.entered.set)
        await self._projection.refold_all()
        self._sync.peer_changed(invitation.node)
        return invitation.genesis

    async def joining_key(self, join: Join) -> bytes:
        """The sign key of a node that shows an invitation's secret, by its chain, which is kept; raise RequestError."""
        async with self._core.database.read() as tx:
            # Nothing of a stranger is kept, however well-formed it is.
            if not await may_use_invitation(tx, _secret_hash(join.secret), join.node):
                raise RequestError("join: the invitation is not known here, out of date or used")
        node = (await self._ingest.take_chain(join.chain)).node(join.node)
        if node is None or node.ended is not None:
            raise RequestError("join: the node is not stated by its organisation")
        return node.sign_key

    async def admit(self, join: Join) -> None:
        """Take a node that shows an invitation's secret and signed that itself; raise RequestError."""
        sign_key, org = await self.joining_key(join), join.chain[0].org_id
        if join.url:
            check_url(join.url)
        needs_word = self._check_may_join(org)
        async with self._core.database.write() as tx:
            if not await use_invitation(tx, _secret_hash(join.secret), join.node):
                raise RequestError("join: the invitation is not known here, out of date or used")
            known = await find_peer(tx, join.node)
            if known is not None and known.org != org:
                raise RequestError("join: a node of that id is another organisation's here")
            await put_peer(tx, PeerAddress(join.url, join.node, sign_key, join.pin), org, ACTIVE)
            await self._core.announce(tx, "peer", "peer_joined", org=org, node=join.node.hex(), url=join.url)
        if needs_word:
            # The invitation is the word of whoever gave it.
            await self.attesting.vouch(org, "peer")
        self._sync.peer_changed(join.node)

    def _check_may_join(self, org: bytes) -> bool:
        """Whether an organisation needs this one's word to be a guest; raise RequestError where that helps nothing."""
        standings = self._projection.world.standings
        standing = standings.of(org).standing
        if standing is Standing.EXPELLED:
            raise RequestError("join: the organisation was expelled from the federation, its anchors alone let it in")
        if standing not in (Standing.UNKNOWN, Standing.LEFT) or org == self._core.org:
            return False
        if not standings.of(self._core.org).standing.is_member:
            raise RequestError(
                "join: who gave the invitation is no member and vouches for nobody: ask a member for one"
            )
        return True


def invitation_id(invitation: Invitation) -> str:
    """By what an invitation is named while it is open."""
    return _secret_hash(invitation.secret)[:8].hex()


def _secret_hash(secret: bytes) -> bytes:
    return hashlib.sha256(b"passport/invitation/1\n" + secret).digest()
