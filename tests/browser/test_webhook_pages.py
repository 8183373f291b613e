"""The webhooks pages in Chromium: adding one, its secret once, its health by the stream, sending again, a pause."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, shots
from tests.receivers import Receiver, receiving
from tests.unit.node_protocols.builders import ended
from tests.unit.web.running import PASSWORD, RunningWeb, running_web

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]
DEVICE = bytes(range(16))


@pytest_asyncio.fixture(loop_scope="session")
async def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningWeb]:
    """A node that sends to this machine."""
    monkeypatch.setenv("PASSPORT_WEBHOOKS__ALLOW", '["127.0.0.0/8"]')
    async with running_web(tmp_path / "node") as running:
        sender = asyncio.create_task(running.context.deliveries.run())
        yield running
        await ended(sender)


async def claimed(web: RunningWeb, tabs: Tabs) -> Page:
    """A tab of the administrator."""
    page = await tabs.open(f"{web.url}/claim/{await web.context.access.open_claim()}")
    await page.locator("input[name=name]").fill("anna")
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("main button.primary").click()
    await expect(page.locator("h1")).to_have_text("ООО «Счётчик»")
    return page


async def happen(web: RunningWeb) -> None:
    """One event of a device."""
    core = web.context.core
    async with core.database.write() as tx:
        await core.announce(tx, "person:anna", "event_recorded", DEVICE)


async def add(page: Page, web: RunningWeb, receiver: Receiver) -> str:
    """Add a webhook by the form; the secret that the page shows."""
    await page.goto(f"{web.url}/webhooks")
    await page.locator("input[name=url]").fill(receiver.url)
    await page.locator("input[name=description]").fill("Учётная система")
    await page.locator("select[name=what]").select_option("event_recorded")
    await page.locator("#add button.primary").click()
    return str(await page.locator("#secret").inner_text())


async def test_webhook_is_added_tested_and_sent_again_on_its_page(web: RunningWeb, tabs: Tabs, shot: Shot) -> None:
    """The secret shows once and signs; deliveries come to the open page; one is sent again; a pause holds events."""
    async with receiving(lambda n: 503 if n == 1 else 204) as receiver:
        page = await claimed(web, tabs)
        await page.goto(f"{web.url}/webhooks")
        await shots(page, shot, "webhooks-none", languages=("ru",))
        secret = await add(page, web, receiver)
        await shots(page, shot, "webhook-secret", languages=())
        await page.get_by_role("link", name="Все уведомления").click()
        await page.locator("#hooks a", has_text="Учётная система").click()
        await expect(page.locator("#secret")).to_have_count(0)
        await expect(page.locator("#deliveries .empty")).to_be_visible()

        await happen(web)
        await expect(page.locator("#deliveries tbody tr")).to_have_count(1)
        assert receiver.came[0].is_signed(secret)
        await page.get_by_role("button", name="Проверить").click()
        await expect(page.locator("#sent")).to_contain_text("адресат отказал (503)")
        await page.locator("#deliveries tbody tr", has_text="№").get_by_role("button").click()
        await expect(page.locator("#sent")).to_contain_text("Принято (204)")
        assert receiver.came[2].id == receiver.came[0].id

        await page.get_by_role("button", name="Остановить").click()
        await expect(page.locator("#state .chip.warn")).to_have_text("остановлено")
        await happen(web)
        assert len(receiver.came) == 3
        await page.get_by_role("button", name="Возобновить").click()
        await expect(page.locator("#deliveries tbody tr")).to_have_count(4)
        await shots(page, shot, "webhook")


async def test_failing_webhook_is_seen_and_a_closed_target_is_refused(web: RunningWeb, tabs: Tabs, shot: Shot) -> None:
    """The list turns to failing by the stream, the menu counts it; an address inside is refused in words."""
    tabs.expect("422")
    async with receiving(lambda _: 500) as receiver:
        page = await claimed(web, tabs)
        await add(page, web, receiver)
        await page.goto(f"{web.url}/webhooks")
        await happen(web)
        await expect(page.locator("#hooks .chip.bad")).to_have_text("сбои")
        await page.reload()
        await expect(page.locator("nav.menu a[href='/webhooks'] .count")).to_have_text("1")
        await shots(page, shot, "webhooks")

        await page.locator("#add summary").click()
        await page.locator("input[name=url]").fill("https://10.0.0.1/hook")
        await page.locator("#add button.primary").click()
        await expect(page.get_by_role("alert")).to_contain_text("Туда этот узел ничего не отправляет")
        await expect(page.locator("input[name=url]")).to_have_value("https://10.0.0.1/hook")
        await shots(page, shot, "webhook-refused", languages=())
