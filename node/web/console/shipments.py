"""The pages of shipments: offers in and out, what came with each, and answering device by device."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from aiohttp import web
from pydantic import BaseModel, Field, model_validator

from node.errors import InputError, NodeError
from node.passport.references import ref_text
from node.passport.shipments import DeviceState, Reason, Shipment
from node.passport.shown import rows as view_rows
from node.services.access import Scope
from node.services.journal import JournalRow
from node.services.shipments import FiledShipment, ShipmentSift
from node.web.api import shipments as api
from node.web.api.passports import PassportPath, subject_of
from node.web.calls import Call, View
from node.web.console.form_values import Lines
from node.web.console.shipment_new import PATH
from node.web.dispatch import redirect
from node.web.events import Live
from node.web.languages import mark
from node.web.rendering import RENDERER
from node.web.routes import Group, Menu, page

TITLE = mark("Shipments")
SHOWN = 25
SHOWN_DEVICES = 100
BODY = 2 << 20
# What moves a shipment; another one's words about it, and what of its devices arrives.
MOVES = frozenset(
    {
        "shipped", "shipment_accepted", "shipment_refused", "shipment_withdrawn", "shipment_returned", "shipment_came",
        "shipment_taken", "shipment_declined", "shipment_called_back", "shipment_return_came", "shipment_strange",
        "shipment_buyer_joined", "passport_changed",
    }
)  # fmt: skip
# What is done with devices that stand so, each with the state in which they are chosen from.
ACTS = {"answer": DeviceState.OFFERED, "withdraw": DeviceState.OFFERED, "return": DeviceState.ACCEPTED}


class ListQuery(BaseModel):
    """One of the two lists, further on."""

    direction: str = Field(default="", pattern="^(in|out)?$")
    cursor: str = ""


class OneQuery(BaseModel):
    """Which devices of a shipment are shown, and what is to be done with them."""

    state: str = Field(default="", max_length=16)
    act: str = Field(default="", pattern="^(answer|withdraw|return)?$")
    cursor: str = ""
    of: str = ""
    after: str = ""
    view: str = ""


class ChosenForm(Lines):
    """Devices that were ticked, or scanned and pasted: an id, or the address on a label; `all` is everything."""

    devices: list[str] = []
    all: bool = False

    @model_validator(mode="after")
    def _read_labels(self) -> Self:
        self.devices = [text.rpartition("/")[2] for text in self.devices]
        return self

    @property
    def chosen(self) -> list[str] | None:
        """The devices, None for all; raise InputError where none was chosen."""
        if self.all:
            return None
        if not self.devices:
            raise InputError("no device was chosen", "ship_none_chosen")
        return self.devices


class ReasonForm(ChosenForm):
    """Why devices are refused."""

    reason: Reason
    note: str | None = Field(default=None, max_length=512)


class WithdrawalForm(ChosenForm):
    """Why devices are withdrawn."""

    note: str | None = Field(default=None, max_length=512)


class ReturnForm(ReasonForm):
    """Why devices are sent back."""

    number: str = Field(min_length=1, max_length=128)


@dataclass(frozen=True, slots=True)
class Row:
    """A shipment as pages show it."""

    answer: api.ShipmentRow
    filed: FiledShipment

    @property
    def is_incoming(self) -> bool:
        """Whether it came to us."""
        return self.answer.direction == "in"

    @property
    def party(self) -> bytes:
        """The other side."""
        return self.filed.seller if self.is_incoming else self.filed.buyer

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
async def accept(call: Call, path: PassportPath, body: ChosenForm) -> View | web.Response:
    """Accept an offer, or the devices that are chosen."""
    try:
        await api.accept.handler(call, path=path, body=api.ChosenBody(devices=body.chosen))
    except NodeError as error:
        return await _shown(call, subject_of(path.id), OneQuery(act="answer"), error)
    return redirect(f"{PATH}/{path.id}")


@page("POST", PATH + "/{id}/refusal", title=TITLE, scopes=[Scope.SHIP], api="POST /shipments/{id}/refusal",
      max_body=BODY)  # fmt: skip
async def refuse(call: Call, path: PassportPath, body: ReasonForm) -> View | web.Response:
    """Refuse an offer, or the devices that are chosen."""
    try:
        said = api.RefusalBody(devices=body.chosen, reason=body.reason, note=body.note)
        await api.refuse.handler(call, path=path, body=said)
    except NodeError as error:
        return await _shown(call, subject_of(path.id), OneQuery(act="answer"), error)
    return redirect(f"{PATH}/{path.id}")


@page("POST", PATH + "/{id}/withdrawal", title=TITLE, scopes=[Scope.SHIP], api="POST /shipments/{id}/withdrawal",
      max_body=BODY)  # fmt: skip
async def withdraw(call: Call, path: PassportPath, body: WithdrawalForm) -> View | web.Response:
    """Take an offer back, or the devices that are chosen."""
    try:
        said = api.WithdrawalBody(devices=body.chosen, note=body.note)
        await api.withdraw.handler(call, path=path, body=said)
    except NodeError as error:
        return await _shown(call, subject_of(path.id), OneQuery(act="withdraw"), error)
    return redirect(f"{PATH}/{path.id}")


@page("POST", PATH + "/{id}/return", title=TITLE, scopes=[Scope.SHIP], api="POST /shipments/{id}/return",
      max_body=BODY)  # fmt: skip
async def send_back(call: Call, path: PassportPath, body: ReturnForm) -> View | web.Response:
    """Send devices back that were accepted."""
    try:
        made = await api.return_of(
            call, path, api.ReturnBody(devices=body.chosen, reason=body.reason, note=body.note, number=body.number)
        )
    except NodeError as error:
        return await _shown(call, subject_of(path.id), OneQuery(act="return"), error)
    return redirect(f"{PATH}/{api.to_id(made)}")


async def _list(call: Call, query: ListQuery) -> dict[str, Any]:  # Any: what templates are given
    own, lists, more = call.context.core.org, dict[str, list[Row]](), dict[str, str]()
    for name, sift in (("in", ShipmentSift(own, buyer=own)), ("out", ShipmentSift(own, seller=own))):
        before = None
        if query.cursor and query.direction == name:
            said, subject = call.decode_cursor(query.cursor, int, str)
            before = (int(said), bytes.fromhex(str(subject)))
        found = await call.context.shipments.page(sift, before, SHOWN + 1)
        lists[name] = [Row(await api.to_row(call, one), one) for one in found[:SHOWN]]
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


async def _shown(call: Call, subject: bytes, query: OneQuery, error: NodeError | None = None) -> View:
    after = await call.context.journal.last_id()
    head, devices = await _head(call, subject), await _devices(call, subject, query)
    return View("shipment.html", error=error, after=after, reasons=[*Reason], **head, **devices)


async def _head(call: Call, subject: bytes) -> dict[str, Any]:  # Any: what templates are given
    filed = await call.context.shipments.filed(subject)
    found = await call.context.shipments.get(subject)
    row = Row(await api.to_row(call, filed), filed)
    return {
        "row": row,
        "acts": [api.act_answer(act) for act in found.acts[: api.SHOWN_ACTS]],
        "is_void": await _is_void(call, found),
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
    found = await call.context.shipments.devices(subject, state, after, SHOWN_DEVICES + 1)
    cursor = call.encode_cursor(found[SHOWN_DEVICES - 1].device.hex()) if len(found) > SHOWN_DEVICES else ""
    values = {"state": "" if chosen else query.state, "act": act if chosen else "", "cursor": cursor}
    return {
        "devices": [(api.to_id(one.device), one) for one in found[:SHOWN_DEVICES]],
        "further": urlencode({name: text for name, text in values.items() if text}) if cursor else "",
        "act": act if chosen else "",
        "state": query.state,
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
    return any(deal["offer"] == offer for name in ("claims", "disputed") for deal in view_rows(view, "parties", name))


def _names(call: Call, rows: Iterable[Row]) -> dict[bytes, str]:
    found = {org: _name(call, org) for row in rows for org in (row.filed.seller, row.filed.buyer)}
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
    if not asked.act:  # what is ticked stays ticked
        devices = await _devices(call, subject_of(shown), asked)
        parts["shipped"] = renderer.part(call, "parts/shipped.html", **head, **devices)
    return parts


ROUTES = (shipments, shipment, accept, refuse, withdraw, send_back)
LIVE = (Live("shipments", _moved),)
