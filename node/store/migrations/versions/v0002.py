"""Radio and readings: sessions by activation, frames with what they carried, readings by series.

The tables of the first schema that are made anew here were never written by any release, so nothing is carried over.
"""

from alembic import op
from sqlalchemy import Column

from node.store.types import Int64, LargeBinary, Text

revision = "0002"
down_revision = "0001"

REPLACED = ("radio_nonces", "radio_sessions", "frames", "readings")


def upgrade() -> None:
    """Make the four tables anew."""
    for name in REPLACED:
        op.drop_table(name)
    op.create_table(
        "radio_nonces",
        Column("dev_eui", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("dev_nonce", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("join_nonce", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "radio_sessions",
        Column("dev_eui", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("number", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("state", LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    _create_frames()
    _create_readings()


def _create_frames() -> None:
    op.create_table(
        "frames",
        Column("id", Int64, primary_key=True, autoincrement=True),
        Column("received_us", Int64, nullable=False),
        Column("dev_eui", LargeBinary),
        Column("session", Int64),
        Column("what", Text, nullable=False),
        Column("phy", LargeBinary, nullable=False),
        Column("port", Int64),
        Column("fcnt", Int64),
        Column("payload", LargeBinary),
        Column("detail", Text, nullable=False),
        Column("state", Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("frames_by_device", "frames", ["dev_eui", "id"], unique=False)
    op.create_index("frames_by_state", "frames", ["state", "dev_eui", "session"], unique=False)


def _create_readings() -> None:
    op.create_table(
        "readings",
        Column("subject64", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("series", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("month", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("effective_us", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("n", Int64, primary_key=True, autoincrement=False, nullable=False),
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
        sqlite_strict=True,
    )
