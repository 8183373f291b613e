"""Backups and the health of the node: files, making, checking, drills, and what came back after a restore."""

from typing import Literal

from aiohttp import web
from pydantic import BaseModel, Field

from node.backup.locks import SHORTEST_PASSPHRASE, Passphrase
from node.services.access import Scope
from node.services.backups import NAME, BackupFile
from node.services.health import Condition
from node.services.returning import SHOWN_RANGES, Returned
from node.web.api.access import Input
from node.web.api.fields import Hex16
from node.web.api.imports import JobTaken
from node.web.calls import Call
from node.web.health_words import condition_words
from node.web.routes import Limit, api
from node.web.tables import backups as tables

OCTETS = "application/octet-stream"
MAY = (Scope.READ, Scope.BACKUP)


class BackupBody(Input):
    """How a backup is locked: with a passphrase, or to the recovery key where none is given."""

    passphrase: str | None = Field(default=None, min_length=SHORTEST_PASSPHRASE, max_length=1024)


class BackupInfo(BaseModel):
    """A file in the folder of backups."""

    name: str
    made_us: int
    size: int = Field(description="Bytes.")
    locked_to: str = Field(description="`passphrase`, or the recovery key's id in hex.")
    state: Literal["good", "bad", "unknown"] = Field(description="`unknown` where another store made it.")
    statements: int | None = Field(description="Of all logs.")
    took_ms: int | None = Field(description="How long it took to make and check.")
    checked_us: int | None
    drilled_us: int | None = Field(description="When it was last restored for practice.")
    trouble: str = Field(description="What the last check found; empty where it found nothing.")


class BackupList(BaseModel):
    """The backups, newest first, and when the next is made by itself."""

    items: list[BackupInfo]
    folder: str
    every_hours: float
    keep: int
    recovery_key: str = Field(description="The id of the key to which backups are locked, hex; empty for none.")
    next_us: int | None = Field(description="Null where none is made by itself.")
    shares_disk: bool = Field(description="Whether the folder is on the disk of the data.")
    failure: str = Field(description="Why the last one could not be made; empty where it was.")


class BackupPath(BaseModel):
    """Which file."""

    backup: str = Field(pattern=f"^{NAME.pattern}$")


class GapRow(BaseModel):
    """Places of a log, the last one excluded."""

    start: int
    end: int


class ReturnedInfo(BaseModel):
    """A log of this node that was left because it was in doubt."""

    log: Hex16
    opened: Hex16 = Field(description="The log that was opened in its place.")
    reason: str
    at_us: int
    backup_us: int | None = Field(description="When the backup was made that the store came from.")
    held: int = Field(description="Statements that stood here then.")
    said: int = Field(description="Statements that are known to have been said.")
    came_back: int
    missing: int = Field(description="Statements that are not here, or not whole.")
    gaps: list[GapRow] = Field(description="Where whole statements are missing; the first of them.")
    is_settled: bool = Field(description="Whether every peer that is talked to has answered.")


class ReturnedList(BaseModel):
    """Every log that was left, oldest first."""

    items: list[ReturnedInfo]


class ConditionInfo(BaseModel):
    """One thing that was looked at."""

    code: str
    grade: Literal["good", "warning", "bad"]
    told: str
    advice: str


class HealthAnswer(BaseModel):
    """How the node is: the worst grade, and everything that was looked at, the worst first."""

    grade: Literal["good", "warning", "bad"]
    items: list[ConditionInfo]


@api("GET", "/backups", title="Backups", scopes=MAY, table=tables.BACKUPS)
async def list_backups(call: Call) -> BackupList:
    """The files in the folder of backups, and the schedule."""
    return await backups_answer(call)


async def backups_answer(call: Call) -> BackupList:
    """The same, for the page that shows it."""
    schedule = await call.context.backups.schedule()
    return BackupList(
        items=[to_backup(file) for file in await call.context.backups.all()],
        folder=schedule.folder,
        every_hours=schedule.every_hours,
        keep=schedule.keep,
        recovery_key=schedule.recovery_key,
        next_us=schedule.next_us,
        shares_disk=schedule.shares_disk,
        failure=str(schedule.failure["error"]) if schedule.failure else "",
    )


@api("POST", "/backups", title="Make a backup", scopes=MAY, status=202,
     problems=["backup_unlocked", "backup_running", "backup_passphrase"])  # fmt: skip
async def make_backup(call: Call, body: BackupBody) -> JobTaken:
    """As a job: it is encrypted, written, read back whole and checked; older ones go when it is good."""
    passphrase = Passphrase(body.passphrase) if body.passphrase else None
    return JobTaken(job=await call.context.backups.submit(call.actor.label, passphrase))


@api("GET", "/backups/{backup}", title="A backup as a file", scopes=MAY, problems=["backup_unknown"], files=[OCTETS])
async def read_backup(call: Call, path: BackupPath) -> web.FileResponse:
    """As it lies in the folder, encrypted."""
    file = await call.context.backups.path_of(path.backup)
    headers = {"Content-Type": OCTETS, "Content-Disposition": f'attachment; filename="{path.backup}"'}
    return web.FileResponse(file, headers=headers)


@api("DELETE", "/backups/{backup}", title="Remove a backup", scopes=MAY, problems=["backup_unknown", "backup_newest"])
async def remove_backup(call: Call, path: BackupPath) -> None:
    """Delete the file; the newest good one stays."""
    await call.context.backups.remove(path.backup, call.actor.label)


@api("POST", "/backups/{backup}/check", title="Check a backup", scopes=MAY, status=202,
     problems=["backup_unknown", "backup_elsewhere"])  # fmt: skip
async def check_backup(call: Call, path: BackupPath) -> JobTaken:
    """As a job: every hash, and the store in it by its own proofs."""
    return JobTaken(job=await call.context.backups.check(path.backup, call.actor.label))


@api("POST", "/backups/drills", title="Drill a restore", scopes=MAY, status=202, problems=["backup_none"])
async def drill_restore(call: Call) -> JobTaken:
    """As a job: the newest backup is restored aside, checked, compared with the running node, and removed."""
    return JobTaken(job=await call.context.backups.drill(call.actor.label))


@api("GET", "/restored", title="What came back after a restore", scopes=MAY, table=tables.RETURNED)
async def list_returned(call: Call) -> ReturnedList:
    """Of every log that was in doubt: what peers gave back, and what is lost."""
    return ReturnedList(items=[to_returned(one) for one in await call.context.returning.all()])


@api("GET", "/health", title="Health of the node", scopes=[Scope.READ], limit=Limit.NONE, table=tables.HEALTH)
async def read_health(call: Call) -> HealthAnswer:
    """Disk, backups, root keys, peers, clocks, the log, and what was lost."""
    return await health_answer(call)


async def health_answer(call: Call) -> HealthAnswer:
    """The same, for the page that shows it."""
    found = [to_condition(call, one) for one in await call.context.health.look()]
    return HealthAnswer(grade=found[0].grade if found else "good", items=found)


def to_backup(file: BackupFile) -> BackupInfo:
    """A file as the API shows it."""
    known = file.known
    state: Literal["good", "bad", "unknown"] = "unknown"
    if known is not None:
        state = "good" if known.is_good else "bad"
    return BackupInfo(
        name=file.name,
        made_us=file.head.made_us,
        size=file.size,
        locked_to=file.head.lock.name,
        state=state,
        statements=known.statements if known else None,
        took_ms=known.took_ms if known else None,
        checked_us=known.checked_us if known else None,
        drilled_us=known.drilled_us if known else None,
        trouble=known.trouble if known else "",
    )


def to_returned(one: Returned) -> ReturnedInfo:
    """A log that was left, as the API shows it."""
    left = one.reopening
    return ReturnedInfo(
        log=left.previous.hex(),
        opened=left.log.hex(),
        reason=left.reason.name.lower(),
        at_us=left.at_us,
        backup_us=left.made_us,
        held=left.held,
        said=one.said,
        came_back=one.came_back,
        missing=one.gaps.count,
        gaps=[GapRow(start=start, end=end) for start, end in one.gaps.entries[:SHOWN_RANGES]],
        is_settled=one.is_told,
    )


def to_condition(call: Call, found: Condition) -> ConditionInfo:
    """A condition in the reader's language."""
    names = {org.hex(): card.name for org, card in call.context.projection.world.cards.items()}
    told, advice = condition_words(found, call.language, names)
    grade: Literal["good", "warning", "bad"] = ("good", "warning", "bad")[found.grade]
    return ConditionInfo(code=found.code, grade=grade, told=told, advice=advice)


ROUTES = (
    list_backups, make_backup, drill_restore, read_backup, remove_backup, check_backup, list_returned, read_health,
)  # fmt: skip
