"""Hand-overs: handing many things over at once, one act with what stands over its things, and deciding of two."""

from typing import Any, Literal, cast

from aiohttp import web
from pydantic import Field

from node.errors import NodeError
from node.passport.ids import parse_device_id
from node.passport.roles import GIVEN, PASSING
from node.services.access import Scope
from node.services.mandates import MOST_THINGS
from node.web.api.fields import Hex16, Line
from node.web.api.handovers import BurdensAnswer, DecisionBody, standing
from node.web.api.handovers import decide as decide_dispute
from node.web.api.handovers import widen as widen_cut
from node.web.api.mandates import AppointmentBody, MandateAnswer, OfferBody, ReasonBody, appoint, offer, read_mandate
from node.web.api.organisations import find_organisations
from node.web.api.passports import PassportPath
from node.web.calls import Call, View
from node.web.console.choosing import SHOWN_DEVICES, Choice, Choosing
from node.web.console.form_values import Lines
from node.web.dispatch import acted, redirect_in_page
from node.web.languages import mark
from node.web.routes import page

NEW = mark("Hand over or give a role")
ACT = mark("Act about a role")
PATH = "/roles"
BODY = 4 << 20
What = Literal[
    "offer:title", "offer:responsible", "offer:settlement", "offer:network",
    "give:process_owner", "give:process_executor", "give:data_source", "give:network", "give:escrow",
]  # fmt: skip


class NewForm(Choice):
    """The form while devices are chosen."""

    what: str = Field(default="", max_length=32)
    org: str = Field(default="", max_length=32)
    since: str = Field(default="", max_length=32)
    until: str = Field(default="", max_length=32)
    number: str = Field(default="", max_length=512)


class SignForm(Lines):
    """An act over the chosen devices: what is done with which role, and to whom."""

    what: What
    org: Hex16
    devices: list[Line] = []
    since: Line | None = None
    until: Line | None = None
    number: Line | None = None


@page("GET", PATH + "/new", title=NEW, scopes=[Scope.SHIP], api="GET /passports")
async def new(call: Call) -> View:
    """Choose devices, what is passed on, and to whom."""
    return await _choosing(call).shown(NewForm(), [], **await _offered(call))


@page("POST", PATH + "/new", title=NEW, scopes=[Scope.SHIP], api="GET /passports", max_body=BODY)
async def choosing(call: Call, body: NewForm) -> View:
    """Add devices to those that are chosen, or take some out; nothing is signed."""
    return await _choosing(call).after(body, **await _offered(call))


@page("POST", PATH + "/acts", title=NEW, scopes=[Scope.SHIP], api="POST /mandates/offers", max_body=BODY)
async def sign(call: Call, body: SignForm) -> View | web.Response:
    """Offer a role or give it, over all that was chosen."""
    verb, _, role = body.what.partition(":")
    told = {"role": role, "org": body.org, "ids": body.devices, "number": body.number}
    told |= {"since": body.since, "until": body.until}
    try:
        if verb == "offer":
            made = cast("MandateAnswer", await offer.handler(call, body=OfferBody.model_validate(told)))
        else:
            made = cast("MandateAnswer", await appoint.handler(call, body=AppointmentBody.model_validate(told)))
    except NodeError as error:
        texts = {name: text for name, text in body if isinstance(text, str)}
        form = NewForm.model_validate(texts)
        return await _choosing(call).shown(form, body.devices, error=error, **await _offered(call))
    return redirect_in_page(call, f"{PATH}/{made.id}")


@page("GET", PATH + "/{id}", title=ACT, scopes=[Scope.READ], api="GET /mandates/{id}")
async def act(call: Call, path: PassportPath) -> View:
    """One act: its things, how it stands, and what stands over the things whoever owns them."""
    return await _act(call, path)


@page("POST", PATH + "/{id}/cut", title=ACT, scopes=[Scope.SHIP], api="POST /mandates/{id}/cut")
async def widen(call: Call, path: PassportPath) -> View | web.Response:
    """Let what the former holder said up to now count."""
    return await acted(widen_cut.handler(call, path=path), f"{PATH}/{path.id}", lambda error: _act(call, path, error))


@page("POST", PATH + "/{id}/decision", title=ACT, scopes=[Scope.SHIP], api="POST /hand-overs/{id}/decision")
async def decide(call: Call, path: PassportPath, body: ReasonBody) -> web.Response:
    """Of two accepted offers this one counts."""
    await decide_dispute.handler(call, path=path, body=DecisionBody(reason=body.reason))
    return redirect_in_page(call, PATH)


def _choosing(call: Call) -> Choosing:
    return Choosing(call, "role_new.html", MOST_THINGS)


async def _offered(call: Call) -> dict[str, Any]:  # Any: what templates are given
    companies = await find_organisations(call)
    parties = [(one.org, one.name) for one in companies if one.org and not one.own]
    return {"parties": parties, "offered": PASSING, "given": GIVEN}


async def _act(call: Call, path: PassportPath, error: Exception | None = None) -> View:
    found = cast("MandateAnswer", await read_mandate.handler(call, path=path))
    stands = cast("BurdensAnswer", await standing.handler(call, path=path))
    companies, own = await find_organisations(call), call.context.core.org.hex()
    shown = found.devices[:SHOWN_DEVICES]
    titles = await call.context.assembly.titles([parse_device_id(device).raw for device in shown])
    return View(
        "role.html",
        error=error,
        act=found,
        devices=[(device, titles.get(parse_device_id(device).raw)) for device in shown],
        unshown=max(0, len(found.devices) - SHOWN_DEVICES),
        stands=stands,
        own=own,
        is_incoming=found.org == own,
        names={org: one.name for one in companies for org in one.orgs},
        may=call.actor.may([Scope.SHIP]),
    )


ROUTES = (new, choosing, sign, act, widen, decide)
