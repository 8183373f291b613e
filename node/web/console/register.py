"""Register and scan: plates by scan, by typing or in parts, one after another; and things without a plate."""

from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, Field

from node.errors import InputError, NodeError, NotFoundError, StateError
from node.passport.bodies import Plate, Reference, SubjectBody, TypeBody
from node.passport.ids import SubjectId, format_device_id
from node.passport.plate import Nameplate
from node.passport.scans import Filled
from node.passport.shown import place_of
from node.passport.suggestions import Sighting, Slip
from node.passport.unseen import VISIBLE
from node.services.access import Scope
from node.services.identities import Alike, Read
from node.web.api.composition import ThingInput
from node.web.api.fields import SCANNED
from node.web.api.identity import FilledQuery
from node.web.api.moments import today
from node.web.api.records import occurred
from node.web.calls import Call, View
from node.web.console.known_device import Known, known_by
from node.web.dispatch import redirect, redirect_in_page
from node.web.errors import Problem, problem_of
from node.web.languages import mark
from node.web.rendering import RENDERER
from node.web.routes import Group, Menu, page

TITLE = mark("Register")
PATH = "/register"
ELSEWHERE = "plate_elsewhere"
KINDS = ("unit", "object", "batch", "component")


class HintsQuery(FilledQuery):
    """What stands in the form so far."""

    place: str = Field(default="", max_length=512, pattern=VISIBLE)


class TypedQuery(BaseModel):
    """What was looked for before, in vain."""

    text: str = Field(default="", max_length=512, pattern=SCANNED)


class RegisterForm(HintsQuery):
    """A device, where to go then, and the answer where its plate is known at another place."""

    type: str = Field(default="", max_length=128, pattern=VISIBLE)
    then: Literal["next", "passport"] = "passport"
    answer: Literal["", "moved", "twin"] = ""
    when: str = Field(default="", max_length=10)


@dataclass(frozen=True, slots=True)
class Likely:
    """A known device that this one may be."""

    id: str
    title: str
    state: str
    slip: str
    signs: list[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one device: registered, known (already), elsewhere, or refused."""

    kind: str
    text: str
    id: str = ""
    title: str = ""
    place: str = ""
    alike: tuple[Likely, ...] = ()
    known: Known | None = None
    problem: Problem | None = None


@page("GET", PATH, title=TITLE, scopes=[Scope.RECORD], menu=Menu(Group.PASSPORTS, 2, "register"), api="POST /plates")
async def register(call: Call, query: TypedQuery) -> View:
    """The form."""
    return _view(call, RegisterForm(text=query.text))


@page("GET", PATH + "/hints", title=TITLE, scopes=[Scope.RECORD], api="GET /plates/suggestions")
async def hints(call: Call, query: HintsQuery) -> web.Response:
    """What is known of a plate while it is being typed: the line's rules, and devices that it may be."""
    values: dict[str, Any] = {
        "read": None,
        "known": None,
        "alike": [],
        "problem": None,
        "typed": _typed(query),
    }  # Any: what templates are given
    try:
        found = await _read(call, query)
        values["read"] = found
        values["known"] = await known_by(call, found.known.subject) if found.known else None
        if found.known is None and found.scan.is_whole:
            values["alike"] = await _alike(call, found.scan.plate, query.place)
    except NodeError as error:
        values["problem"] = problem_of(error, call.language, call.request.path)
    return _part(call, "parts/register_hints.html", **values)


@page("POST", PATH, title=TITLE, scopes=[Scope.RECORD], api="POST /plates")
async def state(call: Call, body: RegisterForm) -> View | web.Response:
    """State a plate; a scanner's next one follows on the same page."""
    outcome = await _outcome(call, body)
    if outcome.kind in ("registered", "known") and body.then == "passport":
        return redirect(f"/devices/{outcome.id}")
    if "HX-Request" in call.request.headers:
        values = {"item": outcome, "form": body, "today": today(call).isoformat()}
        return _part(call, "parts/register_item.html", **values)
    done = outcome.kind in ("registered", "known")
    kept = RegisterForm(place=body.place, type=body.type) if done else body
    return _view(call, kept, outcome, body)


@page("POST", PATH + "/things", title=TITLE, scopes=[Scope.RECORD], api="POST /things")
async def state_thing(call: Call, body: ThingInput) -> web.Response:
    """State a thing without a plate, and go to its passport."""
    said = SubjectBody.model_validate(body.model_dump())
    subject = await call.context.assembly.register(said, call.actor.label)
    return redirect_in_page(call, f"/devices/{format_device_id(SubjectId(subject))}")


def likely(alike: Alike, serial: str = "") -> Likely:
    """A suggestion as pages show it."""
    found = alike.suggestion
    is_written_otherwise = found.slip is Slip.NONE and serial and not alike.title.endswith(serial)
    return Likely(
        format_device_id(SubjectId(found.subject)),
        alike.title,
        alike.state,
        "zeros" if is_written_otherwise else found.slip.value,
        [sign.value for sign in found.signs],
    )


def _view(call: Call, form: RegisterForm, outcome: Outcome | None = None, sent: RegisterForm | None = None) -> View:
    return View(
        "register.html",
        form=form,
        sent=sent,
        items=[outcome] if outcome else [],
        today=today(call).isoformat(),
        kinds=KINDS,
    )


def _part(call: Call, template: str, **values: object) -> web.Response:
    html = call.request.app[RENDERER].part(call, template, **values)
    return web.Response(text=html, content_type="text/html")


def _typed(form: HintsQuery) -> str:
    """What was typed, as one text."""
    return form.text or f"{form.designation} № {form.serial}".strip(" №")


async def _read(call: Call, form: HintsQuery) -> Read:
    names = ("text", "designation", "serial", "mark", "year", "approval")
    return await call.context.identities.read(Filled(**{name: getattr(form, name) for name in names}))


async def _alike(call: Call, plate: Nameplate, place: str) -> list[Likely]:
    found = await call.context.identities.suggest(Sighting(plate, place))
    return [likely(alike, plate.serial) for alike in found]


async def _outcome(call: Call, form: RegisterForm) -> Outcome:
    typed = _typed(form)
    found: Read | None = None
    try:
        found = await _read(call, form)
        subject = await _stated(call, form, found)
        passport = await call.context.registry.get(subject)
        alike = await call.context.identities.suggest_for(passport.subject)
    except StateError as error:
        if error.code == ELSEWHERE and found is not None and found.known is not None:
            known = found.known
            return Outcome(
                "elsewhere", typed, format_device_id(SubjectId(known.subject)), known.title, place_of(known.content)
            )
        return Outcome("refused", typed, problem=problem_of(error, call.language, call.request.path))
    except NodeError as error:
        return Outcome("refused", typed, problem=problem_of(error, call.language, call.request.path))
    is_new = found.known is None or form.answer == "twin"
    return Outcome(
        "registered" if is_new else "known",
        typed,
        format_device_id(SubjectId(passport.subject)),
        passport.title,
        place_of(passport.content),
        tuple(likely(one, found.scan.plate.serial) for one in alike) if is_new else (),
        None if is_new else await known_by(call, passport.subject),
    )


async def _stated(call: Call, form: RegisterForm, found: Read) -> bytes:
    """State what was read, and answer its subject; raise NodeError."""
    scan, registry = found.scan, call.context.registry
    if not scan.is_whole:
        if found.known is not None:
            return found.known.subject
        if scan.subject is not None:
            raise NotFoundError("no passport of that id is here", "passport_unknown")
        raise InputError("a plate has a designation and a serial", "plate_unread")
    plate = Plate(
        mark=scan.plate.mark,
        designation=scan.plate.designation,
        serial=scan.plate.serial,
        year=scan.plate.year,
        approvals=scan.plate.approvals,
        codes=scan.plate.codes,
        read="scan" if scan.code else "typed",
    )
    kind = TypeBody(type=Reference(local=form.type)) if form.type else None
    moved = form.when or today(call).isoformat() if form.answer == "moved" else ""
    if moved:
        occurred(call, moved)
    is_twin, place = form.answer == "twin", "" if moved else form.place.strip()
    subject = await registry.register_plate(plate, kind, call.actor.label, place=place, is_twin=is_twin)
    if moved:
        await registry.record_move(subject, form.place.strip(), moved, call.actor.label)
    return subject


ROUTES = (register, hints, state, state_thing)
