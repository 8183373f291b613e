"""Boxes: devices offered to whoever has the code that lies inside; and claiming a box of somebody else."""

import asyncio
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, Field, StringConstraints

from node.errors import InputError
from node.exchange.errors import SheetError
from node.exchange.sheets import MAX_CELLS, write_pages
from node.passport.boxes import format_slip, parse_code, split_listed
from node.passport.errors import MistypedIdError
from node.passport.ids import SubjectId, format_label_url
from node.passport.unseen import VISIBLE
from node.services.access import Scope
from node.services.box_claims import ClaimedBox
from node.services.boxes import MOST_BOXES, MadeBox, OwnBox
from node.services.labels import MOST
from node.web.api.fields import Hex16, Text
from node.web.api.papers import FONTS, PDF, PRINTING, TOO_LONG, answer_file
from node.web.api.passports import subject_of
from node.web.api.shipments import to_id
from node.web.box_sheet import Content, box_sheet
from node.web.calls import Call, Page, PageQuery
from node.web.routes import api
from node.web.tables import network as tables

BODY = 4 << 20
MOST_PRINTED = 200
# A line of a table, with the tab between its columns.
LISTED = VISIBLE.replace(r"\u0000-\u001f", r"\u0000-\u0008\u000a-\u001f")
Listed = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=512, pattern=LISTED)]
BoxState = Literal["waiting", "claimed", "withdrawn"]
CodeText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=512)]
Typed = Annotated[str, StringConstraints(max_length=256)]


class BoxesBody(BaseModel):
    """Devices for boxes."""

    number: Text = Field(description="Of the delivery note; each box has it with its place behind a stroke.")
    devices: list[Listed] = Field(
        min_length=1,
        max_length=MOST,
        description="Device ids, or what stands on plates; behind a tab or a semicolon perhaps the name of the box.",
    )
    size: int | None = Field(default=None, ge=1, le=MOST, description="So many a box, where no box is named.")


class BoxAnswer(BaseModel):
    """A box that was made. The code stands in this answer alone."""

    id: str
    number: str
    code: str
    scan: str = Field(description="What is printed to be scanned: the link of a device in it, and the code.")
    devices: list[str]


class BoxesAnswer(BaseModel):
    """Boxes that were made."""

    items: list[BoxAnswer]


class BoxRow(BaseModel):
    """An own box as lists show it."""

    id: str
    number: str
    state: BoxState
    count: int
    claimed_by: Hex16 | None
    shipment: str | None = Field(description="The shipment that it became when it was claimed.")
    said_us: int


class PrintedBox(BaseModel):
    """A box whose sheet is printed, with its code: this node does not know it any more."""

    id: Text
    code: CodeText


class SheetsBody(BaseModel):
    """Boxes whose sheets are printed."""

    items: list[PrintedBox] = Field(min_length=1, max_length=MOST_PRINTED)


class ClaimBody(BaseModel):
    """The code of a box and a device of it, or what was scanned, which holds both."""

    code: CodeText
    device: Typed = Field(default="", description="A device id, a serial, a DevEUI: what stands on a label.")


class ClaimAnswer(BaseModel):
    """A box that is offered to this organisation now."""

    shipment: str
    seller: Hex16
    here: bool = Field(description="Whether the offer came already; else it comes with the next exchange.")


@api("POST", "/boxes", title="Offer devices in boxes", scopes=[Scope.SHIP], status=201, max_body=BODY,
     problems=["box_count", "box_split", "ship_count", "ship_parts", "ship_not_ours", "ship_offered", "shipped_already",
               "passport_unknown", "label_unnamed", "labels_too_many"])  # fmt: skip
async def make(call: Call, body: BoxesBody) -> BoxesAnswer:
    """One offer and one code each, all or none; whoever has a code may claim its box.

    The codes stand in this answer alone. Send an Idempotency-Key: a request that is repeated gets the same answer for a
    day, kept sealed. A box whose code is lost is taken back as a shipment is, and offered anew.
    """
    return BoxesAnswer(items=await make_boxes(call, body))


@api("GET", "/boxes", title="Own boxes, newest first", scopes=[Scope.READ], problems=["cursor"], table=tables.BOXES)
async def list_boxes(call: Call, query: PageQuery) -> Page[BoxRow]:
    """Which wait, which were claimed and by whom, which were taken back."""
    before = None
    if query.cursor:
        said, subject = call.decode_cursor(query.cursor, int, str)
        before = (int(said), bytes.fromhex(str(subject)))
    found = await call.context.boxes.page(before, query.limit + 1)
    last = found[query.limit - 1].filed if len(found) > query.limit else None
    more = call.encode_cursor(last.said_us, last.subject.hex()) if last else None
    return Page(items=[_row(one) for one in found[: query.limit]], next=more)


@api("POST", "/boxes/sheets", title="Sheets that lie in boxes", scopes=[Scope.SHIP], files=[PDF],
     problems=["box_mistyped", "box_not_of_code", "shipment_unknown", "id_mistyped", TOO_LONG])  # fmt: skip
async def print_sheets(call: Call, body: SheetsBody) -> web.Response:
    """A page A4 for each: the code to be scanned and to be read, and what is in the box."""
    return await sheets_of(call, body)


@api("POST", "/boxes/claims", title="Claim a box by its code", scopes=[Scope.SHIP], status=201,
     problems=["box_mistyped", "box_code_alone", "box_no_device", "id_mistyped", "not_a_member", "box_own",
               "box_no_seller", "box_silent", "box_unknown", "box_claimed", "box_withdrawn", "box_gone",
               "box_limit"])  # fmt: skip
async def claim(call: Call, body: ClaimBody) -> ClaimAnswer:
    """Its seller offers the devices to this organisation, which accepts the shipment as any. Asked again, the same."""
    claimed = await claimed_by(call, body)
    return ClaimAnswer(shipment=to_id(claimed.shipment), seller=claimed.seller.hex(), here=claimed.is_here)


async def make_boxes(call: Call, body: BoxesBody) -> list[BoxAnswer]:
    """Offer the devices of a request box by box."""
    listed = split_listed(body.devices, body.size)
    if listed is None:
        raise InputError("some devices have a box and others do not", "box_split")
    if len(listed) > MOST_BOXES:
        raise InputError(f"1 to {MOST_BOXES} boxes are made at once, got {len(listed)}", "box_count", most=MOST_BOXES)
    boxes = [await call.context.labels.named(texts) for texts in listed]
    made = await call.context.boxes.make(boxes, body.number, call.actor.label)
    return [_box_answer(call, box) for box in made]


async def sheets_of(call: Call, body: SheetsBody) -> web.Response:
    """The sheets as a file."""
    contents = [await _content(call, one) for one in body.items]
    issuer, now = call.context.settings.node.name, call.context.clock.now()
    sheets = [box_sheet(one, issuer, now, call.language) for one in contents]
    try:
        async with call.request.app[PRINTING]:
            raw = await asyncio.to_thread(write_pages, sheets, FONTS)
    except SheetError as error:
        raise InputError(str(error), TOO_LONG, most=MAX_CELLS) from error
    return answer_file(call, raw, PDF, "boxes", "", "pdf")


async def claimed_by(call: Call, body: ClaimBody) -> ClaimedBox:
    """Claim a box in the name of who asks."""
    return await call.context.box_claims.claim(body.code, body.device, call.actor.label)


def _box_answer(call: Call, box: MadeBox) -> BoxAnswer:
    scan = format_slip(_link(call, min(box.devices)), box.code)
    devices = [to_id(device) for device in box.devices]
    return BoxAnswer(id=to_id(box.shipment), number=box.number, code=box.code.text, scan=scan, devices=devices)


def _row(box: OwnBox) -> BoxRow:
    return BoxRow(
        id=to_id(box.filed.subject),
        number=box.filed.number,
        state=box.state,
        count=box.filed.devices,
        claimed_by=box.claim.buyer.hex() if box.claim else None,
        shipment=to_id(box.claim.subject) if box.claim else None,
        said_us=box.filed.said_us,
    )


async def _content(call: Call, printed: PrintedBox) -> Content:
    try:
        code = parse_code(printed.code)
    except MistypedIdError as error:
        raise InputError(f"mistyped code: {error}", "box_mistyped") from error
    filed = await call.context.boxes.opened_by(subject_of(printed.id), code)
    devices = await call.context.shipments.devices(filed.subject, limit=filed.devices)
    scan = format_slip(_link(call, devices[0].device), code)
    return Content(filed.number, code.text, scan, [(one.title or "", to_id(one.device)) for one in devices])


def _link(call: Call, device: bytes) -> str:
    """What leads to a device of the box: its label's link, or where this organisation has no domain, its id."""
    domain = call.context.public.domain
    return format_label_url(domain, SubjectId(device)) if domain else to_id(device)


ROUTES = (make, list_boxes, print_sheets, claim)
