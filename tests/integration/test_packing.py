"""The packing list between nodes of one loop: read before the passports come, answered by, and held against them."""

from pathlib import Path

import pypdfium2
import pytest

from federation.authority import Verb
from node.api_client import ApiClient, ApiError
from node.app import Node
from node.errors import InputError, NotFoundError, StateError
from node.passport import drafts
from node.passport.bodies import ShipmentBody
from node.passport.ids import SubjectId
from node.passport.packing import Packed, with_lists
from node.passport.shipments import NewPart
from tests.integration.test_canaries import PLATE, network
from tests.integration.test_one_loop import alone
from tests.integration.test_shipments import DAMAGED, DAY, has, meters, stands
from tests.loops import until

__all__ = ["alone"]

pytestmark = pytest.mark.slow
NAME = PLATE.designation


async def lines(node: Node, shipment: bytes, text: str = "") -> dict[bytes, Packed]:
    """What the list of a shipment says at a node, of devices on which a text is printed."""
    return {one.device: one.line for one in await node.shipments.devices(shipment, text=text)}


async def test_storekeeper_reads_serials_and_answers_by_them_before_passports_come(tmp_path: Path) -> None:
    """The list comes with the offer: it is searched, printed and answered by; the buyer's return has his own."""
    async with network(tmp_path, "utility") as nodes:
        maker, utility = nodes["maker"], nodes["utility"]
        one, two, three = devices = await meters(maker, 3)
        places = {one: "К-1", two: "К-1"}
        offer = await maker.shipments.offer(devices, utility.core.org, "ТТН-1", DAY, "test", places=places)
        await stands(utility, offer, offered=3)

        listed = {device: Packed(NAME, f"{n:08d}", places.get(device, "")) for n, device in enumerate(devices, 1)}
        assert await lines(utility, offer) == await lines(maker, offer) == listed
        assert await utility.assembly.titles(devices) == {}
        assert [*await lines(utility, offer, "0003")] == [three]
        assert await lines(utility, offer, "4") == {}
        path, named = f"/shipments/{SubjectId(offer)}", utility.packing_lists.named
        asked = ["№ 00000001", f"{NAME} № 00000002", f"https://works.example/d/{SubjectId(three)}"]
        assert await named(offer, asked) == devices
        for wrong in ("00000009", f"{NAME}х № 00000001", "EPP1-0000"):
            with pytest.raises(InputError):
                await named(offer, [wrong])
        with pytest.raises(NotFoundError):
            await named(one, ["00000001"])

        async with ApiClient(utility.folder.path) as api:
            (row,) = (await api.get(f"{path}/devices", q="00000002"))["items"]
            assert (row["id"], row["title"]) == (str(SubjectId(two)), None)
            assert [row[name] for name in ("name", "serial", "place", "differs")] == [NAME, "00000002", "К-1", False]
            table = str(await api.get(f"{path}/devices", format="csv"), "utf-8-sig")
            assert all(f'"{NAME}";"{line.serial}";"{line.place}"' in table for line in listed.values())
            pdf = await api.download(f"{path}/packing-list")
            with pytest.raises(ApiError) as caught:
                await api.post(f"{path}/acceptance", {"devices": ["00000009"]})
            assert caught.value.code == "shipment_not_in_it"
            await api.post(f"{path}/acceptance", {"devices": ["00000001", f"{NAME} № 00000002"]})
            await api.post(f"{path}/refusal", {"devices": ["00000003"], "reason": "damaged"})
        page = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_bounded()
        assert all(text in page for text in ("ТТН-1", "00000001", "00000002", "00000003", "К-1", NAME))
        await stands(maker, offer, accepted=2, refused=1)
        await until(utility, lambda: has(utility, [one, two]))
        assert not any(row.differs for row in await utility.shipments.devices(offer))

        back = await utility.shipments.send_back(offer, DAMAGED, "В-1", DAY, "test", [two])
        await stands(maker, back, offered=1)
        assert await lines(maker, back) == {two: Packed(NAME, "00000002")}
        await utility.shipments.withdraw(back, DAMAGED, "test")
        with pytest.raises(StateError):
            await utility.packing_lists.paper(back, 1, 1000)


async def test_list_that_differs_from_the_passport_is_flagged_once_that_is_here(tmp_path: Path) -> None:
    """A seller that lists another serial, one that lists nothing and one whose list is torn: the offers stand alike."""
    async with network(tmp_path, "utility") as nodes:
        maker, utility = nodes["maker"], nodes["utility"]
        devices = await meters(maker, 3)
        ((_, wrong),) = with_lists([NewPart((devices[0],), (), has_keys=True)], {devices[0]: Packed(NAME, "77777777")})
        subjects = [bytes([n]) * 16 for n in range(1, 4)]
        body, now = ShipmentBody(number="ТТН-2", date=DAY, keys=True), maker.core.clock.now()
        await maker.ledger.append(
            [
                drafts.shipment(subject, Verb.OFFER, utility.core.org, [device], body, now, packing=packing)
                for subject, device, packing in zip(subjects, devices, (wrong, b"", b'{"serials":['), strict=True)
            ]
        )
        for subject in subjects:
            await stands(utility, subject, offered=1)
        before = [await utility.shipments.devices(subject) for subject in subjects]
        assert [(row.line.serial, row.differs) for (row,) in before] == [("77777777", False), ("", False), ("", False)]

        for subject in subjects:
            await utility.shipments.accept(subject, "test")
        await until(utility, lambda: has(utility, devices))

        after = [await utility.shipments.devices(subject) for subject in subjects]
        assert [row.differs for (row,) in after] == [True, False, False]
        assert await utility.packing_lists.named(subjects[0], ["77777777"]) == [devices[0]]
        assert await utility.packing_lists.named(subjects[1], ["00000002"]) == [devices[1]]
