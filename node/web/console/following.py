"""The followed devices: which they are, and adding some."""

import re

from aiohttp import web
from pydantic import field_validator

from node.errors import NodeError
from node.services.access import Scope
from node.web.api import following as api_following
from node.web.api.federation import PeerPath
from node.web.api.following import FollowAnswer, FollowBody, PeerChoiceBody
from node.web.api.passports import PassportPath
from node.web.calls import Call, PageQuery, View
from node.web.dispatch import redirect
from node.web.languages import mark
from node.web.routes import page

TITLE = mark("Followed devices")
PATH = "/followed"
APART = re.compile(r"[\n\r\t;]+")


class FollowedQuery(PageQuery):
    """A page of the list."""


class FollowForm(FollowBody):
    """Devices as a list that was pasted: one a line."""

    @field_validator("devices", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        texts = value if isinstance(value, list) else [value]
        return [line.strip() for text in texts for line in APART.split(str(text)) if line.strip()]


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], api="GET /followed")
async def followed(call: Call, query: FollowedQuery) -> View:
    """What is followed."""
    return await _view(call, query)


@page("POST", PATH, title=TITLE, scopes=[Scope.RECORD], api="POST /followed")
async def follow_all(call: Call, body: FollowForm) -> View:
    """Follow what was pasted."""
    try:
        return await _view(call, FollowedQuery(), done=await api_following.follow_devices(call, body))
    except NodeError as error:
        return await _view(call, FollowedQuery(), error=error)


@page("POST", "/devices/{id}/follow", title=TITLE, scopes=[Scope.RECORD], api="POST /followed")
async def follow(call: Call, path: PassportPath) -> View | web.Response:
    """Follow one device; its passport comes to this page, where it is not here yet to the list."""
    try:
        await call.context.following.follow([path.subject], call.actor.label)
    except NodeError as error:
        return await _view(call, FollowedQuery(), error=error)
    is_here = await call.context.following.is_known(path.subject)
    return redirect(f"/devices/{path.id}" if is_here else PATH)


@page("POST", "/devices/{id}/unfollow", title=TITLE, scopes=[Scope.RECORD], api="DELETE /followed/{id}")
async def unfollow(call: Call, path: PassportPath) -> web.Response:
    """Follow it no more."""
    await call.context.following.unfollow([path.subject], call.actor.label)
    is_here = await call.context.following.is_known(path.subject)
    return redirect(f"/devices/{path.id}" if is_here else PATH)


@page("POST", "/peers/{node}/choice", title=TITLE, scopes=[Scope.PEERS], api="POST /peers/{node}/choice")
async def choose(call: Call, path: PeerPath, body: PeerChoiceBody) -> web.Response:
    """Take everything of a node, or only what is followed."""
    await api_following.choose.handler(call, path=path, body=body)
    return redirect("/peers")


async def _view(
    call: Call, query: FollowedQuery, error: NodeError | None = None, done: FollowAnswer | None = None
) -> View:
    listed = await api_following.followed_page(call, query)
    return View(
        "followed.html",
        error=error,
        done=done,
        rows=listed.items,
        more=listed.next,
        count=await call.context.following.count(),
        peers=sum(peer.only_followed for peer in await call.context.peering.peers()),
        may=call.actor.may([Scope.RECORD]),
    )


ROUTES = (followed, follow_all, follow, unfollow, choose)
