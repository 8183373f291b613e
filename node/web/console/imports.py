"""The import page: a file in, its progress by the stream, what was taken, and what to correct and send again."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel

from node.errors import InputError, NodeError
from node.services.access import Scope
from node.services.jobs import Job
from node.services.journal import JournalRow
from node.web.api.imports import MAX_FILE, OPEN, JobPath
from node.web.binding import Upload
from node.web.calls import Call, View
from node.web.dispatch import redirect_in_page
from node.web.events import Live
from node.web.languages import mark
from node.web.rendering import RENDERER
from node.web.routes import Menu, page

TITLE = mark("Import")
PATH = "/imports"
LAST_JOBS = 20
SHOWN_FINDINGS = 200
FORM_OVERHEAD = 1 << 16
JOB_ROWS = frozenset({"job_taken", "import_advanced", "refold_advanced", "job_failed"})


class ImportForm(BaseModel):
    """A file, and what it is."""

    kind: Literal["production", "bench", "fleet"]
    file: Upload


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], menu=Menu(30, "import"), api="GET /jobs")
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
    services = {
        "production": call.context.production.submit,
        "bench": call.context.bench.submit,
        "fleet": call.context.fleet.submit,
    }
    try:
        if not body.file.content:
            raise InputError("no file was chosen, or it is empty", "import_unreadable")
        job = await services[body.kind](body.file.content, body.file.filename[:255], call.actor.label)
    except NodeError as error:
        return await _view(call, error=error)
    return redirect_in_page(call, f"{PATH}/{job}")


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
        **await _jobs(call, shown),
        **_job(shown),
    )


async def _jobs(call: Call, shown: Job | None) -> dict[str, Any]:  # Any: what templates are given
    return {"jobs": await call.context.jobs.newest(LAST_JOBS), "shown_job": shown.id if shown else ""}


def _job(job: Job | None) -> dict[str, Any]:  # Any: what templates are given
    result = job.result if job is not None else {}
    findings, faulty = result.get("findings"), result.get("faulty")
    found = findings if isinstance(findings, list) else []
    return {
        "job": job,
        "is_open": job is not None and job.state in OPEN,
        "findings": found[:SHOWN_FINDINGS],
        "unshown": max(0, len(found) - SHOWN_FINDINGS),
        "refused": len(faulty) if isinstance(faulty, list) else 0,
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
        parts["job"] = renderer.part(call, "parts/import_job.html", **_job(job))
    return parts


ROUTES = (imports, one_import, send)
LIVE = (Live("imports", _moved),)
