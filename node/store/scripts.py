"""The scripts that bring a store from version to version, run by alembic."""

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from node.store.migrate import SCRIPTS
from node.store.schema import metadata


def run_scripts(connection: Connection, until: str = "head") -> None:
    """Run the scripts that a store misses, all of them on an empty one; up to a version, or to the newest."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    scripts = ScriptDirectory.from_config(config)
    with EnvironmentContext(config, scripts, fn=lambda rev, _: scripts._upgrade_revs(until, rev)) as environment:
        environment.configure(connection=connection, target_metadata=metadata)
        environment.run_migrations()
