"""What shipments have come to."""

from alembic import op
from sqlalchemy import Column

from node.store.types import Int64, LargeBinary, Text

revision = "0010"
down_revision = "0009"

COUNTS = (
    "announced", "parts", "devices", "n_offered", "n_accepted", "n_refused", "n_withdrawn", "n_returning",
    "n_returned", "keyed", "strange", "said_us",
)  # fmt: skip


def upgrade() -> None:
    """Make what is new; projections are filled when the node opens."""
    _add_shipments()


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
