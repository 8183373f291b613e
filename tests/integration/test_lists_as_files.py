"""Every list as CSV, XLSX and JSONL: the same rows under the same rights, each once, however many there are."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession
from pydantic import BaseModel

from node.exchange.tables import Table as SheetTable
from node.exchange.tables import read_table
from node.services.access import Actor, Role, Scope
from node.web.calls import Call, Page, PageQuery
from node.web.columns import table
from node.web.downloads import TYPES
from node.web.routes import API, Route, api
from node.web.server import ROUTES
from tests.unit.node_protocols.builders import DESIGNATION
from tests.unit.web.running import PASSWORD, RunningWeb, post, problem_code, running_web

LISTS = [route for route in ROUTES if route.table is not None]
PLATE = {"designation": DESIGNATION, "serial": "00012345"}
PART = {"position": "=cmd()", "designation": "П-1", "serial": "0018", "removed_serial": "0017"}
ROWS = 450
FREE = re.compile(r"^\d+ MB of ")  # of a disk that others write to
# What a route's path needs where nothing of that name has to be there.
PATHS = {"catalog": "units", "job": "00" * 8, "check": "00" * 8, "code": "К-1", "id": "EPP1-0", "ref": "0", "eui": "0",
         "release": "1", "run": "0" * 32, "digest": "0" * 64, "hook": "0" * 16, "form": "0" * 16, "name": "bench",
         "sha256": "0" * 64, "hash": "0" * 64,
         "month": "2026-01", "statement": "0" * 64, "answer": "1", "file": "1", "profile": "owner",
         "backup": "passport-00000000-20260101T000000Z.backup"}  # fmt: skip
QUERIES = {
    "/lookup": {"q": PLATE["serial"]},
    "/exchange/1c/changes": {"system": "ut"},
    "/plates/suggestions": {"designation": DESIGNATION, "serial": "0012345"},
}
TABLE = "Адрес;Прибор;Зав. №;Дата поверки\nул. Мира, 1;СГВ-15;;01.02.2024\nул. Мира, 2;СГВ-15;123;32.02.2024\n"


async def mended(client: ClientSession) -> str:
    """A device with a value and a replaced part."""
    device = str((await post(client, "/plates", PLATE))["id"])
    rows = [{"code": {"central": "dn"}, "value": "15.5", "unit": "mm", "since": "2026-01-10"}]
    await post(client, f"/passports/{device}/parameters", {"rows": rows})
    await post(client, f"/passports/{device}/repairs", {"where": "цех", "when": "2026-05-01", "parts": [PART]})
    return device


async def download(client: ClientSession, path: str, form: str, **query: str) -> bytes:
    async with client.get(f"{API}{path}", params={**query, "format": form}) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == TYPES[form]
        return await response.read()


def cells(table: SheetTable) -> list[list[str]]:
    return [[FREE.sub("", cell.text) for cell in row.cells] for row in table.rows]


async def test_every_list_is_one_table_in_three_forms(web: RunningWeb) -> None:
    """CSV and XLSX hold the same cells, JSONL the items of the list itself, and a file is named by list and day."""
    client = web.local()
    client.headers["Accept-Language"] = "en"
    device = await mended(client)
    await web.context.access.add_account(Actor.local(), "boris", PASSWORD, Role.READER, "ru")
    await web.context.tokens.issue(Actor.local(), "bench", frozenset({Scope.READ}), 30)
    job = await web.context.jobs.submit("import.undo", b"{}", 1, "local:test")
    await post(client, "/references", {"catalog": "units", "local": "К-1", "central": "m3"})
    async with client.post(f"{API}/checks", data=TABLE.encode(), params={"name": "дом.csv"}) as response:
        check = (await response.json())["check"]
    hook = (await post(client, "/webhooks", {"url": "https://192.88.99.1/"}))["id"]
    sold = {"inn": "7707083893", "name": "МУП", "number": "ТТН-1", "devices": [device]}
    shipment = (await post(client, "/shipments", sold))["id"]
    given = {"role": "responsible", "ids": [device], "name": "МУП", "inn": "7707083893", "document": "Договор 7"}
    mandate = (await post(client, "/mandates/statements", given))["id"]
    about = {f"{API}/shipments/{{id}}/devices": shipment, f"{API}/mandates/{{id}}/standing": mandate}
    assert LISTS
    for route in LISTS:
        one = about.get(route.path, device)
        path = route.address({**PATHS, "id": one, "job": job, "check": check, "hook": hook}).removeprefix(API)
        await check_forms(client, route, path)


async def check_forms(client: ClientSession, route: Route, path: str) -> None:
    """Raise AssertionError unless the files of a list hold what the list holds."""
    query = QUERIES.get(route.path.removeprefix(API), {})
    paged = {"limit": "200"} if "limit" in route.parameters else {}
    async with client.get(f"{API}{path}", params={**paged, **query}) as response:
        told = await response.json()
    assert "items" in told, (path, told)
    items = told["items"]
    lines = [json.loads(line) for line in (await download(client, path, "jsonl", **query)).splitlines()]
    csv, xlsx = [read_table(await download(client, path, form, **query)) for form in ("csv", "xlsx")]
    async with client.head(f"{API}{path}", params={"format": "csv", **query}) as response:
        named = response.headers["Content-Disposition"]

    assert route.table is not None
    assert [aged(line) for line in lines] == [aged(item) for item in items], route.name
    assert list(csv.header) == list(xlsx.header) == [column.name[1] for column in route.table.columns], route.name
    assert cells(csv) == cells(xlsx), route.name
    assert len(csv.rows) == len(items), route.name
    assert named.startswith(f'attachment; filename="{route.table.name}-2026-09-21.csv"'), route.name


def aged(item: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
    """An item without how long ago it was heard and how much of a disk is free, which differ with each question."""
    told = {name: FREE.sub("", value) if isinstance(value, str) else value for name, value in item.items()}
    return {name: value for name, value in told.items() if name != "age_us"}


async def test_cells_are_in_the_reader_s_language_and_run_no_formula(web: RunningWeb) -> None:
    """Names of parameters, units and standings follow the language; numbers have its decimal sign; `=cmd()` is text."""
    client = web.local()
    device = await mended(client)
    found = {}
    for language in ("ru", "en"):
        client.headers["Accept-Language"] = language
        found[language] = cells(read_table(await download(client, f"/passports/{device}/parameters", "csv")))
    raw = (await download(client, f"/passports/{device}/composition", "csv", on="2026-04-01")).decode("utf-8-sig")

    assert found["ru"][0][:5] == ["Номинальный диаметр", "dn", "15,5", "мм", "2026-01-10"]
    assert found["en"][0][:5] == ["Nominal diameter", "dn", "15.5", "mm", "2026-01-10"]
    assert '"\'=cmd()";"П-1";"0017"' in raw


async def test_long_list_comes_whole_and_each_row_once(web: RunningWeb) -> None:
    """More rows than any page holds are answered from the newest to the oldest, also while the list grows."""
    client, core = web.local(), web.context.core
    async with core.database.write() as tx:
        for number in range(ROWS):
            await core.announce(tx, "local:test", "shared", count=number)

    async with client.get(f"{API}/journal", params={"format": "jsonl"}) as response:
        first = await response.content.readline()
        async with core.database.write() as tx:
            await core.announce(tx, "local:test", "shared", count=ROWS)
        ids = [json.loads(line)["id"] for line in [first, *(await response.read()).splitlines()]]

    assert len(ids) == len(set(ids)) >= ROWS
    assert ids == sorted(ids, reverse=True)


async def test_filter_of_the_list_is_that_of_the_file(web: RunningWeb) -> None:
    """A file holds what the list under the same filter holds, whatever page was asked for."""
    client = web.local()
    device = await mended(client)
    path = f"/passports/{device}/events"

    one = await download(client, path, "jsonl", what="repaired")
    none = await download(client, path, "jsonl", what="installed")
    found = await download(client, "/passports", "jsonl", q="00012345", limit="1")

    assert [json.loads(line)["what"]["central"] for line in one.splitlines()] == ["repaired"]
    assert none == b""
    assert [json.loads(line)["id"] for line in found.splitlines()] == [device]


async def test_registry_as_a_table_tells_serial_and_type_apart(web: RunningWeb) -> None:
    """A clerk sorts by serial and reads the type in words; units come with their ОКЕИ codes."""
    client = web.local()
    client.headers["Accept-Language"] = "ru"
    await post(client, "/plates", {**PLATE, "type": "t:cw"})
    await post(client, "/things", {"kind": "unit", "name": "Узел 1"})

    devices = read_table(await download(client, "/passports", "csv"))
    units = read_table(await download(client, "/catalogs/units/records", "csv"))

    rows = {row["Прибор"]: row for row in named(devices)}
    device = rows[f"{DESIGNATION} № 00012345"]
    assert (device["Обозначение"], device["Заводской №"], device["Вид"]) == (DESIGNATION, "00012345", "прибор")
    assert (device["Тип"], device["Код типа"]) == ("Счётчик воды крыльчатый", "t:cw")
    assert (rows["Узел 1"]["Обозначение"], rows["Узел 1"]["Заводской №"]) == ("Узел 1", "")
    assert {row["Код"]: row["ОКЕИ"] for row in named(units)}["m3"] == "113"


def named(table: SheetTable) -> list[dict[str, str]]:
    return [dict(zip(table.header, row, strict=True)) for row in cells(table)]


async def test_form_is_asked_by_accept_too_and_others_are_refused(web: RunningWeb) -> None:
    """The header Accept names a form as well; a form that lists do not have is refused before anything goes out."""
    client = web.local()
    async with client.get(f"{API}/passports", headers={"Accept": "text/csv"}) as response:
        assert response.content_type == "text/csv"
    async with client.get(f"{API}/passports", params={"format": "json"}, headers={"Accept": "text/csv"}) as response:
        assert response.content_type == "application/json"
    async with client.get(f"{API}/passports", params={"format": "pdf"}) as response:
        assert (response.status, await problem_code(response)) == (422, "format_unknown")
    async with client.get(f"{API}/passports", params={"format": "csv", "q": "EPP1-0"}) as response:
        assert response.content_type in {"application/problem+json", "text/csv"}


async def test_file_of_a_list_needs_the_scopes_of_the_list(web: RunningWeb) -> None:
    """A token without the list's scope gets no file of it either; one that reads gets files of what it reads."""
    reader, importer = await web.system(Scope.READ), await web.system(Scope.IMPORT, name="importer")
    await mended(web.local())

    for route in LISTS:
        path = route.address({**PATHS})
        for form in TYPES:
            async with importer.get(path, params={"format": form}) as response:
                assert (response.status, await problem_code(response)) == (403, "scope"), path
    for path in ("/tokens", "/accounts", "/sessions"):
        async with reader.get(f"{API}{path}", params={"format": "csv"}) as response:
            assert (response.status, await problem_code(response)) == (403, "scope")
    assert await download(reader, "/passports", "jsonl")


async def test_each_list_has_three_forms_and_nothing_else_has_one(web: RunningWeb) -> None:
    """Whatever the OpenAPI document answers with items is a list with a table; all else refuses a form by name."""
    client = web.local()
    async with client.get(f"{API}/openapi.json") as response:
        document = await response.json()
    reads = {path: item["get"] for path, item in document["paths"].items() if "get" in item}
    by_path = {route.path: route for route in ROUTES if route.method == "GET" and not route.is_page}
    own = {path for path, told in reads.items() if any(one["name"] == "format" and not lists(document, told) for one in
                                                       told.get("parameters", ()))}  # fmt: skip

    assert {path for path, told in reads.items() if lists(document, told)} == {route.path for route in LISTS}
    assert own == {f"{API}/jobs/{{job}}/report", f"{API}/checks/{{check}}/report"}
    for path in reads.keys() - {route.path for route in LISTS} - own:
        for form in (*TYPES, "pdf"):
            async with client.get(by_path[path].address({**PATHS}), params={"format": form}) as response:
                refused = (response.status, await problem_code(response))
                assert refused == (422, "format_unknown"), (path, form)


def lists(document: Any, told: Any) -> bool:  # Any: JSON
    """Whether an operation answers items."""
    content = told["responses"]["200"].get("content", {}) if "200" in told["responses"] else {}
    schema = content.get("application/json", {}).get("schema", {})
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return "items" in schema.get("properties", {})


async def test_file_of_tokens_holds_no_secret(web: RunningWeb) -> None:
    """Tokens and accounts as files name who may come in and nothing by which one could."""
    secret, token = await web.context.tokens.issue(Actor.local(), "bench", frozenset({Scope.READ}), 30)
    await web.context.access.add_account(Actor.local(), "boris", PASSWORD, Role.READER, "ru")

    for path in ("/tokens", "/accounts", "/sessions"):
        for form in ("csv", "jsonl"):
            raw = await download(web.local(), path, form)
            for hidden in (secret, token.hash.hex(), PASSWORD, "argon2"):
                assert hidden.encode() not in raw


class Thing(BaseModel):
    """An item of a list that breaks."""

    name: str


@api("GET", "/things", title="Things", scopes=[Scope.READ], table=table(
    "things", "Вещи", "Things", ("Имя", "Name", "name")
))  # fmt: skip
async def list_things(call: Call, query: PageQuery) -> Page[Thing]:
    """Its second page cannot be read."""
    if query.cursor:
        raise RuntimeError("the disk is gone")
    return Page(items=[Thing(name="first")], next="second")


async def test_file_that_breaks_half_way_is_no_whole_file(tmp_path: Path) -> None:
    """A fault after the first rows breaks the connection off, so that nobody takes a part for the whole."""
    async with running_web(tmp_path, routes=(*ROUTES, list_things)) as running:
        client = running.local()
        for form in ("csv", "xlsx", "jsonl"):
            async with client.get(f"{API}/things", params={"format": form}) as response:
                assert response.status == 200
                with pytest.raises(ClientError):
                    await response.read()
