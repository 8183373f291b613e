"""Long passports: events and statements as rows of their own, and what decides about one more."""

from alembic import op
from sqlalchemy import Column

from node.store.types import Int64, LargeBinary, Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add three projections; the next start folds them."""
    for name, more in (("timeline", _event_columns()), ("signed", [])):
        op.create_table(
            name,
            Column("lead", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
            Column("place", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
            Column("log_no", Int64, nullable=False),
            Column("seq", Int64, nullable=False),
            Column("plain", Int64, nullable=False),
            Column("row", Text, nullable=False),
            Column("hash", LargeBinary, nullable=False),
            *more,
            sqlite_strict=True,
        )
    op.create_index("timeline_by_key", "timeline", ["lead", "key"], unique=False)
    op.create_index("signed_by_entry", "signed", ["log_no", "seq"], unique=False)
    op.create_table(
        "kept",
        Column("lead", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("state", LargeBinary, nullable=False),
        sqlite_strict=True,
    )


def _event_columns() -> list[Column[bytes]]:
    return [
        Column("key", LargeBinary, nullable=False),
        Column("by", LargeBinary, nullable=False),
        Column("central", LargeBinary),
        Column("local", LargeBinary),
        Column("process", LargeBinary),
    ]
