"""The network server beside plain peers in the same run: frames from gateways to durable readings.

`frames_end_to_end`: three gateways report each uplink of 3,500 meters, one frame a datagram, to a node's own process on
one core; gateways and peers are on the other. A frame is done when its reading stands in the store. `three_readings`:
the same with the frames of a real meter. `pure_path`: parse, look-up, MIC and decryption, beside npm lora-packet.
`downlink_decision`: how long after the window in which copies are collected the answer to a confirmed uplink is
ordered, with a thousand other uplinks a second. `sessions_100k`: a node with as many devices in sessions.
"""

import itertools
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.__main__ import Part
from benchmarks.lora_load import numbered, plan
from benchmarks.lora_network import GATEWAYS, Meter, known_meters, node_with_sessions, resident_mb, running_node
from lora.dedup import WINDOW_US
from lora.frame import DataFrame, decode_frame
from lora.gateway.udp import PullData, PushData, encode_datagram
from lora.identifiers import Eui
from lora.memory import MemorySessionStore
from lora.radio import Heard, LoraRate
from lora.session import match_session, open_payload
from node.demo.processes import NodeProcess
from tests.peers import NPM, Peer, require, start

RUNS, METERS, FRAMES = 5, 3_500, 6
WINDOW = 100
PROMISED, SHARE = 10_000.0, 0.15
SERVER_CORE, LOAD_CORE = 0, 1
SOME, ROUNDS, TIMES = 500, 10, 5.0
BACKGROUND, ASKING, AGAIN, DECIDED_MS = 1_000, 100, 5, 50.0
MANY, START_S, RESIDENT_MB = 100_000, 10.0, 400.0
Json = Any  # Any: what another process tells
WAIT_S = 120.0
BEGUN = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=60)
ECHO = """
import asyncio, sys
class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport): self.transport = transport
    def datagram_received(self, data, address): self.transport.sendto(data[:4], address)
async def main():
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    print(transport.get_extra_info("sockname")[1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def frames_end_to_end(count: int = METERS, each: int = FRAMES, *, is_betar: bool = False) -> Part:
    """Gateway frames a second, of the node and of an echo of the same; raise RuntimeError where one is lost."""
    with _node(count, is_betar=is_betar) as (node, known):
        runs = [_run(node, known, number, each) for number in range(RUNS)]
    rates, echoes = [rate for rate, _ in runs], [echo for _, echo in runs]
    value, share = statistics.median(rates), statistics.median(rate / echo for rate, echo in runs)
    rows: list[tuple[str, ...]] = [
        ("gateway frames a second", f"{value:,.0f}", f"≥ {PROMISED:,.0f}"),
        ("distinct uplinks a second", f"{value / len(GATEWAYS):,.0f}", ""),
        ("echo of the same datagrams, a second", f"{statistics.median(echoes):,.0f}", ""),
        ("share of the echo", f"{share:.3f}", f"≥ {SHARE}"),
    ]
    title = f"{count:,} meters, {len(GATEWAYS)} gateways: frames to durable readings, {3 if is_betar else 1} of each"
    return Part(title, ("what", "value", "promised"), rows, {"runs": rates, "echo": echoes})


def pure_path() -> Part:
    """Frames a second of one core, ours and theirs."""
    require(NPM)
    peer = start(NPM, "lora_packet_peer.cjs")
    known = known_meters(SOME, is_betar=True)
    now = datetime.now(UTC).replace(microsecond=0)
    rounds: list[tuple[float, float]] = []
    try:
        for number in range(RUNS):
            frames = [meter.uplink(1 + number, now) for meter in known]
            rounds.append((_ours(known, frames), _theirs(peer, known, frames, 1 + number)))
    finally:
        peer.close()
    ours, theirs = ([pair[which] for pair in rounds] for which in (0, 1))
    ratio = statistics.median(one / other for one, other in rounds)
    rows: list[tuple[str, ...]] = [
        ("frames a second", f"{statistics.median(ours):,.0f}", ""),
        ("npm lora-packet, frames a second", f"{statistics.median(theirs):,.0f}", ""),
        ("ratio", f"{ratio:.1f}", f"≥ {TIMES}"),
    ]
    heading = ("what", "value", "promised")
    return Part("parse, look up, verify, decrypt", heading, rows, {"ours": ours, "theirs": theirs})


def _ours(known: Sequence[Meter], frames: Sequence[bytes]) -> float:
    store = MemorySessionStore((), [meter.session() for meter in known])
    begun = time.process_time()
    for _ in range(ROUNDS):
        for raw in frames:
            frame = decode_frame.__wrapped__(raw)  # a copy of a frame is no new one
            if not isinstance(frame, DataFrame):
                raise TypeError("not a data frame")
            match = match_session(store.sessions_at(frame.dev_addr), frame)
            if not open_payload(match.session, frame, match.fcnt):
                raise RuntimeError("a frame opened to nothing")
    return ROUNDS * len(frames) / (time.process_time() - begun)


def _theirs(peer: Peer, known: Sequence[Meter], frames: Sequence[bytes], fcnt: int) -> float:
    told = [
        {
            "phy": raw.hex(),
            "dev_addr": str(meter.address),
            "network": meter.network_key.reveal().hex(),
            "application": meter.application_key.reveal().hex(),
            "fcnt": fcnt,
        }
        for meter, raw in zip(known, frames, strict=True)
    ]
    return ROUNDS * len(frames) / float(peer.ask("time", frames=told, rounds=ROUNDS)["seconds"])


def downlink_decision() -> Part:
    """How long the orders took, of five runs; raise RuntimeError where one did not come."""
    with _node(METERS, is_betar=False) as (node, known):
        runs = [_answered(node, known, number) for number in range(RUNS)]
    worst = [sorted(run)[int(len(run) * 0.99)] for run in runs]
    middle = [statistics.median(run) for run in runs]
    rows: list[tuple[str, ...]] = [
        ("median after the window, ms", f"{statistics.median(middle) * 1e3:.1f}", ""),
        ("p99 after the window, ms", f"{statistics.median(worst) * 1e3:.1f}", f"≤ {DECIDED_MS}"),
    ]
    title = f"answers to confirmed uplinks, {BACKGROUND:,} other uplinks a second"
    return Part(title, ("what", "value", "promised"), rows, {"runs": runs})


def _answered(node: NodeProcess, known: Sequence[Meter], number: int) -> list[float]:
    """A gateway hears all the others again and again, and now and then a confirmed frame of one of these."""
    apart, others = known[number * ASKING : (number + 1) * ASKING], known[RUNS * ASKING :]
    at = BEGUN + timedelta(seconds=1 + number)
    counters = range(1 + number * AGAIN, 1 + (number + 1) * AGAIN)
    sent = [meter.uplink(fcnt, at) for fcnt in counters for meter in others]
    every, gateway = len(sent) // ASKING, GATEWAYS[number % len(GATEWAYS)]
    datagrams = [encode_datagram(PullData(0, gateway))]
    for index, phy in enumerate(sent):
        datagrams.append(_pushed(gateway, phy, index))
        if index % every == every // 2 and index // every < ASKING:
            asks = apart[index // every].uplink(1, at, confirmed=True)
            datagrams.append(_pushed(gateway, asks, index))
    told = _load(_door(node), numbered(iter(datagrams)), rate=BACKGROUND)
    taken = [one - WINDOW_US / 1e6 for one in told["taken"]]
    if len(taken) != ASKING:
        raise RuntimeError(f"{len(taken)} of {ASKING} answers were ordered")
    return taken


def sessions_100k() -> Part:
    """Seconds to start, and what is resident then."""
    runs: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory(prefix="passport-bench-") as folder:
        node = node_with_sessions(Path(folder), MANY)
        for _ in range(RUNS):
            begun = time.perf_counter()
            node.start()
            try:
                runs.append((time.perf_counter() - begun, resident_mb(node.pid)))
            finally:
                node.stop()
    seconds, memory = (statistics.median(run[which] for run in runs) for which in (0, 1))
    rows: list[tuple[str, ...]] = [
        ("start, s", f"{seconds:.1f}", f"≤ {START_S}"),
        ("resident, MB", f"{memory:.0f}", f"≤ {RESIDENT_MB}"),
    ]
    return Part(f"a node with {MANY:,} devices in sessions", ("what", "value", "promised"), rows, {"runs": runs})


@contextmanager
def _node(count: int, *, is_betar: bool) -> Iterator[tuple[NodeProcess, list[Meter]]]:
    """A node that runs on its core; this process and the load are on the other."""
    allowed = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory(prefix="passport-bench-") as folder:
        node, known = running_node(Path(folder), count, is_betar=is_betar)
        node.start()
        os.sched_setaffinity(0, {LOAD_CORE})
        for task in Path(f"/proc/{node.pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), {SERVER_CORE})
        try:
            yield node, known
        finally:
            os.sched_setaffinity(0, allowed)
            node.stop()


def _run(node: NodeProcess, known: Sequence[Meter], number: int, each: int) -> tuple[float, float]:
    first = 1 + number * each
    datagrams = numbered(_datagrams(known, range(first, first + each)))
    before = _readings(node)
    begun = time.perf_counter()
    told = _load(_door(node), datagrams)
    wanted = before + sum(meter.values for meter in known) * each
    while (stand := _readings(node)) < wanted and time.perf_counter() - begun < WAIT_S:
        time.sleep(0.05)
    taken = time.perf_counter() - begun
    if stand != wanted or told["lost"]:
        raise RuntimeError(f"{wanted - stand} readings and {told['lost']} answers are missing")
    return len(datagrams) / taken, _echo(datagrams)


def _datagrams(known: Sequence[Meter], counters: range) -> Iterator[bytes]:
    """Each uplink over each gateway; the copies of a frame come one after another."""
    clock = itertools.count(1_000_000, 1_500)
    for fcnt in counters:
        at = BEGUN + timedelta(seconds=fcnt)  # two readings of one second would be one
        for meter in known:
            phy, tick = meter.uplink(fcnt, at), next(clock)
            for nth, gateway in enumerate(GATEWAYS):
                yield _pushed(gateway, phy, tick, nth)


def _pushed(gateway: Eui, phy: bytes, tick: int, nth: int = 0) -> bytes:
    heard = Heard(phy, 868_900_000, LoraRate(7, 125_000), tick & 0xFFFFFFFF, -80.0 - nth, 9.0 - nth)
    return encode_datagram(PushData(0, gateway, (heard,)))


def _door(node: NodeProcess) -> tuple[str, int]:
    host, _, port = node.addresses["radio"].removeprefix("udp://").rpartition(":")
    return host, int(port)


def _load(address: tuple[str, int], datagrams: Sequence[bytes], rate: float = 0.0) -> Json:
    done = subprocess.run(
        ["taskset", "-c", str(LOAD_CORE), sys.executable, "-m", "benchmarks.lora_load"],
        input=plan(address, WINDOW, datagrams, rate),
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout)


def _echo(datagrams: Sequence[bytes]) -> float:
    with subprocess.Popen(
        ["taskset", "-c", str(SERVER_CORE), sys.executable, "-c", ECHO], stdout=subprocess.PIPE, text=True
    ) as peer:
        try:
            port = int(peer.stdout.readline()) if peer.stdout else 0
            return len(datagrams) / float(_load(("127.0.0.1", port), datagrams)["seconds"])
        finally:
            peer.terminate()


def _readings(node: NodeProcess) -> int:
    with closing(sqlite3.connect(f"file:{node.folder}/passport.sqlite?mode=ro", uri=True)) as store:
        return int(store.execute("SELECT count(*) FROM readings").fetchone()[0])


PARTS = {
    "frames_end_to_end": frames_end_to_end,
    "three_readings": partial(frames_end_to_end, is_betar=True),
    "pure_path": pure_path,
    "downlink_decision": downlink_decision,
    "sessions_100k": sessions_100k,
}
