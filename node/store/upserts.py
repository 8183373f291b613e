"""Inserting rows, replacing or leaving those that stand, spelled the same for SQLite and PostgreSQL."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Insert, Table, insert
from sqlalchemy.dialects import sqlite

from node.store.database import WriteTx

Rows = Sequence[dict[str, object]]


async def insert_all(tx: WriteTx, table: Table, rows: Rows) -> None:
    """Insert rows; raise IntegrityError where a key stands already."""
    await tx.run(_insert_all(table), rows)


async def upsert(tx: WriteTx, table: Table, rows: Rows) -> None:
    """Insert rows, replacing those of equal primary key."""
    await tx.run(_upsert(tx.dialect, table), rows)


async def insert_new(tx: WriteTx, table: Table, rows: Rows) -> int:
    """Insert rows, leaving alone those whose primary key stands already; how many were new, where that is known."""
    return await tx.run(_insert_new(tx.dialect, table), rows)


# Built once for each table: building them costs as much as running them.
@cache
def _insert_all(table: Table) -> Insert:
    return insert(table)


@cache
def _upsert(dialect: str, table: Table) -> Any:  # Any: the two dialects' Insert share no base with these methods
    statement = _insert(dialect, table)
    keys = [column.name for column in table.primary_key]
    changes = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changes)


@cache
def _insert_new(dialect: str, table: Table) -> Any:  # Any: as above
    return _insert(dialect, table).on_conflict_do_nothing()


def _insert(dialect: str, table: Table) -> Any:  # Any: as above
    if dialect == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - most nodes do without it

    return postgresql.insert(table)
