"""The registry that is searched: cards, the shelves on which they stand, marks and figures.

The tables are filled from the views when the node starts. Lists no longer read passports by title.
"""

from alembic import op
from sqlalchemy import Column

from node.store.types import Int64, LargeBinary, Text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the four tables."""
    op.drop_index("passports_by_title", table_name="passports")
    _create_cards()
    op.create_table(
        "shelves",
        Column("no", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("title", Text, nullable=False),
        Column("subject", LargeBinary, nullable=False),
        Column("size", Int64, nullable=False),
        Column("slots", LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("shelves_by_title", "shelves", ["title", "subject"], unique=True)
    op.create_table(
        "marks",
        Column("shelf", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("mark", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("size", Int64, nullable=False),
        Column("slots", LargeBinary, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "figures",
        Column("shelf", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("name", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("slices", LargeBinary, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _create_cards() -> None:
    op.create_table(
        "cards",
        Column("no", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("subject", LargeBinary, nullable=False),
        Column("kind", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("names", Text, nullable=False),
        Column("type", Text, nullable=False),
        Column("place", Text, nullable=False),
        Column("owner", Text, nullable=False),
        Column("owner_name", Text, nullable=False),
        Column("expires", Int64, nullable=False),
        Column("ids", Int64, nullable=False),
        Column("changed_us", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("cards_by_subject", "cards", ["subject"], unique=True)
    op.create_index("cards_by_title", "cards", ["title", "subject"], unique=True)
