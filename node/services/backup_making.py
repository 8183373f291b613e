"""Making one backup: a copy of the store, checked against its own proofs, encrypted, and read back.

The copy lies in the node's folder while that lasts, and bears the mark by which a node that starts with it opens a new
log. What is written is under a temporary name until it was read back whole.
"""

import asyncio
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from node.backup.archive import Contents, Head, check_archive, member_of, write_archive
from node.backup.locks import Lock
from node.errors import BackupError
from node.folder import NodeFolder, sync_folder, written_privately
from node.services.core import Core
from node.services.fsck import Fsck
from node.services.ledger import BACKUP_MARK
from node.services.work import Work
from node.store.snapshots import count_statements, file_database, finish_snapshot, store_size, take_snapshot

SUFFIX = ".backup"
PART = ".part"
# What stays free on a disk: a node that cannot write its log stands still.
SPARE = 64 << 20
STAGES = 5


@dataclass(frozen=True, slots=True)
class MadeBackup:
    """A file that was read back whole; `findings` are what is wrong with the store that was copied."""

    path: Path
    head: Head
    contents: Contents
    size: int
    took_ms: int
    findings: tuple[str, ...]
    key: bytes = field(repr=False)


async def make_backup(core: Core, folder: Path, lock: Lock, key: bytes, work: Work) -> MadeBackup:
    """Make a backup in a folder; raise BackupError, or OSError where the system refuses."""
    started = core.clock.monotonic()
    head = Head(core.clock.now(), core.org, core.node, lock)
    size = await store_size(core.database)
    work.total = STAGES * size
    await asyncio.to_thread(_prepare, folder)
    await asyncio.to_thread(check_space, {core.folder.path: size, folder: size})
    with workspace(core.folder) as place:
        copy = place / core.folder.database.name
        work.stage = "copy"
        await take_snapshot(core.database, core.clock, copy)
        work.count(size)
        findings, counts = await work.aside("check", lambda: asyncio.run(check_copy(core, copy, size, work)))
        finish_snapshot(copy, BACKUP_MARK, head.made_us.to_bytes(8))
        sources: dict[str, Path | bytes] = {copy.name: copy, **_small_files(core.folder)}
        contents = await work.aside("write", lambda: _list(sources, counts, work))
        path = _free_name(folder, head)
        await work.aside("write", lambda: _write(path, head, key, contents, sources, work))
    took = round((core.clock.monotonic() - started) * 1000)
    return MadeBackup(path, head, contents, path.stat().st_size, took, findings, key)


async def check_copy(core: Core, copy: Path, size: int, work: Work) -> tuple[tuple[str, ...], Mapping[bytes, int]]:
    """What `fsck` finds in a copy of the store, and how many statements of each log are in it."""
    database = file_database(copy, core.clock)
    found: list[str] = []
    seen = 0
    try:
        async for progress in Fsck(replace(core, database=database, folder=NodeFolder(copy.parent))).run():
            found += map(str, progress.findings)
            now = size * progress.done // max(1, progress.total)
            work.count(now - seen)
            seen = now
        async with database.read() as tx:
            return tuple(found), await count_statements(tx)
    finally:
        await database.close()


@contextmanager
def workspace(folder: NodeFolder) -> Iterator[Path]:
    """A private place on the disk of the node's data, empty at the beginning, and gone at the end."""
    forget_work(folder)
    folder.workspace.mkdir(mode=0o700)
    try:
        yield folder.workspace
    finally:
        forget_work(folder)


def forget_work(folder: NodeFolder) -> None:
    """Remove what a node left there that was killed."""
    shutil.rmtree(folder.workspace, ignore_errors=True)


def forget_parts(folder: Path) -> None:
    """Remove files that were being written when a node was killed."""
    for path in folder.glob(f".passport-*{SUFFIX}{PART}") if folder.is_dir() else ():
        path.unlink(missing_ok=True)


def check_space(needs: Mapping[Path, int]) -> None:
    """Raise BackupError where a disk has no room for what will be written into those folders."""
    by_device: dict[int, int] = {}
    for folder, size in needs.items():
        device = folder.stat().st_dev
        by_device[device] = by_device.get(device, 0) + size
        free = shutil.disk_usage(folder).free
        wanted = by_device[device] + SPARE
        if free < wanted:
            raise BackupError(
                f"{folder} has {free >> 20} MB free, {wanted >> 20} MB are needed: make room, or name another folder",
                "backup_space",
                folder=str(folder),
                free=free >> 20,
                needed=wanted >> 20,
            )


def _prepare(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def _small_files(folder: NodeFolder) -> dict[str, bytes]:
    """What a node is made of besides its store, as it is now: the keys after the copy, so that none is missing."""
    return {name: path.read_bytes() for name, path in folder.moved().items() if path.exists()}


def _list(sources: Mapping[str, Path | bytes], counts: Mapping[bytes, int], work: Work) -> Contents:
    members = tuple(member_of(name, source, work.count) for name, source in sources.items())
    return Contents(f"passport-node {version('passport-node')}", members, counts)


def _write(
    path: Path, head: Head, key: bytes, contents: Contents, sources: Mapping[str, Path | bytes], work: Work
) -> None:
    part = path.with_name(f".{path.name}{PART}")
    part.unlink(missing_ok=True)
    try:
        with written_privately(part) as file:
            write_archive(file, head, key, contents, sources, work.count)
        work.stage = "read"
        if check_archive(part, key, work.count) != (head, contents):
            raise BackupError("what was read back is not what was written: see to the disk", "backup_damaged")
        part.replace(path)
        sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _free_name(folder: Path, head: Head) -> Path:
    made = datetime.fromtimestamp(head.made_us // 1_000_000, UTC)
    start, n = f"passport-{head.node.hex()[:8]}-{made:%Y%m%dT%H%M%SZ}", 1
    path = folder / f"{start}{SUFFIX}"
    while path.exists():
        n += 1
        path = folder / f"{start}-{n}{SUFFIX}"
    return path
