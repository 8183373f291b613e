"""The passport page in Chromium, over the processes of the scenario."""

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from node.api_client import ApiClient
from node.demo.processes import NodeProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCREENS = Path(__file__).parent.parent.parent / "build" / "screens"
PORTS = {"web_port": "0", "federation_port": "0"}


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, NodeProcess]]:
    """A utility and a service firm in one federation; a meter that both may read."""
    folder = tmp_path_factory.mktemp("browser")
    found = {name: NodeProcess(name, folder / name) for name in ("utility", "service")}
    for name, node in found.items():
        node.init(name={"utility": "МУП «Водоканал»", "service": "ООО «Сервис»"}[name], kind=name, **PORTS)
        node.start()
    call(found["utility"], "post", "/federation", {"name": "Демо"})
    text = call(found["utility"], "post", "/invitations")["text"]
    call(found["service"], "post", "/federation/join", {"invitation": text})
    yield found
    for node in found.values():
        node.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


def call(node: NodeProcess, method: str, path: str, *arguments: Any) -> Any:  # Any: JSON
    async def run() -> Any:  # Any: JSON
        async with ApiClient(node.folder) as api:
            return await getattr(api, method)(path, *arguments)

    # The synchronous driver of the browser owns this thread's event loop.
    import threading

    answer: list[Any] = []
    thread = threading.Thread(target=lambda: answer.append(asyncio.run(run())))
    thread.start()
    thread.join(60)
    assert answer, path
    return answer[0]


def until(what: str, ask: Any) -> Any:  # Any: JSON
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if found := ask():
            return found
    raise AssertionError(f"not within 30 s: {what}")


def test_fragment_written_on_another_node_changes_the_open_page(
    nodes: dict[str, NodeProcess], browser: Browser
) -> None:
    """With the page open, an event signed by another organisation appears within 3 s, and only the stream asks."""
    utility, service = nodes["utility"], nodes["service"]
    orgs = {name: call(node, "get", "/node")["org"] for name, node in nodes.items()}
    device = call(utility, "post", "/plates", {"text": "СГВ-15 № 0012345", "approvals": ["12345-15"]})["id"]
    call(service, "post", "/plates", {"text": "СГВ-15 № 0012345", "approvals": ["12345-15"]})
    call(utility, "post", "/shares", {"org": orgs["service"], "ids": [device], "write": True})
    call(service, "post", "/shares", {"org": orgs["utility"], "ids": [device]})
    until("both plates", lambda: len(call(utility, "get", f"/passports/{device}")["view"]["plates"]) == 2)
    page = open_claimed(browser, utility)
    page.goto(f"{base(utility)}/devices/{device}")
    expect(page.locator("h1")).to_contain_text("0012345")
    expect(page.locator(".live.is-live")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    begun = time.monotonic()
    event = {"what": "repaired", "where": "workshop", "when": "2026-11-20"}
    call(service, "post", f"/passports/{device}/events", event)
    expect(page.locator("body")).to_contain_text("отремонтирован", timeout=10_000)

    assert time.monotonic() - begun < 3
    assert asked == []
    page.screenshot(path=SCREENS / "passport-ru.png", full_page=True)
    page.set_viewport_size({"width": 360, "height": 740})
    page.screenshot(path=SCREENS / "passport-phone.png", full_page=True)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360


def base(node: NodeProcess) -> str:
    return str(node.addresses["console"])


def open_claimed(browser: Browser, node: NodeProcess) -> Page:
    """Claim the node by its one-time link; any error of the console or request elsewhere fails the test."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    page = browser.new_page(viewport={"width": 1200, "height": 900}, locale="ru-RU")
    page.on("console", lambda message: pytest.fail(message.text) if message.type == "error" else None)
    page.on("request", lambda request: None if request.url.startswith(base(node)) else pytest.fail(request.url))
    page.goto(str(node.addresses["claim"]))
    page.fill("input[name=name]", "anna")
    for field in page.query_selector_all("input[type=password]"):
        field.fill("correct horse battery")
    page.click("main form button.primary")
    expect(page).to_have_url(re.compile(rf"^{re.escape(base(node))}/$"))
    return page
