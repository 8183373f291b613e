"""Finding cards: the marks of a question are intersected shelf by shelf, and what remains is looked at.

By title the shelves are read from the reader's place on until the page is full. By change the figures of all shelves
say which cards come first. Either way the work is bounded by the number of shelves, not by how many cards a question
lets through nor by how those are spread.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any

from sqlalchemy import Select, func, select, tuple_

from node.passport.card import Card
from node.passport.sifting import (
    JOINED,
    KIND_IS,
    SECOND_US,
    STATE_IS,
    TYPE_IS,
    Key,
    Order,
    Sift,
    Spot,
    conditions_of,
    key_of,
    lets_through,
)
from node.store import schema
from node.store.database import ReadTx
from node.store.filing import CHANGED, EXPIRES, SIZES, card_of_row, figure_name
from node.store.slots import BITS_SIZE, CAPACITY, below, equal_to, iterate_bits, join_figures, largest, put_slots

FIRST_SHELVES = 32  # how many are read at first, before all that are left
LOOKED = 200  # so few candidates are looked at without asking for more marks
DENSE = 400  # cards of one shelf from which on it is walked in order instead of fetched place by place
FETCHED = 500
WALKED = 256


@dataclass(frozen=True, slots=True)
class Counts:
    """Cards in all, those to which several ids lead, and how many of each state, kind and type."""

    total: int
    joined: int
    states: dict[str, int]
    kinds: dict[str, int]
    types: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Shelf:
    """A shelf that holds keys from `first` to before `end`."""

    no: int
    first: Key
    end: Key | None


@dataclass(frozen=True, slots=True)
class _Found:
    """Candidates on some shelves, a bit for each place."""

    shelves: Sequence[_Shelf]
    bits: int

    def pieces(self) -> Iterator[tuple[_Shelf, bytes, int]]:
        """Each shelf that has candidates, their bits and their number."""
        raw = self.bits.to_bytes(len(self.shelves) * BITS_SIZE, "little")
        for at, shelf in enumerate(self.shelves):
            piece = raw[at * BITS_SIZE : (at + 1) * BITS_SIZE]
            if count := int.from_bytes(piece, "little").bit_count():
                yield shelf, piece, count


async def find_card(tx: ReadTx, subject: bytes) -> Card | None:
    """The card of a leading subject."""
    row = await tx.first(select(schema.cards).where(schema.cards.c.subject == subject))
    return None if row is None else card_of_row(row)


async def find_cards(
    tx: ReadTx,
    sift: Sift,
    order: Order = Order.TITLE,
    after: Spot | None = None,
    limit: int = 50,
    *,
    backwards: bool = False,
) -> list[Card]:
    """The cards that a question lets through after a place, in the order of the list, or backwards from there."""
    if sift.is_open and order is Order.TITLE:
        rows = await tx.all(_along(None, after.key if after else None, limit, backwards=backwards))
        return [card_of_row(row) for row in rows]
    shelves = await _read_shelves(tx)
    page = _Page(tx, sift, limit, backwards=backwards)
    if order is Order.TITLE:
        await page.read_by_title(shelves, after.key if after else None)
    else:
        await page.read_by_change(shelves, after)
    return page.cards


async def count_cards(tx: ReadTx) -> Counts:
    """The registry in numbers."""
    shelves = {row.no: row.size for row in await tx.all(select(schema.shelves.c.no, schema.shelves.c.size))}
    joined = await _count_marks(tx, shelves, JOINED)
    states, kinds, types = [await _count_marks(tx, shelves, prefix) for prefix in (STATE_IS, KIND_IS, TYPE_IS)]
    return Counts(sum(shelves.values()), joined.get("", 0), states, kinds, types)


async def _count_marks(tx: ReadTx, shelves: Iterable[int], prefix: str) -> dict[str, int]:
    """How many cards carry each of the marks that begin so."""
    table = schema.marks.c
    upper = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    statement = select(table.mark, func.sum(table.size).label("n")).where(
        table.shelf.in_(sorted(shelves)), table.mark >= prefix, table.mark < upper
    )
    return {row.mark[len(prefix) :]: int(row.n) for row in await tx.all(statement.group_by(table.mark))}


class _Page:
    """A page that is being filled."""

    def __init__(self, tx: ReadTx, sift: Sift, limit: int, *, backwards: bool) -> None:
        self.cards: list[Card] = []
        self._tx = tx
        self._sift = sift
        self._limit = limit
        self._backwards = backwards

    @property
    def _is_full(self) -> bool:
        return len(self.cards) >= self._limit

    async def read_by_title(self, shelves: Sequence[_Shelf], after: Key | None) -> None:
        """Read shelf after shelf from a place on until the page is full."""
        ordered = self._from_place(shelves, after)
        for part in (ordered[:FIRST_SHELVES], ordered[FIRST_SHELVES:]):
            if part and not self._is_full:
                await self._walk(await _candidates(self._tx, part, self._sift), after)

    async def read_by_change(self, shelves: Sequence[_Shelf], after: Spot | None) -> None:
        """Take the last changed candidates of all shelves, second after second, until the page is full."""
        ordered = list(reversed(shelves)) if self._backwards else list(shelves)
        found = await _candidates(self._tx, ordered, self._sift)
        figures = _Figures(self._tx, found.shelves, CHANGED, is_reversed=self._backwards)
        left = found.bits
        if after is not None:
            below_it, same = await figures.compare(left, after.second)
            left = left & ~(below_it | same) if self._backwards else below_it
            await self._walk(_Found(found.shelves, same), after.key)
        while left and not self._is_full:
            sure, tied = await figures.last(left, self._limit - len(self.cards))
            if (sure | tied).bit_count() <= LOOKED:
                await self._take(_Found(found.shelves, sure | tied))
            else:
                await self._take(_Found(found.shelves, sure))
                if not self._is_full:
                    await self._walk(_Found(found.shelves, tied), None)
            left &= ~(sure | tied)

    def _from_place(self, shelves: Sequence[_Shelf], after: Key | None) -> list[_Shelf]:
        """The shelves that may hold what comes after a place, in the order of reading."""
        here = None if after is None else max((at for at, s in enumerate(shelves) if s.first <= after), default=0)
        if self._backwards:
            return list(reversed(shelves if here is None else shelves[: here + 1]))
        return list(shelves[here or 0 :])

    async def _take(self, found: _Found) -> None:
        """Take candidates that are few, the last changed first."""
        numbers = [shelf.no * CAPACITY + slot for shelf, piece, _ in found.pieces() for slot in iterate_bits(piece)]
        cards = await self._fetch(numbers, None)
        step = -1 if not self._backwards else 1
        cards.sort(key=lambda card: step * (card.changed_us // SECOND_US))
        self.cards += cards[: self._limit - len(self.cards)]

    async def _walk(self, found: _Found, after: Key | None) -> None:
        """Take candidates in the order of their shelves and by title on each, after a place."""
        waiting: list[int] = []
        for shelf, piece, count in found.pieces():
            if count < DENSE:
                waiting += [shelf.no * CAPACITY + slot for slot in iterate_bits(piece)]
                if len(waiting) < FETCHED // 4:
                    continue
            self._add(await self._fetch(waiting, after))
            waiting = []
            if count >= DENSE and not self._is_full:
                await self._walk_along(shelf, piece, after)
            if self._is_full:
                return
        self._add(await self._fetch(waiting, after))

    def _add(self, cards: Sequence[Card]) -> None:
        self.cards += cards[: self._limit - len(self.cards)]

    async def _fetch(self, numbers: Sequence[int], after: Key | None) -> list[Card]:
        """Those of the candidates that answer, by title."""
        cards: list[Card] = []
        for at in range(0, len(numbers), FETCHED):
            statement = select(schema.cards).where(schema.cards.c.no.in_(numbers[at : at + FETCHED]))
            cards += [card_of_row(row) for row in await self._tx.all(statement)]
        wanted = [card for card in cards if self._is_past(key_of(card), after) and self._answers(card)]
        return sorted(wanted, key=key_of, reverse=self._backwards)

    async def _walk_along(self, shelf: _Shelf, piece: bytes, after: Key | None) -> None:
        """Take candidates of one full shelf: its cards are read by title, some at a time."""
        bits = int.from_bytes(piece, "little")
        while not self._is_full:
            rows = await self._tx.all(_along(shelf, after, WALKED, backwards=self._backwards))
            cards = (card_of_row(row) for row in rows if bits >> row.no % CAPACITY & 1)
            self._add([card for card in cards if self._answers(card)])
            if len(rows) < WALKED:
                return
            after = (rows[-1].title, rows[-1].subject)

    def _is_past(self, key: Key, after: Key | None) -> bool:
        return after is None or (key < after if self._backwards else key > after)

    def _answers(self, card: Card) -> bool:
        return lets_through(self._sift, card)


class _Figures:
    """A figure of the cards on some shelves, read as far as it is needed; reversed, the smallest are the last."""

    def __init__(self, tx: ReadTx, shelves: Sequence[_Shelf], name: str, *, is_reversed: bool = False) -> None:
        self._tx = tx
        self._shelves = shelves
        self._name = name
        self._is_reversed = is_reversed
        self._stored: dict[int, dict[int, bytes]] = {n: {} for n in range(SIZES[name])}

    async def compare(self, among: int, number: int) -> tuple[int, int]:
        """Of these places those with a smaller number, and those with that number."""
        smaller, same = 0, among
        for n in reversed(range(SIZES[self._name])):
            slices = await self._read(n, same)
            part = number >> 8 * n & 0xFF
            smaller |= below(slices, same, part)
            same = equal_to(slices, same, part)
        return smaller, same

    async def last(self, among: int, count: int) -> tuple[int, int]:
        """Of these places those that are surely the last so many, and those that tie; few of both are not parted."""
        sure, tied = 0, among
        for n in reversed(range(SIZES[self._name])):
            if (sure | tied).bit_count() <= LOOKED:
                break
            slices = await self._read(n, tied)
            more, tied = largest([~bits for bits in slices] if self._is_reversed else slices, tied, count)
            sure, count = sure | more, count - more.bit_count()
        return sure, tied

    async def _read(self, n: int, among: int) -> list[int]:
        """The slices of a byte of the figure, on the shelves that have any of these places."""
        stored = self._stored[n]
        wanted = [shelf.no for shelf, _, _ in _Found(self._shelves, among).pieces() if shelf.no not in stored]
        if wanted:
            table = schema.figures.c
            here = (table.shelf.in_(sorted(wanted)), table.name == figure_name(self._name, n))
            rows = await self._tx.all(select(table.shelf, table.slices).where(*here))
            stored |= dict.fromkeys(wanted, b"") | {row.shelf: row.slices for row in rows}
        return join_figures([stored.get(shelf.no) for shelf in self._shelves])


def _along(shelf: _Shelf | None, after: Key | None, limit: int, *, backwards: bool) -> Select[Any]:
    """The next cards by title after a place, of one shelf or of all."""
    table = schema.cards.c
    place = tuple_(table.title, table.subject)
    first, end = (shelf.first, shelf.end) if shelf else (("", b""), None)
    statement = select(schema.cards).limit(limit)
    if backwards:
        ends = [key for key in (end, after) if key is not None]
        statement = statement.where(place >= first, *([place < min(ends)] if ends else []))
        return statement.order_by(table.title.desc(), table.subject.desc())
    low = place > after if after is not None and after >= first else place >= first
    return statement.where(low, *([place < end] if end else [])).order_by(table.title, table.subject)


async def _read_shelves(tx: ReadTx) -> list[_Shelf]:
    table = schema.shelves.c
    statement = select(table.no, table.title, table.subject)
    rows = await tx.all(statement.order_by(table.title, table.subject))
    firsts: list[Key] = [(row.title, row.subject) for row in rows]
    ends: list[Key | None] = [*firsts[1:], None]
    return [_Shelf(row.no, first, end) for row, first, end in zip(rows, firsts, ends, strict=False)]


async def _candidates(tx: ReadTx, shelves: Sequence[_Shelf], sift: Sift) -> _Found:
    """The cards on these shelves that may answer a question: condition after condition, until few are left."""
    found = await _narrow(tx, shelves, sift)
    if sift.expires_before is None or found.bits.bit_count() <= LOOKED:
        return found
    figures = _Figures(tx, found.shelves, EXPIRES)
    earlier, _ = await figures.compare(found.bits, sift.expires_before)
    unknown, _ = await figures.compare(earlier, 1)
    return _Found(found.shelves, earlier & ~unknown)


async def _narrow(tx: ReadTx, shelves: Sequence[_Shelf], sift: Sift) -> _Found:
    found: _Found | None = None
    for condition in conditions_of(sift):
        alive = [-1] * len(condition)
        longest = max(len(group) for group in condition)
        # Two marks of a word leave few of the cards, and the others are read for those alone.
        for at in range(0, longest, 2):
            parts = [group[at : at + 2] for group in condition]
            left = [shelf for shelf, _, _ in found.pieces()] if found else shelves
            sets = await _read_marks(tx, shelves, left, sorted({mark for part in parts for mark in part}))
            alive = [reduce(and_, (sets[mark] for mark in part), bits) for part, bits in zip(parts, alive, strict=True)]
            found = _Found(shelves, reduce(or_, alive) & (found.bits if found else -1))
            if found.bits.bit_count() <= LOOKED:
                return found
    if found is not None:
        return found
    table = schema.shelves.c
    here = table.no.in_(sorted(shelf.no for shelf in shelves))
    stored = {row.no: row.slots for row in await tx.all(select(table.no, table.slots).where(here))}
    used = bytearray(len(shelves) * BITS_SIZE)
    for at, shelf in enumerate(shelves):
        put_slots(used, at, stored[shelf.no])
    return _Found(shelves, int.from_bytes(used, "little"))


async def _read_marks(
    tx: ReadTx, shelves: Sequence[_Shelf], left: Sequence[_Shelf], marks: Sequence[str]
) -> dict[str, int]:
    """The sets of these marks over the shelves, as far as they are of those that are left."""
    places = {shelf.no: at for at, shelf in enumerate(shelves)}
    table = schema.marks.c
    here = (table.shelf.in_(sorted(shelf.no for shelf in left)), table.mark.in_(marks))
    sets = {mark: bytearray(len(shelves) * BITS_SIZE) for mark in marks}
    for row in await tx.all(select(table.shelf, table.mark, table.slots).where(*here)):
        put_slots(sets[row.mark], places[row.shelf], row.slots)
    return {mark: int.from_bytes(raw, "little") for mark, raw in sets.items()}
