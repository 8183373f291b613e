"""The directory, erasures, shipments and hand-overs."""

from alembic import op
from sqlalchemy import Column

from node.store.types import Int64, LargeBinary, Text

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables of each area."""
    _make_directory()
    _erasures()
    _add_shipments()


COUNTS = (
    "announced",
    "parts",
    "devices",
    "n_offered",
    "n_accepted",
    "n_refused",
    "n_withdrawn",
    "n_returning",
    "n_returned",
    "keyed",
    "strange",
    "said_us",
)


def _make_directory() -> None:
    op.create_table(
        "announced",
        Column("bucket", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("node", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("digest", LargeBinary, nullable=False),
        Column("marks", LargeBinary, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("announced_by_node", "announced", ["node", "bucket"])
    op.create_table(
        "announcers",
        Column("node", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("org", LargeBinary, nullable=False),
        Column("marks", Int64, nullable=False),
        Column("told_us", Int64),
        Column("good", Int64, nullable=False),
        Column("bad", Int64, nullable=False),
        Column("bad_us", Int64),
        sqlite_strict=True,
    )
    op.create_table(
        "access_requests",
        Column("org", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("subject", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("scheme", Text, nullable=False),
        Column("value", Text, nullable=False),
        Column("words", Text, nullable=False),
        Column("asked_us", Int64, nullable=False),
        sqlite_strict=True,
    )


def _erasures() -> None:
    """The rows of erasures, what is gone here, and to whom personal sections were given."""
    op.create_table(
        "erasures",
        Column("log", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("seq", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("section", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("by_log", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("by_seq", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("id16", LargeBinary, nullable=False),
        Column("by_id16", LargeBinary, nullable=False),
        Column("org", LargeBinary, nullable=False),
        Column("stamp_us", Int64, nullable=False),
        Column("ground", Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("erasures_by_word", "erasures", ["by_log", "by_seq"])
    op.create_table(
        "erased",
        Column("log", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("seq", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("section", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("id16", LargeBinary, nullable=False),
        Column("at_us", Int64, nullable=False),
        Column("was_here", Int64, nullable=False),
        Column("acked", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("erased_to_tell", "erased", ["acked", "was_here", "at_us"])
    op.create_table(
        "given",
        Column("log", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("seq", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("section", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("node", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("org", LargeBinary, nullable=False),
        Column("at_us", Int64, nullable=False),
        sqlite_strict=True,
    )


def _add_shipments() -> None:
    op.create_table(
        "shipments",
        Column("subject", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("seller", LargeBinary, nullable=False),
        Column("buyer", LargeBinary, nullable=False),
        Column("outside", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("number", Text, nullable=False),
        Column("date", Text, nullable=False),
        Column("returns", LargeBinary, nullable=False),
        *(Column(name, Int64, nullable=False) for name in COUNTS),
        sqlite_strict=True,
    )
    op.create_index("shipments_by_seller", "shipments", ["seller", "said_us", "subject"])
    op.create_index("shipments_by_buyer", "shipments", ["buyer", "said_us", "subject"])
    op.create_table(
        "shipped",
        Column("shipment", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("device", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("device64", Int64, nullable=False),
        Column("state", Text, nullable=False),
        Column("reason", Text, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("shipped_by_device", "shipped", ["device"])
