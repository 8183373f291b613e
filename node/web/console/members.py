"""The members page: who belongs to the federation as what, and by whose word; the forms to say so oneself."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from aiohttp import web
from pydantic import BaseModel, model_validator

from node.passport.standing import Standing
from node.services.access import Scope
from node.web.api.branches import NamedOrganisation
from node.web.api.members import (
    AttestationBody,
    MemberPath,
    ReasonBody,
    attest,
    end_vouch,
    expel,
    leave,
    member_answers,
    vouch,
)
from node.web.calls import Call, View
from node.web.console.form_values import Lines
from node.web.dispatch import acted
from node.web.languages import mark
from node.web.routes import Group, Menu, page

TITLE = mark("Members")
PATH = "/members"
KINDS = ("number", "maker", "accreditation", "steward", "prefix", "branch", "seat")


class AttestationForm(Lines, AttestationBody):
    """An attestation as the form fills it in: a row a line."""

    @model_validator(mode="before")
    @classmethod
    def _take_rows(cls, values: Any) -> Any:  # Any: what the form sent
        if isinstance(values, dict) and (texts := values.get("rows")):
            lines = "\n".join([texts] if isinstance(texts, str) else texts).splitlines()
            return {**values, "rows": [row.strip() for row in lines if row.strip()]}
        return values


class Typed(BaseModel):
    """What stood in the form that was refused."""

    org: str = ""
    what: str = ""
    rows: str = ""


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], menu=Menu(Group.PARTIES, 2, "members"),
      api="GET /federation/members")  # fmt: skip
async def members(call: Call) -> View:
    """Everybody who is known here, by standing."""
    return await _view(call)


@page("POST", PATH + "/attestations", title=TITLE, scopes=[Scope.PEERS], api="POST /attestations")
async def attest_by_form(call: Call, body: AttestationForm) -> View | web.Response:
    """Sign what is said of an organisation."""
    return await acted(
        attest.handler(call, body=body),
        PATH,
        lambda error: _view(call, error, Typed(org=body.org, what=body.what, rows="\n".join(body.rows))),
    )


@page("POST", PATH + "/leave", title=TITLE, scopes=[Scope.PEERS], api="POST /federation/leave")
async def leave_by_form(call: Call, body: ReasonBody) -> View | web.Response:
    """End the own membership."""
    return await acted(leave.handler(call, body=body), PATH, partial(_view, call))


@page("POST", PATH + "/{org}/vouch", title=TITLE, scopes=[Scope.PEERS], api="POST /federation/members/{org}/vouch")
async def vouch_by_form(call: Call, path: MemberPath) -> View | web.Response:
    """Make a guest of an organisation."""
    return await acted(vouch.handler(call, path=path), PATH, partial(_view, call))


@page("POST", PATH + "/{org}/vouch/end", title=TITLE, scopes=[Scope.PEERS],
      api="POST /federation/members/{org}/vouch/end")  # fmt: skip
async def end_vouch_by_form(call: Call, path: MemberPath, body: ReasonBody) -> View | web.Response:
    """Take the own word for a guest back."""
    return await acted(end_vouch.handler(call, path=path, body=body), PATH, partial(_view, call))


@page("POST", PATH + "/{org}/expulsion", title=TITLE, scopes=[Scope.PEERS],
      api="POST /federation/members/{org}/expulsion")  # fmt: skip
async def expel_by_form(call: Call, path: MemberPath, body: ReasonBody) -> View | web.Response:
    """Say as an anchor that a membership ends."""
    return await acted(expel.handler(call, path=path, body=body), PATH, partial(_view, call))


async def _view(call: Call, error: Exception | None = None, typed: Typed | None = None) -> View:
    genesis = await call.context.attesting.genesis()
    own, may = call.context.core.org, call.actor.may([Scope.PEERS])
    standing = call.context.projection.world.standings.of(own).standing
    listed = await member_answers(call)
    names = {one.org: one.name for one in listed}
    contested = call.context.projection.world.attestations.contested()
    return View(
        "members.html",
        error=error,
        typed=typed or Typed(),
        genesis=genesis,
        members=listed,
        contested=[
            (number, [NamedOrganisation(org=org.hex(), name=names.get(org.hex())) for org in sorted(orgs)])
            for number, orgs in contested.items()
        ],
        kinds=KINDS,
        may=may,
        is_anchor=may and genesis is not None and own in genesis.anchors,
        is_member=standing.is_member,
        may_leave=standing in (Standing.MEMBER, Standing.GUEST),
        today=datetime.fromtimestamp(call.context.clock.now() / 1e6, UTC).date().isoformat(),
    )


ROUTES = (members, attest_by_form, leave_by_form, vouch_by_form, end_vouch_by_form, expel_by_form)
