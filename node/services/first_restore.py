"""Restoring a backup on the first page of a node that was just made: what is restored takes that node's place.

All of it happens beside the node, in a folder that is thrown away where anything goes wrong or the node is killed. Only
when everything is in it and was checked it gets its other name, and the node ends; whoever opens the folder next lets
what was restored take the place of what was there (`take_place`), which is kept. A node on which something was done is
not given up: there must be nobody who may log in, no federation, and nothing in its log but its own card.
"""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import structlog

from federation.authority import Kind
from node.backup.archive import find_head
from node.backup.locks import Lock, Opener, Passphrase, PassphraseLock, PrivateRecoveryKey
from node.config import Settings, load_settings
from node.errors import BackupError, InputError, NodeError, StateError
from node.folder import NodeFolder, sync_folder, written_privately
from node.services.access import Access
from node.services.backup_making import check_space
from node.services.core import Core
from node.services.restoring import find_section, name_other_store, open_restored, put_store, with_section
from node.services.work import Work
from node.store.errors import StoreError
from node.store.fragments import count_kinds
from node.store.genesis import find_genesis
from node.store.logs import list_logs

log = structlog.get_logger()

PARTS = 1000
COPIES = 2  # of a backup that lie on the disk at once: the file, and what is made of it


class RestoredError(Exception):
    """A restored node waits to take the place of the one that runs: that one ends."""


class State(StrEnum):
    """How far it is."""

    IDLE = "idle"
    COMING = "coming"
    RESTORING = "restoring"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: `done` parts of `PARTS` while it is being restored, and why it failed."""

    state: State
    stage: str
    done: int
    trouble: NodeError | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What may open the file, and whether the store comes into the folder wherever it was before."""

    key: PrivateRecoveryKey | None
    passphrase: Passphrase | None
    is_here: bool

    def opener(self, lock: Lock) -> Opener:
        """What opens a lock of that kind; raise BackupError where it was not given."""
        opener = self.passphrase if isinstance(lock, PassphraseLock) else self.key
        if opener is None:
            raise BackupError(f"this backup is locked to {lock.name}: give what opens it", "backup_locked")
        return opener


class FirstRestore:
    """Takes one backup at a time, restores it beside, and ends the node when that is done."""

    def __init__(self, core: Core, access: Access) -> None:
        self._core, self._access = core, access
        self._wishes: asyncio.Queue[Wish] = asyncio.Queue(1)
        self._state, self._work = State.IDLE, Work()
        self._trouble: NodeError | None = None
        self.settled = asyncio.Event()  # none is under way

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return Progress(self._state, self._work.stage, self._work.parts(PARTS), self._trouble)

    @property
    def _file(self) -> Path:
        return self._core.folder.incoming / "taken.backup"

    async def check(self) -> None:
        """Raise StateError where something was done on this node: it is not given up then."""
        async with self._core.database.read() as tx:
            genesis, logs = await find_genesis(tx), await list_logs(tx, own=True)
            cards, _ = await count_kinds(tx, [Kind.CARD])
        is_written = len(logs) > 1 or sum(one.size for one in logs) > cards
        if genesis is not None or is_written or await self._access.is_claimed():
            raise StateError("this node is in use: a backup is restored into a folder of its own", "restore_late")

    async def take(self, blocks: AsyncIterator[bytes], most: int, wish: Wish) -> None:
        """Keep the file that comes, and begin to restore it; raise NodeError and keep nothing of it."""
        await self.check()
        if self._state in (State.COMING, State.RESTORING):
            raise StateError("a backup is being restored already", "restore_running")
        self._state, self._trouble, self._work = State.COMING, None, Work()
        self.settled.clear()
        try:
            await asyncio.to_thread(self._make_room, most)
            await self._write(blocks, most)
            wish.opener((await asyncio.to_thread(find_head, self._file)).lock)
        except BaseException:
            self._state = State.IDLE
            self.settled.set()
            await asyncio.to_thread(self._forget)
            raise
        self._state = State.RESTORING
        self._wishes.put_nowait(wish)

    async def run(self) -> None:
        """Clean up after a node that was killed, then restore what is wished for; ends with RestoredError."""
        await asyncio.to_thread(self._forget)
        while True:
            wish = await self._wishes.get()
            try:
                await self._restore(wish)
            except (NodeError, StoreError, OSError) as error:
                log.warning("restore_failed", error=str(error))
                self._state = State.FAILED
                self._trouble = error if isinstance(error, NodeError) else BackupError(str(error))
            else:
                raise RestoredError
            finally:
                await asyncio.to_thread(self._forget)
                self.settled.set()

    async def _restore(self, wish: Wish) -> None:
        core, place = self._core, NodeFolder(self._core.folder.incoming / "node")
        place.path.mkdir(mode=0o700)
        own = core.folder.config.read_text("utf-8")

        def settle(opened: NodeFolder) -> None:
            """The console stays where people have it open; all else is as the backup has it."""
            if wish.is_here:
                name_other_store(opened, "")
            config = with_section(opened.config.read_text("utf-8"), "web", find_section(own, "web"))
            opened.config.write_text(config, "utf-8")

        opener = wish.opener(find_head(self._file).lock)
        done = await open_restored(self._file, opener, place.path, settle, core.clock, core.random, self._work)
        if done.findings:
            raise BackupError(f"the store in this backup has faults: {done.findings[0]}", "backup_faulty")
        await asyncio.to_thread(_check_ports, load_settings(place.path), core.settings)
        await self.check()
        await put_store(place, core.clock)
        sync_folder(place.path)
        place.path.rename(core.folder.restored)
        sync_folder(core.folder.path)

    def _make_room(self, size: int) -> None:
        self._forget()
        self._core.folder.incoming.mkdir(mode=0o700)
        check_space({self._core.folder.incoming: COPIES * size})

    async def _write(self, blocks: AsyncIterator[bytes], most: int) -> None:
        taken = 0
        with written_privately(self._file) as file:
            async for block in blocks:
                taken += len(block)
                if taken > most:
                    raise InputError(
                        f"the file is larger than the {most} bytes that were told", "too_large", limit=most
                    )
                await asyncio.to_thread(file.write, block)
        if not taken:
            raise InputError("no file was chosen, or it is empty", "file_none")

    def _forget(self) -> None:
        shutil.rmtree(self._core.folder.incoming, ignore_errors=True)


class Door(Protocol):
    """The settings of a port."""

    @property
    def host(self) -> str:
        """A name or an address."""

    @property
    def port(self) -> int:
        """0 for a free one."""


def _check_ports(settings: Settings, own: Settings) -> None:
    """Raise StateError where the restored node could not open its ports on this machine."""
    wanted: list[tuple[str, Door, Door, socket.SocketKind]] = []
    if not settings.federation.dial_out_only:
        wanted.append(("federation", settings.federation, own.federation, socket.SOCK_STREAM))
    if settings.radio.enabled:
        wanted.append(("radio", settings.radio, own.radio, socket.SOCK_DGRAM))
    for section, place, held, kind in wanted:
        if place.port and (place.host, place.port) != (held.host, held.port):
            try:
                _probe(place.host, place.port, kind)
            except OSError as error:
                raise StateError(
                    f"[{section}] in this backup names {place.host} port {place.port}, and this machine refuses it: "
                    f"{error.strerror}",
                    "restore_ports",
                ) from error


def _probe(host: str, port: int, kind: socket.SocketKind) -> None:
    family, *_, address = socket.getaddrinfo(host, port, type=kind)[0]
    with socket.socket(family, kind) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
