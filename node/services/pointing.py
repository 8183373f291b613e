"""What a peer is told that looks for a device: passports that it may read, proved by a statement of the plate.

Members are told too whether there is one that they may not read, and may ask people for it.
"""

import re
from dataclasses import dataclass, replace

from federation.authority import Kind
from federation.errors import RequestError
from federation.fragment import Fragment
from federation.ports import Asker
from federation.sync.looking import Known, Looked
from federation.sync.messages import Placed
from node.passport.bodies import Plate
from node.passport.claims import decode_claim
from node.passport.errors import PassportError
from node.passport.identifiers import ID, Identifier, is_on, lookup_key
from node.passport.identity import vouches
from node.passport.world import World
from node.services.access_requests import AccessRequests
from node.services.admission import Admission
from node.services.boxes import Boxes
from node.services.core import Core
from node.services.counting import stored_header
from node.services.disclosure import Disclosure
from node.services.handed import Handed, Personal
from node.services.pace import even_pace
from node.services.referring import Referring
from node.services.search import Search
from node.services.showing import Showing
from node.store.database import ReadTx
from node.store.fragments import StoredFragment, entries_said_of
from node.store.logs import list_logs

SUBJECT = re.compile(r"[0-9a-f]{32}")
GUEST_PACE_S = 0.05
LONGEST_NOTED = 64


@dataclass(frozen=True, slots=True)
class Asked:
    """Who answers what members alone ask."""

    referring: Referring
    access_requests: AccessRequests
    boxes: Boxes


class Pointing:
    """Answers look-ups."""

    def __init__(
        self,
        core: Core,
        search: Search,
        admission: Admission,
        asked: Asked,
        disclosure: Disclosure,
        showing: Showing,
        handed: Handed,
    ) -> None:
        self._core, self._search, self._admission = core, search, admission
        self._referring, self._access_requests = asked.referring, asked.access_requests
        self._disclosure, self._showing, self._handed = disclosure, showing, handed

    async def lookup(self, asker: Asker, scheme: str, value: str) -> Looked:
        """Passports of an identifier that the asker may read; to a member, else whether there is one."""
        check_id(scheme, value)
        if self._admission.is_member(asker.org):
            self._referring.count(asker, lookup_key(scheme, value), scheme, value[:LONGEST_NOTED])
            return await self._looked(asker, scheme, value, tells=True)
        async with even_pace(GUEST_PACE_S):
            return await self._looked(asker, scheme, value, tells=False)

    async def ask(self, asker: Asker, scheme: str, value: str, words: str) -> None:
        """Keep for people here what the asker wants to be shown."""
        check_id(scheme, value)
        self._referring.count(asker, lookup_key(scheme, value), scheme, value[:LONGEST_NOTED])
        await self._access_requests.take(asker, Identifier(scheme, value), words)

    async def _looked(self, asker: Asker, scheme: str, value: str, *, tells: bool) -> Looked:
        personal = Personal()

        async def look(tx: ReadTx) -> Looked:
            known, is_held = await self._search.for_peer(tx, asker.org, scheme, value, tells=tells)
            proved = [replace(one, identity=await self._identity(tx, asker, one, value, personal)) for one in known]
            return Looked(tuple(proved), is_held)

        looked = await self._core.database.glance(look)
        if personal:
            given = [(one.identity.log, one.identity.seq) for one in looked.known if one.identity is not None]
            await self._handed.note(asker, given, personal)
        return looked

    async def _identity(self, tx: ReadTx, asker: Asker, known: Known, value: str, personal: Personal) -> Placed | None:
        """The newest statement of a plate that the asker may see, of those that prove what he asked for if any does."""
        found = await entries_said_of(tx, [Kind.IDENTITY], [known.subject, *known.ids])
        view = await self._disclosure.view(tx, asker.org, found)
        sizes = {log.no: log.note_size for log in await list_logs(tx)}
        there = [one for one in found if one.seq < sizes.get(one.log_no, 0)]
        shown = [(one, s) for one in there if (s := self._showing.shown(one, view, personal)) and s.sections]
        if not shown:
            return None
        stored, fragment = max(shown, key=lambda pair: _rank(pair[0], pair[1], value, self._admission.world))
        return Placed(stored.log, stored.seq, fragment)


def check_id(scheme: str, value: str) -> None:
    """Raise RequestError for an id that is none."""
    if scheme == ID and SUBJECT.fullmatch(value) is None:
        raise RequestError("an id is 32 hex digits")


def _rank(stored: StoredFragment, fragment: Fragment, value: str, world: World) -> tuple[bool, bool, int]:
    """How well a statement of a plate proves that it is of an id in hex, or that a number stands there."""
    header = stored_header(stored)
    sections = {section.name: section.data for section in fragment.sections}
    try:
        plate = Plate.from_bytes(sections["nameplate"])
        is_vouched = vouches(decode_claim(sections["claim"]), plate, [stored.log], world)
        is_named = is_on(plate, value)
    except (PassportError, KeyError):
        is_vouched = is_named = False
    if header is None:
        return False, False, 0
    return is_vouched, is_named or header.subject.hex() == value, header.stamp
