"""The rows of long passports: their events and statements, and what is kept to add one more. A projection."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, delete, func, or_, select, tuple_, update

from node.passport.kept import Kept, Row, Tally, decode_kept, encode_kept
from node.passport.shown import text
from node.passport.view import BLOCK
from node.store import schema
from node.store.database import ReadTx, WriteTx
from node.store.upserts import upsert

CHUNK = 400
TABLES: Mapping[str, Table] = {"events": schema.timeline, "statements": schema.signed}

Place = tuple[int, int]  # the short number of a log, and seq
Numbers = Mapping[bytes, int]  # of logs


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """An event at rest: its place among the others, and its JSON."""

    place: bytes
    text: str


async def read_kept(tx: ReadTx, subjects: Iterable[bytes]) -> dict[bytes, tuple[bytes, Kept]]:
    """Of those subjects that belong to a long passport: its lead, and what is kept of it."""
    passports, kept = schema.passports.c, schema.kept.c
    wanted = sorted(set(subjects))
    found: dict[bytes, tuple[bytes, Kept]] = {}
    for start in range(0, len(wanted), CHUNK):
        chunk = passports.subject.in_(wanted[start : start + CHUNK])
        joined = select(passports.subject, kept.lead, kept.state).join(schema.kept, kept.lead == passports.lead)
        for row in await tx.all(joined.where(chunk)):
            found[row.subject] = (row.lead, decode_kept(row.state))
    return found


async def put_kept(tx: WriteTx, lead: bytes, kept: Kept) -> None:
    """Keep what decides about one more event."""
    await upsert(tx, schema.kept, [{"lead": lead, "state": encode_kept(kept)}])


async def put_digest(tx: WriteTx, lead: bytes, digest: bytes) -> None:
    """A passport of which only rows were added has another digest."""
    table = schema.passports
    await tx.run(update(table).where(table.c.lead == lead).values(digest=digest, changed_us=tx.now))


async def drop_rows(tx: WriteTx, leads: Iterable[bytes]) -> None:
    """Forget the rows of these passports, and what was kept of them."""
    wanted = sorted(set(leads))
    for table in (*TABLES.values(), schema.kept) if wanted else ():
        await tx.run(delete(table).where(table.c.lead.in_(wanted)))


async def add_rows(
    tx: WriteTx, name: str, lead: bytes, rows: Sequence[Row], tally: Tally, no: Mapping[bytes, int]
) -> Tally:
    """Put rows of list `name` that are not there yet; `no` has the numbers of their logs. Answer the tally after it."""
    ordered = sorted(rows, key=lambda row: row.place)
    if not ordered:
        return tally
    await upsert(tx, TABLES[name], [_stored(name, lead, row, no) for row in ordered])
    if ordered[0].place > tally.last:
        return tally.add(ordered)
    return await _counted(tx, TABLES[name], lead, tally, ordered[0].place)


async def replace_rows(
    tx: WriteTx,
    name: str,
    lead: bytes,
    rows: Sequence[Row],
    tally: Tally,
    no: Mapping[bytes, int],
    was: Iterable[Place],
) -> Tally:
    """Put rows in place of those that are not plain, and of those of the entries `was`; answer the tally after it."""
    table = TABLES[name]
    column = table.c
    fields = select(column.place, column.hash, column.plain)
    old = [*await tx.all(fields.where(column.lead == lead, column.plain == 0))]
    for chunk in _chunks(was):
        about = tuple_(column.log_no, column.seq).in_(chunk)
        old += await tx.all(fields.where(column.lead == lead, column.plain == 1, about))
    known = {row.place: (row.hash, row.plain) for row in old}
    new = {row.place: row for row in rows}
    gone = sorted(known.keys() - new.keys())
    for start in range(0, len(gone), CHUNK):
        await tx.run(delete(table).where(column.lead == lead, column.place.in_(gone[start : start + CHUNK])))
    altered = [row for row in rows if known.get(row.place) != (row.hash, int(row.plain))]
    await upsert(tx, table, [_stored(name, lead, row, no) for row in altered])
    moved = [row.place for row in altered if row.place not in known or known[row.place][0] != row.hash]
    first = min([*gone, *moved], default=None)
    return tally if first is None else await _counted(tx, table, lead, tally, first)


async def plain_of_keys(tx: ReadTx, lead: bytes, keys: Iterable[str]) -> set[Place]:
    """The entries of plain events that have one of these keys."""
    table = schema.timeline.c
    wanted = sorted(set(map(_key, keys)))
    found: set[Place] = set()
    for start in range(0, len(wanted), CHUNK):
        chunk = table.key.in_(wanted[start : start + CHUNK])
        rows = await tx.all(select(table.log_no, table.seq).where(table.lead == lead, table.plain == 1, chunk))
        found |= {(row.log_no, row.seq) for row in rows}
    return found


async def plain_at(tx: ReadTx, places: Iterable[Place]) -> set[Place]:
    """Those of these entries that are plain somewhere."""
    table = schema.signed.c
    found: set[Place] = set()
    for chunk in _chunks(places):
        about = tuple_(table.log_no, table.seq).in_(chunk)
        found |= {
            (row.log_no, row.seq)
            for row in await tx.all(select(table.log_no, table.seq).where(table.plain == 1, about))
        }
    return found


async def has_key(tx: ReadTx, lead: bytes, keys: Iterable[str]) -> bool:
    """Whether an event of one of these keys is there."""
    table = schema.timeline.c
    wanted = sorted(set(map(_key, keys)))
    for start in range(0, len(wanted), CHUNK):
        chunk = table.key.in_(wanted[start : start + CHUNK])
        if await tx.first(select(table.lead).where(table.lead == lead, chunk).limit(1)) is not None:
            return True
    return False


async def has_entry(tx: ReadTx, log_no: int, seqs: Sequence[int]) -> bool:
    """Whether one of these entries of a log is plain somewhere."""
    table = schema.signed.c
    for start in range(0, len(seqs), CHUNK):
        chunk = table.seq.in_(seqs[start : start + CHUNK])
        found = select(table.lead).where(table.log_no == log_no, chunk, table.plain == 1).limit(1)
        if await tx.first(found) is not None:
            return True
    return False


async def all_rows(tx: ReadTx, name: str, lead: bytes) -> list[str]:
    """The JSON of every row of a list, in order."""
    table = TABLES[name].c
    return [row.row for row in await tx.all(select(table.row).where(table.lead == lead).order_by(table.place))]


async def page_of_rows(
    tx: ReadTx,
    name: str,
    lead: bytes,
    limit: int,
    *,
    after: bytes | None = None,
    before: bytes | None = None,
    who: str | None = None,
    what: str | None = None,
) -> list[TimelineRow]:
    """Rows in order after a place, or against it from before a place; of events those of one author and code."""
    table = TABLES[name].c
    where = _asked(name, lead, who, what)
    if after is not None:
        where.append(table.place > after)
    if before is not None:
        where.append(table.place < before)
    order = table.place if before is None else table.place.desc()
    rows = await tx.all(select(table.place, table.row).where(*where).order_by(order).limit(limit))
    return [TimelineRow(row.place, row.row) for row in rows]


async def count_events(tx: ReadTx, lead: bytes, who: str | None, what: str | None) -> int:
    """How many events of one author and code there are."""
    where = _asked("events", lead, who, what)
    return int(await tx.value(select(func.count()).select_from(schema.timeline).where(*where)))


async def last_events(tx: ReadTx, lead: bytes) -> list[str]:
    """The last event of each author, of each code and of each process, in order."""
    table = schema.timeline.c
    places: set[bytes] = set()
    for groups in ((table.by,), (table.central, table.local), (table.process,)):
        back = func.row_number().over(partition_by=groups, order_by=table.place.desc()).label("back")
        ranked = select(table.place, back).where(table.lead == lead).subquery()
        places |= {row.place for row in await tx.all(select(ranked.c.place).where(ranked.c.back == 1))}
    wanted = sorted(places)
    found: list[str] = []
    for start in range(0, len(wanted), CHUNK):
        chunk = table.place.in_(wanted[start : start + CHUNK])
        rows = await tx.all(select(table.row).where(table.lead == lead, chunk).order_by(table.place))
        found += [row.row for row in rows]
    return found


async def _counted(tx: ReadTx, table: Table, lead: bytes, tally: Tally, first: bytes) -> Tally:
    """The tally when rows from a place on are other ones."""
    column = table.c
    before = await tx.value(select(func.count()).select_from(table).where(column.lead == lead, column.place < first))
    start = before // BLOCK * BLOCK
    statement = select(column.place, column.hash).where(column.lead == lead).order_by(column.place).offset(start)
    rows = await tx.all(statement)
    last = rows[-1].place if rows else b""
    if not rows and start:  # what stood last went, and what stands before it ends a block
        newest = select(column.place).where(column.lead == lead).order_by(column.place.desc()).limit(1)
        last = await tx.value(newest)
    return tally.cut(start, [row.hash for row in rows], last)


def _asked(name: str, lead: bytes, who: str | None, what: str | None) -> list[ColumnElement[bool]]:
    table = TABLES[name].c
    where: list[ColumnElement[bool]] = [table.lead == lead]
    if who is not None:
        where.append(table.by == bytes.fromhex(who))
    if what is not None:
        where.append(or_(table.central == what.encode(), table.local == what.encode()))
    return where


def _chunks(places: Iterable[Place]) -> list[list[Place]]:
    wanted = sorted(set(places))
    return [wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK)]


def _stored(name: str, lead: bytes, row: Row, no: Mapping[bytes, int]) -> dict[str, object]:
    stored: dict[str, object] = {
        "lead": lead,
        "place": row.place,
        "log_no": no[row.ref.log],
        "seq": row.ref.seq,
        "plain": int(row.plain),
        "row": row.text,
        "hash": row.hash,
    }
    if name == "statements":
        return stored
    counts = row.content["replaced_by"] is None and text(row.content, "why", "step")
    return {
        **stored,
        "key": _key(text(row.content, "key")),
        "by": bytes.fromhex(text(row.content, "by")),
        "central": text(row.content, "what", "central").encode() or None,
        "local": text(row.content, "what", "local").encode() or None,
        "process": text(row.content, "why", "process").encode() if counts else None,
    }


def _key(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()[:16]
