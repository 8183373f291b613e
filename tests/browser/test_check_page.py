"""The page that checks a table, in Chromium: a file goes in, a column is corrected, the report comes out."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from node.exchange.tables import read_table
from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, shots
from tests.browser.test_web_shell import claim
from tests.fleets import COUNTED, as_billing, planted
from tests.unit.web.running import RunningWeb

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]


async def test_table_is_checked_corrected_and_its_report_downloaded(
    web: RunningWeb, tabs: Tabs, shot: Shot, tmp_path: Path
) -> None:
    """The page says how it understood a billing export, takes a correction, and gives the report; a phone holds it."""
    tabs.expect("422")
    file = tmp_path / "выгрузка.xlsx"
    file.write_bytes(as_billing(planted(COUNTED, 2))[0])
    page = await claim(web, tabs)
    await page.locator("nav.menu a", has_text="Проверка таблицы").click()
    await page.locator("#send input[type=file]").set_input_files(
        {"name": "no.csv", "mimeType": "text/csv", "buffer": b"a;b\n1;2\n"}
    )
    await page.locator("#send button.primary").click()
    await expect(page.get_by_role("alert")).to_contain_text("Таблица не читается")
    await page.locator("#send input[type=file]").set_input_files(file)
    await page.locator("#send button.primary").click()

    await expect(page.locator("#summary h2")).to_have_text("выгрузка.xlsx")
    await expect(page.locator("#summary .tally li").first).to_contain_text(f"{COUNTED} приборов")
    await expect(page.locator("#findings")).to_contain_text("Двойники")
    await expect(page.locator("#columns tbody tr")).to_have_count(15)
    await expect(page.locator("#summary svg rect")).to_have_count(18)
    column = page.get_by_label("Прибор учёта · Год", exact=True)
    await expect(column).to_have_value("year")
    await column.select_option("ignored")
    await page.get_by_role("button", name="Проверить так ещё раз").click()
    await expect(page.locator("#columns tbody tr", has_text="Прибор учёта · Год")).to_contain_text("указано вами")
    await expect(page.locator("#findings")).not_to_contain_text("year.form")
    await shots(page, shot, "check")
    async with page.expect_download() as coming:
        await page.get_by_role("link", name="Отчёт, XLSX").click()
    report = tmp_path / (await coming.value).suggested_filename
    await (await coming.value).save_as(report)

    assert read_table(report.read_bytes()).header[0] == "Проверка таблицы приборов"
