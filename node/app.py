"""Wiring: one node as an object, from its folder to its open ports."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from federation.net.gate import Gate
from federation.net.server import FederationServer
from federation.ports import Carrier
from node.collecting import settle_collector
from node.config import load_settings
from node.doors import LONGEST_LINE, listening, opening, url_of
from node.errors import ConfigError, FolderError, StoreAwayError
from node.folder import NodeFolder
from node.keystore import NOBODY, open_keystore
from node.ports import Clock, Random
from node.services.bus import EventBus
from node.services.core import Core
from node.services.first_restore import RestoredError
from node.services.healing import Healing
from node.services.losses import Losses
from node.services.neighbourhood import Neighbourhood
from node.services.notices import Notices
from node.services.parts import Parts
from node.store.database import Database
from node.store.finding import read_ahead
from node.store.migrate import upgrade
from node.web.public.door import build_public_application
from node.web.server import build_application

log = structlog.get_logger()
T = TypeVar("T")

AGAIN_S = 1.0
HANG_UP_S = 1.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a started node can be reached."""

    federation: str
    console: str = ""
    claim: str | None = None
    radio: str | None = None
    public: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        """For those who started the process."""
        return {
            "federation": self.federation,
            "console": self.console,
            "claim": self.claim,
            "radio": self.radio,
            "public": self.public,
        }


class Node(Parts):
    """One node. Two may live in one event loop: nothing is kept in modules."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        random: Random,
        carrier: Carrier | None = None,
        database: Database | None = None,
    ) -> None:
        """Without a carrier it asks its peers over https; without a database it takes that of its settings."""
        self.folder, settings = NodeFolder(folder), load_settings(folder)
        database = database or Database.of_node(self.folder, settings.store, clock)
        keystore = open_keystore(self.folder, random)
        if keystore.org == NOBODY:
            raise FolderError(
                f"the node in {folder} waits for its organisation: have its request stated with `passport-node keys "
                f"state-node`, then take the answer with `passport-node keys take ANSWER -f {folder}`",
                "node_waits",
            )
        super().__init__(Core(settings, self.folder, clock, random, keystore, database, EventBus()), carrier)

    async def run(self, started: Callable[[Addresses], None]) -> bool:
        """Hold the folder, open the store and the ports, and serve until cancelled.

        True where a restored node waits to take the place of this one.
        """
        is_restored = False
        with self.folder.locked():
            try:
                await self._open_store()
                await self.open()
                settle_collector()
                await self._serve(started)
            except* RestoredError:
                is_restored = True
            finally:
                await self.close()
        return is_restored

    async def visit(self, work: Callable[["Node"], Awaitable[T]]) -> T:
        """Do something with the store of a node that does not run: its ports stay closed, its log is not written."""
        with self.folder.locked():
            try:
                await self._open_store()
                await self._open_projection()
                return await work(self)
            finally:
                self.projection.close()
                self.sandbox.close()
                await self.core.database.close()

    async def _open_store(self) -> None:
        """Take the store for this process; a server that does not answer yet is waited for."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.settings.store.wait_s
        while True:
            try:
                await self.core.database.lock()
                break
            except StoreAwayError as error:
                if loop.time() >= until:
                    raise
                log.warning("store_away", error=str(error))
            await asyncio.sleep(AGAIN_S)
        await upgrade(self.core.database)
        await self.core.database.hold(self.core.node, self.core.random.bytes(16))

    async def open(self) -> None:
        """Take up what the store holds; a peer that shows a larger one of ours puts it in doubt."""
        known = await self.ledger.newest()
        ahead = await self.sync.largest_own_size(known) if known else 0
        reason = await self.ledger.open(ahead)
        if reason is not None:
            log.info("log_opened", log=self.ledger.log.log.hex(), reason=reason.name)
        self.ingest.forks.own = self.ledger
        self.counting.on_chain = self.projection.on_followed = self.sync.look_again
        await self._open_projection()
        await self.releases.open()
        await self.driver_book.settle()
        await self.referring.open()
        await self.catching_up.begin()

    async def _open_projection(self) -> None:
        self.projection.attested, self.projection.lost = self.counting.take_attested, Losses(self.counting).take
        self.counting.branches = lambda: self.projection.world.attestations.branches
        await self.projection.open()
        await self.counting.open()
        await self.projection.replay_erasures()

    async def work(self, tasks: asyncio.TaskGroup) -> None:
        """Begin what a node does without a port of its own; where its peers reach it is told to `membership`."""
        tasks.create_task(self.ledger.run())
        await self.membership.publish_card()
        await self.peering.meet_own()
        tasks.create_task(_outlasting(self._tell_peers))
        tasks.create_task(self._hang_up())
        healing = Healing(self.core, self.ledger, self.counting)
        tasks.create_task(_outlasting(self.catching_up.run))
        levelling = (self.sync.run, self.returning.run, healing.run, self.announcing.run, self.acknowledging.run)
        settling = (self.jobs.run, self.releases.run, self.driver_book.run)
        for part in (*levelling, *settling, self.lookup_notes.run, self.elsewhere.run):
            tasks.create_task(_outlasting(part))

    async def close(self) -> None:
        """Let go of what is held open."""
        self.projection.close()
        self.sandbox.close()
        await self.sync.close()
        await self.core.database.close()

    async def _serve(self, started: Callable[[Addresses], None]) -> None:
        settings, web_settings = self.settings.federation, self.settings.web
        console = build_application(self)
        unread = partial(self.metrics.count, "web_problems")
        radio = await self._open_radio()
        async with (
            self._open_to_peers() as self.membership.url,
            listening(
                "web", console, web_settings, unread, socket=self.folder.socket, longest_line=LONGEST_LINE
            ) as web_port,
            self._open_to_anybody() as public,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(self.core.database.watch())
            tasks.create_task(self._read_ahead())
            await self.work(tasks)
            for part in (self.runs.watch, self.deliveries.run, self.bench_folder.run, self.backups.run):
                tasks.create_task(_outlasting(part))
            if settings.discovery:
                tasks.create_task(_outlasting(Neighbourhood(self.core, self.membership, self.peering).run))
            if radio is not None:
                tasks.create_task(self.commissioning.run())
                tasks.create_task(_outlasting(self.redecoding.run))
                tasks.create_task(self.radio.run())
            address = url_of("http", web_settings.host, web_port)
            secret = await self.access.open_claim()
            if secret:
                tasks.create_task(self.first_restore.run())
            claim = f"{address}/claim/{secret}" if secret else None
            started(Addresses(self.membership.url, address, claim, radio, public))

    @asynccontextmanager
    async def _open_to_peers(self) -> AsyncIterator[str]:
        """Open the federation port and answer what others are told; nothing where this node only dials out."""
        settings = self.settings.federation
        if settings.dial_out_only:
            yield ""
            return
        gate = Gate(self.allowance, self.metrics)
        application = FederationServer(self.desk, self.hub, self.metrics, gate).application()
        refused = partial(self.metrics.count, "federation_refused")
        async with listening("federation", application, settings, refused, tls=self._tls(), gate=gate) as port:
            yield settings.url or url_of("https", settings.host, port)

    @asynccontextmanager
    async def _open_to_anybody(self) -> AsyncIterator[str | None]:
        """Open the public door where it is wanted, and answer its address."""
        settings = self.settings.public
        if not settings.enabled:
            yield None
            return
        tls = self._public_tls() if settings.certificate else None
        refused = partial(self.metrics.count, "public_refused")
        async with listening("public", build_public_application(self), settings, refused, tls=tls) as port:
            yield url_of("https" if tls else "http", settings.host, port)

    def _public_tls(self) -> ssl.SSLContext:
        """With the certificate that the settings name, which browsers know."""
        settings, context = self.settings.public, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        certificate, key = self.folder.path / settings.certificate, self.folder.path / settings.key
        try:
            context.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"[public] certificate {certificate} with key {key} cannot be used: {error}; name a certificate chain "
                "and its key, both in PEM"
            ) from error
        return context

    async def _open_radio(self) -> str | None:
        """Open the gateway port where this node owns a network, and answer its address."""
        settings = self.settings.radio
        if not settings.enabled:
            return None
        with opening("radio", settings.host, settings.port):
            return url_of("udp", *await self.radio.open())

    async def _read_ahead(self) -> None:
        try:
            await self.core.database.read_ahead(read_ahead)
        except Exception as error:  # only slower without it; whoever asks for what is broken is told
            log.warning("read_ahead_failed", error=repr(error))

    async def _tell_peers(self) -> None:
        notices = Notices(self.core, self.hub)
        while True:
            await self.peering.settle()
            await notices.tell_next()

    async def _hang_up(self) -> None:
        """End at once the connections of nodes that their organisation ended; what does not answer is let go."""
        while True:
            node = await self.counting.ended.get()
            with suppress(TimeoutError):
                async with asyncio.timeout(HANG_UP_S):
                    await self.hub.close({node})
            self.sync.peer_changed(node)

    def _tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        # The library reads keys from files only: this one is in memory, so that a killed node leaves none behind.
        descriptor = os.memfd_create("tls")
        try:
            os.write(descriptor, self.core.keystore.tls_key)
            context.load_cert_chain(self.folder.certificate, f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
        return context


async def _outlasting(run: Callable[[], Awaitable[None]]) -> None:
    """Run a part of the node; where the store went away under it, begin it again until that answers."""
    while True:
        try:
            return await run()
        except* StoreAwayError as group:
            log.warning("store_away", part=run.__qualname__, error=str(group))
        await asyncio.sleep(AGAIN_S)
