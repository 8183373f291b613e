"""Folding one passport into the store. A long one has its events and statements as rows, and is folded three ways.

One more plain event adds its rows and nothing is folded. What is new and not plain is folded with all else that is not
plain, and the plain rows stand. Where something is new on which plain rows depend, everything is folded. The three give
the same view, digest and rows.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from federation.authority import Authority, Kind
from federation.errors import CodecError
from node.passport.card import Card, card_of
from node.passport.case import open_case
from node.passport.cuts import Awaited, awaited_by
from node.passport.fold import view_of
from node.passport.kept import Kept, Tally, add_event, awaited_of, event_place, rows_of
from node.passport.reading import read
from node.passport.statement import Statement, read_statement
from node.passport.timeline import timeline_of
from node.passport.used_codes import used_codes
from node.passport.view import EVENTS, ROWS, load_view, rest_hash
from node.passport.world import World
from node.services.core import Core
from node.services.making import Group, Made, Maker, Spoken, rest_of
from node.services.neighbours import Neighbours, is_apart, tied_to
from node.services.openings import Opened, openings_of
from node.services.statements import StatementReader
from node.services.workshop import Workshop
from node.store.database import WriteTx
from node.store.filing import touch_cards
from node.store.fragments import NewEntry
from node.store.logs import StoredLog
from node.store.own_codes import own_term, read_own_terms
from node.store.passports import (
    NewPassport,
    drop_passports,
    put_passports,
    read_digests,
    read_titles,
    read_views,
)
from node.store.timelines import (
    KeptPassport,
    add_rows,
    drop_rows,
    is_known,
    moving_rows,
    plain_of_keys,
    put_kept,
    read_kept,
    replace_rows,
)

AT_ONCE = 400  # passports that are folded and held in memory together
CHANGED, GONE = "passport_changed", "passport_gone"

Index = Mapping[bytes, Mapping[bytes, Statement]]


@dataclass(frozen=True, slots=True)
class Folded:
    """What follows from a case that was folded: who may read it, the card of its view where that is a new one, the
    passports that hang on what it says otherwise now, all that it is tied to by composition, and what it waits for.
    """

    opened: Opened
    card: Card | None
    stale: frozenset[bytes]
    tied: frozenset[bytes]
    awaited: frozenset[Awaited]


class Folding:
    """Folds passports and keeps their views."""

    def __init__(self, core: Core, longest: int) -> None:
        """`longest` is how many events or statements a passport has at most that is kept whole."""
        self._core = core
        self._maker = Maker(core.org, longest)
        self._workshop = Workshop(self._maker)
        self._neighbours = Neighbours()

    def close(self) -> None:
        """End what works beside this process."""
        self._workshop.close()

    async def fold_each(
        self, tx: WriteTx, spoken: Sequence[Spoken], world: World, reader: StatementReader
    ) -> dict[bytes, Folded | None]:
        """Fold all that was said of each passport; by their leads as they were folded, None where nobody spoke.

        Those that name no parts or wholes depend on no other passport: they are worked out together. The others follow
        one by one, each beside what is stored by then.
        """
        found: dict[bytes, Folded | None] = {}
        for start in range(0, len(spoken), AT_ONCE):
            chunk = spoken[start : start + AT_ONCE]
            alone = [one for one in chunk if not one.is_tied]
            rest = iter(alone)
            with closing(self._workshop.make_each(alone, world, tx.now)) as making:
                while made := await tx.aside(partial(next, making, None)):
                    found |= await self._put(tx, [*islice(rest, len(made))], made, reader)
            for one in chunk:
                if one.is_tied:
                    case = self._maker.open(one, world)
                    around = await self._neighbours.around(tx, case) if case else None
                    found |= await self._put(tx, [one], [self._maker.make(one, case, around, tx.now)], reader)
        return found

    async def _put(
        self, tx: WriteTx, spoken: Sequence[Spoken], made: Sequence[Made | None], reader: StatementReader
    ) -> dict[bytes, Folded | None]:
        """Store what differs from what stands."""
        there = [one for one in made if one is not None]
        await drop_rows(tx, [one.group.lead for one in there if one.group.kept is not None])
        items = [(one.group, await self._with_rows(tx, one, reader)) for one in there]
        new = await self._store(tx, items)
        found: dict[bytes, Folded | None] = {one.group.lead: None for one in spoken}
        for one in there:
            stale = new.get(one.group.lead)
            card = None if stale is None else one.card
            found[one.group.lead] = Folded(one.opened, card, stale or frozenset(), one.tied, one.awaited)
        return found

    async def _with_rows(self, tx: WriteTx, made: Made, reader: StatementReader) -> NewPassport:
        kept = made.item.kept
        if made.rows is None or kept is None:
            return made.item
        put = await add_rows(tx, made.group.lead, made.rows, dict.fromkeys(ROWS, Tally()), reader.numbers)
        return replace(made.item, kept=replace(kept, events=put["events"], statements=put["statements"]))

    async def fold_beside_kept(
        self, tx: WriteTx, group: Group, said: Iterable[Statement], world: World, reader: StatementReader
    ) -> Folded | None:
        """Fold what is not plain and let the plain rows stand; None where something on which they depend is new."""
        kept, said = group.kept, list(said)
        if kept is None:
            return None
        case = open_case(group.subjects, said, world, kept.signers)
        if case.facts != kept.facts or case.sameness.said:
            return None
        events, moving = timeline_of(case), await moving_rows(tx, group.lead)
        stand = {row.place for row in moving if row.list == EVENTS}
        keys = {event.key for event in events if event_place(event) not in stand}
        named = {(reader.numbers[s.ref.log], s.ref.seq) for s in case.told}
        if again := await plain_of_keys(tx, group.lead, keys) - named:
            case = open_case(group.subjects, [*said, *await reader.at(tx, again)], world, kept.signers)
            events = timeline_of(case)
        view = view_of(case, events, await self._neighbours.around(tx, case))
        rows = dict(zip(ROWS, rows_of(case, events, view), strict=True))
        put = await replace_rows(tx, group.lead, rows, kept.tallies, reader.numbers, moving)
        card, view = card_of(group.lead, view, tx.now), rest_of(view)
        signers = kept.signers | {statement.org for statement in case.statements}
        after = Kept(case.facts, awaited_of(case), signers, rest_hash(view), **put)
        codes = self._maker.own_codes(case) | await read_own_terms(tx, group.lead)
        new = await self._store(tx, [(group, self._maker.item(group, view, after.digest, after, codes, tx.now))])
        stale = new.get(group.lead)
        opened = openings_of(case, self._core.org)
        return Folded(opened, None if stale is None else card, stale or frozenset(), tied_to(case), awaited_by(case))

    async def forget(self, tx: WriteTx, subjects: Collection[bytes]) -> set[bytes]:
        """Drop the passports of subjects of which nobody speaks any more; answer those that hung on them."""
        if not subjects:
            return set()
        stale = set[bytes]()
        views = await read_views(tx, subjects)
        for lead, raw in views.items():
            if not is_apart(raw):
                stale |= await self._neighbours.left_behind(tx, lead, load_view(raw))
        titles = await read_titles(tx, views)
        await self._core.announce_each(tx, "merge", GONE, [(one, {"title": titles[one]}) for one in sorted(titles)])
        await drop_passports(tx, subjects)
        await drop_rows(tx, subjects)
        return stale.difference(subjects)

    async def extend(self, tx: WriteTx, log: StoredLog, entries: Sequence[NewEntry], world: World) -> set[bytes]:
        """Add rows where that is all that new entries do; answer the subjects that are done."""
        alone, others = _alone(entries)
        found = await read_kept(tx, alone.keys() - others)
        if not found:
            return set()
        done = {s for s, passport in sorted(found.items()) if await self._add(tx, log, passport, alone[s], world)}
        await touch_cards(tx, [found[subject].lead for subject in sorted(done)])
        return done

    async def _add(
        self, tx: WriteTx, log: StoredLog, passport: KeptPassport, entries: Sequence[NewEntry], world: World
    ) -> bool:
        lead, kept = passport.lead, passport.kept
        said = [read(read_statement(e.fragment, e.header, log.org)) for e in entries if e.header is not None]
        codes = {own_term(*code) for code in used_codes(said, self._core.org)}
        if codes and codes - await read_own_terms(tx, lead):
            return False
        added = [item for reading in said if (item := add_event(kept, reading, world)) is not None]
        keys = sorted({str(item.event.content["key"]) for item in added})
        if len(keys) < len(said) or await is_known(tx, lead, keys, log.no, [r.statement.ref.seq for r in said]):
            return False
        rows = {"events": [item.event for item in added], "statements": [item.statement for item in added]}
        put = await add_rows(tx, lead, rows, kept.tallies, {log.log: log.no})
        after = replace(kept, events=put["events"], statements=put["statements"])
        await put_kept(tx, lead, after)
        await self._announce(tx, lead, passport.title, after.digest)
        return True

    async def _store(self, tx: WriteTx, items: Sequence[tuple[Group, NewPassport]]) -> dict[bytes, frozenset[bytes]]:
        """Keep what is new; by its leads, the passports that hang on what is said otherwise now."""
        before = await read_digests(tx, [group.lead for group, _ in items])
        new: list[NewPassport] = []
        for group, item in items:
            is_as_long = (item.kept is None) == (group.kept is None)
            if before.get(group.lead) != item.passport.digest or not is_as_long:
                new.append(item)
            elif item.kept is not None and item.kept != group.kept:
                await put_kept(tx, group.lead, item.kept)
        passports = [item.passport for item in new]
        views = await read_views(tx, [one.lead for one in passports if one.lead in before])
        await put_passports(tx, new)
        told = [(one.lead, {"title": one.title, "digest": one.digest.hex()}) for one in passports]
        await self._core.announce_each(tx, "merge", CHANGED, told)
        return {one.lead: await self._stale(tx, one.lead, views.get(one.lead), one.view) for one in passports}

    async def _stale(self, tx: WriteTx, lead: bytes, before: bytes | None, after: bytes) -> frozenset[bytes]:
        if is_apart(before) and is_apart(after):
            return frozenset()
        return await self._neighbours.stale(tx, lead, load_view(before) if before else {}, load_view(after))

    async def _announce(self, tx: WriteTx, lead: bytes, title: str, mark: bytes) -> None:
        await self._core.announce(tx, "merge", CHANGED, lead, title=title, digest=mark.hex())


def by_subject(statements: Iterable[Statement]) -> Index:
    """Statements by the subjects that they name, and by id."""
    index: dict[bytes, dict[bytes, Statement]] = {}
    for statement in statements:
        for subject in {*statement.subjects, *_routes(statement)}:
            index.setdefault(subject, {})[statement.id] = statement
    return index


def said_of(subjects: Iterable[bytes], index: Index) -> list[Statement]:
    """Each statement that names one of the subjects, once."""
    return [*{key: s for subject in sorted(subjects) for key, s in index.get(subject, {}).items()}.values()]


def _alone(entries: Iterable[NewEntry]) -> tuple[dict[bytes, list[NewEntry]], set[bytes]]:
    """Entries that may be plain, by subject; and the subjects of which others speak."""
    alone: dict[bytes, list[NewEntry]] = {}
    others: set[bytes] = set()
    for entry in entries:
        header = entry.header
        named = {*entry.routes, *(header.subjects if header else ())}
        if header is not None and header.kind == Kind.EVENT and not (header.refs or header.auth) and len(named) == 1:
            alone.setdefault(header.subject, []).append(entry)
        else:
            others |= named
    return alone, others


def _routes(statement: Statement) -> tuple[bytes, ...]:
    raw = statement.sections.get("authority")
    if raw is None:
        return ()
    try:
        return Authority.from_bytes(raw).subjects or ()
    except CodecError:
        return ()
