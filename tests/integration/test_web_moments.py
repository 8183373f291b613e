"""The API's answers about a day, about what goes on, about protocols, organisations and shipments."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.unit.node_protocols.builders import DESIGNATION, document, ended, template
from tests.unit.web.running import RunningWeb, post, problem_code

PLATE = {"designation": DESIGNATION, "serial": "00012345"}
PART = {"position": "плата", "designation": "П-1", "serial": "18", "removed_serial": "17"}
NEVER = "EPP1-000000000000000000000000000"


async def ask(client: ClientSession, path: str, **query: str) -> Any:  # Any: JSON
    async with client.get(f"/api/v1{path}", params=query) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def refusal(client: ClientSession, path: str, **query: str) -> tuple[int, str]:
    async with client.get(f"/api/v1{path}", params=query) as response:
        return response.status, await problem_code(response)


async def mended(client: ClientSession) -> str:
    """A device with two values of one parameter and a part that was replaced."""
    device = str((await post(client, "/plates", PLATE))["id"])
    rows = [
        {"code": {"central": "dn"}, "value": "15", "unit": "mm", "since": "2026-01-10"},
        {"code": {"central": "dn"}, "value": "20", "unit": "mm", "since": "2026-03-01"},
        {"code": {"local": "ЦВЕТ"}, "value": "синий", "since": "2026-02-01"},
    ]
    await post(client, f"/passports/{device}/parameters", {"rows": rows})
    await post(client, f"/passports/{device}/repairs", {"where": "цех", "when": "2026-05-01", "parts": [PART]})
    return device


@pytest.mark.parametrize(
    ("on", "values"),
    [
        ("2026-01-09", {}),
        ("2026-01-10", {"dn": "15"}),
        ("2026-02-28", {"dn": "15", "ЦВЕТ": "синий"}),
        ("2026-03-01", {"dn": "20", "ЦВЕТ": "синий"}),
        ("2026-02-28T23:59:59Z", {"dn": "15", "ЦВЕТ": "синий"}),
    ],
)
async def test_parameters_are_answered_on_a_day(web: RunningWeb, on: str, values: dict[str, str]) -> None:
    """What stood at the end of a day, or at a moment, with unit, valid-from and who said it."""
    client = web.local()
    device = await mended(client)

    answer = await ask(client, f"/passports/{device}/parameters", on=on)

    assert {row["code"].rpartition("/")[2]: row["value"] for row in answer["items"]} == values
    assert answer["on"] == on
    for row in answer["items"]:
        if row["code"] == "dn":
            assert (row["unit"], row["by"], row["others"]) == ("mm", web.context.core.org.hex(), [])


async def test_names_of_parameters_follow_the_language(web: RunningWeb) -> None:
    """A central parameter is named in the language of the request; an own one keeps its own code."""
    client = web.local()
    device = await mended(client)
    client.headers["Accept-Language"] = "en"

    names = {row["name"] for row in (await ask(client, f"/passports/{device}/parameters", on="2026-06-01"))["items"]}

    assert names == {"Nominal diameter", "ЦВЕТ"}


@pytest.mark.req("B58")
@pytest.mark.parametrize(("on", "serial"), [("2026-04-30", "17"), ("2026-05-01", "18"), ("2026-06-01", "18")])
async def test_composition_is_answered_on_a_day(web: RunningWeb, on: str, serial: str) -> None:
    """The part that came out stood inside until the repair, the one that went in from then on."""
    client = web.local()
    device = await mended(client)

    (part,) = (await ask(client, f"/passports/{device}/composition", on=on))["items"]

    assert (part["serial"], part["position"], part["quantity"]) == (serial, "плата", "1")
    assert part["part"].startswith("EPP1-")


async def test_without_a_day_the_answer_is_of_today(web: RunningWeb) -> None:
    """Nothing asked means the node's own day, which the answer tells; what comes later does not stand yet."""
    client = web.local()
    device = await mended(client)

    tomorrow = {"code": {"central": "dn"}, "value": "25", "unit": "mm", "since": "2026-09-22"}
    await post(client, f"/passports/{device}/parameters", {"rows": [tomorrow]})

    answer = await ask(client, f"/passports/{device}/parameters")

    assert answer["on"] == "2026-09-21"
    assert sorted(row["value"] for row in answer["items"]) == ["20", "синий"]


@pytest.mark.parametrize("what", ["parameters", "composition"])
@pytest.mark.parametrize(
    ("device", "on", "refused"),
    [
        (None, "2026-02-30", (422, "moment")),
        (None, "yesterday", (422, "validation")),
        (NEVER, "2026-01-01", (422, "id_mistyped")),
    ],
)
async def test_day_that_is_none_is_refused(
    web: RunningWeb, what: str, device: str | None, on: str, refused: tuple[int, str]
) -> None:
    """A day that the calendar has not, a text that is no day, and a mistyped id are refused with their codes."""
    client = web.local()
    known = await mended(client)

    assert await refusal(client, f"/passports/{device or known}/{what}", on=on) == refused


async def test_processes_tell_what_a_repair_waits_for(web: RunningWeb) -> None:
    """A repair waits for a verification; the API tells it as the page does."""
    client = web.local()
    device = await mended(client)

    (process,) = (await ask(client, f"/passports/{device}/processes"))["items"]

    assert (process["what"], process["code"]) == ("verification", "repaired")
    assert process["by"] == web.context.core.org.hex()


@pytest.mark.req("B57")
async def test_protocol_is_answered_with_the_digits_that_were_signed(web: RunningWeb) -> None:
    """The list names each protocol; one of them is answered as the JSON that was signed, its personal part with it."""
    client = web.local()
    device = str((await post(client, "/plates", PLATE))["id"])
    async with client.post("/api/v1/templates", data=template("verification")) as response:
        reference = (await response.json())["reference"]
    raw = document("verification", device, "00012345", {})
    async with client.post("/api/v1/protocols", params={"template": reference}, data=raw) as response:
        assert response.status == 201, await response.text()

    (listed,) = (await ask(client, f"/passports/{device}/protocols"))["items"]
    paper = await ask(client, f"/passports/{device}/protocols/{listed['ref']}")

    assert (listed["document"], listed["template"], listed["whole"]) == (None, reference, True)
    assert paper["document"] == raw.decode()
    assert json.loads(paper["document"])["metrologist"]
    missing = listed["ref"][:-1] + ("0" if listed["ref"][-1] != "0" else "1")
    assert await refusal(client, f"/passports/{device}/protocols/{missing}") == (404, "protocol_unknown")


async def test_federation_and_organisations_are_answered(web: RunningWeb) -> None:
    """Before a federation there is none to read; the own card stands among the organisations with its kind."""
    client = web.local()
    assert await refusal(client, "/federation") == (409, "no_federation")
    web.context.membership.url = "https://127.0.0.1:8441"
    await web.context.membership.publish_card()
    founded = await post(client, "/federation", {"name": "Демо"})

    assert await ask(client, "/federation") == founded
    (own,) = (await ask(client, "/organisations"))["items"]
    assert (own["name"], own["kind"], own["own"], own["inn"]) == ("ООО «Счётчик»", "maker", True, "7707083893")


async def test_shipment_tells_what_of_it_is_here(web: RunningWeb) -> None:
    """One shipment is read by its id, with how many passports and sealed keys are here."""
    client = web.local()
    device = str((await post(client, "/plates", PLATE))["id"])
    body = {"buyer": await web.meet("buyer"), "number": "ТТН-1", "devices": [device]}
    offered = await post(client, "/shipments", body)

    found = await ask(client, f"/shipments/{offered['id']}")

    assert found == offered
    assert (found["passports"], found["keys"], found["accepted"]) == (1, 0, False)
    assert await refusal(client, f"/shipments/{device}") == (404, "shipment_unknown")


async def test_report_has_a_file_name(web: RunningWeb) -> None:
    """The rows to correct come as a file that a browser saves under a name with its ending."""
    client = web.local()
    raw = "Код 1С;Обозначение;Заводской номер\nX;НЕТ-1;1\n".encode()
    async with client.post("/api/v1/imports", params={"name": "май.csv"}, data=raw) as response:
        job = (await response.json())["job"]
    running = asyncio.create_task(web.context.jobs.run())
    try:
        answer = await ask(client, f"/jobs/{job}", wait="10")
    finally:
        await ended(running)

    assert (answer["state"], answer["result"]["file"], answer["result"]["accepted"]) == ("done", "май.csv", 0)
    async with client.get(f"/api/v1/jobs/{job}/report", params={"format": "csv"}) as response:
        assert response.headers["Content-Disposition"] == f'attachment; filename="report-{job}.csv"'
