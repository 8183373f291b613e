"""Readings: what a node takes in from many meters at once, and a year of one of them.

Against: the same rows put into, and read from, the same table with the driver of SQLite alone.
"""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

from benchmarks.__main__ import Measure
from node.clock import SystemClock
from node.store.database import Database
from node.store.migrate import upgrade
from node.store.readings import Series, StoredReading, insert_readings, read_points

DEVICES, EACH, BATCHES = 2_000, 5, 4
YEAR = 8_760
HOUR_US = 3_600_000_000
FIRST_US = 1_760_000_000_000_000
VOLUME = Series(1, "volume")


def _reading(subject: bytes, series: Series, hour: int, run: int) -> StoredReading:
    at = FIRST_US + hour * HOUR_US
    value = Decimal(1_000_000 + 7 * hour + run).scaleb(-4)
    hashes = bytes([run]) * 32
    return StoredReading(
        subject, series, at, value, "m3", "counter", at, at + 5_000_000, "device", "ok", hour + 1, hashes, hashes
    )


def _batch(hour: int, run: int) -> list[StoredReading]:
    """What a page of frames brings: each of many meters tells a value of each of its series."""
    return [
        _reading(device.to_bytes(16, "little"), Series(channel, "volume"), hour, run)
        for device in range(DEVICES)
        for channel in range(EACH)
    ]


def _measured(work: Callable[[Database, Path], Awaitable[float]]) -> float:
    async def measure() -> float:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "node.sqlite"
            database = Database(f"sqlite+aiosqlite:///{path}", SystemClock())
            try:
                await upgrade(database)
                return await work(database, path)
            finally:
                await database.close()

    return asyncio.run(measure())


async def _fill(database: Database, batches: list[list[StoredReading]]) -> float:
    begun = time.perf_counter()
    for batch in batches:
        async with database.write() as tx:
            assert await insert_readings(tx, batch) == len(batch)
    return time.perf_counter() - begun


def ingest(run: int) -> float:
    """Rows a second, each batch of 10,000 in one durable transaction."""

    async def work(database: Database, _path: Path) -> float:
        batches = [_batch(hour, run) for hour in range(BATCHES)]
        return BATCHES * DEVICES * EACH / await _fill(database, batches)

    return _measured(work)


def ingest_alone(run: int) -> float:
    """The same rows as tuples that are made already."""

    async def work(database: Database, path: Path) -> float:
        batches = [_batch(hour, run) for hour in range(BATCHES)]
        await _fill(database, batches)
        with sqlite3.connect(path, isolation_level=None) as plain:
            rows = plain.execute("select * from readings order by effective_us").fetchall()
            plain.execute("pragma synchronous=full")
            plain.execute("delete from readings")
            places = ",".join("?" * len(rows[0]))
            begun = time.perf_counter()
            for at in range(0, len(rows), DEVICES * EACH):
                plain.execute("begin immediate")
                plain.executemany(f"insert into readings values ({places})", rows[at : at + DEVICES * EACH])  # noqa: S608 - no input
                plain.execute("commit")
            return len(rows) / (time.perf_counter() - begun)

    return _measured(work)


def year(run: int) -> float:
    """Milliseconds for a year of hourly values, as a plot takes them."""

    async def work(database: Database, _path: Path) -> float:
        await _fill(database, [[_reading(bytes(16), VOLUME, hour, run) for hour in range(YEAR)]])
        begun = time.perf_counter()
        points = await database.glance(lambda tx: read_points(tx, bytes(16), VOLUME, 0, FIRST_US * 2))
        assert len(points) == YEAR
        return (time.perf_counter() - begun) * 1e3

    return _measured(work)


def year_alone(run: int) -> float:
    """The same columns as rows of the driver."""

    async def work(database: Database, path: Path) -> float:
        await _fill(database, [[_reading(bytes(16), VOLUME, hour, run) for hour in range(YEAR)]])
        with sqlite3.connect(path) as plain:
            begun = time.perf_counter()
            rows = plain.execute("select effective_us, value, scale, unit, status from readings").fetchall()
            assert len(rows) == YEAR
            return (time.perf_counter() - begun) * 1e3

    return _measured(work)


MEASURES = [
    Measure("readings_ingest", "rows/s", "sqlite3 executemany", ingest, ingest_alone),
    Measure("readings_year", "ms", "sqlite3 select", year, year_alone),
]
