"""Shipments as they are filed: how many devices of each stand how, and the state of each device."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, exists, func, or_, select, text

from node.passport.boxes import BOX, is_box
from node.passport.packing import BETWEEN, Packed
from node.passport.shipments import DeviceState, Did, Shipment
from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
from node.store.fragments import CHUNK, STORED, subject64
from node.store.packed import drop_packed, is_found_by, put_packed
from node.store.upserts import upsert

_ROW, _DEVICE = schema.shipments.c, schema.shipped.c
HELD = (DeviceState.ACCEPTED, DeviceState.RETURNING)

Place = tuple[int, bytes]  # when it was said, and the subject


@dataclass(frozen=True, slots=True)
class FiledShipment:
    """A shipment as lists show it. `counts` has every state; `keyed` of those held have a root key to come.

    `unopened` are offered without keys, to be sold on. `outside` is the number of a buyer without a node, or of a box;
    `returns` the shipment whose devices it sends back, or nothing; `via` through whose node it goes, or nothing; `box`
    the one whose code the buyer had.
    """

    subject: bytes
    seller: bytes
    buyer: bytes
    outside: str
    name: str
    number: str
    date: str
    returns: bytes
    announced: int
    parts: int
    devices: int
    counts: Mapping[DeviceState, int]
    keyed: int
    strange: int
    unopened: int
    via: bytes
    said_us: int
    box: bytes | None = None

    @property
    def is_box(self) -> bool:
        """Whether it is for whoever has a code."""
        return is_box(self.outside)

    @property
    def held(self) -> int:
        """How many devices are the buyer's by it."""
        return sum(self.counts[state] for state in HELD)

    @property
    def place(self) -> Place:
        """Where it stands in lists."""
        return self.said_us, self.subject


@dataclass(frozen=True, slots=True)
class ShippedDevice:
    """A device of a shipment; `title` is None where its passport is not here, `has_key` where a root key is.

    `line` is what the seller's packing list says of it.
    """

    device: bytes
    state: DeviceState
    reason: str
    title: str | None
    has_key: bool
    line: Packed

    @property
    def differs(self) -> bool:
        """Whether the passport that came tells of another device than the list."""
        return bool(self.title) and self.line.differs(self.title or "")


@dataclass(frozen=True, slots=True)
class ShipmentSift:
    """Which shipments: every condition that is given has to hold. `open` are those of which some device waits, `is_box`
    those for whoever has a code.
    """

    party: bytes
    seller: bytes | None = None
    buyer: bytes | None = None
    via: bytes | None = None
    open: bool | None = None
    is_box: bool | None = None


async def put_shipment(tx: WriteTx, shipment: Shipment) -> None:
    """File a shipment in place of what was filed of it; devices that stand as they stood are not written."""
    await upsert(tx, schema.shipments, [_row(shipment)])
    statement = select(_DEVICE.device, _DEVICE.state, _DEVICE.reason).where(_DEVICE.shipment == shipment.subject)
    stood = {row.device: (row.state, row.reason) for row in await tx.all(statement)}
    stands = {device: (item.state.value, item.reason or "") for device, item in shipment.items.items()}
    fresh = [
        {"shipment": shipment.subject, "device": device, "device64": subject64(device), "state": state, "reason": why}
        for device, (state, why) in stands.items()
        if stood.get(device) != (state, why)
    ]
    await upsert(tx, schema.shipped, fresh)
    gone = sorted(stood.keys() - stands.keys())
    for at in range(0, len(gone), CHUNK):
        few = _DEVICE.device.in_(gone[at : at + CHUNK])
        await tx.run(delete(schema.shipped).where(_DEVICE.shipment == shipment.subject, few))
    await put_packed(tx, shipment)


async def drop_shipment(tx: WriteTx, subject: bytes) -> None:
    """Forget what was filed of a shipment."""
    await drop_packed(tx, subject)
    await tx.run(delete(schema.shipped).where(_DEVICE.shipment == subject))
    await tx.run(delete(schema.shipments).where(_ROW.subject == subject))


async def find_shipment(tx: ReadTx, subject: bytes) -> FiledShipment | None:
    """What is filed of a shipment."""
    row = await tx.first(select(schema.shipments).where(_ROW.subject == subject))
    return None if row is None else _filed(row)


async def filed_shipments(tx: ReadTx, subjects: Iterable[bytes]) -> set[bytes]:
    """Those of some subjects that are shipments filed here."""
    wanted, found = sorted(set(subjects)), set[bytes]()
    for at in range(0, len(wanted), CHUNK):
        few = select(_ROW.subject).where(_ROW.subject.in_(wanted[at : at + CHUNK]))
        found |= {row.subject for row in await tx.all(few)}
    return found


async def list_shipments(
    tx: ReadTx, sift: ShipmentSift, before: Place | None = None, limit: int = 50
) -> list[FiledShipment]:
    """The newest first, before a place where one is given."""
    statement = select(schema.shipments).where(*_conditions(sift))
    if before is not None:
        statement = statement.where(
            or_(_ROW.said_us < before[0], (_ROW.said_us == before[0]) & (_ROW.subject < before[1]))
        )
    rows = await tx.all(statement.order_by(_ROW.said_us.desc(), _ROW.subject.desc()).limit(limit))
    return [_filed(row) for row in rows]


async def count_shipments(tx: ReadTx, sift: ShipmentSift) -> int:
    """How many there are."""
    return int(await tx.value(select(func.count()).select_from(schema.shipments).where(*_conditions(sift))))


async def outside_shipments(tx: ReadTx) -> list[tuple[bytes, str]]:
    """Those whose buyer had no node when they were filed, each with his number."""
    waiting = (_ROW.outside != "", ~_is_box())
    rows = await tx.all(select(_ROW.subject, _ROW.outside).where(*waiting).order_by(_ROW.subject))
    return [(row.subject, row.outside) for row in rows]


async def boxes_with(tx: ReadTx, seller: bytes, devices: Collection[bytes]) -> list[FiledShipment]:
    """The boxes of a seller that hold or held one of some devices, the newest first."""
    inside = select(_DEVICE.shipment).where(_DEVICE.device.in_(sorted(devices)))
    statement = select(schema.shipments).where(_ROW.subject.in_(inside), _ROW.seller == seller, _is_box())
    return [_filed(row) for row in await tx.all(statement.order_by(_ROW.said_us.desc(), _ROW.subject))]


async def claims_of(tx: ReadTx, seller: bytes, boxes: Collection[bytes]) -> dict[bytes, FiledShipment]:
    """What some boxes of a seller became when they were claimed."""
    statement = select(schema.shipments).where(_ROW.box.in_(sorted(boxes)), _ROW.seller == seller)
    return {filed.box: filed for filed in map(_filed, await tx.all(statement)) if filed.box is not None}


async def taken_devices(
    tx: ReadTx, seller: bytes, devices: Collection[bytes], states: Iterable[DeviceState]
) -> dict[bytes, str]:
    """Those of some devices that stand so in a shipment of a seller, with its number."""
    found: dict[bytes, str] = {}
    wanted, named = sorted(devices), [state.value for state in states]
    for at in range(0, len(wanted), CHUNK):
        statement = (
            select(_DEVICE.device, _ROW.number)
            .join(schema.shipments, _ROW.subject == _DEVICE.shipment)
            .where(_DEVICE.device.in_(wanted[at : at + CHUNK]), _DEVICE.state.in_(named), _ROW.seller == seller)
        )
        found |= {row.device: row.number for row in await tx.all(statement)}
    return found


async def list_shipped(
    tx: ReadTx,
    shipment: bytes,
    state: DeviceState | None = None,
    after: bytes = b"",
    limit: int = 100,
    term: str = "",
) -> list[ShippedDevice]:
    """The devices of a shipment by their ids, after one; with a `term` those that have it printed on them."""
    statement = _devices(shipment).where(_DEVICE.device > after)
    if state is not None:
        statement = statement.where(_DEVICE.state == state.value)
    if term:
        statement = statement.where(is_found_by(term))
    rows = await tx.all(statement.order_by(_DEVICE.device).limit(limit))
    return [_device(row) for row in rows]


async def list_differing(tx: ReadTx, shipment: bytes) -> list[ShippedDevice]:
    """The devices of a shipment whose passport is not called as the packing list spells it, by their ids."""
    title, line = schema.passports.c.title, schema.packed.c
    others = _devices(shipment).where(title != "", line.serial != "", title != line.name + BETWEEN + line.serial)
    return [_device(row) for row in await tx.all(others.order_by(_DEVICE.device))]


async def count_arrived(tx: ReadTx, shipment: bytes, form: int = STORED) -> tuple[int, int]:
    """Of how many of a shipment's devices a passport is here, and a root key in that form: one that this node opens."""
    mine = _DEVICE.shipment == shipment
    passports = exists().where(schema.passports.c.subject == _DEVICE.device)
    rows = select(func.count()).select_from(schema.shipped)
    return int(await tx.value(rows.where(mine, passports))), int(await tx.value(rows.where(mine, _has_key(form))))


async def read_devices(tx: ReadTx, shipment: bytes, *states: DeviceState) -> list[bytes]:
    """The devices of a shipment, in these states where some are given."""
    statement = select(_DEVICE.device).where(_DEVICE.shipment == shipment)
    if states:
        statement = statement.where(_DEVICE.state.in_([state.value for state in states]))
    return [row.device for row in await tx.all(statement.order_by(_DEVICE.device))]


async def clear_shipments(tx: WriteTx) -> None:
    """Forget all that is filed."""
    await drop_packed(tx)
    await tx.run(delete(schema.shipped))
    await tx.run(delete(schema.shipments))


def _devices(shipment: bytes) -> Select[Any]:  # Any: a row of many columns
    passports, line = schema.passports.c, schema.packed.c
    return (
        select(_DEVICE.device, _DEVICE.state, _DEVICE.reason, passports.title, _has_key().label("has_key"))
        .add_columns(line.name, line.serial, line.place)
        .join(schema.passports, passports.subject == _DEVICE.device, isouter=True)
        .join(schema.packed, (line.shipment == shipment) & (line.device == _DEVICE.device), isouter=True)
        .where(_DEVICE.shipment == shipment)
    )


def _has_key(form: int = STORED) -> ColumnElement[bool]:
    mentions, sections = schema.mentions.c, schema.sections.c
    return exists().where(
        mentions.subject64 == _DEVICE.device64,
        sections.log_no == mentions.log_no,
        sections.seq == mentions.seq,
        text(f"sections.{schema.OF_KEYS}"),
        sections.form == form,
    )


def _is_box() -> ColumnElement[bool]:
    return _ROW.outside.startswith(f"{BOX}:")


def _conditions(sift: ShipmentSift) -> Sequence[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        or_(_ROW.seller == sift.party, _ROW.buyer == sift.party, _ROW.via == sift.party)
    ]
    if sift.seller is not None:
        found = [_ROW.seller == sift.seller]
    if sift.buyer is not None:
        found = [_ROW.buyer == sift.buyer]
    if sift.via is not None:
        found = [_ROW.via == sift.via]
    if sift.open is not None:
        found.append(_ROW.n_offered > 0 if sift.open else _ROW.n_offered == 0)
    if sift.is_box is not None:
        found.append(_is_box() if sift.is_box else ~_is_box())
    return found


def _row(shipment: Shipment) -> dict[str, object]:
    items, buyer = shipment.items.values(), shipment.buyer
    counts = Counter(item.state for item in items)
    strange = {device for act in shipment.acts if act.did is Did.STRANGE for device in act.devices}
    return {
        "subject": shipment.subject,
        "seller": shipment.seller,
        "buyer": buyer.org,
        "outside": (buyer.number or "") if buyer.is_outside else "",
        "name": shipment.name or "",
        "number": shipment.number,
        "date": shipment.date,
        "returns": shipment.returns or b"",
        "announced": max(shipment.announced, len(shipment.parts)),
        "parts": len(shipment.parts),
        "devices": len(items),
        "keyed": sum(1 for item in items if item.has_keys and item.state in HELD),
        "strange": len(strange),
        "via": shipment.via or b"",
        "unopened": sum(len(part.devices) for part in shipment.parts if part.is_unopened),
        "said_us": shipment.acts[0].said.occurred,
        "box": shipment.box,
        **{_column(state): counts[state] for state in DeviceState},
    }


def _device(row: Record) -> ShippedDevice:
    line = Packed(row.name or "", row.serial or "", row.place or "")
    return ShippedDevice(row.device, DeviceState(row.state), row.reason, row.title, bool(row.has_key), line)


def _column(state: DeviceState) -> str:
    return f"n_{state.value}"


def _filed(row: Record) -> FiledShipment:
    return FiledShipment(
        row.subject,
        row.seller,
        row.buyer,
        row.outside,
        row.name,
        row.number,
        row.date,
        row.returns,
        row.announced,
        row.parts,
        row.devices,
        {state: int(getattr(row, _column(state))) for state in DeviceState},
        row.keyed,
        row.strange,
        row.unopened,
        row.via,
        row.said_us,
        row.box,
    )
