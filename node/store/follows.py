"""What nodes follow: this one at its peers, and others here."""

from collections.abc import Iterable, Set
from dataclasses import dataclass, replace

from sqlalchemy import delete, func, select

from federation.sync.following import MAX_FOLLOWED, NOTHING, moved
from node.store import schema
from node.store.database import ReadTx, WriteTx
from node.store.passports import read_leads, read_members
from node.store.upserts import insert_all, upsert


@dataclass(frozen=True, slots=True)
class StoredFilter:
    """What a node follows: so many subjects, for which `filter` stands.

    What was opened to its organisation up to number `since` is told to it all the same.
    """

    node: bytes
    org: bytes
    filter: bytes = NOTHING
    count: int = 0
    since: int = 0


async def find_filter(tx: ReadTx, node: bytes) -> StoredFilter | None:
    """What a node follows; None where it takes everything."""
    row = await tx.first(select(schema.filters).where(schema.filters.c.node == node))
    return None if row is None else StoredFilter(row.node, row.org, row.filter, row.size, row.since)


async def put_filter(tx: WriteTx, kept: StoredFilter) -> None:
    """Keep what stands for a set."""
    row = {"node": kept.node, "org": kept.org, "filter": kept.filter, "size": kept.count, "since": kept.since}
    await upsert(tx, schema.filters, [row])


async def drop_filter(tx: WriteTx, node: bytes) -> None:
    """Let a node take everything."""
    await tx.run(delete(schema.filters).where(schema.filters.c.node == node))
    await tx.run(delete(schema.follows).where(schema.follows.c.node == node))


async def change_filter(
    tx: WriteTx, known: StoredFilter, added: Iterable[bytes], removed: Iterable[bytes]
) -> tuple[StoredFilter, set[bytes]]:
    """Add subjects to what a node follows and take others out; answer what it follows now, and which are new."""
    wanted, unwanted = set(added), set(removed)
    fresh = wanted - await followed_among(tx, known.node, wanted)
    gone = await followed_among(tx, known.node, unwanted)
    table, ordered = schema.follows.c, sorted(gone)
    for at in range(0, len(ordered), 400):
        part = table.subject.in_(ordered[at : at + 400])
        await tx.run(delete(schema.follows).where(table.node == known.node, part))
    await insert_all(tx, schema.follows, [{"subject": subject, "node": known.node} for subject in sorted(fresh)])
    count = known.count + len(fresh) - len(gone)
    kept = replace(known, filter=moved(known.filter, fresh, gone), count=count)
    await put_filter(tx, kept)
    return kept, fresh


async def followed_among(tx: ReadTx, node: bytes, subjects: Iterable[bytes]) -> set[bytes]:
    """Which of these subjects a node follows."""
    return {subject for subject, nodes in (await followers_of(tx, subjects, node)).items() if node in nodes}


async def followers_of(tx: ReadTx, subjects: Iterable[bytes], node: bytes | None = None) -> dict[bytes, set[bytes]]:
    """The nodes that follow each of these subjects, of all or of one."""
    table, wanted = schema.follows.c, sorted(set(subjects))
    found: dict[bytes, set[bytes]] = {}
    for at in range(0, len(wanted), 400):
        statement = select(schema.follows).where(table.subject.in_(wanted[at : at + 400]))
        for row in await tx.all(statement if node is None else statement.where(table.node == node)):
            found.setdefault(row.subject, set()).add(row.node)
    return found


async def followed_within(tx: ReadTx, node: bytes, first: bytes, last: bytes, limit: int | None = None) -> list[bytes]:
    """The subjects that a node follows between two, which are included, in their order."""
    table = schema.follows.c
    statement = select(table.subject).where(table.node == node, table.subject.between(first, last))
    return [row.subject for row in await tx.all(statement.order_by(table.subject).limit(limit))]


async def nodes_that_follow(tx: ReadTx) -> dict[bytes, set[bytes]]:
    """The nodes that take nothing but what they follow, by their organisations."""
    found: dict[bytes, set[bytes]] = {}
    for row in await tx.all(select(schema.filters.c.org, schema.filters.c.node)):
        found.setdefault(row.org, set()).add(row.node)
    return found


async def count_followed(tx: ReadTx, org: bytes) -> int:
    """How many subjects the nodes of an organisation follow together."""
    return int(await tx.value(select(func.sum(schema.filters.c.size)).where(schema.filters.c.org == org)) or 0)


async def let_through(tx: ReadTx, node: bytes, subjects: Set[bytes]) -> set[bytes]:
    """What a node is told of, as far as its organisation may read it: what it follows, and what is no passport here,
    as the papers of an act.
    """
    if not subjects or await find_filter(tx, node) is None:
        return set(subjects)
    followed = await followed_among(tx, node, subjects)
    return followed | (subjects - (await read_leads(tx, subjects - followed)).keys())


async def shown_with(tx: ReadTx, subjects: Iterable[bytes]) -> set[bytes]:
    """These subjects and those that are one passport with them here."""
    wanted = set(subjects)
    members = await read_members(tx, set((await read_leads(tx, wanted)).values()))
    return wanted.union(*members.values())


async def follow_joined(tx: WriteTx, node: bytes, joined: Iterable[Set[bytes]]) -> bool:
    """Follow whole passports of which a node follows a part: each of `joined` is one. Whether any is new, and there is
    room for what is: peers keep no more.
    """
    groups = list(joined)
    known = await find_filter(tx, node) if groups else None
    if known is None or known.count == 0:
        return False
    followed = await followed_among(tx, node, set[bytes]().union(*groups))
    rest = set[bytes]().union(*(group - followed for group in groups if group & followed))
    if not rest or known.count + len(rest) > MAX_FOLLOWED:
        return False
    await change_filter(tx, known, rest, ())
    return True
