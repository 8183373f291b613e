"""Three working days in Chromium: a shift at the line, a lab's forty meters, a repair between two organisations.

Workers scan, type, choose files and press buttons; what a node is asked beside the screens only sets the scene.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from playwright.async_api import Page, expect

from node.demo.documents import bench_template, verification_document, verification_template
from node.demo.files import HEADER, SERIAL_AT
from node.exchange.arshin import check_application
from node.exchange.tables import write_csv
from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, entered, shots
from tests.browser.repair_act import repair_act, with_act
from tests.catalog_records import VERSION
from tests.trade import WATER, Trade, meters, trading
from tests.unit.exchange.test_bench import RUN

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]
Json = Any  # Any: JSON
HEAD = {
    "/owner": "ООО «Завод Приборучёт-Демо»",
    "/protocol_no": "ПП-26-000040",
    "/kind": "periodic",
    "/method_doc": "МП 999910-00 (вымышленная)",
    "/sign_cipher": "ЪЫЬ",
    "/metrologist/name": "Поверитель П.П.",
    "/standards/0/kind": "mieta",
    "/standards/0/reg_number": "999904.00.2Р.00000003",
    "/operations/0/name": "visual",
    "/operations/0/pass": "true",
    "/mpi_months": "72",
    "/sign_in_passport": "true",
    "/sign_on_device": "true",
}
CHOSEN = (
    "/kind",
    "/standards/0/kind",
    "/operations/0/name",
    "/operations/0/pass",
    "/sign_in_passport",
    "/sign_on_device",
)
COUNT, UNFIT, ANNULLED = 40, 6, 11
ACT = {
    "/act_no": "А-3",
    "/date": f"{datetime.now(UTC):%Y-%m-%d}",
    "/work": "Заменена плата, прибор настроен",
    "/seals/0/no": "ПЛ-77",
    "/seals/0/place": "крышка",
}
LONG_MS = 30_000
KIT = [{"position": "A1", "designation": "СЭ-2726"}, {"position": "B1", "designation": "Батарея ER14505"}]


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker, a lab, a utility and a service firm that know each other, each with its templates."""
    folder = tmp_path_factory.mktemp("days")
    with trading(folder, "lab", "utility", "service", PASSPORT_FEDERATION__DISCOVERY="false") as running:
        for who in ("maker", "lab", "service"):
            running.call(who, "upload", "/templates", verification_template())
        for who in ("maker", "lab"):
            running.call(who, "upload", "/templates", bench_template())
        running.call("service", "upload", "/templates", repair_act())
        yield running


def publish(trade: Trade, who: str, procedure: Json, *parties: str) -> None:
    """Publish a procedure and let others accept it on their own nodes."""
    digest = str(trade.call(who, "post", "/procedures", procedure)["digest"])
    for party in parties:
        trade.until("the procedure", partial(is_known, trade, party, digest))
        trade.call(party, "post", f"/procedures/{digest}/acceptance")
        trade.until("the signature", partial(has_accepted, trade, who, digest, trade.orgs[party]))


def is_known(trade: Trade, who: str, digest: str) -> bool:
    """Whether a procedure has arrived at a node."""
    return digest in {row["digest"] for row in trade.call(who, "get", "/procedures")["items"]}


def has_accepted(trade: Trade, who: str, digest: str, org: str) -> bool:
    """Whether a node knows that an organisation accepted a procedure."""
    return org in {party["org"] for party in trade.call(who, "get", f"/procedures/{digest}")["parties"]}


def shipped(trade: Trade, who: str, code: str) -> Json:
    """A procedure that comes with the node."""
    return next(one for one in trade.call(who, "get", "/procedures/shipped")["items"] if one["code"] == code)


async def scan(page: Page, text: str) -> None:
    """What a hand scanner does: it types into whatever has the focus, and presses Enter."""
    await expect(page.locator("#work input:focus")).to_be_visible()
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")


async def at_station(page: Page, step: str, station: str = "К-3") -> None:
    """Sit down at a station of the line."""
    await page.locator("nav.menu a", has_text="Линия").click()
    await page.locator("select[name=at]").select_option(step)
    await page.locator("#station input[name=station]").fill(station)
    await page.locator("#station input[name=operator]").fill("117")
    await page.get_by_role("button", name="Начать").click()
    await expect(page.locator("#work input[name=text]")).to_be_focused()


async def taken(page: Page, text: str) -> None:
    """Scan a device and see that it is in hand."""
    await scan(page, text)
    await expect(page.locator("#hand")).to_be_visible()


async def sent(page: Page, kind: str, path: Path) -> None:
    """Send a file on the page of imports and see its job come to an end."""
    await page.locator("nav.menu a", has_text="Импорт").click()
    await page.locator(f"input[name=kind][value={kind}]").check()
    await page.locator("input[type=file]").set_input_files(path)
    await page.get_by_role("button", name="Отправить", exact=True).click()
    await expect(page.locator("#job .chip").first).to_have_text("готово")


def bench_file(path: Path, titles: list[str], wrong: str = "") -> Path:
    """What the bench writes about some meters; one of them measures too much."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    runs = []
    for title in titles:
        run = {**RUN, "designation": WATER.designation, "execution": WATER.execution, "serial": serial_of(title)}
        run |= {"protocol_no": f"ПР-{serial_of(title)}", "started_at": now, "finished_at": now, "year": "2026"}
        points = [dict(point) for point in RUN["points"]]
        if title == wrong:
            points[-1]["v_meter"] = 0.11
        runs.append({**run, "points": points})
    path.write_text(json.dumps(runs, ensure_ascii=False))
    return path


def serial_of(title: str) -> str:
    """The serial of a meter, as it stands on its plate."""
    return title.partition(" № ")[2]


async def chosen(page: Page, procedure: str, count: int) -> None:
    """Choose what to open about the devices that are filled in already."""
    await page.locator("select[name=procedure]").select_option(label=procedure)
    await page.get_by_role("button", name="Показать роли").click()
    await expect(page.locator("#what")).to_contain_text(re.compile(f"Выбран[о]? {count} прибор"))


async def typed(page: Page, values: dict[str, str]) -> None:
    """Fill in fields of a protocol's form."""
    for name, value in values.items():
        field = page.locator(f'[name="f{name}"]')
        await (field.select_option(value) if name in CHOSEN else field.fill(value))


async def document_sent(page: Page, folder: Path, raw: bytes) -> None:
    """Do the step at which a process stands with a document that another program wrote."""
    file = folder / "document.json"
    file.write_bytes(raw)
    await page.get_by_text("Документ уже есть").click()
    await page.locator("input[type=file]").set_input_files(file)
    await page.get_by_role("button", name="Шаг выполнен").click()


@pytest.fixture
def made(trade: Trade) -> list[Json]:
    """Two meters of a version with a kit that are to be put together, and the procedure for it."""
    rows = trade.produce(meters(2))
    trade.call("maker", "post", f"/types/{WATER.central}/versions", {**VERSION, "kit": KIT})
    for row in rows:
        trade.call("maker", "post", f"/passports/{row['id']}/type", {"type": WATER.central, "version": "1.0"})
    publish(trade, "maker", shipped(trade, "maker", "production"))
    return rows


async def test_shift_at_the_line_ends_with_packed_meters(
    trade: Trade, made: list[Json], tabs: Tabs, shot: Shot, tmp_path: Path
) -> None:
    """Kits by scanning, a meter that fails on the bench is adjusted and passes, both are verified and packed."""
    good, bad = (row["title"] for row in made)
    page = await entered(tabs, trade.nodes["maker"])
    await page.locator("nav.menu a", has_text="Приборы").click()
    await page.get_by_role("link", name="Открыть процессы по этим приборам").click()
    await chosen(page, "Производство прибора, версия 1", 2)
    await page.locator('[name="role.lab"]').select_option(trade.orgs["maker"])
    await page.get_by_role("button", name="Открыть", exact=True).click()
    await expect(page.locator(".column").first.locator(".ticket")).to_have_count(2)

    await at_station(page, "production/kitting")
    for number, title in enumerate((good, bad), 1):
        await kitted(page, title, number)
    await shots(page, shot, "day1-kitted", languages=())
    await at_station(page, "production/firmware", "П-1")
    for title in (good, bad):
        await taken(page, serial_of(title))
        if title == good:
            await page.keyboard.type("1.0.7")
        await page.keyboard.press("Enter")  # what was typed for the first one stays for the next
        await expect(page.locator(".outcome.fine")).to_contain_text("Проливка")

    await benched(page, shot, tmp_path, good, bad)
    await at_station(page, "production/mark", "М-1")
    for title in (good, bad):
        await scan(page, serial_of(title))
        await expect(page.locator("#sitting li").first).to_contain_text(f"Готово: {title}")
    await page.locator("#sitting li").first.get_by_role("link", name="его процесс").click()
    for number, row in enumerate(reversed(made), 1):
        await expect(page.locator(".stages .now")).to_have_text("Первичная поверка")
        await document_sent(page, tmp_path, verification_document(row["id"], row["title"], number))
        if number == 1:
            await page.locator("#following a.button").click()

    await at_station(page, "production/pack", "У-1")
    for title in (good, bad):
        await taken(page, serial_of(title))
        await scan(page, "КР-9")
        await expect(page.locator(".outcome.fine")).to_contain_text("процесс завершён")
    await page.locator(".outcome.fine a").first.click()
    await expect(page.locator("#moves tbody tr").first).to_contain_text("Коробка: КР-9 Табельный номер")
    await page.locator("#stands").get_by_role("link", name="БВ-15Д").click()
    await page.get_by_role("link", name="Ведомость операций").click()
    await expect(page.locator("#ledger tbody tr").last).to_contain_text("Упаковка")
    await shots(page, shot, "day1-ledger")


async def kitted(page: Page, title: str, number: int) -> None:
    """Put a meter together by scanning: a part of another kit is refused, the meter scanned once more is done."""
    await taken(page, serial_of(title))
    await scan(page, "СЭ-9999 № 1")
    await expect(page.locator(".outcome.refused .shout")).to_have_text("Этой детали нет в комплекте")
    await scan(page, f"СЭ-2726 № 26-{number}")
    await expect(page.locator(".kit .there")).to_have_count(1)
    await scan(page, f"Батарея ER14505 № {number}")
    await expect(page.locator(".kit .there")).to_have_count(2)
    await scan(page, serial_of(title))
    await expect(page.locator(".outcome.fine .shout")).to_contain_text(title)


async def benched(page: Page, shot: Shot, folder: Path, good: str, bad: str) -> None:
    """The bench measures two meters; the one that is out of its limits is sent back, adjusted and measured again."""
    await at_station(page, "production/flow_bench", "УП-1")
    await page.get_by_role("link", name="Импортировать файл стенда").click()
    await sent(page, "bench", bench_file(folder / "утро.json", [good, bad], wrong=bad))
    await expect(page.locator("#job .tally .bad")).to_have_text("1 прибор вне допуска")
    await shots(page, shot, "day1-benched", languages=())
    await page.get_by_role("link", name="Шаги, которые ждут нас").click()
    await expect(page.locator("#list tbody tr", has_text=bad)).to_contain_text("Регулировка")
    await expect(page.locator("#list tbody tr", has_text=good)).to_contain_text("Маркировка")
    await at_station(page, "production/adjust", "Р-1")
    await scan(page, serial_of(bad))
    await expect(page.locator(".outcome.fine")).to_contain_text("Проливка")
    await sent(page, "bench", bench_file(folder / "день.json", [bad]))


@pytest.fixture
def verifying(trade: Trade) -> None:
    """The procedure of a verification, accepted by the lab."""
    publish(trade, "maker", shipped(trade, "maker", "verification"), "lab")


async def test_day_of_a_lab_ends_with_the_arshin_file(
    trade: Trade, verifying: None, tabs: Tabs, shot: Shot, tmp_path: Path
) -> None:
    """Forty meters are ordered, taken in by scanning, verified by one form and a bench file; one is annulled."""
    rows = meters(COUNT, seed=2)
    serials = [row[SERIAL_AT] for row in rows]
    owner = await entered(tabs, trade.nodes["maker"])
    (tmp_path / "партия.csv").write_bytes(write_csv(HEADER, rows))
    await ordered(owner, shot, tmp_path / "партия.csv", trade.orgs["lab"])
    page = await entered(tabs, trade.nodes["lab"])
    await taken_in(page, shot, serials)
    titles = [f"{WATER.designation} № {serial}" for serial in serials]
    await sent(page, "bench", bench_file(tmp_path / "установка.json", titles, wrong=titles[UNFIT]))
    await page.get_by_role("link", name="Шаги, которые ждут нас").click()
    await expect(page.locator("#list tbody tr")).to_have_count(COUNT)
    await page.locator("#list tbody tr a").first.click()
    await page.get_by_role("button", name="Заполнить протокол").click()
    await shots(page, shot, "day2-form")
    await page.get_by_role("link", name="Подписать на все").click()
    await typed(page, HEAD)
    await page.get_by_role("button", name=f"Подписать на все {COUNT}").click()
    await expect(page.locator("#job .tally .good")).to_have_text(f"{COUNT} протоколов подписано")
    await expect(page.locator("#job .tally .bad")).to_have_text("1 прибор вне допуска")
    await shots(page, shot, "day2-verified")

    await page.get_by_role("link", name="К файлу «Аршин»").click()
    await page.get_by_role("button", name="Составить файл новых поверок").click()
    async with page.expect_download() as coming:
        await page.locator("#arshin").get_by_role("link", name="Скачать").click()
    await (await coming.value).save_as(tmp_path / "arshin.xml")
    raw = (tmp_path / "arshin.xml").read_bytes()
    check_application(raw)
    results = etree.fromstring(raw).findall("{*}result")
    assert len(results) == COUNT
    assert [one.find("{*}inapplicable") is not None for one in results].count(True) == 1

    await annulled(page, shot, serials[ANNULLED])
    for tab in (page, owner):
        await tab.locator("nav.menu a", has_text="Приборы").click()
        await tab.locator("input[name=q]").fill(serials[ANNULLED])
        await tab.locator("input[name=q]").press("Enter")
        await tab.locator("table tbody tr a", has_text=serials[ANNULLED]).click()
        await expect(tab.locator("#timeline")).to_contain_text("результат поверки аннулирован")
        await expect(tab.locator("#protocols .gone")).to_contain_text("перепутан эталон")
    await shots(owner, shot, "day2-annulled", languages=())
    await page.locator("nav.menu a", has_text="Процессы").click()
    await expect(page.locator("#list tbody tr")).to_contain_text("Поверка на установке")  # it is to be verified anew


async def ordered(page: Page, shot: Shot, file: Path, lab: str) -> None:
    """The owner brings its meters in and orders their verification from what the import brought."""
    await sent(page, "production", file)
    await page.get_by_role("link", name="Открыть процессы по этим приборам").click()
    await chosen(page, "Поверка, версия 1", COUNT)
    await page.locator("[name=number]").fill("З-40")
    await page.locator('[name="role.lab"]').select_option(lab)
    await page.get_by_role("button", name="Открыть", exact=True).click()
    await expect(page.locator(".column").first.locator(".ticket").first).to_be_visible()


async def taken_in(page: Page, shot: Shot, serials: list[str]) -> None:
    """The lab takes meters in: what it says of the first one's seals holds for all that are scanned after it."""
    await at_station(page, "verification/remove_or_onsite", "Приём")
    await expect(page.locator("#waiting")).to_have_text(str(COUNT))
    await taken(page, serials[0])
    await page.get_by_label("То же для каждого следующего прибора").check()
    await page.get_by_label("Состояние пломб").focus()
    await page.keyboard.type("целы")
    await shots(page, shot, "day2-intake", languages=())
    await page.keyboard.press("Enter")
    await expect(page.locator(".outcome.fine .shout")).to_contain_text(serials[0])
    for serial in serials[1:]:
        await scan(page, serial)
    await expect(page.locator(".outcome.fine")).to_have_count(COUNT, timeout=LONG_MS)
    await expect(page.locator("#waiting")).to_have_text("0")


async def annulled(page: Page, shot: Shot, serial: str) -> None:
    """Take a result back on the page of exchanges."""
    row = page.locator("#results tbody tr", has_text=serial)
    await row.locator("summary").click()
    await row.get_by_label("Почему результат аннулируется").fill("перепутан эталон")
    await row.get_by_role("button", name="Аннулировать", exact=True).click()
    await expect(row).to_have_count(0)


@pytest.fixture
def broken(trade: Trade) -> Json:
    """A meter that the utility bought, and a procedure of repair that the service firm accepted."""
    serial = meters(1, seed=3)[0][SERIAL_AT]
    row = next(one for one in trade.produce(meters(1, seed=3)) if one["title"].endswith(serial))
    sold = {"buyer": trade.orgs["utility"], "number": "ТТН-1", "devices": [row["id"]]}
    shipment = trade.call("maker", "post", "/shipments", sold)["id"]
    trade.until("the offer", lambda: trade.call("utility", "get", "/shipments")["items"])
    trade.call("utility", "post", f"/shipments/{shipment}/acceptance")
    trade.until("the passport", lambda: trade.call("utility", "get", "/passports")["items"])
    publish(trade, "utility", with_act(shipped(trade, "utility", "repair")), "service")
    return row


async def test_repair_is_ordered_done_elsewhere_and_seen_by_the_owner(
    trade: Trade, broken: Json, tabs: Tabs, shot: Shot, tmp_path: Path
) -> None:
    """The request is in the firm's queue, its act is filled in and signed by both, the owner's passport shows it."""
    owner = await entered(tabs, trade.nodes["utility"])
    await owner.locator("nav.menu a", has_text="Приборы").click()
    await owner.locator("table tbody tr a", has_text=broken["title"]).click()
    await owner.get_by_role("link", name="Открыть процесс").click()
    await chosen(owner, "Ремонт, версия 2", 1)
    await owner.locator("[name=number]").fill("Р-12")
    await owner.locator("[name=about]").fill("не передаёт показания")
    for role in ("workshop", "lab"):
        await owner.locator(f'[name="role.{role}"]').select_option(trade.orgs["service"])
    await owner.get_by_role("button", name="Открыть", exact=True).click()
    await expect(owner.locator(".stages .now")).to_have_text("Диагностика")

    page = await entered(tabs, trade.nodes["service"])
    await page.locator("nav.menu a", has_text="Процессы").click()
    await page.locator("#list tbody tr", has_text="Р-12").get_by_role("link", name="Ремонт").click()
    await mended(page, shot, trade.orgs["utility"])
    await document_sent(page, tmp_path, verified_today(broken))
    await expect(page.locator(".stages .now")).to_have_text("Возврат владельцу")
    await shots(page, shot, "day3-handed-back", languages=())

    await expect(owner.locator(".stages .now")).to_have_text("Возврат владельцу")  # by the stream
    await owner.locator("nav.menu a", has_text="Акты").click()
    await owner.get_by_role("link", name="Открыть акт").click()
    await shot(owner, "day3-act")
    await owner.get_by_role("button", name="Подписать этот акт").click()
    await expect(owner.locator(".stamp.good")).to_contain_text("подписали все стороны")
    await expect(owner.locator("#sides")).to_contain_text("ООО «Сервис-Демо» подписал")
    await expect(owner.locator("#sides")).to_contain_text("МУП «Водоканал-Демо» подписал")
    await owner.get_by_role("link", name="К паспорту").click()
    await owner.locator("#processes").get_by_role("link", name="Ремонт").click()
    await owner.get_by_role("button", name="Шаг выполнен").click()
    await expect(owner.locator("h1 + .chip")).to_have_text("завершён")
    for name in ("МУП «Водоканал-Демо»", "ООО «Сервис-Демо»"):
        await expect(owner.locator("#moves tbody")).to_contain_text(name)
    await shots(owner, shot, "day3-done", languages=())
    await owner.locator("#stands").get_by_role("link", name="БВ-15Д").click()
    await expect(owner.locator("h1 + .chip")).not_to_contain_text("не допущен")
    await expect(owner.locator("#composition")).to_contain_text("26-9")
    await expect(owner.locator("#protocols")).to_contain_text("Акт ремонта")
    await shots(owner, shot, "day3-passport", languages=())
    await expect(page.locator("h1 + .chip")).to_have_text("завершён")  # the firm sees that it was taken back


async def mended(page: Page, shot: Shot, customer: str) -> None:
    """The firm diagnoses, replaces a board, and fills in its act with the seals."""
    await page.get_by_label("Неисправность").fill("не передаёт: плата")
    await page.get_by_label("Ремонтопригоден").check()
    await page.get_by_role("button", name="Шаг выполнен").click()
    await expect(page.locator(".stages .now")).to_have_text("Замена деталей")
    part = {"position": "плата", "designation": "СЭ-2726", "removed_serial": "22-1", "serial": "26-9"}
    for name, value in part.items():
        await page.locator(f'[name="parts.0.{name}"]').fill(value)
    await shots(page, shot, "day3-parts", languages=())
    await page.get_by_role("button", name="Заполнить протокол").click()
    await page.locator('[name="f/customer/org"]').select_option(customer)
    await typed(page, ACT)
    await shots(page, shot, "day3-form", languages=())
    await page.get_by_role("button", name="Подписать и выполнить шаг").click()
    await expect(page.locator(".stages .now")).to_have_text("Поверка после ремонта")


def verified_today(row: Json) -> bytes:
    """A verification of today: after the repair."""
    day = datetime.now(UTC).date()
    last = date.fromordinal(day.replace(year=day.year + 6).toordinal() - 1)
    raw = verification_document(row["id"], row["title"], 1).decode()
    return raw.replace("2026-11-02", day.isoformat()).replace("2032-11-01", last.isoformat()).encode()
