"""What a meter of a fleet table says beside what is known of it: the statements that are new, or why it goes back."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from node.exchange.fleet import rules
from node.exchange.fleet.fields import Field
from node.exchange.fleet.findings import FleetFinding
from node.exchange.fleet.intake import ELSEWHERE, FleetMeter, Intake
from node.exchange.fleet.rows import FleetRow
from node.passport import drafts
from node.passport.bodies import AliasBody, EventBody, ParameterRow, ParametersBody, Reference, TypeBody
from node.passport.claims import Claim
from node.passport.drafts import Draft
from node.passport.ids import SubjectId, format_device_id
from node.passport.places import NO_PLACE, Places, compare_places
from node.passport.shown import PLACE, at, has_plate, place_of, rows, text, where_of
from node.passport.view import DAY_US, View, moment_at, value_on
from node.store.passports import StoredPassport

SOURCE: Literal["document"] = "document"
SYSTEM = "fleet-file"
VALID_UNTIL, VERIFIED, MADE = "verification_valid_until", "verified", "manufactured"
LONGEST_CODE = 128


@dataclass(frozen=True, slots=True)
class Author:
    """Who states a table: the organisation, its place if it named one, and the time of the step."""

    org: bytes
    place: str
    now: int


@dataclass(frozen=True, slots=True)
class Held:
    """What the registry has of a meter: its claim (a twin's where that stands there), its passport, and those that
    its DevEUI leads to.
    """

    claim: Claim
    passport: StoredPassport | None
    of_eui: tuple[bytes, ...]


def weigh(intake: Intake, meter: FleetMeter, held: Held, author: Author) -> Iterator[Draft] | FleetFinding:
    """The statements that a meter adds, none where all is stated; or what the registry has against it."""
    row, passport, meter = meter.row, held.passport, replace(meter, claim=held.claim)
    other = next((lead for lead in held.of_eui if passport is None or lead != passport.lead), None)
    if other is not None:
        words = {"device": format_device_id(SubjectId(other))}
        return intake.finding(rules.EUI_KNOWN, row, Field.DEV_EUI, (row.dev_eui or "").upper(), **words)
    if passport is None:
        return _said(meter, meter.claim.subject.raw, {}, author)
    view = passport.content
    if compare_places(row.address, place_of(view)) is Places.DIFFERENT:
        words = {"device": format_device_id(SubjectId(passport.lead))}
        return intake.finding(ELSEWHERE, row, intake.serial_field(row), row.serial, **words)
    made = _made_us(view)
    if row.verified_on and made is not None and _micros(row.verified_on) < made - made % DAY_US:
        day = moment_at(made).date().isoformat()
        return intake.finding(rules.BEFORE_MADE, row, Field.VERIFIED_ON, row.verified_on.isoformat(), made=day)
    return _said(meter, passport.lead, view, author)


def is_same_plate(passport: StoredPassport, org: bytes, meter: FleetMeter) -> bool:
    """Whether an organisation stated the very plate of a meter in a passport."""
    return has_plate(passport.content, org, meter.plate)


def _said(meter: FleetMeter, subject: bytes, view: View, author: Author) -> Iterator[Draft]:
    row, now, plate = meter.row, author.now, meter.plate
    if not has_plate(view, author.org, plate):
        kind = None if text(view, "type", "central") or text(view, "type", "local") else _type(meter)
        # The plate is stated of what it claims; the other facts of the passport that it is joined to.
        yield drafts.identity(meter.claim.subject.raw, meter.claim.encode(), plate, now, kind)
    if parameters := tuple(_parameters(row, view, author.org)):
        yield drafts.parameters(subject, ParametersBody(rows=parameters), now)
    if row.verified_on and not _was_verified(view, row.verified_on):
        # No column says where it was verified: where it stands, else where the author works.
        where = where_of(view, row.address or author.place or NO_PLACE).model_copy(update={"default": True})
        event = EventBody(what=Reference(central=VERIFIED), where=where, system=SYSTEM, detail={"source": SOURCE})
        yield drafts.event(subject, event, _micros(row.verified_on))
    for scheme, value in (("dev_eui", row.dev_eui), ("account", row.account), ("own_number", row.own_number)):
        if value and not _is_named(view, scheme, value, author.org):
            yield drafts.alias(subject, AliasBody(scheme=scheme, value=value, evidence=SOURCE), now)


def _type(meter: FleetMeter) -> TypeBody | None:
    name = meter.row.designation
    return TypeBody(type=Reference(local=name), model=name) if len(name) <= LONGEST_CODE else None


def _parameters(row: FleetRow, view: View, org: bytes) -> Iterator[ParameterRow]:
    stands = compare_places(row.address, place_of(view)) is Places.SAME if view else False
    until = row.valid_until.isoformat() if row.valid_until else ""
    for code, value, since, known in (
        (PLACE, row.address, row.installed_on, stands),
        (VALID_UNTIL, until, row.verified_on, False),
    ):
        if value and not known and value not in _values(view, code, org):
            begins = since.isoformat() if since else None
            yield ParameterRow(code=Reference(central=code), value=value, since=begins, source=SOURCE)


def _values(view: View, code: str, org: bytes) -> set[object]:
    """The values of a parameter that stand, and those that an organisation ever stated."""
    found: set[object] = set()
    if not at(view, "parameters", code):
        return found
    if stands := value_on(view, code):
        found.add(stands.get("value"))
    for version in rows(view, "parameters", code, "values"):
        found |= {one.get("value") for one in (version, *rows(version, "others")) if one.get("by") == org.hex()}
    return found


def _is_named(view: View, scheme: str, value: str, org: bytes) -> bool:
    for alias in rows(view, "aliases"):
        if alias["scheme"] == scheme and str(alias["value"]) == value:
            return any(said.get("by") == org.hex() for said in rows(alias, "said"))
    return False


def _was_verified(view: View, day: datetime.date) -> bool:
    first = _micros(day)
    return any(first <= when < first + DAY_US for when in _times(view, VERIFIED))


def _made_us(view: View) -> int | None:
    return min(_times(view, MADE), default=None)


def _times(view: View, what: str) -> list[int]:
    events = (event for event in rows(view, "events") if at(event, "what", "central") == what)
    return [int(str(event["occurred"])) for event in events if event.get("replaced_by") is None]


def _micros(day: datetime.date) -> int:
    return int(datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.UTC).timestamp() * 1e6)
