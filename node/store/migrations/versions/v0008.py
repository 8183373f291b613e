"""The federation at work: what each area of it needs."""

from alembic import op
from sqlalchemy import Column, column, insert, literal, select, table, text

from node.store.types import Int64, LargeBinary, Text

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make what each area needs."""
    _number_changes()
    op.add_column("peers", Column("epoch", LargeBinary, nullable=False, server_default=text("''")))
    _await_logs()
    _limit_rights_to_profiles()
    _keep_backups()
    _count_logs()
    _name_makers_of_invitations()
    _mark_keys()


def _number_changes() -> None:
    op.create_table(
        "changes",
        Column("n", Int64, primary_key=True, autoincrement=True),
        Column("what", Text, nullable=False),
        Column("key", LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("changes_by_key", "changes", ["what", "key"])
    op.execute(text("insert into changes (what, key) select distinct 'chain', org from root_statements"))
    op.execute(text("insert into changes (what, key) select 'log', log from logs order by no"))
    op.execute(text("insert into changes (what, key) select 'note', log from logs where note is not null order by no"))


def _await_logs() -> None:
    op.create_table(
        "awaited",
        Column("log", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("at", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("is_size", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("lead", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("awaited_by_lead", "awaited", ["lead"])


def _limit_rights_to_profiles() -> None:
    """A profile is part of what tells rights apart. Rows stay: what acts opened to their parties is not folded anew."""
    op.execute("CREATE TEMPORARY TABLE readers_before AS SELECT * FROM readers")
    op.drop_table("readers")
    op.create_table(
        "readers",
        Column("subject", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("org", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("author", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("since_us", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("until_us", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("profile", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("classes", Int64, nullable=False),
        sqlite_strict=True,
    )
    before = table("readers_before", *(column(name) for name in (*_SPAN, "classes")))
    everything = literal(b"", LargeBinary).label("profile")
    rows = select(*(before.c[name] for name in _SPAN), everything, before.c.classes)
    after = table("readers", *(column(name) for name in (*_SPAN, "profile", "classes")))
    op.execute(insert(after).from_select([*_SPAN, "profile", "classes"], rows))
    op.execute("DROP TABLE readers_before")


def _keep_backups() -> None:
    op.create_table(
        "backups",
        Column("name", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("made_us", Int64, nullable=False),
        Column("size", Int64, nullable=False),
        Column("locked_to", Text, nullable=False),
        Column("key", LargeBinary, nullable=False),
        Column("statements", Int64, nullable=False),
        Column("took_ms", Int64, nullable=False),
        Column("checked_us", Int64),
        Column("drilled_us", Int64),
        Column("trouble", Text, nullable=False),
        sqlite_strict=True,
    )


def _count_logs() -> None:
    op.add_column("logs", Column("counted", Int64))
    op.add_column("logs", Column("loss", Text))
    op.add_column("root_statements", Column("attested", Int64, nullable=False, server_default="0"))
    op.create_table(
        "said_again",
        Column("log", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("seq", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("again_log", LargeBinary, nullable=False),
        Column("again_seq", Int64, nullable=False),
        Column("again_id16", LargeBinary, nullable=False),
        sqlite_strict=True,
    )


def _name_makers_of_invitations() -> None:
    op.add_column("invitations", Column("made_us", Int64, nullable=False, server_default="0"))
    op.add_column("invitations", Column("actor", Text, nullable=False, server_default=""))


_SPAN = ("subject", "org", "author", "since_us", "until_us")


def _mark_keys() -> None:
    """Keys that are here already are marked by the node, which alone opens them (node/services/key_marks.py)."""
    op.create_table(
        "key_marks",
        Column("mark", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("subject", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        sqlite_strict=True,
    )
