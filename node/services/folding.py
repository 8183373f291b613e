"""Folding one passport into the store. A long one has its events and statements as rows, and is folded three ways.

One more plain event adds its rows and nothing is folded. What is new and not plain is folded with all else that is not
plain, and the plain rows stand. Where something is new on which plain rows depend, everything is folded. The three give
the same view, digest and rows.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from federation.authority import Authority, Kind
from federation.errors import CodecError
from federation.organisation import Chain
from federation.statements import decode_root_statement
from node.passport.card import Card, card_of
from node.passport.case import Case, open_case
from node.passport.fold import view_of
from node.passport.identity import settled
from node.passport.kept import Kept, Row, Tally, add_event, awaited_of, event_place, rows_of
from node.passport.reading import read
from node.passport.rights import PUBLISHED_KINDS
from node.passport.shown import terms_of, text
from node.passport.statement import Statement, read_statement
from node.passport.timeline import timeline_of
from node.passport.used_codes import used_codes
from node.passport.view import EVENTS, ROWS, View, digest, rest_hash
from node.passport.world import World
from node.services.core import Core
from node.services.openings import Opened, openings_of
from node.services.statements import StatementReader
from node.store.database import WriteTx
from node.store.filing import touch_cards
from node.store.fragments import NewEntry
from node.store.logs import StoredLog
from node.store.organisations import read_envelopes
from node.store.own_codes import own_term, read_own_terms
from node.store.passports import NewPassport, StoredPassport, Term, put_passports, read_digests
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

NOT_SPOKEN = PUBLISHED_KINDS | {Kind.SHIPMENT, Kind.GRANT, Kind.END, Kind.ERASURE, Kind.ERASURE_ACK}

AT_ONCE = 200  # passports that are folded and held in memory together
CHANGED = "passport_changed"

Index = Mapping[bytes, Mapping[bytes, Statement]]


@dataclass(frozen=True, slots=True)
class Group:
    """The subjects of one passport; `kept` is there where it was a long one of these subjects and no others."""

    lead: bytes
    subjects: frozenset[bytes]
    kept: Kept | None


@dataclass(frozen=True, slots=True)
class Spoken:
    """A passport to be folded, and all that was said of it.

    Where somebody said more of identity than plates do, that is what was said of the other sides too.
    """

    group: Group
    said: Sequence[Statement]


@dataclass(frozen=True, slots=True)
class Folded:
    """What follows from a case that was folded: who may read it, and the card of its view where that is a new one."""

    opened: Opened
    card: Card | None


@dataclass(frozen=True, slots=True)
class _Made:
    """A passport as it is stored, worked out with no store at hand; `rows` are those of a long one."""

    group: Group
    item: NewPassport
    opened: Opened
    card: Card
    rows: Mapping[str, Sequence[Row]] | None


class Folding:
    """Folds passports and keeps their views."""

    def __init__(self, core: Core, longest: int) -> None:
        """`longest` is how many events or statements a passport has at most that is kept whole."""
        self._core = core
        self._longest = longest
        # Checked once: a chain is the same as long as its statements are.
        self._chains: dict[bytes, tuple[tuple[bytes, ...], Chain]] = {}

    async def fold_each(
        self, tx: WriteTx, spoken: Sequence[Spoken], world: World, reader: StatementReader
    ) -> list[Folded | None]:
        """Fold all that was said of each passport, in the order given; None where nobody spoke of its subjects."""
        found: list[Folded | None] = []
        for start in range(0, len(spoken), AT_ONCE):
            made = await tx.aside(partial(self._fold_some, spoken[start : start + AT_ONCE], world, tx.now))
            new = await self._put(tx, [one for one in made if one is not None], reader)
            found += [Folded(one.opened, one.card if one.group.lead in new else None) if one else None for one in made]
        return found

    def _fold_some(self, spoken: Iterable[Spoken], world: World, now: int) -> list[_Made | None]:
        return [self._fold(one, world, now) for one in spoken]

    def _fold(self, spoken: Spoken, world: World, now: int) -> _Made | None:
        group, said = spoken.group, spoken.said
        told_apart, _ = settled(said, world)
        if not any(s.kind not in NOT_SPOKEN and s.subject in group.subjects for s in told_apart):
            return None
        case = open_case(group.subjects, said, world)
        events = timeline_of(case)
        view = view_of(case, events)
        mark, card, rows, kept = digest(view), card_of(group.lead, view, now), None, None
        # What a twin takes may be any event: no row of such a passport is plain.
        if max(len(events), len(case.statements)) > self._longest and not case.sameness.said:
            rows = dict(zip(ROWS, rows_of(case, events, view), strict=True))
            view = _rest(view)
            signers = frozenset(statement.org for statement in case.statements)
            kept = Kept(case.facts, awaited_of(case), signers, rest_hash(view))
        item = _item(group, view, mark, kept, self._own_codes(case), now)
        return _Made(group, item, openings_of(case, self._core.org), card, rows)

    async def _put(self, tx: WriteTx, made: Sequence[_Made], reader: StatementReader) -> set[bytes]:
        """Store what differs from what stands; answer the leads of these."""
        await drop_rows(tx, [one.group.lead for one in made if one.group.kept is not None])
        items = {one.group.lead: await self._with_rows(tx, one, reader) for one in made}
        return await self._store(tx, [(one.group, items[one.group.lead]) for one in made])

    async def _with_rows(self, tx: WriteTx, made: _Made, reader: StatementReader) -> NewPassport:
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
        named = {(reader.numbers[s.ref.log], s.ref.seq) for s in case.statements}
        if again := await plain_of_keys(tx, group.lead, keys) - named:
            case = open_case(group.subjects, [*said, *await reader.at(tx, again)], world, kept.signers)
            events = timeline_of(case)
        view = view_of(case, events)
        rows = dict(zip(ROWS, rows_of(case, events, view), strict=True))
        put = await replace_rows(tx, group.lead, rows, kept.tallies, reader.numbers, moving)
        card, view = card_of(group.lead, view, tx.now), _rest(view)
        signers = kept.signers | {statement.org for statement in case.statements}
        after = Kept(case.facts, awaited_of(case), signers, rest_hash(view), **put)
        codes = self._own_codes(case) | await read_own_terms(tx, group.lead)
        new = await self._store(tx, [(group, _item(group, view, after.digest, after, codes, tx.now))])
        return Folded(openings_of(case, self._core.org), card if new else None)

    async def extend(self, tx: WriteTx, log: StoredLog, entries: Sequence[NewEntry], world: World) -> set[bytes]:
        """Add rows where that is all that new entries do; answer the subjects that are done."""
        alone, others = _alone(entries)
        found = await read_kept(tx, alone.keys() - others)
        if not found or not await self._counts(tx, log):
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

    async def _counts(self, tx: WriteTx, log: StoredLog) -> bool:
        envelopes = await read_envelopes(tx, log.org)
        found = self._chains.get(log.org)
        if found is None or found[0] != envelopes:
            if not envelopes:
                return False
            found = self._chains[log.org] = (envelopes, Chain(map(decode_root_statement, envelopes)))
        return found[1].counts(log.node)

    def _own_codes(self, case: Case) -> set[Term]:
        """How the own codes are found that what was said here speaks of."""
        return {own_term(catalog, code) for catalog, code in used_codes(case.readings, self._core.org)}

    async def _store(self, tx: WriteTx, items: Sequence[tuple[Group, NewPassport]]) -> set[bytes]:
        before = await read_digests(tx, [group.lead for group, _ in items])
        new: list[NewPassport] = []
        for group, item in items:
            is_as_long = (item.kept is None) == (group.kept is None)
            if before.get(group.lead) != item.passport.digest or not is_as_long:
                new.append(item)
            elif item.kept is not None and item.kept != group.kept:
                await put_kept(tx, group.lead, item.kept)
        await put_passports(tx, new)
        passports = [item.passport for item in new]
        told = [(one.lead, {"title": one.title, "digest": one.digest.hex()}) for one in passports]
        await self._core.announce_each(tx, "merge", CHANGED, told)
        return {one.lead for one in passports}

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


def _item(group: Group, view: View, mark: bytes, kept: Kept | None, codes: set[Term], now: int) -> NewPassport:
    passport = StoredPassport(
        group.lead,
        group.lead,
        text(view, "kind"),
        text(view, "state", "code"),
        text(view, "title"),
        mark,
        json.dumps(view, ensure_ascii=False, separators=(",", ":")).encode(),
        now,
    )
    named = {Term(scheme, term) for scheme, term in terms_of(view)}
    return NewPassport(passport, group.subjects, named | codes, kept)


def _rest(view: View) -> View:
    return {name: value for name, value in view.items() if name not in ROWS}


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
