"""The folder of one node: its files, their rights, and the lock that keeps a second process out of the store."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from node.errors import FolderError

PRIVATE = 0o600


class NodeFolder:
    """Names of the files of a node."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.toml"
        self.storage_key = path / "storage.key"
        self.keys = path / "keys.sealed"
        self.root_key = path / "root.key"
        self.next_root_key = path / "next-root.key"
        self.certificate = path / "certificate.pem"
        self.head = path / "head"
        self.database = path / "passport.sqlite"
        self.store_password = path / "store.password"
        self.socket = path / "node.sock"
        self.lock = path / "lock"
        self.log = path / "node.log"
        self.drivers = path / "drivers"
        self.recovery_key = path / "recovery.public"
        self.workspace = path / "backup.work"
        self.incoming = path / "restore.work"
        self.restored = path / "restore.ready"
        self.arriving = path / "restore.moving"

    def create(self) -> None:
        """Make the folder; raise FolderError if a node lives there or something else does."""
        if self.config.exists() or self.keys.exists():
            raise FolderError(
                f"{self.path} holds a node already, which stays as it is: name a new or an empty folder", "node_exists"
            )
        if self.path.exists() and any(self.path.iterdir()):
            raise FolderError(f"{self.path} is not empty", "folder_not_empty")
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.chmod(0o700)

    def moved(self) -> dict[str, Path]:
        """What a backup takes besides the store, by name, and a node elsewhere starts with.

        Never `head`: it tells how far the log went here. Never the organisation's root keys: they do not belong here.
        """
        names = (self.config, self.certificate, self.keys, self.storage_key, self.recovery_key, self.store_password)
        return {path.name: path for path in names}

    def own(self) -> list[Path]:
        """Every file that makes the node what it is, and that another one has files of the same name for."""
        store = [self.database.with_name(self.database.name + ending) for ending in ("", "-wal", "-shm", "-journal")]
        return [*self.moved().values(), self.head, self.root_key, self.next_root_key, *store]

    def url(self) -> str:
        """The store's address where the settings name none."""
        return f"sqlite+aiosqlite:///{self.database}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder's lock; raise FolderError if another process does."""
        descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT, PRIVATE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise FolderError(f"another process runs the node in {self.path}", "folder_locked") from error
        try:
            yield
        finally:
            os.close(descriptor)


@contextmanager
def short_socket_path(path: Path) -> Iterator[Path]:
    """The same socket under a name that fits into the 108 bytes of a unix address, for as long as the block lasts."""
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield Path(f"/proc/self/fd/{descriptor}/{path.name}")
    finally:
        os.close(descriptor)


def write_durably(path: Path, data: bytes) -> None:
    """Replace a private file so that a crash leaves the old or the new one, and wait for the disk."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(path)
    sync_folder(path.parent)


@contextmanager
def written_privately(path: Path) -> Iterator[BinaryIO]:
    """A new file that only its owner may read, on the disk when the block ends."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until the names of a folder's files are on the disk."""
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def read_private(path: Path, what: str) -> bytes:
    """Read a private file; raise FolderError if it is missing or open to others."""
    try:
        mode = path.stat().st_mode & 0o077
        data = path.read_bytes()
    except OSError as error:
        raise FolderError(f"{what} {path} cannot be read: {error.strerror}", "file_missing") from error
    if mode:
        raise FolderError(f"{what} {path} is open to others: chmod 600 it", "file_open")
    return data
