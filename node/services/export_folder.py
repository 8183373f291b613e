"""The folder of an export while it is being written: files that know their hash, and one appearance at the end."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from node.errors import FolderError
from node.exchange.open_files import Row
from node.exchange.streaming import csv_header, csv_rows
from node.folder import PRIVATE

SUMS = "SHA256SUMS"
UNFINISHED = ".part"


class Output:
    """The folder while it is being written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder = folder.absolute()
        if not folder.name:
            raise FolderError(f"{folder} cannot be written anew: name a new folder", "folder_not_empty")
        self._part = folder.with_name(folder.name + UNFINISHED)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise FolderError(f"{folder} is not empty: name a new folder", "folder_not_empty")
        if self._part.exists():
            text = f"{self._part} is left of an export that was cut off: remove it, or name another folder"
            raise FolderError(text, "folder_not_empty")
        self._part.mkdir(parents=True, mode=0o700)
        self._sums = OpenFile(self._part, SUMS, None)

    def open(self, name: str) -> "OpenFile":
        """A new file."""
        return OpenFile(self._part, name, self._sums)

    def has(self, name: str) -> bool:
        """Whether a file is there already, as one under the name of its own hash may be."""
        return (self._part / name).exists()

    def add(self, name: str, content: bytes) -> None:
        """A whole file; one that is there already under the name of its own hash stays."""
        if not self.has(name):
            with self.open(name) as file:
                file.write(content)

    def finish(self) -> None:
        """Let the folder appear."""
        self._sums.close()
        for path in sorted(self._part.rglob("*")):
            _sync(path)
        _sync(self._part)
        self._part.replace(self._folder)
        _sync(self._folder.parent)

    def discard(self) -> None:
        """Leave nothing half-written behind."""
        self._sums.close()
        shutil.rmtree(self._part, ignore_errors=True)


class OpenFile:
    """A file that knows its hash, and tells it to the list of checksums at its end."""

    def __init__(self, folder: Path, name: str, sums: "OpenFile | None") -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._name, self._sums, self._hash = name, sums, hashlib.sha256()
        self._file: BinaryIO = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb")

    def __enter__(self) -> "OpenFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, content: bytes) -> None:
        """Add bytes."""
        self._hash.update(content)
        self._file.write(content)

    def close(self) -> None:
        """End the file."""
        if not self._file.closed:
            self._file.close()
            if self._sums is not None:
                self._sums.write(f"{self._hash.hexdigest()}  {self._name}\n".encode())


class CsvFile:
    """A CSV file of fixed columns."""

    def __init__(self, output: Output, name: str, columns: Sequence[str]) -> None:
        self._columns = columns
        self._file = output.open(f"{name}.csv")
        self._file.write(csv_header(columns))

    def __enter__(self) -> "CsvFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, rows: Iterable[Row]) -> None:
        """Add rows."""
        self._file.write(csv_rows([[row[name] for name in self._columns] for row in rows]))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
