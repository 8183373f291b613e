"""Frames become readings: decoded by a driver, judged by what is known before, stored with their raw bytes' hash.

Readings are local and never fragments. A frame that no driver reads is kept and listed as undecoded.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache, partial

from drivers.errors import UnitError
from drivers.mapping import ModelMapping
from drivers.plausibility import Amount, Expectations, Limits, judge
from drivers.reading import Decoded, Reading
from drivers.registry import Installed
from drivers.units import get_unit
from node.passport.catalogs import Catalog, Record, load_central
from node.services.decoding import Decoding
from node.services.driver_fields import DriverFields
from node.services.frame_detail import OWNER, detail_of
from node.services.last_values import NEVER, Asked, Known, LastValues
from node.services.model import Model
from node.services.sources import first_values, last_of, last_values, points_of, told_series
from node.store.database import Database, ReadTx, WriteTx
from node.store.formats import keep_formats
from node.store.radio import FrameState, StoredFrame, set_frame_state
from node.store.readings import (
    END_US,
    OK,
    Point,
    Series,
    StoredReading,
    add_readings,
    find_last,
    fits,
    micros,
    moment_of,
)
from node.store.superseded import SupersededReading, read_superseded

__all__ = ["Point", "Readings", "Series", "StoredReading", "SupersededReading", "micros", "moment_of"]

DRAWN = 10_000
CLOCK_DOUBTS = ("clock-ahead", "clock-behind")

Records = Mapping[str, Record]
Parameters = Callable[[], Records]
Last = Callable[[Series, int], Amount | None]  # the believed value of a series before a time
Heard = tuple[bytes, StoredFrame, Decoding]  # whose it is, and how it was read


def _shipped() -> Records:
    return load_central(Catalog.PARAMETERS)


class Readings:
    """Stores readings as drivers say them, and answers them as the mapping tells them."""

    def __init__(self, database: Database, parameters: Parameters = _shipped, model: Model | None = None) -> None:
        """`parameters` answers the catalog that this node works with: its ranges judge what is read."""
        self._database = database
        self._parameters = parameters
        self._model = model or Model(database)
        self._fields = DriverFields()
        self._last = LastValues()
        self._ranges: tuple[Records, Mapping[str, Limits]] | None = None

    async def store(self, tx: WriteTx, subject: bytes, frame: StoredFrame, decoding: Decoding) -> None:
        """Keep the readings of a stored frame, and say in the frame what became of it."""
        (settled,) = await self.store_each(tx, [(subject, frame, decoding)])
        await set_frame_state(tx, frame.id, settled.state, settled.detail)

    async def store_each(self, tx: WriteTx, heard: Sequence[Heard]) -> list[StoredFrame]:
        """Keep the readings of frames, each with whose it is and how it was read; answer the frames as they stand then.

        Frames stand in the order in which they were heard.
        """
        mapping = await self._model.mapping(tx)
        before = _Before(await self._last.find(tx, _asked(heard)))
        kept: list[StoredReading] = []
        settled: list[StoredFrame] = []
        for subject, frame, decoding in heard:
            is_read = decoding.decoded is not None and decoding.driver is not None
            found = self.judged(subject, frame, decoding, mapping, partial(before.last, subject))
            before.add(found)
            kept += found
            await self.note(tx, frame, decoding)
            state = FrameState.DECODED if is_read else FrameState.UNDECODED
            settled.append(replace(frame, state=state, detail=detail_of(subject, frame, decoding)))
        if await add_readings(tx, kept):
            self._last.note(tx, kept)
        else:
            for subject in {reading.subject for reading in kept}:
                self.forget(tx, subject)
        return settled

    def forget(self, tx: WriteTx, subject: bytes) -> None:
        """A transaction changed readings of a subject that stood."""
        tx.on_commit(partial(self._last.forget, subject))

    async def note(self, tx: WriteTx, frame: StoredFrame, decoding: Decoding) -> None:
        """Keep which names a driver used in a frame, and what compact frames after it need, where they are new."""
        if decoding.driver is not None and decoding.decoded is not None:
            await keep_formats(tx, decoding.decoded.formats)
            await self._fields.note(tx, decoding.driver.driver.descriptor.id, frame.id, decoding.decoded)

    async def mapping(self) -> ModelMapping:
        """The rows by which readings are told and judged now."""
        return await self._model.mapping()

    def judged(
        self, subject: bytes, frame: StoredFrame, decoding: Decoding, mapping: ModelMapping, last: Last
    ) -> list[StoredReading]:
        """The readings of a decoded frame as they are to be stored; `last` tells what was believed before."""
        driver, decoded = decoding.driver, decoding.decoded
        if driver is None or decoded is None:
            return []
        known = {
            reading.key: held
            for reading in decoded.readings
            if (held := last(_series(reading), _judged_at(reading, frame))) is not None
        }
        about = driver.driver.descriptor
        expected = Expectations(self._limits(), known, mapping.rows_for(about.id, decoded.readings))
        found = judge(decoded, moment_of(frame.received_us), about.clock, expected)
        phy = hashlib.sha256(frame.phy).digest()
        return [_stored(subject, frame, phy, driver, reading) for reading in found if fits(reading.value)]

    async def series(self, subject: bytes) -> list[tuple[Series, StoredReading]]:
        """What is observed of a subject, each with its latest value of any status."""
        mapping = await self._model.mapping()
        async with self._database.read() as tx:
            sources = await self._model.sources(tx, mapping)
            far = tx.now + int(timedelta(days=366).total_seconds() * 1e6)
            series = await told_series(tx, sources, subject)
            found = [(one, await last_of(tx, sources, subject, one, far)) for one in series]
        return [(one, last) for one, last in found if last is not None]

    async def values(
        self, subject: bytes, quantity: str | None, since_us: int, until_us: int, limit: int
    ) -> tuple[list[StoredReading], int | None]:
        """The readings of one quantity, or of all, by time, and the time from which there are more."""
        mapping, found, ends = await self._model.mapping(), list[StoredReading](), list[int]()
        async with self._database.read() as tx:
            sources = await self._model.sources(tx, mapping)
            for series in await told_series(tx, sources, subject):
                if quantity in (None, series.quantity):
                    part, end = await first_values(tx, sources, subject, series, since_us, until_us, limit + 1)
                    found += part
                    ends += [] if end is None else [end]
        found.sort(key=lambda reading: (reading.effective_us, reading.series.text, reading.n))
        # A moment is answered whole: the next question begins with a time.
        if len(found) > limit:
            ends.append(found[limit].effective_us)
        if not ends:
            return found, None
        page = [reading for reading in found[:limit] if reading.effective_us < min(ends)]
        return (page, min(ends)) if page else (_moment(found[:limit]), found[0].effective_us + 1)

    async def latest(self, subject: bytes, limit: int) -> list[tuple[Series, list[StoredReading]]]:
        """The latest readings of every series of a subject, oldest of them first."""
        mapping = await self._model.mapping()
        async with self._database.read() as tx:
            sources = await self._model.sources(tx, mapping)
            series = await told_series(tx, sources, subject)
            found = [(one, (await last_values(tx, sources, subject, one, limit))[0][-limit:]) for one in series]
        return [(one, readings) for one, readings in found if readings]

    async def drawn(self, subject: bytes, series: Series, since_us: int, until_us: int, unit: str) -> list[Point]:
        """What a plot of a series shows of a time, in a unit: of very many values the outermost of each stretch."""
        mapping = await self._model.mapping()

        async def read(tx: ReadTx) -> list[Point]:
            sources = await self._model.sources(tx, mapping)
            return await points_of(tx, sources, subject, series, since_us, until_us, unit)

        return thinned(await self._database.glance(read))

    async def newest(
        self, subject: bytes, series: Series, since_us: int, until_us: int, limit: int
    ) -> tuple[list[StoredReading], int | None]:
        """The newest readings of a series in a time, newest first, and the time before which there are more."""
        mapping = await self._model.mapping()
        async with self._database.read() as tx:
            sources = await self._model.sources(tx, mapping)
            found, end = await last_values(tx, sources, subject, series, limit + 1, since_us, until_us)
        found, ends = found[::-1], [] if end is None else [end]
        if len(found) > limit:
            ends.append(found[limit].effective_us)
        if not ends:
            return found, None
        # A moment is answered whole: the next question ends with a time.
        page = [reading for reading in found[:limit] if reading.effective_us > max(ends)]
        return (page, page[-1].effective_us) if page else (_moment(found[:limit]), found[0].effective_us)

    async def superseded(self, subject: bytes, limit: int, before: int = 0) -> list[tuple[int, SupersededReading]]:
        """What was replaced of a subject, newest first, each with its number; `before` is the number to go on from."""
        mapping = await self._model.mapping()
        async with self._database.read() as tx:
            sources = await self._model.sources(tx, mapping)
            found = await read_superseded(tx, subject, 0, END_US, limit, before)
        return [(number, replace(one, reading=sources.tell(one.reading))) for number, one in found]

    async def last_register(self, tx: ReadTx, subject: bytes, decoded: Decoded, quantity: str) -> Amount | None:
        """The last believed value of a register that a frame reads too."""
        reading = decoded.find_reading(quantity)
        if reading is None:
            return None
        held = await find_last(tx, subject, _series(reading), tx.now + 1)
        return None if held is None else Amount(held.value, held.unit)

    def _limits(self) -> Mapping[str, Limits]:
        """The ranges of the parameter catalog, for units that drivers know."""
        records = self._parameters()
        if self._ranges is None or self._ranges[0] is not records:
            self._ranges = records, dict(_each_limit(records.items()))
        return self._ranges[1]


class _Before:
    """The believed values of series before the frames of one batch, and then those of these frames."""

    def __init__(self, known: Mapping[Asked, Known]) -> None:
        self._known = known
        self._fresh: dict[tuple[bytes, Series], list[tuple[int, Amount]]] = {}

    def last(self, subject: bytes, series: Series, before_us: int) -> Amount | None:
        """The latest before a time."""
        best = self._known.get((subject, series, before_us), (NEVER, None))
        for one in self._fresh.get((subject, series), ()):
            if best[0] <= one[0] < before_us:
                best = one
        return best[1]

    def add(self, readings: Iterable[StoredReading]) -> None:
        """Those of one more frame."""
        for reading in readings:
            if reading.status == OK:
                fresh = self._fresh.setdefault((reading.subject, reading.series), [])
                fresh.append((reading.effective_us, Amount(reading.value, reading.unit)))


def thinned(points: list[Point], most: int = DRAWN) -> list[Point]:
    """At most about so many points: the first, least, greatest and last of each of equally many in a row."""
    if len(points) <= most:
        return points
    width = -(-4 * len(points) // most)
    kept: list[Point] = []
    for at in range(0, len(points), width):
        stretch = points[at : at + width]
        least, greatest = (pick(stretch, key=lambda point: point.value) for pick in (min, max))
        kept += sorted({stretch[0], least, greatest, stretch[-1]})
    return kept


def _moment(found: list[StoredReading]) -> list[StoredReading]:
    """Those of the first one's moment: more than are told at once."""
    return [reading for reading in found if reading.effective_us == found[0].effective_us]


def _stored(subject: bytes, frame: StoredFrame, phy: bytes, driver: Installed, reading: Reading) -> StoredReading:
    """`phy` is the hash of the frame's bytes."""
    doubts_clock = any(reason.code in CLOCK_DOUBTS for reason in reading.reasons)
    device_us = _micros(reading.device_time) if reading.device_time else None
    by_device = device_us is not None and not doubts_clock
    return StoredReading(
        subject,
        _series(reading),
        device_us if by_device and device_us is not None else frame.received_us,
        reading.value,
        reading.unit,
        reading.kind.value,
        device_us,
        frame.received_us,
        "device" if by_device else "received",
        reading.status.value,
        frame.id,
        phy,
        driver.hash,
        tuple((reason.code, dict(reason.parameters)) for reason in reading.reasons),
        reading.alarms,
        frame.fcnt,
    )


def owner_of(frame: StoredFrame) -> bytes | None:
    """Whose a frame was when it was attributed: the radio may be in another meter since."""
    owner = frame.detail.get(OWNER)
    return bytes.fromhex(owner) if isinstance(owner, str) else None


_micros = lru_cache(maxsize=1024)(micros)  # the values of a frame have one time


def _asked(heard: Sequence[Heard]) -> set[Asked]:
    return {
        (subject, _series(reading), _judged_at(reading, frame))
        for subject, frame, decoding in heard
        if decoding.decoded is not None
        for reading in decoding.decoded.readings
    }


def _judged_at(reading: Reading, frame: StoredFrame) -> int:
    """The time before which a value is compared with others."""
    return _micros(reading.device_time) if reading.device_time else frame.received_us


def _series(reading: Reading) -> Series:
    return Series(reading.channel, reading.quantity, reading.store, reading.tariff)


def _each_limit(records: Iterable[tuple[str, Record]]) -> Iterable[tuple[str, Limits]]:
    for code, record in records:
        unit, low, high = record.get("unit"), record.get("min"), record.get("max")
        if not isinstance(unit, str) or (low is None and high is None):
            continue
        try:
            get_unit(unit)
            yield code, Limits(unit, _decimal(low), _decimal(high))
        except (UnitError, InvalidOperation):
            continue


def _decimal(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))
