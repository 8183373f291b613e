"""The registry that is searched: what is found is what looking at every card finds, and lists hold each card once."""

import random
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.registry_data import STATES, make_cards, owners
from node.passport.card import Card
from node.passport.sifting import (
    SECOND_US,
    Order,
    Sift,
    Spot,
    conditions_of,
    key_of,
    lets_through,
    marks_of,
    parse_sift,
    spot_of,
)
from node.store import schema
from node.store.database import Database, ReadTx
from node.store.filing import clear_registry, file_cards
from node.store.finding import count_cards, find_card, find_cards
from node.store.migrate import upgrade
from node.store.slots import CAPACITY, decode_slots
from tests.fakes import FakeClock

COUNT = 4_500  # more than one shelf holds
BATCH = 900
DAY = 20_454  # 2026-01-01


def questions(cards: Sequence[Card], seed: int) -> list[Sift]:
    """One of each kind, about cards that are there and about nothing."""
    source = random.Random(seed)
    one, other = source.sample([card for card in cards if card.place], 2)
    serial, street = one.title.split("№ ")[1], one.place.split("ул. ")[1].split(",")[0]
    eui = next(word for word in one.names.split() if word.startswith("02C0DE"))
    return [
        Sift(),
        parse_sift(serial),
        parse_sift(one.title.lower()),
        *(parse_sift(serial[at : at + size]) for at, size in ((0, 5), (2, 4), (3, 5), (4, 3))),
        parse_sift(eui[3:9]),
        parse_sift(f"{street} {source.randint(1, 60)}"),
        parse_sift(street.replace("е", "ё")),
        parse_sift(place=street, state=other.state),
        parse_sift(place=f"{street} 5", type_code=one.type),
        parse_sift(state=source.choice(STATES)),
        parse_sift(kind="object"),
        parse_sift(kind="device", state="installed", type_code=other.type),
        parse_sift(owner=other.owner),
        parse_sift(owner=one.owner_name.split("»")[0], state="removed"),
        parse_sift(expires_before=DAY),
        parse_sift(unrecorded_before=DAY + 90),
        parse_sift(unrecorded_before=DAY + 300, expires_before=DAY + 400),
        parse_sift(expires_before=DAY + 300, state="admitted", type_code=one.type),
        parse_sift(is_joined=True),
        parse_sift("000"),
        parse_sift("1"),
        parse_sift("нигде такого нет"),
        parse_sift(place=other.title),
        parse_sift(state="nowhere"),
    ]


def naive(cards: Sequence[Card], sift: Sift, order: Order) -> list[Card]:
    """Every card looked at."""
    found = sorted((card for card in cards if lets_through(sift, card)), key=key_of)
    return sorted(found, key=lambda c: -(c.changed_us // SECOND_US)) if order is Order.CHANGED else found


async def every_page(tx: ReadTx, sift: Sift, order: Order, limit: int, *, backwards: bool = False) -> list[Card]:
    """All pages of a list, one after another."""
    found: list[Card] = []
    spot: Spot | None = None
    while page := await find_cards(tx, sift, order, spot, limit, backwards=backwards):
        found += page
        spot = spot_of(page[-1], order)
    return found


async def fill(database: Database, cards: Sequence[Card]) -> None:
    """File cards a batch at a time, as imports do."""
    for at in range(0, len(cards), BATCH):
        async with database.write() as tx:
            await file_cards(tx, cards[at : at + BATCH])


def crowded(seed: int) -> list[Card]:
    """Cards in no order, some of them without a title and many of one second."""
    source = random.Random(seed)
    cards = [
        replace(
            card,
            title="" if n % 97 == 0 else card.title,
            changed_us=card.changed_us if n % 3 else SECOND_US,
            unrecorded=DAY + n % 500 if n % 7 == 0 else 0,
        )
        for n, card in enumerate(make_cards(COUNT, seed))
    ]
    source.shuffle(cards)
    return cards


async def test_search_finds_what_looking_at_every_card_finds(database: Database) -> None:
    """For each kind of question, in both orders and both directions, pages hold the cards that it lets through."""
    cards = crowded(3)
    await fill(database, cards)
    # Some move, some change, some go.
    source = random.Random(4)
    changed = [
        replace(
            card, title=f"Я{card.title}" if n % 2 else card.title, state="lost", changed_us=card.changed_us + SECOND_US
        )
        for n, card in enumerate(source.sample(cards, 300))
    ]
    gone = {card.subject for card in source.sample(cards, 300)}
    left = {card.subject: card for card in (*cards, *changed) if card.subject not in gone}
    async with database.write() as tx:
        await file_cards(tx, [card for card in changed if card.subject not in gone], gone)
    now = list(left.values())

    async with database.read() as tx:
        for sift in questions(now, 5):
            for order in Order:
                wanted = naive(now, sift, order)
                step = 40 if len(wanted) < 200 else 700
                assert await every_page(tx, sift, order, step) == wanted, sift
                assert await every_page(tx, sift, order, step, backwards=True) == wanted[::-1], sift
        counts = await count_cards(tx)
        assert (counts.total, counts.joined) == (len(now), sum(card.ids > 1 for card in now))
        assert counts.states == {code: n for code in {c.state for c in now} if (n := sum(c.state == code for c in now))}
        assert sum(counts.kinds.values()) == sum(counts.types.values()) == len(now)


async def test_sets_of_every_shelf_are_those_of_its_cards(database: Database) -> None:
    """After cards came, were cut onto more shelves, changed and went, marks hold no place too many and none too few."""
    cards = crowded(7)
    await fill(database, cards)
    async with database.write() as tx:
        await file_cards(tx, [replace(card, state="found") for card in cards[::5]], [c.subject for c in cards[::7]])

    async with database.read() as tx:
        rows = await tx.all(select(schema.cards))
        stored = {(row.shelf, row.mark): row.slots for row in await tx.all(select(schema.marks))}
        used = {row.no: decode_slots(row.slots) for row in await tx.all(select(schema.shelves))}
        wanted: dict[tuple[int, str], set[int]] = {}
        for row in rows:
            card = await find_card(tx, row.subject) if row.no % 997 == 0 else None
            assert card is None or card.title == row.title
            for mark in marks_of(_card(row)):
                wanted.setdefault((row.no // CAPACITY, mark), set()).add(row.no % CAPACITY)
        assert {key: decode_slots(raw) for key, raw in stored.items()} == wanted
        assert {shelf: {row.no % CAPACITY for row in rows if row.no // CAPACITY == shelf} for shelf in used} == used
        assert len(used) > 1


def _card(row: object) -> Card:
    return Card(**{name: getattr(row, name) for name in Card.__slots__})


@pytest.mark.parametrize("order", Order)
async def test_pages_give_each_card_once_while_others_come(database: Database, order: Order) -> None:
    """Cards that stand all the while come once each, in order, however many are filed between two pages."""
    cards = list(make_cards(2_000, 9))
    await fill(database, cards)
    coming = [replace(card, subject=bytes(reversed(card.subject)), changed_us=card.changed_us // 2) for card in cards]
    random.Random(2).shuffle(coming)

    seen: list[Card] = []
    spot: Spot | None = None
    while True:
        async with database.read() as tx:
            page = await find_cards(tx, parse_sift(state="installed"), order, spot, 40)
        if not page:
            break
        seen += page
        spot = spot_of(page[-1], order)
        async with database.write() as tx:
            await file_cards(tx, [coming.pop() for _ in range(min(100, len(coming)))])

    standing = {card.subject for card in cards}
    assert len(seen) == len({card.subject for card in seen})
    assert [card for card in seen if card.subject in standing] == naive(cards, parse_sift(state="installed"), order)


async def test_reader_sees_one_state_of_the_registry_to_its_end(database: Database) -> None:
    """What is filed and cut onto new shelves while a reader reads is not there for it, on either engine."""
    cards = list(make_cards(CAPACITY - 10, 1))
    await fill(database, cards)

    async with database.read() as reader:
        before = await find_cards(reader, Sift(), limit=CAPACITY * 2)
        await fill(database, [replace(c, subject=bytes(reversed(c.subject))) for c in cards[::3]])
        assert await find_cards(reader, Sift(), limit=CAPACITY * 2) == before

    assert len(before) == len(cards)


async def test_cleared_registry_holds_nothing(database: Database) -> None:
    """A registry that is dropped lists nothing and takes cards again."""
    cards = list(make_cards(300, 1))
    await fill(database, cards)
    async with database.write() as tx:
        await clear_registry(tx)
    async with database.read() as tx:
        assert await find_cards(tx, Sift()) == []
        assert (await count_cards(tx)).total == 0

    await fill(database, cards)
    async with database.read() as tx:
        assert await find_cards(tx, Sift(), limit=1_000) == naive(cards, Sift(), Order.TITLE)


def test_marks_of_a_question_stand_on_every_card_that_it_lets_through() -> None:
    """Marks lose nothing: what a question lets through carries, for each of its conditions, a whole group of marks."""
    cards = list(make_cards(2_000, 11))
    for sift in questions(cards, 12):
        for card in cards:
            carried = marks_of(card)
            held = all(any(carried.issuperset(group) for group in condition) for condition in conditions_of(sift))
            assert held or not lets_through(sift, card)


@pytest.fixture
async def planned(tmp_path: Path) -> AsyncIterator[tuple[Database, list[tuple[str, tuple[object, ...]]]]]:
    """A store with two shelves, and every statement that its readers ran."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'store.sqlite'}", FakeClock())
    await upgrade(database)
    await fill(database, list(make_cards(COUNT, 3)))
    said: list[tuple[str, tuple[object, ...]]] = []

    # Work at once runs on a connection that joins that of the database: every engine is heard.
    def note(_c: object, _cursor: object, statement: str, values: tuple[object, ...], *_: object) -> None:
        said.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    yield database, said
    event.remove(Engine, "before_cursor_execute", note)
    await database.close()


async def test_no_question_scans_a_table(planned: tuple[Database, list[tuple[str, tuple[object, ...]]]]) -> None:
    """SQLite's plan of every statement behind every kind of question is a look-up by key or index.

    Of shelves alone all are read: one for thousands of cards. A list of numbers is read out of one value.
    """
    database, said = planned
    async with database.read() as tx:
        for sift in questions(list(make_cards(COUNT, 3)), 5):
            for order in Order:
                page = await find_cards(tx, sift, order, None, 50)
                for backwards in (False, True) if page else ():
                    await find_cards(tx, sift, order, spot_of(page[-1], order), 50, backwards=backwards)
        await count_cards(tx)
        await find_card(tx, owners(1)[0].org.encode()[:16])
        ran = [item for item in said if item[0].startswith("SELECT")]
        plans: dict[str, str] = {}
        assert isinstance(tx.connection, AsyncConnection)
        for statement, values in ran:
            shape = statement.split("IN (")[0]
            if shape not in plans:
                rows = (await tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)).all()
                plans[shape] = "; ".join(str(row[-1]) for row in rows)

    assert len(plans) > 5
    for shape, plan in plans.items():
        assert "SEARCH" in plan or "shelves" in plan, f"{shape}: {plan}"
        assert "SCAN" not in re.sub("SCAN (shelves|listed)", "", plan), f"{shape}: {plan}"
        assert "TEMP B-TREE FOR ORDER BY" not in plan, f"{shape}: {plan}"
