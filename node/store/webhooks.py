"""Webhooks, how far each has come, and its last deliveries. Secrets come in sealed."""

from dataclasses import dataclass, field, fields

from sqlalchemy import delete, func, insert, select, update

from node.exchange.webhooks.delivery import Outcome, Progress
from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
from node.store.packing import pack_subjects, pack_texts, unpack_subjects, unpack_texts

KEPT = 200  # deliveries of a hook
PROGRESS = tuple(one.name for one in fields(Progress))


@dataclass(frozen=True, slots=True)
class StoredHook:
    """Which changes another system is told of, and how far it has come; `secret` and `old_secret` are sealed."""

    id: str
    url: str
    description: str
    kinds: tuple[str, ...]
    subjects: tuple[bytes, ...]
    author: str
    token: str
    secret: bytes = field(repr=False)
    old_secret: bytes | None = field(repr=False)
    old_until_us: int
    created_us: int
    progress: Progress


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt: at an event of the journal, or a test; `error` is empty where it was taken."""

    hook: str
    n: int
    purpose: str
    event: int
    what: str
    attempt: int
    at_us: int
    took_us: int
    status: int
    error: str


async def insert_hook(tx: WriteTx, hook: StoredHook) -> None:
    """Add a hook."""
    await tx.run(insert(schema.webhooks).values(**_columns(hook)))


async def put_hook(tx: WriteTx, hook: StoredHook) -> None:
    """Set all of a hook."""
    await tx.run(update(schema.webhooks).where(schema.webhooks.c.id == hook.id).values(**_columns(hook)))


async def put_progress(tx: WriteTx, hook_id: str, progress: Progress) -> None:
    """Set how far a hook has come."""
    values = {name: getattr(progress, name) for name in PROGRESS}
    await tx.run(update(schema.webhooks).where(schema.webhooks.c.id == hook_id).values(**values))


async def delete_hook(tx: WriteTx, hook_id: str) -> None:
    """Drop a hook and what was delivered."""
    await tx.run(delete(schema.deliveries).where(schema.deliveries.c.hook == hook_id))
    await tx.run(delete(schema.webhooks).where(schema.webhooks.c.id == hook_id))


async def find_hook(tx: ReadTx, hook_id: str) -> StoredHook | None:
    """The hook of that id."""
    row = await tx.first(select(schema.webhooks).where(schema.webhooks.c.id == hook_id))
    return _hook(row) if row else None


async def list_hooks(tx: ReadTx) -> list[StoredHook]:
    """Every hook, oldest first."""
    table = schema.webhooks.c
    rows = await tx.all(select(schema.webhooks).order_by(table.created_us, table.id))
    return [_hook(row) for row in rows]


async def list_active(tx: ReadTx) -> list[str]:
    """The ids of the hooks that send."""
    table = schema.webhooks.c
    return [row.id for row in await tx.all(select(table.id).where(table.paused == "").order_by(table.id))]


async def count_hooks(tx: ReadTx) -> int:
    """How many there are."""
    return int(await tx.value(select(func.count()).select_from(schema.webhooks)))


async def add_delivery(tx: WriteTx, delivery: Delivery) -> None:
    """Note an attempt, and forget those of long ago."""
    table = schema.deliveries
    await tx.run(insert(table).values(**{one.name: getattr(delivery, one.name) for one in fields(Delivery)}))
    await tx.run(delete(table).where(table.c.hook == delivery.hook, table.c.n <= delivery.n - KEPT))


async def list_deliveries(tx: ReadTx, hook_id: str, before: int, limit: int) -> list[Delivery]:
    """Attempts with a smaller number, newest first; 0 begins at the end."""
    table = schema.deliveries.c
    statement = select(schema.deliveries).where(table.hook == hook_id).order_by(table.n.desc()).limit(limit)
    if before:
        statement = statement.where(table.n < before)
    return [Delivery(**row._mapping) for row in await tx.all(statement)]


async def find_delivery(tx: ReadTx, hook_id: str, n: int) -> Delivery | None:
    """The attempt of that number."""
    table = schema.deliveries.c
    row = await tx.first(select(schema.deliveries).where(table.hook == hook_id, table.n == n))
    return Delivery(**row._mapping) if row else None


def make_delivery(hook: StoredHook, purpose: str, event: int, what: str, at_us: int, outcome: Outcome) -> Delivery:
    """An attempt that ended, as it is kept."""
    error = outcome.fault.value if outcome.fault else ""
    n, attempt = hook.progress.tries + 1, hook.progress.attempts + 1 if purpose == "event" else 1
    return Delivery(hook.id, n, purpose, event, what, attempt, at_us, outcome.took_us, outcome.status, error)


def _columns(hook: StoredHook) -> dict[str, object]:
    plain = {one.name: getattr(hook, one.name) for one in fields(StoredHook) if one.name != "progress"}
    texts = {"kinds": pack_texts(hook.kinds), "subjects": pack_subjects(hook.subjects)}
    return {**plain, **texts, **{name: getattr(hook.progress, name) for name in PROGRESS}}


def _hook(row: Record) -> StoredHook:
    values = dict(row._mapping)
    progress = Progress(**{name: values.pop(name) for name in PROGRESS})
    values |= {"kinds": unpack_texts(row.kinds), "subjects": unpack_subjects(row.subjects)}
    return StoredHook(**values, progress=progress)
