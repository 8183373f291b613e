"""A node with a million passports: how long it takes to open, what memory it holds, and how long its doors take.

Against: the same node with the first few thousand devices only.
"""

import asyncio
import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.__main__ import Part
from benchmarks.data import ALONE, sqlite_node
from benchmarks.registry_search import SIZE
from node.api_client import ApiClient
from node.demo.processes import NodeProcess

SMALL = 3_000
ASKED = 10
ASKS: dict[str, tuple[str, dict[str, str]]] = {
    "GET /passports": ("/passports", {}),
    "GET /passports?q=0000100": ("/passports", {"q": "0000100"}),
    "GET /passports/counts": ("/passports/counts", {}),
    "GET /registry": ("/registry", {}),
    "GET /journal": ("/journal", {}),
}


def measure() -> Part:
    """Both nodes."""
    large, small = (_measure(sqlite_node(size)) for size in (SIZE, SMALL))
    rows: list[tuple[str, ...]] = [(what, f"{large[what]:.1f}", f"{small[what]:.1f}") for what in large]
    heading = ("what", f"{SIZE:,} devices", f"{SMALL:,} devices")
    return Part(
        "a node: start in s, memory in MiB, answers in ms (median)", heading, rows, {"large": large, "small": small}
    )


def _measure(folder: Path) -> dict[str, float]:
    node = NodeProcess("bench", folder, environment=ALONE)
    begun = time.perf_counter()
    node.start()
    found = {"start": time.perf_counter() - begun, "memory after start": _memory(node.pid)}
    try:
        first = asyncio.run(_ask(folder, "/passports", {"q": "ВЛФ-15"}))["items"][0]["id"]
        asks = ASKS | {"GET /passports/{id}, signed": (f"/passports/{first}", {})}
        for what, (path, query) in asks.items():
            times: list[float] = []
            for _ in range(ASKED):
                at = time.perf_counter()
                asyncio.run(_ask(folder, path, query))
                times.append((time.perf_counter() - at) * 1e3)
            found[what] = statistics.median(times)
        found["memory after all"] = _memory(node.pid)
    finally:
        node.stop()
    return found


async def _ask(folder: Path, path: str, query: dict[str, str]) -> Any:  # Any: what the API answers
    async with ApiClient(folder) as api:
        return await api.get(path, **query)


def _memory(pid: int) -> float:
    """Resident memory in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024
