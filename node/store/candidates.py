"""Candidates: the places on each shelf that may answer a question, narrowed mark by mark and by figures.

A shelf on which nothing is left is asked no more, so a rare word makes all that follows it cheap.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select

from node.passport.sifting import Condition, Key, Sift, conditions_of
from node.store import schema
from node.store.database import ReadTx
from node.store.filing import EXPIRES, SIZES, UNRECORDED, figure_name
from node.store.lists import as_list, is_listed
from node.store.slots import CAPACITY, SLICES, common_bits, part_figures, read_bits, read_slice

LOOKED = 200  # so few candidates are looked at without asking for more marks
EVERY = (1 << CAPACITY) - 1
FIRST, NEXT = 3, 2  # marks of a word that are read together, at first and from then on

# Places by shelf, a bit for each; a shelf without any is left out. The order is that of reading.
Places = dict[int, int]


@dataclass(frozen=True, slots=True)
class Shelf:
    """A shelf that holds keys from `first` to before `end`."""

    no: int
    first: Key
    end: Key | None


async def read_shelves(tx: ReadTx) -> list[Shelf]:
    """Every shelf by title."""
    rows = await tx.all(_SHELVES)
    firsts: list[Key] = [(row.title, row.subject) for row in rows]
    ends: list[Key | None] = [*firsts[1:], None]
    return [Shelf(row.no, first, end) for row, first, end in zip(rows, firsts, ends, strict=False)]


def count_places(places: Places) -> int:
    """How many there are on all shelves."""
    return sum(bits.bit_count() for bits in places.values())


def join_places(one: Places, other: Places) -> Places:
    """The places of both."""
    return one | {shelf: bits | one.get(shelf, 0) for shelf, bits in other.items()}


def without(places: Places, gone: Places) -> Places:
    """The places that are not among the others."""
    return {shelf: left for shelf, bits in places.items() if (left := bits & ~gone.get(shelf, 0))}


async def find_candidates(tx: ReadTx, shelves: Sequence[Shelf], sift: Sift) -> Places:
    """The cards on these shelves that may answer a question: condition after condition, until few are left."""
    numbers = [shelf.no for shelf in shelves]
    conditions = conditions_of(sift)
    found: Places = dict.fromkeys(numbers, EVERY) if conditions else await _read_used(tx, numbers)
    for condition in conditions:
        found = await _narrow(tx, found, condition)
        if count_places(found) <= LOOKED:
            return found
    for name, before in ((EXPIRES, sift.expires_before), (UNRECORDED, sift.unrecorded_before)):
        if before is not None:
            figures = Figures(tx, name)
            earlier, _ = await figures.part(found, before)
            unknown, _ = await figures.part(earlier, 1)
            found = without(earlier, unknown)
    return found


class Figures:
    """A figure of the cards on some shelves, read as far as it is needed; reversed, the smallest are the last."""

    def __init__(self, tx: ReadTx, name: str, *, is_reversed: bool = False) -> None:
        self._tx = tx
        self._name = name
        self._is_reversed = is_reversed
        self._stored: dict[int, dict[int, bytes]] = {n: {} for n in range(SIZES[name])}

    async def part(self, among: Places, number: int) -> tuple[Places, Places]:
        """Of these places those with a smaller number, and those with that number."""
        smaller: Places = {}
        same = among
        for n in reversed(range(SIZES[self._name])):
            stored = await self._read(n, same)
            parted = {no: part_figures(stored[no], bits, number >> 8 * n & 0xFF) for no, bits in same.items()}
            smaller = join_places(smaller, {no: bits for no, (bits, _) in parted.items() if bits})
            same = {no: bits for no, (_, bits) in parted.items() if bits}
        # In the order in which the shelves were asked for.
        return {no: smaller[no] for no in among if no in smaller}, same

    async def last(self, among: Places, count: int) -> tuple[Places, Places]:
        """Of these places those that are surely the last so many, and those that tie; few of both are not parted.

        The first are fewer than `count`; with the ties they are at least as many, where so many are there.
        """
        sure: Places = {}
        flip = EVERY if self._is_reversed else 0
        tied, waiting, left = among, count_places(among), count
        for n in reversed(range(SIZES[self._name])):
            if count - left + waiting <= LOOKED:
                break
            stored = await self._read(n, tied)
            for bit in reversed(range(SLICES)):
                high = {
                    no: found for no, bits in tied.items() if (found := bits & (read_slice(stored[no], bit) ^ flip))
                }
                if (number := count_places(high)) >= left:
                    tied, waiting = high, number
                else:
                    sure, tied = join_places(sure, high), without(tied, high)
                    waiting, left = waiting - number, left - number
        return sure, tied

    async def _read(self, n: int, among: Iterable[int]) -> Mapping[int, bytes]:
        """A byte of the figure on shelves; nothing is stored where it is 0 for all of their cards."""
        stored = self._stored[n]
        if wanted := set(among) - stored.keys():
            listed = as_list(self._tx.dialect, wanted)
            rows = await self._tx.all(_figures(self._tx.dialect), shelves=listed, figure=figure_name(self._name, n))
            stored |= dict.fromkeys(wanted, b"") | {row.shelf: row.slices for row in rows}
        return stored


async def _read_used(tx: ReadTx, shelves: Sequence[int]) -> Places:
    rows = await tx.all(_used(tx.dialect), shelves=as_list(tx.dialect, shelves))
    used = {row.no: read_bits(row.slots) for row in rows}
    return {no: used[no] for no in shelves if used[no]}


async def _narrow(tx: ReadTx, among: Places, condition: Condition) -> Places:
    """Of these places those that carry all marks of one of the groups, or few of which that is not known."""
    groups = [(group, among) for group in condition]
    # Where several fields may have the word, the first mark tells which has it, and where others are worth reading.
    found, at, step = among, 0, 1 if len(groups) > 1 else FIRST
    while any(len(group) > at for group, _ in groups):
        asked = {no for group, places in groups if len(group) > at for no in places}
        wanted = sorted({mark for group, _ in groups for mark in group[at : at + step]})
        sets = await _read_marks(tx, asked, wanted)
        groups = [(group, _carrying(sets, places, group[at : at + step])) for group, places in groups]
        groups = [(group, places) for group, places in groups if places]
        held: Places = {}
        for _, places in groups:
            held = join_places(held, places)
        found = {no: held[no] for no in among if no in held}
        if count_places(found) <= LOOKED:
            break
        at, step = at + step, NEXT
    return found


def _carrying(sets: Mapping[int, Mapping[str, bytes]], places: Places, marks: Sequence[str]) -> Places:
    """Of these places those that carry all of some marks."""
    if not marks:
        return places
    found: Places = {}
    for no, bits in places.items():
        here = sets.get(no, {})
        held = [here[mark] for mark in marks if mark in here]
        if len(held) == len(marks) and (left := bits & common_bits(held)):
            found[no] = left
    return found


async def _read_marks(tx: ReadTx, shelves: Iterable[int], marks: Sequence[str]) -> dict[int, dict[str, bytes]]:
    """The sets of these marks, by shelf."""
    sets: dict[int, dict[str, bytes]] = {}
    rows = await tx.all(_marks(tx.dialect), shelves=as_list(tx.dialect, shelves), marks=marks)
    for shelf, mark, slots in rows:  # type: ignore[misc]  # the columns that are selected
        sets.setdefault(shelf, {})[mark] = slots
    return sets


# Built once: building a statement costs as much as running it.
_SHELVES = select(schema.shelves.c.no, schema.shelves.c.title, schema.shelves.c.subject).order_by(
    schema.shelves.c.title, schema.shelves.c.subject
)


@cache
def _used(dialect: str) -> Select[Any]:
    table = schema.shelves.c
    return select(table.no, table.slots).where(is_listed(dialect, table.no, "shelves"))


@cache
def _marks(dialect: str) -> Select[Any]:
    table = schema.marks.c
    marks = table.mark.in_(bindparam("marks", expanding=True))
    return select(table.shelf, table.mark, table.slots).where(is_listed(dialect, table.shelf, "shelves"), marks)


@cache
def _figures(dialect: str) -> Select[Any]:
    table = schema.figures.c
    here = (is_listed(dialect, table.shelf, "shelves"), table.name == bindparam("figure"))
    return select(table.shelf, table.slices).where(*here)
