"""Who belongs to the federation as what, and what this organisation says of others: attest, vouch, expel, leave."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from federation.authority import Attested
from node.passport.bodies import Moment
from node.services.access import Scope
from node.services.members import Member, Said
from node.services.peering import CardFault
from node.web.api.branches import BranchAnswer, NamedOrganisation, branch_answers
from node.web.api.fields import Hex16, Line
from node.web.api.mandates import moment
from node.web.calls import Call
from node.web.routes import Limit, api
from node.web.tables import network as tables

Row = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class SaidAnswer(BaseModel):
    """Something that anchors say of it; it counts where as many say it as must."""

    what: Literal["number", "maker", "accreditation", "steward", "prefix", "seat"]
    rows: list[str]
    since_us: int | None
    until_us: int | None
    counts: bool
    anchors: list[NamedOrganisation] = Field(description="Who says it in these words.")
    mine: bool = Field(description="Whether this organisation is one of them.")


class MemberAnswer(BaseModel):
    """An organisation and where it stands."""

    org: Hex16
    name: str | None
    standing: Literal["anchor", "member", "guest", "unknown", "left", "expelled"]
    by: list[NamedOrganisation] = Field(description="By whose words: anchors, a member that vouches, who ended it.")
    reason: str | None = Field(description="Why it was ended, in the words of who did.")
    numbers: list[str] = Field(description="Its own by the anchors' word: `inn:…`, `ogrn:…`.")
    contested: list[str] = Field(description="Attested to it and to another, or beside another of the kind: nobody's.")
    foreign: list[str] = Field(description="What its card states and what is attested to another.")
    said: list[SaidAnswer]
    card_fault: CardFault | None = Field(
        description="Why its card leads to no node: it names another's node, one that ended, or no address and pin."
    )
    branches: list[BranchAnswer] = Field(
        description="Where its root chain is forked: both branches, of which nothing counts until anchors attest one."
    )
    own: bool
    mine: bool = Field(description="Whether its standing is by the word of this organisation.")


class MembersAnswer(BaseModel):
    """Every organisation that is known here."""

    items: list[MemberAnswer]


class MemberPath(BaseModel):
    """One organisation."""

    org: Hex16


class AttestationBody(BaseModel):
    """What an anchor says of an organisation."""

    org: Hex16
    what: Literal["number", "maker", "accreditation", "steward", "prefix", "branch", "seat"]
    rows: list[Row] = Field(default=[], max_length=64)
    since: Moment | None = Field(default=None, description="From when it holds; compared with when facts occurred.")
    until: Moment | None = Field(default=None, description="Until when, excluded: the same words again end it so.")


class ReasonBody(BaseModel):
    """Why, for everybody in the federation to read."""

    reason: Line


@api("GET", "/federation/members", title="Who belongs to the federation", scopes=[Scope.READ], limit=Limit.NONE,
     table=tables.MEMBERS)  # fmt: skip
async def list_members(call: Call) -> MembersAnswer:
    """Anchors, members, guests, whom nobody speaks for, and who left or was expelled, with why."""
    return MembersAnswer(items=await member_answers(call))


@api("POST", "/attestations", title="Attest an organisation, as an anchor", scopes=[Scope.PEERS], status=201,
     problems=["org_unknown", "no_federation", "not_an_anchor", "number_wrong", "number_taken", "prefix_wrong",
               "seat_wrong", "accreditation_wrong", "branch_wrong", "moment"])  # fmt: skip
async def attest(call: Call, body: AttestationBody) -> AttestationBody:
    """What k anchors attest decides whose lines, verifications and records count. The same words with other times take
    the place of what this anchor said before; a number takes the place of an earlier one of its kind, a branch of a
    root chain that of another branch.
    """
    times = (moment(text) if text else None for text in (body.since, body.until))
    what = Attested[body.what.upper()]
    await call.context.attesting.attest(bytes.fromhex(body.org), what, body.rows, call.actor.label, *times)
    return body


@api("POST", "/federation/members/{org}/vouch", title="Vouch for an organisation", scopes=[Scope.PEERS], status=204,
     problems=["org_unknown", "no_federation", "not_a_member", "org_expelled"])  # fmt: skip
async def vouch(call: Call, path: MemberPath) -> None:
    """It is a guest by that: it exchanges and looks up within limits. An invitation that is taken vouches by itself."""
    await call.context.attesting.vouch(bytes.fromhex(path.org), call.actor.label)


@api("POST", "/federation/members/{org}/vouch/end", title="Vouch for an organisation no more", scopes=[Scope.PEERS],
     status=204, problems=["no_federation", "not_the_voucher"])  # fmt: skip
async def end_vouch(call: Call, path: MemberPath, body: ReasonBody) -> None:
    """Where nobody else speaks for it, it gets nothing new from then on."""
    await call.context.attesting.take_back(bytes.fromhex(path.org), body.reason, call.actor.label)


@api("POST", "/federation/members/{org}/expulsion", title="Expel an organisation, as an anchor", scopes=[Scope.PEERS],
     status=204, problems=["org_unknown", "no_federation", "not_an_anchor", "anchor_stays"])  # fmt: skip
async def expel(call: Call, path: MemberPath, body: ReasonBody) -> None:
    """It counts when k anchors say so. What it said up to here counts for ever, what it says later does not; said
    again, more of it counts.
    """
    await call.context.attesting.expel(bytes.fromhex(path.org), body.reason, call.actor.label)


@api("POST", "/federation/leave", title="Leave the federation", scopes=[Scope.PEERS], status=204,
     problems=["no_federation", "anchor_stays"])  # fmt: skip
async def leave(call: Call, body: ReasonBody) -> None:
    """What this organisation said so far counts for ever; from now on nobody gives it anything new."""
    await call.context.attesting.leave(body.reason, call.actor.label)


async def member_answers(call: Call) -> list[MemberAnswer]:
    """Every organisation that is known here."""
    return [_answer(call, member) for member in await call.context.members.list()]


def _answer(call: Call, member: Member) -> MemberAnswer:
    return MemberAnswer(
        org=member.org.hex(),
        name=member.card.name if member.card else None,
        standing=member.stand.standing.value,
        by=[_named(call, org) for org in member.stand.voices],
        reason=member.stand.reason or None,
        numbers=list(member.numbers),
        contested=list(member.contested),
        foreign=list(member.foreign),
        said=[_said(call, said) for said in member.said],
        card_fault=_card_fault(call, member),
        branches=branch_answers(
            member.fork,
            {found: [_named(call, org) for org in orgs] for found, orgs in member.attested_branches.items()},
        ),
        own=member.org == call.context.core.org,
        mine=call.context.core.org in member.stand.voices,
    )


def _card_fault(call: Call, member: Member) -> CardFault | None:
    return call.context.peering.card_faults.get(member.org)


def _said(call: Call, said: Said) -> SaidAnswer:
    words = said.words
    return SaidAnswer.model_validate(
        {
            "what": words.what.name.lower(),
            "rows": list(words.rows),
            "since_us": words.since,
            "until_us": words.until,
            "counts": said.counts,
            "anchors": [_named(call, org) for org in words.anchors],
            "mine": call.context.core.org in words.anchors,
        }
    )


def _named(call: Call, org: bytes) -> NamedOrganisation:
    return NamedOrganisation(org=org.hex(), name=call.context.projection.world.organisation_name(org))


ROUTES = [list_members, attest, vouch, end_vouch, expel, leave]
