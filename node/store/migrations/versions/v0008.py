"""The federation: what counts of logs, fork proofs and attested branches of root chains."""

from alembic import op
from sqlalchemy import Column

from node.store.types import Int64, LargeBinary, Text

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make what each area needs."""
    _count_logs()


def _count_logs() -> None:
    op.add_column("logs", Column("counted", Int64))
    op.add_column("logs", Column("loss", Text))
    op.add_column("root_statements", Column("attested", Int64, nullable=False, server_default="0"))
    op.create_table(
        "said_again",
        Column("log", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("seq", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("again_log", LargeBinary, nullable=False),
        Column("again_seq", Int64, nullable=False),
        Column("again_id16", LargeBinary, nullable=False),
        sqlite_strict=True,
    )
