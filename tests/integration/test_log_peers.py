"""Our logs before what nobody here wrote: aics-tlog reads them, and aics-witness cosigns them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.checkpoint import Checkpoint, origin, sign_checkpoint, verify_checkpoint
from federation.merkle import consistency_path, inclusion_path, leaf_hash, root_of
from federation.tiles import WIDTH, append_leaves, hash_at, split
from node.store.fragments import entries_between
from node.store.logs import find_checkpoint, get_log
from node.store.trees import read_inclusion, read_leaves
from tests import peers
from tests.builders import id16, seed, signing_key, tree
from tests.peers import Peer, PeerError
from tests.unit.node_protocols.builders import new_desk
from tests.vectors.protocol.case import flip

pytestmark = [pytest.mark.slow, pytest.mark.peers]

LOG, KEY = id16("log"), signing_key("node")
NAME, PUBLIC = origin(LOG), KEY.public[1:].hex()
SIZES = (1, 2, 3, 7, 8, 255, 256, 257, 600)
ENTRIES = [f"entry {number}".encode() for number in range(max(SIZES))]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


@pytest.fixture
def reader() -> Iterator[Peer]:
    """The peer, which knows nothing of any log yet."""
    peers.require("aics")
    peer = peers.start("aics", "aics_peer.py")
    try:
        yield peer
    finally:
        peer.close()


def hexes(hashes: list[bytes]) -> list[str]:
    """Hashes as the peer takes them."""
    return [part.hex() for part in hashes]


def altered(hashes: list[bytes], at: int) -> list[str]:
    """The hashes with one of them altered."""
    return hexes([flip(part) if number == at else part for number, part in enumerate(hashes)])


def note_of(size: int, leaves: list[bytes] = LEAVES) -> str:
    """The checkpoint of the log at a size."""
    return sign_checkpoint(KEY, Checkpoint(LOG, size, root_of(leaves[:size]))).decode()


def path_between(old: int, new: int, leaves: list[bytes] = LEAVES) -> list[bytes]:
    """Our proof that the log only grew."""
    return consistency_path(old, new, tree(leaves[:new]))


def test_peer_reads_our_checkpoint(reader: Peer) -> None:
    """A note is a C2SP checkpoint to the peer, with our origin, size and root."""
    for size in SIZES:
        read = reader.ask("checkpoint", note=note_of(size), origin=NAME, key=PUBLIC)

        assert read == {"origin": NAME, "size": size, "root": root_of(LEAVES[:size]).hex()}


def test_peer_refuses_a_checkpoint_that_is_not_ours(reader: Peer) -> None:
    """Another size under the signature, another key and another log are refused."""
    forged = note_of(7).replace("\n7\n", "\n8\n")
    stranger = signing_key("stranger").public[1:].hex()

    for note, name, key, why in (
        (forged, NAME, PUBLIC, "failed verification"),
        (note_of(7), NAME, stranger, "no signature from log key"),
        (note_of(7), origin(id16("other")), PUBLIC, "origin mismatch"),
    ):
        with pytest.raises(PeerError, match=why):
            reader.ask("checkpoint", note=note, origin=name, key=key)


def test_peer_takes_our_inclusion_paths(reader: Peer) -> None:
    """Every path stands; none does with a hash altered, left out or added, at another place or for another entry."""
    for size in SIZES:
        root, seq = root_of(LEAVES[:size]).hex(), size * 2 // 3
        path = inclusion_path(seq, size, tree(LEAVES[:size]))
        asked = {"entry": ENTRIES[seq].hex(), "seq": seq, "size": size, "root": root}

        reader.ask("inclusion", path=hexes(path), **asked)

        broken: list[dict[str, object]] = [
            *({**asked, "path": altered(path, at)} for at in range(len(path))),
            {**asked, "path": hexes([*path, seed("more")])},
            {**asked, "path": hexes(path), "seq": seq + 1},
            {**asked, "path": hexes(path), "entry": b"another".hex()},
        ]
        if path:
            broken.append({**asked, "path": hexes(path[:-1])})
        for arguments in broken:
            with pytest.raises(PeerError, match="not included"):
                reader.ask("inclusion", **arguments)


def test_peer_takes_our_consistency_paths(reader: Peer) -> None:
    """Every path stands; none does with a hash altered or left out, or from the tree of a rewritten log."""
    rewritten = [seed("rewritten"), *LEAVES[1:]]
    for old, new in [(old, new) for old in SIZES for new in SIZES if old < new]:
        path, new_root = path_between(old, new), root_of(LEAVES[:new]).hex()
        asked = {"old": old, "new": new, "new_root": new_root}

        reader.ask("consistency", old_root=root_of(LEAVES[:old]).hex(), path=hexes(path), **asked)

        old_root = root_of(LEAVES[:old]).hex()
        broken = [(old_root, altered(path, at)) for at in range(len(path))]
        broken += [(old_root, hexes(path[:-1])), (root_of(rewritten[:old]).hex(), hexes(path))]
        for root, hashes in broken:
            with pytest.raises(PeerError, match="not consistent"):
                reader.ask("consistency", old_root=root, path=hashes, **asked)


def test_peer_takes_our_tiles(reader: Peer) -> None:
    """Tiles are laid out as C2SP says, over three levels; one altered hash anywhere is found."""
    leaves = [leaf_hash(number.to_bytes(4, "big")) for number in range(WIDTH * WIDTH + WIDTH + 3)]
    tiles = append_leaves({}, 0, leaves)
    root = root_of(leaves).hex()
    resources = {_tile_path(level, n, len(split(tile))): tile.hex() for (level, n), tile in tiles.items()}

    assert reader.ask("tiles", resources=resources, size=len(leaves), root=root) == {"tiles": len(tiles)}
    assert hash_at(tiles, 16, 0) == root_of(leaves[: WIDTH * WIDTH])
    for path in ("tile/0/000", "tile/0/257.p/3", "tile/1/001.p/1", "tile/2/000.p/1"):
        broken = {**resources, path: flip(bytes.fromhex(resources[path])).hex()}
        with pytest.raises(PeerError, match="TileVerificationError"):
            reader.ask("tiles", resources=broken, size=len(leaves), root=root)


async def test_peer_checks_the_log_of_a_node(reader: Peer, tmp_path: Path) -> None:
    """What a node published stands before the peer: both notes, the way between them, and every entry's place."""
    async with new_desk(tmp_path / "node") as desk:
        await desk.ledger.publish()
        first = desk.ledger.log.log
        async with desk.core.database.read() as tx:
            old = (await get_log(tx, first)).note_size
        await desk.device("00000001")
        await desk.ledger.publish()
        async with desk.core.database.read() as tx:
            log = await get_log(tx, first)
            entries = await entries_between(tx, log.no, 0, log.size)
            paths = await read_inclusion(tx, log.no, sorted(entries), log.note_size)
            before = await find_checkpoint(tx, log.no, old)
            leaves = await read_leaves(tx, log.no, 0, log.note_size)
        key = desk.core.keystore.sign.public[1:].hex()
    assert log.note is not None
    assert before is not None

    was = reader.ask("checkpoint", note=before.note.decode(), origin=origin(log.log), key=key)
    now = reader.ask("checkpoint", note=log.note.decode(), origin=origin(log.log), key=key)
    sizes = {"old": was["size"], "new": now["size"], "old_root": was["root"], "new_root": now["root"]}
    reader.ask("consistency", path=hexes(path_between(old, log.note_size, leaves)), **sizes)
    for seq, path in zip(sorted(entries), paths, strict=True):
        fragment = entries[seq].to_fragment()
        place = {"seq": seq, "size": now["size"], "path": hexes(path), "root": now["root"]}
        reader.ask("inclusion", entry=(fragment.id + fragment.signature).hex(), **place)
        with pytest.raises(PeerError, match="not included"):
            reader.ask("inclusion", entry=(fragment.id + flip(fragment.signature)).hex(), **place)

    assert (now["size"], len(entries)) == (log.size, log.size)
    assert was["size"] < now["size"]


def test_witness_cosigns_a_log_that_grows(reader: Peer) -> None:
    """With its line under it the note holds for the peer and for us, who read our own signature only."""
    reader.ask("witness", origin=NAME, key=PUBLIC)
    known = 0
    for size in SIZES:
        path = path_between(known, size) if known else []
        note = note_of(size) + reader.ask("cosign", old=known, path=hexes(path), note=note_of(size))["line"]
        known = size

        assert reader.ask("cosigned", note=note, origin=NAME, key=PUBLIC) == {"witnesses": ["witness.test"]}
        assert verify_checkpoint(note.encode(), LOG, KEY.public).size == size


def test_witness_refuses_a_fork(reader: Peer) -> None:
    """What we signed over a rewritten log is not cosigned, with a proof that is broken or that leads elsewhere."""
    rewritten = [seed("rewritten"), *LEAVES[1:]]
    reader.ask("witness", origin=NAME, key=PUBLIC)
    reader.ask("cosign", old=0, path=[], note=note_of(7))

    refused = [(note_of(8, rewritten), hexes(path_between(7, 8, rewritten)))]
    refused += [(note_of(8), altered(path_between(7, 8), 0)), (note_of(7, rewritten), [])]
    for note, path in refused:
        with pytest.raises(PeerError, match="WitnessError"):
            reader.ask("cosign", old=7, path=path, note=note)

    reader.ask("cosign", old=7, path=hexes(path_between(7, 8)), note=note_of(8))


def _tile_path(level: int, number: int, width: int) -> str:
    return f"tile/{level}/{number:03d}" + ("" if width == WIDTH else f".p/{width}")
