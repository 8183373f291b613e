"""What leaves a node for whom: rights as they are stored, over a real store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from federation.authority import Authority, Kind
from federation.fragment import Header, SectionClass, decode_header
from node.demo.files import PRODUCTS, make_line
from node.passport import drafts
from node.passport.bodies import Plate
from node.services.disclosure import Disclosure, View
from node.services.registry import Registry
from node.services.shipments import Shipments
from node.services.statements import StatementReader
from node.store.fragments import entries_about
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
        await Shipments(desk.core, desk.ledger).offer(devices, BUYER, "ТТН-1", "2026-05-01", "test")
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
        await Shipments(desk.core, desk.ledger).offer([lead], BUYER, "ТТН-1", "2026-05-01", "test")

        assert {Kind.IDENTITY, Kind.SHIPMENT} <= await read_by(desk, READER, stated)
        async with desk.core.database.read() as tx:
            [offer] = await (await StatementReader.open(tx)).of_kinds(tx, [Kind.SHIPMENT])
        assert Authority.from_bytes(offer.sections["authority"]).subjects == tuple(sorted((lead, stated)))


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
