"""Systems of the organisation: rights of their own, writes that name them, and being cut off at once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientPayloadError, ClientSession

from node.services.access import Scope
from node.services.correspondents import STOPPED
from node.web.routes import API
from node.web.server import ROUTES
from tests.integration.test_web_processes import opened
from tests.unit.node_protocols.builders import ended
from tests.unit.web.running import RunningWeb, get, post, problem_code, refused, running_web, view_of

Json = Any  # Any: JSON
RIGHTS = {"kind": "1С", "scopes": ["read", "record"], "writes": ["events"], "contact": "отдел АСУ"}
EVENT = {"what": "installed", "where": "Садовая, 1", "when": "2026-05-01"}
OBSERVED = {"rows": [{"code": {"central": "volume"}, "value": "12.5", "unit": "m3"}]}
FIXED = {"rows": [{"code": {"central": "dn"}, "value": "15"}]}
DEADLINE_S = 10.0


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[RunningWeb]:
    """A node that writes its log; its streams would not look at rights by themselves for long."""
    async with running_web(tmp_path, heartbeat_s=60.0) as running:
        context = running.context
        await context.ledger.open()
        await context.projection.open()
        await context.releases.open()
        writer = asyncio.create_task(context.ledger.run())
        yield running
        await ended(writer)


async def meter(web: RunningWeb, serial: str = "0012345") -> str:
    """A meter with a plate."""
    return str((await post(web.local(), "/plates", {"designation": "СГВ-15", "serial": serial}))["id"])


async def enter(web: RunningWeb, name: str = "1С:ERP", **rights: Json) -> ClientSession:
    """A registered system with a token of its own."""
    await post(web.local(), "/systems", {"name": name.replace(":", " "), **RIGHTS, **rights})
    return await token_of(web, name.replace(":", " "))


async def token_of(web: RunningWeb, name: str, **body: Json) -> ClientSession:
    """A new token of a system."""
    issued = await post(web.local(), f"/systems/{name}/tokens", body)
    return web.client({"Authorization": f"Bearer {issued['secret']}"})


async def code_of(client: ClientSession, path: str) -> str:
    """The code with which a question is refused."""
    async with client.get(f"{API}{path}") as response:
        assert response.status >= 400
        return await problem_code(response)


async def system_of(web: RunningWeb, name: str = "1С ERP") -> Json:
    """A system as its administrator sees it."""
    return await get(web.local(), f"/systems/{name}")


@pytest.mark.req("B62")
async def test_each_write_names_the_system_and_the_organisation(web: RunningWeb) -> None:
    """Events, values, plates and codes that a system writes name it in what is signed, and in the journal."""
    device, own = await meter(web), (await get(web.local(), "/node"))["org"]
    writes = ["events", "parameters", "plates", "codes", "composition", "processes"]
    (run,) = await opened(web.local(), "dispatch_request", device)
    system = await enter(web, writes=writes, scopes=["read", "record", "import"])

    await post(system, f"/passports/{device}/events", EVENT)
    await post(system, f"/passports/{device}/parameters", OBSERVED)
    await post(system, f"/passports/{device}/moves", {"place": "Полевая, 7", "when": "2026-06-01"})
    other = (await post(system, "/plates", {"designation": "СГВ-15", "serial": "0012346"}))["id"]
    codes = {"items": [{"code": "УСТ", "name": "Установка", "central": "installed"}]}
    await post(system, "/catalogs/events/codes", codes)
    moved = await post(system, f"/processes/{run}/steps/visit", {"detail": {"found": "течь"}})

    for shown in (device, other):
        for row in (await get(web.local(), f"/passports/{shown}/statements"))["items"][2 * (shown == device) :]:
            assert (row["org"], row["system"]) == (own, "1С ERP"), row["kind"]
    assert [(move["by"], move["system"]) for move in moved["process"]["moves"]] == [(own, None), (own, "1С ERP")]
    ledger = (await get(web.local(), f"/passports/{device}/operations"))["items"]
    assert [row["system"] for row in ledger if row["says"] == "done"] == ["1С ERP"]
    assert {event["system"] for event in (await view_of(web.local(), device))["events"]} == {"1С ERP"}
    journal = (await get(web.local(), "/journal", limit="100"))["items"]
    rows = [row for row in journal if row["actor"] == "system:1С ERP"]
    assert {row["what"] for row in rows} == {
        "event_recorded", "parameters_recorded", "move_recorded", "plate_stated", "codes_loaded", "step_done",
    }  # fmt: skip
    assert {row["org"] for row in rows} == {own}
    person = (await get(web.local(), f"/passports/{device}/statements"))["items"][0]
    assert person["system"] is None


async def test_nobody_speaks_in_the_name_of_another_system(web: RunningWeb) -> None:
    """A token names its own system and no other, a person no registered one; a plain token is a system too."""
    device, path = await meter(web), "/passports/{}/events"
    system, plain = await enter(web), await web.system(Scope.RECORD, name="bench")

    assert await refused(system, path.format(device), {**EVENT, "system": "SCADA"}) == "system_other"
    assert await refused(plain, path.format(device), {**EVENT, "system": "1С ERP"}) == "system_other"
    assert await refused(web.local(), path.format(device), {**EVENT, "system": "1С ERP"}) == "system_own_token"
    body = {"name": "1С ERP", "scopes": ["read"], "days": 1}
    assert await refused(web.local(), "/tokens", body) == "system_named"
    assert await refused(web.local(), "/systems", {**RIGHTS, "name": "bench"}) == "system_exists"
    assert await refused(web.local(), "/systems", {**RIGHTS, "name": "1С ERP"}) == "system_exists"
    for alike in ("1C ERP", "1с  erp", "1С-ERP"):
        assert await refused(web.local(), "/systems", {**RIGHTS, "name": alike}) == "system_exists", alike
    for unnamed in ("..", ".", "- -"):
        assert await refused(web.local(), "/systems", {**RIGHTS, "name": unnamed}) == "validation", unnamed
    for client, named in ((plain, "bench"), (web.local(), "старая 1С")):
        await post(client, path.format(device), {**EVENT, **({} if client is plain else {"system": named})})
        events = (await view_of(web.local(), device))["events"]
        assert events[-1]["system"] == named


@pytest.mark.req("A37")
async def test_administrator_registers_a_system_and_cuts_it_off_at_once(web: RunningWeb) -> None:
    """With key, kind and rights it comes in; cut off, its stream ends and the very next request is refused."""
    device = await meter(web)
    system, other = await enter(web), await enter(web, "SCADA")
    async with system.get("/events") as stream, other.get("/events") as another:
        assert (stream.status, another.status) == (200, 200)
        await stream.content.readline()

        cut = await post(web.local(), "/systems/1С ERP/block", {"reason": "пишет чужие номера"})

        async with asyncio.timeout(DEADLINE_S):
            try:
                while await stream.content.readline():
                    pass
            except (ClientPayloadError, ConnectionError):
                pass
        assert not another.content.at_eof()
    assert cut["reason"] == "пишет чужие номера"
    assert await refused(system, f"/passports/{device}/events", EVENT) == "system_blocked"
    assert await code_of(system, "/me") == "system_blocked"
    assert await code_of(await token_of(web, "1С ERP"), "/me") == "system_blocked"
    assert (await get(other, "/me"))["kind"] == "system"
    shown = await system_of(web)
    assert (shown["refused"], shown["used"]) == (3, 1)
    assert [what for what in await web.what() if what.startswith("system_")] == [
        "system_registered", "system_registered", "system_blocked", "system_refused",
    ]  # fmt: skip

    await post(web.local(), "/systems/1С ERP/unblock", None)
    await post(system, f"/passports/{device}/events", EVENT)


@pytest.mark.parametrize("limit", ["things", "types"])
async def test_open_stream_tells_nothing_by_rights_of_before(web: RunningWeb, limit: str) -> None:
    """A system that is limited while it listens hears nothing more of what it was told of before, and asks anew."""
    device, other = await meter(web), await meter(web, "0012346")
    system = await enter(web)
    narrow = {**RIGHTS, "things": [other]} if limit == "things" else {**RIGHTS, "types": ["t:cw"]}
    async with system.get("/events") as stream:
        await stream.content.readline()
        async with web.local().put(f"{API}/systems/1С ERP", json=narrow) as response:
            assert response.status == 200, await response.text()
        await post(web.local(), f"/passports/{device}/events", EVENT)
        async with asyncio.timeout(DEADLINE_S):
            heard = await stream.content.read()

    assert b"passport_changed" not in heard
    assert b"system_changed" not in heard


async def test_jobs_of_a_system_that_is_cut_off_stop_and_say_why(web: RunningWeb) -> None:
    """A job that waits never runs, and one in the midst of a step ends with it, written nowhere."""
    jobs, started, go_on = web.context.jobs, asyncio.Event(), asyncio.Event()

    async def step(job: Any, _: bytes) -> bool:
        started.set()
        await go_on.wait()
        async with web.context.core.database.write() as tx:
            await jobs.advance(tx, job, job.done + 1, {"accepted": 1})
            await web.context.core.announce(tx, job.actor, "import_advanced", job=job.id)
        return True

    jobs.register("import.production", step)
    await enter(web, writes=["imports"])
    ids = [await jobs.submit("import.production", b"x", 3, "system:1С ERP", "a.csv") for _ in range(2)]
    mine = await jobs.submit("import.production", b"x", 1, "person:anna", "b.csv")
    runner = asyncio.create_task(jobs.run())
    await started.wait()

    await post(web.local(), "/systems/1С ERP/block", {"reason": "проверка"})
    go_on.set()

    with web.context.bus.listen() as heard:
        async with asyncio.timeout(DEADLINE_S):
            while (await jobs.get(mine)).state != "done":
                await heard.get()
    for job_id in ids:
        job = await jobs.get(job_id)
        assert (job.state, job.done, job.result["error"]) == ("failed", 0, STOPPED)
    await ended(runner)


@pytest.mark.parametrize(
    ("rights", "path", "body", "code"),
    [
        ({"writes": ["parameters"]}, "/passports/{}/events", EVENT, "system_write"),
        ({"writes": ["observed"]}, "/passports/{}/parameters", FIXED, "system_observed"),
        ({"writes": ["events", "shipments"]}, "/mandates/offers", {}, "scope"),
        ({"scopes": ["record", "ship"]}, "/shares", {"org": "00" * 16, "ids": ["x"]}, "system_write"),
        ({"scopes": ["access"]}, "/tokens", {"name": "x", "scopes": ["access"]}, "system_write"),
        ({"scopes": ["peers"]}, "/federation", {"name": "x"}, "system_write"),
        ({"networks": ["10.0.0.0/8", "2001:db8::/32"]}, "/passports/{}/events", EVENT, "system_network"),
        ({"types": ["СГВ"]}, "/passports/{}/events", EVENT, "system_thing"),
        ({"writes": ["plates"], "types": ["СГВ"]}, "/plates", {"text": "СГВ-15 № 1"}, "system_thing"),
    ],
)  # fmt: skip
async def test_system_writes_only_what_it_was_given(
    web: RunningWeb, rights: Json, path: str, body: Json, code: str
) -> None:
    """By kind of write, of parameter, of thing, of type and by network: what was not given is refused by its rule."""
    device = await meter(web)
    system = await enter(web, **rights)

    assert await refused(system, path.format(device), body) == code
    assert len((await view_of(web.local(), device))["statements"]) == 1


async def test_rights_are_those_that_stand_at_the_request(web: RunningWeb) -> None:
    """A right to one thing, to observed values and to few requests; changed, they count from the next request on."""
    device, other = await meter(web), await meter(web, "0012346")
    system = await enter(web, writes=["observed"], things=[device], networks=["127.0.0.0/8"])
    await post(system, f"/passports/{device}/parameters", OBSERVED)
    assert await refused(system, f"/passports/{other}/parameters", OBSERVED) == "system_thing"
    assert await code_of(system, f"/passports/{other}") == "system_thing"

    web.clock.move(61)
    fewer = {**RIGHTS, "scopes": ["read"], "per_minute": 2}
    async with web.local().put(f"{API}/systems/1С ERP", json=fewer) as response:
        assert response.status == 200

    assert await refused(system, f"/passports/{device}/events", EVENT) == "scope"
    web.clock.move(61)
    for _ in range(2):
        await get(system, "/me")
    async with system.get(f"{API}/me") as response:
        assert (response.status, await problem_code(response)) == (429, "system_rate")
        assert response.headers["Retry-After"] == "60"
    web.clock.move(61)
    assert (await get(system, "/me"))["scopes"] == ["read"]
    assert (
        await refused(web.local(), "/systems", {**RIGHTS, "name": "x", "networks": ["10.0.0.1/8"]})
        == "system_network_form"
    )


@pytest.mark.parametrize("limit", ["things", "types"])
async def test_system_with_a_right_to_some_things_is_told_of_no_other(web: RunningWeb, limit: str) -> None:
    """Lists, look-ups, journal and processes: whatever it asks, no answer names a thing that is not its own."""
    device, other = await meter(web), await meter(web, "7654321")
    runs = dict(zip((device, other), await opened(web.local(), "dispatch_request", device, other), strict=True))
    rights: Json = {"things": [device]} if limit == "things" else {"types": ["СГВ-15"]}
    scopes = ["read", "record", "import", "ship", "radio", "hooks"]
    system = await enter(web, scopes=scopes, writes=["processes", "events"], **rights)

    answered = 0
    for route in ROUTES:
        if route.method == "GET" and not route.is_page and "{" not in route.path:
            async with system.get(route.path, params={"q": "7654321"} if "lookup" in route.path else {}) as response:
                told = await response.text()
                answered += response.status == 200
                assert not any(name in told for name in (other, "7654321", runs[other])), route.path
    assert answered >= 10
    assert await code_of(system, f"/processes/{runs[other]}") == "system_thing"
    step = {"detail": {"found": "течь"}}
    assert await refused(system, f"/processes/{runs[other]}/steps/visit", step) == "system_thing"
    scan = {"code": "dispatch_request", "step": "visit", "text": other}
    assert await refused(system, "/line/scans", scan) == "system_thing"
    again = {"procedure": "0" * 64, "ids": [device, other]}
    assert await refused(system, "/processes", again) == "system_thing"
    if limit == "things":
        assert [row["id"] for row in (await get(system, "/passports"))["items"]] == [device]
        await post(system, f"/processes/{runs[device]}/steps/visit", step)


async def test_token_is_rotated_with_an_overlap(web: RunningWeb) -> None:
    """The earlier token works until the overlap is over, the new one goes on; a revoked one is worth nothing."""
    first = await enter(web)
    second = await token_of(web, "1С ERP", days=30, overlap_hours=2)
    for client in (first, second):
        assert (await get(client, "/me"))["name"] == "1С ERP"

    web.clock.move(2 * 3600 + 1)

    assert await code_of(first, "/me") == "unauthenticated"
    assert (await get(second, "/me"))["name"] == "1С ERP"
    tokens = (await system_of(web))["tokens"]
    assert [token["system"] for token in tokens] == ["1С ERP"] * 2
    async with web.local().delete(f"{API}/tokens/{tokens[0]['id']}") as response:
        assert response.status == 204
    assert await code_of(second, "/me") == "unauthenticated"
    assert await refused(web.local(), "/systems/1С ERP/tokens", {"overlap_hours": 745}) == "validation"


async def test_only_who_may_let_in_registers_systems_and_gives_no_more_than_it_has(web: RunningWeb) -> None:
    """The scope `access` is needed, and a system never has a scope that its administrator lacks."""
    keeper = await web.system(Scope.ACCESS, Scope.READ, name="keeper")

    assert await refused(keeper, "/systems", {**RIGHTS, "name": "x"}) == "token_scopes"
    await post(keeper, "/systems", {**RIGHTS, "name": "x", "scopes": ["read"]})
    body = {**RIGHTS, "name": "y", "scopes": ["read"]}
    assert await refused(await web.system(Scope.READ, name="reader"), "/systems", body) == "scope"
    assert await code_of(web.local(), "/systems/nobody") == "system_unknown"
    assert [one["name"] for one in (await get(web.local(), "/systems"))["items"]] == ["x"]


async def test_refusals_of_systems_stand_in_the_document_of_the_operation(web: RunningWeb) -> None:
    """What refuses a system is told, with its status, where the API is described: also that it asks too often."""
    device, other = await meter(web), await meter(web, "0054321")
    paths = (await get(web.local(), "/openapi.json"))["paths"]
    system = await enter(web, writes=["events", "observed"], things=[device])
    event, values, plates = "/passports/{id}/events", "/passports/{id}/parameters", "/plates"
    asked = [
        (event, {**EVENT, "system": "другая"}),
        (event.replace("{id}", other), EVENT),
        (values, FIXED),
        (plates, {"designation": "СГВ-15", "serial": "1"}),
    ]

    for path, body in asked:
        async with system.post(f"{API}{path.replace('{id}', device)}", json=body) as response:
            code, told = await problem_code(response), paths[f"{API}{path.replace(other, '{id}')}"]["post"]["responses"]
            assert code.startswith("system_")
            assert f"`{code}`" in told[str(response.status)]["description"]
    for answers in (operation["responses"] for one in paths.values() for operation in one.values()):
        assert "`system_rate`" in answers["429"]["description"]
        assert "`system_blocked`" in answers["403"]["description"]
