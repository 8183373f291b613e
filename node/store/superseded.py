"""Readings that another version of a driver replaced: kept as they were, beside those that stand now."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any  # Any: the columns of a row

from sqlalchemy import delete, select, tuple_

from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
from node.store.fragments import subject64
from node.store.readings import CHUNK, SECOND_VALUE, UNCERTAIN, StoredReading, insert_readings, reading_of, row_of
from node.store.upserts import insert_all

KEY = ("subject64", "series", "month", "effective_us", "n")
_COLUMNS = [column.name for column in schema.readings.columns]


@dataclass(frozen=True, slots=True)
class SupersededReading:
    """A reading that stood once, when it was replaced, and by the hash of which driver."""

    reading: StoredReading
    superseded_us: int
    superseded_by: bytes


async def replace_readings(
    tx: WriteTx, subject: bytes, frames: Mapping[int, bytes], readings: Sequence[StoredReading]
) -> int:
    """Put readings in the place of those of some frames, each with the hash of the driver that read it anew.

    Answer how many were replaced.
    What is replaced is kept as superseded. A second value that loses the first is the first, and no second any more.
    """
    old = [row for row in await _rows_of(tx, subject) if row["frame_id"] in frames]
    if old:
        rows = [{**row, "superseded_us": tx.now, "superseded_by": frames[row["frame_id"]]} for row in old]
        await insert_all(tx, schema.superseded_readings, rows)
        await _drop(tx, old)
        await _number_again(tx, {(row["series"], row["month"], row["effective_us"]) for row in old}, subject)
    if readings:
        await insert_readings(tx, readings)
    return len(old)


async def find_rows(tx: ReadTx, subject: bytes, frames: Collection[int]) -> dict[int, list[StoredReading]]:
    """The readings of a subject that came of some frames, by frame."""
    found: dict[int, list[StoredReading]] = {}
    for row in await _rows_of(tx, subject):
        if row["frame_id"] in frames:
            found.setdefault(row["frame_id"], []).append(_reading(row))
    return found


async def read_superseded(
    tx: ReadTx, subject: bytes, since_us: int, until_us: int, limit: int, before: int = 0
) -> list[tuple[int, SupersededReading]]:
    """What was replaced of a subject with since <= effective time < until, newest replaced first, each with its number;
    `before` is the number to go on from.
    """
    table = schema.superseded_readings
    statement = select(table).where(
        table.c.subject64 == subject64(subject),
        table.c.subject == subject,
        table.c.effective_us >= since_us,
        table.c.effective_us < until_us,
    )
    if before:
        statement = statement.where(table.c.id < before)
    rows = await tx.all(statement.order_by(table.c.id.desc()).limit(limit))
    return [(row.id, SupersededReading(_reading(row), row.superseded_us, row.superseded_by)) for row in rows]


async def _rows_of(tx: ReadTx, subject: bytes) -> Iterable[dict[str, Any]]:
    table = schema.readings
    statement = select(table).where(table.c.subject64 == subject64(subject), table.c.subject == subject)
    return [dict(zip(_COLUMNS, tuple(row), strict=True)) for row in await tx.all(statement)]


async def _drop(tx: WriteTx, rows: Sequence[dict[str, Any]]) -> None:
    table = schema.readings
    key = tuple_(*(table.c[name] for name in KEY))
    for at in range(0, len(rows), CHUNK):
        await tx.run(delete(table).where(key.in_([tuple(row[name] for name in KEY) for row in rows[at : at + CHUNK]])))


async def _number_again(tx: WriteTx, places: set[tuple[str, int, int]], subject: bytes) -> None:
    """Let the values that are left under some keys be numbered from 0 on."""
    table, ordered = schema.readings, sorted(places)
    key = tuple_(table.c.series, table.c.month, table.c.effective_us)
    left: dict[tuple[str, int, int], list[dict[str, Any]]] = {}
    for at in range(0, len(ordered), CHUNK):
        statement = select(table).where(
            table.c.subject64 == subject64(subject), key.in_(ordered[at : at + CHUNK]), table.c.subject == subject
        )
        for row in await tx.all(statement.order_by(table.c.n)):
            one = dict(zip(_COLUMNS, tuple(row), strict=True))
            left.setdefault((one["series"], one["month"], one["effective_us"]), []).append(one)
    moved = [row for rows in left.values() if [row["n"] for row in rows] != list(range(len(rows))) for row in rows]
    if not moved:
        return
    await _drop(tx, moved)
    numbers: dict[tuple[str, int, int], int] = {}
    rows: list[dict[str, object]] = []
    for one in moved:
        place = one["series"], one["month"], one["effective_us"]
        number = numbers[place] = numbers.get(place, -1) + 1
        reading = replace(_reading(one), n=number)
        rows.append(row_of(_first(reading) if number == 0 else reading))
    await insert_all(tx, table, rows)


def _first(reading: StoredReading) -> StoredReading:
    """A second value that is the first one now."""
    reasons = tuple(reason for reason in reading.reasons if reason[0] != SECOND_VALUE)
    is_sound = reading.status == UNCERTAIN and not reasons
    return replace(reading, reasons=reasons, status="ok" if is_sound else reading.status)


def _reading(row: Record | dict[str, Any]) -> StoredReading:
    found = row if isinstance(row, dict) else row._mapping
    return reading_of([found[name] for name in _COLUMNS])
