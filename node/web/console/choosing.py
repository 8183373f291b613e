"""Choosing devices for one act: found by a search, pasted as a list, taken out again; nothing is signed."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from node.errors import InputError
from node.passport.ids import SubjectId, format_device_id
from node.passport.sifting import Order, Spot, spot_of
from node.services.lookup import Question
from node.web.api.passports import subject_of
from node.web.calls import Call
from node.web.passport_words import STATES

SHOWN_DEVICES = 100
FOUND = 12
PASTED = 2000
AT_ONCE = 200
DEVICE = "device"


class Choice(BaseModel):
    """A form while devices are chosen: one id a line, what to put to them, what to drop.

    A field called `remove` would hide the form's own method of that name from htmx.
    """

    devices: str = ""
    q: str = Field(default="", max_length=128)
    state: str = Field(default="", max_length=64)
    pasted: str = ""
    put: str = Field(default="", max_length=80)
    drop: str = Field(default="", max_length=80)

    @property
    def chosen(self) -> list[str]:
        """The ids that were chosen before."""
        return list(dict.fromkeys(self.devices.split()))


async def choose(call: Call, form: Choice, most: int) -> tuple[list[str], list[str]]:
    """What is chosen after what the form asks for, and the pasted lines that name no device, or several."""
    if form.drop == "all":
        return [], []
    chosen, unknown = [device for device in form.chosen if device != form.drop], list[str]()
    if form.put == "found":
        fresh = await _all_found(call, form, most)
    elif form.put == "pasted":
        fresh, unknown = await _all_pasted(call, form.pasted)
    else:
        fresh = [format_device_id(SubjectId(subject_of(form.put)))] if form.put else []
    return list(dict.fromkeys([*chosen, *fresh])), unknown


async def choices(call: Call, form: Choice, chosen: Sequence[str]) -> dict[str, Any]:  # Any: what templates are given
    """What the part `choose_devices.html` shows: the chosen ones by title, and what the search finds."""
    subjects = [subject_of(device) for device in chosen[:SHOWN_DEVICES]]
    titles = await call.context.assembly.titles(subjects)
    mistake: InputError | None = None
    try:
        listed = await call.context.lookup.page(_asked(form), limit=FOUND)
        devices, is_more = listed.cards, listed.has_after
    except InputError as mistyped:
        devices, is_more, mistake = [], False, mistyped
    return {
        "form": form,
        "chosen": chosen,
        "shown": [(device, titles.get(subject)) for device, subject in zip(chosen, subjects, strict=False)],
        "unshown": max(0, len(chosen) - SHOWN_DEVICES),
        "found": [(format_device_id(SubjectId(card.subject)), card) for card in devices],
        "is_more": is_more,
        "mistake": mistake,
        "states": [code for code in STATES if code],
    }


def _asked(form: Choice) -> Question:
    return Question(text=form.q, state=form.state or None, kind=DEVICE)


async def _all_found(call: Call, form: Choice, most: int) -> list[str]:
    """Every device of a search, as many as one act names."""
    found: list[bytes] = []
    spot: Spot | None = None
    has_more = True
    while len(found) < most and has_more:
        listed = await call.context.lookup.page(_asked(form), spot, AT_ONCE)
        found += [card.subject for card in listed.cards]
        has_more = listed.has_after
        spot = spot_of(listed.cards[-1], Order.TITLE) if has_more else None
    return [format_device_id(SubjectId(subject)) for subject in found[:most]]


async def _all_pasted(call: Call, text: str) -> tuple[list[str], list[str]]:
    """Devices by ids, serials or DevEUI, one a line; and the lines that name no device, or several."""
    lines = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))[:PASTED]
    found, unknown = list[str](), list[str]()
    for line, passports in (await call.context.lookup.here(lines)).items():
        if len(passports) == 1:
            found.append(format_device_id(SubjectId(passports[0].subject)))
        else:
            unknown.append(line)
    return found, unknown
