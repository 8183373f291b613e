"""Coming into a running node's console in a browser, and looking at it in both sizes and languages."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from node.demo.processes import NodeProcess
from tests.browser.conftest import DESKTOP, Tabs
from tests.unit.web.running import PASSWORD

PHONE = (390, 844)
Shot = Callable[[Page, str], Awaitable[None]]


async def entered(tabs: Tabs, node: NodeProcess, size: tuple[int, int] = DESKTOP, *, name: str = "anna") -> Page:
    """A tab of somebody who came in: by the one-time link where nobody did before, else by name and password."""
    page = await tabs.open(f"{node.addresses['console']}/login", size)
    if page.url.endswith("/claim"):
        await page.goto(str(node.addresses["claim"]))
    await page.locator("input[name=name]").fill(name)
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("main button.primary").click()
    await expect(page.locator("nav.menu")).to_be_attached()
    return page


async def shots(page: Page, shot: Shot, name: str, *, languages: tuple[str, ...] = ("en", "ru")) -> None:
    """Screenshots of a page on a desktop and on a phone, in these languages or in the one it has; it fits each screen.

    The last language stays with the account.

    Switching the language opens the page anew: one that shows the answer to a form has only the language it has.
    """
    for language in languages or ("",):
        if language:
            await page.get_by_role("button", name=language.upper(), exact=True).click()
            await expect(page.locator("html")).to_have_attribute("lang", language)
        seen = str(await page.locator("html").get_attribute("lang"))
        for size, where in ((DESKTOP, "desktop"), (PHONE, "phone")):
            await page.set_viewport_size({"width": size[0], "height": size[1]})
            await shot(page, f"{name}-{seen}-{where}")
            await fits(page, size[0])
        await page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})


async def fits(page: Page, width: int) -> None:
    """Raise AssertionError where a page stays wider than its screen: it is laid out a moment after that changed."""
    await expect(page.locator("html")).to_have_js_property("scrollWidth", width)
