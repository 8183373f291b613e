"""PyPI aics-tlog and aics-witness as a reader and a witness of our logs; runs in its own environment."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from aics_tlog import (  # type: ignore[import-not-found]  # installed in the peer's environment only
    MemoryTileReader,
    VKey,
    parse_note,
    verify_checkpoint,
    verify_consistency,
    verify_leaf_inclusion,
    vkey_from_ed25519,
)
from aics_tlog.verified import audit_tiles  # type: ignore[import-not-found]  # as above
from aics_witness.config import LogConfig  # type: ignore[import-not-found]  # as above
from aics_witness.protocol import format_add_checkpoint_request  # type: ignore[import-not-found]  # as above
from aics_witness.service import Witness  # type: ignore[import-not-found]  # as above
from aics_witness.store import WitnessStore  # type: ignore[import-not-found]  # as above
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

sys.path.insert(0, str(Path(__file__).parent))
from lines import serve  # type: ignore[import-not-found]  # lies beside this script, and in no package there

STATE: dict[str, Any] = {}  # Any: the peer's own types, which are not installed where types are checked


def checkpoint(note: str, origin: str, key: str) -> dict[str, Any]:
    """Read a note that this key signed under this origin."""
    read = verify_checkpoint(parse_note(note), _log_key(origin, key), expected_origin=origin)
    _require(read.ok, read.error)
    return {"origin": read.origin, "size": read.size, "root": read.root.hex()}


def inclusion(entry: str, seq: int, size: int, path: list[str], root: str) -> dict[str, Any]:
    """Check that the bytes of an entry are at a place of a tree."""
    _require(verify_leaf_inclusion(bytes.fromhex(entry), seq, size, _hashes(path), bytes.fromhex(root)), "not included")
    return {}


def consistency(old: int, new: int, old_root: str, new_root: str, path: list[str]) -> dict[str, Any]:
    """Check that a tree is a prefix of another."""
    good = verify_consistency(old, new, bytes.fromhex(old_root), bytes.fromhex(new_root), _hashes(path))
    _require(good, "not consistent")
    return {}


def tiles(resources: dict[str, str], size: int, root: str) -> dict[str, Any]:
    """Check every hash of every tile of a tree."""
    reader = MemoryTileReader({path: bytes.fromhex(data) for path, data in resources.items()})
    return {"tiles": audit_tiles(reader, size, bytes.fromhex(root), entries=False).tiles}


def witness(origin: str, key: str) -> dict[str, Any]:
    """Be a witness of one log that nothing was heard of yet."""
    STATE["folder"] = tempfile.TemporaryDirectory()
    store = WitnessStore(Path(STATE["folder"].name) / "witness.sqlite", create=True)
    log = LogConfig(origin, (_log_key(origin, key),))
    STATE["witness"] = Witness("witness.test", Ed25519PrivateKey.generate(), store, [log])
    return {"name": STATE["witness"].name}


def cosign(old: int, path: list[str], note: str) -> dict[str, Any]:
    """The line with which the witness cosigns a log that grew from the size that it knows."""
    body = format_add_checkpoint_request(old, _hashes(path), note.encode())
    return {"line": STATE["witness"].add_checkpoint(body).decode()}


def cosigned(note: str, origin: str, key: str) -> dict[str, Any]:
    """Check a note with the cosignature of this witness under it."""
    read = verify_checkpoint(parse_note(note), _log_key(origin, key), [STATE["witness"].vkey], 1)
    _require(read.ok, read.error)
    return {"witnesses": read.witnesses}


def _log_key(origin: str, key: str) -> VKey:
    return vkey_from_ed25519(origin, bytes.fromhex(key))


def _hashes(path: list[str]) -> list[bytes]:
    return [bytes.fromhex(part) for part in path]


def _require(good: bool, why: str) -> None:
    if not good:
        raise ValueError(why)


if __name__ == "__main__":
    serve({verb.__name__: verb for verb in (checkpoint, inclusion, consistency, tiles, witness, cosign, cosigned)})
