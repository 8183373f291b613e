"""The model mapping through the API and the console, and what becomes of readings by it."""

import html
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import ClientSession

from node.passport.ids import parse_device_id
from node.services.access import Scope
from node.services.mapping import FieldState
from node.store.mappings import BYTES, SeenField, note_fields
from node.store.radio import DeviceState, FrameState, StoredDevice, StoredFrame, insert_frame, put_device
from node.store.readings import Series, StoredReading, insert_readings
from node.web.routes import API
from tests.unit.web.running import NOW, RunningWeb, get, post, problem_code

QUANTITY = "manufacturer_specific_21"
HOUR_US = 3_600_000_000
PLATE = {"designation": "ВС-15", "serial": "0012345", "year": "2024"}
ROW = {"code": "volume", "scale": "0.001", "obis": "8-0:1.0.0"}


@dataclass
class Metered:
    """A device whose driver said numbers of its maker, later volumes too, and bytes that nobody can read."""

    id: str
    driver: str


@pytest.fixture
async def metered(web: RunningWeb) -> Metered:
    """Three hours of the maker's own counter, then two of volume."""
    device = str((await post(web.local(), "/plates", PLATE))["id"])
    subject = parse_device_id(device).raw
    item = next(one for one in web.context.drivers.installed if one.driver.descriptor.id.startswith("mbus"))
    driver = item.driver.descriptor.id

    def said(hour: int, value: str, quantity: str, unit: str) -> StoredReading:
        at = NOW - (5 - hour) * HOUR_US
        times = (at, Decimal(value), unit, "counter", at, at, "device")
        return StoredReading(subject, Series(1, quantity), *times, "ok", 1, bytes(32), item.hash)

    async with web.context.core.database.write() as tx:
        frame = await insert_frame(tx, StoredFrame(NOW, "uplink", b"x", FrameState.DECODED, b"\x02" * 8))
        await put_device(tx, StoredDevice(b"\x02" * 8, subject, {}, b"", DeviceState.REGISTERED, {}))
        old = [said(hour, f"{10_000 + hour}", QUANTITY, "1") for hour in range(3)]
        await insert_readings(tx, [*old, *(said(hour, f"10.{hour:03}", "volume", "m3") for hour in (3, 4))])
        names = ((QUANTITY, 1, "1"), ("volume", 1, "m3"), ("manufacturer_data", BYTES, ""))
        await note_fields(tx, [SeenField(driver, name, channel, unit, NOW, frame) for name, channel, unit in names])
    return Metered(device, driver)


def of(metered: Metered, rest: str = "") -> str:
    """The address of the row of the maker's counter."""
    return f"/mappings/{metered.driver}/{QUANTITY}{rest}"


async def put(client: ClientSession, path: str, body: Any, status: int = 200) -> Any:  # Any: JSON
    """What the API answers to a row."""
    async with client.put(f"{API}{path}", json=body) as response:
        assert response.status == status, await response.text()
        return await response.json(content_type=None)


async def test_names_are_listed_with_how_they_stand(web: RunningWeb, metered: Metered) -> None:
    """By its own name, not mapped, bytes without a number; what is only declared where it is asked for."""
    found = (await get(web.local(), "/mappings"))["items"]
    unmapped = (await get(web.local(), "/mappings", state="unmapped"))["items"]
    declared = (await get(web.local(), "/mappings", declared="true"))["items"]

    assert [(one["quantity"], one["channel"], one["state"], one["is_bytes"]) for one in found] == [
        ("manufacturer_data", None, "unmapped", True),
        (QUANTITY, 1, "unmapped", False),
        ("volume", 1, "name", False),
    ]
    assert [one["quantity"] for one in unmapped] == ["manufacturer_data", QUANTITY]
    assert {"betar-vega", "vega-si-v1"} <= {one["driver"] for one in declared}
    assert len(declared) > len(found)
    assert (await get(web.local(), "/mappings", driver="betar-vega", declared="true"))["items"][0]["since_us"] is None


async def test_old_readings_answer_the_code_from_the_moment_that_a_row_stands(
    web: RunningWeb, metered: Metered
) -> None:
    """One series under the code, with OBIS and what the driver said; dropped, the driver's name answers again."""
    client, address = web.local(), f"/passports/{metered.id}/readings"
    before = (await get(client, address, quantity="volume"))["items"]

    row = await put(client, of(metered), ROW)
    mapped = (await get(client, address, quantity="volume"))["items"]
    own = (await get(client, address, quantity=QUANTITY))["items"]
    series = (await get(client, f"/passports/{metered.id}/series"))["items"]
    facts = (await get(client, "/facts", q=metered.id))["devices"][0]["series"]
    async with client.delete(f"{API}{of(metered)}") as response:
        assert response.status == 204
    after = (await get(client, address, quantity=QUANTITY))["items"]

    assert (row["state"], row["unit"], row["scale"], row["row_channel"], row["channel"]) == (
        "mapped", "m3", "0.001", None, 1,
    )  # fmt: skip
    assert [one["value"] for one in before] == ["10.003", "10.004"]
    assert [one["value"] for one in mapped] == ["10", "10.001", "10.002", "10.003", "10.004"]
    assert {one["unit"] for one in mapped} == {"m3"}
    assert [one["obis"] for one in mapped] == ["8-0:1.0.0"] * 3 + [""] * 2
    assert [one["said"] for one in mapped] == [QUANTITY] * 3 + ["volume"] * 2
    assert own == []
    assert [(one["quantity"], one["value"]) for one in series] == [("volume", "10.004")]
    assert [(one["quantity"], len(one["readings"])) for one in facts] == [("volume", 5)]
    assert [one["value"] for one in after] == ["10000", "10001", "10002"]


async def test_export_of_a_list_tells_codes(web: RunningWeb, metered: Metered) -> None:
    """The file of readings is what the mapping tells."""
    client = web.local()
    await put(client, of(metered), ROW)

    async with client.get(f"{API}/passports/{metered.id}/readings?format=csv&quantity=volume") as response:
        text = (await response.read()).decode("utf-8-sig")

    assert text.count("8-0:1.0.0") == 3
    assert QUANTITY not in text


async def test_change_is_journaled_with_what_was_and_is(web: RunningWeb, metered: Metered) -> None:
    """Who mapped what from what to what; the same row again is no change."""
    client = web.local()
    await put(client, of(metered), ROW)
    await put(client, of(metered), ROW)
    await put(client, of(metered), {**ROW, "scale": "0.01", "obis": ""})
    async with client.delete(f"{API}{of(metered)}") as response:
        assert response.status == 204

    rows = [row for row in await web.context.journal.after(0) if row.what.startswith("mapping_")]

    assert [(row.what, row.detail.get("was"), row.detail.get("now")) for row in rows] == [
        ("mapping_put", "", "volume [m3] × 0.001 8-0:1.0.0"),
        ("mapping_put", "volume [m3] × 0.001 8-0:1.0.0", "volume [m3] × 0.01"),
        ("mapping_dropped", "volume [m3] × 0.01", None),
    ]
    assert {row.actor for row in rows} == {"local:administrator"}


@pytest.mark.parametrize(
    ("quantity", "changes", "field", "rule"),
    [
        (QUANTITY, {"code": "nothing"}, "code", "code-unknown"),
        (QUANTITY, {"scale": "1"}, "unit", "unit-as-read"),
        (QUANTITY, {"unit": "kW.h"}, "unit", "unit-of-code"),
        (QUANTITY, {"unit": "m³"}, "unit", "unit-unknown"),
        (QUANTITY, {"obis": "1-0:1.8.256"}, "obis", "obis-form"),
        (QUANTITY, {"scale": 0}, "scale", "scale-zero"),
        (QUANTITY, {"scale": "NaN"}, "scale", "scale-form"),
        (QUANTITY, {"scale": "1e30"}, "scale", "scale-digits"),
        ("volume_nobody", {}, "quantity", "quantity-unknown"),
        ("manufacturer_data", {}, "quantity", "quantity-bytes"),
    ],
)
async def test_row_that_cannot_stand_is_refused_by_its_field(
    web: RunningWeb, metered: Metered, quantity: str, changes: dict[str, object], field: str, rule: str
) -> None:
    """Field and rule stand in the problem, nothing changes, and a preview says the same."""
    client, path = web.local(), f"/mappings/{metered.driver}/{quantity}"
    for method, address in (("PUT", path), ("POST", f"{path}/preview")):
        async with client.request(method, f"{API}{address}", json={**ROW, **changes}) as response:
            told = await response.json(content_type=None)
            assert (response.status, told["code"]) == (422, "mapping_refused")
            assert [(one["pointer"], one["rule"]) for one in told["errors"]] == [(f"/{field}", rule)]
            assert told["errors"][0]["message"] in told["detail"]
    names = await web.context.mappings.names()
    assert FieldState.MAPPED not in {one.state for one in names}


async def test_unknown_driver_row_and_shapes_are_refused(web: RunningWeb, metered: Metered) -> None:
    """A driver that never was here, a row that does not stand, a channel that is none, a scale that is no text."""
    client = web.local()
    async with client.put(f"{API}/mappings/nobody/{QUANTITY}", json=ROW) as response:
        assert (response.status, await problem_code(response)) == (422, "mapping_refused")
    async with client.delete(f"{API}{of(metered)}") as response:
        assert (response.status, await problem_code(response)) == (404, "mapping_row_unknown")
    shapes: list[Any] = [
        {**ROW, "channel": -1},
        {**ROW, "scale": True},
        {**ROW, "scale": [1]},
        {"scale": "1"},
        [],
    ]  # Any: JSON
    for body in shapes:
        async with client.put(f"{API}{of(metered)}", json=body) as response:
            assert response.status == 422, await response.text()


async def test_only_who_administers_access_maps(web: RunningWeb, metered: Metered) -> None:
    """Others read the list and change nothing."""
    reader = await web.system(Scope.READ, Scope.RECORD, Scope.RADIO)

    await get(reader, "/mappings")

    for method, address in (("PUT", of(metered)), ("POST", of(metered, "/preview")), ("DELETE", of(metered))):
        async with reader.request(method, f"{API}{address}", json=ROW) as response:
            assert response.status == 403


async def test_preview_shows_the_latest_reading_before_and_after(web: RunningWeb, metered: Metered) -> None:
    """As the driver said it and as the row would tell it; nothing is changed."""
    found = await post(web.local(), of(metered, "/preview"), {**ROW, "scale": 0.001})

    assert (found["read"]["quantity"], found["read"]["value"], found["read"]["unit"]) == (QUANTITY, "10002", "1")
    assert (found["told"]["quantity"], found["told"]["value"], found["told"]["unit"]) == ("volume", "10.002", "m3")
    assert (await get(web.local(), "/mappings", state="mapped"))["items"] == []


async def shown(browser: ClientSession, address: str, **form: str) -> tuple[int, str]:
    """A page, or what an act of its form answers."""
    method = "POST" if form else "GET"
    async with browser.request(method, address, data=form or None) as response:
        return response.status, html.unescape(await response.text())


@pytest.mark.req("A04")
async def test_page_maps_a_name_and_the_plot_becomes_one(web: RunningWeb, metered: Metered) -> None:
    """From the readings page to the form, checked, saved, seen in one series, and dropped again."""
    browser = await web.claim()
    readings = f"/devices/{metered.id}/readings"
    _, before = await shown(browser, f"{readings}?quantity={QUANTITY}&channel=1")
    link = re.search(r'href="(/mapping/[^"]+)"', before)
    assert link is not None
    form = link[1].partition("?")[0]
    status, empty = await shown(browser, link[1])
    assert (status, 'value="1"' in empty) == (200, True)

    checked = await shown(browser, form, code="volume", scale="0,001", then="check")
    refused = await shown(browser, form, code="volume", scale="0", then="save")
    saved = await shown(browser, form, code="volume", scale="0,001", channel="1", obis="8-0:1.0.0")
    _, after = await shown(browser, f"{readings}?quantity=volume&channel=1")
    _, passport = await shown(browser, f"/devices/{metered.id}")
    _, edit = await shown(browser, link[1])
    dropped = await shown(browser, f"{form}/drop", channel="1")

    assert checked[0] == 200
    assert "10.002" in checked[1]
    assert refused[0] == 422
    assert "множитель — ноль" in refused[1]
    assert saved[0] == 200
    assert "сопоставлено" in saved[1]
    assert "× 0.001" in saved[1]
    points = re.search(r'data-points="([^"]*)"', after)
    assert points is not None
    assert points[1].endswith("[10.0, 10.001, 10.002, 10.003, 10.004]]")
    assert QUANTITY in after
    assert "10.004" in passport
    assert 'value="8-0:1.0.0"' in edit
    assert "Снять сопоставление" in edit
    assert "× 0.001" not in dropped[1]


async def test_page_lists_what_is_not_mapped_alone(web: RunningWeb, metered: Metered) -> None:
    """Names of bytes have nothing to press; what is a code by its name is left out."""
    browser = await web.claim()

    _, every = await shown(browser, "/mapping")
    _, unmapped = await shown(browser, f"/mapping?show=unmapped&driver={metered.driver}")
    _, declared = await shown(browser, "/mapping?show=all")

    assert "по названию" in every
    assert "<code>volume</code>" not in unmapped
    assert "байты без документа" in unmapped
    assert len(re.findall(r'href="/mapping/', unmapped)) == 1
    assert "betar-vega" in declared
