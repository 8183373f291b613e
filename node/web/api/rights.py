"""Who may see what of a passport, why or why not; grants, and the profiles by which some are given."""

from typing import Annotated, Any, Literal, Self

from aiohttp import web
from pydantic import BaseModel, Field, StringConstraints, model_validator

from federation.authority import Verb
from federation.fragment import Ref
from node.errors import InputError
from node.passport.bodies import Moment
from node.passport.grants import Grant
from node.passport.ids import SubjectId, format_device_id
from node.passport.references import parse_ref, ref_text
from node.passport.roles import PartyRole
from node.passport.statement import Statement
from node.passport.visibility import Access, Lack, Why
from node.services.access import Scope
from node.services.grants import Terms
from node.services.profiles import HeldProfile
from node.services.visibility import Window
from node.web.api.fields import Hex16, Line
from node.web.api.mandates import moment
from node.web.api.passports import PassportPath, subject_of
from node.web.calls import Call
from node.web.routes import Limit, api
from node.web.tables import parties as tables

JSON = "application/json"
MAX_PROFILE = 64 * 1024
RefText = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}:\d{1,19}:[0-9a-f]{32}$")]
ProfileId = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64}|[a-z][a-z0-9-]{0,31})$")]
VERBS: dict[str, Verb] = {"read": Verb.READ, "write": Verb.WRITE, "pass-on": Verb.PASS_ON}


class WindowAnswer(BaseModel):
    """A peer that may not know of an end, and so may still serve what was ended."""

    node: Hex16
    org: Hex16
    known: bool = Field(description="Whether it was asked how far it is; else nothing is known of it.")


class AccessRow(BaseModel):
    """One right of one organisation, as it stands or as it stood until something ended it."""

    org: Hex16
    name: str | None
    why: Why
    role: PartyRole | None
    verb: Literal["read", "write", "pass-on"]
    classes: list[int]
    rows: list[str]
    profile: str | None = Field(description="Name and version of the profile by which it is limited.")
    author: Hex16 | None = Field(description="Whose statements alone it opens; null is everybody's.")
    by: Hex16 | None = Field(description="Who gave it.")
    ref: str | None = Field(description="The statement by which it came.")
    at: int | None = Field(description="When that was said, microseconds since 1970.")
    since: int | None
    until: int | None
    ended_by: Hex16 | None
    ended_ref: str | None
    ended_at: int | None
    windows: list[WindowAnswer] = Field(description="Peers that may not know of the end yet.")


class WithheldRow(BaseModel):
    """A section of which only the header is here, and whom to ask for it."""

    ref: str
    org: Hex16
    kind: int
    section: str
    klass: int
    lack: Lack
    ask: list[Hex16]


class AccessAnswer(BaseModel):
    """Who may see what of a passport, and what of it may not be read on this node."""

    id: str
    items: list[AccessRow]
    withheld: list[WithheldRow]


class WhyQuery(BaseModel):
    """Who asks, and about which statement and section; without a statement about the passport at all."""

    org: Hex16 | None = Field(default=None, description="Whom it is asked of; the own organisation where not named.")
    ref: RefText | None = None
    section: Annotated[str, StringConstraints(max_length=24)] | None = None


class WhyAnswer(BaseModel):
    """Whether it is shown, by which rights; else why not, what ended a right, and who may open it."""

    id: str
    org: Hex16
    ref: str | None
    section: str | None
    shown: bool
    why: list[AccessRow]
    lack: Lack | None
    ended: list[AccessRow]
    ask: list[Hex16]


class GrantBody(BaseModel):
    """To whom, for what, over which things."""

    org: Hex16
    verb: Literal["read", "write", "pass-on"] = "read"
    ids: list[Line] = Field(default=[], max_length=4096)
    mine: bool = Field(default=False, description="Over all that is ours, now and later, in place of `ids`.")
    classes: list[Annotated[int, Field(ge=0, le=5)]] = Field(default=[], max_length=6, description="To read.")
    rows: list[Line] = Field(default=[], max_length=60, description="To write: `event`, `parameter/observation`.")
    profile: ProfileId | None = Field(default=None, description="To read what a profile names, in place of `classes`.")
    since: Moment | None = Field(default=None, description="From when what is told occurred; else from ever.")
    until: Moment | None = Field(default=None, description="Until when, excluded; else for ever.")

    @model_validator(mode="after")
    def _check_things(self) -> Self:
        if self.mine == bool(self.ids):
            raise ValueError("a grant names things, or is over all that is ours")
        return self


class GrantAnswer(BaseModel):
    """A signed grant as it stands."""

    ref: str
    by: Hex16
    org: Hex16
    verb: Literal["read", "write", "pass-on"]
    devices: list[str] | None = Field(description="Null: over all that is its author's.")
    classes: list[int]
    rows: list[str]
    profile: str | None
    said: int
    since: int | None
    until: int | None
    ended_by: Hex16 | None
    ended_ref: str | None


class PreviewAnswer(BaseModel):
    """What a grant would open that its party may not read yet."""

    looked_at: int = Field(description="Of how many of the things this was counted.")
    statements: int
    sections: dict[str, int] = Field(description="By class.")
    own_only: list[str] = Field(description="Of these it opens our own statements alone.")
    no_effect: list[str]


class GrantPath(BaseModel):
    """The place of a grant."""

    ref: RefText

    @property
    def place(self) -> Ref:
        """As statements name it."""
        return parse_ref(self.ref)


class EndBody(BaseModel):
    """Why a grant ends."""

    reason: Line


class ProfileAnswer(BaseModel):
    """A profile that is known here."""

    id: str
    name: str
    version: str
    title: dict[str, str]
    roles: list[str]
    headers: bool
    rows: list[dict[str, Any]]  # Any: plain JSON
    org: Hex16 | None = Field(description="Who published it; null is shipped with the program.")
    used: bool = Field(description="Whether its name means this one here.")


class ProfilesAnswer(BaseModel):
    """All profiles that are known."""

    items: list[ProfileAnswer]


class ProfilePath(BaseModel):
    """A profile by its id."""

    profile: ProfileId


class IssueQuery(BaseModel):
    """Under which profile, and for whom."""

    profile: ProfileId
    party: Hex16 | None = Field(default=None, description="An organisation: no more than it may read.")


class WithheldCount(BaseModel):
    """Sections of one class and name that are withheld."""

    klass: int
    section: str
    count: int


class IssuedAnswer(BaseModel):
    """A passport as it is shown under a profile."""

    id: str
    profile: str
    version: str
    party: Hex16 | None
    view: dict[str, Any]  # Any: plain JSON
    left_out: int = Field(description="Statements that are left out whole.")
    withheld: list[WithheldCount]


@api("GET", "/passports/{id}/access", title="Who may see what of a passport", scopes=[Scope.READ],
     limit=Limit.PASSPORT, problems=["passport_unknown", "id_mistyped"], table=tables.ACCESS)  # fmt: skip
async def read_access(call: Call, path: PassportPath) -> AccessAnswer:
    """By which role, title or grant, since when, until when, ended by whom; and what is withheld from this node."""
    subject = subject_of(path.id)
    case, found, windows = await call.context.visibility.accesses(subject)
    withheld = await call.context.visibility.withheld(subject)
    return AccessAnswer(
        id=format_device_id(SubjectId(case.identity.lead)),
        items=[_row(call, access, windows) for access in found],
        withheld=[
            WithheldRow(
                ref=ref_text(one.statement.ref),
                org=one.statement.org.hex(),
                kind=one.statement.kind,
                section=one.section,
                klass=one.klass,
                lack=one.answer.lack or Lack.NONE,
                ask=[org.hex() for org in one.answer.ask],
            )
            for one in withheld
        ],
    )


@api("GET", "/passports/{id}/access/why", title="Why an organisation is shown something, or not", scopes=[Scope.READ],
     limit=Limit.PASSPORT,
     problems=["passport_unknown", "id_mistyped", "org_unknown", "statement_unknown", "section_unknown"])  # fmt: skip
async def why(call: Call, path: PassportPath, query: WhyQuery) -> WhyAnswer:
    """The same rules that open things give the reasons."""
    ref = parse_ref(query.ref) if query.ref else None
    subject, org = subject_of(path.id), bytes.fromhex(query.org) if query.org else call.context.core.org
    found = await call.context.visibility.explain(subject, org, ref, query.section)
    answer = found.answer
    return WhyAnswer(
        id=format_device_id(SubjectId(found.case.identity.lead)),
        org=org.hex(),
        ref=query.ref,
        section=query.section,
        shown=answer.shown,
        why=[_row(call, access, found.windows) for access in answer.why],
        lack=answer.lack,
        ended=[_row(call, access, found.windows) for access in answer.ended],
        ask=[one.hex() for one in answer.ask],
    )


_TERMS = ["passport_unknown", "id_mistyped", "org_unknown", "moment", "mandate_count", "mandate_period",
          "grant_to_self", "grant_rows", "grant_classes", "profile_unknown"]  # fmt: skip


@api("POST", "/grants", title="Let an organisation read, write or pass on", scopes=[Scope.SHIP], status=201,
     problems=[*_TERMS, "grant_not_held"])  # fmt: skip
async def give(call: Call, body: GrantBody) -> GrantAnswer:
    """One signed statement over up to 4,096 things, or over all that is ours. It opens what we may open, no more."""
    return _grant(call, await call.context.grants.give(_terms(body), call.actor.label))


@api("POST", "/grants/preview", title="What a grant would open", scopes=[Scope.SHIP],
     problems=[*_TERMS, "grant_things"])  # fmt: skip
async def preview(call: Call, body: GrantBody) -> PreviewAnswer:
    """Nothing is said: the rules that would open it are run over what is here."""
    found = await call.context.grants.preview(_terms(body))
    return PreviewAnswer(
        looked_at=found.looked_at,
        statements=found.statements,
        sections={str(klass): count for klass, count in found.sections.items()},
        own_only=[format_device_id(SubjectId(thing)) for thing in found.own_only],
        no_effect=[format_device_id(SubjectId(thing)) for thing in found.no_effect],
    )


@api("GET", "/grants/{ref}", title="One grant", scopes=[Scope.READ], problems=["grant_unknown"])
async def read_grant(call: Call, path: GrantPath) -> GrantAnswer:
    """As it stands."""
    return _grant(call, await call.context.grants.get(path.place))


@api("POST", "/grants/{ref}/end", title="End a grant", scopes=[Scope.SHIP],
     problems=["grant_unknown", "grant_not_ours", "grant_ended"])  # fmt: skip
async def end(call: Call, path: GrantPath, body: EndBody) -> GrantAnswer:
    """Nothing more follows from it; what its party wrote by it until now counts for ever.

    A grant to write that a former owner gave ends over those of its things that are ours now.
    """
    return _grant(call, await call.context.grants.end(path.place, body.reason, call.actor.label))


@api("GET", "/profiles", title="Profiles", scopes=[Scope.READ], limit=Limit.NONE, table=tables.PROFILES)
async def list_profiles(call: Call) -> ProfilesAnswer:
    """Shipped ones and those that organisations published, and which of them are used here."""
    return ProfilesAnswer(items=[_profile(one) for one in await call.context.profiles.all()])


@api("POST", "/profiles", title="Publish a profile", scopes=[Scope.RECORD], status=201, max_body=MAX_PROFILE,
     problems=["profile_wrong", "profile_version_taken"])  # fmt: skip
async def publish_profile(call: Call, body: bytes) -> ProfileAnswer:
    """It is checked, signed and travels to every member."""
    published = await call.context.profiles.publish(body, call.actor.label)
    return _profile(await call.context.profiles.get(published.id.hex()))


@api("POST", "/profiles/{profile}/adoption", title="Use a profile under its name", scopes=[Scope.ACCESS],
     problems=["profile_unknown"])  # fmt: skip
async def adopt_profile(call: Call, path: ProfilePath) -> ProfileAnswer:
    """What is issued and granted under the name from now on goes by it; the id of a shipped one is its name."""
    return _profile(await call.context.profiles.adopt(path.profile, call.actor.label))


@api("GET", "/profiles/{profile}", title="One profile", scopes=[Scope.READ], limit=Limit.NONE, files=[JSON],
     problems=["profile_unknown"])  # fmt: skip
async def read_profile(call: Call, path: ProfilePath) -> web.Response:
    """As it is published."""
    held = await call.context.profiles.get(path.profile)
    return web.Response(body=held.profile.to_bytes(), content_type=JSON, headers=call.headers)


@api("GET", "/passports/{id}/issue", title="A passport under a profile", scopes=[Scope.READ], limit=Limit.PASSPORT,
     problems=["passport_unknown", "id_mistyped", "org_unknown", "profile_unknown"])  # fmt: skip
async def issue(call: Call, path: PassportPath, query: IssueQuery) -> IssuedAnswer:
    """What a kind of party is shown of it, with what is withheld counted and named."""
    held = await call.context.profiles.get(query.profile)
    party = bytes.fromhex(query.party) if query.party else None
    found = await call.context.passport_files.issue(subject_of(path.id), party, held.profile)
    return IssuedAnswer(
        id=format_device_id(SubjectId(found.subject)),
        profile=found.profile.name,
        version=found.profile.version,
        party=query.party,
        view=found.view,
        left_out=found.left_out,
        withheld=[WithheldCount(klass=k, section=name, count=n) for k, name, n in found.withheld],
    )


async def profile_asked(call: Call, name: str | None) -> HeldProfile | None:
    """The profile of a name or an id; None where none was asked for."""
    return await call.context.profiles.get(name) if name else None


def _terms(body: GrantBody) -> Terms:
    since, until = (moment(text) if text else None for text in (body.since, body.until))
    things = None if body.mine else tuple(dict.fromkeys(map(subject_of, body.ids)))
    if body.verb == "read" and body.profile and body.classes:
        raise InputError("a grant names classes or a profile", "grant_classes")
    return Terms(
        bytes.fromhex(body.org), VERBS[body.verb], things, tuple(sorted({*body.classes})), tuple(body.rows),
        since, until, body.profile,
    )  # fmt: skip


def _row(call: Call, access: Access, windows: dict[Ref, tuple[Window, ...]]) -> AccessRow:
    ended, said = access.ended, access.said
    return AccessRow(
        org=access.org.hex(),
        name=call.context.projection.world.organisation_name(access.org),
        why=access.why,
        role=access.role,
        verb=_verb(access.verb),
        classes=list(access.classes),
        rows=list(access.rows),
        profile=_profile_name(call, access.profile),
        author=_hex(access.author),
        by=_hex(access.by),
        ref=_place(said),
        at=said.stamp if said else None,
        since=access.since or None,
        until=access.until,
        ended_by=ended.org.hex() if ended else None,
        ended_ref=_place(ended),
        ended_at=ended.stamp if ended else None,
        windows=[
            WindowAnswer(node=one.node.hex(), org=one.org.hex(), known=one.is_known)
            for one in (windows.get(ended.ref, ()) if ended else ())
        ],
    )


def _grant(call: Call, grant: Grant) -> GrantAnswer:
    things = None if grant.things is None else [format_device_id(SubjectId(one)) for one in sorted(grant.things)]
    return GrantAnswer(
        ref=ref_text(grant.said.ref),
        by=grant.by.hex(),
        org=grant.party.hex(),
        verb=_verb(grant.verb),
        devices=things,
        classes=sorted(grant.classes),
        rows=sorted(grant.rows),
        profile=_profile_name(call, grant.profile),
        said=grant.said.occurred,
        since=grant.since,
        until=grant.until,
        ended_by=grant.ended.org.hex() if grant.ended else None,
        ended_ref=_place(grant.ended),
    )


def _profile(held: HeldProfile) -> ProfileAnswer:
    profile = held.profile
    return ProfileAnswer(
        id=held.id,
        name=profile.name,
        version=profile.version,
        title={"ru": profile.title.ru, "en": profile.title.en},
        roles=list(profile.roles),
        headers=profile.headers,
        rows=[row.model_dump(mode="json") for row in profile.rows],
        org=held.published.org.hex() if held.published else None,
        used=held.is_used,
    )


def _profile_name(call: Call, key: bytes) -> str | None:
    if not key:
        return None
    found = call.context.projection.world.profiles.get(key)
    return f"{found.profile.name} {found.profile.version}" if found else key.hex()


def _verb(verb: Verb) -> Literal["read", "write", "pass-on"]:
    if verb is Verb.WRITE:
        return "write"
    return "pass-on" if verb is Verb.PASS_ON else "read"


def _place(statement: Statement | None) -> str | None:
    return ref_text(statement.ref) if statement else None


def _hex(org: bytes | None) -> str | None:
    return org.hex() if org else None


ROUTES = (
    read_access, why, give, preview, read_grant, end, list_profiles, publish_profile, adopt_profile, read_profile,
    issue,
)  # fmt: skip
