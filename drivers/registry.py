"""The drivers of a node: which are installed, which one a device needs.

Choosing is a pure look-up. A driver with a range of firmware is chosen for a device only when the device's firmware is
known: one frame may decode under two versions of a layout, both with success and one with nonsense.
"""

import inspect
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from importlib.metadata import entry_points

from drivers.descriptor import VersionRange, parse_version
from drivers.driver import Driver, driver_hash, prove
from drivers.errors import DriverChoiceError, DriverError

GROUP = "passport_node.drivers"
BY_KEY, BY_MODEL, BY_TYPE = 3, 2, 1


class Standing(IntEnum):
    """Whose word a driver is."""

    INSTALLED = 0  # of this machine
    TRUSTED = 1  # of a publisher whom the administrator trusts
    OWNER = 2  # of whoever owns what it is for


@dataclass(frozen=True, slots=True)
class Reach:
    """The devices by whose passports a driver can be called: of these types, of these models, case-folded, or those
    that `maker` made.
    """

    types: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    maker: str | None = None

    def holds(self, device: "DeviceTraits") -> bool:
        """Whether a device is one of them."""
        is_of_model = device.model is not None and device.model.casefold() in self.models
        return is_of_model or device.type in self.types or (self.maker is not None and device.maker == self.maker)


@dataclass(frozen=True, slots=True)
class Installed:
    """A driver on this node with its hash, 32 bytes, that every reading of it stores.

    Of several that fit a device the one of higher `standing` goes first. Within its `reach` passports call it by its
    match keys; without one everywhere. An id is of its publisher: that of another is another driver.
    """

    driver: Driver
    hash: bytes
    standing: Standing = Standing.INSTALLED
    reach: Reach | None = None

    @property
    def name(self) -> str:
        """Id and version, as `betar-vega 1.0.0`."""
        return f"{self.driver.descriptor.id} {self.driver.descriptor.version}"

    @property
    def publisher(self) -> str:
        """Who published it; empty where it is of this machine."""
        return "" if self.standing is Standing.INSTALLED else self.driver.descriptor.publisher

    @property
    def key(self) -> tuple[str, str]:
        """What its versions have in common: publisher and id."""
        return self.publisher, self.driver.descriptor.id

    @property
    def full_name(self) -> str:
        """Id, version and publisher: two publishers may use one id."""
        return f"{self.name} of {self.publisher}" if self.publisher else self.name

    @property
    def version(self) -> str:
        """As its publisher counts them."""
        return self.driver.descriptor.version

    def serves(self, hardware: str | None, firmware: str | None) -> bool:
        """Whether versions of a device are in its ranges; one that is not known is in the open range alone."""
        applies = self.driver.descriptor.applies_to
        return _fits(applies.firmware, firmware) and _fits(applies.hardware, hardware)


@dataclass(frozen=True, slots=True)
class Broken:
    """A driver that was not taken in, and why; the node works without it."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeviceTraits:
    """What a passport knows of a device that a driver may ask for; None is not known. `maker` is the organisation of
    its serial line, in hex.
    """

    type: str | None = None
    model: str | None = None
    hardware: str | None = None
    firmware: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    maker: str | None = None


class Registry:
    """Installed drivers, looked up by id, by hash and by what a device is."""

    def __init__(self, installed: Iterable[Installed], broken: Iterable[Broken] = ()) -> None:
        self._installed = tuple(sorted(installed, key=_age, reverse=True))
        self.broken = tuple(broken)
        names = Counter(item.full_name for item in self._installed)
        doubles = sorted(name for name, count in names.items() if count > 1)
        if doubles:
            raise DriverChoiceError(f"two drivers are called {doubles[0]}")
        self._by_hash = {item.hash: item for item in self._installed}
        self._by_id: dict[str, list[Installed]] = {}
        for item in self._installed:
            self._by_id.setdefault(item.driver.descriptor.id, []).append(item)

    @property
    def installed(self) -> tuple[Installed, ...]:
        """All drivers, newest version of an id first."""
        return self._installed

    def find(self, driver_id: str, version: str | None = None, publisher: str | None = None) -> Installed | None:
        """The driver of this id, of the newest version unless one is named, or None.

        Without a publisher it is of this machine, or of the one publisher that uses the id: None where several do.
        """
        return next((item for item in self._named(driver_id, publisher) if version in (None, item.version)), None)

    def find_serving(
        self, driver_id: str, hardware: str | None, firmware: str | None, publisher: str | None = None
    ) -> Installed | None:
        """The newest version of this id in whose ranges a device is, or None; of whom as for `find`."""
        return next((item for item in self._named(driver_id, publisher) if item.serves(hardware, firmware)), None)

    def publishers_of(self, driver_id: str) -> tuple[str, ...]:
        """Who uses an id: the empty name where it is of this machine."""
        return tuple(sorted({item.publisher for item in self._by_id.get(driver_id, ())}))

    def find_by_hash(self, digest: bytes) -> Installed | None:
        """The driver that a stored reading names, or None."""
        return self._by_hash.get(digest)

    def choose(self, device: DeviceTraits) -> Installed:
        """The one driver for a device; raise DriverChoiceError if none fits, or several with no better one.

        A match by key, which the passport states, beats all; then the driver of the type's owner counts, then that of
        a trusted publisher; then a match by model beats one by type. Of one id the newest version counts.
        """
        ranked = [(_weight(item, device), item) for item in self._newest(device)]
        best = max((weight for weight, _ in ranked), default=None)
        fitting = [item for weight, item in ranked if weight == best]
        if len(fitting) == 1:
            return fitting[0]
        what = f"type {device.type}, model {device.model}, firmware {device.firmware}, keys {dict(device.keys)}"
        if not fitting:
            raise DriverChoiceError(f"no installed driver is for {what}")
        raise DriverChoiceError(f"several drivers are for {what}: {', '.join(item.full_name for item in fitting)}")

    def for_type(self, code: str, model: str, driver: str | None) -> tuple[Installed, ...]:
        """The drivers for devices of a type, of any version of hardware and firmware, each id once."""
        named = {"payload": driver} if driver else {}
        found: dict[tuple[str, str], Installed] = {}
        for item in self._installed:
            if _rank(item, DeviceTraits(code, model, keys=named)):
                found.setdefault(item.key, item)
        return tuple(found.values())

    def _named(self, driver_id: str, publisher: str | None) -> Sequence[Installed]:
        """The versions of an id, newest first; what is of this machine goes before what is published."""
        items = self._by_id.get(driver_id, [])
        here = [item for item in items if not item.publisher]
        if here or publisher is not None:
            return here or [item for item in items if item.publisher == publisher]
        return items if len({item.publisher for item in items}) == 1 else ()

    def _newest(self, device: DeviceTraits) -> list[Installed]:
        chosen: dict[tuple[str, str], Installed] = {}
        for item in self._installed:
            if item.serves(device.hardware, device.firmware) and _rank(item, device):
                chosen.setdefault(item.key, item)
        ends: dict[str, Standing] = {}
        for item in chosen.values():
            for old in item.driver.descriptor.supersedes:
                ends[old] = max(item.standing, ends.get(old, item.standing))
        return [item for (_, name), item in chosen.items() if name not in ends or item.standing > ends[name]]


def install(driver: Driver, sources: Mapping[str, bytes]) -> Installed:
    """Take a driver in after its own vectors held; raise DriverError naming the first that does not."""
    failed = prove(driver)
    if failed:
        first = failed[0]
        raise DriverError(
            f"vector {first.name!r} of {driver.descriptor.id}: expected {first.expected}, got {first.got}"
        )
    return Installed(driver, driver_hash(driver.descriptor, sources))


def load_registry() -> Registry:
    """Find the drivers that packages on this machine offer; what does not load or prove itself is listed as broken."""
    installed: list[Installed] = []
    broken: list[Broken] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            driver = point.load()
            if not isinstance(driver, Driver):
                raise DriverError(f"{point.value} is a {type(driver).__name__}, no Driver")
            installed.append(install(driver, sources_of(driver)))
        except Exception as error:  # a package of others runs here on import: whatever it raises, the node must start
            broken.append(Broken(point.name, f"{type(error).__name__}: {error}"))
    return Registry(installed, broken)


def sources_of(driver: Driver) -> dict[str, bytes]:
    """The source of the modules a driver names; raise DriverError if one is not loaded or has no source."""
    sources: dict[str, bytes] = {}
    for name in driver.modules:
        module = sys.modules.get(name)
        if module is None:
            raise DriverError(f"{driver.descriptor.id} names module {name}, which is not loaded")
        try:
            sources[name] = inspect.getsource(module).encode()
        except (OSError, TypeError) as error:
            raise DriverError(f"{driver.descriptor.id}: module {name} has no source: {error}") from error
    return sources


def _age(item: Installed) -> tuple[tuple[int, ...], str]:
    return parse_version(item.driver.descriptor.version), item.driver.descriptor.id


def _weight(item: Installed, device: DeviceTraits) -> tuple[bool, Standing, int]:
    rank = _rank(item, device)
    return rank == BY_KEY, item.standing, rank


def _rank(item: Installed, device: DeviceTraits) -> int:
    """How a driver is for a device, of any version; 0 where it is not."""
    applies = item.driver.descriptor.applies_to
    is_called = any(device.keys.get(name) == value for name, value in applies.match)
    if is_called and (item.reach is None or item.reach.holds(device)):
        return BY_KEY
    if device.model is not None and device.model.casefold() in {model.casefold() for model in applies.models}:
        return BY_MODEL
    return BY_TYPE if device.type is not None and device.type in applies.types else 0


def _fits(versions: VersionRange, version: str | None) -> bool:
    if versions.is_open:
        return True
    try:
        return version is not None and versions.holds(version)
    except DriverError:
        return False
