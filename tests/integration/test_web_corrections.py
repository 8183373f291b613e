"""Corrections through the API of a real node: the original stays, a dispute is closed by a paper."""

import asyncio
from typing import Any

import pytest
from aiohttp import ClientSession

from federation.fragment import Ref
from node.passport import drafts
from node.passport.bodies import EventBody, ParameterRow, ParametersBody, Place, Reference
from node.passport.ids import parse_device_id
from node.passport.kept import LONG
from node.passport.references import parse_ref, ref_text
from tests.mirrored import arrive, peer
from tests.unit.web.running import RunningWeb, post, refused, view_of

Json = Any  # Any: JSON
PLATE = {"designation": "ВС-15", "serial": "0012345", "year": "2024"}


async def test_correction_keeps_the_original_and_says_why(web: RunningWeb) -> None:
    """A corrected year and parameter stand, the old ones are shown as replaced, the reason beside the statement."""
    client = web.local()
    device = (await post(client, "/plates", PLATE))["id"]
    dn = {"code": {"central": "dn"}, "value": "15", "unit": "mm", "since": "2026-05-01"}
    await post(client, f"/passports/{device}/parameters", {"rows": [dn]})

    for fact, value in (("year", "2025"), ("dn", "20")):
        body = {"fact": fact, "value": value, "reason": "опечатка"}
        await post(client, f"/passports/{device}/corrections", body)

    view = await view_of(client, device)
    assert view["identity"]["year"]["value"] == "2025"
    assert [(row["value"], row["standing"]) for row in view["identity"]["year"]["others"]] == [("2024", "replaced")]
    row = view["parameters"]["dn"]["values"][0]
    assert (row["value"], row["unit"], row["since"]) == ("20", "mm", "2026-05-01")
    reasons = [s["correction"]["reason"] for s in view["statements"] if s["correction"]]
    assert reasons == ["опечатка", "опечатка"]


async def test_corrected_parameter_obeys_its_catalog(web: RunningWeb) -> None:
    """A correction is checked as a first statement is: the rule is named, nothing is written."""
    client = web.local()
    device = (await post(client, "/plates", PLATE))["id"]
    dn = {"code": {"central": "dn"}, "value": "15", "unit": "mm"}
    await post(client, f"/passports/{device}/parameters", {"rows": [dn]})
    before = await web.what()

    body = {"fact": "dn", "value": "abc", "reason": "опечатка"}

    assert await refused(client, f"/passports/{device}/corrections", body) == "catalog_rule"
    assert await web.what() == before


async def test_correction_names_its_unit_where_the_value_is_stated_in_several(web: RunningWeb) -> None:
    """A number alone is not taken for either of two units; with the unit it is the value that was meant."""
    client = web.local()
    device = (await post(client, "/plates", PLATE))["id"]
    subject, other = parse_device_id(device).raw, await peer(web, 1)
    q3 = {"code": {"central": "q3"}, "value": "1600", "unit": "L/h"}
    await post(client, f"/passports/{device}/parameters", {"rows": [q3]})
    theirs = ParameterRow(code=Reference(central="q3"), value="2.5", unit="m3/h")
    await arrive(web, other, drafts.parameters(subject, ParametersBody(rows=(theirs,)), 1), [])
    body = {"fact": "q3", "value": "1.6", "reason": "акт", "ground": "joint-act", "document": "Акт 7"}

    assert await refused(client, f"/passports/{device}/corrections", body) == "correction_unit"
    await post(client, f"/passports/{device}/corrections", {**body, "unit": "m3/h"})

    own = [
        (one["value"], one["unit"])
        for one in _values(await view_of(client, device), "q3")
        if one["standing"] != "replaced" and one["value"] != "2.5"
    ]
    assert own == [("1.6", "m3/h")]


async def test_correction_of_a_unit_alone_is_taken(web: RunningWeb) -> None:
    """The number may be right and its unit wrong; the same number in the same unit is no correction."""
    client = web.local()
    device = (await post(client, "/plates", PLATE))["id"]
    q3 = {"code": {"central": "q3"}, "value": "1.6", "unit": "L/h"}
    await post(client, f"/passports/{device}/parameters", {"rows": [q3]})
    body = {"fact": "q3", "value": "1.6", "reason": "единица"}

    assert await refused(client, f"/passports/{device}/corrections", body) == "correction_same"
    await post(client, f"/passports/{device}/corrections", {**body, "unit": "m3/h"})

    row = (await view_of(client, device))["parameters"]["q3"]["values"][0]
    assert (row["value"], row["unit"], [one["unit"] for one in row["others"]]) == ("1.6", "m3/h", ["L/h"])


def _values(view: Json, code: str) -> list[Json]:
    row = view["parameters"][code]["values"][0]
    return [row, *row["others"]] if row["value"] is not None else list(row["others"])


async def test_event_takes_the_place_of_an_earlier_one(web: RunningWeb) -> None:
    """A corrected event is shown beside the one that it corrects, which is marked as replaced."""
    client = web.local()
    device = (await post(client, "/plates", PLATE))["id"]
    event = {"what": "installed", "where": "дом 1", "when": "2026-05-01"}
    await post(client, f"/passports/{device}/events", event)
    first = (await view_of(client, device))["events"][0]

    await post(client, f"/passports/{device}/events", {**event, "where": "дом 2", "corrects": first["ref"]})

    events = (await view_of(client, device))["events"]
    assert sorted((e["where"]["place"]["local"], e["replaced_by"] is None) for e in events) == [
        ("дом 1", False),
        ("дом 2", True),
    ]


async def test_event_is_corrected_once_and_then_what_stands_for_it(web: RunningWeb) -> None:
    """Of two people who correct one event at once the second is told; what stands in its place may be corrected."""
    client = web.local()
    device = (await post(client, "/plates", PLATE))["id"]
    event = {"what": "installed", "where": "дом 1", "when": "2026-05-01"}
    await post(client, f"/passports/{device}/events", event)
    first = (await view_of(client, device))["events"][0]["ref"]

    async def correct(where: str, ref: str) -> tuple[int, Json]:
        body = {**event, "where": where, "corrects": ref}
        async with client.post(f"/api/v1/passports/{device}/events", json=body) as response:
            return response.status, await response.json()

    answers = await asyncio.gather(correct("дом 2", first), correct("дом 3", first))
    standing_now = [e for e in (await view_of(client, device))["events"] if e["replaced_by"] is None]
    again = await correct("дом 4", standing_now[0]["ref"])

    assert sorted(status for status, _ in answers) == [201, 409]
    assert {answer["code"] for status, answer in answers if status == 409} == {"correction_replaced"}
    assert (len(standing_now), again[0]) == (1, 201)
    events = (await view_of(client, device))["events"]
    assert [e["where"]["place"]["local"] for e in events if e["replaced_by"] is None] == ["дом 4"]


@pytest.mark.parametrize("earlier", [0, LONG + 1])
async def test_event_of_a_system_is_written_once_and_never_overwritten(web: RunningWeb, earlier: int) -> None:
    """What a system sends again is answered with its place; another event under the same id is refused by name."""
    client = web.local()
    device = (await post(client, "/plates", PLATE))["id"]
    for number in range(earlier):
        body = {"what": "configured", "where": "дом 1", "when": "2026-05-01", "external": str(number)}
        await post(client, f"/passports/{device}/events", body)
    event = {"what": "installed", "where": "дом 1", "when": "2026-05-01", "system": "1С", "external": "B7"}
    first = await post(client, f"/passports/{device}/events", {**event, "detail": {"note": "так"}})
    before = await web.what()

    again = await asyncio.gather(
        *(post(client, f"/passports/{device}/events", {**event, "detail": {"note": "так"}}) for _ in range(3))
    )
    others: tuple[Json, ...] = ({"what": "removed"}, {"where": "дом 2"}, {"when": "2026-05-02"}, {"detail": {}})
    refusals = [await refused(client, f"/passports/{device}/events", {**event, **other}) for other in others]

    assert {(answer["log"], answer["seq"]) for answer in again} == {(first["log"], first["seq"])}
    assert refusals == ["event_told_otherwise"] * 4
    assert await web.what() == before
    assert [e["what"]["central"] for e in await events_of(client, device, "installed")] == ["installed"]
    await post(client, f"/passports/{device}/events", {**event, "external": "B8"})
    assert len(await events_of(client, device, "installed")) == 2


async def events_of(client: ClientSession, device: str, what: str) -> list[Json]:
    items: list[Json] = (await get(client, f"/passports/{device}/events?what={what}"))["items"]
    return items


def dn(value: str) -> ParametersBody:
    return ParametersBody(rows=(ParameterRow(code=Reference(central="dn"), value=value, unit="mm"),))


@pytest.mark.parametrize("ground", ["own", "court", "joint-act"])
async def test_dispute_between_equals_is_closed_by_both_and_by_none_alone(web: RunningWeb, ground: str) -> None:
    """A peer of equal right refs this node's word, then this node refs the peer's: both are shown until both agree."""
    client = web.local()
    device = (await post(client, "/plates", PLATE))["id"]
    subject, other, stranger = parse_device_id(device).raw, await peer(web, 1), await peer(web, 2)
    row = {"code": {"central": "dn"}, "value": "15", "unit": "mm"}
    await post(client, f"/passports/{device}/parameters", {"rows": [row]})
    mine = await ref_of(client, device)

    await arrive(web, other, drafts.parameters(subject, dn("20"), 1), [mine])
    asked = (await get(client, "/conflicts?why=disputed"))["items"]
    before = await standing(client, device)
    body = {"fact": "dn", "value": "25", "reason": "по акту", "ground": ground, "document": "Акт 7 от 01.02.2026"}
    await post(client, f"/passports/{device}/corrections", body)
    alone = await standing(client, device)
    correction = await ref_of(client, device)
    await arrive(web, stranger, drafts.parameters(subject, dn("25"), 1), [mine, correction])
    meddled = await standing(client, device)
    await arrive(web, other, drafts.parameters(subject, dn("25"), 1), [correction])

    assert [item["id"] for item in asked] == [device]
    assert before == (None, "disputed", {"15": "disputed", "20": "disputed"})
    assert alone[:2] == meddled[:2] == (None, "disputed")
    assert alone[2]["20"] == alone[2]["25"] == "disputed"
    assert (await standing(client, device))[:2] == ("25", "working")
    assert (await get(client, "/conflicts?why=disputed"))["items"] == []


async def test_event_that_an_equal_tells_otherwise_is_contested_and_stays(web: RunningWeb) -> None:
    """A peer refs an event and tells another one: both stand in the timeline, marked, and are asked about."""
    client = web.local()
    device = (await post(client, "/plates", PLATE))["id"]
    await post(client, f"/passports/{device}/events", {"what": "installed", "where": "дом 1", "when": "2026-05-01"})
    first = (await view_of(client, device))["events"][0]
    where = Place(place=Reference(local="дом 2"))
    told = EventBody(what=Reference(central="removed"), where=where, system="1С")

    author = await peer(web, 1)
    ref = await arrive(web, author, drafts.event(parse_device_id(device).raw, told, 1), [parse_ref(first["ref"])])

    view = await view_of(client, device)
    event = next(e for e in view["events"] if e["ref"] == first["ref"])
    assert (event["replaced_by"], event["contested_by"], event["standing"]) == (None, ref_text(ref), "disputed")
    (conflict,) = [row for row in view["conflicts"] if row["what"] == "events"]
    assert {row["value"] for row in conflict["values"]} == {"installed", "removed"}
    assert [row["id"] for row in (await get(client, "/conflicts?why=disputed"))["items"]] == [device]
    browser = await web.claim()
    for path in (f"/devices/{device}", "/conflicts?why=disputed"):
        async with browser.get(path) as response:
            assert response.status == 200, path
            assert "равные стороны говорят разное" in await response.text(), path


async def test_document_of_a_correction_is_of_this_passport(web: RunningWeb) -> None:
    """A statement that is named as the paper becomes the ground; one of another device is refused by name."""
    client = web.local()
    device, other = [(await post(client, "/plates", {**PLATE, "serial": n}))["id"] for n in ("1", "2")]
    await post(client, f"/passports/{device}/parameters", {"rows": [{"code": {"central": "dn"}, "value": "15"}]})
    own, foreign = [ref_text(await ref_of(client, one)) for one in (device, other)]
    body = {"fact": "dn", "value": "20", "reason": "р", "ground": "expertise"}
    before = await web.what()

    assert (
        await refused(client, f"/passports/{device}/corrections", {**body, "document": foreign}) == "correction_ground"
    )
    assert await web.what() == before
    await post(client, f"/passports/{device}/corrections", {**body, "document": own})

    statement = (await view_of(client, device))["statements"][-1]
    assert (statement["auth"], statement["correction"]["attached"], statement["pending"]) == ([own], True, False)


async def ref_of(client: ClientSession, device: str) -> Ref:
    """The newest statement of a passport."""
    return parse_ref((await view_of(client, device))["statements"][-1]["ref"])


async def standing(client: ClientSession, device: str) -> tuple[str | None, str, dict[str, str]]:
    """What stands for the diameter, how, and how each value beside it stands."""
    row = (await view_of(client, device))["parameters"]["dn"]["values"][0]
    return row["value"], row["standing"], {other["value"]: other["standing"] for other in row["others"]}


async def get(client: ClientSession, path: str) -> Json:
    async with client.get(f"/api/v1{path}") as response:
        assert response.status == 200
        return await response.json()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"fact": "year", "value": "2024", "reason": "р"}, "correction_same"),
        ({"fact": "dn", "value": "15", "reason": "р"}, "correction_nothing"),
        ({"fact": "year", "value": "2025", "reason": "р", "ground": "court"}, "correction_document"),
        ({"fact": "year", "value": "2025"}, "validation"),
        ({"fact": "year", "value": "20x", "reason": "р"}, "correction_value"),
        ({"fact": "serial", "value": "日本", "reason": "р"}, "correction_value"),
        ({"fact": "year", "value": "2025", "reason": "р", "since": "2999-01-01"}, "moment_future"),
    ],
)
async def test_correction_of_nothing_is_refused(web: RunningWeb, body: Json, code: str) -> None:
    """What stands already, was never stated, lacks its paper or its reason is refused; nothing is written."""
    client = web.local()
    device = (await post(client, "/plates", PLATE))["id"]
    before = await web.what()

    assert await refused(client, f"/passports/{device}/corrections", body) == code
    assert await web.what() == before


async def test_own_correction_is_not_agreed_by_oneself(web: RunningWeb) -> None:
    """Agreement is another organisation's word."""
    client = web.local()
    device = (await post(client, "/plates", PLATE))["id"]
    await post(client, f"/passports/{device}/corrections", {"fact": "year", "value": "2025", "reason": "опечатка"})
    statements = (await view_of(client, device))["statements"]
    refs = {bool(s["correction"]): s["ref"] for s in statements}

    path = f"/passports/{device}/corrections/agreements"
    assert await refused(client, path, {"ref": refs[True]}) == "correction_own"
    assert await refused(client, path, {"ref": refs[False]}) == "correction_unknown"
