"""10,000 processes that run, opened through the API of a node of its own, and listed by their term.

Against: the same rows in a table of plain SQLite without an index on the term, read and sorted for each question.
"""

import asyncio
import json
import random
import sqlite3
import statistics
import tempfile
import time
from importlib import resources
from pathlib import Path
from typing import Any

from rich.progress import track

from benchmarks.__main__ import Part
from benchmarks.data import ALONE
from benchmarks.registry_import import fleet
from node.api_client import ApiClient
from node.demo.processes import NodeProcess

COUNT, AT_ONCE, ASKED, PROMISED_MS = 10_000, 500, 40, 50
PORTS = {"PASSPORT_FEDERATION__PORT": "0", "PASSPORT_WEB__PORT": "0"}


def measure() -> Part:
    """Opening, and lists by term."""
    with tempfile.TemporaryDirectory(prefix="passport-bench-") as folder:
        found = asyncio.run(_measure(Path(folder) / "node"))
        plain = _plainly(Path(folder) / "node")
    rows: list[tuple[str, ...]] = [
        (what, f"{p50:.1f}", f"{p95:.1f}", f"{plain / p50:.2f}" if "ms" in what else "", limit)
        for what, (p50, p95, limit) in found.items()
    ]
    heading = ("what", "p50", "p95", "sorting plainly / ours", "promised")
    return Part(f"{COUNT:,} open processes", heading, rows, {"found": found, "plain_ms": plain})


async def _measure(folder: Path) -> dict[str, tuple[float, float, str]]:
    node = NodeProcess("bench", folder, environment=ALONE | PORTS)
    node.init(name="ООО «Сервис»", kind="service")
    node.start()
    try:
        async with ApiClient(folder) as api:
            job = (await api.upload("/imports", fleet(COUNT), kind="fleet", name="fleet.csv"))["job"]
            while (await api.get(f"/jobs/{job}", wait="30"))["state"] in ("waiting", "running"):
                pass
            ids = await _ids(api)
            opened_s = await _open(api, ids)
            found = {"opened, s for each thousand": (opened_s / COUNT * 1000, opened_s / COUNT * 1000, "")}
            middle = await _cursor(api, 20)
            asks: dict[str, dict[str, str]] = {
                "first page, ms": {},
                "deep page, ms": {"cursor": middle},
                "where we act, ms": {"mine": "true"},
                "overdue, ms": {"overdue": "true"},
                "one process and step, ms": {"code": "dispatch_request", "step": "visit"},
            }
            for what, query in asks.items():
                times = [await _timed(api, query) for _ in range(ASKED)]
                found[what] = (statistics.median(times), statistics.quantiles(times, n=20)[-1], f"≤ {PROMISED_MS} ms")
        return found
    finally:
        node.stop()


async def _ids(api: ApiClient) -> list[str]:
    ids: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await api.get("/passports", limit="200", **({"cursor": cursor} if cursor else {}))
        ids += [row["id"] for row in page["items"]]
        cursor = page["next"]
    if len(ids) != COUNT:
        raise RuntimeError(f"{len(ids)} devices of {COUNT}")
    return ids


async def _open(api: ApiClient, ids: list[str]) -> float:
    """Open a process about each, with terms at random; the seconds that it took."""
    raw = (resources.files("node.passport") / "data" / "procedures" / "dispatch_request.json").read_text()
    digest = (await api.post("/procedures", json.loads(raw)))["digest"]
    org, source = (await api.get("/node"))["org"], random.Random(1)
    begun = time.perf_counter()
    for start in track(range(0, COUNT, AT_ONCE), "opening"):
        due = f"2026-{source.randint(1, 12):02}-{source.randint(1, 28):02}"
        body = {"procedure": digest, "ids": ids[start : start + AT_ONCE], "roles": {"executor": org}, "due": due}
        await api.post("/processes", body)
    return time.perf_counter() - begun


async def _cursor(api: ApiClient, pages: int) -> str:
    page: Any = {"next": ""}  # Any: what the API answers
    for _ in range(pages):
        page = await api.get("/processes", limit="200", **({"cursor": page["next"]} if page["next"] else {}))
    return str(page["next"])


async def _timed(api: ApiClient, query: dict[str, str]) -> float:
    begun = time.perf_counter()
    found = await api.get("/processes", **query)
    taken = (time.perf_counter() - begun) * 1e3
    if not found["items"]:
        raise RuntimeError(f"nothing is found by {query}")
    return taken


def _plainly(folder: Path) -> float:
    """Milliseconds in which plain SQLite sorts the same rows and gives the first fifty."""
    with sqlite3.connect(f"file:{folder / 'passport.sqlite'}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT * FROM runs").fetchall()
    plain = sqlite3.connect(":memory:")
    marks = ", ".join("?" * len(rows[0]))
    plain.execute(f"CREATE TABLE runs ({', '.join(f'c{n}' for n in range(len(rows[0])))})")
    plain.executemany(f"INSERT INTO runs VALUES ({marks})", rows)  # noqa: S608 - a count
    times = []
    for _ in range(ASKED):
        begun = time.perf_counter()
        plain.execute("SELECT * FROM runs ORDER BY c13, c0 LIMIT 50").fetchall()
        times.append((time.perf_counter() - begun) * 1e3)
    plain.close()
    return statistics.median(times)


PARTS = {"processes": measure}
