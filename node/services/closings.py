"""Closing months of readings: what was observed is local, a root over it is signed, and what changes later is found.

A leaf is the JSON of one reading as it is stored, by series and time: not as the mapping tells it, which may change.
"""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from federation.merkle import leaf_hash, root_of
from node.errors import InputError, NotFoundError, StateError
from node.passport import drafts
from node.passport.bodies import MOST_CLOSED, ClosedSeries, ClosedValue, ClosingBody
from node.passport.canonical import dump_json
from node.passport.errors import BodyError
from node.passport.references import parse_ref
from node.passport.shown import rows
from node.passport.view import Plain
from node.services.attribution import is_contested
from node.services.core import Core
from node.services.jobs import ASIDE, Job, Jobs
from node.services.ledger import Ledger
from node.services.registry import Registry
from node.services.statements import StatementReader
from node.store.database import ReadTx, WriteTx
from node.store.logs import list_logs
from node.store.passports import StoredPassport
from node.store.readings import FIRST_NUMBER, StoredReading, count_observed, moment_of, observed_after, read_month

KIND = "closing"
PAGE = 50  # devices that one step of the job closes
OUTCOMES = {
    "closing_differs": "differs",
    "closing_contested": "contested",
    "closing_series": "too_many",
    "nothing_to_close": "nothing",
    "passport_unknown": "unknown",
}
COUNTED = ("closed", "same", *OUTCOMES.values())


class Difference(NamedTuple):
    """A series that is not what was closed: how many readings it had then and has now."""

    series: str
    then: int
    now: int


@dataclass(frozen=True, slots=True)
class Checked:
    """A closing as the passport has it, and the series of which something else is stored now."""

    row: Mapping[str, Plain]
    differing: tuple[Difference, ...]


class Closings:
    """Closes months in this organisation's name, and says which of them still hold."""

    def __init__(self, core: Core, ledger: Ledger, registry: Registry, jobs: Jobs) -> None:
        self._core = core
        self._ledger = ledger
        self._registry = registry
        self._jobs = jobs
        self._closing = asyncio.Lock()  # what two ask for at once is signed once
        jobs.register(KIND, self._step, ASIDE)

    async def close(self, subject: bytes, month: str, reason: str | None, actor: str) -> bool:
        """Sign a month of a device; answer whether there was anything to sign that was not signed so already.

        Raise InputError for a month that is not over, NotFoundError where nothing was read in it, StateError where the
        device may be two, or where it was closed otherwise and no reason is given for closing it again.
        """
        self._check_over(month)
        async with self._closing:
            return await self._close(subject, month, reason, actor)

    async def check(self, subject: bytes, month: str) -> Checked:
        """What this node closed of a month beside what is stored now; raise NotFoundError where it closed nothing."""
        passport = await self._registry.get(subject)
        async with self._core.database.read() as tx:
            row, body = await self._closed(tx, passport, month) or (None, None)
            if row is None or body is None:
                raise NotFoundError(f"{month} was not closed here", "month_not_closed", month=month)
            now = {one.series: one for one in await _month(tx, passport.subject, month)}
        then = {one.series: one for one in body.series}
        differing = [
            Difference(name, then[name].count if name in then else 0, now[name].count if name in now else 0)
            for name in sorted({*then, *now})
            if then.get(name) != now.get(name)
        ]
        return Checked(row, tuple(differing))

    async def start(self, month: str, actor: str) -> str:
        """Take the job of closing a month of every device. Raise InputError, NotFoundError where nothing was read."""
        self._check_over(month)
        async with self._core.database.read() as tx:
            total = await count_observed(tx)
        if not total:
            raise NotFoundError("nothing was read here", "nothing_to_close", month=month)
        return await self._jobs.submit(KIND, json.dumps({"month": month}).encode(), total, actor, file=month)

    async def _close(self, subject: bytes, month: str, reason: str | None, actor: str) -> bool:
        passport = await self._registry.get(subject)
        if is_contested(passport.content):
            raise StateError("the device may be two", "closing_contested")
        async with self._core.database.read() as tx:
            found = await _month(tx, passport.subject, month)
            before = await self._closed(tx, passport, month)
        if not found:
            raise NotFoundError(f"nothing was read in {month}", "nothing_to_close", month=month)
        if len(found) > MOST_CLOSED:
            raise StateError("more series than a closing has room for", "closing_series", most=MOST_CLOSED)
        if before is not None and before[1].series == found:
            return False
        if before is not None and not reason:
            raise StateError(f"{month} was closed otherwise", "closing_differs", month=month)
        body = ClosingBody(month=month, series=found, reason=reason if before else None)
        refs = [parse_ref(str(before[0]["ref"]))] if before else []
        draft = drafts.closing(passport.subject, body, self._core.clock.now(), refs)

        async def note(tx: WriteTx, _entries: object) -> None:
            await self._core.announce(tx, actor, "month_closed", passport.subject, month=month, count=body.count)

        await self._ledger.append([draft], note)
        return True

    async def _step(self, job: Job, content: bytes) -> bool:
        """Close the month of the next devices; what was closed before the job was cut off is closed the same."""
        month = json.loads(content)["month"]
        after = int(str(job.result.get("after", FIRST_NUMBER)))
        tally = Counter({name: int(str(job.result.get(name, 0))) for name in COUNTED})
        async with self._core.database.read() as tx:
            page = await observed_after(tx, after, PAGE)
        for _, subject in page:
            tally[await self._outcome(subject, month, job.actor)] += 1
        is_end = len(page) < PAGE
        done = job.total if is_end else min(job.total - 1, job.done + len(page))
        last = page[-1][0] if page else after
        async with self._core.database.write() as tx:
            await self._jobs.advance(tx, job, done, {"after": last, **tally})
            await self._core.announce(tx, job.actor, "closing_advanced", job=job.id, done=done, total=job.total)
        return not is_end

    async def _outcome(self, subject: bytes, month: str, actor: str) -> str:
        try:
            return "closed" if await self.close(subject, month, None, actor) else "same"
        except InputError as error:
            if error.code not in OUTCOMES:
                raise
            return OUTCOMES[error.code]

    @staticmethod
    async def _closed(
        tx: ReadTx, passport: StoredPassport, month: str
    ) -> tuple[Mapping[str, Plain], ClosingBody] | None:
        """What this node said of that month, and where. Another of this organisation has readings of its own."""
        own = {log.log for log in await list_logs(tx, own=True)}
        for row in rows(passport.content, "closings"):
            if row["month"] == month and row["replaced_by"] is None and parse_ref(str(row["ref"])).log in own:
                body = await _body(tx, str(row["ref"]))
                return None if body is None else (row, body)
        return None

    def _check_over(self, month: str) -> None:
        if _end_us(month) > self._core.clock.now():
            raise InputError(f"{month} is not over", "month_open", month=month)


async def _body(tx: ReadTx, ref: str) -> ClosingBody | None:
    place = parse_ref(ref)
    reader = await StatementReader.open(tx)
    for statement in await reader.at(tx, [(reader.numbers[place.log], place.seq)]):
        if raw := statement.sections.get("closing"):
            try:
                return ClosingBody.from_bytes(raw)
            except BodyError:
                return None
    return None


async def _month(tx: ReadTx, subject: bytes, month: str) -> tuple[ClosedSeries, ...]:
    """What is stored of a month, series by series."""
    found = await read_month(tx, subject, _number(month))
    grouped = itertools.groupby(found, key=lambda reading: reading.series.text)
    return await tx.aside(lambda: tuple(_closed_series(name, readings) for name, readings in grouped))


def _closed_series(name: str, readings: Iterable[StoredReading]) -> ClosedSeries:
    every = list(readings)
    root = root_of([leaf_hash(leaf_of(reading)) for reading in every])
    return ClosedSeries(series=name, count=len(every), first=_value(every[0]), last=_value(every[-1]), root=root.hex())


def leaf_of(reading: StoredReading) -> bytes:
    """What of a reading is under the root: all that says what was observed, when, by which frame and which driver."""
    return dump_json(
        {
            "series": reading.series.text,
            "at": reading.effective_us,
            "n": reading.n,
            "value": format(reading.value, "f"),
            "unit": reading.unit,
            "kind": reading.kind,
            "status": reading.status,
            "device_time": reading.device_us,
            "received": reading.received_us,
            "frame": reading.frame_hash.hex(),
            "driver": reading.driver_hash.hex(),
        }
    )


def _value(reading: StoredReading) -> ClosedValue:
    moment = moment_of(reading.effective_us)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{moment.microsecond:06d}" if moment.microsecond else "") + "Z"
    return ClosedValue(at=text, value=format(reading.value, "f"), unit=reading.unit)


def _number(month: str) -> int:
    return int(month.replace("-", ""))


def _end_us(month: str) -> int:
    year, number = map(int, month.split("-"))
    first = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return int(first.timestamp()) * 1_000_000
