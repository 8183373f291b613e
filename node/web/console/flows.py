"""The map of information flows: whom this node exchanges with, how far behind each is, and what fails."""

from collections.abc import Mapping, Sequence
from typing import Any

from node.services.access import Scope
from node.services.flows import Party
from node.services.journal import JournalRow
from node.web.calls import Call, View
from node.web.console.flow_picture import MOST, flow_picture
from node.web.events import Live
from node.web.languages import mark, translations
from node.web.rendering import RENDERER
from node.web.routes import Group, Menu, page

TITLE = mark("Flows")
PATH = "/flows"
PICTURE = mark("This node and whom it exchanges with; the table below says the same")
MAY = [Scope.ACCESS]
PLACES = {
    Party.NODE: "/peers",
    Party.BASE: "/exchange",
    Party.SYSTEM: "/access#systems",
    Party.HOOK: "/webhooks",
    Party.BENCH: "/exchange",
    Party.REGISTER: "/exchange",
    Party.GATEWAY: "/radio",
}


@page("GET", PATH, title=TITLE, scopes=MAY, menu=Menu(Group.NODE, 0, "flows"), api="GET /flows")
async def flows(call: Call) -> View:
    """The map; follows the stream."""
    after = await call.context.journal.last_id()
    return View("flows.html", after=after, **await _map(call))


async def _map(call: Call) -> dict[str, Any]:  # Any: what templates are given
    found = await call.context.flows.all()
    name = call.context.settings.node.name
    title = translations(call.language).gettext(PICTURE)
    return {
        "flows": found,
        "picture": flow_picture(found, name, title, call.language) if found else "",
        "unseen": max(0, len(found) - MOST),
        "places": PLACES,
    }


async def _moved(call: Call, _rows: Sequence[JournalRow]) -> Mapping[str, str]:
    return {"flows": call.request.app[RENDERER].part(call, "parts/flow_map.html", **await _map(call))}


async def _changes(call: Call) -> int:
    return call.context.flows.changes


ROUTES = (flows,)
LIVE = (Live("flows", _moved, frozenset(MAY), _changes),)
