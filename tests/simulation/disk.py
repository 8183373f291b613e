"""What a loss of power leaves of a folder: files as they were when they were last waited for.

A file's bytes are safe once it was fsynced, its name once its folder was. The store is apart: SQLite waits by itself
for each commit (node/store/database.py), so that its last transaction alone can be torn.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

STORE = "passport.sqlite"


class Disk:
    """Follows every fsync of this process within some folders; `lose_power` takes back what was not waited for."""

    def __init__(self) -> None:
        self._contents: dict[int, bytes] = {}
        self._names: dict[str, dict[str, int]] = {}

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Notice what is waited for, as long as the block lasts."""
        really = os.fsync

        def fsync(descriptor: int) -> None:
            really(descriptor)
            self._keep(Path(f"/proc/self/fd/{descriptor}").readlink(), os.fstat(descriptor).st_ino)

        with patch.object(os, "fsync", fsync):
            yield

    def lose_power(self, folder: Path) -> None:
        """Leave of a folder what is safe."""
        names = self._names.get(str(folder), {})
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.name.startswith(STORE):
                path.unlink()
        for name, number in sorted(names.items()):
            if number in self._contents:
                path = folder / name
                path.write_bytes(self._contents[number])
                path.chmod(0o600)
        self.settle(folder)

    def settle(self, folder: Path) -> None:
        """All that lies in a folder now is safe."""
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.name.startswith(STORE):
                self._keep(path, path.stat().st_ino)
        self._keep(folder, 0)

    def _keep(self, path: Path, number: int) -> None:
        if path.is_dir():
            files = [entry for entry in os.scandir(path) if entry.is_file() and not entry.name.startswith(STORE)]
            self._names[str(path)] = {entry.name: entry.inode() for entry in files}
        elif not path.name.startswith(STORE):
            self._contents[number] = path.read_bytes()
