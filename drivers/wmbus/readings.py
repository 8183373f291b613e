"""Records of M-Bus become readings: named, with the time of their storage, and nothing dropped.

The name is the quantity, with the function where it is not the value now, and what the VIFEs say, as
`volume_backward` or `power_maximum`. A value of an older storage has the time that the meter tells for that storage;
one without a time has the storage's number in its name, so that two of them are never one. What has no number is
reported by name; what has no meaning in the standard is listed as unmapped.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from functools import lru_cache

from drivers.mbus.records import Function, Record
from drivers.reading import Kind, Reading, Reported, Storage, Unmapped
from drivers.units import UNITS

_COUNTERS = {
    "energy",
    "reactive_energy",
    "apparent_energy",
    "volume",
    "mass",
    "on_time",
    "operating_time",
    "hca",
    "reset_counter",
    "cumulation_counter",
    "stops",
}
_STATES = {"error_flags", "error_mask", "digital_output", "digital_input", "control_signal", "day_of_week"}
# Numbers that name a thing: told, and no reading of anything.
_NAMES = {
    "fabrication_number",
    "enhanced_identification",
    "device_type",
    "manufacturer",
    "parameter_set",
    "model",
    "hardware_version",
    "firmware_version",
    "software_version",
    "customer_location",
    "customer",
    "bus_address",
    "baud_rate",
}
_MEANINGLESS = ("unknown", "manufacturer_specific", "any")
_CLOCKS = ("datetime", "date")
_NO_WORD = re.compile(r"[^a-z0-9]+")


@dataclass(slots=True)
class Observations:
    """What a set of records says, in their order."""

    device_time: datetime | None = None
    readings: list[Reading] = field(default_factory=list)
    reported: list[Reported] = field(default_factory=list)
    unmapped: list[Unmapped] = field(default_factory=list)


def observe(records: Iterable[Record], alarms: tuple[str, ...], zone: tzinfo) -> Observations:
    """Readings, reported things and unread bytes; the meter's local times are those of `zone`."""
    kept = tuple(records)
    times = _times(kept, zone)
    found = Observations(times.get(0))
    for record in kept:
        _observe(record, times, alarms, found)
    return found


def _times(records: tuple[Record, ...], zone: tzinfo) -> dict[int, datetime | None]:
    """The time of each storage; a date is no clock, and gives way to a time."""
    clocks = [record for record in records if _is_clock(record)]
    clocks.sort(key=lambda record: record.quantity == "datetime")
    return {
        record.storage: _moment(record.value, zone)
        for record in clocks
        if record.storage or record.quantity == "datetime"
    }


def _observe(record: Record, times: dict[int, datetime | None], alarms: tuple[str, ...], found: Observations) -> None:
    name, unit, kind = _field(record.quantity, record.function, record.modifiers, record.unit)
    value = record.value
    if kind is None or value is None or isinstance(value, bytes):
        found.unmapped.append(Unmapped(f"{name} {record.dib_vib.hex()}", record.raw))
    elif isinstance(value, Decimal) and record.quantity not in _NAMES:
        found.readings.append(_reading(record, value, name, unit, kind, times, alarms))
    else:
        found.reported.append(_reported(record, value, name, times))


def _reading(
    record: Record,
    value: Decimal,
    name: str,
    unit: str,
    kind: Kind,
    times: dict[int, datetime | None],
    alarms: tuple[str, ...],
) -> Reading:
    at = times.get(record.storage)
    if record.storage and at is None:
        name = f"{name}_storage_{record.storage}"
    storage = Storage.BILLING if record.storage else Storage.CURRENT
    return Reading(record.subunit, name, value, unit, kind, at, storage, record.tariff, alarms=alarms)


def _reported(record: Record, value: Decimal | date | str, name: str, times: dict[int, datetime | None]) -> Reported:
    if _is_clock(record) and (at := times.get(record.storage)) is not None and isinstance(value, datetime):
        return Reported(f"clock_storage_{record.storage}" if record.storage else "clock", at)
    if record.storage:
        name = f"{name}_storage_{record.storage}"
    # A local time beside the clock is told as the meter says it.
    return Reported(name, value.isoformat(sep=" ") if isinstance(value, datetime) else value)


def _is_clock(record: Record) -> bool:
    return record.quantity in _CLOCKS and record.function is Function.INSTANTANEOUS and not record.modifiers


def _moment(value: object, zone: tzinfo) -> datetime | None:
    """A meter's local date or time in UTC; a date is its beginning."""
    if isinstance(value, datetime):
        local = value
    elif isinstance(value, date):
        local = datetime.combine(value, time())
    else:
        return None
    try:
        return (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        return None


@lru_cache(maxsize=4096)
def _field(quantity: str, function: str, modifiers: tuple[str, ...], unit: str) -> tuple[str, str, Kind | None]:
    """Name, unit and kind; no kind where the standard gives the record no meaning, or its unit no code."""
    words = [quantity, *(() if function == Function.INSTANTANEOUS else (function,)), *modifiers]
    name = "_".join(_NO_WORD.sub("_", word.lower()).strip("_") for word in words)
    code = unit or "1"
    if quantity.startswith(_MEANINGLESS) or code not in UNITS:
        return name, code, None
    if quantity in _COUNTERS and not any(word.startswith(("duration", "lower", "upper")) for word in modifiers):
        return name, code, Kind.COUNTER if function == Function.INSTANTANEOUS else Kind.GAUGE
    return name, code, Kind.STATE if quantity in _STATES else Kind.GAUGE
