"""Restoring a node from a backup into a folder of its own, never over one that is there.

The folder gets its name when all is in it and was checked. It has no `head`: with the mark of the copy the first start
opens a new log, and what left this node after the backup comes back from its peers.
"""

import json
import re
import secrets
import shutil
from dataclasses import dataclass
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

_SECTION = re.compile(r"(?m)^\[store\][^\n]*\n(?:(?!\[)[^\n]*\n?)*")


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
    was_there = folder.path.exists()
    folder.create()
    place = folder.path.with_name(f".{folder.path.name}.{secrets.token_hex(4)}.restoring")
    place.mkdir(mode=0o700)
    try:
        opened = await work.aside("read", lambda: open_files(path, opener, place, (), work))
        if store is not None:
            _name_store(opened.folder, store)
        findings, counts = await check_files(opened, clock, random, work)
        where = await _put_store(opened.folder, clock)
        sync_folder(place)
        place.rename(folder.path)
        sync_folder(folder.path.parent)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        if not was_there:
            folder.path.rmdir()
        raise
    return Restored(opened.head, opened.contents.program, where, sum(counts.values()), findings)


def name_store(config: str, url: str) -> str:
    """Settings with another address of the store."""
    rest = _SECTION.sub("", config).rstrip("\n")
    return f"{rest}\n\n[store]\nurl = {json.dumps(url, ensure_ascii=False)}\n" if url else f"{rest}\n"


def _name_store(folder: NodeFolder, store: str) -> None:
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


async def _put_store(folder: NodeFolder, clock: Clock) -> str:
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
