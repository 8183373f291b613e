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
from tests.integration.test_two_acceptances import Parties
from tests.integration.test_web_mandates import be_maker, meter
from tests.unit.node_protocols.builders import ended
from tests.unit.web.running import RunningWeb, post, running_web, view_of

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


async def test_many_devices_are_handed_over_at_once_and_two_acceptances_are_decided(
    web: RunningWeb, tabs: Tabs, shot: Shot
) -> None:
    """A list is pasted, one act is signed and read with what stays on its devices; of two acceptances one is chosen."""
    page, local, parties = await claim(web, tabs), web.local(), Parties(web)
    org = await be_maker(web)
    devices = [await meter(web, serial) for serial in ("0012345", "0012346", "0012347")]
    one, two = [await parties.meet(name) for name in ("МУП «Водоканал»", "ООО «Сервис»")]
    await post(local, "/mandates/appointments", {"role": "escrow", "org": two.org.hex(), "ids": devices[:2]})

    await page.goto(f"{web.url}/roles")
    await page.locator("main a", has_text="Передать или назначить").click()
    await page.locator("textarea[name=pasted]").fill("\n".join([*devices[:2], "0000000"]))
    await page.locator("button[value=pasted]").click()
    await expect(page.locator("#chosen li")).to_have_count(2)
    await expect(page.locator("textarea[name=pasted]")).to_have_value("0000000")
    await page.locator("select[name=what]").select_option("offer:title")
    await page.locator("select[name=org]").select_option(one.org.hex())
    await shots(page, shot, "role-new", languages=())
    await page.locator("button.primary", has_text="Подписать").click()
    await expect(page.locator("h1")).to_contain_text("Собственник")
    await expect(page.locator("#stands tbody tr")).to_contain_text("Хранитель ключей")
    await shots(page, shot, "role", languages=("en", "ru"))

    acts = [await parties.offer(party, "title", devices[2]) for party in (one, two)]
    for party, act in zip((one, two), acts, strict=True):
        await parties.accept(party, act, "title", devices[2])
    await page.goto(f"{web.url}/roles")
    await expect(page.locator("#disputes li")).to_have_count(2)
    await shots(page, shot, "roles-disputed", languages=("en", "ru"))
    mine = page.locator("#disputes li", has_text="МУП «Водоканал»")
    await mine.locator("summary").click()
    await mine.locator("input[name=reason]").fill("договор с первым")
    await mine.locator("button").click()
    await expect(page.locator("#disputes")).to_have_count(0)
    assert (await view_of(local, devices[2]))["parties"]["owner"]["value"] == one.org.hex() != org
    await shots(page, shot, "roles-decided", languages=("ru",))
