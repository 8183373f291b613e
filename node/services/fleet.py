"""Importing a fleet table: a durable job whose every step says some rows and records them in one transaction.

The place in the table is the progress of the job, so one that goes on after a crash says each row once. What is known
of a meter already is not said again; what contradicts it goes back with the faulty rows.
"""

import asyncio
import datetime
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from node.collecting import kept_for_long
from node.errors import InputError, NotFoundError
from node.exchange.errors import ExchangeError
from node.exchange.fleet.fields import Field
from node.exchange.fleet.findings import FleetFinding
from node.exchange.fleet.intake import ELSEWHERE, FleetMeter, Intake, take_in
from node.exchange.fleet.known import Known
from node.exchange.fleet.mapping import FleetMapping
from node.exchange.fleet.reader import read_fleet
from node.exchange.fleet.rules import RULES
from node.exchange.grids import Grid
from node.passport.bodies import Reference
from node.passport.catalogs import Catalog
from node.passport.claims import Claim
from node.passport.drafts import Draft
from node.passport.places import Places, compare_places
from node.passport.shown import place_of, plate_term
from node.services.core import Core
from node.services.fleet_statements import Author, Held, is_same_plate, weigh
from node.services.job_results import counted, listed
from node.services.jobs import Jobs
from node.services.ledger import Ledger
from node.services.plates import find_standing
from node.services.projection import Projection
from node.services.said import note_said
from node.store.database import ReadTx, WriteTx
from node.store.fragments import NewEntry
from node.store.jobs import Job
from node.store.passports import StoredPassport, find_each, read_leads, read_passports
from node.store.settings import drop_setting, find_setting, set_setting, settings_like

KIND = "import.fleet"
ROWS_A_STEP = 400
ROWS_A_LOOK = 2_000
SUPPLIER = "supplier:"
HELD_BACK = "held_back"  # what the registry spoke against so far, in the result of a job that goes on
AT_ONCE = 2
EMPTY = Grid("", (), 0)


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do: how many meters are new, of a known passport, here already, and sent back by rule."""

    intake: Intake
    new: int
    known: int
    repeated: int
    refused: Mapping[str, int]


@dataclass(slots=True)
class _Judged:
    """What becomes of some meters of a table; `refused` are those that the registry speaks against, by their places."""

    said: list[Draft] = field(default_factory=list)
    new: int = 0
    known: int = 0
    repeated: int = 0
    unbound: set[str] = field(default_factory=set)
    refused: dict[int, FleetFinding] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A file as a job keeps it: with the mapping and the day by which it is judged, now and after a crash."""

    raw: bytes
    mapping: FleetMapping
    on: datetime.date

    def to_bytes(self) -> bytes:
        # Packed: a table shrinks to a sixth, and a job holds its input as long as it runs.
        head = {"mapping": self.mapping.to_json(), "on": self.on.isoformat(), "packed": True}
        return json.dumps(head).encode() + b"\n" + zlib.compress(self.raw, 1)

    @classmethod
    def from_bytes(cls, content: bytes) -> "_Sent":
        head, _, raw = content.partition(b"\n")
        told = json.loads(head)
        raw = zlib.decompress(raw) if told.get("packed") else raw
        return cls(raw, FleetMapping.from_json(told["mapping"]), datetime.date.fromisoformat(told["on"]))


class Fleet:
    """Takes fleet tables, and keeps how each supplier's tables are read."""

    def __init__(self, core: Core, ledger: Ledger, projection: Projection, jobs: Jobs) -> None:
        self._core, self._ledger, self._projection = core, ledger, projection
        self._run: tuple[str, Intake] | None = None
        self._ahead: tuple[tuple[str, int], _Judged] | None = None  # the step of a job that begins at that place
        self._turns = asyncio.Semaphore(AT_ONCE)
        jobs.register(KIND, self._step)
        self._jobs = jobs

    async def submit(
        self, raw: bytes, name: str, actor: str, *, mapping: FleetMapping | None = None, supplier: str = ""
    ) -> str:
        """Take a table and answer its job; a mapping that is given with a supplier is kept for the next table.

        Raise InputError where it cannot be read, NotFoundError where nothing is kept for the supplier.
        """
        sent, job_id = _Sent(raw, await self._wished(mapping, supplier), self._today()), self._jobs.new_id()
        # Before the table is read: afterwards it takes the room that sealing a copy of the file would need.
        sealed = await self._jobs.seal(await asyncio.to_thread(sent.to_bytes))
        with kept_for_long():
            intake = await self._take_in(sent, name, job_id)
        if mapping is not None and supplier:
            await self.keep_supplier(supplier, mapping, actor)
        if self._run is None:  # one that waits is taken in anew
            self._run = (job_id, intake)
        total = max(1, len(intake.meters))
        del intake
        return await self._jobs.submit_sealed(KIND, sealed, total, actor, name, job_id)

    async def preview(
        self, raw: bytes, name: str, *, mapping: FleetMapping | None = None, supplier: str = ""
    ) -> Preview:
        """What `submit` would do with a table now; nothing is written. Raise as it does."""
        sent = _Sent(raw, await self._wished(mapping, supplier), self._today())
        intake = await self._take_in(sent, name, "preview")
        parts = [intake.order[at : at + ROWS_A_LOOK] for at in range(0, len(intake.meters), ROWS_A_LOOK)]
        steps = [await self._judge(intake, places, says=False) for places in parts]
        refused = dict(intake.refused)
        for step in steps:
            refused |= {at: (finding,) for at, finding in step.refused.items()}
        counted = Counter(findings[0].rule.code for findings in refused.values())
        return Preview(
            intake,
            new=sum(step.new for step in steps),
            known=sum(step.known for step in steps),
            repeated=sum(step.repeated for step in steps),
            refused=dict(counted.most_common()),
        )

    async def suppliers(self) -> dict[str, FleetMapping]:
        """How the tables of each supplier are read, by name."""
        async with self._core.database.read() as tx:
            kept = await settings_like(tx, SUPPLIER)
        return {name.removeprefix(SUPPLIER): FleetMapping.from_json(text.decode()) for name, text in kept.items()}

    async def keep_supplier(self, name: str, mapping: FleetMapping, actor: str) -> None:
        """Keep how the tables of a supplier are read."""
        async with self._core.database.write() as tx:
            await set_setting(tx, SUPPLIER + name, mapping.to_json().encode())
            await self._core.announce(tx, actor, "supplier_kept", supplier=name)

    async def forget_supplier(self, name: str, actor: str) -> None:
        """Keep nothing for a supplier any more; raise NotFoundError where nothing was kept."""
        async with self._core.database.write() as tx:
            if not await drop_setting(tx, SUPPLIER + name):
                raise _unkept(name)
            await self._core.announce(tx, actor, "supplier_forgotten", supplier=name)

    async def _step(self, job: Job, content: bytes) -> bool:
        if self._run is None or self._run[0] != job.id:
            sent = await asyncio.to_thread(_Sent.from_bytes, content)
            self._run = None
            with kept_for_long():
                self._run = (job.id, await self._take_in(sent, job.id, job.id))
        intake = self._run[1]
        at, step = self._ahead or (None, _Judged())
        if at != (job.id, job.done):
            step = await self._judge_step(intake, job.done)
        last = job.done + ROWS_A_STEP >= len(intake.meters)
        done = job.total if last else min(job.total - 1, job.done + ROWS_A_STEP)
        result = await asyncio.to_thread(_result, job, intake, step, content if last else None)

        async def record(tx: WriteTx, entries: Sequence[NewEntry]) -> None:
            await note_said(tx, job.id, entries)
            await self._jobs.advance(tx, job, done, result)
            await self._core.announce(tx, job.actor, "import_advanced", job=job.id, done=done, total=job.total)

        # A table names no meter and no DevEUI in two rows: what the next ones are does not hang on these.
        _, ahead = await asyncio.gather(self._ledger.append(step.said, record), self._judge_step(intake, done))
        self._run, self._ahead = (None, None) if last else (self._run, ((job.id, done), ahead))
        return not last

    async def _judge_step(self, intake: Intake, done: int) -> _Judged:
        return await self._judge(intake, intake.order[done : done + ROWS_A_STEP])

    async def _judge(self, intake: Intake, places: Sequence[int], *, says: bool = True) -> _Judged:
        """What becomes of the meters at these places by what the registry knows now, with what they say if `says`."""
        clean = [meter for at in places if isinstance(meter := intake.meters[at], FleetMeter)]
        async with self._core.database.read() as tx:
            held = await self._held(tx, clean)
        return await asyncio.to_thread(self._weigh, intake, places, held, says)

    def _weigh(self, intake: Intake, places: Iterable[int], held: Mapping[int, Held], says: bool) -> _Judged:
        step = _Judged()
        world, settings = self._projection.world, self._core.settings.node
        author = Author(self._core.org, settings.place, self._core.clock.now())
        for at in places:
            meter = intake.meters[at]
            if not isinstance(meter, FleetMeter):
                continue
            mine = held[id(meter)]
            told = weigh(intake, meter, mine, author)
            if isinstance(told, FleetFinding):
                step.refused[at] = told
                continue
            if mine.passport is None:
                step.new += 1
            elif (first := next(told, None)) is None:
                step.repeated += 1
            else:
                step.known += 1
                told = chain((first,), told)
            if says:
                step.said += told
            own = Reference(local=meter.row.designation)
            if mine.passport is None and world.central(own, self._core.org, Catalog.TYPES) is None:
                step.unbound.add(meter.row.designation)
        return step

    async def _held(self, tx: ReadTx, meters: Sequence[FleetMeter]) -> dict[int, Held]:
        """What the registry has of each meter: a few queries for all of them."""
        terms = {id(meter): plate_term(meter.row.designation, meter.row.serial) for meter in meters}
        alike = await find_each(tx, "plate", terms.values())
        owners = await find_each(tx, "dev_eui", [meter.row.dev_eui for meter in meters if meter.row.dev_eui])
        subjects = {meter.claim.subject.raw for meter in meters}
        passports = await read_passports(tx, subjects.union(*alike.values()))
        leads = await read_leads(tx, {subject for found in owners.values() for subject in found})
        return {
            id(meter): Held(
                *_of_plate(meter, passports, alike.get(terms[id(meter)], ()), self._core.org),
                tuple(leads.get(subject, subject) for subject in owners.get(meter.row.dev_eui or "", ())),
            )
            for meter in meters
        }

    async def _take_in(self, sent: _Sent, name: str, source: str) -> Intake:
        world = self._projection.world
        known = Known(lines=world.lines, types=world.types)
        async with self._turns:
            try:
                return await asyncio.to_thread(
                    take_in,
                    sent.raw,
                    sent.mapping,
                    today=sent.on,
                    known=known,
                    log=self._ledger.log.log,
                    source=source,
                )
            except ExchangeError as error:
                raise InputError(
                    f"{name}: {error}", "import_unreadable", file=name, ru=f"{name}: {error.text('ru')}"
                ) from error

    async def _wished(self, mapping: FleetMapping | None, supplier: str) -> FleetMapping:
        if mapping is not None or not supplier:
            return mapping or FleetMapping()
        async with self._core.database.read() as tx:
            kept = await find_setting(tx, SUPPLIER + supplier)
        if kept is None:
            raise _unkept(supplier)
        return replace(FleetMapping.from_json(kept.decode()), is_kept=True)

    def _today(self) -> datetime.date:
        return datetime.datetime.fromtimestamp(self._core.clock.now() / 1e6, datetime.UTC).date()


def _unkept(supplier: str) -> NotFoundError:
    return NotFoundError(f"no mapping is kept for supplier {supplier!r}", "supplier_unknown")


def _of_plate(
    meter: FleetMeter, passports: Mapping[bytes, StoredPassport], alike: Sequence[bytes], org: bytes
) -> tuple[Claim, StoredPassport | None]:
    """The claim and the passport of a meter: that of its claim or of the twin that stands where it stands, else one of
    which this organisation stated the very plate.
    """
    claim, place = meter.claim, meter.row.address
    found = passports.get(claim.subject.raw)
    if found is None:
        return claim, next((one for s in alike if (one := passports.get(s)) and is_same_plate(one, org, meter)), None)
    if len(alike) > 1 and compare_places(place, place_of(found.content)) is Places.DIFFERENT:
        twin = find_standing(claim, passports, place)
        return (twin, passports[twin.subject.raw]) if twin else (claim, found)
    return claim, found


def _result(job: Job, intake: Intake, step: _Judged, content: bytes | None) -> dict[str, object]:
    """What a job tells after a step; after the last one, for which `content` is given, also what goes back."""
    before = job.result
    held_back = [*_refusals(before), *(_told(at, finding) for at, finding in sorted(step.refused.items()))]
    result: dict[str, object] = {
        "accepted": counted(job, "accepted") + step.new + step.known,
        "new": counted(job, "new") + step.new,
        "known": counted(job, "known") + step.known,
        "repeated": counted(job, "repeated") + step.repeated,
        "unbound": sorted({*listed(job, "unbound"), *step.unbound}),
    }
    if content is None:
        return {**result, HELD_BACK: held_back}
    found = dict(intake.refused)
    found |= {int(told["at"]): (_retold(intake, told),) for told in held_back}
    ordered = sorted(found.items())
    sent = _Sent.from_bytes(content)
    grid = read_fleet(sent.raw, sent.mapping, today=sent.on).grid if ordered else EMPTY
    header, faulty = intake.faulty(ordered, grid)
    findings = dict.fromkeys(_finding(one) for _, findings in ordered for one in findings)
    return {
        **result,
        "refused": len(faulty),
        "findings": [dict(told) for told in findings],
        "header": list(header),
        "faulty": [list(row) for row in faulty],
    }


def _told(at: int, finding: FleetFinding) -> dict[str, Any]:
    """What the registry has against a meter, as the job keeps it until the table is through."""
    return {
        "at": at,
        "rule": finding.rule.code,
        "field": finding.field.value,
        "value": finding.value,
        "words": dict(finding.words),
    }


def _retold(intake: Intake, told: Mapping[str, Any]) -> FleetFinding:
    rule = ELSEWHERE if told["rule"] == ELSEWHERE.code else RULES[told["rule"]]
    return intake.finding(rule, intake.rows[told["at"]], Field(told["field"]), told["value"], **told["words"])


def _refusals(result: Mapping[str, object]) -> list[dict[str, Any]]:
    kept = result.get(HELD_BACK)
    return list(kept) if isinstance(kept, list) else []


def _finding(finding: FleetFinding) -> tuple[tuple[str, object], ...]:
    return (
        ("row", finding.row),
        ("column", finding.column),
        ("value", finding.shown),
        ("rule", finding.rule.code),
        ("ru", finding.text("ru")),
        ("en", finding.text("en")),
    )
