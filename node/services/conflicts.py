"""What waits for a person's decision about the identity or the facts of things."""

from collections.abc import Sequence
from dataclasses import dataclass

from node.services.core import Core
from node.store.conflicts import count_conflicting, count_conflicts, list_conflicts
from node.store.passports import StoredPassport


@dataclass(frozen=True, slots=True)
class ConflictCounts:
    """Passports with something to decide: how many there are, and how many of each kind."""

    total: int
    kinds: dict[str, int]


class Conflicts:
    """Finds the passports about which somebody has to decide something."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def page(self, why: str | None, after: tuple[str, bytes] | None, limit: int) -> Sequence[StoredPassport]:
        """Those with a conflict of that kind, or of any, by title after a place."""
        async with self._core.database.read() as tx:
            return await list_conflicts(tx, why, after, limit)

    async def count(self) -> ConflictCounts:
        """How many there are."""
        async with self._core.database.read() as tx:
            return ConflictCounts(await count_conflicting(tx), await count_conflicts(tx))

    async def total(self) -> int:
        """How many passports have something to decide."""
        async with self._core.database.read() as tx:
            return await count_conflicting(tx)
