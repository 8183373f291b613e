"""The tables. Sources are kept for ever and migrated with care; projections are dropped and folded again.

Times are microseconds since 1970 (UTC). `subject64` is the first eight bytes of a subject as a signed number. `no` is a
log's short number in this store; a fragment's key is (log_no, seq), never its hash.
"""

from typing import Any

from sqlalchemy import Column, Index, MetaData, Table, text

from node.store.types import Int64, LargeBinary, Text

metadata = MetaData()


def _table(name: str, *items: Any) -> Table:  # Any: SQLAlchemy's own type of what a table is made of is private
    return Table(name, metadata, *items, sqlite_strict=True)


def _clustered(name: str, *items: Any) -> Table:  # Any: as above
    """A table whose rows stand in the order of their key, where the database can."""
    return Table(name, metadata, *items, sqlite_strict=True, sqlite_with_rowid=False)


def _key(name: str, kind: Any) -> Column[Any]:  # Any: a column's Python type follows from its SQL type
    return Column(name, kind, primary_key=True, nullable=False, autoincrement=False)


def _need(name: str, kind: Any) -> Column[Any]:  # Any: as above
    return Column(name, kind, nullable=False)


# Sources: organisations and their logs.
root_statements = _table(
    "root_statements",
    _key("org", LargeBinary),
    _key("hash", LargeBinary),
    _need("n", Int64),
    _need("envelope", LargeBinary),
    _need("received_us", Int64),
    # Whether k anchors attest its branch: what attestations say, kept where chains are read.
    Column("attested", Int64, nullable=False, server_default="0"),
)
logs = _table(
    "logs",
    Column("no", Int64, primary_key=True, autoincrement=True),
    _need("log", LargeBinary),
    _need("org", LargeBinary),
    _need("node", LargeBinary),
    _need("envelope", LargeBinary),
    _need("own", Int64),
    _need("size", Int64),
    Column("note", LargeBinary),
    _need("note_size", Int64),
    Column("stopped", Text),
    _need("opened_us", Int64),
    Column("counted", Int64),  # entries from this seq on do not count; none where all do
    Column("loss", Text),  # why they do not
    Index("logs_by_id", "log", unique=True),
)
tiles = _table("tiles", _key("log_no", Int64), _key("level", Int64), _key("n", Int64), _need("hashes", LargeBinary))
fragments = _table(
    "fragments",
    _key("log_no", Int64),
    _key("seq", Int64),
    _need("kind", Int64),
    _need("stamp_us", Int64),
    _need("header", LargeBinary),
    _need("signature", LargeBinary),
    Column("void", Text),
    _need("received_us", Int64),
    Index("fragments_by_kind", "kind", "log_no", "seq"),
)
OF_KEYS = "name = 'root-keys'"
sections = _table(
    "sections",
    _key("log_no", Int64),
    _key("seq", Int64),
    _key("position", Int64),
    _need("name", Text),
    Column("salt", LargeBinary),
    _need("data", LargeBinary),
    # 0 in clear, 1 sealed by its author to a box key, 2 sealed under this store's own key, 3 erased: nothing is left,
    # 4 held back after an older copy came back
    _need("form", Int64),
    # Keys are counted without reading what is sealed.
    Index("sections_of_keys", "log_no", "seq", "form", sqlite_where=text(OF_KEYS), postgresql_where=text(OF_KEYS)),
)
# Which thing has which root key, by a mark that tells nothing without the storage key (node/store/key_marks.py).
key_marks = _table("key_marks", _key("mark", LargeBinary), _key("subject", LargeBinary))
mentions = _table(
    "mentions",
    _key("subject64", Int64),
    _key("log_no", Int64),
    _key("seq", Int64),
    _need("first", Int64),
)
checkpoints = _table(
    "checkpoints", _key("log_no", Int64), _key("size", Int64), _need("root", LargeBinary), _need("note", LargeBinary)
)
# What changed of the federation, each thing by its last change: what a peer has not heard of is after a number.
changes = _table(
    "changes",
    Column("n", Int64, primary_key=True, autoincrement=True),
    _need("what", Text),  # chain, log, note, fork
    _need("key", LargeBinary),  # of a chain its organisation, else the log
    Index("changes_by_key", "what", "key"),
)
fork_proofs = _table(
    "fork_proofs", _key("log", LargeBinary), _key("id", LargeBinary), _need("seq", Int64), _need("proof", LargeBinary)
)
# Own entries that fell with a fork, and where they were said again.
said_again = _table(
    "said_again",
    _key("log", LargeBinary),
    _key("seq", Int64),
    _need("again_log", LargeBinary),
    _need("again_seq", Int64),
    _need("again_id16", LargeBinary),
)

# The rows of erasures that count, by the place that they name: what comes there later is stored without it.
erasures = _table(
    "erasures",
    _key("log", LargeBinary),
    _key("seq", Int64),
    _key("section", Text),
    _key("by_log", LargeBinary),
    _key("by_seq", Int64),
    _need("id16", LargeBinary),
    _need("by_id16", LargeBinary),
    _need("org", LargeBinary),
    _need("stamp_us", Int64),
    _need("ground", Text),
    Index("erasures_by_word", "by_log", "by_seq"),
)
# Sections that are gone here.
erased = _table(
    "erased",
    _key("log", LargeBinary),
    _key("seq", Int64),
    _key("section", Text),
    _need("id16", LargeBinary),
    _need("at_us", Int64),
    _need("was_here", Int64),  # whether the bytes had been here, or came later and were dropped
    _need("acked", Int64),  # whether who asked was told so, or need not be
    Index("erased_to_tell", "acked", "was_here", "at_us"),
)
# To which nodes personal sections were given from here, and when first.
given = _table(
    "given",
    _key("log", LargeBinary),
    _key("seq", Int64),
    _key("section", Text),
    _key("node", LargeBinary),
    _need("org", LargeBinary),
    _need("at_us", Int64),
)

# Sources: what this node knows and does.
settings = _table("settings", _key("name", Text), _need("value", LargeBinary))
peers = _table(
    "peers",
    _key("node", LargeBinary),
    _need("org", LargeBinary),
    _need("url", Text),
    _need("pin", LargeBinary),
    _need("sign_key", LargeBinary),
    _need("state", Text),
    Column("epoch", LargeBinary, nullable=False, server_default=text("''")),  # within which it counts its openings
    _need("cursor", Int64),
    _need("met_us", Int64),
    Column("seen_us", Int64),
    Column("trouble", Text),
    Column("only_followed", Int64, nullable=False, server_default=text("0")),  # whether nothing else is taken of it
)
# What a node follows: this one, or one that asks this one.
filters = _table(
    "filters",
    _key("node", LargeBinary),
    _need("org", LargeBinary),
    _need("filter", LargeBinary),  # stands for its set
    _need("size", Int64),  # of the set
    _need("since", Int64),  # the newest opening when it began: from then on the node has a list of its own
)
follows = _clustered(
    "follows",
    _key("subject", LargeBinary),
    _key("node", LargeBinary),
    Index("follows_by_node", "node", "subject"),
)
# The directory: what nodes announced here that they hold, and what this one announces (node/services/announcing.py).
announced = _clustered(
    "announced",
    _key("bucket", Int64),
    _key("node", LargeBinary),
    _need("digest", LargeBinary),
    _need("marks", LargeBinary),  # the first 8 bytes of each key, ascending
    Index("announced_by_node", "node", "bucket"),
)
announcers = _table(
    "announcers",
    _key("node", LargeBinary),
    _need("org", LargeBinary),
    _need("marks", Int64),  # that it announced here
    Column("told_us", Int64),  # when its list was as it said last
    _need("good", Int64),  # referrals to it that this node asked and that held, and those that did not
    _need("bad", Int64),
    Column("bad_us", Int64),
)
# What members ask to be shown, until somebody here answers.
access_requests = _table(
    "access_requests",
    _key("org", LargeBinary),
    _key("subject", LargeBinary),
    _need("scheme", Text),
    _need("value", Text),
    _need("words", Text),
    _need("asked_us", Int64),
)
invitations = _table(
    "invitations",
    _key("secret_hash", LargeBinary),
    _need("expires_us", Int64),
    Column("used_by", LargeBinary),
    Column("made_us", Int64, nullable=False, server_default="0"),
    Column("actor", Text, nullable=False, server_default=""),
)
journal = _table(
    "journal",
    Column("id", Int64, primary_key=True, autoincrement=True),
    _need("at_us", Int64),
    _need("org", LargeBinary),
    _need("actor", Text),
    _need("what", Text),
    Column("subject", LargeBinary),
    _need("detail", Text),
    Index("journal_by_subject", "subject", "id"),
)
jobs = _table(
    "jobs",
    _key("id", Text),
    _need("kind", Text),
    _need("state", Text),
    _need("done", Int64),
    _need("total", Int64),
    _need("result", Text),
    _need("actor", Text),
    _need("created_us", Int64),
    _need("changed_us", Int64),
    Index("jobs_by_state", "state", "created_us"),
)
# Apart from the row that each step of a job writes anew: a file may have tens of megabytes.
job_inputs = _table("job_inputs", _key("job", Text), _need("data", LargeBinary))
# Forms that are being filled in, and the bytes of files: of a form until it is signed, then of the statement's section.
forms = _table(
    "forms",
    _key("id", Text),
    _need("template", Text),
    _need("subject", LargeBinary),
    _need("document", Text),
    _need("files", Text),
    _need("replaces", Text),  # the place of an own protocol, or nothing
    _need("actor", Text),
    _need("created_us", Int64),
    _need("changed_us", Int64),
    _need("run", Text),  # the process of whose step it is, or nothing
    _need("step", Text),
    _need("beside", Text),  # what else was typed for the step
    Index("forms_by_change", "changed_us"),
    Index("forms_by_run", "run", "step"),
)
chunks = _table("chunks", _key("file", Text), _key("n", Int64), _need("data", LargeBinary))
idempotency = _table(
    "idempotency",
    _key("actor", Text),
    _key("key", Text),
    _need("request_hash", LargeBinary),
    _need("status", Int64),  # 0 while the request is being answered
    _need("headers", Text),
    _need("body", LargeBinary),
    _need("at_us", Int64),
    Index("idempotency_by_time", "at_us"),
)
tokens = _table(
    "tokens",
    _key("hash", LargeBinary),
    _need("id", Text),
    _need("name", Text),
    _need("scopes", Text),
    _need("issuer", Text),
    _need("created_us", Int64),
    _need("expires_us", Int64),
    # JSON: the hex of those that the token is limited to; none means every one.
    Column("subjects", Text, nullable=False, server_default="[]"),
    Column("system", Text),  # of which correspondent it is
    Index("tokens_by_id", "id", unique=True),
)
# What other systems are told of: the journal's rows in their order, each until it was taken.
webhooks = _table(
    "webhooks",
    _key("id", Text),
    _need("url", Text),
    _need("description", Text),
    _need("kinds", Text),  # JSON: which changes; none means every one
    _need("subjects", Text),  # JSON: the hex of those about which; none means every one
    _need("author", Text),
    _need("token", Text),  # whose hook it is; empty for a person's
    _need("secret", LargeBinary),  # sealed under this store's own key, as the one before it
    Column("old_secret", LargeBinary),
    _need("old_until_us", Int64),
    _need("paused", Text),  # why nothing is sent; empty while it is
    _need("cursor", Int64),  # the journal's row up to which all was taken
    _need("attempts", Int64),  # at the row after it
    _need("next_us", Int64),
    _need("failing_us", Int64),  # since when; 0 while rows are taken
    _need("error", Text),
    _need("tries", Int64),  # of all rows: the number of the last delivery
    _need("taken", Int64),
    _need("taken_us", Int64),
    _need("created_us", Int64),
)
deliveries = _table(
    "deliveries",
    _key("hook", Text),
    _key("n", Int64),
    _need("purpose", Text),
    _need("event", Int64),  # the journal's row; 0 for a test
    _need("what", Text),
    _need("attempt", Int64),
    _need("at_us", Int64),
    _need("took_us", Int64),
    _need("status", Int64),  # of HTTP; 0 where there was no answer
    _need("error", Text),
)
correspondents = _table(
    "correspondents",
    _key("name", Text),
    _need("kind", Text),
    _need("contact", Text),
    _need("rights", Text),
    Column("blocked_us", Int64),
    Column("reason", Text),
    _need("created_us", Int64),
    _need("changed_us", Int64),
    Column("used_us", Int64),
    _need("used", Int64),
    Column("refused_us", Int64),
    _need("refused", Int64),
)
accounts = _table(
    "accounts",
    _key("name", Text),
    _need("password", Text),
    _need("role", Text),
    _need("language", Text),
    _need("created_us", Int64),
)
sessions = _table(
    "sessions",
    _key("hash", LargeBinary),
    _need("id", Text),
    _need("account", Text),
    _need("address", Text),
    _need("created_us", Int64),
    _need("seen_us", Int64),
    _need("expires_us", Int64),
    Index("sessions_by_account", "account"),
)
attempts = _table("attempts", _key("key", Text), _need("count", Int64), _need("since_us", Int64))
# The backups that this node made: what its content key opens was in this store, which keeps it sealed under its own.
backups = _table(
    "backups",
    _key("name", Text),
    _need("made_us", Int64),
    _need("size", Int64),
    _need("locked_to", Text),  # `passphrase`, or the id of a recovery key in hex
    _need("key", LargeBinary),
    _need("statements", Int64),
    _need("took_ms", Int64),
    Column("checked_us", Int64),
    Column("drilled_us", Int64),
    _need("trouble", Text),
)

# Sources: radio and readings.
radio_devices = _table(
    "radio_devices",
    _key("dev_eui", LargeBinary),
    _need("subject", LargeBinary),
    _need("profile", Text),
    _need("root_key", LargeBinary),
    _need("state", Text),
    _need("registration", Text),
    _need("changed_us", Int64),
    Index("radio_devices_by_subject", "subject"),
)
radio_nonces = _table(
    "radio_nonces", _key("dev_eui", LargeBinary), _key("dev_nonce", Int64), _need("join_nonce", Int64)
)
radio_sessions = _table(
    "radio_sessions",
    _key("dev_eui", LargeBinary),
    _key("number", Int64),
    _need("state", LargeBinary),  # sealed under this store's own key: keys, counters, queue
)
gateways = _table(
    "gateways", _key("eui", LargeBinary), _need("name", Text), Column("seen_us", Int64), _need("frames", Int64)
)
frames = _table(
    "frames",
    Column("id", Int64, primary_key=True, autoincrement=True),
    _need("received_us", Int64),
    Column("dev_eui", LargeBinary),
    Column("session", Int64),
    _need("what", Text),
    _need("phy", LargeBinary),
    Column("port", Int64),
    Column("fcnt", Int64),
    Column("payload", LargeBinary),
    _need("detail", Text),
    _need("state", Text),
    Index("frames_by_device", "dev_eui", "id"),
    Index("frames_by_state", "state", "dev_eui", "session"),
)


def _reading() -> tuple[Column[Any], ...]:
    """What is told of a value besides its key."""
    return (
        _need("subject", LargeBinary),
        _need("value", Int64),  # times 10 ** -scale
        _need("scale", Int64),
        _need("unit", Text),
        _need("kind", Text),
        Column("device_us", Int64),
        _need("received_us", Int64),
        _need("time_source", Text),
        _need("status", Text),
        _need("reasons", Text),
        _need("alarms", Text),
        Column("sequence", Int64),
        _need("frame_id", Int64),
        _need("frame_hash", LargeBinary),
        _need("driver_hash", LargeBinary),
    )


readings = _table(
    "readings",
    _key("subject64", Int64),
    _key("series", Text),  # channel/quantity/storage/tariff
    _key("month", Int64),  # year * 100 + month, by which the table can be partitioned
    _key("effective_us", Int64),
    _key("n", Int64),  # 0 for the first value of a key, then those that were kept beside it
    *_reading(),
)
# What another version of a driver read from the same frames since.
superseded_readings = _table(
    "superseded_readings",
    Column("id", Int64, primary_key=True, autoincrement=True),
    _need("subject64", Int64),
    _need("series", Text),
    _need("month", Int64),
    _need("effective_us", Int64),
    _need("n", Int64),
    *_reading(),
    _need("superseded_us", Int64),
    _need("superseded_by", LargeBinary),  # the hash of the driver whose readings stand now
    Index("superseded_by_series", "subject64", "series", "effective_us"),
)

# Sources: drivers, and what their names mean here.
driver_versions = _table(
    "driver_versions",
    _key("hash", LargeBinary),
    _need("driver", Text),
    _need("version", Text),
    _need("level", Int64),
    Column("org", LargeBinary),  # none for what is installed on this machine
    Column("entry", LargeBinary),  # the id of the statement that published it
    _need("state", Text),
    _need("detail", Text),
    _need("changed_us", Int64),
    Index("driver_versions_by_driver", "driver"),
)
driver_publishers = _table("driver_publishers", _key("org", LargeBinary), _need("since_us", Int64))
driver_stops = _table(
    "driver_stops", _key("org", LargeBinary), _key("driver", Text), _need("since_us", Int64)
)  # drivers that an administrator stopped, whatever version comes
driver_fields = _table(
    "driver_fields",
    _key("driver", Text),
    _key("quantity", Text),
    _key("channel", Int64),  # -1 for bytes that are no reading
    _need("unit", Text),
    _need("first_us", Int64),
    _need("frame_id", Int64),  # a frame that it stands in
)
mappings = _table(
    "mappings",
    _key("driver", Text),
    _key("quantity", Text),
    _key("channel", Int64),  # -1 for every channel
    _need("code", Text),
    _need("unit", Text),
    _need("obis", Text),
    _need("scale", Text),
    _need("changed_us", Int64),
)
frame_formats = _table(
    "frame_formats", _key("signature", Int64), _need("headers", LargeBinary), _need("heard_us", Int64)
)

# Sources: what other systems were sent and sent.
register_answers = _table(
    "register_answers",
    Column("id", Int64, primary_key=True, autoincrement=True),
    _need("subject", LargeBinary),
    _need("asked_us", Int64),
    _need("url", Text),
    _need("body", LargeBinary),
    _need("found", Text),
    _need("detail", Text),
    Index("register_answers_by_subject", "subject", "id"),
)
arshin_files = _table(
    "arshin_files",
    Column("id", Int64, primary_key=True, autoincrement=True),
    _need("made_us", Int64),
    _need("actor", Text),
    _need("results", Int64),
    _need("content", LargeBinary),  # sealed under this store's own key: owners and metrologists are persons
)
# Own results of verification, as the views show them; `file` and `settled_us` are known nowhere else.
arshin_results = _table(
    "arshin_results",
    _key("ref", Text),
    _need("lead", LargeBinary),
    _need("occurred_us", Int64),
    _need("serial", Text),
    _need("number", Text),
    _need("state", Text),
    Column("file", Int64),  # the first that it stood in
    Column("settled_us", Int64),  # when the register had annulled it too
    Index("arshin_results_by_lead", "lead"),
    Index("arshin_results_by_time", "state", "occurred_us", "ref"),
    Index("arshin_results_by_file", "file", "state", "occurred_us", "ref"),
)
messages_1c = _table(
    "messages_1c",
    _key("system", Text),
    _key("id", Text),
    _need("number", Int64),
    _need("kind", Text),
    _need("hash", LargeBinary),
    _need("answer", Text),
    _need("received_us", Int64),
    _need("actor", Text),
    Index("messages_1c_by_time", "received_us", "id"),
    Index("messages_1c_by_number", "system", "number", unique=True),
)
# Which message an object of 1C was last written by: what comes late from an older one changes nothing.
objects_1c = _table(
    "objects_1c",
    _key("system", Text),
    _key("kind", Text),
    _key("id", Text),
    _need("number", Int64),
    _need("message", Text),
    _need("hash", LargeBinary),
    Column("subject", LargeBinary),
    Index("objects_1c_by_subject", "subject"),
)

# Projections: dropped and folded again when their version changes.
passports = _table(
    "passports",
    _key("subject", LargeBinary),
    _need("lead", LargeBinary),
    _need("kind", Text),
    _need("state", Text),
    _need("title", Text),
    _need("digest", LargeBinary),
    _need("view", LargeBinary),
    _need("changed_us", Int64),
    Column("kept", LargeBinary),  # of a long one: what decides about one more event; its rows stand in `moments`
    Index("passports_by_lead", "lead"),
)
terms = _table(
    "terms",
    _key("term", Text),
    _key("subject", LargeBinary),
    _need("scheme", Text),
    Index("terms_by_subject", "subject"),
)
# A long passport has its events and its statements here, a row for each, in the order in which a view has them. A plain
# row is of a statement that adds this row to the passport and has no other effect.
moments = _table(
    "moments",
    _key("lead", LargeBinary),
    _key("list", Text),
    _key("place", LargeBinary),
    _need("log_no", Int64),
    _need("seq", Int64),
    _need("plain", Int64),
    _need("row", Text),
    _need("hash", LargeBinary),
    # Of events only. What others wrote may hold a character 0, which no Text of PostgreSQL takes.
    Column("key", LargeBinary),
    Column("by", LargeBinary),
    Column("central", LargeBinary),
    Column("local", LargeBinary),
    Column("process", LargeBinary),
    Index("moments_by_key", "lead", "key"),
    Index("moments_by_entry", "log_no", "seq", "plain"),
    Index("moments_moving", "lead", sqlite_where=text("plain = 0"), postgresql_where=text("plain = 0")),
)
# Processes that run or ran, as the views show them, one row each: who has to do what, and until when.
runs = _table(
    "runs",
    _key("id", LargeBinary),
    _need("lead", LargeBinary),
    _need("procedure", Text),
    _need("code", Text),
    _need("state", Text),
    _need("is_open", Int64),
    _need("number", Text),
    _need("about", Text),
    _need("owner", LargeBinary),
    _need("opened_us", Int64),
    _need("step", Text),
    _need("org", LargeBinary),  # who has to act, empty where nobody has the role
    _need("since_us", Int64),
    _need("due_us", Int64),  # the largest number where there is no term
    Index("runs_by_lead", "lead"),
    Index("runs_by_procedure", "procedure"),
    Index("runs_by_due", "is_open", "due_us", "id"),
    Index("runs_by_org", "is_open", "org", "due_us", "id"),
    Index("runs_by_owner", "is_open", "owner", "due_us", "id"),
)
# Shipments whose papers are here, one row each with how many of its devices stand how, and each of those devices.
shipments = _table(
    "shipments",
    _key("subject", LargeBinary),
    _need("seller", LargeBinary),
    _need("buyer", LargeBinary),
    _need("outside", Text),  # `inn:...` or `ogrn:...` of a buyer without a node, `box:...` of a box, else empty
    _need("name", Text),  # what the seller calls him
    _need("number", Text),
    _need("date", Text),
    _need("returns", LargeBinary),  # the shipment whose devices it sends back, or nothing
    _need("announced", Int64),  # parts of which it is to consist
    _need("parts", Int64),
    _need("devices", Int64),
    _need("n_offered", Int64),
    _need("n_accepted", Int64),
    _need("n_refused", Int64),
    _need("n_withdrawn", Int64),
    _need("n_returning", Int64),
    _need("n_returned", Int64),
    _need("keyed", Int64),  # devices that are the buyer's and have a root key by the seller's word
    _need("strange", Int64),  # things that were answered for and are not in it
    _need("said_us", Int64),
    Column("unopened", Int64, nullable=False, server_default="0"),  # devices that are sold unopened
    Column("via", LargeBinary, nullable=False, server_default=text("''")),  # through whose node it goes, or nothing
    Column("box", LargeBinary),  # the box whose code the buyer had
    Index("shipments_by_seller", "seller", "said_us", "subject"),
    Index("shipments_by_buyer", "buyer", "said_us", "subject"),
    Index("shipments_by_carrier", "via", "said_us", "subject"),
    Index("shipments_by_box", "box"),
)
shipped = _clustered(
    "shipped",
    _key("shipment", LargeBinary),
    _key("device", LargeBinary),
    _need("device64", Int64),
    _need("state", Text),
    _need("reason", Text),
    Index("shipped_by_device", "device"),
)
# What packing lists say of the devices of shipments; `term` is the serial as it is compared.
packed = _clustered(
    "packed",
    _key("shipment", LargeBinary),
    _key("device", LargeBinary),
    _need("name", Text),
    _need("serial", Text),
    _need("place", Text),
    _need("term", Text),
)
# What passports wait for to be folded again: an entry of a log, or that the log is here up to a size.
awaited = _table(
    "awaited",
    _key("log", LargeBinary),
    _key("at", Int64),
    _key("is_size", Int64),
    _key("lead", LargeBinary),
    Index("awaited_by_lead", "lead"),
)
# Of what something was stored that its passport does not show yet.
unfolded = _table("unfolded", _key("subject", LargeBinary))
readers = _table(
    "readers",
    _key("subject", LargeBinary),
    _key("org", LargeBinary),
    _key("author", LargeBinary),  # whose statements: of one organisation, or empty for everybody's
    _key("since_us", Int64),
    _key("until_us", Int64),
    _key("profile", LargeBinary),  # of which sections; empty for all
    _need("classes", Int64),  # a bit for each section class that may be opened; 0 where the right was closed
)
openings = _table(
    "openings",
    Column("n", Int64, primary_key=True, autoincrement=True),
    _need("org", LargeBinary),  # in whose list it stands: of an organisation, or of a node of one that has its own
    _need("subject", LargeBinary),
    Column("log_no", Int64),  # with seq one new entry about the subject; without, all that is said about it
    Column("seq", Int64),
    Index("openings_by_org", "org", "n"),
)

# The registry that is searched (node/store/filing.py, node/store/finding.py): a card of each leading passport, on
# shelves of 4,096 that follow each other by title; `no` is shelf * 4096 + place.
cards = _table(
    "cards",
    _key("no", Int64),
    _need("subject", LargeBinary),
    _need("kind", Text),
    _need("state", Text),
    _need("title", Text),
    _need("names", Text),
    _need("type", Text),
    _need("place", Text),
    _need("owner", Text),
    _need("owner_name", Text),
    _need("expires", Int64),
    _need("ids", Int64),
    _need("changed_us", Int64),
    Column("unrecorded", Int64, nullable=False, server_default=text("0")),
    Index("cards_by_subject", "subject", unique=True),
    Index("cards_by_title", "title", "subject", unique=True),
)
shelves = _table(
    "shelves",
    _key("no", Int64),
    _need("title", Text),  # with the subject the first key that belongs here; empty for the first shelf
    _need("subject", LargeBinary),
    _need("size", Int64),
    _need("slots", LargeBinary),
    Index("shelves_by_title", "title", "subject", unique=True),
)
marks = _clustered("marks", _key("shelf", Int64), _key("mark", Text), _need("size", Int64), _need("slots", LargeBinary))
figures = _clustered("figures", _key("shelf", Int64), _key("name", Text), _need("slices", LargeBinary))
REGISTRY = (cards, shelves, marks, figures)
PROJECTIONS = (passports, terms, moments, runs, shipments, shipped, packed, *REGISTRY)
