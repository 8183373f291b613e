"""Reading the register of verifications: a durable job that asks about devices one by one and writes back what it says.

Every answer is kept as it came. A record of another serial or type is refused and named; of several the newest counts.
What the register says and this organisation has not said yet is stated in the passport with the answer beside it, in
one transaction with the answer and the progress.
"""

import contextlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from federation.fragment import Ref
from node.errors import InputError, NodeError, NotFoundError
from node.passport import drafts
from node.passport.bodies import EventBody, ExtractBody, ParameterRow, Place, Reference, RegisterBody
from node.passport.drafts import Draft
from node.passport.errors import PlateError, RegisterAnswerError
from node.passport.ids import SubjectId, format_device_id
from node.passport.references import parse_ref
from node.passport.register_answers import REGISTER, RegisterRecord, newest, parse_answer, serial_form, type_base
from node.passport.registered import RECORD, VALID_UNTIL
from node.passport.shown import at, fact, rows, text
from node.passport.sifting import parse_sift
from node.passport.view import DAY_US, View, moment_us
from node.passport.waiting import SOON
from node.services.core import Core
from node.services.jobs import ASIDE, Jobs
from node.services.ledger import Ledger
from node.services.papers import format_told
from node.services.projection import Projection
from node.services.register_client import Asked, RegisterClient
from node.store.database import WriteTx
from node.store.errors import MissingError
from node.store.finding import find_cards
from node.store.jobs import Job
from node.store.passports import StoredPassport, find_passport
from node.store.register_answers import KeptAnswer as Answer
from node.store.register_answers import answers_about, get_answer, insert_answer, last_answers

KIND = "register.read"
MOST_DEVICES = 10_000
SHOWN = 200
SHOWN_OTHERS = 10
MAX_REFS = 16  # of a header
SILENT = 3  # devices in a row without an answer, after which the register is away
PLACE = "ФГИС «Аршин»"
__all__ = ["Answer", "RegisterReading", "Which"]

Which = Literal["unrecorded", "expiring"]


@dataclass(frozen=True, slots=True)
class Found:
    """What an answer says of a device: `what` is recorded, known, none, other, unreadable, silent or unnamed."""

    what: str
    record: RegisterRecord | None = None
    others: tuple[str, ...] = ()
    error: str = ""


class RegisterReading:
    """Asks the register about devices, in this organisation's name."""

    def __init__(self, core: Core, ledger: Ledger, projection: Projection, jobs: Jobs, client: RegisterClient) -> None:
        self._core = core
        self._ledger = ledger
        self._projection = projection
        self._client = client
        self._jobs = jobs
        jobs.register(KIND, self._step, ASIDE)

    @property
    def is_on(self) -> bool:
        """Whether the register's address is set."""
        return self._client.is_on

    async def submit(self, subjects: Sequence[bytes], actor: str, which: Which | None = None) -> str:
        """Ask about these devices, or about all whose result waits for its record or whose term ends in 90 days.

        Raise StateError where reading is off, InputError where there is nothing to ask about or too much.
        """
        self._client.check_on()
        chosen = [*dict.fromkeys(subjects)] or await self._chosen(which)
        if not 0 < len(chosen) <= MOST_DEVICES:
            raise InputError(
                f"{len(chosen)} devices are chosen, 1 to {MOST_DEVICES} are asked about at once",
                "register_nothing" if not chosen else "register_too_many",
                most=MOST_DEVICES,
            )
        content = json.dumps([subject.hex() for subject in chosen]).encode()
        return await self._jobs.submit(KIND, content, len(chosen), actor, PLACE)

    async def answers(self, subject: bytes) -> list[Answer]:
        """The last answers about a device, newest first."""
        async with self._core.database.read() as tx:
            passport = await find_passport(tx, subject, whole=False)
            subjects = rows_of_subjects(passport.content) if passport else [subject]
            return await answers_about(tx, subjects)

    async def newest(self, limit: int, before: int | None = None) -> list[Answer]:
        """The last answers about any device, newest first."""
        async with self._core.database.read() as tx:
            return await last_answers(tx, limit, before)

    async def answer(self, number: int) -> Answer:
        """One answer with its bytes; raise NotFoundError."""
        async with self._core.database.read() as tx:
            try:
                return await get_answer(tx, number)
            except MissingError as error:
                raise NotFoundError(str(error), "answer_unknown") from error

    async def _chosen(self, which: Which | None) -> list[bytes]:
        day = self._core.clock.now() // DAY_US
        sift = (
            parse_sift(expires_before=day + SOON.days) if which == "expiring" else parse_sift(unrecorded_before=day + 2)
        )
        async with self._core.database.read() as tx:
            return [card.subject for card in await find_cards(tx, sift, limit=MOST_DEVICES)]

    async def _step(self, job: Job, content: bytes) -> bool:
        subjects: list[str] = json.loads(content)
        subject = bytes.fromhex(subjects[job.done])
        async with self._core.database.read() as tx:
            passport = await find_passport(tx, subject, whole=False)
        found, asked = await self._find(passport)
        silent = _count(job, "silent_now") + 1 if found.what == "silent" else 0
        result = _told(job, subject, passport, found, silent)
        said: list[Draft] = []
        if passport is not None and asked is not None and found.record is not None and found.what == "recorded":
            said.append(self._draft(passport, found.record, asked))

        async def record(tx: WriteTx, _entries: object) -> None:
            if asked is not None:
                await insert_answer(tx, subject, asked.asked_us, asked.url, asked.body, found.what, _detail(found))
            await self._jobs.advance(tx, job, job.done + 1, result)
            await self._core.announce(
                tx,
                job.actor,
                "register_read",
                subject,
                job=job.id,
                found=found.what,
                done=job.done + 1,
                total=job.total,
            )

        await self._ledger.append(said, record)
        if silent >= SILENT and job.done + 1 < job.total:
            raise NodeError(f"the register does not answer: {found.error}; ask again later about those that are left")
        return job.done + 1 < job.total

    async def _find(self, passport: StoredPassport | None) -> tuple[Found, Asked | None]:
        """Ask about a device and judge the answer; nothing is asked where serial or type is not known."""
        number = _type_number(passport.content) if passport else ""
        serial = fact(passport.content, "identity", "serial") if passport else ""
        if passport is None or not number or not serial:
            return Found("unnamed"), None
        try:
            asked = await self._client.ask(number, serial)
        except NodeError as error:
            return Found("silent", error=str(error)), None
        try:
            records = parse_answer(asked.body).records
        except RegisterAnswerError as error:
            return Found("unreadable", error=str(error)), asked
        mine = [one for one in records if self._is_about(passport.content, one, number, serial)]
        others = tuple(dict.fromkeys(f"{one.type_number} № {one.serial}" for one in records if one not in mine))
        record = newest(mine)
        if record is None:
            return Found("other" if others else "none", others=others), asked
        if moment_us(record.verified) > self._core.clock.now() + DAY_US:
            return Found("unreadable", error=f"a record is of a day to come: {record.verified}"), asked
        what = "known" if self._is_said(passport.content, record) else "recorded"
        return Found(what, record, others), asked

    def _is_about(self, view: View, record: RegisterRecord, number: str, serial: str) -> bool:
        """Whether a record is of this serial, as its line writes it, and of this type."""
        line = text(view, "identity", "line", "id")
        rule = self._projection.world.lines.find(SubjectId(bytes.fromhex(line))) if line else None
        said, wanted = serial_form(record.serial), serial_form(serial)
        if rule is not None:
            with contextlib.suppress(PlateError):
                said, wanted = rule.serial.canonical(said), rule.serial.canonical(wanted)
        return said == wanted and type_base(record.type_number) == type_base(number)

    def _is_said(self, view: View, record: RegisterRecord) -> bool:
        """Whether this organisation stated the record already, and nobody annulled the result since."""
        told = [
            row
            for row in rows(view, "verification", "register")
            if row["by"] == self._core.org.hex() and not row["annulled"]
        ]
        last = told[-1] if told else None
        wanted = (record.verified, record.valid_until, record.docnum, record.is_fit)
        shown = tuple(at(last, "record", name) for name in ("verified", "valid_until", "number", "fit")) if last else ()
        return wanted == shown

    def _draft(self, passport: StoredPassport, record: RegisterRecord, asked: Asked) -> Draft:
        values = {VALID_UNTIL: record.valid_until, RECORD: record.docnum}
        told = tuple(
            ParameterRow(code=Reference(central=code), value=value, since=record.verified, source=REGISTER)
            for code, value in values.items()
            if value
        )
        occurred = moment_us(record.verified)
        where = Place(place=Reference(local=PLACE), default=True)
        event = EventBody(what=Reference(central=record.verdict), where=where, system=REGISTER)
        events = () if _has_verdict(passport.content, record.verdict, occurred) else (event,)
        body = RegisterBody(source=REGISTER, url=asked.url[:1024], asked=format_told(asked.asked_us))
        return drafts.register_record(
            passport.subject,
            ExtractBody(parameters=told, events=events),
            body,
            asked.body,
            occurred,
            _replaced(passport.content, self._core.org, record),
        )


def rows_of_subjects(view: View) -> list[bytes]:
    """Every subject of a passport."""
    found = at(view, "subjects")
    return [bytes.fromhex(str(subject)) for subject in found] if isinstance(found, list) else []


def _replaced(view: View, org: bytes, record: RegisterRecord) -> list[Ref]:
    """The own readings of that result which this one takes the place of."""
    own = [row for row in rows(view, "verification", "register") if row["by"] == org.hex()]
    return [parse_ref(str(row["ref"])) for row in own if at(row, "record", "verified") == record.verified][-MAX_REFS:]


def _has_verdict(view: View, code: str, occurred: int) -> bool:
    """Whether the passport tells already of that verdict on that day."""
    return any(
        at(row, "what", "central") == code
        and not row["replaced_by"]
        and int(str(row["occurred"])) // DAY_US == occurred // DAY_US
        for row in rows(view, "events")
    )


def _type_number(view: View) -> str:
    """The type approval number by the plate, else by the type's record."""
    plates = (number for row in rows(view, "plates") for number in _texts(row.get("approvals")))
    return next(plates, "") or text(view, "type", "record", "approval")


def _told(job: Job, subject: bytes, passport: StoredPassport | None, found: Found, silent: int) -> dict[str, object]:
    """What the job tells after this device: how many of each kind, and those that a person has to look at."""
    before = job.result.get("counts")
    counts = Counter(before if isinstance(before, dict) else {})
    counts[found.what] += 1
    result: dict[str, object] = {"counts": dict(counts), "silent_now": silent}
    looked = job.result.get("devices")
    devices = list(looked) if isinstance(looked, list) else []
    row: dict[str, object] = {
        "id": format_device_id(SubjectId(subject)),
        "title": passport.title if passport else "",
        "found": found.what,
        **_detail(found),
    }
    if found.what not in ("known", "recorded") and len(devices) < SHOWN:
        devices.append(row)
    return result | {"devices": devices}


def _detail(found: Found) -> dict[str, object]:
    told: dict[str, object] = {}
    if found.record is not None:
        told["record"] = asdict(found.record)
    if found.others:
        told["others"] = list(found.others[:SHOWN_OTHERS])
    if found.error:
        told["error"] = found.error
    return told


def _count(job: Job, name: str) -> int:
    value = job.result.get(name, 0)
    return value if isinstance(value, int) else 0


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []
