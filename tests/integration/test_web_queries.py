"""What a request asks by its address: a parameter, a value or a cursor that the operation does not have is refused."""

import html
import json
import re
from typing import Any, get_args

import pytest
from aiohttp import ClientSession

from node.web.api.conflicts import ConflictKind
from node.web.api.registry import KindName, StateName
from node.web.passport_words import CONFLICTS, KINDS, STATES
from node.web.routes import API, Route
from node.web.server import ROUTES
from tests.unit.web.running import RunningWeb, get, post

Json = Any  # Any: JSON
GETS = {route.path: route for route in ROUTES if route.method == "GET" and not route.is_page}
# What a path needs where nothing of that name has to be there, and what an operation cannot do without.
PATHS = {
    "catalog": "units",
    "job": "00" * 8,
    "check": "00" * 8,
    "code": "К-1",
    "ref": f"{'0' * 32}:0:{'0' * 32}",
    "eui": "0" * 16,
    "release": "1",
    "id": "EPP1-0",
    "run": "0" * 32,
    "digest": "0" * 64,
    "hook": "0" * 16,
    "hash": "0" * 64,
    "form": "0" * 16,
    "backup": "passport-00000000-20260101T000000Z.backup",
    "name": "bench",
    "file": "1",
    "profile": "owner",
    "answer": "1",
    "sha256": "0" * 64,
    "statement": "0" * 64,
    "month": "2026-01",
}
NEEDED = {
    "system": "ut",
    "code": "production",
    "step": "mark",
    "q": "0012345",
    "designation": "ВС-15",
    "serial": "1",
    "a": "EPP1-0",
    "b": "EPP1-1",
    "profile": "owner",
}


async def documented(client: ClientSession) -> dict[str, list[Json]]:
    """The parameters in the address of every GET of the OpenAPI document, by its path."""
    async with client.get(f"{API}/openapi.json") as response:
        document = json.loads(await response.read())
    return {
        path: [one for one in item["get"]["parameters"] if one["in"] == "query"]
        for path, item in document["paths"].items()
        if "get" in item
    }


async def problem(client: ClientSession, route: Route, language: str = "en", **query: str) -> Json:
    """The status and the problem with which a GET is answered."""
    path = route.address({**PATHS})
    async with client.get(path, params=query, headers={"Accept-Language": language}) as response:
        assert response.content_type == "application/problem+json", (path, query, response.status)
        return response.status, await response.json(content_type=None)


async def test_no_get_takes_an_unknown_parameter(web: RunningWeb) -> None:
    """Every GET of the document refuses a name that it does not have, and names it and those that it has."""
    client = web.local()
    known = await documented(client)
    assert len(known) > 60

    for path, parameters in known.items():
        needed = {one["name"]: NEEDED[one["name"]] for one in parameters if one.get("required")}
        for name in ("limt", "Limit", "state "):
            status, told = await problem(client, GETS[path], **needed, **{name: "5"})
            assert (status, told["code"]) == (422, "validation"), path
            (error,) = told["errors"]
            assert (error["place"], error["pointer"], error["rule"]) == ("query", f"/{name}", "extra_forbidden"), path
            assert all(one["name"] in error["advice"] for one in parameters), path


async def test_no_list_takes_a_cursor_that_is_none(web: RunningWeb) -> None:
    """Every list that has pages refuses what this node never gave as a cursor, or that of another list."""
    client = web.local()
    for n in range(3):
        await post(client, "/plates", {"designation": "ВС-15", "serial": f"{n}234567"})
    other = (await get(client, "/journal", limit="1"))["next"]
    paged = [path for path, named in (await documented(client)).items() if any(p["name"] == "cursor" for p in named)]
    assert len(paged) > 10

    for path in paged:
        needed = {name: NEEDED[name] for name in ("q",) if path == f"{API}/facts"}
        for cursor in ("xx", "0", other):
            if (path, cursor) == (f"{API}/journal", other):
                continue
            status, told = await problem(client, GETS[path], **needed, cursor=cursor)
            # What is not there at all is told first.
            assert (status, told["code"]) == (400, "cursor") or status == 404 or told["code"] == "id_mistyped", path


@pytest.mark.parametrize(
    ("path", "query", "known"),
    [
        ("/passports", {"state": "nosuch"}, ["installed", "scrapped", "known"]),
        ("/passports", {"kind": "thing"}, ["device", "batch"]),
        ("/passports", {"sort": "color"}, ["title", "changed"]),
        ("/conflicts", {"why": "nosuch"}, ["disputed", "waiting"]),
    ],
)
async def test_unknown_value_is_refused_with_those_that_are_known(
    web: RunningWeb, path: str, query: dict[str, str], known: list[str]
) -> None:
    """The problem names the parameter, the value that came and every value that may stand there, in both languages."""
    (name, value), route = next(iter(query.items())), GETS[API + path]

    for language, words in (("ru", "Можно только"), ("en", "Only")):
        status, told = await problem(web.local(), route, language, **query)
        (error,) = told["errors"]
        assert (status, told["code"], error["pointer"], error["value"]) == (422, "validation", f"/{name}", value)
        assert words in error["message"]
        assert all(one in error["message"] for one in known)


async def test_unknown_parameter_is_told_in_both_languages(web: RunningWeb) -> None:
    """What there is stands in the advice; where there is nothing, that is said."""
    client = web.local()
    told = {}
    for language in ("ru", "en"):
        for path in ("/tokens", "/node"):
            _, found = await problem(client, GETS[API + path], language, limt="5")
            told[language, path] = found["errors"][0]["message"], found["errors"][0]["advice"]

    assert told["ru", "/tokens"] == ("Такого параметра нет.", "Есть: limit, cursor, format. Проверьте имя.")
    assert told["en", "/tokens"] == ("There is no such parameter.", "There are: limit, cursor, format. Check the name.")
    assert told["ru", "/node"][0] == "Параметров здесь нет."
    assert told["en", "/node"][0] == "This takes no parameters."


async def test_act_refuses_an_unknown_parameter_and_does_nothing(web: RunningWeb) -> None:
    """A parameter of a POST that it does not have is refused before anything is written."""
    client, body = web.local(), {"designation": "ВС-15", "serial": "0012345"}

    async with client.post(f"{API}/plates", params={"dry": "1"}, json=body) as response:
        assert response.status == 422

    assert (await get(client, "/passports"))["items"] == []


async def test_page_offers_only_what_the_operation_takes(web: RunningWeb) -> None:
    """The command and the files of a page, opened with parameters of its own, are answered by the API."""
    browser = await web.claim()
    asked = {"utm_source": "mail", "q": "1", "best": "1", "codes": "", "why": "waiting"}

    for page in ("/devices", "/catalogs/units", "/conflicts", "/journal", "/organisations", "/peers", "/imports"):
        async with browser.get(page, params=asked) as response:
            assert response.status == 200, page
            text = html.unescape(await response.text())
        addresses = re.findall(r"(/api/v1/[^\"' ]+)[\"']", text)
        assert any("format=csv" in one for one in addresses), page
        for address in addresses:
            async with browser.get(address) as response:
                assert response.status == 200, (page, address, await response.text())


async def test_address_of_a_page_is_opened_with_what_others_add(web: RunningWeb) -> None:
    """A page ignores parameters that it does not know: links are passed on with marks of others."""
    browser = await web.claim()

    async with browser.get("/devices", params={"utm_source": "mail"}) as response:
        assert response.status == 200


def test_values_that_are_taken_are_those_that_have_words() -> None:
    """States, kinds and reasons of conflicts that may be asked for are those that lists show."""
    assert set(get_args(StateName)) == STATES.keys() - {""}
    assert set(get_args(KindName)) == KINDS.keys()
    assert set(get_args(ConflictKind)) == CONFLICTS.keys()
