"""The pages of boxes in Chromium: one side makes them and sees the codes, who holds a code claims."""

from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, entered, shots
from tests.trade import Trade, meters, trading

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]
LATE_MS = 30_000


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker with three meters, and a utility that knows none of them."""
    with trading(tmp_path_factory.mktemp("boxes"), "utility", PASSPORT_FEDERATION__DISCOVERY="false") as running:
        running.produce(meters(3))
        yield running


async def test_box_is_made_and_claimed_by_its_code(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """The codes are shown once, a slip of the pen is told, the right code brings the shipment; the maker sees it."""
    tabs.expect("422")
    maker, utility = trade.address("maker"), trade.address("utility")
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{maker}/shipments")
    await page.get_by_role("link", name="Приборы в коробках").click()
    await page.locator("input[name=number]").fill("ТТН-5")
    await page.locator("textarea[name=listed]").fill("\n".join(trade.devices))
    await page.locator("input[name=size]").fill("2")
    await shots(page, shot, "boxes-new", languages=())
    await page.get_by_role("button", name="Собрать коробки").click()
    await expect(page.locator("#codes tbody tr")).to_have_count(2)
    await shots(page, shot, "boxes-made", languages=())
    code = await page.locator("#codes code").first.inner_text()
    inside = await page.locator("#codes tbody tr a").first.get_attribute("href") or ""

    buyer = await entered(tabs, trade.nodes["utility"])
    await buyer.goto(f"{utility}/boxes/claim")
    await shots(buyer, shot, "box-claim")
    await buyer.locator("input[name=code]").fill(code[:-1] + ("0" if code[-1] != "0" else "1"))
    await buyer.locator("input[name=device]").fill(trade.devices[0])
    await buyer.get_by_role("button", name="Получить").click()
    await expect(buyer.get_by_role("alert")).to_contain_text("Код коробки записан с ошибкой")
    await shots(buyer, shot, "box-mistyped", languages=())
    await page.goto(f"{maker}{inside}")
    device = await page.locator("#devices tbody tr a").first.get_attribute("href") or ""
    await buyer.locator("input[name=code]").fill(code)
    await buyer.locator("input[name=device]").fill(device.rsplit("/", 1)[-1])
    await buyer.get_by_role("button", name="Получить").click()
    await expect(buyer.locator("#claimed, .chip.warn").first).to_be_visible()
    await expect(page.locator(".heading .chip").last).to_have_text("получена", timeout=LATE_MS)
    await shots(page, shot, "box-claimed")
    await buyer.goto(f"{utility}/shipments")
    await buyer.locator("#incoming").get_by_role("link", name="ТТН-5").click(timeout=LATE_MS)
    await expect(buyer.locator("#devices tbody tr")).to_have_count(2)
    await expect(buyer.get_by_role("button", name="Принять", exact=True)).to_be_visible()
