"""Long passports: events and statements as rows of their own, and what decides about one more."""

from alembic import op
from sqlalchemy import Column

from node.store.types import Int64, LargeBinary, Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add what the next start folds anew."""
    op.add_column("passports", Column("kept", LargeBinary))
    op.create_table(
        "moments",
        Column("lead", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("list", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("place", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("log_no", Int64, nullable=False),
        Column("seq", Int64, nullable=False),
        Column("plain", Int64, nullable=False),
        Column("row", Text, nullable=False),
        Column("hash", LargeBinary, nullable=False),
        Column("key", LargeBinary),
        Column("by", LargeBinary),
        Column("central", LargeBinary),
        Column("local", LargeBinary),
        Column("process", LargeBinary),
        sqlite_strict=True,
    )
    op.create_index("moments_by_key", "moments", ["lead", "key"], unique=False)
    op.create_index("moments_by_entry", "moments", ["log_no", "seq"], unique=False)
