"""Who may read which subject, and the numbered list of what was opened to whom."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import LargeBinary, bindparam, delete, func, insert, literal, select

from federation.authority import Kind
from node.store import schema
from node.store.database import ReadTx, WriteTx
from node.store.follows import followers_of, nodes_that_follow
from node.store.passports import read_leads
from node.store.upserts import insert_all, upsert

EVERYBODY = b""
FOR_EVER = 2**63 - 1
ORG_SIZE = 16

Span = tuple[bytes, bytes, int, int, bytes]


@dataclass(frozen=True, slots=True, order=True)
class StoredRight:
    """An organisation may read what `author` (everybody, where empty) says of a subject, in those classes.

    Only of statements that occurred from `since_us` to `until_us`, which is excluded; above headers only the sections
    that a profile names, where there is its key. Of a right to pass on that key is the id of the organisation to which.
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
_LAST = select(func.max(schema.openings.c.n)).where(
    schema.openings.c.org == bindparam("of"), schema.openings.c.n <= bindparam("until")
)
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
    told: list[NewOpening] = []
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
        told += [NewOpening(org, subject, by=frozenset({subject})) for org in sorted({span[0] for span in grown})]
    await upsert(tx, schema.readers, rows)
    await open_entries(tx, told)
    return {one.org for one in told}


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
    told = [NewOpening(row.org, row.subject, by=frozenset({row.subject})) for row in await tx.all(limited)]
    await open_entries(tx, told)


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


@dataclass(frozen=True, slots=True)
class NewOpening:
    """To be told to an organisation: all that is said about a subject, or one new entry about it.

    A node of it that follows is told where it follows one of the subjects `by` which the organisation may read it, or
    where one of them is no passport, as the papers of an act; without `by` it is told in any case.
    """

    org: bytes
    subject: bytes
    place: tuple[int, int] | None = None
    by: frozenset[bytes] | None = None


def list_of(node: bytes) -> bytes:
    """The name of a node's own list; those of organisations have their ids."""
    return b"node:" + node


async def open_entries(tx: WriteTx, told: Sequence[NewOpening]) -> None:
    """Number what is told, in the list of its organisation and in those of nodes which follow it."""
    if not told:
        return
    await insert_all(tx, schema.openings, [*(_row(one.org, one) for one in told), *await _own_lists(tx, told)])


async def open_to_node(tx: WriteTx, node: bytes, subjects: Iterable[bytes]) -> None:
    """Number subjects in a node's own list: it follows them from now on."""
    rows = [_row(list_of(node), NewOpening(b"", subject)) for subject in sorted(subjects)]
    await insert_all(tx, schema.openings, rows)


async def spread_opening(tx: WriteTx, n: int, places: Iterable[tuple[int, int]]) -> None:
    """In place of an opening of all that is said about a subject, number what is said: entries at (log_no, seq)."""
    table = schema.openings.c
    row = await tx.first(select(schema.openings).where(table.n == n))
    if row is None:
        return
    told = [NewOpening(row.org, row.subject, place, frozenset({row.subject})) for place in places]
    if len(row.org) > ORG_SIZE:  # a node's own list
        await insert_all(tx, schema.openings, [_row(row.org, one) for one in told])
    else:
        await open_entries(tx, told)
    await tx.run(delete(schema.openings).where(table.n == n))


async def close_to_node(tx: WriteTx, node: bytes, subjects: Iterable[bytes]) -> None:
    """Take subjects out of a node's own list: it follows them no more."""
    wanted, table = sorted(subjects), schema.openings.c
    newest = await newest_opening(tx) if wanted else 0
    for at in range(0, len(wanted), 400):
        # The newest number stays: one that was given is not given again.
        named = table.subject.in_(wanted[at : at + 400]), table.seq.is_(None), table.n < newest
        await tx.run(delete(schema.openings).where(table.org == list_of(node), *named))


async def open_all_to_node(tx: WriteTx, org: bytes, node: bytes) -> None:
    """Number all that an organisation may read in the own list of a node of it, which begins anew."""
    table, before = schema.readers.c, await newest_opening(tx)
    name = literal(list_of(node), LargeBinary)
    readable = select(name, table.subject).where(table.org == org, table.classes != 0).distinct()
    await tx.run(insert(schema.openings).from_select(["org", "subject"], readable.order_by(table.subject)))
    # Only now: a number that was given is not given again.
    numbered = schema.openings.c
    if await newest_opening(tx) > before:
        await tx.run(delete(schema.openings).where(numbered.org == list_of(node), numbered.n <= before))


async def openings_after(
    tx: ReadTx, org: bytes, after: int, limit: int, node: bytes = b"", until: int = FOR_EVER
) -> list[Opening]:
    """What was opened to an organisation after a number and up to another, and to a node of it."""
    table = schema.openings.c
    found: list[Opening] = []
    for name, last in ((org, until), (list_of(node), FOR_EVER)):
        listed = select(schema.openings).where(table.org == name, table.n > after, table.n <= last)
        found += [
            Opening(row.n, row.subject, None if row.seq is None else (row.log_no, row.seq))
            for row in await tx.all(listed.order_by(table.n).limit(limit))
        ]
    return sorted(found, key=lambda one: one.n)[:limit]


async def last_opening(tx: ReadTx, org: bytes, node: bytes = b"", until: int = FOR_EVER) -> int:
    """The newest number of those, 0 where there is none."""
    of_org = await tx.value(_LAST, of=org, until=until)
    return max(int(of_org or 0), int(await tx.value(_LAST, of=list_of(node), until=FOR_EVER) or 0))


async def newest_opening(tx: ReadTx) -> int:
    """The newest number of all."""
    return int(await tx.value(select(func.max(schema.openings.c.n))) or 0)


async def lists_after(tx: ReadTx, n: int) -> set[bytes]:
    """In whose lists something stands that was opened after a number."""
    table = schema.openings.c
    return {row.org for row in await tx.all(select(table.org).where(table.n > n).distinct())}


def _row(name: bytes, one: NewOpening) -> dict[str, object]:
    log_no, seq = one.place or (None, None)
    return {"org": name, "subject": one.subject, "log_no": log_no, "seq": seq}


async def _own_lists(tx: ReadTx, told: Sequence[NewOpening]) -> list[dict[str, object]]:
    """The same for nodes that follow."""
    nodes = await nodes_that_follow(tx)
    told = [one for one in told if one.org in nodes]
    if not told:
        return []
    subjects = frozenset[bytes]().union(*(one.by or () for one in told))
    followers, things = await followers_of(tx, subjects), (await read_leads(tx, subjects)).keys()
    rows: list[dict[str, object]] = []
    for one in told:
        chosen = nodes[one.org]
        if one.by is not None and one.by <= things:
            chosen = chosen & set[bytes]().union(*(followers.get(subject, ()) for subject in one.by))
        rows += [_row(list_of(node), one) for node in sorted(chosen)]
    return rows
