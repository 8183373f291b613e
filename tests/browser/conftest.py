"""Chromium of Debian, without windows, against real nodes.

Any console error, failed load or request to another host fails the test. What draws no windows takes a third less time.
The browser is started once for this folder, so that its tests share one event loop: an async fixture of theirs says
`loop_scope="session"`.
"""

import os
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Request, async_playwright

from tests.unit.web.running import RunningWeb, running_web

BROWSERS = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
CHROMIUM = next((path for path in BROWSERS if path.exists()), BROWSERS[0])
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
SCREENS = Path(__file__).parents[2] / "build" / "screens"
DESKTOP, PHONE = (1280, 800), (360, 740)
DEADLINE_MS = 10_000


@dataclass
class Tabs:
    """Pages of one browser, and what went wrong on them."""

    browser: Browser
    troubles: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    async def open(
        self, url: str, size: tuple[int, int] = DESKTOP, *, language: str = "ru", dark: bool = False
    ) -> Page:
        """A tab with cookies of its own, at a page."""
        context = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale="ru-RU" if language == "ru" else "en-GB",
            timezone_id="Europe/Moscow",
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(DEADLINE_MS)
        self.contexts.append(context)
        page = await context.new_page()
        self.watch(page, urlsplit(url).hostname or "")
        await page.goto(url)
        return page

    def watch(self, page: Page, host: str) -> None:
        """Note every trouble of a page."""

        def requested(request: Request) -> None:
            parts = urlsplit(request.url)
            if parts.scheme not in {"data", "blob"} and parts.hostname != host:
                self.troubles.append(f"a request to {request.url}")

        page.on("request", requested)
        page.on("pageerror", lambda error: self.troubles.append(f"an error: {error}"))
        page.on("console", lambda said: self.troubles.append(said.text) if said.type in {"error", "warning"} else None)

    def expect(self, pattern: str) -> None:
        """A trouble that this test brings about."""
        self.expected.append(pattern)

    @property
    def unexpected(self) -> list[str]:
        """Troubles that no test asked for."""
        return [text for text in self.troubles if not any(re.search(pattern, text) for pattern in self.expected)]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of this folder in one event loop."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="package")
def chromium() -> Path:
    """Debian's browser; without it the test is skipped by name, on CI it fails."""
    if not CHROMIUM.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{CHROMIUM} is not here")
        pytest.skip(f"{CHROMIUM} is not here: make test installs it where it may")
    return CHROMIUM


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def browser(chromium: Path) -> AsyncIterator[Browser]:
    """The browser of all tests here; each has tabs with cookies of their own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def tabs(browser: Browser) -> AsyncIterator[Tabs]:
    """Tabs of the browser; the test fails on any trouble of its pages."""
    opened = Tabs(browser)
    yield opened
    for context in opened.contexts:
        await context.close()
    assert opened.unexpected == []


@pytest_asyncio.fixture(loop_scope="session")
async def web(tmp_path: Path) -> AsyncIterator[RunningWeb]:
    """A node's doors."""
    async with running_web(tmp_path / "node") as running:
        yield running


@pytest.fixture
def shot() -> Callable[[Page, str], object]:
    """Keeps a picture of the page under build/screens where PASSPORT_SHOTS is set: to draw it takes a second or two."""

    async def take(page: Page, name: str) -> None:
        if not os.environ.get("PASSPORT_SHOTS"):
            return
        SCREENS.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=SCREENS / f"{name}.png", full_page=True, timeout=60_000)

    return take
