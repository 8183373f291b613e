"""The import page in Chromium: a file goes in, its progress comes by the stream, its faulty rows are corrected."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from node.demo.documents import bench_template
from node.demo.files import HEADER
from node.exchange.tables import read_table, write_csv, write_xlsx
from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, entered, shots
from tests.trade import Trade, meters, trading, with_serial

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]
COUNT = 400
LATE_MS = 30_000


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker with its line."""
    with trading(tmp_path_factory.mktemp("imports"), PASSPORT_FEDERATION__DISCOVERY="false") as running:
        yield running


async def send(page: Page, path: Path, kind: str = "production") -> None:
    """Choose a file and send it."""
    await page.locator(f"#send input[value={kind}]").check()
    await page.locator("#send input[type=file]").set_input_files(path)
    await expect(page.locator("[data-drop-name]")).to_contain_text(path.name)
    await page.locator("#send button.primary").click()


async def test_file_becomes_passports_and_its_faulty_rows_are_corrected(
    trade: Trade, tabs: Tabs, shot: Shot, tmp_path: Path
) -> None:
    """The bar moves by the stream alone; the findings say row, column, rule and remedy; the report goes in again."""
    rows = meters(COUNT)
    short, twice = rows[7], rows[200]
    rows[7], rows[200] = with_serial(short, short[4].lstrip("0")), with_serial(twice, rows[100][4])
    file = tmp_path / "апрель.xlsx"
    file.write_bytes(write_xlsx(HEADER, rows))
    page = await entered(tabs, trade.nodes["maker"])
    await page.locator("nav.menu a", has_text="Импорт").click()
    await expect(page.locator("#jobs .empty")).to_be_visible()
    await shots(page, shot, "import-empty", languages=("ru",))
    await send(page, file)
    await expect(page.locator("#job h2")).to_have_text("апрель.xlsx")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    seen: set[str] = set()
    while await page.locator("#job .chip.good").count() == 0:
        if value := await page.evaluate("document.querySelector('#job progress')?.getAttribute('value')"):
            seen.add(value)
        await asyncio.sleep(0.02)

    assert len(seen - {"0", str(COUNT - 2)}) >= 3, seen
    assert [url for url in asked if "/events" not in url and "/static/" not in url] == []
    await expect(page.locator("#job .tally .good strong")).to_have_text(str(COUNT - 2))
    await expect(page.locator("#job .findings tbody tr")).to_have_count(2)
    first, second = page.locator("#job .findings tbody tr").nth(0), page.locator("#job .findings tbody tr").nth(1)
    await expect(first).to_contain_text("Заводской номер")
    await expect(first).to_contain_text(short[4].lstrip("0"))
    await expect(first).to_contain_text("serial.lost_zero")
    await expect(second).to_contain_text("serial.duplicate")
    await expect(page.locator("#jobs tbody tr").first).to_contain_text("апрель.xlsx")
    await shots(page, shot, "import-done")

    async with page.expect_download() as coming:
        await page.get_by_role("link", name="CSV").click()
    report = tmp_path / (await coming.value).suggested_filename
    await (await coming.value).save_as(report)
    async with page.expect_download() as sheet:
        await page.get_by_role("link", name="Строки на исправление, XLSX").click()
    assert (await sheet.value).suggested_filename.endswith(".xlsx")
    table = read_table(report.read_bytes())
    right = {short[4].lstrip("0"): short[4], rows[100][4]: twice[4]}
    mended = [[right.get(cell.text, cell.text) for cell in row.cells] for row in table.rows]
    assert all(short[8] not in row for row in mended), "keys do not stand in the report"
    report.write_bytes(write_csv(list(table.header), mended))
    await send(page, report)

    await expect(page.locator("#job h2")).to_have_text(report.name)
    await expect(page.locator("#job .tally .good")).to_have_text("2 строки приняты")
    await expect(page.locator("#job")).to_contain_text("Все строки в порядке")
    await expect(page.locator("#jobs tbody tr")).to_have_count(2)
    await shot(page, "import-corrected-ru-desktop")

    await page.get_by_role("link", name="Отменить этот импорт").click()
    await expect(page.locator("#undo .tally .bad strong")).to_have_text("2")
    await shots(page, shot, "import-undo")
    await page.get_by_role("button", name="Отменить сейчас").click()
    await expect(page.locator("#job .tally li").first).to_have_text("2 прибора исчезли")
    await shots(page, shot, "import-undone")


async def test_file_that_is_no_table_is_told_beside_the_form(
    trade: Trade, tabs: Tabs, shot: Shot, tmp_path: Path
) -> None:
    """What cannot be read is refused in words at once, and the chosen file stays chosen."""
    tabs.expect("422")
    file = tmp_path / "photo.xlsx"
    file.write_bytes(b"\x89PNG and no table")
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.address('maker')}/imports")
    await send(page, file)

    await expect(page.get_by_role("alert")).to_contain_text("Файл не читается")
    await expect(page.locator("[data-drop-name]")).to_contain_text("photo.xlsx")
    await shot(page, "import-refused-ru-desktop")
    await send(page, file, kind="bench")
    await expect(page.get_by_role("alert")).to_contain_text("Нет шаблона проливной установки")


async def test_open_list_shows_a_job_that_a_system_sent(trade: Trade, tabs: Tabs) -> None:
    """A bench file that comes through the API appears on the open page and runs to its end without a reload."""
    await asyncio.to_thread(trade.call, "maker", "upload", "/templates", bench_template())
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.address('maker')}/imports")
    await expect(page.locator(".live.is-live")).to_be_visible()

    raw = write_csv(HEADER, meters(30, seed=2))
    await asyncio.to_thread(trade.call, "maker", "upload", "/imports", raw, name="by-token.csv")

    row = page.locator("#jobs tbody tr").first
    await expect(row).to_contain_text("by-token.csv")
    await expect(row.locator(".chip.good")).to_have_text("готово", timeout=LATE_MS)
