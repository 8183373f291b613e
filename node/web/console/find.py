"""Find a device by anything: what is here at once, then what other organisations say; asking them for access."""

from typing import Any

from aiohttp import web
from pydantic import BaseModel, Field

from node.errors import NodeError
from node.services.access import Scope
from node.services.lookup import Found
from node.web.api import lookup as api_lookup
from node.web.api.lookup import LookupQuery, RequestBody, RequestPath
from node.web.api.registry import find_near
from node.web.calls import Call, View
from node.web.dispatch import redirect
from node.web.languages import mark
from node.web.rendering import RENDERER
from node.web.routes import Group, Menu, page

TITLE = mark("Find a device")
PATH = "/find"


class FindQuery(BaseModel):
    """What stands on it."""

    q: str = Field(default="", max_length=256)
    anew: bool = False


async def waiting(call: Call) -> int:
    """How many organisations' requests for access wait."""
    return await call.context.access_requests.count()


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], api="GET /lookup",
      lists=["GET /lookup/requests", "GET /lookup/announcers"],
      menu=Menu(Group.PASSPORTS, 2, "search", waiting))  # fmt: skip
async def find(call: Call, query: FindQuery) -> View:
    """What carries a text here; where nothing does, the page asks for what others say behind it."""
    return await _view(call, query)


@page("GET", "/find/elsewhere", title=TITLE, scopes=[Scope.READ], api="GET /lookup")
async def elsewhere(call: Call, query: LookupQuery) -> web.Response:
    """The part of the page that says what other organisations know."""
    looked = await api_lookup.look_up_all(call, query.q, anew=query.anew)
    values = {
        "q": query.q,
        "found": [api_lookup.found_row(one) for one in looked.found],
        "asked": api_lookup.asked_nodes(call, looked.elsewhere),
        "near": await find_near(call, query.q) if not looked.found else [],
        **_common(call),
    }
    html = call.request.app[RENDERER].part(call, "parts/elsewhere.html", **values)
    return web.Response(text=html, content_type="text/html")


@page("POST", "/find/requests", title=TITLE, scopes=[Scope.RECORD], api="POST /lookup/requests")
async def request(call: Call, body: RequestBody) -> View:
    """Ask an organisation for access."""
    query = FindQuery(q=body.q)
    try:
        await api_lookup.request_access.handler(call, body=body)
    except NodeError as error:
        return await _view(call, query, error=error)
    return await _view(call, query, asked=body.org)


@page("POST", "/find/requests/{id}/{org}/close", title=TITLE, scopes=[Scope.RECORD],
      api="DELETE /passports/{id}/requests/{org}")  # fmt: skip
async def close(call: Call, path: RequestPath) -> web.Response:
    """Put a request away."""
    await api_lookup.close_access_request.handler(call, path=path)
    return redirect(PATH)


async def _view(call: Call, query: FindQuery, error: NodeError | None = None, asked: str = "") -> View:
    text = query.q.strip()
    found: tuple[Found, ...] = ()
    if text and error is None:
        try:
            found = await call.context.lookup.find_here(text, await call.context.limits.narrow(call.actor))
        except NodeError as slip:
            error = slip
    return View(
        "find.html",
        error=error,
        q=text,
        anew=query.anew,
        asked_org=asked,
        here=[api_lookup.found_row(one) for one in found],
        is_limited=bool(call.actor.subjects),
        requests=await api_lookup.request_rows(call),
        announcers=await api_lookup.announcer_rows(call),
        **_common(call),
    )


def _common(call: Call) -> dict[str, Any]:  # Any: what the template shows
    world = call.context.projection.world
    return {
        "names": {org.hex(): card.name for org, card in world.cards.items()},
        "may": call.actor.may([Scope.RECORD]),
        "is_member": world.standings.of(call.context.core.org).standing.is_member,
    }


ROUTES = (find, elsewhere, request, close)
