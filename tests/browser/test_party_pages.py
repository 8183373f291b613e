"""Roles and systems in Chromium: a role is stated and shown in the passport, a system is registered and cut off."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, shots
from tests.browser.test_web_shell import claim
from tests.unit.node_protocols.builders import ended
from tests.unit.web.running import RunningWeb, post, running_web

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest_asyncio.fixture(loop_scope="session")
async def web(tmp_path: Path) -> AsyncIterator[RunningWeb]:
    """A node that writes its log."""
    async with running_web(tmp_path / "node") as running:
        context = running.context
        await context.ledger.open()
        await context.projection.open()
        await context.releases.open()
        writer = asyncio.create_task(context.ledger.run())
        yield running
        await ended(writer)


async def test_role_is_stated_and_a_system_cut_off_on_pages_that_fit_every_screen(
    web: RunningWeb, tabs: Tabs, shot: Shot
) -> None:
    """From the passport to the form, back to the passport's parties; a token is shown once; one press cuts off."""
    page = await claim(web, tabs)
    device = (await post(web.local(), "/plates", {"designation": "СГВ-15", "serial": "0012345"}))["id"]
    await page.goto(f"{web.url}/devices/{device}")
    await page.locator("#parties a", has_text="Передать или назначить роль").click()
    await page.locator("#act summary", has_text="Заявить по документу").click()
    form = page.locator("form[action='/roles/statements']")
    await form.locator("select[name=role]").select_option("responsible")
    await form.locator("input[name=name]").fill("ТСЖ «Садовая»")
    await form.locator("input[name=inn]").fill("7736050003")
    await form.locator("input[name=document]").fill("договор управления № 7")
    await form.locator("button.primary").click()
    await expect(page.locator("#by-us tbody tr")).to_contain_text("ТСЖ «Садовая»")
    await shots(page, shot, "roles", languages=("en", "ru"))
    await page.goto(f"{web.url}/devices/{device}")
    await expect(page.locator("#parties tbody tr").first).to_contain_text("по документу: договор управления № 7")

    await page.goto(f"{web.url}/access")
    await page.locator("#systems summary", has_text="Зарегистрировать систему").click()
    system = page.locator("form[action='/access/systems']")
    await system.locator("input[name=name]").fill("1С ERP")
    await system.locator("input[name=kind]").fill("1С")
    await system.locator("input[value=events]").check()
    await system.locator("button.primary").click()
    await page.locator("#system-1 summary", has_text="Выпустить токен").click()
    await page.locator("#system-1 form[action$='/tokens'] button.primary").click()
    await expect(page.locator("#secret")).to_contain_text("pn_")
    await page.locator("#system-1 summary", has_text="Отключить").click()
    await page.locator("#system-1 input[name=reason]").fill("пишет чужие номера")
    await page.locator("#system-1 form[action$='/block'] button").click()

    await expect(page.locator("#system-1 h3")).to_contain_text("отключена")
    await shots(page, shot, "systems", languages=("en", "ru"))
