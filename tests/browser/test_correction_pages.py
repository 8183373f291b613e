"""Recording and correcting on the passport page in Chromium: the original stays to be seen, both close a dispute."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, entered, shots
from tests.trade import Trade, trading

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]
PLATE = {"designation": "СПОР-1", "serial": "90018", "approvals": ["54321-20"]}


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker and a utility that say different flows of a meter which neither of them made, in different units."""
    folder = tmp_path_factory.mktemp("corrections")
    with trading(folder, "utility", PASSPORT_FEDERATION__DISCOVERY="false") as running:
        for name, other, value, unit in (("maker", "utility", "1600", "L/h"), ("utility", "maker", "2.5", "m3/h")):
            device = running.call(name, "post", "/plates", PLATE)["id"]
            row = {"code": {"central": "q3"}, "value": value, "unit": unit, "since": "2026-05-01"}
            running.call(name, "post", f"/passports/{device}/parameters", {"rows": [row]})
            running.call(name, "post", "/shares", {"org": running.orgs[other], "ids": [device]})
        running.devices = [device]
        names = ("maker", "utility")
        running.until("the dispute", lambda: {standing(running, name) for name in names} == {"disputed"})
        yield running


def flow(trade: Trade, name: str) -> Any:  # Any: JSON
    view = trade.call(name, "get", f"/passports/{trade.devices[0]}")["view"]
    return view["parameters"].get("q3", {"values": [{}]})["values"][0]


def standing(trade: Trade, name: str) -> Any:  # Any: JSON
    return flow(trade, name).get("standing")


async def correct(
    page: Page, fact: str, value: str, *, unit: str = "", ground: str = "own", document: str = ""
) -> None:
    form = page.locator("#correct")
    await form.locator("summary").click()
    await form.locator("select[name=fact]").select_option(fact)
    await form.locator("input[name=value]").fill(value)
    await form.locator("select[name=unit]").select_option(unit)
    await form.locator("input[name=reason]").fill("сверили с табличкой")
    await form.locator("select[name=ground]").select_option(ground)
    await form.locator("input[name=document]").fill(document)
    await form.locator("button.primary").click()


async def test_dispute_is_closed_on_the_page_and_what_was_said_stays(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """The one who erred types a number with a comma and its unit; both see one value, and the old one beside it."""
    device = trade.devices[0]
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.address('maker')}/devices/{device}")
    await expect(page.locator("#conflicts")).to_contain_text("Постоянный расход Q3")

    await correct(page, "q3@2026-05-01", "2,5", unit="m3/h", ground="joint-act", document="Акт 7 от 01.11.2026")

    await expect(page.locator("#parameters")).to_contain_text("2.5 м³/ч")
    await expect(page.locator("#parameters")).to_contain_text("заменено: 1600 л/ч")
    await expect(page.locator("#conflicts")).to_have_count(0)
    await asyncio.to_thread(
        trade.until, "the end of the dispute at the utility", lambda: standing(trade, "utility") == "working"
    )
    assert (await asyncio.to_thread(flow, trade, "utility"))["unit"] == "m3/h"
    await page.locator("#correct summary").click()
    await shots(page, shot, "passport-corrected")


async def test_corrected_serial_shows_the_one_that_was_read_before(trade: Trade, tabs: Tabs) -> None:
    """Old and new serial stand there, each with who said it; the same value again is refused in words."""
    tabs.expect("422")
    page = await entered(tabs, trade.nodes["utility"])
    await page.goto(f"{trade.address('utility')}/devices/{trade.devices[0]}")

    await correct(page, "serial", "90019")
    await expect(page.locator("#identity")).to_contain_text("спорно: 90018 — ООО «Завод Приборучёт-Демо»")
    await expect(page.locator("#identity")).to_contain_text("спорно: 90019 — МУП «Водоканал-Демо»")
    await expect(page.locator("#identity")).not_to_contain_text("СПОР-1 — ")
    sides = "90018 (ООО «Завод Приборучёт-Демо»), 90019 (МУП «Водоканал-Демо»)"
    await expect(page.locator("#conflicts")).to_contain_text(sides)
    await correct(page, "q3@2026-05-01", "2,5")

    await expect(page.locator("main")).to_contain_text("Значение уже такое")


async def test_event_and_value_are_recorded_on_the_page(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """A clerk chooses what happened and types a number with a comma; the state, the day and the unit are there."""
    tabs.expect("422")
    page = await entered(tabs, trade.nodes["utility"])
    address = f"{trade.address('utility')}/devices/{trade.devices[0]}"
    await page.goto(address)
    for language in ("EN", "RU"):
        await page.get_by_role("button", name=language, exact=True).click()
        for name in ("record", "correct"):
            for summary in await page.locator(f"#{name} summary").all():
                await summary.click()
        await shots(page, shot, "passport-forms", languages=())
    await page.goto(address)
    form = page.locator("#record form").first
    await page.locator("#record summary").first.click()

    await form.locator("select[name=what]").select_option(label="установлен")
    await form.locator("input[name=where]").fill("ул. Мира, 5, кв. 12")
    await form.locator("input[name=when]").fill("2026-06-01")
    await form.locator("button").click()
    await expect(page.locator("#timeline")).to_contain_text("установлен")
    await expect(page.locator("#timeline")).to_contain_text("ул. Мира, 5, кв. 12")
    await expect(page.locator(".heading .chip").first).to_have_text(re.compile("установлен"))

    value = page.locator("#record form").last
    await page.locator("#record summary").last.click()
    await value.locator("select[name=code]").select_option("dn")
    await value.locator("input[name=value]").fill("15,0")
    await value.locator("input[name=since]").fill("2026-06-01")
    await value.locator("button").click()
    await expect(page.locator("#parameters")).to_contain_text("15.0 мм")

    await page.locator("#record summary").last.click()
    await value.locator("select[name=code]").select_option("dn")
    await value.locator("input[name=value]").fill("-15")
    await value.locator("button").click()
    await expect(page.locator("main")).to_contain_text("Значение должно быть больше 0")
