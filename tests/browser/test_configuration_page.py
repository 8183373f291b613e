"""The configuration station in Chromium: scan, look through, give a key, hand it on; nothing of it stays behind."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Error, Page, expect

from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, shots
from tests.unit.node_protocols.builders import ended
from tests.unit.web.running import PASSWORD, RunningWeb, post

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]
TYPE = {"type": "t:cw", "execution": "ВС-15Д-80-Р868"}
VALUES = {"dev_eui": "70B3D58FF1010001", "join_eui": "70B3D58FF0000000", "version": "1.0.3"}


@pytest_asyncio.fixture(loop_scope="session")
async def station(web: RunningWeb) -> AsyncIterator[RunningWeb]:
    """A node that writes its log, with two meters that are known by their plates."""
    context = web.context
    for part in (context.ledger, context.projection, context.releases):
        await part.open()
    writer = asyncio.create_task(context.ledger.run())
    for serial in ("0000001", "0000002"):
        await post(web.local(), "/plates", {"designation": "ВС-15", "serial": serial, **TYPE})
    yield web
    await ended(writer)


async def entered(tabs: Tabs, web: RunningWeb) -> Page:
    """The station's page, come to by the one-time link."""
    page = await tabs.open(f"{web.url}/claim/{await web.context.access.open_claim()}")
    await page.locator("input[name=name]").fill("anna")
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("main button.primary").click()
    await expect(page.locator("nav.menu")).to_be_attached()
    await page.goto(f"{web.url}/configuration")
    return page


async def taken(page: Page, serial: str) -> None:
    """Scan a meter and fill in what nobody knows of it."""
    box = page.locator("#scan input[name=text]")
    await expect(box).to_be_focused()
    await box.fill(f"ВС-15 № {serial}")
    await box.press("Enter")
    for name, value in VALUES.items():
        field = page.locator(f"#hand input[name={name}]")
        await expect(field).to_be_visible()
        await field.fill(value[:-1] + serial[-1] if name == "dev_eui" else value)
    await page.locator("#hand select[name=activation]").select_option("OTAA")


async def test_operator_gives_a_key_hands_it_on_and_leaves_nothing_behind(
    station: RunningWeb, tabs: Tabs, shot: Shot
) -> None:
    """The key is hidden until it is asked for, can be copied, and is on no page that "back" or a link leads to."""
    page = await entered(tabs, station)
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await shots(page, shot, "configuration-scan", languages=("ru",))
    await taken(page, "0000001")
    await expect(page.locator("#hand select[name=region]")).to_have_value("RU864")
    await expect(page.get_by_label("Выпустить новый ключ")).to_be_checked()
    await shots(page, shot, "configuration-form", languages=())

    await page.get_by_role("button", name="Настроить").click()

    key = page.locator("#app-key")
    await expect(page.locator("#done .shout")).to_contain_text("Готово")
    await expect(key).to_be_hidden()
    await page.get_by_role("button", name="Скопировать ключ").click()
    await expect(page.get_by_role("button", name="Скопировано")).to_be_visible()
    copied = str(await page.evaluate("navigator.clipboard.readText()"))
    await page.get_by_text("Показать ключ").click()
    await expect(key).to_have_text(copied)
    assert len(bytes.fromhex(copied)) == 16
    await shots(page, shot, "configuration-key", languages=())
    other = await page.context.new_page()
    for path in ("/configuration?text=70B3D58FF1010001", "/journal", "/devices"):
        await other.goto(f"{station.url}{path}")
        assert copied not in await other.content()
    await page.goto(f"{station.url}/devices")
    with pytest.raises(Error, match="ERR_CACHE_MISS"):  # the browser kept nothing, and asks before it sends anew
        await page.go_back()


async def test_operator_is_told_of_a_weak_key_and_of_one_that_stands(
    station: RunningWeb, tabs: Tabs, shot: Shot
) -> None:
    """What was typed stays, the key does not; a second key asks why."""
    tabs.expect("status of 4")
    page = await entered(tabs, station)
    await taken(page, "0000002")
    await page.get_by_label("Ключ уже есть в приборе").check()
    await page.get_by_label("Ключ прибора").fill("00" * 16)
    await page.get_by_role("button", name="Настроить").click()
    await expect(page.locator("#notice")).to_contain_text("Такой ключ не защищает")
    await expect(page.get_by_label("Ключ прибора")).to_have_value("")
    await expect(page.locator("#hand input[name=join_eui]")).to_have_value(VALUES["join_eui"])
    await shots(page, shot, "configuration-weak", languages=())

    await page.get_by_label("Ключ прибора").fill("9F3C01D2A4B5566778E9F0A1B2C3D4E5")
    await page.get_by_role("button", name="Настроить").click()
    await expect(page.locator("#done")).to_contain_text("хранится запечатанным")
    await page.locator("#scan input[name=text]").fill("70B3D58FF1010002")
    await page.locator("#scan input[name=text]").press("Enter")
    await page.get_by_label("Выпустить новый ключ").check()
    await page.get_by_role("button", name="Настроить").click()
    await expect(page.locator("#notice")).to_contain_text("У прибора уже есть ключ")
    await page.get_by_label("Почему нужен другой ключ").fill("ключ раскрыт")
    await page.get_by_role("button", name="Настроить").click()
    await expect(page.locator("#app-key")).to_be_hidden()
    await expect(page.locator("#app-key")).to_be_attached()
