"""Catalogs over the API of a real node: own codes, late binding in bulk, and records that break a catalog."""

from typing import Any

import pytest
from aiohttp import ClientSession

from node.exchange.tables import write_csv, write_xlsx
from tests.unit.web.running import RunningWeb

DAY = "2026-05-01"
PLATE = {"designation": "ВС-15Д", "serial": "0012345"}
CODES = [
    {"code": "P-01", "name": "Объём воды"},
    {"code": "P-02", "name": "Ду", "central": "dn"},
    {"code": "P-03", "name": "Цвет крышки"},
]


async def ask(client: ClientSession, method: str, path: str, body: Any = None, status: int = 200, **query: str) -> Any:
    """One request; Any: JSON."""
    options = {"data": body} if isinstance(body, bytes) else {"json": body}
    async with client.request(method, f"/api/v1{path}", params=query, **options) as response:
        assert response.status == status, await response.text()
        return await response.json() if response.content_length else None


async def device_of(client: ClientSession, serial: str = "0012345", **more: Any) -> str:
    """A device with a plate."""
    said = await ask(client, "POST", "/plates", {**PLATE, "serial": serial, **more}, 201)
    return str(said["id"])


async def own_codes(client: ClientSession, catalog: str = "parameters") -> dict[str, Any]:
    """The own codes of a catalog, in the order in which they are listed."""
    return {row["local"]: row for row in (await ask(client, "GET", f"/catalogs/{catalog}/codes"))["items"]}


@pytest.mark.req("B18")
async def test_system_loads_its_codes_once_and_then_speaks_them(web: RunningWeb) -> None:
    """Types, parameters, events and units are written by own codes, and answers carry both codes."""
    client = web.local()
    loaded = {
        "types": {"code": "00-77", "name": "Счётчик ХВС", "central": "t:cw"},
        "parameters": {"code": "5", "name": "Объём", "central": "volume"},
        "units": {"code": "куб", "central": "m3"},
        "events": {"code": "mounted", "name": "Монтаж", "central": "installed"},
        "places": {"code": "ЦТП-4", "name": "Пункт на Садовой"},
    }
    for catalog, code in loaded.items():
        await ask(client, "POST", f"/catalogs/{catalog}/codes", {"items": [code]}, 201)
    again = await ask(client, "POST", "/catalogs/types/codes", {"items": [loaded["types"]]}, 201)

    plate = await ask(client, "POST", "/plates", {**PLATE, "type": "00-77"}, 201)
    device = plate["id"]
    row = {"code": "5", "value": "12.5", "unit": "куб", "since": DAY}
    values = await ask(client, "POST", f"/passports/{device}/parameters", {"rows": [row]}, 201)
    body = {"what": "mounted", "where": "ЦТП-4", "when": DAY}
    event = await ask(client, "POST", f"/passports/{device}/events", body, 201)

    assert again == {"taken": 0, "known": 1}
    assert [(code["local"], code["central"]) for code in plate["codes"]] == [("00-77", "t:cw")]
    assert [(code["local"], code["central"]) for code in values["codes"]] == [("5", "volume"), ("куб", "m3")]
    assert [(code["local"], code["central"], code["name"]) for code in event["codes"]] == [
        ("mounted", "installed", "установлен"),
        ("ЦТП-4", None, "Пункт на Садовой"),
    ]
    shown = (await ask(client, "GET", f"/passports/{device}/parameters", on=DAY))["items"][0]
    assert (shown["code"], shown["local"], shown["value"], shown["unit"]) == ("volume", "5", "12.5", "m3")
    told = (await ask(client, "GET", f"/passports/{device}/events", what="installed"))["items"][0]["what"]
    assert (told["local"], told["central"]) == ("mounted", "installed")
    assert [item["id"] for item in (await ask(client, "GET", "/passports", type="t:cw"))["items"]] == [device]
    record = (await ask(client, "GET", "/catalogs/types/records", q="00-77"))["items"]
    assert [(row["central"], row["own"]) for row in record] == [("t:cw", ["00-77"])]


@pytest.mark.req("B69")
async def test_unmapped_codes_are_bound_in_bulk_and_old_records_answer(web: RunningWeb) -> None:
    """Records with own codes alone are taken and marked; one mapping binds them all, and undoing it unbinds them."""
    client = web.local()
    await ask(client, "POST", "/catalogs/parameters/codes", {"items": CODES}, 201)
    devices = [await device_of(client, f"001234{n}", type="НОВЫЙ-ТИП") for n in range(2)]
    for device in devices:
        rows = [{"code": {"local": "P-01"}, "value": "12.5", "since": DAY}, {"code": "T-9", "value": "90"}]
        said = await ask(client, "POST", f"/passports/{device}/parameters", {"rows": rows}, 201)
        assert [code["central"] for code in said["codes"]] == [None, None]
    before = await own_codes(client)
    assert [(code, row["records"], row["central"], row["loaded"]) for code, row in before.items()] == [
        ("P-01", 2, None, True),
        ("T-9", 2, None, False),
        ("P-03", 0, None, True),
        ("P-02", 0, "dn", True),
    ]
    assert before["P-01"]["suggestions"][0]["central"] == "volume"
    assert [row["central"] for row in before["P-02"]["suggestions"]] == []
    marked = next(r for r in (await ask(client, "GET", "/catalogs"))["items"] if r["catalog"] == "parameters")
    assert (marked["own"], marked["unmapped"]) == (4, 3)

    pairs = [{"local": "P-01", "central": "volume"}, {"local": "T-9", "central": "temp_supply"}]
    mapped = await ask(client, "POST", "/catalogs/parameters/mappings", {"items": pairs}, 201)
    await ask(client, "POST", "/catalogs/types/mappings", {"items": [{"local": "НОВЫЙ-ТИП", "central": "t:hw"}]}, 201)

    for device in devices:
        items = (await ask(client, "GET", f"/passports/{device}/parameters", on=DAY))["items"]
        assert {(row["code"], row["local"], row["value"]) for row in items} == {
            ("volume", "P-01", "12.5"),
            ("temp_supply", "T-9", "90"),
        }
    found = {row["id"] for row in (await ask(client, "GET", "/passports", type="t:hw"))["items"]}
    assert found == set(devices)
    assert list(await own_codes(client)) == ["P-03", "P-01", "T-9", "P-02"]
    undo = {"statement": mapped["statement"]}
    await ask(client, "POST", "/catalogs/parameters/mappings/undo", undo, 201)
    after = await own_codes(client)
    assert [after[code]["central"] for code in ("P-01", "T-9", "P-02")] == [None, None, "dn"]
    again = await ask(client, "POST", "/catalogs/parameters/mappings/undo", undo, 409)
    assert again["code"] == "saying_replaced"
    history = (await ask(client, "GET", "/catalogs/parameters/codes/P-01/history"))["items"]
    assert [row["central"] for row in history] == [None, "volume", None]


@pytest.mark.req("B19")
async def test_record_that_breaks_a_catalog_is_refused_with_row_field_and_rule(web: RunningWeb) -> None:
    """Unknown codes and units, other dimensions and malformed values are named; nothing is written."""
    client = web.local()
    device = await device_of(client)
    rows = [
        {"code": "volume", "value": "1"},
        {"code": {"central": "volumes"}, "value": "1"},
        {"code": "energy_heat", "value": "7", "unit": "m3"},
        {"code": "energy_heat", "value": "1,5", "unit": "Гкал"},
    ]
    refused = {}
    for language in ("ru", "en"):
        headers = {"Accept-Language": language}
        async with client.post(f"/api/v1/passports/{device}/parameters", json={"rows": rows}, headers=headers) as got:
            refused[language] = await got.json()

    assert [(one["pointer"], one["rule"]) for one in refused["ru"]["errors"]] == [
        ("/rows/1/code", "code-unknown"),
        ("/rows/2/unit", "unit-dimension"),
        ("/rows/3/unit", "unit-unknown-near"),
        ("/rows/3/value", "value-number"),
    ]
    assert refused["ru"]["code"] == refused["en"]["code"] == "catalog_rule"
    assert "Gcal_IT" in refused["ru"]["errors"][2]["message"]
    assert "energy" in refused["en"]["errors"][1]["message"]
    assert "энергия" in refused["ru"]["errors"][1]["message"]
    assert (await ask(client, "GET", f"/passports/{device}/parameters"))["items"] == []
    event = {"what": "instaled", "where": "цех", "when": DAY}
    answer = await ask(client, "POST", f"/passports/{device}/events", event, 422)
    assert [(one["pointer"], one["rule"]) for one in answer["errors"]] == [("/what", "code-unknown")]
    plate = {**PLATE, "serial": "1", "type": "t:cw", "execution": "ВС-15Д-НЕТ", "approvals": ["999902"]}
    answer = await ask(client, "POST", "/plates", plate, 422)
    assert {(one["pointer"], one["rule"]) for one in answer["errors"]} == {
        ("/execution", "execution-unknown"),
        ("/approvals", "grsi-malformed"),
    }


@pytest.mark.parametrize("second", ["t:hw", "t:cw", None])
async def test_own_code_bound_twice_in_one_request_is_refused_with_both_rows(web: RunningWeb, second: Any) -> None:
    """Which of two bindings counts would be chance: both rows are named and nothing is said, also where they agree."""
    client = web.local()
    items = [{"local": "А", "central": "t:cw"}, {"local": "Б", "central": "t:cw"}, {"local": "А", "central": second}]
    before = await web.what()

    told = await ask(client, "POST", "/catalogs/types/mappings", {"items": items}, 422)

    found = [row for row in told["errors"] if row["rule"] == "code-bound-twice"]
    assert told["code"] == "codes_refused"
    assert [(row["pointer"], row["value"]) for row in found] == [("/items/2/local", "А")]
    assert "/items/0" in str(found[0])
    assert await web.what() == before


async def test_rows_are_checked_without_being_written(web: RunningWeb) -> None:
    """A system may ask before it writes: row, field, rule and words, in the language it asks for."""
    client = web.local()
    rows = [{"parameter": "volume", "value": "1"}, {"parameter": "energy_heat", "value": "1", "unit": "Гкал"}]

    async with client.post("/api/v1/catalogs/checks", json={"rows": rows}, headers={"Accept-Language": "en"}) as got:
        found = (await got.json())["items"]

    assert [(one["row"], one["field"], one["rule"], one["hint"]) for one in found] == [
        (1, "unit", "unit-absent", True),
        (2, "unit", "unit-unknown-near", False),
    ]
    assert "Gcal_IT" in found[1]["message"]


async def test_unit_of_the_same_dimension_is_kept_and_told(web: RunningWeb) -> None:
    """GJ for a parameter in Gcal is taken as it is written, with a hint of what that is."""
    client = web.local()
    device = await device_of(client)
    said = await ask(
        client, "POST", f"/passports/{device}/parameters",
        {"rows": [{"code": "energy_heat", "value": "4.1868", "unit": "GJ"}]}, 201,
    )  # fmt: skip

    shown = (await ask(client, "GET", f"/passports/{device}/parameters"))["items"][0]
    assert (shown["value"], shown["unit"]) == ("4.1868", "GJ")
    assert [(hint["pointer"], hint["rule"]) for hint in said["hints"]] == [("/rows/0/value", "unit-converts")]


@pytest.mark.parametrize("write", [write_csv, write_xlsx])
async def test_table_of_own_codes_is_taken_whole_or_not_at_all(web: RunningWeb, write: Any) -> None:
    """A row that breaks a rule is named by its number in the file, and no row is taken."""
    client = web.local()
    header = ["Код", "Наименование", "Центральный код"]
    bad = write(header, [["1", "Объём", "volume"], ["2", "Масса", "masss"], ["dn", "Диаметр", "q3"]])

    refused = await ask(client, "POST", "/catalogs/parameters/codes/file", bad, 422)

    assert {(one["pointer"], one["rule"]) for one in refused["errors"]} == {
        ("/rows/3/central", "code-unknown"),
        ("/rows/4/central", "code-shadows"),
    }
    assert await own_codes(client) == {}
    good = write(header, [["1", "Объём", "volume"], ["0002", "Масса", ""]])
    assert await ask(client, "POST", "/catalogs/parameters/codes/file", good, 201) == {"taken": 2, "known": 0}
    assert {code: row["central"] for code, row in (await own_codes(client)).items()} == {"1": "volume", "0002": None}


async def test_refused_suggestion_gives_way_to_the_next(web: RunningWeb) -> None:
    """What a person refused is not offered again for that code."""
    client = web.local()
    await ask(client, "POST", "/catalogs/units/codes", {"items": [{"code": "E1", "name": "Гкал"}]}, 201)
    refused = {"items": [{"local": "E1", "central": "Gcal_IT"}]}
    first = (await own_codes(client, "units"))["E1"]["suggestions"]

    await ask(client, "POST", "/catalogs/units/refusals", refused, 204)

    assert first[0]["central"] == "Gcal_IT"
    assert "Gcal_IT" not in {one["central"] for one in (await own_codes(client, "units"))["E1"]["suggestions"]}


async def test_lists_are_read_page_by_page(web: RunningWeb) -> None:
    """Records and own codes go on after a cursor, each once."""
    client = web.local()
    codes = [{"code": f"C{n}", "name": f"код {n}"} for n in range(7)]
    await ask(client, "POST", "/catalogs/parameters/codes", {"items": codes}, 201)
    for path, key in (("/catalogs/parameters/codes", "local"), ("/catalogs/obis/records", "central")):
        found: list[str] = []
        query: Any = {"limit": "3"}
        for _ in range(3):
            page = await ask(client, "GET", path, **query)
            found += [row[key] for row in page["items"]]
            query["cursor"] = page["next"] or ""
            if not page["next"]:
                break
        assert len(found) == len(set(found)) >= 7


async def test_release_of_somebody_who_is_no_steward_is_refused(web: RunningWeb) -> None:
    """Without an anchor's word nothing is signed, and adopting what is not here is refused."""
    client = web.local()
    body = {"number": 1, "label": "x", "date": DAY, "records": []}

    assert (await ask(client, "POST", "/catalogs/units/releases", body, 403))["code"] == "not_a_steward"
    assert (await ask(client, "POST", "/catalogs/units/adoption", {"release": "7"}, 404))["code"] == "release_unknown"
