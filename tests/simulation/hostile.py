"""Peers that mean ill: nodes as they are shipped, with one thing in them turned."""

import asyncio
import random
from contextlib import suppress

from federation.errors import FederationError
from federation.peer import PeerAddress
from federation.ports import Answer, Question
from federation.sync.messages import MAX_BODY
from node.passport import drafts
from node.passport.bodies import CatalogReference
from tests.simulation.machine import Machine
from tests.simulation.network import SimCarrier
from tests.simulation.story import Story
from tests.simulation.surroundings import DAY_US
from tests.simulation.world import World

FLOOD = 60
CUT_S = 20.0


class Thief:
    """States what only others may, joins its own things to theirs, and accepts what was offered to others."""

    def __init__(self, world: World, machine: Machine, honest: list[Machine]) -> None:
        self.world, self.machine, self.honest = world, machine, honest
        self.chance = random.Random(f"{world.seed}/hostile")

    async def act(self, story: Story) -> None:
        """One forgery."""
        await story.forge(self.machine)


class Withholder(Thief):
    """Gives of every entry its leaf hash alone."""

    async def act(self, story: Story) -> None:
        """Hide everything from now on, and go on forging."""
        self.machine.node.shelf._shown = lambda *_: None  # type: ignore[method-assign]  # this is what it means ill by
        await super().act(story)


class BitFlipper(Thief):
    """Turns one bit in some of its answers before it signs them: of headers, signatures, sections, hashes."""

    async def act(self, story: Story) -> None:
        """Flip from now on."""
        desk = self.machine.node.desk
        really = type(desk)._sign

        def sign(question: Question, digest: bytes, raw: bytes | None) -> Answer:
            if raw and self.chance.random() < 0.3:
                at = self.chance.randrange(len(raw))
                raw = raw[:at] + bytes([raw[at] ^ 1 << self.chance.randrange(8)]) + raw[at + 1 :]
            return really(desk, question, digest, raw)

        desk._sign = sign  # type: ignore[method-assign]  # as above
        await super().act(story)


class ClockLiar(Thief):
    """Says what it says at any time between 1990 and 2060, to and fro."""

    async def act(self, story: Story) -> None:
        """Turn the clock, and speak."""
        self.machine.clock.skew_us = int(self.chance.uniform(-36 * 365, 34 * 365)) * DAY_US
        await super().act(story)


class Flooder(Thief):
    """Asks without end, things that make no sense among them."""

    async def act(self, story: Story) -> None:
        """One flood."""
        victim = self.chance.choice(self.honest)
        if not victim.is_up:
            return
        peer = PeerAddress(victim.url, victim.node.core.node, victim.node.core.keystore.sign.public, victim.pin)
        carrier = SimCarrier(self.world.network, self.machine.name)
        for _ in range(FLOOD):
            name = self.chance.choice(["heads", "pull", "fetch", "join", "lookup", "nothing"])
            body = self.chance.randbytes(self.chance.choice([0, 10, 1000]))
            headers = self.chance.choice([{}, {"Passport-Signature": "AAAA"}])
            self.machine.work(_ask(carrier, peer, Question("POST", f"/fed/1/{name}", headers, body)))


class Equivocator(Thief):
    """Two nodes with one set of keys: of those that are cut off from each other some see the one, others the other."""

    async def act(self, story: Story) -> None:
        """Say two things at one place, each to one side of a cut that heals soon."""
        twin = self.world.machines.get(self.machine.name + "2") or await self._split()
        names = [machine.name for machine in self.honest]
        self.chance.shuffle(names)
        some, rest = names[: len(names) // 2], names[len(names) // 2 :]
        for name in some:
            self.world.network.lead(name, self.machine.name, twin.name)
        self.world.network.split([*some, twin.name], [*rest, self.machine.name])
        for machine in (self.machine, twin):
            said = CatalogReference(catalog="types", local=self.chance.randbytes(4).hex(), central="dn")
            await machine.do(machine.node.ledger.append([drafts.reference(machine.org, said, machine.clock.now())]))
        await asyncio.sleep(CUT_S)
        self.world.network.heal()
        await super().act(story)

    async def _split(self) -> Machine:
        copy = self.world.folder / "twin"
        self.machine.copy(copy, whole=True)
        return await self.world.twin(self.machine, copy)


KINDS = (Thief, Withholder, BitFlipper, ClockLiar, Flooder)


def choose(world: World, machine: Machine, honest: list[Machine], kind: type[Thief] | None = None) -> Thief:
    """One of them, by the seed where it is not said which."""
    kind = kind or random.Random(f"{world.seed}/ill").choice(KINDS)
    world.transcript.note(machine.name, "means ill", how=kind.__name__)
    return kind(world, machine, honest)


async def _ask(carrier: SimCarrier, peer: PeerAddress, question: Question) -> None:
    with suppress(FederationError):  # it does not want to know
        await carrier.ask(peer, question, MAX_BODY)
