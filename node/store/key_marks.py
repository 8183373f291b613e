"""Which things have which root key, by marks of keys: equal keys are found without opening any."""

from collections.abc import Sequence

from sqlalchemy import select, tuple_

from node.store import schema
from node.store.database import ReadTx, WriteTx
from node.store.fragments import STORED
from node.store.upserts import insert_new


async def subjects_marked(tx: ReadTx, mark: bytes) -> list[bytes]:
    """The subjects of which a key of that mark was stated, in order."""
    table = schema.key_marks.c
    rows = await tx.all(select(table.subject).where(table.mark == mark).order_by(table.subject))
    return [row.subject for row in rows]


async def mark_keys(tx: WriteTx, marks: Sequence[tuple[bytes, bytes]]) -> None:
    """Keep (mark, subject) pairs; those that stand are left alone."""
    await insert_new(tx, schema.key_marks, [{"mark": mark, "subject": subject} for mark, subject in marks])


async def sealed_places(tx: ReadTx, name: str, after: tuple[int, int], limit: int) -> list[tuple[int, int]]:
    """The next entries (log_no, seq) after a place that have a section of that name under the store's own key."""
    table = schema.sections.c
    key = (table.log_no, table.seq)
    wanted = (table.name == name, table.form == STORED, tuple_(*key) > after)
    rows = await tx.all(select(*key).where(*wanted).distinct().order_by(*key).limit(limit))
    return [(row.log_no, row.seq) for row in rows]
