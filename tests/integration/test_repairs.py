"""Repairs with replaced parts over a real store: what the composition says of each part, and what is refused."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from node.errors import InputError
from node.passport.bodies import CompositionBody, EventBody, Place, Reference
from node.passport.drafts import composition
from node.passport.replacement import Part, Replacement
from node.passport.shown import at, rows
from node.passport.view import View, inside_on
from node.services.registry import Registry
from tests.builders import id16
from tests.unit.node_protocols.builders import Desk, new_desk, new_sync

EVENT = EventBody(what=Reference(central="repaired"), where=Place(place=Reference(local="цех")), system="console")


@asynccontextmanager
async def workshop(folder: Path) -> AsyncIterator[tuple[Desk, Registry, bytes]]:
    """A node, what says things on it, and a device."""
    async with new_desk(folder) as desk:
        registry = Registry(desk.core, desk.ledger, desk.projection, desk.ingest, new_sync(desk.core, desk.ingest))
        yield desk, registry, await desk.device("00012345")


def swap(removed: str, fitted: str, position: str = "плата") -> Replacement:
    return Replacement(position, Part("П-1", removed), Part("П-2", fitted))


def spans(view: View) -> list[tuple[object, ...]]:
    children = rows(view, "composition", "children")
    found = [(row["serial"], row["since"], row["until"], row["used"]) for row in children]
    return sorted(found, key=str)


async def test_repair_states_what_came_out_and_what_went_in(tmp_path: Path) -> None:
    """A part that nobody spoke of before was inside until the repair, since nobody knows when."""
    async with workshop(tmp_path) as (desk, registry, device):
        await registry.record_repair(device, EVENT, [swap("17", "18")], "2026-05-01T10:00:00Z", "test")

        view = await desk.view(device)
        assert at(view, "state", "code") == "repaired"
        assert at(view, "state", "note") == "not-admitted-until-verified"
        assert spans(view) == [
            ("17", None, "2026-05-01T10:00:00Z", True),
            ("18", "2026-05-01T10:00:00Z", None, True),
        ]
        assert [edge["serial"] for edge in inside_on(view, "2026-04-30")] == ["17"]
        assert [edge["serial"] for edge in inside_on(view, "2026-05-02")] == ["18"]
        assert at(view, "conflicts") == []


async def test_part_that_was_put_in_ends_when_it_comes_out(tmp_path: Path) -> None:
    """A second repair ends the edge of the first one, found by the serial however it is spelled; nothing is doubled."""
    async with workshop(tmp_path) as (desk, registry, device):
        await registry.record_repair(device, EVENT, [swap("A-17", "в-18")], "2026-05-01", "test")
        first = {row["serial"]: row["part"] for row in rows(await desk.view(device), "composition", "children")}

        await registry.record_repair(device, EVENT, [swap("№ B-18", "19")], "2026-05-20", "test")

        view = await desk.view(device)
        assert spans(view) == [
            ("19", "2026-05-20", None, True),
            ("A-17", None, "2026-05-01", True),
            ("в-18", "2026-05-01", "2026-05-20", True),
        ]
        parts = {row["serial"]: row["part"] for row in rows(view, "composition", "children")}
        assert {serial: parts[serial] for serial in first} == first
        assert at(view, "conflicts") == []
        assert at(view, "claims") == []


async def test_part_of_another_position_or_a_later_time_stays_inside(tmp_path: Path) -> None:
    """Only the part that stood in that position at that moment is ended."""
    async with workshop(tmp_path) as (desk, registry, device):
        for number, (position, since) in enumerate((("батарея", "2026-01-01"), ("плата", "2026-07-01"))):
            body = CompositionBody(position=position, since=since, serial="17")
            await desk.ledger.append([composition(id16(f"part {number}"), device, body, 0)])

        await registry.record_repair(device, EVENT, [swap("17", "18")], "2026-05-01", "test")

        assert spans(await desk.view(device)) == [
            ("17", "2026-01-01", None, True),
            ("17", "2026-07-01", None, True),
            ("17", None, "2026-05-01", True),
            ("18", "2026-05-01", None, True),
        ]


async def test_part_is_found_by_its_own_serial(tmp_path: Path) -> None:
    """A part has a passport that is called as the part is printed, and leads to the device that it stands in."""
    async with workshop(tmp_path) as (desk, registry, device):
        await registry.record_repair(device, EVENT, [swap("17", "18")], "2026-05-01", "test")
        part = next(
            row["part"] for row in rows(await desk.view(device), "composition", "children") if row["serial"] == "18"
        )

        view = await desk.view(bytes.fromhex(str(part)))

        assert at(view, "title") == "П-2 № 18"
        assert [row["whole"] for row in rows(view, "composition", "parents")] == [device.hex()]


async def test_one_part_in_and_out_is_refused(tmp_path: Path) -> None:
    """A replacement names two parts; one serial twice is refused and nothing is written."""
    async with workshop(tmp_path) as (desk, registry, device):
        before = await desk.state()

        with pytest.raises(InputError, match="17 came out and went in") as refused:
            await registry.record_repair(device, EVENT, [swap("17", "№ 17")], "2026-05-01", "test")

        assert refused.value.code == "part_same"
        assert await desk.state() == before
