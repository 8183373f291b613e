"""A folder into which a bench drops its files: each is taken as a job, and goes to `done` or `failed` with its report.

A file is taken once it has not changed between two looks, so that one that is still being written is waited for. It is
moved to `work` under its job's id before the job is made, so that what cannot be moved makes none; a node that is
started again goes on from there, and a file without its job is taken again. One file holds up no other.
"""

import asyncio
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from node.errors import InputError, NodeError, NotFoundError
from node.services.bench import Bench
from node.services.core import Core
from node.services.job_results import sent_back
from node.services.jobs import Job, Jobs
from node.store.errors import StoreError

log = structlog.get_logger()

SUFFIXES = frozenset({".csv", ".xlsx", ".json"})
WORK, DONE, FAILED = "work", "done", "failed"
MAX_FILE = 60 << 20
LONGEST_NAME = 200  # bytes, where a file system takes 255
ACTOR = "folder:bench"
OPEN = ("waiting", "running")
_TAKEN = re.compile(r"([0-9a-f]{16})-(.+)", re.DOTALL)

Mark = tuple[int, int]


@dataclass(frozen=True, slots=True)
class FolderState:
    """What lies in the folder: names of files that wait, that are worked on, and how many ended."""

    folder: str
    waiting: tuple[str, ...] = ()
    working: tuple[str, ...] = ()
    done: int = 0
    failed: tuple[str, ...] = ()


class BenchFolder:
    """Watches the bench's folder."""

    def __init__(self, core: Core, bench: Bench, jobs: Jobs) -> None:
        self._core = core
        self._bench = bench
        self._jobs = jobs
        self._seen: dict[Path, Mark] = {}

    @property
    def folder(self) -> Path | None:
        """The folder, None where none is set; a relative one lies in the node's own."""
        named = self._core.settings.bench.folder
        return self._core.folder.path / named if named else None

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while self.folder is not None:
            try:
                await self.look()
            except (OSError, NodeError) as error:
                log.warning("bench_folder_failed", folder=str(self.folder), error=str(error))
            await asyncio.sleep(self._core.settings.bench.poll_s)

    async def look(self) -> None:
        """Take what stood still since the last look, and put away what was worked on."""
        folder = self.folder
        if folder is None:
            return
        await asyncio.to_thread(_make_folders, folder)
        for path in await asyncio.to_thread(_files, folder / WORK):
            with _alone(path):
                await self._settle(folder, path)
        for path, mark in (await asyncio.to_thread(_marked, folder)).items():
            if self._seen.get(path) != mark:
                self._seen[path] = mark
                continue
            self._seen.pop(path)
            with _alone(path):
                await self._take(folder, path, mark)

    async def state(self) -> FolderState | None:
        """What lies in the folder now; None where none is set or it cannot be read."""
        folder = self.folder
        if folder is None:
            return None
        try:
            return await asyncio.to_thread(_state, folder)
        except OSError:
            return FolderState(str(folder))

    async def _take(self, folder: Path, path: Path, mark: Mark) -> None:
        name, job = _plain(path.name), self._jobs.new_id()
        if mark[0] > MAX_FILE:
            await asyncio.to_thread(_put, path, folder / FAILED, name, f"more than {MAX_FILE >> 20} MB\n".encode())
            return
        raw = await asyncio.to_thread(path.read_bytes)
        taken = await asyncio.to_thread(path.rename, folder / WORK / f"{job}-{name}")
        try:
            await self._bench.submit(raw, name, ACTOR, job)
        except InputError as error:
            told = f"{error.values.get('ru', error)}\n{error}\n".encode()
            await asyncio.to_thread(_put, taken, folder / FAILED, name, told)

    async def _settle(self, folder: Path, path: Path) -> None:
        """Put a file away whose job ended, with what the job sent back beside it."""
        found = _TAKEN.fullmatch(path.name)
        if found is None:
            return
        try:
            job = await self._jobs.get(found[1])
        except NotFoundError:
            await asyncio.to_thread(path.rename, folder / found[2])  # its job was not made here: it is taken anew
            return
        if job.state in OPEN:
            return
        is_good = job.state == "done" and bool(job.result.get("accepted") or job.result.get("repeated"))
        report = _report(job)
        name = found[2]
        await asyncio.to_thread(_put, path, folder / (DONE if is_good else FAILED), name, report)


def _report(job: Job) -> bytes | None:
    if job.result.get("findings"):
        return sent_back(job, "csv")
    return f"{job.result.get('error')}\n".encode() if job.state == "failed" else None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Log what is wrong with one file; it is looked at again, and the others go on."""
    try:
        yield
    except (OSError, NodeError, StoreError) as error:
        log.warning("bench_file_failed", file=_plain(path.name), error=str(error))


def _plain(name: str) -> str:
    """A name as text that a store and a page take, with room for what is put before and after it."""
    try:
        told = os.fsencode(name).decode()
    except UnicodeDecodeError:
        told = os.fsencode(name).decode("cp1251", "replace")
    stem, suffix = Path(told).stem, Path(told).suffix
    return stem.encode()[: LONGEST_NAME - len(suffix)].decode(errors="ignore") + suffix


def _make_folders(folder: Path) -> None:
    for name in (WORK, DONE, FAILED):
        (folder / name).mkdir(parents=True, exist_ok=True)


def _files(folder: Path) -> list[Path]:
    """Plain files, by name; what begins with a point or is a link is none."""
    if not folder.is_dir():
        return []
    found = (path for path in folder.iterdir() if not path.name.startswith(".") and not path.is_symlink())
    return sorted(path for path in found if path.is_file())


def _marked(folder: Path) -> dict[Path, Mark]:
    """The files that may be a bench's, each with its size and the time of its last change."""
    return {path: mark for path in _files(folder) if path.suffix.lower() in SUFFIXES for mark in _mark(path)}


def _mark(path: Path) -> Iterator[Mark]:
    try:
        told = path.stat()
    except FileNotFoundError:
        return  # taken away between two calls
    if told.st_size:
        yield told.st_size, told.st_mtime_ns


def _put(path: Path, folder: Path, name: str, report: bytes | None) -> None:
    """Move a file, under another name where that one is taken, with its report beside."""
    target, n = folder / name, 1
    while target.exists():
        n += 1
        target = folder / f"{Path(name).stem}.{n}{Path(name).suffix}"
    if report is not None:
        target.with_name(f"{target.name}.report.txt").write_bytes(report)
    path.rename(target)


def _state(folder: Path) -> FolderState:
    waiting = [_plain(path.name) for path in _marked(folder)]
    working = [path.name.partition("-")[2] for path in _files(folder / WORK)]
    done = [path for path in _files(folder / DONE) if not path.name.endswith(".report.txt")]
    failed = [path.name for path in _files(folder / FAILED) if not path.name.endswith(".report.txt")]
    return FolderState(str(folder), tuple(waiting), tuple(working), len(done), tuple(failed[:50]))
