"""The registry over the API and on its page: filters, both ways of paging, and what an empty list says."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from node.services.access import Scope
from node.services.projection import FILED
from node.store.filing import clear_registry
from node.store.settings import find_setting, set_setting
from tests.unit.node_protocols.builders import ended
from tests.unit.web.running import RunningWeb, get, post, problem_code, running_web

COUNT = 12
STREETS = ("ул. Ленина, д. 5", "ул. Мира, д. 15")
FILTERS: tuple[tuple[dict[str, str], list[int]], ...] = (
    ({}, list(range(COUNT))),
    ({"q": "5555"}, [5]),
    ({"q": "055"}, [5]),
    ({"q": "зав. № 0005555"}, [5]),
    ({"q": "вс-15 000888"}, [8]),
    ({"q": "ленина 5"}, [1, 5, 9]),
    ({"q": "ЛЕНИ"}, [1, 5, 9]),
    ({"place": "мира"}, [3, 7, 11]),
    ({"place": "5"}, [1, 5, 9]),
    ({"state": "installed"}, [3, 4]),
    ({"state": "installed", "place": "мира 15"}, [3]),
    ({"q": "котельная"}, [4]),
    ({"kind": "device", "q": "1111"}, [1, 10]),
    ({"kind": "unit"}, []),
    ({"owner": "никого"}, []),
    ({"expires_before": "2030-01-01"}, []),
    ({"joined": "true"}, []),
    ({"state": "", "type": "", "owner": "", "expires_before": ""}, list(range(COUNT))),
)


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[RunningWeb]:
    """A node with twelve devices of its own; every other one has a place, two are installed."""
    async with running_web(tmp_path) as running:
        await running.context.ledger.open()
        await running.context.projection.open()
        writer = asyncio.create_task(running.context.ledger.run())
        client = running.local()
        for n in range(COUNT):
            device = (await post(client, "/plates", {"designation": "ВС-15", "serial": f"{n * 1111:07}"}))["id"]
            if n % 2:
                row = {"code": {"central": "install_place"}, "value": STREETS[n % 4 // 2]}
                await post(client, f"/passports/{device}/parameters", {"rows": [row]})
            if n in (3, 4):
                event = {"what": "installed", "where": "котельная", "when": "2026-05-01"}
                await post(client, f"/passports/{device}/events", event)
        yield running
        await ended(writer)


async def serials(client: ClientSession, **query: str) -> list[int]:
    """The numbers of the devices that a list holds, in its order."""
    items = (await get(client, "/passports", limit="200", **query))["items"]
    return [int(item["title"].rpartition(" ")[2]) // 1111 for item in items]


async def test_every_filter_holds(web: RunningWeb) -> None:
    """Words are part of a serial, a place or a designation, filters hold together, and what is empty asks nothing."""
    for query, found in FILTERS:
        assert await serials(web.local(), **query) == found, query


@pytest.mark.parametrize("sort", ["title", "changed"])
async def test_pages_lead_forth_and_back(web: RunningWeb, sort: str) -> None:
    """Pages of five hold each device once in the order asked, and the way back shows the same pages."""
    client = web.local()
    pages = [await get(client, "/passports", limit="5", sort=sort)]
    while pages[-1]["next"]:
        pages.append(await get(client, "/passports", limit="5", sort=sort, cursor=pages[-1]["next"]))
    back = [pages[-1]]
    while back[-1]["previous"]:
        back.append(await get(client, "/passports", limit="5", sort=sort, cursor=back[-1]["previous"]))

    items = [item["id"] for page in pages for item in page["items"]]
    assert [len(page["items"]) for page in pages] == [5, 5, 2]
    assert items == [item["id"] for item in (await get(client, "/passports", sort=sort))["items"]]
    assert [page["items"] for page in back] == [page["items"] for page in reversed(pages)]
    assert pages[0]["previous"] is None
    async with client.get("/api/v1/passports", params={"cursor": pages[0]["next"], "sort": "changed"}) as response:
        assert response.status == (400 if sort == "title" else 200)


async def test_counts_agree_with_the_lists(web: RunningWeb) -> None:
    """By state, kind and type there are as many as a list of each holds."""
    client = web.local()
    counts = await get(client, "/passports/counts")

    assert counts["total"] == COUNT
    assert counts["states"] == {"installed": 2, "known": COUNT - 2}
    assert counts["kinds"] == {"device": COUNT}
    assert (counts["types"], counts["joined"]) == ({}, 0)
    assert (await get(client, "/registry"))["states"] == counts["states"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"q": "EPP1-0000000000000000000000000Z"}, "id_mistyped"),
        ({"q": "02C0DE00250000177F"}, None),
        ({"q": "02C0DE002500001"}, "eui_mistyped"),
        ({"q": "…!"}, "query_empty"),
        ({"place": "—"}, "query_empty"),
        ({"place": "EPP1-0000000000000000000000000Z"}, "id_mistyped"),
        ({"q": "ЕРР1-0000000000000000000000000Z"}, "id_mistyped"),
        ({"expires_before": "2026-02-30"}, "moment"),
        ({"expires_before": "завтра"}, "validation"),
        ({"sort": "size"}, "validation"),
    ],
)
async def test_what_cannot_be_looked_for_is_told(web: RunningWeb, query: dict[str, str], code: str | None) -> None:
    """A mistyped id or DevEUI, a text without a word, a day that is none: each is a problem, not an empty list."""
    async with web.local().get("/api/v1/passports", params=query) as response:
        assert (None if response.status == 200 else await problem_code(response)) == code


async def test_registry_needs_the_right_to_read(web: RunningWeb) -> None:
    """A token without it sees neither the list nor the counts."""
    bench = await web.system(Scope.RECORD)
    reader = await web.system(Scope.READ)

    for path in ("/passports", "/passports/counts"):
        async with bench.get(f"/api/v1{path}") as response:
            assert response.status == 403
        assert await get(reader, path)


async def test_registry_is_made_again_from_the_views(web: RunningWeb) -> None:
    """Where the cards are of another version, opening the node makes every one again, and lists are what they were."""
    client, core = web.local(), web.context.core
    before = (await get(client, "/passports"))["items"]
    async with core.database.write() as tx:
        await clear_registry(tx)
        await set_setting(tx, FILED, b"0")
    assert (await get(client, "/passports"))["items"] == []

    await web.context.projection.open()

    assert (await get(client, "/passports"))["items"] == before
    async with core.database.read() as tx:
        assert await find_setting(tx, FILED) != b"0"


async def test_page_keeps_its_filters_in_the_address_and_says_what_to_do_where_nothing_is(web: RunningWeb) -> None:
    """The next page asks the same; an empty list tells how to ask less."""
    browser = await web.claim()

    async with browser.get("/devices", params={"place": "мира", "state": "", "limit": "2"}) as response:
        page = await response.text()
    assert "place=%D0%BC%D0%B8%D1%80%D0%B0&amp;limit=2&amp;cursor=" in page or "limit=2&amp;place=" in page
    assert page.count("<tr><td") == 2
    async with browser.get("/devices", params={"place": "мира", "state": "scrapped"}) as response:
        empty = await response.text()
    assert "<tr><td" not in empty
    assert "Уберите одно из них" in empty
