"""Importing a maker's production file: a durable job whose every step says and records its rows in one transaction."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from federation.errors import FederationError
from node.errors import InputError
from node.exchange.errors import ExchangeError
from node.exchange.findings import Finding
from node.exchange.production import HeldSecrets, Known, ProductionRow, Report, Stated, check_rows
from node.exchange.tables import Table, read_table
from node.passport import drafts
from node.passport.bodies import (
    AliasBody,
    EventBody,
    ParameterRow,
    ParametersBody,
    Place,
    Plate,
    RadioBody,
    Reference,
    RootKeysBody,
    TypeBody,
)
from node.passport.catalogs import Catalog
from node.passport.drafts import Draft
from node.passport.errors import BodyError
from node.passport.ids import SubjectId
from node.passport.places import NO_PLACE
from node.passport.shown import fact, is_stated_by, text
from node.passport.view import DAY_US, value_on
from node.secret import Secret
from node.services.core import Core
from node.services.entry import Entry
from node.services.job_results import counted, listed
from node.services.jobs import Jobs
from node.services.ledger import Ledger
from node.services.projection import Projection
from node.services.provisioning import find_root_key, open_root_key
from node.services.said import note_said
from node.services.statements import StatementReader
from node.store.database import ReadTx, WriteTx
from node.store.fragments import NewEntry, entries_about
from node.store.jobs import Job
from node.store.logs import list_logs
from node.store.passports import StoredPassport, find_passport, find_terms
from node.store.settings import set_setting, settings_like

KIND = "import.production"
ROWS_A_STEP = 20
HELD = "held:"


@dataclass(slots=True)
class _Run:
    """A job as this process runs it: what became of its rows, what it says of them, and how many were said."""

    report: Report
    result: dict[str, object]
    at: int = 0


class Production:
    """Takes production files and turns their rows into passports."""

    def __init__(self, core: Core, ledger: Ledger, projection: Projection, jobs: Jobs, entry: Entry) -> None:
        self._core = core
        self._ledger = ledger
        self._projection = projection
        self._entry = entry
        self._runs: dict[str, _Run] = {}
        jobs.register(KIND, self._step)
        self._jobs = jobs

    async def submit(self, raw: bytes, name: str, actor: str) -> str:
        """Take a file and answer its job; raise InputError where it is no table or lacks a column."""
        try:
            table = await asyncio.to_thread(read_table, raw)
            report = await self._check(table, "preview")
        except ExchangeError as error:
            raise InputError(
                f"{name}: {error}", "import_unreadable", file=name, ru=f"{name}: {error.text('ru')}"
            ) from error
        total = max(1, len(report.accepted))
        return await self._jobs.submit(KIND, raw, total, actor, name)

    async def _step(self, job: Job, content: bytes) -> bool:
        run = self._runs.get(job.id) or await self._take_up(job, content)
        rows = run.report.accepted[run.at : run.at + ROWS_A_STEP]
        last = run.at + len(rows) >= len(run.report.accepted)
        # A job whose progress is full has ended: what became acceptable since it was taken does not end it early.
        done = job.total if last else min(job.done + len(rows), job.total - 1)
        result = {**run.result, "accepted": counted(job, "accepted") + len(rows)}
        said = [draft for row in rows for draft in self._drafts(row)]

        async def record(tx: WriteTx, entries: Sequence[NewEntry]) -> None:
            await note_said(tx, job.id, entries)
            await self._jobs.advance(tx, job, done, result)
            if last:
                await self._hold(tx, job.id, run.report)
            await self._core.announce(tx, job.actor, "import_advanced", job=job.id, done=done, total=job.total)

        await self._ledger.append(said, record)
        run.at += len(rows)
        if last:
            del self._runs[job.id]
        return not last

    async def _take_up(self, job: Job, content: bytes) -> "_Run":
        """Judge the file; a job that goes on finds its own rows said: its first step tells what was there before."""
        table = await asyncio.to_thread(read_table, content)
        report = await self._check(table, job.id)
        result = _result(report)
        result["repeated"] = job.result.get("repeated", len(report.repeated))
        result["unbound"] = sorted({*report.unbound, *listed(job, "unbound")})
        self._runs[job.id] = run = _Run(report, result)
        return run

    async def _check(self, table: Table, source: str) -> Report:
        """Twice: the first time tells which devices to look for, the second judges with what is known of them."""
        async with self._core.database.read() as tx:
            held = await self._held(tx)
            first = await asyncio.to_thread(self._judge, table, Known(held=held), source)
            known = await self._known(tx, first.accepted)
        return await asyncio.to_thread(
            self._judge, table, Known(devices=known[0], dev_euis=known[1], held=held), source
        )

    def _judge(self, table: Table, known: Known, source: str) -> Report:
        world = self._projection.world
        return check_rows(
            table,
            world.lines,
            world.bindings,
            known,
            organisation=self._core.org.hex(),
            types=world.types,
            source=source,
            today=self._day(),
            book=self._entry.book,
        )

    async def _known(
        self, tx: ReadTx, rows: Sequence[ProductionRow]
    ) -> tuple[dict[SubjectId, Stated], dict[str, SubjectId]]:
        devices: dict[SubjectId, Stated] = {}
        euis: dict[str, SubjectId] = {}
        for row in rows:
            passport = await find_passport(tx, row.subject.raw, whole=False)
            if passport is not None and is_stated_by(passport.content, self._core.org):
                devices[row.subject] = await self._stated(tx, passport)
            for subject, _ in await find_terms(tx, row.dev_eui or "", "dev_eui") if row.dev_eui else ():
                euis[row.dev_eui or ""] = SubjectId(subject)
        return devices, euis

    async def _stated(self, tx: ReadTx, passport: StoredPassport) -> Stated:
        view = passport.content
        dev_eui = fact(view, "radio", "dev_eui")
        stands = (await StatementReader.open(tx)).standing(await entries_about(tx, [passport.subject]))
        logs = {log.log for log in await list_logs(tx, own=True)}
        own = [e for e in stands if e.log in logs]
        sealed = find_root_key(own, dev_eui) if dev_eui else None
        values = {code: str((value_on(view, code) or {}).get("value") or "") for code in ("batch", "manufactured_on")}
        return Stated(
            dev_eui,
            fact(view, "radio", "join_eui"),
            text(view, "type", "execution"),
            values["batch"],
            values["manufactured_on"],
            self._root_key(sealed) if sealed else None,
        )

    def _root_key(self, sealed: bytes) -> Secret | None:
        try:
            return Secret(open_root_key(self._core.keystore.vault, sealed))
        except (BodyError, FederationError):
            return None  # stated by other means than a file

    def _day(self) -> date:
        """The latest day that it is anywhere now."""
        return datetime.fromtimestamp((self._core.clock.now() + DAY_US) / 1e6, UTC).date()

    async def _held(self, tx: ReadTx) -> dict[str, HeldSecrets]:
        found: dict[str, HeldSecrets] = {}
        for sealed in (await settings_like(tx, HELD)).values():
            rows: dict[str, list[str | None]] = json.loads(self._core.keystore.vault.open(sealed))
            for reference, (key, box) in rows.items():
                found[reference] = HeldSecrets(_secret(key), _secret(box))
        return found

    async def _hold(self, tx: WriteTx, job_id: str, report: Report) -> None:
        if not report.held:
            return
        rows = {
            reference: [_hex(secrets.app_key), _hex(secrets.box_code)] for reference, secrets in report.held.items()
        }
        await set_setting(tx, HELD + job_id, self._core.keystore.vault.seal(json.dumps(rows).encode()))

    def _drafts(self, row: ProductionRow) -> list[Draft]:
        subject, now = row.subject.raw, self._core.clock.now()
        # Of a device whose day is not told the year says the earliest; it was not made on the day of the file.
        year = date(int(row.plate.year), 1, 1) if row.plate.year else None
        made = row.made_on or year or datetime.fromtimestamp(now / 1e6, UTC).date()
        occurred = _micros(made)
        said = [drafts.identity(subject, row.claim.encode(), _plate(row), occurred, _type(row))]
        event = EventBody(
            what=Reference(central="manufactured"),
            where=Place(place=Reference(local=self._core.settings.node.place or NO_PLACE), default=True),
            system="production-file",
        )
        said.append(drafts.event(subject, event, occurred))
        if rows := _parameters(row, made):
            said.append(drafts.parameters(subject, ParametersBody(rows=rows), occurred))
        if row.dev_eui is not None:
            said.append(drafts.radio(subject, self._radio(row), _root_keys(row), occurred))
            alias = AliasBody(scheme="dev_eui", value=row.dev_eui, evidence="document", since=made.isoformat())
            said.append(drafts.alias(subject, alias, occurred))
        return said

    def _radio(self, row: ProductionRow) -> RadioBody:
        world = self._projection.world
        reference = Reference(local=row.type.local, central=row.type.central)
        code = world.central(reference, self._core.org, Catalog.TYPES)
        kind = world.types.get(code) if code else None
        radio = kind.radio(row.execution) if kind is not None else None
        values: dict[str, object] = {"dev_eui": row.dev_eui, "join_eui": row.join_eui or "0" * 16}
        if radio is not None:
            values |= {
                "version": radio.version,
                "device_class": radio.device_class,
                "region": radio.region,
                "activation": radio.activation,
                "ports": radio.ports,
            }
        return RadioBody.model_validate({**values, "driver": kind.driver if kind else None})


def _plate(row: ProductionRow) -> Plate:
    plate = row.plate
    return Plate(
        mark=plate.mark,
        designation=plate.designation,
        serial=plate.serial,
        year=plate.year,
        approvals=plate.approvals,
        codes=plate.codes,
        read="document",
    )


def _type(row: ProductionRow) -> TypeBody:
    return TypeBody(
        type=Reference(local=row.type.local, central=row.type.central),
        model=row.plate.designation,
        execution=row.execution,
    )


def _parameters(row: ProductionRow, made: date) -> tuple[ParameterRow, ...]:
    values = {
        "firmware_version": row.firmware,
        "hardware_version": row.hardware,
        "batch": row.batch,
        "manufactured_on": row.made_on.isoformat() if row.made_on else None,
        "box_code_hash": _box_hash(row),
    }
    return tuple(
        ParameterRow(code=Reference(central=code), value=value, since=made.isoformat(), source="production-file")
        for code, value in values.items()
        if value
    )


def _box_hash(row: ProductionRow) -> str | None:
    if row.box_code is None:
        return None
    return hashlib.sha256(b"passport/box/1\n" + row.subject.raw + row.box_code.reveal()).hexdigest()


def _root_keys(row: ProductionRow) -> RootKeysBody | None:
    return None if row.app_key is None else RootKeysBody(app_key=row.app_key.reveal().hex())


def _micros(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1e6)


def _result(report: Report) -> dict[str, object]:
    return {
        "repeated": len(report.repeated),
        "unbound": list(report.unbound),
        "ignored": list(report.ignored),
        "findings": [_finding(finding) for finding in report.findings],
        "header": list(report.header),
        "faulty": [list(row) for row in report.faulty],
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "row": finding.row,
        "column": finding.column,
        "value": finding.value,
        "rule": finding.rule,
        "ru": finding.ru,
        "en": finding.en,
    }


def _secret(text: str | None) -> Secret | None:
    return None if text is None else Secret(bytes.fromhex(text))


def _hex(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal().hex()
