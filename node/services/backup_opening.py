"""Opening a backup: its files on a disk again, and whether the store among them holds by its own proofs."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from node.backup.archive import Archive, Contents, Head, check_names
from node.backup.locks import Opener
from node.config import load_settings
from node.errors import BackupError
from node.folder import NodeFolder, written_privately
from node.keystore import read_keystore
from node.ports import Clock, Random
from node.services.backup_making import check_copy, check_space
from node.services.bus import EventBus
from node.services.core import Core
from node.services.work import Work
from node.store.migrate import upgrade
from node.store.snapshots import file_database

MAX_SMALL = 1 << 22


@dataclass(frozen=True, slots=True)
class OpenedBackup:
    """The files of a backup in a folder; those of `small` were kept in memory and written nowhere."""

    head: Head
    contents: Contents
    folder: NodeFolder
    small: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class CheckedBackup:
    """What was found in a backup; `counts` are the statements of each log, counted in the store itself."""

    head: Head
    contents: Contents
    counts: Mapping[bytes, int]
    findings: tuple[str, ...]

    @property
    def statements(self) -> int:
        """Of all logs."""
        return sum(self.counts.values())


async def check_backup(
    path: Path, opener: Opener | bytes, place: Path, clock: Clock, random: Random, work: Work
) -> CheckedBackup:
    """Open a backup in an empty private folder and check all of it; raise BackupError where it is not whole.

    Its keys stay in memory; the store is removed again.
    """
    folder = NodeFolder(place)
    kept = folder.moved().keys() - {folder.config.name}
    opened = await work.aside("read", lambda: open_files(path, opener, place, kept, work))
    try:
        findings, counts = await check_files(opened, clock, random, work)
    finally:
        folder.database.unlink(missing_ok=True)
    return CheckedBackup(opened.head, opened.contents, counts, findings)


async def check_files(
    opened: OpenedBackup, clock: Clock, random: Random, work: Work
) -> tuple[tuple[str, ...], Mapping[bytes, int]]:
    """What `fsck` finds in an opened store, and how many statements of each log are in it.

    The store is brought to this program's schema. Raise BackupError where its counts are not those of the contents.
    """
    folder, small = opened.folder, opened.small
    storage_key, sealed = small[folder.storage_key.name], small[folder.keys.name]
    keystore = read_keystore(folder, random, storage_key, sealed)
    if (keystore.org, keystore.node) != (opened.head.org, opened.head.node):
        raise BackupError("the keys in this backup are of another node than its head names", "backup_foreign")
    settings = load_settings(folder.path)
    database = file_database(folder.database, clock)
    core = Core(settings, folder, clock, random, keystore, database, EventBus())
    try:
        await upgrade(database)
    finally:
        await database.close()
    size = folder.database.stat().st_size
    findings, counts = await work.aside("check", lambda: asyncio.run(check_copy(core, folder.database, size, work)))
    if counts != opened.contents.counts:
        raise BackupError("the store in this backup has other statements than its contents say", "backup_damaged")
    return findings, counts


def open_files(path: Path, opener: Opener | bytes, place: Path, kept: Iterable[str], work: Work) -> OpenedBackup:
    """Write the files of a backup into a private folder, all but those kept in memory; raise BackupError."""
    folder, held = NodeFolder(place), frozenset(kept)
    needed = {folder.config.name, folder.keys.name, folder.storage_key.name, folder.certificate.name}
    allowed = {*folder.moved(), folder.database.name}
    with path.open("rb") as file:
        archive = Archive(file, opener)
        check_names(archive.contents, allowed)
        names = {member.name for member in archive.contents.members}
        if lacking := (needed | {folder.database.name}) - names:
            raise BackupError(f"this backup lacks {', '.join(sorted(lacking))}: take another", "backup_damaged")
        size = archive.contents.size
        check_space({place: size})
        work.total = 2 * size
        small: dict[str, bytes] = {}
        for member, blocks in archive.members():
            if member.name == folder.database.name:
                _write(place / member.name, blocks, work)
                continue
            if member.size > MAX_SMALL:
                raise BackupError(
                    f"{member.name} in this backup has {member.size} bytes: take another", "backup_damaged"
                )
            small[member.name] = b"".join(blocks)
            work.count(member.size)
    for name, raw in small.items():
        if name not in held:
            _write(place / name, [raw], work)
    return OpenedBackup(archive.head, archive.contents, folder, small)


def _write(path: Path, blocks: Iterable[bytes], work: Work) -> None:
    with written_privately(path) as file:
        for block in blocks:
            file.write(block)
            work.count(len(block))
