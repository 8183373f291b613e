"""A laptop that takes of the maker only what it follows, over real ports: found there, followed, here in a moment."""

import asyncio
from pathlib import Path

import pytest

from federation.authority import Attested
from node.api_client import ApiClient
from node.app import Node
from node.demo.files import MARK, PRODUCTS, make_line
from node.passport import drafts
from node.passport.bodies import EventBody, Place, Plate, Reference
from node.passport.ids import SubjectId, format_device_id
from tests.integration.test_one_loop import alone, passport_at, passport_equal_to
from tests.loops import running, until

__all__ = ["alone"]

pytestmark = pytest.mark.slow

WATER = PRODUCTS[0]
WITHIN_S = 5.0  # far less than the time after which a peer is asked again without a notice


async def attest(maker: Node) -> None:
    """Let it be the maker of its line."""
    await maker.membership.attesting.attest(maker.core.org, Attested.MAKER, (), "test")
    line = make_line(WATER, "11" * 16, maker.core.org.hex())
    await maker.ledger.append([drafts.catalog(maker.core.org, "line", line.to_bytes(), maker.core.clock.now())])


async def record(node: Node, subject: bytes, note: str) -> None:
    """Something happened to a device."""
    what = EventBody(
        what=Reference(central="repaired"), where=Place(default=True), system="test", detail={"note": note}
    )
    await node.registry.record_event(subject, what, node.core.clock.now(), "test")


async def equal(maker: Node, laptop: Node, subject: bytes) -> None:
    """Wait until both show the same passport."""
    here = await passport_at(maker, subject)
    assert here is not None
    await until(laptop, lambda: passport_equal_to(here, laptop, subject))


async def test_device_that_is_found_at_a_peer_is_followed_and_comes_at_once(tmp_path: Path) -> None:
    """Nothing of the maker's devices comes until one is followed by what stands on it; then its news come by notices,
    and nothing of the others does.
    """
    async with running(tmp_path / "maker", "ООО «Завод»") as maker, running(tmp_path / "laptop", "Сервис") as laptop:
        await maker.membership.attesting.found("Обход", "test")
        await laptop.membership.join((await maker.membership.invite("test")).to_text(), "test")
        async with ApiClient(laptop.folder.path) as api:
            await api.post(f"/peers/{maker.core.node.hex()}/choice", {"only_followed": True})
            await attest(maker)
            plates = [
                Plate(
                    mark=MARK,
                    designation=WATER.designation,
                    serial=f"{n:08d}",
                    year="2025",
                    approvals=(WATER.approval,),
                )
                for n in (1, 2)
            ]
            mine, other = [await maker.registry.register_plate(plate, None, "test") for plate in plates]
            await maker.registry.share([mine, other], laptop.core.org, "test")
            for subject in (mine, other):
                await record(maker, subject, "before")

            (one,) = (await api.get("/lookup", q=f"{WATER.designation} № 00000001"))["items"]
            device = one["id"]
            assert one["source"] == maker.core.org.hex()
            assert device == format_device_id(SubjectId(mine))
            async with asyncio.timeout(WITHIN_S):
                assert (await api.post("/followed", {"devices": [device]}))["new"] == 1
                await equal(maker, laptop, mine)
                await record(maker, other, "of the other")
                await record(maker, mine, "after")
                await equal(maker, laptop, mine)

            assert await passport_at(laptop, other) is None
            (peer,) = (await api.get("/peers"))["items"]
            assert (peer["only_followed"], peer["trouble"]) == (True, None)
        async with ApiClient(maker.folder.path) as api:
            (peer,) = (await api.get("/peers"))["items"]
            assert (peer["only_followed"], peer["follows"]) == (False, 1)
