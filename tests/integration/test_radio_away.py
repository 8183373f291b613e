"""The node's radio over a store that is full, and over one with a damaged row: what waits and what is set aside."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import literal_column, select, text, update
from sqlalchemy.exc import OperationalError

from drivers.registry import load_registry
from lora.events import DownlinkScheduled, Event, JoinRefused, Refusal
from lora.identifiers import Eui
from lora.memory import MemoryDirectory
from lora.radio import Reception
from node.metrics import Metrics
from node.services.bridges import Bridges
from node.services.commissioning import Commissioning
from node.services.decoding import Decoder
from node.services.drivers import Drivers
from node.services.hearing import Hearing
from node.services.radio import Radio
from node.services.readings import Readings
from node.store import schema
from node.store.radio import DeviceState, StoredDevice, list_frames, put_device
from tests.fakes import FakeClock
from tests.unit.lora.builders import GATEWAYS, START_US, World, heard_of, make_device, make_heard, make_meter
from tests.unit.lora.live import DEADLINE_S, wires
from tests.unit.node_protocols.builders import Desk, new_desk

STEP_S = 0.05
DAMAGED, SOUND = Eui(bytes.fromhex("70b3d58ff1010001")), Eui(bytes.fromhex("70b3d58ff1010002"))


@asynccontextmanager
async def network(folder: Path) -> AsyncIterator[tuple[Desk, Radio, Metrics]]:
    """A node's radio service with two devices."""
    async with new_desk(folder) as desk:
        directory, metrics, readings = MemoryDirectory(), Metrics(), Readings(desk.core.database)
        drivers = Drivers(load_registry(), desk.core.database)
        decoder = Decoder(drivers, desk.core.clock)
        bridges = Bridges(desk.core, desk.ledger, decoder)
        commissioning = Commissioning(desk.core, desk.ledger, desk.projection, readings, decoder, bridges, directory)
        async with desk.core.database.write() as tx:
            for eui in (DAMAGED, SOUND):
                await put_device(tx, StoredDevice(eui.raw, eui.raw * 2, {}, b"", DeviceState.WAITING, {}))
        yield (
            desk,
            Radio(desk.core, metrics, commissioning, Hearing(desk.core.database, decoder, readings), directory),
            metrics,
        )


def refused(eui: Eui, nonce: int) -> list[Event]:
    """What the server says of a join request with a wrong key."""
    reception = Reception(GATEWAYS[0], make_heard(bytes([nonce]) * 23), START_US)
    return [JoinRefused(Refusal.BROKEN_MIC, "the MIC is wrong", eui, eui, nonce, (reception,), START_US + nonce)]


async def stored(desk: Desk) -> list[int]:
    """DevNonces of the joins that stand."""
    async with desk.core.database.read() as tx:
        return sorted(
            int(str(frame.detail["dev_nonce"])) for frame in await list_frames(tx, dev_eui=None, before=0, limit=1000)
        )


async def test_frame_that_the_store_does_not_take_is_set_aside_alone(tmp_path: Path) -> None:
    """One device's row is damaged: its frame is logged and counted; those before and after it in the batch stand."""
    async with network(tmp_path) as (desk, radio, metrics):
        async with desk.core.database.write() as tx:
            table = schema.radio_devices
            await tx.run(update(table).where(table.c.dev_eui == DAMAGED.raw).values(registration="{"))

        units = [refused(SOUND, 1), refused(DAMAGED, 2), refused(SOUND, 3)]
        taken = await radio.handle(units)

        assert taken == [units[0], units[2]]
        assert await stored(desk) == [1, 3]
        assert b'passport_lora_set_aside_total{what=""} 1.0' in metrics.text()


async def test_batch_waits_while_the_store_is_full(tmp_path: Path) -> None:
    """A full disk refuses the whole batch by its own name, nothing of it stands; with room again it is taken."""
    async with network(tmp_path) as (desk, radio, metrics):
        units = [refused(SOUND, nonce) for nonce in range(1, 200)]
        pages = await limit(desk)

        with pytest.raises(OperationalError, match="full"):
            await radio.handle(units)
        assert await stored(desk) == []

        await limit(desk, pages * 100)
        assert await radio.handle(units) == units
        assert b"set_aside" not in metrics.text()


async def test_answer_to_a_unit_that_was_set_aside_is_not_sent(tmp_path: Path) -> None:
    """A join that could not be stored leaves no downlink among what stands."""
    world, meter = World(make_device()), make_meter()
    joined = world.say(meter.join())
    assert any(isinstance(event, DownlinkScheduled) for event in joined)
    async with network(tmp_path) as (desk, radio, _):
        async with desk.core.database.write() as tx:
            await tx.run(update(schema.radio_devices).values(registration="{"))

        assert await radio.handle([joined]) == ()


async def test_network_outlives_a_store_that_was_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame that came while the store was full is stored once there is room, at the same port, with its answer."""
    monkeypatch.setenv("PASSPORT_RADIO__PORT", "0")
    async with network(tmp_path) as (desk, radio, metrics):
        await radio.allow(GATEWAYS[0], "roof", "test")
        address = await radio.open()
        pages = await limit(desk)
        running = asyncio.create_task(radio.run())
        async with wires(address) as (wire,):
            for nonce in range(200):
                wire.send(wire.gateway.push(heard_of(make_meter(dev_nonce=nonce).join()), 0))
            await until(desk, lambda: asyncio.to_thread(lambda: b"radio_failed_total" in metrics.text()))
            assert await stored(desk) == []

            await limit(desk, pages * 100)
            await until(desk, partial(has_stored, desk, 200))
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def has_stored(desk: Desk, count: int) -> bool:
    """Whether so many frames stand."""
    return len(await stored(desk)) == count


async def limit(desk: Desk, pages: int = 0) -> int:
    """Let the store grow to so many pages, 0 for no more than it has; answer how many that are."""
    async with desk.core.database.write() as tx:
        pages = pages or await tx.value(select(literal_column("page_count")).select_from(text("pragma_page_count")))
        await tx.run(text(f"PRAGMA max_page_count={pages}"))
    return pages


async def until(desk: Desk, condition: Callable[[], Awaitable[bool]]) -> None:
    """Let the node's time pass until a condition holds; fail at the deadline."""
    clock = desk.core.clock
    assert isinstance(clock, FakeClock)
    for _ in range(round(DEADLINE_S / STEP_S)):
        if await condition():
            return
        clock.move(STEP_S)
        await asyncio.sleep(STEP_S)
    raise AssertionError("not within the deadline")
