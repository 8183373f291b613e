"""Frames, sessions and readings on SQLite and on a real PostgreSQL."""

from datetime import UTC, datetime
from decimal import Decimal

from node.store.database import Database
from node.store.radio import (
    DeviceState,
    FrameState,
    StoredDevice,
    StoredFrame,
    StoredSession,
    add_nonces,
    each_nonces,
    each_session,
    end_sessions,
    find_device,
    frames_in_state,
    insert_frame,
    last_frames,
    list_devices,
    list_frames,
    list_gateways,
    newest_frame,
    note_gateways,
    prune_refused,
    put_device,
    put_gateway,
    put_sessions,
    read_frames,
    remove_gateway,
    set_frame_state,
)
from node.store.readings import (
    SECOND_VALUE,
    Series,
    StoredReading,
    find_last,
    insert_readings,
    list_series,
    read_latest,
    read_points,
    read_series,
)

SUBJECT, OTHER = b"s" * 16, b"s" * 8 + b"t" * 8
EUI, EUI2 = b"\x02" * 8, b"\x03" * 8
VOLUME, ENERGY = Series(1, "volume"), Series(1, "energy_active_import", tariff=2)


def at(month: int, day: int = 1, hour: int = 0) -> int:
    """A time of 2026 in microseconds."""
    return int(datetime(2026, month, day, hour, tzinfo=UTC).timestamp() * 1e6)


def reading(moment: int, value: str, series: Series = VOLUME, subject: bytes = SUBJECT, **more: str) -> StoredReading:
    """A reading that is ok unless told otherwise."""
    status = more.get("status", "ok")
    return StoredReading(
        subject,
        series,
        moment,
        Decimal(value),
        more.get("unit", "m3"),
        "counter",
        moment,
        moment,
        "device",
        status,
        1,
        b"f" * 32,
        b"d" * 32,
    )


async def test_readings_keep_their_exact_value_and_are_stored_once(database: Database) -> None:
    """A value comes back with all its digits; the same value again is not a second one; another value stands beside."""
    async with database.write() as tx:
        assert await insert_readings(tx, [reading(at(1), "12.3450"), reading(at(1), "12.3450")]) == 1
        assert await insert_readings(tx, [reading(at(1), "12.3450")]) == 0
        assert await insert_readings(tx, [reading(at(1), "12.4")]) == 1

    async with database.read() as reader:
        first, second = await read_series(reader, SUBJECT, VOLUME, 0, at(12))
    assert (str(first.value), first.n, first.status) == ("12.3450", 0, "ok")
    assert (str(second.value), second.n, second.status) == ("12.4", 1, "uncertain")
    assert second.reasons == ((SECOND_VALUE, {}),)


async def test_last_believed_value_is_found_over_months_and_not_of_a_neighbour(database: Database) -> None:
    """A bad value is passed over, a time's own value is not before it, and a subject that begins alike is another."""
    async with database.write() as tx:
        await insert_readings(tx, [reading(at(1, 31), "10"), reading(at(3), "99", status="bad")])
        await insert_readings(tx, [reading(at(4), "50", subject=OTHER), reading(at(1), "7", ENERGY, unit="W.h")])

    async with database.read() as reader:
        before = await find_last(reader, SUBJECT, VOLUME, at(5))
        any_status = await find_last(reader, SUBJECT, VOLUME, at(5), None)
        none = await find_last(reader, SUBJECT, VOLUME, at(1, 31))
        series = await list_series(reader, SUBJECT)
    assert before is not None
    assert (before.value, before.effective_us) == (Decimal(10), at(1, 31))
    assert any_status is not None
    assert any_status.value == Decimal(99)
    assert none is None
    assert series == [ENERGY, VOLUME]


async def test_latest_readings_come_oldest_first(database: Database) -> None:
    """The newest so many of a series, whatever month they are of."""
    async with database.write() as tx:
        await insert_readings(tx, [reading(at(month), str(month)) for month in range(1, 13)])

    async with database.read() as reader:
        latest = await read_latest(reader, SUBJECT, VOLUME, 3)
        spring = await read_series(reader, SUBJECT, VOLUME, at(3), at(6))
    assert [int(one.value) for one in latest] == [10, 11, 12]
    assert [int(one.value) for one in spring] == [3, 4, 5]


async def test_year_of_hourly_values_is_read_back_whole(database: Database) -> None:
    """8,760 hourly values of one meter come back in order from this store alone; nothing of them is a fragment."""
    hours = [at(1) + hour * 3_600_000_000 for hour in range(8_760)]
    async with database.write() as tx:
        await insert_readings(tx, [reading(moment, f"{n}.001") for n, moment in enumerate(hours)])

    async with database.read() as reader:
        found = await read_series(reader, SUBJECT, VOLUME, hours[0], hours[-1] + 1)
    assert [one.effective_us for one in found] == hours
    assert found[-1].value == Decimal("8759.001")


async def test_points_are_the_first_values_of_one_series_between_two_times(database: Database) -> None:
    """A second value of a moment, another series, another device and what is outside are no points of it."""
    async with database.write() as tx:
        await insert_readings(tx, [reading(at(month), f"{month}.50") for month in range(1, 13)])
        more = [reading(at(4), "9"), reading(at(4), "7", ENERGY, unit="W.h"), reading(at(4), "8", subject=OTHER)]
        assert await insert_readings(tx, more) == 3

    async with database.read() as reader:
        found = await read_points(reader, SUBJECT, VOLUME, at(3), at(6))
    assert [(point.effective_us, str(point.value), point.unit, point.status) for point in found] == [
        (at(month), f"{month}.50", "m3", "ok") for month in (3, 4, 5)
    ]


async def test_limited_points_are_the_newest_in_their_order(database: Database) -> None:
    """A plot that is short of room keeps the end of the time, oldest of it first."""
    async with database.write() as tx:
        await insert_readings(tx, [reading(at(month), f"{month}") for month in range(1, 13)])

    async with database.read() as reader:
        found = await read_points(reader, SUBJECT, VOLUME, at(3), at(9), limit=2)
    assert [point.effective_us for point in found] == [at(7), at(8)]


async def test_batch_that_is_known_in_part_keeps_only_what_is_new(database: Database) -> None:
    """Of many meters at once: what stands is kept as it is, another value stands beside it, the rest is added."""
    first = [reading(at(1), "1", subject=bytes([n]) * 16) for n in range(1, 200)]
    again = [reading(at(1), "2" if n % 50 == 0 else "1", subject=bytes([n]) * 16) for n in range(100, 251)]
    async with database.write() as tx:
        assert await insert_readings(tx, first) == 199
        assert await insert_readings(tx, again) == 51 + 2
        assert await insert_readings(tx, again) == 0

    async with database.read() as reader:
        kept = {n: await read_series(reader, bytes([n]) * 16, VOLUME, 0, at(2)) for n in (100, 101, 200)}
    assert [(str(one.value), one.n, one.status) for one in kept[100]] == [("1", 0, "ok"), ("2", 1, "uncertain")]
    assert [(str(one.value), one.n) for one in (*kept[101], *kept[200])] == [("1", 0), ("2", 0)]


async def test_frames_are_listed_newest_first_and_change_their_state(database: Database) -> None:
    """Of one device or all, a page at a time; those that wait for a comparison are found by session."""
    async with database.write() as tx:
        numbers = [
            await insert_frame(tx, StoredFrame(n, "uplink", b"p", FrameState.UNRESOLVED, EUI, 1 + n % 2, 2, n, b"x"))
            for n in range(4)
        ]
        await insert_frame(tx, StoredFrame(9, "join", b"j", FrameState.REFUSED, None, detail={"reason": "replay"}))
        await set_frame_state(tx, numbers[1], FrameState.DECODED, {"driver": "d"})

    async with database.read() as reader:
        waiting = await frames_in_state(reader, FrameState.UNRESOLVED, EUI, 2)
        first = await list_frames(reader, limit=2)
        rest = await list_frames(reader, before=first[-1].id)
        of_device = await list_frames(reader, dev_eui=EUI)
        newest = await newest_frame(reader), await newest_frame(reader, [EUI]), await newest_frame(reader, [EUI2])
    assert [frame.id for frame in waiting] == [numbers[3]]
    assert [frame.what for frame in (*first, *rest)] == ["join", "uplink", "uplink", "uplink", "uplink"]
    assert [frame.id for frame in of_device] == numbers[::-1]
    assert of_device[2].state is FrameState.DECODED
    assert newest == (first[0].id, numbers[-1], 0)


async def test_last_frame_of_a_device_is_one_that_was_not_refused(database: Database) -> None:
    """A replay under its DevEUI is no word of the device; a number that is not kept is left out."""
    async with database.write() as tx:
        heard = await insert_frame(
            tx, StoredFrame(5, "uplink", b"p", FrameState.UNDECODED, EUI, detail={"why": "frame"})
        )
        await insert_frame(tx, StoredFrame(6, "uplink", b"p", FrameState.REFUSED, EUI))

    async with database.read() as reader:
        last = await last_frames(reader, [EUI, EUI2])
        read = await read_frames(reader, [heard, heard + 100])
    assert {eui: frame.received_us for eui, frame in last.items()} == {EUI: 5}
    assert read == {heard: last[EUI]}


async def test_only_the_newest_refused_frames_are_kept(database: Database) -> None:
    """Pruning forgets old refusals and nothing else."""
    async with database.write() as tx:
        for n in range(6):
            state = FrameState.REFUSED if n % 2 else FrameState.DECODED
            await insert_frame(tx, StoredFrame(n, "uplink", b"p", state))
        await prune_refused(tx, 1)
        await prune_refused(tx, 100)

    async with database.read() as reader:
        kept = await list_frames(reader)
    assert [(frame.received_us, frame.state.value) for frame in kept] == [
        (5, "refused"),
        (4, "decoded"),
        (2, "decoded"),
        (0, "decoded"),
    ]


async def test_join_state_and_sessions_come_back(database: Database) -> None:
    """Used nonces are kept once and for ever, sessions in their last state until they end."""
    async with database.write() as tx:
        await add_nonces(tx, [(EUI, 7, 1), (EUI, 8, 2), (EUI2, 7, 1)])
        await add_nonces(tx, [(EUI, 8, 2)])
        await put_sessions(tx, [StoredSession(EUI, 1, b"old"), StoredSession(EUI, 2, b"a")])
        await put_sessions(tx, [StoredSession(EUI, 2, b"b")])
        await end_sessions(tx, [(EUI, 1), (EUI2, 1)])

    async with database.read() as reader:
        nonces = [one async for one in each_nonces(reader)]
        sessions = [one async for one in each_session(reader)]
    assert [(one.dev_eui, one.join_nonce, one.dev_nonces) for one in nonces] == [
        (EUI, 2, frozenset({7, 8})),
        (EUI2, 1, frozenset({7})),
    ]
    assert sessions == [StoredSession(EUI, 2, b"b")]


async def test_devices_are_found_by_name_passport_and_state(database: Database) -> None:
    """A device is put again in another state; its key is not shown."""
    device = StoredDevice(EUI, SUBJECT, {"region": "RU864"}, b"sealed", DeviceState.WAITING, {})
    async with database.write() as tx:
        await put_device(tx, device)
        await put_device(tx, StoredDevice(EUI2, OTHER, {}, b"k", DeviceState.JOINED, {"rows": []}))

    async with database.read() as reader:
        found = await find_device(reader, EUI)
        joined = await list_devices(reader, state=DeviceState.JOINED)
        of_subject = await list_devices(reader, subjects=[SUBJECT])
        missing = await find_device(reader, b"\x09" * 8)
    assert found is not None
    assert (found.profile, found.state) == ({"region": "RU864"}, DeviceState.WAITING)
    assert "sealed" not in repr(found)
    assert [one.dev_eui for one in joined] == [EUI2]
    assert [one.dev_eui for one in of_subject] == [EUI]
    assert missing is None


async def test_gateways_count_what_they_heard(database: Database) -> None:
    """A gateway keeps its count when it gets another name; one that may not speak is not noted."""
    async with database.write() as tx:
        await put_gateway(tx, EUI, "roof")
        await note_gateways(tx, [(EUI, 5, 3), (EUI2, 5, 3)])
        await note_gateways(tx, [(EUI, 9, 1)])
        await put_gateway(tx, EUI, "mast")

    async with database.read() as reader:
        (gateway,) = await list_gateways(reader)
    assert (gateway.name, gateway.seen_us, gateway.frames) == ("mast", 9, 4)
    async with database.write() as tx:
        assert await remove_gateway(tx, EUI)
        assert not await remove_gateway(tx, EUI)
