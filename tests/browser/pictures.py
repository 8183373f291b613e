"""The pictures of the README: taken from the consoles of the demo's own nodes, and listed with where they come from.

    python -m tests.browser.pictures

plays the demo, opens the consoles in Chromium, writes `docs/screens/*.png` and beside them `pictures.json`: the page
and the SHA-256 of each.
"""

import asyncio
import hashlib
import json
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright
from rich.console import Console

from node.demo.scenario import play
from node.demo.sheet import Sheets
from node.demo.stage import Stage, set_stage
from tests.browser.conftest import CHROMIUM, DESKTOP, FLAGS, PHONE
from tests.unit.web.running import PASSWORD

OPENED = ("dispatch_request", "repair")
CALLS = ("Кв. 12: течёт", "Подъезд 2: гаснет экран", "Кв. 48: не крутится", "Подвал: нет связи")
SCREENS = Path(__file__).parents[2] / "docs" / "screens"
LIST = "pictures.json"
SEED = 20_260
WATER, REPAIR, FORM = "{water}", "{repair}", "{form}"


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: whose console, which page, in which language, how large, and from which part of the page on."""

    name: str
    node: str
    page: str
    language: str
    size: tuple[int, int] = DESKTOP
    part: str = ""


PICTURES = (
    Picture("passport-ru", "utility", "/devices/" + WATER, "ru", (1280, 1180)),
    Picture("passport-en", "utility", "/devices/" + WATER, "en", (1280, 1180)),
    Picture("readings-en", "utility", "/devices/" + WATER, "en", (1280, 1180), "#radio"),
    Picture("passport-phone-ru", "utility", "/devices/" + WATER, "ru", PHONE),
    Picture("radio-en", "utility", "/radio", "en"),
    Picture("devices-ru", "maker", "/devices", "ru"),
    Picture("peers-en", "utility", "/peers", "en"),
    Picture("access-ru", "utility", "/devices/" + WATER + "/access", "ru", (1280, 1000)),
    Picture("keys-en", "utility", "/keys", "en", (1280, 1000)),
    Picture("processes-ru", "utility", "/processes?state=open&code=dispatch_request", "ru"),
    Picture("process-en", "service", "/processes/" + REPAIR, "en", (1280, 1180)),
    Picture("form-ru", "lab", "/forms/" + FORM, "ru", (1280, 1180)),
)


async def take_pictures(stage: Stage, folder: Path, pictures: tuple[Picture, ...] = PICTURES) -> dict[str, str]:
    """Take the pictures from the consoles of a played stage; answer the page of each by its file's name."""
    places = await begin_work(stage)
    taken: dict[str, str] = {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for picture in pictures:
            page = await _enter(stage, browser, picture)
            kind = next((name for name in places if name in picture.page), "")
            address = picture.page.replace(kind, places[kind]) if kind else picture.page
            await page.goto(f"{stage.nodes[picture.node].addresses['console']}{address}")
            await _drawn(page, has_plots=picture.page.endswith(WATER))
            name = f"{picture.name}.png"
            if picture.part:
                await page.locator(picture.part).evaluate("part => part.scrollIntoView()")
            await page.screenshot(path=folder / name, animations="disabled")
            taken[name] = picture.page
            await page.context.close()
        await browser.close()
    return taken


async def begin_work(stage: Stage) -> dict[str, str]:
    """Open processes over the nodes and a form on the lab's; what the places in the addresses of pages stand for."""
    assert stage.on_air is not None
    assert stage.mended is not None
    shipped = await stage.get("utility", "/procedures/shipped")
    digests = {}
    for procedure in shipped["items"]:
        if procedure["code"] in OPENED:
            digests[procedure["code"]] = (await stage.post("utility", "/procedures", procedure))["digest"]
    for name in ("service", "lab"):
        await stage.until(f"{name} accepts the procedure", partial(_accept, stage, name, digests["repair"]))
        await stage.until(f"{name} takes part", partial(_takes_part, stage, name, digests["repair"]))
    roles = {"workshop": stage.orgs["service"], "lab": stage.orgs["lab"]}
    body = {"procedure": digests["repair"], "ids": [stage.mended.device], "number": "Р-17", "roles": roles}
    (repair,) = (await stage.post("utility", "/processes", body))["items"]
    air, asked = stage.on_air, []
    for meter, about in zip((air.water, air.energy, air.copied, air.named), CALLS, strict=True):
        more = {"number": meter.dev_eui[-4:].upper(), "about": about, "roles": {"executor": stage.orgs["utility"]}}
        body = {"procedure": digests["dispatch_request"], "ids": [meter.id], **more}
        asked += (await stage.post("utility", "/processes", body))["items"]
    for run in asked[:2]:
        await stage.post("utility", f"/processes/{run}/steps/visit", {"detail": {"found": "Сорвана пломба"}})
    await stage.until("the firm has the repair", partial(_held, stage, repair))
    done = {"outcome": "repairable", "detail": {"defect": "Плата залита водой"}}
    await stage.post("service", f"/processes/{repair}/steps/diagnose", done)
    template = next(item for item in (await stage.get("lab", "/templates"))["items"] if item["name"] == "verification")
    form = await stage.post("lab", "/forms", {"template": template["id"], "id": stage.mended.device})
    return {WATER: stage.on_air.water.id, REPAIR: repair, FORM: form["form"]}


async def _accept(stage: Stage, name: str, digest: str) -> bool:
    """Accept a procedure as soon as it is here."""
    if all(item["digest"] != digest for item in (await stage.get(name, "/procedures"))["items"]):
        return False
    await stage.post(name, f"/procedures/{digest}/acceptance")
    return True


async def _takes_part(stage: Stage, name: str, digest: str) -> bool:
    parties = (await stage.get("utility", f"/procedures/{digest}"))["parties"]
    return stage.orgs[name] in [party["org"] for party in parties]


async def _held(stage: Stage, run: str) -> bool:
    return any(item["run"] == run for item in (await stage.get("service", "/processes"))["items"])


def listed(folder: Path, taken: dict[str, str]) -> str:
    """The list that goes beside the pictures."""
    rows = {
        name: {"page": page, "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest()}
        for name, page in sorted(taken.items())
    }
    return json.dumps(rows, indent=1) + "\n"


async def _enter(stage: Stage, browser: Browser, picture: Picture) -> Page:
    """A tab of a person who is logged in: the first one claims the node, the others log in."""
    node = stage.nodes[picture.node]
    context = await browser.new_context(
        viewport={"width": picture.size[0], "height": picture.size[1]},
        locale="ru-RU" if picture.language == "ru" else "en-GB",
        timezone_id="Europe/Moscow",
        color_scheme="light",
        reduced_motion="reduce",
    )
    page = await context.new_page()
    claim = node.addresses.pop("claim", None)
    await page.goto(str(claim or f"{node.addresses['console']}/login"))
    await page.locator("input[name=name]").fill("anna")
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("main button.primary").click()
    await page.locator(f"form.languages button[value={picture.language}]").click()
    await page.locator(f"html[lang={picture.language}]").wait_for(state="attached")
    return page


async def _drawn(page: Page, *, has_plots: bool) -> None:
    await page.evaluate("document.fonts.ready")
    if has_plots:
        await page.locator(".live.is-live").first.wait_for()
        await page.locator("#readings .uplot").first.wait_for()


async def _main() -> int:
    with tempfile.TemporaryDirectory() as name:
        stage = set_stage(Path(name), SEED, Sheets(Console()))
        try:
            await play(stage)
            SCREENS.mkdir(parents=True, exist_ok=True)
            for old in SCREENS.glob("*.png"):
                old.unlink()
            taken = await take_pictures(stage, SCREENS)
        finally:
            stage.close()
    (SCREENS / LIST).write_text(listed(SCREENS, taken), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_main()))
