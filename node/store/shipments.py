"""Shipments as they are filed: how many devices of each stand how, and the state of each device."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, exists, func, or_, select

from node.passport.shipments import DeviceState, Did, Shipment
from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
from node.store.fragments import CHUNK, STORED, subject64
from node.store.upserts import upsert

_ROW, _DEVICE = schema.shipments.c, schema.shipped.c
HELD = (DeviceState.ACCEPTED, DeviceState.RETURNING)

Place = tuple[int, bytes]  # when it was said, and the subject


@dataclass(frozen=True, slots=True)
class FiledShipment:
    """A shipment as lists show it. `counts` has every state; `keyed` of those held have a root key at the seller.

    `outside` is the number of a buyer without a node, `returns` the shipment whose devices it sends back, or nothing.
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
    said_us: int

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
    """A device of a shipment; `title` is None where its passport is not here, `has_key` where a root key is."""

    device: bytes
    state: DeviceState
    reason: str
    title: str | None
    has_key: bool


@dataclass(frozen=True, slots=True)
class ShipmentSift:
    """Which shipments: every condition that is given has to hold. `open` are those of which some device waits."""

    party: bytes
    seller: bytes | None = None
    buyer: bytes | None = None
    open: bool | None = None


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


async def drop_shipment(tx: WriteTx, subject: bytes) -> None:
    """Forget what was filed of a shipment."""
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
    rows = await tx.all(select(_ROW.subject, _ROW.outside).where(_ROW.outside != "").order_by(_ROW.subject))
    return [(row.subject, row.outside) for row in rows]


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
    tx: ReadTx, shipment: bytes, state: DeviceState | None = None, after: bytes = b"", limit: int = 100
) -> list[ShippedDevice]:
    """The devices of a shipment by their ids, after one."""
    passports = schema.passports.c
    statement = (
        select(_DEVICE.device, _DEVICE.state, _DEVICE.reason, passports.title, _has_key().label("has_key"))
        .join(schema.passports, passports.subject == _DEVICE.device, isouter=True)
        .where(_DEVICE.shipment == shipment, _DEVICE.device > after)
    )
    if state is not None:
        statement = statement.where(_DEVICE.state == state.value)
    rows = await tx.all(statement.order_by(_DEVICE.device).limit(limit))
    return [ShippedDevice(row.device, DeviceState(row.state), row.reason, row.title, bool(row.has_key)) for row in rows]


async def count_arrived(tx: ReadTx, shipment: bytes) -> tuple[int, int]:
    """Of how many of a shipment's devices a passport is here, and a root key that this node can open."""
    mine = _DEVICE.shipment == shipment
    passports = exists().where(schema.passports.c.subject == _DEVICE.device)
    rows = select(func.count()).select_from(schema.shipped)
    return int(await tx.value(rows.where(mine, passports))), int(await tx.value(rows.where(mine, _has_key())))


async def read_devices(tx: ReadTx, shipment: bytes, *states: DeviceState) -> list[bytes]:
    """The devices of a shipment, in these states where some are given."""
    statement = select(_DEVICE.device).where(_DEVICE.shipment == shipment)
    if states:
        statement = statement.where(_DEVICE.state.in_([state.value for state in states]))
    return [row.device for row in await tx.all(statement.order_by(_DEVICE.device))]


async def clear_shipments(tx: WriteTx) -> None:
    """Forget all that is filed."""
    await tx.run(delete(schema.shipped))
    await tx.run(delete(schema.shipments))


def _has_key() -> ColumnElement[bool]:
    mentions, sections = schema.mentions.c, schema.sections.c
    return exists().where(
        mentions.subject64 == _DEVICE.device64,
        sections.log_no == mentions.log_no,
        sections.seq == mentions.seq,
        sections.name == "root-keys",
        sections.form == STORED,
    )


def _conditions(sift: ShipmentSift) -> Sequence[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [or_(_ROW.seller == sift.party, _ROW.buyer == sift.party)]
    if sift.seller is not None:
        found = [_ROW.seller == sift.seller]
    if sift.buyer is not None:
        found = [_ROW.buyer == sift.buyer]
    if sift.open is not None:
        found.append(_ROW.n_offered > 0 if sift.open else _ROW.n_offered == 0)
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
        "said_us": shipment.acts[0].said.occurred,
        **{_column(state): counts[state] for state in DeviceState},
    }


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
        row.said_us,
    )
