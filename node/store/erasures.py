"""Erasures: the rows of those that count, which sections are gone here, and to whom personal sections were given.

Rows stand by the place that they name, so that an entry that comes later is stored without what was erased before.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, tuple_, update

from federation.fragment import Header, Ref
from node.passport.erasures import Target, Word, erased_of
from node.passport.statement import Erased
from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
from node.store.genesis import find_genesis
from node.store.upserts import insert_new, upsert

PART = 400

Place = tuple[bytes, int]  # log and seq


@dataclass(frozen=True, slots=True, order=True)
class Gone:
    """A section that was erased here: when, and whether its bytes had been here, or came later and were dropped."""

    target: Ref
    section: str
    at_us: int
    was_here: bool
    acked: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """A personal section that was given to a node, and when first."""

    log: bytes
    seq: int
    section: str
    org: bytes
    node: bytes
    at_us: int


async def put_words(tx: WriteTx, words: Iterable[Word]) -> None:
    """Keep the rows of erasures that count."""
    await upsert(tx, schema.erasures, [_word_row(word) for word in words])


async def forget_words(tx: WriteTx) -> None:
    """Forget every row, to be read anew from what counts."""
    await tx.run(delete(schema.erasures))


async def words_about(tx: ReadTx, places: Iterable[Place]) -> dict[Place, list[Word]]:
    """The rows that name these places (log, seq), whatever entry they mean there."""
    wanted, table = sorted(set(places)), schema.erasures.c
    found: dict[Place, list[Word]] = {}
    for at in range(0, len(wanted), PART):
        named = tuple_(table.log, table.seq).in_(wanted[at : at + PART])
        for row in await tx.all(select(schema.erasures).where(named)):
            found.setdefault((row.log, row.seq), []).append(_word(row))
    return found


async def words_said_at(tx: ReadTx, log: bytes, seq: int) -> list[Word]:
    """The rows of one erasure."""
    table = schema.erasures.c
    rows = await tx.all(select(schema.erasures).where(table.by_log == log, table.by_seq == seq))
    return sorted((_word(row) for row in rows), key=lambda word: (word.target, word.section))


async def list_words(
    tx: ReadTx, limit: int, before: tuple[int, bytes, int] | None = None, orgs: Collection[bytes] | None = None
) -> list[Word]:
    """The rows of the newest erasures, said before a (stamp, log, seq): so many erasures; of some organisations."""
    table = schema.erasures.c
    order = (table.stamp_us, table.by_log, table.by_seq)
    said = select(*order).group_by(*order)
    if before is not None:
        said = said.where(tuple_(*order) < before)
    if orgs is not None:
        said = said.where(table.org.in_(sorted(orgs)))
    rows = await tx.all(said.order_by(*(column.desc() for column in order)).limit(limit))
    return [word for row in rows for word in await words_said_at(tx, row.by_log, row.by_seq)]


async def all_words(tx: ReadTx) -> list[Word]:
    """Every row."""
    return [_word(row) for row in await tx.all(select(schema.erasures))]


async def erased_at(
    tx: ReadTx, entries: Mapping[Ref, Header], authors: Mapping[bytes, bytes]
) -> dict[Ref, dict[str, Erased]]:
    """What is erased of entries that are here, by the names of their sections; `authors` are those of logs."""
    words = await words_about(tx, ((ref.log, ref.seq) for ref in entries))
    if not words:
        return {}
    genesis = await find_genesis(tx)
    found: dict[Ref, dict[str, Erased]] = {}
    for ref, header in entries.items():
        target = Target.of(ref, authors[ref.log], header)
        if gone := erased_of(words.get((ref.log, ref.seq), ()), target, genesis):
            found[ref] = gone
    return found


async def note_gone(tx: WriteTx, gone: Iterable[Gone]) -> None:
    """Keep that sections are gone. What was here once stays so, and an acknowledgement stays said."""
    rows = list(gone)
    before = {(one.target, one.section): one for one in await gone_at(tx, (one.target for one in rows))}
    kept = [one for one in rows if _is_news(before.get((one.target, one.section)), one)]
    await upsert(tx, schema.erased, [_gone_row(one) for one in kept])


async def gone_at(tx: ReadTx, refs: Iterable[Ref]) -> list[Gone]:
    """What is gone of entries."""
    wanted, table = sorted({(ref.log, ref.seq) for ref in refs}), schema.erased.c
    found: list[Gone] = []
    for at in range(0, len(wanted), PART):
        named = tuple_(table.log, table.seq).in_(wanted[at : at + PART])
        found += [_gone(row) for row in await tx.all(select(schema.erased).where(named))]
    return sorted(found)


async def all_gone(tx: ReadTx) -> list[Gone]:
    """Everything that is gone."""
    return sorted(_gone(row) for row in await tx.all(select(schema.erased)))


async def unacknowledged(tx: ReadTx, limit: int) -> list[Gone]:
    """What was here, is gone, and nobody was told so yet."""
    table = schema.erased.c
    asked = select(schema.erased).where(table.was_here == 1, table.acked == 0)
    rows = await tx.all(asked.order_by(table.at_us, table.log, table.seq, table.section).limit(limit))
    return [_gone(row) for row in rows]


async def note_acknowledged(tx: WriteTx, gone: Iterable[Gone]) -> None:
    """It is told, or need not be."""
    table = schema.erased
    for one in gone:
        key = (table.c.log == one.target.log, table.c.seq == one.target.seq, table.c.section == one.section)
        await tx.run(update(table).where(*key).values(acked=1))


async def note_given(tx: WriteTx, given: Sequence[Given]) -> None:
    """Keep to whom personal sections were given; the first time counts."""
    await insert_new(tx, schema.given, [_given_row(one) for one in given])


async def given_of(tx: ReadTx, places: Collection[Place]) -> list[Given]:
    """To whom the personal sections of entries were given from here."""
    wanted, table = sorted(set(places)), schema.given.c
    found: list[Given] = []
    for at in range(0, len(wanted), PART):
        named = tuple_(table.log, table.seq).in_(wanted[at : at + PART])
        rows = await tx.all(select(schema.given).where(named).order_by(table.at_us, table.node))
        found += [Given(row.log, row.seq, row.section, row.org, row.node, row.at_us) for row in rows]
    return found


def _is_news(before: Gone | None, one: Gone) -> bool:
    return before is None or (one.was_here and not before.was_here)


def _word_row(word: Word) -> dict[str, object]:
    return {
        "log": word.target.log,
        "seq": word.target.seq,
        "section": word.section,
        "by_log": word.said.log,
        "by_seq": word.said.seq,
        "id16": word.target.id16,
        "by_id16": word.said.id16,
        "org": word.org,
        "stamp_us": word.stamp,
        "ground": word.ground,
    }


def _word(row: Record) -> Word:
    said = Ref(row.by_log, row.by_seq, row.by_id16)
    return Word(Ref(row.log, row.seq, row.id16), row.section, said, row.org, row.stamp_us, row.ground)


def _gone_row(one: Gone) -> dict[str, object]:
    return {
        "log": one.target.log,
        "seq": one.target.seq,
        "section": one.section,
        "id16": one.target.id16,
        "at_us": one.at_us,
        "was_here": int(one.was_here),
        "acked": int(one.acked),
    }


def _gone(row: Record) -> Gone:
    return Gone(Ref(row.log, row.seq, row.id16), row.section, row.at_us, bool(row.was_here), bool(row.acked))


def _given_row(one: Given) -> dict[str, object]:
    return {
        "log": one.log,
        "seq": one.seq,
        "section": one.section,
        "node": one.node,
        "org": one.org,
        "at_us": one.at_us,
    }
