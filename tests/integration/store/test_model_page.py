"""The page of the model is the database: tables, columns, keys and indexes on both engines."""

import pytest
from sqlalchemy import Connection, inspect

from node.store import schema
from node.store.database import Database
from tests.model_page import PAGE, page

OWN = {"alembic_version"}


def test_page_is_what_the_schema_says() -> None:
    """`make docs` would write the page as it stands."""
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.req("B11")
async def test_database_has_the_tables_of_the_page(database: Database) -> None:
    """What the migrations made is what the page shows: names, columns, what may be empty, keys, indexes."""

    def look(connection: Connection) -> dict[str, object]:
        found = inspect(connection)
        return {
            name: (
                [(column["name"], column["nullable"]) for column in found.get_columns(name)],
                found.get_pk_constraint(name)["constrained_columns"],
                sorted(str(index["name"]) for index in found.get_indexes(name)),
            )
            for name in found.get_table_names()
            if name not in OWN
        }

    async with database.writer.connect() as connection:
        made = await connection.run_sync(look)

    shown = page()
    assert {name for name in made if f"\n### {name}\n" in shown} == made.keys()
    assert made == {
        table.name: (
            [(column.name, bool(column.nullable)) for column in table.columns],
            [column.name for column in table.primary_key.columns],
            sorted(str(index.name) for index in table.indexes),
        )
        for table in schema.metadata.tables.values()
    }
