"""Hand-overs: accepted offers that contradict each other, the decision between them, and what stands over things."""

from typing import Literal

from pydantic import BaseModel, Field

from node.passport.ids import SubjectId, format_device_id
from node.passport.roles import PartyRole
from node.services.access import Scope
from node.services.handovers import Burden, Dispute
from node.web.api.fields import Hex16, Line
from node.web.api.mandates import MandateAnswer, ReasonBody, answer_of
from node.web.api.passports import PassportPath, subject_of
from node.web.calls import Call
from node.web.routes import api
from node.web.tables import parties as tables


class SideAnswer(BaseModel):
    """One of the accepted offers: `id` is its act's, of a hand-over or a shipment."""

    id: str
    org: Hex16 = Field(description="Who accepted it.")
    offered: int = Field(description="Microseconds since 1970.")


class DisputeAnswer(BaseModel):
    """A role over things that several organisations accepted."""

    role: PartyRole
    by: Hex16 = Field(description="Who offered it, and decides.")
    sides: list[SideAnswer]
    devices: list[str]


class DisputesAnswer(BaseModel):
    """All that this organisation offered or accepted and that contradicts itself."""

    items: list[DisputeAnswer]


class DecisionBody(ReasonBody):
    """Why, and over which things; without any over all that are in dispute by that act."""

    ids: list[Line] = Field(default=[], max_length=4096)


class BurdenRow(BaseModel):
    """A role or a grant that stands over things whoever owns them."""

    what: PartyRole | Literal["read", "write", "pass-on"]
    org: Hex16
    number: str | None = Field(description="Of a party without a node: `inn:...`, `ogrn:...`, or `resident`.")
    by: Hex16 | None
    since: int | None
    until: int | None
    ref: str | None
    devices: list[str]


class BurdensAnswer(BaseModel):
    """What stands over the things of an act, as far as they have a passport here."""

    items: list[BurdenRow]
    devices: int = Field(description="How many things the act names now.")
    looked_at: int = Field(description="Of how many it is told.")


@api("GET", "/hand-overs/disputes", title="Accepted offers that contradict each other", scopes=[Scope.READ],
     table=tables.DISPUTES)  # fmt: skip
async def list_disputes(call: Call) -> DisputesAnswer:
    """Nobody holds the role meanwhile; who offered it decides."""
    return DisputesAnswer(items=[_dispute(one) for one in await call.context.handovers.disputes()])


@api("POST", "/hand-overs/{id}/decision", title="Decide between accepted offers", scopes=[Scope.SHIP],
     problems=["handover_no_dispute", "handover_not_ours", "mandate_things", "id_mistyped"])  # fmt: skip
async def decide(call: Call, path: PassportPath, body: DecisionBody) -> DisputesAnswer:
    """The offer of this act counts, the others end; answers what was decided. `id` is that of its act."""
    things = [subject_of(text) for text in body.ids]
    found = await call.context.handovers.decide(subject_of(path.id), body.reason, call.actor.label, things)
    return DisputesAnswer(items=[_dispute(one) for one in found])


@api("GET", "/mandates/{id}/standing", title="What stands over the things of an act", scopes=[Scope.READ],
     problems=["mandate_unknown", "id_mistyped"], table=tables.BURDENS)  # fmt: skip
async def standing(call: Call, path: PassportPath) -> BurdensAnswer:
    """Roles, the escrow and grants: they stay when the things are handed over, until their new owner ends them."""
    subject = subject_of(path.id)
    found, looked_at = await call.context.handovers.standing(subject)
    mandate = await call.context.mandates.get(subject)
    return BurdensAnswer(items=[_burden(one) for one in found], devices=len(mandate.left), looked_at=looked_at)


@api("POST", "/mandates/{id}/cut", title="Let later words of the former holder count", scopes=[Scope.SHIP],
     problems=["mandate_unknown", "mandate_no_offer", "mandate_not_ours", "mandate_not_standing"])  # fmt: skip
async def widen(call: Call, path: PassportPath) -> MandateAnswer:
    """What it said up to now, as far as it is here, counts as if it had been said before the role was taken over."""
    return await answer_of(call, await call.context.mandates.widen(subject_of(path.id), call.actor.label))


def _dispute(dispute: Dispute) -> DisputeAnswer:
    sides = [SideAnswer(id=_id(side.subject), org=side.party.hex(), offered=side.offered) for side in dispute.sides]
    return DisputeAnswer(
        role=dispute.role, by=dispute.by.hex(), sides=sides, devices=[_id(thing) for thing in dispute.things]
    )


def _burden(one: Burden) -> BurdenRow:
    return BurdenRow.model_validate(
        {
            "what": one.what,
            "org": one.org.hex(),
            "number": one.number,
            "by": one.by.hex() if one.by else None,
            "since": one.since,
            "until": one.until,
            "ref": one.ref,
            "devices": [_id(thing) for thing in one.things],
        }
    )


def _id(subject: bytes) -> str:
    return format_device_id(SubjectId(subject))


ROUTES = [list_disputes, decide, standing, widen]
