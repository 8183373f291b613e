"""Boxes between nodes of one loop: claimed with the code inside, by a member that never heard of the device."""

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp

from federation.authority import Attested, Verb
from federation.errors import RequestError
from federation.net.client import PeerClient
from federation.sync.claiming import Claim, Outcome
from node.api_client import ApiClient
from node.app import Node
from node.clock import SystemRandom
from node.errors import NodeError
from node.passport import drafts
from node.passport.bodies import ShipmentBody
from node.passport.boxes import BoxCode, parse_code
from node.passport.ids import SubjectId, format_device_id, parse_device_id
from node.services.boxes import TRIES_A_DAY, MadeBox
from node.services.shipments import Why
from node.store.peers import list_peers
from tests.integration.test_canaries import made, network
from tests.integration.test_one_loop import alone
from tests.integration.test_shipments import has, meters, owned_by, stands, told
from tests.loops import running, soon, started, until
from tests.secrets import search

__all__ = ["alone"]

pytestmark = pytest.mark.slow
INNS = {"utility": "inn:0000000040", "service": "inn:0000000064"}
TRIES = 1_000


async def attested(maker: Node, *others: Node) -> None:
    """Let the maker make others members, and wait until everybody knows."""
    for other, number in zip(others, INNS.values(), strict=False):
        await maker.membership.attesting.attest(other.core.org, Attested.NUMBER, (number,), "test")
    worlds = [node.projection for node in (maker, *others)]
    orgs = [other.core.org for other in others]
    await soon(lambda: all(one.world.standings.of(org).standing.is_member for one in worlds for org in orgs))


async def code_of(act: Awaitable[object]) -> str:
    """The code of the problem with which something is refused."""
    try:
        await act
    except NodeError as error:
        return error.code
    raise AssertionError("it was not refused")


def named(device: bytes) -> str:
    """The id that stands on a device's label."""
    return format_device_id(SubjectId(device))


async def asked_of(node: Node, other: Node) -> PeerClient:
    """How a node asks another."""
    async with node.core.database.read() as tx:
        (peer,) = [peer for peer in await list_peers(tx) if peer.node == other.core.node]
    return node.sync.client(peer.address)


async def tried(client: PeerClient, node: Node, seller: Node, box: MadeBox, code: BoxCode | None = None) -> Outcome:
    """What a seller's node says to a claim for a device of a box, with some code that nobody has."""
    code = code or BoxCode(SystemRandom().bytes(16))
    claim = Claim.signed("id", box.devices[0].hex(), code.key, seller.core.org, node.core.org)
    return (await client.claim(claim)).outcome


async def test_box_is_claimed_by_who_holds_its_code(tmp_path: Path) -> None:
    """He is offered the devices, accepts them, and holds passports and keys; every other claim is told why not."""
    async with network(tmp_path, "utility", "service") as nodes:
        maker, utility, service = nodes.values()
        devices = await meters(maker, 8)
        listed = [f"{named(device)}\tк{n // 2}" for n, device in enumerate(devices)]
        async with ApiClient(maker.folder.path) as there, ApiClient(utility.folder.path) as here:
            one, taken, sold, wanted = boxes = (await there.post("/boxes", {"number": "ТТН-7", "devices": listed}))[
                "items"
            ]
            sheets = await there.post(
                "/boxes/sheets", {"items": [{k: box[k] for k in ("id", "code")} for box in boxes]}
            )
            scans = [zxingcpp.read_barcodes(page.render(scale=3).to_pil()) for page in pypdfium2.PdfDocument(sheets)]
            assert [found.text for page in scans for found in page] == [box["scan"] for box in boxes]
            assert [len(box["devices"]) for box in boxes] == [2, 2, 2, 2]
            assert await utility.assembly.titles(devices) == {}
            box = MadeBox(b"", "", parse_code(one["code"]), (devices[0],))
            assert await code_of(utility.box_claims.claim(one["scan"], "", "test")) == "not_a_member"
            with pytest.raises(RequestError, match="claimed by members"):
                await tried(await asked_of(utility, maker), utility, maker, box, box.code)
            await attested(maker, utility, service)

            claimed = await here.post("/boxes/claims", {"code": scans[0][0].text})
            shipment = parse_device_id(claimed["shipment"]).raw
            assert (claimed["seller"], claimed["here"]) == (maker.core.org.hex(), True)
            assert (await stands(utility, shipment, offered=2)).number == "ТТН-7/1"
            await here.post(f"/shipments/{claimed['shipment']}/acceptance", {})
            await stands(maker, shipment, accepted=2)
            await until(utility, lambda: has(utility, devices[:2]))
            await until(utility, lambda: owned_by(utility, devices[0], utility.core.org))
            rows = {row["number"]: row for row in (await there.get("/boxes"))["items"]}

        assert rows["ТТН-7/1"]["claimed_by"] == utility.core.org.hex()
        assert [rows[f"ТТН-7/{n}"]["state"] for n in (1, 2, 3, 4)] == ["claimed", "waiting", "waiting", "waiting"]
        code, device = one["code"], one["devices"][0]
        assert (await utility.box_claims.claim(code, device, "test")).shipment == shipment
        assert await code_of(service.box_claims.claim(code, device, "test")) == "box_claimed"
        assert [(row["answer"], row["number"]) for row in await told(maker, "box_refused")] == [("claimed", "ТТН-7/1")]
        assert [row["answer"] for row in await told(service, "box_asked")] == ["claimed"]

        box = MadeBox(b"", "", parse_code(wanted["code"]), (devices[6],))
        pair = [(await asked_of(node, maker), node) for node in (utility, service)]
        both = await asyncio.gather(*(tried(client, node, maker, box, box.code) for client, node in pair))
        assert sorted(both) == [Outcome.DONE, Outcome.CLAIMED]
        await maker.shipments.withdraw(parse_device_id(taken["id"]).raw, Why(), "test")
        await _sell_beside(maker, utility, devices[4:6])
        wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
        refusals = {
            "box_withdrawn": service.box_claims.claim(taken["scan"], "", "test"),
            "box_gone": service.box_claims.claim(sold["scan"], "", "test"),
            "box_mistyped": service.box_claims.claim(wrong, device, "test"),
            "box_no_device": service.box_claims.claim(code, "", "test"),
            "id_mistyped": service.box_claims.claim(code, device[:-1], "test"),
            "box_unknown": service.box_claims.claim(code, taken["devices"][0], "test"),
            "box_no_seller": service.box_claims.claim(code, named(bytes(16)), "test"),
            "box_own": maker.box_claims.claim(taken["scan"], "", "test"),
        }
        assert {code: await code_of(act) for code, act in refusals.items()} == {code: code for code in refusals}
        assert [row["answer"] for row in await told(service, "box_asked")] == [
            "unknown", "gone", "withdrawn", "claimed",
        ]  # fmt: skip


async def _sell_beside(maker: Node, buyer: Node, devices: list[bytes]) -> None:
    """Offer devices once more, as another node of the maker might that has not heard of the box yet."""
    body, now = ShipmentBody(number="ТТН-8", date="2026-05-01"), maker.core.clock.now()
    await maker.ledger.append([drafts.shipment(maker.registry.mint(), Verb.OFFER, buyer.core.org, devices, body, now)])


async def test_box_code_is_tried_a_thousand_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """After twenty wrong ones nothing is looked at until tomorrow, also after a restart; the true code works meanwhile
    for another member, and stands in clear nowhere at the seller.
    """
    monkeypatch.setenv("PASSPORT_FEDERATION__LIMITS__LOOKUPS_BURST", "5000")
    async with AsyncExitStack() as stack:
        utility = await stack.enter_async_context(running(tmp_path / "utility", "utility"))
        service = await stack.enter_async_context(running(tmp_path / "service", "service"))
        async with running(tmp_path / "maker", "maker") as maker:
            await maker.membership.attesting.found("Коробки", "test")
            await maker.membership.attesting.attest(maker.core.org, Attested.MAKER, (), "test")
            for node in (utility, service):
                await node.membership.join((await maker.membership.invite("test")).to_text(), "test")
            await attested(maker, utility, service)
            (box,) = await maker.boxes.make([[await made(maker)]], "ТТН-9", "test")
            client = await asked_of(utility, maker)
            outcomes: list[Outcome] = []
            for _ in range(TRIES // 20):
                outcomes += await asyncio.gather(*(tried(client, utility, maker, box) for _ in range(16 + 4)))

            assert [outcomes.count(one) for one in (Outcome.UNKNOWN, Outcome.LIMIT)] == [
                TRIES_A_DAY,
                TRIES - TRIES_A_DAY,
            ]
            assert await tried(client, utility, maker, box, box.code) is Outcome.LIMIT
            assert [len(await told(maker, what)) for what in ("box_wrong", "box_tries")] == [1, 1]
            assert (await maker.boxes.page(None, 10))[0].state == "waiting"
        away = service.box_claims.claim(box.code.text, named(box.devices[0]), "test")
        assert await code_of(away) == "box_silent"
        async with started(tmp_path / "maker") as maker:
            for node in (utility, service):
                await soon(lambda: maker.core.node in node.hub.nodes)  # noqa: B023 - awaited
            client = await asked_of(utility, maker)
            assert await tried(client, utility, maker, box, box.code) is Outcome.LIMIT
            claimed = await service.box_claims.claim(box.code.text, named(box.devices[0]), "test")
            assert (await stands(service, claimed.shipment, offered=1)).box == box.shipment
            journal = str([(row.what, row.detail) for row in await maker.journal.newest(limit=200)])
    groups = box.code.text.replace("-", "")[4:30]
    logged = capfd.readouterr()
    assert "log_opened" in logged.out
    assert groups not in journal + logged.out + logged.err
    secrets = {"raw": box.code.raw, "text": groups.encode(), "seed": bytes(box.code.key._key)}
    assert search([tmp_path / "maker"], secrets) == []
    assert search([tmp_path / "service"], secrets) == []
