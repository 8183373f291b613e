"""Finding a subject by anything that stands on a label, in a spreadsheet or in another system."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from federation.authority import Kind
from federation.fragment import SectionClass
from federation.sync.looking import MAX_IDS, MAX_KNOWN, Known
from node.errors import InputError
from node.passport import identifiers
from node.passport.errors import BoxCodeError, MistypedIdError, PlateError
from node.passport.identifiers import ID, WITHOUT_KEY, Identifier
from node.passport.lines import Lines
from node.passport.plate import comparison_text, cut_label, plate_text, split_typed
from node.passport.rights import HEADERS, class_mask
from node.passport.shown import ACT, BARE, CODE, CONFLICT, EXTRACTED, bare_term, plate_terms, rows
from node.passport.suggestions import Slip, bare_serial, serials_near
from node.store.database import ReadTx
from node.store.passports import (
    StoredPassport,
    every_id,
    find_passport,
    find_subjects,
    find_terms,
    has_prefix,
    read_titles,
)
from node.store.profiles import read_kept_profiles
from node.store.rights import EVERYBODY, StoredRight, rights_to

# An EUI-64 with one character lost or one too many.
SLIPPED_EUI = re.compile(r"[0-9a-f]{15}(?:[0-9a-f]{2})?")
OUI_SIZE = 6  # hex digits by which an EUI names who gave it
ON_THE_PLATE = frozenset({"id", "serial", "plate", CODE, BARE})  # what is said publicly of a thing
OF_OURS = frozenset({CONFLICT, ACT, "own"})  # what this node works out for its own people
STATED_IN = {"dev_eui": (Kind.PARAMETER, "radio"), EXTRACTED: (Kind.PROTOCOL, "extract")}  # else in an alias
TECHNICAL = class_mask(SectionClass.TECHNICAL)
LEAST_SERIAL = 4  # characters of a serial from which on neighbours tell anything
LEAST_ALONE = 6  # characters from which on they tell beside a designation that no device has
MOST_NEAR = 200  # devices of each kind of slip that are looked at
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
    try:
        exact = identifiers.read_exact(text)
    except MistypedIdError as error:
        raise mistyped(text, error) from error
    return None if exact is None else Query(exact.scheme, exact.value)


def read_asked(text: str, lines: Lines) -> tuple[Identifier, ...]:
    """All that a text may be; raise InputError for one that names nothing, or an id with a slip of the pen."""
    try:
        found = identifiers.read_identifiers(text, lines)
    except MistypedIdError as error:
        raise mistyped(text, error) from error
    if not found:
        raise InputError(f"nothing to look for in {text.strip()[:64]!r}", "query_empty")
    return found


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

    async def find_first(self, tx: ReadTx, identifiers: Iterable[Identifier]) -> list[StoredPassport]:
        """The passports that carry the first of these that any carries."""
        for one in identifiers:
            if found := await self.find(tx, Query(one.scheme, one.value)):
                return found
        return []

    async def find_near(self, tx: ReadTx, text: str) -> list[Near]:
        """What has a serial one slip away from the typed one, the least slip first, the typed designation before.

        A serial of few characters has too many neighbours to name any, and beside other words it may be a house.
        """
        designation, serial = split_typed(text.strip()) or ("", cut_label(text.strip()))
        if len(bare_serial(serial)) < LEAST_SERIAL:
            return []
        near, slips = serials_near(serial), dict[bytes, Slip]()
        for slip in Slip:
            terms = [bare_term(bare) for bare, how in near.items() if how is slip]
            for subject in await find_subjects(tx, BARE, sorted(terms), MOST_NEAR):
                slips.setdefault(subject, slip)
        titles, wanted, order = await read_titles(tx, slips), comparison_text(designation), list(Slip)

        def place(subject: bytes) -> tuple[bool, int, str, bytes]:
            title = titles.get(subject, "")
            return wanted not in comparison_text(title), order.index(slips[subject]), title, subject

        may_be_other = len(bare_serial(serial)) >= LEAST_ALONE
        places = sorted(at for at in map(place, slips) if may_be_other or not at[0])[:SHOWN]
        found = [await find_passport(tx, subject, whole=False) for *_, subject in places]
        return [Near(passport, _serial(passport, near), slips[passport.subject]) for passport in found if passport]

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

    async def for_peer(
        self, tx: ReadTx, org: bytes, scheme: str, value: str, *, tells: bool = False
    ) -> tuple[list[Known], bool]:
        """What another organisation may know: passports that it may read, with the age of what is known here.

        By what a section says of which it may not read they are not found: else it would read that by guessing. Where
        it `tells`, it is said too whether anything here has the identifier, whoever may read it.
        """
        named = [(bytes.fromhex(value), ID)] if scheme == ID else await find_terms(tx, value)
        named = [(subject, found_by) for subject, found_by in named if found_by not in OF_OURS]
        answer: dict[bytes, Known] = {}
        is_held = False
        for subject, found_by in named:
            ids = await every_id(tx, [subject])
            rights = await rights_to(tx, ids, org)
            is_sought = bool(rights) or (tells and not is_held and found_by not in WITHOUT_KEY)
            passport = await find_passport(tx, subject, whole=False) if is_sought else None
            if passport is None:
                continue
            is_held = is_held or found_by not in WITHOUT_KEY
            term = _Term(found_by, value, passport)
            open_ids = [one for one in ids if any([await _finds(tx, r, term) for r in rights.get(one, [])])]
            if open_ids:
                shown = passport.lead if passport.lead in open_ids else open_ids[0]
                others = tuple(one for one in open_ids if one != shown)[:MAX_IDS]
                answer[shown] = Known(shown, max(0, tx.now - passport.changed_us), others)
        return [*answer.values()][:MAX_KNOWN], tells and is_held


@dataclass(frozen=True, slots=True)
class _Term:
    """By what a passport was found."""

    scheme: str
    value: str
    passport: StoredPassport

    def is_of(self, author: bytes) -> bool:
        """Whether an organisation itself stated it on a plate; ids stand in each header."""
        plates = [row for row in rows(self.passport.content, "plates") if row["by"] == author.hex()]
        said = (plate_terms(str(row["designation"]), str(row["serial"])) for row in plates)
        return self.scheme == ID or any(self.value == term for terms in said for _, term in terms)


def mistyped(text: str, error: MistypedIdError) -> InputError:
    """What is wrong with a text that was to name a device; the code of a box is not repeated."""
    if isinstance(error, BoxCodeError):
        return InputError(str(error), "box_code_alone")
    return InputError(f"mistyped id: {error}", "id_mistyped", text=text.strip()[:64])


async def _finds(tx: ReadTx, right: StoredRight, found: _Term) -> bool:
    """Whether a right to a subject opens that by which it was found."""
    found_by = found.scheme
    if found_by in ON_THE_PLATE:
        return bool(right.classes & HEADERS) and (right.author == EVERYBODY or found.is_of(right.author))
    if right.author != EVERYBODY:
        return False
    # Whose word it is, of when, is not known by now: the right has to open those of all times.
    if right.since_us or right.until_us <= tx.now or not right.classes & TECHNICAL:
        return False
    if not right.profile:
        return True
    kind, section = STATED_IN.get(found_by, (Kind.ALIAS, "alias"))
    profile = (await read_kept_profiles(tx)).get(right.profile)
    return profile is not None and profile.shows(kind, section, SectionClass.TECHNICAL)


def _serial(passport: StoredPassport, near: Mapping[str, Slip]) -> str:
    """The serial of a passport that is nearest to what was typed."""
    serials = [str(row["serial"]) for row in rows(passport.content, "plates")]
    order = list(Slip)
    close = [serial for serial in serials if bare_serial(serial) in near]
    return min(close, key=lambda serial: order.index(near[bare_serial(serial)]), default=passport.title)
