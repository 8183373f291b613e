"""Root statements of organisations, every branch of them."""

from collections.abc import Iterable, Sequence
from typing import cast

from sqlalchemy import bindparam, select

from federation.organisation import Chain
from federation.statements import RootStatement, decode_root_statement
from node.store import schema
from node.store.changes import Changed, note_change
from node.store.database import ReadTx, Record, WriteTx
from node.store.logs import StoredLog
from node.store.upserts import insert_new


async def insert_statements(tx: WriteTx, statements: Iterable[RootStatement]) -> None:
    """Keep statements; those that stand already are left alone."""
    rows: list[dict[str, object]] = [
        {"org": s.org_id, "hash": s.hash, "n": s.n, "envelope": s.envelope(), "received_us": tx.now} for s in statements
    ]
    await insert_new(tx, schema.root_statements, rows)
    for org in sorted({cast("bytes", row["org"]) for row in rows}):
        await note_change(tx, Changed.CHAIN, org)


async def has_statements(tx: ReadTx) -> bool:
    """Whether a store has any statement: one without is no node's yet."""
    return await tx.first(select(schema.root_statements.c.n).limit(1)) is not None


async def read_statements(tx: ReadTx, org: bytes | None = None) -> dict[bytes, list[RootStatement]]:
    """Statements by organisation, in order of n."""
    table = schema.root_statements.c
    statement = select(schema.root_statements).order_by(table.org, table.n, table.hash)
    if org is not None:
        statement = statement.where(table.org == org)
    found: dict[bytes, list[RootStatement]] = {}
    for row in await tx.all(statement):
        found.setdefault(row.org, []).append(decode_root_statement(row.envelope))
    return found


async def read_root_rows(tx: ReadTx) -> Sequence[Record]:
    """`org`, `hash`, `n` and `envelope` of every root statement as it is stored, not decoded, by organisation and n."""
    table = schema.root_statements.c
    statement = select(table.org, table.hash, table.n, table.envelope)
    return await tx.all(statement.order_by(table.org, table.n, table.hash))


async def read_envelopes(tx: ReadTx, org: bytes) -> tuple[bytes, ...]:
    """The statements of an organisation as they are stored, not decoded, in order of n."""
    return tuple(row.envelope for row in await tx.all(_ENVELOPES, org=org))


_ENVELOPES = (
    select(schema.root_statements.c.envelope)
    .where(schema.root_statements.c.org == bindparam("org"))
    .order_by(schema.root_statements.c.n, schema.root_statements.c.hash)
)


async def find_chain(tx: ReadTx, org: bytes) -> Chain | None:
    """The chain of an organisation, where its genesis is known."""
    statements = (await read_statements(tx, org)).get(org)
    return Chain(statements) if statements else None


async def find_sign_key(tx: ReadTx, log: StoredLog) -> bytes | None:
    """The 33-byte key that signs a log, where its node is known."""
    chain = await find_chain(tx, log.org)
    node = chain.node(log.node) if chain else None
    return node.sign_key if node else None
