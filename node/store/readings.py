"""Readings: what devices said, by series and time. Local, fast, and never a fragment.

A series is `channel/quantity/storage/tariff` of one subject. Values are whole numbers times 10**-scale. A second value
of one key is kept beside the first under the next `n`; one that says the same again is not kept twice.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import select

from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
from node.store.fragments import subject64
from node.store.upserts import insert_all

CHUNK = 400
SECOND_VALUE = "second-value"
OK, UNCERTAIN = "ok", "uncertain"
MAX_INT = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Series:
    """What is observed: channel 0 is the device itself, tariff 0 the total."""

    channel: int
    quantity: str
    storage: str = "current"
    tariff: int = 0

    @property
    def text(self) -> str:
        """As it is stored."""
        return f"{self.channel}/{self.quantity}/{self.storage}/{self.tariff}"


@dataclass(frozen=True, slots=True)
class StoredReading:
    """One value; `reasons` say why it is not ok, each as a code with its parameters."""

    subject: bytes
    series: Series
    effective_us: int
    value: Decimal
    unit: str
    kind: str
    device_us: int | None
    received_us: int
    time_source: str
    status: str
    frame_id: int
    frame_hash: bytes
    driver_hash: bytes
    reasons: tuple[tuple[str, dict[str, str]], ...] = ()
    alarms: tuple[str, ...] = ()
    sequence: int | None = None
    n: int = 0


def fits(value: Decimal) -> bool:
    """Whether a value can be stored exactly."""
    number, _ = _scaled(value)
    return abs(number) <= MAX_INT


async def insert_readings(tx: WriteTx, readings: Sequence[StoredReading]) -> int:
    """Keep readings and answer how many were new; a second value of a key is kept and marked."""
    known = await _known(tx, readings)
    rows: list[dict[str, object]] = []
    for reading in readings:
        held = known.setdefault(_key(reading), [])
        if any((value, unit) == (reading.value, reading.unit) for value, unit in held):
            continue
        rows.append(_row(_second(reading, len(held)) if held else reading))
        held.append((reading.value, reading.unit))
    await insert_all(tx, schema.readings, rows)
    return len(rows)


async def read_series(
    tx: ReadTx,
    subjects: Iterable[bytes],
    quantity: str | None,
    since_us: int,
    until_us: int,
    limit: int | None = None,
) -> list[StoredReading]:
    """The readings of a quantity, or of all, with since <= effective time < until, by series and time.

    At most so many of each series, the oldest.
    """
    found: list[StoredReading] = []
    for subject in sorted(set(subjects)):
        for series in await list_series(tx, subject):
            if quantity in (None, series.quantity):
                found += await _read(tx, subject, series, since_us, until_us, limit)
    return found


async def read_latest(tx: ReadTx, subject: bytes, series: Series, limit: int) -> list[StoredReading]:
    """The latest readings of a series, oldest of them first."""
    table = schema.readings
    statement = select(table).where(
        table.c.subject64 == subject64(subject), table.c.series == series.text, table.c.subject == subject
    )
    ordered = statement.order_by(table.c.month.desc(), table.c.effective_us.desc(), table.c.n.desc()).limit(limit)
    return [_reading(row) for row in reversed(await tx.all(ordered))]


async def list_series(tx: ReadTx, subject: bytes) -> list[Series]:
    """What is observed of a subject."""
    table = schema.readings.c
    found: list[Series] = []
    last = ""
    # One look-up for each series: a DISTINCT would read every row of the subject.
    while True:
        statement = select(table.series).where(table.subject64 == subject64(subject), table.series > last)
        row = await tx.first(statement.order_by(table.series).limit(1))
        if row is None:
            return found
        last = row.series
        found.append(_series(last))


async def find_last(
    tx: ReadTx, subject: bytes, series: Series, before_us: int, status: str | None = OK
) -> StoredReading | None:
    """The latest reading of a series before a time, of one status or of any."""
    table = schema.readings
    statement = select(table).where(
        table.c.subject64 == subject64(subject),
        table.c.series == series.text,
        table.c.month <= month_of(before_us),
        table.c.effective_us < before_us,
        table.c.subject == subject,
    )
    if status is not None:
        statement = statement.where(table.c.status == status)
    row = await tx.first(statement.order_by(table.c.month.desc(), table.c.effective_us.desc()).limit(1))
    return None if row is None else _reading(row)


def month_of(moment_us: int) -> int:
    """The month of a time as year * 100 + month, in UTC."""
    day = datetime.fromtimestamp(moment_us // 1_000_000, UTC)
    return day.year * 100 + day.month


async def _read(
    tx: ReadTx, subject: bytes, series: Series, since_us: int, until_us: int, limit: int | None
) -> list[StoredReading]:
    table = schema.readings
    statement = select(table).where(
        table.c.subject64 == subject64(subject),
        table.c.series == series.text,
        table.c.month >= month_of(since_us),
        table.c.month <= month_of(until_us),
        table.c.effective_us >= since_us,
        table.c.effective_us < until_us,
        table.c.subject == subject,
    )
    rows = await tx.all(statement.order_by(table.c.month, table.c.effective_us, table.c.n).limit(limit))
    return [_reading(row) for row in rows]


_Key = tuple[int, str, int]


def _key(reading: StoredReading) -> _Key:
    return subject64(reading.subject), reading.series.text, reading.effective_us


async def _known(tx: ReadTx, readings: Iterable[StoredReading]) -> dict[_Key, list[tuple[Decimal, str]]]:
    """The values that stand under the keys of these readings."""
    wanted: dict[tuple[int, str], set[int]] = {}
    for reading in readings:
        subject, series, effective_us = _key(reading)
        wanted.setdefault((subject, series), set()).add(effective_us)
    found: dict[_Key, list[tuple[Decimal, str]]] = {}
    table = schema.readings.c
    for (subject, series), times in wanted.items():
        ordered = sorted(times)
        for at in range(0, len(ordered), CHUNK):
            chunk = ordered[at : at + CHUNK]
            statement = select(table.effective_us, table.value, table.scale, table.unit).where(
                table.subject64 == subject,
                table.series == series,
                table.month.in_(sorted({month_of(time) for time in chunk})),
                table.effective_us.in_(chunk),
            )
            for row in await tx.all(statement.order_by(table.n)):
                held = found.setdefault((subject, series, row.effective_us), [])
                held.append((Decimal(row.value).scaleb(-row.scale), row.unit))
    return found


def _second(reading: StoredReading, n: int) -> StoredReading:
    status = UNCERTAIN if reading.status == OK else reading.status
    return replace(reading, n=n, status=status, reasons=(*reading.reasons, (SECOND_VALUE, {})))


def _scaled(value: Decimal) -> tuple[int, int]:
    exponent = value.as_tuple().exponent
    scale = max(0, -exponent) if isinstance(exponent, int) else 0
    return int(value.scaleb(scale)), scale


def _row(reading: StoredReading) -> dict[str, object]:
    value, scale = _scaled(reading.value)
    return {
        "subject64": subject64(reading.subject),
        "series": reading.series.text,
        "month": month_of(reading.effective_us),
        "effective_us": reading.effective_us,
        "n": reading.n,
        "subject": reading.subject,
        "value": value,
        "scale": scale,
        "unit": reading.unit,
        "kind": reading.kind,
        "device_us": reading.device_us,
        "received_us": reading.received_us,
        "time_source": reading.time_source,
        "status": reading.status,
        "reasons": json.dumps(reading.reasons, ensure_ascii=False),
        "alarms": json.dumps(reading.alarms),
        "sequence": reading.sequence,
        "frame_id": reading.frame_id,
        "frame_hash": reading.frame_hash,
        "driver_hash": reading.driver_hash,
    }


def _series(text: str) -> Series:
    channel, quantity, storage, tariff = text.split("/")
    return Series(int(channel), quantity, storage, int(tariff))


def _reading(row: Record) -> StoredReading:
    return StoredReading(
        row.subject,
        _series(row.series),
        row.effective_us,
        Decimal(row.value).scaleb(-row.scale),
        row.unit,
        row.kind,
        row.device_us,
        row.received_us,
        row.time_source,
        row.status,
        row.frame_id,
        row.frame_hash,
        row.driver_hash,
        tuple((code, dict(values)) for code, values in json.loads(row.reasons)),
        tuple(json.loads(row.alarms)),
        row.sequence,
        row.n,
    )
