"""Shipments between nodes of one loop: answered in part, withdrawn, sent back, answered for wrongly, and waiting for a
buyer who has no node yet.
"""

import io
import zipfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from federation.authority import Attested, Verb
from federation.errors import RequestError, SealError
from federation.fragment import Section, unpad
from federation.ports import Asker
from federation.sealing import open_section
from federation.sync.messages import Openings
from node.api_client import ApiClient
from node.app import Node
from node.errors import DeniedError, InputError, NodeError, StateError
from node.exchange.passport_check import check_file
from node.passport import drafts
from node.passport.bodies import RadioBody, RootKeysBody, ShipmentBody
from node.passport.ids import SubjectId
from node.passport.shipments import DeviceState, Reason
from node.services import retelling, shelf
from node.services.answers import weight_of
from node.services.counting import stored_header
from node.services.shipments import FiledShipment, Outsider, Why
from node.store.fragments import STORED, entries_about, with_secret
from node.store.logs import StoredLog, list_logs
from tests.integration.test_canaries import PLATE, made, network
from tests.integration.test_one_loop import alone, passport_at
from tests.loops import running, started, until

__all__ = ["alone"]

pytestmark = pytest.mark.slow
DAY = "2026-05-01"
INN = "inn:7707083893"
DAMAGED = Why(Reason.DAMAGED, "вмятина на корпусе")
OFFERED, ACCEPTED, REFUSED = DeviceState.OFFERED, DeviceState.ACCEPTED, DeviceState.REFUSED


async def meters(maker: Node, count: int, first_key: int = 0) -> list[bytes]:
    """Meters of the maker's own line, each with a root key, the first of them that number."""
    plates = [PLATE.model_copy(update={"serial": f"{number:08d}"}) for number in range(2, count + 1)]
    devices = [await made(maker), *[await maker.registry.register_plate(plate, None, "test") for plate in plates]]
    await maker.ledger.append([key_of(device, number, first_key + number) for number, device in enumerate(devices)])
    return devices


def key_of(device: bytes, number: int, key: int | None = None) -> drafts.Draft:
    """How a meter joins, and with which key."""
    body = RadioBody(dev_eui=f"{number:016x}", join_eui="70b3d58ff0000000")
    return drafts.radio(device, body, RootKeysBody(app_key=f"{number if key is None else key:032x}"), 0)


async def stands(node: Node, shipment: bytes, **counts: int) -> FiledShipment:
    """The shipment at a node, once its devices stand so."""

    async def asked() -> FiledShipment | None:
        try:
            found = await node.shipments.filed(shipment)
        except NodeError:
            return None
        here = {state.value: count for state, count in found.counts.items() if count}
        return found if here == counts else None

    return await until(node, asked)


async def has(node: Node, devices: Collection[bytes]) -> bool | None:
    """Whether passports and keys of all of these came."""
    async with node.core.database.read() as tx:
        keys = await with_secret(tx, devices, "root-keys")
    return True if keys == set(devices) == (await node.assembly.titles(devices)).keys() else None


async def some(node: Node, devices: Collection[bytes]) -> bool | None:
    """Whether the passports of some devices came, and of others not."""
    return True if 0 < len(await node.assembly.titles(devices)) < len(devices) else None


async def keeps_keys(node: Node, device: bytes, count: int) -> bool | None:
    """Whether a node has so many root keys of a device, each as somebody stated it."""
    async with node.core.database.read() as tx:
        entries = await entries_about(tx, [device])
    return True if sum(s.form == STORED for entry in entries for s in entry.sections) == count else None


async def opened_by(node: Node, device: bytes, given: Section) -> RootKeysBody:
    """The root keys that were given to a node sealed."""
    async with node.core.database.read() as tx:
        headers = [stored_header(entry) for entry in await entries_about(tx, [device])]
    for header in (one for one in headers if one is not None):
        for key in node.core.keystore.box_keys():
            with suppress(SealError):
                return RootKeysBody.from_bytes(unpad(open_section(key, header, given).data))
    raise AssertionError("no entry commits to it")


async def owner(node: Node, device: bytes) -> str:
    """Who owns a device, as a node's passport has it."""
    found: Any = await passport_at(node, device)  # Any: JSON
    return str(found["view"]["parties"]["owner"]["value"]) if found else ""


async def owned_by(node: Node, device: bytes, org: bytes) -> bool | None:
    """Whether a node's passport names that owner."""
    return True if await owner(node, device) == org.hex() else None


async def waits(node: Node) -> bool | None:
    """Whether a shipment waits for the node's answer."""
    return True if await node.shipments.waiting() else None


async def told(node: Node, what: str) -> list[Mapping[str, Any]]:
    """The details of the journal's rows of a kind."""
    return [row.detail for row in await node.journal.newest(limit=200) if row.what == what]


async def test_some_are_accepted_some_refused_and_the_rest_waits(tmp_path: Path) -> None:
    """Passports and keys come of what was accepted alone; both journals tell why something was refused."""
    async with network(tmp_path, "utility") as nodes:
        maker, utility = nodes["maker"], nodes["utility"]
        one, two, dented, gone, late, kept = devices = await meters(maker, 6)
        offer = await maker.shipments.offer(devices, utility.core.org, "ТТН-1", DAY, "test")
        await stands(utility, offer, offered=6)

        await utility.shipments.accept(offer, "test", [one, two])
        await utility.shipments.refuse(offer, DAMAGED, "test", [dented])
        await utility.shipments.refuse(offer, Why(Reason.MISSING), "test", [gone])

        await stands(maker, offer, accepted=2, refused=2, offered=2)
        await until(utility, lambda: has(utility, [one, two]))
        assert (await utility.assembly.titles([dented, gone, late])) == {}
        declined = {"count": 1, "number": "ТТН-1"}
        assert await told(maker, "shipment_declined") == [
            {**declined, "reason": "missing"},
            {**declined, "reason": "damaged", "note": DAMAGED.note},
        ]
        assert [row["reason"] for row in await told(utility, "shipment_refused")] == ["missing", "damaged"]

        await maker.shipments.withdraw(offer, Why(), "test", [late])
        await stands(utility, offer, accepted=2, refused=2, withdrawn=1, offered=1)
        for device, error in ((late, StateError), (dented, StateError), (b"\x01" * 16, InputError)):
            with pytest.raises(error):
                await utility.shipments.accept(offer, "test", [device])
        with pytest.raises(DeniedError):
            await maker.shipments.refuse(offer, DAMAGED, "test")
        await utility.shipments.accept(offer, "test")
        await stands(maker, offer, accepted=3, refused=2, withdrawn=1)
        await until(utility, lambda: has(utility, [kept]))
        assert await maker.shipments.free(devices) == [dented, gone, late]
        assert await owner(maker, dented) == maker.core.org.hex()


async def test_device_that_was_sent_back_is_sold_again(tmp_path: Path) -> None:
    """Title and key pass back with the seller's acceptance, and go on to the next buyer; none holds both. What was
    accepted by several acts goes back, and on, by one.
    """
    async with network(tmp_path, "utility", "service") as nodes:
        maker, utility, service = (nodes[name] for name in ("maker", "utility", "service"))
        device, other, later = await meters(maker, 3)
        offer = await maker.shipments.offer([device, other, later], utility.core.org, "ТТН-1", DAY, "test")
        await stands(utility, offer, offered=3)
        await utility.shipments.accept(offer, "test", [device, other])
        await utility.shipments.accept(offer, "test")
        await until(maker, lambda: owned_by(maker, device, utility.core.org))
        with pytest.raises(DeniedError):
            await maker.shipments.offer([device], service.core.org, "ТТН-2", DAY, "test")
        await until(utility, lambda: has(utility, [device, other, later]))
        with pytest.raises(StateError, match="no member"):
            await utility.shipments.offer([device], maker.core.org, "ТТН-2", DAY, "test", via=service.core.org)

        back = await utility.shipments.send_back(offer, DAMAGED, "В-1", DAY, "test", [device, later])
        await stands(maker, back, offered=2)
        await stands(maker, offer, accepted=1, returning=2)
        assert [row["reason"] for row in await told(maker, "shipment_return_came")] == ["damaged"]
        await maker.shipments.accept(back, "test")

        await stands(utility, offer, accepted=1, returned=2)
        await until(utility, lambda: owned_by(utility, device, maker.core.org))
        await until(utility, lambda: owned_by(utility, later, maker.core.org))
        again = await maker.shipments.offer([device], service.core.org, "ТТН-2", DAY, "test")
        await stands(service, again, offered=1)
        await service.shipments.accept(again, "test")
        await until(service, lambda: has(service, [device]))
        assert await owner(service, device) == service.core.org.hex()
        assert (await maker.shipments.filed(offer)).counts[DeviceState.RETURNED] == 2
        with pytest.raises(DeniedError):
            await utility.shipments.offer([device], service.core.org, "ТТН-3", DAY, "test")

        await service.ledger.append([key_of(device, 77)])
        await maker.ledger.append([key_of(device, 88)])
        await until(service, lambda: keeps_keys(service, device, 3))
        given = await service.shelf.secret(Asker(service.core.org, service.core.node), device, "root-keys")
        assert await opened_by(service, device, given) == RootKeysBody(app_key=f"{77:032x}")


async def test_acceptance_of_what_was_not_shipped_has_no_effect_and_is_shown(tmp_path: Path) -> None:
    """A log that accepts more than was offered, and one that accepts another's offer, get neither title nor key."""
    async with network(tmp_path, "utility", "service") as nodes:
        maker, utility, service = (nodes[name] for name in ("maker", "utility", "service"))
        device, other = await meters(maker, 2)
        offer = await maker.shipments.offer([device], utility.core.org, "ТТН-1", DAY, "test")
        await stands(utility, offer, offered=1)
        place = (await utility.shipments.get(offer)).parts[0].offer
        body = ShipmentBody(number="ТТН-1", date=DAY, accepted=True)
        for thief, taken in ((utility, [device, other]), (service, [device])):
            said = drafts.shipment(offer, Verb.ACCEPT, maker.core.org, taken, body, maker.core.clock.now(), place)
            await thief.ledger.append([said])

        async def both() -> bool | None:
            return True if len(await told(maker, "shipment_strange")) == 2 else None

        await until(maker, both)
        await stands(maker, offer, accepted=1)
        assert (await maker.shipments.filed(offer)).strange == 2
        assert (await owner(maker, device), await owner(maker, other)) == (utility.core.org.hex(), maker.core.org.hex())
        await until(utility, lambda: has(utility, [device]))
        for thief, key in ((utility, other), (service, device)):
            with pytest.raises(DeniedError):
                await thief.registry.ask_key(key, maker.core.org, "test")
            assert await told(thief, "key_refused") == [{"of": maker.core.org.hex()}]
        assert len(await told(maker, "secret_refused")) == 2


async def test_transfer_that_was_cut_off_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A buyer that ends amid the transfer has all passports and keys once it runs again, and nothing twice."""
    monkeypatch.setattr(shelf, "SUBJECTS_A_PULL", 3)
    async with network(tmp_path) as nodes:
        maker = nodes["maker"]
        devices = await meters(maker, 24)
        async with running(tmp_path / "utility", "utility") as utility:
            await utility.membership.join((await maker.membership.invite("test")).to_text(), "test")
            offer = await maker.shipments.offer(devices, utility.core.org, "ТТН-1", DAY, "test")
            await stands(utility, offer, offered=24)
            await utility.shipments.accept(offer, "test")
            await until(utility, lambda: some(utility, devices))
        async with started(tmp_path / "utility") as utility:
            assert 0 < len(await utility.assembly.titles(devices)) < len(devices)

            await until(utility, lambda: has(utility, devices))

            assert len(await told(utility, "shipment_came")) == len(await told(maker, "shipment_taken")) == 1
            for device in (devices[0], devices[-1]):
                mine, theirs = [await passport_at(node, device) for node in (maker, utility)]
                assert mine
                assert theirs
                assert mine["digest"] == theirs["digest"]


async def refused(_asker: Asker, _after: int, _limit: int) -> Openings:
    raise RequestError("not now")


async def test_shipment_is_told_with_the_first_page_of_its_devices_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks for the next page is not told the offer again; who begins anew, or much later, is. Own words are not."""
    monkeypatch.setattr(shelf, "SUBJECTS_A_PULL", 3)
    monkeypatch.setattr(retelling, "LARGE", 1024)
    async with network(tmp_path, "utility") as nodes:
        maker, utility = nodes["maker"], nodes["utility"]
        devices = await meters(maker, 24)
        offer = await maker.shipments.offer(devices, utility.core.org, "ТТН-1", DAY, "test")
        await stands(utility, offer, offered=24)
        await utility.shipments.accept(offer, "test")
        await until(utility, lambda: has(utility, devices))
        told, asker = maker.shelf.opened, Asker(utility.core.org, utility.core.node)
        # What the buyer's own node asks beside this would begin the row anew.
        monkeypatch.setattr(maker.shelf, "opened", refused)

        first = await told(asker, 0, 100)
        pages = [first]
        while not pages[-1].done:
            pages.append(await told(asker, pages[-1].next, 100))
        again = [await told(asker, 0, 100), await told(asker, first.next, 100)]
        monkeypatch.setattr(retelling, "IN_A_ROW_US", -1)
        later = await told(asker, first.next, 100)

        large = [[one for one in page.entries if weight_of([one]) >= retelling.LARGE] for page in pages]
        assert len(large) > 2
        assert [len(found) for found in large] == [1] + [0] * (len(large) - 1)
        assert [places(page) for page in again] == [places(first), places(pages[1])]
        assert large[0][0] in later.entries
        theirs = {log.log for log in await logs_of(maker, utility.core.org)}
        assert theirs
        assert not theirs & {one.log for page in [*pages, *again, later] for one in page.entries}


def places(page: Openings) -> list[tuple[bytes, int]]:
    """Which entries an answer tells; what is secret is sealed anew each time."""
    return [(one.log, one.seq) for one in page.entries]


async def logs_of(node: Node, org: bytes) -> list[StoredLog]:
    """The logs of an organisation that are mirrored here."""
    async with node.core.database.read() as tx:
        return await list_logs(tx, org=org)


async def test_shipment_waits_for_a_buyer_who_has_no_node_yet(tmp_path: Path) -> None:
    """Offered to a number: who is attested it finds the offer, accepts it, and passports and keys come."""
    async with network(tmp_path, "utility") as nodes:
        maker = nodes["maker"]
        devices = await meters(maker, 2)
        offer = await maker.shipments.offer(devices, Outsider(INN, "МУП «Тепло»"), "ТТН-1", DAY, "test")
        filed = await maker.shipments.filed(offer)
        assert (filed.outside, filed.name, filed.counts[OFFERED]) == (INN, "МУП «Тепло»", 2)
        assert await owner(maker, devices[0]) == maker.core.org.hex()
        async with ApiClient(maker.folder.path) as api:
            raw = await api.download(f"/shipments/{SubjectId(offer)}/files")
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            assert archive.namelist() == ["passports.csv", *(f"{SubjectId(one)}.passport" for one in sorted(devices))]
            for one in sorted(devices):
                file = archive.read(f"{SubjectId(one)}.passport")
                assert check_file(file).manifest.subjects[0] == one
                assert f"{devices.index(one):032x}".encode() not in file

        async with running(tmp_path / "newcomer", "newcomer") as newcomer:
            await newcomer.membership.join((await maker.membership.invite("test")).to_text(), "test")
            await maker.membership.attesting.attest(newcomer.core.org, Attested.NUMBER, (INN,), "test")
            await until(newcomer, lambda: waits(newcomer))
            assert (await maker.shipments.filed(offer)).buyer == newcomer.core.org
            await newcomer.shipments.accept(offer, "test")

            await until(newcomer, lambda: has(newcomer, devices))
            await stands(maker, offer, accepted=2)
            assert await owner(newcomer, devices[0]) == newcomer.core.org.hex()
            assert len(await told(maker, "shipment_buyer_joined")) == 1
            assert len(await told(newcomer, "shipment_came")) == 1
            assert await nodes["utility"].assembly.titles(devices) == {}
