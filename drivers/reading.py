"""What a driver says of a frame: readings without a device, and what the meter reported of itself.

Who the device is, when the frame was received and which driver read it are known above; they are joined to a reading
there. Numbers are Decimal, never float; times are UTC-aware.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

from drivers.errors import DescriptorError
from drivers.units import get_unit


class Kind(StrEnum):
    """How values of a field behave in time."""

    COUNTER = "counter"
    GAUGE = "gauge"
    STATE = "state"
    TIME = "time"


class Storage(StrEnum):
    """Which of the meter's stores a value comes from."""

    CURRENT = "current"
    HOURLY = "hourly"
    DAILY = "daily"
    MONTHLY = "monthly"
    BILLING = "billing"


class Status(StrEnum):
    """How far a value may be believed."""

    OK = "ok"
    UNCERTAIN = "uncertain"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a value is not ok: a stable code and its parameters as text, for a person in any language."""

    code: str
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ReadingKey:
    """What makes two values of one device and one effective time the same value."""

    channel: int
    quantity: str
    storage: Storage
    tariff: int
    storage_number: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """One observed value. Channel 0 is the device itself; tariff 0 is the total over tariffs.

    `storage_number` tells stores of one kind apart that the meter numbers; the time of each may be unknown.
    """

    channel: int
    quantity: str
    value: Decimal
    unit: str
    kind: Kind
    device_time: datetime | None
    storage: Storage = Storage.CURRENT
    tariff: int = 0
    status: Status = Status.OK
    reasons: tuple[Reason, ...] = ()
    alarms: tuple[str, ...] = ()
    storage_number: int = 0

    def __post_init__(self) -> None:
        """Refuse, with DescriptorError or UnitError, what no reading can be."""
        if not isinstance(self.value, Decimal) or not self.value.is_finite():
            raise DescriptorError(f"{self.quantity}: {self.value!r} is no finite Decimal")
        if self.device_time is not None and self.device_time.tzinfo is None:
            raise DescriptorError(f"{self.quantity}: the device time {self.device_time} has no time zone")
        get_unit(self.unit)

    @property
    def key(self) -> ReadingKey:
        """The part of the key that the driver knows."""
        return ReadingKey(self.channel, self.quantity, self.storage, self.tariff, self.storage_number)

    @property
    def store(self) -> str:
        """The meter's store in a word: `current`, `monthly-3`."""
        return f"{self.storage.value}-{self.storage_number}" if self.storage_number else self.storage.value

    def doubted(self, status: Status, reason: Reason) -> "Reading":
        """The same value with one more reason; the status only gets worse."""
        worse = max(self.status, status, key=_ORDER.index)
        return replace(self, status=worse, reasons=(*self.reasons, reason))


ReportedValue = str | int | Decimal | date | datetime


@dataclass(frozen=True, slots=True)
class Reported:
    """One thing a meter said of itself, to be compared with its passport: serial, made, firmware, clock, …"""

    name: str
    value: ReportedValue


@dataclass(frozen=True, slots=True)
class Unmapped:
    """Bytes of a frame whose meaning has no document: listed, never dropped."""

    name: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Carried:
    """A telegram of another meter that a frame carried: that meter by its plate, as `KAM-12345678`, and its bytes."""

    meter: str
    raw: bytes
    heard_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decoded:
    """All that a frame says. `frame` names its shape within the driver.

    What is `carried` is read by the drivers of the meters that it is of. `formats` are what compact frames after this
    one need: the record headers by their signature.
    """

    frame: str
    device_time: datetime | None = None
    readings: tuple[Reading, ...] = ()
    reported: tuple[Reported, ...] = ()
    alarms: tuple[str, ...] = ()
    unmapped: tuple[Unmapped, ...] = ()
    carried: tuple[Carried, ...] = ()
    formats: tuple[tuple[int, tuple[bytes, ...]], ...] = ()

    def find_reported(self, name: str) -> ReportedValue | None:
        """What the meter said under this name, or None."""
        return next((item.value for item in self.reported if item.name == name), None)

    def find_reading(self, quantity: str, tariff: int = 0) -> Reading | None:
        """The first reading of a quantity and tariff, or None."""
        return next((item for item in self.readings if (item.quantity, item.tariff) == (quantity, tariff)), None)


def from_unix(seconds: int) -> datetime:
    """The UTC time of whole Unix seconds, as meters send them in 32 bits."""
    return datetime.fromtimestamp(seconds, UTC)


def alarms_of(states: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    """The names of the states that are set."""
    return tuple(name for name, state in states if state)


_ORDER = (Status.OK, Status.UNCERTAIN, Status.BAD)
