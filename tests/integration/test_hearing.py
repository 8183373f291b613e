"""Frames of devices in service that come together: all become readings at once, but for those that need a look."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from drivers.registry import load_registry
from drivers.vega.betar import DESCRIPTOR as WATER
from drivers.vega.betar import BetarData
from drivers.vega.betar import encode_data as water_frame
from drivers.vega.spbzip import DESCRIPTOR as ENERGY
from drivers.vega.spbzip import SpbzipInfo, encode_info
from lora.identifiers import Eui
from lora.memory import MemoryDirectory
from lora.registration import Registration
from node.metrics import Metrics
from node.passport import drafts
from node.passport.bodies import AliasBody, Plate
from node.passport.claims import local_claim
from node.services.bridges import Bridges
from node.services.commissioning import Commissioning
from node.services.decoding import Decoder
from node.services.drivers import Drivers
from node.services.hearing import Hearing
from node.services.radio import Radio
from node.services.radio_records import Progress, show_progress
from node.services.readings import Readings
from node.store.radio import DeviceState, FrameState, StoredDevice, find_device, list_frames, put_device
from node.store.readings import Series
from tests.heard import accepted
from tests.unit.node_protocols.builders import Desk, new_desk

BEGIN_US = 1_790_000_000_000_000
HOUR_US = 3_600_000_000
VOLUME, IMPORT = Series(1, "volume"), Series(1, "energy_active_import")
WATER_EUIS = [bytes.fromhex(f"70b3d58ff101{n:04x}") for n in range(3)]
ENERGY_EUI = bytes.fromhex("70b3d58ff1020001")
SERIAL = 1_591_497


@dataclass
class House:
    """Three water meters and one of electricity, all in service."""

    desk: Desk
    radio: Radio
    commissioning: Commissioning
    readings: Readings
    subjects: dict[bytes, bytes] = field(default_factory=dict)

    async def take_in(self, dev_eui: bytes, serial: str, driver: str, version: str) -> None:
        """Put a meter into service."""
        claim = local_claim(self.desk.ledger.log.log, dev_eui * 2)
        subject = claim.subject.raw
        plate = Plate(designation="ВС-15", serial=serial)
        named = AliasBody(scheme="dev_eui", value=dev_eui.hex(), evidence="label")
        said = [drafts.identity(subject, claim.encode(), plate, BEGIN_US), drafts.alias(subject, named, BEGIN_US)]
        await self.desk.ledger.append(said)
        profile: dict[str, object] = {"driver": driver, "driver_version": version, "ports": []}
        progress = show_progress(Progress(Registration(Eui(dev_eui)), session=1, passed=1, said=True))
        async with self.desk.core.database.write() as tx:
            await put_device(tx, StoredDevice(dev_eui, subject, profile, b"", DeviceState.REGISTERED, progress))
        self.subjects[dev_eui] = subject

    async def hear(self, *heard: tuple[bytes, int, bytes]) -> None:
        """Frames that come together: of which device, in which hour, with which bytes."""
        units = [[accepted(eui, hour, payload, BEGIN_US + hour * HOUR_US)] for eui, hour, payload in heard]
        assert await self.radio.handle(units) == units

    async def told(self, dev_eui: bytes, series: Series) -> list[tuple[str, str]]:
        """The values of a series with their status."""
        found = dict(await self.readings.latest(self.subjects[dev_eui], 100)).get(series, [])
        return [(format(one.value.normalize(), "f"), one.status) for one in found]

    async def states(self, dev_eui: bytes) -> list[str]:
        """What became of its frames, oldest first."""
        async with self.desk.core.database.read() as tx:
            found = await list_frames(tx, dev_eui=dev_eui)
        return [frame.state.value for frame in reversed(found)]


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    """The meters of a house and the network that hears them."""
    async with new_desk(folder) as desk:
        database = desk.core.database
        readings, decoder = Readings(database), Decoder(Drivers(load_registry(), database), desk.core.clock)
        bridges, directory = Bridges(desk.core, desk.ledger, decoder), MemoryDirectory()
        commissioning = Commissioning(desk.core, desk.ledger, desk.projection, readings, decoder, bridges, directory)
        radio = Radio(desk.core, Metrics(), commissioning, Hearing(database, decoder, readings), directory)
        found = House(desk, radio, commissioning, readings)
        for number, eui in enumerate(WATER_EUIS):
            await found.take_in(eui, f"{number:07}", WATER.id, WATER.version)
        await found.take_in(ENERGY_EUI, str(SERIAL), ENERGY.id, ENERGY.version)
        yield found


def at(hour: int) -> datetime:
    """When the meter says that it is."""
    return datetime.fromtimestamp((BEGIN_US + hour * HOUR_US) / 1e6, UTC)


def water(volume: int, hour: int) -> bytes:
    """A frame of a water meter."""
    return water_frame(BetarData(98, 20, at(hour), Decimal(volume)))


def energy(wh: int, hour: int, serial: int = SERIAL) -> bytes:
    """A frame of an electricity meter, with its serial or another's."""
    return encode_info(SpbzipInfo(serial, at(hour), date(2026, 1, 1), Decimal("1.2"), wh, 21))


async def test_frames_of_many_devices_become_readings_together(tmp_path: Path) -> None:
    """Two hours of three meters in one go: each has its own two values in their order, and its frames are decoded."""
    async with house(tmp_path) as here:
        heard = [(eui, hour, water(10 * n + hour, hour)) for hour in (1, 2) for n, eui in enumerate(WATER_EUIS)]

        await here.hear(*heard)

        for n, eui in enumerate(WATER_EUIS):
            assert await here.told(eui, VOLUME) == [(str(10 * n + 1), "ok"), (str(10 * n + 2), "ok")]
            assert await here.states(eui) == ["decoded", "decoded"]


async def test_counter_is_judged_by_what_came_just_before_it(tmp_path: Path) -> None:
    """A register that goes back is bad, within a batch, from batch to batch, and beside a frame that is late."""
    async with house(tmp_path) as here:
        eui = WATER_EUIS[0]

        await here.hear((eui, 2, water(20, 2)), (eui, 4, water(40, 4)), (eui, 5, water(39, 5)))
        await here.hear((eui, 6, water(41, 6)), (eui, 7, water(40, 7)))
        await here.hear((eui, 3, water(30, 3)), (eui, 8, water(42, 8)))

        statuses = {"20": "ok", "30": "ok", "40": "bad", "39": "bad", "41": "ok", "42": "ok"}
        told = await here.told(eui, VOLUME)
        assert [value for value, _ in told] == ["20", "30", "40", "39", "41", "40", "42"]
        assert told[2] == ("40", "ok")
        assert all(status == statuses[value] for value, status in told if value != "40")
        assert told[5] == ("40", "bad")


async def test_frame_of_another_meter_stops_its_device_and_all_later_frames_wait(tmp_path: Path) -> None:
    """The second of three frames names another serial: the first is read, the device stops, the last is nobody's; a
    neighbour in the same batch is read to its end.
    """
    async with house(tmp_path) as here:
        neighbour = WATER_EUIS[0]

        await here.hear(
            (ENERGY_EUI, 1, energy(1000, 1)),
            (ENERGY_EUI, 2, energy(2000, 2, serial=SERIAL + 1)),
            (neighbour, 2, water(2, 2)),
            (ENERGY_EUI, 3, energy(3000, 3)),
            (neighbour, 3, water(3, 3)),
        )

        assert len(await here.told(ENERGY_EUI, IMPORT)) == 1
        assert await here.states(ENERGY_EUI) == ["decoded", "unresolved", "unresolved"]
        assert await here.told(neighbour, VOLUME) == [("2", "ok"), ("3", "ok")]
        async with here.desk.core.database.read() as tx:
            device = await find_device(tx, ENERGY_EUI)
        assert device is not None
        assert device.state is DeviceState.STOPPED


async def test_device_that_is_stopped_or_retired_is_heard_no_more_at_once(tmp_path: Path) -> None:
    """What is kept in memory of a device in service is forgotten with its state: its next frame waits."""
    async with house(tmp_path) as here:
        eui = WATER_EUIS[1]
        await here.hear((eui, 1, water(1, 1)))
        async with here.desk.core.database.write() as tx:
            device = await find_device(tx, eui)
            assert device is not None
            await put_device(tx, replace(device, state=DeviceState.RETIRED))

        await here.hear((eui, 2, water(2, 2)))

        assert await here.told(eui, VOLUME) == [("1", "ok")]
        assert await here.states(eui) == ["decoded", "unresolved"]


async def test_frame_that_no_driver_reads_is_kept_beside_those_that_are_read(tmp_path: Path) -> None:
    """Garbage within a batch is undecoded and says why; the frames around it are read."""
    async with house(tmp_path) as here:
        eui = WATER_EUIS[2]

        await here.hear((eui, 1, water(1, 1)), (eui, 2, b"\xff\xff"), (eui, 3, water(3, 3)))

        assert await here.states(eui) == ["decoded", "undecoded", "decoded"]
        assert await here.told(eui, VOLUME) == [("1", "ok"), ("3", "ok")]
        async with here.desk.core.database.read() as tx:
            (frame,) = await list_frames(tx, dev_eui=eui, state=FrameState.UNDECODED)
        assert frame.detail["why"] == "frame"


async def test_devices_of_one_batch_are_no_more_than_their_batch(tmp_path: Path) -> None:
    """The same frames one by one say the same: values, states and reasons."""

    async def all_of(folder: Path, sizes: Sequence[int]) -> list[object]:
        async with house(folder) as here:
            heard = [(eui, hour, water(hour * 7 % 5 + hour, hour)) for hour in range(1, 9) for eui in WATER_EUIS]
            done = 0
            for size in sizes:
                await here.hear(*heard[done : done + size])
                done += size
            assert done == len(heard)
            return [(await here.told(eui, VOLUME), await here.states(eui)) for eui in WATER_EUIS]

    together = await all_of(tmp_path / "together", [24])
    assert together == await all_of(tmp_path / "one", [1] * 24)
    assert together == await all_of(tmp_path / "some", [5, 7, 12])
