"""The local network: this node is announced there, and those that are heard wait in the inbox."""

import asyncio
import contextlib

import structlog

from federation.net.discovery import Announcement, discovery
from federation.peer import PeerAddress
from node.services.core import Core
from node.services.membership import Membership
from node.services.peering import MDNS, Peering

log = structlog.get_logger()

NO_FEDERATION = bytes(16)
MOST_WAITING = 100
AGAIN_S = 30.0


class Neighbourhood:
    """Tells and hears by mDNS for as long as the node runs."""

    def __init__(self, core: Core, membership: Membership, peering: Peering) -> None:
        self._core = core
        self._membership = membership
        self._peering = peering

    async def run(self) -> None:
        """Announce this node, anew once it came into a federation, and meet who is heard; until cancelled."""
        if await self._federation() == NO_FEDERATION:
            async with asyncio.TaskGroup() as tasks:
                hearing = tasks.create_task(self._hear(NO_FEDERATION))
                await self._membership.attesting.entered.wait()
                hearing.cancel()
        await self._hear(await self._federation())

    async def _hear(self, federation: bytes) -> None:
        heard: asyncio.Queue[Announcement] = asyncio.Queue(MOST_WAITING)

        def hear(announcement: Announcement) -> None:
            with contextlib.suppress(asyncio.QueueFull):
                heard.put_nowait(announcement)

        interfaces = self._core.settings.federation.discovery_interfaces
        while True:
            try:
                async with discovery(self._announcement(federation), interfaces, hear):
                    await self._meet(heard, federation)
            except OSError as error:  # an interface that is not there now: the node goes on without the local network
                log.warning("discovery_away", interfaces=interfaces, error=str(error))
            await asyncio.sleep(AGAIN_S)

    async def _meet(self, heard: asyncio.Queue[Announcement], federation: bytes) -> None:
        while True:
            announcement = await heard.get()
            if is_near(announcement, federation):
                await self._peering.meet(announcement.peer, announcement.org, active=False, how=MDNS)

    def _announcement(self, federation: bytes) -> Announcement:
        keystore, url = self._core.keystore, self._membership.url
        peer = PeerAddress(url, self._core.node, keystore.sign.public, self._membership.pin())
        return Announcement(self._core.org, federation, peer)

    async def _federation(self) -> bytes:
        genesis = await self._membership.attesting.genesis()
        return genesis.id if genesis else NO_FEDERATION


def is_near(announcement: Announcement, federation: bytes) -> bool:
    """Whether somebody heard is of interest: of the own federation, or of none yet; before one is joined, anybody."""
    return federation == NO_FEDERATION or announcement.federation in (federation, NO_FEDERATION)
