"""Asking an organisation to show a passport that it keeps, and what others ask of this one.

Whoever found out who keeps a device asks him, in words for people. Nothing is opened by asking: somebody here shares
the passport, or puts the request away.
"""

import asyncio

from federation.errors import FederationError, RequestError
from federation.ports import Asker
from node.errors import DeniedError, NotFoundError, PeerError
from node.passport.identifiers import Identifier
from node.services.core import Core
from node.services.projection import Projection
from node.services.search import Query, Search, read_asked
from node.services.sync import Sync
from node.store.access_requests import AccessRequest, count_requests, drop_request, list_requests, put_request
from node.store.peers import ACTIVE, list_peers

MOST_OF_ORGANISATION = 100
MOST_LISTED = 1_000
ASKED_S = 5.0


class AccessRequests:
    """Asks, and keeps what is asked."""

    def __init__(self, core: Core, projection: Projection, search: Search, sync: Sync) -> None:
        self._core = core
        self._projection = projection
        self._search = search
        self._sync = sync

    async def take(self, asker: Asker, identifier: Identifier, words: str) -> None:
        """Keep what a member asks for; raise RequestError where too much of it waits. What is not here is not kept."""
        async with self._core.database.write() as tx:
            found = await self._search.find(tx, Query(identifier.scheme, identifier.value))
            if await count_requests(tx, asker.org) >= MOST_OF_ORGANISATION:
                raise RequestError(f"{MOST_OF_ORGANISATION} requests of this organisation wait for an answer")
            for passport in found[:1]:
                value = identifier.value[:64]
                request = AccessRequest(asker.org, identifier.scheme, value, passport.subject, words)
                await put_request(tx, request)
                scheme = identifier.scheme
                await self._core.announce(
                    tx, "peer", "access_asked", passport.subject, org=asker.org, scheme=scheme, value=value, words=words
                )

    async def ask(self, org: bytes, text: str, words: str, actor: str) -> None:
        """Ask an organisation for what a text names; raise PeerError where it does not answer or refuses."""
        identifier = self._read(text)
        async with self._core.database.read() as tx:
            peers = [peer for peer in await list_peers(tx, ACTIVE) if peer.org == org]
        if not peers:
            raise NotFoundError(f"no node of organisation {org.hex()} is known here", "org_unknown")
        trouble: Exception | None = None
        for peer in peers:
            try:
                async with asyncio.timeout(ASKED_S):
                    await self._sync.client(peer.address).ask_access(identifier.scheme, identifier.value, words)
                break
            except (TimeoutError, FederationError) as error:
                trouble = error
        else:
            raise PeerError(f"{peers[0].place} was not told: {trouble or type(trouble).__name__}")
        async with self._core.database.write() as tx:
            scheme, value = identifier.scheme, identifier.value[:64]
            await self._core.announce(tx, actor, "access_requested", to=org.hex(), scheme=scheme, value=value)

    async def list(self) -> list[AccessRequest]:
        """What waits for an answer, the oldest first."""
        async with self._core.database.read() as tx:
            return await list_requests(tx, MOST_LISTED)

    async def count(self) -> int:
        """How much waits."""
        async with self._core.database.read() as tx:
            return await count_requests(tx)

    async def dismiss(self, org: bytes, subject: bytes, actor: str) -> None:
        """Put a request away; raise NotFoundError where there is none."""
        async with self._core.database.write() as tx:
            if not await drop_request(tx, org, subject):
                raise NotFoundError("no such request waits here", "request_unknown")
            await self._core.announce(tx, actor, "access_request_closed", subject, of=org.hex())

    def _read(self, text: str) -> Identifier:
        found = read_asked(text, self._projection.world.lines)
        if self._projection.world.standings.of(self._core.org).standing.is_member:
            return found[-1]
        raise DeniedError("only a member of the federation asks for access", "not_a_member")
