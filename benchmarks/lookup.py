"""Looking up devices that another organisation keeps: two processes on loopback, each device asked for once.

Against: a look-up of the same kind in the store of the node that has them, and one bare round trip over TLS to the same
federation port, which is refused unsigned. Promised is the local figure, one round trip and 10 ms.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.__main__ import Part
from node.api_client import ApiClient
from node.demo.files import SERIAL_AT
from tests.trade import Trade, meters, trading

DEVICES, ASKED, MORE_MS = 400, 200, 10.0
UNLIMITED = {
    "PASSPORT_FEDERATION__LOOKUPS_DAY": "1000000",
    "PASSPORT_FEDERATION__ANNOUNCE_S": "0",
    "PASSPORT_FEDERATION__LIMITS__LOOKUPS_S": "100000",
    "PASSPORT_FEDERATION__LIMITS__LOOKUPS_BURST": "100000",
}
Ask = Callable[[str], Awaitable[Any]]  # Any: what was answered


def measure() -> Part:
    """Make the devices, share half of them, and ask."""
    rows = meters(DEVICES)
    serials = [row[SERIAL_AT] for row in rows]
    with (
        tempfile.TemporaryDirectory(prefix="passport-bench-") as folder,
        trading(Path(folder), "utility", **UNLIMITED) as trade,
    ):
        node = trade.call("maker", "get", "/node")["node"]
        trade.call("utility", "post", f"/peers/{node}/choice", {"only_followed": True})
        trade.produce(rows)
        shared = {str(row["title"]).rpartition(" ")[2]: row["id"] for row in _all(trade)[:ASKED]}
        trade.call("maker", "post", "/shares", {"org": trade.orgs["utility"], "ids": [*shared.values()]})
        trade.until("announced", lambda: _is_announced(trade, serials[-1]))
        times = asyncio.run(_measure(trade, [*shared], [s for s in serials if s not in shared]))
    local, trip = times["here"], times["round trip"]
    table: list[tuple[str, ...]] = [
        (
            what,
            f"{statistics.median(some):.2f}",
            f"{statistics.quantiles(some, n=20)[-1]:.2f}",
            _limit(what, local, trip),
        )
        for what, some in times.items()
    ]
    return Part("look-up", ("what", "p50, ms", "p95, ms", "promised"), table, dict(times))


def _all(trade: Trade) -> list[Any]:
    items: list[Any] = []
    page = trade.call("maker", "get", "/passports", limit="200")
    while True:
        items += page["items"]
        if page["next"] is None:
            return items
        page = trade.call("maker", "get", "/passports", limit="200", cursor=page["next"])


def _is_announced(trade: Trade, serial: str) -> bool:
    asked = trade.call("utility", "get", "/lookup", q=serial, anew="true")["asked"]
    rows = trade.call("utility", "get", "/lookup/announcers")["items"]
    return bool(asked) and any(row["marks"] >= 3 * DEVICES for row in rows)


async def _measure(trade: Trade, shared: list[str], kept: list[str]) -> dict[str, list[float]]:
    async with (
        ApiClient(trade.nodes["maker"].folder) as maker,
        ApiClient(trade.nodes["utility"].folder) as utility,
        aiohttp.ClientSession() as session,
    ):
        url = str(trade.nodes["maker"].addresses["federation"]) + "/fed/1/lookup"

        async def trip(_: str) -> None:
            async with session.get(url, ssl=False) as response:
                await response.read()

        return {
            "here": await _timed(shared, lambda text: maker.get("/lookup", q=text)),
            "round trip": await _timed(shared[:50], trip),
            "at another, who shares it": await _timed(shared, lambda text: utility.get("/lookup", q=text)),
            "at another, who keeps it": await _timed(kept[:ASKED], lambda text: utility.get("/lookup", q=text)),
        }


async def _timed(texts: list[str], ask: Ask) -> list[float]:
    times = []
    for text in texts:
        began = time.perf_counter()
        await ask(text)
        times.append((time.perf_counter() - began) * 1000)
    return times


def _limit(what: str, local: list[float], trip: list[float]) -> str:
    if not what.startswith("at another"):
        return ""
    return f"p50 ≤ {statistics.median(local) + statistics.median(trip) + MORE_MS:.2f}"


PARTS = {"look-up": measure}
