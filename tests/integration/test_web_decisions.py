"""The pages of registration, comparison, conflicts and composition over HTTP, as a browser without script sees them."""

import re
from typing import Any

import pytest
from aiohttp import ClientSession

from node.services.access import Actor, Scope
from tests.unit.web.running import RunningWeb, problem_code, view_of

HERE, THERE = "ул. Ленина, 5, кв. 12", "пр. Мира, 7, кв. 3"
PLATE = {"designation": "ВС-15", "serial": "0012345", "approval": "12345-18"}
HTMX = {"HX-Request": "true"}
ID = re.compile(r"EPP1-[0-9A-Z]{28}")
Json = Any  # Any: JSON


async def send(browser: ClientSession, path: str, form: Json, status: int, **headers: str) -> tuple[str, str]:
    """The page that answers a form, and where it leads."""
    async with browser.post(path, data=form, headers=headers, allow_redirects=False) as response:
        assert response.status == status, await response.text()
        return await response.text(), response.headers.get("Location", response.headers.get("HX-Redirect", ""))


async def page(browser: ClientSession, path: str, status: int = 200) -> str:
    async with browser.get(path, headers={"Accept": "text/html"}) as response:
        assert response.status == status, await response.text()
        return await response.text()


async def registered(browser: ClientSession, **form: str) -> str:
    """Register a device by the form; its id."""
    _, location = await send(browser, "/register", form, 303)
    return location.removeprefix("/devices/")


async def thing(browser: ClientSession, kind: str, name: str) -> str:
    _, location = await send(browser, "/register/things", {"kind": kind, "name": name}, 303)
    return location.removeprefix("/devices/")


@pytest.mark.req("A47")
async def test_typed_plate_is_registered_and_a_repeated_one_is_known(web: RunningWeb) -> None:
    """The text of a plate, its parts and the id on our label lead to one passport; slips of the pen are told."""
    browser = await web.claim()
    device = await registered(browser, text="ВС-15 № 0012345", approval="12345-18", place=HERE)
    view = await view_of(web.local(), device)

    again = await registered(browser, **PLATE)
    scanned, _ = await send(browser, "/register", {"text": f"https://x/d/{device}", "then": "next"}, 200, **HTMX)
    slip = device[:-1] + ("0" if device[-1] != "0" else "1")
    mistyped, _ = await send(browser, "/register", {"text": slip, "then": "next"}, 200, **HTMX)
    unread, _ = await send(browser, "/register", {"text": "ВС", "then": "next"}, 200, **HTMX)

    assert view["title"] == "ВС-15 № 0012345"
    assert again == device
    assert "уже был здесь" in scanned
    assert f"/devices/{device}" in scanned
    assert "Идентификатор прибора записан с ошибкой" in mistyped
    assert "не разобрана" in unread
    assert (await web.what()).count("plate_stated") == 1


async def test_hints_name_likely_devices_and_write_nothing(web: RunningWeb) -> None:
    """While one types the page tells how the text reads and which device it may be, in both languages."""
    browser = await web.claim()
    device = await registered(browser, **PLATE, place=HERE)
    before = await web.what()

    russian = await page(browser, f"/register/hints?text=ВС-15 № 0012354&place={HERE}")
    await web.context.access.change_language(Actor("anna", "person", frozenset()), "en")
    english = await page(browser, f"/register/hints?text=ВС-15 № 0012354&place={HERE}")
    known = await page(browser, f"/register/hints?text=ВС-15 № 0012345&approval=12345-18&place={HERE}")

    assert f"/devices/{device}" in russian
    assert "два знака номера переставлены" in russian
    assert "the same place" in english
    assert "Known already" in known
    assert "Perhaps this device" not in known
    assert (await page(browser, "/register/hints")).strip() == ""
    assert (await web.what())[len(before) :] in ([], ["language_changed"])


async def test_text_is_read_over_the_api_and_nothing_is_written(web: RunningWeb) -> None:
    """A program gets the parts of a typed plate, why no line is told, and the passport that exactly this leads to."""
    client, query = web.local(), {"text": "ВС-15 № 0012345", "approval": "ГРСИ 12345-18"}
    answers = []
    for _ in range(2):
        async with client.get("/api/v1/plates/reading", params=query) as response:
            answers.append(await response.json())
        body = {"text": query["text"], "approvals": ["12345-18"]}
        async with client.post("/api/v1/plates", json=body) as response:
            device = (await response.json())["id"]

    assert [answer["id"] for answer in answers] == [None, device]
    shown = {name: answers[0][name] for name in ("designation", "serial", "approvals", "line", "no_line", "finding")}
    assert shown == {
        "designation": "ВС-15",
        "serial": "0012345",
        "approvals": ["12345-18"],
        "line": None,
        "no_line": "unknown-designation",
        "finding": None,
    }
    assert (await web.what()).count("plate_stated") == 1


@pytest.mark.parametrize("answer", ["moved", "twin"])
async def test_plate_at_another_place_is_asked_about_with_both_answers(web: RunningWeb, answer: str) -> None:
    """The known place and the stated one stand side by side; a move ends the old stay, a twin is a passport more."""
    browser = await web.claim()
    device = await registered(browser, **PLATE, place=HERE)
    form = {**PLATE, "place": THERE, "then": "next"}
    asked, _ = await send(browser, "/register", form, 200)
    assert HERE in asked
    assert THERE in asked
    before = await web.what()
    assert 'value="moved"' in asked
    assert 'value="twin"' in asked

    answered, _ = await send(browser, "/register", {**form, "answer": answer, "when": "2026-06-01"}, 200, **HTMX)

    (found,) = set(ID.findall(answered.partition("Похоже")[0]))
    view = await view_of(web.local(), found)
    assert (found == device) is (answer == "moved")
    assert view["parameters"]["install_place"]["values"][-1]["value"] == THERE
    assert [e["what"]["central"] for e in view["events"]] == (["removed"] if answer == "moved" else [])
    assert view["conflicts"] == []
    assert ("move_recorded" in (await web.what())[len(before) :]) is (answer == "moved")


async def test_move_over_the_api_is_refused_without_a_passport_or_ahead_of_time(web: RunningWeb) -> None:
    """A move names a device that is known and a day that has come; what is refused leaves nothing written."""
    client = web.local()
    async with client.post("/api/v1/plates", json={"designation": "ВС-15", "serial": "1"}) as response:
        device = (await response.json())["id"]
    before = await web.what()

    codes = []
    for id_, when in ((device, "2999-01-01"), ("EPP1-0000000000000000000000000000", "2026-01-01"), (device, "x")):
        async with client.post(f"/api/v1/passports/{id_}/moves", json={"place": THERE, "when": when}) as response:
            codes.append(await problem_code(response))

    assert codes == ["moment_future", "passport_unknown", "validation"]
    assert await web.what() == before


async def test_two_passports_are_compared_joined_and_parted(web: RunningWeb) -> None:
    """The comparison marks what differs, folds away what agrees, tells whose word it takes, and shows what came."""
    browser = await web.claim()
    one = await registered(browser, designation="КТК-15", serial="12345", place=HERE)
    other = await registered(browser, designation="КТК 15И", serial="0012345", place=HERE)
    alike = await page(browser, f"/devices/{one}/alike")
    address = f"/compare?a={one}&b={other}"

    shown = await page(browser, address)
    _, back = await send(browser, "/compare", {"a": one, "b": other, "says": "same", "reason": "осмотр"}, 303)
    joined = await page(browser, back)
    ref = (await view_of(web.local(), one))["sameness"][0]["ref"]
    _, back = await send(browser, f"/devices/{one}/withdrawals", {"ref": ref, "other": other}, 204, **HTMX)

    assert other in alike
    assert "Расходятся 3 факта" in shown
    assert "подействует сразу" in shown
    assert "Оба номера ведут в один паспорт" in joined
    assert "осмотр" in joined
    assert back == address
    assert "Один прибор или два?" in await page(browser, address)
    async with web.local().get(f"/api/v1/comparisons?a={one}&b={one}") as response:
        assert await problem_code(response) == "sameness_self"


async def test_conflicts_are_listed_by_kind_with_a_count_in_the_menu(web: RunningWeb) -> None:
    """Passports that are kept apart against somebody's word are found, counted and shown, and no others."""
    browser = await web.claim()
    ids = [await registered(browser, designation="КТК-15", serial=str(number)) for number in (11, 22, 33)]
    assert "Решать нечего" in await page(browser, "/conflicts")
    for says, one, other in (("distinct", 0, 2), ("same", 0, 1), ("same", 1, 2)):
        await send(browser, "/compare", {"a": ids[one], "b": ids[other], "says": says}, 303)

    async with web.local().get("/api/v1/conflicts?limit=1") as response:
        first = await response.json()
    async with web.local().get(f"/api/v1/conflicts?limit=1&cursor={first['next']}") as response:
        second = await response.json()
    listed = await page(browser, "/conflicts?why=kept-apart")

    assert (first["total"], first["kinds"]) == (2, {"kept-apart": 2})
    assert [row["why"] for row in (*first["items"], *second["items"])] == [["kept-apart"]] * 2
    assert first["items"][0]["id"] != second["items"][0]["id"]
    assert "заявлено, что это разные приборы 2" in listed
    assert '<span class="count" title="Ждёт вас">2</span>' in listed
    assert "В паспортах есть что решить" in await page(browser, "/")
    assert "Решать нечего" in await page(browser, "/conflicts?why=two-parents")


async def test_twin_is_told_apart_by_ticked_statements(web: RunningWeb) -> None:
    """The page lists what was said; what is ticked moves to a passport of its own, and nothing ticked is refused."""
    browser = await web.claim()
    device = await registered(browser, **PLATE, place=HERE)
    shown = await page(browser, f"/devices/{device}/twins?by={web.context.core.org.hex()}")
    refs = re.findall(r'name="moves" value="([^"]+)"', shown)

    _, location = await send(browser, f"/devices/{device}/twins", {"moves": refs[-1], "reason": "два"}, 303)

    assert len(refs) == 2
    assert shown.count(" checked") == 2
    assert "Место установки" in shown
    compared = await page(browser, location)
    assert "возьмите это слово назад" in compared
    assert "install_place" not in (await view_of(web.local(), device))["parameters"]
    await send(browser, f"/devices/{device}/twins", {"reason": "два"}, 422)


@pytest.mark.req("B66")
async def test_recall_from_the_page_of_a_batch_stands_on_top_of_the_device(web: RunningWeb) -> None:
    """Parts go in by id and by what is printed; the batch names whom it reaches; the device shows the recall."""
    browser = await web.claim()
    lot, unit = await thing(browser, "batch", "Батарея"), await thing(browser, "unit", "Узел 1")
    meter = await registered(browser, **PLATE, place=HERE)

    async def put(whole: str, part: str, **more: str) -> str:
        form = {"part": part, "since": "2026-05-01", **more}
        return (await send(browser, f"/devices/{whole}/parts", form, 200, **HTMX))[0]

    assert "внутри" in await put(unit, meter, position="G1")
    assert "внутри" in await put(unit, "Пломба № 77", quantity="2,5")
    assert "внутри" in await put(meter, lot)
    assert "Деталь уже стоит здесь" in await put(unit, meter)
    assert "Изделие оказалось бы в своей же детали" in await put(meter, unit)
    slip = f"https://x/d/{meter[:-1]}{'0' if meter[-1] != '0' else '1'}"
    assert "записан с ошибкой" in await put(unit, slip)
    assert "внутри" not in await put(unit, "EPP1-0000000000000000000000000000")
    shown = await page(browser, f"/devices/{unit}")
    reached = await page(browser, f"/devices/{lot}/reach")
    recall = {"reason": "вздутие", "document": "Акт 7", "when": "2026-06-01"}
    await send(browser, f"/devices/{lot}/recalls", recall, 303)

    assert re.search(r"G1:</span> <a[^>]*>ВС-15 № 0012345", shown)
    assert "Пломба № 77</a>" in shown
    assert "× 2.5" in shown
    assert "1 прибор" in reached
    assert HERE in reached
    for device in (meter, lot):
        html = await page(browser, f"/devices/{device}")
        assert "card recall" in html
        assert html.index("card recall") < html.index('id="identity"')
        assert "Акт 7" in html
    assert "Отзыв: <a" in await page(browser, f"/devices/{meter}")

    out = {"part": meter, "when": "2026-07-01"}
    _, location = await send(browser, f"/devices/{unit}/removals", out, 204, **HTMX)
    assert location == f"/devices/{unit}"
    before, after = [await page(browser, f"/devices/{unit}?on={day}") for day in ("2026-06-30", "2026-07-01")]
    assert "G1:</span>" in before
    assert "G1:</span>" not in after


async def test_text_that_names_several_things_asks_for_the_id(web: RunningWeb) -> None:
    """A serial of two devices puts in neither, and the answer names both."""
    browser = await web.claim()
    unit = await thing(browser, "unit", "Узел 1")
    for designation in ("ВС-15", "СГВ-20"):
        await registered(browser, designation=designation, serial="0012345")

    form = {"part": "0012345", "since": "2026-05-01"}
    answered, _ = await send(browser, f"/devices/{unit}/parts", form, 200, **HTMX)

    assert "Под этим номером известно несколько изделий" in answered
    assert "ВС-15 № 0012345" in answered
    assert "parts_added" not in await web.what()


@pytest.mark.parametrize("path", ["/register", "/register/hints?text=x", "/devices/{id}/twins"])
async def test_reader_is_shown_no_page_that_writes(web: RunningWeb, path: str) -> None:
    """Who may only read gets neither the pages nor the acts of registration; the passport shows no forms."""
    browser = await web.claim()
    device = await registered(browser, **PLATE)
    reader = await web.system(Scope.READ)

    async with reader.get(path.format(id=device)) as response:
        assert response.status == 403
    html = await page(reader, f"/devices/{device}")
    assert "put-in" not in html
    async with reader.post("/register", data=PLATE, allow_redirects=False) as response:
        assert response.status == 403
