"""The pages of processes in Chromium: procedures written and accepted, processes opened, moved and watched."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, entered, shots
from tests.trade import Trade, meters, trading

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]
Json = Any  # Any: what the API answers


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker with four meters and published procedures."""
    with trading(tmp_path_factory.mktemp("processes"), PASSPORT_FEDERATION__DISCOVERY="false") as running:
        running.produce(meters(4))
        for procedure in running.call("maker", "get", "/procedures/shipped")["items"]:
            if procedure["code"] in ("production", "repair"):
                running.call("maker", "post", "/procedures", procedure)
        yield running


def procedure_of(trade: Trade, code: str) -> str:
    """The first version of a procedure."""
    rows = trade.call("maker", "get", "/procedures")["items"]
    return next(str(row["digest"]) for row in rows if row["code"] == code)


def opened(trade: Trade, code: str, *devices: str, **more: Json) -> list[str]:
    """Processes of which the maker has every role."""
    body = {"procedure": procedure_of(trade, code), "ids": list(devices), **more}
    found: list[str] = trade.call("maker", "post", "/processes", body)["items"]
    return found


@pytest.mark.req("A06")
async def test_procedure_is_edited_and_published_as_a_second_version(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """A step is added with a role and a protocol, a mistake is told beside its field, and what runs stays as it was."""
    (run,) = await asyncio.to_thread(opened, trade, "repair", trade.devices[3])
    maker = trade.address("maker")
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{maker}/procedures")
    await shots(page, shot, "procedures")
    await page.get_by_role("link", name="Ремонт").click()
    await expect(page.locator("#steps tbody tr")).to_have_count(4)
    await shots(page, shot, "procedure")
    await page.get_by_role("link", name="Новая версия").click()
    await expect(page.locator("input[name=version]")).to_have_value("2")
    await page.locator("#step-1").get_by_role("button", name="Добавить шаг после этого").click()
    await expect(page.locator("fieldset.step")).to_have_count(5)
    await page.locator('[name="steps.2.code"]').fill("check")
    await page.locator('[name="steps.2.role"]').select_option("workshop")
    await page.locator('[name="steps.2.protocol.name"]').fill("flow-bench")
    await page.locator('[name="steps.2.next"]').select_option("verify")
    tabs.expect("422")
    await page.get_by_role("button", name="Опубликовать").click()
    await expect(page.locator("#step-2 .fault")).to_contain_text("Обязательного поля нет")
    await page.locator('[name="steps.2.title.ru"]').fill("Проверка на стенде")
    await page.get_by_role("button", name="Опубликовать").click()
    await expect(page.locator("#step-2 .fault")).to_contain_text("не ведёт ни один шаг")
    await page.locator('[name="steps.1.next"]').select_option("check")
    await shots(page, shot, "procedure-form", languages=())
    await page.get_by_role("button", name="Опубликовать").click()

    await expect(page.locator("h1 + .chip")).to_have_text("версия 2")
    await expect(page.locator("#steps tbody tr").nth(2)).to_contain_text("flow-bench")
    running = await asyncio.to_thread(trade.call, "maker", "get", f"/processes/{run}")
    assert running["process"]["version"] == "1"


async def test_processes_are_opened_from_the_passport_moved_and_shown_on_the_board(
    trade: Trade, tabs: Tabs, shot: Shot
) -> None:
    """The form of a step asks what its procedure asks; the passport, the home page and the board show what is next."""
    device, maker = trade.devices[0], trade.address("maker")
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{maker}/devices/{device}")
    await page.get_by_role("link", name="Открыть процесс").click()
    await page.locator("select[name=procedure]").select_option(label="Ремонт, версия 1")
    await page.get_by_role("button", name="Показать роли").click()
    await expect(page.locator("textarea[name=devices]")).to_have_value(device)
    for role in ("workshop", "lab"):
        await page.locator(f'[name="role.{role}"]').select_option(index=1)
    await page.locator("[name=number]").fill("Р-17")
    await shots(page, shot, "process-new", languages=())
    await page.get_by_role("button", name="Открыть", exact=True).click()
    await expect(page.locator(".stages .now")).to_have_text("Диагностика")
    await shots(page, shot, "process-step")
    await page.locator('[name="detail.defect"]').fill("нет связи")
    await page.get_by_label("Ремонтопригоден").check()
    await page.get_by_role("button", name="Шаг выполнен").click()
    await expect(page.locator(".stages .now")).to_have_text("Замена деталей")
    for name, value in (("position", "плата"), ("designation", "СЭ-1"), ("removed_serial", "1"), ("serial", "2")):
        await page.locator(f'[name="parts.0.{name}"]').fill(value)
    await page.get_by_role("button", name="Шаг выполнен").click()
    await expect(page.locator(".stages .now")).to_have_text("Поверка после ремонта")
    await expect(page.locator("#moves tbody tr").first).to_contain_text("отремонтирован")
    await shots(page, shot, "process")
    await page.goto(f"{maker}/devices/{device}")
    await expect(page.locator("#processes a")).to_contain_text("Ремонт Р-17")
    await shot(page, "passport-processes")


@pytest.mark.req("B20")
async def test_board_shows_overdue_steps_per_organisation_and_follows_the_stream(
    trade: Trade, tabs: Tabs, shot: Shot
) -> None:
    """A column for each step, overdue ones marked and counted by organisation; a process opened elsewhere appears."""
    maker = trade.address("maker")
    await asyncio.to_thread(opened, trade, "production", *trade.devices[:2], due="2026-01-09", number="З-1")
    page = await entered(tabs, trade.nodes["maker"])
    await expect(page.locator(".attention")).to_contain_text("Просрочены наши шаги")
    await page.goto(f"{maker}/processes?state=open&code=production")
    await expect(page.locator(".column")).to_have_count(7)
    await expect(page.locator(".column").first.locator(".ticket.bad")).to_have_count(2)
    await expect(page.locator(".live.is-live")).to_be_visible()
    await asyncio.to_thread(opened, trade, "production", trade.devices[2], number="З-2")
    await expect(page.locator(".column").first.locator(".ticket")).to_have_count(3)
    await shots(page, shot, "processes-board")
    await page.goto(f"{maker}/processes?overdue=true")
    await expect(page.locator("#list tbody tr")).to_have_count(2)
    row = page.locator("#loads tbody tr").filter(has_text="Приборучёт")
    await expect(row.locator("td").last).to_have_text("2")
    await row.locator("td").last.get_by_role("link").click()
    await expect(page.locator("#list tbody tr")).to_have_count(2)
    await shots(page, shot, "processes")
    await page.locator("[name=number]").fill("З-9")
    await page.get_by_role("button", name="Отобрать").click()
    await expect(page.locator("#list .empty")).to_be_visible()
