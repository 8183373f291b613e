"""The organisation's root keys as files: 32 bytes each, `root.key` in force and `next-root.key` promised.

They are meant to lie apart from the node and from each other. The node itself never reads them: the commands sign with
them and hand it what they signed.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from federation.keys import SigningKey
from node.errors import FolderError, KeystoreError
from node.folder import write_durably

ROOT, NEXT = "root.key", "next-root.key"
# A next key that was made and whose rotation is not stated yet.
FOLLOWING = "following-root.key"
SEED = 32


def read_root_key(place: Path, name: str = ROOT) -> SigningKey:
    """The key in a file, or in the file of that name in a folder; raise FolderError or KeystoreError."""
    path = place / name if place.is_dir() else place
    try:
        seed = path.read_bytes()
    except OSError as error:
        raise FolderError(
            f"the root key {path} cannot be read: {error.strerror}; name the folder or the medium where it lies",
            "file_missing",
        ) from error
    if len(seed) != SEED:
        raise KeystoreError(f"{path} is no root key: {len(seed)} bytes, a key has {SEED}")
    return SigningKey.from_seed(seed)


def is_open(path: Path) -> bool:
    """Whether others than its owner may read a file; media without rights are always open."""
    return bool(path.stat().st_mode & 0o077)


def write_root_key(place: Path, name: str, seed: bytes) -> Path:
    """Write a key into a folder, durably, and read it back; raise FolderError."""
    path = place / name
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durably(path, seed)
        held = path.read_bytes()
    except OSError as error:
        raise FolderError(f"{path} cannot be written: {error.strerror}; name another place") from error
    if held != seed:
        raise FolderError(f"{path} does not give back what was written: the medium is not to be trusted")
    return path


def move_root_keys(folder: Path, target: Path, names: Sequence[str]) -> list[Path]:
    """Move keys out of a node's folder: written there, read back, and only then removed here. Raise FolderError."""
    if target.resolve() == folder.resolve():
        raise FolderError(f"{target} is the node's own folder: name another place")
    moved = []
    for name in names:
        source, there = folder / name, target / name
        if not source.exists():
            continue
        seed = source.read_bytes()
        if there.exists() and there.read_bytes() != seed:
            raise FolderError(f"{there} holds another key: name an empty place")
        moved.append(write_root_key(target, name, seed))
        source.unlink()
        _sync(folder)
    if not moved:
        raise FolderError(f"no root key lies in {folder}: nothing is moved")
    return moved


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
