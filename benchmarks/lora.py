"""The network server beside plain peers in the same run: frames from gateways to durable readings.

`frames_end_to_end`: three gateways report each uplink of 3,500 meters, one frame a datagram, to a node's own process on
one core; gateways and peers are on the other. A frame is done when its reading stands in the store.
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
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from benchmarks.__main__ import Part
from benchmarks.lora_load import numbered, plan
from benchmarks.lora_network import GATEWAYS, Meter, running_node
from lora.gateway.udp import PushData, encode_datagram
from lora.radio import Heard, LoraRate
from node.demo.processes import NodeProcess

RUNS, METERS, FRAMES = 5, 3_500, 6
WINDOW = 100
PROMISED, SHARE = 10_000.0, 0.15
SERVER_CORE, LOAD_CORE = 0, 1
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
    with tempfile.TemporaryDirectory(prefix="passport-bench-") as folder:
        node, known = running_node(Path(folder), count, is_betar=is_betar)
        node.start()
        os.sched_setaffinity(node.pid, {SERVER_CORE})
        try:
            runs = [_run(node, known, number, each) for number in range(RUNS)]
        finally:
            node.stop()
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


def _run(node: NodeProcess, known: Sequence[Meter], number: int, each: int) -> tuple[float, float]:
    first = 1 + number * each
    datagrams = numbered(_datagrams(known, range(first, first + each)))
    before = _readings(node)
    host, _, port = node.addresses["radio"].removeprefix("udp://").rpartition(":")
    begun = time.perf_counter()
    told = _load((host, int(port)), datagrams)
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
                heard = Heard(phy, 868_900_000, LoraRate(7, 125_000), tick & 0xFFFFFFFF, -80.0 - nth, 9.0 - nth)
                yield encode_datagram(PushData(0, gateway, (heard,)))


def _load(address: tuple[str, int], datagrams: Sequence[bytes]) -> dict[str, float]:
    done = subprocess.run(
        ["taskset", "-c", str(LOAD_CORE), sys.executable, "-m", "benchmarks.lora_load"],
        input=plan(address, WINDOW, datagrams),
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, float] = json.loads(done.stdout)
    return told


def _echo(datagrams: Sequence[bytes]) -> float:
    with subprocess.Popen(
        ["taskset", "-c", str(SERVER_CORE), sys.executable, "-c", ECHO], stdout=subprocess.PIPE, text=True
    ) as peer:
        try:
            port = int(peer.stdout.readline()) if peer.stdout else 0
            return len(datagrams) / _load(("127.0.0.1", port), datagrams)["seconds"]
        finally:
            peer.terminate()


def _readings(node: NodeProcess) -> int:
    with closing(sqlite3.connect(f"file:{node.folder}/passport.sqlite?mode=ro", uri=True)) as store:
        return int(store.execute("SELECT count(*) FROM readings").fetchone()[0])


PARTS = {"frames_end_to_end": frames_end_to_end, "three_readings": partial(frames_end_to_end, is_betar=True)}
