"""Choosing devices and a buyer for a new shipment."""

from collections.abc import Sequence

from aiohttp import web
from pydantic import BaseModel, Field

from node.errors import InputError, NodeError
from node.passport.ids import SubjectId, format_device_id
from node.passport.sifting import Order, Spot, spot_of
from node.services.access import Scope
from node.services.lookup import Question
from node.services.shipments import MAX_DEVICES, Outsider
from node.web.api.fields import Hex16, Line, Text
from node.web.api.organisations import Inn, Ogrn, find_organisations
from node.web.api.passports import subject_of
from node.web.calls import Call, View
from node.web.console.form_values import Lines
from node.web.dispatch import redirect_in_page
from node.web.languages import mark
from node.web.passport_words import STATES
from node.web.routes import page

TITLE = mark("New shipment")
PATH = "/shipments"
SHOWN_DEVICES = 100
FOUND = 12
PASTED = 2000
DEVICE = "device"
BODY = 4 << 20


class Choice(BaseModel):
    """The form of a new shipment while devices are chosen: one id a line, what to put to them, what to drop.

    A field called `remove` would hide the form's own method of that name from htmx.
    """

    buyer: str = Field(default="", max_length=32)
    name: str = Field(default="", max_length=512)
    inn: str = Field(default="", max_length=16)
    ogrn: str = Field(default="", max_length=20)
    number: str = Field(default="", max_length=128)
    devices: str = ""
    q: str = Field(default="", max_length=128)
    state: str = Field(default="", max_length=64)
    pasted: str = ""
    put: str = Field(default="", max_length=80)
    drop: str = Field(default="", max_length=80)


class OfferForm(Lines):
    """A new shipment."""

    buyer: Hex16 | None = None
    name: Line | None = None
    inn: Inn | None = None
    ogrn: Ogrn | None = None
    number: Text
    devices: list[Text] = []

    @property
    def party(self) -> bytes | Outsider:
        """The buyer; raise InputError where the form names none, or more than one."""
        numbers = [f"{kind}:{text}" for kind, text in (("inn", self.inn), ("ogrn", self.ogrn)) if text]
        if self.buyer is not None and not numbers:
            return bytes.fromhex(self.buyer)
        if self.buyer is not None or len(numbers) != 1 or self.name is None:
            raise InputError("a buyer is chosen, or told by his name and one number", "ship_buyer")
        return Outsider(numbers[0], self.name)


@page("GET", PATH + "/new", title=TITLE, scopes=[Scope.SHIP], api="GET /passports")
async def new(call: Call) -> View:
    """Choose devices and a buyer."""
    return await _choosing(call, Choice(), [])


@page("POST", PATH + "/new", title=TITLE, scopes=[Scope.SHIP], api="GET /passports", max_body=BODY)
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
    chosen = list(dict.fromkeys(body.devices))
    service = call.context.shipments
    try:
        subjects = [subject_of(device) for device in chosen]
        subject = await service.offer(subjects, body.party, body.number, service.today(), call.actor.label)
    except NodeError as error:
        kept = Choice.model_validate({name: text for name, text in body if text and name != "devices"})
        return await _choosing(call, kept, chosen, error=error)
    return redirect_in_page(call, f"{PATH}/{format_device_id(SubjectId(subject))}")


async def _choosing(
    call: Call,
    form: Choice,
    chosen: Sequence[str],
    *,
    unknown: Sequence[str] = (),
    error: Exception | None = None,
) -> View:
    subjects = [subject_of(device) for device in chosen[:SHOWN_DEVICES]]
    titles = await call.context.shipments.titles(subjects)
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


ROUTES = (new, choose, offer)
