"""What frames say, found out before any transaction: drivers of others and those in other processes take their time.

The driver of a device is the one of its profile in the version that runs now. What a driver does wrong itself is told
apart from what a meter sent: a driver that fails again and again is reported.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from drivers.context import Context
from drivers.errors import (
    DriverError,
    DriverFaultError,
    ForeignMeterError,
    MacError,
    MissingKeyError,
    SuspendedError,
    UnknownFormatError,
    UnprotectedError,
    WrongKeyError,
)
from drivers.reading import Decoded
from drivers.registry import Installed, Registry
from node.ports import Clock
from node.services.driver_choice import CHOICE, choice_at, choices_of, find_chosen
from node.services.drivers import Drivers
from node.store.radio import StoredDevice, StoredFrame
from node.store.readings import moment_of

FAULTS, WITHIN_US = 20, 3_600_000_000


class Why(StrEnum):
    """Why a frame says nothing."""

    NO_DRIVER = "no-driver"
    NO_PASSPORT = "no-passport"  # of the meter that a bridge heard
    EMPTY = "empty"
    MISSING_KEY = "missing-key"
    WRONG_KEY = "wrong-key"
    UNKNOWN_FORMAT = "unknown-format"
    UNPROTECTED = "unprotected"
    FOREIGN = "foreign-meter"
    FRAME = "frame"
    FAULT = "fault"
    SUSPENDED = "suspended"  # its driver failed a moment ago
    CHANGED = "driver-changed"  # another driver reads the device since


_WHY = {
    MissingKeyError: Why.MISSING_KEY,
    WrongKeyError: Why.WRONG_KEY,
    MacError: Why.WRONG_KEY,
    UnknownFormatError: Why.UNKNOWN_FORMAT,
    UnprotectedError: Why.UNPROTECTED,
    ForeignMeterError: Why.FOREIGN,
    DriverFaultError: Why.FAULT,
    SuspendedError: Why.SUSPENDED,
}


@dataclass(frozen=True, slots=True)
class Decoding:
    """A frame as its driver read it, or why it could not.

    A bridge's frame has what it `carried`, which is of another `meter`, with the subject of that where it is known.
    """

    decoded: Decoded | None
    driver: Installed | None = None
    error: str = ""
    why: Why | None = None
    carried: "Decoding | None" = None
    subject: bytes | None = None
    meter: str = ""

    @property
    def final(self) -> "Decoding":
        """What tells values: of a bridge's frame that of the telegram."""
        return self.carried or self

    def by(self, driver: Installed | None) -> "Decoding":
        """The same where that driver is the one that made it, else nothing: it is to be read again."""
        ours, theirs = self.driver.hash if self.driver else None, driver.hash if driver else None
        if ours == theirs:
            return self
        return Decoding(None, driver, "another driver reads the device since it was heard", Why.CHANGED)


Question = tuple[Installed | None, StoredFrame, Context]


class Decoder:
    """Reads frames by the drivers that stand here."""

    def __init__(self, drivers: Drivers, clock: Clock) -> None:
        self._drivers = drivers
        self._clock = clock
        self._faults: dict[bytes, deque[int]] = {}
        # What was chosen of the registry that was asked last: both change together, for whoever asks in another thread.
        self._chosen: tuple[Registry, dict[tuple[object, ...], Installed | None]] = (drivers.registry, {})
        # Called with the hash of a driver that failed again and again, and its last fault.
        self.on_faults: Callable[[bytes, str], None] = lambda _digest, _why: None

    @property
    def registry(self) -> Registry:
        """The drivers that stand here now."""
        return self._drivers.registry

    def driver_of(self, device: StoredDevice, at_us: int | None = None) -> Installed | None:
        """The driver of frames that were heard then, or of those that come."""
        return self._find(choice_at(device.profile, at_us))

    def driver_by(self, profile: Mapping[str, object]) -> Installed | None:
        """The driver of frames that come, by a device's profile."""
        return self._find(profile)

    def drivers_of(self, device: StoredDevice) -> list[Installed]:
        """The drivers of its frames of any time, oldest first."""
        found = map(self._find, choices_of(device.profile))
        return [driver for driver in found if driver is not None]

    def chosen_anew(self) -> None:
        """A device has another driver: what could not be read may be."""
        self._drivers.on_changed()

    def _find(self, choice: Mapping[str, object]) -> Installed | None:
        """The driver by a choice; it may be asked for in any thread."""
        registry, known = self._chosen
        if registry is not self._drivers.registry:
            registry, known = self._chosen = (self._drivers.registry, {})
        asked = tuple(map(choice.get, CHOICE))
        if asked not in known:
            known[asked] = find_chosen(registry, choice)
        return known[asked]

    async def decode(self, frames: Sequence[Question]) -> list[Decoding]:
        """What each frame says by its driver in its context, which gets the time at which the frame was received."""
        if not frames:
            return []
        found = await asyncio.to_thread(_decode_each, frames)
        self._count(found)
        return found

    def _count(self, decodings: Iterable[Decoding]) -> None:
        for one in decodings:
            if one.why is not Why.FAULT or one.driver is None:
                continue
            now = self._clock.now()
            if one.driver.hash not in self._faults:
                stands = self.registry.find_by_hash
                self._faults = {digest: times for digest, times in self._faults.items() if stands(digest)}
            times = self._faults.setdefault(one.driver.hash, deque(maxlen=FAULTS))
            times.append(now)
            if len(times) == FAULTS and now - times[0] <= WITHIN_US:
                times.clear()
                self.on_faults(one.driver.hash, one.error)


def _decode_each(frames: Sequence[Question]) -> list[Decoding]:
    """Each frame; those of one driver are asked together."""
    found: list[Decoding | None] = [_unreadable(driver, frame) for driver, frame, _ in frames]
    places: dict[bytes, list[int]] = {}
    for at, (driver, _, _) in enumerate(frames):
        if driver is not None and found[at] is None:
            places.setdefault(driver.hash, []).append(at)
    for at_each in places.values():
        driver = frames[at_each[0]][0]
        if driver is None:
            continue
        asked = [_question(*frames[at][1:]) for at in at_each]
        for at, outcome in zip(at_each, driver.driver.decode_each(asked), strict=True):
            found[at] = _told(driver, outcome)
    return [one for one in found if one is not None]


def _unreadable(driver: Installed | None, frame: StoredFrame) -> Decoding | None:
    if driver is None:
        return Decoding(None, None, "no driver is installed for this device", Why.NO_DRIVER)
    if frame.port is None or frame.payload is None:
        return Decoding(None, driver, "the frame carries nothing for the application", Why.EMPTY)
    return None


def _question(frame: StoredFrame, context: Context) -> tuple[int, bytes, Context]:
    here = replace(context, received_at=moment_of(frame.received_us))
    return frame.port or 0, frame.payload or b"", here


def _told(driver: Installed, outcome: Decoded | DriverError) -> Decoding:
    if isinstance(outcome, Decoded):
        return Decoding(outcome, driver)
    why = next((_WHY[kind] for kind in type(outcome).__mro__ if kind in _WHY), Why.FRAME)
    return Decoding(None, driver, str(outcome), why)
