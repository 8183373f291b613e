"""What a driver declares about itself: whose it is, what it applies to, what its frames carry and how it is proved.

A descriptor is data. Its canonical bytes are JSON with sorted keys and no spaces, every number of a scale as text and
what has its default left out, so that equal descriptors have equal bytes on every machine, and keep them where a later
version of this product knows more to be declared.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any  # canonical JSON walks dataclasses of every shape

from drivers.errors import DescriptorError, DriverError
from drivers.reading import Kind, Reading, Storage
from drivers.units import MAX_MAGNITUDE, get_unit


class Level(IntEnum):
    """How a driver is written; native ones never travel by federation."""

    PAYLOAD = 0
    PLAN = 1
    SCRIPT = 2
    NATIVE = 3


class Capability(StrEnum):
    """What of time a meter's protocol offers."""

    TIME_READ = "time-read"  # the meter's clock, or the time of each value
    TIME_SET = "time-set"
    STAMPED_ARCHIVE = "stamped-archive"  # past values, each with its own time


class How(StrEnum):
    """How something a meter says is compared with its passport."""

    SAME_NUMBER = "same-number"  # digits alike, leading zeros do not count
    SAME_TEXT = "same-text"
    SAME_VERSION = "same-version"  # dotted numbers, 1.2 is 1.02
    NEAR_RECEIVED = "near-received"  # a clock within the policy's window of the receive time
    IN_RANGE = "in-range"
    NOT_BELOW = "not-below"  # a register at or above a value known earlier


@dataclass(frozen=True, slots=True)
class VersionRange:
    """Dotted versions from `minimum` (inclusive) up to `below` (exclusive); None is open."""

    minimum: str | None = None
    below: str | None = None

    def __post_init__(self) -> None:
        """Refuse bounds that are no versions, or in the wrong order."""
        if self.minimum and self.below and parse_version(self.minimum) >= parse_version(self.below):
            raise DescriptorError(f"no version is from {self.minimum} and below {self.below}")

    @property
    def is_open(self) -> bool:
        """Whether every version is inside."""
        return self.minimum is None and self.below is None

    def holds(self, version: str) -> bool:
        """Whether a version is inside; raise DescriptorError if it is no dotted number."""
        number = parse_version(version)
        above = self.minimum is None or number >= parse_version(self.minimum)
        return above and (self.below is None or number < parse_version(self.below))


@dataclass(frozen=True, slots=True)
class AppliesTo:
    """Which devices a driver is for: any of the central types, models or match keys, within the version ranges."""

    types: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    match: tuple[tuple[str, str], ...] = ()
    hardware: VersionRange = VersionRange()
    firmware: VersionRange = VersionRange()


@dataclass(frozen=True, slots=True)
class Field:
    """One value a frame carries: reading = raw * scale, in `unit`."""

    name: str
    quantity: str
    unit: str
    kind: Kind
    channel: int = 0
    storage: Storage = Storage.CURRENT
    scale: Decimal = Decimal(1)
    tariff: int = 0

    def reading(self, value: Decimal | int, device_time: datetime | None, alarms: tuple[str, ...] = ()) -> Reading:
        """What a frame says in this field; `value` is in the field's unit."""
        return Reading(
            self.channel,
            self.quantity,
            Decimal(value),
            self.unit,
            self.kind,
            device_time,
            self.storage,
            self.tariff,
            alarms=alarms,
        )


@dataclass(frozen=True, slots=True)
class StatusBit:
    """One state of the meter that a frame carries; an alarm is shown to a person."""

    name: str
    alarm: bool


@dataclass(frozen=True, slots=True)
class ClockPolicy:
    """What may be done with the meter's clock, in seconds; None means it cannot be done over this protocol."""

    ahead_s: int
    behind_s: int
    correct_over_s: int | None = None
    min_interval_s: int | None = None
    link_delay_s: int = 0
    max_step_s: int | None = None
    person_over_s: int | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One thing to compare with the passport before a device is taken into service.

    `source` is a name the frame reports or a quantity it reads; `minimum` and `maximum` are for IN_RANGE.
    """

    source: str
    how: How
    minimum: Decimal | None = None
    maximum: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Vector:
    """A proof: these bytes on this port give this summary (see `drivers.driver.summary`)."""

    name: str
    port: int
    data: str
    expected: str


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file of a driver that travels: `sha256` in hex, size in bytes."""

    name: str
    size: int
    sha256: str


MAX_FILES = 8


@dataclass(frozen=True, slots=True)
class Descriptor:
    """All that is known of a driver without running it."""

    id: str
    publisher: str
    name: str
    version: str
    level: Level
    applies_to: AppliesTo
    transports: tuple[str, ...]
    ports: tuple[int, ...]
    fields: tuple[Field, ...]
    clock: ClockPolicy
    states: tuple[StatusBit, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    vectors: tuple[Vector, ...] = ()
    supersedes: tuple[str, ...] = ()
    source: str = ""
    files: tuple[FileEntry, ...] = ()
    capabilities: tuple[Capability, ...] = ()

    def __post_init__(self) -> None:
        """Refuse, with DescriptorError, a descriptor that contradicts itself."""
        parse_version(self.version)
        _refuse_doubles("field", [field.name for field in self.fields])
        _refuse_doubles("vector", [vector.name for vector in self.vectors])
        _refuse_doubles("file", [entry.name for entry in self.files])
        if len(self.files) > MAX_FILES:
            raise DescriptorError(f"a driver has at most {MAX_FILES} files, got {len(self.files)}")
        for field in self.fields:
            _check_unit(field)
            _check_number(f"field {field.name!r}: scale", field.scale)
        for item in self.comparisons:
            _check_number(f"comparison {item.source!r}: minimum", item.minimum)
            _check_number(f"comparison {item.source!r}: maximum", item.maximum)
        for vector in self.vectors:
            if vector.port not in self.ports:
                raise DescriptorError(f"vector {vector.name!r} is for port {vector.port}, not one of {self.ports}")
            _check_hex(vector)

    def get_field(self, name: str) -> Field:
        """The field of this name; raise DescriptorError if none is declared."""
        for field in self.fields:
            if field.name == name:
                return field
        raise DescriptorError(f"driver {self.id} declares no field {name!r}")

    def canonical(self) -> bytes:
        """The bytes that the driver's hash is over."""
        return json.dumps(_plain(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    def written_out(self) -> Any:
        """The JSON value with every key that there is."""
        return _plain(self, is_whole=True)


def parse_version(text: str) -> tuple[int, ...]:
    """Read a dotted version into numbers without trailing zeros; raise DescriptorError if it is none."""
    parts = text.split(".")
    if not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts) or len(parts) > 6:
        raise DescriptorError(f"{text!r} is no dotted version")
    numbers = [int(part) for part in parts]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _refuse_doubles(what: str, names: list[str]) -> None:
    doubles = sorted({name for name in names if names.count(name) > 1})
    if doubles:
        raise DescriptorError(f"{what} {doubles[0]!r} is declared twice")


def _check_unit(field: Field) -> None:
    try:
        get_unit(field.unit)
    except DriverError as error:
        raise DescriptorError(f"field {field.name!r}: {error}") from error


def _check_hex(vector: Vector) -> None:
    try:
        bytes.fromhex(vector.data)
    except ValueError as error:
        raise DescriptorError(f"vector {vector.name!r}: its data is no hex: {error}") from error


def _check_number(what: str, number: Decimal | None) -> None:
    """Written out a number of a descriptor has some dozens of digits: 1E+999999999 would fill the memory."""
    if number is None:
        return
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or not -MAX_MAGNITUDE <= exponent <= number.adjusted() <= MAX_MAGNITUDE:
        raise DescriptorError(f"{what} is a number of at most {MAX_MAGNITUDE} places on each side, got {number}")


def _plain(value: Any, *, is_whole: bool = False) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        told = {field.name: getattr(value, field.name) for field in fields(value)}
        if not is_whole:
            told = {field.name: told[field.name] for field in fields(value) if told[field.name] != field.default}
        return {name: _plain(item, is_whole=is_whole) for name, item in told.items()}
    if isinstance(value, tuple):
        return [_plain(item, is_whole=is_whole) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item, is_whole=is_whole) for key, item in value.items()}
    if isinstance(value, Decimal):
        return format(value, "f")
    return value
