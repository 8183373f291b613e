"""Finding a device by anything: here first, then at every peer at once."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from federation.errors import FederationError
from node.errors import InputError
from node.passport.ids import SubjectId, format_device_id
from node.passport.shown import text as shown_text
from node.services.core import Core
from node.services.search import Query, Search, read_query
from node.services.sync import AWAY, Sync
from node.store.database import ReadTx
from node.store.passports import StoredPassport, count_joined, count_passports, list_passports
from node.store.peers import Peer, list_peers

PEER_S = 5.0


@dataclass(frozen=True, slots=True)
class Found:
    """A device that was found: `source` is `here`, or the organisation that knows it; age in microseconds."""

    subject: bytes
    title: str
    state: str
    source: bytes | None
    age_us: int

    @property
    def id(self) -> str:
        """The device id."""
        return format_device_id(SubjectId(self.subject))


@dataclass(frozen=True, slots=True)
class Counts:
    """The registry in numbers: passports in all, by state, and those to which several ids lead."""

    total: int
    states: dict[str, int]
    joined: int


class Lookup:
    """Looks here and at the peers."""

    def __init__(self, core: Core, search: Search, sync: Sync) -> None:
        self._core = core
        self._search = search
        self._sync = sync

    async def find(self, text: str) -> list[Found]:
        """What carries that identifier; raise InputError where it is mistyped. Peers are asked if nothing is here."""
        query = read_query(text)
        async with self._core.database.read() as tx:
            here = await self._search.find(tx, query)
            now = tx.now
            peers = await list_peers(tx, "active")
            slip = None if here else await self._search.find_slip(tx, text)
        if here:
            return [Found(p.subject, p.title, p.state, None, max(0, now - p.changed_us)) for p in here]
        answers = await asyncio.gather(*(self._ask(peer, query) for peer in peers))
        found = [one for answer in answers for one in answer]
        if slip and not found:
            raise slip
        return found

    async def here(self, texts: Iterable[str]) -> dict[str, list[StoredPassport]]:
        """What carries each of these identifiers in this store alone; nothing for one that is mistyped."""
        async with self._core.database.read() as tx:
            return {text: await self._here(tx, text) for text in texts}

    async def page(
        self,
        after: tuple[str, bytes] | None,
        limit: int,
        text: str = "",
        state: str | None = None,
        type_code: str | None = None,
    ) -> list[StoredPassport]:
        """Passports by title after a place; a text narrows them to those with a term that begins so.

        Raise InputError where nothing begins so and the text is a mistyped id or DevEUI.
        """
        async with self._core.database.read() as tx:
            query = read_query(text) if text.strip() else None
            if query is not None and query.scheme == "id":
                found = await self._search.find(tx, query) if after is None else []
                return [one for one in found if _is_asked(one, state, type_code)]
            prefix = query.term if query else ""
            listed = await list_passports(tx, after, limit, prefix=prefix, state=state, type_code=type_code)
            is_found = listed or (after, state, type_code) != (None, None, None)
            if not is_found and (slip := await self._search.find_slip(tx, text)):
                raise slip
            return list(listed)

    async def joined(self, passports: Sequence[StoredPassport]) -> dict[bytes, int]:
        """How many more ids lead to each of these, where there are some."""
        async with self._core.database.read() as tx:
            return await count_joined(tx, [passport.subject for passport in passports])

    async def count(self) -> Counts:
        """How many passports are here."""
        async with self._core.database.read() as tx:
            states, joined = await count_passports(tx), await count_joined(tx)
        return Counts(sum(states.values()), states, len(joined))

    async def _here(self, tx: ReadTx, text: str) -> list[StoredPassport]:
        try:
            return await self._search.find(tx, read_query(text))
        except InputError:
            return []

    async def _ask(self, peer: Peer, query: Query) -> list[Found]:
        try:
            async with asyncio.timeout(PEER_S):
                found = await self._sync.client(peer.address).lookup(query.scheme, query.term)
        except (*AWAY, FederationError):
            return []
        return [Found(subject, "", "", peer.org, age) for subject, age in found]


def _is_asked(passport: StoredPassport, state: str | None, type_code: str | None) -> bool:
    return state in (None, passport.state) and type_code in (None, shown_text(passport.content, "type", "central"))
