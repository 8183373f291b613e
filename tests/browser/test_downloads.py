"""Files out of the console in Chromium: the menu of every list, the passport as PDF and as a signed file."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from node.exchange.passport_check import check_file
from node.exchange.tables import read_table
from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, entered, shots
from tests.trade import Trade, meters, trading

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]

COUNT = 3
# The pages that show a list, with how many lists each offers.
LISTS = {
    "/devices": 1,
    "/imports": 1,
    "/shipments": 1,
    "/radio": 3,
    "/peers": 1,
    "/organisations": 2,
    "/journal": 1,
    "/access": 4,
}


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker of three meters, one of them installed."""
    with trading(tmp_path_factory.mktemp("downloads"), PASSPORT_FEDERATION__DISCOVERY="false") as running:
        running.produce(meters(COUNT))
        event = {"what": "installed", "where": "works", "when": "2026-05-11"}
        running.call("maker", "post", f"/passports/{running.devices[0]}/events", event)
        yield running


async def saved(page: Page, link: Locator, folder: Path) -> tuple[str, bytes]:
    """Press a link and take what the browser saves: its name and content."""
    async with page.expect_download() as coming:
        await link.click()
    download = await coming.value
    path = folder / "download"
    await download.save_as(path)
    return download.suggested_filename, path.read_bytes()


async def test_every_list_has_a_menu_of_files(trade: Trade, tabs: Tabs, tmp_path: Path, shot: Shot) -> None:
    """Each page of a list offers it as CSV, XLSX and JSONL; what is saved is what the page shows, under its filter."""
    page = await entered(tabs, trade.nodes["maker"])
    for path, count in LISTS.items():
        await page.goto(trade.address("maker") + path)
        await page.locator("details.download summary").click()
        await expect(page.locator("details.download .pop-body p.row")).to_have_count(count)
        await expect(page.locator("details.download .pop-body p.row").first.locator("a")).to_have_text(
            ["CSV", "XLSX", "JSONL"]
        )

    await page.goto(trade.address("maker") + "/devices")
    await page.locator("details.download summary").click()
    await shot(page, "downloads-ru-desktop")
    shown = await page.locator("table.rows tbody tr").count()
    name, csv = await saved(page, page.get_by_role("link", name="CSV"), tmp_path)
    assert name.startswith("приборы-")
    assert name.endswith(".csv")
    assert len(read_table(csv).rows) == shown == COUNT
    assert read_table(csv).header[0] == "Прибор"
    _, xlsx = await saved(page, page.get_by_role("link", name="XLSX"), tmp_path)
    assert read_table(xlsx).rows == read_table(csv).rows

    await page.locator("p.filters a.chip", has_text="установлен").click()
    await page.locator("details.download summary").click()
    _, lines = await saved(page, page.get_by_role("link", name="JSONL"), tmp_path)
    assert [json.loads(line)["id"] for line in lines.splitlines()] == [trade.devices[0]]
    await shots(page, shot, "downloads-page", languages=("en", "ru"))


async def test_passport_is_saved_as_pdf_and_as_a_signed_file(trade: Trade, tabs: Tabs, tmp_path: Path) -> None:
    """Two buttons save a document for paper and a file that proves itself; the passport has its lists too."""
    device = trade.devices[0]
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.address('maker')}/devices/{device}")

    name, pdf = await saved(page, page.get_by_role("link", name="В PDF"), tmp_path)
    assert name.endswith(".pdf")
    assert pdf.startswith(b"%PDF-")
    name, raw = await saved(page, page.get_by_role("link", name="Подписанным файлом"), tmp_path)
    assert name.endswith(".passport")
    checked = check_file(raw)
    assert checked.findings == []
    assert checked.view["id"] == device

    await page.locator("details.download summary").click()
    events = page.locator("details.download .pop-body p.row", has_text="События")
    _, csv = await saved(page, events.get_by_role("link", name="CSV"), tmp_path)
    assert [row.cells[1].text for row in read_table(csv).rows] == ["изготовлен", "установлен"]
