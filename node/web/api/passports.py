"""Passports: lists, one passport, look-up, and what is said about a subject."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator

from node.errors import InputError
from node.passport.bodies import EventBody, Moment, ParametersBody, Place, Plate, Reference, TypeBody
from node.passport.errors import DeviceIdError
from node.passport.ids import SubjectId, format_device_id, parse_device_id
from node.passport.replacement import Part, Replacement
from node.passport.shown import filter_events
from node.passport.view import DAY_US, moment_us
from node.services.access import Scope
from node.web.api.fields import Hex16, Line, Text
from node.web.calls import Call, Page, PageQuery
from node.web.routes import api

# A central code as catalogs write it; what is written otherwise is an own code, bound later.
CENTRAL_CODE = re.compile(r"[a-z][a-z0-9_.:-]{0,63}")


class PassportRow(BaseModel):
    """A passport in a list."""

    id: str
    title: str
    kind: str
    state: str
    ids: int = Field(description="How many ids lead to it; more than one where duplicates were joined.")
    changed_us: int


class PassportsQuery(PageQuery):
    """Which passports: `q` is a serial, DevEUI, device id or the beginning of a serial or DevEUI."""

    q: str = Field(default="", max_length=128)
    state: str | None = Field(default=None, max_length=64)
    type: str | None = Field(default=None, max_length=128, description="The central code of a type, as `t:cw`.")


class CountsAnswer(BaseModel):
    """The registry in numbers: `joined` are passports to which several ids lead."""

    total: int
    states: dict[str, int]
    joined: int


class PassportPath(BaseModel):
    """One passport, by device id."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=80)]


class PassportAnswer(BaseModel):
    """A whole passport as this organisation may see it, and the digest over the view."""

    id: str
    digest: str
    view: dict[str, Any]  # Any: the view is plain JSON


class LookupQuery(BaseModel):
    """Anything that stands on a device."""

    q: Annotated[str, StringConstraints(min_length=1, max_length=256)]


class LookupRow(BaseModel):
    """What was found: `source` is `here`, or the organisation that knows it."""

    id: str
    title: str
    state: str
    source: str
    age_us: int


class LookupAnswer(BaseModel):
    """What carries the identifier."""

    items: list[LookupRow]


class TimelineQuery(BaseModel):
    """Which events: of one organisation, of one central or own code."""

    who: Hex16 | None = None
    what: Annotated[str, StringConstraints(max_length=128)] | None = None


class TimelineAnswer(BaseModel):
    """Events as the passport shows them: who, what, where, when it happened and when it was recorded."""

    items: list[dict[str, Any]]  # Any: part of a view, plain JSON


class PlateBody(BaseModel):
    """A plate as it was read off, or typed as one text (`СГВ-15 № 0012345`)."""

    text: Line | None = None
    mark: Line | None = None
    designation: Line | None = None
    serial: Line | None = None
    year: Annotated[str, StringConstraints(pattern=r"^\d{4}$")] | None = None
    approvals: list[Text] = Field(default=[], max_length=8)
    codes: list[Line] = Field(default=[], max_length=8, description="Texts of scanned codes.")
    type: Text | None = Field(default=None, description="The own code of the type.")
    read: Literal["scan", "wire", "typed", "document"] = "typed"
    place: Line | None = Field(default=None, description="Where it stands: stated as its address.")
    twin: bool = Field(default=False, description="Another device with a plate that is known already.")


class SaidAnswer(BaseModel):
    """Where the statement stands."""

    id: str
    log: Hex16 | None = None
    seq: int | None = None


class EventInput(BaseModel):
    """Who and when are known; what, where and why are said here."""

    what: Text = Field(description="The central code of the kind of event, or an own code.")
    where: Text = Field(description="The own code of the place, or a device id of an object.")
    when: Moment
    process: Text | None = None
    step: Text | None = None
    system: Text = "console"
    external: Line | None = None
    detail: dict[Text, Line] = Field(default={}, max_length=32)


class CodeInput(BaseModel):
    """A dual reference: the own code, the central one, or both."""

    local: Text | None = None
    central: Text | None = None

    @model_validator(mode="after")
    def _check_named(self) -> Self:
        if self.local is None and self.central is None:
            raise ValueError("a code is local, central or both")
        return self


class ParameterInput(BaseModel):
    """One value, as decimal text, with its UCUM unit and from when it is valid."""

    code: CodeInput
    value: Line
    unit: Text | None = None
    since: Moment | None = None
    source: Line | None = None


class ParametersInput(BaseModel):
    """Values of parameters."""

    rows: list[ParameterInput] = Field(min_length=1, max_length=512)


class PartInput(BaseModel):
    """A part that was replaced: what came out and what went in, as printed on them."""

    position: Line
    designation: Line
    serial: Line
    removed_serial: Line
    removed_designation: Line | None = Field(default=None, description="The same designation, where nothing is said.")


class RepairInput(EventInput):
    """A repair and the parts that it replaced."""

    what: Text = "repaired"
    parts: list[PartInput] = Field(min_length=1, max_length=64)


class MoveInput(BaseModel):
    """Where a device stands now, and since when; it was taken off where it stood before."""

    place: Line
    when: Moment


class ShareBody(BaseModel):
    """Let an organisation read these devices."""

    org: Hex16
    ids: list[Line] = Field(min_length=1, max_length=4096)


@api("GET", "/passports", title="Passports", scopes=[Scope.READ], problems=["id_mistyped", "eui_mistyped"])
async def list_passports(call: Call, query: PassportsQuery) -> Page[PassportRow]:
    """By title; a search text narrows the list."""
    after: tuple[str, bytes] | None = None
    if query.cursor:
        title, subject = call.decode_cursor(query.cursor, str, str)
        after = (str(title), bytes.fromhex(str(subject)))
    found = await call.context.lookup.page(after, query.limit, query.q, query.state, query.type)
    joined = await call.context.lookup.joined(found)
    rows = [
        PassportRow(
            id=format_device_id(SubjectId(p.subject)),
            title=p.title,
            kind=p.kind,
            state=p.state,
            ids=1 + joined.get(p.subject, 0),
            changed_us=p.changed_us,
        )
        for p in found
    ]
    more = call.encode_cursor(found[-1].title, found[-1].subject.hex()) if len(found) == query.limit else None
    return Page(items=rows, next=more)


@api("GET", "/registry", title="The registry in numbers", scopes=[Scope.READ])
async def count(call: Call) -> CountsAnswer:
    """How many passports there are, by state, and how many ids were joined."""
    found = await call.context.lookup.count()
    return CountsAnswer(total=found.total, states=found.states, joined=found.joined)


@api("GET", "/passports/{id}", title="One passport", scopes=[Scope.READ], problems=["passport_unknown", "id_mistyped"])
async def read_passport(call: Call, path: PassportPath) -> PassportAnswer:
    """Every fact with its standing and who said it."""
    passport = await call.context.registry.get(subject_of(path.id))
    call.set_etag(passport.digest)
    return PassportAnswer(
        id=format_device_id(SubjectId(passport.subject)), digest=passport.digest.hex(), view=passport.content
    )


@api("GET", "/lookup", title="Find a device by anything that stands on it", scopes=[Scope.READ],
     problems=["id_mistyped", "eui_mistyped"])  # fmt: skip
async def look_up(call: Call, query: LookupQuery) -> LookupAnswer:
    """Here first, then at every peer."""
    return LookupAnswer(
        items=[
            LookupRow(
                id=found.id,
                title=found.title,
                state=found.state,
                source=found.source.hex() if found.source else "here",
                age_us=found.age_us,
            )
            for found in await call.context.lookup.find(query.q)
        ]
    )


@api("POST", "/plates", title="State a plate", scopes=[Scope.RECORD], status=201,
     problems=["plate_unread", "plate_elsewhere"])  # fmt: skip
async def state_plate(call: Call, body: PlateBody) -> SaidAnswer:
    """What was read off an instrument; the answer is the id that follows from it."""
    plate = plate_of(call, body)
    kind = TypeBody(type=Reference(local=body.type)) if body.type else None
    subject = await call.context.registry.register_plate(
        plate, kind, call.actor.label, place=body.place or "", is_twin=body.twin
    )
    return SaidAnswer(id=format_device_id(SubjectId(subject)))


@api("GET", "/passports/{id}/events", title="Timeline of a device", scopes=[Scope.READ])
async def timeline(call: Call, path: PassportPath, query: TimelineQuery) -> TimelineAnswer:
    """In the order in which it happened, by organisation and by what happened."""
    passport = await call.context.registry.get(subject_of(path.id))
    return TimelineAnswer(items=list(filter_events(passport.content, query.who, query.what)))


@api("POST", "/passports/{id}/events", title="Record an event", scopes=[Scope.RECORD], status=201,
     problems=["passport_unknown", "id_mistyped", "moment", "moment_future", "event_before_production"])  # fmt: skip
async def record_event(call: Call, path: PassportPath, body: EventInput) -> SaidAnswer:
    """Who, what, where, when: one missing and the event is refused."""
    ref = await call.context.registry.record_event(
        subject_of(path.id), _event(body), occurred(call, body.when), call.actor.label
    )
    return SaidAnswer(id=path.id, log=ref.log.hex(), seq=ref.seq)


@api("POST", "/passports/{id}/parameters", title="Record values of parameters", scopes=[Scope.RECORD], status=201)
async def record_parameters(call: Call, path: PassportPath, body: ParametersInput) -> SaidAnswer:
    """Typed values with unit and valid-from."""
    for row in body.rows:
        occurred(call, row.since or "1970-01-01")
    said = ParametersBody.model_validate_json(body.model_dump_json(exclude_none=True))
    ref = await call.context.registry.record_parameters(
        subject_of(path.id), said, call.context.clock.now(), call.actor.label
    )
    return SaidAnswer(id=path.id, log=ref.log.hex(), seq=ref.seq)


@api("POST", "/passports/{id}/repairs", title="Record a repair with replaced parts", scopes=[Scope.RECORD], status=201,
     problems=["passport_unknown", "part_same", "moment"])  # fmt: skip
async def record_repair(call: Call, path: PassportPath, body: RepairInput) -> SaidAnswer:
    """The repair, the parts that came out until then and those that went in from then on, said together."""
    occurred(call, body.when)
    ref = await call.context.registry.record_repair(
        subject_of(path.id), _event(body), [_replacement(part) for part in body.parts], body.when, call.actor.label
    )
    return SaidAnswer(id=path.id, log=ref.log.hex(), seq=ref.seq)


@api("POST", "/passports/{id}/moves", title="Record that a device stands elsewhere", scopes=[Scope.RECORD], status=201,
     problems=["passport_unknown", "id_mistyped", "moment", "moment_future", "event_before_production"])  # fmt: skip
async def record_move(call: Call, path: PassportPath, body: MoveInput) -> SaidAnswer:
    """The removal from where it stood and its new place, said together."""
    occurred(call, body.when)
    ref = await call.context.registry.record_move(subject_of(path.id), body.place, body.when, call.actor.label)
    return SaidAnswer(id=path.id, log=ref.log.hex(), seq=ref.seq)


class KeyBody(BaseModel):
    """Whose node to ask."""

    org: Hex16


@api("POST", "/passports/{id}/key-requests", title="Ask for a device's keys", scopes=[Scope.RADIO], status=204)
async def ask_key(call: Call, path: PassportPath, body: KeyBody) -> None:
    """They are given to the buyer of a shipment; a refusal stands in both journals."""
    await call.context.registry.ask_key(subject_of(path.id), bytes.fromhex(body.org), call.actor.label)


@api("POST", "/shares", title="Let an organisation read devices", scopes=[Scope.SHIP], status=204)
async def share(call: Call, body: ShareBody) -> None:
    """From a title holder or the maker: all that is said; from others: what they said themselves."""
    subjects = [subject_of(text) for text in body.ids]
    await call.context.registry.share(subjects, bytes.fromhex(body.org), call.actor.label)


def subject_of(text: str) -> bytes:
    """The subject of a device id; raise InputError where it is mistyped."""
    try:
        return parse_device_id(text).raw
    except DeviceIdError as error:
        raise InputError(f"{text[:64]}: {error}", "id_mistyped") from error


def plate_of(call: Call, body: PlateBody) -> Plate:
    """The plate that somebody typed, whole or in parts; raise InputError where it lacks a part."""
    designation, serial = body.designation, body.serial
    if body.text is not None:
        read = call.context.projection.world.lines.read_typed(body.text)
        if read is None:
            raise InputError(f"{body.text!r} holds no designation and serial", "plate_unread")
        designation, serial = read.designation, read.serial
    if designation is None or serial is None:
        raise InputError("a plate has a designation and a serial", "plate_unread")
    return Plate(
        mark=body.mark,
        designation=designation,
        serial=serial,
        year=body.year,
        approvals=tuple(body.approvals),
        codes=tuple(body.codes),
        read=body.read,
    )


def _replacement(part: PartInput) -> Replacement:
    removed = Part(part.removed_designation or part.designation, part.removed_serial)
    return Replacement(part.position, removed, Part(part.designation, part.serial))


def _event(body: EventInput) -> EventBody:
    try:
        place = Place(object=parse_device_id(body.where).hex)
    except DeviceIdError:
        place = Place(place=Reference(local=body.where))
    why = {"process": body.process, "step": body.step} if body.process else None
    return EventBody.model_validate(
        {
            "what": Reference(central=body.what) if CENTRAL_CODE.fullmatch(body.what) else Reference(local=body.what),
            "where": place,
            "system": body.system,
            "why": why,
            "external": body.external,
            "detail": body.detail,
        }
    )


def occurred(call: Call, text: str) -> int:
    """The moment that a text names; raise InputError where it names none, or one that has not come."""
    try:
        moment = moment_us(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise InputError(f"{text} is no moment", "moment") from error
    if moment < 0:
        raise InputError(f"{text} is before 1970, from where moments are counted", "moment")
    if moment > call.context.clock.now() + DAY_US:
        raise InputError(f"{text} is more than a day ahead: what is recorded has happened", "moment_future")
    return moment


ROUTES = [
    list_passports,
    count,
    read_passport,
    look_up,
    state_plate,
    timeline,
    record_event,
    record_parameters,
    record_repair,
    record_move,
    ask_key,
    share,
]
