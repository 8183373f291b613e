"""Readings of a device: its series, each with its latest value, and values by time."""

from collections.abc import Collection

from pydantic import BaseModel, Field

from drivers.mapping import MappingRow
from node.passport.catalogs import Catalog, name_in
from node.passport.obis import obis_in, of_tariff
from node.passport.shown import text
from node.passport.view import View
from node.services.access import Scope
from node.services.attribution import is_contested
from node.services.readings import Series, StoredReading
from node.web.api.fields import Text
from node.web.api.passports import PassportPath, subject_of
from node.web.calls import Call
from node.web.routes import Limit, api
from node.web.tables import network as tables

LARGEST_US = 2**53
MAX_VALUES = 10_000


class SeriesAnswer(BaseModel):
    """One observed quantity of a device, with its latest value."""

    channel: int
    quantity: str
    title: str = Field(description="What the catalog of parameters calls it, in the language of the request.")
    obis: str = Field(description="By the mapping, else by the catalog and what the device measures; may be empty.")
    storage: str
    tariff: int
    value: str | None
    unit: str | None
    at_us: int | None
    status: str | None


class SeriesListAnswer(BaseModel):
    """What is observed of a device; `contested` where it is asked whether that is two devices: frames wait then."""

    items: list[SeriesAnswer]
    contested: bool


class ReadingsQuery(BaseModel):
    """Which readings: times in microseconds, `since` included, `until` excluded."""

    quantity: Text | None = Field(
        default=None,
        description="A code of the catalog, or a driver's own name that is not mapped. Nothing means all.",
    )
    since: int = Field(default=0, ge=0, le=LARGEST_US)
    until: int = Field(default=LARGEST_US, ge=0, le=LARGEST_US)
    limit: int = Field(default=1000, ge=1, le=MAX_VALUES)


class ReadingAnswer(BaseModel):
    """One value: decimal text and UCUM unit; `reasons` say why it is not ok."""

    quantity: str
    title: str = Field(description="What the catalog of parameters calls it, in the language of the request.")
    obis: str = Field(description="By the mapping, else by the catalog and what the device measures; may be empty.")
    said: str = Field(description="What its driver called it: another name than `quantity` where that was mapped.")
    channel: int
    storage: str
    tariff: int
    at_us: int
    value: str
    unit: str
    status: str
    time_source: str
    received_us: int
    reasons: list[str]
    alarms: list[str]
    driver: str
    frame: int


class ReadingsAnswer(BaseModel):
    """Values by time; `next_since` is the `since` of the next question, null at the end.

    `contested` where it is asked whether the device is two: no total is made of them until somebody decides.
    """

    items: list[ReadingAnswer]
    contested: bool
    next_since: int | None


@api("GET", "/passports/{id}/series", title="What is observed of a device", scopes=[Scope.READ], limit=Limit.PASSPORT,
     table=tables.SERIES)  # fmt: skip
async def series(call: Call, path: PassportPath) -> SeriesListAnswer:
    """Each series with its latest value."""
    passport = await call.context.registry.get(subject_of(path.id), whole=False)
    found = await call.context.readings.series(passport.subject)
    media = media_of(call, passport.content)
    return SeriesListAnswer(
        items=[show_series(call, one, last, media) for one, last in found], contested=is_contested(passport.content)
    )


@api("GET", "/passports/{id}/readings", title="Readings of a device", scopes=[Scope.READ], limit=Limit.PASSPORT,
     table=tables.READINGS)  # fmt: skip
async def readings(call: Call, path: PassportPath, query: ReadingsQuery) -> ReadingsAnswer:
    """The values of one quantity or of all, oldest first."""
    passport = await call.context.registry.get(subject_of(path.id), whole=False)
    found, more = await call.context.readings.values(
        passport.subject, query.quantity, query.since, query.until, query.limit
    )
    media = media_of(call, passport.content)
    items = [show_reading(call, reading, media) for reading in found]
    return ReadingsAnswer(items=items, next_since=more, contested=is_contested(passport.content))


def show_series(call: Call, one: Series, last: StoredReading | None, media: Collection[str] = ()) -> SeriesAnswer:
    """A series as the API answers it; `media` are what the device measures."""
    return SeriesAnswer(
        channel=one.channel,
        quantity=one.quantity,
        title=title_of(call, one.quantity),
        obis=obis_of(call, one, last.row if last else None, media),
        storage=one.storage,
        tariff=one.tariff,
        value=format(last.value, "f") if last else None,
        unit=last.unit if last else None,
        at_us=last.effective_us if last else None,
        status=last.status if last else None,
    )


def show_reading(call: Call, reading: StoredReading, media: Collection[str] = ()) -> ReadingAnswer:
    """A reading as the API answers it; `media` are what the device measures."""
    return ReadingAnswer(
        quantity=reading.series.quantity,
        title=title_of(call, reading.series.quantity),
        obis=obis_of(call, reading.series, reading.row, media),
        said=reading.row.quantity if reading.row else reading.series.quantity,
        channel=reading.series.channel,
        storage=reading.series.storage,
        tariff=reading.series.tariff,
        at_us=reading.effective_us,
        value=format(reading.value, "f"),
        unit=reading.unit,
        status=reading.status,
        time_source=reading.time_source,
        received_us=reading.received_us,
        reasons=[code for code, _ in reading.reasons],
        alarms=list(reading.alarms),
        driver=reading.driver_hash.hex(),
        frame=reading.frame_id,
    )


def title_of(call: Call, quantity: str) -> str:
    """What the catalog that this node works with calls what a driver reads, in the language of the request."""
    record = call.context.releases.records(Catalog.PARAMETERS).get(quantity, {})
    return name_in(record, call.language) or name_in(record, "ru") or quantity


def obis_of(call: Call, series: Series, row: MappingRow | None, media: Collection[str]) -> str:
    """The OBIS code of a series: the mapping's, else the catalog's for what the device measures."""
    record = call.context.releases.records(Catalog.PARAMETERS).get(series.quantity, {})
    return of_tariff((row.obis if row else "") or obis_in(record, media), series.tariff)


def media_of(call: Call, content: View) -> Collection[str]:
    """What a device measures, by its type: cold_water, heat, electricity."""
    kind = call.context.releases.types().get(text(content, "type", "central"))
    return kind.resources if kind else ()


ROUTES = (series, readings)
