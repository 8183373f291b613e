"""The page of backups and health: what to look after, the files, making and checking them, and what came back."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from aiohttp import web
from pydantic import BaseModel, Field

from node.backup.locks import Passphrase
from node.errors import NodeError
from node.services.access import Scope
from node.services.backups import KINDS
from node.services.jobs import Job
from node.services.journal import JournalRow
from node.web.api.backups import BackupPath, backups_answer, health_answer, to_returned
from node.web.calls import Call, View
from node.web.dispatch import acted, redirect
from node.web.events import Live
from node.web.languages import mark
from node.web.rendering import RENDERER
from node.web.routes import Group, Menu, page

TITLE = mark("Backups and health")
PATH = "/backups"
MAY = (Scope.READ, Scope.BACKUP)
LAST_JOBS = 50


class MakeForm(BaseModel):
    """A passphrase, or nothing where there is a recovery key."""

    passphrase: str = Field(default="", max_length=1024)


@page("GET", PATH, title=TITLE, scopes=MAY, menu=Menu(Group.NODE, 5, "backups"), api="GET /backups")
async def backups(call: Call) -> View:
    """How the node is, and its backups; follows the stream."""
    return await _view(call)


@page("POST", PATH, title=TITLE, scopes=MAY, api="POST /backups")
async def make_backup(call: Call, body: MakeForm) -> View | web.Response:
    """Make one now."""
    try:
        passphrase = Passphrase(body.passphrase) if body.passphrase else None
        await call.context.backups.submit(call.actor.label, passphrase)
    except NodeError as error:
        return await _view(call, error)
    return redirect(PATH)


@page("POST", PATH + "/drills", title=TITLE, scopes=MAY, api="POST /backups/drills")
async def drill_restore(call: Call) -> View | web.Response:
    """Restore the newest one aside."""
    return await acted(call.context.backups.drill(call.actor.label), PATH, partial(_view, call))


@page("POST", PATH + "/{backup}/check", title=TITLE, scopes=MAY, api="POST /backups/{backup}/check")
async def check_backup(call: Call, path: BackupPath) -> View | web.Response:
    """Check one."""
    return await acted(call.context.backups.check(path.backup, call.actor.label), PATH, partial(_view, call))


@page("POST", PATH + "/{backup}/remove", title=TITLE, scopes=MAY, api="DELETE /backups/{backup}")
async def remove_backup(call: Call, path: BackupPath) -> View | web.Response:
    """Remove one."""
    return await acted(call.context.backups.remove(path.backup, call.actor.label), PATH, partial(_view, call))


async def _view(call: Call, error: Exception | None = None) -> View:
    after = await call.context.journal.last_id()
    return View("backups.html", error=error, after=after, **await _shown(call))


async def _shown(call: Call) -> dict[str, Any]:  # Any: what templates are given
    jobs = [job for job in await call.context.jobs.newest(LAST_JOBS) if job.kind in KINDS]
    return {
        "backups": await backups_answer(call),
        "health": await health_answer(call),
        "returned": [to_returned(one) for one in await call.context.returning.all()],
        "running": [job for job in jobs if job.state in ("waiting", "running")],
        "drill": _last(jobs, "backup.drill"),
        "now": call.context.clock.now(),
    }


def _last(jobs: Sequence[Job], kind: str) -> Job | None:
    return next((job for job in jobs if job.kind == kind and job.state in ("done", "failed")), None)


async def _moved(call: Call, _rows: Sequence[JournalRow]) -> Mapping[str, str]:
    return {"backups": call.request.app[RENDERER].part(call, "parts/backups_body.html", **await _shown(call))}


ROUTES = (backups, make_backup, drill_restore, check_backup, remove_backup)
LIVE = (Live("backups", _moved, frozenset(MAY)),)
