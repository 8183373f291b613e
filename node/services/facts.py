"""What documents ask of stored passports: which device they name, and what its passport says.

Rules are pure and synchronous: the passports of the devices that a document names are read before it is checked.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from node.errors import InputError
from node.passport.errors import NumberError, PlateError
from node.passport.merge import Standing
from node.passport.numbers import parse_grsi
from node.passport.plate import cut_label, plate_text
from node.passport.shown import at, fact, rows, text
from node.passport.strict_json import Json
from node.passport.templates.facts import Verification
from node.passport.templates.findings import Finding, Layer, Severity
from node.passport.templates.pointer import Pointer, find
from node.passport.templates.rules import FactRule
from node.passport.templates.schema import is_personal, nodes
from node.passport.templates.template import Template, bindings
from node.passport.view import DAY_US, View, moment_us, value_on
from node.passport.world import World
from node.services.search import Query, Search, read_query
from node.store.database import ReadTx
from node.store.passports import StoredPassport

GID, SERIAL, APPROVAL = "device.gid", "device.serial", "type.grsi"
VERDICTS = ("verified", "rejected")
VALID_UNTIL = "verification_valid_until"
MAX_TERM = 64
EPOCH = date(1970, 1, 1).toordinal()
# Codes of parameters that a passport keeps as radio facts.
RADIO = {
    "dev_eui": "dev_eui",
    "join_eui": "join_eui",
    "lorawan_version": "version",
    "lorawan_class": "device_class",
    "lorawan_region": "region",
    "lorawan_activation": "activation",
}
# Which of several verification results speaks first; standings that are not listed come last.
STRENGTH = {Standing.REGISTERED: 3, Standing.AGREED: 2, Standing.STATED: 2, Standing.WORKING: 1}


@dataclass(frozen=True, slots=True)
class StoredFacts:
    """Facts out of views, by the names that the documents use for the devices."""

    views: Mapping[str, View] = field(default_factory=dict)

    def has_passport(self, device: str, /) -> bool:
        """Whether exactly one passport here goes by that name."""
        return device in self.views

    def find_verification(self, device: str, on: date, /) -> Verification | None:
        """The latest result of or before that day, of those of the highest standing, with the term that it set."""
        view = self.views.get(device)
        results = list(_results(view, on)) if view is not None else []
        best = max((_strength(row) for row in results), default=0)
        last = next((row for row in reversed(results) if _strength(row) == best), None)
        if view is None or last is None:
            return None
        day, fit = _day(last["occurred"]), at(last, "what", "central") == "verified"
        return Verification(day, fit, _term(view, day, on) if fit else None)

    def find_parameter(self, device: str, code: str, /) -> Json:
        """What stands under a central code today, a radio fact included; None where nothing does."""
        view = self.views.get(device)
        if view is None:
            return None
        if value := fact(view, "radio", RADIO.get(code, "")):
            return value
        row = value_on(view, code)
        value_text = row.get("value") if row else None
        return value_text if isinstance(value_text, str) else None


async def read_facts(tx: ReadTx, search: Search, template: Template, document: Json) -> StoredFacts:
    """The passports of all devices that the document's bindings and rules name."""
    views: dict[str, View] = {}
    for name in sorted(_names(template, document)):
        found = await find_named(tx, search, name)
        if len(found) == 1:
            views[name] = found[0].content
    return StoredFacts(views)


async def find_named(tx: ReadTx, search: Search, name: str) -> list[StoredPassport]:
    """The passports that go by a device id, an alias, a DevEUI or a serial; none for a mistyped id."""
    query = _query(name)
    found = await search.find(tx, query) if query is not None else []
    return list({passport.subject: passport for passport in found}.values())


async def find_device(
    tx: ReadTx, search: Search, world: World, template: Template, document: Json
) -> StoredPassport | Finding:
    """The device that a document is of: by its id or alias, else by type and serial; or why it cannot be told."""
    bound = {name: value for name, value in bindings(template, document).items() if isinstance(value, str) and value}
    gid, serial = str(bound.get(GID, "")), str(bound.get(SERIAL, ""))
    if not gid and not serial:
        return _problem(template, GID, "device-not-named")
    found = await find_named(tx, search, gid) if gid else []
    naming, query = (GID, _query(gid)) if gid else (SERIAL, None)
    if gid and query is None:
        return _problem(template, GID, "device-mistyped", gid)
    if query is not None and query.scheme == "id" and not found:
        return _problem(template, GID, "device-unknown", gid)
    if not found and serial:
        found = _of_type(await find_named(tx, search, cut_label(serial)), str(bound.get(APPROVAL, "")), world)
    if len(found) != 1:
        return _problem(template, naming, "device-ambiguous" if found else "device-unknown", gid or serial)
    if serial and not _bears(found[0].content, serial, world):
        return _problem(template, SERIAL, "device-serial-differs", serial)
    return found[0]


def _names(template: Template, document: Json) -> set[str]:
    places = [
        Pointer(declared.rule.device.tokens) for declared in template.rules if isinstance(declared.rule, FactRule)
    ]
    values = [find(document, place) for place in places]
    return {value for value in (*values, bindings(template, document).get(GID)) if isinstance(value, str) and value}


def _problem(template: Template, name: str, code: str, value: str = "") -> Finding:
    place = next((place for place, node in nodes(template.schema) if node.get("x-epd-bind") == name), Pointer())
    hidden = is_personal(template.schema, place)
    return Finding(Layer.RULE, Severity.ERROR, str(place), f"x-epd-bind:{name}", code, (), value, hidden)


def _query(name: str) -> Query | None:
    """What to look for; None where a device id is mistyped. Some aliases are no plate text and stand as they are."""
    try:
        return read_query(name)
    except InputError as error:
        return None if error.code == "id_mistyped" else Query("alias", name[:MAX_TERM])


def _of_type(found: Iterable[StoredPassport], approval: str, world: World) -> list[StoredPassport]:
    """Those of the type, whatever the suffix of its approval; all of them where the document names none."""
    wanted = _number(approval)
    return [p for p in found if wanted is None or wanted in _approvals(p.content, world)]


def _approvals(view: View, world: World) -> set[int | None]:
    plates = [str(name) for row in rows(view, "plates") for name in _texts(row.get("approvals"))]
    published = world.line_records.get(text(view, "identity", "line", "id"))
    lines = [held.name for held in published.record.approvals] if published else []
    return {_number(name) for name in (*plates, *lines, text(view, "type", "record", "approval"))} - {None}


def _bears(view: View, serial: str, world: World) -> bool:
    """Whether the passport carries that serial, by its line's spelling too; one that shows no serial bears any."""
    stated = {_plain(str(row["serial"])) for row in rows(view, "plates")}
    canonical = text(view, "identity", "line", "serial")
    known = stated | ({canonical} if canonical else set())
    spelled = {_plain(serial)}
    published = world.line_records.get(text(view, "identity", "line", "id"))
    if published is not None:
        try:
            spelled.add(published.record.serial.canonical(cut_label(serial)))
        except PlateError:
            return False
    return not known or bool(known & spelled)


def _plain(serial: str) -> str:
    try:
        return plate_text(cut_label(serial))
    except PlateError:
        return serial[:MAX_TERM]


def _number(approval: str) -> int | None:
    try:
        return parse_grsi(approval).number
    except NumberError:
        return None


def _texts(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _results(view: View, on: date) -> Iterator[View]:
    """Verification results of or before a day, in the order in which they happened."""
    for row in rows(view, "events"):
        is_counted = not row["routed"] and row["replaced_by"] is None
        if is_counted and at(row, "what", "central") in VERDICTS and _day(row["occurred"]) <= on:
            yield row


def _strength(row: View) -> int:
    return STRENGTH.get(Standing(str(row["standing"])), 0)


def _day(occurred: object) -> date:
    # A stranger may state a time beyond the calendar.
    return date.fromordinal(min(EPOCH + int(str(occurred)) // DAY_US, date.max.toordinal()))


def _term(view: View, verified_on: date, on: date) -> date | None:
    """The term set on that verification or after it; an older one ended with it."""
    row = value_on(view, VALID_UNTIL, on.isoformat())
    since, value = (row.get("since"), row.get("value")) if row else (None, None)
    if not isinstance(since, str) or not isinstance(value, str) or _day(moment_us(since)) < verified_on:
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None
