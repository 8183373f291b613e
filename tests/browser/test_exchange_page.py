"""The exchange page in Chromium: a file of verifications is made, a result annulled, the register's answer is seen."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from node.passport import drafts
from node.passport.bodies import ExtractBody, ParameterRow, Reference, RegisterBody
from node.passport.ids import parse_device_id
from node.passport.view import moment_us
from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, shots
from tests.browser.test_web_shell import claim
from tests.unit.node_protocols.builders import ended, template, verification
from tests.unit.web.running import RunningWeb, post, running_web

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]
RECORDED = Path(__file__).parents[2] / "examples" / "exchange" / "arshin_eapi_vri.json"
ITEM = {"id": "8a7d2f10-5b7e-11ee-8c99-0242ac120002", "name": "Счётчик воды ВС-15Д", "central": "t:cw"}


@pytest_asyncio.fixture(loop_scope="session")
async def web(tmp_path: Path) -> AsyncIterator[RunningWeb]:
    """A node that writes its log."""
    async with running_web(tmp_path / "node") as running:
        await running.context.ledger.open()
        await running.context.projection.open()
        await running.context.releases.open()
        writer = asyncio.create_task(running.context.ledger.run())
        yield running
        await ended(writer)


async def verified(web: RunningWeb, number: int) -> str:
    """A device with a signed verification."""
    client = web.local()
    plate = {"designation": "ВС-15Д", "serial": f"2500050{number}", "approvals": ["999902-00"]}
    device = str((await post(client, "/plates", plate))["id"])
    document = verification(device, f"2500050{number}", number, fif_record=None)
    (held,) = [one.held for one in await web.context.templates.list() if one.held]
    query = {"template": held.reference}
    async with client.post("/api/v1/protocols", params=query, data=document) as response:
        assert response.status == 201, await response.text()
    return device


async def recorded(web: RunningWeb, device: str) -> None:
    """The register was read about a device, and says another day than the protocol."""
    told = ParameterRow(code=Reference(central="verification_valid_until"), value="2030-05-14", since="2025-05-15")
    item = json.loads(RECORDED.read_bytes())["result"]["items"][0]
    item |= {"mi_number": "25000501", "valid_date": "14.05.2030"}
    answer = json.dumps({"result": {"count": 1, "items": [item]}}, ensure_ascii=False).encode()
    body = RegisterBody(source="fgis-arshin", url="https://example.org/eapi/vri", asked="2026-05-28")
    subject = parse_device_id(device).raw
    extract = ExtractBody(parameters=(told,))
    occurred = moment_us("2025-05-15")
    await web.context.ledger.append([drafts.register_record(subject, extract, body, answer, occurred)])


async def test_file_is_made_and_a_result_annulled_on_the_page(web: RunningWeb, tabs: Tabs, shot: Shot) -> None:
    """New results go into a file by one press; one that is annulled leaves the list, and waits for the register."""
    await web.context.templates.publish(template("verification"), "test")
    first, second = await verified(web, 1), await verified(web, 2)
    message = {"id": "5f0c1c5e-0a52-4c1b-9d43-6f0f3a0b8e01", "number": 41, "system": "ut-main", "kind": "items"}
    told = {"message": {**message, "created": "2026-05-04T10:00:00+05:00", "items": [ITEM]}}
    await post(web.local(), "/exchange/1c/messages", told)
    await recorded(web, first)
    page = await claim(web, tabs)
    await page.locator("nav.menu a", has_text="Обмен").click()
    await expect(page.locator("#arshin")).to_contain_text("Новых поверок ждут файла: 2")
    await page.get_by_role("button", name="Составить файл новых поверок").click()
    await expect(page.locator("#arshin tbody tr")).to_have_count(1)
    async with page.expect_download() as coming:
        await page.get_by_role("link", name="Скачать").click()
    assert (await coming.value).suggested_filename == "arshin-1.xml"
    await expect(page.locator("#messages tbody tr")).to_contain_text("ut-main")
    await expect(page.get_by_role("button", name="Составить файл новых поверок")).to_have_count(0)

    row = page.locator("#results tbody tr", has_text="25000502")
    await row.locator("summary").click()
    await row.get_by_label("Почему результат аннулируется").fill("перепутан эталон")
    await row.get_by_role("button", name="Аннулировать", exact=True).click()

    await expect(page.locator("#results tbody tr")).to_have_count(1)
    gone = page.locator("#gone")
    await expect(gone).to_contain_text("Аннулируйте эти записи в личном кабинете ФГИС «Аршин»")
    await shots(page, shot, "exchange")
    await gone.get_by_role("button", name="В реестре аннулировано").click()
    await expect(gone).to_have_count(0)
    await page.goto(f"{web.url}/devices/{first}")
    await expect(page.locator("#register")).to_contain_text("2031-05-14")
    await shots(page, shot, "exchange-register", languages=())
    await page.goto(f"{web.url}/devices/{second}")
    await expect(page.locator("body")).to_contain_text("результат поверки аннулирован")
