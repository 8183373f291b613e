"""What proves an answer: the statement of the plate that it brings, by the author's key and by its id."""

from federation.authority import Kind
from federation.errors import FederationError
from federation.fragment import Header, check_sections, check_signature, decode_header
from federation.sync.messages import Known, Placed
from node.passport.bodies import Plate
from node.passport.claims import decode_claim
from node.passport.errors import PassportError
from node.passport.identifiers import ID, Identifier, is_on
from node.passport.sightings import Sighting, Source
from node.services.core import Core
from node.store.logs import find_log
from node.store.organisations import find_sign_key


class Evidence:
    """Checks answers against what is known here of their authors."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def check(self, asked: Identifier, known: Known, source: Source) -> Sighting | None:
        """What an answer shows; None where what it brings does not verify, or is of something else."""
        ids = frozenset({known.subject, *known.ids})
        if asked.scheme == ID and bytes.fromhex(asked.value) not in ids:
            return None
        if known.identity is None:
            return Sighting(known.subject, ids, "", is_proved=False, sources=(source,))
        try:
            header = await self._verified(known.identity)
            plate = _plate(header, known.identity) if header is not None else None
        except (FederationError, PassportError, ValueError):
            return None
        if header is None or plate is None:
            return Sighting(known.subject, ids, "", is_proved=False, sources=(source,))
        if header.subject not in ids:
            return None
        is_proved = bytes.fromhex(asked.value) == header.subject if asked.scheme == ID else is_on(plate, asked.value)
        return Sighting(known.subject, ids, f"{plate.designation} № {plate.serial}", is_proved, (source,))

    async def _verified(self, placed: Placed) -> Header | None:
        """The header of a signed statement of a plate; None where its log is not known here; raise FederationError."""
        async with self._core.database.read() as tx:
            log = await find_log(tx, placed.log)
            key = await find_sign_key(tx, log) if log is not None else None
        if key is None:
            return None
        header = decode_header(placed.fragment.header, placed.log, placed.seq)
        check_signature(placed.fragment, key)
        check_sections(placed.fragment, header)
        if header.kind != Kind.IDENTITY:
            raise ValueError("no statement of a plate")
        return header


def _plate(header: Header, placed: Placed) -> Plate | None:
    """The plate of a statement whose claim gives its subject; raise PassportError or ValueError where it does not."""
    sections = {section.name: section.data for section in placed.fragment.sections}
    if "claim" not in sections or decode_claim(sections["claim"]).subject.raw != header.subject:
        raise ValueError("the claim is of another subject")
    return Plate.from_bytes(sections["nameplate"]) if "nameplate" in sections else None
