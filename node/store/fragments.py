"""Fragments and their sections, keyed by (log, seq)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, and_, delete, exists, func, join, or_, select, tuple_
from sqlalchemy.exc import IntegrityError

from federation.fragment import Fragment, Header, Ref, Section, SectionClass, read_header
from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
from node.store.erasures import Gone, erased_at, note_gone
from node.store.errors import ConflictError
from node.store.logs import log_numbers
from node.store.upserts import insert_all, insert_new, upsert

CHUNK = 400
CLEAR, SEALED, STORED, ERASED, HELD = 0, 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class StoredSection:
    """A section at rest: in clear, sealed by its author to a box key, sealed under the store's own key, erased, or
    held back (`node/store/held.py`).

    The row of an erased one stays without salt and bytes, so that nothing takes its place. A new one that holds the
    root key of a device has the mark of that key (`Vault.mark`).
    """

    position: int
    name: str
    salt: bytes | None
    data: bytes
    form: int
    mark: bytes | None = None


@dataclass(frozen=True, slots=True)
class StoredFragment:
    """A fragment at rest."""

    log: bytes
    log_no: int
    seq: int
    header: bytes
    signature: bytes
    void: str | None
    received_us: int
    sections: tuple[StoredSection, ...]

    def to_fragment(self) -> Fragment:
        """As it came, without what is sealed under the store's own key, erased or held back."""
        return Fragment(self.header, self.signature, _shown(self.sections))


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A verified entry to be stored; header None where it is void. `routes` are subjects named beside the header's."""

    seq: int
    fragment: Fragment
    header: Header | None
    void: str | None = None
    stored: tuple[StoredSection, ...] = ()
    routes: tuple[bytes, ...] = ()

    @property
    def named(self) -> set[bytes]:
        """Every subject by which it is found."""
        return {*self.routes, *(self.header.subjects if self.header else ())}

    def to_fragment(self) -> Fragment:
        """As it is read back from the store."""
        return Fragment(self.fragment.header, self.fragment.signature, _shown(self.stored))


def _shown(sections: Iterable[StoredSection]) -> tuple[Section, ...]:
    return tuple(Section(s.name, s.salt, s.data) for s in sections if s.form in (CLEAR, SEALED))


def subject64(subject: bytes) -> int:
    """The indexed half of a subject, as a signed 64-bit number."""
    return int.from_bytes(subject[:8], "big", signed=True)


async def insert_entries(tx: WriteTx, log_no: int, entries: Sequence[NewEntry]) -> Sequence[NewEntry]:
    """Store entries and answer them as they stand: what was erased before it came stands without its bytes.

    Raise ConflictError if one of those places is taken.
    """
    entries = await _without_erased(tx, log_no, entries)
    try:
        await insert_all(tx, schema.fragments, [_row(log_no, tx.now, entry) for entry in entries])
    except IntegrityError as error:
        raise ConflictError(f"log {log_no} has an entry at one of those places") from error
    await insert_sections(tx, log_no, entries)
    await insert_new(tx, schema.mentions, [row for entry in entries for row in _mentions(log_no, entry)])
    return entries


async def insert_sections(tx: WriteTx, log_no: int, entries: Sequence[NewEntry], *, anew: bool = False) -> None:
    """Add the sections of entries whose headers stand, leaving alone the sections that stand too.

    What was sealed to somebody else gives way to what this node can read, and to what is sealed `anew`.
    """
    rows: list[dict[str, object]] = [
        {
            "log_no": log_no,
            "seq": e.seq,
            "position": s.position,
            "name": s.name,
            "salt": s.salt,
            "data": s.data,
            "form": s.form,
        }
        for e in entries
        for s in e.stored
    ]
    await _give_way(tx, [row for row in rows if anew or row["form"] != SEALED])
    await insert_new(tx, schema.sections, rows)
    held = [(e.header.subjects[0], s.mark) for e in entries if e.header for s in e.stored if s.mark is not None]
    await insert_new(tx, schema.key_marks, [{"mark": mark, "subject": subject} for subject, mark in held])


async def _give_way(tx: WriteTx, rows: Sequence[dict[str, object]]) -> None:
    table = schema.sections.c
    named = [(row["log_no"], row["seq"], row["position"]) for row in rows]
    for at in range(0, len(named), CHUNK):
        few = tuple_(table.log_no, table.seq, table.position).in_(named[at : at + CHUNK])
        await tx.run(delete(schema.sections).where(few, table.form == SEALED))


async def erase_section(tx: WriteTx, log_no: int, seq: int, position: int, name: str) -> bool:
    """Let the bytes and the salt of a section go; whether there were any. Its row keeps them from coming back."""
    table = schema.sections
    key = (table.c.log_no == log_no, table.c.seq == seq, table.c.position == position)
    there = await tx.value(select(table.c.form).where(*key))
    row = {"log_no": log_no, "seq": seq, "position": position, "name": name, "salt": None, "data": b"", "form": ERASED}
    await upsert(tx, table, [row])
    return there not in (None, ERASED)


async def entries_between(tx: ReadTx, log_no: int, start: int, end: int) -> dict[int, StoredFragment]:
    """The stored entries of a log with start <= seq < end, by seq."""
    table = schema.fragments.c
    rows = await tx.all(select(schema.fragments).where(table.log_no == log_no, table.seq >= start, table.seq < end))
    return {fragment.seq: fragment for fragment in await _with_sections(tx, rows)}


async def entries_at(tx: ReadTx, places: Iterable[tuple[int, int]]) -> list[StoredFragment]:
    """The stored entries at (log_no, seq) places, in that order of places."""
    wanted = sorted(set(places))
    rows: list[Record] = []
    table = schema.fragments.c
    for at in range(0, len(wanted), CHUNK):
        chunk = wanted[at : at + CHUNK]
        rows += await tx.all(select(schema.fragments).where(tuple_(table.log_no, table.seq).in_(chunk)))
    return sorted(await _with_sections(tx, rows), key=lambda f: (f.log_no, f.seq))


async def entries_about(
    tx: ReadTx, subjects: Iterable[bytes], *, beside_kept: bool = False, but: Collection[int] = ()
) -> list[StoredFragment]:
    """Every stored entry that names one of the subjects, by (log_no, seq), `but` those of some logs.

    `beside_kept` leaves out those that only add a row to a long passport, where it stands already.
    """
    mentions, moments = schema.mentions.c, schema.moments.c
    kept = (moments.log_no == mentions.log_no) & (moments.seq == mentions.seq) & (moments.plain == 1)
    keys = sorted({subject64(subject) for subject in subjects})
    found: dict[tuple[int, int], StoredFragment] = {}
    for at in range(0, len(keys), CHUNK):
        where: ColumnElement[bool] = mentions.subject64.in_(keys[at : at + CHUNK])
        if but:
            where &= mentions.log_no.not_in(list(but))
        if beside_kept:
            where &= ~exists().where(kept)
        for entry in await _with_sections_of(tx, where):
            found[entry.log_no, entry.seq] = entry
    return [found[place] for place in sorted(found)]


async def entries_said_of(tx: ReadTx, kinds: Iterable[int], subjects: Iterable[bytes]) -> list[StoredFragment]:
    """The entries of those kinds that speak first of one of the subjects, by (log_no, seq)."""
    mentions, entry = schema.mentions.c, schema.fragments.c
    keys, wanted, rows = sorted({subject64(subject) for subject in subjects}), list(kinds), list[Record]()
    joined = (entry.log_no == mentions.log_no) & (entry.seq == mentions.seq)
    for at in range(0, len(keys), CHUNK):
        about = (mentions.subject64.in_(keys[at : at + CHUNK]), mentions.first == 1, entry.kind.in_(wanted))
        rows += await tx.all(select(schema.fragments).join(schema.mentions, joined).where(*about))
    return sorted(await _with_sections(tx, rows), key=lambda fragment: (fragment.log_no, fragment.seq))


async def headers_between(tx: ReadTx, log_no: int, start: int, end: int) -> list[StoredFragment]:
    """The entries of a log with start <= seq < end, in order, without their sections."""
    table, log = schema.fragments.c, (await log_numbers(tx))[log_no]
    wanted = (table.log_no == log_no, table.seq >= start, table.seq < end)
    rows = await tx.all(select(schema.fragments).where(*wanted).order_by(table.seq))
    return [_stored(row, log, []) for row in rows]


async def headers_about(tx: ReadTx, subjects: Iterable[bytes]) -> dict[bytes, list[StoredFragment]]:
    """The entries that name each subject, without their sections."""
    mentions, entry = schema.mentions.c, schema.fragments.c
    numbers, wanted = await log_numbers(tx), {subject64(subject): subject for subject in subjects}
    keys, found = sorted(wanted), dict[bytes, list[StoredFragment]]()
    joined = (entry.log_no == mentions.log_no) & (entry.seq == mentions.seq)
    for at in range(0, len(keys), CHUNK):
        statement = select(schema.fragments, mentions.subject64).join(schema.mentions, joined)
        for row in await tx.all(statement.where(mentions.subject64.in_(keys[at : at + CHUNK]))):
            found.setdefault(wanted[row.subject64], []).append(_stored(row, numbers[row.log_no], []))
    return found


async def uncounted_about(tx: ReadTx, subjects: Iterable[bytes], counted: Mapping[int, int]) -> list[StoredFragment]:
    """The stored entries that name one of the subjects and stand in one of these logs at or beyond its size."""
    mentions = schema.mentions.c
    keys = sorted({subject64(subject) for subject in subjects})
    beyond = [and_(mentions.log_no == no, mentions.seq >= size) for no, size in sorted(counted.items())]
    found: dict[tuple[int, int], StoredFragment] = {}
    for at in range(0, len(keys), CHUNK):
        for start in range(0, len(beyond), CHUNK):
            about = mentions.subject64.in_(keys[at : at + CHUNK])
            for entry in await _with_sections_of(tx, about & or_(*beyond[start : start + CHUNK])):
                found[entry.log_no, entry.seq] = entry
    return [found[place] for place in sorted(found) if found[place].void is None]


async def mention_counts(tx: ReadTx, subjects: Iterable[bytes]) -> dict[bytes, int]:
    """How many entries name each of these subjects, where some do; or another subject of the same first half."""
    table = schema.mentions.c
    wanted: dict[int, list[bytes]] = {}
    for subject in subjects:
        wanted.setdefault(subject64(subject), []).append(subject)
    keys = sorted(wanted)
    found: dict[bytes, int] = {}
    for at in range(0, len(keys), CHUNK):
        about = table.subject64.in_(keys[at : at + CHUNK])
        counts = select(table.subject64, func.count().label("entries")).where(about).group_by(table.subject64)
        for row in await tx.all(counts):
            found |= dict.fromkeys(wanted[row.subject64], row.entries)
    return found


async def _with_sections_of(tx: ReadTx, where: ColumnElement[bool]) -> list[StoredFragment]:
    """The entries of those mentions, by one query however many they are; one that names many is read once."""
    mentions, entry, section = schema.mentions.c, schema.fragments.c, schema.sections.c
    numbers = await log_numbers(tx)
    place = select(mentions.log_no, mentions.seq).where(where).distinct().subquery()
    entries = join(place, schema.fragments, (entry.log_no == place.c.log_no) & (entry.seq == place.c.seq)).outerjoin(
        schema.sections, (section.log_no == entry.log_no) & (section.seq == entry.seq)
    )
    columns = (entry.log_no, entry.seq, entry.header, entry.signature, entry.void, entry.received_us)
    parts = (section.position, section.name, section.salt, section.data, section.form)
    rows = await tx.all(select(*columns, *parts).select_from(entries))
    found: dict[tuple[int, int], tuple[Record, dict[int, StoredSection]]] = {}
    for row in rows:
        _, sections = found.setdefault((row.log_no, row.seq), (row, {}))
        if row.position is not None:
            sections[row.position] = StoredSection(row.position, row.name, row.salt, row.data, row.form)
    return [_stored(row, numbers[row.log_no], _in_order(sections)) for row, sections in found.values()]


def _in_order(sections: dict[int, StoredSection]) -> list[StoredSection]:
    return [sections[position] for position in sorted(sections)] if len(sections) > 1 else [*sections.values()]


async def with_secret(tx: ReadTx, subjects: Iterable[bytes], name: str) -> set[bytes]:
    """Those subjects of which a secret section of that name came here and can be opened."""
    mentions, sections = schema.mentions.c, schema.sections.c
    wanted = {subject64(subject): subject for subject in subjects}
    keys = sorted(wanted)
    found: set[bytes] = set()
    for at in range(0, len(keys), CHUNK):
        joined = (sections.log_no == mentions.log_no) & (sections.seq == mentions.seq)
        rows = await tx.all(
            select(mentions.subject64)
            .join(schema.sections, joined)
            .where(mentions.subject64.in_(keys[at : at + CHUNK]), sections.name == name, sections.form == STORED)
            .distinct()
        )
        found |= {wanted[row.subject64] for row in rows}
    return found


async def count_sections(tx: ReadTx, name: str) -> int:
    """How many sections of a name can be opened here."""
    table = schema.sections
    asked = select(func.count()).select_from(table).where(table.c.name == name, table.c.form == STORED)
    return int(await tx.value(asked))


async def entries_of_kinds(tx: ReadTx, kinds: Iterable[int]) -> list[StoredFragment]:
    """Every stored entry of those kinds, by (log_no, seq)."""
    table = schema.fragments.c
    rows = await tx.all(select(schema.fragments).where(table.kind.in_(list(kinds)), table.void.is_(None)))
    return sorted(await _with_sections(tx, rows), key=lambda f: (f.log_no, f.seq))


async def headers_of_kinds(tx: ReadTx, kinds: Iterable[int]) -> list[StoredFragment]:
    """Every stored entry of those kinds, by (log_no, seq), without their sections."""
    table, numbers = schema.fragments.c, await log_numbers(tx)
    wanted = (table.kind.in_(list(kinds)), table.void.is_(None))
    rows = await tx.all(select(schema.fragments).where(*wanted).order_by(table.log_no, table.seq))
    return [_stored(row, numbers[row.log_no], []) for row in rows]


async def named_by_own(tx: ReadTx, subjects: Iterable[bytes], kinds: Iterable[int]) -> set[bytes]:
    """Those of some subjects that entries of these kinds in a log of this node name."""
    mentions, entry, log = schema.mentions.c, schema.fragments.c, schema.logs.c
    wanted, few = {subject64(subject): subject for subject in subjects}, list(kinds)
    joined = (entry.log_no == mentions.log_no) & (entry.seq == mentions.seq)
    tables = schema.mentions.join(schema.fragments, joined).join(schema.logs, log.no == entry.log_no)
    keys, found = sorted(wanted), set[bytes]()
    for at in range(0, len(keys), CHUNK):
        where = (mentions.subject64.in_(keys[at : at + CHUNK]), entry.kind.in_(few), log.own == 1)
        rows = await tx.all(select(mentions.subject64).select_from(tables).where(*where).distinct())
        found |= {wanted[row.subject64] for row in rows}
    return found


async def subjects_of_kind(tx: ReadTx, kind: int, among: Collection[bytes] | None = None) -> set[bytes]:
    """Of what entries of a kind speak first; of some subjects those."""
    table = schema.fragments.c
    if among is not None:
        found = await entries_said_of(tx, (kind,), among)
        raws = [(entry.header, entry.log, entry.seq) for entry in found if entry.void is None]
    else:
        numbers = await log_numbers(tx)
        statement = select(table.header, table.log_no, table.seq).where(table.kind == kind, table.void.is_(None))
        raws = [(row.header, numbers[row.log_no], row.seq) for row in await tx.all(statement)]
    return {read_header(*raw).subject for raw in raws}


async def count_kinds(tx: ReadTx, kinds: Iterable[int]) -> tuple[int, int]:
    """How many entries of those kinds are stored, and a number of their sections and the forms of these: while both
    stay, so do they.
    """
    entry, section = schema.fragments.c, schema.sections.c
    wanted = (entry.kind.in_(list(kinds)), entry.void.is_(None))
    joined = (section.log_no == entry.log_no) & (section.seq == entry.seq)
    counted = func.count() + func.coalesce(func.sum(section.form), 0)
    beside = select(counted).select_from(schema.fragments.join(schema.sections, joined)).where(*wanted)
    return int(await tx.value(select(func.count()).select_from(schema.fragments).where(*wanted))), int(
        await tx.value(beside)
    )


async def last_seqs(tx: ReadTx, log_no: int, subjects: Iterable[bytes]) -> dict[bytes, int]:
    """The last seq of a log that speaks first about each subject, where there is one."""
    table = schema.mentions.c
    wanted = {subject64(subject): subject for subject in subjects}
    found: dict[bytes, int] = {}
    keys = sorted(wanted)
    for at in range(0, len(keys), CHUNK):
        rows = await tx.all(
            select(table.subject64, func.max(table.seq).label("seq"))
            .where(table.log_no == log_no, table.first == 1, table.subject64.in_(keys[at : at + CHUNK]))
            .group_by(table.subject64)
        )
        found |= {wanted[row.subject64]: row.seq for row in rows}
    return found


async def count_places(tx: ReadTx, log_no: int) -> int:
    """Up to which place a log has entries, whatever is missing before it."""
    table = schema.fragments.c
    last = await tx.value(select(func.max(table.seq)).where(table.log_no == log_no))
    return 0 if last is None else int(last) + 1


async def lost_places(tx: ReadTx) -> list[tuple[int, int]]:
    """The places (log_no, seq) whose entry is not here, while its sections are or a subject still names it."""
    entry = schema.fragments.c
    found: set[tuple[int, int]] = set()
    for table in (schema.mentions, schema.sections):
        joined = (entry.log_no == table.c.log_no) & (entry.seq == table.c.seq)
        statement = select(table.c.log_no, table.c.seq).distinct()
        rows = await tx.all(statement.outerjoin(schema.fragments, joined).where(entry.seq.is_(None)))
        found |= {(row.log_no, row.seq) for row in rows}
    return sorted(found)


async def last_stamp(tx: ReadTx, log_no: int) -> int:
    """The greatest stamp of a log's entries, 0 where it has none."""
    table = schema.fragments.c
    return int(await tx.value(select(func.coalesce(func.max(table.stamp_us), 0)).where(table.log_no == log_no)))


async def _without_erased(tx: WriteTx, log_no: int, entries: Sequence[NewEntry]) -> Sequence[NewEntry]:
    """The entries without what was erased before they came; what came of it all the same is noted."""
    named = {_ref_of(e): e.header for e in entries if e.header is not None and is_personal(e.header)}
    if not named:
        return entries
    logs = schema.logs.c
    author = await tx.first(select(logs.log, logs.org).where(logs.no == log_no))
    gone = await erased_at(tx, named, {author.log: author.org}) if author is not None else {}
    if not gone:
        return entries
    kept, dropped = list[NewEntry](), list[Gone]()
    for entry in entries:
        names = gone.get(_ref_of(entry), {}) if entry.header is not None else {}
        came = {section.name for section in entry.stored}
        dropped += [Gone(_ref_of(entry), name, tx.now, name in came) for name in names]
        kept.append(_as_erased(entry, names) if names else entry)
    await note_gone(tx, dropped)
    return kept


def is_personal(header: Header) -> bool:
    """Whether an entry has a section that may be erased."""
    return any(head.klass == SectionClass.PERSONAL for head in header.sections)


def _as_erased(entry: NewEntry, names: Iterable[str]) -> NewEntry:
    heads = [] if entry.header is None else [head.name for head in entry.header.sections]
    empty = [StoredSection(heads.index(name), name, None, b"", ERASED) for name in names]
    rest = (*(section for section in entry.stored if section.name not in names), *empty)
    return replace(entry, stored=tuple(sorted(rest, key=lambda section: section.position)))


def _ref_of(entry: NewEntry) -> Ref:
    return Ref(entry.header.log if entry.header else b"", entry.seq, entry.fragment.id[:16])


async def _with_sections(tx: ReadTx, rows: Sequence[Record]) -> list[StoredFragment]:
    numbers = await log_numbers(tx)
    sections: dict[tuple[int, int], list[StoredSection]] = {}
    table = schema.sections.c
    places = [(row.log_no, row.seq) for row in rows]
    for at in range(0, len(places), CHUNK):
        chunk = places[at : at + CHUNK]
        statement = select(schema.sections).where(tuple_(table.log_no, table.seq).in_(chunk))
        for s in await tx.all(statement.order_by(table.log_no, table.seq, table.position)):
            section = StoredSection(s.position, s.name, s.salt, s.data, s.form)
            sections.setdefault((s.log_no, s.seq), []).append(section)
    return [_stored(row, numbers[row.log_no], sections.get((row.log_no, row.seq), [])) for row in rows]


def _stored(row: Record, log: bytes, sections: list[StoredSection]) -> StoredFragment:
    return StoredFragment(
        log, row.log_no, row.seq, row.header, row.signature, row.void, row.received_us, tuple(sections)
    )


def _row(log_no: int, now: int, entry: NewEntry) -> dict[str, object]:
    return {
        "log_no": log_no,
        "seq": entry.seq,
        "kind": entry.header.kind if entry.header else 0,
        "stamp_us": entry.header.stamp if entry.header else 0,
        "header": entry.fragment.header,
        "signature": entry.fragment.signature,
        "void": entry.void,
        "received_us": now,
    }


def _mentions(log_no: int, entry: NewEntry) -> list[dict[str, object]]:
    if entry.header is None:
        return []
    first, *others = entry.header.subjects
    rows: list[dict[str, object]] = [{"subject64": subject64(first), "log_no": log_no, "seq": entry.seq, "first": 1}]
    seen = {subject64(first)}
    for subject in (*others, *entry.routes):
        if subject64(subject) not in seen:
            seen.add(subject64(subject))
            rows.append({"subject64": subject64(subject), "log_no": log_no, "seq": entry.seq, "first": 0})
    return rows
