"""The drivers of this node: which are installed, and what one of them makes of a frame that somebody holds."""

import asyncio
from collections.abc import Callable, Collection, Sequence

from drivers.context import Context
from drivers.driver import Driver
from drivers.errors import DriverError
from drivers.keys import Key
from drivers.reading import Decoded
from drivers.registry import Broken, Installed, Registry
from node.errors import InputError, NotFoundError
from node.store.database import Database
from node.store.drivers import list_drivers


class Drivers:
    """A registry, asked by people."""

    def __init__(self, registry: Registry, database: Database) -> None:
        """`registry` is of this machine; what organisations publish joins it."""
        self.registry = registry
        self._database = database
        # Called where other drivers stand here now: what could not be read may be.
        self.on_changed: Callable[[], None] = lambda: None
        # Told which drivers stand here, by hash: what was kept for others may be let go.
        self.keep: Callable[[Collection[bytes]], None] = lambda _: None

    def put(self, registry: Registry) -> None:
        """Other drivers stand here now, or the same."""
        known = {item.hash for item in self.registry.installed}
        self.registry = registry
        self.keep(here := {item.hash for item in registry.installed})
        if here != known:
            self.on_changed()

    @property
    def installed(self) -> Sequence[Installed]:
        """Newest version of an id first."""
        return self.registry.installed

    @property
    def broken(self) -> Sequence[Broken]:
        """What was not taken in, and why."""
        return self.registry.broken

    async def names(self) -> dict[bytes, str]:
        """Id and version of every driver that stands here or stood, by hash."""
        async with self._database.read() as tx:
            stood = {one.hash: f"{one.driver} {one.version}" for one in await list_drivers(tx)}
        return stood | {item.hash: item.name for item in self.registry.installed}

    async def decode(
        self, driver_id: str, port: int, data: bytes, key: bytes | None = None, publisher: str | None = None
    ) -> Decoded:
        """Read a frame by a driver; nothing is stored, the key neither. Raise NotFoundError, InputError.

        Of a publisher only where one is named, or he alone uses the id.
        """
        found = self.registry.find(driver_id, publisher=publisher)
        publishers = self.registry.publishers_of(driver_id)
        if found is None and publisher is None and len(publishers) > 1:
            said = ", ".join(publishers)
            raise InputError(f"the id {driver_id} is used by {said}: name one", "driver_doubled", publishers=said)
        if found is None:
            raise NotFoundError(f"no driver {driver_id}", "driver_unknown")
        try:
            return await asyncio.to_thread(_read, found.driver, port, data, key)
        except DriverError as error:
            raise InputError(str(error), "frame_unread", why=str(error)) from error


def _read(driver: Driver, port: int, data: bytes, key: bytes | None) -> Decoded:
    return driver.decode(port, data, Context(key=None if key is None else Key(key)))
