"""What proves an answer: the statement of the plate that it brings, by the author's key and by its id.

The claim of the id has to vouch for the plate: else anybody who has a log could hang a plate of his on a foreign id.
"""

from dataclasses import dataclass
from functools import partial

from federation.authority import Kind
from federation.errors import FederationError
from federation.fragment import Header, check_sections, check_signature, decode_header
from federation.sync.looking import Known
from federation.sync.messages import Placed
from node.passport.bodies import Plate
from node.passport.claims import Claim, Scheme, decode_claim
from node.passport.errors import PassportError
from node.passport.identifiers import ID, Identifier, is_on
from node.passport.identity import vouches
from node.passport.sightings import Sighting, Source
from node.services.core import Core
from node.services.projection import Projection
from node.store.database import ReadTx
from node.store.logs import find_log
from node.store.organisations import find_sign_key


class Evidence:
    """Checks answers against what is known here of their authors."""

    def __init__(self, core: Core, projection: Projection) -> None:
        self._core = core
        self._projection = projection

    async def check(self, asked: Identifier, known: Known, source: Source) -> Sighting | None:
        """What an answer shows; None where what it brings does not verify, or is of something else."""
        ids = frozenset({known.subject, *known.ids})
        if asked.scheme == ID and bytes.fromhex(asked.value) not in ids:
            return None
        untitled = Sighting(known.subject, ids, "", is_proved=False, sources=(source,))
        if known.identity is None:
            return untitled
        try:
            author = await self._core.database.glance(partial(_author_of, known.identity.log))
            if author is None:
                return untitled
            header = _verified(known.identity, author.key)
            claim, plate = _stated(header, known.identity)
        except (FederationError, PassportError, ValueError):
            return None
        if header.subject not in ids:
            return None
        if plate is None or not await self._vouches(claim, plate, author):
            return untitled
        is_proved = bytes.fromhex(asked.value) == header.subject if asked.scheme == ID else is_on(plate, asked.value)
        return Sighting(known.subject, ids, f"{plate.designation} № {plate.serial}", is_proved, (source,))

    async def _vouches(self, claim: Claim, plate: Plate, author: "_Author") -> bool:
        """Whether the id is of that plate; an id without a line is of the organisation that made it, in any log."""
        logs = [author.log]
        if claim.scheme is Scheme.LOCAL and claim.issuer != author.log.hex():
            made = await self._core.database.glance(partial(_author_of, bytes.fromhex(claim.issuer)))
            logs += [made.log] if made is not None and made.org == author.org else []
        return vouches(claim, plate, logs, self._projection.world)


@dataclass(frozen=True, slots=True)
class _Author:
    """Whose log it is, and the key by which it is signed."""

    log: bytes
    org: bytes
    key: bytes


def _verified(placed: Placed, key: bytes) -> Header:
    """The header of a signed statement of a plate; raise FederationError, or ValueError."""
    header = decode_header(placed.fragment.header, placed.log, placed.seq)
    check_signature(placed.fragment, key)
    check_sections(placed.fragment, header)
    if header.kind != Kind.IDENTITY:
        raise ValueError("no statement of a plate")
    return header


async def _author_of(log: bytes, tx: ReadTx) -> _Author | None:
    """Who writes a log; None where that is not known here."""
    stored = await find_log(tx, log)
    key = await find_sign_key(tx, stored) if stored is not None else None
    return _Author(log, stored.org, key) if stored is not None and key is not None else None


def _stated(header: Header, placed: Placed) -> tuple[Claim, Plate | None]:
    """The claim, which gives the subject, and the plate; raise PassportError or ValueError where it does not."""
    sections = {section.name: section.data for section in placed.fragment.sections}
    if "claim" not in sections or (claim := decode_claim(sections["claim"])).subject.raw != header.subject:
        raise ValueError("the claim is of another subject")
    return claim, Plate.from_bytes(sections["nameplate"]) if "nameplate" in sections else None
