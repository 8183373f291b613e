"""Backups as jobs: made now or by themselves, checked, drilled, the old ones removed once a newer one is good.

The node knows the public half of a recovery key; a file's content key it keeps sealed in its own store, so that it can
check and drill what it made without the other half. That one opens the files elsewhere.
"""

import asyncio
import contextlib
import re
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import structlog

from federation import codec
from node.backup.archive import Head, find_head
from node.backup.locks import KEY_SIZE, SALT_SIZE, Lock, Passphrase, RecoveryKey, decode_lock, parse_public
from node.errors import BackupError, NodeError, NotFoundError, StateError
from node.services.backup_making import SUFFIX, MadeBackup, forget_parts, forget_work, make_backup, workspace
from node.services.backup_opening import CheckedBackup, check_backup
from node.services.core import Core
from node.services.jobs import Job, Jobs
from node.services.work import Work
from node.store.backups import (
    StoredBackup,
    find_backup,
    find_failure,
    forget_backup,
    forget_failure,
    list_backups,
    note_check,
    note_failure,
    put_backup,
)
from node.store.database import WriteTx
from node.store.errors import StoreError
from node.store.jobs import list_jobs
from node.store.snapshots import count_statements

log = structlog.get_logger()

T = TypeVar("T")

MAKE, VERIFY, DRILL = "backup.make", "backup.verify", "backup.drill"
KINDS = frozenset({MAKE, VERIFY, DRILL})
LANE = "backup"
ACTOR = "node:backup"
PARTS = 1000
TELL_EVERY_S = 0.5
LOOK_EVERY_S = 60.0
HOUR_US = 3_600_000_000
AGAIN_AFTER_US = HOUR_US  # a backup that could not be made
NAME = re.compile(r"passport-[0-9a-f]{8}-\d{8}T\d{6}Z(-\d+)?\.backup")


@dataclass(frozen=True, slots=True)
class BackupFile:
    """A file in the folder of backups: what this node knows of it, None where another store made it."""

    name: str
    size: int
    head: Head
    known: StoredBackup | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """When backups are made by themselves; `next_us` is None where they are not, `key_fault` why."""

    folder: str
    every_hours: float
    keep: int
    recovery_key: str
    next_us: int | None
    shares_disk: bool
    failure: Mapping[str, object] | None
    key_fault: str = ""


class Backups:
    """The backups of this node."""

    def __init__(self, core: Core, jobs: Jobs) -> None:
        self._core, self._jobs = core, jobs
        for kind, step in ((MAKE, self._make), (VERIFY, self._verify), (DRILL, self._drill)):
            jobs.register(kind, step, LANE)

    @property
    def folder(self) -> Path:
        """Where the files are put."""
        return self._core.settings.backup.place(self._core.folder.path)

    async def run(self) -> None:
        """Clean up after a node that was killed, then make backups when they are due, until cancelled."""
        await asyncio.to_thread(forget_work, self._core.folder)
        await asyncio.to_thread(forget_parts, self.folder)
        while True:
            try:
                await self._make_if_due()
            except (OSError, NodeError, StoreError) as error:
                log.warning("backup_not_due", error=str(error))
            await asyncio.sleep(min(LOOK_EVERY_S, max(0.05, self._core.settings.backup.every_hours * 360)))

    async def submit(self, actor: str, passphrase: Passphrase | None = None) -> str:
        """Take the making of a backup and answer its job.

        Raise StateError where there is neither a recovery key nor a passphrase, or a backup is being made.
        """
        lock, key = await self.lock(passphrase)
        await self._refuse_second()
        content = codec.pack([lock.to_value(), key])
        return await self._jobs.submit(MAKE, content, PARTS, actor)

    async def check(self, name: str, actor: str) -> str:
        """Take the checking of a file and answer its job; raise NotFoundError or StateError."""
        return await self._jobs.submit(VERIFY, (await self._known(name)).name.encode(), PARTS, actor, name)

    async def drill(self, actor: str) -> str:
        """Take a restore drill over the newest backup and answer its job; raise StateError where there is none."""
        newest = next((one for one in await self.all() if one.known is not None), None)
        if newest is None:
            raise StateError("there is no backup yet", "backup_none")
        return await self._jobs.submit(DRILL, newest.name.encode(), PARTS, actor, newest.name)

    async def all(self) -> list[BackupFile]:
        """Every backup of this node in the folder, newest first; what is no backup is left out.

        One from the future was made before the clock was set right, so before those that are from the past.
        """
        async with self._core.database.read() as tx:
            known, now = {one.name: one for one in await list_backups(tx)}, tx.now
        found = await asyncio.to_thread(_files, self.folder, self._core.node)
        files = [BackupFile(name, size, head, known.get(name)) for name, size, head in found]
        return sorted(files, key=lambda one: (one.head.made_us > now, -one.head.made_us, one.name))

    async def path_of(self, name: str) -> Path:
        """Where a file is; raise NotFoundError."""
        path = self.folder / name
        if NAME.fullmatch(name) is None or not await asyncio.to_thread(path.is_file):
            raise NotFoundError(f"there is no backup {name[:80]}", "backup_unknown")
        return path

    async def remove(self, name: str, actor: str) -> None:
        """Delete a file; raise NotFoundError, or StateError for the newest good one."""
        path = await self.path_of(name)
        good = [one for one in await self.all() if one.known is not None and one.known.is_good]
        if good and good[0].name == name:
            raise StateError("this is the newest good backup", "backup_newest")
        async with self._core.database.write() as tx:
            await forget_backup(tx, name)
            await self._core.announce(tx, actor, "backup_removed", file=name)
        await asyncio.to_thread(path.unlink)

    async def schedule(self) -> Schedule:
        """When the next one is due, and whether it can be made."""
        settings = self._core.settings.backup
        key, fault = None, ""
        try:
            key = await asyncio.to_thread(self.recovery_key)
        except BackupError as error:
            fault = str(error)
        async with self._core.database.read() as tx:
            failure = await find_failure(tx)
        shares = await asyncio.to_thread(_shares_disk, self.folder, self._core.folder.path)
        due = await self._due_us() if key is not None and settings.every_hours else None
        return Schedule(
            str(self.folder),
            settings.every_hours,
            settings.keep,
            key.id.hex() if key else "",
            due,
            shares,
            failure,
            fault,
        )

    def recovery_key(self) -> RecoveryKey | None:
        """The key to which backups are locked, None where none was made; raise BackupError where its file is no key."""
        path = self._core.folder.recovery_key
        try:
            return parse_public(path.read_text("utf-8", "replace")) if path.exists() else None
        except OSError as error:
            raise BackupError(f"{path} cannot be read: {error.strerror}", "recovery_key") from error

    async def lock(self, passphrase: Passphrase | None) -> tuple[Lock, bytes]:
        """A lock for one backup, and its content key; raise StateError where there is nothing to lock it with."""
        random = self._core.random
        if passphrase is not None:
            return await asyncio.to_thread(passphrase.lock, random.bytes(SALT_SIZE))
        recovery = await asyncio.to_thread(self.recovery_key)
        if recovery is None:
            raise StateError("there is no recovery key yet", "backup_unlocked")
        key = random.bytes(KEY_SIZE)
        return recovery.lock(key), key

    async def _refuse_second(self) -> None:
        async with self._core.database.read() as tx:
            if any(job.kind == MAKE for job in await list_jobs(tx, open_only=True)):
                raise StateError("a backup is being made", "backup_running")

    async def _known(self, name: str) -> StoredBackup:
        await self.path_of(name)
        async with self._core.database.read() as tx:
            found = await find_backup(tx, name)
        if found is None:
            raise StateError(f"{name} was made before this store was: its key is not here", "backup_elsewhere")
        return found

    async def _make_if_due(self) -> None:
        settings = self._core.settings.backup
        if not settings.every_hours or await asyncio.to_thread(self.recovery_key) is None:
            return
        if self._core.clock.now() >= await self._due_us():
            try:
                await self.submit(ACTOR)
            except StateError:
                return  # one is being made

    async def _due_us(self) -> int:
        async with self._core.database.read() as tx:
            # What is from the future is no measure: the clock was set back since.
            made = [one.made_us for one in await list_backups(tx) if one.is_good and one.made_us <= tx.now]
            failure, now = await find_failure(tx), tx.now
        due = max(made, default=0) + round(self._core.settings.backup.every_hours * HOUR_US)
        failed = failure["at_us"] if failure else 0
        return max(due, failed + AGAIN_AFTER_US) if isinstance(failed, int) and 0 < failed <= now else due

    async def _make(self, job: Job, content: bytes) -> bool:
        lock, key = codec.array(codec.unpack(content), 2, "backup")
        work = Work()
        try:
            made = await self._told(job, work, make_backup(
                self._core, self.folder, decode_lock(lock), codec.binary(key, KEY_SIZE, "key"), work
            ))  # fmt: skip
        except (NodeError, OSError) as error:
            text = (
                str(error)
                if isinstance(error, NodeError)
                else f"the system refuses {error.filename or self.folder}: {error.strerror}"
            )
            async with self._core.database.write() as tx:
                await note_failure(tx, text)
            raise BackupError(text) from error
        job, stored = await self._jobs.get(job.id), self._stored(made)
        async with self._core.database.write() as tx:
            await put_backup(tx, stored)
        if stored.is_good:
            await self._forget_old(job.actor)
        async with self._core.database.write() as tx:
            await self._settle(tx, job, stored)
        return False

    async def _verify(self, job: Job, content: bytes) -> bool:
        return await self._look(job, content.decode(), is_drill=False)

    async def _drill(self, job: Job, content: bytes) -> bool:
        return await self._look(job, content.decode(), is_drill=True)

    async def _look(self, job: Job, name: str, *, is_drill: bool) -> bool:
        """Open a file as a restore would, and compare it with what the node has now; nothing is started."""
        stored, started, work = await self._known(name), self._core.clock.monotonic(), Work()
        key = await asyncio.to_thread(self._core.keystore.vault.open, stored.key)
        trouble, more = "", dict[str, object]()
        with workspace(self._core.folder) as place:
            try:
                checked = await self._told(job, work, check_backup(
                    self.folder / name, key, place, self._core.clock, self._core.random, work
                ))  # fmt: skip
            except BackupError as error:
                trouble = str(error)
            else:
                trouble, more = await self._compare(checked)
        took = round((self._core.clock.monotonic() - started) * 1000)
        job = await self._jobs.get(job.id)
        async with self._core.database.write() as tx:
            await note_check(tx, name, trouble, is_drill=is_drill)
            told = {"took_ms": took, "age_us": tx.now - stored.made_us, "trouble": trouble, **more}
            await self._jobs.advance(tx, job, job.total, told)
            what = "backup_drilled" if is_drill else "backup_checked"
            await self._core.announce(tx, job.actor, what, file=name, job=job.id, trouble=trouble)
        return False

    async def _compare(self, checked: CheckedBackup) -> tuple[str, dict[str, object]]:
        """What is wrong with a backup beside the running node, and how many statements the node has said since."""
        async with self._core.database.read() as tx:
            now = await count_statements(tx)
        more = {log: count for log, count in checked.counts.items() if count > now.get(log, 0)}
        found = [*checked.findings, *(f"log {one.hex()}: the backup holds more than the node" for one in more)]
        told: dict[str, object] = {"statements": checked.statements, "since": sum(now.values()) - checked.statements}
        return "; ".join(found[:5]), told

    async def _told(self, job: Job, work: Work, call: Coroutine[Any, Any, T]) -> T:
        """Await a call, and tell all the while how far its work is."""
        running = asyncio.ensure_future(call)
        try:
            while True:
                done, _ = await asyncio.wait([running], timeout=TELL_EVERY_S)
                if done:
                    return await running
                job = await self._tell(job, work)
        finally:
            running.cancel()
            await asyncio.wait([running])

    async def _tell(self, job: Job, work: Work) -> Job:
        parts = work.parts(job.total)
        if parts > job.done:
            async with self._core.database.write() as tx:
                await self._jobs.advance(tx, job, parts, {"stage": work.stage})
                tx.on_commit(self._core.bus.wake)
        return replace(job, done=max(parts, job.done))

    async def _settle(self, tx: WriteTx, job: Job, stored: StoredBackup) -> None:
        if stored.is_good:
            await forget_failure(tx)
        else:
            await note_failure(tx, stored.trouble)
        told = {"file": stored.name, "size": stored.size, "statements": stored.statements, "took_ms": stored.took_ms}
        await self._jobs.advance(tx, job, job.total, {**told, "trouble": stored.trouble})
        await self._core.announce(tx, job.actor, "backup_made", file=stored.name, job=job.id, trouble=stored.trouble)

    async def _forget_old(self, actor: str) -> None:
        """Remove what lies behind the newest good ones."""
        files = [one for one in await self.all() if one.known is not None]
        good = [at for at, one in enumerate(files) if one.known is not None and one.known.is_good]
        last = good[: self._core.settings.backup.keep][-1]
        for one in files[last + 1 :]:
            await self.remove(one.name, actor)

    def _stored(self, made: MadeBackup) -> StoredBackup:
        return StoredBackup(
            name=made.path.name,
            made_us=made.head.made_us,
            size=made.size,
            locked_to=made.head.lock.name,
            key=self._core.keystore.vault.seal(made.key),
            statements=sum(made.contents.counts.values()),
            took_ms=made.took_ms,
            checked_us=self._core.clock.now(),
            drilled_us=None,
            trouble="; ".join(made.findings[:5]),
        )


def _files(folder: Path, node: bytes) -> list[tuple[str, int, Head]]:
    found: list[tuple[str, int, Head]] = []
    for path in folder.glob(f"*{SUFFIX}") if folder.is_dir() else ():
        with contextlib.suppress(BackupError, OSError):
            head = find_head(path)
            if head.node == node and NAME.fullmatch(path.name):
                found.append((path.name, path.stat().st_size, head))
    return found


def _shares_disk(folder: Path, data: Path) -> bool:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return there.stat().st_dev == data.stat().st_dev
