"""Rows of long passports on each engine: blocks that are counted in place are those of all rows counted anew."""

from itertools import count
from random import Random

import pytest
from sqlalchemy import select

from federation.fragment import Ref
from node.passport.kept import Row, Tally
from node.passport.view import END, STATEMENTS, seal_of
from node.store import schema
from node.store.database import Database, ReadTx, WriteTx
from node.store.timelines import add_rows, moving_rows, replace_rows

LEAD, LOG = b"d" * 16, b"l" * 16
NUMBERS = {LOG: 1}


def row(random: Random, place: int, seq: int, *, is_plain: bool) -> Row:
    """A row of a statement; every third one ends its block."""
    ends = random.randrange(3) == 0
    salts = (Row(place.to_bytes(8), Ref(LOG, seq, bytes(16)), {"salt": n, "seq": seq}, is_plain) for n in count())
    return next(found for found in salts if (found.hash < END) is ends)


async def hashes(tx: ReadTx) -> list[bytes]:
    table = schema.moments.c
    return [found.hash for found in await tx.all(select(table.hash).order_by(table.place))]


async def put(tx: WriteTx, rows: list[Row], tally: Tally) -> Tally:
    return (await add_rows(tx, LEAD, {STATEMENTS: rows}, {STATEMENTS: tally}, NUMBERS))[STATEMENTS]


@pytest.mark.parametrize("seed", range(8))
async def test_blocks_counted_in_place_are_those_of_all_rows(database: Database, seed: int) -> None:
    """Rows added at the end or late, replaced and taken away leave the seal and the last place of all that stand."""
    random, tally, seqs = Random(seed), Tally(), count()
    standing: dict[int, Row] = {}
    async with database.write() as tx:
        for _ in range(25):
            free = [place for place in range(1, 400) if place not in standing]
            if random.randrange(3):
                after = max(standing, default=0) if random.randrange(2) else 0
                places = [p for p in random.sample(free, 5) if p > after][: random.randint(1, 5)]
                new = [row(random, place, next(seqs), is_plain=random.randrange(2) == 0) for place in places]
                standing |= dict(zip(places, new, strict=True))
                tally = await put(tx, new, tally)
            else:
                moving = {place: found for place, found in standing.items() if not found.plain}
                kept = {place: found for place, found in moving.items() if random.randrange(3)}
                other = {
                    place: row(random, place, found.ref.seq, is_plain=False)
                    for place, found in standing.items()
                    if random.randrange(6) == 0 and (place in kept or place not in moving)
                }
                found = {p: one for p, one in standing.items() if p not in moving} | kept | other
                again = [one for place, one in found.items() if not one.plain]
                found_of = {STATEMENTS: again}
                stood = await moving_rows(tx, LEAD)
                tallies = await replace_rows(tx, LEAD, found_of, {STATEMENTS: tally}, NUMBERS, stood)
                standing, tally = found, tallies[STATEMENTS]
            expected = [standing[place].hash for place in sorted(standing)]
            assert await hashes(tx) == expected
            assert tally.seal == seal_of(expected)
            assert tally.last == (max(standing, default=0).to_bytes(8) if standing else b"")


async def test_late_row_reads_its_own_block_alone(database: Database) -> None:
    """A row before all others of a list of thousands is counted without reading the others."""
    random = Random(1)
    rows = [row(random, place, place, is_plain=True) for place in range(1, 2001)]
    async with database.write() as tx:
        tally = await put(tx, rows, Tally())
        read: list[int] = []
        ask = tx.all

        async def counting(statement, **values):  # type: ignore[no-untyped-def]  # stands before the method
            found = await ask(statement, **values)
            read.append(len(found))
            return found

        tx.all = counting  # type: ignore[method-assign]  # what is read is counted
        late = row(random, 0, 0, is_plain=True)
        after = await put(tx, [late], tally)

    assert after.seal == seal_of([late.hash, *(found.hash for found in rows)])
    assert sum(read) < 100
