"""Finding a subject by anything that stands on a label, in a spreadsheet or in another system."""

import re
from dataclasses import dataclass

from node.errors import InputError
from node.passport.errors import MistypedIdError, PlateError
from node.passport.ids import looks_like_device_id, parse_device_id
from node.passport.plate import cut_label, plate_text, split_typed
from node.store.database import ReadTx
from node.store.passports import StoredPassport, find_passport, find_terms, has_prefix
from node.store.rights import EVERYBODY, rights_to

EUI = re.compile(r"[0-9A-Fa-f]{2}(?:[-:\s]?[0-9A-Fa-f]{2}){7}")
# An EUI-64 with one character lost or one too many.
SLIPPED_EUI = re.compile(r"[0-9a-f]{15}(?:[0-9a-f]{2})?")
LOOK_ALIKE = str.maketrans("АВЕКМНОРСТУХ", "ABEKMHOPCTYX")
OUI_SIZE = 6  # hex digits by which an EUI names who gave it


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody typed or scanned, as a scheme and the term that is stored for it."""

    scheme: str
    term: str


def read_query(text: str) -> Query:
    """Tell what a text is; raise InputError where it is a device id with a slip of the pen."""
    if exact := read_exact(text):
        return exact
    trimmed = text.strip()
    try:
        # "СГВ-15 № 0012345" is found as what a plate says, whatever word stands before the number.
        return Query("serial", plate_text(" ".join(split_typed(trimmed) or [cut_label(trimmed)])))
    except PlateError as error:
        raise InputError(f"nothing to look for in {trimmed[:64]!r}", "query_empty") from error


def read_exact(text: str) -> Query | None:
    """The device id or DevEUI that a text is, None where it is other words; raise InputError for a mistyped id."""
    trimmed = text.strip()
    label = re.search(r"/d/([A-Za-z0-9-]+)/?$", trimmed)
    trimmed = label[1] if label else trimmed
    latin = trimmed.upper().translate(LOOK_ALIKE)
    if looks_like_device_id(latin) or latin.startswith("EPP1"):
        try:
            return Query("id", parse_device_id(latin).hex)
        except MistypedIdError as error:
            raise InputError(f"mistyped id: {error}", "id_mistyped", text=trimmed[:64]) from error
    if EUI.fullmatch(trimmed):
        return Query("dev_eui", re.sub(r"[-:\s]", "", trimmed).lower())
    return None


class Search:
    """Searches this store."""

    async def find(self, tx: ReadTx, query: Query) -> list[StoredPassport]:
        """The passports that carry exactly that identifier."""
        if query.scheme == "id":
            subjects = [bytes.fromhex(query.term)]
        else:
            subjects = [subject for subject, _ in await find_terms(tx, query.term)]
        found = [await find_passport(tx, subject) for subject in subjects]
        return [passport for passport in found if passport is not None]

    async def find_slip(self, tx: ReadTx, text: str) -> InputError | None:
        """Why nothing carries a text that names nothing: a DevEUI of 15 or 17 digits, None where it may be a serial.

        Digits alone are a serial, unless a DevEUI that is known here begins as they do.
        """
        bare = re.sub(r"[-:\s]", "", text).lower()
        if not SLIPPED_EUI.fullmatch(bare):
            return None
        if bare.isdecimal() and not await has_prefix(tx, "dev_eui", bare[:OUI_SIZE]):
            return None
        return InputError(f"a DevEUI has 16 digits, {text.strip()[:64]!r} has {len(bare)}", "eui_mistyped")

    async def for_peer(self, tx: ReadTx, org: bytes, scheme: str, value: str) -> list[tuple[bytes, int]]:
        """What another organisation may know: subjects that it may read, with the age of what is known here."""
        found = await self.find(tx, Query(scheme, value))
        answer: list[tuple[bytes, int]] = []
        for passport in found:
            rights = (await rights_to(tx, [passport.subject], org)).get(passport.subject, [])
            if any(right.author == EVERYBODY for right in rights):
                answer.append((passport.subject, max(0, tx.now - passport.changed_us)))
        return answer[:64]
