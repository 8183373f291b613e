"""The configuration station: scan a device, look its settings through, give it its key, scan the next one.

A form is sent once: it names itself, so that sent again (a double click, a lost answer) it changes nothing and shows
the same answer, the key for ten minutes. The page with a key is kept nowhere, by no browser either.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from node.errors import NodeError, StateError
from node.passport.configuring import OTAA, REGIONS, SETTINGS
from node.services.access import KeptAnswer
from node.services.configuration import KeyAct, Prepared
from node.services.line import asks_of
from node.web.api.configuration import (
    SCOPES,
    ConfigurationInput,
    ConfiguredAnswer,
    configured_by,
    to_prepared,
    wish_of,
)
from node.web.api.passports import PassportPath, subject_of
from node.web.binding import RulesError
from node.web.calls import Call, View
from node.web.languages import mark
from node.web.nested import texts_of
from node.web.passport_words import words
from node.web.radio_words import SETTINGS as NAMES
from node.web.routes import Group, Menu, page

TITLE = mark("Configuration station")
PATH = "/configuration"
SHOWN_US = 10 * 60 * 1_000_000  # how long a form that is sent again shows its key again
LOOKS, LOOK_S = 100, 0.05  # for the answer to the same form, which is on its way
CHOICES: Mapping[str, tuple[str, ...]] = {
    "device_class": ("A", "B", "C"),
    "activation": (OTAA, "ABP"),
    "region": REGIONS,
}


class StationQuery(BaseModel):
    """A station, and the device that was scanned; `join_eui` is what was typed last where nothing fills it in."""

    station: str = Field(default="", max_length=128)
    operator: str = Field(default="", max_length=128)
    join_eui: str = Field(default="", max_length=64)
    text: str = Field(default="", max_length=512)


class ConfigurationForm(BaseModel):
    """A device to be set up: a field for each setting, and `detail.CODE` for what the step asks."""

    model_config = ConfigDict(extra="allow")

    once: str = Field(pattern="^[0-9a-f]{24}$")
    station: str = Field(default="", max_length=128)
    operator: str = Field(default="", max_length=128)
    act: KeyAct = KeyAct.KEEP
    app_key: SecretStr = Field(default=SecretStr(""), max_length=128)
    reason: str = Field(default="", max_length=512)


@dataclass(frozen=True, slots=True)
class SettingField:
    """A setting as the page shows it."""

    name: str
    title: str
    value: str
    origin: str
    choices: tuple[str, ...]


@page("GET", PATH, title=TITLE, scopes=SCOPES, menu=Menu(Group.WORK, 3, "configuration"),
      api="POST /configuration/scans")  # fmt: skip
async def station(call: Call, query: StationQuery) -> View:
    """The scan field; with `text` the device that was scanned."""
    if not query.text:
        return _view(call, query)
    try:
        scanned = await call.context.recognition.get(query.text)
        prepared = await call.context.configuration.prepare(scanned.subject)
    except NodeError as error:
        return _view(call, query, error=error)
    return _view(call, query, prepared)


@page("POST", PATH + "/{id}", title=TITLE, scopes=SCOPES, api="POST /passports/{id}/configuration")
async def set_up(call: Call, path: PassportPath, body: ConfigurationForm) -> View:
    """Set the device up and show its key this once; what is refused is told over the form."""
    given = {name: str(value).strip() for name, value in (body.model_extra or {}).items() if name in SETTINGS}
    query = StationQuery(station=body.station, operator=body.operator, join_eui=given.get("join_eui", "")[:64])
    try:
        answer = await _once(call, path, body, given)
    except NodeError as error:
        prepared = await call.context.configuration.prepare(subject_of(path.id))
        return _view(call, query, prepared, error=error, form=body, given=given)
    return _view(call, query, answer=answer)


async def _once(call: Call, path: PassportPath, form: ConfigurationForm, given: Mapping[str, str]) -> ConfiguredAnswer:
    """What the form does; sent again, what it did."""
    answers, name = call.context.answers, f"{PATH}/{form.once}"
    asked = hashlib.sha256(json.dumps([path.id, form.act, form.app_key.get_secret_value(), given]).encode()).digest()
    for _ in range(LOOKS):
        try:
            kept = await answers.begin(call.actor, name, asked)
        except StateError as error:
            if error.code != "idempotency_running":
                raise
            await asyncio.sleep(LOOK_S)
            continue
        if kept is not None:
            return _as_shown(kept, call.context.clock.now())
        try:
            answer = await configured_by(call, subject_of(path.id), wish_of(_input(form, given)))
        except Exception:
            await answers.drop(call.actor, name)
            raise
        content = json.dumps({"at": call.context.clock.now(), "answer": answer.model_dump(mode="json")}).encode()
        await answers.keep(call.actor, name, KeptAnswer(asked, 200, {}, content))
        return answer
    raise StateError("the same form is being answered or was cut off", "idempotency_running")


def _as_shown(kept: KeptAnswer, now: int) -> ConfiguredAnswer:
    """The answer that the form had, without its key where that was shown long ago."""
    told = json.loads(kept.body)
    answer = ConfiguredAnswer.model_validate(told["answer"])
    return answer if now - int(told["at"]) < SHOWN_US else answer.model_copy(update={"app_key": None})


def _input(form: ConfigurationForm, given: Mapping[str, str]) -> ConfigurationInput:
    detail = {code: value for code, value in texts_of(form.model_extra or {}, "detail").items() if value.strip()}
    body = {
        "settings": {name: value for name, value in given.items() if value},
        "key": {"act": form.act, "app_key": form.app_key, "reason": form.reason.strip() or None},
        "station": form.station,
        "operator": form.operator,
        "detail": detail,
    }
    try:
        return ConfigurationInput.model_validate(body)
    except ValidationError as error:
        raise RulesError("body", error) from error


def _view(
    call: Call,
    query: StationQuery,
    prepared: Prepared | None = None,
    *,
    answer: ConfiguredAnswer | None = None,
    error: NodeError | None = None,
    form: ConfigurationForm | None = None,
    given: Mapping[str, str] | None = None,
) -> View:
    shown = to_prepared(prepared) if prepared is not None else None
    step = prepared.turn.step if prepared is not None and prepared.turn is not None else None
    asks = [ask for ask in step.asks if ask.code in asks_of(step)] if step is not None else []
    values: dict[str, Any] = {"shown": shown, "asks": asks, "answer": answer}  # Any: what templates are given
    return View(
        "configuration.html",
        error=error,
        query=query,
        fields=_fields(call, prepared, given or {}, query) if prepared is not None else [],
        act=(form.act if form else KeyAct.KEEP if prepared and prepared.key else KeyAct.ISSUE).value,
        reason=form.reason if form else "",
        detail=texts_of(form.model_extra or {}, "detail") if form else {},
        once=call.context.random.bytes(12).hex(),
        **values,
    )


def _fields(call: Call, prepared: Prepared, given: Mapping[str, str], query: StationQuery) -> list[SettingField]:
    last = {"join_eui": query.join_eui}
    return [
        SettingField(
            name,
            words(NAMES, name, call.language),
            given.get(name) or one.value or last.get(name, ""),
            one.origin.value if one.value and given.get(name) in (None, "", one.value) else "",
            CHOICES.get(name, ()),
        )
        for name, one in prepared.settings.items()
    ]


ROUTES = (station, set_up)
