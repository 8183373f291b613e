"""Parts in and out of a whole, what a lot reached, and its recall."""

from dataclasses import dataclass, replace
from typing import Annotated

from aiohttp import web
from pydantic import AfterValidator, BaseModel, StringConstraints

from node.errors import NodeError
from node.passport.ids import SubjectId, format_device_id
from node.services.access import Scope
from node.services.reach import BATCH, Reached
from node.web.api.composition import DOUBTS, RecallInput, RemovalInput, check_some
from node.web.api.fields import Line
from node.web.api.moments import today
from node.web.api.passports import PassportPath, subject_of
from node.web.api.records import occurred
from node.web.calls import Call, View
from node.web.console.conflicts import names
from node.web.dispatch import redirect, redirect_in_page
from node.web.errors import Problem, problem_of
from node.web.languages import mark
from node.web.rendering import RENDERER
from node.web.routes import page

TITLE = mark("What a lot reached")
PARTS = mark("Parts")


class PartForm(BaseModel):
    """A part by its id, by a scan, or as it is printed; since which day it stands inside."""

    part: Line
    position: Line | None = None
    quantity: Annotated[str, StringConstraints(pattern=r"^\d{1,9}([.,]\d{1,6})?$"), AfterValidator(check_some)] = "1"
    since: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d$")]


@dataclass(frozen=True, slots=True)
class Fitted:
    """What came of a part: it stands inside now, or why it does not."""

    text: str
    id: str = ""
    title: str = ""
    position: str = ""
    quantity: str = "1"
    problem: Problem | None = None


@page("POST", "/devices/{id}/parts", title=PARTS, scopes=[Scope.RECORD], api="POST /passports/{id}/parts")
async def add_part(call: Call, path: PassportPath, body: PartForm) -> web.Response:
    """Put a part in; a scanner's next one follows on the same page."""
    is_live = "HX-Request" in call.request.headers
    try:
        fitted = await _fit(call, subject_of(path.id), body)
    except NodeError as error:
        if not is_live:
            raise
        fitted = Fitted(body.part, problem=problem_of(error, call.language, call.request.path))
    if not is_live:
        return redirect(f"/devices/{path.id}")
    html = call.request.app[RENDERER].part(call, "parts/fitted_item.html", item=fitted)
    return web.Response(text=html, content_type="text/html")


@page("POST", "/devices/{id}/removals", title=PARTS, scopes=[Scope.RECORD], api="POST /passports/{id}/parts/removals")
async def take_out(call: Call, path: PassportPath, body: RemovalInput) -> web.Response:
    """Take a part out."""
    occurred(call, body.when)
    await call.context.assembly.take_out(subject_of(path.id), subject_of(body.part), body.when, call.actor.label)
    return redirect_in_page(call, f"/devices/{path.id}")


@page("GET", "/devices/{id}/reach", title=TITLE, scopes=[Scope.READ], api="GET /passports/{id}/reach")
async def reach(call: Call, path: PassportPath) -> View:
    """Everything that something of a lot is in, or was, with its owner and place."""
    passport = await call.context.registry.get(subject_of(path.id))
    found = await call.context.assembly.reach(passport.subject)
    places = {row.place for row in found.things if _is_subject(row.place)}
    titles = await call.context.assembly.titles(map(bytes.fromhex, places))
    return View(
        "reach.html",
        id=path.id,
        passport=passport,
        rows=[(format_device_id(SubjectId(row.subject)), row, _place(row, titles)) for row in found.things],
        devices=sum(row.kind == "device" for row in found.things),
        doubt=found.doubt and DOUBTS[found.doubt],
        names=names(call),
        may=call.actor.may([Scope.RECORD]),
        today=today(call).isoformat(),
    )


@page("POST", "/devices/{id}/recalls", title=TITLE, scopes=[Scope.RECORD], api="POST /passports/{id}/recalls")
async def recall(call: Call, path: PassportPath, body: RecallInput) -> web.Response:
    """Declare a recall."""
    occurred(call, body.when)
    assembly = call.context.assembly
    await assembly.recall(subject_of(path.id), body.reason, body.document, body.when, call.actor.label)
    return redirect_in_page(call, f"/devices/{path.id}")


async def _fit(call: Call, whole: bytes, form: PartForm) -> Fitted:
    """Put in what was named; raise NodeError."""
    occurred(call, form.since)
    kind = (await call.context.registry.get(whole)).kind
    quantity = form.quantity.replace(",", ".")
    part = await call.context.recognition.part(form.part, form.position, quantity)
    if kind == BATCH and part.relation is None:
        part = replace(part, relation="lot")
    (subject,) = await call.context.assembly.add(whole, [part], form.since, call.actor.label)
    title = (await call.context.assembly.titles([subject])).get(subject, "")
    return Fitted(form.part, format_device_id(SubjectId(subject)), title, form.position or "", quantity)


def _place(row: Reached, titles: dict[bytes, str]) -> str:
    return titles.get(bytes.fromhex(row.place), "") if _is_subject(row.place) else row.place


def _is_subject(place: str) -> bool:
    return len(place) == 32 and all(sign in "0123456789abcdef" for sign in place)


ROUTES = (add_part, take_out, reach, recall)
