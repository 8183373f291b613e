"""What a frame leaves of a driver's names, and by which range of the catalog its values are judged."""

import struct
from dataclasses import replace
from decimal import Decimal

import pytest

from drivers.descriptor import AppliesTo, ClockPolicy, Descriptor, Field, Level
from drivers.driver import Driver
from drivers.mapping import ANY, MappingRow
from drivers.reading import Decoded, Kind, Unmapped
from drivers.registry import Installed
from node.services.decoding import Decoding
from node.services.driver_fields import MOST
from node.services.model import Model
from node.services.readings import Readings
from node.store.database import Database
from node.store.mappings import BYTES, list_fields, put_mapping
from node.store.radio import FrameState, StoredFrame, insert_frame
from node.store.readings import Series, find_last
from tests.integration.store.test_radio_store import SUBJECT, at

TOTAL = Field("total", "manufacturer_specific_21", "1", Kind.COUNTER, 1)
LAYOUT = struct.Struct("<qB")


def decode(port: int, data: bytes) -> Decoded:
    """A number, how many names of bytes follow."""
    number, count = LAYOUT.unpack(data)
    unmapped = tuple(Unmapped(f"byte_{number}_{n}", b"\x00") for n in range(count))
    return Decoded("data", None, (TOTAL.reading(number, None),), unmapped=unmapped)


DESCRIPTOR = Descriptor(
    "meter", "tests", "Meter", "1", Level.NATIVE, AppliesTo(), ("lora",), (2,), (TOTAL,), ClockPolicy(60, 60)
)
DRIVER = Installed(Driver(DESCRIPTOR, decode, ()), b"d" * 32)


async def hear(database: Database, readings: Readings, number: int, names: int = 0, month: int = 1) -> int:
    """A frame comes and is stored; its number."""
    payload = LAYOUT.pack(number, names)
    frame = StoredFrame(at(month), "uplink", payload, FrameState.UNRESOLVED, b"\x02" * 8, 1, 2, 1, payload)
    async with database.write() as tx:
        frame = replace(frame, id=await insert_frame(tx, frame))
        await readings.store(tx, SUBJECT, frame, Decoding(DRIVER.driver.decode(2, payload), DRIVER))
    return frame.id


async def test_names_are_noted_once_with_their_first_frame(database: Database) -> None:
    """A quantity by its channel and unit, bytes without a channel; a frame of known names writes nothing."""
    readings = Readings(database)

    first = await hear(database, readings, 7, 1)
    await hear(database, readings, 7, 1, month=2)
    await hear(database, Readings(database), 7, 2, month=3)

    async with database.read() as tx:
        found = await list_fields(tx, "meter")
        assert await list_fields(tx, "other") == []
    assert [(one.quantity, one.channel, one.unit) for one in found] == [
        ("byte_7_0", BYTES, ""),
        ("byte_7_1", BYTES, ""),
        ("manufacturer_specific_21", 1, "1"),
    ]
    assert [one.frame_id for one in found] == [first, first + 2, first]


async def test_names_of_bytes_without_an_end_are_not_all_kept(database: Database) -> None:
    """A driver that names bytes anew in every frame fills no store: the names come to an end, the frames do not."""
    readings = Readings(database)

    for number in range(10):
        await hear(database, readings, number, 250, month=number + 1)

    async with database.read() as tx:
        assert len(await list_fields(tx, "meter")) == MOST
        assert await find_last(tx, SUBJECT, Series(1, TOTAL.quantity), at(12)) is not None


@pytest.mark.parametrize(
    ("scale", "number", "status", "reason"),
    [
        ("0.01", 9_999_999, "ok", None),
        ("0.01", 10_000_000, "bad", ("above-range", {"value": "100000", "limit": "99999.999", "unit": "m3"})),
        ("0.01", -1, "bad", ("below-range", {"value": "-0.01", "limit": "0", "unit": "m3"})),
        ("1", 10_000_000, "ok", None),  # a plain number is no volume: it is not told as one, and has no range
    ],
)
async def test_value_is_judged_by_the_range_of_its_code(
    database: Database, scale: str, number: int, status: str, reason: tuple[str, dict[str, str]] | None
) -> None:
    """A maker's own number that is mapped is doubted where the catalog's parameter, in its unit, cannot be so."""
    model = Model(database)
    async with database.write() as tx:
        await put_mapping(
            tx, MappingRow("meter", TOTAL.quantity, ANY, "volume", "L" if scale == "1" else "m3", "", Decimal(scale))
        )
    readings = Readings(database, model=model)

    await hear(database, readings, number)

    async with database.read() as tx:
        stored = await find_last(tx, SUBJECT, Series(1, TOTAL.quantity), at(12), None)
    assert stored is not None
    assert (stored.value, stored.unit, stored.status) == (Decimal(number), "1", status)
    assert stored.reasons == ((reason,) if reason else ())


async def test_row_of_another_channel_judges_nothing(database: Database) -> None:
    """What is said of channel 2 is no range for channel 1."""
    async with database.write() as tx:
        await put_mapping(tx, MappingRow("meter", TOTAL.quantity, 2, "volume", "m3", "", Decimal("0.01")))

    await hear(database, Readings(database), 10_000_000)

    async with database.read() as tx:
        stored = await find_last(tx, SUBJECT, Series(1, TOTAL.quantity), at(12), None)
    assert stored is not None
    assert stored.status == "ok"
