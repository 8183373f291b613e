"""A shipment that goes through a dealer's node, between a maker and a buyer whose nodes never meet."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import update

from federation.authority import Attested
from federation.codec import pack
from federation.keys import key_id, seal
from node.api_client import ApiClient
from node.app import Node
from node.errors import DeniedError, InputError
from node.passport.ids import SubjectId, format_device_id, parse_device_id
from node.passport.shipments import Reason
from node.services.seals import newest_box_key
from node.services.shipments import Why
from node.store import schema
from node.store.fragments import SEALED, STORED, entries_about
from tests.integration.test_dealers import KEYS, keyed
from tests.integration.test_one_loop import alone
from tests.integration.test_shipments import DAY, has, meters, stands, told
from tests.loops import running, started, until
from tests.secrets import search

__all__ = ["alone"]

pytestmark = pytest.mark.slow
FIRST_KEY = 0xB71C05E49A3D6F82C4E8900D5B6A7F13


@asynccontextmanager
async def apart(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Node, Node]]:
    """A dealer whom others reach, with a federation of its own, and a utility that only dials out."""
    async with running(folder / "dealer", "dealer") as dealer:
        await dealer.membership.attesting.found("Дилеры", "test")
        monkeypatch.setenv("PASSPORT_FEDERATION__DIAL_OUT_ONLY", "true")
        async with member(dealer, folder, "utility", Attested.NUMBER, "inn:0000000040") as utility:
            yield dealer, utility


@asynccontextmanager
async def member(dealer: Node, folder: Path, name: str, what: Attested, *rows: str) -> AsyncIterator[Node]:
    """A member of the dealer's federation."""
    async with running(folder / name, name) as node:
        await node.membership.join((await dealer.membership.invite("test")).to_text(), "test")
        await dealer.membership.attesting.attest(node.core.org, what, rows, "test")
        yield node


async def forms(node: Node, device: bytes) -> list[int]:
    """How a node keeps the root keys of a device."""
    async with node.core.database.read() as tx:
        found = await entries_about(tx, [device])
    return [section.form for entry in found for section in entry.sections if section.name == KEYS]


async def carries(node: Node, devices: list[bytes]) -> bool | None:
    """Whether a node has the keys of all these, sealed to somebody else."""
    return True if all([await forms(node, device) == [SEALED] for device in devices]) else None


async def known(node: Node, org: bytes) -> bool | None:
    """Whether a node knows to what it can seal for an organisation."""
    async with node.core.database.read() as tx:
        return True if await newest_box_key(tx, org) is not None else None


async def blamed(node: Node) -> bool | None:
    """Whether a node noted that something was swapped."""
    return True if await told(node, "sealed_swapped") else None


async def attested(node: Node) -> bool | None:
    """Whether a node knows that it is a maker."""
    return True if node.projection.world.attestations.is_maker(node.core.org, node.core.clock.now()) else None


async def swap(dealer: Node, utility: Node, device: bytes) -> None:
    """Put a key of one's own in place of the one that is carried, sealed to the same box."""
    entry, box_key = await keyed(dealer, device), utility.core.keystore.box_keys()[0].public
    rubbish = pack([1, key_id(box_key), seal(box_key, b"\x00" * 80)])
    table = schema.sections
    own = (table.c.log_no == entry.log_no, table.c.seq == entry.seq, table.c.name == KEYS)
    async with dealer.core.database.write() as tx:
        await tx.run(update(table).where(*own).values(data=rubbish))


async def offered(maker: Node, utility: Node, dealer: Node, devices: list[bytes]) -> bytes:
    """An offer through the dealer's node, as a system of the maker asks for it."""
    body = {"buyer": utility.core.org.hex(), "number": "ТТН-1", "via": dealer.core.org.hex()}
    async with ApiClient(maker.folder.path) as api:
        answer = await api.post(
            "/shipments", {**body, "devices": [format_device_id(SubjectId(one)) for one in devices]}
        )
    assert (answer["direction"], answer["via"]) == ("out", dealer.core.org.hex())
    return parse_device_id(answer["id"]).raw


async def test_keys_reach_the_buyer_through_a_dealer_who_cannot_read_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Passports and keys come while the maker is away, whom the buyer never meets; a swapped key names the dealer."""
    async with apart(tmp_path, monkeypatch) as (dealer, utility):
        async with member(dealer, tmp_path, "maker", Attested.MAKER) as maker:
            await until(maker, lambda: known(maker, utility.core.org))
            await until(maker, lambda: attested(maker))
            devices = await meters(maker, 3, FIRST_KEY)
            one, swapped, dented = devices
            for wrong in (maker, utility):
                with pytest.raises(InputError):
                    await maker.shipments.offer([one], utility.core.org, "1", DAY, "test", via=wrong.core.org)
            offer = await offered(maker, utility, dealer, devices)
            await stands(utility, offer, offered=3)
            await until(dealer, lambda: carries(dealer, devices))
            async with ApiClient(dealer.folder.path) as api:
                (row,) = (await api.get("/shipments", direction="via"))["items"]
            assert await told(dealer, "shipment_carried") == [{"count": 3, "number": "ТТН-1"}]
            assert (row["direction"], row["count"], row["passports"], row["keys"]) == ("via", 3, 3, 3)
            with pytest.raises(DeniedError):
                await dealer.registry.ask_key(one, maker.core.org, "test")
            assert await told(maker, "secret_refused") == [{"section": KEYS}]
            assert await told(dealer, "key_refused") == [{"of": maker.core.org.hex()}]
            await utility.shipments.refuse(offer, Why(Reason.DAMAGED, "вмятина"), "test", [dented])
            await stands(maker, offer, refused=1, offered=2)
            assert [row["note"] for row in await told(maker, "shipment_declined")] == ["вмятина"]
        await swap(dealer, utility, swapped)

        await utility.shipments.accept(offer, "test")

        await until(utility, lambda: has(utility, [one]))
        await until(utility, lambda: blamed(utility))
        rows = [row for row in await utility.journal.newest(limit=200) if row.what == "sealed_swapped"]
        assert {(row.org, row.subject) for row in rows} == {(dealer.core.org, swapped)}
        assert [await forms(utility, device) for device in devices] == [[STORED], [], []]
        assert {peer.org for peer in await utility.peering.peers()} == {dealer.core.org}
        async with started(tmp_path / "maker") as maker:
            await stands(maker, offer, accepted=2, refused=1)
    keys = {f"{number}": (FIRST_KEY + number).to_bytes(16) for number in range(3)}
    assert search([tmp_path / "dealer", tmp_path / "utility"], keys) == []
