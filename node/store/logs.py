"""Logs: their statements, sizes and checkpoints, and the root statements that they stand on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, insert, select, update

from federation.counting import ALL, Counted, Loss
from federation.log import LogStatement, decode_log_statement
from node.store import schema
from node.store.changes import Changed, note_change
from node.store.database import ReadTx, Record, WriteTx
from node.store.errors import ConflictError, MissingError

_LOG = select(schema.logs).where(schema.logs.c.log == bindparam("of"))
_LOGS = select(schema.logs).order_by(schema.logs.c.no)
_NAMED = _LOGS.where(schema.logs.c.log.in_(bindparam("named", expanding=True)))
_MARKS = select(schema.logs.c.log, schema.logs.c.own, schema.logs.c.size, schema.logs.c.note).order_by(schema.logs.c.no)


@dataclass(frozen=True, slots=True)
class StoredLog:
    """A log as this store has it: `size` leaves, of which `note_size` under the newest checkpoint `note`."""

    no: int
    log: bytes
    org: bytes
    node: bytes
    own: bool
    size: int
    note: bytes | None
    note_size: int
    stopped: str | None
    envelope: bytes
    counted: Counted = ALL
    opened_us: int = 0  # when it came here; an own one, when it was opened

    @property
    def statement(self) -> LogStatement:
        """The log statement."""
        return decode_log_statement(self.envelope)


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint as this store has it: `root` is what the store keeps beside the note, None where it keeps none."""

    size: int
    root: bytes | None
    note: bytes


async def insert_log(tx: WriteTx, statement: LogStatement, *, own: bool) -> StoredLog:
    """Take a log that is not there yet."""
    await tx.insert_id(
        schema.logs,
        log=statement.log_id,
        org=statement.org,
        node=statement.node,
        envelope=statement.envelope(),
        own=int(own),
        size=0,
        note_size=0,
        opened_us=tx.now,
    )
    await note_change(tx, Changed.LOG, statement.log_id)
    return await get_log(tx, statement.log_id)


async def find_log(tx: ReadTx, log: bytes) -> StoredLog | None:
    """The log of that id."""
    row = await tx.first(_LOG, of=log)
    return None if row is None else _log(row)


async def get_log(tx: ReadTx, log: bytes) -> StoredLog:
    """The log of that id; raise MissingError."""
    found = await find_log(tx, log)
    if found is None:
        raise MissingError(f"log {log.hex()} is not known here")
    return found


async def list_logs(tx: ReadTx, *, own: bool | None = None, org: bytes | None = None) -> list[StoredLog]:
    """Every log, by number."""
    statement = _LOGS
    if own is not None:
        statement = statement.where(schema.logs.c.own == int(own))
    if org is not None:
        statement = statement.where(schema.logs.c.org == org)
    return [_log(row) for row in await tx.all(statement)]


async def named_logs(tx: ReadTx, logs: Iterable[bytes]) -> list[StoredLog]:
    """Those of the logs, a few hundred, that are here, by number."""
    return [_log(row) for row in await tx.all(_NAMED, named=sorted(logs))]


async def log_marks(tx: ReadTx) -> Sequence[Record]:
    """`log`, `own`, `size` and `note` of every log, by number: how far each is here."""
    return await tx.all(_MARKS)


async def log_numbers(tx: ReadTx) -> dict[int, bytes]:
    """Log id by number."""
    return {row.no: row.log for row in await tx.all(select(schema.logs.c.no, schema.logs.c.log))}


async def lost_numbers(tx: ReadTx) -> list[int]:
    """The numbers of logs that have a tree here and are not known."""
    trees, logs = schema.tiles.c, schema.logs.c
    statement = select(trees.log_no).distinct().order_by(trees.log_no)
    joined = statement.outerjoin(schema.logs, logs.no == trees.log_no).where(logs.no.is_(None))
    return [row.log_no for row in await tx.all(joined)]


async def set_size(tx: WriteTx, log: StoredLog, size: int) -> None:
    """Move the size from what the caller saw; raise ConflictError if somebody else moved it."""
    statement = update(schema.logs).where(schema.logs.c.no == log.no, schema.logs.c.size == log.size).values(size=size)
    if await tx.run(statement) != 1:
        raise ConflictError(f"log {log.log.hex()} is not of size {log.size}")


async def set_counted(tx: WriteTx, log_no: int, counted: Counted) -> None:
    """Say what counts of a log."""
    change = update(schema.logs).where(schema.logs.c.no == log_no)
    await tx.run(change.values(counted=counted.size, loss=counted.loss.value if counted.loss else None))


async def lossy_logs(tx: ReadTx) -> list[StoredLog]:
    """The logs of which entries are here that do not count."""
    table = schema.logs.c
    statement = select(schema.logs).where(table.counted < table.size).order_by(table.no)
    return [_log(row) for row in await tx.all(statement)]


async def stop_log(tx: WriteTx, log_no: int, reason: str | None) -> None:
    """Say why a log is not read on, or that it is again."""
    await tx.run(update(schema.logs).where(schema.logs.c.no == log_no).values(stopped=reason))
    await _tell(tx, log_no)


async def insert_checkpoint(tx: WriteTx, log_no: int, size: int, root: bytes, note: bytes) -> None:
    """Keep a verified checkpoint; raise ConflictError at a second root of one size."""
    table = schema.checkpoints
    stored = await tx.first(select(table.c.root).where(table.c.log_no == log_no, table.c.size == size))
    if stored is not None:
        if stored.root != root:
            raise ConflictError(f"log {log_no} has another root at size {size}")
        return
    await tx.run(insert(table).values(log_no=log_no, size=size, root=root, note=note))
    newer = update(schema.logs).where(schema.logs.c.no == log_no, schema.logs.c.note_size < size)
    if await tx.run(newer.values(note=note, note_size=size)):
        await _tell(tx, log_no)


async def find_checkpoint(tx: ReadTx, log_no: int, size: int) -> Record | None:
    """`root` and `note` at that size."""
    table = schema.checkpoints
    return await tx.first(select(table.c.root, table.c.note).where(table.c.log_no == log_no, table.c.size == size))


async def checkpoints_between(tx: ReadTx, log_no: int, start: int, end: int) -> list[StoredCheckpoint]:
    """The checkpoints of a log with start < size <= end, by size."""
    table = schema.checkpoints.c
    statement = select(table.size, table.root, table.note).where(
        table.log_no == log_no, table.size > start, table.size <= end
    )
    return [StoredCheckpoint(row.size, row.root, row.note) for row in await tx.all(statement.order_by(table.size))]


async def _tell(tx: WriteTx, log_no: int) -> None:
    log = await tx.value(select(schema.logs.c.log).where(schema.logs.c.no == log_no))
    await note_change(tx, Changed.NOTE, bytes(log))


def _log(row: Record) -> StoredLog:
    return StoredLog(
        row.no,
        row.log,
        row.org,
        row.node,
        bool(row.own),
        row.size,
        row.note,
        row.note_size,
        row.stopped,
        row.envelope,
        Counted(row.counted, Loss(row.loss)) if row.loss is not None else ALL,
        row.opened_us,
    )
