"""Subscriptions: what changed of the federation, numbered."""

from alembic import op
from sqlalchemy import Column, text

from node.store.types import Int64, LargeBinary, Text

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make what each area needs."""
    _number_changes()
    op.add_column("peers", Column("epoch", LargeBinary, nullable=False, server_default=text("''")))


def _number_changes() -> None:
    op.create_table(
        "changes",
        Column("n", Int64, primary_key=True, autoincrement=True),
        Column("what", Text, nullable=False),
        Column("key", LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("changes_by_key", "changes", ["what", "key"])
    op.execute(text("insert into changes (what, key) select distinct 'chain', org from root_statements"))
    op.execute(text("insert into changes (what, key) select 'log', log from logs order by no"))
    op.execute(text("insert into changes (what, key) select 'note', log from logs where note is not null order by no"))
