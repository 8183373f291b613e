"""Where a production file says its meters were made, in which no column tells it."""

import asyncio

from node.demo.files import HEADER, make_line
from node.exchange.tables import write_csv
from node.web.routes import API
from tests.trade import WATER, meters
from tests.unit.node_protocols.builders import ended
from tests.unit.web.running import RunningWeb, get, post, view_of


async def test_place_that_nobody_named_is_said_to_be_so(web: RunningWeb) -> None:
    """The node's own settings name no place: the event is marked as a default, and the page tells it in words."""
    client, org = web.local(), web.context.core.org.hex()
    await post(client, "/federation", {"name": "Демо-федерация"})
    await post(client, "/attestations", {"org": org, "what": "maker", "rows": []})
    record = make_line(WATER, "00" * 16, org).model_dump(mode="json", exclude_none=True)
    del record["line"]
    await post(client, "/lines", {"record": record})
    await post(client, "/references", {"catalog": "types", "local": WATER.local, "central": WATER.central})
    raw = write_csv(HEADER, meters(1))
    async with client.post(f"{API}/imports", params={"name": "май.csv"}, data=raw) as response:
        job = (await response.json())["job"]
    running = asyncio.create_task(web.context.jobs.run())
    try:
        done = await get(client, f"/jobs/{job}", wait="20")
    finally:
        await ended(running)
    (device,) = (await get(client, "/passports"))["items"]
    browser = await web.claim()

    view = await view_of(client, device["id"])
    async with browser.get(f"/devices/{device['id']}") as response:
        page = await response.text()

    assert done["result"]["accepted"] == 1
    (made,) = [event for event in view["events"] if event["what"]["central"] == "manufactured"]
    assert (made["where"]["place"]["local"], made["where"]["default"]) == ("не указано", True)
    assert "место никто не называл" in page
