"""What was read of the store, kept in memory for as long as nothing of its kind is written."""

from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Mapping
from typing import Generic, TypeVar

from node.store.database import Database, ReadTx, WriteTx

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Unchanged(Generic[K, V]):
    """Values by key; all of them are forgotten when a transaction ends that touched rows of one of these kinds."""

    def __init__(self, database: Database, kinds: Collection[str], most: int) -> None:
        self._database = database
        self._kinds = frozenset(kinds)
        self._most = most
        # One object, so that threads see marks and values of one time.
        self._held: tuple[tuple[int, ...], dict[K, V]] = ((), {})

    async def find(
        self, tx: ReadTx, keys: Iterable[K], load: Callable[[list[K]], Awaitable[Mapping[K, V]]]
    ) -> dict[K, V]:
        """The values of those keys that have one; `load` reads what is not known, of that transaction."""
        wanted = set(keys)
        if isinstance(tx, WriteTx) and tx.touched & self._kinds:
            return dict(await load(list(wanted)))  # what it wrote itself stands nowhere else
        marks = self._marks()
        if self._held[0] != marks or len(self._held[1]) > self._most:
            self._held = marks, {}
        known = self._held[1]
        found = {key: known[key] for key in wanted if key in known}
        if missing := [key for key in wanted if key not in found]:
            read = await load(missing)
            found |= read
            if self._marks() == marks:
                known.update(read)
        return found

    def _marks(self) -> tuple[int, ...]:
        return tuple(self._database.touches(kind) for kind in self._kinds)
