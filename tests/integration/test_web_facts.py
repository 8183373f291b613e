"""All that is known by one identifier, and what may have been meant by one that nothing carries."""

import pytest
from aiohttp import ClientSession

from node.passport import drafts
from node.passport.bodies import AliasBody
from node.passport.ids import parse_device_id
from node.services.access import Scope
from node.web.routes import API
from tests.unit.web.running import NOW, RunningWeb, get, post, problem_code

SERIAL = "04719368"
PART = {"position": "плата", "designation": "П-1", "serial": "18", "removed_serial": "17"}
DEV_EUI = "fe000000000000a1"


async def lived(client: ClientSession, designation: str = "ВС-15") -> str:
    """A device with a place, an alias, two installations and a repair that says which part came out."""
    device = str((await post(client, "/plates", {"designation": designation, "serial": SERIAL}))["id"])
    rows = [{"code": {"central": "install_place"}, "value": f"{designation}, кв. 5"}]
    await post(client, f"/passports/{device}/parameters", {"rows": rows})
    for day in ("2026-04-01", "2026-04-02"):
        event = {"what": "installed", "where": f"узел {designation}", "when": day}
        await post(client, f"/passports/{device}/events", event)
    await post(client, f"/passports/{device}/repairs", {"where": "цех", "when": "2026-05-01", "parts": [PART]})
    return device


@pytest.mark.req("B27")
async def test_all_facts_of_one_serial_come_in_one_answer(web: RunningWeb) -> None:
    """Two devices with one serial are answered whole and apart: every fact, and who said it."""
    client = web.local()
    devices = {await lived(client, name): name for name in ("ВС-15", "СХВ-20")}
    other = await post(client, "/plates", {"designation": "ВС-15", "serial": "04719369"})

    found = (await get(client, "/facts", q=SERIAL))["devices"]

    assert {one["id"] for one in found} == devices.keys()
    assert other["id"] not in str(found)
    for one in found:
        view, name = one["view"], devices[one["id"]]
        assert view == (await get(client, f"/passports/{one['id']}"))["view"]
        assert [row["designation"] for row in view["plates"]] == [name]
        assert view["parameters"]["install_place"]["values"][0]["value"] == f"{name}, кв. 5"
        assert [row["what"]["central"] for row in view["events"]] == ["installed", "installed", "repaired"]
        assert view["composition"]["children"]
        assert {row["org"] for row in view["statements"]} == {web.context.core.org.hex()}
        assert one["found_by"] == "serial"


async def test_long_passport_is_answered_with_every_event(web: RunningWeb) -> None:
    """More events than a view keeps come in the same answer."""
    client = web.local()
    device = str((await post(client, "/plates", {"designation": "ВС-15", "serial": SERIAL}))["id"])
    for day in range(1, 71):
        event = {"what": "repaired", "where": "цех", "when": f"2026-0{day // 28 + 1}-{day % 28 + 1:02}"}
        await post(client, f"/passports/{device}/events", event)

    (found,) = (await get(client, "/facts", q=device))["devices"]

    assert len(found["view"]["events"]) == 70
    assert len(found["view"]["statements"]) == 71


@pytest.mark.parametrize(
    ("text", "by"),
    [
        (SERIAL, "serial"),
        (f"зав. № {SERIAL}", "serial"),
        (f"вс-15 № {SERIAL}", "plate"),
        ("АБ-12/77", "inventory"),
        (DEV_EUI, "dev_eui"),
        ("FE-00-00-00-00-00-00-A1", "dev_eui"),
        ("id", "id"),
    ],
)
async def test_anything_that_stands_on_the_device_is_a_key(web: RunningWeb, text: str, by: str) -> None:
    """A serial, a plate, an inventory number, a DevEUI and the device id lead to the same facts."""
    client = web.local()
    device = str((await post(client, "/plates", {"designation": "ВС-15", "serial": SERIAL}))["id"])
    subject = parse_device_id(device).raw
    bodies = [
        AliasBody(scheme=scheme, value=value, evidence="label")
        for scheme, value in (("inventory", "АБ-12/77"), ("dev_eui", DEV_EUI))
    ]
    await web.context.ledger.append([drafts.alias(subject, body, NOW) for body in bodies])

    found = (await get(client, "/facts", q=device if text == "id" else text))["devices"]

    assert [(one["id"], one["found_by"]) for one in found] == [(device, by)]


async def test_devices_with_one_serial_come_a_page_at_a_time(web: RunningWeb) -> None:
    """Pages of two hold each of five devices once; a cursor of another list is refused."""
    client = web.local()
    names = [f"ВС-{n}" for n in (15, 20, 25, 32, 40)]
    devices = {(await post(client, "/plates", {"designation": name, "serial": SERIAL}))["id"] for name in names}

    pages = [await get(client, "/facts", q=SERIAL, limit="2")]
    while pages[-1]["next"]:
        pages.append(await get(client, "/facts", q=SERIAL, limit="2", cursor=pages[-1]["next"]))
    found = [one["id"] for page in pages for one in page["devices"]]
    async with client.get(f"{API}/facts", params={"q": SERIAL, "cursor": "nonsense"}) as response:
        code = await problem_code(response)

    assert [len(page["devices"]) for page in pages] == [2, 2, 1]
    assert set(found) == devices
    assert len(found) == len(devices)
    assert code == "cursor"


async def test_facts_are_for_those_who_may_read(web: RunningWeb) -> None:
    """Without a log-in and without the right to read nothing is told, not even what may have been meant."""
    await lived(web.local())
    await web.claim()
    writer = await web.system(Scope.RADIO)

    for client, code in ((web.client(), "unauthenticated"), (writer, "scope")):
        async with client.get(f"{API}/facts", params={"q": SERIAL}) as response:
            assert await problem_code(response) == code


@pytest.mark.parametrize(
    ("typed", "slip"),
    [
        ("04719386", "swapped"),
        ("04719367", "one-character"),
        ("0471936", "one-more-or-less"),
        ("047193688", "one-more-or-less"),
        ("4719368", "same-serial"),
        ("O47I9368", "look-alike"),
        ("ВС-15 № 04719386", "swapped"),
        ("СГВ 04719386", "swapped"),
    ],
)
async def test_mistyped_serial_is_answered_with_what_may_be_meant(web: RunningWeb, typed: str, slip: str) -> None:
    """Nothing carries the text: the device one slip away is named, in the API and on the page; nothing else is."""
    client = web.local()
    device = str((await post(client, "/plates", {"designation": "ВС-15", "serial": SERIAL}))["id"])
    await post(client, "/plates", {"designation": "ВС-15", "serial": "99990000"})
    browser = await web.claim()

    looked, facts = [await get(client, path, q=typed) for path in ("/lookup", "/facts")]
    async with browser.get("/devices", params={"q": typed}) as response:
        page = await response.text()

    assert (looked["items"], facts["devices"]) == ([], [])
    assert looked["near"] == facts["near"]
    assert [(one["id"], one["serial"], one["slip"]) for one in looked["near"]] == [(device, SERIAL, slip)]
    assert f'<a href="/devices/{device}">' in page


async def test_nothing_is_suggested_where_nothing_is_near(web: RunningWeb) -> None:
    """A serial that is found, one that is far from all, and one of few characters bring no suggestion."""
    client = web.local()
    for serial in (SERIAL, "123", "4719"):
        await post(client, "/plates", {"designation": "ВС-15", "serial": serial})

    for text in (SERIAL, "55550000", "124", "ул. Мира", "ул. Мира 4718"):
        assert (await get(client, "/lookup", q=text))["near"] == [], text
