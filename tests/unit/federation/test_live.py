"""Live connections: notices and questions both ways over one pipe."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from federation.errors import AwayError, RemoteProtocolError
from federation.net.live import RACE_S, Hub
from federation.peer import PeerAddress
from federation.ports import Answer, Question
from federation.sync.allowance import Allowance
from federation.sync.frames import (
    MAX_BUSY,
    MAX_GROWN,
    Answered,
    Asked,
    Frame,
    Grown,
    Noticed,
    decode_frame,
    encode_frame,
)
from tests.builders import id16, signing_key
from tests.simulation.loop import VirtualLoop

FAR = PeerAddress("", id16("far"), signing_key("far").public, bytes(32))
QUESTION = Question("POST", "/fed/1/heads", {"Passport-Signature": "AAAA"}, b"body")
FRAMES: tuple[Frame, ...] = (
    Noticed(),
    Noticed((Grown(id16("log"), 7, bytes(32)), Grown(id16("other"), 1, bytes(range(32))))),
    Asked(7, QUESTION),
    Answered(7, Answer(200, {"Content-Encoding": "deflate"}, b"\x00" * 300)),
)


@dataclass
class Pipe:
    """One end of a connection within this process."""

    out: asyncio.Queue[bytes | None]
    incoming: asyncio.Queue[bytes | None]
    closed: bool = field(default=False)

    async def send(self, frame: bytes) -> None:
        """Hand a frame on."""
        if self.closed:
            raise AwayError("closed")
        await self.out.put(frame)

    async def frames(self) -> AsyncIterator[bytes]:
        """What comes."""
        while (frame := await self.incoming.get()) is not None:
            yield frame

    async def close(self) -> None:
        """Both ends learn of it."""
        if not self.closed:
            self.closed = True
            await self.out.put(None)
            await self.incoming.put(None)


@dataclass
class Unread(Pipe):
    """An end whose other end does not read: what is sent comes to nothing after a while."""

    tried: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, frame: bytes) -> None:
        """Give up later."""
        self.tried.set()
        await asyncio.sleep(0.01)
        raise AwayError(f"{len(frame)} bytes are not read")


def pipe() -> tuple[Pipe, Pipe]:
    """Both ends of a connection."""
    left: asyncio.Queue[bytes | None] = asyncio.Queue()
    right: asyncio.Queue[bytes | None] = asyncio.Queue()
    return Pipe(left, right), Pipe(right, left)


async def echo(question: Question) -> Answer:
    """Answer with what was asked."""
    return Answer(200, {"Target": question.target}, question.body)


def hubs() -> tuple[Hub, Hub]:
    """The hubs of two nodes that answer with what was asked."""
    return Hub(id16("near"), echo), Hub(FAR.node, echo)


@asynccontextmanager
async def connected(near: Hub, far: Hub) -> AsyncIterator[tuple[Pipe, Pipe]]:
    """Two nodes on one connection."""
    here, there = pipe()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(near.serve(FAR.node, here, dialled=True))
        tasks.create_task(far.serve(id16("near"), there, dialled=False))
        await asyncio.sleep(0)
        yield here, there
        await here.close()


@pytest.mark.parametrize("frame", FRAMES)
def test_frame_is_read_as_it_was_written(frame: Frame) -> None:
    """Each kind of frame survives the way over the wire."""
    assert decode_frame(encode_frame(frame)) == frame


@pytest.mark.parametrize(
    "raw", [b"", b"\x01", b"\x90", b"\x91\x04", b"\x92\x01\x01", b"\x91\xc4\x00", encode_frame(FRAMES[2])[:-1]]
)
def test_bytes_that_are_no_frame_are_refused(raw: bytes) -> None:
    """What is no frame is the peer's fault."""
    with pytest.raises(RemoteProtocolError, match="frame"):
        decode_frame(raw)


async def test_node_that_dialled_is_asked_on_its_connection() -> None:
    """Many questions at a time go to whoever dialled; the other end is asked at its address."""
    near, far = hubs()
    async with connected(near, far):
        channel = far.incoming(id16("near"))
        assert channel is not None
        questions = [Question("POST", f"/fed/1/{n}", {}, bytes([n])) for n in range(MAX_BUSY)]
        answers = await asyncio.gather(*(channel.ask(FAR, question, 100) for question in questions))
        assert [(a.headers["Target"], a.body) for a in answers] == [(q.target, q.body) for q in questions]
        assert near.incoming(FAR.node) is None
    assert near.nodes == far.nodes == set()


async def test_notice_reaches_whoever_listens() -> None:
    """A notice tells which node has something new; so does a connection that opens."""
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    near, far = hubs()
    near.on_notice = lambda node, _: heard.put_nowait(node)
    async with connected(near, far):
        assert await heard.get() == FAR.node
        await far.notify()
        assert await heard.get() == FAR.node


async def test_peer_with_too_many_open_questions_is_not_read_from() -> None:
    """Beyond what one side may have open nothing is read: no task and no answer piles up; later all are answered."""
    go, begun = asyncio.Event(), []

    async def slow(question: Question) -> Answer:
        begun.append(question)
        await go.wait()
        return await echo(question)

    here, there = pipe()
    asked = MAX_BUSY + 5
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(Hub(id16("near"), slow).serve(FAR.node, there, dialled=False))
        for number in range(asked):
            await here.send(encode_frame(Asked(number, QUESTION)))
        while there.incoming.qsize() > asked - MAX_BUSY - 1:  # noqa: ASYNC110 - a queue tells nobody that it is read
            await asyncio.sleep(0)
        for _ in range(10):
            await asyncio.sleep(0)
        assert (len(begun), there.incoming.qsize()) == (MAX_BUSY, asked - MAX_BUSY - 1)
        go.set()
        answers = [decode_frame(await here.incoming.get() or b"") for _ in range(asked)]
        await here.close()

    assert {frame.number for frame in answers if isinstance(frame, Answered)} == set(range(asked))


async def test_peer_that_does_not_read_delays_nobody_and_loses_its_connection() -> None:
    """A notice to a peer that does not read waits alone; an answer that it does not read ends its connection."""
    near, far = hubs()
    stuck, reading = Unread(asyncio.Queue(), asyncio.Queue()), pipe()
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    far.on_notice = lambda node, _: heard.put_nowait(node)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(near.serve(id16("stuck"), stuck, dialled=True))
        tasks.create_task(near.serve(FAR.node, reading[0], dialled=True))
        tasks.create_task(far.serve(id16("near"), reading[1], dialled=False))
        assert await heard.get() == id16("near")
        await near.notify()
        assert await heard.get() == id16("near")
        await stuck.tried.wait()
        await near.left(id16("stuck"))
        assert near.nodes == {FAR.node}
        await near.close()


async def test_notices_that_were_not_said_yet_are_said_once() -> None:
    """A thousand changes while a notice waits to be sent make one more notice, no queue."""
    near, _ = hubs()
    here, there = pipe()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(near.serve(FAR.node, here, dialled=True))
        await asyncio.sleep(0)
        for _ in range(1000):
            await near.notify()
        assert decode_frame(await there.incoming.get() or b"") == Noticed()
        await asyncio.sleep(0)
        assert there.incoming.empty()
        await near.close()


async def test_notice_of_logs_says_the_last_of_each_and_no_log_where_more_is_new() -> None:
    """What waits to be sent is told by the newest size of each log; with anything else, or too much, as anything."""
    near, _ = hubs()
    here, there = pipe()
    first, later = (Grown(id16("log"), size, bytes([size]) * 32) for size in (1, 2))
    many = [Grown(id16(f"log-{n}"), 1, bytes(32)) for n in range(MAX_GROWN + 1)]
    said: tuple[Sequence[Sequence[Grown]], ...] = (([first], [later]), ([first], []), (many,))
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(near.serve(FAR.node, here, dialled=True))
        await asyncio.sleep(0)
        told = []
        for some in said:
            for grown in some:
                await near.notify({FAR.node}, grown)
            told.append(decode_frame(await there.incoming.get() or b""))
        await near.close()

    assert told == [Noticed((later,)), Noticed(), Noticed()]


async def test_answers_to_nothing_that_was_asked_are_read_ever_more_slowly() -> None:
    """Whoever floods a connection with answers to no question is not listened to for a while, as with questions."""
    near, _ = hubs()
    heard: list[bytes] = []
    near.on_notice = lambda node, _: heard.append(node)
    here, there = pipe()
    for number in range(Allowance.stranger_requests_burst + 1):
        await there.send(encode_frame(Answered(number, Answer(200, {}))))
    await there.send(encode_frame(Noticed()))
    serving = asyncio.create_task(near.serve(FAR.node, here, dialled=True))
    async with asyncio.timeout(10):
        while not here.incoming.empty():  # noqa: ASYNC110 - a queue tells nobody that it is read
            await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    assert heard == [FAR.node]  # that it opened; the notice waits
    serving.cancel()
    await asyncio.wait([serving])


async def test_end_of_the_connection_is_told_to_whoever_waits() -> None:
    """A question that waits when the connection ends is answered by nobody, at once."""
    near, _ = hubs()
    here, there = pipe()
    serving = asyncio.create_task(near.serve(FAR.node, here, dialled=False))
    await asyncio.sleep(0)
    channel = near.incoming(FAR.node)
    assert channel is not None
    asked = asyncio.create_task(channel.ask(FAR, QUESTION, 100))
    await there.incoming.get()
    await there.close()
    with pytest.raises(AwayError, match="ended"):
        await asked
    await serving
    assert near.incoming(FAR.node) is None


async def test_peer_that_sends_no_frame_is_named_as_the_fault() -> None:
    """Bytes that are no frame end the connection with the peer's fault."""
    near, _ = hubs()
    here, there = pipe()
    await there.send(b"garbage")
    with pytest.raises(RemoteProtocolError):
        await near.serve(FAR.node, here, dialled=True)
    assert here.closed


async def test_answer_over_the_limit_is_refused() -> None:
    """What is longer than was asked for is not handed on."""
    near, far = hubs()
    async with connected(near, far):
        channel = far.incoming(id16("near"))
        assert channel is not None
        with pytest.raises(RemoteProtocolError, match="more than 3 bytes"):
            await channel.ask(FAR, QUESTION, 3)


@pytest.mark.parametrize("first_dialled", [True, False])
async def test_of_two_connections_both_nodes_keep_the_same_one(first_dialled: bool) -> None:
    """Where both dialled, the connection of the node with the smaller id stays, whichever came first."""
    near, far = hubs()
    ids = {near: id16("near"), far: FAR.node}
    pipes = [pipe(), pipe()]
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        for dialled, (here, there) in zip((first_dialled, not first_dialled), pipes, strict=True):
            tasks.create_task(near.serve(FAR.node, here, dialled=dialled))
            tasks.create_task(far.serve(ids[near], there, dialled=not dialled))
            await asyncio.sleep(0)
        kept = pipes[0 if first_dialled == (ids[near] < ids[far]) else 1]
        closed = pipes[1 if kept is pipes[0] else 0]
        while not (closed[0].closed and closed[1].closed):  # noqa: ASYNC110 - a pipe tells nobody of its end
            await asyncio.sleep(0)
        asked = near.incoming(FAR.node) or far.incoming(ids[near])
        assert asked is not None
        assert (await asked.ask(FAR, QUESTION, 100)).body == QUESTION.body
        assert not kept[0].closed
        await near.close()
        await near.left(FAR.node)


async def test_newer_of_two_connections_that_one_node_dialled_is_kept() -> None:
    """A node that comes back before its old connection was seen to be dead is served on the new one."""
    near, _ = hubs()
    (first, _), (second, _) = pipe(), pipe()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        for wire in (first, second):
            tasks.create_task(near.serve(FAR.node, wire, dialled=False))
            await asyncio.sleep(0)
        assert (first.closed, second.closed) == (True, False)
        assert near.nodes == {FAR.node}
        await near.close()


@pytest.mark.parametrize("own", [b"\x00" * 16, b"\xff" * 16])
def test_connection_that_stood_for_long_gives_way_to_whoever_dials(own: bytes) -> None:
    """Who dials though a connection stands lost it, or runs as a copy of the node: it is heard, whoever came first."""
    loop = VirtualLoop(random.Random(1))  # type: ignore[abstract]  # what it has not is not asked of it

    async def dialled_later() -> bool:
        hub, first, second = Hub(own, echo), pipe(), pipe()
        tasks = [asyncio.create_task(hub.serve(FAR.node, first[0], dialled=True))]
        await asyncio.sleep(RACE_S)
        tasks.append(asyncio.create_task(hub.serve(FAR.node, second[0], dialled=False)))
        await asyncio.sleep(1)
        took_place = first[0].closed and not second[0].closed and hub.incoming(FAR.node) is not None
        await hub.close()
        await asyncio.gather(*tasks)
        return took_place

    assert loop.run(dialled_later())
