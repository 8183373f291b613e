"""Correspondents: the systems of the organisation that come in with tokens of their own, and what each may."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from node.store import schema
from node.store.database import ReadTx, WriteTx
from node.store.errors import ConflictError


@dataclass(frozen=True, slots=True)
class StoredCorrespondent:
    """A system. `rights` is JSON; `blocked_us` and `reason` tell since when and why it is cut off."""

    name: str
    kind: str
    contact: str
    rights: str
    blocked_us: int | None
    reason: str | None
    created_us: int
    changed_us: int
    used_us: int | None = None
    used: int = 0
    refused_us: int | None = None
    refused: int = 0


async def insert_correspondent(tx: WriteTx, one: StoredCorrespondent) -> None:
    """Add a system; raise ConflictError where the name is taken."""
    try:
        await tx.run(insert(schema.correspondents).values({name: getattr(one, name) for name in one.__slots__}))
    except IntegrityError as error:
        raise ConflictError(f"a system {one.name!r} is here already") from error


async def find_correspondent(tx: ReadTx, name: str) -> StoredCorrespondent | None:
    """The system of that name."""
    row = await tx.first(select(schema.correspondents).where(schema.correspondents.c.name == name))
    return StoredCorrespondent(**row._mapping) if row else None


async def list_correspondents(tx: ReadTx) -> list[StoredCorrespondent]:
    """Every system, by name."""
    rows = await tx.all(select(schema.correspondents).order_by(schema.correspondents.c.name))
    return [StoredCorrespondent(**row._mapping) for row in rows]


async def change_correspondent(tx: WriteTx, name: str, **values: Any) -> bool:  # Any: of the columns' own types
    """Set columns of a system; False where there is none."""
    table = schema.correspondents
    return await tx.run(update(table).where(table.c.name == name).values(**values)) == 1
