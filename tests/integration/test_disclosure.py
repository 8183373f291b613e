"""What leaves a node for whom: rights as they are stored, over a real store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from federation.authority import Kind
from federation.fragment import Header, SectionClass, decode_header
from node.passport import drafts
from node.services.disclosure import Disclosure, View
from node.services.shipments import Shipments
from node.store.fragments import entries_about
from tests.builders import id16
from tests.unit.node_protocols.builders import Desk, attest, new_desk

READER, BUYER, STRANGER = id16("org/reader"), id16("org/buyer"), id16("org/stranger")
OPEN = (0, 1, 2)


@asynccontextmanager
async def sold(folder: Path, *classes: int) -> AsyncIterator[tuple[Desk, bytes]]:
    """A maker who opened one of two meters to a reader, in some classes, and offered both to a buyer."""
    async with new_desk(folder) as desk:
        await attest(desk, desk.org)
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
