"""1C over the API of a real node: its messages once, late, changed and broken, and what it takes back."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiohttp import ClientSession

from node.exchange.messages_1c import Message
from node.services.access import Scope
from tests.unit.web.running import RunningWeb, get, post, problem_code, refused, view_of

MESSAGES = "/exchange/1c/messages"
ITEM = str(UUID(int=1))
DEVICE = str(UUID(int=2))


def message(number: int, kind: str, *objects: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A message of the contract; its id follows from its number."""
    envelope = {"id": str(UUID(int=1000 + number)), "number": number, "system": "ut-main"}
    return {"message": {**envelope, "created": "2026-05-04T10:00:00+05:00", "kind": kind, kind: [*objects], **changes}}


def item(**changes: Any) -> dict[str, Any]:
    return {"id": ITEM, "name": "Счётчик воды ВС-15Д", "article": "ВС-15Д-80", "central": "t:cw", **changes}


def device(n: int = 2, **changes: Any) -> dict[str, Any]:
    said = {"id": str(UUID(int=n)), "item": ITEM, "serial": f"250000{n:02d}", "made_on": "2026-04-30", "batch": "П-1"}
    return said | changes


async def log_size(web: RunningWeb) -> int:
    async with web.context.core.database.read() as tx:
        return (await web.context.ledger.stored(tx)).size


@pytest.mark.req("B32")
async def test_items_and_serials_of_1c_become_types_and_devices_and_a_replay_changes_nothing(web: RunningWeb) -> None:
    """Items are own codes with their central ones, serials are devices of that type; a replay says nothing."""
    client = await web.system(Scope.IMPORT, Scope.READ, name="1С")
    items, made = message(1, "items", item()), message(2, "devices", device(), device(3))
    paper = {
        "id": str(UUID(int=9)),
        "title": "Реализация",
        "number": "РТУ-7",
        "date": "2026-05-04",
        "devices": [DEVICE],
    }
    sold = message(3, "documents", paper)

    answers = [await post(client, MESSAGES, told) for told in (items, made, sold)]

    assert answers[0]["objects"][0]["central"] == "t:cw"
    found = answers[1]["objects"][0]["device"]
    view = await view_of(client, found)
    assert (view["type"]["local"], view["type"]["central"]) == (ITEM, "t:cw")
    assert view["identity"]["serial"]["value"] == "25000002"
    assert [(e["what"]["central"], e["system"], e["external"]) for e in view["events"]] == [
        ("manufactured", "1c:ut-main", DEVICE)
    ]
    aliases = {row["scheme"]: row["value"] for row in view["aliases"]}
    assert aliases["1c"] == f"ut-main:{DEVICE}"
    assert "РТУ-7" in aliases["1c_document"]
    size = await log_size(web)

    for told, first in zip((items, made, sold), answers, strict=True):
        async with client.post(f"/api/v1{MESSAGES}", json=told) as response:
            assert (response.status, response.headers["Message-Replayed"]) == (200, "true")
            assert await response.json() == first
    assert await log_size(web) == size
    rows = (await get(client, MESSAGES))["items"]
    assert [(row["number"], row["actor"]) for row in rows] == [(3, "token:1С"), (2, "token:1С"), (1, "token:1С")]


async def test_message_that_comes_late_overwrites_nothing_newer(web: RunningWeb) -> None:
    """An earlier number that arrives later leaves what a later one wrote, writes what nobody wrote, and says which."""
    client = web.local()
    await post(client, MESSAGES, message(1, "items", item()))
    await post(client, MESSAGES, message(9, "devices", device(batch="П-9")))
    size = await log_size(web)

    late = await post(client, MESSAGES, message(5, "devices", device(batch="П-5"), device(3)))
    same = await post(client, MESSAGES, message(10, "devices", device(batch="П-9")))

    told = {row["id"]: (row["state"], row["number"]) for row in late["objects"]}
    assert told == {DEVICE: ("older", 9), str(UUID(int=3)): ("written", None)}
    view = await view_of(client, same["objects"][0]["device"])
    assert [row["value"] for row in view["parameters"]["batch"]["values"]] == ["П-9"]
    assert same["objects"][0]["state"] == "same"
    assert await log_size(web) == size + 4  # the one new device: plate, alias, event, parameters


async def test_other_content_under_a_known_id_or_number_is_refused(web: RunningWeb) -> None:
    """A message id stands for one content, and a number for one message; a refusal writes nothing."""
    client = web.local()
    await post(client, MESSAGES, message(1, "items", item()))
    size = await log_size(web)

    changed = await refused(client, MESSAGES, message(1, "items", item(name="Другое")))
    taken = await refused(client, MESSAGES, message(1, "items", item(), id=str(UUID(int=77))))

    assert (changed, taken) == ("message_changed_1c", "number_taken_1c")
    assert await log_size(web) == size


async def test_message_with_one_wrong_object_is_refused_whole(web: RunningWeb) -> None:
    """Unknown items, a changed serial and devices that never came are named by place, and nothing is written."""
    client = web.local()
    await post(client, MESSAGES, message(1, "items", item(), item(id=str(UUID(int=5)), central=None)))
    await post(client, MESSAGES, message(2, "devices", device()))
    size = await log_size(web)
    wrong = [device(4), device(2, serial="25000099"), device(6, item=str(UUID(int=5)))]
    paper = {"id": str(UUID(int=9)), "title": "Реализация", "number": "1", "date": "2026-05-04", "devices": [ITEM]}

    async with client.post(f"/api/v1{MESSAGES}", json=message(3, "devices", *wrong)) as response:
        assert response.status == 422
        told = await response.json(content_type=None)
    code = await refused(client, MESSAGES, message(4, "documents", paper))

    assert told["code"] == code == "message_refused_1c"
    assert [(one["pointer"], one["rule"]) for one in told["errors"]] == [
        ("/message/devices/1/serial", "serial-changed"),
        ("/message/devices/2/item", "item-unknown"),
    ]
    assert await log_size(web) == size
    assert len((await get(client, MESSAGES))["items"]) == 2


async def test_day_that_has_not_come_is_refused_by_its_place(web: RunningWeb) -> None:
    """Neither a device nor a document of a day to come is signed, where it could never be taken back."""
    client = web.local()
    await post(client, MESSAGES, message(1, "items", item()))
    await post(client, MESSAGES, message(2, "devices", device()))
    paper = {"id": str(UUID(int=9)), "title": "Реализация", "number": "1", "date": "2099-01-01", "devices": [DEVICE]}

    for number, kind, said in ((3, "devices", device(3, made_on="2099-01-01")), (4, "documents", paper)):
        async with client.post(f"/api/v1{MESSAGES}", json=message(number, kind, said)) as response:
            (error,) = (await response.json(content_type=None))["errors"]
        assert (error["rule"], error["pointer"].split("/")[-1]) == ("day-ahead", {3: "made_on", 4: "date"}[number])


async def test_correction_of_1c_stands_whichever_day_it_names(web: RunningWeb) -> None:
    """A later message puts an earlier day and another batch in place of what was said."""
    client = web.local()
    await post(client, MESSAGES, message(1, "items", item()))
    first = await post(client, MESSAGES, message(2, "devices", device()))

    await post(client, MESSAGES, message(3, "devices", device(made_on="2026-04-01", batch="П-2")))

    view = await view_of(client, first["objects"][0]["device"])
    assert {
        code: [one["value"] for one in view["parameters"][code]["values"]] for code in ("batch", "manufactured_on")
    } == {"batch": ["П-2"], "manufactured_on": ["2026-04-01"]}
    assert view["made"] == "2026-04-01"


async def test_system_tells_of_its_own_base_alone(web: RunningWeb) -> None:
    """Nobody writes in the name of a base that has a registered system's name, or whose messages one sent first."""
    clients = {}
    for name in ("ut-main", "Торговля"):
        await post(web.local(), "/systems", {"name": name, "kind": "1C", "scopes": ["import"], "writes": ["imports"]})
        issued = await post(web.local(), f"/systems/{name}/tokens", {})
        clients[name] = web.client({"Authorization": f"Bearer {issued['secret']}"})

    await post(clients["ut-main"], MESSAGES, message(1, "items", item()))
    await post(clients["Торговля"], MESSAGES, message(1, "items", item(), system="erp"))

    for client, base in (("Торговля", "ut-main"), ("ut-main", "erp")):
        told = message(2, "items", item(), system=base)
        assert await refused(clients[client], MESSAGES, told) == "base_taken_1c"
        assert await refused(web.local(), MESSAGES, told) == "base_taken_1c"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[" * 100_000,
        b'{"message": 1}',
        json.dumps(message(1, "items")).encode(),
        json.dumps(message(1, "items", item(), item())).encode(),
        json.dumps(message(0, "items", item())).encode(),
        json.dumps(message(1, "items", item(id="1"))).encode(),
        json.dumps(message(1, "orders", item())).encode(),
        json.dumps(message(1, "items", item(name="а\u202eб"))).encode(),
        json.dumps(message(1, "items", item(), created="2026-05-04")).encode(),
        json.dumps(message(1, "devices", device(made_on="2025-02-30"))).encode(),
        json.dumps(message(1, "devices", device(made_on="1900-01-01"))).encode(),
        b" " * ((10 << 20) + 1),
    ],
)
async def test_message_out_of_shape_is_a_clear_problem(web: RunningWeb, body: bytes) -> None:
    """Broken JSON, a wrong shape and more than ten megabytes are refused with a code, and nothing is written."""
    client = web.local()
    size = await log_size(web)

    async with client.post(f"/api/v1{MESSAGES}", data=body, headers={"Content-Type": "application/json"}) as response:
        assert 400 <= response.status < 500
        await problem_code(response)

    assert await log_size(web) == size


async def test_1c_takes_back_what_became_of_its_devices(web: RunningWeb) -> None:
    """Each device whose passport changed is told once by the id of 1C; from the last place on nothing is left."""
    client = web.local()
    await post(client, MESSAGES, message(1, "items", item()))
    made = await post(client, MESSAGES, message(2, "devices", device(), device(3)))

    first = await get(client, "/exchange/1c/changes", system="ut-main")
    await record(client, made["objects"][1]["device"])
    second = await get(client, "/exchange/1c/changes", system="ut-main", after=str(first["next"]))
    third = await get(client, "/exchange/1c/changes", system="ut-main", after=str(second["next"]))

    assert {row["id"] for row in first["items"]} == {DEVICE, str(UUID(int=3))}
    assert [(row["id"], row["state"]) for row in second["items"]] == [(str(UUID(int=3)), "packed")]
    assert third["items"] == []
    assert (await get(client, "/exchange/1c/changes", system="other"))["items"] == []


async def record(client: ClientSession, found: str) -> None:
    body = {"what": "packed", "where": "склад", "when": "2026-05-02"}
    await post(client, f"/passports/{found}/events", body)


def test_contract_for_people_holds_messages_that_are_taken() -> None:
    """Each example of docs/1c.md is a message of the contract."""
    text = (Path(__file__).parents[2] / "docs" / "1c.md").read_text()
    examples = [part.partition("```")[0] for part in text.split("```json\n")[1:]]
    kinds = {Message.model_validate_json(one).message.kind for one in examples if '"message"' in one[:20]}
    assert kinds == {"items", "devices", "documents"}
