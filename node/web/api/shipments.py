"""Shipments in and out."""

from datetime import UTC, datetime

from pydantic import BaseModel, Field

from node.passport.ids import SubjectId, format_device_id
from node.services.access import Scope
from node.services.shipments import Shipment
from node.web.api.fields import Hex16, Text
from node.web.api.passports import PassportPath, subject_of
from node.web.calls import Call
from node.web.routes import api
from node.web.tables import network as tables


class ShipBody(BaseModel):
    """Devices for a buyer."""

    buyer: Hex16
    number: Text
    devices: list[Text] = Field(min_length=1, max_length=4096)


class ShipmentAnswer(BaseModel):
    """An offer, and whether it was accepted."""

    id: str
    seller: Hex16
    buyer: Hex16
    number: str
    date: str
    devices: list[str]
    accepted: bool
    passports: int = Field(description="How many of its devices have a passport here.")
    keys: int = Field(description="Of how many devices this node holds the sealed root keys.")


class ShipmentsAnswer(BaseModel):
    """Every shipment that is known here."""

    items: list[ShipmentAnswer]


@api("POST", "/shipments", title="Offer devices to a buyer", scopes=[Scope.SHIP], status=201)
async def offer(call: Call, body: ShipBody) -> ShipmentAnswer:
    """One signed act; the acceptance brings passports and sealed keys in one transfer."""
    today = datetime.fromtimestamp(call.context.clock.now() / 1e6, UTC).date().isoformat()
    devices = [subject_of(text) for text in body.devices]
    shipments = call.context.shipments
    subject = await shipments.offer(devices, bytes.fromhex(body.buyer), body.number, today, call.actor.label)
    return await _answer(call, await shipments.get(subject))


@api("GET", "/shipments", title="Shipments in and out", scopes=[Scope.READ], table=tables.SHIPMENTS)
async def list_shipments(call: Call) -> ShipmentsAnswer:
    """The oldest first."""
    return ShipmentsAnswer(items=[await _answer(call, shipment) for shipment in await call.context.shipments.all()])


@api("GET", "/shipments/{id}", title="One shipment", scopes=[Scope.READ], problems=["shipment_unknown", "id_mistyped"])
async def read_shipment(call: Call, path: PassportPath) -> ShipmentAnswer:
    """Its devices, and what came with it."""
    return await _answer(call, await call.context.shipments.get(subject_of(path.id)))


@api("POST", "/shipments/{id}/acceptance", title="Accept an offer", scopes=[Scope.SHIP])
async def accept(call: Call, path: PassportPath) -> ShipmentAnswer:
    """A second acceptance changes nothing."""
    return await _answer(call, await call.context.shipments.accept(subject_of(path.id), call.actor.label))


async def _answer(call: Call, shipment: Shipment) -> ShipmentAnswer:
    arrived = await call.context.shipments.arrived(shipment.devices)
    return ShipmentAnswer(
        id=format_device_id(SubjectId(shipment.subject)),
        seller=shipment.seller.hex(),
        buyer=shipment.buyer.hex(),
        number=shipment.number,
        date=shipment.date,
        devices=[format_device_id(SubjectId(device)) for device in shipment.devices],
        accepted=shipment.accepted is not None,
        passports=len(arrived.titles),
        keys=len(arrived.keys),
    )


ROUTES = [offer, list_shipments, read_shipment, accept]
