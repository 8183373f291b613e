"""The drivers of this node, and what one of them makes of a frame."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from drivers.descriptor import Level, VersionRange
from drivers.reading import Decoded, Reading, ReportedValue
from drivers.registry import Installed
from node.services.access import Scope
from node.web.api.fields import Hex16, KeyHex
from node.web.api.readings import title_of
from node.web.calls import Call
from node.web.routes import Limit, api
from node.web.tables import network as tables

MAX_HEX = 8_192  # twice what a driver reads

FrameHex = Annotated[
    str,
    StringConstraints(min_length=2, max_length=MAX_HEX, pattern=r"^\s*([0-9A-Fa-f]{2}\s*)+$", strip_whitespace=True),
]


class DriverAnswer(BaseModel):
    """A driver: for what it is, how it is written, and the hash that its readings store."""

    id: str
    version: str
    name: str
    publisher: str
    org: str = Field(description="Which organisation published it; empty where it is of this machine.")
    level: str
    models: list[str]
    types: list[str]
    firmware: str = Field(description="The range of firmware, empty where every one is meant.")
    ports: list[int]
    transports: list[str]
    vectors: int
    source: str
    hash: str
    devices: int = Field(description="How many devices in service here, and meters behind bridges, it reads now.")


class BrokenAnswer(BaseModel):
    """A driver that was not taken in."""

    name: str
    why: str


class DriversAnswer(BaseModel):
    """The drivers of this node."""

    items: list[DriverAnswer]
    broken: list[BrokenAnswer]


class DriverPath(BaseModel):
    """One driver, of its newest version."""

    driver: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]


class FrameInput(BaseModel):
    """A frame, and the key of its meter where it is encrypted: 32 hex digits, used once and kept nowhere."""

    port: int = Field(ge=0, le=255)
    data: FrameHex
    key: KeyHex | None = None
    org: Hex16 | None = Field(default=None, description="Whose driver, where several organisations use its id.")


class DecodedReadingAnswer(BaseModel):
    """A value as the driver read it, not judged."""

    quantity: str
    title: str
    channel: int
    storage: str
    tariff: int
    value: str
    unit: str
    at: str | None


class NamedAnswer(BaseModel):
    """Something under a name."""

    name: str
    value: str


class DecodedAnswer(BaseModel):
    """All that the frame says: nothing of it is stored."""

    frame: str
    at: str | None
    readings: list[DecodedReadingAnswer]
    reported: list[NamedAnswer]
    alarms: list[str]
    unmapped: list[NamedAnswer] = Field(description="Bytes whose meaning has no document, in hex.")


@api("GET", "/drivers", title="Drivers", scopes=[Scope.READ], table=tables.DRIVERS)
async def drivers(call: Call) -> DriversAnswer:
    """What frames are read with here, and what was not taken in."""
    return await list_drivers(call)


@api("POST", "/drivers/{driver}/decodings", title="Try to decode a frame", scopes=[Scope.READ], limit=Limit.PASSPORT,
     problems=["driver_unknown", "driver_doubled", "frame_unread"])  # fmt: skip
async def decode(call: Call, path: DriverPath, body: FrameInput) -> DecodedAnswer:
    """What the newest version of a driver makes of it."""
    return show_decoded(call, await decode_frame(call, path.driver, body))


async def list_drivers(call: Call) -> DriversAnswer:
    """What is installed, each with how many devices it reads."""
    found, counts = call.context.drivers, await call.context.driver_use.count()
    return DriversAnswer(
        items=[_driver(item, counts.get(item.hash, 0)) for item in found.installed],
        broken=[BrokenAnswer(name=item.name, why=item.reason) for item in found.broken],
    )


async def decode_frame(call: Call, driver: str, body: FrameInput) -> Decoded:
    """Read what was sent."""
    key = bytes.fromhex(body.key.get_secret_value()) if body.key is not None else None
    return await call.context.drivers.decode(driver, body.port, bytes.fromhex(body.data), key, body.org)


def _driver(item: Installed, devices: int) -> DriverAnswer:
    text = item.driver.descriptor
    return DriverAnswer(
        id=text.id,
        version=text.version,
        name=text.name,
        publisher=text.publisher,
        org=item.publisher,
        level=Level(text.level).name.lower(),
        models=list(text.applies_to.models),
        types=list(text.applies_to.types),
        firmware=show_range(text.applies_to.firmware),
        ports=list(text.ports),
        transports=list(text.transports),
        vectors=len(text.vectors),
        source=text.source,
        hash=item.hash.hex(),
        devices=devices,
    )


def show_range(versions: VersionRange) -> str:
    """A range of versions in signs; empty where it is of all."""
    bounds = (("≥", versions.minimum), ("<", versions.below))
    return " ".join(f"{sign} {bound}" for sign, bound in bounds if bound)


def show_decoded(call: Call, decoded: Decoded) -> DecodedAnswer:
    """What a driver read, as the API answers it."""
    return DecodedAnswer(
        frame=decoded.frame,
        at=decoded.device_time.isoformat() if decoded.device_time else None,
        readings=[_reading(call, reading) for reading in decoded.readings],
        reported=[NamedAnswer(name=item.name, value=_text(item.value)) for item in decoded.reported],
        alarms=list(decoded.alarms),
        unmapped=[NamedAnswer(name=item.name, value=item.raw.hex()) for item in decoded.unmapped],
    )


def _reading(call: Call, reading: Reading) -> DecodedReadingAnswer:
    return DecodedReadingAnswer(
        quantity=reading.quantity,
        title=title_of(call, reading.quantity),
        channel=reading.channel,
        storage=reading.store,
        tariff=reading.tariff,
        value=format(reading.value, "f"),
        unit=reading.unit,
        at=reading.device_time.isoformat() if reading.device_time else None,
    )


def _text(value: ReportedValue) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


ROUTES = (drivers, decode)
