"""Personal sections that are held back: they stand, and are read and given as if they had never come."""

from sqlalchemy import func, select, tuple_, update

from federation.errors import VoidError
from federation.fragment import SectionClass, decode_header
from node.store import schema
from node.store.database import ReadTx, WriteTx
from node.store.fragments import CLEAR, HELD
from node.store.logs import log_numbers

PAGE = 2000


async def hold_personal(tx: WriteTx) -> int:
    """Hold back every personal section that stands in clear; how many."""
    numbers, count, after = await log_numbers(tx), 0, (-1, -1)
    entry, section = schema.fragments.c, schema.sections
    while True:
        wanted = (tuple_(entry.log_no, entry.seq) > after, entry.void.is_(None))
        columns = select(entry.log_no, entry.seq, entry.header).where(*wanted)
        rows = await tx.all(columns.order_by(entry.log_no, entry.seq).limit(PAGE))
        for row in rows:
            try:
                heads = decode_header(row.header, numbers[row.log_no], row.seq).sections
            except VoidError:
                continue
            positions = [at for at, head in enumerate(heads) if head.klass == SectionClass.PERSONAL]
            if positions:
                key = (section.c.log_no == row.log_no, section.c.seq == row.seq, section.c.position.in_(positions))
                count += await tx.run(update(section).where(*key, section.c.form == CLEAR).values(form=HELD))
        if not rows:
            return count
        after = (rows[-1].log_no, rows[-1].seq)


async def release_personal(tx: WriteTx) -> int:
    """Let everything be read again that is held back and was not erased meanwhile; how many."""
    table = schema.sections
    return await tx.run(update(table).where(table.c.form == HELD).values(form=CLEAR))


async def is_held(tx: ReadTx) -> bool:
    """Whether anything is held back."""
    table = schema.sections.c
    return await tx.first(select(table.seq).where(table.form == HELD).limit(1)) is not None


async def count_held(tx: ReadTx) -> int:
    """How many sections are held back."""
    return int(await tx.value(select(func.count()).where(schema.sections.c.form == HELD)))


async def held_places(tx: ReadTx) -> list[tuple[int, int]]:
    """The entries (log_no, seq) of which something is held back."""
    table = schema.sections.c
    rows = await tx.all(select(table.log_no, table.seq).where(table.form == HELD).distinct())
    return sorted((row.log_no, row.seq) for row in rows)
