"""Shipments: devices offered to a buyer, and what buyer and seller answer: all of them or some, now or later.

The acceptance passes the title of the devices that it names, and brings their passports and keys in one transfer.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from federation.authority import Verb
from federation.fragment import Ref
from node.errors import DeniedError, InputError, NotFoundError, StateError
from node.passport import drafts
from node.passport.bodies import MOST_PARTS, ShipmentBody
from node.passport.boxes import is_box
from node.passport.claims import local_claim
from node.passport.drafts import Draft
from node.passport.identifiers import number_value
from node.passport.ids import SubjectId
from node.passport.packing import with_lists
from node.passport.plate import cut_label
from node.passport.roles import Party, outside_party
from node.passport.shipments import DeviceState, NewPart, Reason, Shipment, shipment_of
from node.services.consignment import consign, consign_back, consign_boxes, consign_claimed
from node.services.core import Core
from node.services.known import check_member, check_organisation, check_passports
from node.services.ledger import Ledger
from node.services.projection import Projection
from node.services.seals import newest_box_key
from node.services.statements import StatementReader
from node.store.cuts import read_cut
from node.store.database import ReadTx, WriteTx
from node.store.fragments import SEALED, STORED
from node.store.packed import lines_for
from node.store.passports import every_id, read_owners
from node.store.shipments import (
    HELD,
    FiledShipment,
    Place,
    ShipmentSift,
    ShippedDevice,
    count_arrived,
    count_shipments,
    find_shipment,
    list_shipments,
    list_shipped,
    taken_devices,
)

__all__ = ["FiledShipment", "Lot", "Outsider", "Place", "ShipmentSift", "Shipments", "ShippedDevice", "Why"]

MAX_DEVICES = 20_000


@dataclass(frozen=True, slots=True)
class Outsider:
    """A buyer that has no node yet: `number` is `inn:...` or `ogrn:...`; without a name, whoever claims a box."""

    number: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Lot:
    """Devices that are offered to one buyer by one number of papers."""

    devices: tuple[bytes, ...]
    buyer: Outsider
    number: str


@dataclass(frozen=True, slots=True)
class Why:
    """Why devices are refused, withdrawn or sent back."""

    reason: Reason | None = None
    note: str | None = None

    @property
    def said(self) -> dict[str, str]:
        """As the journal has it."""
        given = {"reason": self.code, "note": self.note}
        return {name: text for name, text in given.items() if text}

    @property
    def code(self) -> str | None:
        """The reason as papers have it."""
        return self.reason.value if self.reason else None


@dataclass(frozen=True, slots=True)
class ShipmentPart:
    """Some devices of a shipment, and its number."""

    number: str
    devices: tuple[bytes, ...]


NO_REASON = Why()


class Shipments:
    """Offers and answers in this organisation's name."""

    def __init__(self, core: Core, ledger: Ledger, projection: Projection) -> None:
        self._core = core
        self._ledger = ledger
        self._projection = projection
        self._one_at_a_time = asyncio.Lock()  # over looking and signing: a device is offered once
        self._whole: set[bytes] = set()  # shipments of which all is here

    async def offer(
        self,
        devices: Sequence[bytes],
        buyer: bytes | Outsider,
        number: str,
        date: str,
        actor: str,
        *,
        unopened: bool = False,
        via: bytes | None = None,
        places: Mapping[bytes, str] | None = None,
    ) -> bytes:
        """Offer devices to a buyer, each under every id it has by now; answer the shipment's subject.

        A number that a member has by now is the member. To who trades them they go `unopened`: no key goes to him, and
        who buys of him gets them from who has them. `via` names a member through whose node all of it goes, where the
        buyer and this organisation do not reach each other: the keys leave at once, sealed to the buyer. `places` tell
        in which box some of the devices lie.
        """
        party, own = self._party(buyer), self._core.org
        if party.org == own:
            raise InputError("a shipment goes to another organisation", "ship_to_self")
        if via is not None and (via in (own, party.org) or party.is_outside):
            raise InputError("a carrier is a third organisation, and the buyer has a node", "ship_via")
        check_member(self._projection.world, party.org)
        _check_count(set(devices))
        body = ShipmentBody(number=number, date=date, name=buyer.name if isinstance(buyer, Outsider) else None)
        async with self._one_at_a_time:
            await self._projection.catch_up(devices)
            async with self._core.database.read() as tx:
                if not party.is_outside:
                    await check_organisation(tx, party.org)
                if via is not None:
                    await check_organisation(tx, via)
                    await _check_box(tx, party.org)
                    if not self._projection.world.standings.of(via).standing.is_member:
                        raise StateError("the carrier is no member of the federation", "ship_via_member")
                await check_passports(tx, devices)
                named = await every_id(tx, devices)
                _check_count(named)
                parts = await consign(tx, own, named, self._core.clock.now(), is_unopened=unopened)
            to = party.org.hex() if not party.is_outside else party.number
            detail = {"to": to, "count": len(devices), **({"unopened": True} if unopened else {})}
            detail |= {"carrier": via.hex()} if via is not None else {}
            return await self._offer(parts, party, body, actor, "shipped", detail, via=via, places=places)

    async def offer_all(self, lots: Sequence[Lot], actor: str, what: str) -> list[bytes]:
        """Offer several lots at once, all or none; answer their subjects in their order."""
        devices = [device for lot in lots for device in lot.devices]
        _check_count(devices)
        async with self._one_at_a_time:
            await self._projection.catch_up(devices)
            async with self._core.database.read() as tx:
                await check_passports(tx, devices)
                inside = [await every_id(tx, lot.devices) for lot in lots]
                divided = await consign_boxes(tx, self._core.org, inside, self._core.clock.now())
            said: list[Draft] = []
            told: list[tuple[bytes, dict[str, object]]] = []
            for lot, parts in zip(lots, divided, strict=True):
                body = ShipmentBody(number=lot.number, date=self.today(), name=lot.buyer.name)
                subject, drafted = await self._drafted(parts, self._party(lot.buyer), body)
                said += drafted
                told.append((subject, {"number": lot.number, "count": len(lot.devices)}))

            async def note(tx: WriteTx, _entries: object) -> None:
                await self._core.announce_each(tx, actor, what, told)

            await self._ledger.append(said, note)
        return [subject for subject, _ in told]

    async def readdress(self, subject: bytes, buyer: bytes, actor: str, what: str) -> bytes:
        """Take back what waits of an own box and offer it to who claimed it, under the same number, in one transaction;
        answer the new shipment. Raise StateError where nothing waits, and what `offer` raises.
        """
        async with self._one_at_a_time:
            box = await self.get(subject)
            waiting = _chosen(box, None, DeviceState.OFFERED)
            await self._projection.catch_up(waiting)
            now, number = self._core.clock.now(), box.buyer.number or ""
            async with self._core.database.read() as tx:
                parts = await consign_claimed(tx, box, waiting, now)
                cut = await read_cut(tx, box.buyer.org)
            ends = [
                drafts.shipment_end(subject, box.buyer.org, some, cut, _papers(box), now, offer, number=number)
                for offer, some in _by_part(box, waiting)
            ]
            body = ShipmentBody(number=box.number, date=self.today(), box=subject.hex())
            made, offered = await self._drafted(parts, Party(buyer), body)
            await self._say([*ends, *offered], actor, what, made, to=buyer.hex(), count=len(waiting), number=box.number)
        return made

    async def accept(self, subject: bytes, actor: str, devices: Collection[bytes] | None = None) -> FiledShipment:
        """Accept devices of an offer to this organisation, without any all that wait; what was accepted stands."""
        async with self._one_at_a_time:
            shipment = await self.get(subject)
            if shipment.buyer.org != self._core.org:
                raise DeniedError("the offer is made to another organisation", "not_the_buyer")
            accepted = set(shipment.in_state(DeviceState.ACCEPTED, DeviceState.RETURNING, DeviceState.RETURNED))
            waiting = self._waiting(shipment, None if devices is None else set(devices) - accepted, accepted)
            async with self._core.database.read() as tx:
                cut = await read_cut(tx, shipment.seller)
            now, body = self._core.clock.now(), _papers(shipment, accepted=True)
            said = [
                drafts.shipment(
                    subject, Verb.ACCEPT, shipment.seller, some, body, now, offer, cut=cut, via=shipment.via
                )
                for offer, some in _by_part(shipment, waiting)
            ]
            detail = {"of": shipment.seller.hex(), "count": len(waiting), "number": shipment.number}
            await self._say(said, actor, "shipment_accepted", subject, **detail)
        return await self.filed(subject)

    async def refuse(
        self, subject: bytes, why: Why, actor: str, devices: Collection[bytes] | None = None
    ) -> FiledShipment:
        """Refuse devices of an offer to this organisation, without any all that wait; the seller keeps them."""
        async with self._one_at_a_time:
            shipment = await self.get(subject)
            if shipment.buyer.org != self._core.org:
                raise DeniedError("the offer is made to another organisation", "not_the_buyer")
            await self._end(shipment, shipment.seller, why, actor, "shipment_refused", devices)
        return await self.filed(subject)

    async def withdraw(
        self, subject: bytes, why: Why, actor: str, devices: Collection[bytes] | None = None
    ) -> FiledShipment:
        """Take devices that wait out of an own offer; what the buyer had accepted as far as is known here stands."""
        async with self._one_at_a_time:
            shipment = await self.get(subject)
            if shipment.seller != self._core.org:
                raise DeniedError("the offer is another organisation's", "not_the_seller")
            await self._end(shipment, shipment.buyer.org, why, actor, "shipment_withdrawn", devices)
        return await self.filed(subject)

    async def send_back(
        self, subject: bytes, why: Why, number: str, date: str, actor: str, devices: Collection[bytes] | None = None
    ) -> bytes:
        """Offer devices that were accepted back to their seller, without any all of them; answer the return's subject.

        Title and keys pass back with the seller's acceptance; to who had them unopened they go back so.
        """
        async with self._one_at_a_time:
            shipment = await self.get(subject)
            if shipment.buyer.org != self._core.org:
                raise DeniedError("the shipment came to another organisation", "not_the_buyer")
            chosen = _chosen(shipment, devices, DeviceState.ACCEPTED)
            await self._projection.catch_up(chosen)
            async with self._core.database.read() as tx:
                parts = await consign_back(tx, shipment, chosen, self._core.clock.now())
            body = ShipmentBody(number=number, date=date, returns=subject.hex(), reason=why.code, note=why.note)
            seller = Party(shipment.seller)
            detail = {"to": shipment.seller.hex(), "count": len(chosen), **why.said}
            return await self._offer(parts, seller, body, actor, "shipment_returned", detail, via=shipment.via)

    async def get(self, subject: bytes) -> Shipment:
        """The shipment of that subject, device by device; raise NotFoundError."""
        filed = await self.filed(subject)
        async with self._core.database.read() as tx:
            said = await (await StatementReader.open(tx)).about(tx, [subject])
            world = self._projection.world
            found = await tx.aside(lambda: shipment_of(subject, said, world, filed.seller))
        if found is None:
            raise _unknown()
        return found

    async def filed(self, subject: bytes) -> FiledShipment:
        """How a shipment stands; raise NotFoundError where its papers are not here: others may know that it is."""
        async with self._core.database.read() as tx:
            found = await find_shipment(tx, subject)
        if found is None:
            raise _unknown()
        return found

    async def page(self, sift: ShipmentSift, before: Place | None, limit: int) -> list[FiledShipment]:
        """Shipments of this organisation, the newest first."""
        async with self._core.database.read() as tx:
            return await list_shipments(tx, sift, before, limit)

    async def waiting(self) -> int:
        """How many shipments wait for this organisation's answer."""
        own = self._core.org
        async with self._core.database.read() as tx:
            return await count_shipments(tx, ShipmentSift(own, buyer=own, open=True))

    async def devices(
        self, subject: bytes, state: DeviceState | None = None, after: bytes = b"", limit: int = 100, text: str = ""
    ) -> list[ShippedDevice]:
        """The devices of a shipment by their ids, after one; with a text those that have it printed on them."""
        async with self._core.database.read() as tx:
            return await list_shipped(tx, subject, state, after, limit, number_value(cut_label(text)) if text else "")

    async def part(self, subject: bytes, n: int, size: int, gone: Collection[DeviceState]) -> ShipmentPart:
        """The n-th so many devices of an own shipment by their ids, but for those that are gone out of it; raise
        NotFoundError where there are no more.
        """
        shipment = await self.get(subject)
        if shipment.seller != self._core.org:
            raise _unknown()
        devices = sorted(device for device, item in shipment.items.items() if item.state not in gone)
        mine = devices[(n - 1) * size : n * size]
        if not mine:
            raise NotFoundError(f"the shipment has no part {n} of {size} devices", "shipment_no_part")
        return ShipmentPart(shipment.number, tuple(mine))

    async def arrived(self, shipment: FiledShipment) -> tuple[int, int]:
        """Of how many devices of a shipment a passport is here, and a root key; at its carrier one that he brings."""
        form = SEALED if shipment.via == self._core.org else STORED
        if shipment.subject in self._whole:
            return shipment.devices, shipment.keyed
        async with self._core.database.read() as tx:
            passports, keys = await tx.at_once(lambda at: count_arrived(at, shipment.subject, form))
        if passports == shipment.devices == shipment.held and keys == shipment.keyed:
            self._whole.add(shipment.subject)
        return passports, keys

    async def offered_by(self, offers: Collection[Ref]) -> dict[Ref, FiledShipment]:
        """The shipments of these offers, where their papers are here."""
        found: dict[Ref, FiledShipment] = {}
        async with self._core.database.read() as tx:
            reader = await StatementReader.open(tx)
            places = {(reader.numbers[ref.log], ref.seq) for ref in offers if ref.log in reader.numbers}
            for statement in await reader.at(tx, places):
                if statement.ref in offers and (filed := await find_shipment(tx, statement.subject)):
                    found[statement.ref] = filed
        return found

    async def free(self, devices: Collection[bytes]) -> list[bytes]:
        """Those of these devices that this organisation may offer by what is filed of them, in their order."""
        own = self._core.org
        await self._projection.catch_up(devices)
        async with self._core.database.read() as tx:
            owners = await read_owners(tx, devices)
            waiting = await taken_devices(tx, own, devices, [DeviceState.OFFERED])
            held = await taken_devices(tx, own, devices, HELD)
        # What was accepted and has come back by whatever way is owned again.
        fit = {device for device in devices if owners.get(device) == own.hex()}
        fit |= {device for device in devices if not owners.get(device) and device not in held}
        return [device for device in devices if device in fit and device not in waiting]

    def today(self) -> str:
        """The date of papers that are made now."""
        return datetime.fromtimestamp(self._core.clock.now() / 1e6, UTC).date().isoformat()

    def _party(self, buyer: bytes | Outsider) -> Party:
        if isinstance(buyer, bytes):
            return Party(buyer)
        member = None if is_box(buyer.number) else self._projection.world.attestations.holder(buyer.number)
        return Party(member) if member else Party(outside_party(buyer.number), buyer.number, is_outside=True)

    async def _offer(
        self,
        parts: Sequence[NewPart],
        party: Party,
        body: ShipmentBody,
        actor: str,
        what: str,
        detail: Mapping[str, Any],  # Any: JSON
        *,
        via: bytes | None = None,
        places: Mapping[bytes, str] | None = None,
    ) -> bytes:
        subject, said = await self._drafted(parts, party, body, via, places)
        await self._say(said, actor, what, subject, number=body.number, **detail)
        return subject

    async def _drafted(
        self,
        parts: Sequence[NewPart],
        party: Party,
        body: ShipmentBody,
        via: bytes | None = None,
        places: Mapping[bytes, str] | None = None,
    ) -> tuple[bytes, list[Draft]]:
        """A new shipment's subject, and its offers with what the papers list."""
        async with self._core.database.read() as tx:
            lines = await lines_for(tx, [device for part in parts for device in part.devices], places)
            packed = await tx.aside(lambda: [*with_lists(parts, lines)])
        if len(packed) > MOST_PARTS:
            raise InputError("the devices came by too many acts to be shipped at once", "ship_parts")
        now = self._core.clock.now()
        subject = local_claim(self._ledger.log.log, self._core.random.bytes(16)).subject.raw
        said = [
            drafts.shipment(
                subject,
                Verb.OFFER,
                party.org,
                part.devices,
                body.model_copy(update={"part": n, "parts": len(packed), "keys": part.has_keys}),
                now,
                number=party.number or "",
                grounds=part.grounds,
                packing=packing,
                is_unopened=part.is_unopened,
                via=via,
            )
            for n, (part, packing) in enumerate(packed, 1)
        ]
        return subject, said

    async def _end(
        self,
        shipment: Shipment,
        other: bytes,
        why: Why,
        actor: str,
        what: str,
        devices: Collection[bytes] | None,
    ) -> None:
        chosen = self._waiting(shipment, devices)
        async with self._core.database.read() as tx:
            cut = await read_cut(tx, other)
        now, body = self._core.clock.now(), _papers(shipment, why)
        number = shipment.buyer.number if shipment.buyer.is_outside and shipment.seller == self._core.org else None
        said = [
            drafts.shipment_end(
                shipment.subject, other, some, cut, body, now, offer, number=number or "", via=shipment.via
            )
            for offer, some in _by_part(shipment, chosen)
        ]
        to = {"to": other.hex()} if number is None else {"to": number}
        detail = {"count": len(chosen), "number": shipment.number, **to, **why.said}
        await self._say(said, actor, what, shipment.subject, **detail)

    async def _say(self, said: Sequence[Draft], actor: str, what: str, subject: bytes, **detail: Any) -> None:
        async def note(tx: WriteTx, _entries: object) -> None:
            await self._core.announce(tx, actor, what, subject, **detail)

        if said:
            await self._ledger.append(said, note)

    def _waiting(
        self, shipment: Shipment, devices: Collection[bytes] | None, done: Collection[bytes] = ()
    ) -> list[bytes]:
        """The devices that wait for an answer, of some or of all; nothing where that was given to them before."""
        if devices is None and done and not shipment.in_state(DeviceState.OFFERED):
            return []
        return _chosen(shipment, devices, DeviceState.OFFERED)


def _papers(shipment: Shipment, why: Why = NO_REASON, *, accepted: bool | None = None) -> ShipmentBody:
    """The papers of an answer: those of the offer, and why."""
    returns = shipment.returns.hex() if shipment.returns else None
    return ShipmentBody(
        number=shipment.number, date=shipment.date, accepted=accepted, returns=returns, reason=why.code, note=why.note
    )


def _chosen(shipment: Shipment, devices: Collection[bytes] | None, state: DeviceState) -> list[bytes]:
    """Those of some devices, or of all, that stand so; raise InputError for one that is not in the shipment, StateError
    for one that stands otherwise, or where none stands so.
    """
    named = shipment.in_state(state) if devices is None else sorted(set(devices))
    for device in named:
        item, text = shipment.items.get(device), str(SubjectId(device))
        if item is None:
            raise InputError(f"{text} is not in shipment {shipment.number}", "shipment_not_in_it", id=text)
        if item.state is not state:
            raise StateError(f"{text} is {item.state.value}", "shipment_answered", id=text, state=item.state.value)
    if not named and devices is None:
        stands = next((item.state.value for item in shipment.items.values()), "")
        raise StateError(f"no device of it is {state.value}", "shipment_settled", state=stands)
    return named


def _by_part(shipment: Shipment, devices: Iterable[bytes]) -> Iterator[tuple[Ref, list[bytes]]]:
    """Devices by the offers in which they stand."""
    chosen = set(devices)
    for part in shipment.parts:
        if mine := [device for device in part.devices if device in chosen]:
            yield part.offer, mine


async def _check_box(tx: ReadTx, org: bytes) -> None:
    """Raise StateError where nothing can be sealed to an organisation: of none of its nodes a log was heard."""
    if await newest_box_key(tx, org) is None:
        raise StateError("no node of the buyer is known here yet, so nothing can be sealed to it", "ship_via_unknown")


def _check_count(devices: Collection[bytes]) -> None:
    if not 0 < len(devices) <= MAX_DEVICES:
        raise InputError(f"a shipment holds 1 to {MAX_DEVICES} devices, got {len(devices)}", "ship_count")


def _unknown() -> NotFoundError:
    return NotFoundError("no shipment of that id is here", "shipment_unknown")
