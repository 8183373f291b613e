"""Choosing devices for one act: found by a search, pasted as a list, taken out again; nothing is signed."""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field

from node.errors import InputError, NodeError
from node.passport.ids import SubjectId, format_device_id
from node.passport.sifting import Order, Spot, spot_of
from node.services.lookup import Question
from node.web.api.passports import subject_of
from node.web.calls import Call, View
from node.web.passport_words import STATES

SHOWN_DEVICES = 100
FOUND = 12
PASTED = 2000
AT_ONCE = 200
DEVICE = "device"
_BESIDE = re.compile(r"\s*[\t;]\s*")


class Choice(BaseModel):
    """A form while devices are chosen: one id a line, what to put to them, what to drop.

    A field called `remove` would hide the form's own method of that name from htmx.
    """

    devices: str = ""
    q: str = Field(default="", max_length=128)
    state: str = Field(default="", max_length=64)
    pasted: str = ""
    places: str = ""
    put: str = Field(default="", max_length=80)
    drop: str = Field(default="", max_length=80)

    @property
    def chosen(self) -> list[str]:
        """The ids that were chosen before."""
        return list(dict.fromkeys(self.devices.split()))

    @property
    def boxes(self) -> dict[str, str]:
        """In which box chosen devices lie, as far as that was pasted with them."""
        return read_places(self.places)


def read_places(text: str) -> dict[str, str]:
    """A device id and a place a line, with a tab between."""
    parted = (line.partition("\t") for line in text.splitlines())
    return {device: place for device, _, place in parted if place}


def write_places(places: Mapping[str, str]) -> str:
    """The text that reads so."""
    return "\n".join(f"{device}\t{place}" for device, place in places.items())


async def every_one(devices: Sequence[bytes]) -> Collection[bytes]:
    """Where any device will do."""
    return devices


@dataclass(frozen=True, slots=True)
class Choosing:
    """A page whose template extends `choosing.html`: devices for one act, `most` at once, of those that `fit`."""

    call: Call
    template: str
    most: int
    fit: Callable[[Sequence[bytes]], Awaitable[Collection[bytes]]] = every_one

    async def after(self, form: Choice, **told: Any) -> View:  # Any: what templates are given
        """The page once what the form asks for was put to the chosen, or taken out of them."""
        unknown: list[str] = []
        try:
            chosen, unknown = await self._choose(form)
        except NodeError as error:
            return await self.shown(form, form.chosen, error=error, **told)
        form.pasted = "\n".join(unknown)
        return await self.shown(form, chosen, unknown=unknown, **told)

    async def shown(
        self,
        form: Choice,
        chosen: Sequence[str],
        *,
        unknown: Sequence[str] = (),
        error: Exception | None = None,
        **told: Any,  # Any: what templates are given
    ) -> View:
        """The page: the chosen ones by title, pasted lines that name no device or several, what the search finds."""
        subjects = [subject_of(device) for device in chosen[:SHOWN_DEVICES]]
        titles, boxes = await self.call.context.assembly.titles(subjects), form.boxes
        named = zip(chosen, subjects, strict=False)
        try:
            listed = await self.call.context.lookup.page(_asked(form), limit=FOUND)
            cards, is_more = listed.cards, listed.has_after
        except InputError as mistyped:
            cards, is_more, error = [], False, error or mistyped
        fit = set(await self.fit([card.subject for card in cards]))
        return View(
            self.template,
            error=error,
            form=form,
            chosen=chosen,
            shown=[(device, titles.get(subject), boxes.get(device, "")) for device, subject in named],
            unshown=max(0, len(chosen) - SHOWN_DEVICES),
            found=[(format_device_id(SubjectId(card.subject)), card, card.subject in fit) for card in cards],
            is_more=is_more,
            unknown=unknown,
            states=[code for code in STATES if code],
            **told,
        )

    async def _choose(self, form: Choice) -> tuple[list[str], list[str]]:
        """What is chosen then, and the pasted lines that name no device, or several."""
        if form.drop == "all":
            return [], []
        chosen, unknown = [device for device in form.chosen if device != form.drop], list[str]()
        if form.put == "found":
            fresh = await self._all_found(form)
        elif form.put == "pasted":
            boxed, unknown = await _all_pasted(self.call, form.pasted)
            fresh = [*boxed]
            form.places = write_places(form.boxes | {device: place for device, place in boxed.items() if place})
        else:
            fresh = [format_device_id(SubjectId(subject_of(form.put)))] if form.put else []
        return list(dict.fromkeys([*chosen, *fresh])), unknown

    async def _all_found(self, form: Choice) -> list[str]:
        """Every device of a search that fits, as many as one act names."""
        found: list[bytes] = []
        spot: Spot | None = None
        has_more = True
        while len(found) < self.most and has_more:
            listed = await self.call.context.lookup.page(_asked(form), spot, AT_ONCE)
            found += [card.subject for card in listed.cards]
            has_more = listed.has_after
            spot = spot_of(listed.cards[-1], Order.TITLE) if has_more else None
        fit = await self.fit(found)
        return [format_device_id(SubjectId(subject)) for subject in [*fit][: self.most]]


def _asked(form: Choice) -> Question:
    return Question(text=form.q, state=form.state or None, kind=DEVICE)


async def _all_pasted(call: Call, text: str) -> tuple[dict[str, str], list[str]]:
    """Devices by ids, serials or DevEUI, one a line, each with its box, if that stands behind a tab or a semicolon.

    And the lines that name no device, or several.
    """
    lines = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))[:PASTED]
    parted = {line: _BESIDE.split(line, maxsplit=1) for line in lines}
    here = await call.context.lookup.here([device for device, *_ in parted.values()])
    found, unknown = dict[str, str](), list[str]()
    for line, (device, *place) in parted.items():
        if len(passports := here[device]) == 1:
            found[format_device_id(SubjectId(passports[0].subject))] = " ".join(place)
        else:
            unknown.append(line)
    return found, unknown
