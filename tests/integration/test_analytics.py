"""Failure rates over the API of a real node: batches, lots of components, days, and tables."""

import csv
import io
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.unit.web.running import RunningWeb, get, post

DAY = "2026-05-01"
LOTS = ("МОД-1", "ПЛ-7", "ПЛ-8")  # the largest share of failures first


async def device(client: ClientSession, n: int, batch: str) -> str:
    """A meter of a batch, made on the first of April."""
    plate = {"designation": "ВС-15Д", "serial": f"25001{n:03d}", "approvals": ["999902-00"]}
    said = await post(client, "/plates", plate)
    row = {"code": "batch", "value": batch, "since": "2026-04-01"}
    await post(client, f"/passports/{said['id']}/parameters", {"rows": [row]})
    return str(said["id"])


async def happened(client: ClientSession, found: str, what: str, when: str = DAY) -> None:
    await post(client, f"/passports/{found}/events", {"what": what, "where": "цех", "when": when})


async def rates(client: ClientSession, **query: str) -> dict[str, tuple[int, int, str]]:
    """Devices, failed and rate of each group by name."""
    rows = (await get(client, "/analytics/failures", **query))["items"]
    return {row["name"]: (row["devices"], row["failed"], row["rate"]) for row in rows}


async def test_failure_rate_by_batch_is_one_question(web: RunningWeb) -> None:
    """A device that failed twice is one; days narrow what counts; the same question is a table."""
    client = web.local()
    first = [await device(client, n, "П-1") for n in range(4)]
    second = [await device(client, n, "П-2") for n in range(4, 6)]
    await happened(client, first[0], "repaired")
    await happened(client, first[0], "repaired", "2026-05-03")
    await happened(client, first[1], "rejected", "2026-06-01")
    await happened(client, second[0], "packed")

    assert await rates(client) == {"П-1": (4, 2, "0.5000"), "П-2": (2, 0, "0.0000")}
    assert (await rates(client, until="2026-05-31"))["П-1"] == (4, 1, "0.2500")
    assert (await rates(client, since="2026-06-01"))["П-1"] == (4, 1, "0.2500")
    rows = (await get(client, "/analytics/failures"))["items"]
    assert rows[0]["codes"] == {"rejected": 1, "repaired": 2}
    async with client.get("/api/v1/analytics/failures", headers={"Accept": "text/csv"}) as response:
        assert response.status == 200
        table = list(csv.reader(io.StringIO((await response.read()).decode("utf-8-sig")), delimiter=";"))
    assert [row[1:5] for row in table[1:]] == [["П-1", "4", "2", "0,5000"], ["П-2", "2", "0", "0,0000"]]


@pytest.mark.req("B21")
async def test_failure_rate_by_lot_reaches_parts_inside_parts(web: RunningWeb) -> None:
    """Devices with a board of a lot are counted under it, however deep the board stands."""
    client = web.local()
    meters = [await device(client, n, "П-1") for n in range(3)]
    boards = [await part(client, f"Плата {n}", "ПЛ-7" if n < 2 else "ПЛ-8") for n in range(3)]
    module = await part(client, "Модуль", "МОД-1")
    await inside(client, boards[0], meters[0])
    await inside(client, module, meters[1])
    await inside(client, boards[1], module)
    await inside(client, boards[2], meters[2])
    await happened(client, meters[1], "rejected")

    found = await rates(client, by="lot")

    assert found == {"ПЛ-7": (2, 1, "0.5000"), "МОД-1": (1, 1, "1.0000"), "ПЛ-8": (1, 0, "0.0000")}
    both = (await get(client, "/analytics/failures?by=batch&by=lot"))["items"]
    assert [(row["by"], row["name"]) for row in both] == [("batch", "П-1"), *(("lot", name) for name in LOTS)]


async def test_events_of_all_devices_are_one_list(web: RunningWeb) -> None:
    """Page after page each event is told once; code and days narrow them; the list is a CSV and JSONL file too."""
    client = web.local()
    meters = [await device(client, n, "П-1") for n in range(5)]
    for n, found in enumerate(meters):
        await happened(client, found, "packed", f"2026-05-0{n + 1}")
        await happened(client, found, "repaired", "2026-06-01")

    everything = await get(client, "/analytics/events")
    told: list[Any] = []
    query: dict[str, str] = {"limit": "3"}
    while True:
        page = await get(client, "/analytics/events", **query)
        told += page["items"]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]

    assert told == everything["items"]
    assert sorted((row["id"], row["what"]) for row in told) == sorted(
        (found, what) for found in meters for what in ("packed", "repaired")
    )
    packed = await get(client, "/analytics/events", what="packed", since="2026-05-02", until="2026-05-04")
    assert len(packed["items"]) == 3
    for accept in ("text/csv", "application/jsonl"):
        async with client.get("/api/v1/analytics/events", headers={"Accept": accept}) as response:
            assert response.status == 200, await response.text()
            assert (await response.text()).count("EPP1-") == 10


async def part(client: ClientSession, name: str, batch: str) -> str:
    said: Any = await post(client, "/things", {"kind": "component", "name": name})
    row = {"code": "batch", "value": batch, "since": "2026-03-01"}
    await post(client, f"/passports/{said['id']}/parameters", {"rows": [row]})
    return str(said["id"])


async def inside(client: ClientSession, one: str, whole: str) -> None:
    await post(client, f"/passports/{whole}/parts", {"parts": [{"id": one}], "since": "2026-04-01"})
