"""Copies of a whole store: always one SQLite file, whichever engine the store is on, and back into either.

SQLite copies itself by VACUUM INTO: a stepped copy begins anew whenever the node writes, and never ends on a busy one.
PostgreSQL is read table by table in one repeatable-read snapshot.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from sqlalchemy import Integer, Select, Table, func, literal_column, make_url, select, text

from node.aside import aside
from node.ports import Clock
from node.store import schema
from node.store.copying import read_pages
from node.store.database import Database, ReadTx, WriteTx
from node.store.migrate import check_schema, upgrade
from node.store.upserts import insert_all

Tell = Callable[[int], None]

# Rows of some tables are large: so many of them at once are some tens of megabytes at most.
PAGES = {schema.chunks.name: 16, schema.job_inputs.name: 1, schema.sections.name: 100, schema.arshin_files.name: 4}
PAGE = 500
LOOK_EVERY_S = 0.2


def file_database(path: Path, clock: Clock) -> Database:
    """The store in one file."""
    return Database(f"sqlite+aiosqlite:///{path}", clock)


_PAGES: Select[tuple[int]] = select(literal_column("page_count") * literal_column("page_size")).select_from(
    text("pragma_page_count(), pragma_page_size()")
)


async def store_size(database: Database) -> int:
    """About how many bytes a copy will take."""
    async with database.read() as tx:
        if not database.is_sqlite:
            return int(await tx.value(select(func.pg_database_size(func.current_database()))))
        return int(await tx.value(_PAGES))


async def take_snapshot(database: Database, clock: Clock, path: Path) -> None:
    """Copy a store, as it is at one moment, into a new file while it is written to."""
    if database.is_sqlite:
        await _vacuum(Path(str(make_url(database.url).database)), path)
        return
    target = file_database(path, clock)
    try:
        await upgrade(target)
        async with database.snapshot() as tx:
            await check_schema(tx)
            async with target.write() as there:
                await copy_tables(tx, there)
    finally:
        await target.close()


def finish_snapshot(path: Path, name: str, value: bytes) -> None:
    """Write the mark of a copy into its settings, and leave one file that needs no journal beside it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE")
        copy.execute("insert or replace into settings (name, value) values (?, ?)", (name, value))


async def count_statements(tx: ReadTx) -> dict[bytes, int]:
    """How many statements of each log are here."""
    logs, entries = schema.logs.c, schema.fragments.c
    statement = (
        select(logs.log, func.count().label("held"))
        .join(schema.fragments, entries.log_no == logs.no)
        .group_by(logs.log)
    )
    return {row.log: row.held for row in await tx.all(statement)}


async def is_taken(database: Database) -> bool:
    """Whether a node's store is there already."""
    async with database.read() as tx:
        there = await tx.has_table(schema.root_statements.name)
        return there and await tx.first(select(schema.root_statements.c.n).limit(1)) is not None


async def load_snapshot(path: Path, clock: Clock, database: Database) -> None:
    """Put a copy into an empty store of the other engine, in one transaction."""
    source = file_database(path, clock)
    try:
        await upgrade(source)
        await upgrade(database)
        async with source.snapshot() as tx, database.write() as there:
            await copy_tables(tx, there)
            for table in schema.metadata.sorted_tables:
                await _set_sequence(there, table)
    finally:
        await source.close()


async def copy_tables(source: ReadTx, target: WriteTx) -> None:
    """Every row of every table."""
    for table in schema.metadata.sorted_tables:
        names = [column.name for column in table.columns]
        async for page in read_pages(source, table, *names, limit=PAGES.get(table.name, PAGE)):
            await insert_all(target, table, [dict(row._mapping) for row in page])


async def _vacuum(source: Path, target: Path) -> None:
    connection = sqlite3.connect(source, isolation_level=None, check_same_thread=False)
    try:
        await aside(partial(connection.execute, "vacuum into ?", (str(target),)), connection.interrupt)
    finally:
        connection.close()


async def _set_sequence(tx: WriteTx, table: Table) -> None:
    """Let a key that counts by itself go on after what was copied: on SQLite it does."""
    keys = [column for column in table.primary_key.columns if column.autoincrement is True]
    if tx.dialect == "sqlite" or not keys or not isinstance(keys[0].type, Integer):
        return
    name = keys[0].name
    last = f"coalesce((select max({name}) from {table.name}), 0)"  # noqa: S608 - names of the schema
    await tx.run(
        text(f"select setval(pg_get_serial_sequence('{table.name}', '{name}'), greatest({last}, 1), {last} > 0)")
    )
