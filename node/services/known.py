"""What an act names must be known here before it is signed: the bytes of a signed statement stay for ever."""

from collections.abc import Collection

from node.errors import NotFoundError
from node.passport.ids import SubjectId
from node.store.database import ReadTx
from node.store.organisations import find_chain
from node.store.passports import read_leads


async def check_organisation(tx: ReadTx, org: bytes) -> None:
    """Raise NotFoundError unless the organisation's chain is here."""
    if await find_chain(tx, org) is None:
        raise NotFoundError(f"organisation {org.hex()} is not known here", "org_unknown")


async def check_passports(tx: ReadTx, subjects: Collection[bytes]) -> None:
    """Raise NotFoundError, with the first that lacks one, unless each subject has a passport here."""
    known = await read_leads(tx, subjects)
    for subject in subjects:
        if subject not in known:
            raise NotFoundError(f"no passport of {SubjectId(subject)} is here", "passport_unknown")
