"""A folder into which a bench drops its files: each is taken as a job, and goes to `done` or `failed` with its report.

A file is taken once it has not changed between two looks, so that one that is still being written is waited for. While
its job runs it stands in `work` under the job's id; a node that is started again goes on from there. A file that was
taken just before the end of a process is taken again, and its runs are known then.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from node.errors import InputError, NodeError, NotFoundError
from node.services.bench import Bench
from node.services.core import Core
from node.services.job_results import sent_back
from node.services.jobs import Job, Jobs

log = structlog.get_logger()

SUFFIXES = frozenset({".csv", ".xlsx", ".json"})
WORK, DONE, FAILED = "work", "done", "failed"
MAX_FILE = 60 << 20
ACTOR = "folder:bench"
OPEN = ("waiting", "running")
_TAKEN = re.compile(r"^([0-9a-f]{16})-(.+)$")

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
            await self._settle(folder, path)
        for path, mark in (await asyncio.to_thread(_marked, folder)).items():
            if self._seen.get(path) == mark:
                self._seen.pop(path)
                await self._take(folder, path, mark)
            else:
                self._seen[path] = mark

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
        if mark[0] > MAX_FILE:
            await asyncio.to_thread(_put, path, folder / FAILED, path.name, f"more than {MAX_FILE >> 20} MB\n".encode())
            return
        raw = await asyncio.to_thread(path.read_bytes)
        try:
            job = await self._bench.submit(raw, path.name[:255], ACTOR)
        except InputError as error:
            told = f"{error.values.get('ru', error)}\n{error}\n".encode()
            await asyncio.to_thread(_put, path, folder / FAILED, path.name, told)
            return
        await asyncio.to_thread(path.rename, folder / WORK / f"{job}-{path.name}")

    async def _settle(self, folder: Path, path: Path) -> None:
        """Put a file away whose job ended, with what the job sent back beside it."""
        found = _TAKEN.match(path.name)
        if found is None:
            return
        try:
            job = await self._jobs.get(found[1])
        except NotFoundError:
            await asyncio.to_thread(path.rename, folder / found[2])  # of another store: it is taken here anew
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
    waiting = [path.name for path in _marked(folder)]
    working = [path.name.partition("-")[2] for path in _files(folder / WORK)]
    done = [path for path in _files(folder / DONE) if not path.name.endswith(".report.txt")]
    failed = [path.name for path in _files(folder / FAILED) if not path.name.endswith(".report.txt")]
    return FolderState(str(folder), tuple(waiting), tuple(working), len(done), tuple(failed[:50]))
