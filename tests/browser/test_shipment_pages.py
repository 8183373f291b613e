"""The shipment pages in Chromium: one side chooses devices and signs, the other answers for them and sends one back."""

import asyncio
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, Request, expect

from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, entered, shots
from tests.trade import Trade, meters, trading

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]
COUNT = 30
LATE_MS = 30_000


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker with thirty meters, and a utility that knows none of them."""
    with trading(tmp_path_factory.mktemp("shipments"), "utility", PASSPORT_FEDERATION__DISCOVERY="false") as running:
        running.produce(meters(COUNT))
        yield running


def only_stream(page: Page) -> list[str]:
    """Every request from now on that is neither the stream's nor for an icon or a font."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/events" not in request.url and "/static/" not in request.url:
            asked.append(request.url)

    page.on("request", note)
    return asked


def ship(trade: Trade) -> None:
    """Offer all meters but the first to the utility, where that was not done yet."""
    if not trade.call("maker", "get", "/shipments")["items"]:
        body = {"buyer": trade.orgs["utility"], "number": "ТТН-17", "devices": trade.devices[1:]}
        trade.call("maker", "post", "/shipments", body)


def still_ours(trade: Trade) -> int:
    """How many meters stand in no shipment, or came out of one."""
    sent = [one for one in trade.call("maker", "get", "/shipments")["items"] if one["direction"] == "out"]
    return COUNT - sum(int(one["states"][state]) for one in sent for state in ("offered", "accepted"))


async def test_devices_are_chosen_and_offered(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """Search, paste and all of a filter fill one list; the offer appears at the buyer by itself."""
    maker, utility = trade.address("maker"), trade.address("utility")
    items = (await asyncio.to_thread(trade.call, "maker", "get", "/passports", limit="200"))["items"]
    serials = [row["title"].rpartition("№ ")[2] for row in items]
    buyer = await entered(tabs, trade.nodes["utility"])
    await buyer.goto(f"{utility}/shipments")
    await expect(buyer.locator(".live.is-live")).to_be_visible()
    await expect(buyer.locator("#incoming .empty")).to_be_visible()
    asked = only_stream(buyer)

    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{maker}/shipments")
    await page.get_by_role("link", name="Отгрузить приборы").click()
    await expect(page.locator("#find .finds li")).to_have_count(12)
    await page.locator("#find input[type=search]").fill(serials[0])
    await page.locator("#find input[type=search]").press("Enter")
    await expect(page.locator("#find .finds li")).to_have_count(1)
    await page.get_by_role("button", name="Добавить", exact=True).click()
    await expect(page.locator("#chosen h2")).to_have_text("Выбран 1 прибор")
    await page.locator("textarea[name=pasted]").fill(f"{serials[1]}\tК-7\n{items[2]['id']}\n99999999\n")
    await page.get_by_role("button", name="Добавить список").click()
    await expect(page.locator("#chosen h2")).to_have_text("Выбрано 3 прибора")
    await expect(page.locator(".picked li").nth(1)).to_contain_text("К-7")
    await expect(page.locator("#paste .problem")).to_contain_text("1 строка не называет")
    await expect(page.locator("textarea[name=pasted]")).to_have_value("99999999")
    await shots(page, shot, "shipment-choosing", languages=())
    await page.locator("#find input[type=search]").fill("")
    await page.locator("#find select").select_option("manufactured")
    await page.get_by_role("button", name="Добавить всё найденное").click()
    await expect(page.locator("#chosen h2")).to_have_text(f"Выбрано {COUNT} приборов")
    await page.locator(".picked button").first.click()
    await expect(page.locator("#chosen h2")).to_have_text(f"Выбрано {COUNT - 1} приборов")
    await page.locator("select[name=buyer]").select_option(label="МУП «Водоканал-Демо» — ресурсоснабжающая организация")
    await page.locator("input[name=number]").fill("ТТН-17")
    await shot(page, "shipment-chosen-ru-desktop")
    await page.get_by_role("button", name="Подписать отгрузку").click()
    await expect(page.locator("h1")).to_have_text("ТТН-17")
    await expect(page.locator(".chip.warn")).to_have_text("ждёт приёмки")

    row = buyer.locator("#incoming tbody tr")
    await expect(row).to_contain_text("ТТН-17", timeout=LATE_MS)
    assert asked == []
    await expect(row).to_contain_text("Завод Приборучёт-Демо")
    await expect(row).to_contain_text("придёт с приёмкой")
    await shots(buyer, shot, "shipments-offered")
    await buyer.locator("#incoming").get_by_role("link", name="ТТН-17").click()
    await buyer.locator("#devices input[type=search]").fill(serials[1])
    await buyer.locator("#devices input[type=search]").press("Enter")
    await expect(buyer.locator("#devices tbody tr")).to_have_count(1)
    await expect(buyer.locator("#devices tbody tr")).to_contain_text(f"№ {serials[1]} по списку продавца место К-7")
    await shots(buyer, shot, "shipment-packed")


async def test_devices_are_refused_accepted_and_sent_back(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """One is refused with a reason, the others are accepted with one press and keys come; one goes back."""
    tabs.expect("422")
    maker, utility = trade.address("maker"), trade.address("utility")
    await asyncio.to_thread(ship, trade)
    buyer, page = await entered(tabs, trade.nodes["utility"]), await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{maker}/shipments")
    await page.locator("#outgoing").get_by_role("link", name="ТТН-17").click()
    await buyer.goto(f"{utility}/shipments")
    await buyer.locator("#incoming").get_by_role("link", name="Просмотреть").click()
    await expect(buyer.locator("#devices tbody tr")).to_have_count(COUNT - 1)
    await shots(buyer, shot, "shipment-answering")
    await buyer.get_by_role("button", name="Отказаться от выбранных").click()
    await expect(buyer.get_by_role("alert")).to_contain_text("Не выбран ни один прибор")
    await expect(buyer.locator("#devices tbody tr").first).to_contain_text("по списку продавца")
    title = await buyer.locator("#devices input[type=checkbox]").first.get_attribute("aria-label") or ""
    await buyer.locator("textarea[name=scanned]").fill("99999999")
    await buyer.get_by_role("button", name="Отказаться от выбранных").click()
    await expect(buyer.get_by_role("alert")).to_contain_text("99999999")
    await expect(buyer.locator("textarea[name=scanned]")).to_have_value("99999999")
    await buyer.locator("textarea[name=scanned]").fill(title.rpartition("№ ")[2])
    await buyer.locator("select[name=reason]").select_option("damaged")
    await buyer.locator("input[name=note]").fill("вмятина на корпусе")
    await buyer.get_by_role("button", name="Отказаться от выбранных").click()
    await expect(buyer.locator("#said")).to_contain_text("повреждён")
    await buyer.get_by_role("button", name="Принять", exact=True).click()
    await expect(buyer.locator(".tally li").nth(1)).to_have_text(f"{COUNT - 2} паспортов здесь", timeout=LATE_MS)
    await expect(buyer.locator(".tally li").nth(2)).to_have_text(f"{COUNT - 2} запечатанных ключей здесь")
    await expect(buyer.locator(".chip.bad")).to_have_count(0)
    await expect(buyer.locator("#devices th").nth(2)).to_have_text("Что пришло")
    await expect(buyer.get_by_role("button", name="Принять")).to_have_count(0)
    await shots(buyer, shot, "shipment-accepted")
    await expect(page.locator(".heading .chip").first).to_have_text("частично", timeout=LATE_MS)
    await expect(page.locator(".tally li")).to_have_text(
        [f"{COUNT - 1} приборов", f"{COUNT - 1} паспортов передаётся", f"{COUNT - 1} запечатанных ключей передаётся"]
    )
    await expect(page.locator("#devices th").nth(2)).to_have_text("Что передаётся")
    await expect(page.locator("#said")).to_contain_text("вмятина на корпусе")

    await buyer.get_by_role("link", name="Вернуть приборы…").click()
    await buyer.locator("input[name=number]").fill("В-1")
    await buyer.locator("select[name=reason]").select_option("defective")
    await buyer.locator("#devices input[type=checkbox]").nth(1).check()
    await shots(buyer, shot, "shipment-sending-back", languages=())
    await buyer.get_by_role("button", name="Вернуть выбранные").click()
    await expect(buyer.locator("h1")).to_have_text("В-1")
    await page.goto(f"{maker}/shipments")
    await expect(page.locator("#incoming tbody tr")).to_contain_text("возврат", timeout=LATE_MS)
    await page.locator("#incoming").get_by_role("button", name="Принять").click()
    await expect(buyer.locator(".chip.good").first).to_have_text("принята", timeout=LATE_MS)


async def test_device_that_was_shipped_is_not_offered_again(trade: Trade, tabs: Tabs) -> None:
    """A shipped device is marked where it is found, all of a filter leaves it out, and a forced one is refused."""
    tabs.expect("409")
    maker = trade.address("maker")
    body = {"buyer": trade.orgs["utility"], "number": "ТТН-17а", "devices": [trade.devices[0]]}
    await asyncio.to_thread(trade.call, "maker", "post", "/shipments", body)
    kept = await asyncio.to_thread(still_ours, trade)
    gone = trade.devices[0]
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{maker}/shipments/new")
    await page.locator("#find input[type=search]").fill(gone)
    await page.locator("#find input[type=search]").press("Enter")
    await expect(page.locator("#find .finds li")).to_have_count(1)
    await expect(page.locator("#find .finds li")).to_contain_text("уже отгружен")
    await page.locator("#find input[type=search]").fill("")
    await page.get_by_role("button", name="Добавить всё найденное").click()
    await expect(page.locator("#chosen h2")).to_contain_text(f" {kept} ")
    await page.locator("textarea[name=pasted]").fill(gone)
    await page.get_by_role("button", name="Добавить список").click()
    await expect(page.locator("#chosen h2")).to_contain_text(f" {kept + 1} ")
    await page.locator("select[name=buyer]").select_option(index=1)
    await page.locator("input[name=number]").fill("ТТН-18")
    await page.get_by_role("button", name="Подписать отгрузку").click()

    await expect(page.get_by_role("alert")).to_contain_text("Приборы уже стоят в другой отгрузке")
    await expect(page.locator("#chosen h2")).to_contain_text(f" {kept + 1} ")
