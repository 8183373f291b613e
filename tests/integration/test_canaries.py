"""Five nodes and one canary for each class and profile: where its bytes arrive, and where they must not.

What a node received is taken as it came: every answer of a peer after inflating, what its own people and systems read
of it by the API, the event stream and files, and every file of its folder.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import pytest

from federation.authority import Attested, Authority, Kind, Verb
from federation.fragment import SectionClass
from federation.net.client import PeerClient
from federation.ports import Answer, Asker, Question
from federation.sync.messages import Openings
from node.api_client import ApiClient
from node.app import Node
from node.exchange.passport_check import check_file
from node.passport import drafts
from node.passport.bodies import (
    EventBody,
    ExtractBody,
    MandateBody,
    ParameterRow,
    ParametersBody,
    PersonBody,
    Place,
    Plate,
    RadioBody,
    Reference,
    RootKeysBody,
    TemplateRef,
)
from node.passport.drafts import Draft, DraftSection
from node.passport.ids import SubjectId, format_device_id
from node.passport.profiles import SHIPPED, shipped_profiles
from node.passport.references import parse_ref, ref_text
from node.services import answers, shelf
from node.services.grants import Terms
from node.services.ledger import entry_ref
from node.store.logs import find_log
from node.store.peers import list_peers
from tests.integration.test_one_loop import alone, passport_at
from tests.loops import running, until

__all__ = ["alone"]

pytestmark = pytest.mark.slow

PLATE = Plate(mark="ДЕМО", designation="ВС-15Д", serial="00000001", year="2025")
MEMBERS = ("utility", "service", "lab", "stranger")
KEY = "ca9a5b1dca9a5b1dca9a5b1dca9a5b1d"
# What each canary is called in the bytes, and who but the maker may have it.
CANARIES: dict[str, tuple[str, frozenset[str]]] = {
    "event": ("CANARY-EVENT-1c7e", frozenset({"utility", "service"})),
    "parameters": ("CANARY-VALUE-2d8f", frozenset({"utility", "service", "lab"})),
    "document": ("CANARY-PAPER-3e90", frozenset({"utility", "service", "lab"})),
    "radio": ("c0ffee00c0ffee01", frozenset({"utility"})),
    "mandate": ("CANARY-ORDER-4fa1", frozenset({"utility"})),
    "shipment": ("CANARY-BILL-5ab2", frozenset({"utility"})),
    "price": ("CANARY-PRICE-6bc3", frozenset()),
    "personal": ("CANARY-FLAT-7cd4", frozenset()),
    "person": ("CANARY-NAME-8de5", frozenset()),
    "root-keys": (KEY, frozenset()),
}
KINDS = {
    "event": Kind.EVENT, "parameters": Kind.PARAMETER, "document": Kind.PROTOCOL, "radio": Kind.PARAMETER,
    "mandate": Kind.PARTY, "price": Kind.EVENT, "personal": Kind.PROTOCOL, "person": Kind.PARTY,
    "root-keys": Kind.PARAMETER,
}  # fmt: skip
CLASSES = {"price": SectionClass.COMMERCIAL, "personal": SectionClass.PERSONAL, "person": SectionClass.PERSONAL,
           "root-keys": SectionClass.SECRET}  # fmt: skip


@dataclass
class Tap:
    """What each organisation received from its peers, inflated."""

    heard: dict[bytes, bytearray] = field(default_factory=dict)

    def put(self, org: bytes, raw: bytes) -> None:
        """Keep an answer."""
        self.heard.setdefault(org, bytearray()).extend(raw)


@pytest.fixture
def tap(monkeypatch: pytest.MonkeyPatch) -> Tap:
    """Listens to every answer that a client of this process reads."""
    found, send = Tap(), PeerClient._send

    async def listening(self: PeerClient, question: Question) -> Answer:
        answer = await send(self, question)
        found.put(self._signer.org, answer.body)
        return answer

    monkeypatch.setattr(PeerClient, "_send", listening)
    return found


def said(name: str) -> str:
    """The text of a canary."""
    return CANARIES[name][0]


def words(device: bytes, act: bytes, now: int) -> list[Draft]:
    """Everything that the maker says of a meter, with a canary in each section."""
    what, where = Reference(central="calibrated"), Place(place=Reference(local="цех"))
    body = EventBody(what=what, where=where, system="1С", detail={"note": said("event")})
    price = DraftSection("price", said("price").encode(), SectionClass.COMMERCIAL)
    row = ParameterRow(code=Reference(local="own"), value=said("parameters"))
    radio = RadioBody(dev_eui=said("radio"), join_eui="8899aabbccddeeff")
    template = TemplateRef(name="act", version="1", publisher="ab" * 16, id="cd" * 16)
    authority = Authority(Verb.ROLE, bytes(15) + b"r", ("document", "resident", "responsible"), (device,))
    told, person = drafts.event(device, body, now), PersonBody(name=said("person"))
    return [
        Draft(told.kind, told.subjects, now, (*told.sections, price)),
        drafts.parameters(device, ParametersBody(rows=(row,)), now),
        drafts.radio(device, radio, RootKeysBody(app_key=KEY), now),
        drafts.protocol(
            device, template, f'{{"a":"{said("document")}"}}'.encode(), said("personal").encode(), ExtractBody(), now
        ),
        drafts.mandate(act, authority, MandateBody(document=said("mandate")), now, person=person),
    ]


@asynccontextmanager
async def network(folder: Path, *members: str) -> AsyncIterator[dict[str, Node]]:
    """A maker and members of its federation; to the stranger nobody attests or opens anything."""
    async with AsyncExitStack() as stack:
        nodes = {name: await stack.enter_async_context(running(folder / name, name)) for name in ("maker", *members)}
        maker = nodes["maker"]
        await maker.membership.attesting.found("Канарейки", "test")
        await maker.membership.attesting.attest(maker.core.org, Attested.MAKER, (), "test")
        for name in members:
            await nodes[name].membership.join((await maker.membership.invite("test")).to_text(), "test")
        yield nodes


async def made(maker: Node) -> bytes:
    """A meter of the maker's own line."""
    record = {
        "publisher": maker.core.org.hex(), "marks": ["ДЕМО"], "designations": ["ВС-15Д"],
        "legal_makers": ["maker"], "serial": {"pattern": "digits", "width": 8},
    }  # fmt: skip
    async with ApiClient(maker.folder.path) as api:
        await api.post("/lines", {"record": record})
    return await maker.registry.register_plate(PLATE, None, "test")


async def sold(nodes: dict[str, Node]) -> bytes:
    """A meter with every canary: the utility bought it, the service and the lab are let in by their profiles."""
    maker, utility = nodes["maker"], nodes["utility"]
    device = await made(maker)
    await maker.ledger.append(words(device, maker.registry.mint(), maker.core.clock.now()))
    grants = maker.grants
    for name in ("service", "lab"):
        await grants.give(Terms(nodes[name].core.org, Verb.READ, (device,), profile=name), "test")
    shipment = await maker.shipments.offer([device], utility.core.org, said("shipment"), "2026-05-01", "test")

    async def offered() -> bool | None:
        return True if await utility.shipments.waiting() else None

    await until(utility, offered)
    await utility.shipments.accept(shipment, "test")
    return device


async def settled(nodes: dict[str, Node], device: bytes) -> None:
    """Wait until everybody has what it may have: the newest word of the utility, and the logs themselves."""
    last = (await nodes["utility"].ledger.append([drafts.share(device, nodes["lab"].core.org, (0,), 1)]))[0]
    log = nodes["utility"].ledger.log.log

    for name in ("maker", "service", "lab"):

        async def heard(node: Node = nodes[name]) -> bool | None:
            found = await passport_at(node, device)
            refs = found["view"]["statements"] if found else []  # type: ignore[index]  # JSON
            return True if any(row["ref"].startswith(f"{log.hex()}:{last.seq}:") for row in refs) else None

        await until(nodes[name], heard)


async def read_here(node: Node, device: bytes) -> bytes:
    """All that the node's own people and systems read of it: the API, the event stream, a file of the passport."""
    raw, name = bytearray(), format_device_id(SubjectId(device))
    async with ApiClient(node.folder.path) as api:
        for path in (f"/passports/{name}", f"/passports/{name}/statements", "/journal", "/events", "/mandates"):
            try:
                raw += str(await api.get(path)).encode()
            except Exception as error:
                raw += str(error).encode()
        try:
            raw += await api.download(f"/passports/{name}/file")
        except Exception as error:
            raw += str(error).encode()
    last = await node.journal.last_id()
    connector = aiohttp.UnixConnector(str(node.folder.path / "node.sock"))
    async with (
        aiohttp.ClientSession("http://node", connector=connector) as session,
        session.get("/events?after=0") as response,
        asyncio.timeout(20),
    ):
        assert response.status == 200
        while line := await response.content.readline():
            raw += line
            if line.startswith(b"id: ") and int(line[4:]) >= last:
                break
    return bytes(raw)


def on_disk(node: Node) -> bytes:
    """Every file of a node's folder."""
    return b"\n".join(path.read_bytes() for path in sorted(node.folder.path.rglob("*")) if path.is_file())


def carries(raw: bytes, text: str) -> bool:
    """Whether bytes hold a canary, as it is, or as bytes where it is hex."""
    forms = [text.encode(), text.upper().encode()]
    if all(letter in "0123456789abcdef" for letter in text):
        forms.append(bytes.fromhex(text))
    return any(form in raw for form in forms)


async def test_canaries_arrive_where_they_may_and_nowhere_else(tmp_path: Path, tap: Tap) -> None:
    """By sync, API, events, files and on the disk each section is where a right opens it; a key is in clear nowhere."""
    async with network(tmp_path, *MEMBERS) as nodes:
        device = await sold(nodes)
        await settled(nodes, device)
        seen = {
            name: bytes(tap.heard.get(node.core.org, b"")) + await read_here(node, device) + on_disk(node)
            for name, node in nodes.items()
        }
        issued = {name: await issued_under(nodes["maker"], device, name) for name in SHIPPED}

    for canary, (text, allowed) in CANARIES.items():
        assert {name for name in MEMBERS if carries(seen[name], text)} == allowed, canary
    assert not carries(seen["maker"], KEY)
    for name, raw in issued.items():
        for canary, kind in KINDS.items():
            klass = CLASSES.get(canary, SectionClass.TECHNICAL)
            shows = shipped_profiles()[name].shows(int(kind), canary, int(klass))
            assert carries(raw, said(canary)) is shows, (name, canary)


async def issued_under(node: Node, device: bytes, profile: str) -> bytes:
    """The signed file of a passport under a profile, and the view that is issued under it."""
    name = format_device_id(SubjectId(device))
    async with ApiClient(node.folder.path) as api:
        raw = await api.download(f"/passports/{name}/file", profile=profile)
        assert check_file(raw).findings == []
        return raw + str(await api.get(f"/passports/{name}/issue", profile=profile)).encode()


async def test_passport_larger_than_an_answer_arrives_entry_by_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is opened after it arrives too; no answer is larger than the limit, nor one of entries that were named."""
    monkeypatch.setattr(answers, "MOST_TOLD", 20_000)
    told: list[int] = []
    opened = shelf.FederationShelf.opened

    async def weighing(self: shelf.FederationShelf, asker: Asker, after: int, limit: int) -> Openings:
        answer = await opened(self, asker, after, limit)
        told.append(sum(len(section.data) for one in answer.entries for section in one.fragment.sections))
        return answer

    monkeypatch.setattr(shelf.FederationShelf, "opened", weighing)
    async with network(tmp_path, "service") as nodes:
        maker, service = nodes["maker"], nodes["service"]
        large = await made(maker)
        small = await maker.registry.register_plate(PLATE.model_copy(update={"serial": "00000002"}), None, "test")
        draft = drafts.parameters(large, ParametersBody(rows=()), maker.core.clock.now())
        paper = DraftSection("paper", b"0123456789abcdef" * 512, SectionClass.TECHNICAL)
        last = (await maker.ledger.append([replace(draft, sections=(*draft.sections, paper))] * 8))[-1]

        async def mirrored() -> bool | None:
            async with service.core.database.read() as tx:
                log = await find_log(tx, maker.ledger.log.log)
            return True if log is not None and log.size > last.seq else None

        await until(service, mirrored)
        for device in (large, small):
            await maker.registry.share([device], service.core.org, "test")

        async def came() -> bool | None:
            return True if len(await statements(service, large)) > 9 and await statements(service, small) else None

        await until(service, came)
        async with service.core.database.read() as tx:
            (peer,) = await list_peers(tx, "active")
        refs = [parse_ref(str(row["ref"])) for row in await statements(service, large)]
        fetched = await service.sync.client(peer.address).fetch(refs)

    assert 0 < len(fetched) < len(refs)
    assert sum(told) > 8 * 8192
    assert max(told) <= 20_000


async def test_ended_contract_keeps_old_repairs_on_every_node(tmp_path: Path) -> None:
    """The service is let in, repairs, and is cut off: its repair stands, a later one is shown as said after the end."""
    async with network(tmp_path, "service") as nodes:
        maker, service = nodes["maker"], nodes["service"]
        device = await made(maker)
        grants = maker.grants
        await maker.registry.share([device], service.core.org, "test")
        given = await grants.give(Terms(service.core.org, Verb.WRITE, (device,), rows=("event",)), "test")
        early = await repaired(service, device)

        await until(maker, lambda: stands(maker, device, early))
        await grants.end(given.said.ref, "договор расторгнут", "test")
        late = await repaired(service, device, knows=given.said.ref)
        await until(maker, lambda: stands(maker, device, late))

        for node in (maker, service):
            rows = {str(row["ref"]): row for row in await statements(node, device)}
            assert rows[early]["ended_by"] is None
            assert rows[late]["ended_by"] == maker.core.org.hex()


async def statements(node: Node, device: bytes) -> list[dict[str, object]]:
    """The statements of a passport, as a node shows them."""
    found = await passport_at(node, device)
    return found["view"]["statements"] if found else []  # type: ignore[index]  # JSON


async def stands(node: Node, device: bytes, ref: str) -> bool | None:
    """Whether a node shows a statement."""
    return True if any(row["ref"] == ref for row in await statements(node, device)) else None


async def repaired(node: Node, device: bytes, knows: object = None) -> str:
    """The service says that it repaired the meter, once it holds its passport (and the end of a grant)."""

    async def ready() -> bool | None:
        rows = await statements(node, device)
        ends = [row for row in rows if row["kind"] == Kind.END]
        return True if rows and (knows is None or ends) else None

    await until(node, ready)
    body = EventBody(what=Reference(central="repaired"), where=Place(place=Reference(local="цех")), system="1С")
    (entry,) = await node.ledger.append([drafts.event(device, body, node.core.clock.now())])
    return ref_text(entry_ref(node.ledger.log.log, entry))
