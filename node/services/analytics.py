"""Questions over the whole registry: failure rates by batch, by lot of a component and by type."""

import asyncio
from collections.abc import AsyncIterator

from node.passport.failures import By, Rate, Thing, failure_rates, thing_of
from node.services.core import Core
from node.services.projection import Projection
from node.store.database import ReadTx
from node.store.passports import StoredPassport, find_passport, read_leading

PAGE = 500


class Analytics:
    """Reads every passport of this node, a page at a time, and counts."""

    def __init__(self, core: Core, projection: Projection) -> None:
        self._core = core
        self._projection = projection

    async def failure_rates(self, by: By, since: int = 0, until: int | None = None) -> list[Rate]:
        """The groups with the largest share of failed devices first; times in microseconds, `until` is excluded."""
        things: list[Thing] = []
        async with self._core.database.read() as tx:
            async for page in _pages(tx):
                things += await asyncio.to_thread(_things, page, since, until)
        names = {code: kind.model for code, kind in self._projection.world.types.items()}
        return await asyncio.to_thread(failure_rates, things, by, names)


async def _pages(tx: ReadTx) -> AsyncIterator[list[StoredPassport]]:
    """The leading passports in order of their subjects, long ones with their rows."""
    after = b""
    while page := await read_leading(tx, after, PAGE):
        yield [await find_passport(tx, one.subject) or one if one.seals else one for one in page]
        after = page[-1].subject


def _things(page: list[StoredPassport], since: int, until: int | None) -> list[Thing]:
    return [thing_of(passport.subject, passport.content, since, until) for passport in page]
