"""The working day: processes that run, webhooks, roles and systems, exchanges, drafts and attachments."""

from alembic import op
from sqlalchemy import Column, text

from node.store.types import Int64, LargeBinary, Text

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make what each area needs."""
    _create_runs()
    _limit_tokens()
    _make_webhooks()
    forms_and_files()
    _create_exchanges()
    _add_correspondents()


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
        Column("replaces", Text, nullable=False),
        Column("actor", Text, nullable=False),
        Column("created_us", Int64, nullable=False),
        Column("changed_us", Int64, nullable=False),
        Column("run", Text, nullable=False),
        Column("step", Text, nullable=False),
        Column("beside", Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("forms_by_change", "forms", ["changed_us"])
    op.create_index("forms_by_run", "forms", ["run", "step"])
    op.create_table(
        "chunks",
        Column("file", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("n", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("data", LargeBinary, nullable=False),
        sqlite_strict=True,
    )


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
        Column("lead", LargeBinary, nullable=False),
        Column("occurred_us", Int64, nullable=False),
        Column("serial", Text, nullable=False),
        Column("number", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("file", Int64),
        Column("settled_us", Int64),
        sqlite_strict=True,
    )
    op.create_index("arshin_results_by_lead", "arshin_results", ["lead"])
    op.create_index("arshin_results_by_time", "arshin_results", ["state", "occurred_us", "ref"])
    op.create_index("arshin_results_by_file", "arshin_results", ["file", "state", "occurred_us", "ref"])
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
    op.create_index("messages_1c_by_number", "messages_1c", ["system", "number"], unique=True)
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
