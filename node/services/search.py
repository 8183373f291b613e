"""Finding a subject by anything that stands on a label, in a spreadsheet or in another system."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from node.errors import InputError
from node.passport.errors import MistypedIdError, PlateError
from node.passport.ids import looks_like_device_id, parse_device_id
from node.passport.plate import comparison_text, cut_label, plate_text, split_typed
from node.passport.shown import BARE, bare_term, rows
from node.passport.suggestions import Slip, bare_serial, serials_near
from node.store.database import ReadTx
from node.store.passports import (
    StoredPassport,
    find_passport,
    find_subjects,
    find_terms,
    has_prefix,
)
from node.store.rights import EVERYBODY, rights_to

EUI = re.compile(r"[0-9A-Fa-f]{2}(?:[-:\s]?[0-9A-Fa-f]{2}){7}")
# An EUI-64 with one character lost or one too many.
SLIPPED_EUI = re.compile(r"[0-9a-f]{15}(?:[0-9a-f]{2})?")
OUI_SIZE = 6  # hex digits by which an EUI names who gave it
LEAST_SERIAL = 4  # characters of a serial from which on neighbours tell anything
MOST_NEAR = 200  # devices with a serial near the asked one that are looked at
SHOWN = 5


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
    label = re.search(r"/d/([^/?#\s]+)/?$", trimmed)
    trimmed = label[1] if label else trimmed
    if looks_like_device_id(trimmed):
        try:
            return Query("id", parse_device_id(trimmed).hex)
        except MistypedIdError as error:
            raise InputError(f"mistyped id: {error}", "id_mistyped", text=trimmed[:64]) from error
    if EUI.fullmatch(trimmed):
        return Query("dev_eui", re.sub(r"[-:\s]", "", trimmed).lower())
    return None


@dataclass(frozen=True, slots=True)
class Near:
    """A device that may have been meant, and how its serial differs from the typed one."""

    passport: StoredPassport
    serial: str
    slip: Slip


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

    async def find_near(self, tx: ReadTx, text: str) -> list[Near]:
        """What carries a serial one slip away from the typed one, the least slip first; its own devices are left out.

        A typed designation goes before other ones; a serial of few characters has too many neighbours to name any.
        """
        designation, serial = split_typed(text.strip()) or ("", cut_label(text.strip()))
        slips = serials_near(serial)
        if len(bare_serial(serial)) < LEAST_SERIAL:
            return []
        subjects = await find_subjects(tx, BARE, sorted(map(bare_term, slips)), MOST_NEAR)
        passports = [await find_passport(tx, subject, whole=False) for subject in subjects]
        found = [near for passport in passports if passport for near in _near(passport, slips)]
        wanted, order = comparison_text(designation), list(Slip)

        def place(near: Near) -> tuple[bool, int, str, bytes]:
            is_other = bool(wanted) and wanted not in comparison_text(near.passport.title)
            return is_other, order.index(near.slip), near.passport.title, near.passport.subject

        return sorted(found, key=place)[:SHOWN]

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


def _near(passport: StoredPassport, slips: Mapping[str, Slip]) -> Iterator[Near]:
    """A passport by the plate of it that is nearest to what was typed."""
    serials = [str(row["serial"]) for row in rows(passport.content, "plates")]
    found = [(slips[bare], serial) for serial in serials if (bare := bare_serial(serial)) in slips]
    if found:
        slip, serial = min(found, key=lambda item: list(Slip).index(item[0]))
        yield Near(passport, serial, slip)
