"""The catalogs pages in Chromium: own codes loaded, mapped in bulk and undone; releases; the card of a type."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from node.exchange.tables import write_xlsx
from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, entered, shots
from tests.catalog_records import TYPE, UNIT, VERSION
from tests.trade import Trade, meters, trading

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]
CODES = [
    ["5", "Объём воды"],
    ["7", "Температура подачи"],
    ["8", "Тепловая энергия, нарастающим"],
    ["9", "Дата изготовления"],
    ["Ц-1", "Цвет крышки"],
]


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker with a meter whose parameters were written by own codes alone."""
    with trading(tmp_path_factory.mktemp("catalogs"), PASSPORT_FEDERATION__DISCOVERY="false") as running:
        device = running.produce(meters(1))[0]["id"]
        rows = [{"code": {"local": "5"}, "value": "12.5", "unit": "m3"}, {"code": {"local": "X1"}, "value": "90"}]
        running.call("maker", "post", f"/passports/{device}/parameters", {"rows": rows})
        yield running


async def test_own_codes_are_loaded_mapped_in_bulk_and_undone(
    trade: Trade, tabs: Tabs, shot: Shot, tmp_path: Path
) -> None:
    """A file brings own codes, those in records stand first, one press binds what is checked, and one takes it back."""
    file = tmp_path / "codes.xlsx"
    file.write_bytes(write_xlsx(["код", "наименование"], CODES))
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.address('maker')}/catalogs")
    row = page.locator("#catalogs tbody tr").first
    await expect(row).to_contain_text("Параметры")
    await expect(row.locator("td").nth(4)).to_have_text("2")
    await row.get_by_role("link", name="Параметры").click()
    await page.locator("input[type=file]").set_input_files(file)
    await page.get_by_role("button", name="Загрузить", exact=True).click()

    unmapped = page.locator("#unmapped tbody tr")
    await expect(unmapped).to_have_count(6)
    await expect(unmapped.first).to_contain_text("Объём воды")
    await expect(page.locator("#unmapped input[type=checkbox]:checked")).to_have_count(3)
    await shots(page, shot, "catalog-unmapped")
    await page.get_by_role("link", name="Отметить лучшее у каждого").click()
    await expect(page.locator("#unmapped input[type=checkbox]:checked")).to_have_count(4)
    await page.get_by_label("Центральный код для X1").fill("temp_supply")
    await page.get_by_role("button", name="Связать отмеченное").click()

    await expect(page.locator("#bound tbody tr")).to_have_count(5)
    await expect(unmapped).to_have_count(1)
    await expect(page.locator("#central tr", has_text="energy_heat").first).to_contain_text("8")
    await shots(page, shot, "catalog-bound")
    await page.locator("#sayings summary").first.click()
    await page.get_by_role("button", name="Отменить сейчас").click()
    await expect(unmapped).to_have_count(6)
    await expect(page.locator("#bound")).to_have_count(0)


async def test_empty_mapping_is_refused_on_the_page(trade: Trade, tabs: Tabs) -> None:
    """Nothing checked is a problem in words, and the page stays."""
    tabs.expect("422")
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.address('maker')}/catalogs/parameters?q=X1")
    for box in await page.locator("#unmapped input[type=checkbox]:checked").all():
        await box.uncheck()
    await page.get_by_role("button", name="Связать отмеченное").click()

    await expect(page.get_by_role("alert")).to_contain_text("Ничего не отмечено")


async def test_release_shows_what_it_changes_and_is_adopted_with_one_press(
    trade: Trade, tabs: Tabs, shot: Shot
) -> None:
    """A waiting release tells added, changed and removed codes; the press makes it the one in use."""
    call = trade.call
    body = {"org": trade.orgs["maker"], "what": "steward", "rows": ["units"]}
    await asyncio.to_thread(call, "maker", "post", "/attestations", body)
    okei = {
        "code": "bar",
        "ru": "бар (100 кПа)",
        "en": "bar",
        "okei": "309",
        "dimension": "pressure",
        "factor": "100000",
    }
    release = {"number": 1, "label": "Единицы 2026-05", "date": "2026-05-01", "records": [UNIT, okei], "removed": ["a"]}
    await asyncio.to_thread(call, "maker", "post", "/catalogs/units/releases", release)
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.address('maker')}/catalogs")
    await page.get_by_role("link", name="1 выпуск ждёт").click()
    await shots(page, shot, "releases")
    await page.locator("#releases").get_by_role("link", name="Что меняет").first.click()
    await expect(page.locator("#about .tally li")).to_have_text(["1 добавлено", "1 изменено", "1 удалено"])
    await shots(page, shot, "release-difference")
    await page.get_by_role("button", name="Работать с этим выпуском").click()

    await expect(page.locator("#releases tbody tr").first.locator(".chip.good")).to_have_text("в работе")


async def test_type_card_shows_approval_executions_and_versions(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """The card has the approval with its validity, what each execution fills in, documents, firmware and devices."""
    await asyncio.to_thread(trade.call, "maker", "post", "/types", {"record": TYPE})
    await asyncio.to_thread(trade.call, "maker", "post", "/types/t:new/versions", VERSION)
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.address('maker')}/catalogs/types?q=УЗ-20")
    await page.locator("#central").get_by_role("link", name="t:new").click()

    await expect(page.locator("h1")).to_have_text("Счётчик воды ультразвуковой УЗ-20")
    await expect(page.locator(".heading .chip")).to_have_text("действует")
    await expect(page.locator("#approval")).to_contain_text("77777-26")
    await expect(page.locator("#executions tbody tr").first).to_contain_text("2.5")
    await expect(page.locator("#versions")).to_contain_text("1.0.7")
    await shots(page, shot, "type")
    await page.get_by_role("link", name="0 приборов").click()
    await expect(page.locator(".empty")).to_be_visible()
