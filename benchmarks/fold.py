"""The fold of a long passport: 10,000 events of five organisations, out of a real store.

Against: what the same machine takes in the same run to read the JSON of the same sections with `json.loads` and to hash
those bytes, nothing else done. Times are those of the processor, all threads together.
"""

import asyncio
import gc
import hashlib
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from benchmarks.__main__ import Measure
from federation.authority import Attestation, Attested, Authority, Kind, Verb
from federation.codec import pack
from federation.fragment import Fragment, NewSection, Ref, SectionClass, decode_header, sign_fragment
from federation.genesis import Genesis
from federation.keys import BoxKey, SigningKey
from federation.log import LogStatement, sign_log_statement
from federation.statements import NodeBody, RootStatement, genesis, sign_root_statement
from node.clock import SystemClock, SystemRandom
from node.collecting import settle_collector
from node.config import load_settings
from node.folder import NodeFolder
from node.keystore import open_keystore
from node.passport import drafts
from node.passport.bodies import (
    AliasBody,
    EventBody,
    ExtractBody,
    ParameterRow,
    ParametersBody,
    Place,
    Plate,
    Reference,
    TemplateRef,
    TypeBody,
    Why,
)
from node.passport.claims import Claim, Scheme
from node.passport.drafts import Draft, DraftSection
from node.passport.fold import fold as view_fold
from node.passport.lines import Held, SerialLine
from node.passport.serials import SerialPattern
from node.passport.view import digest
from node.passport.world import PUBLICATION_KINDS, build_world
from node.services.bus import EventBus
from node.services.core import Core
from node.services.found import found_node
from node.services.projection import Projection
from node.services.statements import StatementReader
from node.store.database import Database
from node.store.fragments import CLEAR, NewEntry, StoredSection, insert_entries
from node.store.genesis import FEDERATION
from node.store.logs import StoredLog, insert_log
from node.store.organisations import insert_statements
from node.store.passports import find_passport
from node.store.settings import set_setting

EVENTS = 10_000
DAY_US, BEGIN_US = 86_400_000_000, 1_600_000_000_000_000
# What a meter lives with every day; what alters its state is rare.
DAILY = ("parameter_changed", "clock_corrected", "reading_replaced", "configured", "marked", "ОСМОТР", "ППР")
RARE = ("installed", "removed", "repaired", "verified", "admitted", "seal_broken")
LINE = hashlib.sha256(b"benchmark line").digest()[:16].hex()
CLAIM = Claim(Scheme.LINE, LINE, "0012345")
DEVICE = CLAIM.subject.raw


@dataclass
class Author:
    """An organisation with one log, whose entries are signed here."""

    name: str
    seed: random.Random
    entries: list[NewEntry] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make its root statements and its log."""
        root, node = (SigningKey.from_seed(self.seed.randbytes(32)) for _ in range(2))
        following = SigningKey.from_seed(self.seed.randbytes(32))
        first = genesis(root, following.public)
        place = self.seed.randbytes(16)
        second = sign_root_statement(root, NodeBody(place, node.public), first.org_id, 1, first.hash)
        witness, box = following, BoxKey.from_seed(self.seed.randbytes(32))
        self.chain: list[RootStatement] = [first, second]
        self.org, self.key = first.org_id, node
        self.statement: LogStatement = sign_log_statement(
            node, org=self.org, node=place, nonce=bytes(16), witness_key=witness.public, box_key=box.public
        )
        self.stored: StoredLog | None = None

    @property
    def log(self) -> bytes:
        """The log's id."""
        return self.statement.log_id

    def say(self, draft: Draft, occurred: int, refs: Sequence[Ref] = ()) -> Ref:
        """Sign a draft at the next place."""
        seq = len(self.entries)
        fragment, _ = sign_fragment(
            self.key,
            log=self.log,
            seq=seq,
            stamp=occurred + 60_000_000 + seq,
            kind=int(draft.kind),
            subjects=draft.subjects,
            occurred=occurred,
            refs=[*draft.refs, *refs],
            auth=draft.auth,
            sections=[NewSection(s.name, s.content, int(s.klass), self.seed.randbytes(16)) for s in draft.sections],
        )
        self.entries.append(entry_of(self.log, seq, fragment, draft.routes))
        return Ref(self.log, seq, fragment.id[:16])


def entry_of(log: bytes, seq: int, fragment: Fragment, routes: tuple[bytes, ...] = ()) -> NewEntry:
    """An entry as it is stored, its sections in clear."""
    rest = tuple(StoredSection(at, s.name, s.salt, s.data, CLEAR) for at, s in enumerate(fragment.sections))
    return NewEntry(seq, fragment, decode_header(fragment.header, log, seq), None, rest, routes)


@dataclass
class Story:
    """Who said what about the device, and the federation in which they said it."""

    authors: dict[str, Author]
    genesis: Genesis

    @property
    def bodies(self) -> list[bytes]:
        """The JSON of every section."""
        found = (s for a in self.authors.values() for e in a.entries for s in e.fragment.sections)
        return [s.data for s in found if s.data[:1] == b"{"]


def event(code: str, place: str, occurred: int, external: str | None = None, *, why: bool = False) -> Draft:
    """An event as a system of an organisation states it."""
    what = Reference(local=code) if code.isupper() else Reference(central=code)
    body = EventBody(
        what=what,
        where=Place(place=Reference(local=place)),
        system="АСКУЭ" if external else "console",
        external=external,
        why=Why(process="metering-service", step="inspection") if why else None,
        detail={"акт": f"{occurred // DAY_US}", "примечание": "по графику обслуживания"},
    )
    return drafts.event(DEVICE, body, occurred)


def tell(run: int, events: int = EVENTS) -> Story:
    """A device's life with that many events, other ones in each run."""
    seed = random.Random(run)
    story = found_federation(seed, ("anchor", "maker", "lab", "utility", "service", "stranger"))
    authors = story.authors
    maker, utility, service = authors["maker"], authors["utility"], authors["service"]
    plate = Plate(mark="КАРАТ", designation="СГВ-15", serial="№ 0012345", year="2019", approvals=("12345-19",))
    named = drafts.identity(DEVICE, CLAIM.encode(), plate, BEGIN_US, TypeBody(type=Reference(local="СГВ"), model="15"))
    maker.say(named, BEGIN_US)
    for who, role in ((utility, "settlement"), (service, "network")):
        naming = Authority(Verb.ROLE, who.org, (role,), (DEVICE,))
        section = DraftSection("authority", naming.to_bytes(), SectionClass.AUTHORITY)
        maker.say(Draft(Kind.GRANT, (DEVICE,), BEGIN_US, (section,)), BEGIN_US)
    utility.say(drafts.alias(DEVICE, AliasBody(scheme="inv", value="7-15", evidence="document"), BEGIN_US), BEGIN_US)
    said: list[Ref] = []
    busy = [utility, utility, utility, service, service, authors["lab"], authors["stranger"]]
    for n in range(events):
        author, at = seed.choice(busy), BEGIN_US + n * 15_000_000_000 + seed.randrange(3_600_000_000)
        place = f"ул. Ленина, {seed.randrange(40)}"
        if n % 100 == 7:
            _protocol(authors["lab"], at, fit=n % 200 == 7)
        elif n % 100 == 13:
            row = ParameterRow(code=Reference(central="dn"), value=str(seed.choice((15, 20))), since=None)
            author.say(drafts.parameters(DEVICE, ParametersBody(rows=(row,)), at), at, said[-1:])
        elif n % 100 == 29:
            said.append(author.say(event(seed.choice(DAILY), place, at), at, seed.sample(said, min(2, len(said)))))
        else:
            code = seed.choice(RARE) if n % 100 == 31 else seed.choice(DAILY)
            external = f"{author.name}-{n - n % 500 if n % 250 == 0 else n}" if n % 3 else None
            said.append(author.say(event(code, place, at, external, why=n % 10 == 0), at))
    return story


def found_federation(seed: random.Random, names: Sequence[str]) -> Story:
    """Organisations of these names: an attested maker with a line, an accredited lab, and others."""
    authors = {name: Author(name, seed) for name in names}
    federation = Genesis("Бенчмарк", (authors["anchor"].org,), 1)
    _publish(federation, authors)
    return Story(authors, federation)


def _publish(federation: Genesis, authors: dict[str, Author]) -> None:
    anchor, maker, lab = (authors[name] for name in ("anchor", "maker", "lab"))
    for what, who, rows in (
        (Attested.MAKER, maker, ()),
        (Attested.ACCREDITATION, lab, ("RA.RU.000000",)),
        (Attested.STEWARD, lab, tuple(sorted(("code", "line"), key=pack))),
    ):
        anchor.say(drafts.attestation(Attestation(federation.id, what, who.org, rows), 0), 0)
    line = SerialLine(
        line=LINE,
        publisher=maker.org.hex(),
        marks=(Held(name="КАРАТ"),),
        designations=("СГВ-15",),
        serial=SerialPattern(pattern="digits", width=7),
    )
    maker.say(drafts.catalog(bytes.fromhex(LINE), "line", line.to_bytes(), 0), 0)


def _protocol(lab: Author, at: int, *, fit: bool) -> None:
    template = TemplateRef(name="verification", version="1.0.0", publisher=lab.org.hex(), id="ab" * 32)
    what = EventBody(
        what=Reference(central="verified" if fit else "rejected"),
        where=Place(place=Reference(local="лаборатория"), default=True),
        system="стенд",
    )
    row = ParameterRow(code=Reference(central="verification_valid_until"), value="2032-02-29", source="protocol")
    extract = ExtractBody(parameters=(row,) if fit else (), events=(what,))
    lab.say(drafts.protocol(DEVICE, template, b'{"fit": true}', b'{"who": "-"}', extract, at), at)


async def open_core(folder: Path) -> Core:
    """A founded node over a new store."""
    clock, randomness = SystemClock(), SystemRandom()
    node = NodeFolder(folder)
    await found_node(node, '[node]\nname = "bench"\n', clock, randomness)
    keystore = open_keystore(node, randomness)
    return Core(load_settings(folder), node, clock, randomness, keystore, Database(node.url(), clock), EventBus())


async def store(core: Core, story: Story) -> None:
    """Put a story into a store, nothing folded yet."""
    async with core.database.write() as tx:
        await set_setting(tx, FEDERATION, story.genesis.to_bytes())
        for author in story.authors.values():
            await insert_statements(tx, author.chain)
            author.stored = await insert_log(tx, author.statement, own=False)
            for at in range(0, len(author.entries), 1000):
                await insert_entries(tx, author.stored.no, author.entries[at : at + 1000])


@dataclass(frozen=True, slots=True)
class Folded:
    """Milliseconds of a processor in one run.

    From signed bytes alone; from all that is stored; one event added that alters the state, one that does not, and one
    that came late, commit included; and the peer.
    """

    nothing_kept: float
    stored: float
    moving: float
    one_more: float
    late: float
    peer: float
    peer_of_one: float


@cache
def fold(run: int) -> Folded:
    """One long passport through all ways of folding; each leaves the digest that folding everything gives."""
    return asyncio.run(_fold(tell(run)))


async def _fold(story: Story) -> Folded:
    bodies, utility = story.bodies, story.authors["utility"]
    with tempfile.TemporaryDirectory() as folder:
        core = await open_core(Path(folder) / "node")
        await store(core, story)
        settle_collector()  # as a node does; the story is the benchmark's own, a node holds none
        mark, nothing_kept = await _from_signed_bytes(core, story)
        projection = Projection(core)
        await projection.open()
        async with core.database.write() as tx:
            await projection.refold(tx, [DEVICE], await StatementReader.open(tx), projection.world)
        await _require(core, mark)
        stored = [await _from_stored_bytes(core) for _ in range(5)]
        await _require(core, mark)
        at = BEGIN_US + EVENTS * 16_000_000_000
        moving = [await _hear(core, projection, utility, "repaired", at + n) for n in range(5)]
        more = [await _hear(core, projection, utility, "configured", at + 100 + n) for n in range(50)]
        late = [await _hear(core, projection, utility, "configured", BEGIN_US + n) for n in range(5)]
        mark, _ = await _from_signed_bytes(core, story)
        await _require(core, mark)
        await core.database.close()
        gc.unfreeze()
    from_stored, one_moving, one_more, one_late = map(statistics.median, (stored, moving, more, late))
    peer, peer_of_one = _plain_reading(bodies), _plain_reading(bodies[-1:])
    return Folded(nothing_kept, from_stored, one_moving, one_more, one_late, peer, peer_of_one)


async def _from_signed_bytes(core: Core, story: Story) -> tuple[bytes, float]:
    """The digest out of the fragments alone, and what it took."""
    async with core.database.read() as tx:
        reader = await StatementReader.open(tx)
        world = build_world(await reader.of_kinds(tx, PUBLICATION_KINDS), story.genesis)
        begun = time.process_time()
        mark = digest(view_fold([DEVICE], await reader.about(tx, [DEVICE]), world))
        return mark, _since(begun)


async def _from_stored_bytes(core: Core) -> float:
    """What it takes to fold out of all that is stored, with nothing in memory: a store and a projection opened anew."""
    database = Database(core.database.url, core.clock)
    projection = Projection(replace(core, database=database))
    await projection.open()
    async with database.write() as tx:
        begun = time.process_time()
        reader = await StatementReader.open(tx)
        await tx.at_once(lambda at: projection.refold(at, [DEVICE], reader, projection.world, beside_kept=True))
        spent = _since(begun)
    await database.close()
    return spent


async def _hear(core: Core, projection: Projection, author: Author, code: str, at: int) -> float:
    """What it takes from a verified entry until its passport is digested and stored, commit included."""
    if author.stored is None:
        raise RuntimeError("the story is not stored")
    author.say(event(code, "ул. Мира, 1", at, f"later-{at}"), at)
    async with core.database.write() as tx:
        await insert_entries(tx, author.stored.no, author.entries[-1:])
        begun = time.process_time()
        await projection.take(tx, [(author.stored, author.entries[-1:])])
    return _since(begun)


async def _require(core: Core, mark: bytes) -> None:
    async with core.database.read() as tx:
        found = await find_passport(tx, DEVICE, whole=False)
    if found is None or found.digest != mark:
        raise RuntimeError("the stored passport is not what folding everything gives")


def _plain_reading(bodies: Sequence[bytes]) -> float:
    begun = time.process_time()
    for body in bodies:
        json.loads(body)
        hashlib.sha256(body).digest()
    return _since(begun)


def _since(begun: float) -> float:
    return (time.process_time() - begun) * 1000


def _of(name: str) -> Callable[[int], float]:
    return lambda run: float(getattr(fold(run), name))


PEER = "json.loads and SHA-256 of the same sections"
MEASURES = [
    Measure("10,000 events from signed bytes, nothing kept", "ms", PEER, _of("nothing_kept"), _of("peer")),
    Measure("10,000 events from stored bytes, nothing in memory", "ms", PEER, _of("stored"), _of("peer")),
    Measure("an event that alters the state, stored", "ms", PEER, _of("moving"), _of("peer")),
    Measure("one more event, stored", "ms", f"{PEER}, of one", _of("one_more"), _of("peer_of_one")),
    Measure("one that came late, before all others, stored", "ms", f"{PEER}, of one", _of("late"), _of("peer_of_one")),
]
