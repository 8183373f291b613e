"""Labels in the console: from a list to what will be printed and to the file, in both languages and sizes."""

from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from playwright.async_api import expect

from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, entered, shots
from tests.trade import Trade, meters, trading

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]

COUNT = 4


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker of four meters with a domain for labels."""
    settings = {"PASSPORT_FEDERATION__DISCOVERY": "false", "PASSPORT_PUBLIC__DOMAIN": "works.example"}
    with trading(tmp_path_factory.mktemp("labels"), **settings) as running:
        running.produce(meters(COUNT))
        yield running


@pytest.mark.req("B39")
async def test_labels_are_seen_and_downloaded(trade: Trade, tabs: Tabs, shot: Shot, tmp_path: Path) -> None:
    """A list leads to the picture of its sheet; the file that is downloaded is read by a reader of codes."""
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.nodes['maker'].addresses['console']}/devices")
    await page.locator(".heading a", has_text="Этикетки").click()
    await expect(page.locator("#preview h2")).to_have_text("4 этикетки, 4 страницы")
    await shots(page, shot, "labels-roll")

    await page.locator("select[name=size]").select_option("a4-3x7")
    await page.locator("input[name=start]").fill("5")
    await page.get_by_role("button", name="Показать").click()
    await expect(page.locator("#preview h2")).to_have_text("4 этикетки, 1 страница")
    await shots(page, shot, "labels-sheet", languages=())
    async with page.expect_download() as started:
        await page.get_by_role("button", name="Скачать").click()
    await (await started.value).save_as(tmp_path / "labels.pdf")

    (sheet,) = pypdfium2.PdfDocument(tmp_path / "labels.pdf")
    found = {one.text for one in zxingcpp.read_barcodes(sheet.render(scale=3).to_pil())}
    assert found == {f"https://works.example/d/{device}" for device in trade.devices}
