"""Frames read again: those that no driver could read, and archives by a later version of their driver."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import delete

from drivers.context import NOTHING
from drivers.mapping import ANY, MappingRow
from drivers.opening import no_scripts
from drivers.reading import Decoded
from drivers.registry import load_registry
from lora.identifiers import Eui
from lora.memory import MemoryDirectory
from lora.registration import Registration
from node.errors import NotFoundError, StateError
from node.passport import drafts
from node.passport.bodies import AliasBody, ParameterRow, ParametersBody, Reference, TypeBody
from node.passport.view import moment_at
from node.services.bridges import Bridges
from node.services.commissioning import Commissioning
from node.services.decoding import FAULTS, Decoder
from node.services.driver_book import DriverBook
from node.services.drivers import Drivers
from node.services.jobs import Jobs
from node.services.radio_records import Progress, show_progress
from node.services.readings import Readings, Series
from node.services.redecoding import Redecoding
from node.store import schema
from node.store.mappings import list_fields, put_mapping
from node.store.radio import (
    DeviceState,
    FrameState,
    StoredDevice,
    StoredFrame,
    find_device,
    insert_frame,
    list_frames,
    put_device,
)
from tests.published import SAYS, package
from tests.unit.node_protocols.builders import DESIGNATION, Desk, new_desk

DEV_EUI = bytes.fromhex("70b3d58ff1010001")
BEGIN_US, HOUR_US = 1_790_000_000_000_000, 3_600_000_000
VOLUME = Series(0, "volume")
ACTOR = "local"
TENTH = "port-2 | 0:volume=0.1234 m3 0:temperature=23.1 Cel | leak=0"


@dataclass
class Plant:
    """A node with one registered radio device whose driver its organisation publishes."""

    desk: Desk
    book: DriverBook
    commissioning: Commissioning
    decoder: Decoder
    readings: Readings
    redecoding: Redecoding
    jobs: Jobs
    subject: bytes
    sent: int = 0

    async def publish(self, version: str, **changes: object) -> bytes:
        """Publish a version of the driver and answer its hash."""
        org = self.desk.core.org.hex()
        made = package(org, **{"version": version, "types": (), "key": "water-7", **changes})
        return (await self.book.publish(made.encode(), ACTOR)).stored.hash

    async def hear(self, *volumes: int, payload: bytes | None = None) -> None:
        """The device sends litres, or other bytes, one frame an hour."""
        frames = []
        for litres in volumes:
            self.sent += 1
            raw = payload if payload is not None else litres.to_bytes(4, "big") + bytes.fromhex("00e700")
            at = BEGIN_US + self.sent * HOUR_US
            phy = self.sent.to_bytes(20, "big")
            frames.append(StoredFrame(at, "uplink", phy, FrameState.UNRESOLVED, DEV_EUI, 1, 2, self.sent, raw))
        decodings = await self.commissioning.decode(frames)
        async with self.desk.core.database.write() as tx:
            for frame, decoding in zip(frames, decodings, strict=True):
                stored = replace(frame, id=await insert_frame(tx, frame))
                await self.commissioning.heard(tx, stored, decoding)

    async def volumes(self) -> list[str]:
        """The volumes that stand."""
        found = await self.readings.latest(self.subject, 10_000)
        return [format(one.value.normalize(), "f") for series, rows in found if series == VOLUME for one in rows]

    async def drivers_of(self) -> set[bytes]:
        """The hashes of the drivers that read what stands."""
        return {one.driver_hash for _, rows in await self.readings.latest(self.subject, 10_000) for one in rows}

    async def states(self) -> list[tuple[str, object]]:
        """What became of the frames, oldest first, and why."""
        async with self.desk.core.database.read() as tx:
            found = await list_frames(tx, dev_eui=DEV_EUI, limit=10_000)
        return [(frame.state.value, frame.detail.get("why")) for frame in reversed(found)]

    async def redecode(self, *, every: bool = False) -> dict[str, object]:
        """Read the archive again and answer what came of it."""
        job = await self.redecoding.start(self.subject, ACTOR, every=every)
        return await self.finish(job)

    async def finish(self, job: str) -> dict[str, object]:
        """Run jobs until that one ended."""
        running = asyncio.create_task(self.jobs.run())
        while (found := await self.jobs.get(job)).state not in ("done", "failed"):
            assert not running.done()
            await asyncio.sleep(0)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        assert (found.state, found.done) == ("done", found.total)
        return found.result


@asynccontextmanager
async def plant(folder: Path) -> AsyncIterator[Plant]:
    """A meter in service for the driver `water-7`, which nobody has published yet."""
    async with new_desk(folder) as desk:
        core, readings = desk.core, Readings(desk.core.database)
        drivers = Drivers(load_registry(), core.database)
        book = DriverBook(core, desk.ledger, desk.projection, drivers, no_scripts)
        decoder, jobs = Decoder(drivers, core.clock), Jobs(core)
        bridges = Bridges(desk.core, desk.ledger, decoder)
        commissioning = Commissioning(core, desk.ledger, desk.projection, readings, decoder, bridges, MemoryDirectory())
        redecoding = Redecoding(core, jobs, drivers, decoder, commissioning, readings)
        subject = await desk.device("0012345")
        alias = AliasBody(scheme="dev_eui", value=DEV_EUI.hex(), evidence="label")
        await desk.ledger.append([drafts.alias(subject, alias, BEGIN_US)])
        profile: dict[str, object] = {"driver": "water-7", "driver_version": "1.0", "ports": []}
        progress = show_progress(Progress(Registration(Eui(DEV_EUI)), session=1, passed=1, said=True))
        async with core.database.write() as tx:
            await put_device(tx, StoredDevice(DEV_EUI, subject, profile, b"", DeviceState.REGISTERED, progress))
        await book.settle()
        yield Plant(desk, book, commissioning, decoder, readings, redecoding, jobs, subject)


@pytest.mark.req("A03")
async def test_frames_without_a_driver_wait_and_are_read_when_it_comes(tmp_path: Path) -> None:
    """Each is kept with the reason; the publication alone lets them be read, in order, once."""
    async with plant(tmp_path) as here:
        await here.hear(1000, 2000)
        before = await here.states(), await here.volumes()

        await here.publish("1.0")
        read = await here.redecoding.try_undecoded()
        again = await here.redecoding.try_undecoded()

        assert before == ([("undecoded", "no-driver")] * 2, [])
        assert (read, again) == (2, 0)
        assert await here.states() == [("decoded", None)] * 2
        assert await here.volumes() == ["1", "2"]


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "frame"),
        (bytes(3), "frame"),
        (bytes(5000), "frame"),
        (bytes(1 << 20), "frame"),
    ],
)
async def test_frame_that_is_none_is_kept_with_its_reason_and_nothing_is_stored(
    tmp_path: Path, payload: bytes, why: str
) -> None:
    """Cut, empty, far too long: no value stands, the bytes do."""
    async with plant(tmp_path) as here:
        await here.publish("1.0")
        await here.hear(1, payload=payload)

        assert await here.states() == [("undecoded", why)]
        assert await here.readings.series(here.subject) == []
        async with here.desk.core.database.read() as tx:
            (frame,) = await list_frames(tx, dev_eui=DEV_EUI)
        assert frame.payload == payload
        assert frame.detail["error"]


async def test_counter_that_goes_back_and_a_value_out_of_range_are_doubted(tmp_path: Path) -> None:
    """Both are kept and neither is stored as good; what comes after is judged by the last good value."""
    async with plant(tmp_path) as here:
        await here.publish("1.0")
        await here.hear(5000, 3000, 6000)
        found = dict(await here.readings.latest(here.subject, 10))[VOLUME]

    assert [(format(one.value, "f"), one.status) for one in found] == [
        ("5.000", "ok"), ("3.000", "bad"), ("6.000", "ok"),
    ]  # fmt: skip


async def test_value_that_the_store_cannot_hold_is_listed_with_the_frame(tmp_path: Path) -> None:
    """Over 64 bits: it becomes no reading, and it is not dropped."""
    async with plant(tmp_path) as here:
        wide = "port-2 | 0:volume=1234000000000000000000 m3 0:temperature=23.1 Cel | leak=0"
        await here.publish("1.0", scale="1000000000000000000", says=wide)
        await here.hear(1234)

        assert await here.volumes() == []
        async with here.desk.core.database.read() as tx:
            (frame,) = await list_frames(tx, dev_eui=DEV_EUI)
        assert frame.detail["unmapped"] == {"volume": "1234000000000000000000 m3"}


async def test_archive_is_read_by_a_later_version_and_both_readings_stay(tmp_path: Path) -> None:
    """The new values stand once; the old are readable as replaced, with both hashes; a second run changes nothing."""
    async with plant(tmp_path) as here:
        old = await here.publish("1.0")
        await here.hear(1000, 2000, 3000)
        new = await here.publish("1.1", scale="0.0001", says=TENTH)
        assert await here.volumes() == ["1", "2", "3"]

        told = await here.redecode()

        assert {name: told[name] for name in ("replaced", "same", "unread")} == {"replaced": 3, "same": 0, "unread": 0}
        assert await here.volumes() == ["0.1", "0.2", "0.3"]
        assert await here.drivers_of() == {new}
        kept = [one for _, one in await here.readings.superseded(here.subject, 100)]
        assert {(one.reading.driver_hash, one.superseded_by) for one in kept} == {(old, new)}
        volumes = sorted(one.reading.value for one in kept if one.reading.series == VOLUME)
        assert volumes == [Decimal(1), Decimal(2), Decimal(3)]
        again = await here.redecode(every=True)
        assert (again["replaced"], again["same"]) == (0, 3)
        assert len(await here.readings.superseded(here.subject, 100)) == len(kept)


async def state_firmware(here: Plant, *stated: tuple[str, float]) -> None:
    """The passport states versions of firmware, each since so many hours after the first frame was due."""
    rows = tuple(
        ParameterRow(code=Reference(central="firmware_version"), value=version, since=moment_text(BEGIN_US, hours))
        for version, hours in stated
    )
    body = ParametersBody(rows=rows)
    await here.desk.ledger.append([drafts.parameters(here.subject, body, here.desk.core.clock.now())])


def moment_text(begin_us: int, hours: float) -> str:
    """A time as a passport states it."""
    return moment_at(begin_us + int(hours * HOUR_US)).isoformat().replace("+00:00", "Z")


async def in_service_for(here: Plant, driver: str) -> None:
    """The device, of a known model, was put on the air under a driver of the firmware that its passport states."""
    kind = TypeBody(type=Reference(local=DESIGNATION), model=DESIGNATION)
    await here.desk.ledger.append([drafts.type_of(here.subject, kind, here.desk.core.clock.now())])
    async with here.desk.core.database.write() as tx:
        device = await find_device(tx, DEV_EUI)
        assert device is not None
        org = here.desk.core.org.hex()
        profile = {"driver": driver, "driver_version": "1.0", "driver_publisher": org, "firmware": "1.9"}
        await put_device(tx, replace(device, profile={**profile, "ports": []}))


LAYOUTS: tuple[dict[str, object], ...] = (
    {"name": "water-a", "models": (DESIGNATION,), "key": "", "below": "2.0"},
    {"name": "water-b", "models": (DESIGNATION,), "key": "", "firmware": "2.0", "scale": "0.0001", "says": TENTH},
)


@pytest.mark.req("A03")
async def test_firmware_that_a_passport_states_anew_counts_from_that_moment(tmp_path: Path) -> None:
    """Frames heard before it are read by the driver of the old layout, those after it by that of the new one, without
    another commissioning; so are they when the archive is read again, and taken back it is as it was.
    """
    async with plant(tmp_path) as here:
        first, second = [await here.publish("1.0", **layout) for layout in LAYOUTS]
        await state_firmware(here, ("1.9", -100))
        await in_service_for(here, "water-a")
        await here.hear(1000, 2000)

        await state_firmware(here, ("2.0", 2.5))
        await here.hear(30000, 40000)

        assert await here.volumes() == ["1", "2", "3", "4"]
        assert await here.drivers_of() == {first, second}
        assert (await here.redecode(every=True))["same"] == 4
        profile = (await _device(here)).profile
        assert (profile["driver"], profile["firmware"]) == ("water-b", "2.0")


async def test_firmware_that_is_stated_later_is_of_the_frames_since_it_was_installed(tmp_path: Path) -> None:
    """What was read meanwhile by the old layout is put right by reading the archive again; none before it changes."""
    async with plant(tmp_path) as here:
        for layout in LAYOUTS:
            await here.publish("1.0", **layout)
        await state_firmware(here, ("1.9", -100))
        await in_service_for(here, "water-a")
        await here.hear(1000, 20000)

        await state_firmware(here, ("2.0", 1.5))
        told = await here.redecode()

        assert (told["replaced"], told["same"], await here.volumes()) == (1, 1, ["1", "2"])


async def test_firmware_without_a_driver_lets_frames_wait_until_one_comes(tmp_path: Path) -> None:
    """The old layout is not tried on them; the driver that comes reads them without a person."""
    async with plant(tmp_path) as here:
        await here.publish("1.0", **LAYOUTS[0])
        await state_firmware(here, ("1.9", -100))
        await in_service_for(here, "water-a")
        await here.hear(1000)
        await state_firmware(here, ("2.0", 1.5))
        await here.hear(20000)
        assert await here.states() == [("decoded", None), ("undecoded", "no-driver")]
        assert await here.redecoding.try_undecoded() == 0

        await here.publish("1.0", **LAYOUTS[1])

        assert await here.redecoding.try_undecoded() == 1
        assert await here.volumes() == ["1", "2"]


async def test_quantity_that_a_new_version_renames_stays_one_series(tmp_path: Path) -> None:
    """By a row of the mapping; after the archive was read again too, and what was replaced is told under the code."""
    async with plant(tmp_path) as here:
        async with here.desk.core.database.write() as tx:
            await put_mapping(tx, MappingRow("water-7", "volume_total", ANY, "volume", "m3"))
        total = SAYS.replace("volume", "volume_total")
        old = await here.publish("1.0", quantity="volume_total", says=total)
        await here.hear(1000, 2000)
        new = await here.publish("1.1")
        await here.hear(3000)

        both = dict(await here.readings.latest(here.subject, 10))[VOLUME]
        await here.redecode()
        again = dict(await here.readings.latest(here.subject, 10))[VOLUME]
        replaced = [kept.reading for _, kept in await here.readings.superseded(here.subject, 10)]

        assert [(int(one.value), one.driver_hash) for one in both] == [(1, old), (2, old), (3, new)]
        assert [(int(one.value), one.driver_hash) for one in again] == [(1, new), (2, new), (3, new)]
        assert {one.series.quantity for one in replaced} == {"volume", "temperature"}
        async with here.desk.core.database.read() as tx:
            assert [one.quantity for one in await list_fields(tx)] == ["temperature", "volume", "volume_total"]


async def test_names_of_an_archive_are_noted_when_it_is_read_again(tmp_path: Path) -> None:
    """What was read before names were noted is named by reading it again, though no value changes."""
    async with plant(tmp_path) as here:
        await here.publish("1.0")
        await here.hear(1000)
        async with here.desk.core.database.write() as tx:
            await tx.run(delete(schema.driver_fields))
        here.readings = here.redecoding._readings = Readings(here.desk.core.database)

        await here.redecode(every=True)

        async with here.desk.core.database.read() as tx:
            assert [one.quantity for one in await list_fields(tx)] == ["temperature", "volume"]


async def test_whoever_looks_sees_the_archive_as_it_was_or_as_it_is(tmp_path: Path) -> None:
    """Over 2,000 frames the total is the old one until it is the new one; a job that is cut off goes on."""
    async with plant(tmp_path) as here:
        await here.publish("1.0")
        count = 2_000
        await here.hear(*range(1, count + 1))
        await here.publish("1.1", scale="0.0001", says=TENTH)
        job = await here.redecoding.start(here.subject, ACTOR)
        with pytest.raises(StateError):
            await here.redecoding.start(here.subject, ACTOR)
        old = sum(Decimal(value) for value in await here.volumes())

        running = asyncio.create_task(here.jobs.run())
        while (await here.jobs.get(job)).done < count // 2:
            assert not running.done()
            await asyncio.sleep(0)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        halfway = await here.jobs.get(job)
        assert halfway.state == "running"
        assert sum(Decimal(value) for value in await here.volumes()) == old
        here.redecoding._work = None  # what a process that died had in its memory

        await here.finish(job)

        assert sum(Decimal(value) for value in await here.volumes()) == old / 10
        assert len(await here.volumes()) == count
        kept = await here.readings.superseded(here.subject, 10_000)
        assert sum(one.reading.value for _, one in kept if one.reading.series == VOLUME) == old


async def test_version_for_another_firmware_reads_no_device_of_this_one(tmp_path: Path) -> None:
    """Where the version that was chosen stands no more, frames wait for one in whose range the device is."""
    async with plant(tmp_path) as here:
        await here.publish("1.0")
        await here.hear(1000)
        await here.publish("1.1", firmware="2.0")
        await here.hear(2000)

        assert await here.states() == [("decoded", None), ("undecoded", "no-driver")]

        async with here.desk.core.database.write() as tx:
            device = await find_device(tx, DEV_EUI)
            assert device is not None
            await put_device(tx, replace(device, profile={**device.profile, "firmware": "2.1"}))
        assert await here.redecoding.try_undecoded() == 1
        assert await here.volumes() == ["1", "2"]


async def test_frames_that_the_new_version_cannot_read_keep_their_values(tmp_path: Path) -> None:
    """They are counted, and nothing of them is lost."""
    async with plant(tmp_path) as here:
        old = await here.publish("1.0")
        await here.hear(1000, 2000)
        await here.publish("1.1", port=3)

        told = await here.redecode()

        assert (told["replaced"], told["unread"]) == (0, 2)
        assert await here.volumes() == ["1", "2"]
        assert await here.drivers_of() == {old}


async def test_second_value_of_a_moment_is_the_first_once_that_one_went(tmp_path: Path) -> None:
    """A mark of a second value goes with the first value that it stood beside."""
    async with plant(tmp_path) as here:
        await here.publish("1.0")
        await here.hear(1000)
        async with here.desk.core.database.write() as tx:
            (frame,) = await list_frames(tx, dev_eui=DEV_EUI)
            twin = replace(frame, id=0, phy=b"twin", payload=(2000).to_bytes(4, "big") + bytes.fromhex("00e700"))
            (decoding,) = await here.decoder.decode([(here.decoder.driver_of(await _device(here)), twin, NOTHING)])
            await here.readings.store(tx, here.subject, replace(twin, id=await insert_frame(tx, twin)), decoding)
        assert [one.n for one in dict(await here.readings.latest(here.subject, 10))[VOLUME]] == [0, 1]
        await here.publish("1.1", scale="0.0001", says=TENTH)

        await here.redecode()

        found = dict(await here.readings.latest(here.subject, 10))[VOLUME]
        assert [(one.n, format(one.value.normalize(), "f")) for one in found] == [(0, "0.1"), (1, "0.2")]
        assert [code for one in found for code, _ in one.reasons] == ["second-value"]


async def test_driver_that_fails_again_and_again_is_reported_once(tmp_path: Path) -> None:
    """Its own faults count, not frames that it refuses; what was reported begins to count anew."""
    async with plant(tmp_path) as here:
        digest = await here.publish("1.0")
        told: list[bytes] = []
        here.decoder.on_faults = lambda found, _why: told.append(found)
        running = here.decoder.driver_of(await _device(here))
        assert running is not None
        broken = replace(running, driver=replace(running.driver, decoder=_fails))
        frame = StoredFrame(BEGIN_US, "uplink", b"", FrameState.UNRESOLVED, DEV_EUI, 1, 2, 1, bytes(7))

        for _ in range(FAULTS - 1):
            await here.decoder.decode([(broken, frame, NOTHING)])
        assert told == []
        await here.decoder.decode([(running, replace(frame, payload=b""), NOTHING)] * FAULTS)
        assert told == []
        await here.decoder.decode([(broken, frame, NOTHING)])

        assert told == [digest]


async def test_frames_stay_with_the_meter_in_which_the_radio_was(tmp_path: Path) -> None:
    """A radio that moves to another passport takes no archive along: what was heard before stays the old one's."""
    async with plant(tmp_path) as here:
        await here.publish("1.0")
        await here.hear(1000, 2000)
        await here.hear(1, payload=bytes(3))
        other = await here.desk.device("0099999")
        async with here.desk.core.database.write() as tx:
            await put_device(tx, replace(await _device(here), subject=other))
        await here.publish("1.1", scale="0.0001", says=TENTH)

        job = await here.redecoding.start(other, ACTOR)
        told = await here.finish(job)
        await here.redecoding.try_undecoded()

        assert (told["replaced"], told["same"]) == (0, 2)
        assert await here.volumes() == ["1", "2"]
        assert await here.readings.series(other) == []


async def test_archive_of_a_device_without_one_is_not_read(tmp_path: Path) -> None:
    """There is nothing to read: the answer says so, and no job is taken."""
    async with plant(tmp_path) as here:
        with pytest.raises(NotFoundError):
            await here.redecoding.start(here.subject, ACTOR)
        assert await here.jobs.newest() == []


async def _device(here: Plant) -> StoredDevice:
    (device,) = await here.commissioning.devices()
    return device


def _fails(_port: int, _data: bytes) -> Decoded:
    raise ZeroDivisionError
