"""Whose the readings of a radio device are: nobody's while it is not known which thing it is.

A passport that two parties of equal right put at different places at one time may be of two devices, and one whose
DevEUI stands elsewhere by now is not the device that is heard. Frames wait then; nothing is attributed silently.
"""

from collections.abc import Collection

from node.passport.shown import CONFLICT, conflict_term, rows
from node.passport.stays import TWO_DEVICES
from node.passport.view import View
from node.store.database import ReadTx
from node.store.passports import find_each, find_passport, having_term, read_leads

ELSEWHERE = "dev-eui-elsewhere"


Named = tuple[bytes, bytes]  # a subject, and the DevEUI that it was put on the air with


async def why_held(tx: ReadTx, subject: bytes, dev_eui: bytes) -> str | None:
    """Why readings of a device are not to be told of a subject, None where they are."""
    return (await why_held_each(tx, [(subject, dev_eui)])).get((subject, dev_eui))


async def why_held_each(tx: ReadTx, devices: Collection[Named]) -> dict[Named, str]:
    """Those of these devices whose readings are not to be told of their subjects, each with why."""
    known = await read_leads(tx, [subject for subject, _ in devices])
    leads = {one: known.get(one[0], one[0]) for one in devices}
    asked = await having_term(tx, leads.values(), CONFLICT, conflict_term(TWO_DEVICES))
    contested = {lead for lead in asked if await _is_of_two(tx, lead)}
    named = await find_each(tx, "dev_eui", [dev_eui.hex() for _, dev_eui in devices])
    held = {one: ELSEWHERE for one, lead in leads.items() if lead not in named.get(one[1].hex(), ())}
    return held | {one: TWO_DEVICES for one, lead in leads.items() if lead in contested}


async def _is_of_two(tx: ReadTx, lead: bytes) -> bool:
    passport = await find_passport(tx, lead, whole=False)
    return passport is not None and is_contested(passport.content)


def is_contested(view: View) -> bool:
    """Whether equals put the device at two places at one time: its readings may be of two."""
    return any(row["why"] == TWO_DEVICES and row["equals"] for row in rows(view, "conflicts"))
