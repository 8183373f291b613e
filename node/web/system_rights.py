"""Which operations a system with rights of its own may use: by what they write, and over which thing."""

import re
from collections.abc import Mapping

from node.errors import DeniedError, InputError
from node.passport.errors import DeviceIdError
from node.passport.ids import parse_device_id
from node.services.access import Actor, Scope
from node.services.correspondents import Write
from node.services.parts import Parts
from node.web.calls import Call
from node.web.routes import Limit, Route

# What each operation writes. One that stands nowhere here no system may use, whatever its scopes: members, people,
# tokens, roles, releases and decisions between parties are matters of people.
WRITES: Mapping[str, Write] = {
    "POST /plates": Write.PLATES,
    "POST /things": Write.PLATES,
    "POST /passports/{id}/type": Write.PLATES,
    "POST /passports/{id}/events": Write.EVENTS,
    "POST /passports/{id}/repairs": Write.EVENTS,
    "POST /passports/{id}/moves": Write.EVENTS,
    "POST /passports/{id}/parameters": Write.PARAMETERS,
    "POST /protocols": Write.PROTOCOLS,
    "POST /verifications": Write.PROTOCOLS,
    "POST /arshin/files": Write.PROTOCOLS,
    "POST /arshin/results/{ref}/settlement": Write.PROTOCOLS,
    "POST /forms": Write.PROTOCOLS,
    "PUT /forms/{form}": Write.PROTOCOLS,
    "DELETE /forms/{form}": Write.PROTOCOLS,
    "POST /forms/{form}/files": Write.PROTOCOLS,
    "DELETE /forms/{form}/files/{sha256}": Write.PROTOCOLS,
    "POST /forms/{form}/signature": Write.PROTOCOLS,
    "POST /imports": Write.IMPORTS,
    "POST /register/read": Write.IMPORTS,
    "POST /exchange/1c/messages": Write.IMPORTS,
    "POST /processes": Write.PROCESSES,
    "POST /processes/{run}/steps/{step}": Write.PROCESSES,
    "POST /processes/{run}/steps/{step}/form": Write.PROCESSES,
    "POST /processes/{run}/refusal": Write.PROCESSES,
    "POST /processes/{run}/closing": Write.PROCESSES,
    "POST /line/scans": Write.PROCESSES,
    "POST /passports/{id}/configuration": Write.CONFIGURATION,
    "POST /passports/{id}/parts": Write.COMPOSITION,
    "POST /passports/{id}/parts/removals": Write.COMPOSITION,
    "POST /catalogs/{catalog}/codes": Write.CODES,
    "POST /catalogs/{catalog}/codes/file": Write.CODES,
    "POST /catalogs/{catalog}/mappings": Write.CODES,
    "POST /references": Write.CODES,
    "POST /shipments": Write.SHIPMENTS,
    "POST /shipments/{id}/acceptance": Write.SHIPMENTS,
    "POST /shipments/{id}/refusal": Write.SHIPMENTS,
    "POST /shipments/{id}/withdrawal": Write.SHIPMENTS,
    "POST /shipments/{id}/return": Write.SHIPMENTS,
}
# Operations that write nothing, though they take a body.
CHECKS = frozenset(
    {
        "POST /checks",
        "POST /configuration/scans",
        "POST /checks/{check}",
        "POST /protocols/check",
        "POST /templates/check",
        "POST /forms/{form}/check",
        "POST /catalogs/checks",
        "POST /imports/preview",
    }
)
# Operations that look whose thing it is once they know it.
LATER = frozenset({"POST /protocols", "POST /processes", "POST /line/scans"})
PASSPORTS, RUNS = "/passports/{id}", "/processes/{run}"
RUN = re.compile(r"[0-9a-f]{32}")


def may_write(actor: Actor, route: Route) -> bool:
    """Whether a system's rights name what an operation writes."""
    if actor.limits is None or not route.is_write or route.operation in CHECKS or Scope.HOOKS in route.scopes:
        return True  # its own webhooks tell it what it may read, and write nothing
    wanted = WRITES.get(route.operation)
    found = actor.limits.writes
    return wanted in found or (wanted is Write.PARAMETERS and Write.OBSERVED in found)


async def check_system(call: Call) -> None:
    """Raise DeniedError where a system may not use the route, or not over what its path names."""
    actor, route = call.visitor, call.route
    if actor is None or actor.limits is None:
        return
    if not may_write(actor, route):
        raise DeniedError(f"{actor.label} may not {route.operation}", "system_write", operation=route.operation)
    if not actor.limits.is_narrow:
        return
    subject = await _named(call)
    if subject is not None:
        await call.context.correspondents.check_thing(actor, subject)
    elif not _keeps_to_things(actor, route):
        raise DeniedError(f"{actor.label} may act on single things alone", "system_thing")


def only_observed(actor: Actor) -> bool:
    """Whether a system may state observed parameters and no others."""
    limits = actor.limits
    return limits is not None and Write.PARAMETERS not in limits.writes


async def _named(call: Call) -> bytes | None:
    """The thing of the passport or of the process that the path names."""
    path, named = call.route.path, call.request.match_info
    if PASSPORTS in path:
        return _subject(named["id"])
    if RUNS in path and RUN.fullmatch(named["run"]):
        return (await call.context.runs.get(named["run"])).passport.subject
    return None


def _keeps_to_things(actor: Actor, route: Route) -> bool:
    """Whether an operation that names no passport tells and changes nothing beyond the things of a system."""
    if route.is_open or route.limit is Limit.NONE or route.operation in CHECKS | LATER:
        return True
    return route.limit is Limit.NARROWS and bool(actor.subjects)


def _subject(text: str) -> bytes:
    try:
        return parse_device_id(text).raw
    except DeviceIdError as error:
        raise InputError(f"{text[:64]}: {error}", "id_mistyped") from error


async def speaking_system(context: Parts, actor: Actor, named: str | None) -> str | None:
    """The name of the system in whose name an actor speaks; None is the console. Raise DeniedError for another's.

    People may name a system of theirs that is not registered: what it told them they pass on.
    """
    if actor.system is not None:
        if named is not None and named != actor.system:
            raise DeniedError(f"{actor.label} speaks for itself, not for {named}", "system_other", system=actor.system)
        return actor.system
    if named is not None and await context.correspondents.is_registered(named):
        raise DeniedError(f"{named} is a registered system with tokens of its own", "system_own_token", system=named)
    return named
