"""Finding a device in Chromium: answers come one by one, one press opens what was found, and each refusal says why."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from playwright.async_api import Page, expect

from node.passport.ids import SubjectId, format_device_id
from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, entered, shots
from tests.trade import Trade, trading

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]

OPEN, CLOSED, TWIN, NOWHERE, LAST = "00700001", "00700002", "00700003", "00799999", "00788888"
NOBODYS = format_device_id(SubjectId(bytes(range(16))))
LATE_MS = 30_000
A_DAY = 5  # the three meters, one that nobody has, and a foreign label
PLATE = {"mark": "ДЕМО", "designation": "ВС-15Д", "year": "2025"}


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker that shares two meters of three, a utility that takes what it follows, a lab; each answers five a day."""
    alone = {"PASSPORT_FEDERATION__DISCOVERY": "false", "PASSPORT_FEDERATION__LOOKUPS_DAY": str(A_DAY)}
    with trading(tmp_path_factory.mktemp("find"), "utility", "lab", **alone) as running:
        ids = [running.call("maker", "post", "/plates", PLATE | {"serial": s})["id"] for s in (OPEN, CLOSED, TWIN)]
        node = running.call("maker", "get", "/node")["node"]
        running.call("utility", "post", f"/peers/{node}/choice", {"only_followed": True})
        running.call("maker", "post", "/shares", {"org": running.orgs["utility"], "ids": [ids[0], ids[2]]})
        running.call("utility", "post", "/plates", PLATE | {"serial": TWIN, "designation": "ТС-20"})
        running.devices = ids
        for serial in (OPEN, CLOSED):
            running.until("the maker's list", partial(knows, running, serial))
        yield running


def knows(trade: Trade, serial: str) -> bool:
    """Whether the utility is told by now that the maker has a device."""
    looked = trade.call("utility", "get", "/lookup", q=serial, anew="true")
    return bool(looked["items"]) or any(one["answer"] == "held" for one in looked["asked"])


@contextmanager
def frozen(trade: Trade, name: str) -> Iterator[None]:
    """A node whose connections stand and say nothing."""
    pid = trade.nodes[name].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def look(page: Page, text: str) -> None:
    """Type it and press Enter."""
    await page.locator("main input[type=search]").fill(text)
    await page.locator("main input[type=search]").press("Enter")
    await expect(page.locator("main input[type=search]")).to_have_value(text)


async def test_device_is_found_opened_and_asked_for(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """One press opens what another shares; who keeps one closed is asked; a serial of two makers finds both; who is
    silent is waited for while the others' answers stand there, and who counts too many says so.
    """
    tabs.expect("40[49]|422")
    page = await entered(tabs, trade.nodes["utility"])
    find = f"{trade.address('utility')}/find"

    await page.goto(f"{find}?q={CLOSED}")
    await expect(page.locator("#elsewhere .chip.warn")).to_be_visible()
    await shots(page, shot, "find-closed")
    await page.locator("input[name=words]").fill("стоит у нас в доме")
    await page.get_by_role("button", name="Попросить доступ").click()
    await expect(page.locator("#done")).to_be_visible()

    await look(page, TWIN)
    await expect(page.locator("#found tbody tr")).to_have_count(1)
    await shot(page, "find-here")
    await page.get_by_role("link", name="Это другой прибор: спросить организации").click()
    await expect(page.locator("#found tbody tr")).to_have_count(2)
    await shots(page, shot, "find-twins")
    with frozen(trade, "maker"):
        await page.get_by_role("button", name="Открыть").click()
        await expect(page.locator("h1")).to_have_text("Паспорт в пути")
        await shots(page, shot, "find-coming")
    await expect(page.locator("h1")).to_contain_text(TWIN, timeout=LATE_MS)
    assert page.url.endswith(f"/devices/{trade.devices[2]}")
    await page.goto(find)

    await look(page, OPEN)
    await expect(page.locator("#elsewhere .chip.good")).to_be_visible()
    await shot(page, "find-elsewhere")
    await page.get_by_role("button", name="Открыть").click()
    await expect(page.locator("h1")).to_contain_text(OPEN)
    assert page.url.endswith(f"/devices/{trade.devices[0]}")

    with frozen(trade, "lab"):
        sent = await page.goto(f"{find}?q={NOWHERE}")
        assert sent is not None
        assert '<noscript><meta http-equiv="refresh"' in await sent.text()
        waited = page.locator("#asked li", has_text="Демо-ЦСМ").locator(".chip")
        await expect(waited).to_have_text("ждём ответа…")
        await expect(page.locator("#asked .chip", has_text="не знает")).to_have_count(1)
        await shot(page, "find-under-way")
        await expect(waited).to_have_text("не ответила")
    await shot(page, "find-nowhere")

    await look(page, f"https://other.example/d/{NOBODYS}")
    await expect(page.locator("#elsewhere .empty")).to_be_visible()
    await shot(page, "find-foreign-label")
    await look(page, LAST)
    await expect(page.locator("#asked li", has_text="Завод")).to_contain_text("отказала")
    await shots(page, shot, "find-limit")
    await look(page, NOBODYS[:-1] + ("U" if NOBODYS[-1] != "U" else "V"))
    await expect(page.locator("[role=alert]")).to_be_visible()
    await shot(page, "find-mistyped")


async def test_unknown_scan_leads_to_the_look_up_and_back(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """What is typed where devices are registered and not known goes to the look-up by one press, and back again."""
    page = await entered(tabs, trade.nodes["utility"])
    await page.goto(f"{trade.address('utility')}/register")
    await page.locator("input[name=text]").fill(f"ВС-15Д № {NOWHERE}")
    await page.locator("#hints").get_by_role("link", name="Искать у других организаций").click()
    await expect(page.locator("main input[type=search]")).to_have_value(f"ВС-15Д № {NOWHERE}")
    await expect(page.locator("#elsewhere .empty")).to_be_visible()
    await page.get_by_role("link", name="Завести паспорт здесь").click()
    await expect(page.locator("input[name=text]")).to_have_value(f"ВС-15Д № {NOWHERE}")
