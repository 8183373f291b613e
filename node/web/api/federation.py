"""This node, its federation and its peers."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from federation.authority import Attested
from federation.genesis import Genesis, fingerprint
from node.errors import StateError
from node.services.access import Scope
from node.services.membership import Peer
from node.web.api.fields import Hex16, Name
from node.web.calls import Call
from node.web.routes import Limit, api
from node.web.tables import network as tables
from node.web.trouble_words import trouble_text


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


class FederationBody(BaseModel):
    """A federation to be founded."""

    name: Name


class FederationAnswer(BaseModel):
    """A federation, with the fingerprint that people compare."""

    id: Hex16
    name: str
    anchors: list[Hex16]
    quorum: int
    fingerprint: str


class AttestationBody(BaseModel):
    """What an anchor says of an organisation."""

    org: Hex16
    what: Literal["number", "maker", "accreditation", "steward", "prefix"]
    rows: list[Annotated[str, StringConstraints(min_length=1, max_length=128)]] = Field(default=[], max_length=64)


class InvitationAnswer(BaseModel):
    """An invitation for one node: send the text, or show it as a QR code."""

    text: str
    expires_us: int


class JoinBody(BaseModel):
    """An invitation that was received."""

    invitation: Annotated[str, StringConstraints(min_length=10, max_length=4096)]


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
    genesis = await context.membership.genesis()
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
    )


@api("POST", "/federation", title="Found a federation", scopes=[Scope.PEERS], status=201)
async def found_federation(call: Call, body: FederationBody) -> FederationAnswer:
    """This organisation becomes its only anchor."""
    return _federation(await call.context.membership.found(body.name, call.actor.label))


@api("POST", "/federation/join", title="Join a federation by an invitation", scopes=[Scope.PEERS])
async def join_federation(call: Call, body: JoinBody) -> FederationAnswer:
    """Meet the node that gave the invitation, and its federation."""
    return _federation(await call.context.membership.join(body.invitation, call.actor.label))


@api("POST", "/attestations", title="Attest an organisation, as an anchor", scopes=[Scope.PEERS], status=201,
     problems=["org_unknown", "no_federation", "not_an_anchor", "number_wrong"])  # fmt: skip
async def attest(call: Call, body: AttestationBody) -> AttestationBody:
    """What anchors attest decides whose lines, verifications and records count."""
    what = Attested[body.what.upper()]
    await call.context.membership.attest(bytes.fromhex(body.org), what, body.rows, call.actor.label)
    return body


@api("POST", "/invitations", title="Invite a node", scopes=[Scope.PEERS], status=201,
     problems=["no_federation", "dials_out_only"])  # fmt: skip
async def invite(call: Call) -> InvitationAnswer:
    """A text for one node, good for seven days and one use."""
    invitation = await call.context.membership.invite(call.actor.label)
    return InvitationAnswer(text=invitation.to_text(), expires_us=invitation.expires)


@api("GET", "/peers", title="Nodes that were met", scopes=[Scope.READ], table=tables.PEERS)
async def list_peers(call: Call) -> PeersAnswer:
    """Active ones, those in the inbox, and ignored ones."""
    return PeersAnswer(items=[await peer_answer(call, peer) for peer in await call.context.membership.peers()])


@api("GET", "/federation", title="The federation of this node", scopes=[Scope.READ], limit=Limit.NONE,
     problems=["no_federation"])  # fmt: skip
async def read_federation(call: Call) -> FederationAnswer:
    """Refused with `no_federation` before one is founded or joined."""
    genesis = await call.context.membership.genesis()
    if genesis is None:
        raise StateError("this node is in no federation", "no_federation")
    return _federation(genesis)


@api("POST", "/peers/{node}", title="Talk to a node, or ignore it", scopes=[Scope.PEERS], status=204,
     problems=["peer_unknown"])  # fmt: skip
async def set_peer(call: Call, path: PeerPath, body: PeerBody) -> None:
    """Takes it out of the inbox."""
    await call.context.membership.accept(bytes.fromhex(path.node), call.actor.label, body.state)


async def peer_answer(call: Call, peer: Peer) -> PeerAnswer:
    """A peer with what its organisation says of itself and how level it is."""
    card = call.context.projection.world.cards.get(peer.org)
    level = await call.context.membership.level(peer.node)
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
    attest,
    invite,
    list_peers,
    set_peer,
]
