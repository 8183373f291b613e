"""What leaves a node for whom: rights as they are stored, over a real store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from benchmarks.fold import Author
from federation.authority import Authority, Kind, Verb
from federation.fragment import Header, Ref, SectionClass, decode_header
from node.demo.files import PRODUCTS, make_line
from node.passport import drafts
from node.passport.bodies import MandateBody, ParametersBody, PersonBody, Plate, RadioBody, RootKeysBody
from node.passport.profiles import GRANT_ROW, shipped_profiles
from node.passport.rights import class_mask, may_open, may_read_entry, rights_of
from node.services import disclosure
from node.services.cases import Cases
from node.services.disclosure import Disclosure, View
from node.services.ledger import entry_ref
from node.services.registry import Registry
from node.services.search import Search
from node.services.shipments import Shipments
from node.services.statements import StatementReader
from node.store.fragments import entries_about, insert_entries
from node.store.logs import insert_log
from node.store.rights import StoredRight, open_subjects
from tests.builders import found
from tests.unit.node_protocols.builders import NOW, Desk, attest, new_desk, new_sync

CHAINS = [found(f"{name}-0", f"{name}-1") for name in ("reader", "buyer", "stranger")]
READER, BUYER, STRANGER = (chain.org for chain in CHAINS)
OPEN = (0, 1, 2)
LATE = "СГВ-15"


@asynccontextmanager
async def sold(folder: Path, *classes: int) -> AsyncIterator[tuple[Desk, bytes]]:
    """A maker who opened one of two meters to a reader, in some classes, and offered both to a buyer."""
    async with new_desk(folder) as desk:
        await attest(desk, desk.org)
        await meet(desk)
        devices = [await desk.device(serial) for serial in ("00012345", "00012346")]
        await desk.ledger.append([drafts.share(devices[0], READER, classes, desk.core.clock.now())])
        await Shipments(desk.core, desk.ledger, desk.projection).offer(devices, BUYER, "ТТН-1", "2026-05-01", "test")
        yield desk, devices[0]


async def seen(desk: Desk, org: bytes, device: bytes) -> tuple[View, Header]:
    """What an organisation may see, and the header of the offer."""
    async with desk.core.database.read() as tx:
        entries = await entries_about(tx, [device])
        view = await Disclosure().view(tx, org, entries)
    headers = [decode_header(entry.header, entry.log, entry.seq) for entry in entries]
    return view, next(header for header in headers if header.kind == Kind.SHIPMENT)


async def test_reader_of_a_device_reads_who_passed_its_title_on(tmp_path: Path) -> None:
    """The offer names the device in its authority only; who may read the device reads it, the papers stay hidden."""
    async with sold(tmp_path, *OPEN) as (desk, device):
        view, offer = await seen(desk, READER, device)

        assert device not in offer.subjects
        assert view.may_read(offer)
        assert view.may_open(offer, SectionClass.AUTHORITY)
        assert not view.may_open(offer, SectionClass.COMMERCIAL)


async def test_papers_of_a_shipment_are_no_part_of_a_commercial_share(tmp_path: Path) -> None:
    """A reader with the maker's commercial sections of a device still has not the papers of its sale; the buyer has."""
    async with sold(tmp_path, *OPEN, int(SectionClass.COMMERCIAL)) as (desk, device):
        reader, offer = await seen(desk, READER, device)
        buyer, _ = await seen(desk, BUYER, device)

        assert reader.may_read(offer)
        assert not reader.may_open(offer, SectionClass.COMMERCIAL)
        assert buyer.may_open(offer, SectionClass.COMMERCIAL)


async def test_stranger_reads_nothing_of_a_shipment(tmp_path: Path) -> None:
    """Without a right to one of the devices nothing of an offer is shown."""
    async with sold(tmp_path, *OPEN) as (desk, device):
        view, offer = await seen(desk, STRANGER, device)

        assert not view.may_read(offer)
        assert not view.may_open(offer, SectionClass.PUBLIC)


async def test_passport_is_shared_and_sold_under_every_id_it_has(tmp_path: Path) -> None:
    """A plate was stated before its line was published: the passport has two ids, and a share or a sale names both."""
    async with new_desk(tmp_path) as desk:
        await meet(desk)
        registry = Registry(desk.core, desk.ledger, desk.projection, desk.ingest, new_sync(desk.core, desk.ingest))
        stated = await registry.register_plate(Plate(designation=LATE, serial="0012345"), None, "test")
        await desk.ledger.append([late_line(desk)])
        lead = (await registry.get(stated)).subject
        assert lead != stated

        await registry.share([lead], READER, "test")
        await Shipments(desk.core, desk.ledger, desk.projection).offer([lead], BUYER, "ТТН-1", "2026-05-01", "test")

        assert {Kind.IDENTITY, Kind.SHIPMENT} <= await read_by(desk, READER, stated)
        async with desk.core.database.read() as tx:
            [offer] = await (await StatementReader.open(tx)).of_kinds(tx, [Kind.SHIPMENT])
        assert Authority.from_bytes(offer.sections["authority"]).subjects == tuple(sorted((lead, stated)))


@pytest.mark.parametrize(("party", "is_given"), [("writer", True), ("stranger", False)])
async def test_ground_goes_along_as_far_as_who_names_it_may_read_it(
    tmp_path: Path, party: str, *, is_given: bool
) -> None:
    """Of a grant about another meter header and authority go to who reads what rests on it: where its party names it,
    not where somebody names it who got hold of its id alone.
    """
    async with new_desk(tmp_path) as desk:
        await attest(desk, desk.org)
        await meet(desk)
        device, other = [await desk.device(serial) for serial in ("00012345", "00012346")]
        writer, now = Author("writer", Random(5)), desk.core.clock.now()
        to = {"writer": writer.org, "stranger": STRANGER}[party]
        said = await desk.ledger.append([drafts.share(device, READER, OPEN, now), drafts.share(other, to, OPEN, now)])
        ground = entry_ref(desk.ledger.log.log, said[1])
        await rests_on(desk, writer, device, ground)
        async with desk.core.database.read() as tx:
            about = await entries_about(tx, [device])
            view = await Disclosure().view(tx, READER, about)

    assert any(entry.log == writer.log for entry in about)
    assert view.grounds.keys() == ({(ground.log, ground.seq)} if is_given else set())
    for place, entry in view.grounds.items():
        header = decode_header(entry.header, *place)
        assert view.shows(header)
        assert not view.may_read(header)
        assert [view.shows_section(header, name, 1) for name in ("authority", "other")] == [True, False]


async def test_closure_of_grounds_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever spreads grounds over grounds costs no more than so many entries."""
    monkeypatch.setattr(disclosure, "MOST_GROUNDS", 3)
    async with new_desk(tmp_path) as desk:
        await attest(desk, desk.org)
        await meet(desk)
        device, log, now = await desk.device("00012345"), desk.ledger.log.log, desk.core.clock.now()
        plain = drafts.share(desk.core.random.bytes(16), STRANGER, OPEN, now)
        lowest = [entry_ref(log, entry) for entry in await desk.ledger.append([plain] * 4)]
        middle = await desk.ledger.append([replace(plain, auth=tuple(lowest[at : at + 2])) for at in (0, 2)])
        upper = tuple(entry_ref(log, entry) for entry in middle)
        await desk.ledger.append([replace(drafts.share(device, READER, OPEN, now), auth=upper)])
        async with desk.core.database.read() as tx:
            view = await Disclosure().view(tx, READER, await entries_about(tx, [device]))

    assert len(view.grounds) == 3


async def test_papers_of_a_shipment_follow_from_no_right_to_headers(tmp_path: Path) -> None:
    """Who may read what the seller says of a shipment's own id, in technical classes, has not its papers."""
    async with sold(tmp_path, *OPEN) as (desk, device):
        _, offer = await seen(desk, READER, device)
        async with desk.core.database.write() as tx:
            await open_subjects(tx, {offer.subject: [StoredRight(STRANGER, desk.org, class_mask(*OPEN))]})
        view, _ = await seen(desk, STRANGER, device)

        assert view.may_open(offer, SectionClass.AUTHORITY)
        assert not view.may_open(offer, SectionClass.COMMERCIAL)


@pytest.mark.parametrize(
    ("classes", "profile", "finds"),
    [
        ((0, 1), None, {"id", "serial"}),
        (OPEN, None, {"id", "serial", "dev_eui", "erp"}),
        (OPEN, "lab", {"id", "serial", "erp"}),
        (OPEN, "public", {"id", "serial"}),
    ],
)
async def test_thing_is_found_by_what_may_be_read_of_it_alone(
    tmp_path: Path, classes: tuple[int, ...], profile: str | None, finds: set[str]
) -> None:
    """Who may not read what the radio or another system calls a meter does not find it by guessing that."""
    async with new_desk(tmp_path) as desk:
        await attest(desk, desk.org)
        await meet(desk)
        device, now = await desk.device("00012345", "4711"), desk.core.clock.now()
        rows: tuple[str, ...] = ()
        radio = RadioBody(dev_eui="0102030405060708", join_eui="8899aabbccddeeff")
        await desk.ledger.append([drafts.radio(device, radio, RootKeysBody(app_key="0f" * 16), now)])
        if profile is not None:
            draft = drafts.profile(desk.org, shipped_profiles()[profile].to_bytes(), now)
            rows = (GRANT_ROW + (await desk.ledger.append([draft]))[0].fragment.id.hex(),)
        authority = Authority(Verb.READ, READER, rows, (device,), classes)
        await desk.ledger.append([drafts.grant(desk.core.random.bytes(16), authority, now)])
        asked = {"id": device.hex(), "serial": "00012345", "dev_eui": "0102030405060708", "erp": "4711"}
        async with desk.core.database.read() as tx:
            answers = {name: await Search().for_peer(tx, READER, name, term) for name, term in asked.items()}
            told = {name: await Search().for_peer(tx, READER, name, term, tells=True) for name, term in asked.items()}

    assert {name for name, (found, _) in answers.items() if [one.subject for one in found] == [device]} == finds
    assert all(found == ([], False) for name, found in answers.items() if name not in finds)
    assert {name: (known, True) for name, (known, _) in answers.items()} == told


async def test_what_is_shown_is_what_the_reasons_say(tmp_path: Path) -> None:
    """Of every header and section the stored rights let through what the rules say that explain it, to whomever."""
    async with sold(tmp_path, *OPEN, 3, 4) as (desk, device):
        await desk.ledger.append(words(desk, device))
        for step in (None, desk.projection.refold_all):
            if step is not None:
                await step()
            case = await Cases(desk.core, desk.projection).of(device)
            rights, told = rights_of(case), {(one.ref.log, one.ref.seq): one for one in case.told}
            async with desk.core.database.read() as tx:
                entries = await entries_about(tx, [device])
                views = [await Disclosure().view(tx, org, entries) for org in (READER, BUYER, STRANGER, bytes(16))]
            shown = set()
            for view in views:
                for header in (decode_header(entry.header, entry.log, entry.seq) for entry in entries):
                    said = told[header.log, header.seq]
                    assert view.may_read(header) == may_read_entry(view.org, said, rights), (view.org, header)
                    for one in header.sections:
                        if one.klass < SectionClass.SECRET:
                            is_shown = view.may_open(header, one.klass, one.name)
                            reason = may_open(view.org, said, one.klass, rights, one.name, case.world.profiles)
                            assert is_shown == reason, (view.org, header, one)
                            shown.add((one.klass, is_shown))
            assert shown >= {(klass, is_shown) for klass in (0, 1, 2, 3, 4) for is_shown in (True, False)}


def words(desk: Desk, device: bytes) -> list[drafts.Draft]:
    """A section of each class, a role that is given and ended, and grants of every form."""
    now, act = desk.core.clock.now(), desk.core.random.bytes(16)
    role = Authority(Verb.ROLE, STRANGER, ("data_source",), (device,))
    body, person = MandateBody(document="№ 1"), PersonBody(name="Иванов")
    priced = drafts.parameters(device, ParametersBody(rows=()), now)
    price = drafts.DraftSection("price", b"100", SectionClass.COMMERCIAL)
    wide = Authority(Verb.READ, BUYER, (), None, (2, 3))
    timed = Authority(Verb.READ, STRANGER, (), (device,), (2, 4), now - 10, now - 5)
    unknown = Authority(Verb.READ, STRANGER, (GRANT_ROW + "ab" * 32,), (device,), (3,))
    return [
        drafts.mandate(act, role, body, now, person=person),
        replace(priced, sections=(*priced.sections, price)),
        replace(priced, sections=(*priced.sections, price), occurred=now - 7),
        drafts.grant(desk.org, wide, now),
        *(drafts.grant(desk.core.random.bytes(16), one, now) for one in (timed, unknown)),
    ]


async def rests_on(desk: Desk, author: Author, device: bytes, ground: Ref) -> None:
    """Somebody says something of a device, on a ground, and it arrives."""
    author.say(replace(drafts.parameters(device, ParametersBody(rows=()), NOW), auth=(ground,)), NOW)
    await desk.ingest.take_chain(author.chain)
    async with desk.core.database.write() as tx:
        log = await insert_log(tx, author.statement, own=False)
        await insert_entries(tx, log.no, author.entries)
        await desk.projection.take(tx, [(log, author.entries)])


async def meet(desk: Desk) -> None:
    """Let the node know the others."""
    for chain in CHAINS:
        await desk.ingest.take_chain(chain.statements)


def late_line(desk: Desk) -> drafts.Draft:
    """The line of a plate that was stated already."""
    product = replace(PRODUCTS[0], designation=LATE, execution=LATE, approval="999903-00")
    return drafts.catalog(desk.org, "line", make_line(product, "77" * 16, desk.org.hex()).to_bytes(), NOW)


async def read_by(desk: Desk, org: bytes, device: bytes) -> set[int]:
    """Kinds of the statements about a device that an organisation may read."""
    async with desk.core.database.read() as tx:
        entries = await entries_about(tx, [device])
        view = await Disclosure().view(tx, org, entries)
    headers = [decode_header(entry.header, entry.log, entry.seq) for entry in entries]
    return {int(header.kind) for header in headers if view.may_read(header)}
