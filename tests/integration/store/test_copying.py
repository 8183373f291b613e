"""Reading whole tables page by page in one snapshot, on SQLite and on a real PostgreSQL."""

from node.store import schema
from node.store.copying import count_rows, read_pages
from node.store.database import Database
from node.store.journal import write_journal
from node.store.migrate import check_schema

ROWS = 25


async def write_rows(database: Database, count: int) -> None:
    async with database.write() as tx:
        for number in range(count):
            await write_journal(tx, b"\x01" * 16, "test", "shared", bytes(16), count=number)


async def test_pages_of_a_snapshot_hold_each_row_once(database: Database) -> None:
    """What is written while the pages are read is in none of them; the next snapshot has it."""
    await write_rows(database, ROWS)

    async with database.snapshot() as tx:
        total = await count_rows(tx, schema.journal)
        ids = []
        async for page in read_pages(tx, schema.journal, "what", "detail", limit=7):
            ids += [row.id for row in page]
            await write_rows(database, 1)

    assert total == len(ids) == len(set(ids)) == ROWS
    assert ids == sorted(ids)
    async with database.snapshot() as tx:
        assert await count_rows(tx, schema.journal) == ROWS + 4


async def test_keys_of_several_columns_page_too(database: Database) -> None:
    """Rows whose key is several columns come in its order, each once, with the columns that were asked for."""
    rows = [(log, seq, position) for log in (1, 2) for seq in range(3) for position in range(3)]
    async with database.write() as tx:
        for log, seq, position in rows:
            values = {"name": "x", "salt": b"", "data": b"", "form": 0}
            await tx.run(schema.sections.insert().values(log_no=log, seq=seq, position=position, **values))

    async with database.snapshot() as tx:
        pages = [page async for page in read_pages(tx, schema.sections, "form", limit=4)]

    assert [(row.log_no, row.seq, row.position) for page in pages for row in page] == rows
    assert pages[0][0]._fields == ("log_no", "seq", "position", "form")


async def test_schema_of_this_program_is_told(database: Database) -> None:
    """The version of a store that was just made is the program's own."""
    async with database.snapshot() as tx:
        assert await check_schema(tx)
