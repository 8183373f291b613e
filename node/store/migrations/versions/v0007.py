"""The working day: processes that run, webhooks, roles and systems, exchanges, drafts and attachments."""

from alembic import op
from sqlalchemy import Column

from node.store.types import Int64, LargeBinary, Text

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make what each area needs."""
    _create_runs()
    _limit_tokens()
    _make_webhooks()
    forms_and_files()


def _create_runs() -> None:
    op.create_table(
        "runs",
        Column("id", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("lead", LargeBinary, nullable=False),
        Column("procedure", Text, nullable=False),
        Column("code", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("is_open", Int64, nullable=False),
        Column("number", Text, nullable=False),
        Column("about", Text, nullable=False),
        Column("owner", LargeBinary, nullable=False),
        Column("opened_us", Int64, nullable=False),
        Column("step", Text, nullable=False),
        Column("org", LargeBinary, nullable=False),
        Column("since_us", Int64, nullable=False),
        Column("due_us", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("runs_by_lead", "runs", ["lead"])
    op.create_index("runs_by_procedure", "runs", ["procedure"])
    op.create_index("runs_by_due", "runs", ["is_open", "due_us", "id"])
    op.create_index("runs_by_org", "runs", ["is_open", "org", "due_us", "id"])
    op.create_index("runs_by_owner", "runs", ["is_open", "owner", "due_us", "id"])


def _limit_tokens() -> None:
    op.add_column("tokens", Column("subjects", Text, nullable=False, server_default="[]"))


def _make_webhooks() -> None:
    op.create_table(
        "webhooks",
        Column("id", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("url", Text, nullable=False),
        Column("description", Text, nullable=False),
        Column("kinds", Text, nullable=False),
        Column("subjects", Text, nullable=False),
        Column("author", Text, nullable=False),
        Column("token", Text, nullable=False),
        Column("secret", LargeBinary, nullable=False),
        Column("old_secret", LargeBinary),
        Column("old_until_us", Int64, nullable=False),
        Column("paused", Text, nullable=False),
        Column("cursor", Int64, nullable=False),
        Column("attempts", Int64, nullable=False),
        Column("next_us", Int64, nullable=False),
        Column("failing_us", Int64, nullable=False),
        Column("error", Text, nullable=False),
        Column("tries", Int64, nullable=False),
        Column("taken", Int64, nullable=False),
        Column("taken_us", Int64, nullable=False),
        Column("created_us", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "deliveries",
        Column("hook", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("n", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("purpose", Text, nullable=False),
        Column("event", Int64, nullable=False),
        Column("what", Text, nullable=False),
        Column("attempt", Int64, nullable=False),
        Column("at_us", Int64, nullable=False),
        Column("took_us", Int64, nullable=False),
        Column("status", Int64, nullable=False),
        Column("error", Text, nullable=False),
        sqlite_strict=True,
    )


def forms_and_files() -> None:
    """Drafts of protocols, and what is attached to them."""
    op.create_table(
        "forms",
        Column("id", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("template", Text, nullable=False),
        Column("subject", LargeBinary, nullable=False),
        Column("document", Text, nullable=False),
        Column("files", Text, nullable=False),
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
