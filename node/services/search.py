"""Finding a subject by anything that stands on a label, in a spreadsheet or in another system."""

import re
from dataclasses import dataclass

from node.errors import InputError
from node.passport.errors import MistypedIdError, PlateError
from node.passport.ids import parse_device_id
from node.passport.plate import plate_text
from node.store.database import ReadTx
from node.store.passports import StoredPassport, find_passport, find_terms
from node.store.rights import EVERYBODY, rights_to

EUI = re.compile(r"[0-9A-Fa-f]{2}(?:[-:\s]?[0-9A-Fa-f]{2}){7}")


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody typed or scanned, as a scheme and the term that is stored for it."""

    scheme: str
    term: str


def read_query(text: str) -> Query:
    """Tell what a text is; raise InputError where it is a device id with a slip of the pen."""
    trimmed = text.strip()
    label = re.search(r"/d/([A-Za-z0-9-]+)/?$", trimmed)
    trimmed = label[1] if label else trimmed
    if trimmed.upper().startswith("EPP1"):
        try:
            return Query("id", parse_device_id(trimmed).hex)
        except MistypedIdError as error:
            raise InputError(f"mistyped id: {error}", "id_mistyped", text=trimmed[:64]) from error
    if EUI.fullmatch(trimmed):
        return Query("dev_eui", re.sub(r"[-:\s]", "", trimmed).lower())
    try:
        return Query("serial", plate_text(trimmed))
    except PlateError as error:
        raise InputError(f"nothing to look for in {trimmed[:64]!r}", "query_empty") from error


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

    async def for_peer(self, tx: ReadTx, org: bytes, scheme: str, value: str) -> list[tuple[bytes, int]]:
        """What another organisation may know: subjects that it may read, with the age of what is known here."""
        found = await self.find(tx, Query(scheme, value))
        answer: list[tuple[bytes, int]] = []
        for passport in found:
            rights = (await rights_to(tx, [passport.subject], org)).get(passport.subject, [])
            if any(right.author == EVERYBODY for right in rights):
                answer.append((passport.subject, max(0, tx.now - passport.changed_us)))
        return answer[:64]
