"""Putting devices into boxes that whoever has the code may claim, and claiming a box."""

from typing import Annotated, Self

from aiohttp import web
from pydantic import BaseModel, Field, StringConstraints, model_validator

from node.errors import InputError, NodeError
from node.services.access import Scope
from node.services.boxes import MOST_BOXES
from node.web.api import boxes as api
from node.web.api.fields import Text
from node.web.api.shipments import to_id
from node.web.calls import Call, View
from node.web.dispatch import redirect
from node.web.languages import mark
from node.web.routes import page

TITLE, CLAIM = mark("Boxes"), mark("Claim a box")
PATH = "/boxes"
BODY = 4 << 20


class BoxesForm(BaseModel):
    """Devices a line, perhaps with the name of the box behind a tab."""

    number: str = Field(default="", max_length=128)
    size: str = Field(default="", max_length=5)
    listed: str = ""

    @property
    def body(self) -> api.BoxesBody:
        """What is asked of the API; raise InputError where it lacks something."""
        lines = [line for line in self.listed.splitlines() if line.strip()]
        if not lines or not self.number.strip():
            raise InputError("number and devices are missing", "box_empty")
        size = int(self.size) if self.size.strip().isdecimal() and int(self.size) else None
        return api.BoxesBody(number=self.number, devices=lines, size=size)


class SheetsForm(BaseModel):
    """Boxes and their codes, side by side."""

    ids: list[Text]
    codes: list[api.CodeText]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.ids) != len(self.codes):
            raise ValueError("each box has a code")
        return self


class ClaimForm(BaseModel):
    """What was scanned, or a code and a device."""

    code: Annotated[str, StringConstraints(max_length=512)] = ""
    device: api.Typed = ""


@page("GET", PATH + "/new", title=TITLE, scopes=[Scope.SHIP], api="POST /boxes")
async def new(_call: Call) -> View:
    """Which devices go into which box."""
    return _form(BoxesForm())


@page("POST", PATH, title=TITLE, scopes=[Scope.SHIP], api="POST /boxes", max_body=BODY)
async def make(call: Call, body: BoxesForm) -> View:
    """Offer the boxes and show their codes, this once."""
    try:
        made = await api.make_boxes(call, body.body)
    except NodeError as error:
        return _form(body, error)
    return View("boxes_made.html", made=made, most=api.MOST_PRINTED)


@page("POST", PATH + "/sheets", title=TITLE, scopes=[Scope.SHIP], api="POST /boxes/sheets")
async def sheets(call: Call, body: SheetsForm) -> web.Response:
    """The sheets that lie in the boxes."""
    printed = [api.PrintedBox(id=box, code=code) for box, code in zip(body.ids, body.codes, strict=True)]
    return await api.sheets_of(call, api.SheetsBody(items=printed))


@page("GET", PATH + "/claim", title=CLAIM, scopes=[Scope.SHIP], api="POST /boxes/claims")
async def ask(_call: Call) -> View:
    """Type or scan the code."""
    return View("box_claim.html", form=ClaimForm(), claimed=None)


@page("POST", PATH + "/claim", title=CLAIM, scopes=[Scope.SHIP], api="POST /boxes/claims")
async def claim(call: Call, body: ClaimForm) -> View | web.Response:
    """Claim the box, and go on to the shipment."""
    if not body.code.strip():
        return View("box_claim.html", error=InputError("no code", "box_mistyped"), form=body, claimed=None)
    try:
        claimed = await api.claimed_by(call, api.ClaimBody(code=body.code, device=body.device))
    except NodeError as error:
        return View("box_claim.html", error=error, form=body, claimed=None)
    if claimed.is_here:
        return redirect(f"/shipments/{to_id(claimed.shipment)}")
    seller = call.context.projection.world.organisation_name(claimed.seller) or claimed.seller.hex()[:8]
    return View("box_claim.html", form=ClaimForm(), claimed=claimed, seller=seller)


def _form(form: BoxesForm, error: NodeError | None = None) -> View:
    return View("boxes.html", error=error, form=form, most=MOST_BOXES)


ROUTES = (new, make, sheets, ask, claim)
