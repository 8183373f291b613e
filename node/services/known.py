"""What an act names must be known here before it is signed: the bytes of a signed statement stay for ever."""

from collections.abc import Collection

from node.errors import NotFoundError, StateError
from node.passport.ids import SubjectId
from node.passport.world import World
from node.store.database import ReadTx
from node.store.organisations import find_chain
from node.store.passports import read_leads


async def check_organisation(tx: ReadTx, org: bytes) -> None:
    """Raise NotFoundError unless the organisation's chain is here."""
    if await find_chain(tx, org) is None:
        raise NotFoundError(f"organisation {org.hex()} is not known here", "org_unknown")


def check_member(world: World, org: bytes) -> None:
    """Raise StateError where the organisation left the federation: its answer to an offer would count nothing."""
    standing = world.standings.of(org).standing
    if standing.is_ended:
        raise StateError(f"organisation {org.hex()} {standing.value} the federation", "org_ended")


async def check_passports(tx: ReadTx, subjects: Collection[bytes]) -> None:
    """Raise NotFoundError, with the first that lacks one, unless each subject has a passport here."""
    known = await read_leads(tx, subjects)
    for subject in subjects:
        if subject not in known:
            raise NotFoundError(f"no passport of {SubjectId(subject)} is here", "passport_unknown")
