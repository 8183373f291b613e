"""Find a device by anything: what is here at once, then what other organisations say, one by one.

The page has what is known when it is sent; a part of it asks for more until all have answered, and without scripts the
page itself is fetched anew. What was found is opened by one press, and who keeps it closed is asked for access.
"""

import asyncio
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from pydantic import BaseModel, Field

from node.errors import InputError, NodeError
from node.passport.sightings import Outcome, What
from node.services.access import Scope
from node.services.lookup import Begun
from node.services.search import read_exact
from node.web.api import lookup as api_lookup
from node.web.api.lookup import RequestBody, RequestPath
from node.web.api.passports import PassportPath
from node.web.api.registry import find_near
from node.web.calls import Call, View
from node.web.dispatch import redirect, redirect_in_page
from node.web.languages import mark
from node.web.rendering import RENDERER
from node.web.routes import Group, Menu, page

TITLE = mark("Find a device")
PATH = "/find"
AT_ONCE_S = 0.3  # so long the page waits for what others answer: mostly all have by then
PART_S = 10.0  # so long its part waits for news
COMES_S = 1.5  # so long a press waits for the passport before a page tells that it is on its way
ORDER: tuple[What, ...] = ("found", "held", "asked", "wrong", "refused", "silent", "nothing")
QUESTION = re.compile(r"^/fed/\d+/\w+: \d+ ")  # which was refused: what follows are the words of who did
LATE = 3  # turns of waiting after which is said what may be wrong


class FindQuery(BaseModel):
    """What stands on it; others are asked `anew`, and `everywhere` though something is here."""

    q: str = Field(default="", max_length=256)
    anew: bool = False
    everywhere: bool = False

    @property
    def link(self) -> str:
        """The page of this question."""
        return f"{PATH}?{urlencode({'q': self.q.strip()} | ({'everywhere': 'true'} if self.everywhere else {}))}"


class PartQuery(FindQuery):
    """How much of the answers was seen."""

    seen: int = Field(default=0, ge=0, le=1_000_000)


class ComingQuery(BaseModel):
    """How often was waited already."""

    turn: int = Field(default=0, ge=0, le=100_000)


@dataclass(frozen=True, slots=True)
class Asked:
    """A node of an organisation that was asked, how it stands with it, and how old is what it has."""

    org: str
    name: str
    node: str
    what: What
    reason: str
    age_us: int | None


async def waiting(call: Call) -> int:
    """How many organisations' requests for access wait."""
    return await call.context.access_requests.count()


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], api="GET /lookup",
      lists=["GET /lookup/requests", "GET /lookup/announcers"],
      menu=Menu(Group.PASSPORTS, 2, "search", waiting))  # fmt: skip
async def find(call: Call, query: FindQuery) -> View | web.Response:
    """What carries a text here; where nothing does, what others say, as far as they have answered."""
    if query.anew and query.q.strip():
        try:
            await api_lookup.begin_look_up(call, query.q, anew=query.anew, everywhere=query.everywhere)
        except NodeError as error:
            return await _view(call, query, error=error)
        return redirect(query.link)
    return await _view(call, query)


@page("GET", "/find/elsewhere", title=TITLE, scopes=[Scope.READ], api="GET /lookup")
async def elsewhere(call: Call, query: PartQuery) -> web.Response:
    """The part of the page that says what other organisations know, once there is news."""
    begun = await api_lookup.begin_look_up(call, query.q, anew=query.anew, everywhere=query.everywhere)
    if begun.asking is None:
        return redirect_in_page(call, query.link)  # it came here meanwhile
    await begun.asking.beyond(query.seen, PART_S)
    try:
        values = await _elsewhere(call, query, begun)
    except InputError:
        return redirect_in_page(call, query.link)  # nobody has what was mistyped: the page says how
    html = call.request.app[RENDERER].part(call, "parts/elsewhere.html", **values)
    return web.Response(text=html, content_type="text/html")


@page("POST", "/find/{id}/open", title=TITLE, scopes=[Scope.RECORD], api="POST /followed")
async def open_found(call: Call, path: PassportPath) -> View | web.Response:
    """Follow what was found, and go to its passport, or to the page that waits for it."""
    try:
        await call.context.following.follow([path.subject], call.actor.label)
    except NodeError as error:
        return await _view(call, FindQuery(), error=error)
    is_here = await _comes(call, path.subject, COMES_S)
    return redirect(f"/devices/{path.id}" if is_here else f"/find/{path.id}/coming")


@page("GET", "/find/{id}/coming", title=TITLE, scopes=[Scope.READ], api="GET /followed")
async def coming(call: Call, path: PassportPath, query: ComingQuery) -> View | web.Response:
    """The wait for a passport that is followed."""
    if await call.context.following.is_known(path.subject):
        return redirect(f"/devices/{path.id}")
    return View("coming.html", **_coming(path, query.turn))


@page("GET", "/find/{id}/coming/part", title=TITLE, scopes=[Scope.READ], api="GET /followed")
async def coming_part(call: Call, path: PassportPath, query: ComingQuery) -> web.Response:
    """Its part: it leads to the passport as soon as that is here."""
    if await _comes(call, path.subject, PART_S):
        return redirect_in_page(call, f"/devices/{path.id}")
    html = call.request.app[RENDERER].part(call, "parts/coming.html", **_coming(path, query.turn + 1))
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
    values: dict[str, Any] = {"here": [], "is_limited": False}  # Any: what the template shows
    if query.q.strip() and error is None:
        try:
            begun = await api_lookup.begin_look_up(call, query.q, anew=query.anew, everywhere=query.everywhere)
            if begun.asking is not None:
                await begun.asking.ended(AT_ONCE_S)
                values |= await _elsewhere(call, query, begun)
            values["here"] = [api_lookup.found_row(one) for one in begun.found]
            values["is_limited"] = bool(call.actor.subjects)
        except NodeError as slip:
            error = slip
    return View(
        "find.html",
        error=error,
        asked_org=asked,
        requests=await api_lookup.request_rows(call),
        announcers=await api_lookup.announcer_rows(call),
        **({"q": query.q.strip(), "link": query.link, **_common(call)} | values),
    )


async def _elsewhere(call: Call, query: FindQuery, begun: Begun) -> dict[str, Any]:  # Any: what the template shows
    """What is known by now of what others say."""
    assert begun.asking is not None  # noqa: S101 - others are asked
    looked = begun.looked_up()
    found = [api_lookup.found_row(one) for one in looked.found if one.source is not None]
    is_over, asked = begun.asking.is_over, _asked(call, looked.elsewhere)
    return {
        "q": query.q.strip(),
        "link": query.link,
        "everywhere": query.everywhere,
        "found": found,
        "asked": asked,
        "answered": sum(one.what not in ("asked", "silent", "refused") for one in asked),
        "is_over": is_over,
        "seen": begun.asking.changes,
        "registers": read_exact(query.q) is None,  # an id is nobody's to state anew
        "near": await find_near(call, query.q) if is_over and not looked.is_known else [],
        **_common(call),
    }


def _asked(call: Call, outcome: Outcome) -> list[Asked]:
    """Who was asked: those who have something first, then those who are still waited for."""
    ages = {source.node: source.age_us for one in outcome.sightings for source in one.sources}
    name = call.context.projection.world.organisation_name
    rows = [
        Asked(one.org.hex(), name(one.org) or one.org.hex()[:8], one.node.hex(), one.what,
              QUESTION.sub("", one.reason), ages.get(one.node))
        for one in outcome.replies
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (ORDER.index(row.what), row.name, row.node))


async def _comes(call: Call, subject: bytes, within_s: float) -> bool:
    """Whether a passport is here by then."""
    with call.context.bus.listen() as heard:
        try:
            async with asyncio.timeout(within_s):
                while not await call.context.following.is_known(subject):
                    await heard.get()
        except TimeoutError:
            return False
    return True


def _coming(path: PassportPath, turn: int) -> dict[str, Any]:  # Any: what the template shows
    return {"id": path.id, "turn": turn, "is_late": turn >= LATE}


def _common(call: Call) -> dict[str, Any]:  # Any: what the template shows
    world = call.context.projection.world
    return {
        "names": {org.hex(): card.name for org, card in world.cards.items()},
        "may": call.actor.may([Scope.RECORD]),
        "is_member": world.standings.of(call.context.core.org).standing.is_member,
    }


ROUTES = (find, elsewhere, open_found, coming, coming_part, request, close)
