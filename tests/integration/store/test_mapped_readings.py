"""Readings that a mapping tells under central codes, on SQLite and on a real PostgreSQL."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from drivers.mapping import ANY, MappingRow
from node.services.model import Model
from node.services.readings import Readings
from node.store.database import Database
from node.store.drivers import StoredDriver, put_driver
from node.store.mappings import drop_mapping, put_mapping
from node.store.readings import SECOND_VALUE, Series, StoredReading, insert_readings
from tests.integration.store.test_radio_store import SUBJECT, at, reading

OLD, NEW, OTHER, STRANGE = (bytes([n]) * 32 for n in range(1, 5))
TOTAL, VOLUME, BACKWARD = Series(1, "volume_total"), Series(1, "volume"), Series(1, "volume_backward")
FAR = at(12, 31)
TOTAL_ROW = MappingRow("meter", "volume_total", ANY, "volume", "m3", "8-0:1.0.0")


def said(driver: bytes, month: int, value: str, series: Series, unit: str = "m3", day: int = 1) -> StoredReading:
    """What a version of a driver read."""
    return replace(reading(at(month, day), value, series, unit=unit), driver_hash=driver)


async def stand(
    database: Database, rows: Sequence[MappingRow], readings: Sequence[StoredReading], model: Model | None = None
) -> Readings:
    """A node on which a meter's driver stood in two versions, and another one's, with what they read."""
    async with database.write() as tx:
        for digest, driver, version in ((OLD, "meter", "1"), (NEW, "meter", "2"), (OTHER, "other", "1")):
            await put_driver(tx, StoredDriver(digest, driver, version, 3, None, None, "active"))
        for row in rows:
            await put_mapping(tx, row)
        await insert_readings(tx, readings)
    return Readings(database, model=model)


def told(readings: Sequence[StoredReading]) -> list[tuple[str, str, str, int]]:
    """Quantity, value, unit and place of each."""
    return [(one.series.quantity, str(one.value), one.unit, one.n) for one in readings]


async def test_old_and_new_names_come_out_as_one_series(database: Database) -> None:
    """A driver renamed its quantity, another one says litres: one code, one unit, one order of time."""
    litres = MappingRow("other", "v", 1, "volume", "m3")
    readings = await stand(
        database,
        [TOTAL_ROW, litres],
        [
            said(OLD, 1, "10.500", TOTAL),
            said(OTHER, 2, "11000", Series(1, "v"), "L"),
            said(NEW, 3, "12", VOLUME),
            said(STRANGE, 4, "13", TOTAL),
        ],
    )

    found, more = await readings.values(SUBJECT, "volume", 0, FAR, 100)
    own, _ = await readings.values(SUBJECT, "volume_total", 0, FAR, 100)
    every, _ = await readings.values(SUBJECT, None, 0, FAR, 100)
    series = await readings.series(SUBJECT)
    points = await readings.drawn(SUBJECT, VOLUME, 0, FAR, "m3")

    assert told(found) == [("volume", "10.500", "m3", 0), ("volume", "11", "m3", 0), ("volume", "12", "m3", 0)]
    assert more is None
    assert [one.row for one in found] == [TOTAL_ROW, litres, None]
    assert [one.driver_hash for one in own] == [STRANGE]
    assert len(every) == 4
    assert [(one.quantity, last.value) for one, last in series] == [
        ("volume", Decimal(12)),
        ("volume_total", Decimal(13)),
    ]
    assert [(point.effective_us, point.value) for point in points] == [
        (at(1), Decimal("10.5")), (at(2), 11), (at(3), 12),
    ]  # fmt: skip
    assert [told(some) for _, some in await readings.latest(SUBJECT, 2)] == [
        [("volume", "11", "m3", 0), ("volume", "12", "m3", 0)],
        [("volume_total", "13", "m3", 0)],
    ]


async def test_row_counts_for_what_is_stored_from_the_moment_that_it_stands(database: Database) -> None:
    """Nothing is written again: with the row the code answers, without it the driver's own name does."""
    model = Model(database)
    readings = await stand(database, [], [said(OLD, 1, "10", TOTAL)], model)
    before, _ = await readings.values(SUBJECT, None, 0, FAR, 100)
    async with database.write() as tx:
        await put_mapping(tx, replace(TOTAL_ROW, scale=Decimal("0.25")))
        tx.on_commit(model.forget)
    mapped, _ = await readings.values(SUBJECT, None, 0, FAR, 100)
    async with database.write() as tx:
        await drop_mapping(tx, "meter", "volume_total", ANY)
        tx.on_commit(model.forget)
    after, _ = await readings.values(SUBJECT, None, 0, FAR, 100)

    assert told(before) == told(after) == [("volume_total", "10", "m3", 0)]
    assert [(one.series.quantity, one.value) for one in mapped] == [("volume", Decimal("2.5"))]


async def test_channels_tariffs_and_stores_stay_apart(database: Database) -> None:
    """A row of one channel leaves the others; a tariff and a monthly store keep their own series under the code."""
    row = replace(TOTAL_ROW, channel=1)
    series = (TOTAL, Series(2, "volume_total"), Series(1, "volume_total", "monthly-3"), TOTAL._replace(tariff=2))
    readings = await stand(database, [row], [said(OLD, 1, str(n), one) for n, one in enumerate(series)])

    found = [(one.text, str(last.value)) for one, last in await readings.series(SUBJECT)]

    assert found == [
        ("1/volume/current/0", "0"),
        ("1/volume/current/2", "3"),
        ("1/volume/monthly-3/0", "2"),
        ("2/volume_total/current/0", "1"),
    ]


async def test_two_names_that_disagree_stand_beside_each_other(database: Database) -> None:
    """At one moment the same amount in two units is one value; another amount is a second one and says so."""
    readings = await stand(
        database,
        [TOTAL_ROW],
        [
            said(NEW, 1, "10", VOLUME),
            said(OLD, 1, "10000", TOTAL, "L"),
            said(NEW, 2, "11", VOLUME),
            said(OLD, 2, "11.5", TOTAL),
        ],
    )

    found, _ = await readings.values(SUBJECT, "volume", 0, FAR, 100)
    newest, _ = await readings.newest(SUBJECT, VOLUME, 0, FAR, 100)
    points = await readings.drawn(SUBJECT, VOLUME, 0, FAR, "m3")

    assert told(found) == [("volume", "10", "m3", 0), ("volume", "11", "m3", 0), ("volume", "11.5", "m3", 1)]
    assert [one.status for one in found] == ["ok", "ok", "uncertain"]
    assert found[-1].reasons == ((SECOND_VALUE, {}),)
    assert told(newest) == told(found)[::-1]
    assert [point.value for point in points] == [10, 11]


async def test_value_that_cannot_be_told_keeps_its_name_and_says_why(database: Database) -> None:
    """Energy is no volume: it stays what the driver said, with the code and unit that it could not be told in."""
    energy = said(OLD, 2, "5", TOTAL, "kW.h")
    readings = await stand(database, [TOTAL_ROW], [said(OLD, 1, "10", TOTAL), energy, said(STRANGE, 3, "1", TOTAL)])

    found, _ = await readings.values(SUBJECT, None, 0, FAR, 100)

    assert told(found) == [("volume", "10", "m3", 0), ("volume_total", "5", "kW.h", 0), ("volume_total", "1", "m3", 0)]
    assert [one.reasons for one in found] == [(), (("not-mapped", {"code": "volume", "unit": "m3"}),), ()]
    assert [one.status for one in found] == ["ok"] * 3


async def test_code_in_another_unit_is_told_in_the_rows(database: Database) -> None:
    """A row may keep the name and change unit or scale: of its driver alone."""
    row = MappingRow("meter", "volume", ANY, "volume", "L")
    readings = await stand(database, [row], [said(OLD, 1, "1.5", VOLUME), said(OTHER, 2, "2", VOLUME)])

    found, _ = await readings.values(SUBJECT, "volume", 0, FAR, 100)
    points = await readings.drawn(SUBJECT, VOLUME, 0, FAR, "m3")

    assert told(found) == [("volume", "1500", "L", 0), ("volume", "2", "m3", 0)]
    assert [(point.value, point.unit) for point in points] == [(Decimal("1.5"), "m3"), (2, "m3")]


async def test_pages_of_a_series_of_many_sources_have_no_gap_and_no_double(database: Database) -> None:
    """However many are asked for at once, forwards and backwards, each reading comes once and in order."""
    days = [(month, day) for month in (1, 2) for day in range(1, 15)]
    said_by = [said(OLD, month, str(day), TOTAL, day=day) for month, day in days if day % 3]
    also = [said(NEW, month, str(day + day % 2), VOLUME, day=day) for month, day in days if day % 4]
    readings = await stand(database, [TOTAL_ROW], [*said_by, *also])
    every, _ = await readings.values(SUBJECT, "volume", 0, FAR, 1000)

    for limit in (1, 2, 3, 5, 7, 100):
        forwards: list[StoredReading] = []
        since: int | None = 0
        while since is not None:
            page, since = await readings.values(SUBJECT, "volume", since, FAR, max(limit, 2))
            forwards += page
        backwards: list[StoredReading] = []
        until: int | None = FAR
        while until is not None:
            page, until = await readings.newest(SUBJECT, VOLUME, 0, until, max(limit, 2))
            backwards += page
        assert told(forwards) == told(every)
        assert told(backwards) == told(every)[::-1]
    assert len(every) > len(days)
    assert [one.effective_us for one in every] == sorted(one.effective_us for one in every)
