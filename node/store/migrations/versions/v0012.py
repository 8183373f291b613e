"""Drivers that are published, what their names mean here, and readings that another version of a driver replaced."""

from alembic import op
from sqlalchemy import Column

from node.store.types import Int64, LargeBinary, Text

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the tables of each area."""
    _publish()
    _map()
    _supersede()


def _publish() -> None:
    op.create_table(
        "driver_versions",
        Column("hash", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("driver", Text, nullable=False),
        Column("version", Text, nullable=False),
        Column("level", Int64, nullable=False),
        Column("org", LargeBinary),
        Column("entry", LargeBinary),
        Column("state", Text, nullable=False),
        Column("detail", Text, nullable=False),
        Column("changed_us", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("driver_versions_by_driver", "driver_versions", ["driver"])
    op.create_table(
        "driver_publishers",
        Column("org", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("since_us", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "frame_formats",
        Column("signature", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("headers", LargeBinary, nullable=False),
        Column("heard_us", Int64, nullable=False),
        sqlite_strict=True,
    )


def _map() -> None:
    op.create_table(
        "driver_fields",
        Column("driver", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("quantity", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("channel", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("unit", Text, nullable=False),
        Column("first_us", Int64, nullable=False),
        Column("frame_id", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "mappings",
        Column("driver", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("quantity", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("channel", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("code", Text, nullable=False),
        Column("unit", Text, nullable=False),
        Column("obis", Text, nullable=False),
        Column("scale", Text, nullable=False),
        Column("changed_us", Int64, nullable=False),
        sqlite_strict=True,
    )


def _supersede() -> None:
    op.create_table(
        "superseded_readings",
        Column("id", Int64, primary_key=True, autoincrement=True, nullable=False),
        Column("subject64", Int64, nullable=False),
        Column("series", Text, nullable=False),
        Column("month", Int64, nullable=False),
        Column("effective_us", Int64, nullable=False),
        Column("n", Int64, nullable=False),
        Column("subject", LargeBinary, nullable=False),
        Column("value", Int64, nullable=False),
        Column("scale", Int64, nullable=False),
        Column("unit", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("device_us", Int64),
        Column("received_us", Int64, nullable=False),
        Column("time_source", Text, nullable=False),
        Column("status", Text, nullable=False),
        Column("reasons", Text, nullable=False),
        Column("alarms", Text, nullable=False),
        Column("sequence", Int64),
        Column("frame_id", Int64, nullable=False),
        Column("frame_hash", LargeBinary, nullable=False),
        Column("driver_hash", LargeBinary, nullable=False),
        Column("superseded_us", Int64, nullable=False),
        Column("superseded_by", LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("superseded_by_series", "superseded_readings", ["subject64", "series", "effective_us"])
