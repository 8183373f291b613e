"""The peers page: the federation, its nodes and how level they are, the inbox, inviting and joining."""

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import segno
from aiohttp import web
from markupsafe import Markup

from federation.genesis import fingerprint
from federation.invitation import Invitation
from node.errors import NodeError
from node.services.access import Scope
from node.services.journal import JournalRow
from node.web.api.federation import FederationBody, JoinBody, PeerBody, PeerPath, peer_answer
from node.web.calls import Call, View
from node.web.dispatch import redirect
from node.web.events import Live
from node.web.languages import mark
from node.web.rendering import RENDERER
from node.web.routes import Group, Menu, page

TITLE = mark("Peers")
PATH = "/peers"
ORDER = ("inbox", "active", "ignored", "ended")


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


@page("POST", PATH + "/join", title=TITLE, scopes=[Scope.PEERS], api="POST /federation/join")
async def join(call: Call, body: JoinBody) -> View | web.Response:
    """Take an invitation."""
    try:
        await call.context.membership.join(body.invitation, call.actor.label)
    except NodeError as error:
        return await _view(call, error=error, typed=body.invitation)
    return redirect(PATH)


@page("POST", PATH + "/federation", title=TITLE, scopes=[Scope.PEERS], api="POST /federation")
async def found(call: Call, body: FederationBody) -> View | web.Response:
    """Found a federation."""
    try:
        await call.context.membership.found(body.name, call.actor.label)
    except NodeError as error:
        return await _view(call, error=error)
    return redirect(PATH)


@page("POST", PATH + "/{node}", title=TITLE, scopes=[Scope.PEERS], api="POST /peers/{node}")
async def decide(call: Call, path: PeerPath, body: PeerBody) -> web.Response:
    """Talk to a node, or not."""
    await call.context.membership.accept(bytes.fromhex(path.node), call.actor.label, body.state)
    return redirect(PATH)


async def inbox_size(call: Call) -> int:
    """How many nodes wait for somebody to decide."""
    return sum(1 for peer in await call.context.membership.peers() if peer.state == "inbox")


async def _view(
    call: Call, error: Exception | None = None, invitation: Invitation | None = None, typed: str = ""
) -> View:
    after = await call.context.journal.last_id()
    genesis = await call.context.membership.genesis()
    core = call.context.core
    return View(
        "peers.html",
        error=error,
        after=after,
        typed=typed,
        genesis=genesis,
        fingerprint=fingerprint(genesis.id) if genesis else "",
        is_anchor=genesis is not None and core.org in genesis.anchors,
        invitation=invitation.to_text() if invitation else "",
        expires_us=invitation.expires if invitation else 0,
        code=qr_picture(invitation.to_text()) if invitation else "",
        url=call.context.membership.url,
        node=core.node.hex(),
        **await _peers(call),
    )


async def _peers(call: Call) -> dict[str, Any]:  # Any: what templates are given
    answers = [await peer_answer(call, peer) for peer in await call.context.membership.peers()]
    answers.sort(key=lambda peer: (ORDER.index(peer.state), peer.name or "\uffff", peer.node))
    now = datetime.fromtimestamp(call.context.clock.now() / 1e6, UTC)
    attestations, orgs = call.context.projection.world.attestations, {bytes.fromhex(peer.org) for peer in answers}
    return {
        "inbox": [peer for peer in answers if peer.state == "inbox"],
        "active": [peer for peer in answers if peer.state == "active"],
        "ignored": [peer for peer in answers if peer.state == "ignored"],
        "ended": [peer for peer in answers if peer.state == "ended"],
        "attested": {org.hex(): [held.what.name.lower() for held in attestations.of(org)] for org in orgs},
        "may": call.actor.may([Scope.PEERS]),
        "now": now,
    }


def qr_picture(text: str) -> Markup:
    """A QR code as a picture that needs neither script nor style."""
    made = io.BytesIO()
    segno.make(text, error="l", micro=False).save(made, kind="svg", xmldecl=False, svgns=True, svgclass=None,
                                                  lineclass=None, omitsize=True, border=3)  # fmt: skip
    # Made here out of squares alone: nothing of the text stands in it.
    return Markup(made.getvalue().decode())  # noqa: S704 - see above


async def _heard(call: Call, _rows: Sequence[JournalRow]) -> Mapping[str, str]:
    return {"peers": call.request.app[RENDERER].part(call, "parts/peer_lists.html", **await _peers(call))}


async def _exchanges(call: Call) -> int:
    return call.context.membership.exchanges


ROUTES = (peers, invite, join, found, decide)
LIVE = (Live("peers", _heard, watch=_exchanges),)
