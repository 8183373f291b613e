"""What organisations of a world do, through the services of their nodes; and what must hold of it, which the nodes are
not asked about.

Every text that is said is a canary: one of its kind, so that it can be found wherever it went.
"""

import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from federation.authority import Kind, Verb
from federation.fragment import Ref, SectionClass
from node.demo.files import MARK, PRODUCTS
from node.errors import NodeError
from node.passport import drafts
from node.passport.bodies import (
    ErasureGround,
    EventBody,
    MandateBody,
    ParameterRow,
    ParametersBody,
    PersonBody,
    Place,
    Plate,
    Reference,
    SamenessBody,
    ShipmentBody,
)
from node.passport.claims import local_claim
from node.passport.drafts import OPEN_CLASSES, Draft
from node.passport.references import ref_text
from node.passport.roles import PartyRole
from node.services.cases import Cases
from node.services.grants import Grants, Terms
from node.services.ledger import entry_ref
from node.services.profiles import Profiles
from node.store.errors import StoreError
from tests.simulation.machine import DownError, Machine

ACTOR = "simulator"
BATCH = "batch"  # a parameter that its maker alone states with authority
REFUSED = (NodeError, StoreError, DownError)


@dataclass(slots=True)
class Device:
    """A device of the story; `readers` are all who were ever let read what everybody says of it."""

    subject: bytes
    maker: bytes
    owner: bytes
    readers: set[bytes]
    canaries: list[str] = field(default_factory=list)
    batch: str | None = None
    forged: list[str] = field(default_factory=list)
    is_offered: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """A shipment that waits for its buyer."""

    subject: bytes
    device: Device
    buyer: Machine


@dataclass(frozen=True, slots=True)
class Confided:
    """A name that somebody told with a device, as a personal section of a statement."""

    teller: Machine
    name: str
    said: Ref


Deed: TypeAlias = "Callable[[], Awaitable[None]]"


class Story:
    """Honest machines do something by chance; `devices` and `forged` say what came of it."""

    def __init__(self, chance: random.Random, makers: list[Machine], others: list[Machine]) -> None:
        self._chance = chance
        self._makers = makers
        self._others = others
        self._count = 0
        self.devices: list[Device] = []
        self.offers: list[Offer] = []
        self.lent: list[tuple[Machine, Ref]] = []
        self.appointed: list[tuple[Machine, bytes]] = []
        self.confided: list[Confided] = []
        self.erased: list[tuple[str, Ref]] = []  # names, and where it was asked that they be erased
        self.cuts: dict[bytes, int] = {}  # of logs of nodes that were ended, up to where they count
        self.done = 0
        self.refused = 0

    @property
    def people(self) -> list[Machine]:
        """Everybody honest who takes part."""
        return [*self._makers, *self._others]

    async def go_on(self) -> None:
        """One deed; what a node refuses, as what it has not heard of yet, is not done."""
        if not self.devices:
            await self._done(self.make)
            return
        deeds: list[tuple[int, Deed]] = [
            (3, self.make),
            (6, self.tell),
            (3, self.state_batch),
            (6, self.share),
            (2, self.offer),
            (3, self.accept),
            (2, self.lend),
            (2, self.take_back),
            (2, self.appoint),
            (1, self.dismiss),
        ]
        (deed,) = self._chance.choices([deed for _, deed in deeds], [weight for weight, _ in deeds])
        await self._done(deed)

    async def _done(self, deed: Deed) -> None:
        try:
            await deed()
            self.done += 1
        except REFUSED:
            self.refused += 1

    async def make(self) -> None:
        """A maker states the plate of a new device."""
        if (maker := self._one_up(self._makers)) is None:
            return
        self._count += 1
        product, serial = PRODUCTS[0], f"{self._count:08d}"
        plate = Plate(
            mark=MARK, designation=product.designation, serial=serial, year="2025", approvals=(product.approval,)
        )
        subject = await maker.do(maker.node.registry.register_plate(plate, None, ACTOR))
        self.devices.append(Device(subject, maker.org, maker.org, {maker.org}))

    async def tell(self) -> None:
        """Somebody who knows a device tells what happened to it."""
        teller, device = self._one_up(self.people), self._device()
        if teller is None or device is None or teller.org not in device.readers:
            return
        told = self._canary(teller)
        body = EventBody(
            what=Reference(central="repaired"), where=Place(default=True), system="simulator", detail={"note": told}
        )
        device.canaries.append(told)
        await teller.do(teller.node.registry.record_event(device.subject, body, teller.clock.now(), ACTOR))

    async def state_batch(self) -> None:
        """The maker states the batch, once."""
        device = self._device()
        maker = self._machine(device.maker) if device else None
        if device is None or maker is None or device.batch is not None:
            return
        device.batch = self._canary(maker)
        device.canaries.append(device.batch)
        await self._state(maker, device, device.batch)

    async def share(self) -> None:
        """Who owns a device lets another organisation read it."""
        device, reader = self._device(), self._chance.choice(self.people)
        owner = self._machine(device.owner) if device else None
        if device is None or owner is None or reader.org == owner.org:
            return
        await self._let_read(owner, device, reader)

    async def offer(self) -> None:
        """Who owns a device offers it to another organisation."""
        device, buyer = self._device(), self._chance.choice(self._others)
        owner = self._machine(device.owner) if device else None
        if device is None or owner is None or buyer.org == device.owner or device.is_offered:
            return
        device.is_offered = True
        device.readers.add(buyer.org)
        number = f"ТТН-{len(self.offers) + 1}"
        subject = await owner.do(owner.node.shipments.offer([device.subject], buyer.org, number, "2026-05-28", ACTOR))
        self.offers.append(Offer(subject, device, buyer))

    async def accept(self) -> None:
        """A buyer accepts what was offered to him."""
        waiting = [offer for offer in self.offers if offer.buyer.is_up]
        if not waiting:
            return
        offer = self._chance.choice(waiting)
        await offer.buyer.do(offer.buyer.node.shipments.accept(offer.subject, ACTOR))
        self.offers.remove(offer)
        offer.device.owner = offer.buyer.org

    async def lend(self) -> None:
        """Who owns a device grants another organisation to read it, until that is ended."""
        device, reader = self._device(), self._chance.choice(self.people)
        owner = self._machine(device.owner) if device else None
        if device is None or owner is None or reader.org == owner.org:
            return
        device.readers.add(reader.org)
        terms = Terms(reader.org, Verb.READ, (device.subject,), OPEN_CLASSES)
        grant = await owner.do(_grants(owner).give(terms, ACTOR))
        self.lent.append((owner, grant.said.ref))

    async def take_back(self) -> None:
        """A grant is ended: what comes later is not opened by it any more."""
        if not self.lent:
            return
        owner, ref = self._chance.choice(self.lent)
        await owner.do(_grants(owner).end(ref, "the contract ended", ACTOR))
        self.lent.remove((owner, ref))

    async def appoint(self) -> None:
        """Who owns a device appoints who works on it."""
        device, worker = self._device(), self._chance.choice(self.people)
        owner = self._machine(device.owner) if device else None
        if device is None or owner is None or worker.org == owner.org:
            return
        device.readers.add(worker.org)
        role, things = PartyRole.PROCESS_EXECUTOR, [device.subject]
        mandate = await owner.do(owner.node.mandates.appoint(role, worker.org, things, MandateBody(), ACTOR))
        self.appointed.append((owner, mandate.subject))

    async def dismiss(self) -> None:
        """A role ends."""
        if not self.appointed:
            return
        owner, mandate = self._chance.choice(self.appointed)
        await owner.do(owner.node.mandates.end(mandate, "the work is done", ACTOR))
        self.appointed.remove((owner, mandate))

    async def confide(self) -> None:
        """Whoever owns a device tells a name with it, and lets another organisation read that."""
        with suppress(*REFUSED):
            await self._confide()

    async def _confide(self) -> None:
        device = self._device()
        teller, reader = self._machine(device.owner) if device else None, self._chance.choice(self.people)
        if device is None or teller is None:
            return
        name = self._canary(teller)
        person = drafts.section("person", PersonBody(name=name), SectionClass.PERSONAL)
        ledger, now = teller.node.ledger, teller.clock.now()
        (said,) = await teller.do(ledger.append([Draft(Kind.EVENT, (device.subject,), now, (person,))]))
        self.confided.append(Confided(teller, name, entry_ref(ledger.log.log, said)))
        if reader.org != teller.org:
            device.readers.add(reader.org)
            terms = Terms(reader.org, Verb.READ, (device.subject,), (*OPEN_CLASSES, int(SectionClass.PERSONAL)))
            await teller.do(_grants(teller).give(terms, ACTOR))

    async def erase(self) -> None:
        """Somebody asks that a name which he told be erased."""
        waiting = [one for one in self.confided if one.teller.is_up]
        if not waiting:
            return
        one = self._chance.choice(waiting)
        rows = [(ref_text(one.said), "person")]
        with suppress(*REFUSED):
            asked = await one.teller.do(one.teller.node.erasures.ask(rows, ErasureGround.CONSENT, ACTOR))
            self.erased.append((one.name, asked.said))
            self.confided.remove(one)

    async def open_up(self) -> None:
        """Let all honest organisations read every other device: what they fold of these can be compared."""
        for device in self.devices[::2]:
            owner = self._machine(device.owner)
            for reader in self.people:
                if owner is not None and reader.org not in device.readers:
                    with suppress(*REFUSED):
                        await self._let_read(owner, device, reader)

    async def follow(self, machine: Machine) -> None:
        """A machine follows a device, now and then one no more."""
        if (device := self._device()) is None or not machine.is_up:
            return
        following, is_more = machine.node.sync.following, self._chance.random() < 0.7
        change = following.follow if is_more else following.unfollow
        with suppress(*REFUSED):
            await machine.do(change([device.subject], ACTOR))

    async def forge(self, thief: Machine) -> None:
        """Somebody who may read a device states what only others may, and takes what is offered to others."""
        with suppress(*REFUSED):
            await self._forge(thief)

    async def _forge(self, thief: Machine) -> None:
        if not self.devices:
            return
        device, now = self._chance.choice(self.devices), thief.clock.now()
        owner = self._machine(device.owner)
        if owner is not None and thief.org not in device.readers:
            await self._let_read(owner, device, thief)
        marker = f"FORGED-{self._chance.randbytes(6).hex()}"
        device.forged.append(marker)
        row = ParameterRow(code=Reference(central=BATCH), value=marker)
        other = local_claim(thief.node.ledger.log.log, self._chance.randbytes(16))
        said: list[Draft] = [
            drafts.parameters(device.subject, ParametersBody(rows=(row,)), now),
            drafts.sameness(other.subject.raw, device.subject, SamenessBody(says="same"), now),
            drafts.shipment(
                other.subject.raw,
                Verb.ACCEPT,
                device.owner,
                (device.subject,),
                ShipmentBody(number="1", date="2026-05-28", accepted=True),
                now,
                Ref(bytes(16), 0, bytes(16)),
            ),
        ]
        await thief.do(thief.node.ledger.append(said))

    async def _let_read(self, owner: Machine, device: Device, reader: Machine) -> None:
        device.readers.add(reader.org)
        await owner.do(owner.node.registry.share([device.subject], reader.org, ACTOR))

    def _canary(self, by: Machine) -> str:
        return f"CANARY-{by.name}-{self._chance.randbytes(6).hex()}"

    async def _state(self, by: Machine, device: Device, value: str) -> None:
        row = ParameterRow(code=Reference(central=BATCH), value=value)
        body = ParametersBody(rows=(row,))
        await by.do(by.node.registry.record_parameters(device.subject, body, by.clock.now(), ACTOR))

    def _one_up(self, machines: list[Machine]) -> Machine | None:
        up = [machine for machine in machines if machine.is_up]
        return self._chance.choice(up) if up else None

    def _device(self) -> Device | None:
        return self._chance.choice(self.devices) if self.devices else None

    def _machine(self, org: bytes) -> Machine | None:
        """The machine of an organisation, where it is up."""
        return next((machine for machine in self.people if machine.org == org and machine.is_up), None)


def _grants(machine: Machine) -> Grants:
    """The service of grants, which a node gives to its web alone."""
    node = machine.node
    profiles, cases = Profiles(node.core, node.ledger, node.projection), Cases(node.core, node.projection)
    return Grants(node.core, node.ledger, node.projection, profiles, cases)
