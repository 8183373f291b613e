"""The directory of organisations over the API and on its page, and owners in lists."""

from dataclasses import replace

import pytest
from aiohttp import ClientSession

from node.passport.bodies import CardBody
from node.passport.card import Card
from node.services.access import Scope
from node.store.filing import file_cards
from node.web.routes import API
from tests.builders import id16
from tests.unit.web.running import RunningWeb, get, post, problem_code

INN, OTHER_INN = "7702070139", "7728168971"
OGRN = "1027700132195"
SPELLED = ("ООО «Водоканал»", "Водоканал ООО")


async def owned(web: RunningWeb) -> dict[str, str]:
    """A company that is a member twice, and another one; each id owns a device. The ids by name."""
    orgs = {name: bytes.fromhex(await web.meet(name)) for name in (*SPELLED, "АО «Тепло»")}
    world = web.context.projection.world
    cards = {
        org: CardBody(name=name, inn=INN if name in SPELLED else OTHER_INN, kind="utility")
        for name, org in orgs.items()
    }
    web.context.projection.world = replace(world, cards={**world.cards, **cards})
    filed = [
        Card(id16(name), "device", "known", f"ВС-15 № {n}", f"BC 15 {n}", "", "", org.hex(), name, 0, 1, n)
        for n, (name, org) in enumerate(orgs.items())
    ]
    async with web.context.core.database.write() as tx:
        await file_cards(tx, filed)
    return {name: org.hex() for name, org in orgs.items()}


async def serials(client: ClientSession, owner: str) -> list[str]:
    items = (await get(client, "/passports", owner=owner))["items"]
    return [item["title"][-1] for item in items]


@pytest.mark.req("B61")
async def test_company_stands_once_with_its_numbers_and_keys(web: RunningWeb) -> None:
    """Two ids and three spellings of one ИНН are one row with both numbers and the keys of both nodes."""
    client, orgs = web.local(), await owned(web)
    named = {"name": "Общество с ограниченной ответственностью «Водоканал»", "inn": INN, "ogrn": OGRN}

    answer = await post(client, "/organisations/names", {"items": [named, {"name": "Тепло", "inn": OTHER_INN}]})
    found = (await get(client, "/organisations"))["items"]

    assert answer == {"taken": 2, "known": 0}
    (company,) = [item for item in found if item["inn"] == INN]
    assert set(company["names"]) == {*SPELLED, named["name"]}
    assert set(company["orgs"]) == {orgs[name] for name in SPELLED}
    assert (company["key"], company["ogrn"]) == (f"inn:{INN}", OGRN)
    assert company["sources"] == ["card", "named"]
    assert len({member["root_key"] for member in company["members"]}) == 2
    assert [item["name"] for item in found if item["inn"] == OTHER_INN] == ["АО «Тепло»"]


async def test_member_stands_with_the_key_of_its_node(web: RunningWeb) -> None:
    """The own organisation is listed with its root key and the key with which its node signs."""
    core = web.context.core
    web.context.membership.url = web.url
    await web.context.membership.publish_card()

    (own,) = [item for item in (await get(web.local(), "/organisations"))["items"] if item["own"]]

    (member,) = own["members"]
    node = {"node": core.node.hex(), "key": core.keystore.sign.public.hex(), "ended": False}
    assert (own["org"], own["inn"], member["nodes"]) == (core.org.hex(), "7707083893", [node])
    assert len(bytes.fromhex(member["root_key"])) == 33


@pytest.mark.parametrize(
    "owner", [INN, f"inn:{INN}", *SPELLED, "общество с ограниченной ответственностью водоканал", "id"]
)
async def test_owner_is_one_company_in_lists(web: RunningWeb, owner: str) -> None:
    """Its number, any spelling and either id ask for the devices of both ids, under one name."""
    client, orgs = web.local(), await owned(web)

    asked = [orgs[name] for name in SPELLED] if owner == "id" else [owner]
    found = [(await get(client, "/passports", owner=one))["items"] for one in asked]

    for items in found:
        assert [item["title"][-1] for item in items] == ["0", "1"]
        assert len({item["owner_name"] for item in items}) == 1


async def test_other_owners_stay_apart(web: RunningWeb) -> None:
    """Another company's number and name ask for its own devices alone, and a number of nobody for none."""
    client = web.local()
    await owned(web)

    assert [await serials(client, one) for one in (OTHER_INN, "тепло", "5260200603", OGRN)] == [["2"], ["2"], [], []]
    await post(client, "/organisations/names", {"items": [{"name": "Водоканал", "inn": INN, "ogrn": OGRN}]})
    assert await serials(client, OGRN) == ["0", "1"]


@pytest.mark.parametrize(
    ("item", "pointer"),
    [
        ({"name": "ООО «А»"}, "/items/0"),
        ({"name": "ООО «А»", "inn": "7702070138"}, "/items/0/inn"),
        ({"name": "ООО «А»", "ogrn": "1027700132196"}, "/items/0/ogrn"),
        ({"name": "  ", "inn": INN}, "/items/0/name"),
    ],
)
async def test_name_without_a_right_number_is_refused(web: RunningWeb, item: dict[str, str], pointer: str) -> None:
    """The refusal names the place, in both languages; nothing of the request is kept."""
    client = web.local()
    body = {"items": [item, {"name": "ООО «Б»", "inn": INN}]}

    for language in ("ru", "en"):
        async with client.post(
            f"{API}/organisations/names", json=body, headers={"Accept-Language": language}
        ) as response:
            problem = await response.json(content_type=None)
        assert (response.status, problem["code"]) == (422, "validation")
        assert [error["pointer"] for error in problem["errors"]] == [pointer]

    assert (await get(client, "/organisations/names"))["items"] == []


async def test_name_is_forgotten_by_its_id(web: RunningWeb) -> None:
    """What people wrote is kept once and taken back; the journal tells of both; a member's own name stays."""
    client = web.local()
    body = {"items": [{"name": "Счётчик ООО", "inn": "7707083893"}]}
    await post(client, "/organisations/names", body)
    assert await post(client, "/organisations/names", body) == {"taken": 0, "known": 1}
    (kept,) = (await get(client, "/organisations/names"))["items"]

    for status in (204, 404):
        async with client.delete(f"{API}/organisations/names/{kept['id']}") as response:
            assert response.status == status

    assert (await get(client, "/organisations", q="Счётчик ООО"))["items"] == []
    assert (await web.what())[-2:] == ["organisations_named", "organisation_forgotten"]


async def test_page_shows_companies_and_takes_a_name(web: RunningWeb) -> None:
    """The page lists each company once, leads to its devices, and a name written there is found by it."""
    await owned(web)
    browser = await web.claim()

    async with browser.post(
        "/organisations/names", data={"name": "МУП «Горводоканал»", "inn": INN, "ogrn": ""}
    ) as response:
        assert response.status == 200
        page = await response.text()
    async with browser.post("/organisations/names", data={"name": "Б", "inn": "123"}) as response:
        assert response.status == 422
    async with browser.get("/organisations", params={"q": "горводоканал"}) as response:
        found = await response.text()

    assert page.count(f'href="/devices?owner={INN}"') == 1
    assert all(name.replace("«", "«") in page for name in (*SPELLED, "МУП «Горводоканал»"))
    assert INN in found
    assert OTHER_INN not in found


async def test_names_are_written_by_those_who_record(web: RunningWeb) -> None:
    """A reader reads the directory and names nobody."""
    reader = await web.system(Scope.READ)

    async with reader.post(f"{API}/organisations/names", json={"items": [{"name": "А", "inn": INN}]}) as response:
        assert await problem_code(response) == "scope"
    assert "items" in await get(reader, "/organisations")
