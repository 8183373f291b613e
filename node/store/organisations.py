"""Root statements of organisations, every branch of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import cast

from sqlalchemy import bindparam, delete, func, select, update

from federation.organisation import Chain
from federation.statements import RootStatement, decode_root_statement
from node.store import schema
from node.store.changes import Changed, note_change
from node.store.database import ReadTx, Record, WriteTx
from node.store.logs import StoredLog
from node.store.upserts import insert_new

KEPT_CHAINS = 1024
MOST_KEPT = 4096  # bytes of statements: of longer chains each reading is checked anew

AT_ONCE = 400  # organisations that one question names
# Every question of a peer asks for the chain of its organisation: the statement is built once.
_CHAINS = select(schema.root_statements).order_by(
    schema.root_statements.c.org, schema.root_statements.c.n, schema.root_statements.c.hash
)
_CHAIN = _CHAINS.where(schema.root_statements.c.org == bindparam("of"))


async def insert_statements(tx: WriteTx, statements: Iterable[RootStatement]) -> None:
    """Keep statements; those that stand already are left alone."""
    rows: list[dict[str, object]] = [
        {"org": s.org_id, "hash": s.hash, "n": s.n, "envelope": s.envelope(), "received_us": tx.now} for s in statements
    ]
    await insert_new(tx, schema.root_statements, rows)
    for org in sorted({cast("bytes", row["org"]) for row in rows}):
        await note_change(tx, Changed.CHAIN, org)


async def drop_statements(tx: WriteTx, org: bytes, hashes: Iterable[bytes]) -> None:
    """Forget statements that are kept no more."""
    table = schema.root_statements.c
    if named := sorted(hashes):
        await tx.run(delete(schema.root_statements).where(table.org == org, table.hash.in_(named)))


async def has_statements(tx: ReadTx) -> bool:
    """Whether a store has any statement: one without is no node's yet."""
    return await tx.first(select(schema.root_statements.c.n).limit(1)) is not None


async def read_statements(tx: ReadTx, org: bytes | None = None) -> dict[bytes, list[RootStatement]]:
    """Statements by organisation, in order of n."""
    found: dict[bytes, list[RootStatement]] = {}
    for row in await _read_rows(tx, org):
        found.setdefault(row.org, []).append(decode_root_statement(row.envelope))
    return found


async def known_hashes(tx: ReadTx, orgs: Iterable[bytes]) -> set[bytes]:
    """The hashes of the root statements of these organisations that are here."""
    table, wanted = schema.root_statements.c, sorted(set(orgs))
    found: set[bytes] = set()
    for at in range(0, len(wanted), AT_ONCE):
        statement = select(table.hash).where(table.org.in_(wanted[at : at + AT_ONCE]))
        found |= {row.hash for row in await tx.all(statement)}
    return found


async def known_organisations(tx: ReadTx) -> list[bytes]:
    """The organisations of which a statement is here."""
    column = schema.root_statements.c.org
    return [row.org for row in await tx.all(select(column).distinct().order_by(column))]


async def branched_organisations(tx: ReadTx) -> list[bytes]:
    """The organisations of which two statements of one number are here: their chains are forked, or were."""
    table = schema.root_statements.c
    doubled = select(table.org).group_by(table.org, table.n).having(func.count() > 1)
    return sorted({row.org for row in await tx.all(doubled)})


async def read_root_rows(tx: ReadTx) -> Sequence[Record]:
    """`org`, `hash`, `n` and `envelope` of every root statement as it is stored, not decoded, by organisation and n."""
    table = schema.root_statements.c
    statement = select(table.org, table.hash, table.n, table.envelope)
    return await tx.all(statement.order_by(table.org, table.n, table.hash))


async def statements_taken(tx: ReadTx, org: bytes) -> dict[bytes, int]:
    """When each statement of an organisation came here, by hash."""
    table = schema.root_statements.c
    rows = await tx.all(select(table.hash, table.received_us).where(table.org == org))
    return {row.hash: row.received_us for row in rows}


async def find_chain(tx: ReadTx, org: bytes) -> Chain | None:
    """The chain of an organisation, where its genesis is known, on the branch that anchors attest."""
    return (await read_chains(tx, org)).get(org)


async def read_chains(tx: ReadTx, org: bytes | None = None) -> dict[bytes, Chain]:
    """The chains by organisation, each on the branch that anchors attest."""
    rows: dict[bytes, list[Record]] = {}
    for row in await _read_rows(tx, org):
        rows.setdefault(row.org, []).append(row)
    return {one: _chain_of(said) for one, said in rows.items()}


async def read_attested(tx: ReadTx, org: bytes | None = None) -> dict[bytes, frozenset[bytes]]:
    """The hashes of statements whose branch is attested, by organisation."""
    table = schema.root_statements.c
    statement = select(table.org, table.hash).where(table.attested == 1)
    if org is not None:
        statement = statement.where(table.org == org)
    found: dict[bytes, set[bytes]] = {}
    for row in await tx.all(statement):
        found.setdefault(row.org, set()).add(row.hash)
    return {one: frozenset(hashes) for one, hashes in found.items()}


async def set_attested(tx: WriteTx, attested: Mapping[bytes, Collection[bytes]]) -> set[bytes]:
    """Keep which branches are attested, of every organisation; answer the organisations of which others are now."""
    table = schema.root_statements
    stored = await read_attested(tx)
    rows = await tx.all(select(table.c.org, table.c.hash))
    here: dict[bytes, set[bytes]] = {}
    for row in rows:
        if row.hash in attested.get(row.org, ()):
            here.setdefault(row.org, set()).add(row.hash)
    changed = {org for org in here.keys() | stored.keys() if here.get(org, set()) != stored.get(org, set())}
    for org in sorted(changed):
        mine = update(table).where(table.c.org == org)
        await tx.run(mine.values(attested=0))
        if hashes := sorted(here.get(org, ())):
            await tx.run(mine.where(table.c.hash.in_(hashes)).values(attested=1))
    return changed


async def find_sign_key(tx: ReadTx, log: StoredLog) -> bytes | None:
    """The 33-byte key that signs a log, where its node is known."""
    chain = await find_chain(tx, log.org)
    node = chain.node(log.node) if chain else None
    return node.sign_key if node else None


async def _read_rows(tx: ReadTx, org: bytes | None) -> Sequence[Record]:
    return await tx.all(_CHAINS) if org is None else await tx.all(_CHAIN, of=org)


def _chain_of(rows: Sequence[Record]) -> Chain:
    envelopes = tuple(row.envelope for row in rows)
    attested = frozenset(row.hash for row in rows if row.attested)
    if sum(map(len, envelopes)) > MOST_KEPT:
        return _read_chain(envelopes, attested)
    return _known_chain(envelopes, attested)


def _read_chain(envelopes: tuple[bytes, ...], attested: frozenset[bytes]) -> Chain:
    return Chain(map(decode_root_statement, envelopes), attested)


# What the same bytes say is the same: their signatures are checked once, not at each question.
_known_chain = lru_cache(KEPT_CHAINS)(_read_chain)
