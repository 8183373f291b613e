"""Meters of a unit side by side, through the API and the console: real frames, read by the drivers of their makers."""

import html
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import ClientSession

from node.passport.ids import parse_device_id
from node.services import inside
from node.services.access import Scope
from node.store.readings import Series, StoredReading, insert_readings
from node.web.routes import API
from tests.metered import DAY_US, GAS_TYPE, HOUR_US, Metered, metered
from tests.unit.web.running import NOW, RunningWeb, get, post, problem_code

Json = Any  # Any: JSON
MAPPED = {"code": "energy_heat", "unit": "Gcal_IT"}


@pytest.fixture
async def here(web: RunningWeb) -> Metered:
    """A unit whose meters were heard; what the heat meter calls energy is mapped to heat."""
    made = await metered(web.context, web.local())
    async with made.client.put(f"{API}/mappings/wmbus-oms/energy", json=MAPPED) as response:
        assert response.status == 200, await response.text()
    return made


async def side_by_side(here: Metered, whole: str = "") -> dict[str, Json]:
    """The rows of the unit, or of another whole, by what the meters are."""
    names = {device: name for name, device in here.ids.items()}
    found = await get(here.client, f"/passports/{whole or here.unit}/meters")
    return {names[row["id"]]: row for row in found["items"]}


def totals(row: Json) -> dict[str, tuple[str, str]]:
    """The current totals of a meter: value and unit by code."""
    return {
        one["quantity"]: (one["value"], one["unit"])
        for one in row["registers"]
        if (one["storage"], one["tariff"]) == ("current", 0)
    }


async def page_of(browser: ClientSession, whole: str) -> str:
    """The page as text."""
    async with browser.get(f"/devices/{whole}/meters") as response:
        assert response.status == 200, await response.text()
        return html.unescape(await response.text())


def section(page: str, medium: str) -> str:
    """What the page shows of a medium."""
    return page.partition(f'id="medium-{medium}"')[2].partition("</section>")[0]


@pytest.mark.req("A02")
async def test_meters_of_several_makers_and_media_stand_side_by_side_in_one_unit(
    web: RunningWeb, here: Metered
) -> None:
    """Four makers, four media, four drivers, one of them wireless M-Bus: each code in the unit of the catalog."""
    browser = await web.claim()

    rows = await side_by_side(here)
    page = await page_of(browser, here.unit)
    async with browser.get("/drivers") as response:
        drivers = html.unescape(await response.text())

    assert {name: (row["maker"], row["serial"], row["medium"]) for name, row in rows.items()} == {
        "heat": ("Карат", "12345678", "heat"),
        "water": ("Бетар", "00012345", "cold_water"),
        "silent": ("Норма", "00770011", "cold_water"),
        "electricity": ("СПбЗИП", "1591497", "electricity"),
        "gas": ("Газдевайс", "0300456", "gas"),
    }
    assert {name: row["driver"].partition(" ")[0] for name, row in rows.items() if name != "silent"} == {
        "heat": "wmbus-oms", "water": "betar-vega", "electricity": "spbzip-ce272x", "gas": "betar-sgbm",
    }  # fmt: skip
    # The driver said 120340 W·h and 1163000 W·h: the catalog has kW·h for one code and Gcal for the other.
    assert totals(rows["electricity"])["energy_active_import"] == ("120.34", "kW.h")
    assert totals(rows["heat"])["energy_heat"] == ("1", "Gcal_IT")
    assert totals(rows["water"])["volume"][1] == totals(rows["gas"])["volume"][1] == "m3"
    assert Decimal(totals(rows["water"])["volume"][0]) == Decimal("12.5")
    assert Decimal(totals(rows["gas"])["volume"][0]) == Decimal("123.456")
    assert all(one["is_common"] for row in rows.values() for one in row["registers"])
    shown = {
        "heat": ("Гкал", "1"),
        "cold_water": ("м³", "12.5"),
        "electricity": ("кВт·ч", "120.34"),
        "gas": ("м³", "123.456"),
    }
    for medium, (unit, value) in shown.items():
        part = section(page, medium)
        assert re.search(rf'<th class="number">[^<]*, {unit}</th>', part), medium
        assert re.search(rf"<strong>{value}0*</strong>", part), medium
    for text in (
        "Карат",
        "Бетар",
        "Норма",
        "СПбЗИП",
        "Газдевайс",
        "wmbus-oms",
        "betar-vega",
        "spbzip-ce272x",
        "betar-sgbm",
    ):
        assert text in page
    assert all(model in drivers for model in ("Бетар", "CE2726A", "СГБМ"))


async def test_drivers_say_how_many_devices_they_read(web: RunningWeb, here: Metered) -> None:
    """Those in service and the meter behind the bridge, each with its driver; on the page too."""
    browser = await web.claim()

    found = {row["id"]: row["devices"] for row in (await get(here.client, "/drivers"))["items"]}
    async with browser.get("/drivers") as response:
        text = html.unescape(await response.text())

    assert {name: count for name, count in found.items() if count} == {
        "betar-vega": 1, "spbzip-ce272x": 1, "betar-sgbm": 1, "wmbus-oms": 1, "lobaro-wmbus-bridge": 1,
    }  # fmt: skip
    assert text.count(">1 прибор<") == 5


@pytest.mark.req("A02")
async def test_silent_meter_and_what_is_not_mapped_are_shown(web: RunningWeb, here: Metered) -> None:
    """Nobody is left out for having said nothing, and no number for having no code."""
    browser = await web.claim()

    rows = await side_by_side(here)
    page = await page_of(browser, here.unit)

    silent, heat = rows["silent"], rows["heat"]
    assert (silent["heard_us"], silent["status"], silent["registers"], silent["driver"]) == (None, None, [], "")
    assert [(one["quantity"], one["value"], one["unit"]) for one in heat["unmapped"]] == [
        ("flow_temperature", "64.3", "Cel")
    ]
    assert heat["bytes_left"] == {"manufacturer_data": "010203"}
    assert (heat["heard_us"], heat["status"]) == (NOW, "ok")
    assert "ещё не выходил на связь" in section(page, "cold_water")
    assert "нет драйвера" in section(page, "cold_water")
    assert "flow_temperature" in section(page, "heat")
    assert "manufacturer_data" in section(page, "heat")


@pytest.mark.req("A02")
async def test_whole_above_shows_the_same_meters_and_one_that_came_out_is_gone(here: Metered) -> None:
    """At any depth, with the wholes on the way; what was taken out of the unit stands there no more."""
    before = await side_by_side(here, here.house)
    today = "2026-09-21"

    await post(here.client, f"/passports/{here.unit}/parts/removals", {"part": here.ids["gas"], "when": today}, 204)

    assert before.keys() == (await side_by_side(here)).keys() | {"gas"}
    assert before["gas"]["path"] == [here.house, here.unit]
    assert "gas" not in await side_by_side(here, here.house)


async def test_frame_that_nothing_reads_is_told_beside_the_last_value(here: Metered) -> None:
    """The driver does not know a frame: the value before stands, the reason and the time of the frame beside it."""
    later = NOW + HOUR_US
    await here.hear(bytes.fromhex("70b3d58ff1010003"), 2, b"\xff\xff", later)

    gas = (await side_by_side(here))["gas"]

    assert (gas["frame"], gas["why"], gas["heard_us"], gas["status"]) == ("undecoded", "frame", later, "ok")
    assert Decimal(totals(gas)["volume"][0]) == Decimal("123.456")


async def test_value_of_another_dimension_and_doubted_value_are_marked(web: RunningWeb, here: Metered) -> None:
    """A volume in tons stays in tons; after a doubted value the believed one before it is told, and the doubt."""
    browser, subject = await web.claim(), parse_device_id(here.ids["silent"]).raw

    def said(channel: int, value: str, unit: str, hour: int, status: str) -> StoredReading:
        at = NOW - hour * HOUR_US
        times = (at, Decimal(value), unit, "counter", at, at, "device")
        return StoredReading(subject, Series(channel, "volume"), *times, status, 1, bytes(32), bytes(32))

    readings = [said(1, "7.5", "m3", 2, "ok"), said(1, "3", "m3", 0, "bad"), said(2, "4", "t", 1, "ok")]
    async with web.context.core.database.write() as tx:
        await insert_readings(tx, [*readings, replace(said(3, "900", "L", 1, "ok"), kind="counter")])

    row = (await side_by_side(here))["silent"]
    part = section(await page_of(browser, here.unit), "cold_water")

    assert [
        (one["channel"], one["value"], one["unit"], one["is_common"], one["latest"]) for one in row["registers"]
    ] == [
        (1, "7.5", "m3", True, "bad"),
        (2, "4", "t", False, "ok"),
        (3, "0.9", "m3", True, "ok"),
    ]
    assert (row["status"], row["heard_us"]) == ("bad", NOW)
    assert "в своей единице" in part
    assert "недостоверно" in part


async def test_meter_of_no_known_type_stands_with_those_of_what_is_read_of_it(here: Metered) -> None:
    """Active energy is counted by electricity meters alone; a volume may be of anything."""
    for name, code in (("plain", "energy_active_import"), ("other", "volume")):
        device = await here.add(name, {"designation": "X", "serial": f"1-{name}"})
        reading = StoredReading(
            parse_device_id(device).raw, Series(1, code), NOW, Decimal(5), "kW.h" if name == "plain" else "m3",
            "counter", NOW, NOW, "device", "ok", 1, bytes(32), bytes(32),
        )  # fmt: skip
        async with here.context.core.database.write() as tx:
            await insert_readings(tx, [reading])

    rows = await side_by_side(here)

    assert (rows["plain"]["medium"], rows["other"]["medium"]) == ("electricity", "")
    assert list(rows)[-1] == "other"


async def test_media_that_the_catalog_does_not_know_stand_each_together(web: RunningWeb, here: Metered) -> None:
    """Behind those that are known and before those that nobody states, whatever their meters are called."""
    for medium in ("steam", "air"):
        changed = {"code": f"t:{medium}", "grsi": "77779-26", "model": medium, "executions": [medium]}
        await post(here.client, "/types", {"record": {**GAS_TYPE, **changed, "resources": [medium]}}, 201)
    for number, medium in enumerate(("steam", "air", "steam", "air")):
        await here.add(f"{medium}-{number}", {"designation": f"{number}", "serial": f"9{number}"}, f"t:{medium}")
    await here.add("nobody", {"designation": "0", "serial": "1"})

    rows, page = await side_by_side(here), await page_of(await web.claim(), here.unit)

    assert list(rows)[-5:] == ["air-1", "air-3", "steam-0", "steam-2", "nobody"]
    assert [page.count(f'id="medium-{medium}"') for medium in ("air", "steam", "none")] == [1, 1, 1]


async def test_pages_of_the_list_join_to_the_whole_of_it(here: Metered) -> None:
    """Two at a time, each meter once and in the same order; a file has a row for each."""
    whole = await get(here.client, f"/passports/{here.unit}/meters")
    parts, cursor = [], ""
    while cursor is not None:
        asked = {"cursor": cursor} if cursor else {}
        found = await get(here.client, f"/passports/{here.unit}/meters", limit="2", **asked)
        parts += [row["id"] for row in found["items"]]
        cursor = found["next"]
        assert found["counts"] == whole["counts"] == {"heat": 1, "cold_water": 2, "electricity": 1, "gas": 1}
    async with here.client.get(f"{API}/passports/{here.unit}/meters", params={"format": "csv"}) as response:
        text = (await response.read()).decode("utf-8-sig")

    assert parts == [row["id"] for row in whole["items"]]
    assert (whole["next"], whole["cut"]) == (None, False)
    lines = text.splitlines()
    assert len(lines) == 6
    assert "Тепловая энергия, Гкал" in lines[0]
    assert next(line for line in lines if "СПбЗИП" in line).count("120,34") == 1


async def test_more_than_is_looked_at_is_said_to_be_cut(
    web: RunningWeb, here: Metered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list says so, and so does the page."""
    browser = await web.claim()
    monkeypatch.setattr(inside, "MOST_INSIDE", 3)

    found = await get(here.client, f"/passports/{here.unit}/meters")

    assert (len(found["items"]), found["cut"]) == (2, True)
    assert "список неполный" in await page_of(browser, here.unit)


async def test_passport_of_a_whole_leads_to_the_page_and_rights_are_those_of_readings(
    web: RunningWeb, here: Metered
) -> None:
    """A device alone has no such link; who may not read is refused, and so is a thing that is not here."""
    browser, stranger = await web.claim(), await web.system(Scope.RECORD)
    for device, has_link in ((here.unit, True), (here.house, True), (here.ids["water"], False)):
        async with browser.get(f"/devices/{device}") as response:
            assert (f'href="/devices/{device}/meters"' in await response.text()) is has_link
    async with stranger.get(f"{API}/passports/{here.unit}/meters") as response:
        assert response.status == 403
    async with here.client.get(f"{API}/passports/EPP1-0/meters") as response:
        assert response.status in (404, 422)
        assert await problem_code(response) in ("passport_unknown", "id_mistyped")


async def test_course_of_a_month_is_drawn_beside_the_numbers(web: RunningWeb, here: Metered) -> None:
    """One plot for each meter with more than one value, in the unit of its column."""
    page = await page_of(await web.claim(), here.unit)

    (water,) = re.findall(r'data-points="([^"]*)"', section(page, "cold_water"))
    (energy,) = re.findall(r'data-points="([^"]*)"', section(page, "electricity"))

    assert water.endswith("12.25, 12.375, 12.5]]")
    assert energy.endswith("116.34, 120.34]]")
    assert water.count(",") == 2 * 20 + 1
    assert f"{(NOW - 20 * DAY_US) / 1e6}" in water
