"""The radio pages in Chromium: a meter is put on the air with one press, and its first reading appears by itself."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Tabs
from tests.networks import ENERGY, WATER, Network, energy, now, running_network, water
from tests.unit.web.running import PASSWORD

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]
Shot = Callable[[Page, str], Awaitable[None]]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """A maker that runs a network for its own meters."""
    with running_network(tmp_path_factory.mktemp("radio-pages"), 11) as running:
        yield running


async def test_meter_is_put_on_the_air_and_read_on_the_page(network: Network, tabs: Tabs, shot: Shot) -> None:
    """One press commissions; the join, the comparison, the reading and its plot come by the stream alone."""
    row = network.row(WATER.designation)
    passport = await asyncio.to_thread(network.passport_of, row)
    page = await tabs.open(str(network.node.addresses["claim"]), DESKTOP)
    await page.locator("input[name=name]").fill("anna")
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("main button.primary").click()
    await expect(page.locator("nav.menu")).to_be_visible()
    await page.goto(f"{network.node.addresses['console']}/devices/{passport}")
    await page.get_by_role("button", name="Подключить к сети").click()
    await expect(page.locator("#radio")).to_contain_text("поднесите магнит")
    await expect(page.locator(".live.is-live")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    meter = await asyncio.to_thread(network.meter, row)
    await asyncio.to_thread(meter.join)
    for hours, volume in enumerate(("12.3456", "12.4001", "12.5210")):
        await asyncio.to_thread(meter.send, 2, water(volume, now() - timedelta(hours=3 - hours)))

    await expect(page.locator("#radio")).to_contain_text("зарегистрирован")
    await expect(page.locator("#readings")).to_contain_text("12.5210 м³")
    await expect(page.locator("#readings .plot .uplot").first).to_be_visible()
    await expect(page.locator("#comparison tr")).to_have_count(9)
    assert asked == []
    await shot(page, "passport-radio-ru")
    await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    await shot(page, "passport-radio-ru-phone")
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


async def test_wrong_meter_and_strange_gateway_are_seen(network: Network, tabs: Tabs, shot: Shot) -> None:
    """The differing field stands in red on the passport; the radio page lists devices, gateways and frames."""
    row, neighbour = network.row(ENERGY.designation, 0), network.row(ENERGY.designation, 1)
    await asyncio.to_thread(network.commission, row)
    meter = await asyncio.to_thread(network.meter, row)
    await asyncio.to_thread(meter.join)
    await asyncio.to_thread(meter.send, 2, energy(neighbour, 5_000))
    await asyncio.to_thread(network.until, lambda: network.device(row)["state"] == "stopped")
    page = await tabs.open(f"{network.node.addresses['console']}/login", DESKTOP, language="en")
    await page.locator("input[name=name]").fill("anna")
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("main button.primary").click()
    await expect(page.locator("nav.menu")).to_be_visible()
    await page.get_by_role("button", name="EN").click()

    await page.goto(f"{network.node.addresses['console']}/radio")

    await expect(page.locator("#devices")).to_contain_text("stopped: fields differ")
    await expect(page.locator("#gateways tbody tr")).to_have_count(2)
    await expect(page.locator("#frames")).to_contain_text("nobody’s")
    await shot(page, "radio-en")
    await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    await shot(page, "radio-en-phone")
    await page.locator("#devices a").last.click()
    await expect(page.locator("#comparison .chip.bad")).to_have_text("differs")
    await shot(page, "passport-stopped-en-phone")
