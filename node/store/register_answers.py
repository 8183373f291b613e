"""What registers answered, kept as it came."""

import json
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import insert, select

from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
from node.store.errors import MissingError


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """One answer: about which subject, when and where it was asked, its bytes, and what was found in it."""

    id: int
    subject: bytes
    asked_us: int
    url: str
    body: bytes
    found: str
    detail: dict[str, object]


async def insert_answer(
    tx: WriteTx, subject: bytes, asked_us: int, url: str, body: bytes, found: str, detail: dict[str, object]
) -> None:
    """Keep an answer."""
    values = {"subject": subject, "asked_us": asked_us, "url": url, "body": body, "found": found}
    told = json.dumps(detail, ensure_ascii=False)
    await tx.run(insert(schema.register_answers).values(**values, detail=told))


async def answers_about(tx: ReadTx, subjects: Collection[bytes], limit: int = 20) -> list[KeptAnswer]:
    """The last answers about these subjects, newest first."""
    table = schema.register_answers
    statement = select(table).where(table.c.subject.in_(subjects)).order_by(table.c.id.desc()).limit(limit)
    return [_answer(row) for row in await tx.all(statement)]


async def last_answers(tx: ReadTx, limit: int, before: int | None = None) -> list[KeptAnswer]:
    """The last answers, newest first, below a number."""
    table = schema.register_answers
    statement = select(table).order_by(table.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(table.c.id < before)
    return [_answer(row) for row in await tx.all(statement)]


async def get_answer(tx: ReadTx, number: int) -> KeptAnswer:
    """One answer; raise MissingError."""
    table = schema.register_answers
    row = await tx.first(select(table).where(table.c.id == number))
    if row is None:
        raise MissingError(f"no answer {number} is kept here")
    return _answer(row)


def _answer(row: Record) -> KeptAnswer:
    return KeptAnswer(row.id, row.subject, row.asked_us, row.url, row.body, row.found, json.loads(row.detail))
