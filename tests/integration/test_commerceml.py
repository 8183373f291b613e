"""A CommerceML file over the API of a real node: own codes of types, what is not bound, and a file sent twice."""

import asyncio
from pathlib import Path

from tests.unit.node_protocols.builders import ended
from tests.unit.web.running import RunningWeb, get, post, problem_code

SAMPLE = Path(__file__).parents[2] / "examples" / "exchange" / "commerceml" / "import.xml"


async def imported(web: RunningWeb, raw: bytes) -> dict[str, object]:
    client = web.local()
    running = asyncio.create_task(web.context.jobs.run())
    try:
        async with client.post(
            "/api/v1/imports", params={"kind": "commerceml", "name": "import.xml"}, data=raw
        ) as response:
            assert response.status == 202, await response.text()
            job = (await response.json())["job"]
        told: dict[str, object] = await get(client, f"/jobs/{job}", wait="20")
    finally:
        await ended(running)
    return told


async def test_items_become_own_codes_and_a_file_sent_twice_says_nothing(web: RunningWeb) -> None:
    """Two items are codes to be bound, the removed one is none; after binding the same file finds one unbound."""
    first = await imported(web, SAMPLE.read_bytes())

    client = web.local()
    codes = {row["local"]: row for row in (await get(client, "/catalogs/types/codes"))["items"]}
    assert {row["name"] for row in codes.values()} == {"Счётчик воды ВС-15Д (ВС-15Д-80)", "Счётчик воды ВС-20Д"}
    assert first["state"] == "done"
    told = first["result"]
    assert isinstance(told, dict)
    assert (told["accepted"], told["repeated"], told["gone"], told["unbound_count"]) == (2, 0, 1, 2)

    bound = {"local": "8a7d2f10-5b7e-11ee-8c99-0242ac120002", "central": "t:cw"}
    await post(client, "/catalogs/types/mappings", {"items": [bound]})
    async with web.context.core.database.read() as tx:
        size = (await web.context.ledger.stored(tx)).size
    again = (await imported(web, SAMPLE.read_bytes()))["result"]

    assert isinstance(again, dict)
    assert (again["accepted"], again["repeated"], again["unbound"]) == (0, 2, ["Счётчик воды ВС-20Д"])
    async with web.context.core.database.read() as tx:
        assert (await web.context.ledger.stored(tx)).size == size


async def test_file_that_is_none_is_refused_before_a_job_is_taken(web: RunningWeb) -> None:
    """An entity bomb is a problem of the request, in the reader's language, and there is no job."""
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>'
    client = web.local()

    async with client.post("/api/v1/imports", params={"kind": "commerceml"}, data=bomb) as response:
        assert response.status == 422
        assert await problem_code(response) == "import_unreadable"

    assert (await get(client, "/jobs"))["items"] == []
