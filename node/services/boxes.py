"""Boxes of this organisation: each is offered to whoever has the code that lies in it, and is claimed once.

Wrong tries are counted by organisation and day, also over a restart; who has made too many is answered without anything
being looked at, until the next day. Refusals are journalled: the first wrong one of a day, the one with which the limit
is reached, and each with the right code.
"""

import asyncio
import hmac
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from federation.ports import Asker, Meter
from federation.sync.claiming import Claim, Claimed, Outcome
from node.errors import DeniedError, InputError, NotFoundError, StateError
from node.passport.boxes import CODE_SIZE, BoxCode, box_number
from node.passport.shipments import DeviceState
from node.services.core import Core
from node.services.pace import even_pace
from node.services.search import Query, Search
from node.services.shipments import FiledShipment, Lot, Outsider, Place, Shipments, ShipmentSift
from node.store.database import ReadTx, WriteTx
from node.store.logs import find_log
from node.store.passports import every_id
from node.store.settings import find_setting, set_setting
from node.store.shipments import boxes_with, claims_of

MOST_BOXES = 1_000
TRIES_A_DAY = 20
TRIES = "box-tries:"
DAY_US = 86_400_000_000
PACE_S = 0.02
# Why a box is not handed over, by how it stands.
_REFUSED = {"claimed": Outcome.CLAIMED, "withdrawn": Outcome.WITHDRAWN, "waiting": Outcome.GONE}


@dataclass(frozen=True, slots=True)
class MadeBox:
    """A box that was offered, with its code: shown this once."""

    shipment: bytes
    number: str
    code: BoxCode
    devices: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class OwnBox:
    """A box as it stands: what it became when it was claimed."""

    filed: FiledShipment
    claim: FiledShipment | None

    @property
    def state(self) -> str:
        """Whether it waits, was claimed or was taken back."""
        if self.claim is not None:
            return "claimed"
        return "waiting" if self.filed.counts[DeviceState.OFFERED] else "withdrawn"


class Boxes:
    """Makes boxes, and hands them to who claims them."""

    def __init__(self, core: Core, search: Search, shipments: Shipments, meter: Meter) -> None:
        self._core = core
        self._search = search
        self._shipments = shipments
        self._meter = meter
        # Over looking and counting, for each who asks: however many it tries at once, it has so many tries.
        self._asking: defaultdict[bytes, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def make(self, boxes: Sequence[Sequence[bytes]], number: str, actor: str) -> list[MadeBox]:
        """Offer devices box by box, all or none; the papers of each have the number and its place."""
        if not 0 < len(boxes) <= MOST_BOXES:
            raise InputError(
                f"1 to {MOST_BOXES} boxes are made at once, got {len(boxes)}", "box_count", most=MOST_BOXES
            )
        inside = [device for box in boxes for device in box]
        if len(set(inside)) < len(inside) or not all(boxes):
            raise InputError("each device lies in one box, and no box is empty", "box_split")
        codes = [BoxCode(self._core.random.bytes(CODE_SIZE)) for _ in boxes]
        lots = [
            Lot(tuple(devices), Outsider(code.number, None), f"{number}/{n}")
            for n, (devices, code) in enumerate(zip(boxes, codes, strict=True), 1)
        ]
        made = await self._shipments.offer_all(lots, actor, "box_offered")
        return [
            MadeBox(subject, lot.number, code, lot.devices)
            for subject, lot, code in zip(made, lots, codes, strict=True)
        ]

    async def page(self, before: Place | None, limit: int) -> list[OwnBox]:
        """Own boxes, the newest first."""
        sift = ShipmentSift(self._core.org, seller=self._core.org, is_box=True)
        return await self.standing(await self._shipments.page(sift, before, limit))

    async def standing(self, filed: Sequence[FiledShipment]) -> list[OwnBox]:
        """How some own boxes stand."""
        async with self._core.database.read() as tx:
            claims = await claims_of(tx, self._core.org, [one.subject for one in filed])
        return [OwnBox(one, claims.get(one.subject)) for one in filed]

    async def opened_by(self, box: bytes, code: BoxCode) -> FiledShipment:
        """An own box that has this code; raise NotFoundError for any other."""
        filed = await self._shipments.filed(box)
        if filed.seller != self._core.org or not hmac.compare_digest(filed.outside, code.number):
            raise NotFoundError("this is not the code of that box", "box_not_of_code")
        return filed

    async def answer(self, asker: Asker, claim: Claim) -> Claimed:
        """Hand a box to a member that shows its code; asked again it gets the same answer."""
        async with even_pace(PACE_S), self._asking[asker.org]:
            claimed = await self._answer(asker, claim)
        self._meter.count("box_claims", claimed.outcome.name.lower())
        return claimed

    async def _answer(self, asker: Asker, claim: Claim) -> Claimed:
        if asker.org == self._core.org:
            return Claimed(Outcome.UNKNOWN)
        async with self._core.database.read() as tx:
            if await self._tries(tx, asker.org) >= TRIES_A_DAY:
                return Claimed(Outcome.LIMIT)
            boxes = await self._boxes(tx, claim)
            box = self._match(boxes, claim) if claim.is_by(self._core.org, asker.org) else None
            done = (await claims_of(tx, self._core.org, [box.subject])).get(box.subject) if box else None
        if box is None:
            if boxes:  # who scans a device that lies in no box of ours tries nothing
                await self._refused(asker, Outcome.UNKNOWN, None)
            return Claimed(Outcome.UNKNOWN)
        if done is not None and done.buyer == asker.org:
            return Claimed(Outcome.DONE, done.subject)
        if done is not None:
            return await self._refused(asker, Outcome.CLAIMED, box)
        return await self._hand_over(asker, box)

    async def _hand_over(self, asker: Asker, box: FiledShipment) -> Claimed:
        if not await self._is_of_this_node(box):
            return Claimed(Outcome.UNKNOWN)
        if not box.counts[DeviceState.OFFERED]:
            return await self._refused(asker, Outcome.WITHDRAWN, box)
        try:
            made = await self._shipments.readdress(box.subject, asker.org, "peer", "box_claimed")
        except (DeniedError, StateError):
            # Another one, or the seller himself, may have been quicker.
            (stands,) = await self.standing([await self._shipments.filed(box.subject)])
            return await self._refused(asker, _REFUSED[stands.state], box)
        return Claimed(Outcome.DONE, made)

    async def _is_of_this_node(self, box: FiledShipment) -> bool:
        """A box is handed over by the node that offered it: two of one organisation would offer it twice."""
        found = await self._shipments.get(box.subject)
        async with self._core.database.read() as tx:
            log = await find_log(tx, found.parts[0].offer.log)
        return log is not None and log.node == self._core.node

    async def _boxes(self, tx: ReadTx, claim: Claim) -> list[FiledShipment]:
        """The own boxes with a device that is named so."""
        found = await self._search.find(tx, Query(claim.scheme, claim.value))
        devices = await every_id(tx, [passport.subject for passport in found])
        return await boxes_with(tx, self._core.org, devices)

    @staticmethod
    def _match(boxes: Sequence[FiledShipment], claim: Claim) -> FiledShipment | None:
        """The box of a key; each is compared, in a time that tells nothing."""
        number = box_number(claim.key)
        same = [box for box in boxes if hmac.compare_digest(box.outside, number)]
        return same[0] if same else None

    async def _refused(self, asker: Asker, outcome: Outcome, box: FiledShipment | None) -> Claimed:
        """Count a try, and journal it where that tells something new."""
        async with self._core.database.write() as tx:
            tries = await self._count(tx, asker.org)
            org, announce = asker.org, self._core.announce
            if box is not None:
                number, why = box.number, outcome.name.lower()
                await announce(tx, "peer", "box_refused", box.subject, org=org, number=number, answer=why)
            elif tries == 1:
                await announce(tx, "peer", "box_wrong", org=org)
            if tries == TRIES_A_DAY:
                await announce(tx, "peer", "box_tries", org=org, count=tries)
        return Claimed(outcome)

    async def _tries(self, tx: ReadTx, org: bytes) -> int:
        raw = await find_setting(tx, TRIES + org.hex())
        day, count = json.loads(raw) if raw else (0, 0)
        return int(count) if day == tx.now // DAY_US else 0

    async def _count(self, tx: WriteTx, org: bytes) -> int:
        tries = 1 + await self._tries(tx, org)
        await set_setting(tx, TRIES + org.hex(), json.dumps([tx.now // DAY_US, tries]).encode())
        return tries
