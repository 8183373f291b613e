"""The line page in Chromium, driven as a hand scanner does: text and Enter, one device after another."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, entered, shots
from tests.catalog_records import VERSION
from tests.trade import WATER, Trade, meters, trading

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]
Json = Any  # Any: what the API answers
KIT = [
    {"position": "A1", "designation": "СЭ-2726"},
    {"position": "B1", "designation": "Батарея ER14505", "alternates": ["Батарея LS14500"]},
    {"position": "C1", "designation": "Крышка", "optional": True},
]


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker with three meters of a version with a kit, each in a production of its own."""
    with trading(tmp_path_factory.mktemp("line"), PASSPORT_FEDERATION__DISCOVERY="false") as running:
        running.produce(meters(3))
        running.call("maker", "post", f"/types/{WATER.central}/versions", {**VERSION, "kit": KIT})
        for device in running.devices:
            running.call("maker", "post", f"/passports/{device}/type", {"type": WATER.central, "version": "1.0"})
        shipped = running.call("maker", "get", "/procedures/shipped")["items"]
        for procedure in shipped:
            if procedure["code"] in ("production", "repair"):
                running.call("maker", "post", "/procedures", procedure)
        rows = running.call("maker", "get", "/procedures")["items"]
        digest = next(row["digest"] for row in rows if row["code"] == "production")
        running.call("maker", "post", "/processes", {"procedure": digest, "ids": running.devices[:2]})
        yield running


async def scan(page: Page, name: str, text: str) -> None:
    """What a hand scanner does."""
    box = page.locator(f"#work input[name={name}]")
    await expect(box).to_be_focused()
    await box.fill(text)
    await box.press("Enter")


async def test_kit_is_put_together_by_scanning_and_the_next_station_goes_on(
    trade: Trade, tabs: Tabs, shot: Shot
) -> None:
    """Wrong, used and doubled parts are refused at once and by name; a whole kit is done in one act."""
    one, other, idle = trade.devices
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.address('maker')}/line")
    await page.locator("select[name=at]").select_option("production/kitting")
    await page.locator("#station input[name=station]").fill("К-3")
    await page.locator("#station input[name=operator]").fill("117")
    await page.get_by_role("button", name="Начать").click()
    await expect(page.locator("#waiting")).to_have_text("2")
    await scan(page, "text", one)
    await scan(page, "part", "СЭ-9999 № 1")
    await expect(page.locator(".outcome.refused .shout")).to_have_text("Этой детали нет в комплекте")
    await shots(page, shot, "line-refused", languages=())
    await scan(page, "part", "СЭ-2726 № 26-1")
    await expect(page.locator(".kit .there")).to_have_count(1)
    await expect(page.locator(".outcome.refused")).to_have_count(0)
    await scan(page, "part", "СЭ-2726 № 26-2")
    await expect(page.locator(".outcome.refused .shout")).to_have_text("Эта деталь уже установлена")
    await page.get_by_role("button", name="Шаг выполнен").click()
    await expect(page.locator(".outcome.refused .shout")).to_have_text("Комплект неполный")
    await scan(page, "part", "Батарея LS14500 № 7")
    await expect(page.locator(".kit .there")).to_have_count(2)
    await shots(page, shot, "line-kit", languages=())
    await scan(page, "part", one)
    await expect(page.locator(".outcome.fine .shout")).to_contain_text("Готово")
    await expect(page.locator("#done-today")).to_have_text("1")
    await expect(page.locator("#waiting")).to_have_text("1")

    await scan(page, "text", other)
    await scan(page, "part", "СЭ-2726 № 26-1")
    await expect(page.locator(".outcome.refused")).to_contain_text("Стоит в")
    await shots(page, shot, "line-used", languages=())
    await page.get_by_role("link", name="Отложить").click()
    await scan(page, "text", idle)
    await expect(page.locator(".outcome.refused .shout")).to_have_text("Этот прибор здесь не в работе")
    await shots(page, shot, "line-back", languages=())
    await page.get_by_role("link", name="Открыть ремонт").click()
    await expect(page.locator("select[name=procedure] option:checked")).to_contain_text("Ремонт")


async def test_station_that_asks_nothing_is_done_by_the_scan_alone(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """Scans follow one another; a device of another step is refused with where it stands."""
    device = trade.devices[1]
    run = await asyncio.to_thread(trade.call, "maker", "get", "/processes", code="production", step="kitting")
    body = {
        "code": "production",
        "step": "kitting",
        "text": device,
        "do": True,
        "parts": ["СЭ-2726 № 8", "Батарея ER14505 № 8"],
    }
    if run["items"]:
        await asyncio.to_thread(trade.call, "maker", "post", "/line/scans", body)
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.address('maker')}/line?code=production&step=mark&station=М-1&operator=117")
    await scan(page, "text", device)
    await expect(page.locator("#sitting .refused")).to_contain_text("Прошивка")
    await page.goto(f"{trade.address('maker')}/line?code=production&step=firmware&station=М-1&operator=117")
    await scan(page, "text", device)
    await page.locator('[name="detail.firmware"]').fill("1.0.7")
    await page.get_by_role("button", name="Шаг выполнен").click()
    await expect(page.locator(".outcome.fine")).to_contain_text("Проливка")
    await shots(page, shot, "line-station")
