"""Fleet tables checked: a table of any shape in, what is wrong with it out. Nothing is written."""

import asyncio
import datetime
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, Field, StringConstraints

from node.errors import InputError
from node.exchange.errors import ExchangeError
from node.exchange.fleet.checkup import MAX_DAYS
from node.exchange.fleet.findings import FleetFinding, Grade
from node.exchange.fleet.mapping import FleetMapping, parse_field
from node.exchange.fleet.outcome import FleetReport
from node.exchange.fleet.report import finding_json, report_json
from node.services.access import Scope
from node.services.checkup import Check
from node.web.api.imports import MAX_FILE, XLSX
from node.web.calls import Call, Page, PageQuery
from node.web.routes import api
from node.web.tables import office as tables

TYPES = {"xlsx": XLSX, "csv": "text/csv", "json": "application/json", "html": "text/html"}
Json = dict[str, object]


class CheckQuery(BaseModel):
    """What the file is called, the day of the check, how many days ahead, and what its columns hold."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=255)] = "file"
    on: datetime.date | None = Field(default=None, description="The day of the check; today if not given.")
    days: int = Field(default=90, ge=0, le=MAX_DAYS, description="Verifications ending within so many days are told.")
    mapping: Annotated[str, StringConstraints(max_length=20_000)] = Field(
        default="", description='What columns hold, as {"columns": {"Номер": "serial"}, "sheet": "Лист1"}.'
    )


class CheckPath(BaseModel):
    """One check."""

    check: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


class Mapping(BaseModel):
    """What the columns of a table hold, by their headers or letters; what is not named is guessed."""

    columns: dict[str, str] = Field(default_factory=dict, max_length=256)
    sheet: str | None = None
    header_row: int | None = Field(default=None, ge=0, description="Number of the header's first row; 0 for none.")


class FindingsQuery(PageQuery):
    """Findings of one rule or grade, or all."""

    rule: Annotated[str, StringConstraints(max_length=64)] | None = None
    grade: Grade | None = None


class ReportQuery(BaseModel):
    """As which file, in which language."""

    format: Literal["xlsx", "csv", "json", "html"] = "xlsx"
    language: Literal["ru", "en"] = "ru"


class FindingAnswer(BaseModel):
    """What is wrong in a row: the column's header, the value, the rule, what to do, and which meter it is."""

    row: int
    rows: int = Field(description="In how many rows it is so, where it is told once.")
    grade: Grade
    rule: str
    field: str
    column: str
    value: str
    ru: str
    en: str
    address: str
    designation: str
    serial: str


class RuleAnswer(BaseModel):
    """A rule that rows break, how many, and the first of them."""

    rule: str
    grade: Grade
    title_ru: str
    title_en: str
    rows: int
    findings: list[FindingAnswer]


class ColumnAnswer(BaseModel):
    """How a column was understood, why, and samples of its cells."""

    letter: str
    title: str
    field: str
    name_ru: str
    name_en: str
    reason_ru: str
    reason_en: str
    why: str
    sample: list[str]
    hidden: bool
    block: int = Field(description="Which meter of a row it is of; -1 is all of them.")


class OtherSheetAnswer(BaseModel):
    """A sheet that was not read."""

    name: str
    rows: int
    fleet: bool
    hidden: bool


class PassedAnswer(BaseModel):
    """How many rows are no meters, by what they are."""

    headings: int
    totals: int
    footers: int
    headers: int
    empty: int


class MonthAnswer(BaseModel):
    """How many verifications end in a month."""

    month: str
    count: int


class DueAnswer(BaseModel):
    """A meter whose verification ended or ends soon."""

    row: int
    address: str
    designation: str
    serial: str
    until: datetime.date
    days: int
    computed: bool


class CheckAnswer(BaseModel):
    """What a check found. Of each rule the first findings stand here, all of them at `/findings` and in the report."""

    check: str
    file: str
    on: datetime.date
    days: int
    meters: int
    sheet: str
    encoding: str
    header_rows: list[int]
    columns: list[ColumnAnswer]
    other_sheets: list[OtherSheetAnswer]
    hidden_rows: int
    passed: PassedAnswer
    grades: dict[Grade, int]
    rules: list[RuleAnswer]
    months: list[MonthAnswer]
    expired: int
    expiring: int
    undated: int
    due: list[DueAnswer]
    known_types: int = Field(description="How many meters are of a type that the catalogs here know.")
    in_registry: int | None = Field(description="How many meters have a passport here.")
    mapping: Mapping = Field(description="The reading as a mapping, to be kept for the supplier's next table.")


@api("POST", "/checks", title="Check a fleet table", scopes=[Scope.IMPORT], status=201, max_body=MAX_FILE,
     problems=["check_unreadable"])  # fmt: skip
async def check_table(call: Call, query: CheckQuery, body: bytes) -> CheckAnswer:
    """XLSX or CSV of any shape, as it is. Held in memory for an hour, for the sender alone; nothing is written."""
    mapping = read_mapping(query.mapping)
    check = await call.context.checkup.check(
        body, query.name, owner_of(call), mapping=mapping, on=query.on, days=query.days
    )
    return await _answer(check)


@api("GET", "/checks/{check}", title="One check", scopes=[Scope.READ], problems=["check_unknown"])
async def read_check(call: Call, path: CheckPath) -> CheckAnswer:
    """While it is held."""
    return await _answer(call.context.checkup.get(path.check, owner_of(call)))


@api("POST", "/checks/{check}", title="Check again with other columns", scopes=[Scope.IMPORT],
     problems=["check_unknown", "check_unreadable"])  # fmt: skip
async def check_again(call: Call, path: CheckPath, body: Mapping) -> CheckAnswer:
    """The same table, with what its columns hold."""
    check = call.context.checkup.get(path.check, owner_of(call))
    return await _answer(await call.context.checkup.again(check, taken_mapping(body)))


@api("GET", "/checks/{check}/findings", title="Findings of a check", scopes=[Scope.READ], problems=["check_unknown"],
     table=tables.FINDINGS)  # fmt: skip
async def list_findings(call: Call, path: CheckPath, query: FindingsQuery) -> Page[FindingAnswer]:
    """In the order of the rows."""
    check = call.context.checkup.get(path.check, owner_of(call))
    after = call.decode_cursor(query.cursor, str, int) if query.cursor else (path.check, -1)
    if after[0] != path.check:
        raise InputError("the cursor is of another check", "cursor")
    items, last = await asyncio.to_thread(_page, check.report, query, int(after[1]))
    return Page(items=items, next=None if last is None else call.encode_cursor(path.check, last))


@api("GET", "/checks/{check}/report", title="The report of a check", scopes=[Scope.READ], problems=["check_unknown"],
     files=TYPES.values())  # fmt: skip
async def download_report(call: Call, path: CheckPath, query: ReportQuery) -> web.Response:
    """Every finding, the rows with what to do in them, and the verifications with their addresses."""
    check = call.context.checkup.get(path.check, owner_of(call))
    raw = await call.context.checkup.report_file(check, query.format, query.language)
    headers = {"Content-Disposition": f'attachment; filename="check-{path.check}.{query.format}"'}
    return web.Response(body=raw, content_type=TYPES[query.format], headers=headers)


def owner_of(call: Call) -> str:
    """Whose check it is: another account never sees it."""
    return f"{call.actor.label}\n{call.actor.id}"


def read_mapping(text: str) -> FleetMapping:
    """A mapping as text, empty for none; raise InputError."""
    try:
        return FleetMapping.from_json(text) if text else FleetMapping()
    except ExchangeError as error:
        raise InputError(str(error), "check_unreadable", ru=error.text("ru")) from error


def taken_mapping(body: Mapping) -> FleetMapping:
    """A mapping as a body; raise InputError."""
    try:
        columns = {title: parse_field(name) for title, name in body.columns.items()}
    except ExchangeError as error:
        raise InputError(str(error), "check_unreadable", ru=error.text("ru")) from error
    return FleetMapping(columns, body.sheet, body.header_row)


async def _answer(check: Check) -> CheckAnswer:
    return await asyncio.to_thread(_told, check)


def _told(check: Check) -> CheckAnswer:
    return CheckAnswer.model_validate({"check": check.id, **report_json(check.report, check.name)})


def _page(report: FleetReport, query: FindingsQuery, after: int) -> tuple[list[FindingAnswer], int | None]:
    """Some findings behind a place, and the place of the last one where more follow."""
    items: list[tuple[int, FleetFinding]] = []
    for at in range(after + 1, len(report.findings)):
        finding = report.findings[at]
        if query.rule in (None, finding.rule.code) and query.grade in (None, finding.grade):
            items.append((at, finding))
            if len(items) > query.limit:
                break
    shown = items[: query.limit]
    answers = [FindingAnswer.model_validate(finding_json(report, finding)) for _, finding in shown]
    return answers, shown[-1][0] if len(items) > len(shown) else None


ROUTES = [check_table, read_check, check_again, list_findings, download_report]
