"""A sync in which nothing is new: two nodes share a thousand logs, and one asks the other whether there is more.

Every byte that crosses the connection is counted by a relay between them: HTTP with its headers, and TLS around it.
"""

import asyncio
import random
import re
import statistics
import tempfile
import time
from pathlib import Path

import aiohttp

from benchmarks.__main__ import Part, figure
from benchmarks.counting_relay import Relay, counting_relay
from benchmarks.data import ALONE
from benchmarks.fold import BEGIN_US, Author
from federation.checkpoint import Checkpoint, sign_checkpoint
from node.api_client import ApiClient
from node.clock import SystemClock
from node.demo.processes import HOST, NodeProcess, free_ports, stop_all
from node.folder import NodeFolder
from node.passport import drafts
from node.passport.bodies import ParameterRow, ParametersBody, Reference
from node.store.database import Database
from node.store.fragments import insert_entries
from node.store.logs import insert_checkpoint, insert_log, set_size
from node.store.migrate import upgrade
from node.store.organisations import insert_statements
from node.store.trees import append_leaves

LOGS, TURNS, POLL_S, NEVER_S, WAIT_S = 1_000, 5, 1.0, 3_600.0, 600.0  # an idle peer is asked ever more rarely
ANSWERS = re.compile(rb'^passport_federation_answers_total\{what="\w+"\} (\S+)$', re.MULTILINE)
PROMISED_BYTES = 1_000
VALUE = ParametersBody(rows=(ParameterRow(code=Reference(central="volume"), value="12.5"),))
Turn = tuple[int, int, int]  # round trips, bytes asked, bytes answered
ANY_PORT = {"PASSPORT_FEDERATION__PORT": "0", "PASSPORT_WEB__PORT": "0"}


def measure() -> Part:
    """Round trips and bytes of one sync, median of five."""
    with tempfile.TemporaryDirectory(prefix="passport-bench-") as folder:
        turns, took_s = asyncio.run(_measure(Path(folder)))
    trips, sent, received = (statistics.median(side) for side in zip(*turns, strict=True))
    rows: list[tuple[str, ...]] = [
        ("round trips", figure(trips), "1"),
        ("bytes on the wire", figure(sent + received), f"≤ {PROMISED_BYTES:,}"),
        ("of them asked, answered", f"{sent:.0f}, {received:.0f}", ""),
        ("the first sync, which takes all of them, s", f"{took_s:.1f}", ""),
    ]
    figures = {"turns": turns, "first_s": took_s}
    return Part(f"a sync of {LOGS:,} shared logs with nothing new", ("what", "value", "promised"), rows, figures)


async def _measure(folder: Path) -> tuple[list[Turn], float]:
    one, other = (
        NodeProcess(name, folder / name, environment=ALONE | ANY_PORT | {"PASSPORT_FEDERATION__POLL_S": str(poll_s)})
        for name, poll_s in (("one", NEVER_S), ("other", POLL_S))
    )
    for node in (one, other):
        await asyncio.to_thread(node.init, name=node.name)
    await _fill(one.folder)
    async with counting_relay() as relay:
        try:
            (relay.to,) = free_ports(1)
            told = {
                "PASSPORT_FEDERATION__URL": f"https://{HOST}:{relay.port}",
                "PASSPORT_FEDERATION__PORT": str(relay.to),
            }
            await asyncio.to_thread(one.start, told)
            await asyncio.to_thread(other.start)
            begun = time.perf_counter()
            await _join(one, other)
            await _until_level(other)
            took_s = time.perf_counter() - begun
            await asyncio.sleep(3 * POLL_S)  # what the joining brought is told of once more
            return await _quiet_turns(relay, one.folder), took_s
        finally:
            stop_all([one, other])


async def _fill(folder: Path) -> None:
    """Store a log of one entry of each of a thousand organisations, as if it had been mirrored."""
    database = Database(NodeFolder(folder).url(), SystemClock())
    await upgrade(database)
    seed = random.Random(1)
    async with database.write() as tx:
        for n in range(LOGS):
            author = Author(f"author {n}", seed)
            author.say(drafts.parameters(seed.randbytes(16), VALUE, BEGIN_US), BEGIN_US)
            await insert_statements(tx, author.chain)
            log = await insert_log(tx, author.statement, own=False)
            await insert_entries(tx, log.no, author.entries)
            tree = await append_leaves(tx, log.no, 0, [entry.fragment.leaf for entry in author.entries])
            await set_size(tx, log, tree.size)
            note = sign_checkpoint(author.key, Checkpoint(log.log, tree.size, tree.root()))
            await insert_checkpoint(tx, log.no, tree.size, tree.root(), note)
    await database.close()


async def _join(one: NodeProcess, other: NodeProcess) -> None:
    async with ApiClient(one.folder) as api:
        await api.post("/federation", {"name": "Бенчмарк"})
        text = (await api.post("/invitations"))["text"]
    async with ApiClient(other.folder) as api:
        await api.post("/federation/join", {"invitation": text})


async def _until_level(node: NodeProcess) -> None:
    """Wait until a node has as many logs as its peer, and nothing is left to take."""
    async with asyncio.timeout(WAIT_S), ApiClient(node.folder) as api:
        while True:
            (peer,) = (await api.get("/peers"))["items"]
            if peer["to_take"] == peer["to_give"] == 0:
                return
            await asyncio.sleep(0.2)


async def _quiet_turns(relay: Relay, folder: Path) -> list[Turn]:
    """What each of the next turns took: only the other node asks, and between two of its turns all has crossed."""
    turns: list[Turn] = []
    before = await _count(relay, folder)
    async with asyncio.timeout(WAIT_S):
        while len(turns) < TURNS:
            await asyncio.sleep(POLL_S / 10)
            if (now := await _count(relay, folder))[0] == before[0]:
                continue
            await asyncio.sleep(POLL_S / 4)  # the rest of the answer
            now = await _count(relay, folder)
            turns.append((now[0] - before[0], now[1] - before[1], now[2] - before[2]))
            before = now
    return turns


async def _count(relay: Relay, folder: Path) -> Turn:
    """Questions that the asked node has answered, and what crossed until now."""
    connector = aiohttp.UnixConnector(str(NodeFolder(folder).socket))
    async with aiohttp.ClientSession("http://node", connector=connector) as session, session.get("/metrics") as answer:
        answers = sum(float(found) for found in ANSWERS.findall(await answer.read()))
    return round(answers), relay.sent, relay.received
