"""The console's forms of processes and procedures without any script: what they do, keep and refuse."""

from typing import Any

from aiohttp import ClientSession

from node.web.routes import API
from tests.integration.test_web_processes import device, opened
from tests.unit.web.running import SAME_ORIGIN, RunningWeb, get

Json = Any  # Any: JSON


async def sent(browser: ClientSession, path: str, **form: str) -> tuple[int, str]:
    """What a form is answered; a redirect is followed."""
    async with browser.post(path, data=form, headers=SAME_ORIGIN) as response:
        return response.status, await response.text()


async def process(client: ClientSession, run: str) -> Json:
    """A process as it stands."""
    return (await get(client, f"/processes/{run}"))["process"]


async def test_process_is_moved_declined_given_and_cancelled_by_forms(web: RunningWeb) -> None:
    """Each form of the page does its act; a refusal shows what is wrong and keeps what was typed."""
    client, browser = web.local(), await web.claim()
    (run,) = await opened(client, "dispatch_request", await device(client))
    org = (await get(client, "/node"))["org"]
    path = f"/processes/{run}"

    status, page = await sent(browser, f"{path}/steps/visit", detail="1", parts="2", where="склад")
    assert (status, 'value="склад"' in page) == (422, True)
    status, _ = await sent(browser, f"{path}/steps/visit", **{"detail.found": "течь", "when": "не дата"})
    assert status == 422
    status, page = await sent(browser, f"{path}/steps/visit", **{"detail.found": "течь"})
    assert (status, "течь" in page) == (200, True)
    await sent(browser, f"{path}/refusal", reason="нет бригады")
    assert (await process(client, run))["waits"]["org"] is None
    assert (await sent(browser, f"{path}/roles", **{"role.executor": "xx"}))[0] == 409
    assert (await sent(browser, f"{path}/roles", role="xx"))[0] == 200
    assert (await sent(browser, f"{path}/roles", **{"role.executor": org}))[0] == 200
    assert (await process(client, run))["waits"]["org"] == org
    assert (await sent(browser, f"{path}/closing"))[0] == 422
    await sent(browser, f"{path}/closing", reason="ошибка")
    assert (await process(client, run))["state"] == "cancelled"
    async with browser.get("/processes?state=closed") as response:
        assert "отменён" in await response.text()


async def test_process_is_opened_about_pasted_devices_or_the_wrong_line_is_named(web: RunningWeb) -> None:
    """A line that names nothing stops all of them; put right, one process runs about each device."""
    client, browser = web.local(), await web.claim()
    meters = [await device(client, f"{number:07}") for number in range(2)]
    await browser.post("/procedures", data={"shipped": "dispatch_request"}, headers=SAME_ORIGIN)
    (held,) = (await get(client, "/procedures"))["items"]
    form = {"procedure": held["digest"], "number": "О-1"}

    _, page = await sent(browser, "/processes/new", **form, devices=f"{meters[0]}\nнет такого\n0000001")
    assert "нет такого" in page
    assert (await get(client, "/processes"))["items"] == []
    await sent(browser, "/processes/new", **form, devices=f"{meters[0]}\nВС-15 № 0000001")
    assert {row["id"] for row in (await get(client, "/processes"))["items"]} == set(meters)


async def test_own_missing_acceptance_is_told_with_the_own_name(web: RunningWeb) -> None:
    """Whoever takes no part by a procedure reads that it is his own organisation which has to accept it."""
    client, browser = web.local(), await web.claim()
    await browser.post("/procedures", data={"shipped": "dispatch_request"}, headers=SAME_ORIGIN)
    (held,) = (await get(client, "/procedures"))["items"]
    path, headers = f"{API}/procedures/{held['digest']}/acceptance", {"Accept-Language": "ru"}
    async with client.delete(path) as ended, client.delete(path, headers=headers) as response:
        assert ended.status == 200
        assert (await response.json())["detail"] == "dispatch_request 1: ООО «Счётчик»"


async def test_form_of_a_procedure_with_odd_names_is_answered_with_what_is_wrong(web: RunningWeb) -> None:
    """Names that no page sends are refused as any other mistake, and nothing is published."""
    client, browser = web.local(), await web.claim()
    odd = {"title": "x", "steps.0.title": "y", "steps.0.outcomes": "z", "roles": "r", "steps.1": "s", "kinds.0": "k"}

    status, page = await sent(browser, "/procedures/new", **odd)
    assert (status, "Обязательного поля нет" in page) == (422, True)
    assert (await sent(browser, "/procedures/new", **odd, act="drop-0"))[0] == 200
    assert (await sent(browser, "/procedures/new", act="up-7"))[0] == 200
    assert (await get(client, "/procedures"))["items"] == []
