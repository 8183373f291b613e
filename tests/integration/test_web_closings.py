"""Closed months of readings: a root over them is signed, and what is changed later is found."""

import asyncio
import html
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import ClientSession
from sqlalchemy import update

from node.passport.ids import parse_device_id
from node.store import schema
from node.store.readings import Series, StoredReading, insert_readings, micros
from node.web.routes import API
from tests.unit.web.running import NOW, RunningWeb, get, post, problem_code, refused

HOUR_US = 3_600_000_000
HOURS = 8760
YEAR_US = micros(datetime(2025, 1, 1, tzinfo=UTC))
PLATE = {"designation": "ВС-15", "serial": "0012345", "year": "2024"}
OTHER = {"designation": "ВС-15", "serial": "0099999", "year": "2024"}
Json = dict[str, Any]  # Any: JSON of the API
DRIVER = b"\x07" * 32


def hourly(subject: bytes, hour: int, litres: int | None = None) -> StoredReading:
    """The reading of an hour of the year."""
    at = YEAR_US + hour * HOUR_US
    value = Decimal(hour if litres is None else litres).scaleb(-3)
    times = (at, value, "m3", "counter", at, at, "device")
    return StoredReading(subject, Series(1, "volume"), *times, "ok", hour + 1, bytes(32), DRIVER)


async def device(web: RunningWeb, plate: dict[str, str], hours: range) -> str:
    """A device of which these hours were read."""
    id_ = str((await post(web.local(), "/plates", plate))["id"])
    subject = parse_device_id(id_).raw
    async with web.context.core.database.write() as tx:
        await insert_readings(tx, [hourly(subject, hour) for hour in hours])
    return id_


async def alter(web: RunningWeb, hour: int) -> None:
    """Change what is stored of an hour, as whoever owns the store can."""
    async with web.context.core.database.write() as tx:
        table = schema.readings
        at = YEAR_US + hour * HOUR_US
        await tx.run(update(table).where(table.c.effective_us == at).values(value=1))


async def job(web: RunningWeb) -> Json:
    """Close January of every device and answer the job when it ended."""
    here = web.local()
    taken = (await post(here, "/closings", {"month": "2025-01"}, 202))["job"]
    running = asyncio.create_task(web.context.jobs.run())
    try:
        while (found := await get(here, f"/jobs/{taken}", wait="10"))["state"] in ("waiting", "running"):
            assert not running.done()
    finally:
        running.cancel()
    assert (found["state"], found["done"]) == ("done", found["total"])
    return dict(found["result"])


async def page(browser: ClientSession, path: str) -> str:
    """A page of the console."""
    async with browser.get(path, headers={"Accept-Language": "ru"}) as response:
        assert response.status == 200
        return html.unescape(await response.text())


async def size(web: RunningWeb) -> int:
    """How much this node has said."""
    async with web.context.core.database.read() as tx:
        return (await web.context.ledger.stored(tx)).size


@pytest.mark.req("B10")
async def test_year_is_asked_of_this_node_alone_and_only_digests_are_signed(web: RunningWeb) -> None:
    """A year of hourly values comes and is asked for with nothing said; twelve closings say less than a hundredth."""
    # GIVEN a year of readings
    here = web.local()
    id_ = await device(web, PLATE, range(HOURS))
    said = await size(web)

    # WHEN they are asked for
    told = await get(here, f"/passports/{id_}/readings?quantity=volume&limit=10000")

    # THEN all of them are there and nothing was said
    assert [Decimal(row["value"]) for row in told["items"]] == [Decimal(hour).scaleb(-3) for hour in range(HOURS)]
    assert await size(web) == said

    # AND closing its months says one small statement for each
    for month in range(1, 13):
        assert (await post(here, f"/passports/{id_}/closings", {"month": f"2025-{month:02}"}))["closed"]
    assert await size(web) == said + 12
    closed = (await get(here, f"/passports/{id_}/closings"))["items"]
    assert [row["month"] for row in closed] == [f"2025-{month:02}" for month in range(12, 0, -1)]
    assert sum(row["count"] for row in closed) == HOURS
    async with web.context.core.database.read() as tx:
        sections = await tx.all(schema.sections.select().where(schema.sections.c.name == "closing"))
    assert sum(len(row.data) for row in sections) < HOURS * 200 // 100
    for month in (1, 6, 12):
        checked = await get(here, f"/passports/{id_}/closings/2025-{month:02}")
        assert checked["differing"] == []


async def test_reading_changed_in_a_closed_month_is_found(web: RunningWeb) -> None:
    """One value of January is changed: January differs and names the series, February holds."""
    here = web.local()
    id_ = await device(web, PLATE, range(31 * 24 + 28 * 24))
    for month in ("2025-01", "2025-02"):
        await post(here, f"/passports/{id_}/closings", {"month": month})

    await alter(web, 100)

    january = await get(here, f"/passports/{id_}/closings/2025-01")
    assert january["differing"] == [{"series": "1/volume/current/0", "then": 744, "now": 744}]
    assert (await get(here, f"/passports/{id_}/closings/2025-02"))["differing"] == []


async def test_month_is_closed_again_with_a_reason_alone_and_both_are_seen(web: RunningWeb) -> None:
    """Closed once more it is the same; changed, it wants a reason; then the first stands as replaced beside it."""
    here = web.local()
    id_ = await device(web, PLATE, range(24))
    january = {"month": "2025-01"}
    assert (await post(here, f"/passports/{id_}/closings", january))["closed"]
    assert not (await post(here, f"/passports/{id_}/closings", january))["closed"]
    await alter(web, 3)

    code = await refused(here, f"/passports/{id_}/closings", january)
    again = await post(here, f"/passports/{id_}/closings", {**january, "reason": "архив перечитан"})

    assert (code, again["closed"]) == ("closing_differs", True)
    first, second = sorted(
        (await get(here, f"/passports/{id_}/closings"))["items"], key=lambda row: str(row["recorded_us"])
    )
    assert first["replaced_by"] == second["ref"]
    assert (second["reason"], second["replaced_by"]) == ("архив перечитан", None)
    assert (await get(here, f"/passports/{id_}/closings/2025-01"))["differing"] == []


async def test_month_that_is_not_over_or_empty_is_not_closed(web: RunningWeb) -> None:
    """The month of today, one in which nothing was read, and one that was never closed: each says so."""
    here = web.local()
    id_ = await device(web, PLATE, range(24))
    now = datetime.fromtimestamp(NOW / 1e6, UTC)
    path = f"/passports/{id_}/closings"

    assert await refused(here, path, {"month": f"{now.year}-{now.month:02}"}) == "month_open"
    assert await refused(here, path, {"month": "2024-12"}) == "nothing_to_close"
    async with here.get(f"{API}{path}/2025-01") as response:
        assert await problem_code(response) == "month_not_closed"
    assert await refused(here, "/closings", {"month": "2099-01"}) == "month_open"


async def test_month_of_every_device_is_closed_as_a_job(web: RunningWeb) -> None:
    """The job closes what is open, counts what is closed already, and leaves what differs for a person."""
    here = web.local()
    one, other = await device(web, PLATE, range(24)), await device(web, OTHER, range(48))
    third = await device(web, {**OTHER, "serial": "0077777"}, range(2000, 2010))
    await post(here, f"/passports/{one}/closings", {"month": "2025-01"})

    first = await job(web)
    await alter(web, 30)
    second = await job(web)

    assert [first[name] for name in ("closed", "same", "nothing", "differs")] == [1, 1, 1, 0]
    assert [second[name] for name in ("closed", "same", "nothing", "differs")] == [0, 1, 1, 1]
    assert [row["count"] for row in (await get(here, f"/passports/{other}/closings"))["items"]] == [48]
    assert (await get(here, f"/passports/{third}/closings"))["items"] == []


async def test_page_shows_what_was_closed_and_what_was_changed(web: RunningWeb) -> None:
    """The page lists the month, and its check says which readings are not what was signed."""
    here = web.local()
    id_ = await device(web, PLATE, range(24))
    await post(here, f"/passports/{id_}/closings", {"month": "2025-01"})

    browser = await web.claim()

    calm = await page(browser, f"/devices/{id_}/closings?check=2025-01")
    await alter(web, 3)
    wrong = await page(browser, f"/devices/{id_}/closings?check=2025-01")

    assert "Хранимое совпадает с подписанным: показаний — 24." in calm
    assert "Хранимое не совпадает с подписанным." in wrong
    assert "1/volume/current/0" in wrong
