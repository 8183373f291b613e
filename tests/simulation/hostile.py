"""Peers that mean ill: nodes as they are shipped, with one thing in them turned."""

import asyncio
import random
from contextlib import suppress

from federation.authority import Attestation, Attested
from federation.errors import FederationError
from federation.organisation import Chain, sign_next
from federation.peer import PeerAddress
from federation.ports import Answer, Question
from federation.statements import EndNodeBody, EndReason
from federation.sync.messages import MAX_BODY
from node.demo.files import PRODUCTS, make_line
from node.passport import drafts
from node.passport.bodies import CardBody, CatalogReference
from node.root_keys import read_root_key
from tests.simulation.machine import Machine
from tests.simulation.network import SimCarrier
from tests.simulation.story import REFUSED, Story
from tests.simulation.surroundings import DAY_US
from tests.simulation.world import NUMBERS, World, machine_line

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
        self.machine.node.shelf._showing.shown = lambda *_: None  # type: ignore[method-assign]  # this is what it means ill by
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


class Impostor(Thief):
    """Says that it is the maker: its number on a card, attestations that it signed itself, a line like the maker's."""

    async def act(self, story: Story) -> None:
        """Take the number, the rank and the line, and go on forging."""
        org, now, maker = self.machine.org, self.machine.clock.now(), self.honest[0]
        genesis = await self.machine.do(self.machine.node.membership.attesting.genesis())
        number = NUMBERS[0]
        card = CardBody(
            name=maker.name,
            inn=number.removeprefix("inn:"),
            url=self.machine.url,
            pin=self.machine.pin.hex(),
            node=self.machine.node.core.node.hex(),
        )
        said = [drafts.card(org, card, now)]
        if genesis is not None:
            said += [
                drafts.attestation(Attestation(genesis.id, Attested.NUMBER, org, (number,)), now),
                drafts.attestation(Attestation(genesis.id, Attested.MAKER, org), now),
            ]
        line = make_line(PRODUCTS[0], machine_line(maker.name), org.hex())
        said.append(drafts.catalog(org, "line", line.to_bytes(), now))
        await self.machine.do(self.machine.node.ledger.append(said))
        await super().act(story)


class Revoked(Thief):
    """Goes on with the key of a node that its organisation ended; one honest machine is told of the end."""

    async def act(self, story: Story) -> None:
        """Forge, be ended, and forge on."""
        await super().act(story)
        told = next((machine for machine in self.honest if machine.is_up), None)
        if told is None or story.cuts:
            return
        keys, node = self.machine.node.keys, self.machine.node.core.node
        status, cut = await self.machine.do(keys.status()), await self.machine.do(keys.cut(node))
        chain, key = Chain(status.statements), read_root_key(self.machine.folder.path)
        ended = sign_next(chain, key, EndNodeBody(node, EndReason.STOLEN, cut))
        with suppress(*REFUSED):
            await told.do(told.node.ingest.take_chain([*chain.path, ended]))
            story.cuts = {row.log: row.size for row in cut.rows}
        await super().act(story)


KINDS = (Thief, Withholder, BitFlipper, ClockLiar, Flooder, Impostor, Revoked)


def choose(world: World, machine: Machine, honest: list[Machine], kind: type[Thief] | None = None) -> Thief:
    """One of them, by the seed where it is not said which."""
    kind = kind or random.Random(f"{world.seed}/ill").choice(KINDS)
    world.transcript.note(machine.name, "means ill", how=kind.__name__)
    return kind(world, machine, honest)


async def _ask(carrier: SimCarrier, peer: PeerAddress, question: Question) -> None:
    with suppress(FederationError):  # it does not want to know
        await carrier.ask(peer, question, MAX_BODY)
