"""The journal: one row a change, in the same transaction, with a growing id."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select

from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
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


@dataclass(frozen=True, slots=True)
class Sift:
    """Which rows: of these kinds of change (none means all), about these subjects (None means all, and of none)."""

    kinds: frozenset[str] = frozenset()
    subjects: frozenset[bytes] | None = None


EVERYTHING = Sift()


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
    return [_row(row) for row in await tx.all(statement)]


async def read_feed(tx: ReadTx, after: int, limit: int, sift: Sift = EVERYTHING) -> tuple[list[JournalRow], int]:
    """Rows with a greater id, oldest first, and the id up to which there are no more such rows."""
    last = max(after, await last_journal_id(tx))
    table = schema.journal.c
    here = (table.id > after, table.id <= last, *_sifted(sift))
    statement = select(schema.journal).where(*here).order_by(table.id).limit(limit)
    rows = [_row(row) for row in await tx.all(statement)] if limit else []
    return rows, rows[-1].id if limit and len(rows) == limit else last


async def count_after(tx: ReadTx, after: int, most: int, sift: Sift = EVERYTHING) -> tuple[int, int | None]:
    """How many rows have a greater id, `most` at most, and when the first of them was written."""
    table = schema.journal.c
    wanted = select(table.id, table.at_us).where(table.id > after, *_sifted(sift)).order_by(table.id).limit(most)
    rows = wanted.subquery()
    waits = await tx.value(select(func.count()).select_from(rows))
    return int(waits), await tx.value(select(func.min(rows.c.at_us)))


async def find_row(tx: ReadTx, row_id: int) -> JournalRow | None:
    """The row of that id."""
    row = await tx.first(select(schema.journal).where(schema.journal.c.id == row_id))
    return _row(row) if row else None


async def read_since(tx: ReadTx, at_us: int, what: str) -> list[JournalRow]:
    """Rows of a kind that were written at a time or later, oldest first, while no clock was set back."""
    table = schema.journal.c
    first, last = 0, await last_journal_id(tx)
    while first < last:  # no index has the times: they ascend with the ids
        middle = (first + last) // 2
        after = select(table.at_us).where(table.id > middle).order_by(table.id).limit(1)
        first, last = (first, middle) if await tx.value(after) >= at_us else (middle + 1, last)
    wanted = select(schema.journal).where(table.id > first, table.what == what).order_by(table.id)
    return [_row(row) for row in await tx.all(wanted)]


async def last_journal_id(tx: ReadTx) -> int:
    """The newest id, 0 where the journal is empty."""
    return int(await tx.value(select(func.coalesce(func.max(schema.journal.c.id), 0))))


def _sifted(sift: Sift) -> list[ColumnElement[bool]]:
    table = schema.journal.c
    found: list[ColumnElement[bool]] = []
    if sift.kinds:
        found.append(table.what.in_(sorted(sift.kinds)))
    if sift.subjects is not None:
        found.append(table.subject.in_(sorted(sift.subjects)))
    return found


def _row(row: Record) -> JournalRow:
    return JournalRow(row.id, row.at_us, row.org, row.actor, row.what, row.subject, json.loads(row.detail))


def _text(detail: Mapping[str, object]) -> str:
    return json.dumps(detail, ensure_ascii=False, sort_keys=True)
