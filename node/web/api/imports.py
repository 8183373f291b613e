"""Files in: imports as durable jobs, their progress, and the rows to correct."""

import asyncio
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, Field, StringConstraints

from node.errors import InputError
from node.exchange.errors import ExchangeError
from node.exchange.fleet.mapping import FleetMapping
from node.services.access import Scope
from node.services.bench import Bench
from node.services.commerceml import CommerceItems
from node.services.job_results import sent_back
from node.services.jobs import Job
from node.services.production import Production
from node.web.calls import Call, Page, PageQuery
from node.web.routes import api
from node.web.tables import office as tables

MAX_FILE = 60 << 20
OPEN = ("waiting", "running")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SupplierName = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^\S(.*\S)?$")]


class FleetQuery(BaseModel):
    """How a fleet table is read: what its columns hold, or whose table it is where that is kept."""

    supplier: SupplierName | None = Field(default=None, description="Whose tables are read so, by a kept name.")
    mapping: Annotated[str, StringConstraints(max_length=20_000)] = Field(
        default="",
        description='What columns of a fleet table hold, as {"columns": {"Номер": "serial"}, "sheet": "Лист1"}; kept '
        "for the supplier that is named beside it.",
    )

    @property
    def wish(self) -> FleetMapping | None:
        """The mapping that is given, None for none; raise InputError."""
        try:
            return FleetMapping.from_json(self.mapping) if self.mapping else None
        except ExchangeError as error:
            raise InputError(str(error), "import_unreadable", ru=error.text("ru")) from error


class ImportQuery(FleetQuery):
    """What the file is, and how it is read where it is a fleet table."""

    kind: Literal["production", "bench", "fleet", "commerceml"] = "production"
    name: Annotated[str, StringConstraints(min_length=1, max_length=255)] = "file"


class JobTaken(BaseModel):
    """A job that runs from now on."""

    job: str


class JobPath(BaseModel):
    """One job."""

    job: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


class JobQuery(BaseModel):
    """How many seconds to wait for the end of the job."""

    wait: int = Field(default=0, ge=0, le=30)


class ReportQuery(BaseModel):
    """As which table."""

    format: Literal["xlsx", "csv"] = "xlsx"


class JobAnswer(BaseModel):
    """How far a job is and what came of it."""

    job: str
    kind: str
    state: str
    done: int
    total: int
    created_us: int
    changed_us: int
    result: dict[str, Any]  # Any: what a job found is plain JSON


class JobsQuery(PageQuery):
    """How many of the newest jobs."""

    limit: int = Field(default=100, ge=1, le=200, description="How many items at most.")


@api("POST", "/imports", title="Import a file", scopes=[Scope.IMPORT], status=202, max_body=MAX_FILE,
     problems=["import_unreadable", "supplier_unknown"])  # fmt: skip
async def import_file(call: Call, query: ImportQuery, body: bytes) -> JobTaken:
    """XLSX, CSV or CommerceML as it is. What is in order is imported, the rest comes back to be corrected."""
    if query.kind == "fleet":
        supplier = query.supplier or ""
        fleet = call.context.fleet
        job = await fleet.submit(body, query.name, call.actor.label, mapping=query.wish, supplier=supplier)
        return JobTaken(job=job)
    return JobTaken(job=await importer(call, query.kind).submit(body, query.name, call.actor.label))


@api("GET", "/jobs", title="Jobs", scopes=[Scope.READ], problems=["cursor"], table=tables.JOBS)
async def list_jobs(call: Call, query: JobsQuery) -> Page[JobAnswer]:
    """The newest first."""
    place = call.decode_cursor(query.cursor, int, str) if query.cursor else None
    after = (int(place[0]), str(place[1])) if place else None
    found = await call.context.jobs.newest(query.limit + 1, after)
    last = found[query.limit - 1] if len(found) > query.limit else None
    more = call.encode_cursor(last.created_us, last.id) if last else None
    return Page(items=[_answer(job) for job in found[: query.limit]], next=more)


@api("GET", "/jobs/{job}", title="One job", scopes=[Scope.READ], problems=["job_unknown"])
async def read_job(call: Call, path: JobPath, query: JobQuery) -> JobAnswer:
    """With `wait`, as soon as it ends or the seconds are over."""
    job = await call.context.jobs.get(path.job)
    with call.context.bus.listen() as news:
        try:
            async with asyncio.timeout(query.wait):
                while job.state in OPEN:
                    await news.get()
                    job = await call.context.jobs.get(path.job)
        except TimeoutError:
            job = await call.context.jobs.get(path.job)
    return _answer(job)


@api("GET", "/jobs/{job}/report", title="The rows to correct", scopes=[Scope.READ],
     problems=["job_unknown", "report_empty"], files=["text/csv", XLSX])  # fmt: skip
async def read_report(call: Call, path: JobPath, query: ReportQuery) -> web.Response:
    """A table that can be corrected and sent again; keys in it are masked."""
    job = await call.context.jobs.get(path.job)
    if not job.result.get("findings"):
        raise InputError("this job sent no rows back", "report_empty")
    raw = await asyncio.to_thread(sent_back, job, query.format)
    headers = {"Content-Disposition": f'attachment; filename="report-{path.job}.{query.format}"'}
    return web.Response(body=raw, content_type=XLSX if query.format == "xlsx" else "text/csv", headers=headers)


def importer(call: Call, kind: str) -> Production | Bench | CommerceItems:
    """Who takes files of a kind that need no mapping."""
    services: dict[str, Production | Bench | CommerceItems] = {
        "bench": call.context.bench,
        "commerceml": call.context.commerceml,
    }
    return services.get(kind, call.context.production)


def _answer(job: Job) -> JobAnswer:
    result = {name: value for name, value in job.result.items() if name not in ("header", "faulty", "held_back")}
    return JobAnswer(
        job=job.id,
        kind=job.kind,
        state=job.state,
        done=job.done,
        total=job.total,
        created_us=job.created_us,
        changed_us=job.changed_us,
        result=result,
    )


ROUTES = [import_file, list_jobs, read_job, read_report]
