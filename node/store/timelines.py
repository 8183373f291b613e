"""The rows of long passports: their events and statements, and what is kept to add one more. A projection."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, func, literal_column, or_, select, tuple_, update

from node.passport.kept import Kept, Row, Tally, decode_kept, encode_kept
from node.passport.references import parse_ref
from node.passport.shown import text
from node.passport.view import END, Plain
from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
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
_ROWS = select(MOMENTS.lead, MOMENTS.list, MOMENTS.place, MOMENTS.hash, MOMENTS.plain, MOMENTS.log_no, MOMENTS.seq)
# Spelled out, so that the index of such rows alone is found.
_MOVING = _ROWS.where(MOMENTS.lead == bindparam("lead"), MOMENTS.plain == literal_column("0"))
_OF_LIST = and_(MOMENTS.lead == bindparam("lead"), MOMENTS.list == bindparam("list"))
_LAST = select(func.max(MOMENTS.place)).where(_OF_LIST, MOMENTS.place < bindparam("before"))
_PLACE = select(MOMENTS.place).where(_OF_LIST).limit(1)
_ENDS = MOMENTS.hash < END
_LOW = _PLACE.where(_ENDS, MOMENTS.place < bindparam("first")).order_by(MOMENTS.place.desc()).scalar_subquery()
_HIGH = _PLACE.where(_ENDS, MOMENTS.place > bindparam("upto")).order_by(MOMENTS.place).scalar_subquery()
_BLOCKS = (
    select(MOMENTS.place, MOMENTS.hash)
    .where(_OF_LIST, MOMENTS.place > func.coalesce(_LOW, b""), MOMENTS.place <= func.coalesce(_HIGH, b"\xff"))
    .order_by(MOMENTS.place)
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


async def forget_rows(tx: WriteTx) -> None:
    """Forget every row, and what is kept beside them."""
    await tx.run(delete(schema.moments))
    await tx.run(update(schema.passports).where(schema.passports.c.kept.is_not(None)).values(kept=None))


async def add_rows(
    tx: WriteTx, lead: bytes, rows: Mapping[str, Sequence[Row]], kept: Mapping[str, Tally], no: Numbers
) -> dict[str, Tally]:
    """Put rows of each list that are not there yet; `no` has the numbers of their logs. Answer the tallies after it."""
    found = dict(kept)
    for name, some in rows.items():
        ordered = sorted(some, key=lambda row: row.place)
        if ordered and ordered[0].place > kept[name].last:
            found[name] = kept[name].add(ordered)
        elif ordered:
            found[name] = await _tallied(tx, name, lead, kept[name], {row.place: row.hash for row in ordered})
    stored = [_stored(name, lead, row, no) for name, some in rows.items() for row in some]
    await insert_new(tx, schema.moments, stored)
    return found


async def moving_rows(tx: ReadTx, lead: bytes) -> Sequence[Record]:
    """The rows of a long passport that are not plain: `list`, `place`, `hash`, `plain`, `log_no` and `seq`."""
    return await tx.all(_MOVING, lead=lead)


async def replace_rows(
    tx: WriteTx,
    lead: bytes,
    rows: Mapping[str, Sequence[Row]],
    kept: Mapping[str, Tally],
    no: Numbers,
    moving: Sequence[Record],
) -> dict[str, Tally]:
    """Put rows in place of `moving`, and of plain ones of the same entries; answer the tallies after it."""
    fresh = {(no[row.ref.log], row.ref.seq) for some in rows.values() for row in some}
    old = [*moving]
    for chunk in _chunks(fresh - {(row.log_no, row.seq) for row in moving}):
        entry = tuple_(MOMENTS.log_no, MOMENTS.seq).in_(chunk)
        plain = await tx.all(_ROWS.where(MOMENTS.plain == 1, entry))  # by entry alone: by lead all would be walked
        old += [row for row in plain if row.lead == lead]
    found: dict[str, Tally] = {}
    for name, some in rows.items():
        known = {row.place: (row.hash, row.plain) for row in old if row.list == name}
        gone = sorted(known.keys() - {row.place for row in some})
        altered = [row for row in some if known.get(row.place) != (row.hash, int(row.plain))]
        moved: dict[bytes, bytes | None] = {row.place: row.hash for row in altered}
        found[name] = await _tallied(tx, name, lead, kept[name], moved | dict.fromkeys(gone))
        for start in range(0, len(gone), CHUNK):
            place = MOMENTS.place.in_(gone[start : start + CHUNK])
            await tx.run(delete(schema.moments).where(MOMENTS.lead == lead, MOMENTS.list == name, place))
        await upsert(tx, schema.moments, [_stored(name, lead, row, no) for row in altered])
    return found


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


async def find_event(tx: ReadTx, lead: bytes, key: str) -> str | None:
    """The JSON of the event of a key in a long passport."""
    mine = and_(*_asked("events", lead, None, None), MOMENTS.key == _key(key))
    found: str | None = await tx.value(select(MOMENTS.row).where(mine).limit(1))
    return found


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


async def _tallied(tx: ReadTx, name: str, lead: bytes, tally: Tally, moved: Mapping[bytes, bytes | None]) -> Tally:
    """The tally when rows of some places get other hashes, or None go; asked before they do.

    Only the blocks in which they stand are read.
    """
    places = sorted(moved)
    while places:
        rows, is_last = await _blocks_of(tx, name, lead, places[0], places[0])
        while not is_last and rows[-1].place in moved:  # what ends the block goes, or becomes another
            rows, is_last = await _blocks_of(tx, name, lead, places[0], rows[-1].place)
        reached = [place for place in places if is_last or place < rows[-1].place]
        before = {row.place: row.hash for row in rows}
        after = {**before, **{place: moved[place] for place in reached}}
        stand = sorted((place, row) for place, row in after.items() if row is not None)
        last = tally.last
        if is_last:
            last = stand[-1][0] if stand else await tx.value(_LAST, lead=lead, list=name, before=places[0]) or b""
        tally = tally.swap([row.hash for row in rows], [row for _, row in stand], last)
        places = places[len(reached) :]
    return tally


async def _blocks_of(tx: ReadTx, name: str, lead: bytes, first: bytes, upto: bytes) -> tuple[Sequence[Record], bool]:
    """The rows of the whole blocks around some places; and whether the list ends with them."""
    rows = await tx.all(_BLOCKS, lead=lead, list=name, first=first, upto=upto)
    return rows, not rows or rows[-1].place <= upto or rows[-1].hash >= END


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
        "row": row.raw.decode(),
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
