"""A node whose store is PostgreSQL: the working day's records, then every list and page that asks for nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession
from sqlalchemy import select

from node.demo.documents import verification_template
from node.store import schema
from node.store.held import hold_personal, release_personal
from node.web.server import ROUTES
from tests.conftest import fresh_database
from tests.integration.test_web_processes import device, do, opened, verification
from tests.metered import metered
from tests.unit.node_protocols.builders import ended
from tests.unit.web.running import RunningWeb, get, post, running_web

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


@pytest.fixture
async def web(tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningWeb]:
    """A node that writes its log into a database of its own."""
    monkeypatch.setenv("PASSPORT_STORE__URL", await fresh_database(postgres_url, "whole_node"))
    monkeypatch.setenv("PASSPORT_WEBHOOKS__ALLOW", '["127.0.0.0/8"]')
    async with running_web(tmp_path) as running:
        await running.context.ledger.open()
        await running.context.projection.open()
        await running.context.releases.open()
        writer = asyncio.create_task(running.context.ledger.run())
        yield running
        await ended(writer)


async def work(client: ClientSession) -> None:
    """A verification by its process, a file of its result, a process that waits, a form and a webhook."""
    template = (await post(client, "/templates", json.loads(verification_template())))["reference"]
    verified, waiting = await device(client), await device(client, "0000002")
    (run,) = await opened(client, "verification", verified, due="2020-01-01")
    await do(client, run, "remove_or_onsite")
    await do(client, run, "protocol", template=template, document=verification(verified, "0000001"))
    await post(client, "/arshin/files", {})
    await opened(client, "dispatch_request", waiting)
    await post(client, "/forms", {"template": template, "id": waiting})
    await post(client, "/webhooks", {"url": "http://127.0.0.1:9/"})


async def test_every_list_and_page_is_answered(web: RunningWeb) -> None:
    """No operation that reads, and no page, breaks on what this engine does otherwise than SQLite."""
    client, browser = web.local(), await web.claim()
    await work(client)

    paths = [route.path for route in ROUTES if route.method == "GET" and "{" not in route.path]
    for path in paths:
        async with browser.get(path) as response:
            assert response.status < 500, path

    assert len(paths) > 50
    (load,) = (await get(client, "/processes/loads"))["items"]
    assert (load["open"], load["overdue"]) == (2, 1)
    (result,) = (await get(client, "/arshin/results"))["items"]
    assert result["number"] == "ПП-26-000001"


async def test_personal_section_is_erased_held_back_and_listed(web: RunningWeb) -> None:
    """What the store does with erasures it does on this engine too: no row tells the name any more."""
    client = web.local()
    name = "Петрова Анна Сергеевна"
    ids = [(await post(client, "/plates", {"text": f"СГВ-15 № 000000{n}"}))["id"] for n in range(2)]
    for one in ids:
        body = {"role": "responsible", "ids": [one], "document": "договор", "resident": True, "name": name}
        await post(client, "/mandates/statements", body)
    said = [row for one in ids for row in (await get(client, f"/passports/{one}"))["view"]["statements"]]
    refs = [row["ref"] for row in said if any(part["name"] == "person" for part in row["sections"])]

    for ref in refs:
        await post(client, "/erasures", {"rows": [{"ref": ref, "section": "person"}], "ground": "court"})
    async with web.context.core.database.write() as tx:
        held, freed = await hold_personal(tx), await release_personal(tx)
    first = await get(client, "/erasures", limit="1")
    second = await get(client, "/erasures", limit="1", cursor=first["next"])

    assert (held, freed, len(refs)) == (0, 0, 2)
    assert [item["rows"][0]["state"] for page in (first, second) for item in page["items"]] == ["erased", "erased"]
    assert (name not in str(await get(client, "/mandates")), second["next"]) == (True, None)
    async with web.context.core.database.read() as tx:
        stored = await tx.all(select(schema.sections.c.data))
    assert not any(name.encode() in row.data for row in stored)


async def test_meters_of_a_unit_are_read_side_by_side(web: RunningWeb) -> None:
    """Walking series and the last frames asks this engine what it asks SQLite."""
    here, browser = await metered(web.context, web.local()), await web.claim()

    rows = (await get(here.client, f"/passports/{here.unit}/meters"))["items"]
    drivers = {row["id"]: row["devices"] for row in (await get(here.client, "/drivers"))["items"]}
    async with browser.get(f"/devices/{here.unit}/meters") as response:
        text = await response.text()

    assert [row["medium"] for row in rows] == ["heat", "cold_water", "cold_water", "electricity", "gas"]
    assert {one["quantity"]: one["value"] for one in rows[3]["registers"]}["energy_active_import"] == "120.34"
    assert (drivers["wmbus-oms"], drivers["betar-sgbm"]) == (1, 1)
    assert text.count("data-points") == 2
