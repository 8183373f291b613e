"""Nodes as objects: several live in one event loop, each with its own folder, keys, store and ports."""

import asyncio
from pathlib import Path
from typing import TypeVar

import pytest

from node.api_client import ApiClient
from node.app import Node
from node.clock import SystemClock, SystemRandom
from node.errors import NotFoundError
from node.passport.bodies import Plate
from node.passport.ids import SubjectId, format_device_id
from tests.loops import running, until
from tests.nodes import ALONE

pytestmark = pytest.mark.slow

PLATE = Plate(mark="ДЕМО", designation="ВС-15Д", serial="00000001", year="2025")
Json = dict[str, object]
Found = TypeVar("Found")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes of other tests are not met."""
    for name, value in ALONE.items():
        monkeypatch.setenv(name, value)


async def passport_at(node: Node, subject: bytes) -> Json | None:
    """A passport as the node's API answers it."""
    try:
        await node.registry.get(subject)
    except NotFoundError:
        return None
    async with ApiClient(node.folder.path) as api:
        answer: Json = await api.get(f"/passports/{format_device_id(SubjectId(subject))}")
    return answer


async def passport_equal_to(other: Json | None, node: Node, subject: bytes) -> Json | None:
    """The node's passport once it has the digest of another's: what was shared comes in several exchanges."""
    found = await passport_at(node, subject)
    return found if found and other and found["digest"] == other["digest"] else None


async def findings(folder: Path) -> list[str]:
    """What a check finds in the store of a node that has ended: its folder is free again."""
    node = Node(folder, SystemClock(), SystemRandom())
    with node.folder.locked():
        found = [str(finding) async for step in node.fsck.run() for finding in step.findings]
        await node.core.database.close()
    return found


async def test_two_nodes_live_in_one_event_loop(tmp_path: Path) -> None:
    """One invites, the other joins and reads what is shared with it; each ends and leaves nothing running."""
    before = asyncio.all_tasks()
    async with running(tmp_path / "maker", "ООО «Завод»") as maker:
        async with running(tmp_path / "utility", "МУП «Водоканал»") as utility:
            genesis = await maker.membership.attesting.found("Одна петля", "test")
            joined = await utility.membership.join((await maker.membership.invite("test")).to_text(), "test")
            subject = await maker.registry.register_plate(PLATE, None, "test")
            assert await passport_at(utility, subject) is None
            await maker.registry.share([subject], utility.core.org, "test")

            here = await passport_at(maker, subject)
            await until(utility, lambda: passport_equal_to(here, utility, subject))

            assert here is not None
            assert joined.id == genesis.id
            assert maker.ledger.log.log != utility.ledger.log.log
        async with ApiClient(maker.folder.path) as api:
            assert (await api.get("/node"))["org"] == maker.core.org.hex()
    assert asyncio.all_tasks() == before
    assert [await findings(tmp_path / name) for name in ("maker", "utility")] == [[], []]
