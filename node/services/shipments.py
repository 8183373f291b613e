"""Shipments: an offer of devices to a buyer, and its acceptance, which brings passports and keys in one transfer."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from federation.authority import Authority, Kind, Verb
from federation.errors import CodecError
from federation.fragment import Ref
from node.errors import DeniedError, InputError, NotFoundError, StateError
from node.passport import drafts
from node.passport.bodies import ShipmentBody
from node.passport.claims import local_claim
from node.passport.errors import BodyError
from node.passport.statement import Statement
from node.services.core import Core
from node.services.known import check_organisation, check_passports
from node.services.ledger import Ledger
from node.services.statements import StatementReader
from node.store.cuts import read_cut
from node.store.database import ReadTx, WriteTx
from node.store.fragments import with_secret
from node.store.passports import every_id, read_titles

MAX_DEVICES = 4096
ROOT_KEYS = "root-keys"


@dataclass(frozen=True, slots=True)
class Shipment:
    """An offer, and the acceptance if there is one."""

    subject: bytes
    seller: bytes
    buyer: bytes
    devices: tuple[bytes, ...]
    number: str
    date: str
    offer: Ref
    accepted: Ref | None


@dataclass(frozen=True, slots=True)
class Arrived:
    """What of a shipment's devices is here: their titles where a passport came, and those whose keys came."""

    titles: Mapping[bytes, str]
    keys: frozenset[bytes]


class Shipments:
    """Offers and accepts in this organisation's name."""

    def __init__(self, core: Core, ledger: Ledger) -> None:
        self._core = core
        self._ledger = ledger
        self._one_at_a_time = asyncio.Lock()  # over looking and signing: a device is offered once

    async def offer(self, devices: Sequence[bytes], buyer: bytes, number: str, date: str, actor: str) -> bytes:
        """Offer devices to a buyer, each under every id it has by now; answer the shipment's subject."""
        if buyer == self._core.org:
            raise InputError("a shipment goes to another organisation", "ship_to_self")
        if not 0 < len(set(devices)) <= MAX_DEVICES:
            raise InputError(f"a shipment holds 1 to {MAX_DEVICES} devices, got {len(devices)}", "ship_count")
        async with self._core.database.read() as tx:
            await check_organisation(tx, buyer)
            await check_passports(tx, devices)
            named = await every_id(tx, devices)
        subject = local_claim(self._ledger.log.log, self._core.random.bytes(16)).subject.raw
        body = ShipmentBody(number=number, date=date)
        draft = drafts.shipment(subject, Verb.OFFER, buyer, named, body, self._core.clock.now())

        async def note(tx: WriteTx, _entries: object) -> None:
            await self._core.announce(tx, actor, "shipped", subject, to=buyer.hex(), count=len(devices), number=number)

        async with self._one_at_a_time:
            await self._check_free(named)
            await self._ledger.append([draft], note)
        return subject

    async def accept(self, subject: bytes, actor: str) -> Shipment:
        """Accept an offer that was made to this organisation."""
        async with self._one_at_a_time:
            shipment = await self.get(subject)
            if shipment.buyer != self._core.org:
                raise DeniedError("the offer is made to another organisation", "not_the_buyer")
            if shipment.accepted is None:
                await self._take(shipment, actor)
        return await self.get(subject)

    async def get(self, subject: bytes) -> Shipment:
        """The shipment of that subject; raise NotFoundError."""
        found = [shipment for shipment in await self.all() if shipment.subject == subject]
        if not found:
            raise NotFoundError("no shipment of that id is here", "shipment_unknown")
        return found[0]

    async def all(self) -> list[Shipment]:
        """Every shipment whose papers are here, oldest first: others may know of it, and answer nothing to it."""
        async with self._core.database.read() as tx:
            return await self._read(tx)

    async def arrived(self, devices: Collection[bytes]) -> Arrived:
        """Which of these devices have a passport here, and which a sealed key that this node can open."""
        async with self._core.database.read() as tx:
            titles = await read_titles(tx, devices)
            keys = await with_secret(tx, devices, ROOT_KEYS)
        return Arrived(titles, frozenset(keys))

    async def free(self, devices: Collection[bytes]) -> list[bytes]:
        """Those of these devices that stand in no shipment of this organisation yet, in their order."""
        mine = [shipment for shipment in await self.all() if shipment.seller == self._core.org]
        taken = {device for shipment in mine for device in shipment.devices}
        return [device for device in devices if device not in taken]

    async def _take(self, shipment: Shipment, actor: str) -> None:
        subject = shipment.subject
        body = ShipmentBody(number=shipment.number, date=shipment.date, accepted=True)
        async with self._core.database.read() as tx:
            cut = await read_cut(tx, shipment.seller)
        now, devices = self._core.clock.now(), shipment.devices
        draft = drafts.shipment(subject, Verb.ACCEPT, shipment.seller, devices, body, now, shipment.offer, cut=cut)

        async def note(tx: WriteTx, _entries: object) -> None:
            await self._core.announce(tx, actor, "shipment_accepted", subject, of=shipment.seller.hex())

        await self._ledger.append([draft], note)

    async def _check_free(self, devices: Sequence[bytes]) -> None:
        wanted = set(devices)
        for shipment in await self.all():
            taken = wanted & set(shipment.devices)
            if taken and shipment.seller == self._core.org:
                raise StateError(
                    f"{len(taken)} of the devices stand in shipment {shipment.number} already", "shipped_already"
                )

    async def _read(self, tx: ReadTx) -> list[Shipment]:
        reader = await StatementReader.open(tx)
        statements = await reader.of_kinds(tx, [Kind.SHIPMENT])
        offers: dict[bytes, Shipment] = {}
        for statement in sorted(statements, key=lambda s: s.order):
            authority = _authority(statement)
            if authority is None or authority.subjects is None:
                continue
            papers = _papers(statement)
            if papers and authority.verb is Verb.OFFER and statement.subject not in offers:
                offers[statement.subject] = _shipment(statement, authority, papers)
        for statement in statements:
            authority = _authority(statement)
            offer = offers.get(statement.subject)
            if offer is None or authority is None or authority.verb is not Verb.ACCEPT:
                continue
            if statement.org == offer.buyer and offer.offer in statement.refs:
                offers[statement.subject] = _accepted(offer, statement.ref)
        return list(offers.values())


def _authority(statement: Statement) -> Authority | None:
    try:
        return Authority.from_bytes(statement.sections.get("authority", b""))
    except CodecError:
        return None


def _papers(statement: Statement) -> ShipmentBody | None:
    """What stands beside the devices; a header may come before it, from a node that may not show it."""
    try:
        return ShipmentBody.from_bytes(statement.sections.get("shipment", b""))
    except BodyError:
        return None


def _shipment(statement: Statement, authority: Authority, papers: ShipmentBody) -> Shipment:
    devices, (number, date) = authority.subjects or (), (papers.number, papers.date)
    return Shipment(statement.subject, statement.org, authority.party, devices, number, date, statement.ref, None)


def _accepted(offer: Shipment, ref: Ref) -> Shipment:
    return Shipment(offer.subject, offer.seller, offer.buyer, offer.devices, offer.number, offer.date, offer.offer, ref)
