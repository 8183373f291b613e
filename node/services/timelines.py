"""The events and statements of a passport by pages, the same for one that is kept whole and for a long one."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from node.errors import InputError, NotFoundError
from node.passport.operations import Operation, operations_of
from node.passport.shown import at, rows, text
from node.passport.view import EVENTS, STATEMENTS, Plain, View, load_view
from node.services.core import Core
from node.store.database import ReadTx
from node.store.passports import StoredPassport, find_passport
from node.store.timelines import count_events, last_events, page_of_rows

Row = dict[str, Plain]

MOST_READ = 1000
# By what the rows of a list are told apart, and after which of them a page begins.
NAMES = {EVENTS: "key", STATEMENTS: "ref"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows: of one author (hex) or code, after the row of that name, oldest or newest first."""

    limit: int
    after: str | None = None
    who: str | None = None
    what: str | None = None
    is_newest_first: bool = False


@dataclass(frozen=True, slots=True)
class RowPage:
    """Part of a list; `more` names its last row where others follow."""

    rows: Sequence[Row]
    more: str | None


@dataclass(frozen=True, slots=True)
class Overview:
    """A passport without its long lists: how many events there are, how many were asked for, how many statements.

    Of a long one the events in `view` are the last of each author, of each code and of each process.
    """

    passport: StoredPassport
    view: View
    events: int
    asked: int
    statements: int


class Timelines:
    """Reads lists of rows."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def page(self, subject: bytes, name: str, asked: Asked) -> RowPage:
        """A page of a list; raise NotFoundError, or InputError where the row before it is gone."""
        async with self._core.database.read() as tx:
            passport = await _get(tx, subject)
            if passport.seals:
                found = await self._stored(tx, passport.lead, name, asked)
            else:
                found = _of_view(passport.content, name, asked)
        more = len(found) > asked.limit
        return RowPage(found[: asked.limit], text(found[asked.limit - 1], NAMES[name]) if more else None)

    async def operations(self, subject: bytes) -> list[Operation]:
        """The ledger of operations; raise NotFoundError."""
        async with self._core.database.read() as tx:
            passport = await _get(tx, subject)
            if not passport.seals:
                return await asyncio.to_thread(operations_of, passport.content, rows(passport.content, EVENTS))
            events, after = list[Row](), None
            while found := await self._stored(tx, passport.lead, EVENTS, Asked(MOST_READ, after)):
                events += found
                after = text(found[-1], NAMES[EVENTS])
        return await asyncio.to_thread(operations_of, passport.content, events)

    async def overview(self, subject: bytes, who: str | None = None, what: str | None = None) -> Overview:
        """What stands around the lists; raise NotFoundError."""
        async with self._core.database.read() as tx:
            passport = await _get(tx, subject)
            view = passport.content
            if not passport.seals:
                events = rows(view, EVENTS)
                asked = [*filter(_wanted(Asked(0, who=who, what=what)), events)]
                return Overview(passport, view, len(events), len(asked), len(rows(view, STATEMENTS)))
            count = passport.seals[EVENTS].rows
            asked_for = await count_events(tx, passport.lead, who, what) if who or what else count
            last: list[Plain] = [load_view(row) for row in await last_events(tx, passport.lead)]
        return Overview(passport, {**view, EVENTS: last}, count, asked_for, passport.seals[STATEMENTS].rows)

    async def _stored(self, tx: ReadTx, lead: bytes, name: str, asked: Asked) -> list[Row]:
        found = await page_of_rows(
            tx,
            name,
            lead,
            asked.limit + 1,
            beside=asked.after,
            who=asked.who,
            what=asked.what,
            is_newest_first=asked.is_newest_first,
        )
        if found is None:
            raise InputError("the row before this page is gone: begin again", "cursor")
        return [load_view(row) for row in found]


async def _get(tx: ReadTx, subject: bytes) -> StoredPassport:
    found = await find_passport(tx, subject, whole=False)
    if found is None:
        raise NotFoundError("no passport of that id is here", "passport_unknown")
    return found


def _of_view(view: View, name: str, asked: Asked) -> list[Row]:
    listed = rows(view, name)
    if asked.is_newest_first:
        listed.reverse()
    names = [text(row, NAMES[name]) for row in listed]
    if asked.after is not None and asked.after not in names:
        raise InputError("the row before this page is gone: begin again", "cursor")
    start = 0 if asked.after is None else names.index(asked.after) + 1
    return [*filter(_wanted(asked), listed[start:])][: asked.limit + 1]


def _wanted(asked: Asked) -> Callable[[Row], bool]:
    def holds(row: Row) -> bool:
        codes: Iterable[Plain] = (at(row, "what", "central"), at(row, "what", "local"))
        return asked.who in (None, row.get("by")) and (asked.what is None or asked.what in codes)

    return holds
