"""The passport page: what is known of one device, with the standing of each fact and who said it."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic import Field

from lora.identifiers import Eui
from node.passport.catalogs import Catalog
from node.passport.ids import SubjectId, format_device_id
from node.passport.references import parse_ref, ref_text
from node.passport.shown import at, fact, place_of, rows
from node.passport.view import EVENTS, STATEMENTS, inside_on
from node.passport.view import View as PassportView
from node.passport.waiting import running
from node.services.access import Scope
from node.services.commissioning import StoredDevice
from node.services.journal import JournalRow
from node.services.readings import Point, Series, StoredReading
from node.services.sources import in_unit
from node.services.timelines import Asked
from node.web.api.moments import OnQuery, checked_day, today, values_on
from node.web.api.passports import PassportPath, Sift, subject_of
from node.web.api.radio import LinkAnswer, show_link
from node.web.api.readings import title_of
from node.web.calls import CURSORS, Call, View
from node.web.console.records import codes_to_choose
from node.web.events import Live
from node.web.languages import mark
from node.web.rendering import RENDERER
from node.web.routes import page

PLOTTED = 500
SHOWN = 100  # events and statements on one page
TIMELINE = "timeline of a page"  # the list that its cursors are of, in the stream too
LISTS = (
    "GET /passports/{id}/events",
    "GET /passports/{id}/parameters",
    "GET /passports/{id}/composition",
    "GET /passports/{id}/protocols",
    "GET /passports/{id}/operations",
    "GET /passports/{id}/readings",
)
EDGES = ("parents", "children", "lots", "members", "used_in")
WHOLES = frozenset({"object", "unit", "batch", "component"})


class PassportQuery(OnQuery, Sift):
    """Of which day the page is, and which events its timeline shows: those before `older` where that is given."""

    older: str | None = Field(default=None, max_length=1024)


@page("GET", "/devices/{id}", title=mark("Passport"), scopes=[Scope.READ], api="GET /passports/{id}", lists=LISTS)
async def passport(call: Call, path: PassportPath, query: PassportQuery) -> View:
    """Follows the stream: a fragment written elsewhere changes the page by itself."""
    after = await call.context.journal.last_id()
    on = checked_day(call, query) if query.on else None
    values = await _values(call, subject_of(path.id), on, query) | await _radio(call, subject_of(path.id))
    return View("passport.html", after=after, today=today(call).isoformat(), **values)


async def _values(  # Any: what templates are given
    call: Call, subject: bytes, on: str | None, asked: PassportQuery
) -> dict[str, Any]:
    timelines = call.context.timelines
    found = await timelines.overview(subject, asked.who, asked.what)
    stored, view, cursors = found.passport, found.view, call.request.app[CURSORS]
    after = str(cursors.decode(TIMELINE, asked.older, str)[0]) if asked.older else None
    events = await timelines.page(subject, EVENTS, Asked(SHOWN, after, asked.who, asked.what, is_newest_first=True))
    statements = await timelines.page(subject, STATEMENTS, Asked(SHOWN, is_newest_first=True))
    return {
        "on": on,
        "parameters_on": values_on(view, on) if on else [],
        "parts_on": inside_on(view, on) if on else [],
        "who": asked.who,
        "what": asked.what,
        "events": events.rows,
        "older": cursors.encode(TIMELINE, events.more) if events.more else None,
        "asked_older": asked.older,
        "counts": {
            "events": found.events,
            "asked": found.asked,
            "statements": found.statements + found.lost,
            "lost": found.lost,
        },
        "statements": statements.rows,
        "processes": running(view, today(call), call.context.settings.arshin.record_days),
        "shipments": await _shipments(call, view),
        "template_titles": await call.context.templates.titles(),
        "id": format_device_id(SubjectId(stored.subject)),
        "subject": stored.subject.hex(),
        "digest": stored.digest.hex(),
        "passport": view,
        "names": _names(call, view),
        "titles": await _titles(call, view),
        "tree": await call.context.assembly.tree(stored.subject, on or today(call).isoformat()),
        "is_whole": stored.kind in WHOLES or bool(rows(view, "composition", "children")),
        "own": call.context.core.org.hex(),
        "may_record": call.actor.may([Scope.RECORD]),
        "erasable": await call.context.erasures.erasable(str(row["ref"]) for row in statements.rows),
        "now": today(call).isoformat(),
        "units": sorted(call.context.releases.records(Catalog.UNITS)),
        "events_to_choose": list(codes_to_choose(call, Catalog.EVENTS)),
        "parameters_to_choose": list(codes_to_choose(call, Catalog.PARAMETERS)),
        "place": place_of(view),
        "follows": await call.context.following.standing(stored.subject),
    }


async def _titles(call: Call, view: PassportView) -> Mapping[str, str]:
    """What the other things are called that this passport names: parts, wholes, lots, objects, compared devices."""
    edges = [edge for name in EDGES for edge in rows(view, "composition", name)]
    named = {str(edge[side]) for edge in edges for side in ("part", "whole")}
    named |= {str(one) for edge in edges for one in cast("list[str]", edge["against"])}
    named |= {str(place) for event in rows(view, "events") if (place := at(event, "where", "object"))}
    named |= {str(text) for row in rows(view, "sameness") for text in cast("list[str]", row["subjects"])}
    found = await call.context.assembly.titles(map(bytes.fromhex, named))
    return {subject.hex(): title for subject, title in found.items() if title}


def _names(call: Call, view: PassportView) -> Mapping[str, str]:
    world = call.context.projection.world
    signers = view["signers"]
    orgs = list(signers) if isinstance(signers, dict) else []
    known = {org.hex(): card.name for org, card in world.cards.items()}
    return {org: org[:8] for org in orgs} | known


async def _shipments(call: Call, view: PassportView) -> Mapping[str, tuple[str, str]]:
    """Id and number of the offers that wait, by their statement."""
    waiting = {parse_ref(str(deal["offer"])) for deal in rows(view, "parties", "offers")}
    known = await call.context.shipments.offered_by(waiting) if waiting else {}
    return {ref_text(ref): (format_device_id(SubjectId(filed.subject)), filed.number) for ref, filed in known.items()}


async def _radio(call: Call, subject: bytes) -> dict[str, Any]:  # Any: what templates are given
    """How the device stands in this node's network, and what it measured."""
    stored = await call.context.registry.get(subject, whole=False)
    devices = await call.context.commissioning.devices(stored.subject)
    latest = await call.context.readings.latest(stored.subject, PLOTTED)
    is_radio = call.context.settings.radio.enabled and bool(fact(stored.content, "radio", "dev_eui"))
    device = next((one for one in reversed(devices) if one.state.value != "retired"), None)
    return {
        "id": format_device_id(SubjectId(stored.subject)),
        "device": device,
        "link": _link(call, device) if device else None,
        "may_commission": is_radio and call.actor.may([Scope.RADIO]),
        "may_retire": call.actor.may([Scope.RADIO]),
        "series": [_series(call, one, readings) for one, readings in latest if readings],
    }


def _link(call: Call, device: StoredDevice) -> LinkAnswer | None:
    """What it uses on the air, once it was heard."""
    session = call.context.radio.find_session(Eui(device.dev_eui))
    if session is None or session.link.dr is None:
        return None
    return show_link(session, call.context.radio.region)


def _series(call: Call, series: Series, readings: Sequence[StoredReading]) -> dict[str, object]:
    last = readings[-1]
    first = [reading for reading in readings if reading.n == 0] if not series.tariff else []
    points = [Point(one.effective_us, one.value, one.unit, one.status) for one in first]
    drawn = in_unit(points, last.unit)
    return {
        "title": title_of(call, series.quantity),
        "tariff": series.tariff,
        "value": format(last.value, "f"),
        "unit": last.unit,
        "at_us": last.effective_us,
        "status": last.status,
        "points": [[point.effective_us / 1e6 for point in drawn], [float(point.value) for point in drawn]]
        if drawn
        else [],
    }


async def _changed(call: Call, rows: Sequence[JournalRow]) -> Mapping[str, str]:
    """The passport where it changed; the network's part with every row of the subject and every new frame."""
    subject = bytes.fromhex(call.request.query["subject"])
    renderer = call.request.app[RENDERER]
    parts = {"radio": renderer.part(call, "parts/radio_body.html", **await _radio(call, subject))}
    if any(row.what == "passport_changed" for row in rows):
        query = call.request.query
        wanted = {name: query.get(name) or None for name in ("who", "what", "older")}
        asked = PassportQuery.model_validate(wanted)
        values = await _values(call, subject, query.get("on"), asked)
        parts["passport"] = renderer.part(call, "parts/passport_body.html", **values)
    return parts


async def _newest_frame(call: Call) -> int:
    subject = call.request.query.get("subject")
    if subject is None:
        return 0
    devices = await call.context.commissioning.devices(bytes.fromhex(subject))
    return await call.context.radio.newest([device.dev_eui for device in devices])


ROUTES = (passport,)
LIVE = (Live("passport", _changed, watch=_newest_frame),)
