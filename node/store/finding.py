"""Finding cards: the marks of a question are intersected shelf by shelf, and what remains is looked at.

By title the shelves are read from the reader's place on until the page is full. By change the figures of all shelves
say which cards come first. Either way the work is bounded by the number of shelves, not by how many cards a question
lets through nor by how those are spread.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select, tuple_

from node.passport.card import Card
from node.passport.sifting import (
    JOINED,
    KIND_IS,
    SECOND_US,
    STATE_IS,
    TYPE_IS,
    Condition,
    Key,
    Order,
    Sift,
    Spot,
    conditions_of,
    is_certain,
    key_of,
    lets_through,
)
from node.store import schema
from node.store.database import ReadTx, Record
from node.store.filing import CHANGED, EXPIRES, WIDTHS, card_of_row
from node.store.slots import BITS_SIZE, CAPACITY, below, equal_to, iterate_bits, join_figures, largest, put_slots

FIRST_SHELVES = 16  # how many are read at first; four times as many each time after
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
    slots: bytes


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
        self._is_certain = is_certain(sift)

    @property
    def _is_full(self) -> bool:
        return len(self.cards) >= self._limit

    async def read_by_title(self, shelves: Sequence[_Shelf], after: Key | None) -> None:
        """Read shelf after shelf from a place on until the page is full."""
        ordered = self._from_place(shelves, after)
        at, size = 0, FIRST_SHELVES
        while at < len(ordered) and not self._is_full:
            found = await _candidates(self._tx, ordered[at : at + size], self._sift)
            await self._walk(found, after)
            at, size = at + size, size * 4

    async def read_by_change(self, shelves: Sequence[_Shelf], after: Spot | None) -> None:
        """Take the last changed candidates of all shelves, second after second, until the page is full."""
        ordered = list(reversed(shelves)) if self._backwards else shelves
        found = await _candidates(self._tx, ordered, self._sift)
        slices = await _read_figures(self._tx, ordered, CHANGED)
        left = found.bits
        if after is not None:
            same = equal_to(slices, left, after.second)
            left = self._past(slices, left, after.second)
            await self._walk(_Found(ordered, same), after.key)
        if self._backwards:
            slices = [~bits for bits in slices]
        while left and not self._is_full:
            sure, tied, _ = largest(slices, left, self._limit - len(self.cards))
            await self._take(_Found(ordered, sure))
            if not self._is_full:
                await self._walk(_Found(ordered, tied), None)
            left &= ~(sure | tied)

    def _past(self, slices: Sequence[int], among: int, second: int) -> int:
        if self._backwards:
            return among & ~below(slices, among, second + 1)
        return below(slices, among, second)

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
        rows: Sequence[Record] = ()
        while not self._is_full:
            rows = await self._tx.all(_along(shelf, after, rows[-1] if rows else None, backwards=self._backwards))
            cards = (card_of_row(row) for row in rows if bits >> row.no % CAPACITY & 1)
            self._add([card for card in cards if self._answers(card)])
            if len(rows) < WALKED:
                return

    def _is_past(self, key: Key, after: Key | None) -> bool:
        return after is None or (key < after if self._backwards else key > after)

    def _answers(self, card: Card) -> bool:
        return self._is_certain or lets_through(self._sift, card)


def _along(shelf: _Shelf, after: Key | None, last: Record | None, *, backwards: bool) -> Select[Any]:
    """The next cards of a shelf by title, after a place and after the last one that was read."""
    table = schema.cards.c
    place = tuple_(table.title, table.subject)
    statement = select(schema.cards).limit(WALKED)
    if last is not None:
        after = (last.title, last.subject)
    if backwards:
        ends = [key for key in (shelf.end, after) if key is not None]
        statement = statement.where(place >= shelf.first, *([place < min(ends)] if ends else []))
        return statement.order_by(table.title.desc(), table.subject.desc())
    low = place > after if after is not None and after >= shelf.first else place >= shelf.first
    statement = statement.where(low, *([place < shelf.end] if shelf.end else []))
    return statement.order_by(table.title, table.subject)


async def _read_shelves(tx: ReadTx) -> list[_Shelf]:
    table = schema.shelves.c
    statement = select(table.no, table.title, table.subject, table.slots)
    rows = await tx.all(statement.order_by(table.title, table.subject))
    firsts: list[Key] = [(row.title, row.subject) for row in rows]
    ends: list[Key | None] = [*firsts[1:], None]
    return [_Shelf(row.no, first, end, row.slots) for row, first, end in zip(rows, firsts, ends, strict=False)]


async def _candidates(tx: ReadTx, shelves: Sequence[_Shelf], sift: Sift) -> _Found:
    """The cards on these shelves that carry the marks of a question and whose figures answer it."""
    size = len(shelves) * BITS_SIZE
    conditions = conditions_of(sift)
    marks = {mark for condition in conditions for group in condition for mark in group}
    bits = await _read_marks(tx, shelves, sorted(marks), size)
    used = bytearray(size)
    for at, shelf in enumerate(shelves):
        put_slots(used, at, shelf.slots)
    found = int.from_bytes(used, "little")
    for condition in conditions:
        found &= _any_group(condition, bits)
    if found and sift.expires_before is not None:
        slices = await _read_figures(tx, shelves, EXPIRES)
        found = below(slices, found, sift.expires_before) & ~below(slices, found, 1)
    return _Found(shelves, found)


def _any_group(condition: Condition, bits: dict[str, int]) -> int:
    found = 0
    for group in condition:
        every = bits.get(group[0], 0)
        for mark in group[1:]:
            every &= bits.get(mark, 0)
        found |= every
    return found


async def _read_marks(tx: ReadTx, shelves: Sequence[_Shelf], marks: Sequence[str], size: int) -> dict[str, int]:
    """The sets of these marks over these shelves."""
    if not marks:
        return {}
    places = {shelf.no: at for at, shelf in enumerate(shelves)}
    table = schema.marks.c
    here = table.shelf.in_(sorted(places))
    statement = select(table.shelf, table.mark, table.slots).where(here, table.mark.in_(marks))
    sets = {mark: bytearray(size) for mark in marks}
    for row in await tx.all(statement):
        put_slots(sets[row.mark], places[row.shelf], row.slots)
    return {mark: int.from_bytes(raw, "little") for mark, raw in sets.items()}


async def _read_figures(tx: ReadTx, shelves: Sequence[_Shelf], name: str) -> list[int]:
    table = schema.figures.c
    here = table.shelf.in_(sorted(shelf.no for shelf in shelves))
    statement = select(table.shelf, table.slices).where(here, table.name == name)
    stored = {row.shelf: row.slices for row in await tx.all(statement)}
    return join_figures(WIDTHS[name], [stored.get(shelf.no) for shelf in shelves])
