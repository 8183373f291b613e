"""The board of processes: who has to do what by when, and one column a step where one kind of process is chosen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from pydantic import ValidationError

from node.services.access import Scope
from node.services.journal import JournalRow
from node.services.runs import RunSift
from node.web.api.processes import LoadRow, ProcessesQuery, ProcessRow, load_of, row_of, sift_of, sorted_loads
from node.web.calls import Call, View
from node.web.dispatch import redirect
from node.web.events import Live
from node.web.languages import mark
from node.web.process_words import process_name, titled
from node.web.rendering import RENDERER
from node.web.routes import Group, Menu, page

TITLE = mark("Processes")
PATH = "/processes"
IN_COLUMN = 20
MOVES = frozenset(
    {"passport_changed", "passport_gone", "run_opened", "run_assigned", "run_closed", "run_cancelled", "step_done",
     "step_declined", "step_overdue", "procedure_published"}
)  # fmt: skip
FILTERS = ("org", "owner", "code", "step", "number")


@dataclass(frozen=True, slots=True)
class Column:
    """A step with what stands there; of many only the first ones are shown."""

    step: str
    title: str
    count: int
    rows: list[ProcessRow]


async def waiting_steps(call: Call) -> int:
    """How many steps wait for this organisation."""
    return await call.context.runs.count(RunSift(org=call.context.core.org))


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], menu=Menu(Group.WORK, 1, "processes", waiting_steps),
      api="GET /processes",
      lists=["GET /processes/loads"])  # fmt: skip
async def processes(call: Call, query: ProcessesQuery) -> View | web.Response:
    """Ours first; everything that narrows the list stands in the address. Follows the stream."""
    if not call.request.query:
        return redirect(f"{PATH}?mine=true")
    after = await call.context.journal.last_id()
    asked = _asked(query)
    return View(
        "processes.html",
        api_query=urlencode(asked),
        after=after,
        stream=urlencode(asked | ({"cursor": query.cursor} if query.cursor else {})),
        **await _board(call, query),
    )


def step_title(call: Call, procedure: str, step: str) -> str:
    """What a step is called in its procedure, else by the catalog."""
    held = call.context.procedures.find(procedure)
    found = held.procedure.step(step) if held else None
    return titled(found.title if found else {}, step, call.language) if step else ""


def process_title(call: Call, procedure: str, code: str) -> str:
    """What a process is called by its procedure, else by the catalog."""
    held = call.context.procedures.find(procedure)
    return titled(held.procedure.title, code, call.language) if held else process_name(code, call.language)


async def _board(call: Call, query: ProcessesQuery) -> dict[str, Any]:  # Any: what templates are given
    sift, context = sift_of(call, query), call.context
    place = call.decode_cursor(query.cursor, int, str) if query.cursor else None
    after = (int(place[0]), bytes.fromhex(str(place[1]))) if place else None
    found = await context.runs.page(sift, after, query.limit + 1)
    last = found[query.limit - 1].card if len(found) > query.limit else None
    key = None if last is None else last.due_us if query.state == "open" else -last.since_us
    cursor = call.encode_cursor(key, last.id.hex()) if last is not None and key is not None else ""
    asked = _asked(query)
    loads = [load_of(call, load) for load in await sorted_loads(call)]
    return {
        "query": query,
        "rows": [row_of(call, run) for run in found[: query.limit]],
        "columns": await _columns(call, query, sift) if query.code and query.state == "open" else [],
        "more": urlencode(asked | {"cursor": cursor}) if cursor else "",
        "loads": loads,
        "tabs": await _tabs(call, loads),
        "kept": urlencode({name: asked[name] for name in FILTERS if name in asked}),
        "is_filtered": any(name in asked for name in FILTERS),
        "kinds": _kinds(call),
        "steps": _steps(call, query.code),
        "orgs": sorted(((load.org, load.name) for load in loads if load.org), key=lambda one: one[1]),
        "step_title": lambda row: step_title(call, row.procedure, row.step),
        "process_title": lambda row: process_title(call, row.procedure, row.code),
        "own": context.core.org.hex(),
        "may": call.actor.may([Scope.RECORD]),
    }


async def _tabs(call: Call, loads: Sequence[LoadRow]) -> list[tuple[str, str, int | None]]:
    """(what the address asks, title, how many); how many are over is not counted."""
    mine = sum(load.open for load in loads if load.org == call.context.core.org.hex())
    return [
        ("mine=true", mark("Wait for us"), mine),
        ("state=open", mark("All open"), sum(load.open for load in loads)),
        ("overdue=true", mark("Overdue"), sum(load.overdue for load in loads)),
        ("state=closed", mark("Closed"), None),
    ]


async def _columns(call: Call, query: ProcessesQuery, sift: RunSift) -> list[Column]:
    """The steps of the chosen process in the order of its newest version, and any other at which something stands."""
    counts = await call.context.runs.count_steps(sift)
    known = [step.code for held in reversed(_of_code(call, query.code)) for step in held.procedure.steps]
    columns = []
    for step in dict.fromkeys([*known, *sorted(counts)]):
        if query.step not in (None, step) or not (step or counts.get(step)):
            continue
        narrowed = query.model_copy(update={"step": step})
        rows = await call.context.runs.page(sift_of(call, narrowed), None, IN_COLUMN) if counts.get(step) else []
        columns.append(Column(step, dict(_steps(call, query.code)).get(step, step), counts.get(step, 0),
                              [row_of(call, run) for run in rows]))  # fmt: skip
    return columns


def _asked(query: ProcessesQuery) -> dict[str, str]:
    """What the list is asked, as its address says it."""
    asked = query.model_dump(exclude_defaults=True, exclude={"cursor"})
    told = {name: "true" if value is True else str(value) for name, value in asked.items() if value not in (None, "")}
    return told if {"mine", "overdue", "state"} & told.keys() else {"state": "open"} | told


def _of_code(call: Call, code: str | None) -> list[Any]:  # Any: procedures as they are held
    return [held for held in call.context.procedures.all() if held.procedure.code == code]


def _kinds(call: Call) -> list[tuple[str, str]]:
    """The kinds of processes that are known here, by what they are called."""
    known = {held.procedure.code: titled(held.procedure.title, held.procedure.code, call.language)
             for held in call.context.procedures.all()}  # fmt: skip
    return sorted(known.items(), key=lambda kind: kind[1])


def _steps(call: Call, code: str | None) -> list[tuple[str, str]]:
    """The steps of a kind of process over its versions."""
    steps = [step for held in _of_code(call, code) for step in held.procedure.steps]
    return list({step.code: titled(step.title, step.code, call.language) for step in steps}.items())


async def _moved(call: Call, rows: Sequence[JournalRow]) -> Mapping[str, str]:
    if not any(row.what in MOVES for row in rows):
        return {}
    names = ProcessesQuery.model_fields
    asked = {name: value for name, value in call.request.query.items() if name in names}
    try:
        query = ProcessesQuery.model_validate(asked)
    except ValidationError:
        return {}
    renderer = call.request.app[RENDERER]
    return {"processes": renderer.part(call, "parts/process_list.html", **await _board(call, query))}


ROUTES = (processes,)
LIVE = (Live("processes", _moved),)
