"""What registers answered, kept as it came; and the files that were made for them."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import func, insert, select

from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
from node.store.errors import MissingError
from node.store.upserts import upsert

PART = 400


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


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file for the register: when it was made, by whom, and of how many results; `content` is sealed."""

    id: int
    made_us: int
    actor: str
    results: int
    content: bytes


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


async def insert_file(tx: WriteTx, actor: str, content: bytes, refs: Collection[str]) -> int:
    """Keep a file with the results that it holds; a result that was in an earlier file stays noted with that one."""
    made = {"made_us": tx.now, "actor": actor, "results": len(refs), "content": content}
    await tx.run(insert(schema.arshin_files).values(**made))
    number = int(await tx.value(select(func.max(schema.arshin_files.c.id))))
    known = await files_of(tx, refs)
    await upsert(tx, schema.arshin_results, [{"ref": ref, "file": number} for ref in refs if ref not in known])
    return number


async def files_of(tx: ReadTx, refs: Iterable[str]) -> dict[str, int]:
    """In which file each of these results stood first, by the place of its statement."""
    wanted, table = sorted(refs), schema.arshin_results
    found: dict[str, int] = {}
    for at in range(0, len(wanted), PART):
        rows = await tx.all(select(table).where(table.c.ref.in_(wanted[at : at + PART])))
        found |= {row.ref: row.file for row in rows}
    return found


async def list_files(tx: ReadTx, limit: int, before: int | None = None) -> list[MadeFile]:
    """The last files, newest first, below a number."""
    table = schema.arshin_files
    statement = select(table).order_by(table.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(table.c.id < before)
    return [_file(row) for row in await tx.all(statement)]


async def get_file(tx: ReadTx, number: int) -> MadeFile:
    """One file; raise MissingError."""
    row = await tx.first(select(schema.arshin_files).where(schema.arshin_files.c.id == number))
    if row is None:
        raise MissingError(f"no file {number} was made here")
    return _file(row)


def _answer(row: Record) -> KeptAnswer:
    return KeptAnswer(row.id, row.subject, row.asked_us, row.url, row.body, row.found, json.loads(row.detail))


def _file(row: Record) -> MadeFile:
    return MadeFile(row.id, row.made_us, row.actor, row.results, row.content)
