"""Who may read which subject, and the numbered list of what was opened to whom."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from sqlalchemy import bindparam, delete, func, select

from federation.authority import Kind
from node.store import schema
from node.store.database import ReadTx, WriteTx
from node.store.upserts import insert_all, upsert

EVERYBODY = b""
FOR_EVER = 2**63 - 1

Span = tuple[bytes, bytes, int, int, bytes]


@dataclass(frozen=True, slots=True, order=True)
class StoredRight:
    """An organisation may read what `author` (everybody, where empty) says of a subject, in those classes.

    Only of statements that occurred from `since_us` to `until_us`, which is excluded; above headers only the sections
    that a profile names, where there is its key.
    """

    org: bytes
    author: bytes
    classes: int
    since_us: int = 0
    until_us: int = FOR_EVER
    profile: bytes = b""

    def covers(self, kind: int, occurred_us: int) -> bool:
        """Whether a statement falls into its time. A withdrawal always does: what is held already falls with it."""
        return kind == Kind.WITHDRAWAL or self.since_us <= occurred_us < self.until_us

    @property
    def span(self) -> Span:
        """What tells rights of one subject apart; classes add up."""
        return (self.org, self.author, self.since_us, self.until_us, self.profile)


# A right that was closed keeps its row with no class.
_RIGHTS = select(schema.readers).where(
    schema.readers.c.subject.in_(bindparam("subjects", expanding=True)), schema.readers.c.classes != 0
)


async def rights_to(tx: ReadTx, subjects: Iterable[bytes], org: bytes | None = None) -> dict[bytes, list[StoredRight]]:
    """The rights to each subject, of everybody or of one organisation."""
    table = schema.readers.c
    wanted = sorted(set(subjects))
    found: dict[bytes, list[StoredRight]] = {}
    for at in range(0, len(wanted), 400):
        statement = _RIGHTS if org is None else _RIGHTS.where(table.org == org)
        for row in await tx.all(statement, subjects=wanted[at : at + 400]):
            right = StoredRight(row.org, row.author, row.classes, row.since_us, row.until_us, row.profile)
            found.setdefault(row.subject, []).append(right)
    return found


async def open_subjects(tx: WriteTx, opened: Mapping[bytes, Iterable[StoredRight]]) -> set[bytes]:
    """Widen who may read these subjects; answer the organisations whose right grew. Each gets numbered openings."""
    stored = await rights_to(tx, (subject for subject, rights in opened.items() if rights))
    rows: list[dict[str, object]] = []
    openings: list[dict[str, object]] = []
    for subject, rights in opened.items():
        had = {right.span: right.classes for right in stored.get(subject, ())}
        wanted: dict[Span, int] = {}
        for right in rights:
            wanted[right.span] = wanted.get(right.span, had.get(right.span, 0)) | right.classes
        grown = {span: classes for span, classes in sorted(wanted.items()) if classes != had.get(span)}
        rows += [
            {
                "subject": subject,
                "org": org,
                "author": author,
                "since_us": since,
                "until_us": until,
                "profile": profile,
                "classes": classes,
            }
            for (org, author, since, until, profile), classes in grown.items()
        ]
        openings += [{"org": org, "subject": subject} for org in sorted({span[0] for span in grown})]
    await upsert(tx, schema.readers, rows)
    await insert_all(tx, schema.openings, openings)
    return {cast("bytes", row["org"]) for row in openings}


async def narrow_subjects(tx: WriteTx, opened: Mapping[bytes, Iterable[StoredRight]]) -> None:
    """Close what stood open of these subjects and is not among `opened` any more. What was given stays given: what an
    organisation has got by now is its own, and nothing more follows.
    """
    stored = await rights_to(tx, opened)
    rows: list[dict[str, object]] = []
    for subject, rights in opened.items():
        wanted: dict[Span, int] = {}
        for right in rights:
            wanted[right.span] = wanted.get(right.span, 0) | right.classes
        for had in stored.get(subject, ()):
            kept = had.classes & wanted.get(had.span, 0)
            if kept != had.classes:
                span = {"subject": subject, "org": had.org, "author": had.author, "profile": had.profile}
                rows.append({**span, "since_us": had.since_us, "until_us": had.until_us, "classes": kept})
    await upsert(tx, schema.readers, rows)


async def reopen_profiles(tx: WriteTx, keys: Iterable[bytes]) -> None:
    """Number anew what is opened by profiles that were not known here until now."""
    table = schema.readers.c
    limited = select(table.org, table.subject).where(table.profile.in_(sorted(keys)), table.classes != 0).distinct()
    await insert_all(tx, schema.openings, [{"org": row.org, "subject": row.subject} for row in await tx.all(limited)])


async def close_subjects(tx: WriteTx, subjects: Iterable[bytes]) -> None:
    """Close these subjects to everybody: whoever may read them still is told so by what counts, in this transaction."""
    wanted = sorted(set(subjects))
    for at in range(0, len(wanted), 400):
        await tx.run(delete(schema.readers).where(schema.readers.c.subject.in_(wanted[at : at + 400])))


@dataclass(frozen=True, slots=True)
class Opening:
    """What was opened: all that is said about a subject, or one new entry about it at (log_no, seq)."""

    n: int
    subject: bytes
    place: tuple[int, int] | None


async def open_entries(tx: WriteTx, log_no: int, opened: Iterable[tuple[bytes, bytes, int]]) -> None:
    """Number new entries of a log, each `(org, subject, seq)` for an organisation that may read its subject already."""
    rows: list[dict[str, object]] = [
        {"org": org, "subject": subject, "log_no": log_no, "seq": seq} for org, subject, seq in opened
    ]
    await insert_all(tx, schema.openings, rows)


async def spread_opening(tx: WriteTx, n: int, places: Iterable[tuple[int, int]]) -> None:
    """In place of an opening of all that is said about a subject, number what is said: entries at (log_no, seq)."""
    table = schema.openings.c
    row = await tx.first(select(schema.openings).where(table.n == n))
    if row is not None:
        spread = [{"org": row.org, "subject": row.subject, "log_no": log_no, "seq": seq} for log_no, seq in places]
        await insert_all(tx, schema.openings, spread)
        await tx.run(delete(schema.openings).where(table.n == n))


async def openings_after(tx: ReadTx, org: bytes, after: int, limit: int) -> list[Opening]:
    """What was opened to an organisation after a number."""
    table = schema.openings.c
    statement = select(schema.openings).where(table.org == org, table.n > after).order_by(table.n).limit(limit)
    return [
        Opening(row.n, row.subject, None if row.seq is None else (row.log_no, row.seq))
        for row in await tx.all(statement)
    ]


async def last_opening(tx: ReadTx, org: bytes) -> int:
    """The newest number of an organisation's openings, 0 where there is none."""
    table = schema.openings.c
    return int(await tx.value(select(func.coalesce(func.max(table.n), 0)).where(table.org == org)))
