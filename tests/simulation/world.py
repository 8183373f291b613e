"""A world: organisations with machines, a network and a workload, all of it from one seed."""

import asyncio
import random
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

import nacl.bindings
import structlog

from federation.authority import Attested
from node.demo.files import PRODUCTS, make_line
from node.passport import drafts
from tests.simulation.disk import Disk
from tests.simulation.loop import VirtualLoop
from tests.simulation.machine import Machine, Surroundings
from tests.simulation.network import Network
from tests.simulation.surroundings import MOST_DRIFT, MOST_SKEW_US, SeededRandom, SkewedClock
from tests.simulation.transcript import Transcript

T = TypeVar("T")

MEMORY = Path("/dev/shm")  # noqa: S108 - files that are never waited for
LOOK_S = 2.0
POLL_S = 60.0
ACTOR = "simulator"
NUMBERS = ("inn:7707083893", "inn:7736050003", "inn:7728168971", "inn:7702070139", "inn:7744001497", "inn:7710140679")


class World:
    """Machines by their names, and what lies between them. `chance` decides what the script of a world decides."""

    def __init__(self, seed: int, folder: Path, *, keeps_all: bool = True, poll_s: float = POLL_S) -> None:
        """`keeps_all` keeps every line and all that was sent; nodes ask peers that are silent each `poll_s`."""
        self.seed = seed
        self.poll_s = poll_s
        self.folder = folder
        self.loop = VirtualLoop(random.Random(f"{seed}/order"))  # type: ignore[abstract]  # what it has not is not asked of it
        self.chance = random.Random(f"{seed}/script")
        self.disk = Disk()
        self.transcript = Transcript(self.loop.time, keeps_lines=keeps_all)
        self.network = Network(random.Random(f"{seed}/network"), self.transcript, keeps_all=keeps_all)
        self.machines: dict[str, Machine] = {}

    @property
    def now_s(self) -> float:
        """Virtual seconds since the beginning."""
        return self.loop.time()

    async def add(self, name: str, kind: str = "utility", *, more: str = "", is_skewed: bool = True) -> Machine:
        """Found an organisation with one node, and start it; its clock is up to three days off and drifts."""
        chance = random.Random(f"{self.seed}/{name}")
        skew, drift = chance.uniform(-MOST_SKEW_US, MOST_SKEW_US), chance.uniform(-MOST_DRIFT, MOST_DRIFT)
        clock = SkewedClock(self.loop, int(skew), drift) if is_skewed else SkewedClock(self.loop)
        around = Surroundings(self.loop, self.network, self.disk, self.transcript)
        machine = Machine(around, self.folder / name, clock, SeededRandom(f"{self.seed}/{name}/random"))
        federation = f"poll_s = {self.poll_s}\ndiscovery = false\n{more}"
        await machine.found({"name": name, "kind": kind, "place": f"г. {name}"}, federation)
        await machine.start()
        self.machines[name] = machine
        return machine

    async def twin(self, of: Machine, copy: Path) -> Machine:
        """Start a second machine from a copy of a whole one: it has the same keys, and believes to be it."""
        around = Surroundings(self.loop, self.network, self.disk, self.transcript)
        name = of.name + "2"
        shutil.copytree(copy, self.folder / name)
        random_ = SeededRandom(f"{self.seed}/{name}/random")
        twin = Machine(around, self.folder / name, SkewedClock(self.loop, of.clock.skew_us), random_, url=of.url)
        await twin.start()
        self.machines[name] = twin
        return twin

    async def federate(self, anchor: Machine, *others: Machine) -> None:
        """Let the anchor found a federation, and the others join it by invitation, all at once."""
        await anchor.node.membership.attesting.found("Модель", ACTOR)
        await self.join(*((anchor, machine) for machine in others))

    async def join(self, *pairs: tuple[Machine, Machine]) -> None:
        """Let the second of each pair join at the first, all at once."""
        invited = [(one, await host.node.membership.invite(ACTOR, days=14)) for host, one in pairs]
        await asyncio.gather(*(one.do(one.node.membership.join(given.to_text(), ACTOR)) for one, given in invited))

    async def attest_numbers(self, anchor: Machine, machines: Sequence[Machine]) -> None:
        """Let the anchor attest a number of each, which makes them members."""
        numbers = zip(machines, NUMBERS, strict=False)
        await asyncio.gather(*(self.attest(anchor, machine, Attested.NUMBER, number) for machine, number in numbers))

    async def attest(self, anchor: Machine, machine: Machine, what: Attested, *rows: str) -> None:
        """Let the anchor say something of an organisation."""
        await anchor.node.membership.attesting.attest(machine.org, what, rows, ACTOR)

    async def publish_line(self, maker: Machine, number: int = 0) -> None:
        """Let a maker publish its serial line."""
        line = make_line(PRODUCTS[number], machine_line(maker.name), maker.org.hex())
        node = maker.node
        await node.ledger.append([drafts.catalog(maker.org, "line", line.to_bytes(), node.core.clock.now())])

    async def until(self, ask: Callable[[], Awaitable[T | None]], what: str, within_s: float = 7200.0) -> T:
        """Ask again and again until there is an answer; raise AssertionError after so much virtual time."""
        ends = self.now_s + within_s
        while (found := await ask()) is None:
            assert self.now_s < ends, f"not within {within_s:.0f} s of virtual time: {what}"
            await asyncio.sleep(LOOK_S)
        return found

    async def stop(self) -> None:
        """End every node that is up."""
        for _, machine in sorted(self.machines.items()):
            if machine.is_up:
                await machine.stop()


@contextmanager
def new_world(seed: int, *, keeps_all: bool = True, poll_s: float = POLL_S) -> Iterator[World]:
    """A world in memory; nothing of it is left when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="simulation-", dir=MEMORY if MEMORY.is_dir() else None))
    before = structlog.get_config()
    world = World(seed, folder, keeps_all=keeps_all, poll_s=poll_s)
    structlog.configure(processors=[world.transcript.logged], cache_logger_on_first_use=False)
    try:
        with world.disk.watched(), _remembered("crypto_sign_open"), _remembered("crypto_scalarmult"):
            yield world
    finally:
        structlog.configure(**before)
        shutil.rmtree(folder, ignore_errors=True)


def run(seed: int, script: Callable[[World], Awaitable[T]], *, keeps_all: bool = True) -> tuple[T, World]:
    """Play a script in a world of that seed to its end, and end the world."""

    async def play(world: World) -> T:
        try:
            return await script(world)
        finally:
            await world.stop()

    with new_world(seed, keeps_all=keeps_all) as world:
        return world.loop.run(play(world)), world


@contextmanager
def _remembered(name: str) -> Iterator[None]:
    """Work out a pure function of the library once for all machines: all of them check the same signatures."""
    with patch.object(nacl.bindings, name, _MEMORY.setdefault(name, lru_cache(1 << 16)(getattr(nacl.bindings, name)))):
        yield


_MEMORY: dict[str, Callable[..., bytes]] = {}


def machine_line(name: str) -> str:
    """The id of a machine's serial line."""
    return SeededRandom(f"line/{name}").bytes(16).hex()
