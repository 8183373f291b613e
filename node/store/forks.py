"""Fork proofs, as they were verified, and where what fell of the own log was said again."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import bindparam, delete, select

from federation.forks import ForkProof
from federation.fragment import Ref
from node.store import schema
from node.store.changes import Changed, note_change
from node.store.database import ReadTx, WriteTx
from node.store.upserts import insert_new

_FIRST = (
    select(schema.fork_proofs.c.seq)
    .where(schema.fork_proofs.c.log == bindparam("of"))
    .order_by(schema.fork_proofs.c.seq)
    .limit(1)
)
MOST_OF_A_LOG = 8  # a smaller place pushes out the largest: more evidence of one log says nothing new


async def insert_proof(tx: WriteTx, proof: ForkProof) -> bool:
    """Keep a verified proof; False where it says nothing new: as many are here, and none of a larger place."""
    raw, table = proof.to_bytes(), schema.fork_proofs.c
    row: dict[str, object] = {"log": proof.log, "id": hashlib.sha256(raw).digest(), "seq": proof.seq, "proof": raw}
    kept = await tx.all(select(table.id, table.seq).where(table.log == proof.log).order_by(table.seq, table.id))
    if row["id"] in {one.id for one in kept}:
        return False
    if len(kept) >= MOST_OF_A_LOG:
        if kept[-1].seq <= proof.seq:
            return False
        await tx.run(delete(schema.fork_proofs).where(table.log == proof.log, table.id == kept[-1].id))
    await insert_new(tx, schema.fork_proofs, [row])
    await note_change(tx, Changed.FORK, proof.log)
    return True


async def has_proof(tx: ReadTx, log: bytes, proof_id: bytes) -> bool:
    """Whether a proof is here already, by the SHA-256 of its bytes."""
    table = schema.fork_proofs.c
    return await tx.value(select(table.seq).where(table.log == log, table.id == proof_id)) is not None


async def read_proofs(tx: ReadTx, logs: Iterable[bytes] | None = None) -> dict[bytes, list[bytes]]:
    """The proofs of those logs, or of all, each log's by the place that they prove."""
    table = schema.fork_proofs.c
    statement = select(table.log, table.proof).order_by(table.log, table.seq, table.id)
    if logs is not None:
        statement = statement.where(table.log.in_(list(logs)))
    found: dict[bytes, list[bytes]] = {}
    for row in await tx.all(statement):
        found.setdefault(row.log, []).append(row.proof)
    return found


async def forked_seq(tx: ReadTx, log: bytes) -> int | None:
    """The smallest place of a log that a proof names; None where it is not forked."""
    found: int | None = await tx.value(_FIRST, of=log)
    return found


async def said_again(tx: ReadTx, logs: Iterable[bytes]) -> dict[tuple[bytes, int], Ref]:
    """Where the entries of these own logs stand now that were said again."""
    table = schema.said_again.c
    rows = await tx.all(select(schema.said_again).where(table.log.in_(list(logs))))
    return {(row.log, row.seq): Ref(row.again_log, row.again_seq, row.again_id16) for row in rows}


async def note_said_again(tx: WriteTx, places: Mapping[tuple[bytes, int], Ref]) -> None:
    """Keep where entries were said again."""
    rows: Sequence[dict[str, object]] = [
        {"log": log, "seq": seq, "again_log": ref.log, "again_seq": ref.seq, "again_id16": ref.id16}
        for (log, seq), ref in places.items()
    ]
    await insert_new(tx, schema.said_again, rows)
