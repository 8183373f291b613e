"""Catalogs: the central ones that ship with the product, and references that bind to them late.

A record names a thing by its author's own code, the central code, or both. With only the local code it is accepted and
marked; a mapping that arrives later makes it answer the central code, and nothing is written again.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import cast

from node.passport.errors import CatalogError
from node.passport.numbers import Grsi, parse_grsi

RADIO_FIELDS = ("lorawan_version", "lorawan_class", "lorawan_region", "lorawan_activation", "lorawan_ports")

Json = None | bool | int | Decimal | str | list["Json"] | dict[str, "Json"]
Record = Mapping[str, Json]


class Catalog(StrEnum):
    """The central catalogs; each stands in `data/catalog_<value>.json`."""

    PARAMETERS = "parameters"
    UNITS = "units"
    EVENTS = "events"
    TYPES = "types"
    PROCESSES = "processes"
    ROLES = "roles"
    OBIS = "obis"


@dataclass(frozen=True, slots=True)
class Reference:
    """A dual reference: the author's own code, the central code, or both."""

    local: str | None = None
    central: str | None = None

    def __post_init__(self) -> None:
        """Refuse a reference to nothing with CatalogError."""
        if not self.local and not self.central:
            raise CatalogError("a reference has a local code, a central one, or both")


@dataclass(frozen=True, slots=True)
class Bindings:
    """What each organisation says its own codes mean: (organisation, catalog, local code) to central code."""

    codes: Mapping[tuple[str, str, str], str] = field(default_factory=dict)

    def bound(self, organisation: str, catalog: str, local: str, central: str) -> "Bindings":
        """These bindings and one more; a later one for the same code replaces it."""
        return Bindings({**self.codes, (organisation, catalog, local): central})


def resolve(reference: Reference, bindings: Bindings, organisation: str, catalog: str) -> str | None:
    """The central code of a reference of that organisation, or None while nothing binds it."""
    if reference.central:
        return reference.central
    return bindings.codes.get((organisation, catalog, reference.local or ""))


@dataclass(frozen=True, slots=True)
class Radio:
    """How meters of a type join a LoRaWAN network."""

    version: str
    device_class: str
    region: str
    activation: str
    ports: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DeviceType:
    """A type with its ГРСИ number, its model, the executions under the model, and what an execution fills in.

    `params` are typed values as in the catalog (numbers are int or Decimal); `mpe` are the zones of permissible error,
    each with the names of its first and last flow and per cent. The approval holds on ISO dates, both ends included.
    """

    code: str
    approval: Grsi
    name_ru: str
    model: str
    executions: tuple[str, ...]
    resources: tuple[str, ...]
    interval_months: int
    driver: str | None
    params: Record
    execution_params: Mapping[str, Record]
    mpe: tuple[tuple[str, str, Decimal], ...]
    name_en: str = ""
    valid_from: str | None = None
    valid_until: str | None = None

    def is_valid_on(self, day: str) -> bool:
        """Whether the approval is in force on an ISO date, both its ends included; open ends hold."""
        return (self.valid_from or "") <= day <= (self.valid_until or "9999-12-31")

    def defaults(self, execution: str | None = None) -> dict[str, Json]:
        """The parameters that a device gets by its execution code; raise CatalogError if the type has no such one."""
        if execution is not None and execution not in self.executions:
            raise CatalogError(f"type {self.code} has no execution {execution!r}")
        return {**self.params, **self.execution_params.get(execution or "", {})}

    def radio(self, execution: str | None = None) -> Radio:
        """How it joins; raise CatalogError that names what the type lacks, for without it nothing goes on air."""
        params = self.defaults(execution)
        lacking = [name for name in RADIO_FIELDS if not params.get(name)]
        if lacking:
            raise CatalogError(f"type {self.code} cannot be put on air: it lacks {', '.join(lacking)}")
        version, device_class, region, activation, ports = (params[name] for name in RADIO_FIELDS)
        if not isinstance(ports, list) or not all(isinstance(port, int) and 1 <= port <= 223 for port in ports):
            raise CatalogError(f"type {self.code}: lorawan_ports is a list of ports from 1 to 223")
        numbers = tuple(int(cast("int", port)) for port in ports)
        return Radio(str(version), str(device_class), str(region), str(activation), numbers)

    def mpe_at(self, point: str) -> Decimal | None:
        """The permissible error at a named flow (Q1 to Q4), in per cent; the zone that begins there counts."""
        starting = [mpe for first, _, mpe in self.mpe if first == point]
        inside = [mpe for first, last, mpe in self.mpe if first < point <= last]
        return next(iter(starting + inside), None)


def parse_type(record: Record) -> DeviceType:
    """Read a type record of a catalog; raise CatalogError or NumberError (a malformed ГРСИ number)."""
    return DeviceType(
        code=_text(record, "code"),
        approval=parse_grsi(_text(record, "grsi")),
        name_ru=_text(record, "type_ru"),
        model=_text(record, "model"),
        executions=tuple(map(str, _list(record, "executions"))),
        resources=tuple(map(str, _list(record, "resources"))),
        interval_months=_whole(record, "mpi_months"),
        driver=_text(record, "driver") if record.get("driver") else None,
        params=_map(record.get("params")),
        execution_params={name: _map(value) for name, value in _map(record.get("execution_params")).items()},
        mpe=tuple(_zone(zone) for zone in _list(_map(record.get("mpe")), "zones")),
        name_en=_text(record, "type_en") if record.get("type_en") else "",
        valid_from=_day(record, "valid_from"),
        valid_until=_day(record, "valid_until"),
    )


def load_central(catalog: Catalog) -> Mapping[str, Record]:
    """A central catalog as it ships, code to record; floats are Decimal."""
    return _shipped(catalog)


def load_types() -> dict[str, DeviceType]:
    """The central types, by code."""
    return {code: parse_type(record) for code, record in load_central(Catalog.TYPES).items()}


def find_type(types: Iterable[DeviceType], designation: str) -> DeviceType | None:
    """The type of which this text is the model or an execution, or None."""
    return next((kind for kind in types if designation == kind.model or designation in kind.executions), None)


def get_record(catalog: Catalog, code: str) -> Record:
    """A record of a central catalog; raise CatalogError if it has no such code."""
    try:
        return load_central(catalog)[code]
    except KeyError:
        raise CatalogError(f"the central catalog of {catalog.value} has no code {code!r}") from None


def find_name(catalog: str, code: str, language: str = "ru") -> str | None:
    """What a code of a central catalog is called, in `ru` or `en`; None where it ships under no such name."""
    return name_in(load_central(Catalog(catalog)).get(code, {}), language) if catalog in _CATALOGS else None


def name_in(record: Record, language: str) -> str | None:
    """The name that a record of a central catalog gives, in `ru` or `en`."""
    name = record.get(language) or record.get(f"type_{language}")
    return name if isinstance(name, str) else None


@cache
def _shipped(catalog: Catalog) -> Mapping[str, Record]:
    raw = (files("node.passport") / "data" / f"catalog_{catalog.value}.json").read_text(encoding="utf-8")
    records = json.loads(raw, parse_float=Decimal)
    return MappingProxyType({str(record["code"]): MappingProxyType(record) for record in records})


def _text(record: Record, name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str) or not value:
        raise CatalogError(f"{name}: expected text, got {value!r}")
    return value


def _day(record: Record, name: str) -> str | None:
    value = record.get(name)
    if value is None:
        return None
    try:
        return date.fromisoformat(value if isinstance(value, str) else "").isoformat()
    except ValueError as error:
        raise CatalogError(f"{name}: expected a date as 2026-01-31, got {value!r}") from error


def _whole(record: Record, name: str) -> int:
    value = record.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise CatalogError(f"{name}: expected a whole number, got {value!r}")
    return value


def _list(record: Record, name: str) -> list[Json]:
    value = record.get(name, [])
    if not isinstance(value, list):
        raise CatalogError(f"{name}: expected a list, got {value!r}")
    return value


def _map(value: Json) -> dict[str, Json]:
    if value is not None and not isinstance(value, dict):
        raise CatalogError(f"expected an object, got {value!r}")
    return value or {}


def _zone(zone: Json) -> tuple[str, str, Decimal]:
    record = _map(zone)
    mpe = record.get("mpe")
    if not isinstance(mpe, int | Decimal):
        raise CatalogError(f"mpe: expected a number, got {mpe!r}")
    return _text(record, "from"), _text(record, "to"), Decimal(mpe)


_CATALOGS = frozenset(catalog.value for catalog in Catalog)
