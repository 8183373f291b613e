"""Opening processes: by which procedure, about which devices, with whom in which role, by when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from node.errors import NodeError
from node.passport.ids import SubjectId, format_device_id
from node.services.access import Scope
from node.services.procedures import HeldProcedure
from node.services.runs import MOST_AT_ONCE, NewRun
from node.web.api.processes import NewProcess
from node.web.api.registry import PassportsQuery, find_page
from node.web.binding import RulesError
from node.web.calls import Call, View
from node.web.console.processes import PATH
from node.web.dispatch import redirect_in_page
from node.web.languages import mark
from node.web.nested import texts_of
from node.web.routes import page

TITLE = mark("New process")
BODY = 1 << 20


class OpenQuery(BaseModel):
    """What is filled in from the start: a device, those of a list or of an import, and a kind of process.

    `among` is what the page of devices was asked, as its address says it.
    """

    device: str = Field(default="", max_length=80)
    among: str | None = Field(default=None, max_length=2048)
    job: str = Field(default="", max_length=16, pattern="^([0-9a-f]{16})?$")
    code: str = Field(default="", max_length=64)
    procedure: str = Field(default="", max_length=64)


class OpenForm(BaseModel):
    """A new process, or what is changed in its form: a `role.CODE` for each role beside."""

    model_config = ConfigDict(extra="allow")

    act: str = Field(default="", max_length=16)
    procedure: str = Field(default="", max_length=64)
    devices: str = ""
    number: str = Field(default="", max_length=128)
    about: str = Field(default="", max_length=512)
    due: str = Field(default="", max_length=10)


@dataclass(frozen=True, slots=True)
class Party:
    """An organisation that may have a role, or one that did not accept the procedure."""

    org: str
    name: str
    has_accepted: bool


@page("GET", PATH + "/new", title=TITLE, scopes=[Scope.RECORD], api="POST /processes")
async def new(call: Call, query: OpenQuery) -> View:
    """The form."""
    held = _choice(call)
    chosen = next((one for one in held if query.procedure == one.digest or query.code == one.procedure.code), None)
    if len(held) == 1:
        (chosen,) = held
    devices, is_cut = await _begun(call, query)
    form = OpenForm(procedure=chosen.digest if chosen else query.procedure, devices="\n".join(devices))
    return await _view(call, form, is_cut=is_cut)


@page("POST", PATH + "/new", title=TITLE, scopes=[Scope.RECORD], api="POST /processes", max_body=BODY)
async def open_processes(call: Call, body: OpenForm) -> View | web.Response:
    """Open one process about each device; with `act` the form alone is shown anew, for another procedure."""
    if body.act:
        return await _view(call, body)
    try:
        subjects, unknown = await _subjects(call, body.devices)
        if unknown:
            return await _view(call, body, unknown)
        ids = await call.context.runs.open(_read(body, subjects), call.actor.label)
    except NodeError as error:
        return await _view(call, body, error=error)
    return redirect_in_page(call, f"{PATH}/{ids[0]}" if len(ids) == 1 else _board(call, body))


def _board(call: Call, form: OpenForm) -> str:
    """The board of a kind of process."""
    held = call.context.procedures.find(form.procedure)
    return f"{PATH}?state=open" + (f"&code={held.procedure.code}" if held else "")


async def _begun(call: Call, query: OpenQuery) -> tuple[list[str], bool]:
    """The ids of the devices that are filled in from the start, and whether there were too many for all of them."""
    if query.job:
        things = await call.context.imported.things(query.job, 0, MOST_AT_ONCE + 1)
        found = [one.subject for one in things if one.kind == "device"]
    elif query.among is not None:
        asked = PassportsQuery.model_validate(dict(parse_qsl(query.among)))
        listed, more, _ = await find_page(call, asked.model_copy(update={"limit": MOST_AT_ONCE, "cursor": None}))
        found = [card.subject for card in listed.cards] + ([b""] if more else [])
    else:
        return [query.device] if query.device else [], False
    return [format_device_id(SubjectId(subject)) for subject in found[:MOST_AT_ONCE]], len(found) > MOST_AT_ONCE


def _read(form: OpenForm, subjects: Sequence[bytes]) -> NewRun:
    values = {name: getattr(form, name) or None for name in ("number", "about", "due")}
    ids = [format_device_id(SubjectId(subject)) for subject in subjects]
    try:
        said = NewProcess.model_validate({"procedure": form.procedure, "ids": ids, "roles": _roles(form), **values})
    except ValidationError as error:
        raise RulesError("body", error) from error
    roles = {role: bytes.fromhex(org) for role, org in said.roles.items()}
    return NewRun(said.procedure, subjects, roles, said.number, said.about, said.due)


def _roles(form: OpenForm) -> dict[str, str]:
    return texts_of(form.model_extra or {}, "role")


async def _subjects(call: Call, text: str) -> tuple[list[bytes], list[str]]:
    """The devices that the lines name, and the lines that name none or several."""
    lines = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))[: MOST_AT_ONCE + 1]
    found, unknown = list[bytes](), list[str]()
    for line, passports in (await call.context.lookup.here(lines)).items():
        if len(passports) == 1:
            found.append(passports[0].subject)
        else:
            unknown.append(line)
    return list(dict.fromkeys(found)), unknown


def _choice(call: Call) -> list[HeldProcedure]:
    """The procedures by which this organisation takes part, the newest version of each first."""
    own, book = call.context.core.org, call.context.procedures
    return [held for held in reversed(book.all()) if book.takes_part(own, held.digest)]


def _parties(call: Call, held: HeldProcedure) -> list[Party]:
    """Every organisation that is known here: those that accepted the procedure first."""
    world, book = call.context.projection.world, call.context.procedures
    orgs = {*held.parties, *world.cards}
    found = [Party(org.hex(), book.name_of(org), org in held.parties) for org in orgs]
    return sorted(found, key=lambda party: (not party.has_accepted, party.name))


async def _view(
    call: Call, form: OpenForm, unknown: Sequence[str] = (), error: Exception | None = None, *, is_cut: bool = False
) -> View:
    choice = _choice(call)
    held = next((one for one in choice if one.digest == form.procedure), None)
    lines = [line.strip() for line in form.devices.splitlines() if line.strip()]
    titles: Mapping[str, str] = {}
    if 0 < len(lines) <= MOST_AT_ONCE:
        named = await call.context.lookup.here(lines[:20])
        titles = {line: found[0].title for line, found in named.items() if len(found) == 1 and found[0].title}
    return View(
        "process_new.html",
        error=error,
        form=form,
        roles_given=_roles(form),
        choice=choice,
        held=held,
        parties=_parties(call, held) if held else [],
        own=call.context.core.org.hex(),
        unknown=unknown,
        titles=titles,
        is_cut=is_cut,
        count=len(lines),
        most=MOST_AT_ONCE,
    )


ROUTES = (new, open_processes)
