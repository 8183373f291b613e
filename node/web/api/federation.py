"""This node, its federation and its peers."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from federation.genesis import Genesis, fingerprint
from federation.invitation import Invitation
from federation.words import LANGUAGES, fingerprint_words
from node.errors import StateError
from node.services.access import Scope
from node.services.membership import invitation_id
from node.services.peering import Peer
from node.web.api.fields import Hex16, Name
from node.web.calls import Call
from node.web.routes import Limit, api
from node.web.tables import network as tables
from node.web.trouble_words import trouble_text


class FingerprintAnswer(BaseModel):
    """What people compare by voice before they trust an invitation: the words of who invites."""

    ru: str
    en: str


class NodeAnswer(BaseModel):
    """Who this is."""

    org: Hex16
    node: Hex16
    name: str
    kind: str
    url: str
    federation: Hex16 | None
    log: Hex16
    size: int = Field(description="Entries of the own log.")
    standing: str = Field(description="Where it stands: `anchor`, `member`, `guest`, `unknown`, `left` or `expelled`.")
    pin: str = Field(description="SHA-256 of its certificate, by which others know it where they dial, in hex.")
    words: FingerprintAnswer | None = Field(description="Its words, as its invitations have; null in no federation.")


class FederationBody(BaseModel):
    """A federation to be founded: this organisation and others are its anchors, and so many of them must agree."""

    name: Name
    anchors: list[Hex16] = Field(default=[], max_length=15, description="The other anchors; they are invited later.")
    quorum: int = Field(default=1, ge=1, le=16)


class FederationAnswer(BaseModel):
    """A federation, with the fingerprint that people compare."""

    id: Hex16
    name: str
    anchors: list[Hex16]
    quorum: int
    fingerprint: str


class InvitationAnswer(BaseModel):
    """An invitation for one node: send the text, or show it as a QR code."""

    id: str = Field(description="By what it is revoked.")
    text: str
    expires_us: int
    words: FingerprintAnswer


class JoinBody(BaseModel):
    """An invitation that was received."""

    # A little more than an invitation may hold is read, to say that it is too long for one.
    invitation: Annotated[str, StringConstraints(min_length=10, max_length=65_536)]


class InvitationRead(BaseModel):
    """What an invitation says: which federation, who invites, and until when."""

    federation: FederationAnswer
    org: Hex16
    node: Hex16
    url: str
    expires_us: int
    words: FingerprintAnswer


class OpenInvitationAnswer(BaseModel):
    """An invitation that nobody took yet; its text is not kept."""

    id: str
    made_us: int
    expires_us: int
    actor: str


class OpenInvitationsAnswer(BaseModel):
    """Invitations by which a node may still join."""

    items: list[OpenInvitationAnswer]


class InvitationPath(BaseModel):
    """One open invitation."""

    invitation: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


class PeerAnswer(BaseModel):
    """A node that was met."""

    node: Hex16
    org: Hex16
    name: str | None
    kind: str | None = Field(description="What its organisation says it is: maker, lab, utility, housing and so on.")
    url: str = Field(description="Empty where it only dials out: it is asked on the connection that it dialled.")
    dials_out_only: bool
    state: str
    met_us: int
    seen_us: int | None
    trouble: str | None = Field(description="`code: what happened`, where the last exchange failed.")
    trouble_title: str | None = Field(description="What that is, in the language of the request.")
    trouble_advice: str | None = Field(description="What to do about it, in the language of the request.")
    is_live: bool = Field(description="Whether its notices come at once.")
    to_take: int | None = Field(description="Entries that it has and this node has not; null before it said so.")
    to_give: int | None = Field(description="Entries that this node has and it has not; null before it said so.")
    only_followed: bool = Field(description="Whether nothing is taken of it but what this node follows.")
    follows: int | None = Field(description="How many ids it follows here; null where it takes all that it may.")
    losses: list[str] = Field(
        description="Why not all that it said counts: `ended`, `disowned`, `forked`, `pending`, `left`; empty for most."
    )


class PeersAnswer(BaseModel):
    """Every node that was met."""

    items: list[PeerAnswer]


class PeerPath(BaseModel):
    """One node."""

    node: Hex16


class PeerBody(BaseModel):
    """What to do with a node: talk to it, or not."""

    state: Literal["active", "ignored"]


@api("GET", "/node", title="Who this node is", scopes=[Scope.READ], limit=Limit.NONE)
async def read_node(call: Call) -> NodeAnswer:
    """Organisation, node, federation and own log."""
    context = call.context
    genesis = await context.attesting.genesis()
    async with context.core.database.read() as tx:
        log = await context.ledger.stored(tx)
    settings = context.settings.node
    return NodeAnswer(
        org=context.core.org.hex(),
        node=context.core.node.hex(),
        name=settings.name,
        kind=settings.kind,
        url=context.membership.url,
        federation=genesis.id.hex() if genesis else None,
        log=log.log.hex(),
        size=log.size,
        standing=context.projection.world.standings.of(context.core.org).standing.value,
        pin=context.membership.pin().hex(),
        words=FingerprintAnswer(**{one: " ".join(await context.membership.words(one)) for one in LANGUAGES})
        if genesis
        else None,
    )


@api("POST", "/federation", title="Found a federation", scopes=[Scope.PEERS], status=201,
     problems=["federation_exists", "quorum_wrong"])  # fmt: skip
async def found_federation(call: Call, body: FederationBody) -> FederationAnswer:
    """Its anchors and how many of them must agree stand for good: another set of them is another federation."""
    anchors = [bytes.fromhex(org) for org in body.anchors]
    return _federation(await call.context.attesting.found(body.name, call.actor.label, anchors, body.quorum))


@api("POST", "/federation/invitation/read", title="Read an invitation without joining", scopes=[Scope.PEERS],
     problems=["invitation", "join_self", "other_federation"])  # fmt: skip
async def read_invitation(call: Call, body: JoinBody) -> InvitationRead:
    """Which federation it leads to and who gave it, with words: join when the other side reads out the same ones."""
    return read_answer(await call.context.membership.read(body.invitation))


@api("POST", "/federation/join", title="Join a federation by an invitation", scopes=[Scope.PEERS],
     problems=["invitation", "join_self", "other_federation", "peer"])  # fmt: skip
async def join_federation(call: Call, body: JoinBody) -> FederationAnswer:
    """Meet the node that gave the invitation, and its federation."""
    return _federation(await call.context.membership.join(body.invitation, call.actor.label))


@api("POST", "/invitations", title="Invite a node", scopes=[Scope.PEERS], status=201,
     problems=["no_federation", "dials_out_only"])  # fmt: skip
async def invite(call: Call) -> InvitationAnswer:
    """A text for one node, good for seven days and one use."""
    invitation = await call.context.membership.invite(call.actor.label)
    return InvitationAnswer(
        id=invitation_id(invitation),
        text=invitation.to_text(),
        expires_us=invitation.expires,
        words=words_answer(invitation),
    )


@api("GET", "/invitations", title="Open invitations", scopes=[Scope.PEERS], table=tables.INVITATIONS)
async def list_invitations(call: Call) -> OpenInvitationsAnswer:
    """Those by which a node may still join; a text is shown once, when it is made."""
    return OpenInvitationsAnswer(
        items=[
            OpenInvitationAnswer(id=one.id, made_us=one.made_us, expires_us=one.expires_us, actor=one.actor)
            for one in await call.context.membership.invitations()
        ]
    )


@api("DELETE", "/invitations/{invitation}", title="Revoke an invitation", scopes=[Scope.PEERS], status=204,
     problems=["invitation_unknown"])  # fmt: skip
async def revoke_invitation(call: Call, path: InvitationPath) -> None:
    """Nobody joins by it any more; who joined by it before stays."""
    await call.context.membership.revoke(path.invitation, call.actor.label)


@api("GET", "/peers", title="Nodes that were met", scopes=[Scope.READ], table=tables.PEERS)
async def list_peers(call: Call) -> PeersAnswer:
    """Active ones, those in the inbox, and ignored ones."""
    return PeersAnswer(items=[await peer_answer(call, peer) for peer in await call.context.peering.peers()])


@api("GET", "/federation", title="The federation of this node", scopes=[Scope.READ], limit=Limit.NONE,
     problems=["no_federation"])  # fmt: skip
async def read_federation(call: Call) -> FederationAnswer:
    """Refused with `no_federation` before one is founded or joined."""
    genesis = await call.context.attesting.genesis()
    if genesis is None:
        raise StateError("this node is in no federation", "no_federation")
    return _federation(genesis)


@api("POST", "/peers/{node}", title="Talk to a node, or ignore it", scopes=[Scope.PEERS], status=204,
     problems=["peer_unknown", "peer_ended", "org_refused"])  # fmt: skip
async def set_peer(call: Call, path: PeerPath, body: PeerBody) -> None:
    """Takes it out of the inbox."""
    await call.context.peering.accept(bytes.fromhex(path.node), call.actor.label, body.state)


@api("DELETE", "/peers/{node}", title="Dismiss a node from the inbox", scopes=[Scope.PEERS], status=204,
     problems=["peer_unknown"])  # fmt: skip
async def dismiss_peer(call: Call, path: PeerPath) -> None:
    """Forgets it until it is heard of anew; an ignored one stays ignored."""
    await call.context.peering.dismiss(bytes.fromhex(path.node), call.actor.label)


def read_answer(invitation: Invitation) -> InvitationRead:
    """What an invitation says."""
    return InvitationRead(
        federation=_federation(invitation.genesis),
        org=invitation.org.hex(),
        node=invitation.node.hex(),
        url=invitation.url,
        expires_us=invitation.expires,
        words=words_answer(invitation),
    )


def words_answer(invitation: Invitation) -> FingerprintAnswer:
    """The words of who invites, in both languages."""
    ru, en = (" ".join(fingerprint_words(invitation, language)) for language in ("ru", "en"))
    return FingerprintAnswer(ru=ru, en=en)


async def peer_answer(call: Call, peer: Peer) -> PeerAnswer:
    """A peer with what its organisation says of itself and how level it is."""
    card = call.context.projection.world.cards.get(peer.org)
    level = await call.context.peering.level(peer.node)
    trouble = trouble_text(peer.trouble, call.language) if peer.trouble else None
    return PeerAnswer(
        node=peer.node.hex(),
        org=peer.org.hex(),
        name=card.name if card else None,
        kind=card.kind if card else None,
        url=peer.url,
        dials_out_only=not peer.url,
        state=peer.state,
        met_us=peer.met_us,
        seen_us=peer.seen_us,
        trouble=peer.trouble,
        trouble_title=trouble.title if trouble else None,
        trouble_advice=trouble.advice if trouble else None,
        is_live=level is not None and level.is_live,
        to_take=level.to_take if level else None,
        to_give=level.to_give if level else None,
        only_followed=peer.only_followed,
        follows=await call.context.following.count_at(peer.node),
        losses=sorted(loss.value for loss in (await call.context.keys.losses()).get(peer.node, ())),
    )


def _federation(genesis: Genesis) -> FederationAnswer:
    return FederationAnswer(
        id=genesis.id.hex(),
        name=genesis.name,
        anchors=[anchor.hex() for anchor in genesis.anchors],
        quorum=genesis.quorum,
        fingerprint=fingerprint(genesis.id),
    )


ROUTES = [
    read_node,
    read_federation,
    found_federation,
    join_federation,
    read_invitation,
    invite,
    list_invitations,
    revoke_invitation,
    list_peers,
    set_peer,
    dismiss_peer,
]
