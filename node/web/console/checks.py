"""The page that checks a table: a file in, how it was understood with columns to correct, and what is wrong with it."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, Field, StringConstraints

from node.errors import InputError, NodeError
from node.exchange.fleet.columns import Why
from node.exchange.fleet.fields import NAMES
from node.exchange.fleet.fields import Field as FleetField
from node.exchange.fleet.intake import ELSEWHERE
from node.exchange.fleet.mapping import FleetMapping, parse_field
from node.exchange.fleet.outcome import FleetReport
from node.exchange.fleet.report import report_json
from node.exchange.fleet.rules import RULES
from node.services.access import Scope
from node.services.checkup import Check
from node.web.api.checks import CheckPath, owner_of
from node.web.api.imports import MAX_FILE
from node.web.binding import Upload
from node.web.calls import Call, View
from node.web.dispatch import redirect_in_page
from node.web.languages import mark
from node.web.routes import Group, Menu, page

TITLE, IMPORT = mark("Check a table"), mark("Import a table")
PATH = "/checks"
FORM_OVERHEAD = 1 << 16
SHOWN = 5
SHOWN_DUE = 20
MONTHS = 18
HEIGHT, STEP = 60, 30


@dataclass(frozen=True, slots=True)
class Bar:
    """One month of the picture: its place and height in the drawing, how many verifications end in it."""

    x: int
    height: int
    month: str
    count: int
    is_past: bool


class CheckForm(BaseModel):
    """A table."""

    file: Upload


class SupplierQuery(BaseModel):
    """Whose table it is; empty for nobody's."""

    supplier: Annotated[str, StringConstraints(strip_whitespace=True, max_length=128)] = ""


class ColumnsForm(BaseModel):
    """What each column holds, in the order of the columns, and the sheet."""

    field: list[str] = Field(default_factory=list, max_length=256)
    sheet: str = ""


@page("GET", PATH, title=TITLE, scopes=[Scope.IMPORT], menu=Menu(Group.PASSPORTS, 4, "check"), api="POST /checks")
async def checks(call: Call) -> View:
    """The form alone."""
    return await _view(call)


@page("POST", PATH, title=TITLE, scopes=[Scope.IMPORT], api="POST /checks", max_body=MAX_FILE + FORM_OVERHEAD)
async def check(call: Call, body: CheckForm) -> View | web.Response:
    """Check a file, and go to what was found."""
    try:
        found = await call.context.checkup.check(body.file.chosen(), body.file.filename[:255], owner_of(call))
    except NodeError as error:
        return await _view(call, error=error)
    return redirect_in_page(call, f"{PATH}/{found.id}")


@page("GET", PATH + "/{check}", title=TITLE, scopes=[Scope.IMPORT], api="GET /checks/{check}")
async def one_check(call: Call, path: CheckPath) -> View:
    """What was found in a table, while it is held."""
    return await _view(call, call.context.checkup.get(path.check, owner_of(call)))


@page("POST", PATH + "/{check}", title=TITLE, scopes=[Scope.IMPORT], api="POST /checks/{check}")
async def correct(call: Call, path: CheckPath, body: ColumnsForm) -> View | web.Response:
    """Check the same table again with other columns."""
    held = call.context.checkup.get(path.check, owner_of(call))
    try:
        await call.context.checkup.again(held, _corrected(held, body))
    except NodeError as error:
        return await _view(call, held, error)
    return redirect_in_page(call, f"{PATH}/{path.check}")


@page("GET", PATH + "/{check}/import", title=IMPORT, scopes=[Scope.IMPORT], api="POST /imports/preview")
async def foresee(call: Call, path: CheckPath, query: SupplierQuery) -> View:
    """What an import of a table that is held would do, and for which supplier its columns are to be kept."""
    return await _import_view(call, call.context.checkup.get(path.check, owner_of(call)), query.supplier)


@page("POST", PATH + "/{check}/import", title=IMPORT, scopes=[Scope.IMPORT], api="POST /imports")
async def take(call: Call, path: CheckPath, body: SupplierQuery) -> View | web.Response:
    """Import a table that is held as it was understood; its columns are kept for the supplier that is named."""
    held = call.context.checkup.get(path.check, owner_of(call))
    try:
        job = await call.context.fleet.submit(
            held.raw, held.name, call.actor.label, mapping=held.report.layout.mapping, supplier=body.supplier
        )
    except NodeError as error:
        return await _import_view(call, held, body.supplier, error)
    return redirect_in_page(call, f"/imports/{job}")


async def _import_view(call: Call, held: Check, supplier: str, error: Exception | None = None) -> View:
    fleet, preview = call.context.fleet, None
    try:
        preview = await fleet.preview(held.raw, held.name, mapping=held.report.layout.mapping)
    except NodeError as refused:
        error = error or refused
    return View(
        "check_import.html",
        error=error,
        check=held,
        preview=preview,
        rules={rule.code: rule.title(call.language) for rule in (*RULES.values(), ELSEWHERE)},
        supplier=supplier,
        suppliers=sorted(await fleet.suppliers()),
    )


def _corrected(held: Check, body: ColumnsForm) -> FleetMapping:
    """The mapping before with what the form changed; another sheet begins anew."""
    if body.sheet and body.sheet != held.report.layout.sheet:
        return FleetMapping(sheet=body.sheet)
    columns = held.report.layout.every_column
    if len(body.field) != len(columns):
        raise InputError("the form is of another table", "check_unreadable")
    told = {
        column.title: field
        for column, field in zip(columns, map(parse_field, body.field), strict=True)
        if field is not column.field or column.why is Why.GIVEN
    }
    return FleetMapping(told, held.mapping.sheet, held.mapping.header_row)


async def _view(call: Call, held: Check | None = None, error: Exception | None = None) -> View:
    shown: dict[str, Any] = {}  # Any: what templates are given
    if held is not None:
        told = await asyncio.to_thread(report_json, held.report, held.name, SHOWN)
        shown = {"told": told, "bars": _bars(held.report), "drawn": STEP * MONTHS}
    russian = call.language == "ru"
    names = [(field.value, NAMES[field][0 if russian else 1]) for field in FleetField]
    return View(
        "checks.html",
        error=error,
        check=held,
        fields=names,
        max_mb=MAX_FILE >> 20,
        due_shown=SHOWN_DUE,
        height=HEIGHT,
        step=STEP,
        **shown,
    )


def _bars(report: FleetReport) -> list[Bar]:
    """All that ended before this month in one bar, then a bar a month, empty months among them."""
    year, month = report.on.year, report.on.month
    first = f"{year:04d}-{month:02d}"
    counts = [("…", sum(count for name, count in report.months.items() if name < first))]
    for at in range(MONTHS - 1):
        index = year * 12 + month - 1 + at
        name = f"{index // 12:04d}-{index % 12 + 1:02d}"
        counts.append((name, report.months.get(name, 0)))
    largest = max(count for _, count in counts) or 1
    return [
        Bar(at * STEP, round(count * HEIGHT / largest), name, count, at == 0) for at, (name, count) in enumerate(counts)
    ]


ROUTES = (checks, check, one_check, correct, foresee, take)
