"""Filing cards: each stands on the shelf of its title, and its marks and figures stand in the sets of that shelf.

A shelf holds 4,096 cards; a full one is cut in two by title. All cards of a transaction are filed at once: what they
share is written once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import bindparam, delete, func, insert, select, tuple_, update

from node.passport.card import Card
from node.passport.sifting import SECOND_US, Key, key_of, marks_of
from node.store import schema
from node.store.database import Record, WriteTx
from node.store.slots import CAPACITY, change_figures, change_slots, decode_slots
from node.store.upserts import insert_all, upsert

CHANGED, EXPIRES, UNRECORDED = "changed", "expires", "unrecorded"
SIZES = {CHANGED: 4, EXPIRES: 2, UNRECORDED: 2}  # bytes of a figure; the largest stands for what is larger
PART = 400  # values of one statement
MANY = 2_000  # cards of one statement's worth of work in memory


def figure_name(name: str, n: int) -> str:
    """What a byte of a figure is stored as, the lowest first."""
    return f"{name}{n}"


FIGURES = [figure_name(name, n) for name, size in SIZES.items() for n in range(size)]

# What each new event runs is built once: building it costs as much as running it.
_TOUCH = (
    update(schema.cards)
    .where(schema.cards.c.subject.in_(bindparam("subjects", expanding=True)))
    .values(changed_us=bindparam("now"))
    .returning(schema.cards)
)
_FIGURES = select(schema.figures.c.name, schema.figures.c.slices).where(schema.figures.c.shelf == bindparam("shelf"))


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where cards stand whose (title, subject) is not below `first`."""

    no: int
    first: Key
    size: int
    slots: bytes


@dataclass(slots=True)
class _Change:
    """What moves in the sets of one shelf."""

    added: dict[str, list[int]] = field(default_factory=dict)
    removed: dict[str, list[int]] = field(default_factory=dict)
    figures: dict[int, Card] = field(default_factory=dict)

    def mark(self, slot: int, before: set[str], after: set[str]) -> None:
        for mark in after - before:
            self.added.setdefault(mark, []).append(slot)
        for mark in before - after:
            self.removed.setdefault(mark, []).append(slot)


async def file_cards(tx: WriteTx, cards: Iterable[Card], gone: Iterable[bytes] = ()) -> None:
    """Put cards in place of those of the same subjects, and take away the cards of subjects that are gone."""
    wanted = {card.subject: card for card in cards}
    subjects = sorted({*wanted, *gone})
    for at in range(0, len(subjects), MANY):
        part = subjects[at : at + MANY]
        await _file(tx, {subject: wanted[subject] for subject in part if subject in wanted}, part)


async def touch_cards(tx: WriteTx, subjects: Sequence[bytes]) -> None:
    """Passports of which nothing else changed were told more about."""
    changes: dict[int, _Change] = {}
    for at in range(0, len(subjects), PART):
        for row in await tx.all(_TOUCH, subjects=subjects[at : at + PART], now=tx.now):
            changes.setdefault(row.no // CAPACITY, _Change()).figures[row.no % CAPACITY] = card_of_row(row)
    for shelf, change in changes.items():
        await _write_figures(tx, shelf, change)


async def clear_registry(tx: WriteTx) -> None:
    """Drop every card; they are made again from the views."""
    for table in schema.REGISTRY:
        await tx.run(delete(table))


def card_of_row(row: Record) -> Card:
    """A card as it is stored."""
    return Card(
        row.subject,
        row.kind,
        row.state,
        row.title,
        row.names,
        row.type,
        row.place,
        row.owner,
        row.owner_name,
        row.expires,
        row.ids,
        row.changed_us,
        row.unrecorded,
    )


async def _file(tx: WriteTx, wanted: dict[bytes, Card], subjects: Sequence[bytes]) -> None:
    changes: dict[int, _Change] = {}
    fresh: list[Card] = []
    leaving: dict[int, list[int]] = {}
    standing: list[tuple[int, Card]] = []
    before = await _read_cards(tx, subjects)
    for subject in subjects:
        after, (no, old) = wanted.get(subject), before.get(subject, (0, None))
        if old is not None and after is not None and old.title == after.title:
            changes.setdefault(no // CAPACITY, _Change()).mark(no % CAPACITY, marks_of(old), marks_of(after))
            changes[no // CAPACITY].figures[no % CAPACITY] = after
            standing.append((no, after))
            continue
        if old is not None:
            changes.setdefault(no // CAPACITY, _Change()).mark(no % CAPACITY, marks_of(old), set())
            leaving.setdefault(no // CAPACITY, []).append(no % CAPACITY)
        if after is not None:
            fresh.append(after)
    await _take_away(tx, leaving)
    await _replace(tx, standing)
    await _write_changes(tx, changes)
    await _place(tx, sorted(fresh, key=key_of))


async def _read_cards(tx: WriteTx, subjects: Sequence[bytes]) -> dict[bytes, tuple[int, Card]]:
    found: dict[bytes, tuple[int, Card]] = {}
    for at in range(0, len(subjects), PART):
        statement = select(schema.cards).where(schema.cards.c.subject.in_(subjects[at : at + PART]))
        found |= {row.subject: (row.no, card_of_row(row)) for row in await tx.all(statement)}
    return found


async def _take_away(tx: WriteTx, leaving: dict[int, list[int]]) -> None:
    for shelf, slots in leaving.items():
        numbers = [shelf * CAPACITY + slot for slot in slots]
        for at in range(0, len(numbers), PART):
            await tx.run(delete(schema.cards).where(schema.cards.c.no.in_(numbers[at : at + PART])))
        row = await tx.first(select(schema.shelves.c.slots).where(schema.shelves.c.no == shelf))
        if row is not None:
            await _set_used(tx, shelf, *change_slots(row.slots, (), slots))


async def _replace(tx: WriteTx, standing: Sequence[tuple[int, Card]]) -> None:
    if standing:
        await upsert(tx, schema.cards, [_row(no, card) for no, card in standing])


async def _place(tx: WriteTx, cards: Sequence[Card]) -> None:
    """Give each card a place on its shelf; `cards` are new and in order of their keys."""
    left = list(cards)
    while left:
        shelf, end = await _shelf_of(tx, key_of(left[0]))
        mine = left if end is None else [card for card in left if key_of(card) < end]
        left = left[len(mine) :]
        await _put(tx, shelf, mine, end)


async def _shelf_of(tx: WriteTx, key: Key) -> tuple[Shelf, Key | None]:
    """The shelf of a key, and the first key of the next shelf."""
    table = schema.shelves.c
    place = tuple_(table.title, table.subject)
    below = select(schema.shelves).where(place <= key).order_by(table.title.desc(), table.subject.desc()).limit(1)
    row = await tx.first(below)
    if row is None:
        shelf = Shelf(0, ("", b""), 0, b"")
        await tx.run(insert(schema.shelves), {"no": 0, "title": "", "subject": b"", "size": 0, "slots": b""})
        return shelf, None
    above = select(table.title, table.subject).where(place > (row.title, row.subject))
    after = await tx.first(above.order_by(table.title, table.subject).limit(1))
    return Shelf(row.no, (row.title, row.subject), row.size, row.slots), (after.title, after.subject) if after else None


async def _put(tx: WriteTx, shelf: Shelf, cards: Sequence[Card], end: Key | None) -> None:
    """Put cards that belong on a shelf there, and on new ones beside it where it is full."""
    if shelf.size + len(cards) <= CAPACITY:
        await _put_free(tx, shelf, cards)
    elif key_of(cards[0]) > await _last_key(tx, end):
        # Numbers that grow fill one shelf after another: nothing is moved.
        room = CAPACITY - shelf.size
        await _put_free(tx, shelf, cards[:room])
        await _put_free(tx, await _open_shelf(tx, key_of(cards[room])), cards[room:])
    else:
        await _cut(tx, shelf)
        await _place(tx, cards)


async def _put_free(tx: WriteTx, shelf: Shelf, cards: Sequence[Card], marks: Sequence[set[str]] | None = None) -> None:
    if not cards:
        return
    used = decode_slots(shelf.slots)
    free = list(islice((slot for slot in range(CAPACITY) if slot not in used), len(cards)))
    change = _Change(figures=dict(zip(free, cards, strict=True)))
    for slot, carried in zip(free, marks or map(marks_of, cards), strict=True):
        change.mark(slot, set(), carried)
    rows = [_row(shelf.no * CAPACITY + slot, card) for slot, card in zip(free, cards, strict=True)]
    await insert_all(tx, schema.cards, rows)
    await _set_used(tx, shelf.no, *change_slots(shelf.slots, free, ()))
    await _write_changes(tx, {shelf.no: change})


async def _cut(tx: WriteTx, shelf: Shelf) -> None:
    """Move the upper half of a full shelf to a new one."""
    here = schema.cards.c.no.between(shelf.no * CAPACITY, (shelf.no + 1) * CAPACITY - 1)
    cards = sorted((card_of_row(row) for row in await tx.all(select(schema.cards).where(here))), key=key_of)
    half = len(cards) // 2
    await tx.run(delete(schema.cards).where(here))
    await tx.run(delete(schema.figures).where(schema.figures.c.name.in_(FIGURES), schema.figures.c.shelf == shelf.no))
    marks = [marks_of(card) for card in cards]
    await _drop_marks(tx, shelf.no, sorted(set().union(*marks)))
    await _put_free(tx, Shelf(shelf.no, shelf.first, 0, b""), cards[:half], marks[:half])
    await _put_free(tx, await _open_shelf(tx, key_of(cards[half])), cards[half:], marks[half:])


async def _drop_marks(tx: WriteTx, shelf: int, marks: Sequence[str]) -> None:
    table = schema.marks.c
    for at in range(0, len(marks), PART):
        await tx.run(delete(schema.marks).where(table.mark.in_(marks[at : at + PART]), table.shelf == shelf))


async def _open_shelf(tx: WriteTx, first: Key) -> Shelf:
    no = (await tx.value(select(func.max(schema.shelves.c.no)))) + 1
    values = {"no": no, "title": first[0], "subject": first[1], "size": 0, "slots": b""}
    await tx.run(insert(schema.shelves), values)
    return Shelf(no, first, 0, b"")


async def _last_key(tx: WriteTx, end: Key | None) -> Key:
    """The last key before the end of a shelf."""
    table = schema.cards.c
    statement = select(table.title, table.subject).order_by(table.title.desc(), table.subject.desc()).limit(1)
    row = await tx.first(statement if end is None else statement.where(tuple_(table.title, table.subject) < end))
    return (row.title, row.subject) if row else ("", b"")


async def _set_used(tx: WriteTx, shelf: int, slots: bytes, size: int) -> None:
    await tx.run(update(schema.shelves).where(schema.shelves.c.no == shelf).values(slots=slots, size=size))


async def _write_changes(tx: WriteTx, changes: dict[int, _Change]) -> None:
    for shelf, change in changes.items():
        await _write_marks(tx, shelf, change)
        await _write_figures(tx, shelf, change)


async def _write_marks(tx: WriteTx, shelf: int, change: _Change) -> None:
    table = schema.marks.c
    names = sorted(change.added.keys() | change.removed.keys())
    stored: dict[str, bytes] = {}
    for at in range(0, len(names), PART):
        statement = select(table.mark, table.slots).where(table.mark.in_(names[at : at + PART]), table.shelf == shelf)
        stored |= {row.mark: row.slots for row in await tx.all(statement)}
    rows: list[dict[str, object]] = []
    empty: list[str] = []
    for mark in names:
        slots, size = change_slots(stored.get(mark, b""), change.added.get(mark, ()), change.removed.get(mark, ()))
        if size:
            rows.append({"mark": mark, "shelf": shelf, "size": size, "slots": slots})
        else:
            empty.append(mark)
    await upsert(tx, schema.marks, rows)
    await _drop_marks(tx, shelf, empty)


async def _write_figures(tx: WriteTx, shelf: int, change: _Change) -> None:
    if not change.figures:
        return
    stored = {row.name: row.slices for row in await tx.all(_FIGURES, shelf=shelf)}
    rows: list[dict[str, object]] = []
    for name, size in SIZES.items():
        for n in range(size):
            numbers = [(slot, _figure(name, card) >> 8 * n & 0xFF) for slot, card in change.figures.items()]
            before = stored.get(figure_name(name, n), b"")
            if not before and not any(number for _, number in numbers):
                continue
            if (slices := change_figures(before, numbers)) != before:
                rows.append({"name": figure_name(name, n), "shelf": shelf, "slices": slices})
    await upsert(tx, schema.figures, rows)


def _figure(name: str, card: Card) -> int:
    number = {CHANGED: card.changed_us // SECOND_US, EXPIRES: card.expires, UNRECORDED: card.unrecorded}[name]
    return min(max(number, 0), (1 << 8 * SIZES[name]) - 1)


def _row(no: int, card: Card) -> dict[str, object]:
    return {
        "no": no,
        "subject": card.subject,
        "kind": card.kind,
        "state": card.state,
        "title": card.title,
        "names": card.names,
        "type": card.type,
        "place": card.place,
        "owner": card.owner,
        "owner_name": card.owner_name,
        "expires": card.expires,
        "unrecorded": card.unrecorded,
        "ids": card.ids,
        "changed_us": card.changed_us,
    }
