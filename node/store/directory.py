"""The directory as it is kept: what each node announced that it holds, by buckets, and how far it was believed."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, func, select, update

from federation.directory import MARK_SIZE, bucket_digest, bucket_of, has_mark
from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
from node.store.upserts import upsert

AT_ONCE = 400

_OF_BUCKET = (
    select(schema.announced.c.node, schema.announced.c.marks, schema.announcers.c.org, schema.announcers.c.told_us)
    .join(schema.announcers, schema.announcers.c.node == schema.announced.c.node)
    .where(schema.announced.c.bucket == bindparam("bucket"))
)


@dataclass(frozen=True, slots=True)
class Announcer:
    """A node that announced, or to which this one was referred: how many marks, when it told them last, and how often
    what was said of it held and did not.
    """

    node: bytes
    org: bytes
    marks: int = 0
    told_us: int | None = None
    good: int = 0
    bad: int = 0
    bad_us: int | None = None


async def announcers_of(tx: ReadTx, mark: bytes) -> list[Announcer]:
    """The nodes in whose lists a mark stands, those whose list is the newest first."""
    rows = await tx.all(_OF_BUCKET, bucket=bucket_of(mark))
    found = [Announcer(row.node, row.org, told_us=row.told_us) for row in rows if has_mark(row.marks, mark)]
    return sorted(found, key=lambda one: (-(one.told_us or 0), one.node))


async def read_announcers(tx: ReadTx) -> list[Announcer]:
    """Everybody of whom anything is kept, by node."""
    return [_announcer(row) for row in await tx.all(select(schema.announcers).order_by(schema.announcers.c.node))]


async def find_announcers(tx: ReadTx, nodes: Iterable[bytes]) -> dict[bytes, Announcer]:
    """The same of these nodes."""
    wanted = schema.announcers.c.node.in_(sorted(set(nodes)))
    return {row.node: _announcer(row) for row in await tx.all(select(schema.announcers).where(wanted))}


async def bucket_digests(tx: ReadTx, node: bytes) -> dict[int, bytes]:
    """The digests of the buckets of a node that are not empty."""
    table = schema.announced.c
    rows = await tx.all(select(table.bucket, table.digest).where(table.node == node))
    return {row.bucket: row.digest for row in rows}


async def read_buckets(tx: ReadTx, node: bytes, buckets: Iterable[int]) -> dict[int, bytes]:
    """The marks of buckets of a node, of those that are not empty."""
    table, wanted = schema.announced.c, sorted(set(buckets))
    found: dict[int, bytes] = {}
    for at in range(0, len(wanted), AT_ONCE):
        few = table.bucket.in_(wanted[at : at + AT_ONCE])
        rows = await tx.all(select(table.bucket, table.marks).where(table.node == node, few))
        found |= {row.bucket: row.marks for row in rows}
    return found


async def put_buckets(tx: WriteTx, node: bytes, buckets: Mapping[int, bytes]) -> None:
    """Replace buckets of a node; empty ones go."""
    table = schema.announced.c
    empty = sorted(bucket for bucket, marks in buckets.items() if not marks)
    for at in range(0, len(empty), AT_ONCE):
        few = table.bucket.in_(empty[at : at + AT_ONCE])
        await tx.run(delete(schema.announced).where(table.node == node, few))
    rows: list[dict[str, object]] = [
        {"bucket": bucket, "node": node, "digest": bucket_digest(marks), "marks": marks}
        for bucket, marks in sorted(buckets.items())
        if marks
    ]
    await upsert(tx, schema.announced, rows)


async def count_marks(tx: ReadTx, node: bytes) -> int:
    """How many marks of a node are kept."""
    size = select(func.sum(func.length(schema.announced.c.marks))).where(schema.announced.c.node == node)
    return int(await tx.value(size) or 0) // MARK_SIZE


async def put_announcer(tx: WriteTx, announcer: Announcer) -> None:
    """Keep what is known of a node."""
    row: dict[str, object] = {
        "node": announcer.node,
        "org": announcer.org,
        "marks": announcer.marks,
        "told_us": announcer.told_us,
        "good": announcer.good,
        "bad": announcer.bad,
        "bad_us": announcer.bad_us,
    }
    await upsert(tx, schema.announcers, [row])


async def drop_lists(tx: WriteTx, nodes: Collection[bytes]) -> None:
    """Forget what nodes announced."""
    wanted = sorted(nodes)
    await tx.run(delete(schema.announced).where(schema.announced.c.node.in_(wanted)))
    table = schema.announcers
    await tx.run(update(table).where(table.c.node.in_(wanted)).values(marks=0, told_us=None))


def _announcer(row: Record) -> Announcer:
    return Announcer(row.node, row.org, row.marks, row.told_us, row.good, row.bad, row.bad_us)
