"""Killing a node at its writing calls: `python -m tests.kills [--kills 200] [--seed 1] [--folder build/kills]`.

A node over the shipped store, ledger, jobs and projection runs in a process of its own, and says into a pipe what it
acknowledged. First a run is traced: every write, truncation, fsync, rename and removal below its folder, in their
order. Then points are drawn from the kinds (call, file) of the trace, every kind as often as another, and the node is
ended at each of them: before the call, in the middle of its bytes, or after it; where a run makes fewer such calls
than the traced one did, another run is ended at half the place. After each end it is started again on
what is left, and has to have

- one own log, opened once, and nothing of what was acknowledged missing or another than it was;
- every import that was taken at its end, with each row once;
- a log that a second store, which mirrored it all along, takes on from: two entries of one place would end that;
- nothing that `fsck` finds.

The page cache outlives the process: what a power cut loses beyond that is not shown here.
"""

import argparse
import asyncio
import ctypes
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from federation.fragment import decode_header
from node.demo.files import MARK, make_line
from node.passport import drafts
from node.passport.bodies import Plate
from node.services.fsck import Fsck
from node.services.jobs import Job
from node.store import schema
from node.store.fragments import entries_between
from node.store.logs import find_log, list_logs
from tests.meters import PRODUCT, meter_rows, production_file
from tests.unit.node_protocols.builders import (
    APPROVAL,
    DESIGNATION,
    NOW,
    Desk,
    attest,
    ended,
    found,
    mirror,
    opened,
    publish_line,
)

HERE = Path(__file__).parent
BUILD = HERE.parent / "build"
PRELOAD = "LD_PRELOAD"
HOW = ("before", "torn", "after")
ROUNDS, A_ROUND, ROWS = 3, 3, 3
SETUP, TRACED = 1, 2
MIRROR_SEED = 900_000
OPEN = ("waiting", "running")

Call = tuple[str, str]  # what was called, on which file


@dataclass(frozen=True, slots=True)
class Point:
    """Where a process ends: at the so many-th such call, before it, in the middle of its bytes, or after it."""

    call: Call
    at: int
    how: int


@dataclass(slots=True)
class Acknowledged:
    """What the node said that it did: the id of each place of its log, and the imports that it took."""

    said: dict[int, str] = field(default_factory=dict)
    jobs: list[str] = field(default_factory=list)

    def hear(self, line: str) -> None:
        """Take one line of the node."""
        what, *rest = line.split()
        if what == "said":
            self.said[int(rest[0])] = rest[1]
        elif what == "job":
            self.jobs.append(rest[0])


@dataclass(slots=True)
class Outcome:
    """Where a run was to end, whether it came to that, and what was wrong after it."""

    point: Point
    is_killed: bool
    wrong: list[str]


def run_campaign(folder: Path, kills: int, seed: int, tell: Callable[[str], None] = print) -> list[Outcome]:
    """Trace, draw, kill, and check after every end."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    home, peer = folder / "node", folder / "peer"
    _must(_fork(lambda _pipe: _found(home, peer)))
    traced = _trace(home, folder / "traced")
    points = _draw(Counter(traced), kills, random.Random(seed))
    known, outcomes = Acknowledged(), list[Outcome]()
    runs = itertools.count(TRACED + 1)
    while points:
        number, point = next(runs), points.pop()
        is_killed, lines = _kill(home, number, point)
        for line in lines:
            known.hear(line)
        wrong = _check(home, peer, number, known)
        outcomes.append(Outcome(point, is_killed, wrong))
        for text in wrong:
            tell(f"seed {seed}, kill {number - TRACED} ({HOW[point.how]} {point.call}): {text}")
        if wrong:
            break
        if not is_killed and point.at > 1:  # how often a run makes a call depends on its timing
            points.append(replace(point, at=point.at // 2))
    _print_histogram(traced, outcomes, len(known.said), tell)
    return outcomes


def build_preload(folder: Path) -> Path:
    """Compile what is preloaded, unless that was done; raise CalledProcessError."""
    source, built = HERE / "kills.c", folder / "kills.so"
    if not built.exists() or built.stat().st_mtime < source.stat().st_mtime:
        folder.mkdir(parents=True, exist_ok=True)
        command = ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", str(built), str(source), "-ldl"]
        subprocess.run(command, check=True, capture_output=True)
    return built


def run_preloaded(folder: Path, kills: int, seed: int) -> "subprocess.CompletedProcess[str]":
    """A campaign in a process that has it preloaded."""
    arguments = ["--folder", str(folder), "--kills", str(kills), "--seed", str(seed)]
    environment = {**os.environ, PRELOAD: str(build_preload(BUILD))}
    command = [sys.executable, "-m", "tests.kills", *arguments]
    return subprocess.run(command, env=environment, cwd=HERE.parent, text=True, capture_output=True, check=False)


def main() -> int:
    """Preload what is needed, and run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=BUILD / "kills")
    asked = parser.parse_args()
    if "kills.so" not in os.environ.get(PRELOAD, ""):
        done = run_preloaded(asked.folder, asked.kills, asked.seed)
        print(done.stdout, end="")
        print(done.stderr[-4000:], end="", file=sys.stderr)
        return done.returncode
    outcomes = run_campaign(asked.folder.resolve(), asked.kills, asked.seed)
    return int(any(one.wrong for one in outcomes) or not any(one.is_killed for one in outcomes))


def _trace(home: Path, folder: Path) -> list[Call]:
    """The writing calls of one run over a copy of the node."""
    shutil.copytree(home, folder)
    status, lines = _fork(lambda pipe: _work(folder, TRACED, pipe), arm=(folder, Point(("", ""), 0, 0)))
    assert status == 0, lines
    calls = [tuple(line.split()[1:3]) for line in lines if line.startswith("call ")]
    return [(call, name) for call, name in calls]


def _draw(traced: Mapping[Call, int], kills: int, source: random.Random) -> list[Point]:
    """Every kind of call first, then any as often as another; its place, and how it ends, at random."""
    kinds = source.sample(sorted(traced), len(traced))
    drawn = [*kinds[:kills], *source.choices(kinds, k=max(0, kills - len(kinds)))]
    return [Point(kind, source.randint(1, traced[kind]), source.randrange(len(HOW))) for kind in drawn]


def _kill(home: Path, number: int, point: Point) -> tuple[bool, list[str]]:
    """Run until a point; whether the run came there, and what was said."""
    status, lines = _fork(lambda pipe: _work(home, number, pipe), arm=(home, point))
    assert status in (0, -signal.SIGKILL), lines
    return status != 0, lines


def _check(home: Path, peer: Path, number: int, known: Acknowledged) -> list[str]:
    """What is wrong with the node after its end."""
    status, lines = _fork(lambda pipe: _inspect(home, peer, number, known, pipe))
    wrong = [line.removeprefix("wrong ") for line in lines if line.startswith("wrong ")]
    return wrong if status == 0 else [*wrong, f"it did not start again: {status} {lines[-3:]}"]


async def _found(home: Path, peer: Path) -> None:
    """A maker whose lines count, and the node that mirrors it."""
    await found(home, "maker", SETUP)
    await found(peer, "peer", MIRROR_SEED)
    async with opened(home, SETUP) as desk:
        await attest(desk, desk.org)
        await publish_line(desk)
        record = make_line(PRODUCT, "00" * 16, desk.org.hex()).to_bytes()
        await desk.ledger.append([drafts.catalog(desk.org, "line", record, NOW)])
        await desk.ledger.publish()


async def _work(home: Path, number: int, pipe: int) -> None:
    """State devices, import some, publish; say what was acknowledged, and be killed at any of it."""
    async with opened(home, number) as desk:
        running = asyncio.create_task(desk.jobs.run())
        for round_ in range(ROUNDS):
            said = [_device(desk, number, round_ * A_ROUND + n) for n in range(A_ROUND)]
            for entry in await desk.ledger.append(said):
                os.write(pipe, f"said {entry.seq} {entry.fragment.id.hex()}\n".encode())
            if round_ == 0:
                rows = meter_rows(ROWS, number)
                job = await desk.production.submit(production_file(rows), "p.csv", "test")
                os.write(pipe, f"job {job}\n".encode())
            await desk.ledger.publish()
        with desk.core.bus.listen() as news:
            while (await desk.jobs.get(job)).state in OPEN:
                await news.get()
        await ended(running)
        await desk.ledger.publish()


async def _inspect(home: Path, peer: Path, number: int, known: Acknowledged, pipe: int) -> None:
    """Start again, let what was taken end, and compare with what was acknowledged and with the mirror."""
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(opened(home, number + MIRROR_SEED // 2))
        other = await stack.enter_async_context(opened(peer, number + MIRROR_SEED))
        wrong = [
            *[text for job in known.jobs[-2:] async for text in _job_faults(desk, job)],
            *await _log_faults(desk, known),
            *await _mirror_faults(desk, other),
            *await _store_faults(desk),
        ]
    for text in wrong:
        os.write(pipe, f"wrong {text}\n".encode())


async def _job_faults(desk: Desk, job_id: str) -> Any:  # Any: an asynchronous generator of texts
    job: Job = await desk.finish(job_id)
    if job.state != "done" or job.result.get("accepted") != ROWS:
        yield f"job {job_id}: {job.state}, {job.result.get('accepted')} of {ROWS} rows"


async def _log_faults(desk: Desk, known: Acknowledged) -> list[str]:
    async with desk.core.database.read() as tx:
        own = await list_logs(tx, own=True)
        log = own[-1]
        entries = await entries_between(tx, log.no, 0, log.size)
        rows = await tx.all(select(schema.journal.c.detail).where(schema.journal.c.what == "log_opened"))
    opened_logs = [json.loads(row.detail)["reason"] for row in rows]
    wrong = [] if opened_logs == ["first"] and len(own) == 1 else [f"logs were opened: {opened_logs}"]
    held = {seq: entry.to_fragment().id.hex() for seq, entry in entries.items()}
    lost = [seq for seq, said in known.said.items() if held.get(seq) != said]
    wrong += [f"acknowledged, and missing or another: {lost[:5]}"] if lost else []
    bad = [seq for seq, entry in entries.items() if decode_header(entry.header, log.log, seq).seq != seq]
    return wrong + ([f"in a wrong place: {bad}"] if bad or len(entries) != log.size else [])


async def _mirror_faults(desk: Desk, other: Desk) -> list[str]:
    """Level the mirror; that it can is most of the check."""
    await mirror(desk, other)
    async with desk.core.database.read() as tx:
        log = await desk.ledger.stored(tx)
        mine = await entries_between(tx, log.no, 0, log.size)
    async with other.core.database.read() as tx:
        held = await find_log(tx, log.log)
        assert held is not None
        theirs = await entries_between(tx, held.no, 0, held.size)
    ids = [{seq: entry.to_fragment().id for seq, entry in found.items()} for found in (mine, theirs)]
    return [] if ids[0] == ids[1] else ["the mirror holds other entries than the node"]


async def _store_faults(desk: Desk) -> list[str]:
    return [str(found) async for progress in Fsck(desk.core).run() for found in progress.findings]


def _device(desk: Desk, number: int, n: int) -> drafts.Draft:
    serial = f"{number * 100 + n:07d}"
    plate = Plate(mark=MARK, designation=DESIGNATION, serial=serial, year="2025", approvals=(APPROVAL,))
    randomness = desk.core.random.bytes(16)
    claim = desk.projection.world.lines.claim_for(plate, log=desk.ledger.log.log, randomness=randomness)
    return drafts.identity(claim.subject.raw, claim.encode(), plate, desk.core.clock.now())


def _fork(
    work: Callable[..., Coroutine[Any, Any, None]], arm: tuple[Path, Point] | None = None
) -> tuple[int, list[str]]:
    """Do work in a process of its own; its exit code, negative for a signal, and the lines that it said.

    `arm` is the folder whose calls count, and which of them ends the process: at 0 none does, and all are told.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _be_child(work, writing, arm)
    os.close(writing)
    with os.fdopen(reading, errors="replace") as heard:
        lines = heard.read().splitlines()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), lines


def _be_child(work: Callable[..., Coroutine[Any, Any, None]], pipe: int, arm: tuple[Path, Point] | None) -> None:
    """Never returns."""
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if arm is not None:
            folder, point = arm
            kind = [part.encode() for part in point.call]
            ctypes.CDLL(None).kills_arm(os.fsencode(folder), pipe, *kind, ctypes.c_long(point.at), point.how)
        asyncio.run(work(pipe))
        code = 0
    except Exception as error:  # the parent is told
        os.write(pipe, f"error {error!r}\n".encode())
    finally:
        os._exit(code)


def _must(done: tuple[int, list[str]]) -> None:
    assert done[0] == 0, done[1]


def _print_histogram(
    traced: Sequence[Call], outcomes: Sequence[Outcome], said: int, tell: Callable[[str], None]
) -> None:
    """Calls by files by outcomes, and what was acknowledged all along."""
    calls = Counter(traced)
    ends = Counter((one.point.call, one.point.how) for one in outcomes if one.is_killed)
    tell(f"{'call':10} {'file':24} {'traced':>7}" + "".join(f" {how:>7}" for how in HOW))
    for kind in sorted(calls):
        ended_so = "".join(f" {ends[kind, how]:>7}" for how in range(len(HOW)))
        tell(f"{kind[0]:10} {kind[1]:24} {calls[kind]:>7}{ended_so}")
    over, bad = sum(not one.is_killed for one in outcomes), sum(bool(one.wrong) for one in outcomes)
    tell(f"{sum(ends.values())} kills, {over} runs ended before their point")
    tell(f"{said} statements acknowledged, {bad} faults")


if __name__ == "__main__":
    sys.exit(main())
