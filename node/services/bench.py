"""Importing a bench file: a durable job that signs a flow-bench protocol for each run, some in each transaction.

A run is signed once: what its device's passport already holds as this organisation's protocol is passed over, so a job
that goes on after a crash, and a file that is sent again, say nothing twice.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from node.errors import InputError
from node.exchange.bench import COLUMNS, NEEDED, BenchReport, BenchRun, check_bench, read_bench
from node.exchange.cells import Table
from node.exchange.columns import Columns
from node.exchange.errors import ExchangeError
from node.exchange.findings import Advice, Finding
from node.passport import drafts
from node.passport.bodies import ParameterRow, ParametersBody, Reference
from node.passport.drafts import Draft
from node.passport.strict_json import Json
from node.passport.templates.findings import State
from node.passport.templates.template import parse_document
from node.services.core import Core
from node.services.job_results import REPORT, counted
from node.services.jobs import Jobs
from node.services.ledger import Ledger
from node.services.papers import draft_protocol, format_told, parse_told
from node.services.projection import Projection
from node.services.protocols import Checked, Protocols, find_said
from node.services.runs import Completed, Runs
from node.services.steps import Filled, Work
from node.services.templates import HeldTemplate, Templates
from node.store.database import WriteTx
from node.store.jobs import Job
from node.store.passports import find_passport

KIND = "import.bench"
TEMPLATE = "flow-bench"
RUNS_A_STEP = 20
AT_ONCE = 4
SYSTEM = "bench-file"

NO_PASSPORT = Advice(
    "bench.no_passport",
    "Паспорта этого прибора нет. Сначала импортируйте прибор, затем отправьте эти строки ещё раз.",
    "There is no passport of this device. Import the device first, then send these rows again.",
)


@dataclass(frozen=True, slots=True)
class Run:
    """A run that may be signed: its document against the template, and the register after it."""

    bench: BenchRun
    checked: Checked


@dataclass(frozen=True, slots=True)
class BenchCheck:
    """What is to be done with a file: runs to sign, how many are signed already, and what is sent back."""

    held: HeldTemplate
    runs: tuple[Run, ...]
    repeated: int
    findings: tuple[Finding, ...]
    header: tuple[str, ...]
    faulty: tuple[tuple[str, ...], ...]


class Bench:
    """Takes bench files and turns their runs into protocols against the own flow-bench template."""

    def __init__(
        self,
        core: Core,
        ledger: Ledger,
        projection: Projection,
        jobs: Jobs,
        templates: Templates,
        protocols: Protocols,
        runs: Runs,
    ) -> None:
        self._core = core
        self._ledger = ledger
        self._projection = projection
        self._templates = templates
        self._protocols = protocols
        self._runs = runs
        self._checks: dict[str, tuple[BenchCheck, int]] = {}
        jobs.register(KIND, self._step)
        self._jobs = jobs

    async def submit(self, raw: bytes, name: str, actor: str, job_id: str | None = None) -> str:
        """Take a file and answer its job, of this id where one is known.

        Raise InputError where it is no bench file, and where no flow-bench template is published yet.
        """
        try:
            check = await self._check(raw)
        except ExchangeError as error:
            raise InputError(
                f"{name}: {error}", "import_unreadable", file=name, ru=f"{name}: {error.text('ru')}"
            ) from error
        return await self._jobs.submit(KIND, raw, max(1, len(check.runs)), actor, name, job_id)

    async def _step(self, job: Job, content: bytes) -> bool:
        if job.id not in self._checks:
            self._checks[job.id] = (await self._check(content), 0)
        check, at = self._checks[job.id]
        runs = check.runs[at : at + RUNS_A_STEP]
        last = at + len(runs) >= len(check.runs)
        done = job.total if last else min(job.total - 1, job.done + len(runs))
        failed = sum(not run.bench.passed for run in runs)
        told = {"accepted": counted(job, "accepted") + len(runs), "failed": counted(job, "failed") + failed}
        result = {**_result(check, job), **told}
        async with self._runs.moving():
            said, steps = await self._said(runs)

            async def record(tx: WriteTx, _entries: object) -> None:
                for step in steps:
                    subject = step.turn.passport.subject
                    await self._core.announce(tx, job.actor, "step_done", subject, org=None, **step.told)
                await self._jobs.advance(tx, job, done, result)
                await self._core.announce(tx, job.actor, "import_advanced", job=job.id, done=done, total=job.total)

            await self._ledger.append(said, record)
        self._checks[job.id] = (check, at + len(runs))
        if last:
            del self._checks[job.id]
        return not last

    async def _check(self, raw: bytes) -> BenchCheck:
        held = await self._templates.newest_own(TEMPLATE)
        if held is None:
            raise InputError("publish a flow-bench template before the first bench file", "bench_no_template")
        table = await asyncio.to_thread(read_bench, raw)
        world = self._projection.world
        report = await asyncio.to_thread(check_bench, table, world.lines, world.types)
        runs: list[Run] = []
        findings, repeated = list(report.findings), 0
        unique = _unique(report)
        for at in range(0, len(unique), AT_ONCE):
            # Judging one mostly waits for the store: some are asked about together.
            for told in await asyncio.gather(*(self._judge(held, table, one) for one in unique[at : at + AT_ONCE])):
                if isinstance(told, Run):
                    runs.append(told)
                elif told:
                    findings += told
                else:
                    repeated += 1
        findings.sort(key=lambda finding: finding.row)
        header, faulty = await asyncio.to_thread(_sent_back, table, findings)
        return BenchCheck(held, tuple(runs), repeated, tuple(findings), header, faulty)

    async def _judge(self, held: HeldTemplate, table: Table, bench: BenchRun) -> Run | list[Finding]:
        """A run to sign, or what is wrong with it; nothing is wrong with one that is signed already."""
        async with self._core.database.read() as tx:
            passport = await find_passport(tx, bench.claim.subject.raw, whole=False)
        if passport is None:
            return [NO_PASSPORT.at(bench.row, _title(table, "serial"), bench.plate.serial)]
        document: Json = parse_document(bench.to_bytes())
        if find_said(passport.content, self._core.org, held, document) is not None:
            return []
        checked = await self._protocols.judge(held, document)
        if checked.state is not State.INVALID:
            return Run(bench, checked)
        wrong = [remark for remark in checked.remarks if remark.severity == "error"]
        return [
            Finding(
                bench.row,
                remark.pointer or "/",
                remark.value[:100],
                remark.rule,
                f"{remark.ru.what} {remark.ru.advice}",
                f"{remark.en.what} {remark.en.advice}",
            )
            for remark in wrong
        ]

    async def _said(self, runs: Sequence[Run]) -> tuple[list[Draft], list[Completed]]:
        """What is said of runs, and the steps of processes that they do: of a device one at a time."""
        said, steps = list[Draft](), dict[bytes, Completed]()
        for run in runs:
            subject = self._subject(run)
            step = None if subject in steps else await self._step_of(run, subject)
            if step is not None:
                steps[subject] = step
            said += step.drafts if step else [self._protocol(run, subject)]
            said += self._reading(run, subject)
        return said, list(steps.values())

    async def _step_of(self, run: Run, subject: bytes) -> Completed | None:
        """The step of an open process that a run's protocol does."""
        held = run.checked.held
        work = Work(self._occurred(run), SYSTEM, document=Filled(held.reference, run.bench.to_bytes()))
        return await self._runs.completed_by(subject, held.body(), work)

    def _subject(self, run: Run) -> bytes:
        passport = run.checked.passport
        return passport.subject if passport else run.bench.claim.subject.raw

    def _occurred(self, run: Run) -> int:
        finished = parse_told(run.bench.document.get("finished_at"))
        return self._core.clock.now() if finished is None else finished

    def _protocol(self, run: Run, subject: bytes) -> Draft:
        checked = run.checked
        return draft_protocol(
            checked.held,
            checked.document,
            subject,
            is_checked=checked.state is State.VALID,
            place=self._protocols.place,
            system=SYSTEM,
            now=self._core.clock.now(),
        )

    def _reading(self, run: Run, subject: bytes) -> list[Draft]:
        if run.bench.last_reading_m3 is not None:
            occurred = self._occurred(run)
            row = ParameterRow(
                code=Reference(central="bench_reading"),
                value=format(run.bench.last_reading_m3, "f"),
                unit="m3",
                since=format_told(occurred),
                source=SYSTEM,
            )
            return [drafts.parameters(subject, ParametersBody(rows=(row,)), occurred)]
        return []


def _unique(report: BenchReport) -> list[BenchRun]:
    """Each run once: two protocols with one content are one."""
    return list({run.to_bytes(): run for run in report.runs}.values())


def _sent_back(table: Table, findings: Sequence[Finding]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Every row of the protocols that something is wrong with, each with its rules and what to do."""
    kept = [at for at, title in enumerate(table.header) if title not in REPORT]
    header = (*(table.header[at] for at in kept), *REPORT)
    by_row: dict[int, list[Finding]] = {}
    for finding in findings:
        by_row.setdefault(finding.row, []).append(finding)
    number = _place(table, "protocol_no")
    wrong = {row.cells[number].text for row in table.rows if row.number in by_row}
    faulty = []
    for row in table.rows:
        if row.cells[number].text in wrong:
            mine = by_row.get(row.number, [])
            rules = "; ".join(dict.fromkeys(finding.rule for finding in mine))
            remarks = " ".join(f"{finding.column}: {finding.ru} / {finding.en}" for finding in mine)
            faulty.append((*(row.cells[at].text for at in kept), rules, remarks))
    return header, tuple(faulty)


def _place(table: Table, field: str) -> int:
    return Columns.find(table.header, COLUMNS, NEEDED, {}).places[field]


def _title(table: Table, field: str) -> str:
    return table.header[_place(table, field)]


def _result(check: BenchCheck, job: Job) -> dict[str, object]:
    # A job that goes on finds its own runs signed: only its first step tells which were there before it.
    repeated = check.repeated if "repeated" not in job.result else counted(job, "repeated")
    return {
        "template": check.held.reference,
        "repeated": repeated,
        "findings": [asdict(finding) for finding in check.findings],
        "header": list(check.header),
        "faulty": [list(row) for row in check.faulty],
    }
