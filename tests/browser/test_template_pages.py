"""Templates and protocols in Chromium: published, filled in field by field, signed by two, on a desktop and a phone."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Tabs
from tests.browser.doors import PHONE, Shot, entered, fits, shots
from tests.trade import Trade, meters, trading

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]
COMMISSIONING = Path(__file__).parents[2] / "examples" / "templates" / "commissioning.schema.json"


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker with one meter, and a utility."""
    with trading(tmp_path_factory.mktemp("papers"), "utility", PASSPORT_FEDERATION__DISCOVERY="false") as running:
        running.devices = [row["id"] for row in running.produce(meters(1)) if row["kind"] == "device"]
        yield running


async def test_act_is_filled_in_signed_here_and_signed_there(
    trade: Trade, tabs: Tabs, shot: Shot, tmp_path: Path
) -> None:
    """A template is published; its form takes rows, a file and a comma; the utility signs what it is shown."""
    maker, device = trade.address("maker"), trade.devices[0]
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{maker}/templates/new")
    await page.locator("textarea[name=text]").fill(COMMISSIONING.read_text())
    await page.get_by_role("button", name="Проверить").click()
    await expect(page.locator("#checked")).to_contain_text("commissioning")
    await page.get_by_role("button", name="Подписать и опубликовать").click()
    await expect(page.locator("#rules tr")).to_have_count(3)
    await shots(page, shot, "template")
    await page.goto(f"{maker}/templates")
    await shots(page, shot, "templates")

    await page.goto(f"{maker}/devices/{device}")
    await page.locator("#protocols").get_by_role("link", name="Заполнить протокол").click()
    await page.get_by_role("button", name="Заполнить", exact=True).click()
    await expect(page.locator('[name="f/device/gid"]')).to_have_value(device)
    await page.get_by_role("button", name="Подписать", exact=True).click()
    await expect(page.locator("#verdict")).to_contain_text("надо исправить")
    await expect(page.locator(".field.wrong").first).to_be_visible()
    await shots(page, shot, "form-wrong", languages=())

    fields = {"/act_no": "А-17", "/date": "2026-11-03", "/place/object": "подвал", "/readings": "volume = 0,012"}
    for name, value in fields.items():
        await page.locator(f'[name="f{name}"]').fill(value)
    await page.locator('[name="f/resource"]').select_option("cold_water")
    await page.locator('[name="f/admitted"]').select_option("false")
    for name, org in (("/executor/org", "maker"), ("/utility/org", "utility"), ("/owner/org", "utility")):
        await page.locator(f'[name="f{name}"]').select_option(trade.orgs[org])
    await page.locator('button[name=add][value="/seals"]').click()
    await expect(page.locator('[name="f/seals/1/no"]')).to_be_visible()
    await page.locator('[name="f/seals/0/no"]').fill("ПЛ-1")
    await page.locator('[name="f/seals/0/place"]').fill("гайка")
    picture = tmp_path / "узел.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 5000)
    await page.locator("#files input[type=file]").set_input_files(picture)
    await page.get_by_role("button", name="Приложить").click()
    await expect(page.locator("#files .picked li")).to_contain_text("узел.png")
    await expect(page.locator('[name="f/readings"]')).to_have_value("volume = 0,012")
    await page.reload()  # the draft is kept by the node, not by the page
    await expect(page.locator('[name="f/seals/0/no"]')).to_have_value("ПЛ-1")
    await page.get_by_role("button", name="Проверить").click()
    await expect(page.locator("#verdict.good")).to_be_visible()
    await shots(page, shot, "form-ready")
    await page.get_by_role("button", name="Подписать", exact=True).click()
    await expect(page.locator(".stamp")).to_contain_text("Односторонний")
    await expect(page.locator("#sides")).to_contain_text("не подписал")

    there = await entered(tabs, trade.nodes["utility"])
    waiting = trade.until
    await asyncio.to_thread(waiting, "the act", lambda: trade.call("utility", "get", "/acts")["items"])
    await there.goto(f"{trade.address('utility')}/acts")
    await shots(there, shot, "acts")
    await there.get_by_role("link", name="Открыть акт").click()
    await expect(there.locator("#ask")).to_contain_text("ждёт вашей подписи")
    await shot(there, "act-to-sign-ru-desktop")
    await there.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    await shot(there, "act-to-sign-ru-phone")
    await fits(there, PHONE[0])
    await there.set_viewport_size({"width": 1280, "height": 800})
    await there.get_by_role("button", name="Подписать этот акт").click()
    await expect(there.locator(".stamp.good")).to_contain_text("подписали все стороны")
    stated = (await asyncio.to_thread(trade.call, "utility", "get", f"/passports/{device}/protocols"))["items"]
    document = json.loads(
        (await asyncio.to_thread(trade.call, "utility", "get", f"/passports/{device}/protocols/{stated[0]['ref']}"))[
            "document"
        ]
    )
    assert (document["readings"], document["seals"]) == ({"volume": 0.012}, [{"no": "ПЛ-1", "place": "гайка"}])


async def test_refused_template_stays_on_the_page_with_its_reason(trade: Trade, tabs: Tabs) -> None:
    """A remote reference is named, and the text is not lost."""
    tabs.expect("422")
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.address('maker')}/templates/new")
    hostile = json.loads(COMMISSIONING.read_text())
    hostile["properties"]["note"] = {"$ref": "https://example.org/x.json"}
    await page.locator("textarea[name=text]").fill(json.dumps(hostile))
    await page.get_by_role("button", name="Подписать и опубликовать").click()

    await expect(page.get_by_role("alert")).to_contain_text("/properties/note")
    await expect(page.locator("textarea[name=text]")).to_contain_text("example.org")
