"""What was erased stays so though an older copy of a store comes back, with peers at hand or without."""

import asyncio
import json
import sqlite3
from io import BytesIO
from pathlib import Path

import pytest

from federation.authority import Attested, Kind, Verb
from federation.fragment import Ref, SectionClass
from node.passport import drafts
from node.passport.bodies import ErasureGround, PersonBody
from node.passport.drafts import OPEN_CLASSES, Draft
from node.passport.references import ref_text
from node.services.catching_up import CAUGHT_UP
from node.services.grants import Terms
from node.services.ledger import entry_ref
from node.store.passports import find_passport
from node.store.settings import find_setting
from tests.simulation.evidence import rows_with
from tests.simulation.machine import Machine
from tests.simulation.scripts import level
from tests.simulation.story import Story
from tests.simulation.world import ACTOR, World, new_world

pytestmark = pytest.mark.slow

NAME = "Иванова Мария Петровна"
CANARY = NAME.encode()
SHOWN, HELD_BACK = ('"name": "person", "present": ' + present for present in ("true", "false"))


class Confided:
    """A world of a maker that told a name in a device's passport and let a utility read it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.maker: Machine
        self.utility: Machine
        self.subject = b""
        self.ref = Ref(b"", 0, b"")

    async def begin(self, *, is_skewed: bool = True) -> None:
        """The name lies at both."""
        world = self.world
        self.maker = await world.add("maker", "maker", is_skewed=is_skewed)
        self.utility = await world.add("utility", is_skewed=is_skewed)
        await world.federate(self.maker, self.utility)
        await world.attest_numbers(self.maker, [self.maker, self.utility])
        await world.publish_line(self.maker)
        story = Story(world.chance, [self.maker], [self.utility])
        await story.make()
        self.subject, node = story.devices[0].subject, self.maker.node
        person = drafts.section("person", PersonBody(name=NAME), SectionClass.PERSONAL)
        (said,) = await node.ledger.append([Draft(Kind.EVENT, (self.subject,), node.core.clock.now(), (person,))])
        self.ref = entry_ref(node.ledger.log.log, said)
        terms = Terms(self.utility.org, Verb.READ, (self.subject,), (*OPEN_CLASSES, 4))
        await self.maker.do(node.grants.give(terms, ACTOR))
        await world.until(self.is_at_both, "the name is at both")

    async def is_at_both(self) -> bool | None:
        """Whether both hold the name."""
        return all(self.holds(machine) for machine in (self.maker, self.utility)) or None

    async def is_at_none(self) -> bool | None:
        """Whether nobody holds it."""
        return not any(self.holds(machine) for machine in (self.maker, self.utility)) or None

    async def is_level(self) -> bool | None:
        """Whether both hold the same."""
        return await level([self.maker, self.utility])

    async def is_acknowledged(self) -> bool | None:
        """Whether nobody is waited for who was given the name."""
        (asked,) = await self.maker.node.erasures.list()
        (row,) = asked.rows
        return (len(row.holders) == 1 and not row.waiting) or None

    async def erase(self) -> None:
        """Ask for it."""
        rows = [(ref_text(self.ref), "person")]
        await self.maker.do(self.maker.node.erasures.ask(rows, ErasureGround.CONSENT, ACTOR))

    async def erase_after_a_copy(self) -> Path:
        """Copy the author's store, erase at both, and let the author lose its power; answer the copy."""
        copy = self.world.folder / "copy"
        self.maker.copy(copy, whole=False)
        await self.erase()
        await self.world.until(self.is_acknowledged, "it is acknowledged")
        await self.maker.lose_power()
        return copy

    def holds(self, machine: Machine) -> bool:
        """Whether a store has the name in any row."""
        return bool(rows_with(machine.folder.database, CANARY))

    async def sections(self, machine: Machine) -> str:
        """What a machine's passport tells of the sections of its statements."""
        async with machine.node.core.database.read() as tx:
            passport = await find_passport(tx, self.subject)
        assert passport is not None
        return json.dumps(passport.content["statements"], ensure_ascii=False)


def play(seed: int, script: object, *, is_skewed: bool = True) -> None:
    """Play a script over a world in which a name was told."""
    with new_world(seed) as world:

        async def begin() -> None:
            confided = Confided(world)
            await confided.begin(is_skewed=is_skewed)
            await script(confided)  # type: ignore[operator]  # a coroutine function
            await world.stop()

        world.loop.run(begin())


def test_machine_that_was_down_erases_and_acknowledges_when_it_is_back() -> None:
    """The asker waits for it by name until then."""

    async def script(told: Confided) -> None:
        await told.utility.lose_power()
        await told.erase()
        await asyncio.sleep(600)
        (asked,) = await told.maker.node.erasures.list()
        assert [holder.org for holder in asked.rows[0].waiting] == [told.utility.node.core.org]

        await told.utility.start()

        await told.world.until(told.is_at_none, "it is erased at both")
        await told.world.until(told.is_acknowledged, "it is acknowledged")

    play(1, script)


def test_restored_copy_erases_again_before_it_shows_anything() -> None:
    """An older copy of the author's store has the name; its peer tells of the erasure before a port is open."""

    async def script(told: Confided) -> None:
        copy = await told.erase_after_a_copy()

        told.maker.restore(copy)
        assert told.holds(told.maker)
        await told.maker.start()

        assert not told.holds(told.maker)
        assert '"erased"' in await told.sections(told.maker)

    play(2, script)


def test_restored_copy_that_hears_nobody_shows_nothing_personal() -> None:
    """In a basement it starts and holds the name back; once a peer answers, it is erased."""

    async def script(told: Confided) -> None:
        copy = await told.erase_after_a_copy()
        told.world.network.split(["maker"])

        told.maker.restore(copy)
        await told.maker.start()
        alone = await told.sections(told.maker)
        told.world.network.heal()
        await told.world.until(told.is_at_none, "it is erased again")

        assert HELD_BACK in alone
        assert '"erased"' not in alone
        assert '"erased"' in await told.sections(told.maker)

    play(3, script)


def test_copy_from_before_nothing_was_erased_shows_all_again() -> None:
    """What was held back for want of an answer is shown once a peer told that nothing was erased, though one of the
    logs that it has cannot be taken.
    """

    async def script(told: Confided) -> None:
        copy, third = told.world.folder / "copy", await told.world.add("third")
        await told.world.join((told.maker, third))
        await told.world.attest(told.maker, third, Attested.NUMBER, "inn:0000000064")

        async def is_level() -> bool | None:
            return await level([told.maker, told.utility, third])

        await told.world.until(is_level, "all hold the same")
        await third.lose_power()
        told.utility.copy(copy, whole=False)
        await told.utility.lose_power()
        told.world.network.split(["utility"])

        told.utility.restore(copy)
        (told.utility.folder.head).unlink()
        with sqlite3.connect(told.utility.folder.database) as store:
            store.execute(
                "update logs set stopped = 'seq 9: its leaf is not the one mirrored' where org = ?", [third.org]
            )
        store.close()
        await told.utility.start()
        alone = await told.sections(told.utility)
        told.world.network.heal()

        async def is_shown() -> bool | None:
            return SHOWN in (await told.sections(told.utility)) or None

        await told.world.until(is_shown, "it is shown again")
        assert HELD_BACK in alone

    play(4, script)


def test_bundle_of_a_peer_lets_go_where_no_wire_leads() -> None:
    """A restored node that is levelled by sticks alone erases by what the bundle brings, and shows the rest again."""

    async def script(told: Confided) -> None:
        copy = await told.erase_after_a_copy()
        told.world.network.split(["maker"])
        told.maker.restore(copy)
        await told.maker.start()
        await asyncio.sleep(60)

        stick = BytesIO()
        await told.utility.do(told.utility.node.bundles.make(told.maker.node.core.node, stick, ACTOR, is_whole=True))
        stick.seek(0)
        await told.maker.do(told.maker.node.bundles.take(stick, ACTOR))

        assert not told.holds(told.maker)
        assert '"erased"' in await told.sections(told.maker)
        async with told.maker.node.core.database.read() as tx:
            assert await find_setting(tx, CAUGHT_UP) == told.maker.node.ledger.log.log

    play(5, script, is_skewed=False)  # by the clock of the peer the bundle is from after the doubt
