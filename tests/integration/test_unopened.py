"""Meters that dealers pass on unopened: title by title, without keys, to a buyer to whom the maker seals them."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from federation.authority import Attested
from node.api_client import ApiClient
from node.app import Node
from node.errors import DeniedError
from node.passport.bodies import MandateBody
from node.passport.ids import SubjectId, format_device_id, parse_device_id
from node.passport.roles import PartyRole
from node.services.shipments import Why
from node.store.fragments import with_secret
from node.store.passports import read_titles
from tests.integration.test_canaries import network
from tests.integration.test_one_loop import alone
from tests.integration.test_shipments import DAMAGED, DAY, has, meters, owned_by, stands, told
from tests.loops import until
from tests.secrets import search

__all__ = ["alone"]

pytestmark = pytest.mark.slow
KEYS, FIRST_KEY = "root-keys", 0x9C3FE2714B08D65A13EF7740A1C2B3D0
NUMBERS = ("inn:0000000025", "inn:0000000040", "inn:0000000064")


async def titled(node: Node, devices: Sequence[bytes]) -> bool | None:
    """Whether the passports of these are here."""
    async with node.core.database.read() as tx:
        return True if (await read_titles(tx, devices)).keys() == set(devices) else None


async def has_keys(node: Node, devices: Sequence[bytes]) -> set[bytes]:
    """Those of some devices whose root keys a node can open."""
    async with node.core.database.read() as tx:
        return await with_secret(tx, devices, KEYS)


async def passed(seller: Node, buyer: Node, devices: Sequence[bytes], number: str, *, unopened: bool) -> bytes:
    """Sell devices to a buyer who accepts them all, and let both know it."""
    named = [format_device_id(SubjectId(device)) for device in devices]
    body = {"buyer": buyer.core.org.hex(), "number": number, "devices": named, "unopened": unopened}
    async with ApiClient(seller.folder.path) as api:
        answer = await api.post("/shipments", body)
    assert answer["unopened"] == len(devices) * unopened
    offer = parse_device_id(answer["id"]).raw
    await stands(buyer, offer, offered=len(devices))
    await buyer.shipments.accept(offer, "test")
    await stands(seller, offer, accepted=len(devices))
    await until(buyer, lambda: titled(buyer, devices))
    return offer


async def test_sealed_meters_go_over_two_dealers_to_a_buyer_who_gets_the_keys(tmp_path: Path) -> None:
    """Dealers hold titles and passports and never a key; what is sent back goes back as it was had."""
    async with network(tmp_path, "dealer", "shop", "utility") as nodes:
        maker, dealer, shop, utility = (nodes[name] for name in ("maker", "dealer", "shop", "utility"))
        for number, member in zip(NUMBERS, (dealer, shop, utility), strict=True):
            await maker.membership.attesting.attest(member.core.org, Attested.NUMBER, (number,), "test")
        devices = await meters(maker, 3, FIRST_KEY)
        first, second, third = devices

        bought = await passed(maker, dealer, devices, "ТТН-1", unopened=True)

        filed = await dealer.shipments.filed(bought)
        assert (filed.unopened, filed.keyed, await dealer.shipments.arrived(filed)) == (3, 0, (3, 0))
        with pytest.raises(DeniedError):
            await dealer.registry.ask_key(first, maker.core.org, "test")
        assert await told(dealer, "key_refused") == [{"of": maker.core.org.hex()}]
        assert await told(maker, "secret_refused") == [{"section": KEYS}]
        with pytest.raises(DeniedError):
            await dealer.mandates.appoint(PartyRole.ESCROW, shop.core.org, [first], MandateBody(), "test")

        onward = await passed(dealer, shop, [first, second], "ТТН-2", unopened=True)
        back = await shop.shipments.send_back(onward, DAMAGED, "В-1", DAY, "test", [second])
        await stands(dealer, back, offered=1)
        await dealer.shipments.accept(back, "test")
        await stands(shop, onward, accepted=1, returned=1)
        assert (await dealer.shipments.filed(back)).unopened == 1
        home = await dealer.shipments.send_back(bought, Why(DAMAGED.reason), "В-2", DAY, "test", [second, third])
        await stands(maker, home, offered=2)
        await maker.shipments.accept(home, "test")
        assert (await maker.shipments.filed(home)).unopened == 0
        for device in (second, third):
            await until(maker, partial(owned_by, maker, device, maker.core.org))
        await passed(maker, dealer, [second], "ТТН-5", unopened=True)

        sold = await passed(shop, utility, [first], "ТТН-3", unopened=False)
        await passed(dealer, utility, [second], "ТТН-4", unopened=False)

        assert (await utility.shipments.filed(sold)).keyed == 1
        await until(utility, lambda: has(utility, [first, second]))
        assert [await has_keys(node, devices) for node in (dealer, shop)] == [set(), set()]
    keys = {f"{number}": (FIRST_KEY + number).to_bytes(16) for number in range(3)}
    assert search([tmp_path / "dealer", tmp_path / "shop", tmp_path / "utility"], keys) == []
