"""Subjects of which something was stored that their passports do not show yet."""

from collections.abc import Collection

from sqlalchemy import delete, exists, func, select

from node.store import schema
from node.store.database import ReadTx, WriteTx
from node.store.upserts import insert_new

CHUNK = 400
TABLE = schema.unfolded.c


async def put_unfolded(tx: WriteTx, subjects: Collection[bytes]) -> None:
    """Leave subjects to be folded later."""
    await insert_new(tx, schema.unfolded, [{"subject": subject} for subject in sorted(subjects)])


async def drop_unfolded(tx: WriteTx, subjects: Collection[bytes]) -> None:
    """These are folded now."""
    ordered = sorted(subjects)
    for start in range(0, len(ordered), CHUNK):
        await tx.run(delete(schema.unfolded).where(TABLE.subject.in_(ordered[start : start + CHUNK])))


async def next_unfolded(tx: ReadTx, limit: int) -> list[bytes]:
    """The first of them by their ids."""
    return [row.subject for row in await tx.all(select(TABLE.subject).order_by(TABLE.subject).limit(limit))]


async def unfolded_among(tx: ReadTx, subjects: Collection[bytes]) -> set[bytes]:
    """Those of some subjects that wait."""
    ordered = sorted(subjects)
    found = set[bytes]()
    for start in range(0, len(ordered), CHUNK):
        some = ordered[start : start + CHUNK]
        found |= {row.subject for row in await tx.all(select(TABLE.subject).where(TABLE.subject.in_(some)))}
    return found


async def any_unfolded(tx: ReadTx) -> bool:
    """Whether any waits."""
    return bool(await tx.value(select(exists(select(TABLE.subject)))))


async def count_unfolded(tx: ReadTx) -> int:
    """How many wait."""
    return int(await tx.value(select(func.count()).select_from(schema.unfolded)))
