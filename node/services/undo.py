"""Undoing an import: a durable job that takes back what the import said, device by device, where nobody built on it.

Each step judges by what stands now and writes its withdrawals, its rows and its progress in one transaction; what was
taken back already is passed over, so a job that goes on after a crash, or a second one, says nothing twice.
"""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from node.errors import InputError, StateError
from node.passport.ids import SubjectId, format_device_id
from node.passport.statement import Statement
from node.passport.undoing import Built, Ground, Weighed, weigh, withdraw
from node.services.core import Core
from node.services.jobs import Jobs
from node.services.ledger import Ledger
from node.services.said import Span, forget_said, read_said
from node.services.statements import StatementReader
from node.store.database import ReadTx, WriteTx
from node.store.jobs import Job, list_jobs, read_input
from node.store.passports import read_leads, read_members, read_titles
from node.store.radio import DeviceState, list_devices
from node.store.settings import set_setting, settings_like

KIND = "import.undo"
UNDOABLE = frozenset({"import.fleet", "import.production"})
ENTRIES_A_STEP = 600
OF_ONE_DEVICE = 64  # entries that are looked at further, so that the rows of a device are taken back together
LOOKED_AHEAD = 120_000  # entries that a preview looks at
SHOWN = 200
LEFT = "left:"


@dataclass(frozen=True, slots=True)
class Left:
    """A device that stays as it is, and why."""

    id: str
    title: str
    built: Built

    def to_json(self) -> dict[str, object]:
        """As a job tells it."""
        told: dict[str, object] = {"id": self.id, "title": self.title}
        return told | {"rule": self.built.ground.value, "by": self.built.org.hex(), "at_us": self.built.at}


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What an undo would do: devices that would be no more, that others or earlier words hold, that stay as they are.

    `looked` of the import's `statements` were looked at.
    """

    gone: int
    thinner: int
    left: Mapping[str, int]
    looked: int
    statements: int


@dataclass(frozen=True, slots=True)
class _Look:
    """Some entries of an import: how many they are, and the devices that they are about, by what leads there."""

    entries: int
    devices: Mapping[bytes, Weighed]


class Undo:
    """Takes imports back."""

    def __init__(self, core: Core, ledger: Ledger, jobs: Jobs) -> None:
        self._core, self._ledger, self._jobs = core, ledger, jobs
        jobs.register(KIND, self._step)

    async def submit(self, job_id: str, reason: str, actor: str) -> str:
        """Take the undoing of an import and answer its job.

        Raise NotFoundError for no such job, InputError where it is no import of things, StateError where it goes on
        still, is being undone, said before this node noted what imports say, or left nothing to take back.
        """
        job, spans = await self._said_by(job_id)
        content = json.dumps({"of": job_id, "reason": reason}).encode()
        return await self._jobs.submit(KIND, content, _size(spans), actor, str(job.result.get("file", "")))

    async def foresee(self, job_id: str) -> Foreseen:
        """What `submit` would do now; raise as it does."""
        _, spans = await self._said_by(job_id)
        at, counted, left = 0, Counter[bool](), Counter[str]()
        while at < min(_size(spans), LOOKED_AHEAD):
            look = await self._look(spans, at)
            at += look.entries
            for one in look.devices.values():
                if one.built:
                    left[one.built.ground.value] += 1
                elif one.mine:
                    counted[one.stays] += 1
        return Foreseen(counted[False], counted[True], dict(left.most_common()), at, _size(spans))

    async def left(self, job_id: str) -> list[dict[str, object]]:
        """The devices that an undo left as they are: id, title, rule, by (hex), at_us; raise NotFoundError."""
        await self._jobs.get(job_id)
        async with self._core.database.read() as tx:
            parts = await settings_like(tx, f"{LEFT}{job_id}:")
        return [row for _, raw in sorted(parts.items()) for row in json.loads(self._core.keystore.vault.open(raw))]

    async def _said_by(self, job_id: str) -> tuple[Job, list[Span]]:
        job = await self._jobs.get(job_id)
        if job.kind not in UNDOABLE:
            raise InputError(f"{job.kind}: what this job said is not taken back as a whole", "undo_unsupported")
        async with self._core.database.read() as tx:
            spans, running = await read_said(tx, job_id), await list_jobs(tx, open_only=True)
            undone = [_asked(await self._input(tx, one))[0] for one in running if one.kind == KIND]
        if job.state in ("waiting", "running") or job_id in undone:
            raise StateError("the import, or an undo of it, is not through yet", "undo_running")
        if spans is None:
            if job.result.get("accepted"):
                raise StateError("this import was made before the node noted what imports say", "undo_untraced")
            spans = []
        if not spans:
            raise StateError("nothing of this import is left to take back", "undo_nothing")
        return job, spans

    async def _input(self, tx: ReadTx, job: Job) -> bytes:
        return self._core.keystore.vault.open(await read_input(tx, job.id))

    async def _step(self, job: Job, content: bytes) -> bool:
        of, reason = _asked(content)
        async with self._core.database.read() as tx:
            spans = await read_said(tx, of) or []
        look = await self._look(spans, job.done)
        taken = {lead: one for lead, one in look.devices.items() if one.mine and one.built is None}
        left = await self._left(look)
        now = self._core.clock.now()
        said = [draft for one in taken.values() for draft in withdraw(one.mine, reason, now)]
        done = min(job.total, job.done + look.entries) if look.entries else job.total
        result = _result(job, of, taken.values(), left)

        async def record(tx: WriteTx, _entries: object) -> None:
            if left:
                rows = self._core.keystore.vault.seal(json.dumps([one.to_json() for one in left]).encode())
                await set_setting(tx, f"{LEFT}{job.id}:{job.done:012d}", rows)
            await self._jobs.advance(tx, job, done, result)
            if done == job.total:
                if not result["left"]:
                    await forget_said(tx, of)
                gone, thinner, stay = (_count(result, name) for name in ("gone", "thinner", "left"))
                await self._core.announce(
                    tx, job.actor, "import_undone", job=job.id, gone=gone, thinner=thinner, left=stay
                )
            await self._core.announce(tx, job.actor, "import_advanced", job=job.id, done=done, total=job.total)

        await self._ledger.append(said, record)
        return done < job.total

    async def _look(self, spans: Sequence[Span], at: int) -> _Look:
        """The devices of the next entries of an import, each weighed with all that is said about it."""
        async with self._core.database.read() as tx:
            reader = await StatementReader.open(tx)
            said = await _read(tx, reader, spans, at, ENTRIES_A_STEP + OF_ONE_DEVICE)
            leads = await read_leads(tx, {s.subject for s in said})
            said = said[: _whole(said, leads)]
            own: dict[bytes, list[Statement]] = {}
            for statement in said:
                own.setdefault(leads.get(statement.subject, statement.subject), []).append(statement)
            members = await read_members(tx, own)
            of = {lead: {*members.get(lead, ()), *(s.subject for s in mine)} for lead, mine in own.items()}
            about = await reader.headers_about(tx, {subject for subjects in of.values() for subject in subjects})
            on_air = {device.subject: device for device in await list_devices(tx, subjects=about)}
        devices = {}
        for lead, subjects in of.items():
            told = [s for subject in subjects for s in about.get(subject, ())]
            places = {s.ref for s in told if any(span.holds(s.ref.log, s.ref.seq) for span in spans)}
            weighed = weigh(places, told)
            air = next((on_air[s] for s in subjects if s in on_air), None)
            if weighed.mine and air is not None and air.state is not DeviceState.RETIRED:
                built = Built(Ground.ON_AIR, self._core.org, air.changed_us)
                weighed = Weighed(weighed.mine, _weightier(built, weighed.built), weighed.stays)
            devices[lead] = weighed
        return _Look(len(said), devices)

    async def _left(self, look: _Look) -> list[Left]:
        kept = {lead: one.built for lead, one in look.devices.items() if one.built is not None}
        async with self._core.database.read() as tx:
            titles = await read_titles(tx, kept)
        return [Left(format_device_id(SubjectId(lead)), titles.get(lead, ""), built) for lead, built in kept.items()]


async def _read(tx: ReadTx, reader: StatementReader, spans: Sequence[Span], at: int, most: int) -> list[Statement]:
    """Statements of spans from the `at`th on."""
    found: list[Statement] = []
    for span in spans:
        skipped = min(at, span.end - span.first)
        at -= skipped
        first, end = span.first + skipped, min(span.end, span.first + skipped + most - len(found))
        if first < end:
            found += await reader.headers_between(tx, span.log, first, end)
    return found


def _whole(said: Sequence[Statement], leads: Mapping[bytes, bytes]) -> int:
    """How many of some statements end with the last one of a device."""
    for place in range(ENTRIES_A_STEP, len(said)):
        before, after = (leads.get(s.subject, s.subject) for s in said[place - 1 : place + 1])
        if before != after:
            return place
    return min(len(said), ENTRIES_A_STEP) if len(said) == ENTRIES_A_STEP + OF_ONE_DEVICE else len(said)


def _weightier(one: Built, other: Built | None) -> Built:
    order = [*Ground]
    return one if other is None or order.index(one.ground) < order.index(other.ground) else other


def _asked(content: bytes) -> tuple[str, str]:
    told = json.loads(content) if content else {}
    return str(told.get("of", "")), str(told.get("reason", ""))


def _size(spans: Sequence[Span]) -> int:
    return sum(span.end - span.first for span in spans)


def _result(job: Job, of: str, taken: Collection[Weighed], left: Sequence[Left]) -> dict[str, object]:
    before, stay = job.result, sum(one.stays for one in taken)
    added = {
        "accepted": len(taken),
        "gone": len(taken) - stay,
        "thinner": stay,
        "left": len(left),
        "statements": sum(len(one.mine) for one in taken),
    }
    shown = before.get("findings")
    rows = [*(shown if isinstance(shown, list) else []), *(one.to_json() for one in left)]
    return {"of": of, **{name: _count(before, name) + n for name, n in added.items()}, "findings": rows[:SHOWN]}


def _count(result: Mapping[str, object], name: str) -> int:
    value = result.get(name, 0)
    return value if isinstance(value, int) else 0
