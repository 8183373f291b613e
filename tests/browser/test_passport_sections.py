"""Sections of the passport page in Chromium: processes, values on a date, the print view; and no Russian in English."""

import asyncio
import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Tabs
from tests.browser.doors import PHONE, Shot, entered, fits, shots
from tests.trade import WHO, Trade, meters, trading

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]
LATE_MS = 30_000
CYRILLIC = re.compile("[а-яё]+", re.IGNORECASE)
# What people and organisations typed: names, plates, codes, papers. It stays as it was typed.
TYPED = (
    "ООО «Завод Приборучёт-Демо»", "МУП «Водоканал-Демо»", "ФБУ «Демо-ЦСМ»", "ПРИБОРУЧЁТ-ДЕМО", "БВ-15Д-80-Р868",
    "БВ-15Д", "П-2026-04-01", "ПБ-1", "плата", "ТТН-5", "ПП-26-000001", "ЪЫЬ", "Поверитель П.П.",
    "МП 999910-00 (вымышленная)", "Демо-федерация", "999904.00.2Р.00000003", "апрель", "ФГИС «Аршин»", "«Аршин»",
)  # fmt: skip


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker, a utility and a lab; four meters, of which two are verified, one is mended and one is offered."""
    folder = tmp_path_factory.mktemp("passports")
    with trading(folder, "utility", "lab", PASSPORT_FEDERATION__DISCOVERY="false") as running:
        items = running.produce(meters(4))
        running.verify(items[:2])
        running.until("the verifications", lambda: all(running.protocols("maker", row["id"]) for row in items[:2]))
        mended, offered = items[0]["id"], items[1]["id"]
        for code, value, since in (
            ("firmware_version", "1.5", "2026-06-01"),
            ("firmware_version", "1.6", "2026-09-01"),
        ):
            value_row = {"code": {"central": code}, "value": value, "since": since}
            running.call("maker", "post", f"/passports/{mended}/parameters", {"rows": [value_row]})
        repair = {
            "where": "works", "when": "2026-11-10T09:00:00Z", "process": "repair", "step": "replace_parts",
            "parts": [{"position": "плата", "designation": "ПБ-1", "serial": "000202", "removed_serial": "000101"}],
        }  # fmt: skip
        running.call("maker", "post", f"/passports/{mended}/repairs", repair)
        body = {"buyer": running.orgs["utility"], "number": "ТТН-5", "devices": [offered]}
        running.call("maker", "post", "/shipments", body)
        yield running


async def russian(page: Page) -> set[str]:
    """Russian words on a page beside those that somebody typed."""
    text = await page.locator("main").inner_text()
    for typed in sorted(TYPED, key=len, reverse=True):
        text = text.replace(typed, "")
    return set(CYRILLIC.findall(text))


async def lines_of(trade: Trade, device: str) -> dict[str, int]:
    """How many lines each section of a passport's page has, by what the API answers of it."""
    view = (await asyncio.to_thread(trade.call, "maker", "get", f"/passports/{device}"))["view"]
    going = (await asyncio.to_thread(trade.call, "maker", "get", f"/passports/{device}/processes"))["items"]
    # Of the identity: designation, mark, serial and year as stated, the type, the manufacturer and the owner.
    return {
        "identity": 7,
        "timeline": len(view["events"]),
        "parameters": sum(len(parameter["values"]) for parameter in view["parameters"].values()),
        "protocols": len(view["protocols"]),
        "composition": len(view["composition"]["children"]),
        "processes": len(going),
        "radio-facts": len(view["radio"]),
        "provenance": len(view["statements"]),
    }


@pytest.mark.req("A17")
async def test_passport_page_shows_all_sections_and_what_goes_on(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """One page: identity, state, events, parameters, protocols, composition, processes, and who said each line."""
    mended, offered = trade.devices[0], trade.devices[1]
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.address('maker')}/devices/{mended}")

    await expect(page.locator("h1 + .chip")).to_have_text("отремонтирован, не допущен до поверки")
    processes = page.locator("#processes li")
    await expect(processes).to_have_count(2)
    await expect(processes.nth(0)).to_contain_text("Ждёт поверки")
    await expect(processes.nth(0)).to_contain_text("отремонтирован")
    await expect(processes.nth(1)).to_contain_text("Ремонт: замена деталей, далее: калибровка")
    for section, count in (await lines_of(trade, mended)).items():
        await expect(page.locator(f"#{section}")).to_be_visible()
        lines = page.locator(f"#{section} li" if section == "processes" else f"#{section} tbody tr")
        await expect(lines, section).to_have_count(count)
        if section == "processes":
            authors = await lines.all_text_contents()
        elif section == "provenance":
            authors = await lines.locator("td:nth-child(2)").all_text_contents()
        else:
            authors = await lines.locator(".said > span").all_text_contents()
        assert len(authors) == count > 0, section
        assert all(any(who["name"] in author for who in WHO.values()) for author in authors), (section, authors)
    await expect(page.locator(".heading .said")).to_contain_text("Завод Приборучёт-Демо")
    await expect(page.locator("#protocols")).to_contain_text("Протокол поверки")
    await expect(page.locator("#protocols .said")).to_contain_text("Демо-ЦСМ")
    await shots(page, shot, "passport-mended")

    await page.goto(f"{trade.address('maker')}/devices/{offered}")
    await expect(page.locator("#processes li")).to_contain_text("Отгрузка ждёт приёмки")
    await expect(page.locator("#processes li")).to_contain_text("Водоканал-Демо")
    await page.locator("#processes a", has_text="ТТН-5").click()
    await expect(page.locator("h1")).to_have_text("ТТН-5")


async def test_process_ends_on_the_open_page_when_the_buyer_accepts(trade: Trade, tabs: Tabs) -> None:
    """The offer stands among the processes until the other organisation accepts it; then the stream alone ends it."""
    offered = trade.devices[1]
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.address('maker')}/devices/{offered}")
    await expect(page.locator("#processes")).to_be_visible()
    await expect(page.locator(".live.is-live")).to_be_visible()
    waiting = await asyncio.to_thread(
        trade.until, "the offer", lambda: trade.call("utility", "get", "/shipments")["items"]
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    await asyncio.to_thread(trade.call, "utility", "post", f"/shipments/{waiting[0]['id']}/acceptance")

    await expect(page.locator("#processes")).to_have_count(0, timeout=LATE_MS)
    await expect(page.locator("h1 + .chip")).to_have_text("передан")
    assert asked == []


@pytest.mark.req("B58")
async def test_date_field_shows_values_and_composition_of_that_day(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """Another day shows the value and the part of that day, and the way back leads to the whole history."""
    mended = trade.devices[0]
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.address('maker')}/devices/{mended}")
    firmware = page.locator("#parameters tr", has_text="Версия ПО")
    await expect(firmware).to_have_count(3)

    await page.locator("#on").fill("2026-07-15")
    await page.get_by_role("button", name="Показать").click()

    await expect(firmware).to_have_count(1)
    await expect(firmware).to_contain_text("1.5")
    await expect(page.locator("#parameters h2")).to_contain_text("на 15.07.2026")
    await expect(page.locator("#composition tbody tr")).to_have_count(1)
    await expect(page.locator("#composition tbody tr")).to_contain_text("№ 000101")
    await shots(page, shot, "passport-on-date", languages=("en", "ru"))
    await page.locator("#on").fill("2026-11-12")
    await page.get_by_role("button", name="Показать").click()
    await expect(firmware).to_contain_text("1.6")
    await expect(page.locator("#composition tbody tr")).to_contain_text("№ 000202")
    await page.locator("#on").fill("2025-01-01")
    await page.get_by_role("button", name="Показать").click()
    await expect(page.locator("#parameters .empty")).to_be_visible()
    await page.get_by_role("link", name="Вся история").click()
    await expect(firmware).to_have_count(3)


async def test_page_of_a_day_stays_on_that_day_when_the_passport_changes(trade: Trade, tabs: Tabs) -> None:
    """What the stream brings to a page of a past day is that day again, with the new event in the timeline."""
    device = trade.devices[2]
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.address('maker')}/devices/{device}?on=2026-05-01")
    await expect(page.locator(".live.is-live")).to_be_visible()
    body = {"rows": [{"code": {"central": "firmware_version"}, "value": "9.9", "since": "2026-08-01"}]}
    await asyncio.to_thread(trade.call, "maker", "post", f"/passports/{device}/parameters", body)
    event = {"what": "seal_broken", "where": "works", "when": "2026-08-02"}

    await asyncio.to_thread(trade.call, "maker", "post", f"/passports/{device}/events", event)

    await expect(page.locator("#timeline")).to_contain_text("пломба нарушена", timeout=LATE_MS)
    await expect(page.locator("#parameters h2")).to_contain_text("на 01.05.2026")
    await expect(page.locator("#parameters tr", has_text="Версия ПО")).not_to_contain_text("9.9")


async def chosen(page: Page) -> tuple[str, str]:
    """What stands in both fields of the timeline's filter."""
    form = page.locator("#timeline-filter")
    return (
        await form.locator("select[name=who] option:checked").inner_text(),
        await form.locator("select[name=what] option:checked").inner_text(),
    )


@pytest.mark.req("B55")
async def test_timeline_is_narrowed_by_who_and_what_from_the_keyboard(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """The two fields leave the events of one organisation, of one kind or of both, as the API does."""
    mended, lab = trade.devices[0], trade.orgs["lab"]
    events = (await asyncio.to_thread(trade.call, "maker", "get", f"/passports/{mended}/events"))["items"]
    of_lab = (await asyncio.to_thread(trade.call, "maker", "get", f"/passports/{mended}/events", who=lab))["items"]
    assert 0 < len(of_lab) < len(events)
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.address('maker')}/devices/{mended}")
    rows = page.locator("#timeline tbody tr")
    await expect(rows).to_have_count(len(events))

    who = page.locator("#timeline-filter select[name=who]")
    await who.focus()
    for _ in range(await who.locator("option").count()):
        if await who.input_value() != lab:
            await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")

    await expect(page).to_have_url(re.compile(rf"who={lab}.*#timeline$"))
    await expect(rows).to_have_count(len(of_lab))
    assert all("Демо-ЦСМ" in text for text in await rows.all_inner_texts())
    assert await chosen(page) == ("ФБУ «Демо-ЦСМ»", "все события")
    await shots(page, shot, "passport-timeline", languages=("en", "ru"))
    await page.locator("#on").fill("2026-07-15")
    await page.get_by_role("button", name="Показать").click()
    await expect(page.locator("#parameters h2")).to_contain_text("на 15.07.2026")
    await expect(rows).to_have_count(len(of_lab))

    await page.locator("#timeline-filter select[name=what]").select_option("repaired")
    await page.get_by_role("button", name="Отобрать").click()
    await expect(page.locator("#timeline .empty")).to_have_text("Таких событий нет.")
    await expect(page.locator("#parameters h2")).to_contain_text("на 15.07.2026")
    await page.get_by_role("link", name="Вся история").click()
    await expect(page.locator("#timeline .empty")).to_be_visible()
    assert await chosen(page) == ("ФБУ «Демо-ЦСМ»", "отремонтирован")
    await page.locator("#timeline-filter select[name=who]").select_option("")
    await page.get_by_role("button", name="Отобрать").click()
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("отремонтирован")
    await page.get_by_role("link", name="Все события").click()
    await expect(rows).to_have_count(len(events))


@pytest.mark.req("B55")
async def test_narrowed_timeline_takes_only_matching_events_from_the_stream(trade: Trade, tabs: Tabs) -> None:
    """Of what comes while the page is open it shows what was asked for, and a choice that is being made stays."""
    device = trade.devices[3]
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.address('maker')}/devices/{device}?what=seal_broken")
    await expect(page.locator("#timeline .empty")).to_have_text("Таких событий нет.")
    await expect(page.locator(".live.is-live")).to_be_visible()
    await page.locator("#timeline-filter select[name=who]").select_option(trade.orgs["maker"])
    for what in ("lost", "seal_broken", "found"):
        event = {"what": what, "where": "works", "when": "2026-08-02"}
        await asyncio.to_thread(trade.call, "maker", "post", f"/passports/{device}/events", event)

    await expect(page.locator("#timeline tbody tr")).to_have_count(1, timeout=LATE_MS)
    await expect(page.locator("#provenance tbody tr", has_text="событие")).to_have_count(4, timeout=LATE_MS)
    await expect(page.locator("#timeline tbody tr")).to_have_count(1)
    await expect(page.locator("#timeline tbody tr")).to_contain_text("пломба нарушена")
    assert await chosen(page) == ("ООО «Завод Приборучёт-Демо»", "пломба нарушена")


async def test_filter_that_is_none_is_refused(trade: Trade, tabs: Tabs) -> None:
    """An organisation that is no id of one is refused in words, as the API refuses it."""
    tabs.expect("422")
    page = await entered(tabs, trade.nodes["maker"])

    response = await page.goto(f"{trade.address('maker')}/devices/{trade.devices[0]}?who=somebody")

    assert response is not None
    assert response.status == 422


@pytest.mark.req("B57")
async def test_protocol_is_printed_as_its_template_lays_it_out(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """From the passport to paper: blocks and labels of the template, digits as signed, parties, signature, hashes."""
    mended = trade.devices[0]
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.address('maker')}/devices/{mended}")
    await page.get_by_role("link", name="Печать").click()

    await expect(page.locator("h1")).to_have_text("Протокол поверки")
    headings = await page.locator("h2").all_inner_texts()
    assert headings == [
        "Протокол поверки", "Средство измерений", "Методика и условия", "Средства поверки", "Операции", "Точки расхода",
        "Заключение", "Стороны и подписи",
    ]  # fmt: skip
    await expect(page.locator("dl div", has_text="Протокол №").first).to_contain_text("ПП-26-000001")
    await expect(page.locator("dl div", has_text="Температура воздуха, °C")).to_contain_text("21,7")
    await expect(page.locator("dl div", has_text="Пригодно")).to_contain_text("да")
    await expect(page.locator("table").nth(2).locator("tbody tr")).to_have_count(3)
    await expect(page.locator(".signed table")).to_contain_text("ФБУ «Демо-ЦСМ»")
    await expect(page.locator(".signed")).to_contain_text("Поверитель (лаборатория)")
    view = (await asyncio.to_thread(trade.call, "maker", "get", f"/passports/{mended}"))["view"]
    statement = next(row for row in view["statements"] if row["ref"] == view["protocols"][0]["ref"])
    await expect(page.locator(".signed table")).to_contain_text(statement["id"])
    await expect(page.locator(".stamp", has_text="Персональные данные")).to_be_visible()
    await shot(page, "protocol-ru-desktop")
    await page.emulate_media(media="print")
    await expect(page.locator(".bar")).to_be_hidden()
    await shot(page, "protocol-ru-paper")
    await page.emulate_media(media="screen")
    await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    await shot(page, "protocol-ru-phone")
    await fits(page, PHONE[0])
    await page.get_by_role("link", name="К паспорту").click()
    await expect(page.locator("#protocols")).to_be_visible()

    # The lab that signed it reads the personal part too.
    lab = await entered(tabs, trade.nodes["lab"])
    await lab.goto(f"{trade.address('lab')}/passports/{mended}/protocols/{view['protocols'][0]['ref']}/print")
    await expect(lab.locator("dl div", has_text="Владелец СИ").first).to_contain_text("ООО «Завод Приборучёт-Демо»")
    await expect(lab.locator(".stamp")).to_have_count(0)


async def test_english_pages_hold_no_russian_but_what_was_typed(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """Events, parameters, states, units, types and templates read in English; names that people typed stay."""
    mended = trade.devices[0]
    page = await entered(tabs, trade.nodes["maker"])
    await page.get_by_role("button", name="EN", exact=True).click()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    view = (await asyncio.to_thread(trade.call, "maker", "get", f"/passports/{mended}"))["view"]
    paper = f"/passports/{mended}/protocols/{view['protocols'][0]['ref']}/print"
    addresses = (
        f"/devices/{mended}", f"/devices/{mended}?on=2026-07-15", f"/devices/{mended}?what=repaired",
        f"/devices/{trade.devices[1]}", paper, "/devices", "/", "/shipments", "/peers", "/imports", "/journal",
        "/access", "/radio", f"/devices/{mended}/operations", "/acts", "/processes", "/procedures", "/line", "/roles",
        "/exchange", "/webhooks", "/templates", "/organisations", "/conflicts", "/catalogs",
    )  # fmt: skip
    for address in addresses:
        await page.goto(trade.address("maker") + address)
        for details in await page.locator("main details").all():
            await details.evaluate("element => { element.open = true; }")
        assert await russian(page) == set(), address
    await page.goto(trade.address("maker") + paper)
    await shot(page, "protocol-en-desktop")
    await page.goto(trade.address("maker"))
    await page.get_by_role("button", name="RU", exact=True).click()
