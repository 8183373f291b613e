"""Fifty organisations, parted for a day: what each side says meanwhile reaches everybody once the lines are back.

Five are attested members and talk to each other; forty-five joined at one of them. `python -m tests.simulation.apart`
prints what each node asked, answered, moved and keeps.
"""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from node.passport.bodies import Plate
from tests.simulation.evidence import read_ids, read_sizes
from tests.simulation.machine import Machine
from tests.simulation.scripts import level
from tests.simulation.world import ACTOR, World, new_world

MEMBERS, GUESTS = 5, 45
DAY_S = 86_400.0
POLL_S = 30.0  # as shipped
DEVICES = 12
WITHIN_S = 3600.0


@dataclass(frozen=True, slots=True)
class Row:
    """The load of one node."""

    name: str
    asked: int
    answered: int
    bytes_in: int
    bytes_out: int
    logs: int
    entries: int


@dataclass(frozen=True, slots=True)
class Report:
    """How it went: in how many seconds of virtual time everybody held the same after the lines were back."""

    settled_s: float
    apart: int
    rows: tuple[Row, ...]

    def text(self) -> str:
        """A table."""
        head = ("node", "asked", "answered", "kB in", "kB out", "logs", "entries")
        cells = [
            (r.name, r.asked, r.answered, r.bytes_in // 1000, r.bytes_out // 1000, r.logs, r.entries) for r in self.rows
        ]
        lines = [f"{row[0]:<10}" + "".join(f"{cell:>10}" for cell in row[1:]) for row in (head, *cells)]
        total = f"{self.apart} logs differed before the lines were back; all were level {self.settled_s:.0f} s after"
        return "\n".join([*lines, total])


async def part(world: World, members: int = MEMBERS, guests: int = GUESTS, apart_s: float = DAY_S) -> Report:
    """Found, part, speak on both sides, and heal; raise AssertionError where not everybody holds the same then."""
    heads = [await world.add(f"member{number}") for number in range(members)]
    rest = [await world.add(f"guest{number:02}") for number in range(guests)]
    everybody = [*heads, *rest]
    await _meet(world, heads, rest)
    await world.until(lambda: level(everybody), "everybody holds the same", WITHIN_S)
    sides = [heads[::2] + rest[::2], heads[1::2] + rest[1::2]]
    world.network.split(*([machine.name for machine in side] for side in sides))
    devices = [await _speak(world, side, number) for number, side in enumerate(sides)]
    await asyncio.sleep(apart_s)
    apart = _differing(everybody)
    world.network.heal()
    began = world.now_s
    await world.until(lambda: level(everybody), "everybody holds the same after the day apart", WITHIN_S)
    assert all(devices)
    return Report(world.now_s - began, apart, tuple(_row(world, machine) for machine in everybody))


async def _meet(world: World, heads: Sequence[Machine], rest: Sequence[Machine]) -> None:
    """Members join at the first, guests at one of the members; then the anchor attests the members."""
    await world.federate(heads[0], *heads[1:])
    await world.until(lambda: level(list(heads)), "the members know each other", WITHIN_S)
    await world.attest_numbers(heads[0], heads)
    await world.until(lambda: level(list(heads)), "each knows itself a member", WITHIN_S)
    await world.join(*((heads[at % len(heads)], machine) for at, machine in enumerate(rest)))


async def _speak(world: World, side: Sequence[Machine], number: int) -> int:
    """Everybody on a side in turn states a device and lets another of that side read it."""
    for at in range(DEVICES):
        author, reader = side[at % len(side)], side[(at + 1) % len(side)]
        plate = Plate(mark="ДЕМО", designation="ВС-15Д", serial=f"{number}{at:07d}", year="2025")
        subject = await author.do(author.node.registry.register_plate(plate, None, ACTOR))
        await author.do(author.node.registry.share([subject], reader.org, ACTOR))
        await asyncio.sleep(world.chance.uniform(0, 600))
    return DEVICES


def _differing(machines: Sequence[Machine]) -> int:
    """How many logs have another size at one machine than at another."""
    sizes: dict[bytes, set[int]] = {}
    for machine in machines:
        for log, (size, _, _) in read_sizes(machine.folder.database).logs.items():
            sizes.setdefault(log, set()).add(size)
    return sum(len(found) > 1 for found in sizes.values())


def _row(world: World, machine: Machine) -> Row:
    load, held = world.network.load[machine.name], read_sizes(machine.folder.database)
    return Row(
        machine.name,
        load.asked.total(),
        load.answered.total(),
        load.bytes_in.total(),
        load.bytes_out.total(),
        len(held.logs),
        len(read_ids(machine.folder.database)),
    )


def play(members: int = MEMBERS, guests: int = GUESTS, seed: int = 1) -> Report:
    """Play it in a world of that seed."""

    async def script(world: World) -> Report:
        try:
            return await part(world, members, guests)
        finally:
            await world.stop()

    with new_world(seed, keeps_all=False, poll_s=POLL_S) as world:
        return world.loop.run(script(world))


def main() -> int:
    """Play it and print the table."""
    print(play(*map(int, sys.argv[1:3])).text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
