"""The rows of long passports: their events and statements, and what is kept to add one more. A projection."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, func, or_, select, tuple_, update

from node.passport.kept import Kept, Row, Tally, decode_kept, encode_kept
from node.passport.references import parse_ref
from node.passport.shown import text
from node.passport.view import BLOCK, Plain
from node.store import schema
from node.store.database import ReadTx, WriteTx
from node.store.upserts import insert_new, upsert

CHUNK = 400
MOMENTS = schema.moments.c

Place = tuple[int, int]  # the short number of a log, and seq
Numbers = Mapping[bytes, int]  # of logs


# What each new event runs is built once: building it costs as much as running it.
_LEADING = schema.passports.alias("leading")
_KEPT = (
    select(schema.passports.c.subject, _LEADING.c.subject.label("lead"), _LEADING.c.title, _LEADING.c.kept)
    .join(_LEADING, (_LEADING.c.subject == schema.passports.c.lead) & _LEADING.c.kept.is_not(None))
    .where(schema.passports.c.subject.in_(bindparam("subjects", expanding=True)))
)
_PUT_KEPT = (
    update(schema.passports)
    .where(schema.passports.c.subject == bindparam("of"))
    .values({name: bindparam(name) for name in ("digest", "changed_us", "kept")})
)
_KNOWN = select(1).where(
    or_(
        exists().where(MOMENTS.lead == bindparam("lead"), MOMENTS.key.in_(bindparam("keys", expanding=True))),
        exists().where(MOMENTS.log_no == bindparam("log_no"), MOMENTS.seq.in_(bindparam("seqs", expanding=True))),
    )
)


@dataclass(frozen=True, slots=True)
class KeptPassport:
    """A long passport: its lead, its title, and what is kept of it."""

    lead: bytes
    title: str
    kept: Kept


async def read_kept(tx: ReadTx, subjects: Iterable[bytes]) -> dict[bytes, KeptPassport]:
    """The long passports to which some of those subjects belong, by subject."""
    wanted = sorted(set(subjects))
    found: dict[bytes, KeptPassport] = {}
    for start in range(0, len(wanted), CHUNK):
        for row in await tx.all(_KEPT, subjects=wanted[start : start + CHUNK]):
            found[row.subject] = KeptPassport(row.lead, row.title, decode_kept(row.kept))
    return found


async def put_kept(tx: WriteTx, lead: bytes, kept: Kept) -> None:
    """A passport of which only rows were added or altered has another digest."""
    values: dict[str, object] = {"digest": kept.digest, "changed_us": tx.now, "kept": encode_kept(kept)}
    await tx.run(_PUT_KEPT, {"of": lead, **values})


async def drop_rows(tx: WriteTx, leads: Iterable[bytes]) -> None:
    """Forget the rows of these passports."""
    wanted = sorted(set(leads))
    if wanted:
        await tx.run(delete(schema.moments).where(MOMENTS.lead.in_(wanted)))


async def add_rows(
    tx: WriteTx, lead: bytes, rows: Mapping[str, Sequence[Row]], kept: Mapping[str, Tally], no: Numbers
) -> dict[str, Tally]:
    """Put rows of each list that are not there yet; `no` has the numbers of their logs. Answer the tallies after it."""
    ordered = {name: sorted(some, key=lambda row: row.place) for name, some in rows.items()}
    await insert_new(
        tx, schema.moments, [_stored(name, lead, row, no) for name, some in ordered.items() for row in some]
    )
    found = dict(kept)
    for name, some in ordered.items():
        if some and some[0].place > kept[name].last:
            found[name] = kept[name].add(some)
        elif some:
            found[name] = await _counted(tx, name, lead, kept[name], some[0].place)
    return found


async def replace_rows(
    tx: WriteTx, name: str, lead: bytes, rows: Sequence[Row], tally: Tally, no: Numbers, was: Iterable[Place]
) -> Tally:
    """Put rows in place of those that are not plain, and of those of the entries `was`; answer the tally after it."""
    column = MOMENTS
    mine = and_(column.lead == lead, column.list == name)
    fields = select(column.place, column.row, column.plain).where(mine)
    old = [*await tx.all(fields.where(column.plain == 0))]
    for chunk in _chunks(was):
        old += await tx.all(fields.where(column.plain == 1, tuple_(column.log_no, column.seq).in_(chunk)))
    known = {row.place: (row.row, row.plain) for row in old}
    new = {row.place: row for row in rows}
    gone = sorted(known.keys() - new.keys())
    for start in range(0, len(gone), CHUNK):
        await tx.run(delete(schema.moments).where(mine, column.place.in_(gone[start : start + CHUNK])))
    altered = [row for row in rows if known.get(row.place) != (row.text, int(row.plain))]
    await upsert(tx, schema.moments, [_stored(name, lead, row, no) for row in altered])
    moved = [row.place for row in altered if row.place not in known or known[row.place][0] != row.text]
    first = min([*gone, *moved], default=None)
    return tally if first is None else await _counted(tx, name, lead, tally, first)


async def plain_of_keys(tx: ReadTx, lead: bytes, keys: Iterable[str]) -> set[Place]:
    """The entries of plain events that have one of these keys."""
    table = MOMENTS
    wanted = sorted(set(map(_key, keys)))
    found: set[Place] = set()
    for start in range(0, len(wanted), CHUNK):
        chunk = table.key.in_(wanted[start : start + CHUNK])
        rows = await tx.all(select(table.log_no, table.seq).where(table.lead == lead, table.plain == 1, chunk))
        found |= {(row.log_no, row.seq) for row in rows}
    return found


async def plain_at(tx: ReadTx, places: Iterable[Place]) -> set[Place]:
    """Those of these entries that are plain somewhere."""
    table = MOMENTS
    found: set[Place] = set()
    for chunk in _chunks(places):
        about = tuple_(table.log_no, table.seq).in_(chunk)
        found |= {
            (row.log_no, row.seq)
            for row in await tx.all(select(table.log_no, table.seq).where(table.plain == 1, about))
        }
    return found


async def is_known(tx: ReadTx, lead: bytes, keys: Sequence[str], log_no: int, seqs: Sequence[int]) -> bool:
    """Whether a long passport has an event of one of these keys, or any has one of these entries of a log."""
    for start in range(0, max(len(keys), len(seqs)), CHUNK):
        chunk = [*map(_key, keys[start : start + CHUNK])]
        of_entry = seqs[start : start + CHUNK]
        if await tx.value(_KNOWN, lead=lead, keys=chunk, log_no=log_no, seqs=of_entry) is not None:
            return True
    return False


async def has_plain(tx: ReadTx, log_no: int, seqs: Sequence[int]) -> bool:
    """Whether one of these entries of a log is plain somewhere."""
    for start in range(0, len(seqs), CHUNK):
        chunk = MOMENTS.seq.in_(seqs[start : start + CHUNK])
        if (
            await tx.value(select(1).where(exists().where(MOMENTS.log_no == log_no, chunk, MOMENTS.plain == 1)))
            is not None
        ):
            return True
    return False


async def all_rows(tx: ReadTx, name: str, lead: bytes) -> list[str]:
    """The JSON of every row of a list, in order."""
    rows = select(MOMENTS.row).where(MOMENTS.lead == lead, MOMENTS.list == name)
    return [row.row for row in await tx.all(rows.order_by(MOMENTS.place))]


async def page_of_rows(
    tx: ReadTx,
    name: str,
    lead: bytes,
    limit: int,
    *,
    beside: str | None = None,
    who: str | None = None,
    what: str | None = None,
    is_newest_first: bool = False,
) -> list[str] | None:
    """The JSON of rows after the event of a key, or the statement of a ref; None where that one is not there."""
    place, where = MOMENTS.place, _asked(name, lead, who, what)
    if beside is not None:
        start = await tx.value(select(place).where(*_asked(name, lead, None, None), _is_named(name, beside)).limit(1))
        if start is None:
            return None
        where.append(place < start if is_newest_first else place > start)
    order = place.desc() if is_newest_first else place
    return [row.row for row in await tx.all(select(MOMENTS.row).where(*where).order_by(order).limit(limit))]


def _is_named(name: str, beside: str) -> ColumnElement[bool]:
    if name == "events":
        return MOMENTS.key == _key(beside)
    ref = parse_ref(beside)
    log_no = select(schema.logs.c.no).where(schema.logs.c.log == ref.log).scalar_subquery()
    return and_(MOMENTS.log_no == log_no, MOMENTS.seq == ref.seq)


async def count_events(tx: ReadTx, lead: bytes, who: str | None, what: str | None) -> int:
    """How many events of one author and code there are."""
    where = _asked("events", lead, who, what)
    return int(await tx.value(select(func.count()).select_from(schema.moments).where(*where)))


async def last_events(tx: ReadTx, lead: bytes) -> list[str]:
    """The last event of each author, of each code and of each process, in order."""
    table, mine = MOMENTS, and_(MOMENTS.lead == lead, MOMENTS.list == "events")
    places: set[bytes] = set()
    for groups in ((table.by,), (table.central, table.local), (table.process,)):
        back = func.row_number().over(partition_by=groups, order_by=table.place.desc()).label("back")
        ranked = select(table.place, back).where(mine).subquery()
        places |= {row.place for row in await tx.all(select(ranked.c.place).where(ranked.c.back == 1))}
    wanted = sorted(places)
    found: list[str] = []
    for start in range(0, len(wanted), CHUNK):
        chunk = table.place.in_(wanted[start : start + CHUNK])
        rows = await tx.all(select(table.row).where(mine, chunk).order_by(table.place))
        found += [row.row for row in rows]
    return found


async def _counted(tx: ReadTx, name: str, lead: bytes, tally: Tally, first: bytes) -> Tally:
    """The tally when rows from a place on are other ones."""
    place, mine = MOMENTS.place, and_(MOMENTS.lead == lead, MOMENTS.list == name)
    before = await tx.value(select(func.count()).select_from(schema.moments).where(mine, place < first))
    start = before // BLOCK * BLOCK
    rows = await tx.all(select(place, MOMENTS.hash).where(mine).order_by(place).offset(start))
    last = rows[-1].place if rows else b""
    if not rows and start:  # what stood last went, and what stands before it ends a block
        last = await tx.value(select(place).where(mine).order_by(place.desc()).limit(1))
    return tally.cut(start, [row.hash for row in rows], last)


def _asked(name: str, lead: bytes, who: str | None, what: str | None) -> list[ColumnElement[bool]]:
    where = [MOMENTS.lead == lead, MOMENTS.list == name]
    if who is not None:
        where.append(MOMENTS.by == bytes.fromhex(who))
    if what is not None:
        where.append(or_(MOMENTS.central == what.encode(), MOMENTS.local == what.encode()))
    return where


def _chunks(places: Iterable[Place]) -> list[list[Place]]:
    wanted = sorted(set(places))
    return [wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK)]


def _stored(name: str, lead: bytes, row: Row, no: Numbers) -> dict[str, object]:
    event = _event(row.content) if name == "events" else dict.fromkeys(("key", "by", "central", "local", "process"))
    return {
        "lead": lead,
        "list": name,
        "place": row.place,
        "log_no": no[row.ref.log],
        "seq": row.ref.seq,
        "plain": int(row.plain),
        "row": row.text,
        "hash": row.hash,
        **event,
    }


def _event(content: dict[str, Plain]) -> dict[str, bytes | None]:
    counts = content["replaced_by"] is None and text(content, "why", "step")
    return {
        "key": _key(text(content, "key")),
        "by": bytes.fromhex(text(content, "by")),
        "central": text(content, "what", "central").encode() or None,
        "local": text(content, "what", "local").encode() or None,
        "process": text(content, "why", "process").encode() if counts else None,
    }


def _key(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()[:16]
