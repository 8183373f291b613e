"""Roles over things through the API of one node that made its meters: stated, offered, ended, and who may not."""

import time
from typing import Any

import pytest

from federation.authority import Authority, Verb
from node.passport import drafts
from node.passport.bodies import MandateBody
from node.passport.roles import outside_party
from node.services.access import Scope
from node.web.routes import API
from tests.unit.web.running import RunningWeb, get, post, problem_code, refused, view_of

Json = Any  # Any: JSON
LINE = {
    "marks": ["Демо"],
    "designations": ["СГВ-15"],
    "legal_makers": ["ООО «Счётчик»"],
    "serial": {"pattern": "digits", "width": 7},
}
INN = "7707083893"
HOUSING = {"name": "ТСЖ «Садовая»", "inn": "7736050003", "document": "договор управления № 7"}


@pytest.fixture
async def maker(web: RunningWeb) -> RunningWeb:
    """A node that is the attested maker of its own line."""
    await be_maker(web)
    return web


async def be_maker(web: RunningWeb) -> str:
    """Found a federation, attest its founder as a maker with a line; the organisation's id."""
    client = web.local()
    await post(client, "/federation", {"name": "Демо"})
    org = str((await get(client, "/node"))["org"])
    await post(client, "/attestations", {"org": org, "what": "number", "rows": [f"inn:{INN}"]})
    await post(client, "/attestations", {"org": org, "what": "maker", "rows": []})
    await post(client, "/lines", {"record": {**LINE, "publisher": org}})
    return org


async def meter(web: RunningWeb, serial: str = "0012345") -> str:
    """A meter with a plate."""
    body = {"designation": "СГВ-15", "serial": serial, "mark": "Демо"}
    return str((await post(web.local(), "/plates", body))["id"])


async def holders(web: RunningWeb, device: str, on: str, role: str) -> list[tuple[str, str, str]]:
    """Who holds a role on a day: name or id, standing, basis."""
    items = (await get(web.local(), f"/passports/{device}/roles", on=on))["items"]
    return [(row["name"] or row["party"], row["standing"], row["basis"]) for row in items if row["role"] == role]


async def test_party_without_a_node_is_stated_by_a_document_and_shown_on_its_days(maker: RunningWeb) -> None:
    """The responsible party by number and document, from its day on; before it, and once ended, the owner is."""
    client, devices = maker.local(), [await meter(maker), await meter(maker, "0012346")]
    own = (await get(client, "/node"))["org"]
    body = {**HOUSING, "role": "responsible", "ids": devices, "since": "2026-03-01"}
    act = await post(client, "/mandates/statements", body)

    assert (act["state"], act["number"], act["org"], len(act["devices"])) == ("stands", "inn:7736050003", None, 2)
    for device in devices:
        assert await holders(maker, device, "2026-02-28", "responsible") == [(own, "stated", "title")]
        assert await holders(maker, device, "2026-03-01", "responsible") == [(HOUSING["name"], "stated", "document")]
    (row,) = [r for r in (await view_of(client, devices[0]))["parties"]["roles"] if r["basis"] == "document"]
    assert (row["party"], row["document"]) == (outside_party("inn:7736050003").hex(), HOUSING["document"])

    ended = await post(client, f"/mandates/{act['id']}/end", {"reason": "расторгнут", "ids": [devices[0]]})

    assert (ended["state"], ended["ended"], ended["reasons"]) == ("stands", [devices[0]], ["расторгнут"])
    assert await holders(maker, devices[0], "2026-12-31", "responsible") == [(own, "stated", "title")]
    assert await holders(maker, devices[1], "2026-12-31", "responsible") == [(HOUSING["name"], "stated", "document")]
    whole = await post(client, f"/mandates/{act['id']}/end", {"reason": "расторгнут"})
    assert whole["state"] == "ended"
    assert await refused(client, f"/mandates/{act['id']}/end", {"reason": "ещё раз"}) == "mandate_not_standing"


async def test_name_of_a_resident_stays_out_of_the_passport(maker: RunningWeb) -> None:
    """The act tells it to the people of this node; passport, journal and lists of the passport say `resident`."""
    client, device = maker.local(), await meter(maker)
    person = {"resident": True, "name": "Петрова Анна", "contact": "+7 900"}
    body = {"role": "title", "ids": [device], "document": "ДКП 5", **person}
    act = await post(client, "/mandates/statements", body)

    assert (act["name"], act["contact"], act["resident"]) == ("Петрова Анна", "+7 900", True)
    for path in (f"/passports/{device}", f"/passports/{device}/roles", f"/passports/{device}/statements", "/journal"):
        shown = await get(client, path)
        assert "Петрова" not in str(shown), path
    view = await view_of(client, device)
    assert [row["number"] for row in view["parties"]["roles"] if row["role"] == "title"] == [None, "resident"]
    assert view["parties"]["owner"]["standing"] == "stated"
    assert [event["what"]["central"] for event in view["events"]] == ["owner_changed"]


async def test_what_cannot_be_stated_is_refused_with_its_reason(maker: RunningWeb) -> None:
    """A member is offered the role, a number has check digits, an organisation a number, and a role its giver."""
    client, device = maker.local(), await meter(maker)
    whole = {**HOUSING, "role": "responsible", "ids": [device]}
    for body, code in (
        ({**whole, "inn": INN}, "mandate_has_node"),
        ({**whole, "inn": "7736050004"}, "validation"),
        ({**whole, "inn": None}, "validation"),
        ({**whole, "resident": True}, "validation"),
        ({**whole, "contact": "+7"}, "validation"),
        ({**whole, "since": "2026-03-01", "until": "2026-02-01"}, "mandate_period"),
        ({**whole, "since": "2026-02-30"}, "moment"),
        ({**whole, "role": "manufacturer"}, "validation"),
        ({**whole, "ids": ["EPP1-1"]}, "id_mistyped"),
    ):
        assert await refused(client, "/mandates/statements", body) == code, body
    other = await maker.meet("utility")
    for path, body, code in (
        ("offers", {"role": "data_source", "org": other, "ids": [device]}, "validation"),
        ("offers", {"role": "title", "org": "00" * 16, "ids": [device]}, "org_unknown"),
        ("appointments", {"role": "responsible", "org": other, "ids": [device]}, "validation"),
    ):
        assert await refused(client, f"/mandates/{path}", body) == code
    own = (await get(client, "/node"))["org"]
    assert (
        await refused(client, "/mandates/offers", {"role": "title", "org": own, "ids": [device]}) == "mandate_to_self"
    )


async def test_offer_is_listed_taken_back_and_made_anew(maker: RunningWeb) -> None:
    """An offer stands in the lists by direction, state and role; one thing is offered once at a time."""
    client, device = maker.local(), await meter(maker)
    other = await maker.meet("utility")
    body = {"role": "settlement", "org": other, "ids": [device], "until": "2027-01-01", "number": "7"}
    made = await post(client, "/mandates/offers", body)

    assert await refused(client, "/mandates/offers", body) == "mandate_offered"
    assert [one["id"] for one in (await get(client, "/mandates", direction="out", state="waiting"))["items"]] == [
        made["id"]
    ]
    assert (await get(client, "/mandates", direction="in"))["items"] == []
    assert (await get(client, "/mandates", role="title"))["items"] == []
    (row,) = (await get(client, f"/passports/{device}/roles"))["transfers"]
    assert (row["state"], row["to"], row["role"]) == ("waiting", other, "settlement")
    for answer in ("acceptance", "refusal"):
        path = f"/mandates/{made['id']}/{answer}"
        assert await refused(client, path, {"reason": "не наш"}) == "mandate_not_ours"

    gone = await post(client, f"/mandates/{made['id']}/withdrawal", {"reason": "ошибка"})

    assert gone["state"] == "withdrawn"
    assert (await get(client, f"/passports/{device}/roles"))["transfers"][0]["reason"] == "withdrawn"
    assert await refused(client, f"/mandates/{made['id']}/withdrawal", {"reason": "ошибка"}) == "mandate_answered"
    again = await post(client, "/mandates/offers", body)
    maker.clock.move(366 * 86_400)
    assert (await get(client, f"/mandates/{again['id']}"))["state"] == "lapsed"
    assert (await maker.what()).count("role_offered") == 2


async def test_seller_speaks_for_an_owner_without_a_node_until_somebody_is_responsible(maker: RunningWeb) -> None:
    """Once a party by document is responsible too, the seller still speaks for both; without any right nobody does."""
    client, device = maker.local(), await meter(maker)
    sold = {**HOUSING, "role": "title", "ids": [device]}
    await post(client, "/mandates/statements", sold)
    await post(client, "/mandates/statements", {**sold, "role": "settlement", "inn": "7728168971", "name": "АО «Сбыт»"})
    other = await maker.meet("utility")

    made = await post(client, "/mandates/offers", {"role": "responsible", "org": other, "ids": [device]})

    assert made["state"] == "waiting"
    assert (await get(client, f"/passports/{device}/roles"))["transfers"][0]["state"] == "waiting"
    assert await holders(maker, device, "2027-01-01", "settlement") == [("АО «Сбыт»", "stated", "document")]
    assert await holders(maker, device, "2027-01-01", "responsible") == [(HOUSING["name"], "stated", "title")]


async def test_reader_states_and_answers_nothing(maker: RunningWeb) -> None:
    """Reading roles takes the scope of reading, every act about them that of shipping."""
    device = await meter(maker)
    reader = await maker.system(Scope.READ)
    body = {**HOUSING, "role": "responsible", "ids": [device]}

    assert (await get(reader, f"/passports/{device}/roles"))["items"]
    async with reader.post(f"{API}/mandates/statements", json=body) as response:
        assert (response.status, await problem_code(response)) == (403, "scope")


async def test_thousand_acts_hold_up_no_page(maker: RunningWeb) -> None:
    """Every page asks how many offers wait: where nothing was said since, that takes no time."""
    context, me = maker.context, bytes.fromhex((await get(maker.local(), "/node"))["org"])
    things = [n.to_bytes(16) for n in range(1, 1001)]
    offers = [Authority(Verb.OFFER, me, ("responsible",), subjects=(thing,)) for thing in things]
    said = [drafts.mandate(thing[::-1], offer, MandateBody(), 0) for thing, offer in zip(things, offers, strict=True)]
    await context.ledger.append(said)
    assert len(await context.mandates.waiting()) == 1000

    began = time.perf_counter()
    for _ in range(10):
        assert len(await context.mandates.waiting()) == 1000
    assert time.perf_counter() - began < 0.5

    await context.ledger.append([drafts.mandate(bytes(16), offers[0], MandateBody(), 0)])
    assert len(await context.mandates.waiting()) == 1001


async def test_offers_are_answered_page_after_page_and_none_is_left_out(maker: RunningWeb) -> None:
    """Who answers what a page shows before asking for the next one is shown every offer once."""
    client, me = maker.local(), bytes.fromhex((await get(maker.local(), "/node"))["org"])
    offers = [Authority(Verb.OFFER, me, ("responsible",), subjects=(n.to_bytes(16),)) for n in range(1, 8)]
    said = [drafts.mandate(bytes([n]) * 16, offer, MandateBody(), 0) for n, offer in enumerate(offers)]
    await maker.context.ledger.append(said)

    seen: list[str] = []
    query = {"state": "waiting", "limit": "2"}
    while True:
        page = await get(client, "/mandates", **query)
        for one in page["items"]:
            seen.append(one["id"])
            await post(client, f"/mandates/{one['id']}/acceptance", None, 200)
        if page["next"] is None:
            break
        query["cursor"] = page["next"]

    assert len(seen) == len(set(seen)) == len(offers)
    assert (await get(client, "/mandates", state="waiting"))["items"] == []
