"""The meters of a whole side by side."""

from pydantic import BaseModel, Field

from node.passport.catalogs import Catalog
from node.passport.ids import SubjectId, format_device_id
from node.services.access import Scope
from node.services.meters import Meter, MetersPage, Place, Register
from node.web.api.moments import today
from node.web.api.passports import PassportPath, subject_of
from node.web.api.readings import obis_of, title_of
from node.web.calls import Call, Page, PageQuery
from node.web.passport_words import named
from node.web.routes import api
from node.web.tables import meters as tables


class RegisterAnswer(BaseModel):
    """The last believed value of a series, or its last where none is."""

    quantity: str
    title: str = Field(description="What the catalog of parameters calls it, in the language of the request.")
    obis: str = Field(description="By the mapping, else by the catalog and what the meter measures; may be empty.")
    said: str = Field(description="What its driver called it: another name than `quantity` where that was mapped.")
    channel: int
    storage: str
    tariff: int
    value: str
    unit: str
    is_common: bool = Field(description="Whether it is in the unit that the catalog has for the code, as with others.")
    at_us: int
    status: str
    latest: str = Field(description="How far the last value is believed: it is another one where this is not `status`.")


class MeterRow(BaseModel):
    """A meter that stands inside, by its passport, and what was read of it."""

    id: str
    title: str
    kind: str
    maker: str
    type: str
    model: str
    serial: str
    medium: str = Field(description="heat, hot_water, cold_water, electricity, gas or another; empty if not known.")
    media: list[str] = Field(description="All that it measures.")
    path: list[str] = Field(description="The wholes that it stands in, the one that was asked for first.")
    position: str
    driver: str = Field(description="What read the last value, else what would read the meter; empty where none does.")
    heard_us: int | None = Field(description="When it was heard last; null where it never was.")
    status: str | None = Field(description="How far its last value is believed; null where nothing was read.")
    frame: str | None = Field(description="What became of the last frame of its own radio.")
    why: str | None = Field(description="Why that frame was not read.")
    registers: list[RegisterAnswer] = Field(description="Those with a code of the catalog, current ones first.")
    unmapped: list[RegisterAnswer] = Field(description="Those that only their driver has a name for.")
    bytes_left: dict[str, str] = Field(description="What no document explains in the frame of the last value.")


class MetersAnswer(Page[MeterRow]):
    """Meters by medium and title; `counts` are how many there are of each medium."""

    counts: dict[str, int]
    cut: bool = Field(description="Whether more stands inside than was looked at.")


@api("GET", "/passports/{id}/meters", title="Meters of a whole side by side", scopes=[Scope.READ],
     problems=["passport_unknown", "id_mistyped"], table=tables.METERS)  # fmt: skip
async def meters(call: Call, path: PassportPath, query: PageQuery) -> MetersAnswer:
    """Every meter that stands inside now, at any depth; each code in one unit whatever the meter says."""
    found = await find_meters(call, subject_of(path.id), query)
    return MetersAnswer(
        items=[show_meter(call, one) for one in found.items],
        next=call.encode_cursor(*found.more) if found.more else None,
        counts=dict(found.counts),
        cut=found.is_cut,
    )


async def find_meters(call: Call, whole: bytes, query: PageQuery, *, draws: bool = False) -> MetersPage:
    """A page of the meters that stand in a whole today."""
    after: Place | None = None
    if query.cursor:
        rank, medium, title, subject = call.decode_cursor(query.cursor, int, str, str, str)
        after = (int(rank), str(medium), str(title), str(subject))
    return await call.context.meters.inside(whole, today(call).isoformat(), after, query.limit, draws=draws)


def show_meter(call: Call, meter: Meter) -> MeterRow:
    """A meter as the API answers it."""
    return MeterRow(
        id=format_device_id(SubjectId(meter.subject)),
        title=meter.title,
        kind=meter.kind,
        maker=meter.maker,
        type=named(meter.type, Catalog.TYPES, call.language),
        model=meter.model,
        serial=meter.serial,
        medium=meter.medium,
        media=list(meter.media),
        path=[format_device_id(SubjectId(subject)) for subject in meter.path],
        position=meter.position,
        driver=meter.driver,
        heard_us=meter.heard_us,
        status=meter.latest.status if meter.latest else None,
        frame=meter.frame.state.value if meter.frame else None,
        why=meter.why,
        registers=[_register(call, meter, one) for one in meter.registers],
        unmapped=[_register(call, meter, one) for one in meter.others],
        bytes_left=dict(meter.bytes_left),
    )


def _register(call: Call, meter: Meter, register: Register) -> RegisterAnswer:
    reading = register.reading
    return RegisterAnswer(
        quantity=reading.series.quantity,
        title=title_of(call, reading.series.quantity),
        obis=obis_of(call, reading.series, reading.row, meter.media),
        said=reading.row.quantity if reading.row else reading.series.quantity,
        channel=reading.series.channel,
        storage=reading.series.storage,
        tariff=reading.series.tariff,
        value=format(reading.value, "f"),
        unit=reading.unit,
        is_common=register.is_common,
        at_us=reading.effective_us,
        status=reading.status,
        latest=register.latest.status,
    )


ROUTES = (meters,)
