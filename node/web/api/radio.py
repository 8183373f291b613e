"""The LoRa network: commissioning, devices, gateways, frames."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from lora.adr import summarise
from lora.crypto import Direction
from lora.identifiers import Eui
from lora.mac import parse_commands
from lora.region import Region
from lora.session import Session
from node.doors import url_of
from node.passport.ids import SubjectId, format_device_id
from node.services.access import Scope
from node.services.commissioning import StoredDevice
from node.services.radio import FrameState, StoredFrame, StoredGateway
from node.web.api.fields import KeyHex, Name
from node.web.api.passports import PassportPath, subject_of
from node.web.calls import Call, Page, PageQuery
from node.web.routes import api
from node.web.tables import network as tables

EuiText = Annotated[str, StringConstraints(pattern="^[0-9a-fA-F]{16}$")]


class EuiPath(BaseModel):
    """A device or a gateway by its EUI-64."""

    eui: EuiText


class GatewayBody(BaseModel):
    """What a gateway is called here."""

    name: Name


class GatewayAnswer(BaseModel):
    """A gateway that may speak here; `seen_us` null where it never did."""

    eui: str
    name: str
    seen_us: int | None
    frames: int


class StrangerAnswer(BaseModel):
    """A gateway that speaks here and may not."""

    eui: str
    seen_us: int


class GatewaysAnswer(BaseModel):
    """The gateways of this network, and those that would be."""

    address: str | None
    items: list[GatewayAnswer]
    strangers: list[StrangerAnswer]


class RowAnswer(BaseModel):
    """One compared field."""

    field: str
    passport: Any  # Any: text, number or nothing
    reported: Any  # Any: text, number or nothing
    equal: bool


class StepAnswer(BaseModel):
    """A recorded step: 1 compare, 2 mode, 3 time service, 4 schedule."""

    step: int
    detail: str
    at_us: int


class DeviceAnswer(BaseModel):
    """A device of this network and how far its registration has come."""

    id: str
    dev_eui: str
    app_eui: str
    join_eui: str
    state: Literal["waiting", "joined", "agreed", "registered", "stopped", "retired"]
    profile: dict[str, Any]  # Any: the profile's own fields
    rows: list[RowAnswer]
    steps: list[StepAnswer]
    changed_us: int


class ChannelAnswer(BaseModel):
    """A channel of a device; `downlink_hz` is where its first window opens after it."""

    index: int
    frequency_hz: int
    downlink_hz: int
    min_dr: int
    max_dr: int
    enabled: bool


class RequestAnswer(BaseModel):
    """MAC commands that a device was sent, as bytes, and how often; those it refuses were not counted."""

    commands: list[str]
    hex: str
    tries: int


class LinkAnswer(BaseModel):
    """What a device uses on the air, as the network knows it."""

    dev_eui: str
    session: int
    dr: int | None = Field(description="Null before its first frame in this session.")
    rate: str | None
    tx_power: int = Field(description="The index of LinkADRReq: 0 is the most.")
    tx_power_dbm: int
    nb_trans: int
    channels: list[ChannelAnswer]
    rx1_delay_s: int
    rx1_dr_offset: int
    rx2_dr: int
    rx2_frequency_hz: int
    duty_cycle: int = Field(description="It may send 1 / 2^n of the time.")
    battery: int | None = Field(description="0 mains, 1 to 254 empty to full, 255 unknown; null before its answer.")
    margin_db: int | None = Field(description="How well it heard the network's question, in dB SNR.")
    status_us: int | None
    heard: int = Field(description="Uplinks under the present settings that count for them, 20 at most.")
    best_snr_db: float | None
    lost: int = Field(description="Frames between these that never came.")
    asked: list[RequestAnswer]
    refused: list[RequestAnswer]


class DevicesAnswer(BaseModel):
    """Devices of this network."""

    items: list[DeviceAnswer]


class MeterInput(BaseModel):
    """A meter on wireless M-Bus: its maker's three letters and its number, and its AES-128 key."""

    meter: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}-[0-9A-F]{8}$")]
    key: KeyHex | None = None


class MeterAnswer(BaseModel):
    """What was stated: by which name the meter is heard, and whether with a key."""

    id: str
    meter: str
    key: bool


class FramesQuery(PageQuery):
    """Which frames: of one device, or all."""

    dev_eui: EuiText | None = None
    state: Literal["accepted", "decoded", "undecoded", "unresolved", "refused"] | None = Field(
        default=None, description="undecoded: what no driver could read."
    )


class FrameAnswer(BaseModel):
    """A frame as it was heard, and what became of it."""

    id: int
    received_us: int
    what: str
    state: str
    dev_eui: str | None
    fcnt: int | None
    port: int | None
    payload: str | None
    phy: str
    detail: dict[str, Any]  # Any: receptions, reasons, what the driver said


@api(
    "POST",
    "/passports/{id}/commissioning",
    title="Put a device on the air",
    scopes=[Scope.RADIO],
    problems=["passport_unknown", "radio_off", "root_key_missing", "profile_incomplete", "dev_eui_doubled"],
)
async def commission(call: Call, path: PassportPath) -> DeviceAnswer:
    """Profile, driver and root key come from the passport; a second time changes nothing."""
    return show_device(await call.context.commissioning.commission(subject_of(path.id), call.actor.label))


@api("POST", "/passports/{id}/wmbus", title="How a meter is named in its telegrams", scopes=[Scope.RECORD], status=201,
     problems=["passport_unknown", "meter_doubled"])  # fmt: skip
async def name_meter(call: Call, path: PassportPath, body: MeterInput) -> MeterAnswer:
    """Of wireless M-Bus: what bridges hear of it is read into this passport, by its key where it is encrypted."""
    key = bytes.fromhex(body.key.get_secret_value()) if body.key is not None else None
    await call.context.bridges.state(subject_of(path.id), body.meter, key, call.actor.label)
    return MeterAnswer(id=path.id, meter=body.meter, key=key is not None)


@api("GET", "/radio/devices", title="Devices of this network", scopes=[Scope.READ], table=tables.RADIO_DEVICES)
async def devices(call: Call) -> DevicesAnswer:
    """By DevEUI."""
    return DevicesAnswer(items=[show_device(device) for device in await call.context.commissioning.devices()])


@api("GET", "/radio/devices/{eui}", title="One device", scopes=[Scope.READ], problems=["radio_device_unknown"])
async def read_device(call: Call, path: EuiPath) -> DeviceAnswer:
    """Its profile, the compared fields and the four steps."""
    return show_device(await call.context.commissioning.get(_eui(path)))


@api("GET", "/radio/devices/{eui}/link", title="What a device uses on the air", scopes=[Scope.READ],
     problems=["radio_device_unknown"])  # fmt: skip
async def read_link(call: Call, path: EuiPath) -> LinkAnswer:
    """Rate, power, channels and windows; its battery; what it was asked and did not answer, and what it refuses."""
    return show_link(call.context.radio.session(_eui(path)), call.context.radio.region)


@api("POST", "/radio/devices/{eui}/comparison", title="Compare once more", scopes=[Scope.RADIO],
     problems=["radio_device_unknown", "registration_not_stopped", "registration_changed"])  # fmt: skip
async def retry(call: Call, path: EuiPath) -> DeviceAnswer:
    """For a stopped registration whose passport was put right: what was heard is compared again."""
    return show_device(await call.context.commissioning.retry(_eui(path), call.actor.label))


@api("DELETE", "/radio/devices/{eui}", title="Take a device off the air", scopes=[Scope.RADIO], status=204,
     problems=["radio_device_unknown"])  # fmt: skip
async def retire(call: Call, path: EuiPath) -> None:
    """It may join no more; what it sent is kept."""
    await call.context.commissioning.retire(_eui(path), call.actor.label)


@api("GET", "/radio/gateways", title="Gateways", scopes=[Scope.READ], table=tables.GATEWAYS)
async def gateways(call: Call) -> GatewaysAnswer:
    """Those that may speak here, and those that tried."""
    radio = call.context.radio
    return GatewaysAnswer(
        address=url_of("udp", *radio.address) if radio.address else None,
        items=[_gateway(gateway) for gateway in await radio.gateways()],
        strangers=[StrangerAnswer(eui=str(eui), seen_us=seen_us) for eui, seen_us in radio.strangers()],
    )


@api("PUT", "/radio/gateways/{eui}", title="Let a gateway speak here", scopes=[Scope.RADIO], status=204)
async def allow(call: Call, path: EuiPath, body: GatewayBody) -> None:
    """Or give it another name."""
    await call.context.radio.allow(_eui(path), body.name, call.actor.label)


@api("DELETE", "/radio/gateways/{eui}", title="Forget a gateway", scopes=[Scope.RADIO], status=204)
async def forbid(call: Call, path: EuiPath) -> None:
    """What it says is dropped from now on."""
    await call.context.radio.forbid(_eui(path), call.actor.label)


@api("GET", "/radio/frames", title="Frames", scopes=[Scope.READ], table=tables.FRAMES)
async def frames(call: Call, query: FramesQuery) -> Page[FrameAnswer]:
    """Newest first: what was heard, by which gateways, and what became of it."""
    before = int(call.decode_cursor(query.cursor, int)[0]) if query.cursor else 0
    dev_eui = Eui(bytes.fromhex(query.dev_eui)) if query.dev_eui else None
    found = await call.context.radio.frames(
        dev_eui, before, query.limit, FrameState(query.state) if query.state else None
    )
    more = call.encode_cursor(found[-1].id) if len(found) == query.limit else None
    return Page(items=[_frame(frame) for frame in found], next=more)


def show_device(device: StoredDevice) -> DeviceAnswer:
    """A device as the API answers it."""
    registration: dict[str, Any] = device.registration  # Any: JSON of our own
    join_eui = str(device.profile["join_eui"])
    return DeviceAnswer(
        id=format_device_id(SubjectId(device.subject)),
        dev_eui=device.dev_eui.hex(),
        app_eui=join_eui,
        join_eui=join_eui,
        state=device.state.value,
        profile=device.profile,
        rows=registration.get("rows", []),
        steps=registration.get("records", []),
        changed_us=device.changed_us,
    )


def show_link(session: Session, region: Region) -> LinkAnswer:
    """The link of a session as the API answers it."""
    link, control, rx, status = session.link, session.control, session.rx, session.status
    channels, on, moved = link.channels(region), link.enabled(region), dict(link.downlinks_hz)
    quality = summarise(session.history)
    return LinkAnswer(
        dev_eui=str(session.dev_eui),
        session=session.number,
        dr=link.dr,
        rate=None if link.dr is None else str(region.rate(link.dr)),
        tx_power=link.tx_power,
        tx_power_dbm=region.tx_power_dbm(link.tx_power),
        nb_trans=link.nb_trans,
        channels=[
            ChannelAnswer(
                index=index,
                frequency_hz=one.frequency_hz,
                downlink_hz=moved.get(index, one.frequency_hz),
                min_dr=one.min_dr,
                max_dr=one.max_dr,
                enabled=index in on,
            )
            for index, one in sorted(channels.items())
        ],
        rx1_delay_s=rx.rx1_delay_s,
        rx1_dr_offset=rx.rx1_dr_offset,
        rx2_dr=rx.rx2_dr,
        rx2_frequency_hz=rx.rx2_frequency_hz,
        duty_cycle=link.duty_cycle,
        battery=status.battery if status else None,
        margin_db=status.margin_db if status else None,
        status_us=status.at_us if status else None,
        heard=quality.heard,
        best_snr_db=quality.best_snr_db,
        lost=quality.lost,
        asked=[_request(raw, tries) for raw, tries in control.asked],
        refused=[_request(raw, 0) for raw in control.refused],
    )


def _request(raw: bytes, tries: int) -> RequestAnswer:
    commands = parse_commands(Direction.DOWN, raw).commands
    return RequestAnswer(commands=[type(one).__name__ for one in commands], hex=raw.hex(), tries=tries)


def _eui(path: EuiPath) -> Eui:
    return Eui(bytes.fromhex(path.eui))


def _gateway(gateway: StoredGateway) -> GatewayAnswer:
    return GatewayAnswer(eui=gateway.eui.hex(), name=gateway.name, seen_us=gateway.seen_us, frames=gateway.frames)


def _frame(frame: StoredFrame) -> FrameAnswer:
    return FrameAnswer(
        id=frame.id,
        received_us=frame.received_us,
        what=frame.what,
        state=frame.state.value,
        dev_eui=frame.dev_eui.hex() if frame.dev_eui else None,
        fcnt=frame.fcnt,
        port=frame.port,
        payload=frame.payload.hex() if frame.payload is not None else None,
        phy=frame.phy.hex(),
        detail=frame.detail,
    )


ROUTES = [
    commission,
    name_meter,
    devices,
    read_device,
    read_link,
    retry,
    retire,
    gateways,
    allow,
    forbid,
    frames,
]
