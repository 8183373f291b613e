"""The shipments page: offers in and out, what came with each, accepting one, and choosing devices for a new one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from pydantic import BaseModel, Field

from node.errors import InputError, NodeError
from node.passport.ids import SubjectId, format_device_id
from node.passport.references import ref_text
from node.passport.shown import rows as view_rows
from node.passport.sifting import Order, Spot, spot_of
from node.services.access import Scope
from node.services.journal import JournalRow
from node.services.lookup import Question
from node.services.shipments import MAX_DEVICES, Arrived, Shipment
from node.web.api.fields import Text
from node.web.api.organisations import find_organisations
from node.web.api.passports import PassportPath, subject_of
from node.web.calls import Call, View
from node.web.dispatch import redirect, redirect_in_page
from node.web.events import Live
from node.web.languages import mark
from node.web.passport_words import STATES
from node.web.rendering import RENDERER
from node.web.routes import Group, Menu, page

TITLE = mark("Shipments")
PATH = "/shipments"
SHOWN_DEVICES = 100
FOUND = 12
PASTED = 2000
DEVICE = "device"
MOVES = frozenset({"shipped", "shipment_accepted", "shipment_came", "shipment_taken", "passport_changed"})
BODY = 4 << 20


@dataclass(frozen=True, slots=True)
class Row:
    """A shipment as the list shows it."""

    id: str
    shipment: Shipment
    party: bytes
    is_incoming: bool
    passports: int
    keys: int

    @property
    def state(self) -> str:
        """Offered or accepted."""
        return "offered" if self.shipment.accepted is None else "accepted"


class Choice(BaseModel):
    """The form of a new shipment while devices are chosen: one id a line, what to put to them, what to drop.

    A field called `remove` would hide the form's own method of that name from htmx.
    """

    buyer: str = Field(default="", max_length=32)
    number: str = Field(default="", max_length=128)
    devices: str = ""
    q: str = Field(default="", max_length=128)
    state: str = Field(default="", max_length=64)
    pasted: str = ""
    put: str = Field(default="", max_length=80)
    drop: str = Field(default="", max_length=80)


class OfferForm(BaseModel):
    """A new shipment."""

    buyer: str = Field(pattern="^[0-9a-f]{32}$")
    number: Text
    devices: str = ""


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], menu=Menu(Group.WORK, 5, "shipments"), api="GET /shipments")
async def shipments(call: Call) -> View:
    """Offers in and out; follows the stream."""
    after = await call.context.journal.last_id()
    return View("shipments.html", after=after, **await _list(call))


@page("GET", PATH + "/new", title=mark("New shipment"), scopes=[Scope.SHIP], api="GET /passports")
async def new(call: Call) -> View:
    """Choose devices and a buyer."""
    return await _choosing(call, Choice(), [])


@page("POST", PATH + "/new", title=mark("New shipment"), scopes=[Scope.SHIP], api="GET /passports", max_body=BODY)
async def choose(call: Call, body: Choice) -> View:
    """Add devices to those that are chosen, or take some out; nothing is signed."""
    chosen = list(dict.fromkeys(body.devices.split()))
    if body.drop == "all":
        return await _choosing(call, body, [])
    chosen = [device for device in chosen if device != body.drop]
    unknown: list[str] = []
    try:
        if body.put == "found":
            fresh = await _all_found(call, body)
        elif body.put == "pasted":
            fresh, unknown = await _all_pasted(call, body.pasted)
            body.pasted = "\n".join(unknown)
        else:
            fresh = [format_device_id(SubjectId(subject_of(body.put)))] if body.put else []
    except InputError as error:
        return await _choosing(call, body, chosen, error=error)
    return await _choosing(call, body, list(dict.fromkeys([*chosen, *fresh])), unknown=unknown)


@page("POST", PATH, title=TITLE, scopes=[Scope.SHIP], api="POST /shipments", max_body=BODY)
async def offer(call: Call, body: OfferForm) -> View | web.Response:
    """Sign the offer."""
    chosen = list(dict.fromkeys(body.devices.split()))
    try:
        subjects = [subject_of(device) for device in chosen]
        day = datetime.fromtimestamp(call.context.clock.now() / 1e6, UTC).date().isoformat()
        service, buyer = call.context.shipments, bytes.fromhex(body.buyer)
        subject = await service.offer(subjects, buyer, body.number, day, call.actor.label)
    except NodeError as error:
        kept = Choice(buyer=body.buyer, number=body.number)
        return await _choosing(call, kept, chosen, error=error)
    return redirect_in_page(call, f"{PATH}/{format_device_id(SubjectId(subject))}")


@page("GET", PATH + "/{id}", title=TITLE, scopes=[Scope.READ], api="GET /shipments/{id}")
async def shipment(call: Call, path: PassportPath) -> View:
    """One shipment with its devices and what came of each; follows the stream."""
    after = await call.context.journal.last_id()
    return View("shipment.html", after=after, **await _one(call, subject_of(path.id)))


@page("POST", PATH + "/{id}/acceptance", title=TITLE, scopes=[Scope.SHIP], api="POST /shipments/{id}/acceptance")
async def accept(call: Call, path: PassportPath) -> web.Response:
    """Accept an offer."""
    accepted = await call.context.shipments.accept(subject_of(path.id), call.actor.label)
    return redirect(f"{PATH}/{format_device_id(SubjectId(accepted.subject))}")


async def waiting_offers(call: Call) -> int:
    """How many offers wait for this organisation's acceptance."""
    own = call.context.core.org
    return sum(1 for s in await call.context.shipments.all() if s.buyer == own and s.accepted is None)


async def _list(call: Call) -> dict[str, Any]:  # Any: what templates are given
    known = [s for s in reversed(await call.context.shipments.all()) if call.context.core.org in (s.seller, s.buyer)]
    arrived = await call.context.shipments.arrived({device for s in known for device in s.devices})
    rows = [_row(call, shipment, arrived) for shipment in known]
    return {
        "incoming": [row for row in rows if row.is_incoming],
        "outgoing": [row for row in rows if not row.is_incoming],
        "names": _names(call, rows),
        "may": call.actor.may([Scope.SHIP]),
    }


async def _one(call: Call, subject: bytes) -> dict[str, Any]:  # Any: what templates are given
    found = await call.context.shipments.get(subject)
    arrived = await call.context.shipments.arrived(found.devices)
    row = _row(call, found, arrived)
    titled = sorted(found.devices, key=lambda device: (arrived.titles.get(device, "\uffff"), device))
    devices = [
        (format_device_id(SubjectId(device)), arrived.titles.get(device), device in arrived.keys)
        for device in titled[:SHOWN_DEVICES]
    ]
    return {
        "row": row,
        "devices": devices,
        "unshown": max(0, len(titled) - SHOWN_DEVICES),
        "is_void": await _is_void(call, found, titled[0]),
        "names": _names(call, [row]),
        "may": call.actor.may([Scope.SHIP]),
        "own": call.context.core.org,
    }


async def _is_void(call: Call, found: Shipment, device: bytes) -> bool:
    """Whether the device's passport knows the offer as one of no effect: its seller does not hold the title."""
    try:
        view = (await call.context.registry.get(device, whole=False)).content
    except NodeError:
        return False
    offer = ref_text(found.offer)
    return any(deal["offer"] == offer for name in ("claims", "disputed") for deal in view_rows(view, "parties", name))


def _row(call: Call, found: Shipment, arrived: Arrived) -> Row:
    is_incoming = found.buyer == call.context.core.org
    return Row(
        id=format_device_id(SubjectId(found.subject)),
        shipment=found,
        party=found.seller if is_incoming else found.buyer,
        is_incoming=is_incoming,
        passports=sum(device in arrived.titles for device in found.devices),
        keys=sum(device in arrived.keys for device in found.devices),
    )


def _names(call: Call, rows: Iterable[Row]) -> dict[bytes, str]:
    world = call.context.projection.world
    orgs = {org for row in rows for org in (row.shipment.seller, row.shipment.buyer)}
    return {org: world.organisation_name(org) or org.hex()[:8] for org in orgs}


async def _choosing(
    call: Call,
    form: Choice,
    chosen: Sequence[str],
    *,
    unknown: Sequence[str] = (),
    error: Exception | None = None,
) -> View:
    subjects = [subject_of(device) for device in chosen[:SHOWN_DEVICES]]
    titles = (await call.context.shipments.arrived(subjects)).titles
    try:
        listed = await call.context.lookup.page(_asked(form), limit=FOUND)
        devices, is_more = listed.cards, listed.has_after
    except InputError as mistyped:
        devices, is_more, error = [], False, error or mistyped
    free = set(await call.context.shipments.free([passport.subject for passport in devices]))
    buyers = [item for item in await find_organisations(call) if item.org and not item.own]
    return View(
        "shipment_new.html",
        error=error,
        form=form,
        chosen=chosen,
        shown=[(device, titles.get(subject)) for device, subject in zip(chosen, subjects, strict=False)],
        unshown=max(0, len(chosen) - SHOWN_DEVICES),
        found=[(format_device_id(SubjectId(p.subject)), p, p.subject in free) for p in devices],
        is_more=is_more,
        unknown=unknown,
        buyers=buyers,
        states=[code for code in STATES if code],
        most=MAX_DEVICES,
    )


def _asked(form: Choice) -> Question:
    return Question(text=form.q, state=form.state or None, kind=DEVICE)


async def _all_found(call: Call, form: Choice) -> list[str]:
    """Every device of a filter that stands in no own shipment, as many as one shipment holds."""
    found: list[bytes] = []
    spot: Spot | None = None
    has_more = True
    while len(found) < MAX_DEVICES and has_more:
        listed = await call.context.lookup.page(_asked(form), spot, 200)
        found += [card.subject for card in listed.cards]
        has_more = listed.has_after
        spot = spot_of(listed.cards[-1], Order.TITLE) if has_more else None
    free = await call.context.shipments.free(found)
    return [format_device_id(SubjectId(subject)) for subject in free[:MAX_DEVICES]]


async def _all_pasted(call: Call, text: str) -> tuple[list[str], list[str]]:
    """Devices by ids, serials or DevEUI, one a line; and the lines that name no device, or several."""
    lines = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))[:PASTED]
    found: list[str] = []
    unknown: list[str] = []
    for line, passports in (await call.context.lookup.here(lines)).items():
        if len(passports) == 1:
            found.append(format_device_id(SubjectId(passports[0].subject)))
        else:
            unknown.append(line)
    return found, unknown


async def _moved(call: Call, rows: Sequence[JournalRow]) -> Mapping[str, str]:
    if not any(row.what in MOVES for row in rows):
        return {}
    renderer, shown = call.request.app[RENDERER], call.request.query.get("of")
    if shown is None:
        return {"shipments": renderer.part(call, "parts/shipment_lists.html", **await _list(call))}
    return {"shipment": renderer.part(call, "parts/shipment_body.html", **await _one(call, subject_of(shown)))}


ROUTES = (shipments, new, choose, offer, shipment, accept)
LIVE = (Live("shipments", _moved),)
