"""The directory of organisations: each company once by its number, with its spellings, ids and keys."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from node.passport.errors import NumberError
from node.passport.numbers import parse_inn, parse_ogrn
from node.passport.organisations import Company
from node.services.access import Scope
from node.services.organisations import Named, OrganisationKeys
from node.web.api.fields import Hex16, Line
from node.web.calls import Call
from node.web.routes import Limit, api
from node.web.tables import network as tables


def _not_a_number(what: str) -> PydanticCustomError:
    return PydanticCustomError("register_number", "not an {what}", {"what": what})


def _inn(text: str) -> str:
    try:
        return parse_inn(text)
    except NumberError as error:
        raise _not_a_number("ИНН") from error


def _ogrn(text: str) -> str:
    try:
        return parse_ogrn(text)
    except NumberError as error:
        raise _not_a_number("ОГРН") from error


Inn = Annotated[str, StringConstraints(strip_whitespace=True, max_length=16), AfterValidator(_inn)]
Ogrn = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20), AfterValidator(_ogrn)]


class NodeKeyAnswer(BaseModel):
    """A node of an organisation and the key with which it signs, in hex; `ended` where it may sign no longer."""

    node: Hex16
    key: str
    ended: bool


class MemberAnswer(BaseModel):
    """One id under which the company is a member, what anchors attest of it, and its keys."""

    org: Hex16
    name: str
    attested: list[str] = Field(description="What anchors say of it: number, maker, accreditation and so on.")
    root_key: str | None
    nodes: list[NodeKeyAnswer]


class OrganisationAnswer(BaseModel):
    """A company: one by its ИНН, else by its ОГРН, whatever its spelling."""

    key: str = Field(description="`inn:7707083893`, else `ogrn:`, or `org:` and `name:` where no number is known.")
    org: Hex16 | None = Field(description="Its first id; null where it is no member.")
    orgs: list[Hex16] = Field(description="Every id under which it is a member.")
    name: str
    names: list[str] = Field(description="Every spelling.")
    kind: str | None
    place: str | None
    inn: str | None
    ogrn: str | None
    attested: list[str] = Field(description="What anchors say of it: number, maker, accreditation and so on.")
    contested: bool = Field(description="Whether it states a number that is attested to another.")
    sources: list[Literal["card", "named", "supplier", "line"]] = Field(description="Where its names stand.")
    alike: list[str] = Field(description="Keys of companies with the same name.")
    own: bool = Field(description="Whether it is the one that this node speaks for.")
    members: list[MemberAnswer]


class OrganisationsAnswer(BaseModel):
    """Companies by name."""

    items: list[OrganisationAnswer]


class OrganisationsQuery(BaseModel):
    """Which companies; nothing means all."""

    q: str = Field(default="", max_length=128, description="Words of a spelling, or the beginning of a number.")


class NamedInput(BaseModel):
    """A company as papers here call it, with a number of it at least."""

    name: Line
    inn: Inn | None = None
    ogrn: Ogrn | None = None

    @model_validator(mode="after")
    def _has_number(self) -> Self:
        if not (self.inn or self.ogrn):
            raise PydanticCustomError("number_missing", "an ИНН or an ОГРН is needed")
        return self


class NamedBody(BaseModel):
    """Companies to be named; of one number there may be several spellings."""

    items: list[NamedInput] = Field(min_length=1, max_length=5000)


class NamedAnswer(BaseModel):
    """How many names were new, and how many were kept already."""

    taken: int
    known: int


class NamedRow(BaseModel):
    """A name that people here gave."""

    id: str
    name: str
    inn: str | None
    ogrn: str | None


class NamedRows(BaseModel):
    """Every name that people here gave."""

    items: list[NamedRow]


class NamePath(BaseModel):
    """One name that people here gave."""

    name: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


@api("GET", "/organisations", title="Organisations", scopes=[Scope.READ], limit=Limit.NONE, table=tables.ORGANISATIONS)
async def list_organisations(call: Call, query: OrganisationsQuery) -> OrganisationsAnswer:
    """Members by their cards, those whom people here, suppliers and serial lines name: each company once."""
    return OrganisationsAnswer(items=await find_organisations(call, query.q))


@api("GET", "/organisations/names", title="Names that were given here", scopes=[Scope.READ],
     table=tables.ORGANISATION_NAMES)  # fmt: skip
async def list_names(call: Call) -> NamedRows:
    """They stay on this node: whom an organisation deals with is its own business."""
    named = await call.context.organisations.named()
    return NamedRows(items=[NamedRow(id=one.id, name=one.name, inn=one.inn, ogrn=one.ogrn) for one in named])


@api("POST", "/organisations/names", title="Name companies by their numbers", scopes=[Scope.RECORD], status=201,
     problems=["organisations_too_many"])  # fmt: skip
async def name_organisations(call: Call, body: NamedBody) -> NamedAnswer:
    """All of them or none; a spelling with the number of a known company is that company from now on."""
    items = {one.id: one for one in (Named(item.name, item.inn, item.ogrn) for item in body.items)}
    taken = await call.context.organisations.name(list(items.values()), call.actor.label)
    return NamedAnswer(taken=taken, known=len(items) - taken)


@api("DELETE", "/organisations/names/{name}", title="Forget a name", scopes=[Scope.RECORD], status=204,
     problems=["organisation_unknown"])  # fmt: skip
async def forget_name(call: Call, path: NamePath) -> None:
    """What members say of themselves stays."""
    await call.context.organisations.forget(path.name, call.actor.label)


async def find_organisations(call: Call, text: str = "") -> list[OrganisationAnswer]:
    """Companies by name: all, or those that a text means."""
    directory, keys = await call.context.organisations.directory(), await call.context.organisations.keys()
    return [_answer(call, company, keys) for company in directory.search(text)]


def _answer(call: Call, company: Company, keys: dict[bytes, OrganisationKeys]) -> OrganisationAnswer:
    world, own = call.context.projection.world, call.context.core.org
    # The own id stands first.
    orgs = sorted(company.orgs, key=lambda org: org != own)
    card = world.cards[orgs[0]] if orgs else None
    attested = {org: [held.what.name.lower() for held in world.attestations.of(org)] for org in orgs}
    return OrganisationAnswer(
        key=company.key,
        org=orgs[0].hex() if orgs else None,
        orgs=[org.hex() for org in orgs],
        name=company.name,
        names=[*company.names],
        kind=card.kind if card else None,
        place=card.place if card else None,
        inn=company.inn,
        ogrn=company.ogrn,
        attested=list(dict.fromkeys(what for org in orgs for what in attested[org])),
        contested=company.is_contested,
        sources=[source.value for source in company.sources],
        alike=[*company.alike],
        own=own in company.orgs,
        members=[_member(org, world.cards[org].name, attested[org], keys.get(org)) for org in orgs],
    )


def _member(org: bytes, name: str, attested: list[str], keys: OrganisationKeys | None) -> MemberAnswer:
    nodes = keys.nodes if keys else ()
    return MemberAnswer(
        org=org.hex(),
        name=name,
        attested=attested,
        root_key=keys.root.hex() if keys else None,
        nodes=[NodeKeyAnswer(node=one.node.hex(), key=one.sign_key.hex(), ended=one.is_ended) for one in nodes],
    )


ROUTES = [list_organisations, list_names, name_organisations, forget_name]
