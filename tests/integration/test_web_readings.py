"""The page of a device's readings: one series over a time, as points of a plot and as a table."""

import html
import json
import re
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from aiohttp import ClientSession

from node.passport.ids import parse_device_id
from node.services.readings import DRAWN, Point, Series, StoredReading, thinned
from node.store.readings import insert_readings
from tests.unit.web.running import NOW, RunningWeb, post

HOUR_US = 3_600_000_000
PLATE = {"designation": "ВС-15", "serial": "0012345", "year": "2024"}
VOLUME, ENERGY = Series(1, "volume"), Series(1, "energy_active_import", "current", 2)


def reading(subject: bytes, at: int, value: str, series: Series = VOLUME) -> StoredReading:
    """One value of the meter's own clock."""
    times = (at, Decimal(value), "m3", "counter", at, at, "device")
    return StoredReading(subject, series, *times, "ok", 1, bytes(32), bytes(32))


async def observed(web: RunningWeb, hours: int) -> str:
    """A device with so many hourly volumes until now, and one energy; its id."""
    device = str((await post(web.local(), "/plates", PLATE))["id"])
    subject = parse_device_id(device).raw
    values = [reading(subject, NOW - hour * HOUR_US, f"{10_000 - hour}.5") for hour in range(hours)]
    async with web.context.core.database.write() as tx:
        await insert_readings(tx, [*values, reading(subject, NOW, "7", ENERGY)])
    return device


async def shown(browser: ClientSession, address: str) -> str:
    """A page."""
    async with browser.get(address) as response:
        assert response.status == 200, await response.text()
        return await response.text()


def drawn(page: str) -> Sequence[Sequence[float]]:
    """The points of the plot: seconds and values."""
    (points,) = re.findall(r'data-points="([^"]*)"', page)
    times, values = json.loads(html.unescape(points))
    return times, values


def link(page: str, text: str) -> str:
    """The address behind a link of that text."""
    return html.unescape(next(re.finditer(rf'href="([^"]*)"[^>]*>{text}<', page)).group(1))


async def test_year_of_hourly_values_is_drawn_whole_and_told_page_by_page(web: RunningWeb) -> None:
    """The plot has every hour of the year; the table goes back a hundred at a time without a gap or a double."""
    device = await observed(web, 8_760)
    browser = await web.claim()

    month = await shown(browser, f"/devices/{device}/readings?quantity=volume&channel=1")
    year = await shown(browser, link(month, "Год"))
    times, values = drawn(year)
    second = await shown(browser, link(year, "Раньше"))

    assert len(drawn(month)[0]) == 31 * 24
    assert len(times) == 8_760
    assert (times[-1], values[0], values[-1]) == (NOW / 1e6, 1241.5, 10_000.5)
    told = [re.findall(r"<strong>([\d.]+)</strong>", page) for page in (year, second)]
    assert [Decimal(value) for value in (*told[0], *told[1])] == [Decimal(f"{10_000 - n}.5") for n in range(200)]


async def test_time_is_chosen_by_days_and_moved_by_its_own_length(web: RunningWeb) -> None:
    """Two days show two days of hours, the arrow the two before; an empty time says so, days reversed are refused."""
    device = await observed(web, 24 * 10)
    browser = await web.claim()
    place = f"/devices/{device}/readings"

    two = await shown(browser, f"{place}?quantity=volume&channel=1&first=2026-09-18&last=2026-09-19")
    before = await shown(browser, link(two, "←"))
    empty = await shown(browser, f"{place}?quantity=volume&channel=1&first=2025-01-01&last=2025-01-02")
    async with browser.get(f"{place}?quantity=volume&channel=1&first=2026-09-19&last=2026-09-18") as response:
        refusal = (response.status, await response.text())

    assert len(drawn(two)[0]) == len(drawn(before)[0]) == 48
    assert drawn(before)[0][-1] < drawn(two)[0][0]
    assert "За это время показаний нет" in empty
    assert refusal[0] == 422
    assert "Первый день позже последнего" in refusal[1]


async def test_series_is_chosen_and_downloaded_alone(web: RunningWeb) -> None:
    """Each series has a tab, what is not observed says so, and the file holds what the page is of."""
    device = await observed(web, 3)
    browser = await web.claim()
    page = await shown(browser, f"/devices/{device}/readings?quantity=energy_active_import&channel=1&tariff=2")
    strange = await shown(browser, f"/devices/{device}/readings?quantity=pressure")
    volumes = await shown(browser, f"/devices/{device}/readings?quantity=volume&channel=1&since=0&until={NOW + 1}")

    file = await shown(browser, link(volumes, "CSV"))

    assert drawn(page)[1] == [7.0]
    assert "T2" in page
    assert "Такое не наблюдается" in strange
    assert file.count("9999,5") == 1
    assert "energy" not in file


async def test_device_without_readings_says_so(web: RunningWeb) -> None:
    """Nothing is drawn, and the way back stands there."""
    device = str((await post(web.local(), "/plates", PLATE))["id"])
    browser = await web.claim()

    page = await shown(browser, f"/devices/{device}/readings")

    assert "Показаний ещё нет" in page
    assert "data-points" not in page


def test_very_many_points_are_drawn_by_their_outermost() -> None:
    """Ten years of hours keep the first, the last and every spike, in order, and become as few as a plot shows."""
    points = [Point(at, Decimal(at % 7), "m3", "ok") for at in range(87_600)]
    points[40_001] = Point(40_001, Decimal(-500), "m3", "bad")
    points[40_002] = Point(40_002, Decimal(900), "m3", "bad")

    kept = thinned(points)

    assert len(kept) <= DRAWN + 4
    assert {points[0], points[-1], points[40_001], points[40_002]} <= {*kept}
    assert all(one.effective_us < other.effective_us for one, other in pairwise(kept))
    assert thinned(points[:DRAWN]) == points[:DRAWN]
