"""Verifying many meters at once: a durable job that signs a verification for each bench run of a day.

Each meter is verified by its newest flow-bench protocol of this organisation. A verification that is signed already is
passed over, so a job that goes on after a crash signs nothing twice; what a rule of the template refuses is told. Where
a process of the meter waits for us to do a step with such a protocol, the step is done with it.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from federation.errors import CodecError
from node.errors import InputError
from node.exchange.arshin import write_application
from node.exchange.errors import ArshinError
from node.exchange.findings import Advice, Finding
from node.exchange.verifying import verify_run
from node.passport.drafts import Draft
from node.passport.ids import SubjectId, format_device_id
from node.passport.shown import at, rows
from node.passport.strict_json import Json, format_json
from node.passport.templates.errors import JsonError
from node.passport.templates.findings import State
from node.passport.templates.template import parse_document
from node.passport.view import DAY_US, Plain, View
from node.services.bench import TEMPLATE
from node.services.core import Core
from node.services.jobs import Jobs
from node.services.ledger import Ledger
from node.services.papers import draft_protocol
from node.services.protocols import Checked, Protocols, find_said
from node.services.runs import Completed, Runs, StoredRun, Work
from node.services.steps import Filled
from node.services.templates import HeldTemplate, Templates
from node.store.database import WriteTx
from node.store.jobs import Job
from node.store.passports import read_passports

KIND = "verify.bench"
SYSTEM = "protocol"
METERS_A_STEP = 40
MOST = 10_000

NOT_FOR_REGISTER = Advice(
    "verify.not_for_register",
    "Без этого значения прибор не войдёт в файл «Аршин». Заполните его в форме.",
    "Without this value the meter gets into no «Аршин» file. Fill it in.",
)


@dataclass(slots=True)
class _Step:
    drafts: list[Draft] = field(default_factory=list)
    signed: int = 0
    failed: int = 0
    repeated: int = 0
    findings: list[Finding] = field(default_factory=list)
    done: list[Completed] = field(default_factory=list)


class Verifying:
    """Verifies meters by their bench runs."""

    def __init__(
        self, core: Core, ledger: Ledger, jobs: Jobs, templates: Templates, protocols: Protocols, runs: Runs
    ) -> None:
        self._core = core
        self._ledger = ledger
        self._templates = templates
        self._protocols = protocols
        self._runs = runs
        jobs.register(KIND, self._step)
        self._jobs = jobs

    async def submit(self, template: str, head: bytes, subjects: Sequence[bytes], actor: str) -> str:
        """Verify these meters and answer the job.

        Raise NotFoundError for a template that is not held, InputError for a head that is no document or no meters.
        """
        await self._templates.get(template)
        try:
            document = parse_document(head)
        except JsonError as error:
            raise InputError(f"the head cannot be read: {error}", "document_unreadable", ru=error.text("ru")) from error
        chosen = [*dict.fromkeys(subjects)]
        if not isinstance(document, dict) or not 0 < len(chosen) <= MOST:
            raise InputError(f"1 to {MOST} meters are verified at once", "verify_nothing", most=MOST)
        content = {
            "template": template,
            "head": format_json(document).decode(),
            "subjects": [subject.hex() for subject in chosen],
        }
        return await self._jobs.submit(KIND, json.dumps(content).encode(), len(chosen), actor)

    async def on_the_bench(self, runs: Sequence[StoredRun]) -> list[bytes]:
        """What some processes are about and was on this organisation's bench on the day they were opened or later."""
        async with self._core.database.read() as tx:
            passports = await read_passports(tx, [run.lead for run in runs])
        found = []
        for run in runs:
            row = _bench_row(passports[run.lead].content, self._core.org) if run.lead in passports else None
            since = run.card.opened_us - run.card.opened_us % DAY_US
            if row is not None and isinstance(row["occurred"], int) and row["occurred"] >= since:
                found.append(run.lead)
        return found

    async def _step(self, job: Job, content: bytes) -> bool:
        told = json.loads(content)
        held, head = await self._templates.get(told["template"]), parse_document(told["head"].encode())
        subjects = [bytes.fromhex(subject) for subject in told["subjects"]]
        part = subjects[job.done : job.done + METERS_A_STEP]
        async with self._runs.moving():
            step = await self._verify(held, head if isinstance(head, dict) else {}, part, job.done)
            await self._say(job, step, job.done + len(part))
        return job.done + len(part) < job.total

    async def _say(self, job: Job, step: _Step, done: int) -> None:
        before = job.result.get("findings")
        result = {
            "accepted": _count(job, "accepted") + step.signed,
            "failed": _count(job, "failed") + step.failed,
            "repeated": _count(job, "repeated") + step.repeated,
            "findings": [*(before if isinstance(before, list) else []), *(_shown(one) for one in step.findings)],
        }

        async def record(tx: WriteTx, _entries: object) -> None:
            for one in step.done:
                subject = one.turn.passport.subject
                await self._core.announce(tx, job.actor, "step_done", subject, org=None, **one.told)
            await self._jobs.advance(tx, job, done, result)
            await self._core.announce(tx, job.actor, "import_advanced", job=job.id, done=done, total=job.total)

        try:
            await self._ledger.append(step.drafts, record)
        except CodecError as error:
            raise InputError(f"a document is too large to be signed: {error}", "document_too_large") from error

    async def _verify(self, held: HeldTemplate, head: dict[str, Json], subjects: Sequence[bytes], first: int) -> _Step:
        async with self._core.database.read() as tx:
            passports = await read_passports(tx, subjects)
        step = _Step()
        for at_, subject in enumerate(subjects, start=first + 1):
            passport = passports.get(subject)
            run = _bench_run(passport.content, self._core.org) if passport else None
            if passport is None or run is None:
                step.findings.append(_no_run(at_, subject))
                continue
            document: Json = parse_document(
                format_json(verify_run(head, run, f"{head.get('protocol_no', '')}-{at_:04d}"))
            )
            if find_said(passport.content, self._core.org, held, document) is not None:
                step.repeated += 1
                continue
            checked = await self._protocols.judge(held, document)
            if checked.state is State.INVALID or checked.passport is None:
                wrong = [remark for remark in checked.remarks if remark.severity == "error"]
                step.findings.extend(
                    Finding(at_, one.pointer or "/", one.value[:100], one.rule, one.ru.what, one.en.what)
                    for one in wrong
                )
                continue
            if (refused := await asyncio.to_thread(_refused_by_register, at_, document)) is not None:
                step.findings.append(refused)
                continue
            step.signed += 1
            step.failed += run.get("result") != "pass"
            await self._add(step, checked, checked.passport.subject)
        return step

    async def _add(self, step: _Step, checked: Checked, subject: bytes) -> None:
        """Add what is said of a verification: the step of the process that waits for it with it, else it alone."""
        held, document = checked.held, checked.document
        work = Work(self._core.clock.now(), SYSTEM, document=Filled(held.reference, format_json(document)))
        completed = await self._runs.completed_by(subject, held.body(), work)
        if completed is not None:
            step.done.append(completed)
            step.drafts += completed.drafts
            return
        step.drafts.append(
            draft_protocol(
                held,
                document,
                subject,
                is_checked=checked.state is State.VALID,
                place=self._protocols.place,
                system=SYSTEM,
                now=self._core.clock.now(),
            )
        )


def _refused_by_register(row: int, document: Json) -> Finding | None:
    """What the «Аршин» file could not do with: what is signed without it would never get there."""
    try:
        write_application([document])
    except ArshinError as error:
        return NOT_FOR_REGISTER.at(row, error.place or "/", "")
    return None


def _bench_run(view: View, org: bytes) -> dict[str, Json] | None:
    """The document of the newest flow-bench protocol that an organisation signed."""
    row = _bench_row(view, org)
    document = parse_document(str(row["document"]).encode()) if row is not None else None
    return document if isinstance(document, dict) else None


def _bench_row(view: View, org: bytes) -> dict[str, Plain] | None:
    mine = [
        row for row in rows(view, "protocols") if row["by"] == org.hex() and at(row, "template", "name") == TEMPLATE
    ]
    for row in reversed(mine):
        if isinstance(row["document"], str) and row["annulled"] is None:
            return row
    return None


def _no_run(number: int, subject: bytes) -> Finding:
    return Finding(
        number,
        "device",
        format_device_id(SubjectId(subject)),
        "verify.no_run",
        "Проливки этого прибора здесь нет. Сначала отправьте файл установки.",
        "There is no bench run of this meter here. Send the bench's file first.",
    )


def _shown(finding: Finding) -> dict[str, object]:
    names = ("row", "column", "value", "rule", "ru", "en")
    return {name: getattr(finding, name) for name in names}


def _count(job: Job, name: str) -> int:
    value = job.result.get(name, 0)
    return value if isinstance(value, int) else 0
