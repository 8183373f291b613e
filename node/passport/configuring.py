"""What a device is set up with: the settings of its radio and of its service, and who may state them.

They are prefilled with what stands in the passport, else with what the type and execution fill in.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from pydantic import ValidationError

from federation.authority import Kind
from node.passport.bodies import ParameterRow, RadioBody, Reference
from node.passport.case import Case
from node.passport.catalogs import Catalog, load_central
from node.passport.errors import SettingError
from node.passport.ranks import FactClass, rank
from node.passport.registers import RADIO_FIELDS
from node.passport.shown import at, text
from node.passport.view import Plain, View, value_on

PARAMETERS = ("firmware_version", "operating_mode", "time_service", "reporting_schedule")
SETTINGS = (*RADIO_FIELDS, *PARAMETERS)
REQUIRED = ("dev_eui", "join_eui", "version", "device_class", "region", "activation")
OTAA = "OTAA"
SECTION, EVENT = "radio", "configured"
SOURCE = "configuration"

# What the shipped catalog names; a release may add records and never takes such a choice away.
REGIONS = tuple(map(str, cast("list[str]", load_central(Catalog.PARAMETERS)["lorawan_region"]["choices"])))

_OF_TYPE = {name: f"lorawan_{name.removeprefix('device_')}" for name in RADIO_FIELDS}
_VERSION = re.compile(r"1\.[01](\.\d)?[a-z]?")
_PORT, _PORTS = re.compile(r"[0-9]{1,3}"), range(1, 224)
_UNSET = frozenset({"0" * 16, "f" * 16})


class Origin(StrEnum):
    """Where a prefilled value comes from."""

    PASSPORT = "passport"
    TYPE = "type"
    NOWHERE = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as text; ports are written as `2, 3`."""

    value: str = ""
    origin: Origin = Origin.NOWHERE


def settings_of(view: View) -> dict[str, Setting]:
    """Every setting of a device, prefilled."""
    return {name: _stated(view, name) or _of_type(view, name) or Setting() for name in SETTINGS}


def radio_of(values: Mapping[str, str]) -> RadioBody:
    """The section `radio` of settings; raise SettingError naming the first that is missing or has no meaning."""
    for name in REQUIRED:
        if not values.get(name):
            raise SettingError(name, "missing")
    if values["dev_eui"] in _UNSET:
        raise SettingError("dev_eui", "nobody")
    if not _VERSION.fullmatch(values["version"]):
        raise SettingError("version", "version")
    if values["region"] not in REGIONS:
        raise SettingError("region", "region", regions=", ".join(REGIONS))
    plain = {name: value for name in RADIO_FIELDS if name != "ports" and (value := values.get(name))}
    try:
        return RadioBody.model_validate({**plain, "ports": _ports(values.get("ports", ""))})
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingError(str(first["loc"][0]), "form") from error


def says_anew(view: View, radio: RadioBody, org: bytes) -> bool:
    """Whether a section says something else than what stands in the passport by the word of its author."""
    told: dict[str, object] = {**radio.model_dump(), "ports": list(radio.ports)}
    shown = {name: at(view, "radio", name, "value") for name in RADIO_FIELDS}
    is_ours = all(text(view, "radio", name, "by") == org.hex() for name in RADIO_FIELDS if shown[name] is not None)
    return not is_ours or any((told[name] or None) != (shown[name] or None) for name in RADIO_FIELDS)


def parameters_of(view: View, values: Mapping[str, str], since: str) -> tuple[ParameterRow, ...]:
    """Rows of the settings that are parameters, as far as the passport says something else."""
    return tuple(
        ParameterRow(code=Reference(central=name), value=value, since=since, source=SOURCE)
        for name in PARAMETERS
        if (value := values.get(name)) and value != _parameter(view, name)
    )


def may_configure(case: Case, org: bytes, now: int) -> bool:
    """Whether what an organisation stated now of how a device joins would count.

    It has authority over that, or nobody is known to have it; and nobody said it who ranks higher, as a maker's own
    word from before the sale does.
    """
    facts = case.facts.values()
    held = [rank(FactClass.RADIO, org, one, case.world, now, kind=Kind.PARAMETER) for one in facts]
    said = [reading.statement for reading in case.spoken if SECTION in reading.statement.sections]
    if any(one.names_somebody for one in facts) and not any(one.has_authority for one in held):
        return False
    level = max((one.level for one in held), default=0)
    return all(case.rank(FactClass.RADIO, statement).level <= level for statement in said)


def _ports(text: str) -> tuple[int, ...]:
    parts = [part for part in re.split(r"[\s,;]+", text) if part]
    if not all(_PORT.fullmatch(part) and int(part) in _PORTS for part in parts):
        raise SettingError("ports", "ports")
    return tuple(map(int, parts))


def _stated(view: View, name: str) -> Setting | None:
    value = _parameter(view, name) if name in PARAMETERS else _shown(at(view, "radio", name, "value"))
    return Setting(value, Origin.PASSPORT) if value else None


def _of_type(view: View, name: str) -> Setting | None:
    value = text(view, "type", "record", "driver") if name == "driver" else ""
    value = value or text(view, "type", "defaults", _OF_TYPE.get(name, name))
    return Setting(value, Origin.TYPE) if value else None


def _parameter(view: View, code: str) -> str:
    row = value_on(view, code)
    value = row.get("value") if row else None
    return value if isinstance(value, str) else ""


def _shown(value: Plain) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")
