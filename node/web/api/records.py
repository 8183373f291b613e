"""What is said of a device: plates, events, parameters, repairs, moves; and who may read it or ask for its keys."""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, model_validator

from node.errors import DeniedError, InputError
from node.passport.bodies import (
    EventBody,
    Moment,
    ParameterRow,
    ParametersBody,
    Place,
    Plate,
    Reference,
    TypeBody,
)
from node.passport.catalogs import Catalog
from node.passport.entitlement import is_observed
from node.passport.ids import SubjectId, format_device_id
from node.passport.plate import narrow
from node.passport.replacement import Part, Replacement
from node.passport.view import DAY_US, moment_us
from node.services.access import Scope
from node.services.entry import BothCodes as Codes
from node.services.findings import show_finding
from node.services.search import read_exact
from node.web.api.fields import Hex16, Line, SignedDay, Text
from node.web.api.passports import PassportPath, subject_of
from node.web.calls import Call
from node.web.routes import Limit, api
from node.web.system_rights import only_observed, speaking_system

CONSOLE = "console"
# A central code as catalogs write it; an unknown one is refused. What is written otherwise is an own code.
CENTRAL_CODE = re.compile(r"[a-z][a-z0-9_.:-]{0,63}")


def _narrowed(value: object) -> object:
    return narrow(value) if isinstance(value, str) else value


class PlateBody(BaseModel):
    """A plate as it was read off, or typed as one text (`СГВ-15 № 0012345`)."""

    text: Line | None = None
    mark: Line | None = None
    designation: Line | None = None
    serial: Line | None = None
    year: Annotated[str, BeforeValidator(_narrowed), StringConstraints(pattern=r"^[0-9]{4}$")] | None = None
    approvals: list[Text] = Field(default=[], max_length=8)
    codes: list[Line] = Field(default=[], max_length=8, description="Texts of scanned codes.")
    type: Text | None = Field(default=None, description="The own code of the type, or its central one.")
    execution: Line | None = None
    version: Line | None = Field(default=None, description="The version of the type that it was built to.")
    manufactured_on: SignedDay | None = Field(default=None, description="On which day an approval has to hold.")
    read: Literal["scan", "wire", "typed", "document"] = "typed"
    place: Line | None = Field(default=None, description="Where it stands: stated as its address.")
    twin: bool = Field(default=False, description="Another device with a plate that is known already.")


class BothCodes(BaseModel):
    """A code as it was taken; without a central one it is accepted and bound later."""

    catalog: str
    local: str | None
    central: str | None
    name: str | None


class Hint(BaseModel):
    """What a catalog says of a value that is taken as it is."""

    pointer: str
    rule: str
    message: str


class SaidAnswer(BaseModel):
    """Where the statement stands, the codes in it with both spellings, and what catalogs say of its values."""

    id: str
    log: Hex16 | None = None
    seq: int | None = None
    codes: list[BothCodes] = []
    hints: list[Hint] = []


class EventInput(BaseModel):
    """Who and when are known; what, where and why are said here."""

    what: Text = Field(description="The own code of the kind of event that was loaded, or the central one.")
    where: Text = Field(description="The own code of the place, or a device id of an object.")
    when: Moment
    process: Text | None = None
    step: Text | None = None
    system: Text | None = Field(
        default=None,
        description="Of people: which of their systems told it. A token speaks for its own system alone.",
    )
    external: Line | None = None
    detail: dict[Text, Line] = Field(default={}, max_length=32)
    corrects: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}:[0-9]{1,16}:[0-9a-f]{32}$")] | None = Field(
        default=None, description="The place of an event's statement that this one takes the place of."
    )


class CodeInput(BaseModel):
    """A dual reference: the own code, the central one, or both; or `any`, as one text stands for it."""

    local: Text | None = None
    central: Text | None = None
    any: Text | None = Field(default=None, description="An own code that was loaded, else a central, else a new one.")

    @model_validator(mode="before")
    @classmethod
    def _take_text(cls, value: object) -> object:
        return {"any": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check_named(self) -> Self:
        if self.local is None and self.central is None and self.any is None:
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
    write: bool = Field(default=False, description="Let it say what it does with them too, with our authority.")


@api("POST", "/plates", title="State a plate", scopes=[Scope.RECORD], status=201,
     problems=["plate_unread", "plate_mute", "plate_year_future", "plate_elsewhere", "id_mistyped",
               "moment", "moment_future", "production_after_events", "catalog_rule"])  # fmt: skip
async def state_plate(call: Call, body: PlateBody) -> SaidAnswer:
    """What was read off an instrument; the answer is the id that follows from it."""
    if body.manufactured_on:
        occurred(call, body.manufactured_on)
    if body.place:
        place_named(body.place)
    plate, entry = plate_of(call, body), call.context.entry
    kind = None
    if body.type:
        reference = entry.refer(Catalog.TYPES, body.type)
        kind = TypeBody(type=reference, execution=body.execution, version=body.version)
        entry.check_type(kind, plate.approvals, body.manufactured_on)
    else:
        entry.check_approvals(plate.approvals, body.manufactured_on)
    subject = await call.context.registry.register_plate(
        plate, kind, call.actor.label, place=body.place or "", is_twin=body.twin
    )
    both = [entry.both(Catalog.TYPES.value, kind.type, call.language)] if kind else []
    printed = [] if body.twin else await call.context.registry.printed(plate, subject)
    hints = [show_finding("/serial", "plate-known", str(known), {}) for known in printed]
    return SaidAnswer(id=format_device_id(SubjectId(subject)), codes=_codes(both), hints=hints_of(hints, call.language))


@api("POST", "/passports/{id}/events", title="Record an event", scopes=[Scope.RECORD], status=201,
     limit=Limit.PASSPORT,
     problems=["passport_unknown", "id_mistyped", "moment", "moment_future", "event_before_production",
               "production_after_events", "correction_nothing", "correction_replaced", "event_told_otherwise",
               "catalog_rule", "device_unfit", "system_other", "system_own_token"])  # fmt: skip
async def record_event(call: Call, path: PassportPath, body: EventInput) -> SaidAnswer:
    """Who, what, where, when: one missing and the event is refused.

    An event that a system sends again under the same `external` is written once: the answer says where it stands.
    """
    event = await checked_event(call, body)
    ref = await call.context.registry.record_event(
        subject_of(path.id), event, occurred(call, body.when), call.actor.label, corrects=body.corrects
    )
    codes = call.context.entry.codes_of_event(event, call.language)
    return SaidAnswer(id=path.id, log=ref.log.hex(), seq=ref.seq, codes=_codes(codes))


@api("POST", "/passports/{id}/parameters", title="Record values of parameters", scopes=[Scope.RECORD], status=201,
     limit=Limit.PASSPORT,
     problems=["passport_unknown", "id_mistyped", "moment", "moment_future", "verification_before_production",
               "catalog_rule", "system_observed"])  # fmt: skip
async def record_parameters(call: Call, path: PassportPath, body: ParametersInput) -> SaidAnswer:
    """Typed values with unit and valid-from. A row that breaks the catalog is refused with the rule named."""
    for row in body.rows:
        occurred(call, row.since or "1970-01-01")
    entry = call.context.entry
    said = ParametersBody(rows=tuple(_parameter(call, row) for row in body.rows))
    hints = entry.check_rows(said.rows)
    if only_observed(call.actor) and not all(map(is_observed, entry.central_codes(said.rows))):
        raise DeniedError(f"{call.actor.label} states observed parameters alone", "system_observed")
    ref = await call.context.registry.record_parameters(
        subject_of(path.id), said, call.context.clock.now(), call.actor.label
    )
    codes = _codes(entry.codes_of_rows(said.rows, call.language))
    return SaidAnswer(id=path.id, log=ref.log.hex(), seq=ref.seq, codes=codes, hints=hints_of(hints, call.language))


@api("POST", "/passports/{id}/repairs", title="Record a repair with replaced parts", scopes=[Scope.RECORD], status=201,
     problems=["passport_unknown", "id_mistyped", "part_same", "moment", "moment_future", "event_before_production",
               "catalog_rule", "device_unfit",
               "system_other", "system_own_token"])  # fmt: skip
async def record_repair(call: Call, path: PassportPath, body: RepairInput) -> SaidAnswer:
    """The repair, the parts that came out until then and those that went in from then on, said together."""
    occurred(call, body.when)
    ref = await call.context.registry.record_repair(
        subject_of(path.id),
        await checked_event(call, body),
        [replacement(part) for part in body.parts],
        body.when,
        call.actor.label,
    )
    return SaidAnswer(id=path.id, log=ref.log.hex(), seq=ref.seq)


@api("POST", "/passports/{id}/moves", title="Record that a device stands elsewhere", scopes=[Scope.RECORD], status=201,
     limit=Limit.PASSPORT,
     problems=["passport_unknown", "id_mistyped", "moment", "moment_future", "event_before_production"])  # fmt: skip
async def record_move(call: Call, path: PassportPath, body: MoveInput) -> SaidAnswer:
    """The removal from where it stood and its new place, said together."""
    occurred(call, body.when)
    place_named(body.place)
    ref = await call.context.registry.record_move(
        subject_of(path.id), body.place, body.when, call.actor.label, system=call.actor.system or CONSOLE
    )
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
    await call.context.registry.share(subjects, bytes.fromhex(body.org), call.actor.label, write=body.write)


def plate_of(call: Call, body: PlateBody) -> Plate:
    """The plate that somebody typed, whole or in parts; raise InputError where it lacks a part."""
    designation, serial = body.designation, body.serial and narrow(body.serial)
    if body.text is not None:
        read = call.context.projection.world.lines.read_typed(narrow(body.text))
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


def replacement(part: PartInput) -> Replacement:
    """What was taken out of a position, and what was put in."""
    removed = Part(part.removed_designation or part.designation, part.removed_serial)
    return Replacement(part.position, removed, Part(part.designation, part.serial))


async def checked_event(call: Call, body: EventInput) -> EventBody:
    """The event in both codes' terms, in the name of the system that speaks.

    Raise InputError where its kind is no code of the catalog, DeniedError where it names another's system.
    """
    entry = call.context.entry
    system = await speaking_system(call.context, call.actor, body.system) or CONSOLE
    event = _event(body, entry.refer(Catalog.EVENTS, body.what), system)
    entry.check_event(event, CENTRAL_CODE.fullmatch(body.what) is not None)
    return event


def place_named(text: str) -> Place:
    """A place as somebody names it: the id of an object, or an own code; raise InputError where an id is mistyped."""
    named = read_exact(text)
    is_object = named is not None and named.scheme == "id"
    return Place(object=named.term) if named and is_object else Place(place=Reference(local=text))


def _parameter(call: Call, row: ParameterInput) -> ParameterRow:
    code = call.context.entry.refer(Catalog.PARAMETERS, row.code.any) if row.code.any else None
    reference = code or Reference(local=row.code.local, central=row.code.central)
    return ParameterRow(code=reference, value=row.value, unit=row.unit, since=row.since, source=row.source)


def _codes(found: Iterable[Codes]) -> list[BothCodes]:
    return [BothCodes(catalog=c.catalog, local=c.local, central=c.central, name=c.name) for c in found]


def hints_of(found: Iterable[Mapping[str, Any]], language: str) -> list[Hint]:  # Any: findings are plain values
    """Findings that refuse nothing, in the reader's language."""
    told = "ru" if language == "ru" else "en"
    return [Hint(pointer=one["pointer"], rule=one["rule"], message=one[told]["what"]) for one in found]


def _event(body: EventInput, what: Reference, system: str) -> EventBody:
    place = place_named(body.where)
    why = {"process": body.process, "step": body.step} if body.process else None
    return EventBody.model_validate(
        {
            "what": what,
            "where": place,
            "system": system,
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
    state_plate,
    record_event,
    record_parameters,
    record_repair,
    record_move,
    ask_key,
    share,
]
