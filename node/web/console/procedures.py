"""Procedures: the gallery, one version with its steps, taking part by it or no more, and the form of a new version."""

import re
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from node.errors import NodeError
from node.passport.procedures import OWNER, Need, Parts, Procedure
from node.services.access import Scope
from node.services.procedures import shipped_procedures
from node.web.api.procedures import ProcedurePath, row_of
from node.web.binding import RulesError
from node.web.calls import Call, View
from node.web.dispatch import redirect
from node.web.languages import mark
from node.web.nested import Nested, name_of, nest
from node.web.process_words import titled
from node.web.routes import page
from node.web.rules import broken_rules

TITLE, ONE, NEW = mark("Procedures"), mark("Procedure"), mark("New version")
PATH = "/procedures"
KINDS = ("device", "unit", "component", "batch", "object")
BODY = 1 << 20
ACT = re.compile(r"(add|drop|up)-(\d{1,3})")


class FromQuery(BaseModel):
    """What a new version begins from: one that is known here, or one that comes with the product."""

    of: str = Field(default="", max_length=64)
    shipped: str = Field(default="", max_length=64)


class ProcedureForm(BaseModel):
    """The members of a procedure under names like `steps.0.title.ru`, and what is done with the form."""

    model_config = ConfigDict(extra="allow")

    act: str = Field(default="", max_length=16)


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], api="GET /procedures")
async def procedures(call: Call) -> View:
    """Every version that is known, and what comes with the product."""
    return _gallery(call)


@page("GET", PATH + "/new", title=NEW, scopes=[Scope.RECORD], api="POST /procedures")
async def new(call: Call, query: FromQuery) -> View:
    """The form, filled with the version that it begins from."""
    return _form(call, _begun(call, query))


@page("POST", PATH + "/new", title=NEW, scopes=[Scope.RECORD], api="POST /procedures", max_body=BODY)
async def publish(call: Call, body: ProcedureForm) -> View | web.Response:
    """Publish it; with `act` a step is added, dropped or moved up, or there are more rows, and nothing is signed."""
    said = nest(body.model_extra or {})
    if body.act:
        return _form(call, _altered(said, body.act))
    try:
        procedure = Procedure.model_validate(_bare(said))
    except ValidationError as error:
        return _form(call, said, RulesError("body", error), error)
    try:
        held = await call.context.procedures.publish(procedure, call.actor.label)
    except NodeError as error:
        return _form(call, said, error)
    return redirect(f"{PATH}/{held.digest}")


@page("POST", PATH, title=TITLE, scopes=[Scope.RECORD], api="POST /procedures")
async def publish_shipped(call: Call, body: FromQuery) -> View | web.Response:
    """Publish one that comes with the product as it is."""
    found = next((one for one in shipped_procedures() if one.code == body.shipped), None)
    if found is None:
        return redirect(PATH)
    try:
        held = await call.context.procedures.publish(found, call.actor.label)
    except NodeError as error:
        return _gallery(call, error)
    return redirect(f"{PATH}/{held.digest}")


@page("GET", PATH + "/{digest}", title=ONE, scopes=[Scope.READ], api="GET /procedures/{digest}")
async def procedure(call: Call, path: ProcedurePath) -> View:
    """One version with its steps."""
    return _one(call, path.digest)


@page("POST", PATH + "/{digest}/acceptance", title=ONE, scopes=[Scope.RECORD],
      api="POST /procedures/{digest}/acceptance")  # fmt: skip
async def accept(call: Call, path: ProcedurePath) -> web.Response:
    """Take part."""
    await call.context.procedures.accept(path.digest, call.actor.label)
    return redirect(f"{PATH}/{path.digest}")


@page("POST", PATH + "/{digest}/end", title=ONE, scopes=[Scope.RECORD], api="DELETE /procedures/{digest}/acceptance")
async def end(call: Call, path: ProcedurePath) -> View | web.Response:
    """Take part no more."""
    try:
        await call.context.procedures.end(path.digest, call.actor.label)
    except NodeError as error:
        return _one(call, path.digest, error)
    return redirect(f"{PATH}/{path.digest}")


def _gallery(call: Call, error: Exception | None = None) -> View:
    held = call.context.procedures.all()
    own = call.context.core.org
    published = {one.procedure.code for one in held if one.published.org == own}
    return View(
        "procedures.html",
        error=error,
        rows=[row_of(call, one) for one in held],
        shipped=[one for one in shipped_procedures() if one.code not in published],
        own=own.hex(),
        may=call.actor.may([Scope.RECORD]),
    )


def _one(call: Call, digest: str, error: Exception | None = None) -> View:
    held = call.context.procedures.get(digest)
    return View(
        "procedure.html",
        error=error,
        row=row_of(call, held),
        procedure=held.procedure,
        roles={role.code: role.title for role in held.procedure.roles},
        own=call.context.core.org.hex(),
        may=call.actor.may([Scope.RECORD]),
    )


def _begun(call: Call, query: FromQuery) -> dict[str, Nested]:
    if query.of:
        found = call.context.procedures.get(query.of).procedure
        return found.model_dump(mode="json", exclude_none=True) | {"version": _next(found.version)}
    shipped = next((one for one in shipped_procedures() if one.code == query.shipped), None)
    return shipped.model_dump(mode="json", exclude_none=True) if shipped else {"version": "1", "steps": [{}]}


def _next(version: str) -> str:
    """The version after: its last number one more."""
    counted = re.fullmatch(r"(.*?)(\d{1,9})", version)
    return f"{counted[1]}{int(counted[2]) + 1}" if counted else f"{version}-2"[:32]


def _altered(said: dict[str, Nested], act: str) -> dict[str, Nested]:
    """The form after a button of a step: one more behind it, without it, or with it before the one above."""
    steps, known = list(_steps(said)), ACT.fullmatch(act)
    at = int(known[2]) if known else len(steps)
    if known is None or at >= len(steps):
        return said
    if known[1] == "add":
        steps.insert(at + 1, {})
    elif known[1] == "drop" and len(steps) > 1:
        del steps[at]
    elif known[1] == "up" and at:
        steps[at - 1 : at + 1] = [steps[at], steps[at - 1]]
    return said | {"steps": steps}


def _steps(said: dict[str, Nested]) -> list[dict[str, Nested]]:
    steps = said.get("steps", [])
    return [step if isinstance(step, dict) else {} for step in steps] if isinstance(steps, list) else []


def _bare(said: dict[str, Nested]) -> dict[str, Nested]:
    """What is to be read as a procedure: an empty step keeps its place by a mark, which is none of its members."""
    return said | {"steps": [{name: part for name, part in step.items() if name != "here"} for step in _steps(said)]}


def _form(
    call: Call, said: dict[str, Nested], error: Exception | None = None, broken: ValidationError | None = None
) -> View:
    steps = _steps(said)
    faults = _faults(call, broken, steps) if broken else {}
    return View(
        "procedure_new.html",
        error=error,
        said=said,
        steps=steps,
        faults=faults,
        titles=[_title(step, call.language) for step in steps],
        codes=[str(step["code"]) for step in steps if step.get("code")],
        roles=[OWNER, *[str(role["code"]) for role in _rows(said, "roles") if role.get("code")]],
        kinds=KINDS,
        needs=[need.value for need in Need],
        parts=[part.value for part in Parts],
        rows_of=_rows,
    )


def _title(step: dict[str, Nested], language: str) -> str:
    title = step.get("title")
    return titled(title if isinstance(title, dict) else {}, str(step.get("code", "")), language)


def _rows(said: dict[str, Nested], name: str) -> list[dict[str, Nested]]:
    found = said.get(name, [])
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list | tuple) else []


def _faults(call: Call, error: ValidationError, steps: list[dict[str, Nested]]) -> dict[str, str]:
    """What is wrong by the name of the field; what is wrong with a step as a whole, by that of its code."""
    found: dict[str, str] = {}
    told = list(broken_rules("body", error, call.language))
    for item, rule in zip(error.errors(include_url=False), told, strict=True):
        name = name_of(item["loc"]) or _place(item.get("ctx", {}), steps)
        # Titles stand in a field for each language.
        found.setdefault(f"{name}.ru" if name.endswith("title") else name, f"{rule.message} {rule.advice}")
    return found


def _place(context: dict[str, Any], steps: list[dict[str, Nested]]) -> str:  # Any: values of a rule
    step = context.get("step")
    at = next((at for at, one in enumerate(steps) if step and one.get("code") == step), None)
    return "" if at is None else f"steps.{at}.code"


ROUTES = (procedures, new, publish, publish_shipped, procedure, accept, end)
