"""Boxes through the console and the API of one node: codes are shown once, refusals say what to do."""

import re
import sqlite3

import pytest

from tests.integration.test_labels import meters, scanned
from tests.unit.web.running import RunningWeb, get, post, refused

pytestmark = pytest.mark.slow


async def test_codes_are_shown_once_and_printed(web: RunningWeb) -> None:
    """The page that made the boxes shows their codes and prints their sheets; no other page and no table has them."""
    devices = await meters(web, 3)
    person = await web.claim()
    async with person.get("/boxes/new") as response:
        assert 'name="listed"' in await response.text()
    async with person.post("/boxes", data={"number": "ТТН-1", "size": "2", "listed": "\n".join(devices)}) as response:
        page = await response.text()
        assert (response.status, response.headers["Cache-Control"]) == (200, "no-store")
    codes, ids = re.findall(r"<code>(BOX1-\w{28})</code>", page), re.findall(r'name="ids" value="([^"]+)"', page)
    assert len(codes) == len(ids) == 2

    async with person.post("/boxes/sheets", data=[*(("ids", i) for i in ids), *(("codes", c) for c in codes)]) as got:
        assert got.content_type == "application/pdf"
        links = scanned(await got.read(), 300)
    firsts = [sorted(devices[:2])[0], devices[2]]
    assert links == [f"https://works.example/d/{id_}#{code}" for id_, code in zip(firsts, codes, strict=True)]
    async with person.get("/shipments") as response:
        listed = await response.text()
    async with person.get(f"/shipments/{ids[0]}", headers={"Accept-Language": "ru"}) as response:
        shown = await response.text()
    assert "ТТН-1/2" in listed
    assert "отзовите коробку и соберите заново" in shown
    assert not [code for code in codes if code in listed + shown]
    assert [row["state"] for row in (await get(web.local(), "/boxes"))["items"]] == ["waiting", "waiting"]
    async with web.local().get("/api/v1/boxes", params={"limit": "1"}, headers={"Accept": "text/csv"}) as response:
        assert (await response.text()).count("ТТН-1") == 2


async def test_repeated_request_gets_the_same_codes(web: RunningWeb) -> None:
    """With an Idempotency-Key the answer is kept for a day, sealed: the store has no code in clear."""
    devices, client = await meters(web, 1), web.local()
    answers = []
    for _ in range(2):
        body = {"number": "ТТН-2", "devices": devices}
        async with client.post("/api/v1/boxes", json=body, headers={"Idempotency-Key": "one"}) as response:
            assert response.status == 201, await response.text()
            answers.append(await response.json())

    assert answers[0] == answers[1]
    code = answers[0]["items"][0]["code"]
    with sqlite3.connect(web.context.core.folder.database) as store:
        dump = "\n".join(store.iterdump())
    assert code not in dump
    assert code.encode().hex() not in dump.lower()


async def test_boxes_that_cannot_be_made_or_claimed_say_why(web: RunningWeb) -> None:
    """Nothing listed, a device twice, some with a box and some without, one shipped already; a slip of the pen."""
    one, two = await meters(web, 2)
    client, person = web.local(), await web.claim()
    made = (await post(client, "/boxes", {"number": "1", "devices": [one]}))["items"][0]
    slip = made["code"][:-1] + ("0" if made["code"][-1] != "0" else "2")
    for path, body, code in (
        ("/boxes", {"number": "1", "devices": [one]}, "shipped_already"),
        ("/boxes", {"number": "1", "devices": [two + "\tа", two + "\tб"]}, "box_split"),
        ("/boxes", {"number": "1", "devices": [two + ";а", one]}, "box_split"),
        ("/boxes", {"number": "1", "devices": ["0000009"]}, "label_unnamed"),
        ("/boxes/sheets", {"items": [{"id": made["id"], "code": slip}]}, "box_mistyped"),
        ("/boxes/sheets", {"items": [{"id": two, "code": made["code"]}]}, "shipment_unknown"),
        ("/boxes/claims", {"code": slip, "device": one}, "box_mistyped"),
        ("/boxes/claims", {"code": made["code"]}, "box_no_device"),
        ("/boxes/claims", {"code": made["scan"]}, "not_a_member"),
    ):
        assert await refused(client, path, body) == code, body
    for asked, answer in ((made["scan"], 200), (made["code"], 422), (slip.lower(), 422)):
        async with client.get("/api/v1/lookup", params={"q": asked}) as response:
            assert response.status == answer, await response.text()
            assert made["code"] not in await response.text()
    async with person.get("/find", params={"q": made["code"]}, headers={"Accept-Language": "ru"}) as response:
        assert "Это код коробки" in await response.text()
    for path, data, words in (
        ("/boxes", {"number": "1"}, "Нет номера накладной или приборов"),
        ("/boxes/claim", {"code": slip}, "Код коробки записан с ошибкой"),
    ):
        async with person.post(path, data=data, headers={"Accept-Language": "ru"}) as response:
            assert response.status == 422
            assert words in await response.text()
    async with person.get("/boxes/claim") as response:
        assert 'name="device"' in await response.text()
