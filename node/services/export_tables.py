"""Tables of the store as they leave it: the columns that may, by name; a column that is not named here stays."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Table

from node.exchange.open_files import Json, Row, base64_text, json_line, moment
from node.services.export_folder import CsvFile, Output
from node.store import schema
from node.store.copying import read_pages
from node.store.database import ReadTx, Record

# What of a job's result may hold rows as they came, keys among them.
ROWS_OF_JOBS = ("header", "faulty")


@dataclass(frozen=True, slots=True)
class Listing:
    """A table of the store as CSV: `columns` are read, `row` makes of them what stands in the file."""

    name: str
    table: Table
    columns: tuple[str, ...]
    row: Callable[[Record], Row]


async def write_table(tx: ReadTx, output: Output, listing: Listing) -> AsyncIterator[int]:
    """Write a table of the store as CSV; how many rows each page had."""
    with CsvFile(output, listing.name, _NAMES[listing.name]) as file:
        async for page in read_pages(tx, listing.table, *listing.columns):
            file.write(map(listing.row, page))
            yield len(page)


async def write_journal_files(tx: ReadTx, output: Output) -> AsyncIterator[int]:
    """Write the journal as CSV and as JSONL; how many rows each page had."""
    columns = ("at_us", "org", "actor", "what", "subject", "detail")
    with CsvFile(output, "journal", _NAMES["journal"]) as table, output.open("journal.jsonl") as file:
        async for page in read_pages(tx, schema.journal, *columns):
            rows = [_journal_row(row) for row in page]
            table.write(rows)
            file.write(b"".join(json_line({**row, "detail": json.loads(row["detail"])}) for row in rows))
            yield len(page)


async def radio_devices(tx: ReadTx) -> AsyncIterator[Json]:
    """The devices of the network without their keys."""
    columns = ("subject", "profile", "state", "registration", "changed_us")
    async for page in read_pages(tx, schema.radio_devices, *columns):
        for row in page:
            yield {
                "dev_eui": row.dev_eui.hex(),
                "subject": row.subject.hex(),
                "state": row.state,
                "profile": json.loads(row.profile),
                "registration": json.loads(row.registration),
                "changed": moment(row.changed_us),
            }


async def jobs(tx: ReadTx) -> AsyncIterator[Json]:
    """Jobs without what they worked on."""
    columns = ("kind", "state", "done", "total", "result", "actor", "created_us", "changed_us")
    async for page in read_pages(tx, schema.jobs, *columns):
        for row in page:
            result = {name: value for name, value in json.loads(row.result).items() if name not in ROWS_OF_JOBS}
            told = {name: getattr(row, name) for name in ("id", "kind", "state", "done", "total", "actor")}
            yield {**told, "created": moment(row.created_us), "changed": moment(row.changed_us), "result": result}


async def register_answers(tx: ReadTx) -> AsyncIterator[Json]:
    """What the register answered, byte for byte, and what was found in it."""
    columns = ("subject", "asked_us", "url", "body", "found", "detail")
    async for page in read_pages(tx, schema.register_answers, *columns):
        for row in page:
            yield {
                "id": row.id,
                "subject": row.subject.hex(),
                "asked": moment(row.asked_us),
                "url": row.url,
                "answer": base64_text(row.body),
                "found": row.found,
                "detail": json.loads(row.detail),
            }


def _journal_row(row: Record) -> Row:
    return {
        "id": str(row.id),
        "at": moment(row.at_us) or "",
        "org": row.org.hex(),
        "actor": row.actor,
        "what": row.what,
        "subject": row.subject.hex() if row.subject else "",
        "detail": row.detail,
    }


def _reading_row(row: Record) -> Row:
    channel, quantity, storage, tariff = row.series.split("/")
    return {
        "subject": row.subject.hex(),
        "channel": channel,
        "quantity": quantity,
        "storage": storage,
        "tariff": tariff,
        "at": moment(row.effective_us) or "",
        "n": str(row.n),
        "value": format(Decimal(row.value).scaleb(-row.scale), "f"),
        "unit": row.unit,
        "kind": row.kind,
        "status": row.status,
        "reasons": row.reasons,
        "alarms": row.alarms,
        "device_time": moment(row.device_us) or "",
        "received": moment(row.received_us) or "",
        "time_source": row.time_source,
        "frame": str(row.frame_id),
        "frame_sha256": row.frame_hash.hex(),
        "driver": row.driver_hash.hex(),
    }


def _frame_row(row: Record) -> Row:
    return {
        "id": str(row.id),
        "received": moment(row.received_us) or "",
        "dev_eui": row.dev_eui.hex() if row.dev_eui else "",
        "what": row.what,
        "state": row.state,
        "counter": "" if row.fcnt is None else str(row.fcnt),
        "port": "" if row.port is None else str(row.port),
        "payload": row.payload.hex() if row.payload is not None else "",
        "phy": row.phy.hex(),
        "detail": row.detail,
    }


def _peer_row(row: Record) -> Row:
    return {
        "node": row.node.hex(),
        "org": row.org.hex(),
        "url": row.url,
        "certificate_sha256": row.pin.hex(),
        "sign_key": row.sign_key.hex(),
        "state": row.state,
        "met": moment(row.met_us) or "",
        "seen": moment(row.seen_us) or "",
    }


def _account_row(row: Record) -> Row:
    return {"name": row.name, "role": row.role, "language": row.language, "created": moment(row.created_us) or ""}


def _token_row(row: Record) -> Row:
    times = {"created": moment(row.created_us) or "", "expires": moment(row.expires_us) or ""}
    return {"id": row.id, "name": row.name, "scopes": row.scopes, "issuer": row.issuer, **times}


def _gateway_row(row: Record) -> Row:
    return {"eui": row.eui.hex(), "name": row.name, "seen": moment(row.seen_us) or "", "frames": str(row.frames)}


def _system_row(row: Record) -> Row:
    times = {"created": moment(row.created_us) or "", "changed": moment(row.changed_us) or ""}
    cut = {"blocked": moment(row.blocked_us) or "", "reason": row.reason or ""}
    return {"name": row.name, "kind": row.kind, "contact": row.contact, "rights": row.rights, **cut, **times}


def _webhook_row(row: Record) -> Row:
    told = {name: getattr(row, name) for name in ("id", "url", "description", "kinds", "subjects", "author", "token")}
    return {**told, "paused": row.paused, "created": moment(row.created_us) or ""}


def _message_row(row: Record) -> Row:
    told = {"system": row.system, "id": row.id, "number": str(row.number), "kind": row.kind, "sha256": row.hash.hex()}
    return {**told, "answer": row.answer, "received": moment(row.received_us) or "", "actor": row.actor}


def _object_row(row: Record) -> Row:
    told = {"system": row.system, "kind": row.kind, "id": row.id, "number": str(row.number), "message": row.message}
    return {**told, "subject": row.subject.hex() if row.subject else ""}


_NAMES: dict[str, tuple[str, ...]] = {
    "journal": ("id", "at", "org", "actor", "what", "subject", "detail"),
    "readings": (
        "subject", "channel", "quantity", "storage", "tariff", "at", "n", "value", "unit", "kind", "status", "reasons",
        "alarms", "device_time", "received", "time_source", "frame", "frame_sha256", "driver",
    ),
    "frames": ("id", "received", "dev_eui", "what", "state", "counter", "port", "payload", "phy", "detail"),
    "peers": ("node", "org", "url", "certificate_sha256", "sign_key", "state", "met", "seen"),
    "accounts": ("name", "role", "language", "created"),
    "tokens": ("id", "name", "scopes", "issuer", "created", "expires"),
    "gateways": ("eui", "name", "seen", "frames"),
    "systems": ("name", "kind", "contact", "rights", "blocked", "reason", "created", "changed"),
    "webhooks": ("id", "url", "description", "kinds", "subjects", "author", "token", "paused", "created"),
    "messages-1c": ("system", "id", "number", "kind", "sha256", "answer", "received", "actor"),
    "objects-1c": ("system", "kind", "id", "number", "message", "subject"),
}  # fmt: skip
READINGS = Listing(
    "readings",
    schema.readings,
    ("subject", "value", "scale", "unit", "kind", "device_us", "received_us", "time_source", "status", "reasons",
     "alarms", "frame_id", "frame_hash", "driver_hash"),
    _reading_row,
)  # fmt: skip
FRAMES = Listing(
    "frames",
    schema.frames,
    ("received_us", "dev_eui", "what", "phy", "port", "fcnt", "payload", "detail", "state"),
    _frame_row,
)
PEERS = Listing("peers", schema.peers, ("org", "url", "pin", "sign_key", "state", "met_us", "seen_us"), _peer_row)
ACCOUNTS = Listing("accounts", schema.accounts, ("role", "language", "created_us"), _account_row)
TOKENS = Listing("tokens", schema.tokens, ("id", "name", "scopes", "issuer", "created_us", "expires_us"), _token_row)
GATEWAYS = Listing("gateways", schema.gateways, ("name", "seen_us", "frames"), _gateway_row)
SYSTEMS = Listing(
    "systems",
    schema.correspondents,
    ("kind", "contact", "rights", "blocked_us", "reason", "created_us", "changed_us"),
    _system_row,
)
WEBHOOKS = Listing(
    "webhooks",
    schema.webhooks,
    ("url", "description", "kinds", "subjects", "author", "token", "paused", "created_us"),
    _webhook_row,
)
MESSAGES_1C = Listing(
    "messages-1c", schema.messages_1c, ("number", "kind", "hash", "answer", "received_us", "actor"), _message_row
)
OBJECTS_1C = Listing("objects-1c", schema.objects_1c, ("number", "message", "subject"), _object_row)
SMALL = (PEERS, ACCOUNTS, TOKENS, GATEWAYS, SYSTEMS, WEBHOOKS, MESSAGES_1C, OBJECTS_1C)
