"""Look-up by anything that stands on a device, here and at other organisations, and asking them for access."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from node.passport.ids import SubjectId, format_device_id
from node.passport.sightings import Outcome, Reply, trust_in
from node.services.access import Scope
from node.services.lookup import Begun, Found
from node.web.api.branches import NamedOrganisation
from node.web.api.fields import Hex16
from node.web.api.passports import PassportPath
from node.web.api.registry import NearRow, find_near
from node.web.calls import Call
from node.web.routes import Limit, api
from node.web.tables import network
from node.web.tables import passports as tables

Typed = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Words = Annotated[str, StringConstraints(max_length=120, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]


class LookupQuery(BaseModel):
    """Anything that stands on a device."""

    q: Typed
    anew: bool = Field(default=False, description="Ask others though they were asked a moment ago.")
    everywhere: bool = Field(default=False, description="Ask others though something here carries it.")


class KnownBy(BaseModel):
    """An organisation that knows a passport too."""

    org: str
    age_us: int


class LookupRow(BaseModel):
    """What was found: `source` is `here`, or the organisation that knows the newest."""

    id: str
    title: str
    state: str
    source: str
    age_us: int = Field(description="How old what the source has is.")
    proved: bool = Field(description="Whether its author's signature shows that it is this one.")
    others: list[KnownBy] = Field(description="Who else knows it.")


class AskedNode(BaseModel):
    """A node that was asked, and how it answered: `held` is that it keeps a passport and does not open it."""

    org: str
    name: str | None
    node: str
    answer: Literal["found", "held", "nothing", "wrong", "refused", "silent"]
    reason: str = Field(description="Why it refused, in its own words.")


class LookupAnswer(BaseModel):
    """What carries the identifier; where nothing does, `near` is what may have been meant."""

    items: list[LookupRow]
    near: list[NearRow]
    asked: list[AskedNode] = Field(description="The nodes of others that were asked; none where it is here.")
    rounds: int = Field(description="After how many round trips it was found, or given up.")


class RequestBody(BaseModel):
    """What an organisation is asked to show, and words for its people."""

    org: Hex16
    q: Typed
    words: Words = ""


class RequestRow(BaseModel):
    """A member that asks to be shown a passport."""

    org: NamedOrganisation
    id: str
    scheme: str
    value: str = Field(description="By what it asks.")
    words: str
    asked_us: int


class RequestsAnswer(BaseModel):
    """Who asks, the oldest first."""

    items: list[RequestRow]


class RequestPath(PassportPath):
    """A request: which passport, and who asks."""

    org: Hex16


class AnnouncerRow(BaseModel):
    """A node that announces here what it holds, or to which this node was referred."""

    org: NamedOrganisation
    node: str
    marks: int = Field(description="Marks of ids and identifiers that are kept here.")
    told_us: int | None = Field(description="When its list was compared last.")
    good: int = Field(description="Referrals to it that held, since one did not.")
    bad: int = Field(description="Referrals to it that held nothing, of the last week.")
    trust: Literal["asked", "last", "never"]


class AnnouncersAnswer(BaseModel):
    """Who announces here."""

    items: list[AnnouncerRow]


@api("GET", "/lookup", title="Find a device by anything that stands on it", scopes=[Scope.READ],
     problems=["id_mistyped", "eui_mistyped", "box_code_alone", "query_empty"], table=tables.FOUND,
     limit=Limit.NARROWS)  # fmt: skip
async def look_up(call: Call, query: LookupQuery) -> LookupAnswer:
    """Here first, then at other organisations; and where nobody has it, what may have been meant."""
    begun = await begin_look_up(call, query.q, anew=query.anew, everywhere=query.everywhere)
    looked = await begun.ended()
    is_all = looked.is_known or bool(call.actor.subjects)  # what is near may be of others
    return LookupAnswer(
        items=[found_row(found) for found in looked.found],
        near=[] if is_all else await find_near(call, query.q),
        asked=asked_nodes(call, looked.elsewhere),
        rounds=looked.elsewhere.rounds,
    )


@api("POST", "/lookup/requests", title="Ask an organisation to show a passport that it keeps", scopes=[Scope.RECORD],
     problems=["org_unknown", "not_a_member", "id_mistyped", "box_code_alone", "query_empty", "peer"],
     status=204)  # fmt: skip
async def request_access(call: Call, body: RequestBody) -> None:
    """Its people read it and share the passport, or do not; nothing else follows."""
    await call.context.access_requests.ask(bytes.fromhex(body.org), body.q, body.words.strip(), call.actor.label)


@api("GET", "/lookup/requests", title="Who asks to be shown passports", scopes=[Scope.READ],
     table=network.ACCESS_REQUESTS)  # fmt: skip
async def list_access_requests(call: Call) -> RequestsAnswer:
    """What others found out to be kept here and want to read."""
    return RequestsAnswer(items=await request_rows(call))


@api("DELETE", "/passports/{id}/requests/{org}", title="Put a request for access away", scopes=[Scope.RECORD],
     status=204, problems=["id_mistyped", "request_unknown"])  # fmt: skip
async def close_access_request(call: Call, path: RequestPath) -> None:
    """Whether the passport was shared or not is another matter."""
    await call.context.access_requests.dismiss(bytes.fromhex(path.org), path.subject, call.actor.label)


@api("GET", "/lookup/announcers", title="Who announces what it holds", scopes=[Scope.READ],
     table=network.ANNOUNCERS)  # fmt: skip
async def list_announcers(call: Call) -> AnnouncersAnswer:
    """This node among them, and how often what was said of each held."""
    return AnnouncersAnswer(items=await announcer_rows(call))


async def announcer_rows(call: Call) -> list[AnnouncerRow]:
    """Everybody who announced here."""
    return [
        AnnouncerRow(
            org=_named(call, one.org),
            node=one.node.hex(),
            marks=one.marks,
            told_us=one.told_us,
            good=one.good,
            bad=one.bad,
            trust=trust_in(one.good, one.bad),
        )
        for one in await call.context.referring.announcers()
    ]


async def begin_look_up(call: Call, text: str, *, anew: bool = False, everywhere: bool = False) -> Begun:
    """Begin to look for what carries an identifier, here and else at other organisations."""
    among = await call.context.limits.narrow(call.actor)
    return await call.context.lookup.begin(text, among, call.actor.label, anew=anew, everywhere=everywhere)


def found_row(found: Found) -> LookupRow:
    """A row of the answer."""
    return LookupRow(
        id=found.id,
        title=found.title,
        state=found.state,
        source=found.source.hex() if found.source else "here",
        age_us=found.age_us,
        proved=found.is_proved,
        others=[KnownBy(org=other.org.hex(), age_us=other.age_us) for other in found.others],
    )


def asked_nodes(call: Call, outcome: Outcome) -> list[AskedNode]:
    """Who was asked, with the names of their organisations."""
    return [_asked(call, reply) for reply in outcome.replies]


async def request_rows(call: Call) -> list[RequestRow]:
    """The requests that wait."""
    return [
        RequestRow(
            org=_named(call, one.org),
            id=format_device_id(SubjectId(one.subject)),
            scheme=one.scheme,
            value=one.value,
            words=one.words,
            asked_us=one.asked_us,
        )
        for one in await call.context.access_requests.list()
    ]


def _asked(call: Call, reply: Reply) -> AskedNode:
    name = call.context.projection.world.organisation_name(reply.org)
    return AskedNode(org=reply.org.hex(), name=name, node=reply.node.hex(), answer=reply.what, reason=reply.reason)


def _named(call: Call, org: bytes) -> NamedOrganisation:
    return NamedOrganisation(org=org.hex(), name=call.context.projection.world.organisation_name(org))


ROUTES = [look_up, request_access, list_access_requests, close_access_request, list_announcers]
