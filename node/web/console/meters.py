"""Meters of a unit side by side: those of each medium in one table, whose columns have one unit for all of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from node.passport.ids import SubjectId, format_device_id
from node.services.access import Scope
from node.services.meters import Meter
from node.web.api.meters import MeterRow, RegisterAnswer, find_meters, show_meter
from node.web.api.passports import PassportPath
from node.web.api.readings import title_of
from node.web.calls import Call, PageQuery, View
from node.web.languages import mark
from node.web.routes import page

TITLE = mark("Meters of the unit side by side")
SHOWN = 50
COLUMNS = 3
FEW = 6  # registers without a code that stand there without being asked for


class MetersPageQuery(BaseModel):
    """Where the page begins."""

    cursor: str | None = Field(default=None, max_length=4096)


@dataclass(frozen=True, slots=True)
class Line:
    """A meter in its table: the registers of each column, those of none, and its plot: seconds and values."""

    meter: MeterRow
    inside: str
    cells: Sequence[Sequence[RegisterAnswer]]
    rest: Sequence[RegisterAnswer]
    label: str
    unit: str
    points: Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Group:
    """The meters of a medium on this page; `columns` are a title and a unit each, `count` is of all pages."""

    medium: str
    count: int
    columns: Sequence[RegisterAnswer]
    lines: Sequence[Line]


@page("GET", "/devices/{id}/meters", title=TITLE, scopes=[Scope.READ], api="GET /passports/{id}/meters")
async def meters(call: Call, path: PassportPath, query: MetersPageQuery) -> View:
    """Each with who made it, what reads it, when it was heard, and its last values."""
    whole = await call.context.registry.get(path.subject, whole=False)
    found = await find_meters(call, whole.subject, PageQuery(limit=SHOWN, cursor=query.cursor), draws=True)
    titles = await call.context.assembly.titles({subject for one in found.items for subject in one.path})
    shown = [(one, show_meter(call, one)) for one in found.items]
    device = format_device_id(SubjectId(whole.subject))
    place = f"/devices/{device}/meters"
    return View(
        "meters.html",
        id=device,
        whole=whole.title or device,
        groups=[
            _group(call, medium, found.counts[medium], list(few), titles)
            for medium, few in groupby(shown, key=lambda item: item[0].medium)
        ],
        total=sum(found.counts.values()),
        counts=found.counts,
        few=FEW,
        is_cut=found.is_cut,
        first=place if query.cursor else None,
        more=f"{place}?{urlencode({'cursor': call.encode_cursor(*found.more)})}" if found.more else None,
        address=_address,
    )


def _group(
    call: Call, medium: str, count: int, meters: Sequence[tuple[Meter, MeterRow]], titles: dict[bytes, str]
) -> Group:
    columns = _columns(row for _, row in meters)
    return Group(medium, count, columns, [_line(call, meter, row, columns, titles) for meter, row in meters])


def _columns(rows: Iterable[MeterRow]) -> list[RegisterAnswer]:
    """A register of each of the codes that most meters of the table have."""
    found = [{one.quantity: one for one in row.registers if _is_total(one)} for row in rows]
    having = Counter(code for registers in found for code in registers)
    told = {code: one for registers in found for code, one in registers.items()}
    return [told[code] for code, _ in having.most_common(COLUMNS)]


def _line(call: Call, meter: Meter, row: MeterRow, columns: Sequence[RegisterAnswer], titles: dict[bytes, str]) -> Line:
    cells = [[one for one in row.registers if _is_total(one) and one.quantity == of.quantity] for of in columns]
    placed = {id(one) for cell in cells for one in cell}
    return Line(
        meter=row,
        inside=" → ".join(
            titles.get(subject, "") or format_device_id(SubjectId(subject)) for subject in meter.path[1:]
        ),
        cells=cells,
        rest=[one for one in row.registers if id(one) not in placed],
        label=title_of(call, meter.drawn.series.quantity) if meter.drawn else "",
        unit=meter.drawn.unit if meter.drawn else "",
        points=[[point.effective_us / 1e6 for point in meter.points], [float(point.value) for point in meter.points]],
    )


def _is_total(register: RegisterAnswer) -> bool:
    """Whether it belongs into a column: the meter's own current total, in the unit that all share."""
    return register.is_common and register.storage == "current" and not register.tariff


def _address(meter: MeterRow, register: RegisterAnswer) -> str:
    """The page of a register's values."""
    asked = {name: getattr(register, name) for name in ("quantity", "channel", "storage", "tariff")}
    return f"/devices/{meter.id}/readings?{urlencode(asked)}"


ROUTES = (meters,)
