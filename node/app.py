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

from drivers.registry import load_registry
from federation.net.carrier import HttpsCarrier
from federation.net.desk import Desk, Signer
from federation.net.gate import Gate
from federation.net.live import Hub
from federation.net.server import FederationServer
from federation.ports import Answer, Carrier, Question
from federation.sync.allowance import Allowance, Budget
from lora.memory import MemoryDirectory
from node.collecting import settle_collector
from node.config import load_settings
from node.doors import LONGEST_LINE, listening, opening, url_of
from node.errors import FolderError, StoreAwayError
from node.folder import NodeFolder
from node.keystore import NOBODY, Keystore, open_keystore
from node.metrics import Metrics
from node.passport.catalogs import Catalog
from node.ports import Clock, Random
from node.services.access import Access, Answers, Tokens
from node.services.acts import Acts
from node.services.admission import Admission
from node.services.analytics import Analytics
from node.services.arshin import ArshinFiles
from node.services.assembly import Assembly
from node.services.attesting import Attesting
from node.services.backups import Backups
from node.services.bench import Bench
from node.services.bench_folder import BenchFolder
from node.services.bundles import Bundles
from node.services.bus import EventBus
from node.services.cases import Cases
from node.services.catalogs import Catalogs
from node.services.checkup import Checkup
from node.services.commerceml import CommerceItems
from node.services.commissioning import Commissioning
from node.services.conflicts import Conflicts
from node.services.core import Core
from node.services.corrections import Corrections
from node.services.correspondents import Correspondents
from node.services.counting import Counting
from node.services.courier import Courier
from node.services.deliveries import Deliveries
from node.services.dossiers import Archive
from node.services.entry import Entry
from node.services.exchange_1c import Exchange1C
from node.services.export import Export
from node.services.files import Files
from node.services.fleet import Fleet
from node.services.flows import Flows, Sources
from node.services.forms import Forms
from node.services.fsck import Fsck
from node.services.grants import Grants
from node.services.healing import Healing
from node.services.health import Health
from node.services.identities import Identities
from node.services.imported import Imported
from node.services.ingest import Ingest
from node.services.jobs import Jobs
from node.services.journal import Journal
from node.services.keys import Keys
from node.services.ledger import Ledger
from node.services.limits import Limits
from node.services.line import Line
from node.services.lookup import Lookup
from node.services.losses import Losses
from node.services.mandates import Mandates
from node.services.members import Members
from node.services.membership import Membership
from node.services.neighbourhood import Neighbourhood
from node.services.notices import Notices
from node.services.organisations import Organisations
from node.services.own_codes import OwnCodes
from node.services.passport_files import PassportFiles
from node.services.peering import Peering
from node.services.procedures import ProcedureBook
from node.services.production import Production
from node.services.profiles import Profiles
from node.services.projection import Projection
from node.services.protocols import Protocols
from node.services.radio import Radio
from node.services.readings import Readings
from node.services.ready import ReadyPassports
from node.services.recognition import Recognition
from node.services.refolding import Refolding
from node.services.register_client import RegisterClient
from node.services.register_reading import RegisterReading
from node.services.registry import Registry
from node.services.releases import Releases
from node.services.returning import Returning
from node.services.runs import Runs
from node.services.search import Search
from node.services.shelf import FederationShelf
from node.services.shipments import Shipments
from node.services.step_forms import StepForms
from node.services.steps import Steps
from node.services.sync import Sync
from node.services.templates import Templates
from node.services.timelines import Timelines
from node.services.types import Types
from node.services.undo import Undo
from node.services.verifying import Verifying
from node.services.visibility import Visibility
from node.services.webhooks import Webhooks
from node.store.database import Database
from node.store.finding import read_ahead
from node.store.migrate import upgrade
from node.web.context import WebContext
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

    def as_dict(self) -> dict[str, str | None]:
        """For those who started the process."""
        return {"federation": self.federation, "console": self.console, "claim": self.claim, "radio": self.radio}


class Node:
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
        self.folder = NodeFolder(folder)
        self.settings = load_settings(folder)
        database = database or Database.of_node(self.folder, self.settings.store, clock)
        keystore = open_keystore(self.folder, random)
        if keystore.org == NOBODY:
            raise FolderError(
                f"the node in {folder} waits for its organisation: have its request stated with `passport-node keys "
                f"state-node`, then take the answer with `passport-node keys take ANSWER -f {folder}`",
                "node_waits",
            )
        self.core = Core(self.settings, self.folder, clock, random, keystore, database, EventBus())
        self.metrics = Metrics()
        self.projection = Projection(self.core)
        self.ledger = Ledger(self.core, self.projection.take)
        self.counting = Counting(self.core, self.projection.recount)
        self.ingest = Ingest(self.core, self.projection.take, self.counting)
        budget = Budget(self.settings.federation.limits.in_hand)
        self.hub = Hub(keystore.node, self._answer, budget)
        self.sync = Sync(self.core, self.ingest, carrier or HttpsCarrier(budget), self.hub)
        self.membership = Membership(
            self.core,
            self.ledger,
            self.ingest,
            self.sync,
            self.projection,
            Attesting(self.core, self.ledger, self.projection),
        )
        self.peering, admission = Peering(self.core, self.projection, self.sync), Admission(self.core, self.projection)
        self.sync.on_level, self.sync.levelling.check_log = self.peering.meet_carded, admission.check_log
        self.search, self.jobs = Search(), Jobs(self.core)
        self.identities = Identities(self.core, self.ledger, self.projection)
        self.lookup = Lookup(self.core, self.search, self.sync)
        self.recognition = Recognition(self.projection, self.identities, self.lookup)
        self.refolding = Refolding(self.core, self.projection, self.jobs)
        self.fsck, self.export = Fsck(self.core), Export(self.core)
        self.backups, self.returning = Backups(self.core, self.jobs), Returning(self.core, self.sync)
        self.registry = Registry(self.core, self.ledger, self.projection, self.ingest, self.sync)
        self.shipments, self.mandates = (
            Shipments(self.core, self.ledger),
            Mandates(self.core, self.ledger, self.projection),
        )
        self.releases = releases = Releases(self.core, self.ledger, self.projection)
        self.own_codes, self.entry = (
            OwnCodes(self.core, self.ledger, self.projection, releases),
            Entry(self.core, self.projection, releases),
        )
        self.production = Production(self.core, self.ledger, self.projection, self.jobs, self.entry)
        self.fleet = Fleet(self.core, self.ledger, self.projection, self.jobs)
        self.undo = Undo(self.core, self.ledger, self.jobs)
        self.templates = Templates(self.core, self.ledger, self.projection, self.sync, self.ingest)
        self.protocols = Protocols(self.core, self.ledger, self.projection, self.search, self.templates, self.entry)
        self.assembly = Assembly(self.core, self.ledger, self.search)
        self.procedures = ProcedureBook(self.core, self.ledger, self.projection, self.releases)
        steps = Steps(self.core, self.projection, self.registry, self.assembly, self.protocols)
        self.runs = Runs(self.core, self.ledger, self.procedures, steps)
        self.journal = Journal(self.core)
        self.line = Line(self.core, self.runs, steps, self.recognition, self.journal)
        self.acts = Acts(self.core, self.ledger, self.projection, self.protocols)
        self.forms = Forms(self.core, self.templates, self.protocols)
        self.step_forms = StepForms(self.core, self.templates, self.forms, self.runs)
        self.files = Files(self.core, self.sync)
        self.bench = Bench(
            self.core, self.ledger, self.projection, self.jobs, self.templates, self.protocols, self.runs
        )
        self.bench_folder = BenchFolder(self.core, self.bench, self.jobs)
        self.verifying = Verifying(self.core, self.ledger, self.jobs, self.templates, self.protocols, self.runs)
        self.commerceml = CommerceItems(self.core, self.ledger, self.jobs, self.own_codes)
        self.register = RegisterReading(self.core, self.ledger, self.projection, self.jobs, RegisterClient(self.core))
        self.access = Access(self.core)
        self.limits = Limits(self.core)
        courier = Courier(self.settings.webhooks, clock)
        self.webhooks, self.deliveries = (
            Webhooks(self.core, courier, self.limits),
            Deliveries(self.core, courier, self.metrics),
        )
        directory = MemoryDirectory()
        self.readings = Readings(database, partial(self.releases.records, Catalog.PARAMETERS))
        self.commissioning = Commissioning(self.core, self.ledger, self.readings, load_registry(), directory)
        self.radio = Radio(self.core, self.metrics, self.commissioning, directory)
        self.shelf = FederationShelf(self.core, self.ledger, self.membership, self.search, admission)
        self.desk = self._open_desk(keystore, budget)

    def _open_desk(self, keystore: Keystore, budget: Budget) -> Desk:
        signer = Signer(keystore.org, keystore.node, keystore.sign)
        return Desk(self.shelf, signer, self.core.clock, self.metrics, self._allowance(), budget)

    def _allowance(self) -> Allowance:
        return Allowance(**self.settings.federation.limits.model_dump())

    @property
    def keys(self) -> Keys:
        """The own organisation's root chain."""
        return Keys(self.core, self.ingest, self.membership, self.peering)

    async def run(self, started: Callable[[Addresses], None]) -> None:
        """Hold the folder, open the store and the ports, and serve until cancelled."""
        with self.folder.locked():
            try:
                await self._open_store()
                await self.open()
                settle_collector()
                await self._serve(started)
            finally:
                await self.close()

    async def visit(self, work: Callable[["Node"], Awaitable[T]]) -> T:
        """Do something with the store of a node that does not run: its ports stay closed, its log is not written."""
        with self.folder.locked():
            try:
                await self._open_store()
                await self._open_projection()
                return await work(self)
            finally:
                self.projection.close()
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
        self.counting.on_chain = self.sync.look_again
        await self._open_projection()
        await self.releases.open()

    async def _open_projection(self) -> None:
        self.projection.attested, self.projection.lost = self.counting.take_attested, Losses(self.counting).take
        self.counting.branches = lambda: self.projection.world.attestations.branches
        await self.projection.open()
        await self.counting.open()

    async def work(self, tasks: asyncio.TaskGroup) -> None:
        """Begin what a node does without a port of its own; where its peers reach it is told to `membership`."""
        tasks.create_task(self.ledger.run())
        await self.membership.publish_card()
        await self.peering.meet_own()
        tasks.create_task(self._tell_peers())
        tasks.create_task(self._hang_up())
        healing = Healing(self.core, self.ledger, self.counting)
        for part in (self.sync.run, self.jobs.run, self.releases.run, self.returning.run, healing.run):
            tasks.create_task(_outlasting(part))

    async def close(self) -> None:
        """Let go of what is held open."""
        self.projection.close()
        await self.sync.close()
        await self.core.database.close()

    def web_context(self) -> WebContext:
        """What the API and the console work with."""
        entry, tokens, cases = self.entry, Tokens(self.core), Cases(self.core, self.projection)
        profiles = Profiles(self.core, self.ledger, self.projection)
        correspondents, arshin = Correspondents(self.core, tokens), ArshinFiles(self.core, self.ledger, self.protocols)
        return WebContext(
            core=self.core,
            metrics=self.metrics,
            access=self.access,
            tokens=tokens,
            correspondents=correspondents,
            answers=Answers(self.core),
            journal=self.journal,
            limits=self.limits,
            webhooks=self.webhooks,
            deliveries=self.deliveries,
            ledger=self.ledger,
            projection=self.projection,
            membership=self.membership,
            attesting=self.membership.attesting,
            following=self.sync.following,
            peering=self.peering,
            members=Members(self.core, self.projection),
            keys=self.keys,
            organisations=Organisations(self.core, self.projection),
            registry=self.registry,
            ready=ReadyPassports(self.core, self.registry),
            assembly=self.assembly,
            corrections=Corrections(self.core, self.ledger, entry),
            conflicts=Conflicts(self.core),
            identities=self.identities,
            timelines=Timelines(self.core),
            export=self.export,
            passport_files=PassportFiles(self.core, cases),
            catalogs=Catalogs(self.core, self.ledger, self.projection, self.releases),
            releases=self.releases,
            own_codes=self.own_codes,
            entry=entry,
            types=Types(self.core, self.ledger, self.projection, self.releases),
            checkup=Checkup(self.core, self.projection),
            shipments=self.shipments,
            mandates=self.mandates,
            grants=Grants(self.core, self.ledger, self.projection, profiles, cases),
            profiles=profiles,
            visibility=Visibility(self.core, cases, self.sync),
            lookup=self.lookup,
            recognition=self.recognition,
            archive=Archive(self.core, self.search, self.readings),
            jobs=self.jobs,
            imported=Imported(self.core, self.jobs),
            production=self.production,
            fleet=self.fleet,
            undo=self.undo,
            templates=self.templates,
            protocols=self.protocols,
            acts=self.acts,
            forms=self.forms,
            step_forms=self.step_forms,
            files=self.files,
            bench=self.bench,
            procedures=self.procedures,
            runs=self.runs,
            bench_folder=self.bench_folder,
            analytics=Analytics(self.core, self.projection),
            arshin=arshin,
            verifying=self.verifying,
            register=self.register,
            commerceml=self.commerceml,
            exchange_1c=Exchange1C(self.core, self.ledger, self.projection, self.own_codes),
            line=self.line,
            readings=self.readings,
            commissioning=self.commissioning,
            radio=self.radio,
            backups=self.backups,
            bundles=Bundles(self.core, self.shelf, self.sync),
            returning=self.returning,
            health=Health(self.core, self.sync, self.backups),
            flows=Flows(
                self.core,
                self.projection,
                Sources(
                    self.peering,
                    correspondents,
                    self.deliveries,
                    self.bench_folder,
                    arshin,
                    self.register,
                    self.radio,
                ),
            ),
        )

    async def _serve(self, started: Callable[[Addresses], None]) -> None:
        settings, web_settings = self.settings.federation, self.settings.web
        console = build_application(self.web_context())
        unread = partial(self.metrics.count, "web_problems")
        radio = await self._open_radio()
        async with (
            self._open_to_peers() as self.membership.url,
            listening(
                "web", console, web_settings, unread, socket=self.folder.socket, longest_line=LONGEST_LINE
            ) as web_port,
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
                tasks.create_task(self.radio.run())
            address = url_of("http", web_settings.host, web_port)
            secret = await self.access.open_claim()
            started(Addresses(self.membership.url, address, f"{address}/claim/{secret}" if secret else None, radio))

    @asynccontextmanager
    async def _open_to_peers(self) -> AsyncIterator[str]:
        """Open the federation port and answer what others are told; nothing where this node only dials out."""
        settings = self.settings.federation
        if settings.dial_out_only:
            yield ""
            return
        gate = Gate(self._allowance(), self.metrics)
        application = FederationServer(self.desk, self.hub, self.metrics, gate).application()
        refused = partial(self.metrics.count, "federation_refused")
        async with listening("federation", application, settings, refused, tls=self._tls(), gate=gate) as port:
            yield settings.url or url_of("https", settings.host, port)

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

    async def _answer(self, question: Question) -> Answer:
        """What a peer asks on a live connection."""
        return await self.desk.answer(question)

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
