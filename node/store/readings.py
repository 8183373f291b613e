"""Readings: what devices said, by series and time. Local, fast, and never a fragment.

A series is `channel/quantity/storage/tariff` of one subject. Values are whole numbers times 10**-scale. A second value
of one key is kept beside the first under the next `n`; one that says the same again is not kept twice.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple  # Any: the columns of a row

from sqlalchemy import CTE, ColumnElement, Select, and_, bindparam, func, not_, select, tuple_

from drivers.mapping import MappingRow
from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
from node.store.fragments import subject64
from node.store.types import Int64
from node.store.upserts import insert_all, insert_new

CHUNK = 400
SECOND_VALUE = "second-value"
NONE = "[]"
OK, UNCERTAIN = "ok", "uncertain"
MAX_INT = 2**63 - 1
FIRST_NUMBER = -MAX_INT - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_US = 86_400_000_000
END_US = 253_402_300_799_000_000  # the last second of the year 9999


class Series(NamedTuple):
    """What is observed: channel 0 is the device itself, tariff 0 the total."""

    channel: int
    quantity: str
    storage: str = "current"
    tariff: int = 0

    @property
    def text(self) -> str:
        """As it is stored."""
        return _text_of(self)


@dataclass(frozen=True, slots=True)
class StoredReading:
    """One value; `reasons` say why it is not ok, each as a code with its parameters.

    `row` is never stored: it is what gave a reading that is told under a central code that code, unit and value.
    """

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
    row: MappingRow | None = None


class Point(NamedTuple):
    """The part of a reading that a plot shows."""

    effective_us: int
    value: Decimal
    unit: str
    status: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """What versions of drivers, by their hashes, said in some units; None is in any."""

    drivers: tuple[bytes, ...]
    units: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Which readings of a series: those of `only`, and none of `without`."""

    only: Spoken | None = None
    without: tuple[Spoken, ...] = ()


WHOLE = Part()


def fits(value: Decimal) -> bool:
    """Whether a value can be stored exactly."""
    number, _ = _scaled(value)
    return abs(number) <= MAX_INT


async def insert_readings(tx: WriteTx, readings: Sequence[StoredReading]) -> int:
    """Keep readings and answer how many were new; a second value of a key is kept and marked."""
    return (await _insert(tx, readings)).new


async def add_readings(tx: WriteTx, readings: Sequence[StoredReading]) -> bool:
    """Keep readings likewise; whether it is known that each is kept as it is, under a key that was free."""
    return (await _insert(tx, readings)).all_free


class _Inserted(NamedTuple):
    new: int
    all_free: bool


async def _insert(tx: WriteTx, readings: Sequence[StoredReading]) -> _Inserted:
    count = 0
    if tx.dialect == "sqlite":  # PostgreSQL does not tell how many of many rows were new
        count = await insert_new(tx, schema.readings, [row_of(reading) for reading in readings])
        if count == len(readings):
            return _Inserted(count, all_free=True)
    # Some keys stood already, or two of these have one: each is looked at, what was just put in its place too.
    known = await _known(tx, readings)
    rows: list[dict[str, object]] = []
    for reading in readings:
        held = known.setdefault(_key(reading), [])
        if (reading.value, reading.unit) not in held:
            rows.append(row_of(second_value(reading, len(held)) if held else reading))
            held.append((reading.value, reading.unit))
    await insert_all(tx, schema.readings, rows)
    return _Inserted(count + len(rows), all_free=False)


async def read_series(
    tx: ReadTx,
    subject: bytes,
    series: Series,
    since_us: int,
    until_us: int,
    limit: int | None = None,
    part: Part = WHOLE,
) -> list[StoredReading]:
    """The readings of a series with since <= effective time < until, by time; at most so many, the oldest."""
    table = schema.readings
    statement = select(table).where(*_between(subject, series, since_us, until_us), *_of(part))
    rows = await tx.all(statement.order_by(table.c.month, table.c.effective_us, table.c.n).limit(limit))
    return [_reading(row) for row in rows]


async def read_latest(
    tx: ReadTx,
    subject: bytes,
    series: Series,
    limit: int,
    since_us: int = 0,
    until_us: int = END_US,
    part: Part = WHOLE,
) -> list[StoredReading]:
    """The latest readings of a series with since <= effective time < until, oldest of them first."""
    table = schema.readings
    statement = select(table).where(*_between(subject, series, since_us, until_us), *_of(part))
    ordered = statement.order_by(table.c.month.desc(), table.c.effective_us.desc(), table.c.n.desc()).limit(limit)
    return [_reading(row) for row in reversed(await tx.all(ordered))]


async def read_points(
    tx: ReadTx,
    subject: bytes,
    series: Series,
    since_us: int,
    until_us: int,
    part: Part = WHOLE,
    limit: int | None = None,
) -> list[Point]:
    """The first values of a series with since <= effective time < until, by time; of a part all of them, n by n.

    At most so many, the newest.
    """
    table = schema.readings.c
    chosen = (table.n == 0,) if part == WHOLE else _of(part)
    statement = select(table.effective_us, table.value, table.scale, table.unit, table.status).where(
        *_between(subject, series, since_us, until_us), *chosen
    )
    places = (table.month, table.effective_us, *(() if part == WHOLE else (table.n,)))
    if limit is None:
        rows = await tx.all(statement.order_by(*places))
    else:
        rows = (await tx.all(statement.order_by(*(place.desc() for place in places)).limit(limit)))[::-1]
    return [
        Point(at, Decimal(value).scaleb(-scale), unit, status) for at, value, scale, unit, status in map(tuple, rows)
    ]


async def list_series(tx: ReadTx, subject: bytes) -> list[Series]:
    """What is observed of a subject."""
    return [_series(row.series) for row in await tx.all(_OBSERVED, number=subject64(subject))]


async def read_month(tx: ReadTx, subject: bytes, month: int) -> list[StoredReading]:
    """Every reading of a month (year * 100 + month, UTC), by series, time and `n`."""
    table = schema.readings
    found: list[StoredReading] = []
    # Series by series: the month is the third column of the key.
    for series in await list_series(tx, subject):
        statement = select(table).where(
            table.c.subject64 == subject64(subject),
            table.c.series == series.text,
            table.c.month == month,
            table.c.subject == subject,
        )
        found += [_reading(row) for row in await tx.all(statement.order_by(table.c.effective_us, table.c.n))]
    return found


async def observed_after(tx: ReadTx, after: int, limit: int) -> list[tuple[int, bytes]]:
    """The next subjects of which anything was read, each with its number, which goes on from `FIRST_NUMBER`."""
    walk = _numbers(after)
    table = schema.readings.c
    one = select(table.subject).where(table.subject64 == walk.c.number).limit(1).scalar_subquery()
    statement = select(walk.c.number, one.label("subject")).where(walk.c.number.is_not(None)).limit(limit)
    return [(row.number, row.subject) for row in await tx.all(statement)]


async def count_observed(tx: ReadTx) -> int:
    """Of how many subjects anything was read."""
    row = await tx.first(select(func.count(_numbers(FIRST_NUMBER).c.number)))
    return 0 if row is None else int(row[0])


def _latest_before() -> Select[Any]:  # Any: the columns of a row
    table = schema.readings.c
    return (
        select(schema.readings)
        .where(
            table.subject64 == bindparam("number"),
            table.series == bindparam("series"),
            table.month <= bindparam("month"),
            table.effective_us < bindparam("before"),
            table.subject == bindparam("subject"),
        )
        .order_by(table.month.desc(), table.effective_us.desc())
        .limit(1)
    )


def _each_series() -> Select[tuple[str]]:
    """The series of a subject: one look-up for each, where a DISTINCT would read every row of it."""
    table, number = schema.readings.c, bindparam("number", type_=Int64)
    first = select(func.min(table.series).label("series")).where(table.subject64 == number)
    walk = first.cte("observed", recursive=True)
    following = select(func.min(table.series)).where(table.subject64 == number, table.series > walk.c.series)
    walk = walk.union_all(select(following.scalar_subquery()).where(walk.c.series.is_not(None)))
    return select(walk.c.series).where(walk.c.series.is_not(None)).order_by(walk.c.series)


# Built once: building them costs more than running them.
_LAST = _latest_before()
_LAST_OF_STATUS = _LAST.where(schema.readings.c.status == bindparam("status"))
_OBSERVED = _each_series()


def _numbers(after: int) -> CTE:
    """The halves of subjects after one, by order: one look-up for each, where a DISTINCT would read every row."""
    table = schema.readings.c
    walk = select(func.min(table.subject64).label("number")).where(table.subject64 > after).cte(recursive=True)
    following = select(func.min(table.subject64)).where(table.subject64 > walk.c.number).scalar_subquery()
    return walk.union_all(select(following).where(walk.c.number.is_not(None)))


async def find_last(
    tx: ReadTx, subject: bytes, series: Series, before_us: int, status: str | None = OK, part: Part = WHOLE
) -> StoredReading | None:
    """The latest reading of a series before a time, of one status or of any."""
    statement = _LAST if status is None else _LAST_OF_STATUS
    row = await tx.first(
        statement.where(*_of(part)) if part != WHOLE else statement,
        number=subject64(subject),
        series=series.text,
        month=month_of(before_us),
        before=before_us,
        subject=subject,
        **({} if status is None else {"status": status}),
    )
    return None if row is None else _reading(row)


def second_value(reading: StoredReading, n: int) -> StoredReading:
    """A reading as one that stands beside others of its key, of which it is the n-th, and says so."""
    status = UNCERTAIN if reading.status == OK else reading.status
    return replace(reading, n=n, status=status, reasons=(*reading.reasons, (SECOND_VALUE, {})))


def moment_of(moment_us: int) -> datetime:
    """Microseconds as a UTC time."""
    return EPOCH + timedelta(microseconds=moment_us)


def micros(moment: datetime) -> int:
    """A UTC time as microseconds."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def month_of(moment_us: int) -> int:
    """The month of a time as year * 100 + month, in UTC."""
    return _month_of_day(moment_us // DAY_US)


@lru_cache(maxsize=4096)
def _month_of_day(day: int) -> int:
    date = EPOCH + timedelta(days=day)
    return date.year * 100 + date.month


def _between(subject: bytes, series: Series, since_us: int, until_us: int) -> tuple[ColumnElement[bool], ...]:
    table = schema.readings.c
    return (
        table.subject64 == subject64(subject),
        table.series == series.text,
        table.month >= month_of(since_us),
        table.month <= month_of(until_us),
        table.effective_us >= since_us,
        table.effective_us < until_us,
        table.subject == subject,
    )


def _of(part: Part) -> tuple[ColumnElement[bool], ...]:
    only = () if part.only is None else (_said(part.only),)
    return (*only, *(not_(_said(spoken)) for spoken in part.without))


def _said(spoken: Spoken) -> ColumnElement[bool]:
    table = schema.readings.c
    by_driver = table.driver_hash.in_(spoken.drivers)
    return by_driver if spoken.units is None else and_(by_driver, table.unit.in_(spoken.units))


_Key = tuple[int, str, int]


def _key(reading: StoredReading) -> _Key:
    return subject64(reading.subject), reading.series.text, reading.effective_us


async def _known(tx: ReadTx, readings: Iterable[StoredReading]) -> dict[_Key, list[tuple[Decimal, str]]]:
    """The values that stand under the keys of these readings."""
    wanted = sorted({_key(reading) for reading in readings})
    found: dict[_Key, list[tuple[Decimal, str]]] = {}
    table = schema.readings.c
    for at in range(0, len(wanted), CHUNK):
        places = [(subject, series, month_of(time), time) for subject, series, time in wanted[at : at + CHUNK]]
        statement = select(
            table.subject64, table.series, table.effective_us, table.value, table.scale, table.unit
        ).where(tuple_(table.subject64, table.series, table.month, table.effective_us).in_(places))
        for row in await tx.all(statement.order_by(table.n)):
            held = found.setdefault((row.subject64, row.series, row.effective_us), [])
            held.append((Decimal(row.value).scaleb(-row.scale), row.unit))
    return found


def _scaled(value: Decimal) -> tuple[int, int]:
    exponent = value.as_tuple().exponent
    scale = max(0, -exponent) if isinstance(exponent, int) else 0
    return int(value.scaleb(scale)), scale


def row_of(reading: StoredReading) -> dict[str, object]:
    """A reading as its row."""
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
        "reasons": json.dumps(reading.reasons, ensure_ascii=False) if reading.reasons else NONE,
        "alarms": json.dumps(reading.alarms) if reading.alarms else NONE,
        "sequence": reading.sequence,
        "frame_id": reading.frame_id,
        "frame_hash": reading.frame_hash,
        "driver_hash": reading.driver_hash,
    }


@lru_cache(maxsize=4096)
def _text_of(series: Series) -> str:
    return f"{series.channel}/{series.quantity}/{series.storage}/{series.tariff}"


@lru_cache(maxsize=1024)
def _series(text: str) -> Series:
    channel, quantity, storage, tariff = text.split("/")
    return Series(int(channel), quantity, storage, int(tariff))


def _reading(row: Record) -> StoredReading:
    return reading_of(tuple(row))


def reading_of(row: Sequence[Any]) -> StoredReading:
    """A reading of its columns in their order: to ask a row for each by name takes longer than to read it."""
    _, series, _, effective_us, n, subject, value, scale, unit, kind, device_us, received_us, *rest = row
    time_source, status, reasons, alarms, sequence, frame_id, frame_hash, driver_hash = rest
    return StoredReading(
        subject,
        _series(series),
        effective_us,
        Decimal(value).scaleb(-scale),
        unit,
        kind,
        device_us,
        received_us,
        time_source,
        status,
        frame_id,
        frame_hash,
        driver_hash,
        () if reasons == NONE else tuple((code, dict(values)) for code, values in json.loads(reasons)),
        () if alarms == NONE else tuple(json.loads(alarms)),
        sequence,
        n,
    )
