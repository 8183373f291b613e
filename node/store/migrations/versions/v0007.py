"""The working day: processes that run."""

from alembic import op
from sqlalchemy import Column

from node.store.types import Int64, LargeBinary, Text

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables of the working day."""
    _create_runs()


def _create_runs() -> None:
    op.create_table(
        "runs",
        Column("id", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("lead", LargeBinary, nullable=False),
        Column("procedure", Text, nullable=False),
        Column("code", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("is_open", Int64, nullable=False),
        Column("number", Text, nullable=False),
        Column("about", Text, nullable=False),
        Column("owner", LargeBinary, nullable=False),
        Column("opened_us", Int64, nullable=False),
        Column("step", Text, nullable=False),
        Column("org", LargeBinary, nullable=False),
        Column("since_us", Int64, nullable=False),
        Column("due_us", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("runs_by_lead", "runs", ["lead"])
    op.create_index("runs_by_procedure", "runs", ["procedure"])
    op.create_index("runs_by_due", "runs", ["is_open", "due_us", "id"])
    op.create_index("runs_by_org", "runs", ["is_open", "org", "due_us", "id"])
    op.create_index("runs_by_owner", "runs", ["is_open", "owner", "due_us", "id"])
