"""Identity and composition in Chromium: registering, twins, comparing, and a recall that reaches a device."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, entered, shots
from tests.trade import WATER, Trade, trading

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]

HERE, THERE = "ул. Ленина, 5, кв. 12", "пр. Мира, 7, кв. 3"
PLATE = {"designation": "ВС-15", "serial": "0012345", "approvals": ["12345-18"]}
LATE_MS = 30_000
Json = Any  # Any: JSON
# A camera before which one code is held, for a browser that has none of its own.
CAMERA = """
window.BarcodeDetector = class { async detect() { return [{ rawValue: "ВС-15 № 0099001" }]; } };
navigator.mediaDevices.getUserMedia = async () => {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  setInterval(() => context.fillRect(0, 0, Math.random() * 100, 100), 50);
  return canvas.captureStream();
};
"""


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker with its line and a utility, each a node of its own."""
    folder = tmp_path_factory.mktemp("identity")
    with trading(folder, "utility", PASSPORT_FEDERATION__DISCOVERY="false") as running:
        yield running


async def said(trade: Trade, path: str, body: Json, name: str = "maker") -> Json:
    """Say something through a node's own socket."""
    return await asyncio.to_thread(trade.call, name, "post", path, body)


async def stated(trade: Trade, **plate: Json) -> str:
    """State a plate at the maker; its device id."""
    return str((await said(trade, "/plates", plate))["id"])


async def opened(trade: Trade, tabs: Tabs, path: str) -> Page:
    """A page of the maker's console."""
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(trade.address("maker") + path)
    return page


async def scan(page: Page, text: str) -> None:
    """What a hand scanner does: it types into what has the focus, and presses Enter."""
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")


async def test_devices_are_registered_one_after_another_with_suggestions(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """Slips are told while one types; scans are taken without waiting; one plate at two places is asked about."""
    known = await stated(trade, **PLATE, place=HERE)
    page = await opened(trade, tabs, "/register")
    hints, items, box = page.locator("#hints"), page.locator("#sitting > li"), page.locator("input[name=text]")
    await expect(box).to_be_focused()
    await expect(page.locator("[data-camera]")).to_be_hidden()

    await page.locator("input[name=place]").fill(HERE)
    await box.fill("ВС-15 № 0012354")
    await expect(hints).to_contain_text("Похоже, это уже известный прибор")
    await expect(hints.locator(".finds a")).to_have_attribute("href", f"/devices/{known}")
    await expect(hints.locator(".signs")).to_contain_text("то же место")
    await shots(page, shot, "register-suggestion", languages=())
    await box.fill(f"{WATER.designation} № 1234567")
    await hints.get_by_role("button", name="Взять 01234567").click()
    await expect(page.locator("input[name=serial]")).to_have_value("01234567")
    await page.locator("input[name=serial]").fill("")
    await page.locator("input[name=place]").fill("")
    await box.fill("")
    for serial in ("0055501", "0066602", "0077703"):
        await scan(page, f"ВС-15 № {serial}")
    await expect(items.locator(".chip.good", has_text="зарегистрирован")).to_have_count(3)
    await scan(page, "EPP1-0000000000000000000000000001")
    await expect(items.first).to_contain_text("записан с ошибкой")
    await expect(box).to_have_value("")
    await expect(box).to_be_focused()

    await page.locator("input[name=approval]").fill(PLATE["approvals"][0])
    await page.locator("input[name=place]").fill(THERE)
    await box.focus()
    await scan(page, "ВС-15 № 0012345")
    asked = page.locator("#sitting > li.elsewhere")
    await expect(asked).to_contain_text(HERE)
    await shots(page, shot, "register-elsewhere", languages=())
    await asked.get_by_role("button", name="другой прибор").click()
    await expect(asked).to_have_count(0)
    await items.first.locator("p a").first.click()
    await expect(page.locator("h1")).to_have_text("ВС-15 № 0012345")
    assert known not in page.url
    await expect(page.locator("#parameters")).to_contain_text(THERE)
    await page.goto(trade.address("maker") + "/register")
    await shots(page, shot, "register")


async def test_camera_reads_codes_where_the_browser_can(trade: Trade, tabs: Tabs) -> None:
    """With a detector in the browser the button is there, and what it reads is registered by itself, once."""
    page = await entered(tabs, trade.nodes["maker"])
    await page.add_init_script(CAMERA)
    await page.goto(trade.address("maker") + "/register")

    await page.get_by_role("button", name="Камера").click()

    await expect(page.locator("#sitting > li")).to_contain_text("ВС-15 № 0099001")
    await page.get_by_role("button", name="Закрыть камеру").click()
    await expect(page.locator("#camera")).to_be_hidden()
    await expect(page.locator("#sitting > li")).to_have_count(1)


async def test_one_plate_at_two_places_becomes_a_twin_and_one_device_again(
    trade: Trade, tabs: Tabs, shot: Shot
) -> None:
    """Two parties see one plate at two places: the conflict is listed, told apart by its statements, and undone.

    While it is asked, the question stands beside the state, which may be of either.
    """
    plate = {**PLATE, "serial": "0044401"}
    device = await stated(trade, **plate, place=HERE)
    assert (await said(trade, "/plates", {**plate, "place": THERE}, "utility"))["id"] == device
    await said(trade, "/shares", {"org": trade.orgs["maker"], "ids": [device]}, "utility")
    await asyncio.to_thread(trade.until, "the conflict", lambda: trade.call("maker", "get", "/conflicts")["total"])
    page = await opened(trade, tabs, "/conflicts?why=two-devices-on-one-plate")
    await expect(page.locator("nav.menu a", has_text="Конфликты").locator(".count")).to_have_text("1")
    row = page.locator(".stays li", has_text=THERE)
    await expect(row).to_contain_text("Водоканал-Демо")
    await shots(page, shot, "conflicts")

    await row.get_by_role("link", name="Здесь другой прибор").click()
    await expect(page.locator("input[name=moves]:checked")).to_have_count(2)
    await page.locator("input[name=reason]").fill("осмотр на месте")
    await shots(page, shot, "twins", languages=())
    await page.get_by_role("button", name="Это другой прибор").click()

    await expect(page.locator("#said")).to_contain_text("двойник")
    await expect(page.locator("#facts tr.different")).to_contain_text([HERE])
    await shots(page, shot, "compare-twins")
    await page.goto(trade.address("maker") + "/conflicts")
    await expect(page.locator("a", has_text="два прибора с одной табличкой")).to_have_count(0)
    await page.goto(f"{trade.address('maker')}/devices/{device}")
    await expect(page.locator("#conflicts")).to_have_count(0)
    question = page.locator(".heading a.chip", has_text="два прибора с одной табличкой?")
    await expect(question).to_have_count(0)
    await page.locator("#sameness").get_by_role("button", name="Взять назад").click()
    await expect(page.locator("#conflicts .stays li")).to_have_count(2)
    await expect(question).to_be_visible()
    await shots(page, shot, "passport-two-places")


async def test_two_passports_are_compared_and_merged(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """From the likely duplicates of a passport to a comparison, and by one press to one passport of both ids."""
    one = await stated(trade, designation="КТК-15", serial="77123", place=HERE)
    other = await stated(trade, designation="КТК 15И", serial="0077123", year="2024", place=HERE)
    page = await opened(trade, tabs, f"/devices/{one}")
    alike = page.locator("#alike")
    await expect(alike).to_contain_text("КТК 15И № 0077123")
    await shots(page, shot, "passport-alike")

    await alike.get_by_role("link", name="Сравнить").click()
    await expect(page.locator("#facts tr.different", has_text="Обозначение")).to_contain_text("КТК 15И")
    await expect(page.locator("#decide")).to_contain_text("подействует сразу")
    await page.locator("#same summary").click()
    await expect(page.locator("#same")).to_contain_text(HERE)
    await page.locator("input[name=reason]").fill("осмотр на месте")
    await shots(page, shot, "compare", languages=())
    await page.get_by_role("button", name="Один прибор").click()

    await expect(page.locator("#one")).to_be_visible()
    await shots(page, shot, "compare-one")
    await page.locator("#one a").click()
    view = (await asyncio.to_thread(trade.call, "maker", "get", f"/passports/{one}"))["view"]
    assert set(view["ids"]) == {one, other}
    await expect(page.locator("#sameness")).to_contain_text("осмотр на месте")


async def put_in(page: Page, *texts: str) -> Locator:
    """Scan parts into the whole that is shown."""
    box = page.locator("#put-in input[name=part]")
    await box.focus()
    for text in texts:
        await scan(page, text)
    items = page.locator("#fitted > li .chip.good")
    await expect(items).to_have_count(len(texts))
    return items


async def test_recall_of_a_lot_is_seen_on_the_page_of_the_device(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """An object with a unit, its device and a lot inside; the recall of the lot stands on top of the device."""
    meter = await stated(trade, designation="ВС-15", serial="0088801")
    page = await opened(trade, tabs, "/register")
    made = {}
    for kind, name in (("object", "Дом 1"), ("unit", "Узел учёта 1"), ("batch", "Батарея ER14505")):
        await page.goto(trade.address("maker") + "/register")
        await page.locator("#things summary").click()
        await page.locator(f"#things input[value={kind}]").check()
        await page.locator("#things input[name=name]").fill(name)
        await page.locator("#things input[name=number]").fill("7")
        await page.get_by_role("button", name="Завести паспорт").click()
        await expect(page.locator("h1")).to_have_text(f"{name} № 7")
        made[kind] = page.url
    lot = made["batch"].rsplit("/", 1)[1]
    await page.goto(made["unit"])
    await put_in(page, meter, "Пломба № 0001")
    await page.goto(made["object"])
    await put_in(page, made["unit"].rsplit("/", 1)[1])
    await page.goto(f"{trade.address('maker')}/devices/{meter}")
    await page.locator("#put-in summary").click()
    await put_in(page, lot)
    await page.goto(made["object"])
    await expect(page.locator("#tree")).to_contain_text("ВС-15 № 0088801")
    await shots(page, shot, "object")

    await page.goto(made["batch"])
    await expect(page.locator("#reach tbody tr", has_text="ВС-15 № 0088801")).to_have_count(1)
    await page.locator("#recall summary").click()
    await page.locator("#recall input[name=reason]").fill("вздутие корпуса")
    await page.locator("#recall input[name=document]").fill("Акт 7")
    await shots(page, shot, "batch", languages=())
    await page.get_by_role("button", name="Отозвать", exact=True).click()
    await expect(page.locator(".recall")).to_contain_text("вздутие корпуса")

    await page.goto(f"{trade.address('maker')}/devices/{meter}")
    await expect(page.locator(".recall")).to_contain_text("Акт 7")
    await expect(page.locator(".recall a")).to_have_text("Батарея ER14505 № 7")
    await shots(page, shot, "device-recalled")
    await page.goto(made["unit"])
    taken = page.locator("#composition tr", has_text="Пломба")
    await taken.locator("summary").click()
    await taken.get_by_role("button").click()
    await expect(page.locator("#tree")).not_to_contain_text("Пломба")
    await page.goto(trade.address("maker") + "/journal")
    await expect(page.locator("tbody")).to_contain_text("Объявлен отзыв")
    await expect(page.locator("tbody td:nth-child(2)").filter(has_text=re.compile(r"^[a-z_]+$"))).to_have_count(0)
    await shots(page, shot, "journal-identity")
