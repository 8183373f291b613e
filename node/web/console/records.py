"""Recording an event or a value, correcting a value and closing a dispute, from the passport page."""

import re
from collections.abc import Iterator

from aiohttp import web
from pydantic import BaseModel

from node.passport.bodies import CorrectionBody, Day, ParameterRow, ParametersBody
from node.passport.catalogs import Catalog
from node.services.access import Scope
from node.services.corrections import ON_PLATE
from node.web.api.corrections import CorrectionInput
from node.web.api.fields import Line, Text
from node.web.api.passports import PassportPath, subject_of
from node.web.api.records import EventInput, checked_event, occurred
from node.web.calls import Call
from node.web.dispatch import redirect
from node.web.languages import mark
from node.web.routes import page

DATED = re.compile(r"(.+)@(\d{4}-\d\d-\d\d[^@]*)")
DECIMAL_COMMA = re.compile(r"-?[0-9]+,[0-9]+")


class EventForm(BaseModel):
    """What happened, where, and on which day; the kind by its central or own code."""

    what: Text
    where: Line
    when: Day


class ValueForm(BaseModel):
    """A value of a parameter by its central or own code; without a unit it is in that of the catalog."""

    code: Text
    value: Line
    unit: Text | None = None
    since: Day


class CorrectionForm(CorrectionInput):
    """What the form sends: `fact` with from when it is valid behind a `@`, where it has a time."""


@page("POST", "/devices/{id}/events", title=mark("Record an event"), scopes=[Scope.RECORD],
      api="POST /passports/{id}/events")  # fmt: skip
async def record_event(call: Call, path: PassportPath, body: EventForm) -> web.Response:
    """The page shows it in the timeline, and the state that follows from it."""
    event = await checked_event(call, EventInput(what=body.what, where=body.where, when=body.when))
    when = occurred(call, body.when)
    await call.context.registry.record_event(subject_of(path.id), event, when, call.actor.label)
    return redirect(f"/devices/{path.id}")


@page("POST", "/devices/{id}/parameters", title=mark("Record a value"), scopes=[Scope.RECORD],
      api="POST /passports/{id}/parameters")  # fmt: skip
async def record_value(call: Call, path: PassportPath, body: ValueForm) -> web.Response:
    """It is valid from its day on; what was valid before stays in the history."""
    entry, records = call.context.entry, call.context.releases.records(Catalog.PARAMETERS)
    occurred(call, body.since)
    reference = entry.refer(Catalog.PARAMETERS, body.code)
    central = call.context.projection.world.central(reference, call.context.core.org, Catalog.PARAMETERS)
    unit = body.unit or str(records.get(central or "", {}).get("unit") or "") or None
    row = ParameterRow(code=reference, value=_with_point(body.value), unit=unit, since=body.since)
    said = ParametersBody(rows=(row,))
    entry.check_rows(said.rows)
    now = call.context.clock.now()
    await call.context.registry.record_parameters(subject_of(path.id), said, now, call.actor.label)
    return redirect(f"/devices/{path.id}")


@page("POST", "/devices/{id}/corrections", title=mark("Correct a value or close a dispute"), scopes=[Scope.RECORD],
      api="POST /passports/{id}/corrections")  # fmt: skip
async def correct(call: Call, path: PassportPath, body: CorrectionForm) -> web.Response:
    """The earlier value stays to be seen; the page shows both."""
    dated = DATED.fullmatch(body.fact)
    fact, since = (dated[1], dated[2]) if dated else (body.fact, None)
    value = body.value if fact in ON_PLATE else _with_point(body.value)
    why = CorrectionBody(reason=body.reason, ground=body.ground, document=body.document)
    await call.context.corrections.correct(subject_of(path.id), fact, value, why, call.actor.label, since, body.unit)
    return redirect(f"/devices/{path.id}")


def codes_to_choose(call: Call, catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Every code of a catalog that may be recorded here with its name: the central ones, then this node's own."""
    name = "ru" if call.language == "ru" else "en"
    central = [(code, str(record.get(name) or code)) for code, record in call.context.releases.records(catalog).items()]
    org, codes = call.context.core.org.hex(), call.context.projection.world.own_codes
    own = [(code, one.name or code) for (who, where, code), one in codes.items() if (who, where) == (org, catalog)]
    for some in (central, own):
        yield from sorted(some, key=lambda pair: pair[1].casefold())


def _with_point(value: str) -> str:
    """A value as it is stated: a number that was typed with a comma has a point."""
    return value.replace(",", ".") if DECIMAL_COMMA.fullmatch(value) else value


ROUTES = (record_event, record_value, correct)
