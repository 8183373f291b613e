"""The line page: a station picks its step once, then scans device after device; kits are put together part by part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from node.errors import NodeError
from node.passport.ids import SubjectId, format_device_id
from node.passport.procedures import Procedure, Step
from node.passport.shown import at, text
from node.services.access import Scope
from node.services.journal import JournalRow
from node.services.line import PLACE, WORKER, InHand, Station
from node.services.runs import RunSift, ShownRun
from node.web.api.line import kit_of
from node.web.api.processes import row_of
from node.web.calls import Call, View
from node.web.console.known_device import Known, known_device
from node.web.console.processes import MOVES
from node.web.errors import Problem, problem_of
from node.web.events import Live
from node.web.languages import mark
from node.web.nested import texts_of
from node.web.process_words import titled
from node.web.rendering import RENDERER
from node.web.routes import Group, Menu, page

TITLE = mark("Production line")
PATH = "/line"
QUEUE = 12
LIVE_NAMES = ("code", "step")


class StationQuery(BaseModel):
    """A station; `at` is process and step as the choice of stations gives them. `text` is a device in hand."""

    at: str = Field(default="", max_length=160)
    code: str = Field(default="", max_length=64)
    step: str = Field(default="", max_length=64)
    station: str = Field(default="", max_length=128)
    operator: str = Field(default="", max_length=128)
    text: str = Field(default="", max_length=512)


class ScanForm(StationQuery):
    """A scan: a device or, with a device in hand, a part; `detail.CODE` for what the step asks."""

    model_config = ConfigDict(extra="allow")

    parts: list[str] = Field(default=[], max_length=512)
    part: str = Field(default="", max_length=512)
    outcome: str = Field(default="", max_length=64)
    act: str = Field(default="", max_length=16)


@dataclass(frozen=True, slots=True)
class Scanned:
    """What came of a scan: done, or refused with what is known of the device."""

    text: str
    title: str = ""
    id: str = ""
    run: str = ""
    next: str = ""
    problem: Problem | None = None
    stands: str = ""
    whole: tuple[str, str, str] | None = None  # in which another part stands: its id, title, and since when
    known: Known | None = None


@page("GET", PATH, title=TITLE, scopes=[Scope.RECORD], menu=Menu(Group.WORK, 2, "line"), api="POST /line/scans")
async def line(call: Call, query: ScanForm) -> View:
    """The choice of a station, or the station with its scan field; with `text` a device is in hand."""
    if not query.text:
        return await _view(call, query)
    try:
        hand = await call.context.line.take(_station(query), query.text)
    except NodeError as error:
        return await _view(call, query, scanned=await _refused(call, query.text, error))
    return await _view(call, query, hand)


@page("POST", PATH, title=TITLE, scopes=[Scope.RECORD], api="POST /line/scans")
async def scan(call: Call, body: ScanForm) -> View | web.Response:
    """Do the step of the device at once where nothing is asked; a part goes into the kit in hand."""
    shown = body.part if body.part else body.text
    try:
        hand, is_ready = await _taken(call, body)
        if not is_ready:
            return await _view(call, body, hand)
        done = await call.context.line.do(
            hand, _station(body), _detail(body), body.outcome or None, call.actor.name, call.actor.label
        )
    except NodeError as error:
        return await _failed(call, body, await _refused(call, shown, error, is_part=bool(body.part)))
    scanned = _done(call, body.text, done)
    if "HX-Request" in call.request.headers and call.request.headers.get("HX-Target") != "work":
        return _item(call, scanned)
    return await _view(call, body.model_copy(update={"text": "", "parts": [], "part": ""}), scanned=scanned)


async def _taken(call: Call, form: ScanForm) -> tuple[InHand, bool]:
    """The device in hand and whether its step is to be done now; the form has the parts that are taken."""
    service, station = call.context.line, _station(form)
    if form.act.startswith("drop-"):
        form.parts = [part for at, part in enumerate(form.parts) if f"drop-{at}" != form.act]
    hand = await service.take(station, form.text, form.parts)
    if not form.part:
        return hand, bool(form.outcome) or form.act == "do" or (hand.is_done_at_once and not form.act)
    if await service.is_named(hand, form.part):
        return hand, True
    hand = await service.take(station, form.text, [*form.parts, form.part])
    form.parts = [*form.parts, form.part]
    return hand, False


async def _failed(call: Call, form: ScanForm, scanned: Scanned) -> View | web.Response:
    """What was scanned before stays in hand; what was refused is told above it."""
    if "HX-Request" in call.request.headers and call.request.headers.get("HX-Target") != "work":
        return _item(call, scanned)
    try:
        hand = await call.context.line.take(_station(form), form.text, form.parts)
    except NodeError:
        return await _view(call, form.model_copy(update={"text": "", "parts": []}), scanned=scanned)
    return await _view(call, form, hand, scanned)


def _item(call: Call, scanned: Scanned) -> web.Response:
    html = call.request.app[RENDERER].part(call, "parts/line_item.html", item=scanned)
    return web.Response(text=html, content_type="text/html")


def _done(call: Call, scanned: str, shown: ShownRun) -> Scanned:
    waits = at(shown.row, "waits", "title")
    title = {str(name): str(value) for name, value in waits.items()} if isinstance(waits, dict) else {}
    following = titled(title, text(shown.row, "waits", "step"), call.language)
    device = format_device_id(SubjectId(shown.passport.subject))
    return Scanned(scanned, shown.passport.title, device, text(shown.row, "id"), following)


async def _refused(call: Call, scanned: str, error: NodeError, *, is_part: bool = False) -> Scanned:
    """Why a scan was refused; of a device that is known, with its history."""
    problem = problem_of(error, call.language, call.request.path)
    values = error.values
    title = values.get("stands")
    stands = (
        titled({str(name): str(told) for name, told in title.items()}, str(values.get("step", "")), call.language)
        if isinstance(title, dict)
        else ""
    )
    whole = (
        (str(values["whole"]), str(values.get("title", "")), str(values.get("since", "")).strip("—"))
        if is_part and "whole" in values
        else None
    )
    return Scanned(
        scanned,
        problem=problem,
        stands=stands,
        whole=whole,
        run=str(values.get("run", "")),
        known=None if is_part else await known_device(call, scanned),
    )


async def _view(call: Call, form: ScanForm, hand: InHand | None = None, scanned: Scanned | None = None) -> View:
    after = await call.context.journal.last_id()
    if form.at:
        form.code, _, form.step = form.at.partition("/")
    stations = _stations(call)
    found = next((step for code, _, step in stations if (code, step.code) == (form.code, form.step)), None)
    values: dict[str, Any] = {"hand": None} if hand is None else _hand(hand)  # Any: what templates are given
    return View(
        "line.html",
        form=form,
        given=_detail(form),
        stations=[_choice(call, *one) for one in stations],
        step=found,
        process=next((title for code, title, _ in stations if code == form.code), ""),
        is_at_once=found is not None and _is_at_once(found),
        scanned=scanned,
        after=after,
        own_asks=(PLACE, WORKER),
        **values,
        **(await _queue(call, _station(form)) if found else {"queue": [], "waiting": 0, "done": 0}),
    )


def _hand(hand: InHand) -> dict[str, Any]:  # Any: what templates are given
    return {
        "hand": hand,
        "device": format_device_id(SubjectId(hand.passport.subject)),
        "kit": kit_of(hand),
        "parts_in": hand.parts,
    }


async def _queue(call: Call, station: Station) -> dict[str, Any]:  # Any: what templates are given
    sift = RunSift(org=call.context.core.org, code=station.code, step=station.step)
    runs = call.context.runs
    return {
        "queue": [row_of(call, run) for run in await runs.page(sift, None, QUEUE)],
        "waiting": await runs.count(sift),
        "done": await call.context.line.done_today(station),
    }


def _stations(call: Call) -> list[tuple[str, str, Step]]:
    """(process, what it is called, step) of everything that may be done here, by the newest version of each."""
    own, book = call.context.core.org, call.context.procedures
    newest: dict[str, Procedure] = {
        held.procedure.code: held.procedure for held in book.all() if book.takes_part(own, held.digest)
    }
    return [
        (procedure.code, titled(procedure.title, procedure.code, call.language), step)
        for procedure in newest.values()
        for step in procedure.steps
    ]


def _choice(call: Call, code: str, title: str, step: Step) -> tuple[str, str, str]:
    """A station as the form gives it: its name there, the process, the step."""
    return f"{code}/{step.code}", title, titled(step.title, step.code, call.language)


def _is_at_once(step: Step) -> bool:
    """Whether a scan alone does the step, so that scans follow one another without waiting."""
    is_plain = not step.outcomes and step.protocol is None and step.parts is None
    return is_plain and all(ask.code in (PLACE, WORKER) for ask in step.asks)


def _station(form: StationQuery) -> Station:
    code, _, step = form.at.partition("/")
    return Station(form.code or code, form.step or step, form.station.strip(), form.operator.strip())


def _detail(form: ScanForm) -> dict[str, str]:
    return {code: value.strip() for code, value in texts_of(form.model_extra or {}, "detail").items()}


async def _moved(call: Call, rows: Sequence[JournalRow]) -> Mapping[str, str]:
    if not any(row.what in MOVES for row in rows):
        return {}
    try:
        form = StationQuery.model_validate({name: call.request.query.get(name, "") for name in LIVE_NAMES})
    except ValidationError:
        return {}
    renderer = call.request.app[RENDERER]
    return {"queue": renderer.part(call, "parts/line_queue.html", **await _queue(call, _station(form)))}


ROUTES = (line, scan)
LIVE = (Live("line", _moved),)
