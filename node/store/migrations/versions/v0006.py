"""Rows of long passports: which entries are plain is told by an index alone, and so is which rows are not."""

from alembic import op
from sqlalchemy import text

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make both indexes."""
    op.drop_index("moments_by_entry", table_name="moments")
    op.create_index("moments_by_entry", "moments", ["log_no", "seq", "plain"])
    moving = text("plain = 0")
    op.create_index("moments_moving", "moments", ["lead"], sqlite_where=moving, postgresql_where=moving)
