"""The first schema."""

from alembic import op
from sqlalchemy import Column

from node.store.types import Int64, LargeBinary, Text

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "accounts",
        Column("name", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("password", Text, nullable=False),
        Column("role", Text, nullable=False),
        Column("language", Text, nullable=False),
        Column("created_us", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "attempts",
        Column("key", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("count", Int64, nullable=False),
        Column("since_us", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "checkpoints",
        Column("log_no", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("size", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("root", LargeBinary, nullable=False),
        Column("note", LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "fork_proofs",
        Column("log", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("id", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("seq", Int64, nullable=False),
        Column("proof", LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "fragments",
        Column("log_no", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("seq", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("kind", Int64, nullable=False),
        Column("stamp_us", Int64, nullable=False),
        Column("header", LargeBinary, nullable=False),
        Column("signature", LargeBinary, nullable=False),
        Column("void", Text),
        Column("received_us", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("fragments_by_kind", "fragments", ["kind", "log_no", "seq"], unique=False)
    op.create_table(
        "frames",
        Column("id", Int64, primary_key=True, autoincrement=True),
        Column("received_us", Int64, nullable=False),
        Column("dev_eui", LargeBinary),
        Column("what", Text, nullable=False),
        Column("phy", LargeBinary, nullable=False),
        Column("detail", Text, nullable=False),
        Column("state", Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("frames_by_device", "frames", ["dev_eui", "id"], unique=False)
    op.create_table(
        "gateways",
        Column("eui", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("name", Text, nullable=False),
        Column("seen_us", Int64),
        Column("frames", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "idempotency",
        Column("actor", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("key", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("request_hash", LargeBinary, nullable=False),
        Column("status", Int64, nullable=False),
        Column("headers", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("at_us", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("idempotency_by_time", "idempotency", ["at_us"], unique=False)
    op.create_table(
        "invitations",
        Column("secret_hash", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("expires_us", Int64, nullable=False),
        Column("used_by", LargeBinary),
        sqlite_strict=True,
    )
    op.create_table(
        "jobs",
        Column("id", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("kind", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("done", Int64, nullable=False),
        Column("total", Int64, nullable=False),
        Column("input", LargeBinary, nullable=False),
        Column("result", Text, nullable=False),
        Column("actor", Text, nullable=False),
        Column("created_us", Int64, nullable=False),
        Column("changed_us", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("jobs_by_state", "jobs", ["state", "created_us"], unique=False)
    op.create_table(
        "journal",
        Column("id", Int64, primary_key=True, autoincrement=True),
        Column("at_us", Int64, nullable=False),
        Column("org", LargeBinary, nullable=False),
        Column("actor", Text, nullable=False),
        Column("what", Text, nullable=False),
        Column("subject", LargeBinary),
        Column("detail", Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("journal_by_subject", "journal", ["subject", "id"], unique=False)
    op.create_table(
        "logs",
        Column("no", Int64, primary_key=True, autoincrement=True),
        Column("log", LargeBinary, nullable=False),
        Column("org", LargeBinary, nullable=False),
        Column("node", LargeBinary, nullable=False),
        Column("envelope", LargeBinary, nullable=False),
        Column("own", Int64, nullable=False),
        Column("size", Int64, nullable=False),
        Column("note", LargeBinary),
        Column("note_size", Int64, nullable=False),
        Column("stopped", Text),
        Column("opened_us", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("logs_by_id", "logs", ["log"], unique=True)
    op.create_table(
        "mentions",
        Column("subject64", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("log_no", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("seq", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("first", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "openings",
        Column("n", Int64, primary_key=True, autoincrement=True),
        Column("org", LargeBinary, nullable=False),
        Column("subject", LargeBinary, nullable=False),
        Column("log_no", Int64),
        Column("seq", Int64),
        sqlite_strict=True,
    )
    op.create_index("openings_by_org", "openings", ["org", "n"], unique=False)
    op.create_table(
        "passports",
        Column("subject", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("lead", LargeBinary, nullable=False),
        Column("kind", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("digest", LargeBinary, nullable=False),
        Column("view", LargeBinary, nullable=False),
        Column("changed_us", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("passports_by_lead", "passports", ["lead"], unique=False)
    op.create_index("passports_by_title", "passports", ["title", "subject"], unique=False)
    op.create_table(
        "peers",
        Column("node", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("org", LargeBinary, nullable=False),
        Column("url", Text, nullable=False),
        Column("pin", LargeBinary, nullable=False),
        Column("sign_key", LargeBinary, nullable=False),
        Column("state", Text, nullable=False),
        Column("cursor", Int64, nullable=False),
        Column("met_us", Int64, nullable=False),
        Column("seen_us", Int64),
        Column("trouble", Text),
        sqlite_strict=True,
    )
    op.create_table(
        "radio_devices",
        Column("dev_eui", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("subject", LargeBinary, nullable=False),
        Column("profile", Text, nullable=False),
        Column("root_key", LargeBinary, nullable=False),
        Column("state", Text, nullable=False),
        Column("registration", Text, nullable=False),
        Column("changed_us", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("radio_devices_by_subject", "radio_devices", ["subject"], unique=False)
    op.create_table(
        "radio_nonces",
        Column("dev_eui", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("dev_nonce", Int64, primary_key=True, autoincrement=False, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "radio_sessions",
        Column("dev_eui", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("dev_addr", Int64, nullable=False),
        Column("state", LargeBinary, nullable=False),
        Column("started_us", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("radio_sessions_by_addr", "radio_sessions", ["dev_addr"], unique=False)
    op.create_table(
        "readers",
        Column("subject", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("org", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("author", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("since_us", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("until_us", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("classes", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "readings",
        Column("month", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("subject64", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("series", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("effective_us", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("n", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("subject", LargeBinary, nullable=False),
        Column("value", Int64, nullable=False),
        Column("scale", Int64, nullable=False),
        Column("unit", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("device_us", Int64),
        Column("received_us", Int64, nullable=False),
        Column("status", Text, nullable=False),
        Column("source", Text, nullable=False),
        Column("frame_id", Int64, nullable=False),
        Column("frame_hash", LargeBinary, nullable=False),
        Column("driver_hash", LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "root_statements",
        Column("org", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("hash", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("n", Int64, nullable=False),
        Column("envelope", LargeBinary, nullable=False),
        Column("received_us", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sections",
        Column("log_no", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("seq", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("position", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("name", Text, nullable=False),
        Column("salt", LargeBinary),
        Column("data", LargeBinary, nullable=False),
        Column("form", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sessions",
        Column("hash", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("id", Text, nullable=False),
        Column("account", Text, nullable=False),
        Column("address", Text, nullable=False),
        Column("created_us", Int64, nullable=False),
        Column("seen_us", Int64, nullable=False),
        Column("expires_us", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("sessions_by_account", "sessions", ["account"], unique=False)
    op.create_table(
        "settings",
        Column("name", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("value", LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "terms",
        Column("term", Text, primary_key=True, autoincrement=False, nullable=False),
        Column("subject", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("scheme", Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "tiles",
        Column("log_no", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("level", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("n", Int64, primary_key=True, autoincrement=False, nullable=False),
        Column("hashes", LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "tokens",
        Column("hash", LargeBinary, primary_key=True, autoincrement=False, nullable=False),
        Column("id", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("scopes", Text, nullable=False),
        Column("issuer", Text, nullable=False),
        Column("created_us", Int64, nullable=False),
        Column("expires_us", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("tokens_by_id", "tokens", ["id"], unique=True)
