"""Nodes over real stores, with a federation, an attested maker and lab, devices and documents."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from federation.authority import Attestation, Attested
from federation.checkpoint import verify_checkpoint
from federation.fragment import Fragment
from federation.genesis import Genesis
from federation.net.carrier import HttpsCarrier
from federation.net.live import Hub
from federation.ports import Answer, Question
from federation.sync.messages import Part
from federation.sync.mirror import Mirror, Verified
from node.config import load_settings, template_config
from node.demo.files import MARK, PRODUCTS, DemoFiles, make_line
from node.folder import NodeFolder
from node.keystore import open_keystore
from node.passport import drafts
from node.passport.bodies import AliasBody, CatalogReference, Plate
from node.passport.ids import SubjectId, format_device_id
from node.passport.strict_json import format_json
from node.passport.templates.template import parse_document
from node.passport.view import View
from node.services.acts import Acts
from node.services.arshin import ArshinFiles
from node.services.assembly import Assembly
from node.services.bench import Bench
from node.services.bus import EventBus
from node.services.core import Core
from node.services.counting import Counting
from node.services.entry import Entry
from node.services.found import found_node
from node.services.ingest import Ingest, Mirrored
from node.services.jobs import Job, Jobs
from node.services.ledger import Ledger
from node.services.procedures import ProcedureBook
from node.services.production import Production
from node.services.projection import Projection
from node.services.protocols import Protocols
from node.services.registry import Registry
from node.services.releases import Releases
from node.services.runs import Runs
from node.services.search import Search
from node.services.steps import Steps
from node.services.sync import Sync
from node.services.templates import Templates
from node.store.database import Database
from node.store.finding import count_cards
from node.store.fragments import entries_between
from node.store.genesis import FEDERATION
from node.store.journal import last_journal_id
from node.store.logs import get_log
from node.store.organisations import find_sign_key, read_statements
from node.store.passports import find_passport
from node.store.settings import set_setting
from node.store.trees import read_range
from tests.builders import id16
from tests.fakes import FakeClock, FakeRandom

EXAMPLES = Path(__file__).parents[3] / "examples"
NOW = 1_780_000_000_000_000  # 2026-05-28
LINE = id16("protocols/line").hex()
DESIGNATION, APPROVAL = "ВС-15Д", "999902-00"


@dataclass
class Desk:
    """One node's services over its store."""

    core: Core
    projection: Projection
    ledger: Ledger
    ingest: Ingest
    jobs: Jobs
    templates: Templates
    protocols: Protocols
    acts: Acts
    production: Production
    bench: Bench
    arshin: ArshinFiles
    procedures: ProcedureBook
    runs: Runs
    counting: Counting

    @property
    def org(self) -> bytes:
        """The organisation."""
        return self.core.org

    async def view(self, subject: bytes) -> View:
        """The passport as it is folded here."""
        async with self.core.database.read() as tx:
            passport = await find_passport(tx, subject)
        assert passport is not None
        return passport.content

    async def count(self) -> int:
        """How many passports there are."""
        async with self.core.database.read() as tx:
            return (await count_cards(tx)).total

    async def state(self) -> tuple[int, int]:
        """The size of the log and the newest journal row: whatever is written moves one of them."""
        async with self.core.database.read() as tx:
            return (await get_log(tx, self.ledger.log.log)).size, await last_journal_id(tx)

    async def device(self, serial: str, alias: str | None = None) -> bytes:
        """State a plate of the line, and an alias."""
        plate = Plate(mark=MARK, designation=DESIGNATION, serial=serial, year="2025", approvals=(APPROVAL,))
        log, now = self.ledger.log.log, self.core.clock.now()
        claim = self.projection.world.lines.claim_for(plate, log=log, randomness=self.core.random.bytes(16))
        subject = claim.subject.raw
        said = [drafts.identity(subject, claim.encode(), plate, now)]
        if alias is not None:
            said.append(drafts.alias(subject, AliasBody(scheme="erp", value=alias, evidence="document"), now))
        await self.ledger.append(said)
        return subject

    async def finish(self, job_id: str) -> Job:
        """Run jobs until that one ends."""
        with self.core.bus.listen() as news:
            running = asyncio.create_task(self.jobs.run())
            try:
                while (job := await self.jobs.get(job_id)).state in ("waiting", "running"):
                    await news.get()
            finally:
                await ended(running)
        return job


async def ended(task: asyncio.Task[object]) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def new_sync(core: Core, ingest: Ingest) -> Sync:
    """What talks to peers over https; whoever connects is refused."""
    return Sync(core, ingest, HttpsCarrier(), Hub(core.node, _refuse))


async def _refuse(_question: Question) -> Answer:
    return Answer(404, {})


async def found(folder: Path, name: str, seed: int) -> None:
    """Make a node in a folder."""
    config = template_config({"name": name, "kind": "maker", "place": f"цех {name}"}, 0, 0, None)
    await found_node(NodeFolder(folder), config, FakeClock(NOW), FakeRandom(seed))


@asynccontextmanager
async def opened(folder: Path, seed: int) -> AsyncIterator[Desk]:
    """New objects over the store of a folder; at the end nothing is finished or flushed, as when a process ends."""
    clock, random, place = FakeClock(NOW + seed * 1_000_000_000), FakeRandom(seed), NodeFolder(folder)
    database = Database.of_node(place, load_settings(folder).store, clock)
    core = Core(load_settings(folder), place, clock, random, open_keystore(place, random), database, EventBus())
    projection = Projection(core)
    ledger, jobs = Ledger(core, projection.take), Jobs(core)
    counting = Counting(core, projection.recount)
    projection.attested = counting.take_attested
    counting.branches = lambda: projection.world.attestations.branches
    ingest = Ingest(core, projection.take, counting)
    templates = Templates(core, ledger, projection, new_sync(core, ingest), ingest)
    releases = Releases(core, ledger, projection)
    entry = Entry(core, projection, releases)
    search = Search()
    protocols = Protocols(core, ledger, projection, search, templates, entry)
    registry = Registry(core, ledger, projection, ingest, new_sync(core, ingest))
    book = ProcedureBook(core, ledger, projection, releases)
    steps = Steps(core, projection, registry, Assembly(core, ledger, search), protocols)
    runs = Runs(core, ledger, book, steps)
    desk = Desk(
        core,
        projection,
        ledger,
        ingest,
        jobs,
        templates,
        protocols,
        Acts(core, ledger, projection, protocols),
        Production(core, ledger, projection, jobs, entry),
        Bench(core, ledger, projection, jobs, templates, protocols, runs),
        ArshinFiles(core, ledger, protocols),
        book,
        runs,
        counting,
    )
    try:
        await ledger.open()
        await projection.open()
        writer = asyncio.create_task(ledger.run())
        try:
            yield desk
        finally:
            await ended(writer)
    finally:
        projection.close()
        await database.close()


@asynccontextmanager
async def new_desk(folder: Path, name: str = "Демо", seed: int = 1) -> AsyncIterator[Desk]:
    """A node that is its own federation's anchor, an attested maker with a line and an accredited lab."""
    await found(folder, name, seed)
    async with opened(folder, seed) as desk:
        await attest(desk, desk.org)
        await publish_line(desk)
        yield desk


async def attest(desk: Desk, *orgs: bytes, genesis: Genesis | None = None) -> Genesis:
    """Found a federation with the desk as its only anchor, and attest makers and labs."""
    if genesis is None:
        genesis = Genesis("Демо", (desk.org,), 1)
        await join(desk, genesis)
    said = [
        drafts.attestation(Attestation(genesis.id, what, org, rows), NOW)
        for org in orgs
        for what, rows in ((Attested.MAKER, ()), (Attested.ACCREDITATION, ("RA.RU.000000",)))
    ]
    await desk.ledger.append(said)
    return genesis


async def join(desk: Desk, genesis: Genesis) -> None:
    """Take a federation as one's own."""
    async with desk.core.database.write() as tx:
        await set_setting(tx, FEDERATION, genesis.to_bytes())


async def publish_line(desk: Desk) -> None:
    """Publish the line of the devices."""
    line = replace(PRODUCTS[0], designation=DESIGNATION, execution="ВС-15Д-80-Р868", approval=APPROVAL)
    record = make_line(line, LINE, desk.org.hex())
    await desk.ledger.append([drafts.catalog(desk.org, "line", record.to_bytes(), NOW)])


async def publish_products(desk: Desk, files: DemoFiles) -> None:
    """Publish the lines and the first dual references of the demo's maker."""
    lines = [make_line(product, id16(product.local).hex(), desk.org.hex()) for product in PRODUCTS]
    said = [drafts.catalog(desk.org, "line", line.to_bytes(), NOW) for line in lines]
    for local, central in files.references:
        body = CatalogReference(catalog="types", local=local, central=central)
        said.append(drafts.reference(desk.org, body, NOW))
    await desk.ledger.append(said)


async def mirror(source: Desk, target: Desk, hidden: Sequence[str] = ()) -> None:
    """Everything that the source said, without the sections of some names, verified and stored by the target."""
    await source.ledger.publish()
    async with source.core.database.read() as tx:
        chain = (await read_statements(tx, source.org))[source.org]
        log = await get_log(tx, source.ledger.log.log)
        entries = await entries_between(tx, log.no, 0, log.size)
    await target.ingest.take_chain(chain)
    held = await target.ingest.take_log(log.statement)
    assert held is not None
    assert log.note is not None
    async with target.core.database.read() as tx:
        sign_key = await find_sign_key(tx, held)
        leaves = await read_range(tx, held.no, held.size)
    assert sign_key is not None
    if log.size == held.size:
        return
    session = Mirror(log.log, sign_key, leaves, verify_checkpoint(log.note, log.log, sign_key))
    span = session.span
    rows = tuple(_without(entries[seq].to_fragment(), hidden) for seq in range(span.start, span.end))
    step = session.receive(Part(log.log, span.start, rows))
    assert isinstance(step, Verified)
    await target.ingest.take_parts([Mirrored(held, step, log.note)])


def template(name: str, **changes: str) -> bytes:
    """A template of the examples; changes replace texts in it."""
    raw = (EXAMPLES / "templates" / f"{name}.schema.json").read_text()
    for old, new in changes.items():
        raw = raw.replace(f'"{old}"', f'"{new}"')
    return raw.encode()


def verification(subject: bytes | str, serial: str, number: int = 1, **changes: Any) -> bytes:
    """A good verification of a device, in other words where changes say so."""
    return document("verification", subject, serial, {"protocol_no": f"ПП-26-{number:06d}", **changes})


def document(name: str, subject: bytes | str, serial: str, changes: Mapping[str, Any]) -> bytes:
    """A good example of a template, about that device; a change to None takes a place away."""
    found = parse_document((EXAMPLES / "protocols" / f"{name}.ok.json").read_bytes())
    assert isinstance(found, dict)
    filled: dict[str, Any] = deepcopy(found) | dict(changes)
    gid = subject if isinstance(subject, str) else format_device_id(SubjectId(subject))
    filled["device"] = {**filled["device"], "gid": gid, "serial": serial}
    return format_json({key: value for key, value in filled.items() if value is not None})


def _without(fragment: Fragment, hidden: Sequence[str]) -> Fragment:
    return replace(fragment, sections=tuple(part for part in fragment.sections if part.name not in hidden))
