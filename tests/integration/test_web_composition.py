"""Composition through the API of a real node: objects, units and devices, parts in and out, lots and recalls."""

import asyncio
import re
from typing import Any

import pytest
from aiohttp import ClientSession

from node.passport import drafts
from node.passport.bodies import CompositionBody, EventBody, Place, Plate, Reference
from node.passport.claims import local_claim
from node.passport.ids import format_device_id, parse_device_id
from node.passport.view import moment_us
from node.services import reach
from tests.mirrored import arrive, peer
from tests.unit.web.running import RunningWeb, get, post, problem_code, refused

Json = Any  # Any: JSON
SINCE = "2026-05-01"


async def thing(client: ClientSession, kind: str, name: str, **more: str) -> str:
    return str((await post(client, "/things", {"kind": kind, "name": name, **more}))["id"])


async def device(client: ClientSession, serial: str) -> str:
    return str((await post(client, "/plates", {"designation": "ВС-15", "serial": serial}))["id"])


async def put(client: ClientSession, whole: str, *parts: str, since: str = SINCE, **more: str) -> None:
    rows = [{"id": part, **more} for part in parts]
    await post(client, f"/passports/{whole}/parts", {"parts": rows, "since": since})


def leaves(tree: Json) -> list[str]:
    inner = [leaf for part in tree["parts"] for leaf in leaves(part)]
    return inner or [tree["id"]]


@pytest.mark.req("B12")
async def test_object_leads_to_its_units_and_their_devices_with_the_history_of_moves(web: RunningWeb) -> None:
    """A house holds a metering unit, the unit a meter that was moved: each date shows what stood where."""
    client = web.local()
    house = await thing(client, "object", "Дом 1", address="ул. Примерная, 1")
    units = [await thing(client, "unit", f"Узел {number}") for number in (1, 2)]
    meter = await device(client, "0000001")
    await put(client, house, *units)
    await put(client, units[0], meter, position="G1")

    await post(client, f"/passports/{units[0]}/parts/removals", {"part": meter, "when": "2026-06-01"}, 204)
    await put(client, units[1], meter, since="2026-06-02")

    before = await get(client, f"/passports/{house}/tree?on=2026-05-15")
    after = await get(client, f"/passports/{house}/tree?on=2026-07-01")
    assert (before["kind"], before["title"]) == ("object", "Дом 1")
    assert sorted(leaves(before)) == sorted([meter, units[1]])
    assert sorted(leaves(after)) == sorted([meter, units[0]])
    parents = (await get(client, f"/passports/{meter}"))["view"]["composition"]["parents"]
    assert {(edge["since"], edge["until"]) for edge in parents} == {(SINCE, "2026-06-01"), ("2026-06-02", None)}


async def test_second_parent_and_cycle_are_refused_with_where_the_part_stands(web: RunningWeb) -> None:
    """One parent at a time; nothing stands in its own part; what is refused leaves nothing written."""
    client = web.local()
    outer, inner, meter = await thing(client, "unit", "А"), await thing(client, "unit", "Б"), await device(client, "1")
    await put(client, outer, inner)
    await put(client, inner, meter)
    before = await web.what()

    def parts(part: str, since: str = SINCE) -> Json:
        return {"parts": [{"id": part}], "since": since}

    assert await refused(client, f"/passports/{outer}/parts", parts(meter)) == "composition_two_parents"
    assert await refused(client, f"/passports/{inner}/parts", parts(outer)) == "composition_cycle"
    assert await refused(client, f"/passports/{inner}/parts", parts(inner)) == "composition_cycle"
    assert await refused(client, f"/passports/{inner}/parts", parts(meter)) == "composition_there"
    assert await refused(client, f"/passports/{inner}/parts", parts(meter, "2999-01-01")) == "moment_future"
    several = {"parts": [{"designation": "Пломба", "quantity": "2"}, {"id": meter}], "since": SINCE}
    assert await refused(client, f"/passports/{outer}/parts", several) == "composition_two_parents"
    assert await refused(client, f"/passports/{outer}/parts", {"parts": [{}], "since": SINCE}) == "part_unnamed"
    assert await web.what() == before


@pytest.mark.parametrize(
    "relations",
    [("lot", "lot"), ("material", "material"), ("lot", None), (None, "material"), ("lot", "lot", "material")],
)
async def test_cycle_through_any_relation_is_refused_with_the_way(
    web: RunningWeb, relations: tuple[str | None, ...]
) -> None:
    """What stands in, came out of or is used in each other leads up once only; the refusal names the way."""
    client = web.local()
    names = [f"Партия {number}" for number in range(len(relations))]
    chain = [await thing(client, "batch", name) for name in names]
    for part, whole, relation in zip(chain, chain[1:], relations, strict=False):
        await put(client, whole, part, **({"relation": relation} if relation else {}))
    before = await web.what()

    body = {"parts": [{"id": chain[-1], "relation": relations[-1]}], "since": SINCE}
    async with client.post(f"/api/v1/passports/{chain[0]}/parts", json=body) as response:
        problem = await response.json()

    assert (response.status, problem["code"]) == (409, "composition_cycle")
    assert " → ".join(names) in problem["detail"]
    assert await web.what() == before


async def test_lots_of_others_that_hold_each_other_end_every_walk(web: RunningWeb) -> None:
    """A cycle of lots and material that a peer stated is kept; tree, reach and recall answer."""
    client = web.local()
    things = [await thing(client, "batch", name) for name in ("А", "Б", "В")]
    subjects = [parse_device_id(one).raw for one in things]
    author = await peer(web, 1)
    for part, whole, relation in ((0, 1, "lot"), (1, 2, "lot"), (2, 0, "material"), (1, 0, "lot")):
        body = CompositionBody(relation=relation, since=SINCE)  # type: ignore[arg-type]  # one of the words
        await arrive(web, author, drafts.composition(subjects[part], subjects[whole], body, 1))

    for one in things:
        reached = [row["id"] for row in (await get(client, f"/passports/{one}/reach"))["items"]]
        assert len(reached) == len(set(reached))
        assert one not in reached
        assert (await get(client, f"/passports/{one}/tree?on=2026-07-01"))["id"] == one
        await post(client, f"/passports/{one}/recalls", {"reason": "брак", "when": "2026-06-01"})
    assert (
        await refused(client, f"/passports/{things[0]}/parts", {"parts": [{"id": things[2]}], "since": SINCE})
        == "composition_cycle"
    )


async def test_refusals_name_the_first_parent_and_the_path(web: RunningWeb) -> None:
    """A second parent names the first one and since when; a cycle names the way; what stood there before is no bar."""
    client = web.local()
    house, unit, other, meter = [await thing(client, "unit", name) for name in ("Дом", "Узел", "Узел 2", "Счётчик")]
    await put(client, house, unit)
    await put(client, unit, meter)

    async def detail(whole: str, part: str) -> str:
        body = {"parts": [{"id": part}], "since": SINCE}
        async with client.post(f"/api/v1/passports/{whole}/parts", json=body) as response:
            return str((await response.json())["detail"])

    assert f"{meter} " in (told := await detail(other, meter))
    assert unit in told
    assert "Узел" in told
    assert SINCE in told
    assert "Счётчик → Узел → Дом" in await detail(meter, house)

    await post(client, f"/passports/{unit}/parts/removals", {"part": meter, "when": "2026-06-01"}, 204)
    await put(client, meter, house, since="2026-06-01")


async def test_edges_of_others_are_kept_and_asked_to_be_closed(web: RunningWeb) -> None:
    """A second parent and a cycle that peers stated: each passport is listed; nothing more goes in; removal closes."""
    client = web.local()
    things = [await thing(client, "unit", name) for name in ("А", "Б", "В", "Г")]
    a, b, c, d = (parse_device_id(thing).raw for thing in things)
    await put(client, things[1], things[0])
    one, two = await peer(web, 1), await peer(web, 2)

    await arrive(web, one, drafts.composition(b, c, CompositionBody(since=SINCE), 1))
    await arrive(web, two, drafts.composition(c, a, CompositionBody(since=SINCE), 1))
    cycle = (await get(client, "/conflicts?why=cycle"))["items"]
    await arrive(web, two, drafts.composition(a, d, CompositionBody(since=SINCE), 1))
    parents = (await get(client, "/conflicts?why=two-parents"))["items"]
    more = {"parts": [{"id": things[0]}], "since": SINCE}

    assert {row["id"] for row in cycle} == {*things[:3]}
    assert {row["id"] for row in parents} == {things[0], things[3]}
    shown = await web_page(web, "/conflicts?why=cycle")
    assert "стоит в своей же детали" in shown
    assert re.search(r">А</a> → .*>Б</a> → .*>В</a>|>Б</a> → .*>В</a> → .*>А</a>|>В</a> → .*>А</a> → .*>Б</a>", shown)
    assert await refused(client, f"/passports/{things[2]}/parts", more) in (
        "composition_cycle",
        "composition_two_parents",
    )
    await post(client, f"/passports/{things[1]}/parts/removals", {"part": things[0], "when": SINCE}, 204)
    assert {row["id"] for row in (await get(client, "/conflicts?why=cycle"))["items"]} == set()


async def web_page(web: RunningWeb, path: str) -> str:
    browser = await web.claim()
    async with browser.get(path) as response:
        assert response.status == 200
        return await response.text()


async def test_kit_holds_quantities_of_things_without_passports(web: RunningWeb) -> None:
    """A kit by scan: one meter with its passport, two seals and a lot of batteries with their numbers."""
    client = web.local()
    kit, meter = await thing(client, "unit", "Комплект", number="ЗК-1"), await device(client, "2")
    lot = await thing(client, "batch", "Батарея ER14505", number="BAT-2501")
    rows = [
        {"id": meter},
        {"designation": "Пломба", "quantity": "2"},
        {"id": lot, "relation": "material", "quantity": "1"},
    ]

    await post(client, f"/passports/{kit}/parts", {"parts": rows, "since": SINCE})
    await put(client, await thing(client, "unit", "Комплект", number="ЗК-2"), lot, relation="material")

    inside = (await get(client, f"/passports/{kit}/composition?on=2026-05-02"))["items"]
    assert sorted((part["designation"] or "", part["quantity"]) for part in inside) == [
        ("", "1"),
        ("", "1"),
        ("Пломба", "2"),
    ]


async def test_slips_of_a_kit_are_refused_whole(web: RunningWeb) -> None:
    """One printed serial twice and a quantity of nothing put nothing in; a part comes out once, however often asked."""
    client = web.local()
    unit = (await post(client, "/things", {"kind": "unit", "name": "Узел"}))["id"]
    board = {"designation": "Плата", "serial": "ПЛ-1"}
    before = await web.what()

    for parts in ([board, {**board, "position": "2"}], [{**board, "quantity": "0"}], [{**board, "quantity": "0.000"}]):
        async with client.post(f"/api/v1/passports/{unit}/parts", json={"parts": parts, "since": SINCE}) as response:
            assert (response.status, await problem_code(response)) in [(422, "composition_twice"), (422, "validation")]
    assert await web.what() == before
    (part,) = (await post(client, f"/passports/{unit}/parts", {"parts": [board], "since": SINCE}))["ids"]

    async def take_out(day: str) -> int:
        body = {"part": part, "when": day}
        async with client.post(f"/api/v1/passports/{unit}/parts/removals", json=body) as response:
            return response.status

    assert sorted(await asyncio.gather(take_out("2026-06-01"), take_out("2026-06-02"))) == [204, 404]


@pytest.mark.req("B66")
async def test_recall_of_a_lot_reaches_every_device_that_holds_something_of_it(web: RunningWeb) -> None:
    """From a lot over a board to a device, and to the devices of a batch: each passport shows the recall."""
    client = web.local()
    chips, batch = await thing(client, "batch", "SX1276", number="S2502"), await thing(client, "batch", "Партия П-1")
    board = await thing(client, "component", "Плата")
    holding, member, other = [await device(client, serial) for serial in ("11", "12", "13")]
    await put(client, board, chips, relation="material", quantity="1")
    await put(client, holding, board)
    await put(client, batch, member, relation="lot")

    reached = (await get(client, f"/passports/{chips}/reach"))["items"]
    recall = {"reason": "брак", "document": "Акт 7", "when": "2026-06-01"}
    told = [(await post(client, f"/passports/{lot}/recalls", recall))["items"] for lot in (chips, batch)]

    assert [(row["id"], row["kind"], row["inside"]) for row in reached] == [
        (board, "component", True),
        (holding, "device", True),
    ]
    assert [row["id"] for rows in told for row in rows] == [board, holding, member]
    for subject, lot in ((holding, chips), (member, batch)):
        events = (await get(client, f"/passports/{subject}/events?what=recalled"))["items"]
        assert [(event["detail"]["document"], event["routed"]) for event in events] == [("Акт 7", True)]
        assert lot
    assert (await get(client, f"/passports/{other}/events?what=recalled"))["items"] == []


async def test_recall_reaches_hundreds_of_devices_in_one_statement(web: RunningWeb) -> None:
    """A batch of three hundred: one recall, told in each passport."""
    client = web.local()
    batch = await thing(client, "batch", "Партия П-2")
    plates = [Plate(designation="ВС-15", serial=f"{number:07d}") for number in range(300)]
    claims = [local_claim(web.context.ledger.log.log, number.to_bytes(16)) for number in range(300)]
    said = [
        drafts.identity(claim.subject.raw, claim.encode(), plate, 1)
        for claim, plate in zip(claims, plates, strict=True)
    ]
    lot = CompositionBody(relation="lot", since=SINCE)
    said += [drafts.composition(c.subject.raw, parse_device_id(batch).raw, lot, 1) for c in claims]
    await web.context.ledger.append(said)

    recall = {"reason": "брак", "when": "2026-06-01"}
    told = (await post(client, f"/passports/{batch}/recalls", recall))["items"]

    assert len(told) == 300
    last = format_device_id(claims[-1].subject)
    assert len((await get(client, f"/passports/{last}/events?what=recalled"))["items"]) == 1
    assert len((await get(client, f"/passports/{batch}/events?what=recalled"))["items"]) == 1


@pytest.mark.req("B66")
async def test_recall_reaches_what_was_put_into_a_batch_as_plain_parts(web: RunningWeb) -> None:
    """Devices in a batch, in a batch and in a unit within it; from one device its batch is named, not the others."""
    client = web.local()
    batch, box = await thing(client, "batch", "Партия П-3"), await thing(client, "batch", "Коробка")
    unit, chips = await thing(client, "unit", "Узел"), await thing(client, "batch", "SX1276")
    bare, boxed, board = [await device(client, serial) for serial in ("31", "32", "33")]
    await put(client, batch, bare, box)
    await put(client, box, boxed)
    await put(client, unit, board)
    await put(client, batch, unit)
    await put(client, bare, chips, relation="material")

    reached = await get(client, f"/passports/{batch}/reach")
    told = await post(client, f"/passports/{batch}/recalls", {"reason": "брак", "when": "2026-06-01"})
    of_chips = await get(client, f"/passports/{chips}/reach")

    assert {row["id"] for row in reached["items"]} == {bare, box, unit, boxed, board}
    assert told == reached
    assert (reached["warning"], reached["warning_text"]) == (None, None)
    assert len((await get(client, f"/passports/{boxed}/events?what=recalled"))["items"]) == 1
    assert [row["id"] for row in of_chips["items"]] == [bare, batch]


async def test_recall_that_reaches_nothing_known_is_no_all_clear(web: RunningWeb) -> None:
    """The answer and the page say that nothing is known here, in words and as a code."""
    client = web.local()
    batch = await thing(client, "batch", "Партия П-4")

    told = await post(client, f"/passports/{batch}/recalls", {"reason": "брак", "when": "2026-06-01"})

    assert (told["items"], told["warning"]) == ([], "nothing_known")
    assert "Это не значит, что никто не затронут" in told["warning_text"]
    assert told["warning_text"] in await web_page(web, f"/devices/{batch}/reach")


async def test_reach_that_is_cut_says_so(web: RunningWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three reached where two are followed at most: two are listed, and answer and page say that there are more."""
    client = web.local()
    batch = await thing(client, "batch", "Партия П-5")
    await put(client, batch, *[await device(client, serial) for serial in ("51", "52", "53")], relation="lot")
    whole = await get(client, f"/passports/{batch}/reach")

    monkeypatch.setattr(reach, "MOST_REACHED", 2)
    cut = await get(client, f"/passports/{batch}/reach")
    told = await post(client, f"/passports/{batch}/recalls", {"reason": "брак", "when": "2026-06-01"})

    assert (len(whole["items"]), whole["warning"]) == (3, None)
    assert [(len(answer["items"]), answer["warning"]) for answer in (cut, told)] == [(2, "cut")] * 2
    assert cut["warning_text"] in await web_page(web, f"/devices/{batch}/reach")


@pytest.mark.req("B63")
@pytest.mark.parametrize("missing", ["what", "where", "when"])
async def test_event_without_what_where_or_when_is_refused(web: RunningWeb, missing: str) -> None:
    """Who is the signer; each of the other three is asked for by name, and both times are shown."""
    client = web.local()
    meter = await device(client, "3")
    event = {"what": "installed", "where": await thing(client, "object", "Дом 1"), "when": SINCE}

    assert await refused(client, f"/passports/{meter}/events", {**event, missing: None}) == "validation"
    await post(client, f"/passports/{meter}/events", event)

    shown = (await get(client, f"/passports/{meter}/events"))["items"][0]
    assert shown["where"]["object"] is not None
    assert shown["occurred"] < shown["recorded"]
    assert shown["by"] == web.context.core.org.hex()


async def test_verification_before_production_is_refused(web: RunningWeb) -> None:
    """Nothing happens to a device before it is made; on the day itself it may."""
    client = web.local()
    meter = await device(client, "4")
    made = {"what": "manufactured", "where": "цех", "when": "2026-05-10T12:00:00Z"}
    await post(client, f"/passports/{meter}/events", made)

    early = {"what": "verified", "where": "лаборатория", "when": "2026-05-09"}
    assert await refused(client, f"/passports/{meter}/events", early) == "event_before_production"
    await post(client, f"/passports/{meter}/events", {**early, "when": "2026-05-10"})


@pytest.mark.req("B63")
@pytest.mark.parametrize("text", ["EPP1-{0}", "ЕРР1-{0}", "epp1 {0}", "https://vodokanal.example/d/EPP1-{0}"])
async def test_mistyped_id_of_a_place_is_refused_and_becomes_no_code(web: RunningWeb, text: str) -> None:
    """An id with one wrong character, also with look-alike letters before it, is no place code anywhere."""
    client = web.local()
    meter, house = await device(client, "5"), await thing(client, "object", "Дом 1")
    slip = text.format(house[5:-1] + ("0" if house[-1] != "0" else "1"))
    before = await web.what()

    for path, body in (
        (f"/passports/{meter}/events", {"what": "installed", "where": slip, "when": SINCE}),
        (f"/passports/{meter}/moves", {"place": slip, "when": SINCE}),
        ("/plates", {"designation": "ВС-15", "serial": "6", "place": slip}),
    ):
        assert await refused(client, path, body) == "id_mistyped", path

    assert await web.what() == before
    await post(client, f"/passports/{meter}/events", {"what": "installed", "where": house, "when": SINCE})
    assert (await get(client, f"/passports/{meter}/events"))["items"][0]["where"]["object"]


async def test_production_after_other_events_and_early_terms_are_refused(web: RunningWeb) -> None:
    """The order of a life holds whichever end is told last; a day of production or of an event to come is refused."""
    client = web.local()
    meter = await device(client, "7")
    await post(client, f"/passports/{meter}/events", {"what": "installed", "where": "дом", "when": "2026-05-01"})
    await post(client, "/catalogs/events/codes", {"items": [{"code": "ВЫПУСК", "central": "manufactured"}]})
    before = await web.what()

    async def refused_event(what: str, when: str) -> str:
        return await refused(client, f"/passports/{meter}/events", {"what": what, "where": "цех", "when": when})

    async def refused_value(code: str, value: str) -> str:
        row = {"code": {"central": code}, "value": value}
        return await refused(client, f"/passports/{meter}/parameters", {"rows": [row]})

    assert await refused_event("manufactured", "2026-05-02") == "production_after_events"
    assert await refused_event("ВЫПУСК", "2026-05-02") == "production_after_events"
    assert await refused_event("installed", "2999-01-01") == "moment_future"
    assert await refused_value("manufactured_on", "2999-01-01") == "moment_future"
    assert await web.what() == before
    await post(client, f"/passports/{meter}/events", {"what": "ВЫПУСК", "where": "цех", "when": "2026-04-01"})
    assert await refused_event("verified", "2026-03-31") == "event_before_production"
    assert await refused_value("verification_valid_until", "2026-03-31") == "verification_before_production"
    repair = {"where": "цех", "when": "2026-03-31"}
    parts = [{"position": "A1", "designation": "Плата", "serial": "2", "removed_serial": "1"}]
    told = await refused(client, f"/passports/{meter}/repairs", {**repair, "parts": parts})
    assert told == "event_before_production"


async def test_plate_of_a_year_after_an_earlier_event_is_refused(web: RunningWeb) -> None:
    """A device that was installed in 2024 was not made in 2026: nothing is stated; a year that agrees is taken."""
    client = web.local()
    read = {"designation": "ВС-15", "serial": "9", "approvals": ["12345-18"]}
    meter = (await post(client, "/plates", read))["id"]
    await post(client, f"/passports/{meter}/events", {"what": "installed", "where": "дом", "when": "2024-05-01"})
    before = await web.what()

    for year in ("2026", "2025"):
        assert await refused(client, "/plates", {**read, "year": year}) == "production_after_events", year
    assert await web.what() == before
    for year in ("2024", "2024", "2019"):
        assert (await post(client, "/plates", {**read, "year": year}))["id"] == meter, year


async def test_impossible_times_of_others_are_kept_and_asked_about(web: RunningWeb) -> None:
    """A peer's event before production, and one that lacks its place: kept, marked, listed; nothing is lost."""
    client = web.local()
    meter = await device(client, "8")
    subject = parse_device_id(meter).raw
    await post(client, f"/passports/{meter}/events", {"what": "manufactured", "where": "цех", "when": "2026-05-10"})
    author = await peer(web, 1)
    where = Place(place=Reference(local="лаборатория"))
    early = EventBody(what=Reference(central="verified"), where=where, system="1С")
    nowhere = EventBody(what=Reference(central="installed"), where=Place(), system="1С")

    await arrive(web, author, drafts.event(subject, early, 1), occurred=moment_us("2026-05-09"))
    await arrive(web, author, drafts.event(subject, nowhere, 1), occurred=moment_us("2026-05-11"))

    view = (await get(client, f"/passports/{meter}"))["view"]
    assert [(row["what"]["central"], row["warnings"]) for row in view["events"]] == [
        ("verified", ["before-production"]),
        ("manufactured", []),
    ]
    assert [s["faults"] for s in view["statements"] if s["org"] == author.org.hex()].count([]) == 1
    assert [row["id"] for row in (await get(client, "/conflicts?why=before-production"))["items"]] == [meter]
    browser = await web.claim()
    for path in (f"/devices/{meter}", "/conflicts", "/conflicts?why=before-production"):
        async with browser.get(path) as response:
            assert response.status == 200, path
            assert "было раньше выпуска прибора" in await response.text(), path
