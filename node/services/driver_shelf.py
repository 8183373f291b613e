"""Publications of drivers as they stand in the store: kept are their places, a package is read when it is asked for.

Anybody may publish as much as a log holds. Each publication is read once, a few at a time, for what its row tells;
after that the rows stand for the packages.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass

from federation.authority import Kind
from federation.fragment import Ref
from node.passport.drafts import DRIVER
from node.passport.driver_publications import Publication, find_withdrawn, read_publication
from node.passport.statement import Statement
from node.services.core import Core
from node.services.driver_rows import is_described
from node.services.statements import StatementReader
from node.store.drivers import StoredDriver

PAGE = 16  # packages in memory at once


@dataclass(frozen=True, slots=True)
class Said:
    """Where a package stands: as its own publisher first said it, else as anybody did."""

    org: bytes
    ref: Ref
    entry: bytes
    order: tuple[int, bytes, int]
    is_own: bool
    is_withdrawn: bool


class DriverShelf:
    """What is published, by hash."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._known: dict[bytes, tuple[bytes, bool]] = {}  # by statement: the hash, and whether its publisher said it
        self.said: Mapping[bytes, Said] = {}

    async def refresh(self, stored: Iterable[StoredDriver]) -> AsyncIterator[Publication]:
        """Take up what is said now, and give what was not read before: in no row, nor in this process."""
        async with self._core.database.read() as tx:
            heard = await (await StatementReader.open(tx)).headers_of_kinds(tx, (Kind.DRIVER,))
        by_entry = {one.entry: one for one in stored if one.entry is not None and is_described(one)}
        published = {one.id: one for one in heard if any(name == DRIVER for name, _ in one.classes)}
        self._known = {entry: known for entry, known in self._known.items() if entry in published}
        self._known |= {
            entry: (by_entry[entry].hash, by_entry[entry].is_own) for entry in by_entry.keys() & published.keys()
        }
        new = [one for entry, one in published.items() if entry not in self._known]
        for start in range(0, len(new), PAGE):
            for publication in await self._read(new[start : start + PAGE]):
                self._known[publication.entry] = publication.hash, publication.is_own
                yield publication
        self.said = self._places(published, find_withdrawn(heard))

    async def read(self, digest: bytes) -> tuple[Publication, bytes] | None:
        """A publication and its very bytes; None where it is not here, or not any more."""
        said = self.said.get(digest)
        if said is None:
            return None
        async with self._core.database.read() as tx:
            reader = await StatementReader.open(tx)
            found = await reader.at(tx, [(reader.numbers[said.ref.log], said.ref.seq)])
        publication = await asyncio.to_thread(read_publication, found[0]) if found else None
        return (publication, found[0].sections[DRIVER]) if publication is not None else None

    async def _read(self, statements: Iterable[Statement]) -> list[Publication]:
        async with self._core.database.read() as tx:
            reader = await StatementReader.open(tx)
            whole = await reader.at(tx, [(reader.numbers[one.ref.log], one.ref.seq) for one in statements])
        read = await asyncio.to_thread(lambda: [read_publication(one) for one in whole])
        return [one for one in read if one is not None]

    def _places(self, published: Mapping[bytes, Statement], withdrawn: frozenset[Ref]) -> dict[bytes, Said]:
        """Each hash once: as its own publisher first said it, by (time, log, place)."""
        found: dict[bytes, Said] = {}
        known = [(self._known[one.id], one) for one in published.values() if one.id in self._known]
        for (digest, is_own), one in sorted(known, key=lambda pair: (not pair[0][1], pair[1].order)):
            said = Said(one.org, one.ref, one.id, one.order, is_own, one.ref in withdrawn)
            found.setdefault(digest, said)
        return found
