"""Forms that are being filled in, and files in chunks."""

from alembic import op
from sqlalchemy import Column

from node.store.types import Int64, LargeBinary, Text

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables of each area."""
    forms_and_files()


def forms_and_files() -> None:
    """Drafts of protocols, and what is attached to them."""
    op.create_table(
        "forms",
        Column("id", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("template", Text, nullable=False),
        Column("subject", LargeBinary, nullable=False),
        Column("document", Text, nullable=False),
        Column("files", Text, nullable=False),
        Column("replaces", Text, nullable=False),
        Column("actor", Text, nullable=False),
        Column("created_us", Int64, nullable=False),
        Column("changed_us", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("forms_by_change", "forms", ["changed_us"])
    op.create_table(
        "chunks",
        Column("file", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("n", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("data", LargeBinary, nullable=False),
        sqlite_strict=True,
    )
