"""What nodes announced that they hold."""

from alembic import op
from sqlalchemy import Column

from node.store.types import Int64, LargeBinary, Text

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables of each area."""
    _make_directory()


def _make_directory() -> None:
    op.create_table(
        "announced",
        Column("bucket", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("node", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("digest", LargeBinary, nullable=False),
        Column("marks", LargeBinary, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("announced_by_node", "announced", ["node", "bucket"])
    op.create_table(
        "announcers",
        Column("node", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("org", LargeBinary, nullable=False),
        Column("marks", Int64, nullable=False),
        Column("told_us", Int64),
        Column("good", Int64, nullable=False),
        Column("bad", Int64, nullable=False),
        Column("bad_us", Int64),
        sqlite_strict=True,
    )
    op.create_table(
        "access_requests",
        Column("org", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("subject", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("scheme", Text, nullable=False),
        Column("value", Text, nullable=False),
        Column("words", Text, nullable=False),
        Column("asked_us", Int64, nullable=False),
        sqlite_strict=True,
    )
