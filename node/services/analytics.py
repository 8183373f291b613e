"""Questions over the whole registry: failure rates by batch, by lot of a component and by type."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

from node.passport.failures import By, Rate, Thing, failure_rates, thing_of
from node.passport.shown import rows
from node.passport.view import Plain
from node.services.core import Core
from node.services.projection import Projection
from node.store.database import ReadTx
from node.store.passports import StoredPassport, find_passport, read_leading

PAGE = 500

__all__ = ["Analytics", "Row", "StoredPassport"]

Row = dict[str, Plain]


class Analytics:
    """Reads every passport of this node, a page at a time, and counts."""

    def __init__(self, core: Core, projection: Projection) -> None:
        self._core = core
        self._projection = projection

    async def failure_rates(
        self, groupings: Sequence[By], since: int = 0, until: int | None = None
    ) -> dict[By, list[Rate]]:
        """By each of these, the groups with the largest share of failed devices first.

        Times in microseconds, `until` is excluded.
        """
        things: list[Thing] = []
        async with self._core.database.read() as tx:
            async for page in _pages(tx):
                things += await asyncio.to_thread(_things, page, since, until)
        names = {code: kind.model for code, kind in self._projection.world.types.items()}
        return {by: await asyncio.to_thread(failure_rates, things, by, names) for by in groupings}

    async def events(
        self, after: tuple[bytes, int] | None, limit: int, wanted: Callable[[Row], bool]
    ) -> tuple[list[tuple[StoredPassport, int, Row]], bool]:
        """Events of all passports that are wanted, after a (subject, number) place; and whether there may be more."""
        found: list[tuple[StoredPassport, int, Row]] = []
        start, number = after or (b"", -1)
        async with self._core.database.read() as tx:
            first = await find_passport(tx, start) if after else None
            if first is not None:
                found += _events(first, number, wanted)
            async for page in _pages(tx, start):
                if len(found) > limit:
                    break
                found += await asyncio.to_thread(_all_events, page, wanted)
        return found[:limit], len(found) > limit


def _all_events(page: list[StoredPassport], wanted: Callable[[Row], bool]) -> list[tuple[StoredPassport, int, Row]]:
    return [one for passport in page for one in _events(passport, -1, wanted)]


def _events(
    passport: StoredPassport, after: int, wanted: Callable[[Row], bool]
) -> list[tuple[StoredPassport, int, Row]]:
    told = enumerate(rows(passport.content, "events"))
    return [(passport, number, row) for number, row in told if number > after and not row["routed"] and wanted(row)]


async def _pages(tx: ReadTx, after: bytes = b"") -> AsyncIterator[list[StoredPassport]]:
    """The leading passports in order of their subjects, long ones with their rows."""
    while page := await read_leading(tx, after, PAGE):
        yield [await find_passport(tx, one.subject) or one if one.seals else one for one in page]
        after = page[-1].subject


def _things(page: list[StoredPassport], since: int, until: int | None) -> list[Thing]:
    return [thing_of(passport.subject, passport.content, since, until) for passport in page]
