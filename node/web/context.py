"""What the doors work with: the node's services and settings, handed to one application object."""

from dataclasses import dataclass

from aiohttp import web

from node.config import Settings
from node.metrics import Metrics
from node.ports import Clock, Random
from node.services.access import Access, Answers, Tokens
from node.services.acts import Acts
from node.services.analytics import Analytics
from node.services.arshin import ArshinFiles
from node.services.assembly import Assembly
from node.services.attesting import Attesting
from node.services.backups import Backups
from node.services.bench import Bench
from node.services.bench_folder import BenchFolder
from node.services.bundles import Bundles
from node.services.bus import EventBus
from node.services.catalogs import Catalogs
from node.services.checkup import Checkup
from node.services.commerceml import CommerceItems
from node.services.commissioning import Commissioning
from node.services.conflicts import Conflicts
from node.services.core import Core
from node.services.corrections import Corrections
from node.services.correspondents import Correspondents
from node.services.deliveries import Deliveries
from node.services.dossiers import Archive
from node.services.entry import Entry
from node.services.exchange_1c import Exchange1C
from node.services.export import Export
from node.services.files import Files
from node.services.fleet import Fleet
from node.services.flows import Flows
from node.services.following import Following
from node.services.forms import Forms
from node.services.grants import Grants
from node.services.health import Health
from node.services.identities import Identities
from node.services.imported import Imported
from node.services.jobs import Jobs
from node.services.journal import Journal
from node.services.keys import Keys
from node.services.ledger import Ledger
from node.services.limits import Limits
from node.services.line import Line
from node.services.lookup import Lookup
from node.services.mandates import Mandates
from node.services.members import Members
from node.services.membership import Membership
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
from node.services.register_reading import RegisterReading
from node.services.registry import Registry
from node.services.releases import Releases
from node.services.returning import Returning
from node.services.runs import Runs
from node.services.shipments import Shipments
from node.services.step_forms import StepForms
from node.services.templates import Templates
from node.services.timelines import Timelines
from node.services.types import Types
from node.services.undo import Undo
from node.services.verifying import Verifying
from node.services.visibility import Visibility
from node.services.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class WebContext:
    """The services behind the API and the console. A new service is a new field here and a line where it is wired."""

    core: Core
    metrics: Metrics
    access: Access
    tokens: Tokens
    correspondents: Correspondents
    answers: Answers
    journal: Journal
    limits: Limits
    webhooks: Webhooks
    deliveries: Deliveries
    ledger: Ledger
    projection: Projection
    membership: Membership
    attesting: Attesting
    members: Members
    following: Following
    peering: Peering
    keys: Keys
    organisations: Organisations
    registry: Registry
    ready: ReadyPassports
    identities: Identities
    assembly: Assembly
    corrections: Corrections
    timelines: Timelines
    conflicts: Conflicts
    catalogs: Catalogs
    export: Export
    passport_files: PassportFiles
    releases: Releases
    own_codes: OwnCodes
    entry: Entry
    types: Types
    checkup: Checkup
    shipments: Shipments
    mandates: Mandates
    grants: Grants
    profiles: Profiles
    visibility: Visibility
    lookup: Lookup
    recognition: Recognition
    archive: Archive
    jobs: Jobs
    production: Production
    fleet: Fleet
    undo: Undo
    templates: Templates
    protocols: Protocols
    acts: Acts
    forms: Forms
    step_forms: StepForms
    imported: Imported
    files: Files
    bench: Bench
    procedures: ProcedureBook
    runs: Runs
    bench_folder: BenchFolder
    analytics: Analytics
    arshin: ArshinFiles
    verifying: Verifying
    register: RegisterReading
    exchange_1c: Exchange1C
    commerceml: CommerceItems
    line: Line
    readings: Readings
    commissioning: Commissioning
    radio: Radio
    backups: Backups
    bundles: Bundles
    returning: Returning
    health: Health
    flows: Flows

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


CONTEXT = web.AppKey("context", WebContext)
