"""How soon a statement of one node is in the passport at an entitled peer: twenty nodes, each a process, on loopback.

One founds a federation that the others join by invitation. It states a device that all may read; each of the others
states one that the founder may read. Then events are recorded, now here and now there, and the passport of the reader
is asked for until it shows each.
"""

import asyncio
import random
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.__main__ import Part
from benchmarks.data import ALONE
from benchmarks.rights_sync import ANY_PORT
from node.api_client import ApiClient, ApiError
from node.demo.processes import NodeProcess, stop_all

NODES, EVENTS = 20, 80  # with who may read it, a device stays small enough for its events to stand in its view
PROMISED_S, WAIT_S, LOOK_EVERY_S = 2.0, 60.0, 0.02


@dataclass(slots=True)
class Member:
    """A node, the way to its API, its organisation, and the device that it stated."""

    node: NodeProcess
    api: ApiClient
    org: str = ""
    device: str = ""
    serial: str = ""
    told: int = field(default=0)  # events of the device


def measure() -> Part:
    """Seconds from the answer that an event was recorded until the reader shows it."""
    with tempfile.TemporaryDirectory(prefix="passport-bench-") as folder:
        down, up = asyncio.run(_measure(Path(folder)))
    rows: list[tuple[str, ...]] = []
    for what, times in (("from one to any of the others", down), ("from any of the others to one", up)):
        p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        rows.append((what, f"{p50:.2f}", f"{p95:.2f}", f"{max(times):.2f}", f"p95 ≤ {PROMISED_S:.0f}"))
    heading = ("a statement travels", "p50 s", "p95 s", "longest", "promised")
    return Part(f"{NODES} nodes, {EVENTS} events", heading, rows, {"down_s": down, "up_s": up})


async def _measure(folder: Path) -> tuple[list[float], list[float]]:
    nodes = [NodeProcess(f"n{n}", folder / f"n{n}", environment=ALONE | ANY_PORT) for n in range(NODES)]
    try:
        for node in nodes:
            await asyncio.to_thread(node.init, name=node.name)
            await asyncio.to_thread(node.start)
        async with AsyncExitStack() as opened:
            members = [
                Member(node, await opened.enter_async_context(ApiClient(node.folder)), serial=f"{number:07}")
                for number, node in enumerate(nodes, 1)
            ]
            await _federate(members)
            founder, others = members[0], members[1:]
            await _share(founder, others)
            for other in others:
                await _share(other, [founder])
            seed, down, up = random.Random(1), [], []
            for _ in range(EVENTS // 2):
                down.append(await _travel_s(founder, seed.choice(others)))
                up.append(await _travel_s(seed.choice(others), founder))
            return down, up
    finally:
        stop_all(nodes)


async def _federate(members: list[Member]) -> None:
    founder, *others = members
    await founder.api.post("/federation", {"name": "Бенчмарк"})
    for other in others:
        text = (await founder.api.post("/invitations"))["text"]
        await other.api.post("/federation/join", {"invitation": text})
    for member in members:
        member.org = (await member.api.get("/node"))["org"]


async def _share(author: Member, readers: list[Member]) -> None:
    """State a device, let others read it, and wait until each of them has it."""
    author.device = (await author.api.post("/plates", {"designation": "ВС-15", "serial": author.serial}))["id"]
    for reader in readers:
        await _until_known(author, reader.org)
        await author.api.post("/shares", {"org": reader.org, "ids": [author.device]})
    for reader in readers:
        await _until_shown(reader, author.device, 0)


async def _travel_s(author: Member, reader: Member) -> float:
    author.told += 1
    day = f"20{10 + author.told // 300:02}-{author.told // 28 % 12 + 1:02}-{author.told % 28 + 1:02}"
    event = {"what": "installed", "where": f"подвал {author.told}", "when": day}
    await author.api.post(f"/passports/{author.device}/events", event)
    begun = time.perf_counter()
    await _until_shown(reader, author.device, author.told)
    return time.perf_counter() - begun


async def _until_known(author: Member, org: str) -> None:
    async with asyncio.timeout(WAIT_S):
        while all(  # noqa: ASYNC110 - another process is waited for
            row["org"] != org for row in (await author.api.get("/organisations"))["items"]
        ):
            await asyncio.sleep(LOOK_EVERY_S)


async def _until_shown(reader: Member, device: str, events: int) -> None:
    async with asyncio.timeout(WAIT_S):
        while await _shown(reader, device) < events:  # noqa: ASYNC110 - another process is waited for
            await asyncio.sleep(LOOK_EVERY_S)


async def _shown(reader: Member, device: str) -> int:
    """How many events of the device the reader shows, -1 where it does not know the device or folds it anew."""
    try:
        view = (await reader.api.get(f"/passports/{device}"))["view"]
        return len(view["events"]) if view else -1
    except ApiError as error:
        if error.code != "passport_unknown":
            raise
        return -1
