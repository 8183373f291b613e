"""The event feed, and tokens that are limited to some devices."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain

import pytest
from aiohttp import ClientSession

from node.passport.ids import parse_device_id
from node.services.access import Actor, Scope
from node.web.routes import API, Limit
from node.web.server import ROUTES
from tests.unit.web.running import Json, RunningWeb, get, post, problem_code

DEADLINE_S = 10.0
WHEN = "2026-08-01T10:00:00Z"
NEEDED = {f"{API}/passports/{{id}}/issue": {"profile": "owner"}}  # without it a question is wrong for everybody


async def stated(client: ClientSession, count: int) -> list[str]:
    """The ids of so many devices that were stated here."""
    plates = [{"designation": "ВС-15", "serial": f"{n}234567"} for n in range(count)]
    return [(await post(client, "/plates", plate))["id"] for plate in plates]


async def install(client: ClientSession, device: str) -> None:
    """One more event of a device."""
    await post(client, f"/passports/{device}/events", {"what": "installed", "where": "подвал", "when": WHEN})


async def limited(web: RunningWeb, devices: Sequence[str], *scopes: Scope) -> ClientSession:
    """A system whose token is limited to those devices."""
    subjects = [parse_device_id(device).raw for device in devices]
    secret, _ = await web.context.tokens.issue(Actor.local(), "erp", frozenset({Scope.READ, *scopes}), 30, subjects)
    return web.client({"Authorization": f"Bearer {secret}"})


async def refused(client: ClientSession, path: str, **query: str) -> str:
    """The code of the problem with which the API refuses a question."""
    async with client.get(f"{API}{path}", params=query) as response:
        return await problem_code(response)


async def test_feed_read_in_pieces_is_the_journal(web: RunningWeb) -> None:
    """However few events an answer has, those of all answers are the journal's, in its order, each once."""
    client = await web.system(Scope.READ)
    await stated(web.local(), 3)
    seen: list[Json] = []
    last = 0
    while items := (answer := await get(client, "/events", after=str(last), limit="2"))["events"]:
        seen, last = seen + items, answer["last"]

    journal = (await get(client, "/journal", limit="200"))["items"]
    assert seen == journal[::-1]
    assert last == seen[-1]["id"]


async def test_feed_waits_for_the_next_event_and_no_longer(web: RunningWeb) -> None:
    """A question with a wait is answered by the event itself; without one the answer is empty when the time is over."""
    client = await web.system(Scope.READ)
    end = (await get(client, "/events", limit="0"))["last"]
    assert (await get(client, "/events", after=str(end), wait="0.01")) == {"events": [], "last": end}

    async with asyncio.timeout(DEADLINE_S):
        other = web.local()
        waiting = asyncio.create_task(get(client, "/events", after=str(end), wait="60", what="plate_stated"))
        while not web.context.bus._listeners:
            await get(other, "/me")
        await stated(web.local(), 1)
        (event,) = (await waiting)["events"]
    assert event["what"] == "plate_stated"


async def test_wait_ends_with_the_right_to_read(web: RunningWeb) -> None:
    """A token that is revoked while its question waits gets nothing of what happens then."""
    client = await web.system(Scope.READ)
    end = (await get(client, "/events", limit="0"))["last"]
    async with asyncio.timeout(DEADLINE_S):
        other = web.local()
        waiting = asyncio.create_task(refused(client, "/events", after=str(end), wait="60"))
        while not web.context.bus._listeners:
            await get(other, "/me")
        (token,) = await web.context.tokens.list()
        await web.context.tokens.revoke(Actor.local(), token.id)
        assert await waiting == "unauthenticated"


async def test_feed_is_narrowed_by_kind_and_device(web: RunningWeb) -> None:
    """Of chosen kinds and devices alone; `last` goes on past what was left out, so that it is not looked at again."""
    first, second, _ = await stated(web.local(), 3)
    for device in (first, second):
        await install(web.local(), device)
    client = await web.system(Scope.READ)

    told = await get(client, "/events", what="event_recorded", device=first)

    assert [(item["what"], item["subject"]) for item in told["events"]] == [
        ("event_recorded", parse_device_id(first).hex)
    ]
    assert told["last"] == (await get(client, "/events", limit="0"))["last"]


async def test_place_beyond_the_journal_is_told(web: RunningWeb) -> None:
    """A reader that knows more than the journal, as after a restored backup, is told so and where it ends."""
    client = await web.system(Scope.READ)
    assert await refused(client, "/events", after="1000000") == "events_ahead"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"what": "plates_stated"}, "validation"),
        ({"device": "EPP1-0"}, "id_mistyped"),
        ({"wait": "61"}, "validation"),
        ({"wait": "nan"}, "validation"),
        ({"limit": "501"}, "validation"),
        ({"after": "-1"}, "validation"),
    ],
)
async def test_nonsense_is_refused(web: RunningWeb, query: dict[str, str], code: str) -> None:
    """A kind of event that there is not, or a limit beyond reason, is a problem and no silent feed."""
    assert await refused(await web.system(Scope.READ), "/events", **query) == code


async def test_limited_token_gets_events_of_its_devices_and_resumes(web: RunningWeb) -> None:
    """A script with a limited token gets every event of its devices, none of others, and none is lost in a break."""
    first, second, third = await stated(web.local(), 3)
    script = await limited(web, [first, second])
    kinds = {"what": "event_recorded"}
    last = (await get(script, "/events", limit="0", **kinds))["last"]

    await install(web.local(), first)
    before = await get(script, "/events", after=str(last), wait="5", **kinds)
    await script.close()
    for device in (third, second, first):  # nobody listens
        await install(web.local(), device)
    again = await limited(web, [first, second])
    after = await get(again, "/events", after=str(before["last"]), **kinds)

    told = [item["subject"] for item in (*before["events"], *after["events"])]
    assert told == [parse_device_id(device).hex for device in (first, second, first)]
    everything = await get(again, "/events")
    assert {item["subject"] for item in everything["events"]} == {parse_device_id(one).hex for one in (first, second)}
    assert (await get(again, "/events", device=third))["events"] == []


async def test_limited_token_reads_its_devices_alone(web: RunningWeb) -> None:
    """By id, in lists and in searches a limited token finds its own devices and no others."""
    mine, other = await stated(web.local(), 2)
    script = await limited(web, [mine])

    assert (await get(script, f"/passports/{mine}"))["id"] == mine
    assert (await get(script, "/me"))["devices"] == [mine]
    for path in (f"/passports/{other}", f"/passports/{other}/events", f"/passports/{other}/parameters"):
        assert await refused(script, path) == "token_device"
    for query in ({}, {"q": "234567"}, {"q": mine}, {"sort": "changed"}, {"kind": "device"}):
        assert [row["id"] for row in (await get(script, "/passports", **query))["items"]] == [mine], query
    assert (await get(script, "/passports", q=other))["items"] == []
    assert [row["id"] for row in (await get(script, "/lookup", q="0234567"))["items"]] == [mine]
    assert await get(script, "/lookup", q="1234567") == {"items": [], "near": [], "asked": [], "rounds": 0}
    async with script.get("/events?view=journal") as response:
        assert await problem_code(response) == "token_limited"


async def test_limited_token_pages_through_its_devices(web: RunningWeb) -> None:
    """The list of a limited token is read forwards and back page by page as any other."""
    devices = await stated(web.local(), 5)
    script = await limited(web, devices[:4])
    for sort in ("title", "changed"):
        seen: list[list[str]] = []
        page = await get(script, "/passports", limit="2", sort=sort)
        seen.append([row["id"] for row in page["items"]])
        page = await get(script, "/passports", limit="2", sort=sort, cursor=page["next"])
        seen.append([row["id"] for row in page["items"]])
        assert page["next"] is None
        back = await get(script, "/passports", limit="2", sort=sort, cursor=page["previous"])
        assert [row["id"] for row in back["items"]] == seen[0]
        assert sorted(chain(*seen)) == sorted(devices[:4])


async def test_limited_token_writes_what_its_scopes_let_about_its_devices_alone(web: RunningWeb) -> None:
    """With the right to record it tells of its own device; about another one every such operation refuses it."""
    mine, other = await stated(web.local(), 2)
    script, reader = await limited(web, [mine], Scope.READ, Scope.RECORD), await limited(web, [mine])

    await install(script, mine)

    told = (await get(script, f"/passports/{mine}/events"))["items"]
    assert [one["system"] for one in told] == ["erp"]
    body = {"what": "installed", "where": "подвал", "when": WHEN}
    async with reader.post(f"/api/v1/passports/{mine}/events", json=body) as response:
        assert await problem_code(response) == "scope"
    names: defaultdict[str, object] = defaultdict(lambda: f"{'0' * 32}:1:{'0' * 32}", sha256="0" * 64, month="2026-01")
    for route in (route for route in ROUTES if route.limit is Limit.PASSPORT):
        for device in (mine, other):
            path = route.address(names | {"id": device})
            async with script.request(route.method, path, params=NEEDED.get(route.path), json={}) as response:
                assert response.status < 500, path
                if device == other and route.method == "GET":
                    assert await problem_code(response) == "token_device", path
    async with script.post(f"/api/v1/passports/{other}/events", json=body) as response:
        assert await problem_code(response) == "token_device"


async def test_what_cannot_hold_to_a_limit_refuses_limited_tokens(web: RunningWeb) -> None:
    """Every operation that is about more than one device refuses a limited token, whatever its scopes are."""
    (device,) = await stated(web.local(), 1)
    script = await limited(web, [device], *Scope)
    closed = [route for route in ROUTES if route.limit is Limit.REFUSES and not route.is_open]
    assert len(closed) > 150
    for route in closed:
        path = route.address(defaultdict(lambda: device))
        async with script.request(route.method, path) as response:
            assert (response.status, await problem_code(response)) == (403, "token_limited"), (route.method, path)
