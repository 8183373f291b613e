"""The rules that catalogs set for a row before it is signed: codes, units, values, executions, numbers of registers.

Pure: `check_row` takes the catalogs of a node as a `Rulebook` and a row as texts by field, and gives findings with the
field, the value as it came and the rule's stable name. Nothing is put right silently: what could be converted is told
as a hint, which refuses nothing. An own code that nobody bound is no fault; it is bound later.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as made
from datetime import date
from decimal import Decimal, InvalidOperation
from uuid import UUID

from pydantic import ValidationError

from node.passport.bodies import Reference
from node.passport.catalogs import Catalog, DeviceType, Json, Record
from node.passport.errors import NumberError
from node.passport.measures import convert, dimension_of, find_unit
from node.passport.numbers import parse_grsi, parse_obis
from node.passport.view import moment_us

Row = Mapping[str, str]

FIELDS = (
    "type", "execution", "version", "approval", "manufactured_on", "event", "parameter", "value", "unit", "obis",
)  # fmt: skip
LIMITS = frozenset({"value-range", "value-above"})
NUMBER_ALONE = "1"  # the unit of what is counted or divided
NUMERIC = frozenset({"number", "decimal", "integer"})
_DECIMAL = re.compile(r"-?[0-9]{1,24}(?:\.[0-9]{1,24})?")
_LIKE_GRSI = re.compile(r"\s*[0-9][0-9\s./\u2010-\u2015-]*")
_EUI = re.compile(r"[0-9a-fA-F]{16}")
_KEY = re.compile(r"[0-9a-fA-F]{32,}")


@dataclass(frozen=True, slots=True)
class RowFinding:
    """What a rule says of a field of a row; a hint refuses nothing."""

    field: str
    value: str
    rule: str
    words: Mapping[str, str] = made(default_factory=dict)
    is_hint: bool = False


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What rows are checked against: records by catalog, types, versions of types, and own codes.

    `own` tells which central code an own one means, None where it is known and bound to none.
    """

    records: Mapping[str, Mapping[str, Record]]
    types: Mapping[str, DeviceType]
    own: Mapping[tuple[str, str], str | None] = made(default_factory=dict)
    versions: Mapping[str, frozenset[str]] = made(default_factory=dict)

    def central(self, catalog: str) -> Mapping[str, Record]:
        """The records of a central catalog."""
        return self.records.get(catalog, {})

    def knows(self, catalog: str, code: str) -> bool:
        """Whether a central catalog has the code."""
        return code in self.types if catalog == Catalog.TYPES else code in self.central(catalog)

    def refer(self, catalog: str, text: str) -> Reference:
        """What somebody means by one text: an own code that was loaded, else a central one, else a new own code."""
        if (catalog, text) not in self.own and self.knows(catalog, text):
            return Reference(central=text)
        return Reference(local=text)

    def resolve(self, catalog: str, reference: Reference) -> str | None:
        """The central code of a reference, None while nothing binds it."""
        return reference.central or self.own.get((catalog, reference.local or ""))


def check_row(book: Rulebook, row: Row) -> tuple[RowFinding, ...]:
    """What the catalogs say of a row; `FIELDS` are looked at where they stand, other fields are not."""
    return tuple(_findings(book, {name: row[name] for name in FIELDS if row.get(name)}))


def check_reference(book: Rulebook, catalog: str, reference: Reference, name: str) -> Iterator[RowFinding]:
    """A central code that the catalog has not, or an own code beside another central one than it is bound to."""
    if reference.central and not book.knows(catalog, reference.central):
        yield RowFinding(name, reference.central, "code-unknown", {"catalog": catalog})
    bound = book.own.get((catalog, reference.local or ""))
    if reference.central and bound and bound != reference.central:
        yield RowFinding(name, str(reference.local), "code-bound-otherwise", {"central": bound})


def check_parameter(book: Rulebook, central: str | None, value: str, unit: str | None) -> Iterator[RowFinding]:
    """A value and its unit against the record of the parameter; without one only the unit is looked at."""
    record = book.central(Catalog.PARAMETERS).get(central or "", {})
    units = book.central(Catalog.UNITS)
    code = None if unit is None else (unit if unit in units else book.own.get((Catalog.UNITS.value, unit)))
    if unit is not None and code is None and (Catalog.UNITS.value, unit) not in book.own:
        near = find_unit(units, unit)
        yield RowFinding("unit", unit, "unit-unknown-near" if near else "unit-unknown", {"near": near or ""})
    stated = units.get(code or "")
    wanted = units.get(str(record.get("unit") or ""))
    if unit is None and wanted is not None and wanted["code"] != NUMBER_ALONE and _DECIMAL.fullmatch(value):
        yield RowFinding("unit", "", "unit-absent", {"unit": str(wanted["code"])}, is_hint=True)
    if stated is not None and record:
        yield from _unit_findings(unit or "", stated, wanted)
    yield from _value_findings(record, value, stated, wanted)


def check_type(
    book: Rulebook, code: str | None, execution: str | None = None, version: str | None = None
) -> Iterator[RowFinding]:
    """An execution or a version that the type has not."""
    kind = book.types.get(code or "")
    if kind is None:
        return
    if execution and execution not in kind.executions:
        known = ", ".join(kind.executions[:8]) or "—"
        yield RowFinding("execution", execution, "execution-unknown", {"type": kind.code, "known": known})
    if version and version not in book.versions.get(kind.code, frozenset()):
        known = ", ".join(sorted(book.versions.get(kind.code, ()))[:8]) or "—"
        yield RowFinding("version", version, "version-unknown", {"type": kind.code, "known": known})


def check_approval(
    book: Rulebook, approval: str, code: str | None = None, made_on: str | None = None
) -> Iterator[RowFinding]:
    """A ГРСИ number: its form, whether the type has it, and whether it held on the day of manufacture.

    Approvals of another kind (MID and the like) begin otherwise than with a digit and are not looked at.
    """
    if not _LIKE_GRSI.fullmatch(approval):
        return
    try:
        number = parse_grsi(approval)
    except NumberError:
        yield RowFinding("approval", approval, "grsi-malformed")
        return
    kind = book.types.get(code or "")
    if kind is not None and kind.approval.number != number.number:
        yield RowFinding("approval", approval, "grsi-of-another-type", {"type": kind.code, "own": str(kind.approval)})
    elif made_on is not None and _is_day(made_on):
        holders = [kind] if kind is not None else [k for k in book.types.values() if k.approval == number]
        if holders and not any(holder.is_valid_on(made_on) for holder in holders):
            since, until = holders[0].valid_from or "…", holders[0].valid_until or "…"
            yield RowFinding("approval", approval, "grsi-not-valid-then", {"day": made_on, "from": since, "to": until})


def check_obis(code: str) -> Iterator[RowFinding]:
    """An OBIS code that does not have the form of one; groups that no table names are its maker's."""
    try:
        parse_obis(code)
    except NumberError:
        yield RowFinding("obis", code, "obis-malformed")


def _findings(book: Rulebook, row: Row) -> Iterator[RowFinding]:
    named: dict[str, Reference] = {}
    for name, catalog in (("type", Catalog.TYPES), ("event", Catalog.EVENTS), ("parameter", Catalog.PARAMETERS)):
        if name not in row:
            continue
        try:
            named[name] = book.refer(catalog, row[name])
        except ValidationError:  # no text that may be a code
            yield RowFinding(name, row[name], "code-unknown", {"catalog": catalog})
        else:
            yield from check_reference(book, catalog, named[name], name)
    code = book.resolve(Catalog.TYPES, named["type"]) if "type" in named else None
    yield from check_type(book, code, row.get("execution"), row.get("version"))
    if "manufactured_on" in row and not _is_day(row["manufactured_on"]):
        yield RowFinding("manufactured_on", row["manufactured_on"], "value-date")
    if "approval" in row:
        yield from check_approval(book, row["approval"], code, row.get("manufactured_on"))
    if "parameter" in named:
        central = book.resolve(Catalog.PARAMETERS, named["parameter"])
        yield from check_parameter(book, central, row.get("value", ""), row.get("unit"))
    if "obis" in row:
        yield from check_obis(row["obis"])


def _unit_findings(unit: str, stated: Record, wanted: Record | None) -> Iterator[RowFinding]:
    if wanted is None:
        yield RowFinding("unit", unit, "unit-needless")
        return
    if instead := stated.get("instead"):
        yield RowFinding("unit", unit, "unit-trap", {"instead": str(instead)})
    elif dimension_of(stated) != dimension_of(wanted):
        words = {"given": dimension_of(stated), "wanted": dimension_of(wanted), "unit": str(wanted["code"])}
        yield RowFinding("unit", unit, "unit-dimension", words)


def _value_findings(record: Record, value: str, stated: Record | None, wanted: Record | None) -> Iterator[RowFinding]:
    choices = record.get("choices")
    if isinstance(choices, list) and value not in choices:
        yield RowFinding("value", value, "value-choice", {"choices": ", ".join(map(str, choices))})
    form = str(record.get("type") or ("number" if record.get("kind") in ("cumulative", "instant") else "text"))
    if form in NUMERIC:
        yield from _number_findings(record, value, form, stated, wanted)
    elif rule := _broken_form(form, value):
        yield RowFinding("value", value, rule)


def _number_findings(
    record: Record, value: str, form: str, stated: Record | None, wanted: Record | None
) -> Iterator[RowFinding]:
    if not _DECIMAL.fullmatch(value):
        yield RowFinding("value", value, "value-number")
        return
    number = Decimal(value)
    if form == "integer" and number != number.to_integral_value():
        yield RowFinding("value", value, "value-integer")
    is_other = stated is not None and wanted is not None and stated["code"] != wanted["code"]
    if not is_other:
        yield from _range_findings(record, value, number)
        return
    converted = convert(number, stated or {}, wanted or {})
    if converted is None:
        return
    shown = format(converted, "f")
    words = {"converted": shown, "unit": str((wanted or {})["code"]), "given": str((stated or {})["code"])}
    yield RowFinding("value", value, "unit-converts", words, is_hint=True)
    yield from (found for found in _range_findings(record, value, converted) if found.rule in LIMITS)


def _range_findings(record: Record, value: str, number: Decimal) -> Iterator[RowFinding]:
    decimals, low, high = record.get("decimals"), _number(record.get("min")), _number(record.get("max"))
    exponent = number.normalize().as_tuple().exponent
    if isinstance(decimals, int) and isinstance(exponent, int) and -exponent > decimals:
        yield RowFinding("value", value, "value-decimals", {"decimals": str(decimals)})
    above = _number(record.get("above"))
    if above is not None and number <= above:
        yield RowFinding("value", value, "value-above", {"above": format(above, "f")})
    if (low is not None and number < low) or (high is not None and number > high):
        words = {"min": "…" if low is None else format(low, "f"), "max": "…" if high is None else format(high, "f")}
        yield RowFinding("value", value, "value-range", words)


def _broken_form(form: str, value: str) -> str | None:
    if form == "date":
        return None if _is_day(value) else "value-date"
    if form == "eui64":
        return None if _EUI.fullmatch(value) else "value-eui"
    if form == "guid":
        return None if _is_guid(value) else "value-guid"
    if form == "secret-ref":
        return "value-secret" if _KEY.search(value) else None
    return None


def _is_day(text: str) -> bool:
    try:
        moment_us(text)
    except ValueError:
        return False
    return len(text) == len("2026-01-31") and bool(date.fromisoformat(text))


def _is_guid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _number(value: Json) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        return Decimal(value)
    except InvalidOperation:
        return None
