"""The radio page: devices on the air, gateways, frames as they are heard; and the acts of commissioning."""

from collections.abc import Mapping, Sequence
from typing import Literal

from aiohttp import web
from pydantic import BaseModel, Field

from lora.identifiers import Eui
from node.doors import url_of
from node.errors import InputError
from node.passport.ids import SubjectId, format_device_id
from node.services.access import Scope
from node.services.journal import JournalRow
from node.services.radio import FrameState
from node.web.api.fields import Name
from node.web.api.passports import PassportPath, subject_of
from node.web.api.radio import EuiPath, EuiText
from node.web.calls import Call, View
from node.web.dispatch import redirect
from node.web.events import Live
from node.web.languages import mark
from node.web.rendering import RENDERER
from node.web.routes import Group, Menu, page

TITLE = mark("LoRa network")
PATH = "/radio"
FIRST_FRAMES = 50


class GatewayForm(BaseModel):
    """A gateway that may speak here."""

    eui: EuiText
    name: Name


class UndecodedQuery(BaseModel):
    """From which number on, backwards."""

    before: int = Field(default=0, ge=0, le=2**62)


class RetireForm(BaseModel):
    """From which page a device is taken off the air: that page is shown again."""

    back: Literal["radio", "passport"] = "radio"


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], menu=Menu(Group.WORK, 6, "radio"), api="GET /radio/frames",
      lists=["GET /radio/devices", "GET /radio/gateways"])  # fmt: skip
async def radio(call: Call) -> View:
    """What is on the air."""
    return await _view(call)


@page("GET", PATH + "/undecoded", title=mark("Frames that were not read"), scopes=[Scope.READ],
      api="GET /radio/frames")  # fmt: skip
async def undecoded(call: Call, query: UndecodedQuery) -> View:
    """Kept until a driver reads them: why not yet, and their bytes."""
    found = await call.context.radio.frames(None, query.before, FIRST_FRAMES, FrameState.UNDECODED)
    devices = {one.dev_eui: one for one in await call.context.commissioning.devices()}
    titles = await call.context.commissioning.titles(list(devices.values()))
    rows = [(frame, devices.get(frame.dev_eui or b"")) for frame in found]
    more = found[-1].id if len(found) == FIRST_FRAMES else None
    return View("undecoded.html", rows=rows, titles=titles, more=more, is_first=not query.before)


@page("POST", "/devices/{id}/redecodings", title=mark("Readings"), scopes=[Scope.RADIO],
      api="POST /passports/{id}/redecodings")  # fmt: skip
async def redecode(call: Call, path: PassportPath) -> web.Response:
    """Read the archive of a device by the driver that it has now."""
    passport = await call.context.registry.get(subject_of(path.id), whole=False)
    job = await call.context.redecoding.start(passport.subject, call.actor.label)
    return redirect(f"/imports/{job}")


@page("POST", PATH + "/gateways", title=TITLE, scopes=[Scope.RADIO], api="PUT /radio/gateways/{eui}")
async def allow(call: Call, body: GatewayForm) -> web.Response:
    """Let a gateway speak here."""
    await call.context.radio.allow(Eui(bytes.fromhex(body.eui)), body.name, call.actor.label)
    return redirect(PATH)


@page("POST", PATH + "/gateways/{eui}/remove", title=TITLE, scopes=[Scope.RADIO], api="DELETE /radio/gateways/{eui}")
async def forbid(call: Call, path: EuiPath) -> web.Response:
    """Let it speak no more."""
    await call.context.radio.forbid(Eui(bytes.fromhex(path.eui)), call.actor.label)
    return redirect(PATH)


@page("POST", PATH + "/devices/{eui}/comparison", title=TITLE, scopes=[Scope.RADIO],
      api="POST /radio/devices/{eui}/comparison")  # fmt: skip
async def retry(call: Call, path: EuiPath) -> web.Response:
    """Compare once more what was heard."""
    device = await call.context.commissioning.retry(Eui(bytes.fromhex(path.eui)), call.actor.label)
    return _to_passport(device.subject)


@page("POST", PATH + "/devices/{eui}/retire", title=TITLE, scopes=[Scope.RADIO], api="DELETE /radio/devices/{eui}")
async def retire(call: Call, path: EuiPath, body: RetireForm) -> web.Response:
    """Take it off the air."""
    dev_eui = Eui(bytes.fromhex(path.eui))
    await call.context.commissioning.retire(dev_eui, call.actor.label)
    if body.back == "radio":
        return redirect(PATH)
    return _to_passport((await call.context.commissioning.get(dev_eui)).subject)


@page("POST", "/devices/{id}/commissioning", title=TITLE, scopes=[Scope.RADIO],
      api="POST /passports/{id}/commissioning")  # fmt: skip
async def commission(call: Call, path: PassportPath) -> View | web.Response:
    """Put a device on the air."""
    try:
        device = await call.context.commissioning.commission(subject_of(path.id), call.actor.label)
    except InputError as error:
        return await _view(call, error=error)
    return _to_passport(device.subject)


def _to_passport(subject: bytes) -> web.Response:
    return redirect(f"/devices/{format_device_id(SubjectId(subject))}#radio")


async def _view(call: Call, error: Exception | None = None) -> View:
    service = call.context.radio
    devices = await call.context.commissioning.devices()
    titles = await call.context.commissioning.titles(devices)
    rows = [
        (format_device_id(SubjectId(device.subject)), titles.get(device.subject) or device.dev_eui.hex(), device)
        for device in devices
    ]
    return View(
        "radio.html",
        error=error,
        is_on=call.context.settings.radio.enabled,
        address=url_of("udp", *service.address).removeprefix("udp://") if service.address else "",
        region=call.context.settings.radio.region,
        devices=rows,
        gateways=await service.gateways(),
        strangers=service.strangers(),
        may=call.actor.may([Scope.RADIO]),
        may_record=call.actor.may([Scope.RECORD]),
        frames=await service.frames(None, 0, FIRST_FRAMES),
        after=await call.context.journal.last_id(),
    )


async def _frames(call: Call, _rows: Sequence[JournalRow]) -> Mapping[str, str]:
    frames = await call.context.radio.frames(None, 0, FIRST_FRAMES)
    return {"frames": call.request.app[RENDERER].part(call, "parts/frame_rows.html", frames=frames)}


async def _newest(call: Call) -> int:
    return await call.context.radio.newest()


ROUTES = (radio, undecoded, redecode, allow, forbid, retry, retire, commission)
LIVE = (Live("radio", _frames, watch=_newest),)
