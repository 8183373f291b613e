"""Insert-or-replace and insert-or-leave, spelled the same for SQLite and PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from node.store.database import WriteTx

Rows = Sequence[dict[str, object]]


async def upsert(tx: WriteTx, table: Table, rows: Rows) -> None:
    """Insert rows, replacing those of equal primary key."""
    statement = _insert(tx, table)
    keys = [column.name for column in table.primary_key]
    changes = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    await tx.run(statement.on_conflict_do_update(index_elements=keys, set_=changes), list(rows))


async def insert_new(tx: WriteTx, table: Table, rows: Rows) -> None:
    """Insert rows, leaving alone those whose primary key stands already."""
    await tx.run(_insert(tx, table).on_conflict_do_nothing(), list(rows))


def _insert(tx: WriteTx, table: Table) -> Any:  # Any: the two dialects' Insert share no base with these methods
    dialect = tx.connection.dialect.name
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
