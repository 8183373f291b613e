"""Shipments in and out: offered, accepted in whole or in part, refused, withdrawn, sent back."""

from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from node.passport.ids import SubjectId, format_device_id
from node.passport.references import ref_text
from node.passport.shipments import Act, DeviceState, Did, Reason
from node.services.access import Scope
from node.services.shipments import MAX_DEVICES, FiledShipment, Outsider, ShipmentSift, ShippedDevice, Why
from node.web.api.fields import Hex16, Line, Name, Text
from node.web.api.organisations import Inn, Ogrn
from node.web.api.passports import PassportPath, subject_of
from node.web.calls import Call, Page, PageQuery
from node.web.routes import api
from node.web.tables import network as tables

BODY = 2 << 20
SHOWN_ACTS = 200
ANSWERING = (
    "shipment_unknown", "id_mistyped", "query_empty", "shipment_not_in_it", "shipment_ambiguous", "shipment_answered",
    "shipment_settled",
)  # fmt: skip


class ShipBody(BaseModel):
    """Devices for a buyer: an organisation that is known here, or one without a node, by its number and name."""

    buyer: Hex16 | None = None
    inn: Inn | None = None
    ogrn: Ogrn | None = None
    name: Line | None = Field(default=None, description="What a buyer without a node is called.")
    number: Text
    devices: list[Text] = Field(min_length=1, max_length=MAX_DEVICES)
    unopened: bool = Field(
        default=False, description="To who trades them: no key goes to him; who buys of him gets them."
    )
    via: Hex16 | None = Field(
        default=None, description="A member through whose node it goes to a buyer whom this node does not reach."
    )
    places: dict[Text, Name] = Field(
        default_factory=dict, max_length=MAX_DEVICES, description="In which box some of them lie, by their ids."
    )

    @model_validator(mode="after")
    def _check_buyer(self) -> Self:
        if sum(map(bool, (self.buyer, self.inn, self.ogrn))) != 1:
            raise ValueError("the buyer is an organisation, or an ИНН, or an ОГРН")
        if (self.buyer is None) != (self.name is not None):
            raise ValueError("a buyer without a node has a name, and no other")
        return self


class ChosenBody(BaseModel):
    """Which devices of a shipment; without any, all that it can be about."""

    devices: list[Text] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_DEVICES,
        description="By ids, labels, serials as the packing list has them, or printed codes.",
    )


class RefusalBody(ChosenBody):
    """Why devices are refused."""

    reason: Reason
    note: Line | None = None


class WithdrawalBody(ChosenBody):
    """Why devices are withdrawn."""

    reason: Reason | None = None
    note: Line | None = None


class ReturnBody(RefusalBody):
    """Why devices are sent back, and by which papers."""

    number: Text


class ShipmentRow(BaseModel):
    """A shipment as lists show it."""

    id: str
    direction: Literal["in", "out", "via"] = Field(description="To this organisation, by it, or through its node.")
    seller: Hex16
    buyer: Hex16 | None = Field(description="Null for a buyer without a node.")
    buyer_number: str | None = Field(
        description="Of a buyer without a node: `inn:` or `ogrn:` and the number; `box:` of a box."
    )
    buyer_name: str | None = Field(description="What the seller calls a buyer without a node.")
    number: str
    date: str
    via: Hex16 | None = Field(description="Through whose node it goes.")
    returns: str | None = Field(description="The shipment whose devices it sends back.")
    box: str | None = Field(description="The box whose code the buyer had.")
    announced: int = Field(description="Of how many signed parts it is to consist.")
    parts: int = Field(description="How many of them are here.")
    count: int = Field(description="How many devices it holds.")
    states: dict[DeviceState, int] = Field(description="How many of them stand how.")
    accepted: bool = Field(description="Whether any of it was accepted.")
    passports: int = Field(description="How many of its devices have a passport here.")
    keys: int = Field(
        description="Of how many devices this node holds the sealed root keys; a carrier cannot open them."
    )
    keys_due: int = Field(description="Of how many accepted devices root keys are to come.")
    unopened: int = Field(description="How many devices are sold unopened: no keys go to the buyer.")
    strange: int = Field(description="Devices that were answered for and are not in it: without effect.")
    said_us: int


class ActAnswer(BaseModel):
    """What one statement did with devices of a shipment."""

    did: Did
    org: Hex16
    count: int
    reason: str | None
    note: str | None
    said_us: int
    ref: str


class ShipmentAnswer(ShipmentRow):
    """A shipment with its devices and all that was said of it, the first 200 acts."""

    devices: list[str]
    acts: list[ActAnswer]


class ShippedAnswer(BaseModel):
    """A device of a shipment."""

    id: str
    state: DeviceState
    reason: str | None
    title: str | None = Field(description="Null where its passport is not here.")
    key: bool = Field(description="Whether its root keys are here, sealed.")
    name: str = Field(description="Its designation by the seller's packing list; empty where that says nothing.")
    serial: str = Field(description="Its serial as it is printed, by the same list.")
    place: str = Field(description="The box in which the seller says it lies.")
    differs: bool = Field(description="The passport that came tells of another designation or serial than the list.")


class ShipmentsQuery(PageQuery):
    """Which shipments."""

    direction: Literal["in", "out", "via"] | None = Field(
        default=None, description="To this organisation, by it, or through its node."
    )
    open: bool | None = Field(default=None, description="Of which some device waits for an answer.")


class ShippedQuery(PageQuery):
    """Which devices of a shipment."""

    state: DeviceState | None = None
    q: Text | None = Field(default=None, description="A serial or a part of it, or what else is printed on a device.")


@api("POST", "/shipments", title="Offer devices to a buyer", scopes=[Scope.SHIP], status=201, max_body=BODY,
     problems=["ship_to_self", "ship_via", "ship_via_unknown", "ship_via_member", "ship_count", "ship_parts",
               "ship_not_ours", "ship_offered", "shipped_already", "org_unknown", "org_ended", "passport_unknown",
               "id_mistyped"])  # fmt: skip
async def offer(call: Call, body: ShipBody) -> ShipmentAnswer:
    """One signed act; the acceptance brings passports and sealed keys in one transfer.

    What is offered to a number waits until a member has it.
    """
    number = f"inn:{body.inn}" if body.inn else f"ogrn:{body.ogrn}"
    buyer = bytes.fromhex(body.buyer) if body.buyer else Outsider(number, body.name or "")
    shipments = call.context.shipments
    devices = [subject_of(text) for text in body.devices]
    subject = await shipments.offer(
        devices,
        buyer,
        body.number,
        shipments.today(),
        call.actor.label,
        unopened=body.unopened,
        via=bytes.fromhex(body.via) if body.via else None,
        places={subject_of(text): place for text, place in body.places.items()},
    )
    return await _answer(call, subject)


@api("GET", "/shipments", title="Shipments in and out, newest first", scopes=[Scope.READ], problems=["cursor"],
     table=tables.SHIPMENTS)  # fmt: skip
async def list_shipments(call: Call, query: ShipmentsQuery) -> Page[ShipmentRow]:
    """Those of this organisation whose papers are here."""
    own = call.context.core.org
    sift = ShipmentSift(
        own,
        seller=own if query.direction == "out" else None,
        buyer=own if query.direction == "in" else None,
        via=own if query.direction == "via" else None,
        open=query.open,
    )
    before = None
    if query.cursor:
        said, subject = call.decode_cursor(query.cursor, int, str)
        before = (int(said), bytes.fromhex(str(subject)))
    found = await call.context.shipments.page(sift, before, query.limit + 1)
    last = found[query.limit - 1] if len(found) > query.limit else None
    more = call.encode_cursor(last.said_us, last.subject.hex()) if last else None
    return Page(items=[await to_row(call, one) for one in found[: query.limit]], next=more)


@api("GET", "/shipments/{id}", title="One shipment", scopes=[Scope.READ], problems=["shipment_unknown", "id_mistyped"])
async def read_shipment(call: Call, path: PassportPath) -> ShipmentAnswer:
    """Its devices, what came with it, and what buyer and seller said."""
    return await _answer(call, subject_of(path.id))


@api("GET", "/shipments/{id}/devices", title="Devices of a shipment", scopes=[Scope.READ],
     problems=["shipment_unknown", "id_mistyped", "cursor"], table=tables.SHIPPED)  # fmt: skip
async def list_devices(call: Call, path: PassportPath, query: ShippedQuery) -> Page[ShippedAnswer]:
    """How each stands, what of it is here, and what is printed on it by the seller's packing list."""
    subject = subject_of(path.id)
    await call.context.shipments.filed(subject)
    after = bytes.fromhex(str(call.decode_cursor(query.cursor, str)[0])) if query.cursor else b""
    found = await call.context.shipments.devices(subject, query.state, after, query.limit + 1, query.q or "")
    more = call.encode_cursor(found[query.limit - 1].device.hex()) if len(found) > query.limit else None
    return Page(items=[shipped_answer(one) for one in found[: query.limit]], next=more)


@api("POST", "/shipments/{id}/acceptance", title="Accept an offer, or some of it", scopes=[Scope.SHIP], max_body=BODY,
     problems=["not_the_buyer", *ANSWERING])  # fmt: skip
async def accept(call: Call, path: PassportPath, body: ChosenBody) -> ShipmentAnswer:
    """A second acceptance changes nothing."""
    subject = subject_of(path.id)
    await call.context.shipments.accept(subject, call.actor.label, await _chosen(call, subject, body))
    return await _answer(call, subject)


@api("POST", "/shipments/{id}/refusal", title="Refuse an offer, or some of it", scopes=[Scope.SHIP], max_body=BODY,
     problems=["not_the_buyer", *ANSWERING])  # fmt: skip
async def refuse(call: Call, path: PassportPath, body: RefusalBody) -> ShipmentAnswer:
    """The seller keeps what is refused, and learns why."""
    subject = subject_of(path.id)
    await call.context.shipments.refuse(subject, _why(body), call.actor.label, await _chosen(call, subject, body))
    return await _answer(call, subject)


@api("POST", "/shipments/{id}/withdrawal", title="Take an offer back, or some of it", scopes=[Scope.SHIP],
     max_body=BODY, problems=["not_the_seller", *ANSWERING])  # fmt: skip
async def withdraw(call: Call, path: PassportPath, body: WithdrawalBody) -> ShipmentAnswer:
    """What the buyer accepted before that stands."""
    subject = subject_of(path.id)
    await call.context.shipments.withdraw(subject, _why(body), call.actor.label, await _chosen(call, subject, body))
    return await _answer(call, subject)


@api("POST", "/shipments/{id}/return", title="Send accepted devices back", scopes=[Scope.SHIP], status=201,
     max_body=BODY, problems=["not_the_buyer", "shipped_already", "ship_not_ours", "ship_offered", "ship_parts",
                              *ANSWERING])  # fmt: skip
async def send_back(call: Call, path: PassportPath, body: ReturnBody) -> ShipmentAnswer:
    """A shipment back: title and keys are the seller's again once he accepts it."""
    shipments = call.context.shipments
    subject = subject_of(path.id)
    chosen, actor = await _chosen(call, subject, body), call.actor.label
    made = await shipments.send_back(subject, _why(body), body.number, shipments.today(), actor, chosen)
    return await _answer(call, made)


async def to_row(call: Call, filed: FiledShipment) -> ShipmentRow:
    """A shipment as lists show it, with what is here of it."""
    return row_of(filed, call.context.core.org, *await call.context.shipments.arrived(filed))


def row_of(filed: FiledShipment, own: bytes, passports: int, keys: int) -> ShipmentRow:
    """A shipment as lists of an organisation show it."""
    return ShipmentRow(
        id=to_id(filed.subject),
        direction="out" if filed.seller == own else "via" if filed.via == own else "in",
        seller=filed.seller.hex(),
        buyer=None if filed.outside else filed.buyer.hex(),
        buyer_number=filed.outside or None,
        buyer_name=filed.name or None,
        number=filed.number,
        date=filed.date,
        via=filed.via.hex() or None,
        returns=to_id(filed.returns) if filed.returns else None,
        box=to_id(filed.box) if filed.box else None,
        announced=filed.announced,
        parts=filed.parts,
        count=filed.devices,
        states=dict(filed.counts),
        accepted=filed.held + filed.counts[DeviceState.RETURNED] > 0,
        passports=passports,
        keys=keys,
        keys_due=filed.keyed,
        unopened=filed.unopened,
        strange=filed.strange,
        said_us=filed.said_us,
    )


async def _answer(call: Call, subject: bytes) -> ShipmentAnswer:
    filed = await call.context.shipments.filed(subject)
    found = await call.context.shipments.get(subject)
    row = await to_row(call, filed)
    return ShipmentAnswer(
        **row.model_dump(),
        devices=[to_id(device) for device in found.devices],
        acts=[act_answer(act) for act in found.acts[:SHOWN_ACTS]],
    )


def shipped_answer(one: ShippedDevice) -> ShippedAnswer:
    """A device as the API shows it."""
    return ShippedAnswer(
        id=to_id(one.device),
        state=one.state,
        reason=one.reason or None,
        title=one.title,
        key=one.has_key,
        name=one.line.name,
        serial=one.line.serial,
        place=one.line.place,
        differs=one.differs,
    )


def act_answer(act: Act) -> ActAnswer:
    """An act as the API shows it."""
    return ActAnswer(
        did=act.did,
        org=act.said.org.hex(),
        count=len(act.devices),
        reason=act.reason,
        note=act.note,
        said_us=act.said.occurred,
        ref=ref_text(act.said.ref),
    )


async def _chosen(call: Call, subject: bytes, body: ChosenBody) -> list[bytes] | None:
    return None if body.devices is None else await call.context.packing_lists.named(subject, body.devices)


def _why(body: RefusalBody | WithdrawalBody) -> Why:
    return Why(body.reason, body.note)


def to_id(subject: bytes) -> str:
    """A subject as the API writes it."""
    return format_device_id(SubjectId(subject))


ROUTES = [offer, list_shipments, read_shipment, list_devices, accept, refuse, withdraw, send_back]
