"""Meters behind a radio bridge: their telegrams are read into their own passports, by their own keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from drivers.registry import load_registry
from drivers.wmbus.link import SND_NR, Form, encode_link
from lora.identifiers import Eui
from lora.memory import MemoryDirectory
from lora.registration import Registration
from node.errors import NotFoundError, StateError
from node.passport import drafts
from node.passport.bodies import AliasBody
from node.services.bridges import Bridges
from node.services.commissioning import Commissioning
from node.services.decoding import Decoder
from node.services.drivers import Drivers
from node.services.jobs import Jobs
from node.services.radio_records import Progress, show_progress
from node.services.readings import Readings
from node.services.redecoding import Redecoding
from node.store.radio import DeviceState, FrameState, StoredDevice, StoredFrame, insert_frame, list_frames, put_device
from tests import wireless
from tests.unit.node_protocols.builders import Desk, new_desk

DEV_EUI = bytes.fromhex("70b3d58ff1010001")
BEGIN_US = 1_790_000_000_000_000
KEY = bytes(range(16))
METER = "KAM-12345678"
ACTOR = "local"


@dataclass
class House:
    """A node with a registered bridge and a meter whose passport is here."""

    desk: Desk
    bridges: Bridges
    commissioning: Commissioning
    readings: Readings
    redecoding: Redecoding
    meter: bytes
    sent: int = 0

    async def hear(self, *uplinks: tuple[int, bytes]) -> None:
        """The bridge sends uplinks, one after another."""
        for port, payload in uplinks:
            self.sent += 1
            at = BEGIN_US + self.sent * 60_000_000
            phy = self.sent.to_bytes(20, "big")
            frame = StoredFrame(at, "uplink", phy, FrameState.UNRESOLVED, DEV_EUI, 1, port, self.sent, payload)
            (decoding,) = await self.commissioning.decode([frame])
            async with self.desk.core.database.write() as tx:
                await self.commissioning.heard(tx, replace(frame, id=await insert_frame(tx, frame)), decoding)

    async def volumes(self) -> list[str]:
        """The volumes that stand in the meter's passport."""
        found = await self.readings.latest(self.meter, 100)
        return [
            format(one.value.normalize(), "f")
            for series, rows in found
            if (series.quantity, series.storage) == ("volume", "current")
            for one in rows
        ]

    async def states(self) -> list[tuple[str, object]]:
        """What became of the frames, oldest first, and why."""
        async with self.desk.core.database.read() as tx:
            found = await list_frames(tx, dev_eui=DEV_EUI)
        return [(frame.state.value, frame.detail.get("why")) for frame in reversed(found)]


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    """A bridge in service, and a meter that is not named yet."""
    async with new_desk(folder) as desk:
        core, readings = desk.core, Readings(desk.core.database)
        drivers = Drivers(load_registry(), core.database)
        decoder = Decoder(drivers, core.clock)
        bridges = Bridges(core, desk.ledger, decoder)
        commissioning = Commissioning(core, desk.ledger, desk.projection, readings, decoder, bridges, MemoryDirectory())
        redecoding = Redecoding(core, Jobs(core), drivers, decoder, commissioning, readings)
        bridge, meter = await desk.device("0000001"), await desk.device("0012345")
        alias = AliasBody(scheme="dev_eui", value=DEV_EUI.hex(), evidence="label")
        await desk.ledger.append([drafts.alias(bridge, alias, BEGIN_US)])
        profile: dict[str, object] = {"driver": "lobaro-wmbus-bridge", "driver_version": "1.0.0", "ports": []}
        progress = show_progress(Progress(Registration(Eui(DEV_EUI)), session=1, passed=1, said=True))
        async with core.database.write() as tx:
            await put_device(tx, StoredDevice(DEV_EUI, bridge, profile, b"", DeviceState.REGISTERED, progress))
        yield House(desk, bridges, commissioning, readings, redecoding, meter)


def parts(telegram: bytes, count: int) -> list[tuple[int, bytes]]:
    """A telegram as the bridge sends it in so many uplinks."""
    size = -(-len(telegram) // count)
    pieces = [telegram[at : at + size] for at in range(0, len(telegram), size)]
    return [(10 * (at + 1) + len(pieces), piece) for at, piece in enumerate(pieces)]


@pytest.mark.parametrize("count", [1, 2, 4])
async def test_encrypted_telegram_is_read_into_the_meter_s_passport_by_its_key(tmp_path: Path, count: int) -> None:
    """Over one uplink or several; every frame counts as read, and the bridge's own passport gets nothing of it."""
    async with house(tmp_path) as here:
        await here.bridges.state(here.meter, METER, KEY, ACTOR)

        await here.hear(*parts(wireless.mode_5(), count))

        assert await here.states() == [("decoded", None)] * count
        assert await here.volumes() == ["1.234"]


async def test_telegram_waits_for_the_passport_and_for_the_key(tmp_path: Path) -> None:
    """Nothing is stored before; the name lets it be asked for its key, the key lets it be read, each by itself."""
    async with house(tmp_path) as here:
        await here.hear(*parts(wireless.mode_5(), 2))
        assert await here.states() == [("decoded", None), ("undecoded", "no-passport")]

        await here.bridges.state(here.meter, METER, None, ACTOR)
        assert await here.redecoding.try_undecoded() == 0
        assert await here.states() == [("decoded", None), ("undecoded", "missing-key")]
        await here.bridges.state(here.meter, METER, KEY, ACTOR)
        assert await here.redecoding.try_undecoded() == 1

        assert await here.states() == [("decoded", None)] * 2
        assert await here.volumes() == ["1.234"]
        assert await here.redecoding.try_undecoded() == 0


@pytest.mark.parametrize(
    ("telegram", "key", "why"),
    [
        (wireless.mode_5(), bytes(range(1, 17)), "wrong-key"),
        (wireless.plain(), KEY, "unprotected"),
        (wireless.mode_5()[:-3], KEY, "frame"),
        (bytes(40), KEY, "frame"),
    ],
)
async def test_telegram_that_is_none_is_kept_with_its_reason(
    tmp_path: Path, telegram: bytes, key: bytes, why: str
) -> None:
    """A wrong key, one in clear of a meter with a key, a cut one, none at all: no value stands."""
    async with house(tmp_path) as here:
        await here.bridges.state(here.meter, METER, key, ACTOR)
        await here.hear((11, telegram))

        assert await here.states() == [("undecoded", why)]
        assert await here.volumes() == []


async def test_lost_part_costs_its_telegram_alone(tmp_path: Path) -> None:
    """The parts after it are told to be of no telegram; the next telegram is read."""
    async with house(tmp_path) as here:
        await here.bridges.state(here.meter, METER, KEY, ACTOR)
        first, _, last = parts(wireless.mode_5(), 3)
        await here.hear(first)
        here.sent += 1  # the second part was not heard
        await here.hear(last, *parts(wireless.mode_5(), 2))

        assert [state for state, _ in await here.states()] == ["decoded", "undecoded", "decoded", "decoded"]
        assert await here.volumes() == ["1.234"]


async def test_bridge_s_own_status_is_its_own_and_a_plain_meter_needs_no_key(tmp_path: Path) -> None:
    """Battery and temperature go to the bridge; a telegram in clear of a meter without a key is read."""
    async with house(tmp_path) as here:
        await here.bridges.state(here.meter, METER, None, ACTOR)
        await here.hear((1, bytes.fromhex("0206030a0ef0000f")), (11, wireless.plain(form=Form.BARE)))

        assert await here.states() == [("decoded", None)] * 2
        assert await here.volumes() == ["1.234"]
        (device,) = await here.commissioning.devices()
        assert [one.quantity for one, _ in await here.readings.series(device.subject)] == [
            "battery_voltage", "temperature",
        ]  # fmt: skip


async def test_name_of_a_meter_is_one_passport_s(tmp_path: Path) -> None:
    """A second passport is refused the name, and a thing that is not here any."""
    async with house(tmp_path) as here:
        await here.bridges.state(here.meter, METER, None, ACTOR)

        with pytest.raises(StateError, match="another passport"):
            await here.bridges.state(await here.desk.device("0099999"), METER, KEY, ACTOR)
        with pytest.raises(NotFoundError):
            await here.bridges.state(bytes(16), "KAM-00000001", None, ACTOR)


async def test_compact_frame_waits_for_the_full_one_of_its_format(tmp_path: Path) -> None:
    """Its values have no headers: once a full frame told them, it is read by itself, and those after it at once."""
    async with house(tmp_path) as here:
        await here.bridges.state(here.meter, METER, None, ACTOR)
        await here.hear((11, encode_link(SND_NR, wireless.METER, wireless.compact())))
        assert await here.states() == [("undecoded", "unknown-format")]

        await here.hear((11, wireless.plain()))
        assert await here.redecoding.try_undecoded() == 1
        await here.hear((11, encode_link(SND_NR, wireless.METER, wireless.compact())))

        assert await here.states() == [("decoded", None)] * 3
        assert set(await here.volumes()) == {"1.234"}
