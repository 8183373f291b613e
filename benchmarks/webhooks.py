"""1,000 events to a receiver that refuses half of what it is sent: in order, none lost, each tried until it was taken.

Against: a loop that posts the same bodies to the same receiver in the same order until each is taken, with no store, no
place and no signature. Both try again at once, so that what is measured is work and no waiting. Each run has another
seed of what is refused, the same for both.
"""

import asyncio
import json
import os
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import aiohttp

from benchmarks.__main__ import Measure
from node.app import Node
from node.clock import SystemClock, SystemRandom
from node.folder import NodeFolder
from node.services.access import Actor
from node.services.found import found_node
from node.services.webhooks import NewHook
from node.store.journal import write_each
from node.store.migrate import upgrade
from tests.receivers import Receiver, receiving

EVENTS = 1000
CONFIG = '[node]\nname = "Водоканал"\n[webhooks]\nallow = ["127.0.0.1/32"]\nretry_s = 1e-9\n'
WHAT = "event_recorded"
SUBJECT = bytes(range(16))

Send = Callable[[Receiver], Awaitable[float]]


def through_hooks(run: int) -> float:
    """Events a second from the journal through a webhook."""
    with tempfile.TemporaryDirectory() as folder:
        return EVENTS / asyncio.run(_measure(run, partial(_by_node, Path(folder) / "node")))


def in_a_loop(run: int) -> float:
    """Events a second by the plain loop."""
    return EVENTS / asyncio.run(_measure(run, _by_loop))


async def _measure(run: int, send: Send) -> float:
    chance = random.Random(run)
    async with receiving(lambda _: 500 if chance.random() < 0.5 else 204) as receiver:
        taken_s = await send(receiver)
        events = receiver.events
    if events != sorted(set(events)) or len(events) != EVENTS:
        raise RuntimeError(f"{len(events)} of {EVENTS} events, in order: {events == sorted(set(events))}")
    return taken_s


async def _by_node(folder: Path, receiver: Receiver) -> float:
    clock, source = SystemClock(), SystemRandom()
    await found_node(NodeFolder(folder), CONFIG, clock, source)
    node = Node(folder, clock, source)
    await upgrade(node.core.database)
    await node.webhooks.add(Actor.local(), NewHook(receiver.url, kinds=frozenset({WHAT})))
    sender = asyncio.create_task(node.deliveries.run())
    async with node.core.database.write() as tx:
        last = await write_each(tx, node.core.org, "bench", WHAT, [(SUBJECT, {"n": n}) for n in range(EVENTS)])
        tx.on_commit(lambda: node.core.bus.publish(last))
    begun = time.perf_counter()
    await receiver.until(lambda: len(receiver.taken) == EVENTS)
    taken_s = time.perf_counter() - begun
    sender.cancel()
    await asyncio.gather(sender, return_exceptions=True)
    await node.core.database.close()
    return taken_s


async def _by_loop(receiver: Receiver) -> float:
    begun = time.perf_counter()
    async with aiohttp.ClientSession() as session:
        for n in range(EVENTS):
            data = {"id": n, "what": WHAT, "subject": SUBJECT.hex(), "detail": {"n": n}}
            body = json.dumps({"type": WHAT, "data": data}).encode()
            headers = {"webhook-id": os.urandom(8).hex()}
            while True:
                async with session.post(receiver.url, data=body, headers=headers) as response:
                    if response.status < 300:
                        break
    return time.perf_counter() - begun


MEASURES = [
    Measure(
        f"{EVENTS} events, half of the posts refused", "events/s", "a loop without a store", through_hooks, in_a_loop
    )
]
