"""The import page: a file in, its progress by the stream, what was taken, and what to correct and send again."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import BaseModel, Field, StringConstraints

from node.errors import NodeError
from node.services.access import Scope
from node.services.jobs import Job
from node.services.journal import JournalRow
from node.services.undo import UNDOABLE
from node.web.api.checks import owner_of
from node.web.api.fields import Line
from node.web.api.imports import MAX_FILE, OPEN, JobPath, SupplierName, importer
from node.web.api.undo import default_reason
from node.web.binding import Upload
from node.web.calls import Call, View
from node.web.dispatch import redirect_in_page
from node.web.events import Live
from node.web.languages import mark
from node.web.rendering import RENDERER
from node.web.routes import Group, Menu, page

TITLE, UNDO = mark("Import"), mark("Undo an import")
PATH = "/imports"
LAST_JOBS = 20
SHOWN_FINDINGS = 200
FORM_OVERHEAD = 1 << 16
JOB_ROWS = frozenset(
    {"job_taken", "import_advanced", "redecode_advanced", "closing_advanced", "refold_advanced", "job_failed"}
)


class ImportForm(BaseModel):
    """A file, and what it is."""

    kind: Literal["production", "bench", "fleet", "commerceml"]
    file: Upload
    supplier: Annotated[str, StringConstraints(strip_whitespace=True, max_length=128)] = ""
    look: Literal["", "yes"] = Field(default="", description="Look first what an import would do.")


class SupplierForm(BaseModel):
    """Whose columns are to be forgotten."""

    supplier: SupplierName


class UndoForm(BaseModel):
    """Why an import is taken back."""

    reason: Line


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], menu=Menu(Group.PASSPORTS, 3, "import"), api="GET /jobs")
async def imports(call: Call) -> View:
    """The form and the last jobs."""
    return await _view(call)


@page("GET", PATH + "/{job}", title=TITLE, scopes=[Scope.READ], api="GET /jobs/{job}")
async def one_import(call: Call, path: JobPath) -> View:
    """One job: how far it is, what came of it, and the form for the corrected file."""
    return await _view(call, await call.context.jobs.get(path.job))


@page("POST", PATH, title=TITLE, scopes=[Scope.IMPORT], api="POST /imports", max_body=MAX_FILE + FORM_OVERHEAD)
async def send(call: Call, body: ImportForm) -> View | web.Response:
    """Take a file, and go to its job."""
    try:
        place = await _taken(call, body, body.file.chosen(), body.file.filename[:255])
    except NodeError as error:
        return await _view(call, error=error)
    return redirect_in_page(call, place)


@page("POST", PATH + "/suppliers/forget", title=TITLE, scopes=[Scope.IMPORT], api="DELETE /suppliers/{name}")
async def forget_supplier(call: Call, body: SupplierForm) -> View | web.Response:
    """Forget how a supplier's tables are read."""
    try:
        await call.context.fleet.forget_supplier(body.supplier, call.actor.label)
    except NodeError as error:
        return await _view(call, error=error)
    return redirect_in_page(call, PATH)


async def _taken(call: Call, form: ImportForm, raw: bytes, name: str) -> str:
    """Take a file as a job, or hold a fleet table whose import is to be looked at first; answer where to go on."""
    actor = call.actor.label
    if form.kind == "fleet":
        kept = (await call.context.fleet.suppliers()).get(form.supplier)
        if form.look or (form.supplier and kept is None):
            held = await call.context.checkup.check(raw, name, owner_of(call), mapping=kept)
            return f"/checks/{held.id}/import?{urlencode({'supplier': form.supplier})}"
        return f"{PATH}/{await call.context.fleet.submit(raw, name, actor, supplier=form.supplier)}"
    return f"{PATH}/{await importer(call, form.kind).submit(raw, name, actor)}"


@page("GET", PATH + "/{job}/undo", title=UNDO, scopes=[Scope.IMPORT], api="GET /jobs/{job}/undo")
async def ask_undo(call: Call, path: JobPath) -> View:
    """How many devices an undo would take back and how many it would leave, to be confirmed."""
    return await _undo_view(call, path.job)


@page("POST", PATH + "/{job}/undo", title=UNDO, scopes=[Scope.IMPORT], api="POST /jobs/{job}/undo")
async def undo(call: Call, path: JobPath, body: UndoForm) -> View | web.Response:
    """Take an import back, and go to the job that does it."""
    try:
        job = await call.context.undo.submit(path.job, body.reason, call.actor.label)
    except NodeError as error:
        return await _undo_view(call, path.job, error)
    return redirect_in_page(call, f"{PATH}/{job}")


async def _undo_view(call: Call, job_id: str, error: Exception | None = None) -> View:
    job, foreseen = await call.context.jobs.get(job_id), None
    try:
        foreseen = await call.context.undo.foresee(job_id)
    except NodeError as refused:
        error = error or refused
    return View("undo.html", error=error, job=job, foreseen=foreseen, reason=default_reason(call))


async def _view(call: Call, job: Job | None = None, error: Exception | None = None) -> View:
    after = await call.context.journal.last_id()
    # Read again, after the place from which the stream goes on: nothing falls between the two.
    shown = await call.context.jobs.get(job.id) if job is not None else None
    return View(
        "imports.html",
        error=error,
        after=after,
        may=call.actor.may([Scope.IMPORT]),
        max_mb=MAX_FILE >> 20,
        suppliers=await call.context.fleet.suppliers(),
        **await _jobs(call, shown),
        **_job(call, shown),
    )


async def _jobs(call: Call, shown: Job | None) -> dict[str, Any]:  # Any: what templates are given
    return {"jobs": await call.context.jobs.newest(LAST_JOBS), "shown_job": shown.id if shown else ""}


def _job(call: Call, job: Job | None) -> dict[str, Any]:  # Any: what templates are given
    result = job.result if job is not None else {}
    findings, faulty = result.get("findings"), result.get("faulty")
    found = findings if isinstance(findings, list) else []
    return {
        "job": job,
        "is_open": job is not None and job.state in OPEN,
        "findings": found[:SHOWN_FINDINGS],
        "unshown": max(0, len(found) - SHOWN_FINDINGS),
        "refused": len(faulty) if isinstance(faulty, list) else 0,
        "may_open": job is not None
        and job.kind in UNDOABLE
        and job.state not in OPEN
        and bool(result.get("accepted"))
        and call.actor.may([Scope.RECORD]),
        "may_undo": job is not None
        and job.kind in UNDOABLE
        and job.state not in OPEN
        and bool(result.get("accepted"))
        and call.actor.may([Scope.IMPORT]),
    }


async def _moved(call: Call, rows: Sequence[JournalRow]) -> Mapping[str, str]:
    """The list with every job that moves, and the job that the page shows where it is that one."""
    moved = {str(row.detail.get("job")) for row in rows if row.what in JOB_ROWS}
    if not moved:
        return {}
    renderer, shown = call.request.app[RENDERER], call.request.query.get("of")
    job = await call.context.jobs.get(shown) if shown else None
    parts = {"jobs": renderer.part(call, "parts/import_jobs.html", **await _jobs(call, job))}
    if job is not None and job.id in moved:
        parts["job"] = renderer.part(call, "parts/import_job.html", **_job(call, job))
    return parts


ROUTES = (imports, one_import, send, forget_supplier, ask_undo, undo)
LIVE = (Live("imports", _moved),)
