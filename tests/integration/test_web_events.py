"""The event stream over a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import ClientPayloadError, ClientResponse, ClientSession

from node.services.access import Actor, Scope
from node.web.events import STREAMS_OF_ONE
from tests.unit.web.running import RunningWeb, problem_code, running_web

DEADLINE_S = 10.0
SUBJECT = bytes(range(16))


@dataclass
class Message:
    """One message of a stream."""

    fields: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> int:
        """The journal id."""
        return int(self.fields["id"])


@dataclass
class Reader:
    """Reads messages as a browser does."""

    response: ClientResponse

    async def next(self) -> Message:
        """The next message or heartbeat; fields of several lines are joined."""
        message = Message()
        async with asyncio.timeout(DEADLINE_S):
            while line := (await self.response.content.readline()).decode():
                if line == "\n":
                    return message
                name, _, value = line.rstrip("\n").partition(": ")
                message.fields[name] = "\n".join(filter(None, [message.fields.get(name), value]))
        raise EOFError

    async def ended(self) -> None:
        """Wait until the node ends the stream."""
        async with asyncio.timeout(DEADLINE_S):
            try:
                while await self.response.content.readline():
                    pass
            except (ClientPayloadError, ConnectionError):
                return


@asynccontextmanager
async def reading(client: ClientSession, query: str = "", last: int | None = None) -> AsyncIterator[Reader]:
    """An open stream, after its head."""
    headers = {"Last-Event-ID": str(last)} if last is not None else {}
    async with client.get(f"/events{query}", headers=headers) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        reader = Reader(response)
        assert "retry" in (await reader.next()).fields
        yield reader


async def write(web: RunningWeb, what: str, subject: bytes | None = None) -> None:
    """Journal something, as a service does."""
    core = web.context.core
    async with core.database.write() as tx:
        await core.announce(tx, "person:anna", what, subject, text="две\nстроки")


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[RunningWeb]:
    """A claimed node with a quick heart."""
    async with running_web(tmp_path / "node", heartbeat_s=0.05) as running:
        await running.claim()
        yield running


async def test_new_rows_come_as_they_are_written(web: RunningWeb) -> None:
    """A reader gets each row after its commit, with its growing id, and nothing from before."""
    client = await web.system(Scope.READ)
    async with reading(client) as reader:
        await write(web, "one")
        await write(web, "two")
        first, second = [m async for m in rows(reader, 2)]
    assert first.fields["event"] == "journal"
    assert '"what": "one"' in first.fields["data"]
    assert second.id == first.id + 1


async def rows(reader: Reader, count: int) -> AsyncIterator[Message]:
    """So many messages, heartbeats left out."""
    while count:
        message = await reader.next()
        if "data" in message.fields:
            count -= 1
            yield message


async def test_reader_that_was_cut_off_misses_nothing(web: RunningWeb) -> None:
    """With Last-Event-ID the stream goes on after that row, whatever `after` the address still says."""
    client = await web.system(Scope.READ)
    await write(web, "one")
    seen = await web.context.journal.last_id()
    await write(web, "two")
    await write(web, "three")
    async with reading(client, "?after=0", last=seen) as reader:
        found = [message async for message in rows(reader, 2)]
    assert [message.id for message in found] == [seen + 1, seen + 2]


async def test_rows_of_one_subject_only(web: RunningWeb) -> None:
    """With a subject the stream holds that subject's rows only."""
    client = await web.system(Scope.READ)
    async with reading(client, f"?subject={SUBJECT.hex()}") as reader:
        await write(web, "other", bytes(16))
        await write(web, "ours", SUBJECT)
        (message,) = [m async for m in rows(reader, 1)]
    assert '"what": "ours"' in message.fields["data"]


async def test_live_part_carries_html_in_the_language(web: RunningWeb) -> None:
    """A view's stream brings the part of the page itself, so that the page needs no other request."""
    client = await web.system(Scope.READ)
    client.headers["Accept-Language"] = "en"
    async with reading(client, "?view=journal") as reader:
        await write(web, "shared", SUBJECT)
        (message,) = [m async for m in rows(reader, 1)]
    assert message.fields["event"] == "newest"
    assert "Access opened" in message.fields["data"]


async def test_heart_beats_while_nothing_happens(web: RunningWeb) -> None:
    """A silent stream says a comment now and then, so that nobody between takes it for dead."""
    async with reading(await web.system(Scope.READ)) as reader:
        assert await reader.next() == Message({"": "beat"})


async def test_stream_ends_with_the_right_to_it(web: RunningWeb) -> None:
    """A revoked token's stream ends by itself."""
    client = await web.system(Scope.READ)
    async with reading(client) as reader:
        (token,) = await web.context.tokens.list()
        await web.context.tokens.revoke(Actor.local(), token.id)
        await reader.ended()


async def test_stream_ends_with_the_right_to_it_however_much_there_is_to_tell(web: RunningWeb) -> None:
    """A node that is never silent looks at the rights too: a revoked token's stream ends amid the rows."""
    client = await web.system(Scope.READ)

    async def chatter() -> None:
        while True:
            await write(web, "tick")

    async with reading(client) as reader:
        busy = asyncio.create_task(chatter())
        (token,) = await web.context.tokens.list()
        await web.context.tokens.revoke(Actor.local(), token.id)
        await reader.ended()
        busy.cancel()


async def test_one_reader_has_few_streams(web: RunningWeb) -> None:
    """More streams than a browser can spare are refused; an ended one makes room."""
    client = await web.system(Scope.READ)
    async with asyncio.timeout(DEADLINE_S):
        streams = [await client.get("/events") for _ in range(STREAMS_OF_ONE)]
        async with client.get("/events") as refused:
            assert (refused.status, await problem_code(refused)) == (429, "too_many_streams")
        streams[0].close()
        while True:
            async with client.get("/events") as response:
                if response.status == 200:
                    break
    for stream in streams:
        stream.close()


async def test_streams_that_were_left_behind_make_room_at_once(tmp_path: Path) -> None:
    """Whoever goes from page to page is never refused, however long it is until the next beat."""
    async with running_web(tmp_path / "node", heartbeat_s=600) as web:
        client = await web.system(Scope.READ)
        async with asyncio.timeout(DEADLINE_S):
            for stream in [await client.get("/events") for _ in range(STREAMS_OF_ONE)]:
                assert stream.status == 200
                stream.close()
            # The node hears of a close a moment later.
            while True:
                async with client.get("/events") as response:
                    if response.status == 200:
                        break


@pytest.mark.parametrize(
    ("query", "headers", "code"),
    [
        ("?view=nothing", {}, "route_unknown"),
        ("?after=-1", {}, "validation"),
        ("?after=99999999999999999999", {}, "validation"),
        ("?subject=zz", {}, "validation"),
        ("", {"Last-Event-ID": "x"}, "request"),
        ("", {"Last-Event-ID": "9" * 40}, "request"),
    ],
)
async def test_nonsense_is_refused_before_the_stream_opens(
    web: RunningWeb, query: str, headers: dict[str, str], code: str
) -> None:
    """A wrong view, place or subject is a problem, not an empty stream."""
    client = await web.system(Scope.READ)
    async with client.get(f"/events{query}", headers=headers) as response:
        assert await problem_code(response) == code


async def test_shutdown_does_not_wait_for_open_streams(tmp_path: Path) -> None:
    """A node with readers stops at once: their streams are ended, not waited for."""
    async with asyncio.timeout(DEADLINE_S), running_web(tmp_path / "node", heartbeat_s=3600) as running:
        await running.claim()
        client = await running.system(Scope.READ)
        stream = await client.get("/events")
        await running.stop()
        await Reader(stream).ended()


async def test_closed_tab_leaves_nothing_behind(web: RunningWeb) -> None:
    """A reader that goes away frees its place without an error."""
    client = await web.system(Scope.READ)
    async with reading(client):
        pass
    await client.close()
    async with asyncio.timeout(DEADLINE_S):
        while list(web.context.bus._listeners):
            await write(web, "tick")
