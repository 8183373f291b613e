"""Durable jobs: what they are, how far they are, and what came of them."""

import json
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, tuple_, update

from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
from node.store.errors import ConflictError, MissingError

OPEN = ("waiting", "running")


@dataclass(frozen=True, slots=True)
class Job:
    """A job; `result` grows while it runs. States: waiting, running, done, failed."""

    id: str
    kind: str
    state: str
    done: int
    total: int
    result: dict[str, object]
    actor: str
    created_us: int
    changed_us: int


async def insert_job(
    tx: WriteTx, job_id: str, kind: str, total: int, sealed: bytes, actor: str, file: str = ""
) -> None:
    """Take a job; its result begins with what its input is called."""
    await tx.run(
        insert(schema.jobs).values(
            id=job_id,
            kind=kind,
            state="waiting",
            done=0,
            total=total,
            result=json.dumps({"file": file}, ensure_ascii=False),
            actor=actor,
            created_us=tx.now,
            changed_us=tx.now,
        )
    )
    await tx.run(insert(schema.job_inputs).values(job=job_id, data=sealed))


async def read_input(tx: ReadTx, job_id: str) -> bytes:
    """What a job works on, sealed; nothing where it ended."""
    data: bytes | None = await tx.value(select(schema.job_inputs.c.data).where(schema.job_inputs.c.job == job_id))
    return data or b""


async def get_job(tx: ReadTx, job_id: str) -> Job:
    """The job of that id; raise MissingError."""
    row = await tx.first(select(schema.jobs).where(schema.jobs.c.id == job_id))
    if row is None:
        raise MissingError(f"job {job_id} is not known here")
    return _job(row)


async def list_jobs(
    tx: ReadTx, *, open_only: bool = False, limit: int = 100, after: tuple[int, str] | None = None
) -> list[Job]:
    """Jobs, newest first, after a (created_us, id) place; open ones oldest first."""
    table = schema.jobs.c
    statement = select(schema.jobs).limit(limit)
    if open_only:
        statement = statement.where(table.state.in_(OPEN)).order_by(table.created_us)
    else:
        statement = statement.order_by(table.created_us.desc(), table.id.desc())
    if after is not None:
        statement = statement.where(tuple_(table.created_us, table.id) < after)
    return [_job(row) for row in await tx.all(statement)]


async def newest_job(tx: ReadTx, kind: str, actor: str = "") -> Job | None:
    """The job of a kind that was taken last, of anybody or of one actor."""
    table = schema.jobs.c
    statement = select(schema.jobs).where(table.kind == kind).order_by(table.created_us.desc(), table.id.desc())
    if actor:
        statement = statement.where(table.actor == actor)
    row = await tx.first(statement.limit(1))
    return None if row is None else _job(row)


async def find_open(tx: ReadTx, kind: str) -> Job | None:
    """The oldest job of a kind that has not ended."""
    table = schema.jobs.c
    statement = select(schema.jobs).where(table.kind == kind, table.state.in_(OPEN)).order_by(table.created_us)
    row = await tx.first(statement.limit(1))
    return None if row is None else _job(row)


async def extend_job(tx: WriteTx, job_id: str, total: int, result: dict[str, object]) -> None:
    """Give a job more to do."""
    text = json.dumps(result, ensure_ascii=False)
    statement = update(schema.jobs).where(schema.jobs.c.id == job_id)
    await tx.run(statement.values(total=total, result=text, changed_us=tx.now))


async def advance_job(tx: WriteTx, job_id: str, seen: int, done: int, result: dict[str, object], state: str) -> None:
    """Move a job from where the caller saw it; raise ConflictError if somebody else did."""
    table = schema.jobs
    statement = update(table).where(table.c.id == job_id, table.c.done == seen, table.c.state.in_(OPEN))
    text = json.dumps(result, ensure_ascii=False)
    if await tx.run(statement.values(done=done, result=text, state=state, changed_us=tx.now)) != 1:
        raise ConflictError(f"job {job_id} is not at {seen}, or was stopped")


async def stop_jobs(tx: WriteTx, actor: str, error: str) -> list[str]:
    """End the jobs of an actor that have not ended, with why; answer their ids. What they did stays done."""
    table = schema.jobs
    rows = await tx.all(select(table).where(table.c.state.in_(OPEN), table.c.actor == actor))
    for row in rows:
        text = json.dumps({**json.loads(row.result), "error": error}, ensure_ascii=False)
        one = update(table).where(table.c.id == row.id)
        await tx.run(one.values(state="failed", result=text, changed_us=tx.now))
        await forget_input(tx, row.id)
    return [row.id for row in rows]


async def forget_input(tx: WriteTx, job_id: str) -> None:
    """Drop what a finished job worked on: it may hold keys."""
    await tx.run(delete(schema.job_inputs).where(schema.job_inputs.c.job == job_id))


def _job(row: Record) -> Job:
    return Job(
        row.id,
        row.kind,
        row.state,
        row.done,
        row.total,
        json.loads(row.result),
        row.actor,
        row.created_us,
        row.changed_us,
    )
