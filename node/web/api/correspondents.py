"""Systems of the organisation as resources: rights, tokens, how they were used, and cutting one off."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from node.passport.ids import SubjectId, format_device_id
from node.services.access import Scope
from node.services.correspondents import Correspondent, Rights, Write
from node.web.api.access import IssuedToken, Name, TokenInfo, to_token, utc_time
from node.web.api.fields import Line, Text
from node.web.api.passports import subject_of
from node.web.calls import Call
from node.web.routes import api
from node.web.tables import parties as tables

Network = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=64)]


class RightsBody(BaseModel):
    """What a system is and what it may. Empty lists of things, types and networks limit nothing."""

    model_config = ConfigDict(extra="forbid")

    kind: Text = Field(description="What sort of system: 1С, SCADA, a bench.")
    contact: Line | None = Field(default=None, description="Whom to call when it misbehaves.")
    scopes: frozenset[Scope] = Field(default=frozenset({Scope.READ}), min_length=1)
    writes: frozenset[Write] = Field(default=frozenset(), description="What it may write with those scopes.")
    things: list[Line] = Field(default=[], max_length=1000, description="Ids of the only things it may act on.")
    types: list[Text] = Field(default=[], max_length=100, description="Central codes of the only types.")
    networks: list[Network] = Field(default=[], max_length=32, description="From where it comes: 10.0.0.0/8.")
    per_minute: int | None = Field(default=None, ge=1, le=100_000, description="Requests a minute at most.")


class NewSystem(RightsBody):
    """A system to be made known; its name stands in everything that it says."""

    name: Name


class SystemPath(BaseModel):
    """Which system."""

    name: str


class NewSystemToken(BaseModel):
    """A way in for a system."""

    model_config = ConfigDict(extra="forbid")

    days: int = Field(default=90, ge=1, le=366)
    overlap_hours: int | None = Field(
        default=None, ge=0, le=744, description="After how many hours the tokens before it end; else they live on."
    )


class BlockBody(BaseModel):
    """Why a system is cut off."""

    reason: Line


class SystemAnswer(BaseModel):
    """A system: its rights, its tokens without their secrets, and how it was used."""

    name: str
    kind: str
    contact: str
    scopes: list[Scope]
    writes: list[Write]
    things: list[str]
    types: list[str]
    networks: list[str]
    per_minute: int | None
    blocked: datetime | None
    reason: str | None
    created: datetime
    changed: datetime
    used: int
    used_at: datetime | None
    refused: int
    refused_at: datetime | None
    tokens: list[TokenInfo]


class SystemsAnswer(BaseModel):
    """Every system that is known here."""

    items: list[SystemAnswer]


@api("GET", "/systems", title="List systems", scopes=[Scope.ACCESS], table=tables.SYSTEMS)
async def list_systems(call: Call) -> SystemsAnswer:
    """By name."""
    return SystemsAnswer(items=[to_system(one) for one in await call.context.correspondents.all()])


@api("GET", "/systems/{name}", title="One system", scopes=[Scope.ACCESS], problems=["system_unknown"])
async def read_system(call: Call, path: SystemPath) -> SystemAnswer:
    """Its rights, tokens and use."""
    return to_system(await call.context.correspondents.get(path.name))


@api("POST", "/systems", title="Register a system", scopes=[Scope.ACCESS], status=201,
     problems=["system_exists", "system_network_form", "token_scopes", "id_mistyped"])  # fmt: skip
async def register_system(call: Call, body: NewSystem) -> SystemAnswer:
    """It comes in with a token of its own, which is issued apart."""
    made = await call.context.correspondents.register(
        call.actor, body.name, body.kind, body.contact or "", rights_of(body)
    )
    return to_system(made)


@api("PUT", "/systems/{name}", title="Change the rights of a system", scopes=[Scope.ACCESS],
     problems=["system_unknown", "system_network_form", "token_scopes", "id_mistyped"])  # fmt: skip
async def change_system(call: Call, path: SystemPath, body: RightsBody) -> SystemAnswer:
    """In force from its next request on, for every token of it."""
    changed = await call.context.correspondents.change(
        call.actor, path.name, body.kind, body.contact or "", rights_of(body)
    )
    return to_system(changed)


@api("POST", "/systems/{name}/tokens", title="Issue a token of a system", scopes=[Scope.ACCESS], status=201,
     problems=["system_unknown", "token_scopes"])  # fmt: skip
async def issue_system_token(call: Call, path: SystemPath, body: NewSystemToken) -> IssuedToken:
    """The secret in the answer is not shown again. With an overlap the earlier tokens end by themselves."""
    secret, token = await call.context.correspondents.issue(call.actor, path.name, body.days, body.overlap_hours)
    return IssuedToken(secret=secret, **to_token(token).model_dump())


@api("POST", "/systems/{name}/block", title="Cut a system off", scopes=[Scope.ACCESS], problems=["system_unknown"])
async def block_system(call: Call, path: SystemPath, body: BlockBody) -> SystemAnswer:
    """Its next request is refused; its streams and downloads end, its jobs stop where they are."""
    return to_system(await call.context.correspondents.block(call.actor, path.name, body.reason))


@api("POST", "/systems/{name}/unblock", title="Let a system in again", scopes=[Scope.ACCESS],
     problems=["system_unknown"])  # fmt: skip
async def unblock_system(call: Call, path: SystemPath) -> SystemAnswer:
    """With the tokens that it has; jobs that were stopped are sent anew."""
    return to_system(await call.context.correspondents.unblock(call.actor, path.name))


def to_system(one: Correspondent) -> SystemAnswer:
    """A system as the API shows it."""
    rights = one.rights
    return SystemAnswer(
        name=one.name,
        kind=one.kind,
        contact=one.contact,
        scopes=list(rights.scopes),
        writes=list(rights.writes),
        things=[format_device_id(SubjectId(bytes.fromhex(thing))) for thing in rights.things],
        types=list(rights.types),
        networks=list(rights.networks),
        per_minute=rights.per_minute,
        blocked=utc_time(one.blocked_us) if one.blocked_us else None,
        reason=one.reason,
        created=utc_time(one.created_us),
        changed=utc_time(one.changed_us),
        used=one.used,
        used_at=utc_time(one.used_us) if one.used_us else None,
        refused=one.refused,
        refused_at=utc_time(one.refused_us) if one.refused_us else None,
        tokens=[to_token(token) for token in one.tokens],
    )


def rights_of(body: RightsBody) -> Rights:
    """Rights as they are kept; raise InputError for a mistyped id."""
    return Rights(
        tuple(sorted(body.scopes)),
        tuple(sorted(body.writes)),
        tuple(subject_of(text).hex() for text in body.things),
        tuple(body.types),
        tuple(body.networks),
        body.per_minute,
    )


ROUTES = (
    list_systems, read_system, register_system, change_system, issue_system_token, block_system, unblock_system,
)  # fmt: skip
