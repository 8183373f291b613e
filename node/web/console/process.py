"""One process: where it stands, the form of its step, who has which role, and every move with who and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from node.errors import NodeError
from node.passport.ids import SubjectId, format_device_id
from node.passport.procedures import Procedure, Step
from node.passport.runs import RunState, fits
from node.passport.shown import at, rows, text
from node.passport.view import Plain
from node.services.access import Scope
from node.services.journal import JournalRow
from node.services.procedures import HeldProcedure
from node.services.runs import RunSift, ShownRun, Work
from node.services.templates import HeldTemplate
from node.web.api.processes import MAX_WORK, ClosingInput, ProcessPath, ProcessRow, ReasonInput, StepPath, row_of
from node.web.calls import Call, View
from node.web.console.processes import MOVES, PATH, process_title
from node.web.console.step_work import StepForm, step_work
from node.web.dispatch import redirect
from node.web.events import Live
from node.web.languages import mark
from node.web.nested import texts_of
from node.web.process_words import titled
from node.web.rendering import RENDERER
from node.web.routes import page

TITLE = mark("Process")
LEAST_ROWS = 3
BODY = MAX_WORK + (1 << 16)


class AfterQuery(BaseModel):
    """The step that was done a moment ago, so that the page says what waits there next."""

    after: str = Field(default="", max_length=64)


class RolesForm(BaseModel):
    """A `role.CODE` for each role."""

    model_config = ConfigDict(extra="allow")


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the procedure and how the run stands to it: done, now or to come."""

    step: Step
    state: str


@dataclass(frozen=True, slots=True)
class Following:
    """The step that was done a moment ago, the first process that waits for us there, and how many do."""

    step: Step
    first: ProcessRow | None
    count: int


@page("GET", PATH + "/{run}", title=TITLE, scopes=[Scope.READ], api="GET /processes/{run}")
async def process(call: Call, path: ProcessPath, query: AfterQuery) -> View:
    """Follows the stream."""
    return await _view(call, path.run, done=query.after)


@page("POST", PATH + "/{run}/steps/{step}", title=TITLE, scopes=[Scope.RECORD],
      api="POST /processes/{run}/steps/{step}", max_body=BODY)  # fmt: skip
async def do_step(call: Call, path: StepPath, body: StepForm) -> View | web.Response:
    """Do the step; with `act` the form alone is shown anew, with more rows for parts."""
    if body.act:
        return await _view(call, path.run, form=body)
    try:
        work = await step_work(call, path, body)
        if body.draft and not body.raw:
            return await _do_with(call, path, body.draft, work)
        await call.context.runs.do(path.run, path.step, work, call.actor.label)
    except NodeError as error:
        return await _view(call, path.run, error, body)
    return redirect(done_path(path))


@page("POST", PATH + "/{run}/steps/{step}/form", title=TITLE, scopes=[Scope.RECORD],
      api="POST /processes/{run}/steps/{step}/form", max_body=BODY)  # fmt: skip
async def fill_in(call: Call, path: StepPath, body: StepForm) -> View | web.Response:
    """Begin the form of the step's protocol, or go on with it; what else was typed for the step is kept with it."""
    forms = call.context.step_forms
    try:
        template = body.template
        if body.draft and not body.raw:
            template = (await forms.get(path.run, path.step, body.draft)).held.reference
        raw = body.raw.encode() if body.raw else None
        form = await forms.start(path.run, path.step, template, call.actor.label, raw, body.beside)
    except NodeError as error:
        return await _view(call, path.run, error, body)
    return redirect(f"/forms/{form.id}")


@page("POST", PATH + "/{run}/refusal", title=TITLE, scopes=[Scope.RECORD], api="POST /processes/{run}/refusal")
async def decline(call: Call, path: ProcessPath, body: ReasonInput) -> View | web.Response:
    """Give the role back."""
    try:
        await call.context.runs.decline(path.run, body.reason, call.actor.label)
    except NodeError as error:
        return await _view(call, path.run, error)
    return redirect(f"{PATH}/{path.run}")


@page("POST", PATH + "/{run}/roles", title=TITLE, scopes=[Scope.RECORD], api="POST /processes/{run}/roles")
async def assign(call: Call, path: ProcessPath, body: RolesForm) -> View | web.Response:
    """Give the roles that the form names to other organisations; those that stay as they are, are not said again."""
    try:
        shown = await call.context.runs.get(path.run)
        given, known = texts_of(body.model_extra or {}, "role"), at(shown.row, "roles")
        stated = known if isinstance(known, dict) else {}
        roles = {role: _org(org) for role, org in given.items() if stated.get(role) != org}
        if roles:
            await call.context.runs.assign(path.run, roles, call.actor.label)
    except NodeError as error:
        return await _view(call, path.run, error)
    return redirect(f"{PATH}/{path.run}")


@page("POST", PATH + "/{run}/closing", title=TITLE, scopes=[Scope.RECORD], api="POST /processes/{run}/closing")
async def close(call: Call, path: ProcessPath, body: ClosingInput) -> View | web.Response:
    """Close the process, or cancel it with a reason."""
    try:
        await call.context.runs.close(path.run, body.reason, call.actor.label)
    except NodeError as error:
        return await _view(call, path.run, error)
    return redirect(f"{PATH}/{path.run}")


def done_path(path: StepPath) -> str:
    """The page of a process after a step of it was done."""
    return f"{PATH}/{path.run}?after={path.step}"


async def _do_with(call: Call, path: StepPath, draft: str, work: Work) -> web.Response:
    """Do a step with its draft; one that is not in order is shown with what is wrong beside its fields."""
    form = await call.context.step_forms.get(path.run, path.step, draft)
    if (await call.context.forms.check(form)).verdict.errors:
        return redirect(f"/forms/{form.id}?checked=true")
    await call.context.step_forms.do(form, work, call.actor.label)
    return redirect(done_path(path))


def _org(value: str) -> bytes:
    try:
        return bytes.fromhex(value)
    except ValueError:
        return b""


async def _view(
    call: Call, run: str, error: Exception | None = None, form: StepForm | None = None, done: str = ""
) -> View:
    after = await call.context.journal.last_id()
    shown = await call.context.runs.get(run)
    step = _turn(call, shown)
    draft = await call.context.step_forms.find(run, step.code) if step and step.protocol else None
    if form is None and draft is not None and draft.stored.of is not None:
        form = StepForm.model_validate(dict(draft.stored.of.beside))
    return View(
        "process.html",
        error=error,
        after=after,
        form=form or StepForm(),
        given=form.detail if form else {},
        given_parts=form.parts if form else [],
        step=step,
        draft=draft,
        following=await _following(call, shown, done) if done else None,
        templates=await _templates(call, step),
        rows_of_parts=_rows_of_parts(form),
        may=call.actor.may([Scope.RECORD]),
        parties=[(org.hex(), call.context.procedures.name_of(org)) for org in shown.held.parties] if shown.held else [],
        **_shown(call, shown),
    )


def _shown(call: Call, shown: ShownRun) -> dict[str, Any]:  # Any: what templates are given
    """What the stream sends anew: the stages, where it stands, and the moves."""
    row, held = shown.row, shown.held
    procedure, state = held.procedure if held else None, RunState(text(row, "state"))
    due = at(row, "waits", "due")
    return {
        "row": row,
        "held": held,
        "id": format_device_id(SubjectId(shown.passport.subject)),
        "thing": shown.passport.title,
        "name": process_title(call, text(row, "procedure"), text(row, "code")),
        "stages": _stages(procedure, row),
        "is_open": state.is_open,
        "is_owner": text(row, "owner") == call.context.core.org.hex(),
        "overdue": isinstance(due, int) and due < call.context.clock.now(),
        "names": _names(call, row),
        "role_title": lambda code: _role_title(held, code, call.language),
        "outcome_title": lambda step, code: _outcome_title(procedure, step, code, call.language),
        "ask_title": lambda step, code: _ask_title(procedure, step, code, call.language),
        "own": call.context.core.org.hex(),
        "events": _events(shown),
    }


def _turn(call: Call, shown: ShownRun) -> Step | None:
    """The step that this organisation has to do now."""
    is_ours = text(shown.row, "waits", "org") == call.context.core.org.hex()
    return shown.held.procedure.step(text(shown.row, "waits", "step")) if shown.held and is_ours else None


async def _following(call: Call, shown: ShownRun, done: str) -> Following | None:
    """What waits for us at the step that was done a moment ago; None where the procedure has no such step."""
    step = shown.held.procedure.step(done) if shown.held else None
    if step is None:
        return None
    sift = RunSift(org=call.context.core.org, code=text(shown.row, "code"), step=step.code)
    found = await call.context.runs.page(sift, None, 1)
    return Following(step, row_of(call, found[0]) if found else None, await call.context.runs.count(sift))


def _stages(procedure: Procedure | None, row: dict[str, Plain]) -> list[Stage]:
    done = {move["step"] for move in rows(row, "moves") if move["says"] == "done"}
    here = text(row, "waits", "step")
    return [
        Stage(step, "now" if step.code == here else "done" if step.code in done else "next")
        for step in (procedure.steps if procedure else ())
    ]


async def _templates(call: Call, step: Step | None) -> list[tuple[str, str]]:
    """(reference, what it is called) of the templates that run here and that the step demands, the newest first."""
    if step is None or step.protocol is None:
        return []
    held = [item.held for item in await call.context.templates.list() if item.held is not None]
    found = [one for one in reversed(held) if fits(step, one.body())]
    return [(one.reference, _template_title(call, one)) for one in found]


def _template_title(call: Call, held: HeldTemplate) -> str:
    title = titled(held.template.title, held.template.name, call.language)
    return f"{title} {held.template.version}, {call.context.procedures.name_of(held.org)}"


def _rows_of_parts(form: StepForm | None) -> range:
    filled = len(form.parts) if form else 0
    return range(max(LEAST_ROWS, filled + (LEAST_ROWS if form and form.act else 1)))


def _events(shown: ShownRun) -> dict[str, list[dict[str, Plain]]]:
    """The events that were recorded for each step of the run."""
    found: dict[str, list[dict[str, Plain]]] = {}
    for event in rows(shown.passport.content, "events"):
        if at(event, "why", "run") == shown.row["id"]:
            found.setdefault(text(event, "why", "step"), []).append(event)
    return found


def _names(call: Call, row: dict[str, Plain]) -> Mapping[str, str]:
    roles = at(row, "roles")
    orgs = {
        text(row, "owner"),
        text(row, "waits", "org"),
        *map(str, (roles if isinstance(roles, dict) else {}).values()),
    }
    for name in ("moves", "idle"):
        for move in rows(row, name):
            given = move["roles"]
            orgs |= {text(move, "by"), *map(str, (given if isinstance(given, dict) else {}).values())}
    return {org: call.context.procedures.name_of(bytes.fromhex(org)) for org in orgs if org}


def _role_title(held: HeldProcedure | None, code: str, language: str) -> str:
    found = next((role for role in held.procedure.roles if role.code == code), None) if held else None
    return titled(found.title, code, language) if found else code


def _outcome_title(procedure: Procedure | None, step: str, code: str, language: str) -> str:
    known = procedure.step(step) if procedure else None
    found = known.find_outcome(code) if known else None
    return titled(found.title, code, language) if found else code


def _ask_title(procedure: Procedure | None, step: str, code: str, language: str) -> str:
    known = procedure.step(step) if procedure else None
    found = next((ask for ask in known.asks if ask.code == code), None) if known else None
    return titled(found.title, code, language) if found else code


async def _moved(call: Call, rows: Sequence[JournalRow]) -> Mapping[str, str]:
    """The stages and moves; the form stays as it is, with a word where the process went on meanwhile."""
    run = call.request.query.get("of", "")
    if not any(row.what in MOVES for row in rows):
        return {}
    try:
        shown = await call.context.runs.get(ProcessPath(run=run).run)
    except (NodeError, ValidationError):
        return {}
    values = _shown(call, shown) | {"stood": call.request.query.get("n", "")}
    renderer = call.request.app[RENDERER]
    return {part: renderer.part(call, f"parts/process_{part}.html", **values) for part in ("stands", "moves")}


ROUTES = (process, do_step, fill_in, decline, assign, close)
LIVE = (Live("process", _moved),)
