"""The federation between organisations: what each area of it needs."""

from alembic import op
from sqlalchemy import Column

from node.store.types import Int64, LargeBinary, Text

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make what each area needs."""
    _keep_backups()


def _keep_backups() -> None:
    op.create_table(
        "backups",
        Column("name", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("made_us", Int64, nullable=False),
        Column("size", Int64, nullable=False),
        Column("locked_to", Text, nullable=False),
        Column("key", LargeBinary, nullable=False),
        Column("statements", Int64, nullable=False),
        Column("took_ms", Int64, nullable=False),
        Column("checked_us", Int64),
        Column("drilled_us", Int64),
        Column("trouble", Text, nullable=False),
        sqlite_strict=True,
    )
