"""Webhooks over real sockets: order, retries, signatures, targets that are refused, and whose hooks they are."""

import asyncio
import json
import random
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import ClientSession
from aiohttp import web as aiohttp_web
from aiohttp.web import AppRunner
from sqlalchemy import text

from node.passport.ids import SubjectId, format_device_id
from node.services.access import Actor, Scope
from node.store.journal import write_each
from node.web.webhook_event import WebhookEvent
from tests.receivers import DEADLINE_S, Receiver, receiving, talking
from tests.unit.node_protocols.builders import ended
from tests.unit.web.running import Json, RunningWeb, get, post, refused, running_web

SEED = 20_974
_FAILING = text("update webhooks set failing_us = :at where id = :hook")
SUBJECTS = [bytes([n]) * 16 for n in range(1, 4)]
DEVICES = [format_device_id(SubjectId(subject)) for subject in SUBJECTS]


@pytest.fixture
async def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningWeb]:
    """A node that may send to this machine, tries again at once and waits half a second for an answer."""
    for name, value in (("ALLOW", '["127.0.0.0/8"]'), ("RETRY_S", "0.000000001"), ("TIMEOUT_S", "0.5")):
        monkeypatch.setenv(f"PASSPORT_WEBHOOKS__{name}", value)
    async with running_web(tmp_path / "node") as running:
        sender = asyncio.create_task(running.context.deliveries.run())
        yield running
        await ended(sender)


async def happen(web: RunningWeb, count: int, what: str = "event_recorded") -> list[int]:
    """So many events of our devices in turn; their ids."""
    core = web.context.core
    before = await web.context.journal.last_id()
    async with core.database.write() as tx:
        details = [(SUBJECTS[n % len(SUBJECTS)], {"n": n}) for n in range(count)]
        last = await write_each(tx, core.org, "person:anna", what, details)
        tx.on_commit(lambda: core.bus.publish(last))
    return [*range(before + 1, last + 1)]


async def hooked(client: ClientSession, url: str, **more: object) -> Json:
    """A webhook to an address, for events about devices alone."""
    return await post(client, "/webhooks", {"url": url, "what": ["event_recorded"], **more})


async def until(condition: Callable[[], object]) -> Json:
    """Ask until the answer is true."""
    async with asyncio.timeout(DEADLINE_S):
        while not (found := await condition()):  # type: ignore[misc]  # a coroutine function
            pass
        return found


async def delivered(web: RunningWeb, hook: Json, count: int = 1) -> list[Json]:
    """The last attempts of a hook, newest first, once there are so many."""

    async def look() -> list[Json]:
        rows: list[Json] = (await get(web.local(), f"/webhooks/{hook['id']}/deliveries"))["items"]
        return rows if len(rows) >= count else []

    return list(await until(look))


async def state(web: RunningWeb, hook: Json) -> Json:
    """A hook as it stands."""
    return await get(web.local(), f"/webhooks/{hook['id']}")


async def test_thousand_events_arrive_in_order_through_a_receiver_that_fails_half(web: RunningWeb) -> None:
    """Of 1,000 events none is lost and none comes before one that happened earlier, whatever the receiver refuses."""
    chance = random.Random(SEED)
    async with receiving(lambda _: 500 if chance.random() < 0.5 else 204) as receiver:
        await hooked(web.local(), receiver.url)
        started = time.monotonic()

        happened = await happen(web, 1000)
        await receiver.until(lambda: len(receiver.taken) >= 1000)

        assert receiver.events == happened
        refusals = len(receiver.came) - len(receiver.taken)
        assert 800 < refusals < 1250
        # Each event was tried until it was taken, and not the next one before.
        assert [one.event for one in receiver.came] == sorted(one.event for one in receiver.came)
        assert time.monotonic() - started < DEADLINE_S


async def test_message_is_signed_and_tells_what_the_feed_tells(web: RunningWeb) -> None:
    """Body, id and time are under the secret that was shown once, and the data is the feed's event."""
    async with receiving() as receiver:
        hook = await hooked(web.local(), receiver.url)
        (event,) = await happen(web, 1)
        await receiver.until(lambda: bool(receiver.taken))

    (message,) = receiver.taken
    assert message.is_signed(hook["secret"])
    assert not message.is_signed("whsec_" + "A" * 44)
    assert message.headers["content-type"] == "application/json"
    (told,) = (await get(web.local(), "/events", after=str(event - 1), what="event_recorded"))["events"]
    assert message.data == {**told, "device": DEVICES[0], "is_cut": False}
    async with web.local().get("/api/v1/openapi.json") as response:
        described = (await response.json())["webhooks"]["event"]["post"]
    assert {one["name"] for one in described["parameters"]} <= message.headers.keys()
    assert WebhookEvent.model_validate_json(message.body, extra="forbid").type == "event_recorded"


async def test_secret_that_changes_is_valid_beside_the_new_one_for_a_day(web: RunningWeb) -> None:
    """Messages carry both signatures until the day is over, then the new one alone."""
    async with receiving() as receiver:
        hook = await hooked(web.local(), receiver.url, secret="whsec_" + "A" * 32)
        assert hook["secret"] == "whsec_" + "A" * 32
        new = (await post(web.local(), f"/webhooks/{hook['id']}/secret", {}))["secret"]
        await happen(web, 1)
        await receiver.until(lambda: len(receiver.taken) == 1)
        web.clock.move(86_401)
        await happen(web, 1)
        await receiver.until(lambda: len(receiver.taken) == 2)

    during, after = receiver.taken
    assert (during.is_signed(hook["secret"]), during.is_signed(new)) == (True, True)
    assert (after.is_signed(hook["secret"]), after.is_signed(new)) == (False, True)


async def test_secret_is_nowhere_but_in_the_answer(web: RunningWeb, tmp_path: Path) -> None:
    """Neither lists, journal nor any file of the store hold a secret; the journal shows no path of the address."""
    async with receiving() as receiver:
        hook = await hooked(web.local(), f"{receiver.url}?key=of-the-receiver")
        await happen(web, 1)
        await receiver.until(lambda: bool(receiver.taken))
    secret = hook["secret"].removeprefix("whsec_")
    for path in ("/webhooks", f"/webhooks/{hook['id']}", f"/webhooks/{hook['id']}/deliveries", "/journal"):
        assert secret not in str(await get(web.local(), path))
    assert "of-the-receiver" not in str(await get(web.local(), "/journal"))
    for file in (tmp_path / "node").iterdir():
        assert file.is_socket() or secret.encode() not in file.read_bytes()


async def test_paused_hook_waits_and_goes_on_where_it_was(web: RunningWeb) -> None:
    """What happens during a pause is sent after it; the health says so meanwhile."""
    async with receiving() as receiver:
        hook = await hooked(web.local(), receiver.url)
        assert (await state(web, hook))["health"] == "new"
        await post(web.local(), f"/webhooks/{hook['id']}/pause", {})
        happened = await happen(web, 3)
        paused = await state(web, hook)
        assert (paused["health"], paused["paused"], receiver.came) == ("paused", "hand", [])
        await post(web.local(), f"/webhooks/{hook['id']}/resumption", {})
        await receiver.until(lambda: receiver.events == happened)
        await until(lambda: _is(web, hook, "good"))


async def _is(web: RunningWeb, hook: Json, health: str) -> bool:
    return bool((await state(web, hook))["health"] == health)


async def test_events_are_sent_again_from_a_place_or_one_by_one(web: RunningWeb) -> None:
    """From an event on all is sent again in order; one delivery is sent again by itself under the same id."""
    async with receiving() as receiver:
        hook = await hooked(web.local(), receiver.url)
        happened = await happen(web, 4)
        await receiver.until(lambda: receiver.events == happened)
        rows = await delivered(web, hook, 4)

        again = await post(web.local(), f"/webhooks/{hook['id']}/deliveries/{rows[-1]['n']}/replay", {})
        assert (again["purpose"], again["event"], again["error"]) == ("resent", happened[0], "")
        assert receiver.came[-1].id == receiver.came[0].id
        await post(web.local(), f"/webhooks/{hook['id']}/replay", {"after": happened[1]})
        await receiver.until(lambda: receiver.events == [*happened, happened[0], *happened[2:]])

        code = await refused(web.local(), f"/webhooks/{hook['id']}/replay", {"after": 10**6})
        assert code == "events_ahead"


async def test_test_message_is_about_nothing_and_moves_nothing(web: RunningWeb) -> None:
    """A test tells at once how it ended, and the hook stands where it stood."""
    async with receiving(lambda n: 204 if n else 418) as receiver:
        hook = await hooked(web.local(), receiver.url)
        failed = await post(web.local(), f"/webhooks/{hook['id']}/test", {})
        went = await post(web.local(), f"/webhooks/{hook['id']}/test", {})
    assert (failed["status"], failed["error"], failed["purpose"]) == (418, "refused", "test")
    assert (went["status"], went["error"]) == (204, "")
    stands = await state(web, hook)
    assert (stands["last"], stands["health"]) == (hook["last"], "new")


async def test_redirect_is_not_followed(web: RunningWeb) -> None:
    """An answer that points elsewhere is a failure, and nothing is asked there."""
    async with receiving(lambda _: 302) as receiver:
        hook = await hooked(web.local(), receiver.url)
        told = await post(web.local(), f"/webhooks/{hook['id']}/test", {})
    assert (told["status"], told["error"], len(receiver.came)) == (302, "redirect", 1)


async def _says_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def _drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX-Y: ")
    while not reader.at_eof():
        writer.write(b"z")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _endless_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"X-Y: " + b"z" * 60_000 + b"\r\n")
        await writer.drain()


async def _endless_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"10000\r\n" + b"z" * 65_536 + b"\r\n")
        await writer.drain()


async def _babbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    await reader.read(1)


async def _hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(10)


@pytest.mark.parametrize(
    ("talk", "error"),
    [
        (_says_nothing, "timeout"),
        (_drips, "timeout"),
        (_endless_head, "answer"),
        (_endless_body, ""),
        (_babbles, "answer"),
        (_hangs_up, "connection"),
    ],
)
async def test_bad_answer_ends_in_time(web: RunningWeb, talk: object, error: str) -> None:
    """A receiver that is silent, slow, endless or speaks no HTTP costs a bounded time, and says what was wrong."""
    async with talking(talk) as url, asyncio.timeout(DEADLINE_S):  # type: ignore[arg-type]  # one of those above
        hook = await hooked(web.local(), url)
        told = await post(web.local(), f"/webhooks/{hook['id']}/test", {})
    assert told["error"] == error
    assert told["took_ms"] < 5000


async def test_receiver_that_is_away_gets_everything_when_it_is_back(web: RunningWeb) -> None:
    """While nobody listens the hook fails and says since when; what happened meanwhile comes in order after that."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    hook = await hooked(web.local(), f"http://127.0.0.1:{port}/")
    happened = await happen(web, 3)
    rows = await delivered(web, hook, 2)
    assert {row["error"] for row in rows} == {"connection"}
    failing = await state(web, hook)
    assert (failing["health"], failing["error"], failing["last"]) == ("failing", "connection", hook["last"])
    assert failing["failing_since"] is not None

    receiver = Receiver()
    server = await _listen(receiver, port)
    web.clock.move(3600)
    await web.context.access.note_refusal(Actor.local(), "x", "scope")  # a row of the journal wakes it
    await receiver.until(lambda: receiver.events == happened)
    await server.cleanup()


async def _listen(receiver: Receiver, port: int) -> AppRunner:
    application = aiohttp_web.Application()
    application.router.add_post("/", receiver.handle)
    runner = AppRunner(application, access_log=None)
    await runner.setup()
    await aiohttp_web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


async def test_hook_stops_after_days_of_failures_and_says_so(web: RunningWeb) -> None:
    """When nothing was taken for five days the hook pauses; the journal tells, and resuming goes on from there."""
    async with receiving(lambda n: 500 if n < 2 else 204) as receiver:
        hook = await hooked(web.local(), receiver.url)
        async with web.context.core.database.write() as tx:  # it failed five days ago for the first time
            await tx.run(_FAILING, {"at": tx.now - 5 * 86_400_000_000, "hook": hook["id"]})
        happened = await happen(web, 1)
        await until(lambda: _is(web, hook, "paused"))
        assert (await state(web, hook))["paused"] == "failing"
        assert "webhook_paused" in await web.what()
        await post(web.local(), f"/webhooks/{hook['id']}/resumption", {})
        await receiver.until(lambda: receiver.events == happened)


@pytest.mark.parametrize(
    "url",
    [
        "https://10.1.2.3/", "http://erp.example/", "https://169.254.169.254/latest/meta-data", "https://[::1]/",
        "http://2130706433/", "https://0x7f.1/", "ftp://erp.example/", "https://user:pass@erp.example/", "x",
    ],
)  # fmt: skip
async def test_target_inside_is_refused_when_it_is_named(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address on a local network, however written, and one without TLS is refused before anything is stored."""
    monkeypatch.setenv("PASSPORT_WEBHOOKS__TIMEOUT_S", "0.5")
    async with running_web(tmp_path / "node") as strict:
        assert await refused(strict.local(), "/webhooks", {"url": url}) == "webhook_target"
        assert (await get(strict.local(), "/webhooks"))["items"] == []


async def test_name_that_comes_to_lead_inside_is_not_connected_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that led outside when it was looked at and leads to this machine now is refused at the connection."""
    leads_to = ["93.184.216.34"]

    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in leads_to]

    async with running_web(tmp_path / "node") as strict, receiving() as receiver:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)  # what a name server says is not ours
        port = receiver.url.rpartition(":")[2].partition("/")[0]
        hook = await post(strict.local(), "/webhooks", {"url": f"https://rebind.example:{port}/"})
        leads_to[:] = ["127.0.0.1"]
        told = await post(strict.local(), f"/webhooks/{hook['id']}/test", {})
        assert (told["status"], told["error"], receiver.came) == (0, "address", [])
        assert await refused(strict.local(), "/webhooks", {"url": f"https://inside.example:{port}/"}) == (
            "webhook_target"
        )


async def test_limited_token_subscribes_to_its_devices_alone(web: RunningWeb) -> None:
    """Its hook tells of its devices, asks for no others, and is the only one that it sees."""
    secret, _ = await web.context.tokens.issue(
        Actor.local(), "erp", frozenset({Scope.READ, Scope.HOOKS}), 30, SUBJECTS[:2]
    )
    script = web.client({"Authorization": f"Bearer {secret}"})
    async with receiving() as receiver:
        others = await hooked(web.local(), receiver.url + "/all")
        mine = await hooked(script, receiver.url)
        assert sorted(mine["devices"]) == sorted(DEVICES[:2])
        assert await refused(script, "/webhooks", {"url": receiver.url, "devices": [DEVICES[2]]}) == "token_device"
        assert [hook["id"] for hook in (await get(script, "/webhooks"))["items"]] == [mine["id"]]
        assert await refused(script, f"/webhooks/{others['id']}/test", {}) == "webhook_unknown"
        await post(web.local(), f"/webhooks/{others['id']}/pause", {})

        happened = await happen(web, 6)
        expected = [event for n, event in enumerate(happened) if n % 3 < 2]
        await receiver.until(lambda: receiver.events == expected)


async def test_hook_ends_with_its_token(web: RunningWeb) -> None:
    """Once a token is revoked its hook sends nothing more, says why, and cannot be resumed."""
    client = await web.system(Scope.READ, Scope.HOOKS)
    async with receiving() as receiver:
        hook = await hooked(client, receiver.url)
        await happen(web, 1)
        await receiver.until(lambda: len(receiver.events) == 1)
        (token,) = await web.context.tokens.list()
        await web.context.tokens.revoke(Actor.local(), token.id)
        await until(lambda: _is(web, hook, "paused"))
        await happen(web, 1)
        assert (await state(web, hook))["paused"] == "token"
        assert await refused(web.local(), f"/webhooks/{hook['id']}/resumption", {}) == "webhook_ended"
        assert len(receiver.came) == 1


async def test_hooks_of_a_system_are_its_own_follow_its_rights_and_end_with_it(web: RunningWeb) -> None:
    """It sees no others; its token is changed; its rights narrow what is told; cut off, its hook tells nothing."""
    rights = {"kind": "1С", "scopes": ["read", "hooks"], "contact": "отдел АСУ"}
    await post(web.local(), "/systems", {"name": "erp", **rights})
    secret = (await post(web.local(), "/systems/erp/tokens", {}))["secret"]
    system = web.client({"Authorization": f"Bearer {secret}"})
    async with receiving() as receiver:
        others = await hooked(web.local(), receiver.url + "/all", what=["plate_stated"])
        mine = await hooked(system, receiver.url)
        assert [hook["id"] for hook in (await get(system, "/webhooks"))["items"]] == [mine["id"]]
        assert await refused(system, f"/webhooks/{others['id']}/pause", {}) == "webhook_unknown"
        await post(web.local(), "/systems/erp/tokens", {"overlap_hours": 0})
        before = await happen(web, 3)
        await receiver.until(lambda: receiver.events == before)

        async with web.local().put("/api/v1/systems/erp", json={**rights, "things": DEVICES[:1]}) as response:
            assert response.status == 200, await response.text()
        after = await happen(web, 4)
        expected = [*before, after[0], after[3]]
        await receiver.until(lambda: receiver.events == expected)

        await post(web.local(), "/systems/erp/block", {"reason": "проверка"})
        await happen(web, 1)
        await until(lambda: _is(web, mine, "paused"))
        assert (await state(web, mine))["paused"] == "token"
        for act in ("resumption", "test", "deliveries/1/replay"):
            assert await refused(web.local(), f"/webhooks/{mine['id']}/{act}", {}) == "webhook_ended"
        assert receiver.events == expected

        await post(web.local(), "/systems/erp/unblock", None)
        await post(web.local(), f"/webhooks/{mine['id']}/resumption", {})
        await receiver.until(lambda: len(receiver.events) == len(expected) + 1)


async def test_hook_of_a_system_that_is_limited_amid_a_batch_tells_no_more_of_it(web: RunningWeb) -> None:
    """Events that were read to be sent are looked at anew: the system gets those of its one device alone."""
    rights = {"kind": "1С", "scopes": ["read", "hooks"], "contact": "отдел АСУ"}
    await post(web.local(), "/systems", {"name": "erp", **rights})
    secret = (await post(web.local(), "/systems/erp/tokens", {}))["secret"]
    system, came = web.client({"Authorization": f"Bearer {secret}"}), list[int]()

    async def limit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        size = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        came.append(json.loads(await reader.readexactly(size))["data"]["id"])
        if len(came) == 1:
            async with web.local().put("/api/v1/systems/erp", json={**rights, "things": DEVICES[:1]}) as response:
                assert response.status == 200
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()

    async with talking(limit) as url:
        hook = await hooked(system, url)
        happened = await happen(web, 10)
        await delivered(web, hook, 4)

    assert came == happened[::3]


async def test_hook_is_changed_and_removed(web: RunningWeb) -> None:
    """A change goes on from where the hook is; a hook that is removed sends nothing more."""
    async with receiving() as first, receiving() as second:
        hook = await hooked(web.local(), first.url, description="ERP")
        async with web.local().patch(f"/api/v1/webhooks/{hook['id']}", json={"url": second.url}) as response:
            assert (await response.json())["description"] == "ERP"
        happened = await happen(web, 2)
        await second.until(lambda: second.events == happened)
        async with web.local().delete(f"/api/v1/webhooks/{hook['id']}") as response:
            assert response.status == 204
        await happen(web, 1)
        assert await refused(web.local(), f"/webhooks/{hook['id']}/pause", {}) == "webhook_unknown"
        assert (len(first.came), len(second.came)) == (0, 2)
