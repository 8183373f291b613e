"""Reading whole tables, a page at a time, for whoever copies a store; nothing here judges what may leave it."""

from collections.abc import AsyncIterator, Sequence

from sqlalchemy import Table, func, select, tuple_

from node.store.database import ReadTx, Record

PAGE = 1000


async def read_pages(tx: ReadTx, table: Table, *names: str, limit: int = PAGE) -> AsyncIterator[Sequence[Record]]:
    """The rows of a table by its key, with these columns (and those of the key), so many at once."""
    keys = list(table.primary_key.columns)
    columns = [table.c[name] for name in dict.fromkeys((*(key.name for key in keys), *names))]
    statement = select(*columns).order_by(*keys).limit(limit)
    page = await tx.all(statement)
    while page:
        yield page
        last = page[-1]
        after = [last._mapping[key.name] for key in keys]
        page = await tx.all(statement.where(tuple_(*keys) > tuple_(*after)))


async def count_rows(tx: ReadTx, *tables: Table) -> int:
    """How many rows these tables hold together."""
    return sum([int(await tx.value(select(func.count()).select_from(table)) or 0) for table in tables])
