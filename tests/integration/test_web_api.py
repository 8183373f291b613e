"""The conventions of the API, over a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession
from pydantic import BaseModel

from node.services.access import Actor, Scope
from node.web.calls import Call
from node.web.routes import Route, api
from node.web.server import ROUTES
from tests.unit.web.running import RunningWeb, problem_code, running_web


class Note(BaseModel):
    """A body for the routes of these tests."""

    text: str


class Counted(BaseModel):
    """How often the act was done."""

    times: int


class Gate:
    """Acts that count themselves, one of them held up until told."""

    def __init__(self) -> None:
        self.times = 0
        self.entered, self.opened = asyncio.Event(), asyncio.Event()

    def routes(self) -> tuple[Route, ...]:
        """Routes beside the node's own."""

        @api("POST", "/test/held", title="Held", scopes=[Scope.RECORD])
        async def held(call: Call, body: Note) -> Counted:
            """Count, and wait."""
            self.times += 1
            self.entered.set()
            await self.opened.wait()
            return Counted(times=self.times)

        @api("POST", "/test/broken", title="Broken", scopes=[Scope.RECORD])
        async def broken(call: Call, body: Note) -> None:
            """Fail as a bug does."""
            self.times += 1
            raise ZeroDivisionError("secret of the house")

        @api("POST", "/test/named", title="Named", scopes=[Scope.RECORD])
        async def named(call: Call, body: Note) -> Note:
            """The id that this request would give to what it makes."""
            return Note(text=call.operation_id.hex())

        @api("PUT", "/test/versioned", title="Versioned", scopes=[Scope.RECORD])
        async def versioned(call: Call, body: Note) -> Note:
            """Take a change of version 1."""
            call.require_match(1)
            return body

        @api("GET", "/test/versioned", title="Versioned", scopes=[Scope.RECORD])
        async def version(call: Call) -> Note:
            """Version 1."""
            call.set_etag(1)
            return Note(text="one")

        @api("POST", "/test/bytes", title="Bytes", scopes=[Scope.RECORD], max_body=1000)
        async def take(call: Call, body: bytes) -> Counted:
            """Take a small file."""
            return Counted(times=len(body))

        return (held, broken, named, versioned, version, take)


@pytest.fixture
def gate() -> Gate:
    """Routes of the test."""
    return Gate()


@pytest.fixture
async def web(tmp_path: Path, gate: Gate) -> AsyncIterator[RunningWeb]:
    """A claimed node with the routes of the test beside its own."""
    async with running_web(tmp_path / "node", routes=(*ROUTES, *gate.routes())) as running:
        await running.claim()
        gate.opened.set()
        yield running


async def test_list_is_read_in_pages_without_loss(web: RunningWeb) -> None:
    """Pages of a list follow each other by cursor and hold every row once, whatever is written meanwhile."""
    client = await web.system(Scope.READ)
    for n in range(5):
        await web.context.tokens.issue(Actor.local(), f"t{n}", frozenset({Scope.READ}), 1)
    expected = [row.id for row in await web.context.journal.newest()]
    seen: list[int] = []
    cursor = ""
    while cursor is not None:
        async with client.get("/api/v1/journal", params={"limit": 2} | ({"cursor": cursor} if cursor else {})) as r:
            page = await r.json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        await web.context.tokens.issue(Actor.local(), "late", frozenset({Scope.READ}), 1)
    assert seen == expected


async def test_broken_cursor_is_a_problem(web: RunningWeb) -> None:
    """A cursor that was changed, made up or taken from another list is a 400 with a stable code."""
    client = await web.system(Scope.READ, Scope.ACCESS)
    async with client.get("/api/v1/journal?limit=1") as response:
        cursor = (await response.json())["next"]
    for path in (f"journal?cursor={cursor}x", "journal?cursor=AAAA", f"tokens?cursor={cursor}", "journal?cursor=%FF"):
        async with client.get(f"/api/v1/{path}") as response:
            assert (response.status, await problem_code(response)) == (400, "cursor"), path


@pytest.mark.parametrize(("language", "title"), [("ru", "Данные не прошли проверку"), ("en", "The data breaks rules")])
async def test_broken_values_are_listed_in_the_language_of_the_request(
    web: RunningWeb, language: str, title: str
) -> None:
    """A body that breaks rules is answered with each place, rule and what to do, in Russian or English."""
    client = await web.system(Scope.ACCESS)
    body = {"name": "", "scopes": [], "days": 1000, "more": 1}
    headers = {"Accept-Language": language}
    async with client.post("/api/v1/tokens", json=body, headers=headers) as response:
        problem = await response.json(content_type=None)
    assert (response.status, problem["code"], problem["title"]) == (422, "validation", title)
    assert {(item["pointer"], item["rule"]) for item in problem["errors"]} == {
        ("/name", "string_too_short"), ("/scopes", "too_short"), ("/days", "less_than_equal"),
        ("/more", "extra_forbidden"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"{", "application/json", "json"),
        (b"[" * 100_000, "application/json", "json"),
        (b"\xff\xfe", "application/json", "json"),
        (b'{"text": NaN}', "application/json", "json"),
        (b'{"text": "\\u0000"}', "application/json", "json"),
        (b'{"text": "\\ud800"}', "application/json", "json"),
        (b"null", "application/json", "validation"),
        (b"text=1", "application/x-www-form-urlencoded", "media_type"),
        (b"", "application/json", "json"),
    ],
)
async def test_any_other_bytes_are_a_problem_and_change_nothing(
    web: RunningWeb, gate: Gate, body: bytes, content_type: str, code: str
) -> None:
    """Bytes that are not the body that was asked for give a 4xx with a stable code; the handler is not reached."""
    client = await web.system(Scope.RECORD)
    async with client.post("/api/v1/test/held", data=body, headers={"Content-Type": content_type}) as response:
        assert await problem_code(response) == code
    assert gate.times == 0


async def test_large_body_is_refused_before_it_is_read(web: RunningWeb) -> None:
    """A body over the route's limit is refused by its stated length, and one of unstated length as soon as it grows."""
    client = await web.system(Scope.RECORD)
    answered = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        while not answered.is_set():
            yield b"x" * 1000

    async with client.post("/api/v1/test/bytes", data=b"x" * 1000) as response:
        assert (await response.json())["times"] == 1000
    async with client.post("/api/v1/test/bytes", data=b"x" * 1001) as response:
        assert (response.status, await problem_code(response)) == (413, "too_large")
    async with asyncio.timeout(10), client.post("/api/v1/test/bytes", data=endless()) as response:
        answered.set()
        assert response.status == 413


async def test_unknown_fault_shows_a_number_only(web: RunningWeb) -> None:
    """A bug is answered with an incident number and leaks nothing."""
    client = await web.system(Scope.RECORD)
    async with client.post("/api/v1/test/broken", json={"text": ""}) as response:
        text = await response.text()
    assert response.status == 500
    assert "secret of the house" not in text
    assert len(json.loads(text)["incident"]) == 12


async def test_unknown_path_and_method_are_problems(web: RunningWeb) -> None:
    """A path that no route has is a 404 problem; a method that a path lacks is a 405 that lists those it has."""
    client = await web.system(Scope.READ)
    async with client.get("/api/v1/nothing") as response:
        assert (response.status, await problem_code(response)) == (404, "route_unknown")
    async with client.put("/api/v1/journal") as response:
        assert (response.status, await problem_code(response)) == (405, "method")
        assert "GET" in response.headers["Allow"]


async def test_known_version_is_not_sent_again(web: RunningWeb) -> None:
    """With If-None-Match an unchanged answer is a 304 without body."""
    client = await web.system(Scope.RECORD)
    async with client.get("/api/v1/test/versioned") as response:
        tag = response.headers["ETag"]
    async with client.get("/api/v1/test/versioned", headers={"If-None-Match": tag}) as response:
        assert (response.status, await response.read()) == (304, b"")


async def test_change_of_another_version_is_refused(web: RunningWeb) -> None:
    """A change needs If-Match, and takes only the version that stands."""
    client = await web.system(Scope.RECORD)
    async with client.get("/api/v1/test/versioned") as response:
        tag = response.headers["ETag"]
    for headers, status in (({}, 428), ({"If-Match": '"other"'}, 412), ({"If-Match": tag}, 200)):
        async with client.put("/api/v1/test/versioned", json={"text": ""}, headers=headers) as response:
            assert response.status == status


async def test_repeated_request_acts_once(web: RunningWeb, gate: Gate) -> None:
    """With the same key the first answer comes again, marked as repeated, and nothing is done twice."""
    client = await web.system(Scope.RECORD)
    bodies = []
    for repeated in (None, "true", "true"):
        headers = {"Idempotency-Key": "k1"}
        async with client.post("/api/v1/test/held", json={"text": "a"}, headers=headers) as response:
            assert response.headers.get("Idempotent-Replayed") == repeated
            bodies.append(await response.json())
    assert bodies == [{"times": 1}] * 3
    assert gate.times == 1


async def test_key_of_another_request_is_refused(web: RunningWeb, gate: Gate) -> None:
    """The same key with another body is a 422; the same key of another token is another key."""
    client, other = await web.system(Scope.RECORD), await web.system(Scope.RECORD)
    headers = {"Idempotency-Key": "k1"}
    await client.post("/api/v1/test/held", json={"text": "a"}, headers=headers)
    async with client.post("/api/v1/test/held", json={"text": "b"}, headers=headers) as response:
        assert (response.status, await problem_code(response)) == (422, "idempotency_mismatch")
    async with other.post("/api/v1/test/held", json={"text": "b"}, headers=headers) as response:
        assert (await response.json())["times"] == 2


async def test_same_key_at_once_acts_once(web: RunningWeb, gate: Gate) -> None:
    """While a request is being answered, the same one is told so; afterwards it gets that answer."""
    gate.opened.clear()
    client = await web.system(Scope.RECORD)
    headers = {"Idempotency-Key": "k1"}
    first = asyncio.create_task(client.post("/api/v1/test/held", json={"text": "a"}, headers=headers))
    async with asyncio.timeout(10):
        await gate.entered.wait()
    async with client.post("/api/v1/test/held", json={"text": "a"}, headers=headers) as response:
        assert (response.status, await problem_code(response)) == (409, "idempotency_running")
        assert response.headers["Retry-After"] == "2"
    gate.opened.set()
    assert (await (await first).json()) == {"times": 1}
    async with client.post("/api/v1/test/held", json={"text": "a"}, headers=headers) as response:
        assert await response.json() == {"times": 1}


async def test_refused_and_failed_requests_give_their_key_back(web: RunningWeb, gate: Gate) -> None:
    """A key is kept for what was done only: after a refusal or a fault it can be used again."""
    client = await web.system(Scope.RECORD)
    headers = {"Idempotency-Key": "k1"}
    for body, status in (({"wrong": 1}, 422), ({"text": "a"}, 200)):
        async with client.post("/api/v1/test/held", json=body, headers=headers) as response:
            assert response.status == status
    for times in (2, 3):
        async with client.post("/api/v1/test/broken", json={"text": ""}, headers={"Idempotency-Key": "k2"}) as response:
            assert response.status == 500
        assert gate.times == times


async def test_kept_answer_is_forgotten_after_a_day(web: RunningWeb) -> None:
    """A day later the same key is a new request."""
    client = await web.system(Scope.RECORD)
    headers = {"Idempotency-Key": "k1"}
    for times, wait in ((1, 86_000), (1, 1_000), (2, 0)):
        async with client.post("/api/v1/test/held", json={"text": "a"}, headers=headers) as response:
            assert await response.json() == {"times": times}
        web.clock.move(wait)


@pytest.mark.parametrize("key", ["", "x" * 256, "with space"])
async def test_malformed_key_is_refused(web: RunningWeb, key: str) -> None:
    """A key is 1 to 255 printable characters."""
    client = await web.system(Scope.RECORD)
    async with client.post("/api/v1/test/held", json={"text": "a"}, headers={"Idempotency-Key": key}) as response:
        assert (response.status, await problem_code(response)) == (400, "idempotency_key")


async def test_operation_id_follows_from_the_key(web: RunningWeb) -> None:
    """What a keyed request makes has the same id however often it is sent; without a key each has its own."""
    first, second = await web.system(Scope.RECORD), await web.system(Scope.RECORD)

    async def id_of(client: ClientSession, key: str | None) -> str:
        headers = {"Idempotency-Key": key} if key else {}
        async with client.post("/api/v1/test/named", json={"text": ""}, headers=headers) as response:
            return str((await response.json())["text"])

    ids = [await id_of(first, "a"), await id_of(second, "a"), await id_of(first, "b"), await id_of(first, None)]
    assert len({*ids, await id_of(first, None)}) == 5


async def test_every_answer_carries_the_security_headers(web: RunningWeb) -> None:
    """Pages, files, problems and the API all forbid what they do not need, and only files are kept by browsers."""
    client = await web.system(Scope.READ)
    async with client.get("/login", headers={"Accept": "text/html"}) as response:
        page = await response.text()
    style = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    for path in ("/", "/api/v1/journal", "/nothing", style, "/healthz"):
        async with client.get(path) as response:
            policy = response.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
            assert "unsafe" not in policy
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert ("immutable" in response.headers["Cache-Control"]) is (path == style)


async def test_document_and_reference_are_open(web: RunningWeb) -> None:
    """The document of the API and its page can be read without log-in."""
    async with web.client().get("/api/v1/openapi.json") as response:
        assert (await response.json())["openapi"] == "3.1.0"
    async with web.client().get("/api/v1/docs") as response:
        assert 'id="problem-cursor"' in await response.text()


async def test_health_is_open_and_metrics_need_a_reader(web: RunningWeb) -> None:
    """Anybody sees whether the node is well; its counters, with each route by name, need the scope read."""
    async with web.client().get("/healthz") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})
    async with web.client().get("/metrics") as response:
        assert response.status == 401
    async with (await web.system(Scope.READ)).get("/metrics") as response:
        text = await response.text()
    assert 'passport_web_requests_total{route="monitoring_healthz",status="200"} 1.0' in text
    assert 'passport_web_requests_total{route="monitoring_metrics",status="401"} 1.0' in text
