"""What nodes cost each other that have nothing to say, and how soon those that were parted meet again."""

import asyncio

import pytest

from node.passport.bodies import Plate
from tests.simulation.machine import Machine
from tests.simulation.scripts import level
from tests.simulation.world import World, new_world

pytestmark = pytest.mark.slow

DAY_S = 86_400.0
SHIPPED_POLL_S = 30.0
OTHERS = 4


async def member_and_others(world: World, others: int) -> list[Machine]:
    """An anchor and those who joined it, attested, level, and connected for a while."""
    machines = [await world.add(f"member{number}") for number in range(others + 1)]
    await world.federate(*machines)
    await world.attest_numbers(machines[0], machines)
    await world.until(lambda: level(machines), "everybody knows everybody", 900)
    await asyncio.sleep(600)
    return machines


def test_connected_nodes_ask_ever_more_rarely_while_nothing_happens() -> None:
    """Of a quiet day a peer is asked some sixty times, and what is said then is there within a second."""

    async def script(world: World) -> tuple[int, float]:
        machines = await member_and_others(world, 1)
        load = world.network.load["member1"]
        before = load.asked.total() + world.network.load["member0"].asked.total()
        await asyncio.sleep(DAY_S)
        asked = load.asked.total() + world.network.load["member0"].asked.total() - before
        began = world.now_s
        await world.publish_line(machines[0])
        await world.until(lambda: level(machines), "the line is there", 60)
        await world.stop()
        return asked, world.now_s - began

    with new_world(1, keeps_all=False, poll_s=SHIPPED_POLL_S) as world:
        asked, seconds = world.loop.run(script(world))

    assert 48 <= asked <= 150
    assert seconds <= 4  # the look itself takes two


def test_nodes_that_were_parted_for_a_day_all_meet_again_once_one_does() -> None:
    """Who is away is dialled every ten minutes at last; the first that answers lets all others be dialled at once."""

    async def script(world: World) -> tuple[int, float]:
        machines = await member_and_others(world, 5)
        lone, rest = machines[-1], machines[:-1]
        world.network.split([lone.name], [machine.name for machine in rest])
        await asyncio.sleep(DAY_S)
        tried = world.network.load[lone.name].tried.total()
        world.network.heal()

        async def met(count: int) -> bool | None:
            return len(lone.node.hub.nodes) >= count or None

        await world.until(lambda: met(1), "one is met", 900)
        first = world.now_s
        await world.until(lambda: met(len(rest)), "all are met", 900)
        await world.stop()
        return tried, world.now_s - first

    with new_world(2, keeps_all=False, poll_s=SHIPPED_POLL_S) as world:
        tried, seconds = world.loop.run(script(world))

    assert tried <= 5 * (6 * 24 * 2 + 24 * 4)  # of five peers: dialled each five to ten minutes, asked twice an hour
    assert seconds <= 30


def test_statement_costs_each_node_a_question_whoever_tells_of_it() -> None:
    """Who has a log as far as another says asks nothing: all tell each other, and nobody asks again."""

    async def script(world: World) -> tuple[int, int]:
        machines = await member_and_others(world, OTHERS)

        def asked() -> int:
            return sum(world.network.load[machine.name].asked["heads"] for machine in machines)

        before, told = asked(), machines[0].node.sync.exchanges
        plate = Plate(mark="ДЕМО", designation="ВС-15Д", serial="00000001", year="2025")
        await machines[0].do(machines[0].node.registry.register_plate(plate, None, "test"))
        await world.until(lambda: level(machines), "the plate is everywhere", 60)
        await asyncio.sleep(10)
        told = machines[0].node.sync.exchanges - told
        await world.stop()
        return asked() - before, told

    with new_world(3, keeps_all=False, poll_s=SHIPPED_POLL_S) as world:
        asked, told = world.loop.run(script(world))

    assert asked <= OTHERS + 1  # one may have asked already when the first told of it
    assert told >= OTHERS  # the author knows how far each of them has it


def test_member_that_only_dials_out_is_heard_by_every_member_that_it_dials() -> None:
    """With the one away at whom it joined, what it says reaches another member on the connection that it dialled."""

    async def script(world: World) -> float:
        anchor, other = [await world.add(name) for name in ("anchor", "other")]
        hidden = await world.add("hidden", more="dial_out_only = true")
        await world.federate(anchor, other, hidden)
        await world.attest_numbers(anchor, [anchor, other, hidden])
        await world.until(lambda: level([anchor, other, hidden]), "everybody knows everybody", 900)
        await asyncio.sleep(600)
        world.network.split(["anchor"], ["other", "hidden"])
        began = world.now_s
        plate = Plate(mark="ДЕМО", designation="ВС-15Д", serial="00000001", year="2025")
        await hidden.do(hidden.node.registry.register_plate(plate, None, "test"))
        await world.until(lambda: level([other, hidden]), "the other has it", 600)
        took = world.now_s - began
        await world.stop()
        return took

    with new_world(4, keeps_all=False, poll_s=SHIPPED_POLL_S) as world:
        assert world.loop.run(script(world)) <= 4  # the look itself takes two
