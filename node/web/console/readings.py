"""Readings of a device: one series over a time as a plot, and as a table, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote, urlencode

from aiohttp import web
from pydantic import BaseModel, Field

from node.errors import InputError
from node.passport.catalogs import Catalog
from node.passport.ids import SubjectId, format_device_id
from node.services.access import Scope
from node.services.readings import Series, StoredReading, micros
from node.web.api.fields import IsoDay
from node.web.api.passports import PassportPath
from node.web.api.readings import LARGEST_US, media_of, obis_of, title_of
from node.web.calls import Call, View
from node.web.dispatch import redirect_in_page
from node.web.languages import mark
from node.web.routes import page

TITLE = mark("Readings")
SHOWN = 100
DAY_US = 86_400_000_000
SPANS = {"day": (1, mark("Day")), "week": (7, mark("Week")), "month": (31, mark("Month")), "year": (366, mark("Year"))}
FIRST_SPAN = "month"


class ReadingsPageQuery(BaseModel):
    """Which series, and of which time: microseconds as `GET /passports/{id}/readings` has them, or whole days."""

    quantity: str | None = Field(default=None, max_length=200)
    channel: int = Field(default=0, ge=0, le=2**31)
    storage: str = Field(default="current", max_length=32)
    tariff: int = Field(default=0, ge=0, le=2**31)
    since: int | None = Field(default=None, ge=0, le=LARGEST_US)
    until: int | None = Field(default=None, ge=0, le=LARGEST_US)
    first: IsoDay | None = None
    last: IsoDay | None = None
    before: int | None = Field(default=None, ge=0, le=LARGEST_US)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page is of: a series, from `since` up to `until`, microseconds."""

    place: str
    series: Series
    since: int
    until: int

    def address(self, **changed: int) -> str:
        """The page of the same series at another time."""
        asked = {
            "quantity": self.series.quantity,
            "channel": self.series.channel,
            "storage": self.series.storage,
            "tariff": self.series.tariff,
            "since": self.since,
            "until": self.until,
        }
        return f"{self.place}?{urlencode(asked | changed)}"


@page("GET", "/devices/{id}/readings", title=TITLE, scopes=[Scope.READ], api="GET /passports/{id}/readings")
async def readings(call: Call, path: PassportPath, query: ReadingsPageQuery) -> View | web.Response:
    """Without a time: the last month in which there is anything."""
    stored = await call.context.registry.get(path.subject, whole=False)
    device = format_device_id(SubjectId(stored.subject))
    place = f"/devices/{device}/readings"
    found = dict(await call.context.readings.series(stored.subject))
    series = _chosen(query, list(found))
    if series is None:
        return View("readings.html", id=device, device=stored.title or device, series=[*found], shown=None)
    newest = found[series].effective_us
    if query.first or query.last:
        return redirect_in_page(call, _of_days(Shown(place, series, 0, newest + 1), query.first, query.last))
    until = query.until if query.until is not None else newest + 1
    days, _ = SPANS[FIRST_SPAN]
    since = query.since if query.since is not None else max(0, until - days * DAY_US)
    shown = Shown(place, series, since, until)
    drawn = await call.context.readings.drawn(stored.subject, series, since, until, found[series].unit)
    before = until if query.before is None else min(until, query.before)
    rows, more = await call.context.readings.newest(stored.subject, series, since, before, SHOWN)
    drivers = await call.context.drivers.names()
    replaced = [one for _, one in await call.context.readings.superseded(stored.subject, SHOWN)]
    return View(
        "readings.html",
        id=device,
        device=stored.title or device,
        shown=shown,
        title_of=title_of(call, series.quantity),
        series=[
            (one, title_of(call, one.quantity), Shown(place, one, since, until).address(), last)
            for one, last in found.items()
        ],
        spans=[
            (name, word, shown.address(since=max(0, until - days * DAY_US))) for name, (days, word) in SPANS.items()
        ],
        span=next((name for name, (days, _) in SPANS.items() if until - since == days * DAY_US), None),
        all_of_it=shown.address(since=0, until=newest + 1),
        earlier=shown.address(since=max(0, 2 * since - until), until=since) if since else None,
        later=shown.address(since=until, until=2 * until - since) if until <= newest else None,
        first=_day(since),
        last=_day(until - 1),
        points=[[point.effective_us / 1e6 for point in drawn], [float(point.value) for point in drawn]],
        unit=found[series].unit,
        rows=rows,
        drivers=drivers,
        replaced=[(one, title_of(call, one.reading.series.quantity)) for one in replaced],
        may_redecode=call.actor.may([Scope.RADIO]),
        older=shown.address(before=more) if more else None,
        is_first=query.before is None,
        obis=obis_of(call, series, found[series].row, media_of(call, stored.content)),
        to_map=_to_map(call, found[series]),
    )


def _chosen(query: ReadingsPageQuery, known: Sequence[Series]) -> Series | None:
    """What is asked for, else what the device is there for: the first series that is not of the device itself."""
    if query.quantity is not None:
        asked = Series(query.channel, query.quantity, query.storage, query.tariff)
        return asked if asked in known else None
    return next((one for one in known if one.channel), known[0] if known else None)


def _to_map(call: Call, last: StoredReading) -> str | None:
    """Where one says what a name means that is neither a code of the catalog nor mapped."""
    quantity = last.series.quantity
    item = call.context.drivers.registry.find_by_hash(last.driver_hash)
    if last.row is not None or quantity in call.context.releases.records(Catalog.PARAMETERS):
        return None
    if item is None or not call.actor.may([Scope.ACCESS]):
        return "/mapping?show=unmapped"
    return f"/mapping/{item.driver.descriptor.id}/{quote(quantity, safe='')}?channel={last.series.channel}"


def _of_days(shown: Shown, first: date | None, last: date | None) -> str:
    since = _begin_us(first) if first else shown.since
    until = _begin_us(last) + DAY_US if last else shown.until
    if since >= until:
        raise InputError("the first day is after the last", "days_reversed")
    return shown.address(since=since, until=until)


def _begin_us(day: date) -> int:
    return micros(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _day(moment_us: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment_us)).date().isoformat()


ROUTES = (readings,)
