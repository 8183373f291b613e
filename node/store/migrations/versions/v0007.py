"""The working day: what other systems sent and were sent, and results that wait for their record in the register."""

from alembic import op
from sqlalchemy import Column, text

from node.store.types import Int64, LargeBinary, Text

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables of the working day."""
    _create_exchanges()


def _create_exchanges() -> None:
    op.add_column("cards", Column("unrecorded", Int64, nullable=False, server_default=text("0")))
    op.create_table(
        "register_answers",
        Column("id", Int64, primary_key=True, autoincrement=True),
        Column("subject", LargeBinary, nullable=False),
        Column("asked_us", Int64, nullable=False),
        Column("url", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("found", Text, nullable=False),
        Column("detail", Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("register_answers_by_subject", "register_answers", ["subject", "id"])
    op.create_table(
        "arshin_files",
        Column("id", Int64, primary_key=True, autoincrement=True),
        Column("made_us", Int64, nullable=False),
        Column("actor", Text, nullable=False),
        Column("results", Int64, nullable=False),
        Column("content", LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "arshin_results",
        Column("ref", Text, primary_key=True, nullable=False),
        Column("file", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("arshin_results_by_file", "arshin_results", ["file"])
    op.create_table(
        "messages_1c",
        Column("system", Text, primary_key=True, nullable=False),
        Column("id", Text, primary_key=True, nullable=False),
        Column("number", Int64, nullable=False),
        Column("kind", Text, nullable=False),
        Column("hash", LargeBinary, nullable=False),
        Column("answer", Text, nullable=False),
        Column("received_us", Int64, nullable=False),
        Column("actor", Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("messages_1c_by_time", "messages_1c", ["received_us", "id"])
    op.create_table(
        "objects_1c",
        Column("system", Text, primary_key=True, nullable=False),
        Column("kind", Text, primary_key=True, nullable=False),
        Column("id", Text, primary_key=True, nullable=False),
        Column("number", Int64, nullable=False),
        Column("message", Text, nullable=False),
        Column("hash", LargeBinary, nullable=False),
        Column("subject", LargeBinary),
        sqlite_strict=True,
    )
    op.create_index("objects_1c_by_subject", "objects_1c", ["subject"])
