"""Records of M-Bus become readings: named, with the time of their storage, and nothing dropped.

The name is the quantity, with the function where it is not the value now, and what the VIFEs say, as
`volume_backward` or `power_maximum`. A value of an older storage keeps the storage's number, so that two of them are
never one, and has the time that the meter tells for that storage. What has no number is reported by name, and so is
what the meter could not tell. A number behind a maker's own VIF is a reading by its code, as
`manufacturer_specific_21`, which a mapping can name; all else without a meaning in the standard is unmapped.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from functools import lru_cache

from drivers.mbus.extensions import ERROR
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
MAX_NAME = 120  # a plain text may have 240 letters, and a series is stored by its name
_MEANINGLESS = ("unknown", "any")
# A profile is many values in one record, and none of them.
_PROFILES = {"compact_profile", "inverse_compact_profile", "compact_profile_with_registers"}
# How far apart the storages of an archive are, from the record that says so.
_ARCHIVES = {
    ("min", 60): Storage.HOURLY,
    ("h", 1): Storage.HOURLY,
    ("h", 24): Storage.DAILY,
    ("d", 1): Storage.DAILY,
    ("mo", 1): Storage.MONTHLY,
}
_CLOCKS = ("datetime", "date")
_OF_STORAGES = {*_CLOCKS, "storage_interval"}
_NO_WORD = re.compile(r"[^a-z0-9]+")


@dataclass(slots=True)
class Observations:
    """What a set of records says, in their order."""

    device_time: datetime | None = None
    readings: list[Reading] = field(default_factory=list)
    reported: list[Reported] = field(default_factory=list)
    unmapped: list[Unmapped] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Storages:
    """What a telegram says of the meter's storages: their times, and from which number on an archive begins."""

    times: dict[int, datetime | None]
    archive: Storage = Storage.BILLING
    archive_from: int = 1

    def kind(self, number: int) -> Storage:
        """The current values, a period of the archive, or a due date."""
        if not number:
            return Storage.CURRENT
        return self.archive if number >= self.archive_from else Storage.BILLING


def observe(records: Iterable[Record], alarms: tuple[str, ...], zone: tzinfo) -> Observations:
    """Readings, reported things and unread bytes; the meter's local times are those of `zone`."""
    kept = tuple(records)
    storages = _storages(kept, zone)
    found = Observations(storages.times.get(0))
    for record in kept:
        _observe(record, storages, alarms, found)
    return found


def _storages(records: tuple[Record, ...], zone: tzinfo) -> _Storages:
    times: dict[int, datetime | None] = {}
    records = tuple(record for record in records if record.quantity in _OF_STORAGES)
    # A date gives way to a time, and is no clock; of two alike the first counts.
    for quantity in ("datetime", "date"):
        for record in records:
            if record.quantity == quantity and _is_clock(record) and (record.storage or quantity == "datetime"):
                times.setdefault(record.storage, _moment(record.value, zone))
    for record in records:
        if record.quantity == "storage_interval" and isinstance(record.value, Decimal):
            archive = _ARCHIVES.get((record.unit, int(record.value)), Storage.BILLING)
            return _Storages(times, archive, max(record.storage, 1))
    return _Storages(times)


def _observe(record: Record, storages: _Storages, alarms: tuple[str, ...], found: Observations) -> None:
    name, unit, kind, error = _field(record.quantity, record.function, record.modifiers, record.unit)
    value = None if record.is_spoilt else record.value
    if error:
        found.reported.append(Reported(_numbered(name, record), error))
    elif kind is None or value is None or isinstance(value, bytes):
        found.unmapped.append(Unmapped(_unique(f"{name} {record.dib_vib.hex()}", found.unmapped), record.raw))
    elif isinstance(value, Decimal) and record.quantity not in _NAMES:
        at, storage = storages.times.get(record.storage), storages.kind(record.storage)
        found.readings.append(
            Reading(
                record.subunit,
                name,
                value,
                unit,
                kind,
                at,
                storage,
                record.tariff,
                alarms=alarms,
                storage_number=record.storage,
            )
        )
    else:
        found.reported.append(_reported(record, value, name, storages.times))


def _reported(record: Record, value: Decimal | date | str, name: str, times: dict[int, datetime | None]) -> Reported:
    if _is_clock(record) and (at := times.get(record.storage)) is not None and isinstance(value, datetime):
        return Reported(_numbered("clock", record), at)
    # A local time beside the clock is told as the meter says it.
    return Reported(_numbered(name, record), value.isoformat(sep=" ") if isinstance(value, datetime) else value)


def _numbered(name: str, record: Record) -> str:
    """The name of what has no place for storage, tariff and subunit but its name."""
    if not (record.storage or record.tariff or record.subunit):
        return name
    places = (("storage", record.storage), ("tariff", record.tariff), ("subunit", record.subunit))
    return name + "".join(f"_{place}_{number}" for place, number in places if number)


def _unique(name: str, unmapped: list[Unmapped]) -> str:
    """A meter may send one header twice; both are kept."""
    count = sum(item.name.split(" #")[0] == name for item in unmapped)
    return f"{name} #{count + 1}" if count else name


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
def _field(
    quantity: str, function: Function, modifiers: tuple[str, ...], unit: str
) -> tuple[str, str, Kind | None, str]:
    """Name, unit, kind, and the record's error or ""; no kind where there is no meaning, or no code for the unit."""
    error = next((word.removeprefix(ERROR) for word in modifiers if word.startswith(ERROR)), "")
    told = [word for word in modifiers if not word.startswith(ERROR)]
    words = [quantity, *(() if function is Function.INSTANTANEOUS else (function,)), *told]
    name = "_".join(_NO_WORD.sub("_", word.lower()).strip("_") for word in words)
    code = unit or "1"
    if (
        quantity.startswith(_MEANINGLESS)
        or code not in UNITS
        or _PROFILES.intersection(modifiers)
        or len(name) > MAX_NAME
    ):
        return name, code, None, error
    if quantity in _COUNTERS and function is Function.INSTANTANEOUS and not any("limit" in word for word in told):
        return name, code, Kind.COUNTER, error
    return name, code, Kind.STATE if quantity in _STATES else Kind.GAUGE, error
