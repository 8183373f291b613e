"""Bringing a store to this program's schema, with alembic; a store of a later program is refused."""

from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from node.store.database import Database, ReadTx
from node.store.errors import SchemaError
from node.store.schema import metadata

SCRIPTS = Path(__file__).parent / "migrations"


async def upgrade(database: Database) -> None:
    """Run the migrations that are missing; raise SchemaError where the store is newer than the program."""
    async with database.writer.begin() as connection:
        await connection.run_sync(_upgrade)


async def check_schema(tx: ReadTx) -> str:
    """The version of the store; raise SchemaError unless it is this program's own."""
    return await tx.connection.run_sync(_check)


def _check(connection: Connection) -> str:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    head = ScriptDirectory.from_config(config).get_current_head()
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None or current != head:
        raise SchemaError(
            f"the store is of version {current}, this program's is {head}: start the node once with this program"
        )
    return current


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    scripts = ScriptDirectory.from_config(config)
    known = {revision.revision for revision in scripts.walk_revisions()}
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise SchemaError(f"the store is of version {current}, which this program does not know: update the program")
    with EnvironmentContext(config, scripts, fn=lambda rev, _: scripts._upgrade_revs("head", rev)) as environment:
        environment.configure(connection=connection, target_metadata=metadata)
        environment.run_migrations()
