"""Finding cards: the marks of a question are intersected shelf by shelf, and what remains is looked at.

By title the shelves are read from the reader's place on until the page is full. By change the figures of all shelves
say which cards come first. Either way the work is bounded by the number of shelves, not by how many cards a question
lets through nor by how those are spread.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from typing import Any

from sqlalchemy import Select, bindparam, func, select, tuple_

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
    key_of,
    lets_through,
    parse_sift,
)
from node.store import schema
from node.store.candidates import (
    LOOKED,
    Figures,
    Places,
    Shelf,
    count_places,
    find_candidates,
    join_places,
    read_shelves,
    without,
)
from node.store.database import ReadTx
from node.store.filing import CHANGED, card_of_row
from node.store.lists import as_list, is_listed
from node.store.slots import CAPACITY, list_bits, places_of

FIRST_SHELVES = (32, 128)  # so many are read at first, before all that are left
DENSE = 125  # cards of one shelf from which on it is walked in order instead of fetched place by place
WALKED = 256
AT_ONCE = 400

_CARDS = select(schema.cards)
_SIZE_OF_MARKS = select(func.sum(func.length(schema.marks.c.slots))).where(schema.marks.c.shelf == bindparam("no"))
_FIGURES_OF = select(schema.figures.c.slices).where(schema.figures.c.shelf == bindparam("no"))
_KEYS = select(schema.cards.c.no, schema.cards.c.title, schema.cards.c.subject)


@dataclass(frozen=True, slots=True)
class Counts:
    """Cards in all, those to which several ids lead, and how many of each state, kind and type."""

    total: int
    joined: int
    states: dict[str, int]
    kinds: dict[str, int]
    types: dict[str, int]


async def find_card(tx: ReadTx, subject: bytes) -> Card | None:
    """The card of a leading subject."""
    row = await tx.first(select(schema.cards).where(schema.cards.c.subject == subject))
    return None if row is None else card_of_row(row)


async def read_cards(tx: ReadTx, subjects: Iterable[bytes]) -> list[Card]:
    """The cards of those of the subjects that lead."""
    wanted, found = sorted(set(subjects)), list[Card]()
    for at in range(0, len(wanted), AT_ONCE):
        rows = await tx.all(_CARDS.where(schema.cards.c.subject.in_(wanted[at : at + AT_ONCE])))
        found += [card_of_row(row) for row in rows]
    return found


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

    async def find(at: ReadTx) -> list[Card]:
        if sift.is_open and order is Order.TITLE:
            rows = await at.all(_along(_CARDS, None, after.key if after else None, limit, backwards=backwards))
            return [card_of_row(row) for row in rows]
        page = _Page(at, sift, await read_shelves(at), limit, backwards=backwards)
        if order is Order.TITLE:
            await page.read_by_title(after.key if after else None)
        else:
            await page.read_by_change(after)
        return page.cards

    return await tx.at_once(find)


async def read_ahead(tx: ReadTx) -> None:
    """Read what questions are narrowed by, shelf by shelf: the first ones find it in memory, as later ones do."""
    shelves = await tx.at_once(read_shelves)
    for shelf in shelves:
        await tx.at_once(partial(_read_shelf, no=shelf.no))
    for order in Order:
        await find_cards(tx, parse_sift(text="0000000", place="0000000"), order)


async def _read_shelf(tx: ReadTx, no: int) -> None:
    await tx.value(_SIZE_OF_MARKS, no=no)
    await tx.all(_FIGURES_OF, no=no)


async def count_cards(tx: ReadTx) -> Counts:
    """The registry in numbers."""

    async def count(at: ReadTx) -> Counts:
        shelves = {row.no: row.size for row in await at.all(select(schema.shelves.c.no, schema.shelves.c.size))}
        joined = await _count_marks(at, shelves, JOINED)
        states, kinds, types = [await _count_marks(at, shelves, prefix) for prefix in (STATE_IS, KIND_IS, TYPE_IS)]
        return Counts(sum(shelves.values()), joined.get("", 0), states, kinds, types)

    return await tx.at_once(count)


async def _count_marks(tx: ReadTx, shelves: Iterable[int], prefix: str) -> dict[str, int]:
    """How many cards carry each of the marks that begin so."""
    upper = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    listed = as_list(tx.dialect, shelves)
    rows = await tx.all(_sums(tx.dialect), shelves=listed, lower=prefix, upper=upper)
    return {row.mark[len(prefix) :]: int(row.n) for row in rows}


@cache
def _sums(dialect: str) -> Select[Any]:
    table = schema.marks.c
    here = (table.mark >= bindparam("lower"), table.mark < bindparam("upper"))
    listed = is_listed(dialect, table.shelf, "shelves")
    return select(table.mark, func.sum(table.size).label("n")).where(listed, *here).group_by(table.mark)


class _Page:
    """A page that is being filled."""

    def __init__(self, tx: ReadTx, sift: Sift, shelves: Iterable[Shelf], limit: int, *, backwards: bool) -> None:
        self.cards: list[Card] = []
        self._shelves = {shelf.no: shelf for shelf in shelves}
        self._tx = tx
        self._sift = sift
        self._limit = limit
        self._backwards = backwards

    @property
    def _is_full(self) -> bool:
        return len(self.cards) >= self._limit

    async def read_by_title(self, after: Key | None) -> None:
        """Read shelf after shelf from a place on until the page is full."""
        ordered = self._from_place(after)
        for start, end in pairwise((0, *FIRST_SHELVES, len(self._shelves))):
            if (part := ordered[start:end]) and not self._is_full:
                await self._walk(await find_candidates(self._tx, part, self._sift), after)

    async def read_by_change(self, after: Spot | None) -> None:
        """Take the last changed candidates of all shelves, second after second, until the page is full."""
        left = await find_candidates(self._tx, self._from_place(None), self._sift)
        figures = Figures(self._tx, CHANGED, is_reversed=self._backwards)
        if after is not None:
            smaller, same = await figures.part(left, after.second)
            left = without(left, join_places(smaller, same)) if self._backwards else smaller
            await self._walk(same, after.key)
        while left and not self._is_full:
            sure, tied = await figures.last(left, self._limit - len(self.cards))
            both = join_places(sure, tied)
            if count_places(both) <= LOOKED:
                await self._take(both)
            else:
                await self._take(sure)
                if not self._is_full:
                    await self._walk(tied, None)
            left = without(left, both)

    def _from_place(self, after: Key | None) -> list[Shelf]:
        """The shelves that may hold what comes after a place, in the order of reading."""
        shelves = list(self._shelves.values())
        here = None if after is None else max((at for at, s in enumerate(shelves) if s.first <= after), default=0)
        if self._backwards:
            return list(reversed(shelves if here is None else shelves[: here + 1]))
        return list(shelves[here or 0 :])

    async def _take(self, places: Places) -> None:
        """Take candidates that are few, the last changed first."""
        numbers = [number for shelf, bits in places.items() for number in _numbers(shelf, bits)]
        cards = await self._fetch(numbers, None)
        step = -1 if not self._backwards else 1
        cards.sort(key=lambda card: step * (card.changed_us // SECOND_US))
        self._add(cards)

    async def _walk(self, places: Places, after: Key | None) -> None:
        """Take candidates in the order of their shelves and by title on each, after a place."""
        waiting: list[int] = []
        for shelf, bits in places.items():
            count = bits.bit_count()
            if count < DENSE:
                waiting += _numbers(shelf, bits)
                if len(waiting) < DENSE:
                    continue
            self._add(await self._fetch(waiting, after))
            waiting = []
            if count >= DENSE and not self._is_full:
                await self._walk_along(self._shelves[shelf], bits, after)
            if self._is_full:
                return
        self._add(await self._fetch(waiting, after))

    def _add(self, cards: Sequence[Card]) -> None:
        self.cards += cards[: self._limit - len(self.cards)]

    async def _fetch(self, numbers: Sequence[int], after: Key | None) -> list[Card]:
        """Those of the candidates that answer, by title."""
        if not numbers:
            return []
        rows = await self._tx.all(_cards_of(self._tx.dialect), numbers=as_list(self._tx.dialect, numbers))
        cards = map(card_of_row, rows)
        wanted = [card for card in cards if self._is_past(key_of(card), after) and self._answers(card)]
        return sorted(wanted, key=key_of, reverse=self._backwards)

    async def _walk_along(self, shelf: Shelf, bits: int, after: Key | None) -> None:
        """Take candidates of one full shelf: its keys are read by title, and the cards of some of them at a time."""
        step = max(self._limit, DENSE // 2)
        is_candidate = list_bits(bits)
        while True:
            rows = await self._tx.all(_along(_KEYS, shelf, after, WALKED, backwards=self._backwards))
            numbers = [row.no for row in rows if is_candidate[row.no % CAPACITY]]
            for at in range(0, len(numbers), step):
                self._add(await self._fetch(numbers[at : at + step], None))
                if self._is_full:
                    return
            if len(rows) < WALKED:
                return
            after = (rows[-1].title, rows[-1].subject)

    def _is_past(self, key: Key, after: Key | None) -> bool:
        return after is None or (key < after if self._backwards else key > after)

    def _answers(self, card: Card) -> bool:
        return lets_through(self._sift, card)


@cache
def _cards_of(dialect: str) -> Select[Any]:
    return _CARDS.where(is_listed(dialect, schema.cards.c.no, "numbers"))


def _numbers(shelf: int, bits: int) -> list[int]:
    """The numbers of the cards at places of a shelf."""
    return [shelf * CAPACITY + place for place in places_of(bits)]


def _along(what: Select[Any], shelf: Shelf | None, after: Key | None, limit: int, *, backwards: bool) -> Select[Any]:
    """The next cards by title after a place, of one shelf or of all."""
    table = schema.cards.c
    place = tuple_(table.title, table.subject)
    first, end = (shelf.first, shelf.end) if shelf else (("", b""), None)
    statement = what.limit(limit)
    if backwards:
        ends = [key for key in (end, after) if key is not None]
        statement = statement.where(place >= first, *([place < min(ends)] if ends else []))
        return statement.order_by(table.title.desc(), table.subject.desc())
    low = place > after if after is not None and after >= first else place >= first
    return statement.where(low, *([place < end] if end else [])).order_by(table.title, table.subject)
