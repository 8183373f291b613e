"""Whose the readings of a radio device are: nobody's while it is not known which thing it is.

A passport that two parties of equal right put at different places at one time may be of two devices, and one whose
DevEUI stands elsewhere by now is not the device that is heard. Frames wait then; nothing is attributed silently.
"""

from node.passport.shown import CONFLICT, conflict_term, rows
from node.passport.stays import TWO_DEVICES
from node.passport.view import View
from node.store.database import ReadTx
from node.store.passports import find_passport, has_term, read_leads

ELSEWHERE = "dev-eui-elsewhere"


async def why_held(tx: ReadTx, subject: bytes, dev_eui: bytes) -> str | None:
    """Why readings of a device are not to be told of a subject, None where they are."""
    lead = (await read_leads(tx, [subject])).get(subject, subject)
    if await has_term(tx, lead, CONFLICT, conflict_term(TWO_DEVICES)):
        passport = await find_passport(tx, lead, whole=False)
        if passport is not None and is_contested(passport.content):
            return TWO_DEVICES
    return None if await has_term(tx, lead, "dev_eui", dev_eui.hex()) else ELSEWHERE


def is_contested(view: View) -> bool:
    """Whether equals put the device at two places at one time: its readings may be of two."""
    return any(row["why"] == TWO_DEVICES and row["equals"] for row in rows(view, "conflicts"))
