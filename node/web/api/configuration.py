"""The configuration station: what a device is set up with, and its root key."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, SecretStr, StringConstraints

from node.errors import StateError
from node.passport.configuring import SETTINGS, Origin
from node.passport.ids import SubjectId, format_device_id
from node.services.access import Scope
from node.services.configuration import Configured, KeyAct, Prepared, Wish
from node.services.line import asks_of
from node.web.api.access import utc_time
from node.web.api.fields import SCANNED, Line
from node.web.api.passports import PassportPath, subject_of
from node.web.api.processes import Code
from node.web.calls import Call
from node.web.routes import api

SCOPES = (Scope.RECORD, Scope.RADIO)
PROBLEMS = ("passport_unknown", "configuration_not_ours", "setting_missing", "setting_nobody", "setting_version",
            "setting_region", "setting_ports", "setting_form", "dev_eui_doubled", "catalog_rule",
            "event_before_production", "root_key_stated", "root_key_form", "root_key_weak", "root_key_used",
            "root_key_unasked", "run_detail_needed")  # fmt: skip

_SEPARATORS = re.compile(r"[\s:-]+")


def _bare(value: object) -> object:
    return _SEPARATORS.sub("", value).lower() if isinstance(value, str) else value


Eui = Annotated[str, BeforeValidator(_bare), StringConstraints(pattern="^[0-9a-f]{16}$")]
Place = Annotated[str, StringConstraints(strip_whitespace=True, max_length=128)]


class ScanInput(BaseModel):
    """A device that was scanned at the station."""

    text: str = Field(min_length=1, max_length=512, pattern=SCANNED, description="What was scanned off the device.")


class SettingAnswer(BaseModel):
    """One setting: what stands in the passport, else what the type fills in; empty where neither says it."""

    name: str
    value: str
    origin: Origin


class KeyAnswer(BaseModel):
    """The last word on the device's root key. The key itself is shown nowhere."""

    at: datetime
    by: str
    count: int = Field(description="How many keys were stated and not taken back.")
    here: bool = Field(description="Whether this node has the key with which the device joins.")


class WaitingStep(BaseModel):
    """The step of a process that is done together with the configuration."""

    run: str
    step: str
    asks: list[str] = Field(description="What the step asks beside the station and the operator.")


class PreparedAnswer(BaseModel):
    """The device at the station."""

    id: str
    title: str
    settings: list[SettingAnswer]
    key: KeyAnswer | None
    waits: WaitingStep | None


class Settings(BaseModel):
    """Settings that are given; what is left out is as it was prefilled. Ports are written as `2, 3`."""

    dev_eui: Eui | None = None
    join_eui: Eui | None = None
    version: Line | None = None
    device_class: Literal["A", "B", "C"] | None = None
    region: Line | None = None
    activation: Literal["OTAA", "ABP"] | None = None
    ports: Line | None = None
    driver: Line | None = None
    firmware_version: Line | None = None
    operating_mode: Line | None = None
    time_service: Line | None = None
    reporting_schedule: Line | None = None


class KeyInput(BaseModel):
    """What is done about the root key."""

    act: KeyAct = KeyAct.KEEP
    app_key: SecretStr | None = Field(default=None, max_length=128, description="The key that the device brings.")
    reason: Line | None = Field(default=None, description="Why another key is stated where there is one.")


class ConfigurationInput(BaseModel):
    """A device to be set up."""

    settings: Settings = Settings()
    key: KeyInput = KeyInput()
    station: Place = ""
    operator: Place = ""
    detail: dict[Code, Line] = Field(default={}, max_length=32, description="What the step asks beside.")


class ReplacedDevice(BaseModel):
    """A device of this network that joined with the key before: it is put on the air again."""

    dev_eui: str
    state: str


class ConfiguredAnswer(BaseModel):
    """What was stated. `app_key` is there where a key was issued, in this answer alone."""

    id: str
    title: str
    settings: dict[str, Any]  # Any: the section `radio`, plain JSON
    key: KeyAct = Field(description="`keep` where the key that was brought stands already.")
    app_key: str | None = Field(description="The new key in hex. It is not shown again.", repr=False)
    replaced: list[ReplacedDevice]
    log: str | None = Field(description="Where the first statement stands; null where nothing was new.")
    seq: int | None
    run: str | None = Field(description="The process whose step was done.")
    step: str | None


@api("POST", "/configuration/scans", title="Scan a device at the configuration station", scopes=SCOPES,
     problems=["scan_unknown", "part_several", "id_mistyped", "passport_unknown",
               "configuration_not_ours"])  # fmt: skip
async def scan(call: Call, body: ScanInput) -> PreparedAnswer:
    """Its settings prefilled, what is known of its key, and the step that waits for this. Nothing is stated."""
    scanned = await call.context.recognition.get(body.text)
    if call.actor.limits is not None:
        await call.context.correspondents.check_thing(call.actor, scanned.subject)
    return to_prepared(await call.context.configuration.prepare(scanned.subject))


@api("POST", "/passports/{id}/configuration", title="Set a device up", scopes=SCOPES, problems=PROBLEMS)
async def configure(call: Call, path: PassportPath, body: ConfigurationInput) -> ConfiguredAnswer:
    """State settings and key, and do the step that waits for it, all or nothing.

    A key that is issued stands in this answer alone. Send an Idempotency-Key: a request that is repeated gets the same
    answer for a day. Without one it is refused while a key stands; another key is stated with a `reason`.
    """
    return await configured_by(call, subject_of(path.id), wish_of(body))


async def configured_by(call: Call, subject: bytes, wish: Wish) -> ConfiguredAnswer:
    """Set a device up in the name of who asks."""
    try:
        done = await call.context.configuration.configure(
            subject, wish, call.actor.system or "console", call.actor.label
        )
    except StateError as error:
        if error.code == "root_key_used" and call.actor.limits is not None and call.actor.limits.is_narrow:
            raise StateError("another device has that key", error.code, titles="—") from error
        raise
    return to_configured(done)


def wish_of(body: ConfigurationInput) -> Wish:
    """What is to be done, in the terms of this node."""
    told = body.key.app_key
    return Wish(
        values={name: value for name in SETTINGS if (value := getattr(body.settings, name))},
        act=body.key.act,
        app_key=told.get_secret_value() if told is not None else "",
        reason=body.key.reason or "",
        station=body.station,
        operator=body.operator,
        detail=body.detail,
    )


def to_prepared(prepared: Prepared) -> PreparedAnswer:
    """A device at the station as the API shows it."""
    key, turn = prepared.key, prepared.turn
    return PreparedAnswer(
        id=format_device_id(SubjectId(prepared.passport.subject)),
        title=prepared.passport.title,
        settings=[
            SettingAnswer(name=name, value=one.value, origin=one.origin) for name, one in prepared.settings.items()
        ],
        key=KeyAnswer(at=utc_time(key.stamp), by=key.org.hex(), count=key.count, here=key.is_here) if key else None,
        waits=WaitingStep(run=turn.run, step=turn.step.code, asks=asks_of(turn.step)) if turn else None,
    )


def to_configured(done: Configured) -> ConfiguredAnswer:
    """What was done as the API shows it, once."""
    return ConfiguredAnswer(
        id=format_device_id(SubjectId(done.passport.subject)),
        title=done.passport.title,
        settings=done.radio.model_dump(mode="json"),
        key=done.act,
        app_key=done.issued.reveal().hex() if done.issued else None,
        replaced=[ReplacedDevice(dev_eui=one.dev_eui.hex(), state=one.state.value) for one in done.replaced],
        log=done.place.log.hex() if done.place else None,
        seq=done.place.seq if done.place else None,
        run=done.done.turn.run if done.done else None,
        step=done.done.turn.step.code if done.done else None,
    )


ROUTES = (scan, configure)
