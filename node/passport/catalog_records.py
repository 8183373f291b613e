"""What a record of a central catalog must hold, what of it never changes, and what two sets of records differ in.

A code never changes its meaning: a record that would give it another one does not count, whoever signs it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from node.passport.catalogs import Catalog, Json, Record, parse_type
from node.passport.errors import PassportError
from node.passport.numbers import parse_obis
from node.passport.strict_json import json_equal

MAX_CODE = 128
# What a central code may look like; an OBIS code and a unit have forms of their own.
CODE = re.compile(r"[a-z][a-z0-9_.:-]{0,127}")
KINDS = ("cumulative", "instant", "passport")
FRACTION = re.compile(r"[0-9]{1,24}(?:/[1-9][0-9]{0,23})?")


@dataclass(frozen=True, slots=True)
class RecordFault:
    """What is wrong with a record of a catalog: its code, the field and the rule's stable name."""

    code: str
    field: str
    rule: str
    value: str


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a record that two releases give differently; None is a field that one of them lacks."""

    field: str
    old: Json
    new: Json


@dataclass(frozen=True, slots=True)
class Difference:
    """What a set of records adds, removes and changes against another one; `refused` change what a code means."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: Mapping[str, tuple[Change, ...]]
    refused: tuple[str, ...] = ()

    @property
    def codes(self) -> frozenset[str]:
        """Every code that the difference names."""
        return frozenset((*self.added, *self.removed, *self.changed, *self.refused))


def find_faults(catalog: Catalog, record: Record) -> Iterator[RecordFault]:
    """What keeps a record out of a catalog."""
    code = str(record.get("code") or "")[:MAX_CODE]
    if not _is_code(catalog, record.get("code")):
        yield RecordFault(code, "code", "record-code", code)
    for field in _names(catalog):
        value = record.get(field)
        if not isinstance(value, str) or not value.strip():
            yield RecordFault(code, field, "record-name", "" if value is None else str(value))
    yield from _OWN_RULES.get(catalog, _no_faults)(code, record)


def meaning(catalog: Catalog, record: Record) -> tuple[Json, ...]:
    """What of a record never changes."""
    return tuple(record.get(field) for field in _MEANING.get(catalog, ()))


def difference(catalog: Catalog, old: Mapping[str, Record], new: Mapping[str, Record]) -> Difference:
    """What `new` has otherwise than `old`, code by code and field by field."""
    both = sorted(old.keys() & new.keys())
    refused = tuple(code for code in both if meaning(catalog, old[code]) != meaning(catalog, new[code]))
    changed = {code: _changes(old[code], new[code]) for code in both if code not in refused}
    return Difference(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed={code: changes for code, changes in changed.items() if changes},
        refused=refused,
    )


def _changes(old: Record, new: Record) -> tuple[Change, ...]:
    fields = sorted(old.keys() | new.keys())
    return tuple(
        Change(field, old.get(field), new.get(field))
        for field in fields
        if not json_equal(old.get(field), new.get(field))
    )


def _is_code(catalog: Catalog, code: Json) -> bool:
    if not isinstance(code, str) or not 0 < len(code) <= MAX_CODE or code != code.strip():
        return False
    return catalog in (Catalog.UNITS, Catalog.OBIS) or CODE.fullmatch(code) is not None


def _names(catalog: Catalog) -> tuple[str, ...]:
    return ("type_ru", "type_en") if catalog is Catalog.TYPES else ("ru", "en")


def _type_faults(code: str, record: Record) -> Iterator[RecordFault]:
    try:
        kind = parse_type(record)
    except PassportError as error:
        yield RecordFault(code, str(error).partition(":")[0][:64], "record-type", str(error)[:200])
        return
    if unknown := sorted(kind.execution_params.keys() - set(kind.executions)):
        yield RecordFault(code, "execution_params", "record-execution", unknown[0])
    if kind.valid_from and kind.valid_until and kind.valid_until < kind.valid_from:
        yield RecordFault(code, "valid_until", "record-validity", kind.valid_until)


def _parameter_faults(code: str, record: Record) -> Iterator[RecordFault]:
    if record.get("kind") not in KINDS:
        yield RecordFault(code, "kind", "record-kind", str(record.get("kind")))


def _unit_faults(code: str, record: Record) -> Iterator[RecordFault]:
    if not isinstance(record.get("dimension"), str) or not record.get("dimension"):
        yield RecordFault(code, "dimension", "record-dimension", str(record.get("dimension")))
    for field, value in (("factor", record.get("factor")), ("offset", record.get("offset", "0"))):
        if not isinstance(value, str) or not FRACTION.fullmatch(value) or (field == "factor" and not Fraction(value)):
            yield RecordFault(code, field, "record-factor", str(value)[:64])


def _obis_faults(code: str, _: Record) -> Iterator[RecordFault]:
    try:
        parse_obis(code)
    except PassportError:
        yield RecordFault(code, "code", "obis-malformed", code)


def _no_faults(_: str, __: Record) -> Iterator[RecordFault]:
    yield from ()


_OWN_RULES = {
    Catalog.TYPES: _type_faults,
    Catalog.PARAMETERS: _parameter_faults,
    Catalog.UNITS: _unit_faults,
    Catalog.OBIS: _obis_faults,
}
_MEANING: Mapping[Catalog, tuple[str, ...]] = {
    Catalog.TYPES: ("model",),
    Catalog.PARAMETERS: ("quantity", "kind", "type"),
    Catalog.UNITS: ("dimension", "factor", "offset"),
    Catalog.OBIS: ("medium",),
}
