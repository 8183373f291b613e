"""The events and statements of a passport by pages, the same for one that is kept whole and for a long one."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from federation.errors import VoidError
from federation.fragment import Header, read_header
from node.errors import InputError, NotFoundError
from node.passport.lost import lost_view, order_of
from node.passport.operations import Operation, operations_of
from node.passport.shown import at, rows, subjects_of, text
from node.passport.statement import read_statement
from node.passport.view import EVENTS, STATEMENTS, Plain, View, load_view
from node.services.core import Core
from node.services.projection import Projection
from node.store.database import ReadTx
from node.store.fragments import StoredFragment, uncounted_about
from node.store.logs import lossy_logs
from node.store.passports import StoredPassport, find_passport
from node.store.timelines import count_events, last_events, page_of_rows

Row = dict[str, Plain]

MOST_READ = 1000
BESIDE = "~"  # between the last row that counts and the last that does not, where a page ends
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
    """A passport without its long lists: how many events there are, how many were asked for, how many statements, and
    how many more that do not count.

    Of a long one the events in `view` are the last of each author, of each code and of each process.
    """

    passport: StoredPassport
    view: View
    events: int
    asked: int
    statements: int
    lost: int = 0


class Timelines:
    """Reads lists of rows."""

    def __init__(self, core: Core, projection: Projection) -> None:
        self._core = core
        self._projection = projection

    async def page(self, subject: bytes, name: str, asked: Asked) -> RowPage:
        """A page of a list; raise NotFoundError, or InputError where the row before it is gone."""
        await self._projection.catch_up([subject])
        async with self._core.database.read() as tx:
            passport = await _get(tx, subject)
            if name == STATEMENTS:
                return await self._page_with_lost(tx, passport, asked, await _lost(tx, passport))
            found = await self._listed(tx, passport, name, asked)
        more = len(found) > asked.limit
        return RowPage(found[: asked.limit], text(found[asked.limit - 1], NAMES[name]) if more else None)

    async def _listed(self, tx: ReadTx, passport: StoredPassport, name: str, asked: Asked) -> list[Row]:
        if passport.seals:
            return await self._stored(tx, passport.lead, name, asked)
        return _of_view(passport.content, name, asked)

    async def _page_with_lost(self, tx: ReadTx, passport: StoredPassport, asked: Asked, lost: Sequence[Row]) -> RowPage:
        """Statements that count and those that do not, in one order. A place between pages names the last of each."""
        counted_after, _, lost_after = (asked.after or "").partition(BESIDE)
        listed = await self._listed(tx, passport, STATEMENTS, replace(asked, after=counted_after or None))
        beside = sorted(lost, key=order_of, reverse=asked.is_newest_first)
        names = [text(row, "ref") for row in beside]
        beside = beside[names.index(lost_after) + 1 :] if lost_after in names else beside
        found = sorted([*listed, *beside], key=order_of, reverse=asked.is_newest_first)
        shown = found[: asked.limit]
        if len(found) == len(shown):
            return RowPage(shown, None)
        ends = (counted_after, lost_after)
        for row in shown:
            ends = (ends[0], text(row, "ref")) if "lost" in row else (text(row, "ref"), ends[1])
        return RowPage(shown, BESIDE.join(ends))

    async def operations(self, subject: bytes) -> list[Operation]:
        """The ledger of operations; raise NotFoundError."""
        await self._projection.catch_up([subject])
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
        await self._projection.catch_up([subject])
        async with self._core.database.read() as tx:
            passport = await _get(tx, subject)
            view = passport.content
            if not passport.seals:
                events = rows(view, EVENTS)
                asked = [*filter(_wanted(Asked(0, who=who, what=what)), events)]
                told = len(rows(view, STATEMENTS))
                return Overview(passport, view, len(events), len(asked), told, len(await _lost(tx, passport)))
            count = passport.seals[EVENTS].rows
            asked_for = await count_events(tx, passport.lead, who, what) if who or what else count
            last: list[Plain] = [load_view(row) for row in await last_events(tx, passport.lead)]
            lost, told = len(await _lost(tx, passport)), passport.seals[STATEMENTS].rows
        return Overview(passport, {**view, EVENTS: last}, count, asked_for, told, lost)

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


async def _lost(tx: ReadTx, passport: StoredPassport) -> list[Row]:
    """The statements about a passport that are here and do not count."""
    logs = {log.log: log for log in await lossy_logs(tx)}
    if not logs:
        return []
    counted = {log.no: log.counted.size or 0 for log in logs.values()}
    found = await uncounted_about(tx, map(bytes.fromhex, subjects_of(passport.content)), counted)
    said = [(read_statement(e.to_fragment(), h, logs[e.log].org), logs[e.log]) for e in found if (h := _header(e))]
    return [lost_view(statement, log.counted) for statement, log in said]


def _header(entry: StoredFragment) -> Header | None:
    with suppress(VoidError):  # altered on the disk: fsck names it
        return read_header(entry.header, entry.log, entry.seq)
    return None


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
