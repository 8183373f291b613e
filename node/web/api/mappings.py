"""The model mapping: which names drivers use, what each means in the central catalog, and editing that."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from node.errors import NotFoundError
from node.passport.catalogs import Catalog
from node.passport.mapping_rules import RowDraft
from node.passport.obis import obis_in
from node.services.access import Scope
from node.services.mapping import ANY, KnownName, Preview
from node.services.readings import StoredReading
from node.web.api.drivers import DriverPath
from node.web.api.readings import ReadingAnswer, show_reading, title_of
from node.web.calls import Call
from node.web.routes import api
from node.web.tables import network as tables

MAX_CHANNEL = 2**31
State = Literal["mapped", "name", "unmapped"]
Typed = Annotated[str, StringConstraints(max_length=64)]


def _written(value: object) -> object:
    """A number of JSON as text: what counts is how it is written."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


class MappingPath(DriverPath):
    """A quantity as a driver names it."""

    quantity: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class ChannelQuery(BaseModel):
    """Of which channel a row is; none is every channel."""

    channel: int | None = Field(default=None, ge=0, le=MAX_CHANNEL)


class MappingInput(ChannelQuery):
    """What a quantity is: value told = value read * scale, converted to the unit where the scale is 1."""

    code: Typed = Field(description="A code of the catalog of parameters.")
    unit: Typed = Field(default="", description="UCUM; empty is the unit of the catalog.")
    obis: Typed = Field(default="", description="A-B:C.D.E*F, where A-B: and *F may be left out.")
    scale: Annotated[Typed, BeforeValidator(_written)] = "1"


class MappingsQuery(BaseModel):
    """Which names: of one driver, in one state, those too that a driver declares and never used here."""

    driver: Annotated[str, StringConstraints(max_length=64)] | None = None
    state: State | None = None
    declared: bool = False


class MappingAnswer(BaseModel):
    """A name of a driver. `state`: mapped by a row, a code of the catalog by its name, or not mapped."""

    driver: str
    driver_name: str | None = Field(description="What the driver is called, where it runs here.")
    quantity: str
    channel: int | None = Field(description="null: every channel that has no row of its own.")
    is_bytes: bool = Field(description="Bytes whose meaning has no document: there is no number to map.")
    read_unit: str | None
    since_us: int | None = Field(description="When it was seen first; null where it never was.")
    frame: int | None = Field(description="The frame in which it was seen first.")
    state: State
    code: str | None
    title: str | None
    unit: str | None
    obis: str | None
    scale: str | None
    row_channel: int | None = Field(description="The channel of its row; null is every one, or no row.")
    changed_us: int | None


class MappingsAnswer(BaseModel):
    """Names of drivers, by driver and quantity."""

    items: list[MappingAnswer]


class PreviewAnswer(BaseModel):
    """The latest reading as the driver said it and as the row would tell it; null where there is none, or no way."""

    code: str
    unit: str
    read: ReadingAnswer | None
    told: ReadingAnswer | None


@api("GET", "/mappings", title="The model mapping", scopes=[Scope.READ], table=tables.MAPPINGS)
async def mappings(call: Call, query: MappingsQuery) -> MappingsAnswer:
    """What drivers named on this node, and what each name means; what is not mapped stands there too."""
    return MappingsAnswer(items=await list_names(call, query))


@api("PUT", "/mappings/{driver}/{quantity}", title="Map a quantity of a driver", scopes=[Scope.ACCESS],
     problems=["mapping_refused", "mapping_row_unknown"])  # fmt: skip
async def put_mapping(call: Call, path: MappingPath, body: MappingInput) -> MappingAnswer:
    """It counts at once, for readings that were stored before too."""
    row = await call.context.mappings.put(draft_of(path, body), call.actor.label)
    found = (one for one in await call.context.mappings.names() if one.row is not None and one.row.row == row)
    if (name := next(found, None)) is None:  # somebody dropped it meanwhile
        raise NotFoundError("there is no such row of the mapping", "mapping_row_unknown")
    return show_name(call, name)


@api("DELETE", "/mappings/{driver}/{quantity}", title="Map a quantity no more", scopes=[Scope.ACCESS], status=204,
     problems=["mapping_row_unknown"])  # fmt: skip
async def drop_mapping(call: Call, path: MappingPath, query: ChannelQuery) -> None:
    """Its readings go by the driver's own name again."""
    await call.context.mappings.drop(path.driver, path.quantity, query.channel, call.actor.label)


@api("POST", "/mappings/{driver}/{quantity}/preview", title="What a mapping would make of a reading",
     scopes=[Scope.READ, Scope.ACCESS], problems=["mapping_refused"])  # fmt: skip
async def preview_mapping(call: Call, path: MappingPath, body: MappingInput) -> PreviewAnswer:
    """Nothing is changed."""
    return show_preview(call, await call.context.mappings.preview(draft_of(path, body)))


def draft_of(path: MappingPath, body: MappingInput) -> RowDraft:
    """A row as it was sent."""
    return RowDraft(path.driver, path.quantity, body.code, body.channel, body.unit, body.obis, body.scale)


async def list_names(call: Call, query: MappingsQuery) -> list[MappingAnswer]:
    """The names that are asked for."""
    return [
        show_name(call, one)
        for one in await call.context.mappings.names()
        if query.driver in (None, one.driver)
        and query.state in (None, one.state.value)
        and (query.declared or one.seen is not None or one.row is not None)
    ]


def show_name(call: Call, one: KnownName) -> MappingAnswer:
    """A name of a driver as the API answers it."""
    row = one.row.row if one.row else None
    item = call.context.drivers.registry.find(one.driver)
    code = row.code if row else one.quantity if one.state == "name" else None
    record = call.context.releases.records(Catalog.PARAMETERS).get(code or "", {})
    return MappingAnswer(
        driver=one.driver,
        driver_name=item.driver.descriptor.name if item else None,
        quantity=one.quantity,
        channel=None if one.channel == ANY else one.channel,
        is_bytes=one.is_bytes,
        read_unit=one.unit or None,
        since_us=one.seen.first_us if one.seen else None,
        frame=one.seen.frame_id if one.seen else None,
        state=one.state.value,
        code=code,
        title=title_of(call, code) if code else None,
        unit=row.unit if row else one.unit if code else None,
        obis=((row.obis if row else "") or obis_in(record)) if code else None,
        scale=(format(row.scale, "f") if row else "1") if code else None,
        row_channel=row.channel if row and row.channel != ANY else None,
        changed_us=one.row.changed_us if one.row else None,
    )


def show_preview(call: Call, preview: Preview) -> PreviewAnswer:
    """A preview as the API answers it."""
    return PreviewAnswer(
        code=preview.row.code,
        unit=preview.row.unit,
        read=_reading(call, preview.read),
        told=_reading(call, preview.told),
    )


def _reading(call: Call, reading: StoredReading | None) -> ReadingAnswer | None:
    return None if reading is None else show_reading(call, reading)


ROUTES = (mappings, put_mapping, drop_mapping, preview_mapping)
