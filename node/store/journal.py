"""The journal: one row a change, in the same transaction, with a growing id."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from node.store import schema
from node.store.database import ReadTx, WriteTx
from node.store.upserts import insert_all


@dataclass(frozen=True, slots=True)
class JournalRow:
    """Who changed what, when; `actor` names the person or system, `org` its organisation."""

    id: int
    at_us: int
    org: bytes
    actor: str
    what: str
    subject: bytes | None
    detail: dict[str, object]


async def write_journal(
    tx: WriteTx, org: bytes, actor: str, what: str, subject: bytes | None = None, **detail: object
) -> int:
    """Add a row and answer its id. `detail` must hold no secret."""
    return await tx.insert_id(
        schema.journal, at_us=tx.now, org=org, actor=actor, what=what, subject=subject, detail=_text(detail)
    )


async def write_each(
    tx: WriteTx, org: bytes, actor: str, what: str, details: Iterable[tuple[bytes, Mapping[str, object]]]
) -> int:
    """Add a row for each of these subjects, with its detail, and answer the id of the last one."""
    rows: list[dict[str, object]] = [
        {"at_us": tx.now, "org": org, "actor": actor, "what": what, "subject": subject, "detail": _text(detail)}
        for subject, detail in details
    ]
    await insert_all(tx, schema.journal, rows)
    return await last_journal_id(tx)


async def read_journal(
    tx: ReadTx, after: int = 0, limit: int = 100, subject: bytes | None = None, *, newest_first: bool = False
) -> list[JournalRow]:
    """Rows with a greater id, oldest first; or, newest first, rows with a smaller id (0 means from the end)."""
    table = schema.journal.c
    statement = select(schema.journal).limit(limit)
    if newest_first:
        statement = statement.order_by(table.id.desc())
        if after:
            statement = statement.where(table.id < after)
    else:
        statement = statement.where(table.id > after).order_by(table.id)
    if subject is not None:
        statement = statement.where(table.subject == subject)
    return [
        JournalRow(r.id, r.at_us, r.org, r.actor, r.what, r.subject, json.loads(r.detail))
        for r in await tx.all(statement)
    ]


async def last_journal_id(tx: ReadTx) -> int:
    """The newest id, 0 where the journal is empty."""
    return int(await tx.value(select(func.coalesce(func.max(schema.journal.c.id), 0))))


def _text(detail: Mapping[str, object]) -> str:
    return json.dumps(detail, ensure_ascii=False, sort_keys=True)
