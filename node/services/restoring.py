"""Restoring a node from a backup into a folder of its own, never over one that is there.

The folder gets its name when all is in it and was checked. It has no `head`: with the mark of the copy the first start
opens a new log, and what left this node after the backup comes back from its peers.

A node on which nobody has done anything may give its place to one that was restored beside it: see `first_restore`.
"""

import json
import re
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from node.backup.archive import Head
from node.backup.locks import Opener
from node.config import load_settings
from node.errors import ConfigError, FolderError
from node.folder import NodeFolder, sync_folder, write_durably
from node.ports import Clock, Random
from node.services.backup_opening import check_files, open_files
from node.services.work import Work
from node.store.address import parse_address, show_address, split_password
from node.store.database import Database
from node.store.snapshots import is_taken, load_snapshot

REPLACED = "before-restore"
Settle = Callable[[NodeFolder], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """What stands in the folder now."""

    head: Head
    program: str
    store: str
    statements: int
    findings: tuple[str, ...]


async def restore_node(
    path: Path, opener: Opener, folder: NodeFolder, store: str | None, clock: Clock, random: Random, work: Work
) -> Restored:
    """Make a node's folder out of a backup; raise BackupError, FolderError or ConfigError and leave none behind.

    `store` is the address of another store than the settings in the backup name; empty for a file in the folder.
    """

    def settle(opened: NodeFolder) -> None:
        if store is not None:
            name_other_store(opened, store)

    was_there = folder.path.exists()
    folder.create()
    place = folder.path.with_name(f".{folder.path.name}.{secrets.token_hex(4)}.restoring")
    place.mkdir(mode=0o700)
    try:
        restored = await open_restored(path, opener, place, settle, clock, random, work)
        where = await put_store(NodeFolder(place), clock)
        sync_folder(place)
        place.rename(folder.path)
        sync_folder(folder.path.parent)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        if not was_there:
            folder.path.rmdir()
        raise
    return replace(restored, store=where)


async def open_restored(
    path: Path, opener: Opener, place: Path, settle: Settle, clock: Clock, random: Random, work: Work
) -> Restored:
    """Put the files of a backup into a private folder, settle them there and check them; raise BackupError."""
    opened = await work.aside("read", lambda: open_files(path, opener, place, (), work))
    settle(opened.folder)
    findings, counts = await check_files(opened, clock, random, work)
    return Restored(opened.head, opened.contents.program, "", sum(counts.values()), findings)


def take_place(folder: NodeFolder) -> None:
    """Let a node that was restored beside take the place of the one in this folder; goes on where it was killed.

    What was there before is kept in a folder of its own.
    """
    if not (folder.restored.exists() or folder.arriving.exists()):
        return
    with folder.locked():
        if folder.restored.exists():
            _set_aside(folder)
            folder.restored.rename(folder.arriving)
            sync_folder(folder.path)
        for path in sorted(folder.arriving.iterdir()):
            path.rename(folder.path / path.name)
        sync_folder(folder.path)
        folder.arriving.rmdir()


def _set_aside(folder: NodeFolder) -> None:
    names = (f"{REPLACED}-{number}" for number in count(1))
    aside = next(path for path in map(folder.path.joinpath, names) if not path.exists())
    aside.mkdir(mode=0o700)
    for path in folder.own():
        if path.exists():
            path.rename(aside / path.name)
    sync_folder(aside)
    sync_folder(folder.path)


def name_store(config: str, url: str) -> str:
    """Settings with another address of the store."""
    return with_section(config, "store", f"[store]\nurl = {json.dumps(url, ensure_ascii=False)}\n" if url else "")


def with_section(config: str, name: str, text: str) -> str:
    """Settings with that text in place of a section."""
    rest = _section(name).sub("", config).rstrip("\n")
    return f"{rest}\n\n{text}" if text else f"{rest}\n"


def find_section(config: str, name: str) -> str:
    """The text of a section of the settings, empty where they have none."""
    found = _section(name).search(config)
    return found[0] if found else ""


def _section(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?m)^\[{name}\][^\n]*\n(?:(?!\[)[^\n]*\n?)*")


def name_other_store(folder: NodeFolder, store: str) -> None:
    """Let the settings name another store; its password goes into a file of its own. Raise ConfigError."""
    try:
        url, password = split_password(parse_address(store)) if store else ("", "")
    except ValueError as error:
        raise ConfigError(f"--store: {error}") from error
    config = name_store(folder.config.read_text("utf-8"), url)
    if password:
        write_durably(folder.store_password, password.encode())
        config += f"password_file = {json.dumps(folder.store_password.name)}\n"
    write_durably(folder.config, config.encode())


async def put_store(folder: NodeFolder, clock: Clock) -> str:
    """Leave the store where the settings name it; answer where that is, without a password."""
    settings = load_settings(folder.path).store
    if not settings.url:
        return folder.database.name
    database = Database.of_node(folder, settings, clock)
    shown = show_address(settings.url)
    try:
        if await is_taken(database):
            raise FolderError(
                f"the store {shown} holds a node already: name an empty one with --store, or --store '' for a file in "
                "the folder",
                "node_exists",
            )
        await load_snapshot(folder.database, clock, database)
    finally:
        await database.close()
    folder.database.unlink()
    return shown
