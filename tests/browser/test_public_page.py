"""The page behind a label in Chromium at the width of a phone: no script, two languages, what to do next."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from aiohttp.web import AppRunner, TCPSite
from playwright.async_api import Page, expect

from node.passport.ids import SubjectId, format_device_id
from node.web.public.door import build_public_application
from tests.browser.conftest import DESKTOP, Tabs
from tests.browser.doors import PHONE, fits
from tests.unit.node_protocols.builders import ended
from tests.unit.web.running import RunningWeb, post

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]

PLATE = {
    "mark": "СЧЁТЧИК", "serial": "0012345", "year": "2025",
    "designation": "Теплосчётчик ультразвуковой двухканальный с радиомодулем ТСУ-15-РМ-П-исполнение-2",
}  # fmt: skip
NOBODYS = format_device_id(SubjectId(bytes(range(16))))
Shot = Callable[[Page, str], Awaitable[None]]


@pytest_asyncio.fixture(loop_scope="session")
async def door(web: RunningWeb) -> AsyncIterator[str]:
    """The address of the node's public door."""
    context = web.context
    await context.ledger.open()
    await context.projection.open()
    writer = asyncio.create_task(context.ledger.run())
    runner = AppRunner(build_public_application(web.context), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()
    await ended(writer)


async def both(page: Page, shot: Shot, name: str) -> None:
    for size, where in ((PHONE, "phone"), (DESKTOP, "desktop")):
        await page.set_viewport_size({"width": size[0], "height": size[1]})
        await shot(page, f"{name}-{where}")
        await fits(page, size[0])
    await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})


async def test_label_is_read_on_a_phone(web: RunningWeb, door: str, tabs: Tabs, shot: Shot) -> None:
    """A passport, a slip of the pen and a foreign label fit a phone in both languages; its forms need no script."""
    tabs.expect("40[49]|422")
    device = str((await post(web.local(), "/plates", PLATE))["id"])

    page = await tabs.open(f"{door}/d/{device}", PHONE)
    await expect(page.locator("h1")).to_have_text(f"{PLATE['designation']} № 0012345")
    assert await page.locator("script, [style]").count() == 0
    await both(page, shot, "public-ru")
    await page.get_by_role("link", name="EN").click()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await page.get_by_label("Address of the node").fill("node.example")
    await page.get_by_role("button", name="Show the link").click()
    await expect(page.locator("a.away")).to_have_attribute("href", f"https://node.example/d/{device}")
    await both(page, shot, "public-en")

    await page.get_by_label("Number or text of the label").fill(f"https://other.example/d/{device[:-1]}U")
    await page.get_by_role("button", name="Open", exact=True).click()
    await expect(page.locator("[role=alert] h1")).to_have_text("The number was misread")
    await both(page, shot, "public-mistyped-en")
    await page.get_by_role("link", name="RU").click()
    await expect(page.locator("[role=alert] h1")).to_have_text("Номер прочитан с ошибкой")
    await page.get_by_label("Номер или текст с этикетки").fill(f"https://other.example/d/{NOBODYS}")
    await page.get_by_role("button", name="Открыть", exact=True).click()
    await expect(page.locator("[role=alert] h1")).to_have_text("Это этикетка другой организации")
    await both(page, shot, "public-elsewhere-ru")
