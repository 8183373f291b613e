"""Choosing devices and a buyer for a new shipment."""

from collections.abc import Sequence

from aiohttp import web
from pydantic import Field, field_validator

from node.errors import InputError, NodeError
from node.passport.ids import SubjectId, format_device_id
from node.services.access import Scope
from node.services.shipments import MAX_DEVICES, Outsider
from node.web.api.fields import Hex16, Line, Name, Text
from node.web.api.organisations import Inn, Ogrn, OrganisationAnswer, find_organisations
from node.web.api.passports import subject_of
from node.web.calls import Call, View
from node.web.console.choosing import Choice, Choosing, read_places, write_places
from node.web.console.form_values import Lines
from node.web.dispatch import redirect_in_page
from node.web.languages import mark
from node.web.routes import page

TITLE = mark("New shipment")
PATH = "/shipments"
BODY = 4 << 20


class NewForm(Choice):
    """The form while devices are chosen."""

    buyer: str = Field(default="", max_length=32)
    name: str = Field(default="", max_length=512)
    inn: str = Field(default="", max_length=16)
    ogrn: str = Field(default="", max_length=20)
    number: str = Field(default="", max_length=128)
    unopened: bool = False
    via: str = Field(default="", max_length=32)


class OfferForm(Lines):
    """A new shipment."""

    buyer: Hex16 | None = None
    name: Line | None = None
    inn: Inn | None = None
    ogrn: Ogrn | None = None
    number: Text
    unopened: bool = False
    via: Hex16 | None = None
    devices: list[Text] = []
    places: dict[Text, Name] = {}

    @field_validator("places", mode="before")
    @classmethod
    def _read_places(cls, text: object) -> object:
        return read_places(text) if isinstance(text, str) else text

    @property
    def party(self) -> bytes | Outsider:
        """The buyer; raise InputError where the form names none, or more than one."""
        numbers = [f"{kind}:{text}" for kind, text in (("inn", self.inn), ("ogrn", self.ogrn)) if text]
        if self.buyer is not None and not numbers:
            return bytes.fromhex(self.buyer)
        if self.buyer is not None or len(numbers) != 1 or self.name is None:
            raise InputError("a buyer is chosen, or told by his name and one number", "ship_buyer")
        return Outsider(numbers[0], self.name)


@page("GET", PATH + "/new", title=TITLE, scopes=[Scope.SHIP], api="GET /passports")
async def new(call: Call) -> View:
    """Choose devices and a buyer."""
    return await _choosing(call).shown(NewForm(), [], buyers=await _buyers(call))


@page("POST", PATH + "/new", title=TITLE, scopes=[Scope.SHIP], api="GET /passports", max_body=BODY)
async def choose(call: Call, body: NewForm) -> View:
    """Add devices to those that are chosen, or take some out; nothing is signed."""
    return await _choosing(call).after(body, buyers=await _buyers(call))


@page("POST", PATH, title=TITLE, scopes=[Scope.SHIP], api="POST /shipments", max_body=BODY)
async def offer(call: Call, body: OfferForm) -> View | web.Response:
    """Sign the offer."""
    chosen = list(dict.fromkeys(body.devices))
    service = call.context.shipments
    try:
        subjects = [subject_of(device) for device in chosen]
        places = {subject_of(device): place for device, place in body.places.items() if device in set(chosen)}
        subject = await service.offer(
            subjects,
            body.party,
            body.number,
            service.today(),
            call.actor.label,
            unopened=body.unopened,
            via=bytes.fromhex(body.via) if body.via else None,
            places=places,
        )
    except NodeError as error:
        texts = {name: text for name, text in body if isinstance(text, str)}
        kept = NewForm.model_validate({**texts, "unopened": body.unopened, "places": write_places(body.places)})
        return await _choosing(call).shown(kept, chosen, error=error, buyers=await _buyers(call))
    return redirect_in_page(call, f"{PATH}/{format_device_id(SubjectId(subject))}")


def _choosing(call: Call) -> Choosing:
    return Choosing(call, "shipment_new.html", MAX_DEVICES, call.context.shipments.free)


async def _buyers(call: Call) -> Sequence[OrganisationAnswer]:
    return [item for item in await find_organisations(call) if item.org and not item.own]


ROUTES = (new, choose, offer)
