"""A passport answered from memory: what was committed before a question shows in its answer, and what ended is over."""

import asyncio

from aiohttp import ClientSession

from node.passport.ids import parse_device_id
from node.services.access import Actor, Scope
from node.services.ready import ReadyPassports
from node.web.api.passports import PassportAnswer
from node.web.routes import API
from tests.unit.web.running import RunningWeb, get, post, problem_code

EVENT = {"what": "installed", "where": "Садовая, 1", "when": "2026-05-01"}
SYSTEM = {"name": "АСКУЭ", "kind": "АСКУЭ", "scopes": ["read"], "writes": [], "contact": "отдел АСУ"}
DEADLINE_S = 10.0


async def meter(web: RunningWeb, serial: str = "0012345") -> str:
    """A meter with a plate."""
    return str((await post(web.local(), "/plates", {"designation": "СГВ-15", "serial": serial}))["id"])


async def events_of(client: ClientSession, device: str) -> tuple[int, str]:
    """How many events the passport shows, and its ETag."""
    async with client.get(f"{API}/passports/{device}") as response:
        assert response.status == 200
        return len((await response.json())["view"]["events"]), response.headers["ETag"]


async def status_of(client: ClientSession, device: str, **headers: str) -> int:
    async with client.get(f"{API}/passports/{device}", headers=headers) as response:
        return response.status


async def test_each_statement_shows_in_the_very_next_answer(web: RunningWeb) -> None:
    """Of thirty events each is in the answer that is asked for once it was stated, and each answer has its own tag."""
    device, reader = await meter(web), await web.system(Scope.READ)

    seen = []
    for n in range(10):
        seen += [await events_of(reader, device) for _ in range(2)]
        await post(web.local(), f"/passports/{device}/events", {**EVENT, "when": f"2026-05-{n + 1:02}"})

    assert [count for count, _ in seen] == [n // 2 for n in range(20)]
    assert [seen[n][1] == seen[n + 1][1] for n in range(19)] == [n % 2 == 0 for n in range(19)]


async def test_known_tag_is_answered_without_a_body_until_something_is_said(web: RunningWeb) -> None:
    """304 while the passport is the one that the asker has, 200 from the next statement on."""
    device, reader = await meter(web), await web.system(Scope.READ)
    _, tag = await events_of(reader, device)

    known = await status_of(reader, device, **{"If-None-Match": tag})
    await post(web.local(), f"/passports/{device}/events", EVENT)
    changed = await status_of(reader, device, **{"If-None-Match": tag})

    assert (known, changed) == (304, 200)


async def test_whoever_hears_of_a_change_reads_it(web: RunningWeb) -> None:
    """A listener of the event stream who asks as soon as it is told finds what it was told of."""
    device, reader = await meter(web), await web.system(Scope.READ)
    assert await events_of(reader, device)
    async with asyncio.timeout(DEADLINE_S), reader.get("/events") as stream:
        for n in range(5):
            saying = asyncio.create_task(
                post(web.local(), f"/passports/{device}/events", {**EVENT, "when": f"2026-05-{n + 1:02}"})
            )
            await anext(line async for line in stream.content if b"event_recorded" in line)
            assert (await events_of(reader, device))[0] == n + 1
            await saying


async def test_revoked_token_is_refused_by_the_very_next_answer(web: RunningWeb) -> None:
    """Neither a remembered token nor a remembered passport outlives the revocation."""
    device = await meter(web)
    secret, token = await web.context.tokens.issue(Actor.local(), "erp", frozenset({Scope.READ}), 30)
    reader = web.client({"Authorization": f"Bearer {secret}"})
    assert [await status_of(reader, device) for _ in range(3)] == [200] * 3

    await web.context.tokens.revoke(Actor.local(), token.id)

    async with reader.get(f"{API}/passports/{device}") as response:
        assert await problem_code(response) == "unauthenticated"


async def test_token_ends_at_its_time_though_nothing_was_committed(web: RunningWeb) -> None:
    """The end of a token is compared with the clock at each request."""
    device = await meter(web)
    secret, token = await web.context.tokens.issue(Actor.local(), "erp", frozenset({Scope.READ}), 1)
    reader = web.client({"Authorization": f"Bearer {secret}"})
    assert await status_of(reader, device) == 200

    web.clock.move((token.expires_us - token.created_us) / 1e6)

    assert await status_of(reader, device) == 401


async def test_system_has_its_new_rights_from_the_next_answer_on(web: RunningWeb) -> None:
    """Limited to another thing, cut off, let in again: each counts at once."""
    device, other = await meter(web), await meter(web, "0012346")
    await post(web.local(), "/systems", SYSTEM)
    secret = (await post(web.local(), f"/systems/{SYSTEM['name']}/tokens", {}))["secret"]
    reader = web.client({"Authorization": f"Bearer {secret}"})
    codes = [await status_of(reader, device)]

    narrow = {key: value for key, value in SYSTEM.items() if key != "name"} | {"things": [other]}
    async with web.local().put(f"{API}/systems/{SYSTEM['name']}", json=narrow) as response:
        assert response.status == 200, await response.text()
    codes += [await status_of(reader, device), await status_of(reader, other)]
    await post(web.local(), f"/systems/{SYSTEM['name']}/block", {"reason": "утечка"})
    codes += [await status_of(reader, other)]

    assert codes == [200, 403, 200, 403]


async def test_answer_is_what_the_api_document_promises(web: RunningWeb) -> None:
    """What is put together from stored bytes reads as the model, names every field and nothing else."""
    device, reader = await meter(web), await web.system(Scope.READ)
    await post(web.local(), f"/passports/{device}/events", EVENT)

    async with reader.get(f"{API}/passports/{device}") as response:
        raw = await response.text()
    answer = PassportAnswer.model_validate_json(raw)

    assert raw == answer.model_dump_json()
    stored = await web.context.registry.get(parse_device_id(device).raw)
    assert (answer.id, answer.digest, answer.view) == (device, stored.digest.hex(), stored.content)


async def test_ready_answers_of_another_form_are_their_own(web: RunningWeb) -> None:
    """What one form leaves out, no answer of another form is made of, and each follows the passport."""
    subject = parse_device_id(device := await meter(web)).raw
    ready = ReadyPassports(web.context.core, web.context.registry)

    async def both() -> tuple[bytes, bytes]:
        whole = await ready.get(subject, lambda passport: passport.view)
        less = await ready.get(subject, lambda passport: passport.digest, form="digest")
        return whole.answer, less.answer

    before = await both()
    await post(web.local(), f"/passports/{device}/events", EVENT)
    after = await both()

    assert len({*before, *after}) == 4
    assert len(before[1]) == len(after[1]) == 32
    assert (await get(web.local(), f"/passports/{device}"))["digest"] == after[1].hex()
