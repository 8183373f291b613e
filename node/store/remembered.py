"""What was read of the store lately, kept in memory within a limit, and answered only while it is what the store says.

Time decides nothing here. SQLite tells whether anything was committed since a value was read; if not, it stands. If
so, and always on PostgreSQL, where other processes may write and no such counter is at hand, the store is asked once
more, and a reader that finds the value unchanged hands back the one that it is given.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from node.store.database import Database, ReadTx
from node.store.direct import Work

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Values by key, the longest unused of which are forgotten."""

    def __init__(self, database: Database, size: Callable[[V], int], most_bytes: int) -> None:
        """`size` is how many bytes a value counts for."""
        self._database = database
        self._size = size
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[K, tuple[int | None, V]] = OrderedDict()

    @property
    def size(self) -> int:
        """The bytes that all counts for that is kept."""
        return self._bytes

    async def get(
        self, key: K, read: Callable[[ReadTx, V | None], Work[V | None]], moment: int | None = None
    ) -> V | None:
        """The value of a key now, None where there is none.

        `read` awaits nothing but the transaction; it is given what was there when it was read last. A `moment` is a
        version of the store that was asked for already: what stood then is good enough.
        """
        # Known before the snapshot opens: what is committed in between is asked for again.
        version = self._database.version() if moment is None else moment
        was, known = self._kept.get(key, (None, None))
        if known is not None and version is not None and was == version:
            self._kept.move_to_end(key)
            return known
        found = await self._database.glance(lambda tx: read(tx, known))
        self._forget(key)
        if found is not None:
            self._keep(key, version, found)
        return found

    def _keep(self, key: K, version: int | None, value: V) -> None:
        self._kept[key] = (version, value)
        self._bytes += self._size(value)
        while self._bytes > self._most_bytes:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: K) -> None:
        if (kept := self._kept.pop(key, None)) is not None:
            self._bytes -= self._size(kept[1])
