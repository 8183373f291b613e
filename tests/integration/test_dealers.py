"""Sealed sections out of other hands: swapped, or sealed to somebody else, before the true one comes."""

from pathlib import Path

import pytest

from federation.codec import pack
from federation.fragment import Fragment, Section
from federation.keys import BoxKey, key_id, seal
from federation.sync.messages import Placed
from node.app import Node
from node.services.counting import stored_header
from node.store.fragments import SEALED, StoredFragment, entries_about
from tests.integration.test_canaries import network
from tests.integration.test_one_loop import alone, passport_at
from tests.integration.test_shipments import DAY, has, meters, stands, told
from tests.loops import until

__all__ = ["alone"]

pytestmark = pytest.mark.slow
KEYS = "root-keys"


async def keyed(node: Node, device: bytes) -> StoredFragment:
    """The entry of a device that commits to its root keys."""
    async with node.core.database.read() as tx:
        for entry in await entries_about(tx, [device]):
            header = stored_header(entry)
            if header is not None and header.section(KEYS) is not None:
                return entry
    raise AssertionError("no entry commits to root keys")


async def test_sealed_section_gives_way_to_what_its_author_seals_anew_alone(tmp_path: Path) -> None:
    """What is carried for somebody else is kept as it came first; another hand than its author's replaces nothing."""
    async with network(tmp_path, "utility") as nodes:
        maker, utility = nodes["maker"], nodes["utility"]
        (device,) = await meters(maker, 1)
        await maker.registry.share([device], utility.core.org, "test")
        await until(utility, lambda: here(utility, device))
        entry, other = await keyed(utility, device), BoxKey.from_seed(b"\x05" * 32).public
        boxes = [pack([1, key_id(other), seal(other, bytes([n]) * 80)]) for n in range(3)]

        async def kept(box: bytes, giver: bytes) -> bytes:
            """What stands once somebody gave a box."""
            fragment = Fragment(entry.header, entry.signature, (Section(KEYS, None, box),))
            assert await utility.ingest.take_placed([Placed(entry.log, entry.seq, fragment)], giver)
            return next(one.data for one in (await keyed(utility, device)).sections if one.name == KEYS)

        assert await kept(boxes[0], b"\x07" * 16) == boxes[0]
        assert await kept(boxes[1], b"\x07" * 16) == boxes[0]
        assert await kept(boxes[2], maker.core.org) == boxes[2]


async def here(node: Node, device: bytes) -> bool | None:
    """Whether the passport of a device came."""
    return True if await passport_at(node, device) else None


async def test_sealed_section_that_was_swapped_is_named_and_bars_no_true_one(tmp_path: Path) -> None:
    """What was swapped is not stored, its giver stands in the journal, and the true key takes its place."""
    async with network(tmp_path, "utility") as nodes:
        maker, utility = nodes["maker"], nodes["utility"]
        (device,) = await meters(maker, 1)
        await maker.registry.share([device], utility.core.org, "test")
        await until(utility, lambda: here(utility, device))
        entry, dealer, own = await keyed(utility, device), b"\x07" * 16, utility.core.keystore.box_keys()[0].public
        foreign = BoxKey.from_seed(b"\x05" * 32).public

        async def give(box_key: bytes) -> None:
            box = pack([1, key_id(box_key), seal(box_key, b"\x00" * 80)])
            fragment = Fragment(entry.header, entry.signature, (Section(KEYS, None, box),))
            assert await utility.ingest.take_placed([Placed(entry.log, entry.seq, fragment)], dealer)

        await give(own)
        assert KEYS not in {section.name for section in (await keyed(utility, device)).sections}
        swapped = [row for row in await utility.journal.newest(limit=200) if row.what == "sealed_swapped"]
        assert [(row.org, row.detail["section"], row.detail["seq"]) for row in swapped] == [(dealer, KEYS, entry.seq)]

        await give(foreign)
        assert len(await told(utility, "sealed_swapped")) == 1
        offer = await maker.shipments.offer([device], utility.core.org, "ТТН-1", DAY, "test")
        await stands(utility, offer, offered=1)
        await utility.shipments.accept(offer, "test")
        await until(utility, lambda: has(utility, [device]))
        assert all(section.form != SEALED for section in (await keyed(utility, device)).sections)
