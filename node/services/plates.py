"""Which devices known here print a plate: the one that it is where no line tells, and those that it may be.

Without a line, a code or an approval every plate would get a fresh local claim. One that this organisation stated under
a local claim of its own, in whatever look-alikes and separators, is that device; others are named, never joined.
"""

from collections.abc import Mapping, Sequence

from node.passport.bodies import Plate
from node.passport.claims import Claim, Scheme
from node.passport.lines import Lines, Reason, Unresolved
from node.passport.places import Places, compare_places
from node.passport.plate import Nameplate, PlateLike, may_agree, reads_alike
from node.passport.reading import Reading, read
from node.passport.sameness import twins_of
from node.passport.shown import place_of, plate_term, rows
from node.passport.suggestions import Sighting
from node.passport.view import View
from node.passport.withdrawals import standing
from node.services.statements import StatementReader
from node.store.database import ReadTx
from node.store.passports import StoredPassport, find_each, read_passports

# Where lines print this designation, two years of one serial are two devices: without a year nothing is told.
YEAR_TELLS = frozenset({Reason.NO_YEAR, Reason.AMBIGUOUS})


async def find_printed(tx: ReadTx, plate: PlateLike) -> list[StoredPassport]:
    """The passports whose plates say the same designation and serial and nothing else than this one, by their ids."""
    term = plate_term(plate.designation, plate.serial)
    subjects = (await find_each(tx, "plate", [term])).get(term, [])
    found = {passport.lead: passport for passport in (await read_passports(tx, subjects)).values()}
    return [
        passport
        for _, passport in sorted(found.items())
        if any(may_agree(sighting.plate, plate) for sighting in sightings_of(passport.content))
    ]


async def settle_claim(tx: ReadTx, claim: Claim, plate: PlateLike, lines: Lines, org: bytes) -> Claim:
    """The claim of a plate: where it got a local one, that under which this organisation stated such a plate before."""
    if claim.scheme is not Scheme.LOCAL:
        return claim
    why = lines.key(plate)
    if isinstance(why, Unresolved) and why.reason in YEAR_TELLS and not plate.year:
        return claim
    subjects = [
        bytes.fromhex(hexed)
        for passport in await find_printed(tx, plate)
        for hexed in texts_of(passport.content["subjects"])
    ]
    if not subjects:
        return claim
    said = standing(await (await StatementReader.open(tx)).about(tx, subjects))
    return _earliest([read(one) for one in said if one.org == org and "claim" in one.sections], plate) or claim


def find_standing(claim: Claim, passports: Mapping[bytes, StoredPassport], place: str) -> Claim | None:
    """The claim of the twin of a plate that is known to stand at a place, among these passports by their subjects."""
    for twin in twins_of(claim):
        known = passports.get(twin.subject.raw)
        if known is not None and compare_places(place, place_of(known.content)) is Places.SAME:
            return twin
    return None


def sightings_of(view: View) -> list[Sighting]:
    """What was read off a device, and where it stands."""
    place = place_of(view)
    return [
        Sighting(
            Nameplate(
                str(row["designation"]),
                str(row["serial"]),
                _text(row["mark"]),
                _text(row["year"]),
                tuple(texts_of(row["approvals"])),
                tuple(texts_of(row["codes"])),
            ),
            place,
        )
        for row in rows(view, "plates")
    ]


def texts_of(value: object) -> list[str]:
    """The items of a plain list as texts; none where there is no list."""
    return [str(item) for item in value] if isinstance(value, list | tuple) else []


def _earliest(readings: Sequence[Reading], plate: PlateLike) -> Claim | None:
    for reading in sorted(readings, key=lambda reading: reading.statement.order):
        claim, stated = reading.claim, reading.body("nameplate", Plate)
        is_own = claim is not None and claim.scheme is Scheme.LOCAL and claim.twin is None
        if is_own and stated is not None and reads_alike(stated, plate):
            return claim
    return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
