"""Systems of the organisation have rights of their own, and tokens may be theirs."""

from alembic import op
from sqlalchemy import Column

from node.store.types import Int64, Text

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make what this version adds, one function an area."""
    _add_correspondents()


def _add_correspondents() -> None:
    op.create_table(
        "correspondents",
        Column("name", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("kind", Text, nullable=False),
        Column("contact", Text, nullable=False),
        Column("rights", Text, nullable=False),
        Column("blocked_us", Int64),
        Column("reason", Text),
        Column("created_us", Int64, nullable=False),
        Column("changed_us", Int64, nullable=False),
        Column("used_us", Int64),
        Column("used", Int64, nullable=False),
        Column("refused_us", Int64),
        Column("refused", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.add_column("tokens", Column("system", Text))
