"""The devices page in Chromium: one box finds a thing by whatever stands on it; counts, filters and joined ids."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from playwright.async_api import Page, expect

from node.demo.files import HEADER, SERIAL_AT
from node.passport.ids import format_label_url, parse_device_id
from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, entered, shots
from tests.trade import Trade, meters, trading

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]

SETTINGS = {"PASSPORT_FEDERATION__DISCOVERY": "false", "PASSPORT_PUBLIC__DOMAIN": "works.example"}
DEV_EUI_AT = HEADER.index("DevEUI")
COUNT = 4
PART = "000202"
# Stated before its line was published and once more after: two ids of one meter.
TWICE = {"mark": "ПРИБОРУЧЁТ-ДЕМО", "designation": "НОВ-15", "serial": "0000017"}
NEW_LINE = {
    "marks": [TWICE["mark"]], "designations": [TWICE["designation"]], "legal_makers": [],
    "serial": {"pattern": "digits", "width": 7},
}  # fmt: skip


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker of four meters, of which one is mended and one installed, and of one that was stated under two ids."""
    with trading(tmp_path_factory.mktemp("devices"), **SETTINGS) as running:
        running.produce(meters(COUNT))
        mended, installed = running.devices[:2]
        repair = {
            "where": "works", "when": "2026-05-10",
            "parts": [{"position": "плата", "designation": "ПБ-1", "serial": PART, "removed_serial": "000101"}],
        }  # fmt: skip
        running.call("maker", "post", f"/passports/{mended}/repairs", repair)
        event = {"what": "installed", "where": "works", "when": "2026-05-11"}
        running.call("maker", "post", f"/passports/{installed}/events", event)
        yield running


def twice(trade: Trade) -> list[str]:
    """The two ids of one meter: of its plate alone, and of its line."""
    first = trade.call("maker", "post", "/plates", TWICE)["id"]
    trade.call("maker", "post", "/lines", {"record": NEW_LINE})
    return [first, trade.call("maker", "post", "/plates", TWICE)["id"]]


async def look_for(page: Page, text: str) -> None:
    """Type a text into the search box, as a person or a scanner does, and press Enter."""
    box = page.locator("form.search input[name=q]")
    await box.fill("")
    await box.press_sequentially(text)
    async with page.expect_navigation():
        await box.press("Enter")


@pytest.mark.req("A16", "A47")
async def test_thing_is_found_by_whatever_stands_on_it_and_slips_are_told(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """Serial, id, DevEUI in three spellings, the text of the label's QR, a part's serial; a mistyped one says so."""
    tabs.expect("422")
    row = meters(COUNT)[2]
    serial, eui = row[SERIAL_AT], row[DEV_EUI_AT]
    items = (await asyncio.to_thread(trade.call, "maker", "get", "/passports", limit="200"))["items"]
    device, title = next((item["id"], item["title"]) for item in items if serial in item["title"])
    pairs = [eui[at : at + 2] for at in range(0, 16, 2)]
    label = format_label_url("works.example", parse_device_id(device))
    page = await entered(tabs, trade.nodes["maker"])
    await page.locator("nav.menu a", has_text="Приборы").click()
    rows = page.locator("table.rows tbody tr")

    for text in (serial, device, device.lower(), eui, eui.lower(), "-".join(pairs), ":".join(pairs), eui[:13], label):
        await look_for(page, text)
        await expect(rows, text).to_have_count(1)
        await expect(rows.locator("a")).to_have_attribute("href", f"/devices/{device}")
        await expect(rows.locator("a")).to_have_text(title)
    await rows.locator("a").click()
    await expect(page.locator("p.id")).to_have_text(device)
    await page.go_back()
    await look_for(page, PART)
    await expect(rows).to_have_count(1)
    await expect(rows.locator("a")).to_have_text(f"ПБ-1 № {PART}")

    slip = device[:-1] + ("0" if device[-1] != "0" else "1")
    for text, told in (
        (slip, "Идентификатор прибора записан с ошибкой"),
        (label[:-1] + slip[-1], "Идентификатор прибора записан с ошибкой"),
        (eui[:9] + eui[10:], "DevEUI записан с ошибкой"),
        (eui[:9] + "0" + eui[9:], "DevEUI записан с ошибкой"),
    ):
        await page.goto(trade.address("maker") + "/devices")
        await look_for(page, text)
        await expect(page.get_by_role("alert")).to_contain_text(told)
    await shot(page, "devices-mistyped-ru-desktop")
    await page.goto(trade.address("maker") + "/devices")
    await look_for(page, "99999999")
    await expect(page.locator(".empty")).to_contain_text("Такого прибора здесь нет")


@pytest.mark.req("B50")
async def test_registry_is_counted_searched_filtered_and_shows_what_was_joined(
    trade: Trade, tabs: Tabs, shot: Shot
) -> None:
    """Chips count passports by state and narrow to them; one meter of two ids is one row that says so under both."""
    first, second = await asyncio.to_thread(twice, trade)
    counted = await asyncio.to_thread(trade.call, "maker", "get", "/registry")
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(trade.address("maker") + "/devices")
    rows, chips = page.locator("table.rows tbody tr"), page.locator("p.filters a.chip")

    assert first != second
    # The meters, the part that came out, the one that went in, and the meter of two ids.
    assert (counted["total"], counted["joined"]) == (COUNT + 3, 1)
    await expect(rows).to_have_count(counted["total"])
    words = {
        "known": "известен, событий нет",
        "manufactured": "изготовлен",
        "repaired": "отремонтирован",
        "installed": "установлен",
    }
    assert counted["states"] == {"known": 3, "manufactured": 2, "repaired": 1, "installed": 1}
    shown = [f"Все {counted['total']}", *(f"{words[code]} {n}" for code, n in sorted(counted["states"].items()))]
    await expect(chips).to_have_text(shown)
    await expect(page.locator("p.filters")).to_contain_text("1 прибор с несколькими номерами")
    await shots(page, shot, "devices")
    for code, count in counted["states"].items():
        await chips.filter(has_text=words[code]).click()
        await expect(rows).to_have_count(count)
        await expect(rows.locator("td:nth-child(2) .chip")).to_have_text([words[code]] * count)
        await expect(page.locator("p.filters a.chip.good")).to_have_text(f"{words[code]} {count}")
    await chips.filter(has_text="Все").click()
    await expect(rows).to_have_count(counted["total"])

    serial = meters(COUNT)[3][SERIAL_AT]
    await look_for(page, serial[:-1])
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text(serial)
    for text in (TWICE["serial"], first, second):
        await look_for(page, text)
        await expect(rows).to_have_count(1)
        await expect(rows.locator(".chip.warn")).to_have_text("2 номера")
    seen = {await heading(page, f"{trade.address('maker')}/devices/{device}") for device in (first, second)}
    assert seen == {f"{TWICE['designation']} № {TWICE['serial']}"}


async def heading(page: Page, address: str) -> Any:  # Any: what playwright answers
    """The title of a page."""
    await page.goto(address)
    return await page.locator("h1").inner_text()


async def test_filters_stand_in_the_address_and_pages_lead_both_ways(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """What a form asks comes back with the page; its table fits a phone in both languages; an empty list says why."""
    page = await entered(tabs, trade.nodes["maker"])
    rows = page.locator("table.rows tbody tr")
    await page.goto(trade.address("maker") + "/devices?sort=changed&limit=2")
    await expect(rows).to_have_count(2)
    first = await rows.locator("a").all_inner_texts()
    async with page.expect_navigation():
        await page.locator("a[rel=next]").click()
    assert await rows.locator("a").all_inner_texts() != first
    async with page.expect_navigation():
        await page.locator("a[rel=prev]").click()
    await expect(rows.locator("a")).to_have_text(first)

    await page.goto(trade.address("maker") + "/devices")
    await page.locator("details.more > summary", has_text="Отбор").click()
    await page.locator("select[name=state]").select_option("repaired")
    await page.locator("input[name=q]").fill("бв-15д")
    async with page.expect_navigation():
        await page.get_by_role("button", name="Применить").click()
    assert "state=repaired" in page.url
    await expect(page.locator("select[name=state]")).to_have_value("repaired")
    await expect(rows).to_have_count(1)
    await shots(page, shot, "devices-filtered")
    await page.goto(trade.address("maker") + "/devices?state=scrapped")
    await expect(page.locator(".empty")).to_contain_text("Уберите одно из них")
    await shots(page, shot, "devices-none")
    await page.goto(trade.address("maker") + "/devices?q=щ")
    await expect(page.locator("section.card")).to_contain_text("введите три знака")


async def test_labels_are_seen_and_downloaded(trade: Trade, tabs: Tabs, shot: Shot, tmp_path: Path) -> None:
    """A list leads to the picture of its sheet; the file that is downloaded is read by a reader of codes."""
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.address('maker')}/devices")
    await page.locator(".heading a", has_text="Этикетки").click()
    await page.locator("summary", has_text="Приборы по одному").click()
    await page.locator("textarea[name=devices]").fill("\n".join(trade.devices))
    async with page.expect_navigation():
        await page.get_by_role("button", name="Показать").click()
    await expect(page.locator("#preview h2")).to_have_text("4 этикетки, 4 страницы")
    await shots(page, shot, "labels-roll", languages=())

    await page.locator("select[name=size]").select_option("a4-3x7")
    await page.locator("input[name=start]").fill("5")
    async with page.expect_navigation():
        await page.get_by_role("button", name="Показать").click()
    await expect(page.locator("#preview h2")).to_have_text("4 этикетки, 1 страница")
    await shots(page, shot, "labels-sheet", languages=())
    async with page.expect_download() as started:
        await page.get_by_role("button", name="Скачать").click()
    await (await started.value).save_as(tmp_path / "labels.pdf")

    (sheet,) = pypdfium2.PdfDocument(tmp_path / "labels.pdf")
    found = {one.text for one in zxingcpp.read_barcodes(sheet.render(scale=3).to_pil())}
    assert found == {f"https://works.example/d/{device}" for device in trade.devices}
