"""The peers page: the federation, its nodes and how level they are, the inbox, inviting and joining."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from federation.genesis import fingerprint
from federation.invitation import Invitation
from federation.sync.bundle import MAX_BUNDLE
from federation.words import fingerprint_words
from node.errors import InputError, NodeError
from node.services.access import Scope
from node.services.journal import JournalRow
from node.web.api import bundles as api_bundles
from node.web.api.federation import (
    FederationBody,
    InvitationPath,
    JoinBody,
    PeerBody,
    PeerPath,
    found_federation,
    peer_answer,
    read_answer,
)
from node.web.binding import Upload
from node.web.calls import Call, View
from node.web.console.form_values import Lines
from node.web.dispatch import acted, redirect
from node.web.events import Live
from node.web.languages import mark
from node.web.problems import find_text
from node.web.qr import qr_picture
from node.web.rendering import RENDERER
from node.web.routes import Group, Menu, page

TITLE = mark("Peers")
PATH = "/peers"
FORM_OVERHEAD = 1 << 16  # the form around a file
ORDER = ("inbox", "active", "out", "ended", "ignored")


class FederationForm(Lines, FederationBody):
    """A federation as the form fills it in: the ids of anchors parted by spaces and lines."""


class BundleForm(BaseModel):
    """A bundle that somebody brought."""

    file: Upload


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], menu=Menu(Group.PARTIES, 1, "peers"), api="GET /peers")
async def peers(call: Call) -> View:
    """Who is met; follows the stream."""
    return await _view(call)


@page("POST", PATH + "/invitations", title=TITLE, scopes=[Scope.PEERS], api="POST /invitations")
async def invite(call: Call) -> View:
    """Make an invitation and show it this once."""
    try:
        invitation = await call.context.membership.invite(call.actor.label)
    except NodeError as error:
        return await _view(call, error=error)
    return await _view(call, invitation=invitation)


@page("POST", PATH + "/invitations/{invitation}/revoke", title=TITLE, scopes=[Scope.PEERS],
      api="DELETE /invitations/{invitation}", lists=["GET /invitations"])  # fmt: skip
async def revoke(call: Call, path: InvitationPath) -> View | web.Response:
    """Let nobody join by an open invitation any more."""
    return await acted(call.context.membership.revoke(path.invitation, call.actor.label), PATH, partial(_view, call))


@page("POST", PATH + "/invitation", title=TITLE, scopes=[Scope.PEERS], api="POST /federation/invitation/read")
async def read(call: Call, body: JoinBody) -> View:
    """Show what an invitation says, with the words to compare, before anybody joins by it."""
    try:
        invitation = await call.context.membership.read(body.invitation)
    except NodeError as error:
        return await _view(call, error=error, typed=body.invitation)
    return await _view(call, read=invitation, typed=body.invitation)


@page("POST", PATH + "/join", title=TITLE, scopes=[Scope.PEERS], api="POST /federation/join")
async def join(call: Call, body: JoinBody) -> View | web.Response:
    """Take an invitation."""
    return await acted(
        call.context.membership.join(body.invitation, call.actor.label),
        PATH,
        partial(_view, call, typed=body.invitation),
    )


@page("POST", PATH + "/federation", title=TITLE, scopes=[Scope.PEERS], api="POST /federation")
async def found(call: Call, body: FederationForm) -> View | web.Response:
    """Found a federation."""
    return await acted(found_federation.handler(call, body=body), PATH, partial(_view, call))


@page("POST", PATH + "/bundles", title=TITLE, scopes=[Scope.PEERS], api="POST /bundles",
      max_body=MAX_BUNDLE + FORM_OVERHEAD)  # fmt: skip
async def take_bundle(call: Call, body: BundleForm) -> View:
    """Take a bundle, and say whose it was."""
    try:
        taken = await api_bundles.taken_of(call, body.file.chosen())
    except NodeError as error:
        return await _view(call, error=error)
    return await _view(call, taken=taken)


@page("POST", PATH + "/{node}/bundle", title=TITLE, scopes=[Scope.PEERS], api="POST /peers/{node}/bundle")
async def bundle(call: Call, path: PeerPath, body: api_bundles.BundleQuery) -> View | web.Response:
    """A bundle for a node, as a file."""
    try:
        return await api_bundles.bundle_of(call, path.node, is_whole=body.whole)
    except NodeError as error:
        return await _view(call, error=error)


@page("POST", PATH + "/{node}", title=TITLE, scopes=[Scope.PEERS], api="POST /peers/{node}")
async def decide(call: Call, path: PeerPath, body: PeerBody) -> web.Response:
    """Talk to a node, or not."""
    await call.context.peering.accept(bytes.fromhex(path.node), call.actor.label, body.state)
    return redirect(PATH)


@page("POST", PATH + "/{node}/dismiss", title=TITLE, scopes=[Scope.PEERS], api="DELETE /peers/{node}")
async def dismiss(call: Call, path: PeerPath) -> web.Response:
    """Forget a node of the inbox."""
    await call.context.peering.dismiss(bytes.fromhex(path.node), call.actor.label)
    return redirect(PATH)


async def inbox_size(call: Call) -> int:
    """How many nodes wait for somebody to decide."""
    return sum(1 for peer in await call.context.peering.peers() if peer.state == "inbox")


async def _view(
    call: Call,
    error: Exception | None = None,
    invitation: Invitation | None = None,
    typed: str = "",
    read: Invitation | None = None,
    taken: api_bundles.BundleTaken | None = None,
) -> View:
    code, code_error = _code(call, invitation)
    after = await call.context.journal.last_id()
    genesis = await call.context.attesting.genesis()
    core = call.context.core
    return View(
        "peers.html",
        error=error,
        after=after,
        typed=typed,
        taken=taken,
        maker=_name(call, taken),
        genesis=genesis,
        fingerprint=fingerprint(genesis.id) if genesis else "",
        is_anchor=genesis is not None and core.org in genesis.anchors,
        invitation=invitation.to_text() if invitation else "",
        expires_us=invitation.expires if invitation else 0,
        code=code,
        code_error=code_error,
        words=_words(call, invitation),
        read=read_answer(read) if read else None,
        read_words=_words(call, read),
        open=await call.context.membership.invitations() if call.actor.may([Scope.PEERS]) else [],
        org=core.org.hex(),
        url=call.context.membership.url,
        node=core.node.hex(),
        **await _peers(call),
    )


def _name(call: Call, taken: api_bundles.BundleTaken | None) -> str:
    """Who made a bundle."""
    card = call.context.projection.world.cards.get(bytes.fromhex(taken.org)) if taken else None
    return card.name if card else taken.node[:8] if taken else ""


def _words(call: Call, invitation: Invitation | None) -> str:
    """The words of who invites, in the reader's language."""
    return " ".join(fingerprint_words(invitation, call.language)) if invitation else ""


def _code(call: Call, invitation: Invitation | None) -> tuple[str, str]:
    """The picture of an invitation, or why there is none."""
    if invitation is None:
        return "", ""
    try:
        return qr_picture(invitation.to_text()), ""
    except InputError as error:
        return "", find_text(error.code).words(call.language).advice


async def _peers(call: Call) -> dict[str, Any]:  # Any: what templates are given
    answers = [await peer_answer(call, peer) for peer in await call.context.peering.peers()]
    answers.sort(key=lambda peer: (ORDER.index(peer.state), peer.name or "\uffff", peer.node))
    now = datetime.fromtimestamp(call.context.clock.now() / 1e6, UTC)
    attestations, orgs = call.context.projection.world.attestations, {bytes.fromhex(peer.org) for peer in answers}
    return {
        "inbox": [peer for peer in answers if peer.state == "inbox"],
        "active": [peer for peer in answers if peer.state == "active"],
        "out": [peer for peer in answers if peer.state == "out"],
        "ended": [peer for peer in answers if peer.state == "ended"],
        "standings": {org.hex(): call.context.projection.world.standings.of(org).standing.value for org in orgs},
        "ignored": [peer for peer in answers if peer.state == "ignored"],
        "attested": {org.hex(): [held.what.name.lower() for held in attestations.of(org)] for org in orgs},
        "may": call.actor.may([Scope.PEERS]),
        "now": now,
        "followed": await call.context.following.count(),
    }


async def _heard(call: Call, _rows: Sequence[JournalRow]) -> Mapping[str, str]:
    return {"peers": call.request.app[RENDERER].part(call, "parts/peer_lists.html", **await _peers(call))}


async def _exchanges(call: Call) -> int:
    return call.context.peering.exchanges


ROUTES = (peers, invite, revoke, read, join, found, take_bundle, bundle, dismiss, decide)
LIVE = (Live("peers", _heard, watch=_exchanges),)
