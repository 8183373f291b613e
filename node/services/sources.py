"""Which stored readings come out as which series: what drivers said, told under the codes that the mapping gives.

A series that is told has one source or several: what is stored under its own name, without what the mapping names
otherwise; and for each row that gives its code, what the drivers of that row said in units that it can tell. Two values
of one moment are one where they say the same; else the later source's stands beside the first and is marked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter

from drivers.errors import UnitError
from drivers.mapping import MappingRow, ModelMapping
from drivers.units import Conversion, find_conversion
from node.store.database import ReadTx
from node.store.readings import (
    END_US,
    WHOLE,
    Part,
    Point,
    Series,
    Spoken,
    StoredReading,
    find_last,
    list_series,
    read_latest,
    read_points,
    read_series,
    second_value,
)

NOT_MAPPED = "not-mapped"  # a row names the quantity, and cannot tell values of this unit


@dataclass(frozen=True, slots=True)
class Source:
    """A part of a stored series, and the row by which it is told; `unfit` are rows that could not, by driver's hash."""

    series: Series
    part: Part = WHOLE
    row: MappingRow | None = None
    unfit: Mapping[bytes, MappingRow] = field(default_factory=dict)

    def tell(self, reading: StoredReading, series: Series) -> StoredReading:
        """A stored reading of this part as one of the series that is told."""
        if self.row is not None:
            value = self.row.conversion(reading.unit).apply(reading.value)
            return replace(reading, series=series, value=value, unit=self.row.unit, row=self.row)
        row = self.unfit.get(reading.driver_hash)
        if row is None:
            return reading
        doubt = (NOT_MAPPED, {"code": row.code, "unit": row.unit})
        return replace(reading, reasons=(*reading.reasons, doubt))

    def tell_points(self, points: list[Point]) -> list[Point]:
        """Stored points of this part as those of the series that is told."""
        if self.row is None:
            return points
        ways: dict[str, Conversion] = {unit: self.row.conversion(unit) for unit in {point.unit for point in points}}
        unit = self.row.unit
        return [Point(at, ways[read].apply(value), unit, status) for at, value, read, status in points]


class Sources:
    """Where the series of subjects come from, by a mapping and the hashes of its drivers."""

    def __init__(self, mapping: ModelMapping, hashes: Mapping[str, Sequence[bytes]]) -> None:
        self._mapping = mapping
        self._hashes = hashes

    def of(self, series: Series) -> list[Source]:
        """The sources of a series that is told: its own name first."""
        otherwise = self._heard(self._mapping.rows_of(series.quantity, series.channel))
        told = self._heard(self._mapping.rows_to(series.quantity, series.channel))
        unfit = {digest: row for row in otherwise for digest in self._hashes[row.driver]}
        own = Source(series, Part(without=tuple(self._spoken(row) for row in otherwise)), unfit=unfit)
        return [own, *(self._source(series, row) for row in told)]

    def tell(self, reading: StoredReading) -> StoredReading:
        """A stored reading by itself, under the code that it has by the mapping."""
        series = reading.series
        for row in self._heard(self._mapping.rows_of(series.quantity, series.channel)):
            if reading.driver_hash in self._hashes[row.driver]:
                return told_by(row, reading) or reading
        return reading

    def told(self, stored: Iterable[Series]) -> list[Series]:
        """The series as which stored ones may come out."""
        found = {
            told: None
            for one in stored
            for told in (
                one,
                *(one._replace(quantity=row.code) for row in self._mapping.rows_of(one.quantity, one.channel)),
            )
        }
        return sorted(found, key=attrgetter("text"))

    def _heard(self, rows: Iterable[MappingRow]) -> list[MappingRow]:
        return [row for row in rows if self._hashes.get(row.driver)]

    def _spoken(self, row: MappingRow) -> Spoken:
        return Spoken(tuple(self._hashes[row.driver]), row.units)

    def _source(self, series: Series, row: MappingRow) -> Source:
        return Source(series._replace(quantity=row.quantity), Part(only=self._spoken(row)), row)


async def told_series(tx: ReadTx, sources: Sources, subject: bytes) -> list[Series]:
    """The series as which what is stored of a subject may come out; one that nothing comes out as is among them."""
    return sources.told(await list_series(tx, subject))


async def last_of(
    tx: ReadTx, sources: Sources, subject: bytes, series: Series, before_us: int, status: str | None = None
) -> StoredReading | None:
    """The latest reading of a series before a time, of one status or of any."""
    found = [
        source.tell(last, series)
        for source in sources.of(series)
        if (last := await find_last(tx, subject, source.series, before_us, status, source.part)) is not None
    ]
    return max(found, key=attrgetter("effective_us"), default=None)


async def first_values(
    tx: ReadTx, sources: Sources, subject: bytes, series: Series, since_us: int, until_us: int, limit: int
) -> tuple[list[StoredReading], int | None]:
    """The readings of a series in a time, of each source so many, and the time from which they are not all of them."""
    parts, ends = [], []
    for source in sources.of(series):
        found = await read_series(tx, subject, source.series, since_us, until_us, limit, source.part)
        parts.append([source.tell(reading, series) for reading in found])
        ends += [found[-1].effective_us] if len(found) == limit else []
    return merged(parts), min(ends, default=None)


async def last_values(
    tx: ReadTx,
    sources: Sources,
    subject: bytes,
    series: Series,
    limit: int,
    since_us: int = 0,
    until_us: int = END_US,
) -> tuple[list[StoredReading], int | None]:
    """The latest readings of a series in a time, of each source so many, and the time until which they are not all."""
    parts, ends = [], []
    for source in sources.of(series):
        found = await read_latest(tx, subject, source.series, limit, since_us, until_us, source.part)
        parts.append([source.tell(reading, series) for reading in found])
        ends += [found[0].effective_us] if len(found) == limit else []
    return merged(parts), max(ends, default=None)


async def points_of(
    tx: ReadTx,
    sources: Sources,
    subject: bytes,
    series: Series,
    since_us: int,
    until_us: int,
    unit: str,
    *,
    limit: int | None = None,
) -> list[Point]:
    """The first values of a series in a time; in a unit, as far as they can be told in it.

    Of each source at most so many, the newest.
    """
    parts = []
    for source in sources.of(series):
        found = await read_points(tx, subject, source.series, since_us, until_us, source.part, limit)
        parts.append(source.tell_points(found))
    filled = [part for part in parts if part]
    if len(parts) == 1:
        return in_unit(parts[0], unit)
    first: dict[int, Point] = {}
    for part in filled:
        for point in part:
            first.setdefault(point.effective_us, point)
    return in_unit(sorted(first.values()) if len(filled) > 1 else list(first.values()), unit)


def told_by(row: MappingRow, reading: StoredReading) -> StoredReading | None:
    """A stored reading as a row tells it; None where it cannot."""
    if not row.can_tell(reading.unit):
        return None
    return Source(reading.series, row=row).tell(reading, reading.series._replace(quantity=row.code))


def merged(parts: Sequence[list[StoredReading]]) -> list[StoredReading]:
    """The readings of one series by time, from each of its sources; what two say alike is one reading."""
    if len(parts) == 1:
        return parts[0]
    kept: list[StoredReading] = []
    beside: list[StoredReading] = []
    for reading in sorted((reading for part in parts for reading in part), key=attrgetter("effective_us")):
        if beside and beside[0].effective_us != reading.effective_us:
            beside = []
        if not any(_is_same(held, reading) for held in beside):
            beside.append(_placed(reading, len(beside)))
            kept.append(beside[-1])
    return kept


def in_unit(points: list[Point], unit: str) -> list[Point]:
    """Points in one unit, as far as they can be told in it."""
    ways = {other: way for other in {point.unit for point in points} - {unit} if (way := _way(other, unit))}
    if not ways:
        return points
    return [
        Point(at, ways[read].apply(value), unit, status) if read in ways else Point(at, value, read, status)
        for at, value, read, status in points
    ]


def _placed(reading: StoredReading, n: int) -> StoredReading:
    """A reading as the n-th of its moment."""
    if reading.n == n:
        return reading
    return replace(reading, n=n) if reading.n or not n else second_value(reading, n)


def _is_same(one: StoredReading, other: StoredReading) -> bool:
    way = _way(other.unit, one.unit)
    return way is not None and way.apply(other.value) == one.value


def _way(source: str, target: str) -> Conversion | None:
    try:
        return find_conversion(source, target)
    except UnitError:
        return None
