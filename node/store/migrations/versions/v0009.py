"""What nodes follow."""

from alembic import op
from sqlalchemy import Column, text

from node.store.types import Int64, LargeBinary

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the filters; everybody takes everything so far."""
    op.add_column("peers", Column("only_followed", Int64, nullable=False, server_default=text("0")))
    op.create_table(
        "filters",
        Column("node", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("org", LargeBinary, nullable=False),
        Column("filter", LargeBinary, nullable=False),
        Column("size", Int64, nullable=False),
        Column("since", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "follows",
        Column("subject", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("node", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("follows_by_node", "follows", ["node", "subject"])
