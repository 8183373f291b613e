"""Finding a device anywhere: shipped nodes in virtual time, who announce, refer, and answer by rights."""

from dataclasses import dataclass

from node.passport.bodies import Plate
from node.passport.ids import SubjectId, format_device_id
from node.services.lookup import LookedUp
from tests.simulation.machine import Machine
from tests.simulation.scripts import level
from tests.simulation.world import ACTOR, World, run

WITHIN_S = 3600.0
SERIAL = "00012345"


@dataclass
class Town:
    """A maker, who is the anchor, and utilities that are members."""

    world: World
    maker: Machine
    others: list[Machine]

    async def device(self, machine: Machine, serial: str = SERIAL) -> bytes:
        """State a plate."""
        plate = Plate(mark="ДЕМО", designation="ВС-15Д", serial=serial, year="2025")
        return await machine.do(machine.node.registry.register_plate(plate, None, ACTOR))

    async def told(self) -> None:
        """Let everybody tell the directory's holders."""
        for machine in (self.maker, *self.others):
            assert await machine.node.announcing.tell()


async def town(world: World, count: int = 3) -> Town:
    """Members that know each other."""
    maker = await world.add("maker", "maker")
    others = [await world.add(f"utility{n}") for n in range(count)]
    await world.federate(maker, *others)
    await world.until(lambda: level([maker, *others]), "all know each other", WITHIN_S)
    await world.attest_numbers(maker, [maker, *others])
    await world.until(lambda: level([maker, *others]), "all are members", WITHIN_S)
    return Town(world, maker, others)


async def look(machine: Machine, text: str) -> LookedUp:
    """Look up at one machine."""
    return await machine.do(machine.node.lookup.find(text))


def test_device_of_another_member_is_found_in_two_round_trips() -> None:
    """Who may read it is shown it, proved by its author's signature; who may not learns who holds it."""

    async def script(world: World) -> None:
        here = await town(world)
        utility, stranger, _ = here.others
        await utility.do(utility.node.following.choose(here.maker.node.core.node, ACTOR, only_followed=True))
        subject = await here.device(here.maker)
        await here.maker.do(here.maker.node.registry.share([subject], utility.org, ACTOR))
        await world.until(lambda: level([here.maker, *here.others]), "level", WITHIN_S)
        await here.told()

        for text in (format_device_id(SubjectId(subject)), SERIAL, f"ВС-15Д № {SERIAL}"):
            seen = await look(utility, text)
            assert [(one.subject, one.title, one.source, one.is_proved) for one in seen.found] == [
                (subject, f"ВС-15Д № {SERIAL}", here.maker.org, True)
            ]
            assert seen.elsewhere.rounds <= 2

            held = await look(stranger, text)
            assert held.found == ()
            assert [reply.org for reply in held.elsewhere.keepers] == [here.maker.org]

        nothing = await look(stranger, "99999999")
        assert nothing.found == () == nothing.elsewhere.keepers
        assert not nothing.elsewhere.silent

    run(1, script)
