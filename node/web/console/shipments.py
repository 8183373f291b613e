"""The pages of shipments: offers in and out, what came with each, and answering device by device."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from node.errors import InputError, NodeError
from node.passport.deals import NOT_CHOSEN, NOT_HOLDER, PASSED_ALREADY
from node.passport.merge import Standing
from node.passport.references import ref_text
from node.passport.shipments import DeviceState, Reason, Shipment
from node.passport.shown import rows as view_rows
from node.services.access import Scope
from node.services.boxes import OwnBox
from node.services.journal import JournalRow
from node.services.packing import GONE
from node.services.shipments import FiledShipment, ShipmentSift
from node.web.api import shipments as api
from node.web.api.packing_list import IN_ONE
from node.web.api.passports import PassportPath, subject_of
from node.web.binding import RulesError
from node.web.calls import Call, View
from node.web.console.form_values import Lines
from node.web.console.shipment_new import PATH
from node.web.dispatch import redirect
from node.web.events import Live
from node.web.languages import mark
from node.web.rendering import RENDERER
from node.web.routes import Group, Menu, Route, page

Said = TypeVar("Said", bound=api.ChosenBody)

TITLE = mark("Shipments")
SHOWN = 25
SHOWN_DEVICES = 100
BODY = 2 << 20
# What moves a shipment; another one's words about it, and what of its devices arrives.
MOVES = frozenset(
    {
        "shipped", "shipment_accepted", "shipment_refused", "shipment_withdrawn", "shipment_returned", "shipment_came",
        "shipment_taken", "shipment_declined", "shipment_called_back", "shipment_return_came", "shipment_strange",
        "shipment_buyer_joined", "shipment_carried", "passport_changed", "box_offered", "box_claimed",
    }
)  # fmt: skip
# What is done with devices that stand so, each with the state in which they are chosen from.
# What an offer came to whose seller does not hold the title.
VOID = frozenset({NOT_HOLDER, PASSED_ALREADY, NOT_CHOSEN})
ACTS = {"answer": DeviceState.OFFERED, "withdraw": DeviceState.OFFERED, "return": DeviceState.ACCEPTED}


class ListQuery(BaseModel):
    """One of the two lists, further on."""

    direction: str = Field(default="", pattern="^(in|out|via)?$")
    cursor: str = ""


class OneQuery(BaseModel):
    """Which devices of a shipment are shown, and what is to be done with them."""

    state: str = Field(default="", max_length=16)
    act: str = Field(default="", pattern="^(answer|withdraw|return)?$")
    q: str = Field(default="", max_length=128)
    cursor: str = ""
    of: str = ""
    after: str = ""
    view: str = ""


class ActForm(Lines):
    """Devices that were ticked, or scanned and pasted, one a line: serials, codes, ids, labels; `all` is everything.

    What is said of them stands beside, as far as the act has a place for it.
    """

    devices: list[str] = []
    scanned: str = Field(default="", max_length=BODY)
    all: bool = False
    reason: Reason | None = None
    note: str | None = Field(default=None, max_length=512)
    number: str | None = Field(default=None, max_length=128)

    def said(self, body: type[Said]) -> Said:
        """What the API is told; raise InputError where no device was chosen."""
        chosen = [*self.devices, *(line.strip() for line in self.scanned.splitlines() if line.strip())]
        if not self.all and not chosen:
            raise InputError("no device was chosen", "ship_none_chosen")
        told = self.model_dump(include={"reason", "note", "number"}, exclude_none=True)
        try:
            return body.model_validate({**told, "devices": None if self.all else chosen})
        except ValidationError as error:
            raise RulesError("body", error) from error


@dataclass(frozen=True, slots=True)
class Row:
    """A shipment as pages show it."""

    answer: api.ShipmentRow
    filed: FiledShipment
    box: OwnBox | None = None

    @property
    def claim(self) -> str:
        """What the box became when it was claimed."""
        return api.to_id(self.box.claim.subject) if self.box and self.box.claim else ""

    @property
    def is_incoming(self) -> bool:
        """Whether it came to us."""
        return self.answer.direction == "in"

    @property
    def party(self) -> bytes:
        """The other side."""
        return self.filed.buyer if self.answer.direction == "out" else self.filed.seller

    @property
    def waits(self) -> int:
        """How many devices wait for the buyer's answer."""
        return self.answer.states[DeviceState.OFFERED]

    @property
    def state(self) -> str:
        """How it stands in one word: the state of all, or that they stand apart."""
        stand = [state for state, count in self.answer.states.items() if count]
        return stand[0].value if len(stand) == 1 else "partly"

    @property
    def due(self) -> int:
        """How many passports and keys the acceptance brings to the buyer."""
        return self.filed.held + self.answer.keys_due if self.is_incoming else 0

    @property
    def here(self) -> int:
        """How many of these came."""
        return min(self.filed.held, self.answer.passports) + min(self.answer.keys_due, self.answer.keys)


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], menu=Menu(Group.WORK, 5, "shipments"), api="GET /shipments")
async def shipments(call: Call, query: ListQuery) -> View:
    """Offers in and out; follows the stream."""
    after = await call.context.journal.last_id()
    return View("shipments.html", after=after, is_live=not query.cursor, **await _list(call, query))


@page("GET", PATH + "/{id}", title=TITLE, scopes=[Scope.READ], api="GET /shipments/{id}")
async def shipment(call: Call, path: PassportPath, query: OneQuery) -> View:
    """One shipment with its devices and what came of each; follows the stream."""
    return await _shown(call, subject_of(path.id), query)


@page("POST", PATH + "/{id}/acceptance", title=TITLE, scopes=[Scope.SHIP], api="POST /shipments/{id}/acceptance",
      max_body=BODY)  # fmt: skip
async def accept(call: Call, path: PassportPath, body: ActForm) -> View | web.Response:
    """Accept an offer, or the devices that are chosen."""
    return await _acted(call, path, body, api.accept, api.ChosenBody, "answer")


@page("POST", PATH + "/{id}/refusal", title=TITLE, scopes=[Scope.SHIP], api="POST /shipments/{id}/refusal",
      max_body=BODY)  # fmt: skip
async def refuse(call: Call, path: PassportPath, body: ActForm) -> View | web.Response:
    """Refuse an offer, or the devices that are chosen."""
    return await _acted(call, path, body, api.refuse, api.RefusalBody, "answer")


@page("POST", PATH + "/{id}/withdrawal", title=TITLE, scopes=[Scope.SHIP], api="POST /shipments/{id}/withdrawal",
      max_body=BODY)  # fmt: skip
async def withdraw(call: Call, path: PassportPath, body: ActForm) -> View | web.Response:
    """Take an offer back, or the devices that are chosen."""
    return await _acted(call, path, body, api.withdraw, api.WithdrawalBody, "withdraw")


@page("POST", PATH + "/{id}/return", title=TITLE, scopes=[Scope.SHIP], api="POST /shipments/{id}/return",
      max_body=BODY)  # fmt: skip
async def send_back(call: Call, path: PassportPath, body: ActForm) -> View | web.Response:
    """Send devices back that were accepted."""
    return await _acted(call, path, body, api.send_back, api.ReturnBody, "return")


async def _acted(
    call: Call, path: PassportPath, form: ActForm, route: Route, body: type[api.ChosenBody], act: str
) -> View | web.Response:
    """Do what the form asks and show what came of it; where that is refused, the devices to choose from, and why."""
    try:
        made = cast("api.ShipmentAnswer", await route.handler(call, path=path, body=form.said(body)))
    except NodeError as error:
        return await _shown(call, subject_of(path.id), OneQuery(act=act), error, form)
    return redirect(f"{PATH}/{made.id}")


async def _list(call: Call, query: ListQuery) -> dict[str, Any]:  # Any: what templates are given
    own, lists, more = call.context.core.org, dict[str, list[Row]](), dict[str, str]()
    for name, sift in _lists(own):
        before = None
        if query.cursor and query.direction == name:
            said, subject = call.decode_cursor(query.cursor, int, str)
            before = (int(said), bytes.fromhex(str(subject)))
        found = await call.context.shipments.page(sift, before, SHOWN + 1)
        lists[name] = await _rows(call, found[:SHOWN])
        if len(found) > SHOWN:
            last = found[SHOWN - 1]
            cursor = call.encode_cursor(last.said_us, last.subject.hex())
            more[name] = urlencode({"direction": name, "cursor": cursor})
    return {
        "lists": {name: rows for name, rows in lists.items() if query.direction in ("", name)},
        "more": more,
        "names": _names(call, [row for rows in lists.values() for row in rows]),
        "may": call.actor.may([Scope.SHIP]),
    }


def _lists(own: bytes) -> Iterable[tuple[str, ShipmentSift]]:
    yield "in", ShipmentSift(own, buyer=own)
    yield "out", ShipmentSift(own, seller=own)
    yield "via", ShipmentSift(own, via=own)


async def _rows(call: Call, filed: Sequence[FiledShipment]) -> list[Row]:
    own = [one for one in filed if one.is_box and one.seller == call.context.core.org]
    boxes = {box.filed.subject: box for box in await call.context.boxes.standing(own)} if own else {}
    return [Row(await api.to_row(call, one), one, boxes.get(one.subject)) for one in filed]


async def _shown(
    call: Call, subject: bytes, query: OneQuery, error: NodeError | None = None, form: ActForm | None = None
) -> View:
    after = await call.context.journal.last_id()
    head, devices = await _head(call, subject), await _devices(call, subject, query)
    given = form or ActForm()
    return View("shipment.html", error=error, after=after, reasons=[*Reason], form=given, **head, **devices)


async def _head(call: Call, subject: bytes) -> dict[str, Any]:  # Any: what templates are given
    filed = await call.context.shipments.filed(subject)
    found = await call.context.shipments.get(subject)
    (row,) = await _rows(call, [filed])
    return {
        "row": row,
        "acts": [api.act_answer(act) for act in found.acts[: api.SHOWN_ACTS]],
        "is_void": await _is_void(call, found),
        "differing": [(api.to_id(one.device), one) for one in await call.context.packing_lists.differing(subject)],
        "volumes": range(1, -(-(filed.devices - sum(filed.counts[state] for state in GONE)) // IN_ONE) + 1),
        "names": _names(call, [row]),
        "signers": {act.said.org.hex(): _name(call, act.said.org) for act in found.acts},
        "may": call.actor.may([Scope.SHIP]),
        "own": call.context.core.org,
    }


async def _devices(call: Call, subject: bytes, query: OneQuery) -> dict[str, Any]:  # Any: what templates are given
    filed = await call.context.shipments.filed(subject)
    is_ours = filed.buyer == call.context.core.org
    act = query.act if call.actor.may([Scope.SHIP]) else ""
    chosen = ACTS.get(act if is_ours is (act != "withdraw") else "")
    state = chosen or (DeviceState(query.state) if query.state in set(DeviceState) else None)
    after = bytes.fromhex(str(call.decode_cursor(query.cursor, str)[0])) if query.cursor else b""
    found = await call.context.shipments.devices(subject, state, after, SHOWN_DEVICES + 1, query.q)
    cursor = call.encode_cursor(found[SHOWN_DEVICES - 1].device.hex()) if len(found) > SHOWN_DEVICES else ""
    values = {"state": "" if chosen else query.state, "act": act if chosen else "", "q": query.q, "cursor": cursor}
    return {
        "devices": [(api.to_id(one.device), one) for one in found[:SHOWN_DEVICES]],
        "further": urlencode({name: text for name, text in values.items() if text}) if cursor else "",
        "act": act if chosen else "",
        "state": query.state,
        "q": query.q,
        "is_first": not query.cursor,
    }


async def _is_void(call: Call, found: Shipment) -> bool:
    """Whether a device's passport knows the offer as one of no effect: its seller does not hold the title."""
    device = next(iter(found.items))
    try:
        view = (await call.context.registry.get(device, whole=False)).content
    except NodeError:
        return False
    offer = ref_text(found.items[device].offer)
    deals = [deal for deal in view_rows(view, "parties", "transfers") if deal["act"] == offer]
    return any(deal["state"] == Standing.DISPUTED.value or deal["reason"] in VOID for deal in deals)


def _names(call: Call, rows: Iterable[Row]) -> dict[bytes, str]:
    rows = [*rows]
    found = {org: _name(call, org) for row in rows for org in (row.filed.seller, row.filed.buyer, row.filed.via)}
    found |= {row.box.claim.buyer: _name(call, row.box.claim.buyer) for row in rows if row.box and row.box.claim}
    return found | {row.filed.buyer: row.filed.name for row in rows if row.filed.outside}


def _name(call: Call, org: bytes) -> str:
    return call.context.projection.world.organisation_name(org) or org.hex()[:8]


async def _moved(call: Call, rows: Sequence[JournalRow]) -> Mapping[str, str]:
    if not any(row.what in MOVES for row in rows):
        return {}
    renderer, query = call.request.app[RENDERER], call.request.query
    if (shown := query.get("of")) is None:
        return {"shipments": renderer.part(call, "parts/shipment_lists.html", **await _list(call, ListQuery()))}
    head = await _head(call, subject_of(shown))
    parts = {"shipment": renderer.part(call, "parts/shipment_body.html", **head)}
    asked = OneQuery(state=query.get("state", ""), act=query.get("act", ""))
    if not asked.act and not query.get("q"):  # what is ticked stays ticked
        devices = await _devices(call, subject_of(shown), asked)
        parts["shipped"] = renderer.part(call, "parts/shipped.html", **head, **devices)
    return parts


ROUTES = (shipments, shipment, accept, refuse, withdraw, send_back)
LIVE = (Live("shipments", _moved),)
