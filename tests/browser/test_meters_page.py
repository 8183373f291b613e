"""The meters of a unit side by side in Chromium, on a desktop and a phone, in both languages."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import DESKTOP, PHONE, Tabs
from tests.browser.doors import Shot, fits, shots
from tests.browser.test_web_shell import claim
from tests.metered import metered
from tests.unit.node_protocols.builders import ended
from tests.unit.web.running import RunningWeb, running_web

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]
ROW = {"code": "energy_heat", "unit": "Gcal_IT"}


@pytest_asyncio.fixture(loop_scope="session")
async def web(tmp_path: Path) -> AsyncIterator[RunningWeb]:
    """A node that writes its log."""
    async with running_web(tmp_path / "node") as running:
        await running.context.ledger.open()
        await running.context.projection.open()
        await running.context.releases.open()
        writer = asyncio.create_task(running.context.ledger.run())
        yield running
        await ended(writer)


async def test_meters_of_a_unit_are_compared_on_every_screen(web: RunningWeb, tabs: Tabs, shot: Shot) -> None:
    """From the passport of the unit to the page, from a value of it to its readings; with its plots."""
    page = await claim(web, tabs)
    here = await metered(web.context, web.local())
    async with here.client.put("/api/v1/mappings/wmbus-oms/energy", json=ROW) as response:
        assert response.status == 200
    await page.goto(f"{web.url}/devices/{here.unit}")
    await page.get_by_role("link", name="Приборы рядом").click()

    await expect(page.locator("#medium-heat tbody tr").first).to_contain_text("Карат")
    await expect(page.locator("#medium-heat th.number").first).to_contain_text("Гкал")
    await expect(page.locator("#medium-cold_water tbody")).to_have_count(2)
    await expect(page.locator("#medium-cold_water .spark .uplot")).to_have_count(1)
    await expect(page.locator("#medium-electricity .spark .uplot")).to_be_visible()
    await shots(page, shot, "meters", languages=("en", "ru"))
    await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    await fits(page, PHONE[0])
    for closed in await page.locator("details.more:not([open])").all():
        await closed.locator("summary").click()
    await fits(page, PHONE[0])
    await shot(page, "meters-open-ru-small")
    await page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})

    await page.locator("#medium-electricity td.number a").first.click()
    await expect(page.locator("#values tbody tr").first).to_contain_text("120340")
    await page.goto(f"{web.url}/devices/{here.house}/meters")
    await expect(page.locator("#medium-gas tbody")).to_contain_text("Узел ввода")
    await page.goto(f"{web.url}/drivers")
    await expect(page.locator("#installed tr", has_text="betar-sgbm")).to_contain_text("1 прибор")
    await shot(page, "drivers-read-ru")
