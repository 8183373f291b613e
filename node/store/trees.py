"""The Merkle tiles of logs."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select, tuple_

from federation import tiles
from federation.merkle import HASH_SIZE, CompactRange, inclusion_path, leaf_hash
from node.store import schema
from node.store.database import ReadTx, WriteTx
from node.store.upserts import upsert

EMPTY = leaf_hash(b"")


async def load_tiles(tx: ReadTx, log_no: int, places: Iterable[tiles.Place]) -> dict[tiles.Place, bytes]:
    """Those tiles that are stored."""
    table = schema.tiles.c
    wanted = list(places)
    found: dict[tiles.Place, bytes] = {}
    for at in range(0, len(wanted), 400):
        rows = await tx.all(
            select(table.level, table.n, table.hashes).where(
                table.log_no == log_no, tuple_(table.level, table.n).in_(wanted[at : at + 400])
            )
        )
        found |= {(row.level, row.n): row.hashes for row in rows}
    return found


async def append_leaves(tx: WriteTx, log_no: int, size: int, leaves: Sequence[bytes]) -> CompactRange:
    """Add leaf hashes to a tree of `size`; answer its compact range, read back from what was stored."""
    edge = await load_tiles(tx, log_no, tiles.needed_tiles((), size))
    changed = tiles.append_leaves(edge, size, leaves)
    rows = [{"log_no": log_no, "level": level, "n": n, "hashes": data} for (level, n), data in changed.items()]
    await upsert(tx, schema.tiles, rows)
    return await read_range(tx, log_no, size + len(leaves))


async def read_range(tx: ReadTx, log_no: int, size: int) -> CompactRange:
    """The compact range of the first `size` leaves."""
    return tiles.peaks(await load_tiles(tx, log_no, _edge(size)), size)


async def read_leaves(tx: ReadTx, log_no: int, start: int, end: int) -> list[bytes]:
    """The leaf hashes start .. end."""
    if end <= start:
        return []
    first, last = start >> tiles.HEIGHT, (end - 1) >> tiles.HEIGHT
    found = await load_tiles(tx, log_no, [(0, n) for n in range(first, last + 1)])
    hashes = [value for n in range(first, last + 1) for value in tiles.split(found.get((0, n), b""))]
    return hashes[start - first * tiles.WIDTH :][: end - start]


async def read_leaves_at(tx: ReadTx, log_no: int, seqs: Iterable[int]) -> dict[int, bytes]:
    """The leaf hashes at those places, where there are such."""
    wanted = sorted(set(seqs))
    found = await load_tiles(tx, log_no, sorted({(0, seq >> tiles.HEIGHT) for seq in wanted}))
    split = {n: tiles.split(tile) for (_, n), tile in found.items()}
    places = ((seq, split.get(seq >> tiles.HEIGHT, []), seq & (tiles.WIDTH - 1)) for seq in wanted)
    return {seq: hashes[at] for seq, hashes, at in places if at < len(hashes)}


async def count_leaves(tx: ReadTx, log_no: int) -> int:
    """Up to which place there are leaves, whatever is missing before it."""
    table = schema.tiles.c
    statement = select(table.n, table.hashes).where(table.log_no == log_no, table.level == 0)
    last = await tx.first(statement.order_by(table.n.desc()).limit(1))
    return 0 if last is None else last.n * tiles.WIDTH + len(last.hashes) // HASH_SIZE


async def read_upper_tiles(tx: ReadTx, log_no: int) -> dict[tiles.Place, bytes]:
    """Every tile above the leaves."""
    table = schema.tiles.c
    rows = await tx.all(select(table.level, table.n, table.hashes).where(table.log_no == log_no, table.level > 0))
    return {(row.level, row.n): row.hashes for row in rows}


async def read_inclusion(tx: ReadTx, log_no: int, seqs: Sequence[int], size: int) -> list[list[bytes]]:
    """The inclusion paths of those leaves in the tree of `size`."""
    found = await load_tiles(tx, log_no, tiles.needed_tiles(seqs, size) | _edge(size))
    return [inclusion_path(seq, size, lambda level, index: tiles.hash_at(found, level, index)) for seq in seqs]


def _edge(size: int) -> set[tiles.Place]:
    return tiles.needed_tiles((), size)
