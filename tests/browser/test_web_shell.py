"""The frame of the console in a real browser: coming in, the pages, live rows, both languages, a phone's width."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, Request, expect

from node.services.access import Actor, Scope
from tests.browser.conftest import DESKTOP, PHONE, Tabs
from tests.unit.web.running import PASSWORD, RunningWeb, post

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Shot = Callable[[Page, str], Awaitable[None]]
LIVE_MS = 3000


async def claim(web: RunningWeb, tabs: Tabs, size: tuple[int, int] = DESKTOP, **look: object) -> Page:
    """Claim the node by its link; answer the tab on the home page."""
    page = await tabs.open(f"{web.url}/claim/{await web.context.access.open_claim()}", size, **look)  # type: ignore[arg-type]  # keywords of open
    await page.locator("input[name=name]").fill("anna")
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("main button.primary").click()
    await expect(page.locator("h1")).to_have_text("ООО «Счётчик»")
    return page


async def announce(web: RunningWeb, what: str) -> None:
    """Journal something, as a service does."""
    core = web.context.core
    async with core.database.write() as tx:
        await core.announce(tx, "token:1c", what, bytes(range(16)), count=58, file="июль.xlsx")


async def width_of(page: Page) -> tuple[int, int]:
    """How wide the page is, and how much of it is seen."""
    found = await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    return found[0], found[1]


async def test_claim_log_out_and_log_in(web: RunningWeb, tabs: Tabs, shot: Shot) -> None:
    """A person claims the node by its link, goes out, is refused with a wrong password, and comes in again."""
    tabs.expect("401|object Event")  # where the log-out is faster than the leaving, the page's stream ends under it
    start = await tabs.open(web.url)
    await expect(start.locator("h1")).to_have_text("У этого узла ещё нет владельца")
    await shot(start, "unclaimed-ru")
    page = await claim(web, tabs)
    await page.get_by_role("button", name="Выйти").click()
    await page.locator("input[name=name]").fill("anna")
    await page.locator("input[name=password]").fill("not this one")
    await page.locator("main button.primary").click()
    await expect(page.get_by_role("alert")).to_contain_text("Имя или пароль неверны")
    await shot(page, "login-refused-ru")
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("main button.primary").click()
    await expect(page.locator("h1")).to_have_text("ООО «Счётчик»")


@pytest.mark.parametrize("path", ["/", "/journal"])
async def test_open_page_follows_the_journal_without_a_request(web: RunningWeb, tabs: Tabs, path: str) -> None:
    """With the tab open a new row is on screen within three seconds, brought by the stream alone."""
    page = await claim(web, tabs)
    await page.goto(web.url + path)
    await expect(page.locator(".live.is-live")).to_be_visible()
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    await announce(web, "shipped")
    first = page.locator("tbody tr").first
    await expect(first).to_contain_text("Отгрузка предложена", timeout=LIVE_MS)
    await expect(first).to_contain_text("токен 1c")
    # The row's time is shown in the browser's own zone, as the rows that came with the page.
    await expect(first.locator("time")).to_have_text("21.09.2026, 17:13:20")
    assert asked == []


async def test_language_switch_turns_every_page(web: RunningWeb, tabs: Tabs, shot: Shot) -> None:
    """The switch turns the page, stays with the account, and leads back to where one was."""
    page = await claim(web, tabs)
    await page.goto(f"{web.url}/journal?limit=20")
    await page.get_by_role("button", name="EN").click()
    await expect(page.locator("h1")).to_have_text("Journal")
    assert page.url == f"{web.url}/journal?limit=20"
    await page.goto(f"{web.url}/access")
    await expect(page.locator("h1")).to_have_text("Access")
    (account,) = await web.context.access.accounts()
    assert account.language == "en"


async def test_token_is_issued_and_shown_once(web: RunningWeb, tabs: Tabs, shot: Shot) -> None:
    """The access page issues one token at a double click, shows it, and after a reload shows its name only."""
    page = await claim(web, tabs)
    await page.goto(f"{web.url}/access")
    await page.locator("#tokens input[name=name]").fill("Стенд поверки")
    await page.locator("#tokens").get_by_label("импорт").check()
    await page.get_by_role("button", name="Выпустить").dblclick()
    secret = await page.locator("#secret").inner_text()
    assert secret.startswith("pn_")
    assert len(await web.context.tokens.list(limit=2)) == 1
    await shot(page, "token-issued-ru")
    await page.goto(f"{web.url}/access")
    await expect(page.locator("#tokens")).to_contain_text("Стенд поверки")
    await expect(page.locator("body")).not_to_contain_text(secret)
    await page.locator("#tokens summary", has_text="Отозвать").click()
    await page.get_by_role("button", name="Отозвать сейчас").click()
    await expect(page.locator("#tokens")).to_contain_text("Токенов пока нет")


async def test_api_button_gives_the_command_for_this_view(web: RunningWeb, tabs: Tabs, shot: Shot) -> None:
    """The button shows a curl whose address answers just what the page shows."""
    page = await claim(web, tabs)
    await page.goto(f"{web.url}/journal?limit=2")
    await page.locator(".api summary").click()
    command = await page.locator("#curl").inner_text()
    await shot(page, "api-button-ru")
    client = await web.system(Scope.READ)
    async with client.get(command.split("'")[-2]) as response:
        rows = await response.json()
    assert len(rows["items"]) == 2


async def test_wrong_address_is_a_page_with_a_way_back(web: RunningWeb, tabs: Tabs, shot: Shot) -> None:
    """An address that no page has says so in words and leads home."""
    tabs.expect("404")
    page = await claim(web, tabs)
    await page.goto(f"{web.url}/nothing")
    await expect(page.get_by_role("alert")).to_contain_text("Такой страницы нет")
    await shot(page, "not-found-ru")
    await page.locator("main a", has_text="Главная").click()
    await expect(page.locator("h1")).to_have_text("ООО «Счётчик»")


async def test_menu_opens_on_a_phone(web: RunningWeb, tabs: Tabs, shot: Shot) -> None:
    """On a phone the menu is behind a button and opens over the page."""
    page = await claim(web, tabs, PHONE)
    link = page.locator("nav.menu a", has_text="Журнал")
    await expect(link).to_be_hidden()
    await page.locator(".menu-button").click()
    await shot(page, "menu-ru-phone")
    await link.click()
    await expect(page.locator("h1")).to_have_text("Журнал")


@pytest.mark.parametrize("language", ["ru", "en"])
async def test_pages_fit_the_screen(web: RunningWeb, tabs: Tabs, shot: Shot, language: str) -> None:
    """No page is wider than its screen, in either language, on a desktop and on a phone, however long names are."""
    page = await claim(web, tabs)
    await web.context.access.change_language(Actor("anna", "person", frozenset()), language)
    for what in ("invited", "peer_joined", "job_taken", "shipped", "shipment_accepted", "entry_refused"):
        await announce(web, what)
    await web.context.tokens.issue(Actor.local(), "Стенд поверки", frozenset({Scope.READ, Scope.RECORD}), 3)
    await post(web.local(), "/systems", {"name": "С" * 64, "kind": "К" * 128, "contact": "т" * 256, "scopes": ["read"]})
    for path in ("", "journal", "access", "flows", "account", "api/v1/docs"):
        await page.goto(f"{web.url}/{path}")
        await expect(page.locator("html")).to_have_attribute("lang", language)
        for (width, height), name in ((DESKTOP, "desktop"), (PHONE, "phone")):
            await page.set_viewport_size({"width": width, "height": height})
            await shot(page, f"{path.replace('/', '-') or 'home'}-{language}-{name}")
            wide, seen = await width_of(page)
            assert wide <= seen, path


async def test_dark_pages_exist(web: RunningWeb, tabs: Tabs, shot: Shot) -> None:
    """Where the system is dark the pages are too."""
    page = await claim(web, tabs, dark=True)
    await announce(web, "shipped")
    await shot(page, "home-ru-dark")
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 24, 28)"
