"""Shipments unopened, through a carrier, in boxes and with packing lists; what is folded later."""

from alembic import op
from sqlalchemy import Column, text

from node.store.types import Int64, LargeBinary, Text

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the tables of each area."""
    _sold_unopened()
    _carried()
    _leave_for_later()
    _claim_boxes()
    _make_packed()
    _index_keys()


def _sold_unopened() -> None:
    op.add_column("shipments", Column("unopened", Int64, nullable=False, server_default="0"))


def _carried() -> None:
    op.add_column("shipments", Column("via", LargeBinary, nullable=False, server_default=text("''")))
    op.create_index("shipments_by_carrier", "shipments", ["via", "said_us", "subject"])


def _leave_for_later() -> None:
    op.create_table("unfolded", Column("subject", LargeBinary, primary_key=True, nullable=False), sqlite_strict=True)


def _claim_boxes() -> None:
    op.add_column("shipments", Column("box", LargeBinary))
    op.create_index("shipments_by_box", "shipments", ["box"])


def _make_packed() -> None:
    op.create_table(
        "packed",
        Column("shipment", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("device", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("name", Text, nullable=False),
        Column("serial", Text, nullable=False),
        Column("place", Text, nullable=False),
        Column("term", Text, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _index_keys() -> None:
    keys = text("name = 'root-keys'")
    op.create_index("sections_of_keys", "sections", ["log_no", "seq", "form"], sqlite_where=keys, postgresql_where=keys)
