"""The schema of a store: made in one go where it is empty, by the scripts where it is older, equal both ways."""

from collections.abc import Iterable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from node.store.database import Database
from node.store.errors import SchemaError
from node.store.migrate import HEAD, SCRIPTS, VERSIONS, check_schema, upgrade
from node.store.schema import metadata
from node.store.scripts import run_scripts

Structure = dict[str, list[tuple[object, ...]]]
SQLITE = {
    "tables": "select name, type, wr, strict from pragma_table_list where schema = 'main'",
    "columns": """select t.name, c.name, c.type, c."notnull", c.dflt_value, c.pk
        from pragma_table_list t, pragma_table_info(t.name) c where t.schema = 'main'""",
    "indexes": """select t.name, i.name, i."unique", i.origin, i.partial, c.seqno, c.name, c."desc", c.coll
        from pragma_table_list t, pragma_index_list(t.name) i, pragma_index_xinfo(i.name) c where t.schema = 'main'""",
    "conditions": "select name, substr(sql, instr(sql, ' WHERE ')) from sqlite_master where sql like '% WHERE %'",
}
POSTGRESQL = {
    "tables": "select table_name, table_type from information_schema.tables where table_schema = 'public'",
    "columns": """select table_name, column_name, data_type, is_nullable, column_default, collation_name
        from information_schema.columns where table_schema = 'public'""",
    "indexes": "select tablename, indexname, indexdef from pg_indexes where schemaname = 'public'",
    "constraints": """select conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        from pg_constraint where connamespace = 'public'::regnamespace""",
}


def structure(connection: Connection) -> Structure:
    """Everything that the database knows of its tables, in an order of its own; the order of columns is left out."""
    asked = SQLITE if connection.dialect.name == "sqlite" else POSTGRESQL
    return {what: _sorted(map(tuple, connection.execute(text(sql)))) for what, sql in asked.items()}


async def test_empty_store_is_made_as_the_scripts_make_it(database: Database) -> None:
    """Table for table, column for column, index for index: a new store is what the oldest one becomes."""
    async with database.writer.begin() as connection:
        made = await connection.run_sync(structure)
        await connection.run_sync(metadata.drop_all)
        await connection.execute(text("DROP TABLE alembic_version"))

        await connection.run_sync(run_scripts)

        brought = await connection.run_sync(structure)
        difference = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), metadata)
        )
    assert len(made["tables"]) > len(metadata.tables)
    assert {table.name for table in metadata.tables.values()} < {row[0] for row in brought["tables"]}
    assert brought == made
    assert [item for item in difference if item[0] not in {"modify_type"}] == []
    async with database.read() as tx:
        assert await check_schema(tx) == HEAD


async def test_store_of_a_later_program_is_refused(database: Database) -> None:
    """A version that no script of this program has is named, and stays."""
    async with database.write() as tx:
        await tx.run(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(SchemaError, match="9999, which this program does not know"):
        await upgrade(database)

    async with database.read() as tx:
        with pytest.raises(SchemaError, match=f"version 9999, this program's is {HEAD}"):
            await check_schema(tx)


def test_versions_are_those_of_the_scripts() -> None:
    """The number in the name of a script is the version that it brings; each goes on from the one before."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    scripts = ScriptDirectory.from_config(config)

    assert [script.revision for script in scripts.walk_revisions()][::-1] == VERSIONS
    assert scripts.get_current_head() == HEAD


def _sorted(rows: Iterable[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return sorted(rows, key=repr)
