"""Closing a month of readings in Chromium, and seeing what was changed later, in both languages and on a phone."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, shots
from tests.browser.test_web_shell import claim
from tests.integration.test_web_closings import PLATE, alter, device
from tests.unit.node_protocols.builders import ended
from tests.unit.web.running import RunningWeb, running_web

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest_asyncio.fixture(loop_scope="session")
async def web(tmp_path: Path) -> AsyncIterator[RunningWeb]:
    """A node that writes its log."""
    async with running_web(tmp_path / "node") as running:
        await running.context.ledger.open()
        await running.context.projection.open()
        writer = asyncio.create_task(running.context.ledger.run())
        yield running
        await ended(writer)


async def test_month_is_closed_and_a_change_is_seen(web: RunningWeb, tabs: Tabs, shot: Shot) -> None:
    """A month is closed from the page of readings and holds; a value is changed, and the check names the series."""
    page = await claim(web, tabs)
    id_ = await device(web, PLATE, range(31 * 24))
    await page.goto(f"{web.url}/devices/{id_}/readings")
    await page.get_by_role("link", name="Закрытые месяцы").click()
    await expect(page.locator("#closed")).to_contain_text("Ни один месяц ещё не закрыт")

    await page.locator("input[name=month]").fill("2025-01")
    await page.get_by_role("button", name="Закрыть и подписать").click()
    await expect(page.locator("#checked")).to_contain_text("показаний — 744")
    await shots(page, shot, "closings")

    await alter(web, 5)
    await page.get_by_role("link", name="Проверить").click()
    await expect(page.locator("#checked")).to_contain_text("Хранимое не совпадает с подписанным.")
    await shots(page, shot, "closings-changed")
