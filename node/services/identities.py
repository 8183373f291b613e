"""What people decide about identity: suggestions for a plate, the same, distinct, twins, and taking a word back."""

from collections.abc import Sequence
from dataclasses import dataclass

from node.errors import InputError, NotFoundError
from node.passport import drafts
from node.passport.bodies import SamenessBody
from node.passport.claims import decode_claim
from node.passport.comparison import ComparedRow, compare_views
from node.passport.errors import ClaimError, DeviceIdError
from node.passport.identity import resolve_identities
from node.passport.ids import SubjectId
from node.passport.reading import read
from node.passport.references import parse_ref, ref_text
from node.passport.sameness import DISTINCT, SAME, TWIN, WITHDRAWN, Authorities, authorities_of, pair_of, twin_of
from node.passport.scans import Filled, PlateCheck, Scan, check_plate, read_scan
from node.passport.shown import BARE, bare_term, rows
from node.passport.suggestions import KnownDevice, Sighting, Suggestion, serials_near, suggest
from node.passport.view import Plain
from node.passport.withdrawals import standing
from node.services.core import Core
from node.services.known import check_passports
from node.services.ledger import Ledger
from node.services.plates import settle_claim, sightings_of, texts_of
from node.services.projection import Projection
from node.services.statements import StatementReader
from node.store.database import ReadTx, WriteTx
from node.store.passports import StoredPassport, find_passport, find_subjects

MOST_ALIKE = 200  # devices with a serial near the asked one that are weighed


@dataclass(frozen=True, slots=True)
class Alike:
    """A suggestion with what its passport is called and in which state it is."""

    suggestion: Suggestion
    title: str
    state: str


@dataclass(frozen=True, slots=True)
class Read:
    """What somebody typed or scanned, what the lines say of its plate, and the passport that it leads to."""

    scan: Scan
    check: PlateCheck | None
    known: StoredPassport | None


@dataclass(frozen=True, slots=True)
class Compared:
    """Two passports side by side: their facts, what was said of the two, and who may speak for each."""

    left: StoredPassport
    right: StoredPassport
    rows: list[ComparedRow]
    said: list[dict[str, Plain]]
    authorities: tuple[Authorities, Authorities]

    @property
    def is_one(self) -> bool:
        """Whether both ids lead to one passport."""
        return self.left.subject == self.right.subject


class Identities:
    """Answers which devices may be one, and says so in this organisation's name."""

    def __init__(self, core: Core, ledger: Ledger, projection: Projection) -> None:
        self._core = core
        self._ledger = ledger
        self._projection = projection

    async def suggest(self, sighting: Sighting) -> list[Alike]:
        """The known devices that a plate may be of, the likeliest first, at most three."""
        async with self._core.database.read() as tx:
            return [_alike(*found) for found in await self._suggest(tx, [sighting], None)]

    async def suggest_for(self, subject: bytes) -> list[Alike]:
        """The other passports that may be of the same device; raise NotFoundError."""
        async with self._core.database.read() as tx:
            passport = await find_passport(tx, subject)
            if passport is None:
                raise NotFoundError("no passport of that id is here", "passport_unknown")
            found = await self._suggest(tx, sightings_of(passport.content), passport.subject)
        told_apart = {frozenset(map(str, texts_of(row["subjects"]))) for row in rows(passport.content, "sameness")}
        mine = set(texts_of(passport.content["subjects"]))
        return [
            _alike(suggestion, other)
            for suggestion, other in found
            if not any(pair & mine and pair & set(texts_of(other.content["subjects"])) for pair in told_apart)
        ]

    async def read(self, filled: Filled) -> Read:
        """What was filled in, the rules of its line, and the passport that exactly this leads to."""
        lines = self._projection.world.lines
        try:
            scan = read_scan(filled, lines)
        except DeviceIdError as error:
            raise InputError(f"mistyped id: {error}", "id_mistyped", text=filled.text[:64]) from error
        claim = scan.code
        if scan.is_whole:
            # A fresh local claim would be of this moment only: of nothing it leads to nothing.
            claim = lines.claim_for(scan.plate, log=bytes(16), randomness=bytes(16))
        async with self._core.database.read() as tx:
            if scan.is_whole and claim is not None:
                claim = await settle_claim(tx, claim, scan.plate, lines, self._core.org)
            subject = scan.subject.raw if scan.subject else claim.subject.raw if claim else None
            known = await find_passport(tx, subject) if subject else None
        return Read(scan, check_plate(scan.plate, lines) if scan.is_whole else None, known)

    async def compare(self, one: bytes, other: bytes) -> Compared:
        """Two passports side by side; raise NotFoundError, or InputError where one is named twice."""
        if one == other:
            raise InputError("these are one passport already", "sameness_self")
        async with self._core.database.read() as tx:
            found = await find_passport(tx, one), await find_passport(tx, other)
            statements = standing(await (await StatementReader.open(tx)).about(tx, [one, other]))
        left, right = found
        if left is None or right is None:
            raise NotFoundError("no passport of that id is here", "passport_unknown")
        world = self._projection.world
        keys = {
            subject: (identity.key,) if identity.key else identity.contested
            for subject, identity in resolve_identities(statements, world).items()
        }
        readings = [read(statement) for statement in statements]
        sides = [authorities_of(readings, keys, world, subject) for subject in (one, other)]
        mine, theirs = (
            {one.hex(), *texts_of(left.content["subjects"])},
            {other.hex(), *texts_of(right.content["subjects"])},
        )
        said = [
            row
            for row in rows(left.content, "sameness")
            if (pair := set(texts_of(row["subjects"]))) & mine and pair & theirs
        ]
        return Compared(left, right, compare_views(left.content, right.content), said, (sides[0], sides[1]))

    async def say(self, one: bytes, other: bytes, says: str, reason: str | None, actor: str) -> None:
        """Say that two passports are of the same device, or of two; said before in other words, it is replaced."""
        if says not in (SAME, DISTINCT):
            raise InputError(f"{says!r} is not said of two passports", "sameness_self")
        async with self._core.database.read() as tx:
            await check_passports(tx, [one, other])
            first, second = await find_passport(tx, one), await find_passport(tx, other)
        if first and second and first.subject == second.subject and (says == SAME or one == other):
            raise InputError("these are one passport already", "sameness_self")
        earlier = [
            parse_ref(str(row["ref"]))
            for row in (*rows(first.content if first else {}, "sameness"),)
            if row["by"] == self._core.org.hex() and set(texts_of(row["subjects"])) == {one.hex(), other.hex()}
        ]
        body = SamenessBody.model_validate({"says": says, "reason": reason})
        draft = drafts.sameness(*pair_of(one, other), body, self._core.clock.now(), earlier)
        await self._say(draft, actor, "said_same" if says == SAME else "said_distinct", one)

    async def split(self, subject: bytes, moves: Sequence[str], reason: str | None, actor: str) -> bytes:
        """Say that some statements are about a twin with the same plate; answer the twin's subject."""
        async with self._core.database.read() as tx:
            passport = await find_passport(tx, subject)
            if passport is None:
                raise NotFoundError("no passport of that id is here", "passport_unknown")
            named = {
                ref_text(s.ref): s
                for s in standing(await (await StatementReader.open(tx)).about(tx, [subject]))
                if s.subject == subject
            }
            claims = [s.sections["claim"] for s in named.values() if "claim" in s.sections]
            unknown = [ref for ref in moves if ref not in named]
            if unknown:
                raise InputError(f"{unknown[0]}: no statement about this id", "twin_moves_unknown")
            if not claims:
                raise InputError("nobody stated a plate under this id: there is nothing to split", "twin_no_plate")
            taken = [bytes.fromhex(s) for row in rows(passport.content, "sameness") for s in texts_of(row["subjects"])]
        try:
            claim = twin_of(decode_claim(claims[0]), taken)
        except ClaimError as error:
            raise InputError(f"no twin: {error}", "twin_no_plate") from error
        body = SamenessBody.model_validate(
            {"says": TWIN, "claim": claim.encode().hex(), "moves": tuple(moves), "reason": reason}
        )
        draft = drafts.sameness(subject, claim.subject.raw, body, self._core.clock.now())
        await self._say(draft, actor, "said_twin", subject)
        return claim.subject.raw

    async def withdraw(self, subject: bytes, ref: str, actor: str) -> None:
        """Take back what this organisation said of a passport's identity."""
        async with self._core.database.read() as tx:
            passport = await find_passport(tx, subject)
        own = [
            row
            for row in (rows(passport.content, "sameness") if passport else [])
            if row["ref"] == ref and row["by"] == self._core.org.hex()
        ]
        if not own:
            raise NotFoundError("this organisation did not say that of this passport", "sameness_unknown")
        one, other = (bytes.fromhex(text) for text in texts_of(own[0]["subjects"]))
        body = SamenessBody(says=WITHDRAWN)
        draft = drafts.sameness(one, other, body, self._core.clock.now(), [parse_ref(ref)])
        await self._say(draft, actor, "said_withdrawn", subject)

    async def _suggest(
        self, tx: ReadTx, sightings: Sequence[Sighting], without: bytes | None
    ) -> list[tuple[Suggestion, StoredPassport]]:
        near = sorted({bare_term(text) for sighting in sightings for text in serials_near(sighting.plate.serial)})
        subjects = await find_subjects(tx, BARE, near, MOST_ALIKE)
        passports = {p.subject: p for s in subjects if (p := await find_passport(tx, s)) is not None}
        passports.pop(without or b"", None)
        known = [KnownDevice(p.subject, tuple(sightings_of(p.content))) for p in passports.values()]
        lines = self._projection.world.lines
        best: dict[bytes, Suggestion] = {}
        for sighting in sightings:
            for found in suggest(sighting, known, lines):
                if found.subject not in best or found.score > best[found.subject].score:
                    best[found.subject] = found
        ordered = sorted(best.values(), key=lambda s: (-s.score, s.subject))[:3]
        return [(suggestion, passports[suggestion.subject]) for suggestion in ordered]

    async def _say(self, draft: drafts.Draft, actor: str, what: str, subject: bytes) -> None:
        others = [str(SubjectId(other)) for other in draft.subjects if other != subject]

        async def note(tx: WriteTx, _entries: object) -> None:
            await self._core.announce(tx, actor, what, subject, other=others[0] if others else None)

        await self._ledger.append([draft], note)


def _alike(suggestion: Suggestion, passport: StoredPassport) -> Alike:
    return Alike(suggestion, passport.title, passport.state)
