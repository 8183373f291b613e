"""The mapping that this node works with, kept in memory, and where by it the series of subjects come from."""

from collections.abc import Callable, Iterable, Sequence

from drivers.mapping import ModelMapping
from drivers.registry import Installed
from node.services.sources import Sources
from node.store.database import Database, ReadTx, WriteTx
from node.store.drivers import hashes_of
from node.store.mappings import list_mappings


def _none() -> Sequence[Installed]:
    return ()


class Model:
    """Answers the rows as they stand; whoever changes one says `forget` once it is committed."""

    def __init__(self, database: Database, installed: Callable[[], Sequence[Installed]] = _none) -> None:
        """`installed` answers the drivers that run here."""
        self._database = database
        self._installed = installed
        self._mapping: ModelMapping | None = None
        self._changes = 0

    async def mapping(self, tx: WriteTx | None = None) -> ModelMapping:
        """The rows; within a write, by its transaction: nobody changes one meanwhile."""
        if self._mapping is not None:
            return self._mapping
        if tx is not None:
            return await self._load(tx)
        async with self._database.read() as reader:
            return await self._load(reader)

    def forget(self) -> None:
        """A row was changed."""
        self._mapping = None
        self._changes += 1

    async def sources(self, tx: ReadTx, mapping: ModelMapping) -> Sources:
        """By a mapping, and the versions of its drivers that stand here or stood."""
        return Sources(mapping, await self.hashes(tx, mapping.drivers) if mapping.drivers else {})

    async def hashes(self, tx: ReadTx, drivers: Iterable[str]) -> dict[str, list[bytes]]:
        """The hash of every version of some drivers that stands here or stood."""
        found = await hashes_of(tx, drivers)
        for item in self._installed():
            known = found.setdefault(item.driver.descriptor.id, [])
            if item.hash not in known:
                known.append(item.hash)
        return found

    async def _load(self, tx: ReadTx) -> ModelMapping:
        # A change that is committed meanwhile must not be hidden behind what this snapshot still shows.
        changes = self._changes
        mapping = ModelMapping(stored.row for stored in await list_mappings(tx))
        if changes == self._changes:
            self._mapping = mapping
        return mapping
