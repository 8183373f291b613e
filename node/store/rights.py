"""Who may read which subject, and the numbered list of what was opened to whom."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select

from node.store import schema
from node.store.database import ReadTx, WriteTx
from node.store.upserts import upsert

EVERYBODY = b""


@dataclass(frozen=True, slots=True)
class StoredRight:
    """An organisation may read what `author` (or everybody, where empty) says of a subject, in those classes."""

    org: bytes
    author: bytes
    classes: int


async def rights_to(tx: ReadTx, subjects: Iterable[bytes], org: bytes | None = None) -> dict[bytes, list[StoredRight]]:
    """The rights to each subject, of everybody or of one organisation."""
    table = schema.readers.c
    wanted = sorted(set(subjects))
    found: dict[bytes, list[StoredRight]] = {}
    for at in range(0, len(wanted), 400):
        statement = select(schema.readers).where(table.subject.in_(wanted[at : at + 400]))
        if org is not None:
            statement = statement.where(table.org == org)
        for row in await tx.all(statement):
            found.setdefault(row.subject, []).append(StoredRight(row.org, row.author, row.classes))
    return found


async def open_subject(tx: WriteTx, subject: bytes, rights: Iterable[StoredRight]) -> set[bytes]:
    """Widen who may read a subject; answer the organisations whose right grew. Each gets a numbered opening."""
    had = {(r.org, r.author): r.classes for r in (await rights_to(tx, [subject])).get(subject, [])}
    grown: set[bytes] = set()
    rows: list[dict[str, object]] = []
    for right in sorted(set(rights), key=lambda r: (r.org, r.author, r.classes)):
        classes = right.classes | had.get((right.org, right.author), 0)
        if classes != had.get((right.org, right.author)):
            grown.add(right.org)
            rows.append({"subject": subject, "org": right.org, "author": right.author, "classes": classes})
    await upsert(tx, schema.readers, rows)
    for org in sorted(grown):
        await tx.insert_id(schema.openings, org=org, subject=subject)
    return grown


async def openings_after(tx: ReadTx, org: bytes, after: int, limit: int) -> list[tuple[int, bytes]]:
    """What was opened to an organisation after a number."""
    table = schema.openings.c
    statement = select(table.n, table.subject).where(table.org == org, table.n > after).order_by(table.n).limit(limit)
    return [(row.n, row.subject) for row in await tx.all(statement)]


async def last_opening(tx: ReadTx, org: bytes) -> int:
    """The newest number of an organisation's openings, 0 where there is none."""
    table = schema.openings.c
    return int(await tx.value(select(func.coalesce(func.max(table.n), 0)).where(table.org == org)))
