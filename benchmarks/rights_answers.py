"""`GET /api/v1/passports/{id}` of 25 fragments with a token that may read, asked of a node in a process of its own.

Against: one aiohttp handler in a process of its own, in the same runs over as many connections, that answers nothing,
and one that answers as many bytes, a thousand answers in turn as the node does.
"""

import asyncio
import os
import random
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.__main__ import RUNS, Part, figure
from benchmarks.data import ALONE
from benchmarks.http_load import Taken, get, load_at_rate, load_in_turn
from benchmarks.passports_data import SIGNED, passports_node, subject_no
from benchmarks.plain_server import plain_server
from benchmarks.registry_search import SIZE
from node.api_client import ApiClient
from node.demo.processes import NodeProcess
from node.passport.ids import SubjectId, format_device_id

CONNECTIONS = 16
ASKED, ASKED_COLD = 5 * SIGNED, 3_000
HOT_BAR, COLD_BAR, COLD_P99_MS = 0.3, 0.05, 20
TICKS = os.sysconf("SC_CLK_TCK")
EMPTY, SAME, HOT, COLD, DISK = "nothing answered", "as many bytes answered", "hot", "cold", "cold, file not in memory"


@dataclass(slots=True)
class Server:
    """One who is asked: its port and pid, and of each run answers a second and microseconds of its processor."""

    port: int
    pid: int
    rates: list[float] = field(default_factory=list)
    work_us: list[float] = field(default_factory=list)

    async def ask(self, requests: Sequence[bytes]) -> Taken:
        """Ask it all of that at once, and note how it did."""
        begun = _work_s(self.pid)
        taken = await load_in_turn(self.port, requests, CONNECTIONS)
        self.rates.append(taken.rate)
        self.work_us.append((_work_s(self.pid) - begun) / len(requests) * 1e6)
        return taken


def measure() -> Part:
    """Every kind of asking in every run, one after another."""
    return asyncio.run(_measure(passports_node(SIZE)))


async def _measure(folder: Path) -> Part:
    with _node(folder) as (port, pid):
        token = await _token(folder)
        (size,) = (await load_in_turn(port, [_asking(token, 0)], 1)).sizes
        with plain_server(size, SIGNED) as (plain, plain_pid):
            servers = {
                **{name: Server(plain, plain_pid) for name in (EMPTY, SAME)},
                **{name: Server(port, pid) for name in (HOT, COLD, DISK)},
            }
            for run in range(RUNS):
                await _run(servers, token, folder, random.Random(run))
        late_ms = await _late_ms(servers, token)
    return _part(servers, late_ms, size)


async def _run(servers: dict[str, Server], token: str, folder: Path, seed: random.Random) -> None:
    await servers[EMPTY].ask([get("/empty")] * ASKED)
    await servers[SAME].ask([get(f"/{n % SIGNED}") for n in range(ASKED)])
    await _warm(servers[HOT], token)
    await servers[HOT].ask([_asking(token, n % SIGNED) for n in range(ASKED)])
    await servers[COLD].ask([_asking(token, seed.randrange(SIZE)) for _ in range(ASKED_COLD)])
    _put_out_of_memory(folder / "passport.sqlite")
    await servers[DISK].ask([_asking(token, seed.randrange(SIZE)) for _ in range(ASKED_COLD)])


async def _warm(server: Server, token: str) -> None:
    """Ask for each once: what was asked for in between has put them out of the node's memory."""
    await load_in_turn(server.port, [_asking(token, n) for n in range(SIGNED)], CONNECTIONS)


async def _late_ms(servers: dict[str, Server], token: str) -> dict[str, dict[str, float]]:
    """Milliseconds in which answers come at half of the load that was managed."""
    found: dict[str, dict[str, float]] = {}
    seed = random.Random(RUNS)
    for name, numbers in ((HOT, range(SIGNED)), (COLD, range(SIZE))):
        requests = [_asking(token, seed.choice(numbers)) for _ in range(ASKED_COLD)]
        server = servers[name]
        if name == HOT:
            await _warm(server, token)
        taken = await load_at_rate(server.port, requests, CONNECTIONS, statistics.median(server.rates) / 2)
        found[name] = {f"p{share}": taken.within_s(share / 100) * 1e3 for share in (50, 99)}
    return found


def _part(servers: dict[str, Server], late_ms: dict[str, dict[str, float]], size: int) -> Part:
    rates = {name: statistics.median(server.rates) for name, server in servers.items()}
    work = {name: statistics.median(server.work_us) for name, server in servers.items()}
    bars = {HOT: f"≥ {HOT_BAR}", COLD: f"≥ {COLD_BAR}, p99 ≤ {COLD_P99_MS} ms"}
    rows: list[tuple[str, ...]] = []
    for name, rate in rates.items():
        ratios = [_ratio(servers[name], servers[other]) for other in (EMPTY, SAME)]
        late = " / ".join(f"{ms:.1f}" for ms in late_ms.get(name, {}).values())
        rows.append(
            (name, figure(rate), *(f"{ratio:.2f}" for ratio in ratios), figure(work[name]), late, bars.get(name, ""))
        )
    heading = (
        "what", "answers/s", "of nothing", "of as many bytes", "processor µs", "p50 / p99 ms at half load", "promised",
    )  # fmt: skip
    raw = {name: {"rates": server.rates, "work_us": server.work_us} for name, server in servers.items()}
    title = f"one of {SIZE:,} passports of 25 fragments, {size:,} bytes"
    return Part(title, heading, rows, {"size": size, "of": SIZE, "runs": raw, "late_ms": late_ms})


def _ratio(one: Server, other: Server) -> float:
    """The median of what the runs say: both were asked in each of them."""
    return statistics.median(mine / theirs for mine, theirs in zip(one.rates, other.rates, strict=True))


@contextmanager
def _node(folder: Path) -> Iterator[tuple[int, int]]:
    node = NodeProcess("bench", folder, environment=ALONE)
    node.start()
    try:
        yield int(node.addresses["console"].rpartition(":")[2]), node.pid
    finally:
        node.stop()


async def _token(folder: Path) -> str:
    async with ApiClient(folder) as api:
        return str((await api.post("/tokens", {"name": "bench", "scopes": ["read"]}))["secret"])


def _asking(token: str, number: int) -> bytes:
    return get(f"/api/v1/passports/{format_device_id(SubjectId(subject_no(number)))}", token)


def _put_out_of_memory(path: Path) -> None:
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _work_s(pid: int) -> float:
    """Seconds of a processor that a process has taken, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
