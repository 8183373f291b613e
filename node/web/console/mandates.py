"""The page of roles: what is offered to us and by us, what stands, and giving, stating and ending roles."""

from collections import Counter
from collections.abc import Iterable
from typing import cast

from aiohttp import web
from pydantic import BaseModel, Field

from node.passport.ids import parse_device_id
from node.passport.mandates import MandateState
from node.passport.roles import CAPACITIES, GIVEN, PASSING, PartyRole
from node.services.access import Scope
from node.web.api.handovers import DisputeAnswer, DisputesAnswer, list_disputes
from node.web.api.mandates import (
    AppointmentBody,
    EndBody,
    MandateAnswer,
    OfferBody,
    ReasonBody,
    StatementBody,
    appoint,
    offer,
    state,
    to_mandate,
)
from node.web.api.mandates import accept as accept_offer
from node.web.api.mandates import end as end_role
from node.web.api.mandates import refuse as refuse_offer
from node.web.api.mandates import withdraw as withdraw_offer
from node.web.api.organisations import find_organisations
from node.web.api.passports import PassportPath
from node.web.calls import Call, View
from node.web.console.form_values import Lines
from node.web.dispatch import acted, redirect
from node.web.languages import mark
from node.web.routes import Group, Menu, page

TITLE = mark("Roles")
PATH = "/roles"
SHOWN = 100
NAMED = 3  # things of an act
BODY = 4 << 20


class RolesQuery(BaseModel):
    """Which things the forms begin with, and which acts are listed."""

    ids: str = Field(default="", max_length=4096)
    state: MandateState | None = None


class OfferForm(Lines, OfferBody):
    """A capacity for an organisation with a node."""


class StatementForm(Lines, StatementBody):
    """A role of a party without a node."""


class AppointmentForm(Lines, AppointmentBody):
    """A role that is given."""


async def _waiting(call: Call) -> int:
    return len(await call.context.mandates.waiting())


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], menu=Menu(Group.PARTIES, 4, "roles", _waiting),
      api="GET /mandates")  # fmt: skip
async def roles(call: Call, query: RolesQuery) -> View:
    """Offers and roles, to us and by us; those in one state, or all."""
    return await _view(call, query.ids, state=query.state)


@page("POST", PATH + "/offers", title=TITLE, scopes=[Scope.SHIP], api="POST /mandates/offers", max_body=BODY)
async def make_offer(call: Call, body: OfferForm) -> View | web.Response:
    """Offer a capacity."""
    return await acted(offer.handler(call, body=body), PATH, lambda error: _view(call, "\n".join(body.ids), error))


@page("POST", PATH + "/statements", title=TITLE, scopes=[Scope.SHIP], api="POST /mandates/statements", max_body=BODY)
async def make_statement(call: Call, body: StatementForm) -> View | web.Response:
    """State a role by a document."""
    return await acted(state.handler(call, body=body), PATH, lambda error: _view(call, "\n".join(body.ids), error))


@page("POST", PATH + "/appointments", title=TITLE, scopes=[Scope.SHIP], api="POST /mandates/appointments",
      max_body=BODY)  # fmt: skip
async def make_appointment(call: Call, body: AppointmentForm) -> View | web.Response:
    """Give a role."""
    return await acted(appoint.handler(call, body=body), PATH, lambda error: _view(call, "\n".join(body.ids), error))


@page("POST", PATH + "/{id}/acceptance", title=TITLE, scopes=[Scope.SHIP], api="POST /mandates/{id}/acceptance")
async def accept(call: Call, path: PassportPath) -> web.Response:
    """Accept an offer."""
    await accept_offer.handler(call, path=path)
    return redirect(PATH)


@page("POST", PATH + "/{id}/refusal", title=TITLE, scopes=[Scope.SHIP], api="POST /mandates/{id}/refusal")
async def refuse(call: Call, path: PassportPath, body: ReasonBody) -> web.Response:
    """Refuse an offer."""
    await refuse_offer.handler(call, path=path, body=body)
    return redirect(PATH)


@page("POST", PATH + "/{id}/withdrawal", title=TITLE, scopes=[Scope.SHIP], api="POST /mandates/{id}/withdrawal")
async def withdraw(call: Call, path: PassportPath, body: ReasonBody) -> web.Response:
    """Take an offer back."""
    await withdraw_offer.handler(call, path=path, body=body)
    return redirect(PATH)


@page("POST", PATH + "/{id}/end", title=TITLE, scopes=[Scope.SHIP], api="POST /mandates/{id}/end")
async def end(call: Call, path: PassportPath, body: ReasonBody) -> web.Response:
    """End a role over all that the act names."""
    await end_role.handler(call, path=path, body=EndBody(reason=body.reason))
    return redirect(PATH)


async def _view(call: Call, ids: str = "", error: Exception | None = None, state: MandateState | None = None) -> View:
    own = call.context.core.org.hex()
    every = await call.context.mandates.all()
    states = await call.context.handovers.states(every)
    acts = [to_mandate(one, states[one.id]) for one in reversed(every)]
    companies = await find_organisations(call)
    waiting = [one for one in acts if one.org == own and one.state is MandateState.WAITING][:SHOWN]
    mine = [one for one in acts if own in (one.org, one.by)]
    listed = [one for one in mine if state in (None, one.state)]
    to_us = [one for one in listed if one.org == own and one.state is not MandateState.WAITING][:SHOWN]
    by_us = [one for one in listed if one.by == own][:SHOWN]
    disputes = cast("DisputesAnswer", await list_disputes.handler(call)).items
    return View(
        "roles.html",
        error=error,
        titles=await _titles(call, [*waiting, *to_us, *by_us, *disputes]),
        disputes=disputes,
        state=state,
        counts=sorted(Counter(one.state.value for one in mine).items()),
        ids=ids,
        own=own,
        waiting=waiting,
        to_us=to_us,
        by_us=by_us,
        names={org: one.name for one in companies for org in one.orgs},
        parties=[(org, one.name) for one in companies for org in one.orgs if org != own],
        everybody=[(org, one.name) for one in companies for org in one.orgs],
        capacities=PASSING,
        given=GIVEN,
        every=[*CAPACITIES, *(role for role in GIVEN if role is not PartyRole.ESCROW)],
        may=call.actor.may([Scope.SHIP]),
    )


async def _titles(call: Call, acts: Iterable[MandateAnswer | DisputeAnswer]) -> dict[str, str]:
    """What the things are called that lists name, by their ids."""
    named = {device: parse_device_id(device).raw for act in acts for device in act.devices[:NAMED]}
    found = await call.context.assembly.titles(named.values())
    return {device: found[subject] for device, subject in named.items() if found.get(subject)}


ROUTES = (
    roles, make_offer, make_statement, make_appointment, accept, refuse, withdraw, end,
)  # fmt: skip
