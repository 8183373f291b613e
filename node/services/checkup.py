"""Checking fleet tables: what came is held in memory for an hour, for who sent it, and nothing of it is ever written.

A fleet table is full of addresses of people who did not ask for it. It therefore never reaches the disk, sealed or not:
to correct a column or to fetch the report within the hour the node has it still, later the file is sent again.
"""

import asyncio
import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice

from node.errors import InputError, NotFoundError
from node.exchange.errors import ExchangeError
from node.exchange.fleet import rules
from node.exchange.fleet.checkup import DAYS, check_fleet
from node.exchange.fleet.fields import Field
from node.exchange.fleet.findings import FleetFinding
from node.exchange.fleet.known import Known
from node.exchange.fleet.mapping import FleetMapping
from node.exchange.fleet.outcome import FleetReport, with_registry
from node.exchange.fleet.reader import FleetTable, read_fleet
from node.exchange.fleet.report import write_report
from node.exchange.fleet.rows import FleetRow
from node.passport.ids import SubjectId, format_device_id
from node.passport.lines import LineKey, Lines
from node.passport.plate import Nameplate
from node.services.core import Core
from node.services.projection import Projection
from node.store.passports import find_terms, read_leads

HELD_US = 3_600_000_000
MOST_HELD, MOST_HELD_BYTES = 16, 128 << 20
AT_ONCE = 2
LOOKED_UP = 400
MOST_EUIS = 5_000


@dataclass(frozen=True, slots=True)
class Check:
    """One table that was checked: whose it is, what was sent and wished, and what was found."""

    id: str
    owner: str
    name: str
    raw: bytes
    mapping: FleetMapping
    on: datetime.date
    days: int
    report: FleetReport
    until_us: int


@dataclass(slots=True)
class _Met:
    """What a table says that the registry may know: the subject of each row, and its DevEUI."""

    subjects: dict[int, SubjectId]
    euis: dict[int, str]


class Checkup:
    """Checks tables and holds what was checked for a while."""

    def __init__(self, core: Core, projection: Projection) -> None:
        self._core, self._projection = core, projection
        self._held: dict[str, Check] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def check(
        self,
        raw: bytes,
        name: str,
        owner: str,
        *,
        mapping: FleetMapping | None = None,
        on: datetime.date | None = None,
        days: int = DAYS,
    ) -> Check:
        """Check a table; raise InputError where it cannot be read."""
        day, wish = on or self._today(), mapping or FleetMapping()
        report = await self._report(raw, name, wish, day, days)
        check = Check(
            self._core.random.bytes(8).hex(),
            owner,
            name,
            raw,
            wish,
            day,
            days,
            report,
            self._core.clock.now() + HELD_US,
        )
        self._hold(check)
        return check

    async def again(self, check: Check, mapping: FleetMapping) -> Check:
        """Check the same table with another mapping; raise InputError where it cannot be read so."""
        report = await self._report(check.raw, check.name, mapping, check.on, check.days)
        changed = replace(check, mapping=mapping, report=report, until_us=self._core.clock.now() + HELD_US)
        self._hold(changed)
        return changed

    def get(self, check_id: str, owner: str) -> Check:
        """The check of that id, for who sent it; raise NotFoundError."""
        self._forget()
        check = self._held.get(check_id)
        if check is None or check.owner != owner:
            raise NotFoundError(f"check {check_id} is not held here", "check_unknown")
        return check

    async def report_file(self, check: Check, kind: str, language: str) -> bytes:
        """The report as a file of one of FORMATS."""
        async with self._turns:
            return await asyncio.to_thread(self._written, check, kind, language)

    async def _report(self, raw: bytes, name: str, mapping: FleetMapping, on: datetime.date, days: int) -> FleetReport:
        known = self._known()
        async with self._turns:
            try:
                report, met = await asyncio.to_thread(_examine, raw, mapping, on, days, known)
            except ExchangeError as error:
                raise InputError(
                    f"{name}: {error}", "check_unreadable", file=name, ru=f"{name}: {error.text('ru')}"
                ) from error
        leads, found = await self._compare(met)
        return await asyncio.to_thread(_compared, report, met, leads, found)

    async def _compare(self, met: _Met) -> tuple[dict[bytes, bytes], dict[int, bytes]]:
        """Which subjects are in the registry, and whose the DevEUIs are there."""
        leads: dict[bytes, bytes] = {}
        found: dict[int, bytes] = {}
        subjects = iter(met.subjects.values())
        async with self._core.database.read() as tx:
            while some := [subject.raw for subject in islice(subjects, LOOKED_UP)]:
                leads |= await read_leads(tx, some)
            for row, eui in islice(met.euis.items(), MOST_EUIS):
                for subject, _ in await find_terms(tx, eui, "dev_eui", limit=1):
                    found[row] = subject
        return leads, found

    def _written(self, check: Check, kind: str, language: str) -> bytes:
        table = _read(check.raw, check.mapping, check.on, self._known())
        return write_report(check.report, table, kind, language, check.name)

    def _known(self) -> Known:
        world = self._projection.world
        return Known(lines=world.lines, types=world.types)

    def _today(self) -> datetime.date:
        return datetime.datetime.fromtimestamp(self._core.clock.now() / 1e6, datetime.UTC).date()

    def _hold(self, check: Check) -> None:
        self._held.pop(check.id, None)
        self._held[check.id] = check
        self._forget()

    def _forget(self) -> None:
        """Drop what is too old, and the oldest where there is too much."""
        now = self._core.clock.now()
        for check in list(self._held.values()):
            size = sum(len(held.raw) for held in self._held.values())
            is_last = len(self._held) == 1
            if check.until_us < now or (not is_last and (len(self._held) > MOST_HELD or size > MOST_HELD_BYTES)):
                del self._held[check.id]


def _read(raw: bytes, mapping: FleetMapping, on: datetime.date, known: Known) -> FleetTable:
    return read_fleet(raw, mapping, today=on, known=known)


def _examine(raw: bytes, mapping: FleetMapping, on: datetime.date, days: int, known: Known) -> tuple[FleetReport, _Met]:
    met = _Met({}, {})
    lines: Lines = known.lines

    def meet(row: FleetRow) -> None:
        if row.dev_eui:
            met.euis.setdefault(row.row, row.dev_eui)
        if row.plate and row.designation and len(lines):
            plate = Nameplate(row.designation, row.serial, row.mark or None, str(row.year) if row.year else None)
            key = lines.key(plate, row.made_on)
            if isinstance(key, LineKey):
                met.subjects.setdefault(row.row, key.claim.subject)

    return check_fleet(_read(raw, mapping, on, known), days=days, each=meet), met


def _compared(report: FleetReport, met: _Met, leads: Mapping[bytes, bytes], found: Mapping[int, bytes]) -> FleetReport:
    column = next((c.title for c in report.layout.every_column if c.field is Field.DEV_EUI), "")
    other: list[FleetFinding] = []
    for row, subject in found.items():
        mine = met.subjects.get(row)
        if mine is not None and leads.get(mine.raw, mine.raw) != subject and mine.raw != subject:
            words = {"device": format_device_id(SubjectId(subject))}
            other.append(FleetFinding(rules.EUI_KNOWN, row, Field.DEV_EUI, column, met.euis[row].upper(), words))
    return with_registry(report, sum(subject.raw in leads for subject in met.subjects.values()), other)
