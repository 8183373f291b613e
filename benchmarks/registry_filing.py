"""What the registry costs a write: filing new cards and changed ones into a million, and the room they take.

Each batch is filed in a transaction of its own that is rolled back, so that the data stay as they were made. Against:
the same cards as rows of one table with the same two indexes.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice

from sqlalchemy import delete, insert

from benchmarks.__main__ import Part
from benchmarks.data import database_url, made, postgres, postgres_store, sqlite_node
from benchmarks.registry_data import make_cards
from benchmarks.registry_search import SIZE
from node.clock import SystemClock
from node.folder import NodeFolder
from node.passport.card import Card
from node.store import schema
from node.store.database import Database, WriteTx
from node.store.filing import file_cards

RUNS = 5
SIZES = (1, 50, 1_000)


class _BackError(Exception):
    """Rolls a transaction back."""


def measure() -> Part:
    """Both engines."""
    known = list(islice(make_cards(SIZE), 0, 2_000))
    fresh = [replace(card, subject=bytes(reversed(card.subject)), title=card.title + "Н") for card in known]
    found = {"SQLite": asyncio.run(_measure(NodeFolder(sqlite_node(SIZE)).url(), known, fresh))}
    name = postgres_store(SIZE)
    with postgres() as server:
        found["PostgreSQL"] = asyncio.run(_measure(database_url(server, name), known, fresh))
    data = {"SQLite": made(f"node-{SIZE}"), "PostgreSQL": made(f"registry_{SIZE}")}
    rows: list[tuple[str, ...]] = [
        (f"{engine}: {what}", *(f"{value:,.0f}" for value in values.values()))
        for engine, figures in found.items()
        for what, values in figures.items()
    ]
    rows += [(f"{e}: bytes a device in all", f"{figures['bytes_per_device']:,.0f}") for e, figures in data.items()]
    heading = ("µs a card, one transaction of", *(f"{size:,}" for size in SIZES))
    return Part(f"filing into {SIZE:,} devices", heading, rows, {"filing_us": found, "data": data})


async def _measure(url: str, known: Sequence[Card], fresh: Sequence[Card]) -> dict[str, dict[str, float]]:
    database = Database(url, SystemClock())
    changed = [replace(card, state="lost", changed_us=card.changed_us + 10**9) for card in known]
    found = {
        "new cards": {str(size): await _timed(database, file_cards, fresh, size) for size in SIZES},
        "changed state": {str(size): await _timed(database, file_cards, changed, size) for size in SIZES},
        "new rows of the table alone": {str(size): await _timed(database, _insert, fresh, size) for size in SIZES},
    }
    await database.close()
    return found


Put = Callable[[WriteTx, Sequence[Card]], Awaitable[None]]


async def _timed(database: Database, put: Put, cards: Sequence[Card], size: int) -> float:
    times: list[float] = []
    for run in range(RUNS):
        with suppress(_BackError):
            async with database.write() as tx:
                begun = time.perf_counter()
                await put(tx, cards[run * size : (run + 1) * size] or cards[:size])
                times.append((time.perf_counter() - begun) / size * 1e6)
                raise _BackError
    return statistics.median(times)


async def _insert(tx: WriteTx, cards: Sequence[Card]) -> None:
    await tx.run(delete(schema.cards).where(schema.cards.c.no < 0))
    rows = [{name: getattr(card, name) for name in Card.__slots__} | {"no": -1 - n} for n, card in enumerate(cards)]
    await tx.run(insert(schema.cards), rows)
