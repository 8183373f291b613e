"""What changed of chains, logs, checkpoints and fork proofs, numbered: a peer asks for what is after a number."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import bindparam, delete, select

from node.store import schema
from node.store.database import ReadTx, WriteTx

_AFTER = (
    select(schema.changes)
    .where(schema.changes.c.n > bindparam("after"))
    .order_by(schema.changes.c.n)
    .limit(bindparam("most"))
)


class Changed(StrEnum):
    """What changed; a chain is named by its organisation, the others by their log."""

    CHAIN = "chain"
    LOG = "log"
    NOTE = "note"
    FORK = "fork"


@dataclass(frozen=True, slots=True)
class Change:
    """The last change of one thing."""

    n: int
    what: Changed
    key: bytes


async def note_change(tx: WriteTx, what: Changed, key: bytes) -> None:
    """Number a change; the one before of the same thing is forgotten."""
    # First the new one: a number that was given is not given again.
    n = await tx.insert_id(schema.changes, what=what.value, key=key)
    table = schema.changes.c
    await tx.run(delete(schema.changes).where(table.what == what.value, table.key == key, table.n < n))


async def changes_after(tx: ReadTx, n: int, limit: int) -> list[Change]:
    """The changes after a number, in their order."""
    rows = await tx.all(_AFTER, after=n, most=limit)
    return [Change(row.n, Changed(row.what), row.key) for row in rows]
