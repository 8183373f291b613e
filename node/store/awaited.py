"""What passports wait for of logs. A projection: each fold of a passport writes it anew."""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import and_, delete, or_, select

from node.passport.cuts import Awaited
from node.store import schema
from node.store.database import ReadTx, WriteTx
from node.store.upserts import insert_new

CHUNK = 400
TABLE = schema.awaited.c


async def put_awaited(tx: WriteTx, awaited: Mapping[bytes, Iterable[Awaited]]) -> None:
    """What these passports wait for now, and nothing else."""
    leads = sorted(awaited)
    for start in range(0, len(leads), CHUNK):
        await tx.run(delete(schema.awaited).where(TABLE.lead.in_(leads[start : start + CHUNK])))
    rows: list[dict[str, object]] = [
        {"log": one.log, "at": one.at, "is_size": int(one.is_size), "lead": lead}
        for lead in leads
        for one in sorted(awaited[lead])
    ]
    await insert_new(tx, schema.awaited, rows)


async def find_awaiting(tx: ReadTx, log: bytes, grown: tuple[int, int], seqs: Collection[int]) -> set[bytes]:
    """The passports that waited for entries of a log, or for a size in `grown`: above the first, up to the second.

    Entries that came together stand close: whatever waits for one between the first and the last is folded again too.
    """
    size = and_(TABLE.is_size == 1, TABLE.at > grown[0], TABLE.at <= grown[1])
    entry = and_(TABLE.is_size == 0, TABLE.at >= min(seqs, default=0), TABLE.at <= max(seqs, default=-1))
    rows = await tx.all(select(TABLE.lead).where(TABLE.log == log, or_(size, entry)).distinct())
    return {row.lead for row in rows}
