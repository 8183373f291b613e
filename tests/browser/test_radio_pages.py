"""The radio pages in Chromium: a meter is put on the air with one press, and its first reading appears by itself."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from node.demo.processes import NodeProcess
from tests.browser.conftest import DESKTOP, PHONE, Tabs
from tests.browser.doors import entered, fits
from tests.networks import ENERGY, WATER, Network, energy, now, running_network, water
from tests.published import folder
from tests.unit.web.running import PASSWORD

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]
Shot = Callable[[Page, str], Awaitable[None]]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """A maker that runs a network for its own meters."""
    with running_network(tmp_path_factory.mktemp("radio-pages"), 11) as running:
        yield running


async def test_meter_is_put_on_the_air_and_read_on_the_page(network: Network, tabs: Tabs, shot: Shot) -> None:
    """One press commissions; the join, the comparison, the reading and its plot come by the stream alone."""
    row = network.row(WATER.designation)
    passport = await asyncio.to_thread(network.passport_of, row)
    page = await tabs.open(str(network.node.addresses["claim"]), DESKTOP)
    await page.locator("input[name=name]").fill("anna")
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("main button.primary").click()
    await expect(page.locator("nav.menu")).to_be_visible()
    await page.goto(f"{network.node.addresses['console']}/devices/{passport}")
    await page.get_by_role("button", name="Подключить к сети").click()
    await expect(page.locator("#radio")).to_contain_text("поднесите магнит")
    await expect(page.locator(".live.is-live")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    meter = await asyncio.to_thread(network.meter, row)
    await asyncio.to_thread(meter.join)
    for hours, volume in enumerate(("12.3456", "12.4001", "12.5210")):
        await asyncio.to_thread(meter.send, 2, water(volume, now() - timedelta(hours=3 - hours)))

    await expect(page.locator("#radio")).to_contain_text("зарегистрирован")
    await expect(page.locator("#readings")).to_contain_text("12.5210 м³")
    await expect(page.locator("#readings .plot .uplot").first).to_be_visible()
    await expect(page.locator("#comparison tr")).to_have_count(9)
    assert asked == []
    await shot(page, "passport-radio-ru")
    await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    await shot(page, "passport-radio-ru-phone")
    await fits(page, PHONE[0])

    await page.get_by_role("link", name="Все показания").click()
    await expect(page.locator("#values tbody tr")).to_have_count(3)
    await expect(page.locator("#what .plot .uplot")).to_be_visible()
    await fits(page, PHONE[0])
    await shot(page, "readings-ru-phone")
    await page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    await page.get_by_role("button", name="EN", exact=True).click()
    await page.get_by_role("link", name="Year", exact=True).click()
    await expect(page.locator("#values tbody tr").first).to_contain_text("12.5210")
    await shot(page, "readings-en")


@pytest.mark.req("A51")
async def test_identifier_of_the_application_stands_under_both_its_names(network: Network, tabs: Tabs) -> None:
    """The passport's page, the comparison with the meter and the API name one value JoinEUI and AppEUI."""
    row = network.row(WATER.designation, 8)
    value = row["JoinEUI"].lower()
    device = await asyncio.to_thread(network.commission, row)
    meter = await asyncio.to_thread(network.meter, row)
    await asyncio.to_thread(meter.join)
    await asyncio.to_thread(network.until, lambda: network.device(row)["rows"])
    passport = await asyncio.to_thread(network.passport_of, row)
    page = await entered(tabs, network.node)

    assert (device["join_eui"], device["app_eui"]) == (value, value)
    for language in ("EN", "RU"):
        await page.goto(f"{network.node.addresses['console']}/devices/{passport}")
        await page.get_by_role("button", name=language, exact=True).click()
        await expect(page.locator("html")).to_have_attribute("lang", language.lower())
        for place in ("#radio-facts", "#comparison"):
            line = page.locator(f"{place} tr", has_text=value)
            await expect(line).to_have_count(1)
            await expect(line).to_contain_text("JoinEUI (AppEUI)")


async def test_wrong_meter_and_strange_gateway_are_seen(network: Network, tabs: Tabs, shot: Shot) -> None:
    """The differing field stands in red on the passport; the radio page lists devices, gateways and frames."""
    row, neighbour = network.row(ENERGY.designation, 0), network.row(ENERGY.designation, 1)
    await asyncio.to_thread(network.commission, row)
    meter = await asyncio.to_thread(network.meter, row)
    await asyncio.to_thread(meter.join)
    await asyncio.to_thread(meter.send, 2, energy(neighbour, 5_000))
    await asyncio.to_thread(network.until, lambda: network.device(row)["state"] == "stopped")
    page = await tabs.open(f"{network.node.addresses['console']}/login", DESKTOP, language="en")
    await page.locator("input[name=name]").fill("anna")
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("main button.primary").click()
    await expect(page.locator("nav.menu")).to_be_visible()
    await page.get_by_role("button", name="EN").click()

    await page.goto(f"{network.node.addresses['console']}/radio")

    await expect(page.locator("#devices")).to_contain_text("stopped: fields differ")
    await expect(page.locator("#gateways tbody tr")).to_have_count(2)
    await expect(page.locator("#frames")).to_contain_text("nobody’s")
    await shot(page, "radio-en")
    await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    await fits(page, PHONE[0])
    await shot(page, "radio-en-phone")
    await page.locator("#devices a").last.click()
    await expect(page.locator("#comparison .chip.bad")).to_have_text("differs")
    await shot(page, "passport-stopped-en-phone")


async def entered_in_russian(tabs: Tabs, node: NodeProcess) -> Page:
    """The tab of the administrator, whose language an earlier test may have changed."""
    page = await entered(tabs, node)
    await page.get_by_role("button", name="RU", exact=True).click()
    await expect(page.locator("html")).to_have_attribute("lang", "ru")
    return page


async def retire(page: Page, place: str) -> None:
    """Press to take a device off the air, and once more to confirm it."""
    now = page.locator(place).get_by_role("button", name="Снять сейчас")
    await expect(now).to_be_hidden()
    await page.locator(place).locator("summary", has_text="Снять с сети").click()
    await shrink(page)
    await now.click()


async def shrink(page: Page) -> None:
    """The page fits a phone too."""
    await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    await fits(page, PHONE[0])


async def test_device_is_taken_off_the_air_on_its_passport(network: Network, tabs: Tabs) -> None:
    """Asked once more, then gone from the air: the passport offers to put it on the air again."""
    row = network.row(WATER.designation, 5)
    await asyncio.to_thread(network.commission, row)
    passport = await asyncio.to_thread(network.passport_of, row)
    page = await entered_in_russian(tabs, network.node)
    await page.goto(f"{network.node.addresses['console']}/devices/{passport}")
    await expect(page.locator("#radio .chip")).to_have_text("ждёт подключения")

    await retire(page, "#radio")

    await expect(page).to_have_url(re.compile(f"/devices/{passport}#radio$"))
    await expect(page.get_by_role("button", name="Подключить к сети")).to_be_visible()
    await expect(page.locator("#radio .chip")).to_have_count(0)
    await expect(page.locator("#radio details")).to_have_count(0)
    assert (await asyncio.to_thread(network.device, row))["state"] == "retired"
    await page.get_by_role("button", name="Подключить к сети").click()
    await expect(page.locator("#radio .chip")).to_have_text("ждёт подключения")
    await expect(page.locator("#radio summary", has_text="Снять с сети")).to_be_visible()


async def test_device_is_taken_off_the_air_on_the_radio_page(network: Network, tabs: Tabs, shot: Shot) -> None:
    """Its row stays, says that it was taken off, and has nothing more to press; an open passport follows by itself."""
    row = network.row(WATER.designation, 6)
    await asyncio.to_thread(network.commission, row)
    passport = await asyncio.to_thread(network.passport_of, row)
    page, watching = await entered_in_russian(tabs, network.node), await entered(tabs, network.node)
    await watching.goto(f"{network.node.addresses['console']}/devices/{passport}")
    await expect(watching.locator(".live.is-live")).to_be_visible()
    await page.goto(f"{network.node.addresses['console']}/radio")
    eui = row["DevEUI"].lower()
    place = f"#devices tr:has-text('{eui}')"
    await expect(page.locator(place).locator(".chip")).to_have_text("ждёт подключения")

    await retire(page, place)

    await expect(page).to_have_url(re.compile("/radio$"))
    await expect(page.locator(place).locator(".chip")).to_have_text("снят с сети")
    await expect(page.locator(place).locator("details")).to_have_count(0)
    await shot(page, "radio-retired-ru-phone")
    assert (await asyncio.to_thread(network.device, row))["state"] == "retired"
    await expect(watching.locator("#radio .chip")).to_have_count(0)


async def test_reader_is_offered_no_way_to_take_a_device_off(network: Network, tabs: Tabs) -> None:
    """Who may only read sees the device on both pages and none of its acts."""
    row = network.row(WATER.designation, 7)
    await asyncio.to_thread(network.commission, row)
    passport = await asyncio.to_thread(network.passport_of, row)
    await entered(tabs, network.node)
    reader = {"name": "boris", "password": PASSWORD, "role": "reader"}
    await asyncio.to_thread(network.call, "post", "/accounts", reader)
    page = await entered(tabs, network.node, name="boris")

    for address, place in ((f"/devices/{passport}", "#radio"), ("/radio", "#devices")):
        await page.goto(f"{network.node.addresses['console']}{address}")
        await expect(page.locator(place)).to_contain_text("ждёт подключения")
        await expect(page.locator(place).locator("form")).to_have_count(0)


async def test_frame_is_tried_on_the_page_of_drivers(network: Network, tabs: Tabs, shot: Shot) -> None:
    """What is pasted is read by the chosen driver, in both languages and on a phone."""
    page = await entered_in_russian(tabs, network.node)
    await page.goto(f"{network.node.addresses['console']}/drivers")
    await page.locator("select[name=driver]").select_option("vega-si-v1")
    await page.locator("textarea[name=data]").fill("015f0200f1536516d204000000000000000000004d000000")
    await page.get_by_role("button", name="Прочитать").click()

    await expect(page.locator("#decoded tbody tr")).to_have_count(6)
    await expect(page.locator("#decoded")).to_contain_text("1234")
    await shot(page, "drivers-ru")
    await shrink(page)
    await shot(page, "drivers-ru-phone")
    await page.goto(f"{network.node.addresses['console']}/drivers")
    await page.get_by_role("button", name="EN", exact=True).click()
    await expect(page.locator("#installed")).to_contain_text("≥ 2")
    await page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    await shot(page, "drivers-en")


async def test_driver_is_checked_published_and_stopped_on_the_page(
    network: Network, tabs: Tabs, shot: Shot, tmp_path: Path
) -> None:
    """Its files are chosen, its vectors run before it is signed; what fails says why; it is stopped as a whole."""
    org = (await asyncio.to_thread(network.call, "get", "/node"))["org"]
    for name, content in folder(org, types=(), key="water-7").items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "wrong.toml").write_bytes((tmp_path / "driver.toml").read_bytes().replace(b"1.234 m3", b"12.34 m3"))
    page = await entered_in_russian(tabs, network.node)
    await page.goto(f"{network.node.addresses['console']}/drivers")
    await page.get_by_role("link", name="Опубликованные драйверы").click()
    document = tmp_path / "payload.yaml"
    tabs.expected.append("422")  # the browser tells of the refusal, too

    await page.locator("input[name=description]").set_input_files(tmp_path / "wrong.toml")
    await page.locator("input[name=file]").set_input_files(document)
    await page.get_by_role("button", name="Проверить").click()
    await expect(page.locator("main")).to_contain_text("0:volume=12.34 m3")
    await page.locator("input[name=description]").set_input_files(tmp_path / "driver.toml")
    await page.locator("input[name=file]").set_input_files(document)
    await page.get_by_role("button", name="Подписать и опубликовать").click()

    await expect(page.locator("#versions")).to_contain_text("работает")
    await shot(page, "drivers-published-ru")
    await page.locator("#versions summary", has_text="Остановить").click()
    await page.get_by_role("button", name="Драйвер целиком").click()
    await expect(page.locator("#versions")).to_contain_text("остановлен администратором")
    await expect(page.locator("#versions")).to_contain_text("остановлены все версии")
    await page.get_by_role("button", name="EN", exact=True).click()
    await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    await fits(page, PHONE[0])
    await shot(page, "drivers-published-en-phone")


async def test_name_of_a_driver_is_mapped_on_the_page(network: Network, tabs: Tabs, shot: Shot) -> None:
    """Found in the list, checked on the latest reading, saved: what was read before is told under the code."""
    row = network.row(WATER.designation, 9)
    await asyncio.to_thread(network.commission, row)
    passport = await asyncio.to_thread(network.passport_of, row)
    meter = await asyncio.to_thread(network.meter, row)
    await asyncio.to_thread(meter.join)
    await asyncio.to_thread(meter.send, 2, water("12.3456", now() - timedelta(hours=1), temperature_c=21))
    await asyncio.to_thread(network.until, lambda: network.call("get", f"/passports/{passport}/series")["items"])
    page, console = await entered_in_russian(tabs, network.node), network.node.addresses["console"]
    await page.goto(f"{console}/mapping")
    name = page.locator("tr", has=page.get_by_text("temperature", exact=True))
    await expect(name.locator(".chip")).to_have_text("по названию")
    await shot(page, "mapping-ru")

    await name.get_by_role("link", name="Сопоставить").click()
    await page.locator("select[name=code]").select_option("temp_supply")
    await page.locator("input[name=unit]").fill("K")
    await page.get_by_role("button", name="Проверить на последнем показании").click()
    # Of the device in whose frame the name was seen first: one of this file's.
    await expect(page.locator("#preview")).to_contain_text(re.compile(r"29\d\.15"))
    await shot(page, "mapping-row-ru")
    await shrink(page)
    await shot(page, "mapping-row-ru-phone")
    await page.get_by_role("button", name="Сохранить").click()
    await expect(name.locator(".chip")).to_have_text("сопоставлено")
    await fits(page, PHONE[0])
    await page.get_by_role("button", name="EN", exact=True).click()
    await expect(name).to_contain_text("Supply temperature")
    await shot(page, "mapping-en-phone")
    await page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    await shot(page, "mapping-en")

    await page.goto(f"{console}/devices/{passport}/readings")
    await page.get_by_role("link", name="Supply temperature").click()
    await expect(page.locator("#values tbody tr")).to_contain_text("294.15")
    await shot(page, "readings-mapped-en")
    await page.goto(f"{console}/devices/{passport}")
    await expect(page.locator("#readings")).to_contain_text("Supply temperature")
