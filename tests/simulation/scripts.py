"""The worlds that are played by seed: who takes part, what they do, and what befalls them."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from federation.authority import Attested
from node.passport.fold import fold
from node.passport.sameness import other_sides
from node.passport.view import digest
from node.services.statements import StatementReader
from tests.simulation import hostile
from tests.simulation.evidence import read_ids, read_passports, read_sizes
from tests.simulation.invariants import Outcome
from tests.simulation.machine import Machine
from tests.simulation.network import CALM, ROUGH, Weather
from tests.simulation.story import Story
from tests.simulation.world import ACTOR, World

SETTLED_S = 1800.0
KINDS_OF_MISCHIEF = ("split", "heal", "kill", "power", "tear", "restore")


@dataclass(frozen=True, slots=True)
class Plot:
    """What happens in a world of trade: how many steps, what befalls it and how often, and who means ill."""

    steps: int = 11
    mischief: tuple[str, ...] = KINDS_OF_MISCHIEF
    share: float = 0.4
    others: tuple[str, ...] = ("utility", "service")
    ill: type[hostile.Thief] | None = None
    weather: Weather = ROUGH
    settled_s: float = SETTLED_S
    followers: tuple[str, ...] = ()  # who take of their peers only what they follow

    async def play(self, world: World) -> Outcome:
        """A maker, those who buy and serve, and one who means ill; lines break, machines fall, copies come back."""
        outcome, stranger = await self._begin(world)
        evil = hostile.choose(world, stranger, outcome.honest, self.ill)
        mischief = Mischief(world, outcome, self.mischief)
        world.network.weather = self.weather
        for name in self.followers:
            await narrow(world.machines[name])
        for step in range(self.steps):
            await outcome.story.go_on()
            for name in self.followers:
                await outcome.story.follow(world.machines[name])
            await asyncio.sleep(world.chance.uniform(0.0, 20.0))
            if world.chance.random() < self.share:
                await mischief.befall()
            if step % 2:
                await outcome.story.confide()
            if step % 3 == 2:
                await outcome.story.erase()
            if step == self.steps // 3 or world.chance.random() < 0.15:
                await evil.act(outcome.story)
        await mischief.end()
        await outcome.story.open_up()
        await erase(outcome, world.chance)
        try:
            await world.until(lambda: level(outcome.honest), "honest machines hold the same", self.settled_s)
        except AssertionError as error:
            outcome.unsettled = str(error)  # the invariants tell more
        outcome.anew = {machine.name: await machine.do(fold_anew(machine)) for machine in outcome.honest}
        return outcome

    async def _begin(self, world: World) -> tuple[Outcome, Machine]:
        maker = await world.add("maker", "maker")
        others = [await world.add(name, "utility") for name in self.others]
        stranger = await world.add("stranger")
        everybody = [maker, *others, stranger]
        await world.federate(maker, *everybody[1:])
        await world.attest_numbers(maker, everybody)
        await world.attest(maker, maker, Attested.MAKER)
        await world.publish_line(maker)
        await world.until(lambda: level(everybody), "what was attested is everywhere", 900)
        return Outcome(world, Story(world.chance, [maker], others), [maker, *others]), stranger


TRADE = Plot()
EQUIVOCATION = Plot(ill=hostile.Equivocator)
FOLLOWING = Plot(steps=20, followers=("service",))
PLOTS = {"trade": TRADE, "equivocation": EQUIVOCATION, "following": FOLLOWING}


async def narrow(machine: Machine) -> None:
    """Take of every peer only what is followed."""
    for peer in await machine.node.peering.peers():
        await machine.node.sync.following.choose(peer.node, ACTOR, only_followed=True)


async def level(machines: list[Machine]) -> bool | None:
    """Whether machines hold as many root statements, the same published sizes of each log that one of them writes, and
    all that was opened.
    """
    found = [(machine, read_sizes(machine.folder.database)) for machine in machines]
    own = {log: to for _, sizes in found for log, (_, to, is_own) in sizes.logs.items() if is_own}
    if len({sizes.statements for _, sizes in found}) > 1:
        return None
    for machine, sizes in found:
        if any(is_own and size != to for size, to, is_own in sizes.logs.values()):
            return None
        if any(sizes.logs.get(log, (-1,))[0] != to for log, to in own.items()):
            return None
        for other, theirs in found:
            node, there = machine.node.core.node, other.node.core.node
            is_peer = there in sizes.taken and other is not machine
            if is_peer and not sizes.is_given(machine.org, theirs, node, there):
                return None
    return True


async def fold_anew(machine: Machine) -> dict[bytes, bytes]:
    """The digest of each passport as it is folded at once from all that is there, read in the opposite order."""
    node, found = machine.node, dict[bytes, bytes]()
    async with node.core.database.read() as tx:
        reader = await StatementReader.open(tx)
        for lead, members in sorted(read_passports(machine.folder.database).items()):
            said = await reader.about(tx, members)
            said = await reader.about(tx, members | other_sides(said, members))
            found[lead] = digest(fold(members, reversed(said), node.projection.world))
    return found


async def erase(outcome: Outcome, chance: random.Random) -> None:
    """Hand a job in that ends at once; its input is given up with it."""
    machine = chance.choice(outcome.honest)
    jobs, job = machine.node.jobs, chance.randbytes(16).hex()
    sealed = await machine.do(jobs.seal(chance.randbytes(64)))
    outcome.erased.append(sealed)
    await machine.do(jobs.submit_sealed("unheard-of", sealed, 1, "simulator", "", job))
    while (await machine.do(jobs.get(job))).state != "failed":  # noqa: ASYNC110 - time is virtual
        await asyncio.sleep(1)


class Mischief:
    """What befalls machines and lines, without anybody meaning ill."""

    def __init__(self, world: World, outcome: Outcome, kinds: Sequence[str]) -> None:
        self._world = world
        self._outcome = outcome
        self._chance = world.chance
        self._kinds = kinds
        self._copies = 0

    async def befall(self) -> None:
        """One accident; what lies at several machines is noted before."""
        self.note()
        kinds: dict[str, Callable[[Machine], Awaitable[None]]] = {
            "split": self._split,
            "heal": self._heal,
            "kill": self._kill,
            "power": self._power,
            "tear": self._tear,
            "restore": self._restore,
        }
        await kinds[self._chance.choice(self._kinds)](self._chance.choice(self._outcome.honest))

    async def end(self) -> None:
        """Everything is well again."""
        self._world.network.heal()
        self._world.network.weather = CALM
        for machine in self._world.machines.values():
            if not machine.is_up:
                await machine.start()
        self.note()

    def note(self) -> None:
        """What an honest machine acknowledged and another one holds must never be lost from now on."""
        held = {m.name: read_ids(m.folder.database) for m in self._outcome.honest}
        for machine in self._outcome.honest:
            others = set[tuple[bytes, int, bytes]]().union(*(ids for name, ids in held.items() if name != machine.name))
            self._outcome.pulled |= machine.acknowledged & others

    async def _split(self, _machine: Machine) -> None:
        names = sorted(self._world.machines)
        self._chance.shuffle(names)
        cut = self._chance.randint(1, len(names) - 1)
        self._world.network.split(names[:cut], names[cut:])

    async def _heal(self, _machine: Machine) -> None:
        self._world.network.heal()

    async def _kill(self, machine: Machine) -> None:
        await machine.kill()
        await self._rest()
        await machine.start()

    async def _power(self, machine: Machine) -> None:
        await machine.lose_power()
        await self._rest()
        await machine.start()

    async def _tear(self, machine: Machine) -> None:
        machine.arm(self._chance.randint(1, 6), self._chance.random())
        falling = asyncio.ensure_future(machine.torn(60))
        for _ in range(3):
            await self._outcome.story.go_on()
        if await falling:
            await self._rest()
            await machine.start()

    async def _restore(self, machine: Machine) -> None:
        """An old copy of the store comes back after a loss of power; `head` stays where it is."""
        self._copies += 1
        copy = self._world.folder / f"copy-{self._copies}"
        machine.copy(copy, whole=False)
        for _ in range(self._chance.randint(1, 4)):
            await self._outcome.story.go_on()
            await asyncio.sleep(self._chance.uniform(0.5, 10.0))
        self.note()
        if not machine.is_up:
            return
        await machine.lose_power()
        machine.restore(copy)
        if self._chance.random() < 0.5:  # in a basement, where no peer can tell how far its log went
            self._world.network.split([machine.name])
        await machine.start()
        await self._outcome.story.go_on()

    async def _rest(self) -> None:
        await asyncio.sleep(self._chance.uniform(0.0, 120.0))
