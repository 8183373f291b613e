"""The Merkle tiles of logs."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial

from sqlalchemy import bindparam, select, tuple_

from federation import tiles
from federation.merkle import HASH_SIZE, CompactRange, consistency_path, inclusion_path, leaf_hash, root_of
from federation.sync.messages import Tile
from federation.sync.mirror import Hash
from node.store import schema
from node.store.database import ReadTx, WriteTx
from node.store.upserts import upsert

EMPTY = leaf_hash(b"")
MOST_PLACES = 400

_TILES = select(schema.tiles.c.level, schema.tiles.c.n, schema.tiles.c.hashes).where(
    schema.tiles.c.log_no == bindparam("of"),
    tuple_(schema.tiles.c.level, schema.tiles.c.n).in_(bindparam("places", expanding=True)),
)


async def load_tiles(tx: ReadTx, log_no: int, places: Iterable[tiles.Place]) -> dict[tiles.Place, bytes]:
    """Those tiles that are stored."""
    wanted = list(places)
    found: dict[tiles.Place, bytes] = {}
    for at in range(0, len(wanted), MOST_PLACES):
        rows = await tx.all(_TILES, of=log_no, places=wanted[at : at + MOST_PLACES])
        found |= {(row.level, row.n): row.hashes for row in rows}
    return found


async def append_leaves(tx: WriteTx, log_no: int, size: int, leaves: Sequence[bytes]) -> CompactRange:
    """Add leaf hashes to a tree of `size`; answer its compact range, read back from what was stored."""
    await _append(tx, log_no, size, leaves, 0)
    return await read_range(tx, log_no, size + len(leaves))


async def append_hashes(tx: WriteTx, log_no: int, size: int, hashes: Sequence[Hash]) -> CompactRange:
    """Add leaf hashes and whole tiles of which the leaves are not known; answer the compact range as stored."""
    for is_tile, items in itertools.groupby(hashes, lambda item: isinstance(item, Tile)):
        run = [item.hash if isinstance(item, Tile) else item for item in items]
        await _append(tx, log_no, size, run, int(is_tile))
        size += len(run) * (tiles.WIDTH if is_tile else 1)
    return await read_range(tx, log_no, size)


async def _append(tx: WriteTx, log_no: int, size: int, hashes: Sequence[bytes], level: int) -> None:
    edge = await load_tiles(tx, log_no, tiles.needed_tiles((), size))
    await _store(tx, log_no, tiles.append_leaves(edge, size, hashes, level))


async def _store(tx: WriteTx, log_no: int, changed: Mapping[tiles.Place, bytes]) -> None:
    rows = [{"log_no": log_no, "level": level, "n": n, "hashes": data} for (level, n), data in changed.items()]
    await upsert(tx, schema.tiles, rows)


async def fill_tile(tx: WriteTx, log_no: int, n: int, leaves: Sequence[bytes]) -> bool:
    """Take the leaves of a tile of which only the root is known; whether they are of that root."""
    if await find_tile_root(tx, log_no, n) != root_of(leaves):
        return False
    await _store(tx, log_no, {(0, n): b"".join(leaves)})
    return True


async def find_tile_root(tx: ReadTx, log_no: int, n: int) -> bytes | None:
    """The root of a whole tile of leaves."""
    tile = (await load_tiles(tx, log_no, [(1, n >> tiles.HEIGHT)])).get((1, n >> tiles.HEIGHT), b"")
    hashes = tiles.split(tile)[n & (tiles.WIDTH - 1) :]
    return hashes[0] if hashes else None


async def read_tile_roots(tx: ReadTx, log_no: int, start: int, end: int) -> dict[int, bytes]:
    """The roots of the whole tiles of leaves among start .. end, by their number."""
    numbers = range(-(-start // tiles.WIDTH), end // tiles.WIDTH)
    found = await load_tiles(tx, log_no, [(1, n) for n in sorted({n >> tiles.HEIGHT for n in numbers})])
    above = {n: tiles.split(tile) for (_, n), tile in found.items()}
    placed = ((n, above.get(n >> tiles.HEIGHT, []), n & (tiles.WIDTH - 1)) for n in numbers)
    return {n: roots[at] for n, roots, at in placed if at < len(roots)}


async def missing_tiles(tx: ReadTx, log_no: int, size: int, seqs: Iterable[int]) -> list[int]:
    """The tiles that hold these leaves of a tree of `size` and of which only the root is known."""
    wanted = sorted({seq >> tiles.HEIGHT for seq in seqs if seq < size})
    found = await load_tiles(tx, log_no, [(0, n) for n in wanted])
    return [n for n in wanted if (0, n) not in found]


async def read_range(tx: ReadTx, log_no: int, size: int) -> CompactRange:
    """The compact range of the first `size` leaves; raise KeyError where they end within a tile that is not known."""
    return tiles.peaks(await load_tiles(tx, log_no, _edge(size)), size)


async def find_root(tx: ReadTx, log_no: int, size: int) -> bytes | None:
    """The root of the first `size` leaves, where they are known far enough."""
    try:
        return (await read_range(tx, log_no, size)).root()
    except KeyError:
        return None


async def read_hashes(tx: ReadTx, log_no: int, start: int, end: int) -> list[Hash]:
    """What is known of the leaves start .. end: hashes, and whole tiles that are not known.

    It begins and ends where a tile that is not known does: later, or not at all, where that is not within the leaves.
    """
    if end <= start:
        return []
    numbers = range(start >> tiles.HEIGHT, ((end - 1) >> tiles.HEIGHT) + 1)
    above = sorted({n >> tiles.HEIGHT for n in numbers})
    found = await load_tiles(tx, log_no, [*((0, n) for n in numbers), *((1, n) for n in above)])
    hashes: list[Hash] = []
    for n in numbers:
        first, last = max(start, n << tiles.HEIGHT), min(end, (n + 1) << tiles.HEIGHT)
        if (0, n) in found:
            leaves = tiles.split(found[0, n])
            hashes += leaves[first & (tiles.WIDTH - 1) :][: last - first]
        elif last - first == tiles.WIDTH:
            root = tiles.split(found.get((1, n >> tiles.HEIGHT), b""))[n & (tiles.WIDTH - 1) :]
            hashes += [Tile(root[0])] if root else []
        elif hashes:
            break
        else:
            return []
    return hashes


async def read_consistency(tx: ReadTx, log_no: int, old: int, new: int) -> list[bytes]:
    """The consistency path from the tree of `old` leaves to that of `new`; raise KeyError where too little is known."""
    needed: set[tiles.Place] = set()

    def note(level: int, index: int) -> bytes:
        above, rest = divmod(level, tiles.HEIGHT)
        needed.add((above, (index << rest) >> tiles.HEIGHT))
        return bytes(HASH_SIZE)

    consistency_path(old, new, note)
    found = await load_tiles(tx, log_no, needed)
    return consistency_path(old, new, lambda level, index: tiles.hash_at(found, level, index))


async def read_leaves(tx: ReadTx, log_no: int, start: int, end: int) -> list[bytes]:
    """The leaf hashes start .. end; they end before a tile that is not known."""
    leaves: list[bytes] = []
    for item in await read_hashes(tx, log_no, start, end):
        if isinstance(item, Tile):
            break
        leaves.append(item)
    return leaves


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
    leaves = 0 if last is None else last.n * tiles.WIDTH + len(last.hashes) // HASH_SIZE
    above = await tx.first(
        select(table.n, table.hashes).where(table.log_no == log_no, table.level == 1).order_by(table.n.desc()).limit(1)
    )
    whole = 0 if above is None else (above.n * tiles.WIDTH + len(above.hashes) // HASH_SIZE) * tiles.WIDTH
    return max(leaves, whole)


async def read_upper_tiles(tx: ReadTx, log_no: int) -> dict[tiles.Place, bytes]:
    """Every tile above the leaves."""
    table = schema.tiles.c
    rows = await tx.all(select(table.level, table.n, table.hashes).where(table.log_no == log_no, table.level > 0))
    return {(row.level, row.n): row.hashes for row in rows}


async def read_inclusion(tx: ReadTx, log_no: int, seqs: Sequence[int], size: int) -> list[list[bytes]]:
    """The inclusion paths of those leaves in the tree of `size`."""
    found = await load_tiles(tx, log_no, tiles.needed_tiles(seqs, size) | _edge(size))
    at = cache(partial(tiles.hash_at, found))  # neighbours share most of their paths
    return [inclusion_path(seq, size, at) for seq in seqs]


def _edge(size: int) -> set[tiles.Place]:
    return tiles.needed_tiles((), size)
