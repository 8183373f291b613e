"""Bringing a store to this program's schema: an empty one is made in one go, an older one by the scripts it misses.

A store of a later program is refused.
"""

from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, insert, inspect, select

from node.store.database import Database, ReadTx
from node.store.errors import SchemaError
from node.store.schema import metadata

SCRIPTS = Path(__file__).parent / "migrations"
VERSIONS = sorted(path.stem.removeprefix("v") for path in (SCRIPTS / "versions").glob("v*.py"))
HEAD = VERSIONS[-1]

# As alembic declares it.
_version = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


async def upgrade(database: Database) -> None:
    """Make what is missing; raise SchemaError where the store is newer than the program."""
    async with database.writer.begin() as connection:
        await connection.run_sync(_upgrade)


async def check_schema(tx: ReadTx) -> str:
    """The version of the store; raise SchemaError unless it is this program's own."""
    if isinstance(tx.connection, Connection):
        return _check(tx.connection)
    return await tx.connection.run_sync(_check)


def create_schema(connection: Connection) -> None:
    """Make all tables of an empty store as the last script leaves them."""
    metadata.create_all(connection, checkfirst=False)
    _version.create(connection, checkfirst=False)
    connection.execute(insert(_version), {"version_num": HEAD})


def _check(connection: Connection) -> str:
    current = _current(connection)
    if current != HEAD:
        raise SchemaError(
            f"the store is of version {current}, this program's is {HEAD}: start the node once with this program"
        )
    return HEAD


def _upgrade(connection: Connection) -> None:
    current = _current(connection)
    if current is None:
        create_schema(connection)
    elif current not in VERSIONS:
        raise SchemaError(f"the store is of version {current}, which this program does not know: update the program")
    elif current != HEAD:
        # Most starts find the store as it should be: they do without the scripts and what runs them.
        from node.store.scripts import run_scripts  # noqa: PLC0415 - as said above

        run_scripts(connection)


def _current(connection: Connection) -> str | None:
    """The version of the store, None where it is empty."""
    if not inspect(connection).has_table(_version.name):
        return None
    return connection.execute(select(_version.c.version_num)).scalar()
