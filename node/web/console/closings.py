"""Closed months of a device, one of them beside what is stored now, and closing one."""

import re

from aiohttp import web
from pydantic import BaseModel

from node.passport.ids import SubjectId, format_device_id
from node.passport.shown import rows
from node.services.access import Scope
from node.web.api.closings import ClosingInput, MonthInput, MonthText
from node.web.api.passports import PassportPath, subject_of
from node.web.api.readings import title_of
from node.web.calls import Call, View
from node.web.console.conflicts import names
from node.web.dispatch import redirect, redirect_in_page
from node.web.languages import mark
from node.web.routes import page

TITLE = mark("Closed months")


class CheckQuery(BaseModel):
    """Which month is compared with what is stored."""

    check: MonthText | None = None


@page("GET", "/devices/{id}/closings", title=TITLE, scopes=[Scope.READ], api="GET /passports/{id}/closings")
async def closings(call: Call, path: PassportPath, query: CheckQuery) -> View:
    """What was closed, by whom."""
    passport = await call.context.registry.get(subject_of(path.id))
    checked = await call.context.closings.check(passport.subject, query.check) if query.check else None
    differing = (
        [(title_of(call, re.sub(r"^\d+/|/[^/]*/\d+$", "", one.series)), one) for one in checked.differing]
        if checked
        else []
    )
    return View(
        "closings.html",
        id=format_device_id(SubjectId(passport.subject)),
        device=passport.title or path.id,
        rows=rows(passport.content, "closings"),
        own=call.context.core.org.hex(),
        checked=checked,
        differing=differing,
        names=names(call),
        may=call.actor.may([Scope.RECORD]),
    )


@page("POST", "/devices/{id}/closings", title=TITLE, scopes=[Scope.RECORD], api="POST /passports/{id}/closings")
async def close(call: Call, path: PassportPath, body: ClosingInput) -> web.Response:
    """Close a month of a device."""
    await call.context.closings.close(subject_of(path.id), body.month, body.reason, call.actor.label)
    return redirect_in_page(call, f"/devices/{path.id}/closings?check={body.month}")


@page("POST", "/closings", title=TITLE, scopes=[Scope.RECORD], api="POST /closings")
async def close_all(call: Call, body: MonthInput) -> web.Response:
    """Close a month of every device."""
    job = await call.context.closings.start(body.month, call.actor.label)
    return redirect(f"/imports/{job}")


ROUTES = (closings, close, close_all)
