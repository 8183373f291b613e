"""The input of a job stands apart from the row that each of its steps writes; terms are found by their subject."""

from alembic import op
from sqlalchemy import Column

from node.store.types import LargeBinary, Text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Move the inputs of jobs that are not done, and index the terms."""
    op.create_table(
        "job_inputs",
        Column("job", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("data", LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.execute("INSERT INTO job_inputs (job, data) SELECT id, input FROM jobs WHERE length(input) > 0")
    op.drop_column("jobs", "input")
    op.create_index("terms_by_subject", "terms", ["subject"])
