"""What a node is made of: every service of it, wired once, for its ports, its doors and its commands alike."""

from functools import partial

from drivers.registry import load_registry
from drivers.script.driver import script_driver
from drivers.script.pool import ScriptPool
from federation.net.carrier import HttpsCarrier
from federation.net.desk import Desk, Signer
from federation.net.live import Hub
from federation.ports import Answer, Carrier, Question
from federation.sync.allowance import Allowance, Budget
from lora.memory import MemoryDirectory
from node.config import Settings
from node.metrics import Metrics
from node.passport.catalogs import Catalog
from node.ports import Clock, Random
from node.services.access import Access, Answers, Tokens
from node.services.access_requests import AccessRequests
from node.services.acknowledging import Acknowledging
from node.services.acts import Acts
from node.services.admission import Admission
from node.services.analytics import Analytics
from node.services.announcing import Announcing
from node.services.arshin import ArshinFiles
from node.services.assembly import Assembly
from node.services.attesting import Attesting
from node.services.backlog import Backlog
from node.services.backups import Backups
from node.services.bench import Bench
from node.services.bench_folder import BenchFolder
from node.services.box_claims import BoxClaims
from node.services.boxes import Boxes
from node.services.bridges import Bridges
from node.services.bundles import Bundles
from node.services.bus import EventBus
from node.services.cases import Cases
from node.services.catalogs import Catalogs
from node.services.catching_up import CatchingUp
from node.services.checkup import Checkup
from node.services.closings import Closings
from node.services.commerceml import CommerceItems
from node.services.commissioning import Commissioning
from node.services.configuration import Configuration
from node.services.conflicts import Conflicts
from node.services.core import Core
from node.services.corrections import Corrections
from node.services.correspondents import Correspondents
from node.services.counting import Counting
from node.services.courier import Courier
from node.services.decoding import Decoder
from node.services.deliveries import Deliveries
from node.services.dossiers import Archive
from node.services.driver_book import DriverBook
from node.services.driver_folder import with_folder
from node.services.driver_use import DriverUse
from node.services.drivers import Drivers
from node.services.elsewhere import Elsewhere
from node.services.entry import Entry
from node.services.erasures import Erasures
from node.services.exchange_1c import Exchange1C
from node.services.export import Export
from node.services.files import Files
from node.services.first_restore import FirstRestore
from node.services.fleet import Fleet
from node.services.flows import Flows, Sources
from node.services.forms import Forms
from node.services.fsck import Fsck
from node.services.grants import Grants
from node.services.handovers import HandOvers
from node.services.health import Health
from node.services.hearing import Hearing
from node.services.identities import Identities
from node.services.imported import Imported
from node.services.ingest import Ingest
from node.services.jobs import Jobs
from node.services.journal import Journal
from node.services.keys import Keys
from node.services.labels import Labels
from node.services.ledger import Ledger
from node.services.limits import Limits
from node.services.line import Line
from node.services.lookup import Lookup
from node.services.lookup_notes import LookupNotes
from node.services.mandates import Mandates
from node.services.mapping import Mappings
from node.services.members import Members
from node.services.membership import Membership
from node.services.meters import Meters
from node.services.model import Model
from node.services.organisations import Organisations
from node.services.own_codes import OwnCodes
from node.services.packing import PackingLists
from node.services.passport_files import PassportFiles
from node.services.peering import Peering
from node.services.pointing import Asked
from node.services.procedures import ProcedureBook
from node.services.production import Production
from node.services.profiles import Profiles
from node.services.projection import Projection
from node.services.protocols import Protocols
from node.services.public import PublicPassports
from node.services.radio import Radio
from node.services.readings import Readings
from node.services.ready import ReadyPassports
from node.services.recognition import Recognition
from node.services.redecoding import Redecoding
from node.services.referring import Referring
from node.services.refolding import Refolding
from node.services.register_client import RegisterClient
from node.services.register_reading import RegisterReading
from node.services.registry import Registry
from node.services.releases import Releases
from node.services.replaced_keys import ReplacedKeys
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


class Parts:
    """The services over one store. A new one is a line here, and every door has it."""

    def __init__(self, core: Core, carrier: Carrier | None = None) -> None:
        """Without a carrier peers are asked over https."""
        self.core = core
        self.metrics, self.journal, self.limits = Metrics(), Journal(core), Limits(core)
        self._wire_log()
        self._wire_federation(carrier)
        self._wire_passports()
        self._wire_catalogs()
        self._wire_production()
        self._wire_forms()
        self._wire_exchange()
        self._wire_radio()
        self._wire_sight()
        self._wire_care()

    @property
    def settings(self) -> Settings:
        """The settings of the node."""
        return self.core.settings

    @property
    def clock(self) -> Clock:
        """The time of the node."""
        return self.core.clock

    @property
    def random(self) -> Random:
        """The randomness of the node."""
        return self.core.random

    @property
    def bus(self) -> EventBus:
        """Tells of new journal rows."""
        return self.core.bus

    @property
    def secret(self) -> bytes:
        """The key under which this node's cursors are checked."""
        return self.core.keystore.web_secret

    @property
    def allowance(self) -> Allowance:
        """What peers and strangers may ask for."""
        return Allowance(**self.settings.federation.limits.model_dump())

    def _wire_log(self) -> None:
        self.projection = Projection(self.core)
        self.replaced_keys = ReplacedKeys(self.core, self.projection)
        self.ledger = Ledger(self.core, self.replaced_keys.take)
        self.counting = Counting(self.core, self.projection.recount)
        self.ingest = Ingest(self.core, self.replaced_keys.take, self.counting)
        self.erasures, self.acknowledging = Erasures(self.core, self.ledger), Acknowledging(self.core, self.ledger)
        self.jobs, self.search = Jobs(self.core), Search()

    def _wire_federation(self, carrier: Carrier | None) -> None:
        keystore, budget = self.core.keystore, Budget(self.settings.federation.limits.in_hand)
        self.hub = Hub(keystore.node, self._answer, budget)
        self.sync = Sync(self.core, self.ingest, carrier or HttpsCarrier(budget), self.hub)
        self.following = self.sync.following
        self.attesting = Attesting(self.core, self.ledger, self.projection)
        self.membership = Membership(self.core, self.ledger, self.ingest, self.sync, self.projection, self.attesting)
        self.peering, admission = Peering(self.core, self.projection, self.sync), Admission(self.core, self.projection)
        self.sync.on_level, self.sync.levelling.check_log = self.peering.meet_carded, admission.check_log
        self.members = Members(self.core, self.projection)
        self.organisations = Organisations(self.core, self.projection)
        self.keys = Keys(self.core, self.ingest, self.membership, self.peering)
        self.lookup_notes = LookupNotes(self.core)
        self.referring = Referring(self.core, self.projection, self.lookup_notes)
        self.announcing = Announcing(self.core, self.projection, self.sync, self.metrics)
        self.announcing.on_seats = self.referring.sweep
        self.access_requests = AccessRequests(self.core, self.projection, self.search, self.sync)
        self.shipments = Shipments(self.core, self.ledger, self.projection)
        self.boxes = Boxes(self.core, self.search, self.shipments, self.metrics)
        asked = Asked(self.referring, self.access_requests, self.boxes)
        self.shelf = FederationShelf(self.core, self.ledger, self.membership, self.search, admission, asked)
        signer = Signer(keystore.org, keystore.node, keystore.sign)
        self.desk = Desk(self.shelf, signer, self.clock, self.metrics, self.allowance, budget)
        self.bundles = Bundles(self.core, self.shelf, self.sync)

    def _wire_passports(self) -> None:
        self.registry = Registry(self.core, self.ledger, self.projection, self.ingest, self.sync)
        self.ready = ReadyPassports(self.core, self.registry)
        self.cases = Cases(self.core, self.projection)
        self.identities = Identities(self.core, self.ledger, self.projection)
        self.elsewhere = Elsewhere(
            self.core, self.projection, self.sync, self.announcing, self.lookup_notes, self.metrics
        )
        self.lookup = Lookup(self.core, self.search, self.projection, self.elsewhere)
        self.recognition = Recognition(self.projection, self.identities, self.lookup)
        self.box_claims = BoxClaims(self.core, self.search, self.projection, self.elsewhere, self.sync)
        self.assembly = Assembly(self.core, self.ledger, self.search)
        self.packing_lists = PackingLists(self.core, self.projection)
        self.mandates = Mandates(self.core, self.ledger, self.projection)
        self.handovers = HandOvers(self.core, self.ledger, self.mandates, self.cases)
        self.timelines, self.conflicts = Timelines(self.core, self.projection), Conflicts(self.core)
        self.analytics = Analytics(self.core, self.projection)
        self.checkup = Checkup(self.core, self.projection)
        self.undo = Undo(self.core, self.ledger, self.jobs)

    def _wire_catalogs(self) -> None:
        self.releases = Releases(self.core, self.ledger, self.projection)
        self.own_codes = OwnCodes(self.core, self.ledger, self.projection, self.releases)
        self.entry = Entry(self.core, self.projection, self.releases)
        self.catalogs = Catalogs(self.core, self.ledger, self.projection, self.releases)
        self.types = Types(self.core, self.ledger, self.projection, self.releases)
        self.corrections = Corrections(self.core, self.ledger, self.entry)

    def _wire_production(self) -> None:
        self.production = Production(self.core, self.ledger, self.projection, self.jobs, self.entry)
        self.fleet = Fleet(self.core, self.ledger, self.projection, self.jobs)
        self.imported = Imported(self.core, self.jobs)
        self.templates = Templates(self.core, self.ledger, self.projection, self.sync, self.ingest)
        self.protocols = Protocols(self.core, self.ledger, self.projection, self.search, self.templates, self.entry)
        self.procedures = ProcedureBook(self.core, self.ledger, self.projection, self.releases)
        steps = Steps(self.core, self.projection, self.registry, self.assembly, self.protocols)
        self.runs = Runs(self.core, self.ledger, self.procedures, steps)
        self.line = Line(self.core, self.runs, steps, self.recognition, self.journal)
        self.configuration = Configuration(
            self.core, self.ledger, self.projection, self.registry, self.runs, self.entry, self.replaced_keys
        )

    def _wire_forms(self) -> None:
        self.acts = Acts(self.core, self.ledger, self.projection, self.protocols)
        self.forms = Forms(self.core, self.templates, self.protocols)
        self.step_forms = StepForms(self.core, self.templates, self.forms, self.runs)
        self.files = Files(self.core, self.sync)
        self.bench = Bench(
            self.core, self.ledger, self.projection, self.jobs, self.templates, self.protocols, self.runs
        )
        self.bench_folder = BenchFolder(self.core, self.bench, self.jobs)
        self.verifying = Verifying(self.core, self.ledger, self.jobs, self.templates, self.protocols, self.runs)

    def _wire_exchange(self) -> None:
        self.access, self.tokens, self.answers = Access(self.core), Tokens(self.core), Answers(self.core)
        self.correspondents = Correspondents(self.core, self.tokens)
        courier = Courier(self.settings.webhooks, self.clock)
        self.webhooks = Webhooks(self.core, courier, self.limits)
        self.deliveries = Deliveries(self.core, courier, self.metrics)
        self.arshin = ArshinFiles(self.core, self.ledger, self.protocols)
        self.register = RegisterReading(self.core, self.ledger, self.projection, self.jobs, RegisterClient(self.core))
        self.commerceml = CommerceItems(self.core, self.ledger, self.jobs, self.own_codes)
        self.exchange_1c = Exchange1C(self.core, self.ledger, self.projection, self.own_codes)

    def _wire_radio(self) -> None:
        directory = MemoryDirectory()
        self.sandbox = ScriptPool()
        scripts = partial(script_driver, pool=self.sandbox)
        registry = with_folder(load_registry(), self.core.folder.drivers, scripts)
        self.drivers = Drivers(registry, self.core.database)
        self.drivers.keep = self.sandbox.keep
        self.driver_book = DriverBook(self.core, self.ledger, self.projection, self.drivers, scripts)
        self.model = Model(self.core.database, lambda: self.drivers.installed)
        self.readings = Readings(self.core.database, partial(self.releases.records, Catalog.PARAMETERS), self.model)
        self.mappings = Mappings(self.core, self.drivers, self.releases, self.model)
        decoder = Decoder(self.drivers, self.clock)
        decoder.on_faults = self.driver_book.suspect
        self.bridges = Bridges(self.core, self.ledger, decoder)
        self.commissioning = Commissioning(
            self.core, self.ledger, self.projection, self.readings, decoder, self.bridges, directory
        )
        self.driver_use = DriverUse(self.core.database, decoder)
        self.meters = Meters(self.core, self.releases, self.model, decoder, self.drivers)
        self.redecoding = Redecoding(self.core, self.jobs, self.drivers, decoder, self.commissioning, self.readings)
        self.closings = Closings(self.core, self.ledger, self.registry, self.jobs)
        self.radio = Radio(
            self.core, self.metrics, self.commissioning, Hearing(self.core.database, decoder, self.readings), directory
        )
        self.archive = Archive(self.core, self.search, self.readings)

    def _wire_sight(self) -> None:
        self.profiles = Profiles(self.core, self.ledger, self.projection)
        self.grants = Grants(self.core, self.ledger, self.projection, self.profiles, self.cases)
        self.visibility = Visibility(self.core, self.cases, self.sync)
        self.public = PublicPassports(
            self.core, self.projection, self.membership, self.cases, self.identities, self.profiles
        )
        self.labels = Labels(self.core, self.public, self.lookup, self.imported, self.shipments)
        self.export, self.passport_files = Export(self.core), PassportFiles(self.core, self.cases, self.projection)

    def _wire_care(self) -> None:
        self.fsck, self.refolding = Fsck(self.core), Refolding(self.core, self.projection, self.jobs)
        self.backlog = Backlog(self.core, self.projection, self.jobs)
        self.backups, self.returning = Backups(self.core, self.jobs), Returning(self.core, self.sync)
        self.catching_up = CatchingUp(self.core, self.projection, self.sync, self.counting)
        self.bundles.on_taken = self.catching_up.take_bundle
        self.first_restore = FirstRestore(self.core, self.access)
        self.health = Health(self.core, self.sync, self.backups)
        sources = Sources(
            self.peering,
            self.correspondents,
            self.deliveries,
            self.bench_folder,
            self.arshin,
            self.register,
            self.radio,
        )
        self.flows = Flows(self.core, self.projection, sources)

    async def _answer(self, question: Question) -> Answer:
        """What a peer asks on a live connection."""
        return await self.desk.answer(question)
