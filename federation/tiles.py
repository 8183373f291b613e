"""A log's tree kept as tiles of 256 hashes, as C2SP tlog-tiles lays them out.

Tile (0, n) holds the leaf hashes 256 n .. 256 n + 255; tile (level, n) the roots of 256 tiles one level below. A tile
is the concatenation of its 32-byte hashes; the last of a level may be partial. Of a log that is not held whole a tile
of leaves may be missing: its root stands one level above.
"""

from collections.abc import Iterable, Mapping, Sequence

from federation.merkle import HASH_SIZE, CompactRange, root_of

HEIGHT = 8
WIDTH = 1 << HEIGHT

Place = tuple[int, int]
Tiles = Mapping[Place, bytes]


def needed_tiles(seqs: Iterable[int], size: int) -> set[Place]:
    """The tiles that inclusion paths of those leaves in a tree of `size` read; with no leaves, its right edge."""
    places: set[Place] = set()
    level = 0
    edges = [*seqs, size - 1] if size else []
    while edges and size >> (HEIGHT * level):
        places |= {(level, seq >> (HEIGHT * (level + 1))) for seq in edges}
        places |= {(level, max(0, (size >> (HEIGHT * level)) - 1) >> HEIGHT)}
        level += 1
    return places


def hash_at(tiles: Tiles, level: int, index: int) -> bytes:
    """The hash of the complete subtree of 2**level leaves at `index`, out of loaded tiles; KeyError if absent."""
    tile_level, rest = divmod(level, HEIGHT)
    start = index << rest
    tile = tiles[tile_level, start >> HEIGHT]
    offset = start & (WIDTH - 1)
    hashes = split(tile[offset * HASH_SIZE : (offset + (1 << rest)) * HASH_SIZE])
    if len(hashes) != 1 << rest:
        raise KeyError((tile_level, start >> HEIGHT))
    return root_of(hashes)


def peaks(tiles: Tiles, size: int) -> CompactRange:
    """The compact range of a tree whose right edge is loaded."""
    return CompactRange.of(size, lambda level, index: hash_at(tiles, level, index))


def cut_tiles(tiles: Tiles, size: int) -> dict[Place, bytes]:
    """The same tiles as a tree of only `size` leaves has them."""
    kept = {
        (level, n): tile[: max(0, (size >> (HEIGHT * level)) - n * WIDTH) * HASH_SIZE]
        for (level, n), tile in tiles.items()
    }
    return {place: tile for place, tile in kept.items() if tile}


def append_leaves(tiles: Tiles, size: int, leaves: Sequence[bytes], level: int = 0) -> dict[Place, bytes]:
    """The tiles that change when leaves are added to a tree of `size` whose right edge is loaded.

    At level 1 the hashes are of whole tiles of leaves that are not known, and the size is a multiple of their width.
    """
    changed: dict[Place, bytes] = {}
    hashes = list(leaves)
    while hashes:
        full: list[bytes] = []
        at = size >> (HEIGHT * level)
        for value in hashes:
            place = (level, at >> HEIGHT)
            tile = changed.get(place, tiles.get(place, b"") if at & (WIDTH - 1) else b"") + value
            changed[place] = tile
            at += 1
            if at & (WIDTH - 1) == 0:
                full.append(root_of(split(tile)))
        level, hashes = level + 1, full
    return changed


def split(tile: bytes) -> list[bytes]:
    """The hashes of a tile."""
    return [tile[i : i + HASH_SIZE] for i in range(0, len(tile), HASH_SIZE)]
