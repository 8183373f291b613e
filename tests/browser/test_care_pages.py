"""Pages by which a node is looked after, in Chromium: who sees what and why, the inbox, backups, keys, a restore."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from federation.peer import PeerAddress
from node.demo.processes import NodeProcess, free_ports
from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, entered, shots
from tests.builders import found, id16, signing_key
from tests.nodes import ALONE
from tests.trade import Trade
from tests.unit.web.running import PASSWORD, RunningWeb

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]
LATE_MS = 30_000
WORDS = "двенадцать знаков и ещё"
NAME = "Петрова Анна Сергеевна"


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A utility with one meter in its federation, and a maker that joined it."""
    running = Trade(tmp_path_factory.mktemp("care"))
    try:
        for name in ("utility", "maker"):
            running.start(name, **ALONE, PASSPORT_FEDERATION__POLL_S="1")
        running.call("utility", "post", "/federation", {"name": "Демо-федерация"})
        text = running.call("utility", "post", "/invitations")["text"]
        running.call("maker", "post", "/federation/join", {"invitation": text})
        running.devices = [running.call("utility", "post", "/plates", {"text": "СГВ-15 № 0012345"})["id"]]
        running.until("the maker's card", lambda: len(running.call("utility", "get", "/organisations")["items"]) > 1)
        yield running
    finally:
        for node in running.nodes.values():
            node.stop()


async def test_why_somebody_does_not_see_a_passport_is_asked_and_answered(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """Without a right the tab says so and whom to ask; after the grant on the same tab it says by which right."""
    page = await entered(tabs, trade.nodes["utility"])
    await page.get_by_role("button", name="RU", exact=True).click()
    address = f"{trade.address('utility')}/devices/{trade.devices[0]}/access"
    await page.goto(address)
    await page.locator("#why select[name=org]").select_option(trade.orgs["maker"])
    await page.get_by_role("button", name="Объяснить").click()
    await expect(page.locator("#answer")).to_contain_text("права на этот паспорт нет")
    await expect(page.locator("#answer")).to_contain_text("Открыть может: мы")
    await shots(page, shot, "access-why-not", languages=())

    await page.get_by_role("button", name="RU", exact=True).click()
    form = page.locator("form[action$='/access/grants']").first
    await form.locator("select[name=org]").select_option(trade.orgs["maker"])
    await form.locator("input[name=classes][value='2']").check()
    await form.get_by_role("button", name="Подписать разрешение").click()
    await page.locator("#why select[name=org]").select_option(trade.orgs["maker"])
    await page.get_by_role("button", name="Объяснить").click()
    await expect(page.locator("#answer")).to_contain_text("разрешение")
    await shots(page, shot, "access-why")


async def test_personal_data_is_erased_from_the_passport_and_the_page_tells_who_did_it(
    trade: Trade, tabs: Tabs, shot: Shot
) -> None:
    """From the statement's link over the preview, where one has to be sure, to the other node's acknowledgement."""
    device, call = trade.devices[0], trade.call
    resident = {"resident": True, "name": NAME, "document": "договор 5", "role": "responsible", "ids": [device]}
    await asyncio.to_thread(call, "utility", "post", "/mandates/statements", resident)
    grant = {"org": trade.orgs["maker"], "verb": "read", "ids": [device], "classes": [2, 4]}
    await asyncio.to_thread(call, "utility", "post", "/grants", grant)
    said = (await asyncio.to_thread(call, "utility", "get", f"/passports/{device}"))["view"]["statements"]
    (ref,) = [row["ref"] for row in said if any(part["name"] == "person" for part in row["sections"])]

    def is_given() -> bool:
        return bool(call("utility", "get", f"/statements/{ref}/erasable")["sections"][0]["given"])

    await asyncio.to_thread(trade.until, "the maker has it", is_given)
    page = await entered(tabs, trade.nodes["utility"])
    await page.get_by_role("button", name="RU", exact=True).click()
    await page.goto(f"{trade.address('utility')}/devices/{device}")
    await page.locator("#provenance summary").click()
    await page.get_by_role("link", name="Стереть…").click()
    await expect(page.locator("#erase")).to_contain_text("имя жителя")
    await shots(page, shot, "erasure-new")
    await page.locator("input[name=sections]").check()
    await page.locator("select[name=ground]").select_option("consent")
    await page.locator("input[name=sure]").check()
    await page.get_by_role("button", name="Стереть навсегда").click()

    await expect(page.locator("#erasure-1")).to_contain_text("стёрто")

    def is_acknowledged() -> bool:
        (one,) = call("utility", "get", "/erasures")["items"]
        return bool(one["rows"][0]["acknowledged"]) and not one["rows"][0]["waiting"]

    await asyncio.to_thread(trade.until, "the maker acknowledges", is_acknowledged)
    await page.reload()
    await expect(page.locator("#erasure-1")).to_contain_text("подтвердили")
    await shots(page, shot, "erasures")
    await page.goto(f"{trade.address('utility')}/devices/{device}")
    await page.locator("#provenance summary").click()
    await expect(page.locator("#provenance")).to_contain_text("согласие отозвано")


async def test_inbox_adds_ignores_and_dismisses(web: RunningWeb, tabs: Tabs, shot: Shot) -> None:
    """Three strangers: one is talked to, one stays ignored, one is forgotten."""
    for name in ("one", "two", "three"):
        line = found(f"{name}-0", f"{name}-1").node(name)
        await web.ingest.take_chain(line.statements)
        peer = PeerAddress(f"https://{name}.example:8441", id16(name), signing_key(name).public, bytes(32))
        await web.context.peering.meet(peer, line.org, active=False, how="card")
    page = await tabs.open(f"{web.url}/claim/{await web.context.access.open_claim()}")
    await page.locator("input[name=name]").fill("anna")
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("main button.primary").click()
    await page.goto(f"{web.url}/peers")
    await shots(page, shot, "peers-inbox-three")
    rows = page.locator("#inbox tbody tr")
    await expect(rows).to_have_count(3)

    for name, act in (("one", "Добавить"), ("two", "Скрыть"), ("three", "Убрать")):
        await rows.filter(has_text=f"{name}.example").get_by_role("button", name=act).click()
    await expect(page.locator("#inbox")).to_have_count(0)
    await expect(page.locator("#nodes tbody tr")).to_contain_text("one.example")
    await page.locator("#ignored summary").click()
    await expect(page.locator("#ignored tbody tr")).to_contain_text("two.example")
    await expect(page.locator("main")).not_to_contain_text("three.example")


async def test_backup_is_made_checked_drilled_and_restored_on_a_new_nodes_first_page(
    trade: Trade, tabs: Tabs, shot: Shot, tmp_path: Path
) -> None:
    """Four presses on the page, each with its end on the open page; the file makes the same node out of a new one."""
    tabs.expect("ERR_|404|htmx")
    page = await entered(tabs, trade.nodes["utility"])
    await page.get_by_role("button", name="RU", exact=True).click()
    await page.goto(f"{trade.address('utility')}/backups")
    await expect(page.locator("#health")).to_contain_text("Исправной резервной копии нет")
    await page.locator("input[name=passphrase]").fill(WORDS)
    await page.get_by_role("button", name="Сделать копию").click()
    row = page.locator("#files tbody tr")
    await expect(row).to_contain_text("исправна", timeout=LATE_MS)
    await row.get_by_role("button", name="Проверить").click()
    await expect(page.locator(".card.job")).to_have_count(0, timeout=LATE_MS)
    await page.get_by_role("button", name="Пробное восстановление").click()
    await expect(page.locator("#drill")).to_contain_text("восстановлена, цела", timeout=LATE_MS)
    await shots(page, shot, "backups")
    (file,) = [item["name"] for item in (await asyncio.to_thread(trade.call, "utility", "get", "/backups"))["items"]]

    new = NodeProcess("new", tmp_path / "new", environment=ALONE)
    await asyncio.to_thread(lambda: new.init(name="Новый", web_port=str(free_ports(1)[0])))
    await asyncio.to_thread(new.start)
    try:
        first = await tabs.open(str(new.addresses["claim"]))
        await first.get_by_role("link", name="Восстановить из резервной копии").click()
        await shots(first, shot, "restore")
        await first.locator("input[name=passphrase]").fill(WORDS)
        await first.locator("input[name=file]").set_input_files(trade.nodes["utility"].folder / "backups" / file)
        await first.locator("main button.primary").click()
        await first.wait_for_url("**/login*", timeout=LATE_MS)
        await first.locator("input[name=name]").fill("anna")
        await first.locator("input[name=password]").fill(PASSWORD)
        await first.locator("main button.primary").click()
        await expect(first.locator("h1")).to_have_text("МУП «Водоканал-Демо»")
        await first.goto(f"{new.addresses['console']}/keys")
        await expect(first.locator("#logs tbody tr").first).to_contain_text("из резервной копии")
    finally:
        await asyncio.to_thread(new.stop)


async def test_organisation_and_keys_stand_on_one_page(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """The chain in words, the pin and the words of the node, and commands that a press copies."""
    page = await entered(tabs, trade.nodes["utility"])
    await page.goto(f"{trade.address('utility')}/keys")
    await expect(page.locator("#this .words")).to_be_visible()
    await shots(page, shot, "keys")
    await expect(page.locator("#root")).to_contain_text("лежит на этой машине")
    await expect(page.locator("#chain tbody tr")).to_have_count(2)
    await page.locator("#rotate summary").click()
    await expect(page.locator("#rotate-lines")).to_contain_text(f"-f {trade.nodes['utility'].folder.resolve()}")


async def test_device_is_followed_and_a_peer_gives_news_of_it_alone(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """A press on the passport follows it, a press at a peer narrows what comes; a pasted id of nothing is named."""
    page = await entered(tabs, trade.nodes["utility"])
    await page.get_by_role("button", name="RU", exact=True).click()
    await page.goto(f"{trade.address('utility')}/peers")
    await page.get_by_role("button", name="Брать только отслеживаемое").click()
    await expect(page.locator("#nodes tbody tr")).to_contain_text("только отслеживаемые: 0")
    await shots(page, shot, "peers-followed")

    await page.goto(f"{trade.address('utility')}/devices/{trade.devices[0]}")
    await expect(page.locator("#not-followed")).to_be_visible()
    await page.get_by_role("button", name="Отслеживать", exact=True).click()
    await expect(page.get_by_role("button", name="Не отслеживать")).to_be_visible()
    await page.goto(f"{trade.address('utility')}/followed")
    await expect(page.locator("#list tbody tr")).to_contain_text("СГВ-15 № 0012345")
    await page.locator("#add summary").click()
    await page.locator("textarea[name=devices]").fill(f"{trade.devices[0]}\nСГВ-15 № 99\n")
    await page.locator("#add button.primary").click()
    await expect(page.locator("#done")).to_contain_text("СГВ-15 № 99")
    await shots(page, shot, "followed")
