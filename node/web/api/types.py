"""Passports of types: the card with approval and validity, versions, and of which version a device is."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from drivers.descriptor import Capability
from drivers.registry import Installed
from node.errors import InputError
from node.passport.bodies import TypeBody
from node.passport.catalogs import Catalog, Json
from node.passport.ids import format_device_id
from node.passport.publications import Published
from node.passport.type_passports import TypeVersion
from node.services.access import Scope
from node.services.types import TypeCard
from node.web.api.drivers import show_range
from node.web.api.fields import Line, Text
from node.web.api.passports import PassportPath, subject_of
from node.web.api.plain import exact, plain
from node.web.calls import Call
from node.web.routes import api
from node.web.tables import catalogs as tables


class TypePath(BaseModel):
    """One type, by its central code, an own code that is bound to it, or its id."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=128)]


class ExecutionRow(BaseModel):
    """An execution under the model, with the parameters that it fills in."""

    code: str
    defaults: dict[str, Any]  # Any: values of parameters, plain JSON


class VersionRow(BaseModel):
    """A version of a type: documents, firmware builds with hashes, prototypes, the kit of parts."""

    version: str
    since: str | None
    note: str | None
    by: str
    documents: list[dict[str, Any]]  # Any: rows of the signed record, plain JSON
    firmware: list[dict[str, Any]]  # Any: the same
    prototypes: list[dict[str, Any]]  # Any: the same
    kit: list[dict[str, Any]]  # Any: the same


class TypeRow(BaseModel):
    """A type in a list."""

    code: str
    name: str
    model: str
    approval: str
    approval_state: str = Field(description="valid, ended, not-yet, or open where nobody stated dates.")
    devices: int
    versions: int


class TypesAnswer(BaseModel):
    """The types that this node works with."""

    items: list[TypeRow]


class TypeReader(BaseModel):
    """A driver that reads devices of the type, and what of time their protocol offers by it."""

    driver: str
    version: str
    name: str
    firmware: str
    capabilities: list[Capability]
    keeps_time: bool = Field(
        description="Whether the meter's clock can be read and set. Else, in doubt, the time of receipt counts."
    )


class TypeAnswer(BaseModel):
    """The card of a type."""

    code: str
    own: list[str]
    id: str = Field(description="The id of the type as a subject.")
    name: str
    model: str
    approval: str
    valid_from: str | None
    valid_until: str | None
    approval_state: str
    interval_months: int
    resources: list[str]
    driver: str | None
    readers: list[TypeReader] = Field(description="The drivers of this node that are for it.")
    executions: list[ExecutionRow]
    versions: list[VersionRow]
    publisher: str | None
    release: int | None
    devices: int


class TypeInput(BaseModel):
    """The record of a type, as the catalog of types has them."""

    record: dict[str, Any]  # Any: checked against the catalog's rules, which name field and rule


class VersionInput(BaseModel):
    """A version of a type."""

    version: Line
    since: str | None = None
    note: Line | None = None
    documents: list[dict[str, Any]] = []  # Any: checked against the model of the signed record
    firmware: list[dict[str, Any]] = []  # Any: the same
    prototypes: list[dict[str, Any]] = []  # Any: the same
    kit: list[dict[str, Any]] = Field(
        default=[],  # Any: the same
        description="Parts by `position` and `designation`, with `quantity`, `optional` and `alternates`.",
    )


class CountsAnswer(BaseModel):
    """Whether what was published counts: its publisher is an attested maker, or a steward."""

    code: str
    counts: bool


class TypeStatement(BaseModel):
    """Of which type a device is: own or central code, execution, version."""

    type: Text
    model: Line | None = None
    execution: Line | None = None
    version: Line | None = None


class TypeSaid(BaseModel):
    """What was said, with both codes of the type."""

    id: str
    local: str | None
    central: str | None


@api("GET", "/types", title="Types", scopes=[Scope.READ], table=tables.TYPES)
async def list_types(call: Call) -> TypesAnswer:
    """Every type with its approval, versions and how many devices there are of it."""
    return TypesAnswer(items=[_row(call, card) for card in await call.context.types.cards()])


@api("GET", "/types/{code}", title="The card of a type", scopes=[Scope.READ],
     problems=["type_unknown", "id_mistyped"])  # fmt: skip
async def read_type(call: Call, path: TypePath) -> TypeAnswer:
    """Approval with its validity, executions with what they fill in, versions, and devices of it."""
    return await type_answer(call, path.code)


@api("POST", "/types", title="Publish a type", scopes=[Scope.RECORD], status=201,
     problems=["catalog_refused", "type_refused", "type_taken"])  # fmt: skip
async def publish_type(call: Call, body: TypeInput) -> CountsAnswer:
    """It may stand before the first device; a later record of the same publisher takes its place."""
    record = exact(body.record)
    if not isinstance(record, dict):
        raise InputError("a record is an object", "type_refused")
    counts = await call.context.types.publish(record, call.actor.label)
    return CountsAnswer(code=str(record["code"]), counts=counts)


@api("POST", "/types/{code}/versions", title="Publish a version of a type", scopes=[Scope.RECORD], status=201,
     problems=["type_unknown", "type_refused", "type_version_taken"])  # fmt: skip
async def publish_version(call: Call, path: TypePath, body: VersionInput) -> CountsAnswer:
    """A version never changes: what is built otherwise is another version."""
    said = body.model_dump(exclude_none=True)
    return CountsAnswer(
        code=path.code, counts=await call.context.types.publish_version(path.code, said, call.actor.label)
    )


@api("POST", "/passports/{id}/type", title="State of which type a device is", scopes=[Scope.RECORD], status=201,
     problems=["passport_unknown", "id_mistyped", "catalog_rule"])  # fmt: skip
async def state_type(call: Call, path: PassportPath, body: TypeStatement) -> TypeSaid:
    """The type by own or central code, its execution, and the exact version."""
    entry = call.context.entry
    reference = entry.refer(Catalog.TYPES, body.type)
    said = TypeBody(type=reference, model=body.model, execution=body.execution, version=body.version)
    entry.check_type(said)
    await call.context.types.state(subject_of(path.id), said, call.actor.label)
    both = entry.both(Catalog.TYPES.value, reference, call.language)
    return TypeSaid(id=path.id, local=both.local, central=both.central)


async def type_answer(call: Call, code: str) -> TypeAnswer:
    """The card of a type by its central code, or by an own code that is bound to it."""
    known = call.context.own_codes.known(Catalog.TYPES.value)
    central = known[code].central if code in known and known[code].central else code
    card = await call.context.types.card(str(central))
    kind = card.kind
    return TypeAnswer(
        code=kind.code,
        own=sorted(local for local, own in known.items() if own.central == kind.code),
        id=format_device_id(card.subject),
        name=_name(call, card),
        model=kind.model,
        approval=str(kind.approval),
        valid_from=kind.valid_from,
        valid_until=kind.valid_until,
        approval_state=card.approval_state,
        interval_months=kind.interval_months,
        resources=list(kind.resources),
        driver=kind.driver,
        readers=[_reader(item) for item in call.context.drivers.registry.for_type(kind.code, kind.model, kind.driver)],
        executions=[ExecutionRow(code=name, defaults=_shown(values)) for name, values in card.executions.items()],
        versions=[_version(item) for item in card.versions],
        publisher=card.publisher.hex() if card.publisher else None,
        release=card.release,
        devices=card.devices,
    )


def _reader(item: Installed) -> TypeReader:
    text = item.driver.descriptor
    return TypeReader(
        driver=text.id,
        version=text.version,
        name=text.name,
        firmware=show_range(text.applies_to.firmware),
        capabilities=list(text.capabilities),
        keeps_time={Capability.TIME_READ, Capability.TIME_SET} <= set(text.capabilities),
    )


def _row(call: Call, card: TypeCard) -> TypeRow:
    return TypeRow(
        code=card.kind.code,
        name=_name(call, card),
        model=card.kind.model,
        approval=str(card.kind.approval),
        approval_state=card.approval_state,
        devices=card.devices,
        versions=len(card.versions),
    )


def _name(call: Call, card: TypeCard) -> str:
    return card.kind.name_ru if call.language == "ru" else card.kind.name_en or card.kind.name_ru


def _shown(values: "dict[str, Json] | Any") -> dict[str, Any]:  # Any: plain JSON
    found: dict[str, Any] = plain(values)
    return found


def _version(item: Published[TypeVersion]) -> VersionRow:
    said = item.record.model_dump(mode="json")
    return VersionRow(
        version=item.record.version,
        since=item.record.since,
        note=item.record.note,
        by=item.org.hex(),
        documents=list(said["documents"]),
        firmware=list(said["firmware"]),
        prototypes=list(said["prototypes"]),
        kit=list(said["kit"]),
    )


ROUTES = (list_types, read_type, publish_type, publish_version, state_type)
