"""What a passport says of a moment: values of parameters, what was inside; and what goes on about the device now."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from node.errors import InputError
from node.passport.catalogs import Catalog
from node.passport.ids import SubjectId, format_device_id
from node.passport.shown import at
from node.passport.view import Plain, View, inside_on, moment_us, value_on
from node.passport.waiting import running
from node.services.access import Scope
from node.web.api.passports import PassportPath, subject_of
from node.web.calls import Call
from node.web.passport_words import named
from node.web.routes import Limit, api
from node.web.tables import passports as tables

Moment = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,6})?Z)?$")]
PROBLEMS = ("passport_unknown", "id_mistyped")


class OnQuery(BaseModel):
    """On which day, or at which moment; nothing means today."""

    on: Moment | None = Field(default=None, description="As 2026-01-31 (the end of that day) or 2026-01-31T12:00:00Z.")


class ValueAnswer(BaseModel):
    """A parameter's value with who said it and how it stands; null where equal parties differ."""

    code: str
    local: str | None = Field(description="The own code under which it was first written.")
    name: str
    value: str | None
    unit: str | None
    since: str | None
    source: str | None
    standing: str
    by: str | None
    others: list[dict[str, Any]] = Field(description="What others said of it.")  # Any: rows of the view are plain JSON


class ParametersAnswer(BaseModel):
    """The values that stand at a moment, by code."""

    on: str
    items: list[ValueAnswer]


class PartAnswer(BaseModel):
    """A part and the time in which it stands inside; the end is excluded."""

    part: str
    position: str | None
    designation: str | None
    serial: str | None
    quantity: str | None
    since: str | None
    until: str | None
    standing: str
    by: str | None


class CompositionAnswer(BaseModel):
    """What stands inside at a moment."""

    on: str
    items: list[PartAnswer]


class ProcessAnswer(BaseModel):
    """One thing that goes on: since when or until which day, who began it and who is waited for."""

    what: str
    since: int | None
    until: str | None
    by: str | None
    party: str | None
    code: str | None = Field(description="The event that asks for a verification, or the process.")
    step: str | None
    next_step: str | None
    ref: str | None
    run: str | None = Field(description="The process, where somebody opened it: `GET /processes/{run}`.")


class ProcessesAnswer(BaseModel):
    """What goes on about a device."""

    items: list[ProcessAnswer]


@api("GET", "/passports/{id}/parameters", title="Values of parameters on a date", scopes=[Scope.READ],
     limit=Limit.PASSPORT, problems=[*PROBLEMS, "moment"], table=tables.PARAMETERS)  # fmt: skip
async def read_parameters(call: Call, path: PassportPath, query: OnQuery) -> ParametersAnswer:
    """One row a parameter: what stands at the end of that day, by rank and then by valid-from. Rivals stand beside."""
    on = checked_day(call, query)
    view = (await call.context.registry.get(subject_of(path.id), whole=False)).content
    return ParametersAnswer(
        on=on, items=[_value(call, parameter, code, row) for code, parameter, row in values_on(view, on)]
    )


@api("GET", "/passports/{id}/composition", title="What was inside on a date", scopes=[Scope.READ],
     limit=Limit.PASSPORT, problems=[*PROBLEMS, "moment"], table=tables.COMPOSITION)  # fmt: skip
async def read_composition(call: Call, path: PassportPath, query: OnQuery) -> CompositionAnswer:
    """Parts that stood inside at the end of that day; what is disputed is left out."""
    on = checked_day(call, query)
    view = (await call.context.registry.get(subject_of(path.id), whole=False)).content
    return CompositionAnswer(on=on, items=[_part(edge) for edge in inside_on(view, on)])


@api("GET", "/passports/{id}/processes", title="What goes on about a device", scopes=[Scope.READ],
     limit=Limit.PASSPORT, problems=PROBLEMS,
     table=tables.PROCESSES_TABLE)  # fmt: skip
async def read_processes(call: Call, path: PassportPath) -> ProcessesAnswer:
    """Offers that wait for the buyer, verifications that are due, processes between two steps."""
    view = (await call.context.timelines.overview(subject_of(path.id))).view
    return ProcessesAnswer(items=[ProcessAnswer(**asdict(item)) for item in running(view, today(call))])


def today(call: Call) -> date:
    """The day by the node's clock."""
    return datetime.fromtimestamp(call.context.clock.now() / 1e6, UTC).date()


def checked_day(call: Call, query: OnQuery) -> str:
    """The day that is asked for, else today; raise InputError where the calendar has no such day."""
    on = query.on or today(call).isoformat()
    try:
        moment_us(on.replace("Z", "+00:00"))
    except ValueError as error:
        raise InputError(f"{on} is no moment", "moment") from error
    return on


def values_on(view: View, on: str) -> list[tuple[str, dict[str, Plain], dict[str, Plain]]]:
    """(code, parameter, row) of each parameter of which something is known at that moment."""
    parameters = at(view, "parameters")
    items = sorted(parameters.items()) if isinstance(parameters, dict) else []
    found = ((code, parameter, value_on(view, code, on)) for code, parameter in items if isinstance(parameter, dict))
    return [(code, parameter, row) for code, parameter, row in found if row is not None]


def _value(call: Call, parameter: dict[str, Plain], code: str, row: dict[str, Plain]) -> ValueAnswer:
    shown = ("value", "unit", "since", "source", "standing", "by", "others")
    name = named(parameter, Catalog.PARAMETERS, call.language) or code
    said = {"code": code, "local": parameter.get("local"), "name": name}
    return ValueAnswer.model_validate({**said, **{name: row[name] for name in shown}})


def _part(edge: dict[str, Plain]) -> PartAnswer:
    shown = ("position", "designation", "serial", "quantity", "since", "until", "standing", "by")
    part = format_device_id(SubjectId(bytes.fromhex(str(edge["part"]))))
    return PartAnswer.model_validate({"part": part, **{name: edge[name] for name in shown}})


ROUTES = (read_parameters, read_composition, read_processes)
