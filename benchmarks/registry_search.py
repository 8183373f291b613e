"""Search in a registry of a million devices, on SQLite and PostgreSQL: how long a page of fifty takes.

Each kind of question is asked forty times with other words each, drawn from the devices themselves, through the store's
own function and in a transaction of its own. Against: the same page by `LIKE '%...%'` over the same table, and by
SQLite's FTS5 with trigrams where a text is asked.
"""

import asyncio
import os
import random
import resource
import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from benchmarks.__main__ import Part
from benchmarks.data import COUNT, DATA, database_url, made, postgres, postgres_store, sqlite_node
from benchmarks.registry_data import STREETS, TODAY, make_cards
from node.clock import SystemClock
from node.folder import NodeFolder
from node.passport.card import Card, search_words
from node.passport.sifting import Order, Sift, Spot, parse_sift, spot_of
from node.store.database import Database, ReadTx
from node.store.finding import count_cards, find_cards, read_ahead

SIZE = int(os.environ.get("SIZE", COUNT))
ASKED, ASKED_PEER = 40, 3
PAGE = 50
PROMISED_MS = 50.0
TOGETHER = "all kinds together"
Timings = list[tuple[float, float]]  # by the clock and of the processor, in milliseconds
SAMPLE = 997  # each so many-th device gives words to ask for


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and the place after which the page begins."""

    sift: Sift
    order: Order = Order.TITLE
    after: Spot | None = None


def kinds() -> dict[str, Callable[[Card, random.Random], Asked]]:
    """Each kind of question, about a device and something random."""

    def serial(card: Card) -> str:
        return card.title.rpartition(" ")[2]

    def street(card: Card, source: random.Random) -> str:
        return card.place.split("ул. ")[1].split(",")[0] if card.place else source.choice(STREETS)

    def owner_word(card: Card) -> str:
        return card.owner_name.removeprefix("ООО «").split("-")[0]

    def plain(**asked: object) -> Asked:
        return Asked(parse_sift(**asked))  # type: ignore[arg-type]  # the names stand beside

    def by(order: Order, after: Card | None = None, **asked: object) -> Asked:
        return Asked(parse_sift(**asked), order, spot_of(after, order) if after else None)  # type: ignore[arg-type]  # as above

    return {
        "all, first page": lambda _, __: plain(),
        "all, deep page": lambda c, _: by(Order.TITLE, c),
        "whole serial": lambda c, _: plain(text=serial(c)),
        "title": lambda c, _: plain(text=c.title),
        "DevEUI": lambda c, _: plain(text=next(w for w in c.names.split() if w.startswith("02C0DE"))),
        "beginning of a serial": lambda c, _: plain(text=serial(c)[:6]),
        "middle of a serial": lambda c, _: plain(text=serial(c)[2:7]),
        "end of a serial": lambda c, _: plain(text=serial(c)[-5:]),
        "four digits": lambda _, r: plain(text=f"{r.randrange(10_000):04}"),
        "three digits": lambda _, r: plain(text=f"{r.randrange(1_000):03}"),
        "street and house": lambda c, r: plain(text=f"{street(c, r)} {r.randint(1, 180)}"),
        "ленина 5": lambda _, __: plain(text="ленина 5"),
        "place: street": lambda c, r: plain(place=street(c, r)),
        "place: whole address": lambda c, r: plain(place=c.place or f"Казань {street(c, r)} 7 кв 3"),
        "state": lambda c, _: plain(state=c.state),
        "rare state": lambda _, __: plain(state="rejected"),
        "type": lambda c, _: plain(type_code=c.type),
        "kind: object": lambda _, __: plain(kind="object"),
        "owner by id": lambda c, _: plain(owner=c.owner),
        "owner by a word": lambda c, _: plain(owner=owner_word(c)),
        "expiring": lambda _, r: plain(expires_before=TODAY + r.randint(-900, 900)),
        "several ids": lambda _, __: plain(is_joined=True),
        "state, type": lambda c, _: plain(state=c.state, type_code=c.type),
        "rare state, owner": lambda c, _: plain(state="rejected", owner=c.owner),
        "street, state, type": lambda c, r: plain(place=street(c, r), state="installed", type_code=c.type),
        "owner, state, expiring": lambda c, _: plain(owner=c.owner, state="admitted", expires_before=TODAY),
        "four digits, state, kind": lambda c, _: plain(text=serial(c)[-4:], state=c.state, kind=c.kind),
        "state, deep page": lambda c, _: by(Order.TITLE, c, state="installed"),
        "street, deep page": lambda c, r: by(Order.TITLE, c, place=street(c, r)),
        "no hit: digits": lambda _, r: plain(text=f"9{r.randrange(10**8):08}9"),
        "no hit: common parts": lambda _, __: plain(text="ленинская мирагина"),
        "no hit: two filters": lambda _, __: plain(type_code="t:00", text="меркурий"),
        "changed last": lambda _, __: by(Order.CHANGED),
        "changed last, deep page": lambda c, _: by(Order.CHANGED, c),
        "changed last, state": lambda c, _: by(Order.CHANGED, state=c.state),
        "changed last, type, state": lambda c, _: by(Order.CHANGED, type_code=c.type, state="removed"),
        "changed last, street": lambda c, r: by(Order.CHANGED, place=street(c, r)),
        "changed last, owner, deep page": lambda c, _: by(Order.CHANGED, c, owner=c.owner),
    }


def measure() -> Part:
    """Both engines beside both peers."""
    folder = sqlite_node(SIZE)
    cards = list(islice(make_cards(SIZE), 0, None, max(1, min(SAMPLE, SIZE // 50))))
    path = NodeFolder(folder).url().removeprefix("sqlite+aiosqlite:///")
    figures: dict[str, object] = {"sqlite_data": made(f"node-{SIZE}")}
    ours = asyncio.run(_measure(NodeFolder(folder).url(), cards))
    name = postgres_store(SIZE)
    with postgres() as server:
        theirs = asyncio.run(_measure(database_url(server, name), cards))
    figures["postgresql_data"] = made(f"registry_{SIZE}")
    like, trigrams = _measure_peers(path, cards)
    rows: list[tuple[str, ...]] = []
    for kind in ours:
        figures[kind] = {
            "sqlite_ms": ours[kind],
            "postgresql_ms": theirs[kind],
            "like_ms": like.get(kind),
            "fts5_ms": trigrams.get(kind),
        }
        p50 = ours[kind]["p50"]
        rows.append(
            (
                kind,
                *(f"{value[kind][name]:.1f}" for value in (ours, theirs) for name in ("p50", "p95", "max", "cpu_p95")),
                *(_ratio(peer.get(kind), p50) for peer in (like, trigrams)),
            )
        )
    figures["worst_p95_ms"] = {
        "sqlite": max(value["p95"] for value in ours.values()),
        "postgresql": max(value["p95"] for value in theirs.values()),
        "promised": PROMISED_MS,
    }
    figures["memory_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    heading = ("question", "SQLite p50", "p95", "max", "CPU", "PostgreSQL p50", "p95", "max", "CPU", "LIKE", "FTS5")
    return Part(f"search, {SIZE:,} devices, ms a page of {PAGE}; peers as times our SQLite p50", heading, rows, figures)


async def _measure(url: str, cards: Sequence[Card]) -> dict[str, dict[str, float]]:
    database = Database(url, SystemClock())
    await database.read_ahead(read_ahead)  # as a node does when it starts
    found: dict[str, Timings] = {}
    for kind, make in kinds().items():
        asked = list(_questions(make, cards, ASKED))
        found[kind] = await _timings(database, [partial(_page_of, one) for one in asked])
    found[TOGETHER] = [one for timings in found.values() for one in timings]
    found["counts"] = await _timings(database, [count_cards] * ASKED)
    await database.close()
    return {kind: _figures(timings) for kind, timings in found.items()}


async def _page_of(asked: Asked, tx: ReadTx) -> object:
    return await find_cards(tx, asked.sift, asked.order, asked.after, PAGE)


async def _timings(database: Database, asks: Sequence[Callable[[ReadTx], Awaitable[object]]]) -> Timings:
    """How long each takes in milliseconds, and how much of it this process worked: the rest is waiting for a turn."""
    timings: Timings = []
    for ask in asks:
        begun, began = time.perf_counter(), time.process_time()
        async with database.read() as tx:
            await ask(tx)
        timings.append(((time.perf_counter() - begun) * 1e3, (time.process_time() - began) * 1e3))
    return timings


def _figures(timings: Timings) -> dict[str, float]:
    return _spread([took for took, _ in timings]) | {"cpu_p95": _spread([worked for _, worked in timings])["p95"]}


def _questions(make: Callable[[Card, random.Random], Asked], cards: Sequence[Card], count: int) -> Iterator[Asked]:
    source = random.Random(7)
    for card in source.choices(cards, k=count):
        yield make(card, source)


def _spread(times: Sequence[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {"p50": statistics.median(ordered), "p95": ordered[int(len(ordered) * 0.95) - 1], "max": ordered[-1]}


def _ratio(theirs: float | None, ours: float) -> str:
    return "" if theirs is None else f"{theirs / ours:.1f}"


def _measure_peers(path: str, cards: Sequence[Card]) -> tuple[dict[str, float], dict[str, float]]:
    """Medians in milliseconds: LIKE over the same table, and trigrams of FTS5 beside it."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    connection.execute("PRAGMA cache_size=-32000")
    if not _make_trigrams(path):
        connection.close()
        return {}, {}
    connection.execute("ATTACH ? AS peer", (f"file:{DATA / 'peers.sqlite'}?mode=ro",))
    like: dict[str, float] = {}
    trigrams: dict[str, float] = {}
    for kind, make in kinds().items():
        asked = list(_questions(make, cards, ASKED_PEER))
        like[kind] = statistics.median(_timed(connection, *_like(one)) for one in asked)
        if any(len(word) > 2 for word in asked[0].sift.text + asked[0].sift.place):
            trigrams[kind] = statistics.median(_timed(connection, *_fts(one)) for one in asked)
    connection.close()
    return like, trigrams


def _timed(connection: sqlite3.Connection, statement: str, values: Sequence[object]) -> float:
    begun = time.perf_counter()
    connection.execute(statement, values).fetchall()
    return (time.perf_counter() - begun) * 1e3


def _like(asked: Asked, only: str = "") -> tuple[str, list[object]]:
    # Columns of both tables are told apart by t; the table of texts is joined by its key.
    where, values = _plain(asked)
    for word in () if only else asked.sift.text:
        where.append("(names LIKE ? OR t.place LIKE ? OR t.holder LIKE ?)")
        values += [f"%{word}%"] * 3
    for word in () if only else asked.sift.place:
        where.append("t.place LIKE ?")
        values.append(f"%{word}%")
    return _page(asked, [only, *where] if only else where, values)


def _fts(asked: Asked) -> tuple[str, list[object]]:
    words = " ".join(f'"{word}"' for word in (*asked.sift.text, *asked.sift.place) if len(word) > 2)
    statement, values = _like(asked, "no IN (SELECT rowid FROM peer.words WHERE words MATCH ?)")
    return statement, [words, *values]


def _plain(asked: Asked) -> tuple[list[str], list[object]]:
    sift = asked.sift
    where: list[str] = []
    values: list[object] = []
    for column, value in (("kind", sift.kind), ("state", sift.state), ("type", sift.type), ("owner", sift.owner)):
        if value is not None:
            where.append(f"{column} = ?")
            values.append(value)
    for word in sift.owner_words:
        where.append("t.holder LIKE ?")
        values.append(f"%{word}%")
    if sift.expires_before is not None:
        where.append("expires BETWEEN 1 AND ?")
        values.append(sift.expires_before - 1)
    if sift.is_joined:
        where.append("ids > 1")
    return where, values


def _page(asked: Asked, where: list[str], values: list[object]) -> tuple[str, list[object]]:
    order = "title, subject"
    if asked.order is Order.CHANGED:
        order = "changed_us DESC, subject"
        if asked.after is not None:
            where = [*where, "changed_us < ?"]
            values = [*values, asked.after.second * 1_000_000]
    elif asked.after is not None:
        where = [*where, "(title, subject) > (?, ?)"]
        values = [*values, asked.after.title, asked.after.subject]
    condition = f"WHERE {' AND '.join(where)}" if where else ""
    return f"SELECT c.* FROM cards c JOIN peer.texts t USING (no) {condition} ORDER BY {order} LIMIT {PAGE}", values  # noqa: S608 - our own columns


def _make_trigrams(path: str) -> bool:
    """The peers' tables, kept beside the data: the texts in the spelling of search, and an index of their trigrams.

    False where this SQLite has no trigrams.
    """
    target = DATA / "peers.sqlite"
    if target.exists() and target.stat().st_mtime > Path(path).stat().st_mtime:
        return True
    target.unlink(missing_ok=True)
    connection = sqlite3.connect(target)
    connection.create_function("folded", 1, lambda said: " ".join(search_words(said)), deterministic=True)
    connection.execute("ATTACH ? AS node", (path,))
    begun = time.perf_counter()
    try:
        connection.execute("CREATE VIRTUAL TABLE words USING fts5(said, tokenize='trigram', content='')")
    except sqlite3.OperationalError:
        return False
    connection.execute("CREATE TABLE texts (no INTEGER PRIMARY KEY, place TEXT, holder TEXT)")
    connection.execute("INSERT INTO texts SELECT no, folded(place), folded(owner_name) FROM node.cards")
    rows = "SELECT no, names || ' ' || t.place || ' ' || t.holder FROM node.cards JOIN texts t USING (no)"
    connection.execute(f"INSERT INTO words(rowid, said) {rows}")
    connection.commit()
    connection.close()
    print(f"  peers: {target.stat().st_size / 2**20:,.0f} MiB, {time.perf_counter() - begun:.0f} s", flush=True)
    return True
