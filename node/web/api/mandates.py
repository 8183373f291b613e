"""Roles over things: who holds which since when, and the signed acts by which they pass, are given and end."""

from collections.abc import Sequence
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from node.errors import InputError
from node.passport.bodies import MandateBody, Moment
from node.passport.ids import SubjectId, format_device_id
from node.passport.mandates import Mandate, MandateBasis, MandateState
from node.passport.parties import roles_on
from node.passport.references import ref_text
from node.passport.roles import PartyRole
from node.passport.view import moment_us
from node.services.access import Scope
from node.services.mandates import Outside
from node.web.api.fields import Hex16, Line, SignedDay
from node.web.api.organisations import Inn, Ogrn
from node.web.api.passports import PassportPath, subject_of
from node.web.calls import Call, Page, PageQuery
from node.web.routes import api
from node.web.tables import parties as tables

Capacity = Literal["title", "responsible", "settlement"]
Given = Literal["process_owner", "process_executor", "data_source", "network"]
Offered = Literal[Capacity, "network"]


class RoleRow(BaseModel):
    """A role that a party holds or held over one thing."""

    role: PartyRole
    party: Hex16
    name: str | None = Field(description="What the party is called, where that may be read here.")
    number: str | None = Field(description="Of a party without a node: `inn:...`, `ogrn:...`, or `resident`.")
    since: int | None = Field(description="Microseconds since 1970; null is from the beginning.")
    until: int | None = Field(description="When it ended or ends; null is open.")
    standing: str
    basis: Literal["maker", "title", "acceptance", "document", "appointment"]
    authority: bool = Field(description="Whether it gives the party a rank: not where nobody holds the title.")
    by: Hex16 | None
    act: str | None = Field(description="The place of the statement by which it came.")
    document: str | None
    ended_by: Hex16 | None
    unopened: bool = Field(description="A title that came unopened: without keys, to be sold on.")


class RolesAnswer(BaseModel):
    """The roles over one thing, on a day or of all time, and what was said of them and passed nothing."""

    id: str
    on: str | None
    items: list[RoleRow]
    transfers: list[dict[str, Any]] = Field(  # Any: plain JSON
        description="What waits for an answer, is disputed, or has no effect, with the reason."
    )


class RolesQuery(BaseModel):
    """On which day."""

    on: Moment | None = Field(default=None, description="At the end of a day, or at a moment; else of all time.")


class ActBody(BaseModel):
    """What every act about a role says: over which things, from when and until when, by which papers."""

    ids: list[Line] = Field(min_length=1, max_length=4096)
    since: Moment | None = Field(default=None, description="From when it counts; else from when it is closed.")
    until: Moment | None = Field(default=None, description="When an offer lapses, or what is given ends.")
    number: Line | None = None
    date: SignedDay | None = None
    document: Line | None = None
    reason: Line | None = None


class OfferBody(ActBody):
    """A capacity of the owner, or a network, for an organisation that has a node."""

    role: Offered
    org: Hex16


class StatementBody(ActBody):
    """A role of a party without a node: an organisation by its number, or a resident by name."""

    role: Capacity | Given
    document: Line = Field(description="The document that gives it.")
    name: Line
    inn: Inn | None = None
    ogrn: Ogrn | None = None
    resident: bool = Field(default=False, description="A person: the name and the contact never leave this node.")
    contact: Line | None = Field(default=None, description="Of a resident.")

    @model_validator(mode="after")
    def _check_party(self) -> Self:
        if self.resident == bool(self.inn or self.ogrn):
            raise ValueError("an organisation has an ИНН or ОГРН, a resident neither")
        if self.contact and not self.resident:
            raise ValueError("a contact is kept of residents alone")
        return self


class AppointmentBody(ActBody):
    """A role that is given."""

    role: Literal[Given, "escrow"]
    org: Hex16


class ReasonBody(BaseModel):
    """Why."""

    reason: Line


class EndBody(ReasonBody):
    """Why, and over which things; without any over all."""

    ids: list[Line] = Field(default=[], max_length=4096)


class MandateAnswer(BaseModel):
    """A signed act about a role."""

    id: str
    basis: MandateBasis
    role: PartyRole
    by: Hex16
    org: Hex16 | None = Field(description="The party; null for one without a node.")
    name: str | None = Field(description="Of a party without a node; of a resident on the node of its author alone.")
    contact: str | None
    number: str | None
    resident: bool
    devices: list[str]
    state: MandateState
    said: int = Field(description="Microseconds since 1970.")
    answered: int | None
    since: int | None
    until: int | None
    papers: dict[str, str]
    ended: list[str] = Field(description="The things over which it was ended, refused or withdrawn.")
    reasons: list[str] = Field(description="Why.")
    ref: str


class MandatesQuery(PageQuery):
    """Which acts."""

    direction: Literal["in", "out"] | None = Field(default=None, description="To this organisation, or by it.")
    state: MandateState | None = None
    role: PartyRole | None = None


@api("GET", "/passports/{id}/roles", title="Who holds which role over a thing", scopes=[Scope.READ],
     problems=["passport_unknown", "id_mistyped", "moment"], table=tables.ROLES_OVER)  # fmt: skip
async def list_roles(call: Call, path: PassportPath, query: RolesQuery) -> RolesAnswer:
    """Six roles and their capacities over time: by which act, since when, how it stands."""
    passport = await call.context.registry.get(subject_of(path.id), whole=False)
    parties: Any = passport.content["parties"]  # Any: plain JSON
    if query.on is not None:
        moment(query.on)
    items = [RoleRow.model_validate({n: row[n] for n in RoleRow.model_fields}) for row in roles_on(parties, query.on)]
    device = format_device_id(SubjectId(passport.subject))
    return RolesAnswer(id=device, on=query.on, items=items, transfers=parties["transfers"])


@api("GET", "/mandates", title="Acts about roles, newest first", scopes=[Scope.READ], problems=["cursor"],
     table=tables.MANDATES)  # fmt: skip
async def list_mandates(call: Call, query: MandatesQuery) -> Page[MandateAnswer]:
    """Over all things; `direction=in` and `state=waiting` are the offers that wait for our answer."""
    every = await call.context.mandates.all()
    states = await call.context.handovers.states(every)
    found = [one for one in reversed(every) if _is_asked(call, one, states[one.id], query)]
    if query.cursor:
        stamp, log, seq = call.decode_cursor(query.cursor, int, str, int)
        # After the last one that was shown, not after so many: of those that wait some may have been answered since.
        found = [one for one in found if one.said.order < (int(stamp), bytes.fromhex(str(log)), int(seq))]
    last = found[query.limit - 1].said if len(found) > query.limit else None
    more = call.encode_cursor(last.stamp, last.ref.log.hex(), last.ref.seq) if last else None
    return Page(items=[to_mandate(one, states[one.id]) for one in found[: query.limit]], next=more)


@api("GET", "/mandates/{id}", title="One act about a role", scopes=[Scope.READ],
     problems=["mandate_unknown", "id_mistyped"])  # fmt: skip
async def read_mandate(call: Call, path: PassportPath) -> MandateAnswer:
    """Its things, papers and what answered or ended it."""
    return await answer_of(call, await call.context.mandates.get(subject_of(path.id)))


_GIVING = ["passport_unknown", "id_mistyped", "moment", "role_not_held", "mandate_count", "mandate_grounds",
           "mandate_period", "mandate_disputed", "mandate_shipped"]  # fmt: skip


@api("POST", "/mandates/offers", title="Offer a capacity of the owner, or a network", scopes=[Scope.SHIP], status=201,
     problems=[*_GIVING, "org_unknown", "org_ended", "mandate_to_self", "mandate_offered"])  # fmt: skip
async def offer(call: Call, body: OfferBody) -> MandateAnswer:
    """One signed act over up to 4,096 things; the capacity passes when the other organisation accepts.

    A network is offered by who has it too. What was offered to others of it, and is not answered, ends.
    """
    made = await call.context.mandates.offer(
        PartyRole(body.role),
        bytes.fromhex(body.org),
        _things(body.ids),
        _papers(body),
        call.actor.label,
        **_times(body),
    )
    return await answer_of(call, made)


@api("POST", "/mandates/statements", title="State a role of a party without a node", scopes=[Scope.SHIP], status=201,
     problems=[*_GIVING, "mandate_document", "mandate_has_node"])  # fmt: skip
async def state(call: Call, body: StatementBody) -> MandateAnswer:
    """By a document, where the other side cannot sign; to an organisation that is a member the role is offered."""
    number = f"inn:{body.inn}" if body.inn else f"ogrn:{body.ogrn}" if body.ogrn else None
    party = Outside(body.name, number, body.contact)
    made = await call.context.mandates.state(
        PartyRole(body.role), party, _things(body.ids), _papers(body), call.actor.label, **_times(body)
    )
    return await answer_of(call, made)


@api("POST", "/mandates/appointments", title="Give a role", scopes=[Scope.SHIP], status=201,
     problems=[*_GIVING, "org_unknown", "mandate_needs_offer", "mandate_escrow_until"])  # fmt: skip
async def appoint(call: Call, body: AppointmentBody) -> MandateAnswer:
    """Data source, network, owner or executor of processes: from the owner or the responsible party.

    An escrow, which may have the root keys sealed, from the owner alone.
    """
    made = await call.context.mandates.appoint(
        PartyRole(body.role),
        bytes.fromhex(body.org),
        _things(body.ids),
        _papers(body),
        call.actor.label,
        **_times(body),
    )
    return await answer_of(call, made)


@api("POST", "/mandates/{id}/acceptance", title="Accept an offered role", scopes=[Scope.SHIP],
     problems=["mandate_unknown", "mandate_no_offer", "mandate_not_ours", "mandate_answered",
               "mandate_lapsed"])  # fmt: skip
async def accept(call: Call, path: PassportPath) -> MandateAnswer:
    """It names how far the logs of who offered are known: what is said there later counts no more.

    A second acceptance changes nothing.
    """
    return await answer_of(call, await call.context.mandates.accept(subject_of(path.id), call.actor.label))


@api("POST", "/mandates/{id}/refusal", title="Refuse an offered role", scopes=[Scope.SHIP],
     problems=["mandate_unknown", "mandate_no_offer", "mandate_not_ours", "mandate_answered"])  # fmt: skip
async def refuse(call: Call, path: PassportPath, body: ReasonBody) -> MandateAnswer:
    """The offer ends; it may be made anew."""
    return await answer_of(call, await call.context.mandates.refuse(subject_of(path.id), body.reason, call.actor.label))


@api("POST", "/mandates/{id}/withdrawal", title="Take an offered role back", scopes=[Scope.SHIP],
     problems=["mandate_unknown", "mandate_no_offer", "mandate_not_ours", "mandate_answered"])  # fmt: skip
async def withdraw(call: Call, path: PassportPath, body: ReasonBody) -> MandateAnswer:
    """What the other organisation accepted before that stands."""
    return await answer_of(
        call, await call.context.mandates.withdraw(subject_of(path.id), body.reason, call.actor.label)
    )


@api("POST", "/mandates/{id}/end", title="End a role", scopes=[Scope.SHIP],
     problems=["mandate_unknown", "mandate_not_standing", "mandate_title", "mandate_things",
               "role_not_held"])  # fmt: skip
async def end(call: Call, path: PassportPath, body: EndBody) -> MandateAnswer:
    """What its holder said until now counts for ever, what it says later does not."""
    things = _things(body.ids)
    return await answer_of(
        call, await call.context.mandates.end(subject_of(path.id), body.reason, call.actor.label, things)
    )


async def answer_of(call: Call, mandate: Mandate) -> MandateAnswer:
    """An act as the API shows it, as it stands now."""
    return to_mandate(mandate, (await call.context.handovers.states([mandate]))[mandate.id])


def to_mandate(mandate: Mandate, state: MandateState) -> MandateAnswer:
    """An act in that state as the API shows it."""
    party, person = mandate.party, mandate.person
    return MandateAnswer(
        id=_id(mandate.id),
        basis=mandate.basis,
        role=mandate.role,
        by=mandate.author.hex(),
        org=None if party.is_outside else party.org.hex(),
        name=person.name if person else mandate.papers.name,
        contact=person.contact if person else None,
        number=party.number,
        resident=party.is_resident,
        devices=[_id(thing) for thing in mandate.things],
        state=state,
        said=mandate.said.occurred,
        answered=mandate.answer.occurred if mandate.answer else None,
        since=mandate.since,
        until=mandate.until,
        papers=mandate.papers.model_dump(exclude_none=True, exclude={"name"}),
        ended=[_id(thing) for thing in sorted(mandate.ends)],
        reasons=[why for why in mandate.reasons.values() if why],
        ref=ref_text(mandate.said.ref),
    )


def moment(text: str) -> int:
    """The microseconds of a day or a moment, which may be to come; raise InputError."""
    try:
        found = moment_us(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise InputError(f"{text} is no moment", "moment") from error
    if found < 0:
        raise InputError(f"{text} is before 1970, from where moments are counted", "moment")
    return found


def _is_asked(call: Call, one: Mandate, state: MandateState, query: MandatesQuery) -> bool:
    own = call.context.core.org
    side = one.party.org if query.direction == "in" else one.author
    return (query.direction is None or side == own) and query.state in (None, state) and query.role in (None, one.role)


def _things(ids: Sequence[str]) -> list[bytes]:
    return list(dict.fromkeys(subject_of(text) for text in ids))


def _papers(body: ActBody) -> MandateBody:
    return MandateBody(number=body.number, date=body.date, document=body.document, reason=body.reason)


def _times(body: ActBody) -> dict[str, int | None]:
    return {
        name: None if text is None else moment(text) for name, text in (("since", body.since), ("until", body.until))
    }


def _id(subject: bytes) -> str:
    return format_device_id(SubjectId(subject))


ROUTES = [list_roles, list_mandates, read_mandate, offer, state, appoint, accept, refuse, withdraw, end]
