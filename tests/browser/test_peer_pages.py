"""The peers page in Chromium: founding, inviting and joining, the inbox, and how level the nodes are."""

import asyncio
from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, entered, shots
from tests.trade import Trade

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]
LATE_MS = 30_000
# The stranger alone is heard: nodes of other tests on this machine are not of these pages.
SILENT = {"PASSPORT_FEDERATION__DISCOVERY": "false"}


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """Three nodes that know nothing of each other."""
    running = Trade(tmp_path_factory.mktemp("peers"))
    try:
        for name in ("utility", "maker"):
            running.start(name, **SILENT, PASSPORT_FEDERATION__POLL_S="1")
        yield running
    finally:
        for node in running.nodes.values():
            node.stop()


def join(trade: Trade) -> None:
    """Let the maker join the utility's federation where it did not yet."""
    if not trade.call("maker", "get", "/peers")["items"]:
        trade.call("utility", "post", "/federation", {"name": "Демо-федерация"})
        text = trade.call("utility", "post", "/invitations")["text"]
        trade.call("maker", "post", "/federation/join", {"invitation": text})


async def test_federation_is_founded_and_joined_by_the_text_on_the_page(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """One side founds and invites, the other pastes the text; both pages show the other as level, by the stream."""
    utility, maker = trade.address("utility"), trade.address("maker")
    first = await entered(tabs, trade.nodes["utility"])
    await first.goto(f"{utility}/peers")
    await shots(first, shot, "peers-alone", languages=("ru",))
    await first.locator("input[name=name]").fill("Демо-федерация")
    await first.get_by_role("button", name="Основать").click()
    await expect(first.locator("#federation h2")).to_have_text("Демо-федерация")
    await first.get_by_role("button", name="Пригласить узел").click()
    text = await first.locator("#invitation-text").inner_text()
    words = await first.locator("#words").inner_text()
    assert text.startswith("PASSPORT1-")
    assert len(words.split()) == 8
    await expect(first.locator(".qr svg path")).to_be_attached()
    await shots(first, shot, "peers-invitation", languages=())

    second = await entered(tabs, trade.nodes["maker"])
    await second.goto(f"{maker}/peers")
    await expect(second.locator("#nodes .empty")).to_be_visible()
    await second.locator("textarea[name=invitation]").fill(text)
    await second.get_by_role("button", name="Прочитать приглашение").click()
    await expect(second.locator("#read .words")).to_have_text(words)
    await expect(second.locator("#read")).to_contain_text("Демо-федерация")
    await shots(second, shot, "peers-words", languages=())
    await second.get_by_role("button", name="Вступить").click()

    await expect(second.locator("#federation h2")).to_have_text("Демо-федерация")
    for page, name in ((first, "Завод Приборучёт-Демо"), (second, "Водоканал-Демо")):
        row = page.locator("#nodes tbody tr")
        await expect(row).to_contain_text(name, timeout=LATE_MS)
        await expect(row.locator("[data-label=Журналы] .chip.good")).to_have_text("вровень", timeout=LATE_MS)
        await expect(row).to_contain_text("на связи", timeout=LATE_MS)
    org = trade.orgs["maker"]
    await asyncio.to_thread(trade.call, "utility", "post", "/attestations", {"org": org, "what": "maker", "rows": []})
    await first.goto(f"{utility}/peers")
    await expect(first.locator("#nodes tbody tr")).to_contain_text("изготовитель")
    await shots(first, shot, "peers")


async def test_spent_and_broken_invitations_are_refused_in_words(trade: Trade, tabs: Tabs) -> None:
    """A text that is no invitation is refused, and stays in the form."""
    tabs.expect("422")
    await asyncio.to_thread(join, trade)
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.address('maker')}/peers")
    await page.locator("summary", has_text="Вступить по приглашению").click()
    await page.locator("textarea[name=invitation]").fill("PASSPORT1-nothing")
    await page.get_by_role("button", name="Прочитать приглашение").click()

    await expect(page.get_by_role("alert")).to_contain_text("Приглашение не принято")
    await expect(page.locator("textarea[name=invitation]")).to_have_value("PASSPORT1-nothing")


async def test_member_is_attested_and_expelled_on_the_page_of_members(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """The anchor signs a number with a form and expels with a reason; both pages tell the standing, in words."""
    tabs.expect("422")
    await asyncio.to_thread(join, trade)
    org = trade.orgs["maker"]
    page = await entered(tabs, trade.nodes["utility"])
    await page.get_by_role("button", name="RU", exact=True).click()
    await page.goto(f"{trade.address('utility')}/members")
    row = page.locator("#members tbody tr", has_text="Завод Приборучёт-Демо")
    await expect(row).to_contain_text("гость")
    form = page.locator("#attest form")
    await form.locator("select[name=org]").select_option(org)
    await form.locator("textarea[name=rows]").fill("inn:1234567890")
    await form.get_by_role("button", name="Подписать").click()
    await expect(page.get_by_role("alert")).to_contain_text("В номере организации ошибка")
    await expect(form.locator("textarea[name=rows]")).to_have_value("inn:1234567890")
    await form.locator("textarea[name=rows]").fill("inn:0000000018")
    await form.get_by_role("button", name="Подписать").click()
    await expect(row).to_contain_text("участник")
    await expect(row).to_contain_text("ИНН 0000000018")
    await shots(page, shot, "members")

    await row.locator("summary", has_text="Исключить").click()
    await row.locator("input[name=reason]").fill("чужой ИНН")
    await row.get_by_role("button", name="Исключить сейчас").click()
    await expect(row).to_contain_text("исключена")
    await expect(row).to_contain_text("чужой ИНН")
    await shots(page, shot, "members-expelled", languages=())
    await page.goto(f"{trade.address('utility')}/peers")
    await expect(page.locator("#out")).to_contain_text("исключена")

    other = await entered(tabs, trade.nodes["maker"])
    await other.goto(f"{trade.address('maker')}/peers")
    await expect(other.locator("#nodes .chip.bad")).to_have_text("наша организация исключена из федерации")
    again = {"org": org, "what": "number", "rows": ["inn:0000000018"]}
    await asyncio.to_thread(trade.call, "utility", "post", "/attestations", again)
    await expect(other.locator("#nodes .chip.bad")).to_have_count(0, timeout=LATE_MS)


async def test_peer_that_is_away_shows_its_trouble_and_comes_back_level(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """While a node is down the open page says so and counts what it has to take; when it is back they are level."""
    await asyncio.to_thread(join, trade)
    page = await entered(tabs, trade.nodes["utility"])
    await page.goto(f"{trade.address('utility')}/peers")
    row = page.locator("#nodes tbody tr").first
    await expect(row).to_contain_text("вровень")
    federation_port = trade.nodes["maker"].addresses["federation"].rpartition(":")[2]

    await asyncio.to_thread(trade.nodes["maker"].stop)
    await asyncio.to_thread(trade.call, "utility", "post", "/plates", {"text": "СГВ-15 № 0012345"})
    await expect(row.locator(".chip.bad")).to_have_text("не отвечает", timeout=LATE_MS)
    await expect(row.locator(".chip.warn")).to_have_text("им взять 1 запись", timeout=LATE_MS)
    await shots(page, shot, "peers-away")
    settings = {"PASSPORT_FEDERATION__PORT": federation_port}
    await asyncio.to_thread(trade.nodes["maker"].start, settings)

    await expect(row.locator(".chip.bad")).to_have_count(0, timeout=LATE_MS)
    await expect(row).to_contain_text("вровень", timeout=LATE_MS)


async def test_bundle_is_made_on_one_page_and_taken_on_the_other(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """What is open stays open while the page follows the stream; a file that is no bundle is refused in words."""
    tabs.expect("422")
    await asyncio.to_thread(join, trade)
    first, second = await entered(tabs, trade.nodes["utility"]), await entered(tabs, trade.nodes["maker"])
    await first.goto(f"{trade.address('utility')}/peers")
    row = first.locator("#nodes tbody tr", has_text="Завод Приборучёт-Демо")
    await row.locator("summary", has_text="Пакет").click()
    await first.evaluate("document.querySelector('#nodes').dataset.before = 'yes'")
    await asyncio.to_thread(trade.call, "utility", "post", "/plates", {"text": "СГВ-15 № 0012346"})
    await expect(first.locator("#nodes[data-before]")).to_have_count(0, timeout=LATE_MS)
    async with first.expect_download() as saving:
        await row.get_by_role("button", name="Сделать").click()
    file = await (await saving.value).path()

    await second.goto(f"{trade.address('maker')}/peers")
    await second.locator("summary", has_text="Принять пакет").click()
    chosen, take = second.locator("input[type=file]"), second.get_by_role("button", name="Взять", exact=True)
    await chosen.set_input_files({"name": "акт.docx", "mimeType": "application/octet-stream", "buffer": b"PK" * 50})
    await take.click()
    await expect(second.get_by_role("alert")).to_contain_text("Пакет повреждён")
    await second.locator("summary", has_text="Принять пакет").click()
    await chosen.set_input_files({"name": "a.bundle", "mimeType": "", "buffer": file.read_bytes()})
    await take.click()
    await expect(second.locator("#taken")).to_contain_text("Пакет от МУП «Водоканал-Демо», сделанный")
    await expect(second.locator("#taken .chip.bad")).to_have_count(0)
    await shots(second, shot, "peers-bundle", languages=())


async def test_node_heard_by_mdns_waits_in_the_inbox(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """A stranger on the local network appears by itself, is ignored with one press and added with another."""
    listener = await asyncio.to_thread(trade.start, "lab")
    stranger = await asyncio.to_thread(trade.start, "service-firm")
    node = (await asyncio.to_thread(trade.call, "service-firm", "get", "/node"))["node"]
    page = await entered(tabs, listener)
    await page.goto(f"{trade.address('lab')}/peers")

    row = page.locator("#inbox tbody tr", has_text=node[:8])
    await expect(row).to_be_visible(timeout=LATE_MS)
    await expect(row).to_contain_text(str(stranger.addresses["federation"]).removeprefix("https://"))
    await shots(page, shot, "peers-inbox")
    await page.goto(trade.address("lab"))
    await expect(page.locator(".attention")).to_contain_text("Узлы ждут вашего решения")
    await page.locator(".attention a", has_text="Узлы").click()
    await row.get_by_role("button", name="Скрыть").click()
    await expect(row).to_have_count(0)
    await page.locator("#ignored summary").click()
    await page.locator("#ignored tbody tr", has_text=node[:8]).get_by_role("button", name="Добавить").click()
    await expect(page.locator("#nodes tbody tr", has_text=node[:8])).to_be_visible()


async def test_company_is_one_on_its_page_whatever_it_is_called(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """A spelling that a clerk adds by ИНН joins the member of that number, is found, and can be taken back."""
    tabs.expect("422")
    await asyncio.to_thread(join, trade)
    await asyncio.to_thread(
        trade.until, "both companies", lambda: len(trade.call("utility", "get", "/organisations")["items"]) > 1
    )
    companies = await asyncio.to_thread(trade.call, "utility", "get", "/organisations")
    (other,) = [one for one in companies["items"] if one["org"] == trade.orgs["maker"]]
    page = await entered(tabs, trade.nodes["utility"])
    await page.get_by_role("button", name="RU", exact=True).click()
    await page.goto(f"{trade.address('utility')}/organisations")
    add = page.locator("form[action='/organisations/names']")

    await add.locator("input[name=name]").fill("Приборучёт (по договору 7)")
    await add.locator("input[name=inn]").fill(other["inn"])
    await add.locator("button").click()
    row = page.locator("table.rows").first.locator("tbody tr", has_text=other["inn"])
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text("Приборучёт (по договору 7)")
    await shots(page, shot, "organisations")
    await page.locator("input[name=q]").fill("по договору 7")
    await page.locator("form.search button").click()
    await expect(page.locator("table.rows").first.locator("tbody tr")).to_have_count(1)
    await page.locator("input[name=q]").fill("нет такой")
    await page.locator("form.search button").click()
    await expect(page.locator("main")).to_contain_text("Организации с таким названием или номером нет")
    await shots(page, shot, "organisations-none", languages=("ru",))

    await page.goto(f"{trade.address('utility')}/organisations")
    await add.locator("input[name=name]").fill("Описка")
    await add.locator("input[name=inn]").fill("1234567890")
    await add.locator("button").click()
    await expect(page.locator("main")).to_contain_text("Это не ИНН")
    await shots(page, shot, "organisations-refused", languages=())

    await page.get_by_role("link", name="Назад").click()
    await page.locator("#named").get_by_role("button", name="Забыть").click()
    await expect(page.locator("main")).not_to_contain_text("по договору 7")
