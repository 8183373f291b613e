"""Live connections: notices and questions both ways over one pipe."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from federation.errors import AwayError, RemoteProtocolError
from federation.net.live import BUSY, Hub
from federation.peer import PeerAddress
from federation.ports import Answer, Question
from federation.sync.frames import (
    MAX_BUSY,
    Answered,
    Asked,
    Frame,
    Noticed,
    decode_frame,
    encode_frame,
)
from tests.builders import id16, signing_key

FAR = PeerAddress("", id16("far"), signing_key("far").public, bytes(32))
QUESTION = Question("POST", "/fed/1/heads", {"Passport-Signature": "AAAA"}, b"body")
FRAMES: tuple[Frame, ...] = (
    Noticed(),
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


def pipe() -> tuple[Pipe, Pipe]:
    """Both ends of a connection."""
    left: asyncio.Queue[bytes | None] = asyncio.Queue()
    right: asyncio.Queue[bytes | None] = asyncio.Queue()
    return Pipe(left, right), Pipe(right, left)


async def echo(question: Question) -> Answer:
    """Answer with what was asked."""
    return Answer(200, {"Target": question.target}, question.body)


@asynccontextmanager
async def connected(near: Hub, far: Hub) -> AsyncIterator[tuple[Pipe, Pipe]]:
    """Two nodes on one connection."""
    here, there = pipe()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(near.serve(FAR.node, here))
        tasks.create_task(far.serve(id16("near"), there))
        await asyncio.sleep(0)
        yield here, there
        await here.close()


@pytest.mark.parametrize("frame", FRAMES)
def test_frame_is_read_as_it_was_written(frame: Frame) -> None:
    """Each kind of frame survives the way over the wire."""
    assert decode_frame(encode_frame(frame)) == frame


@pytest.mark.parametrize(
    "raw", [b"", b"\x01", b"\x90", b"\x91\x04", b"\x92\x01\x01", b"\x91\xc4\x00", encode_frame(FRAMES[1])[:-1]]
)
def test_bytes_that_are_no_frame_are_refused(raw: bytes) -> None:
    """What is no frame is the peer's fault."""
    with pytest.raises(RemoteProtocolError, match="frame"):
        decode_frame(raw)


async def test_either_end_asks_the_other() -> None:
    """Whoever dialled, both ends ask and are answered on one connection, many questions at a time."""
    near, far = Hub(echo), Hub(echo)
    async with connected(near, far):
        for hub, node in ((near, FAR.node), (far, id16("near"))):
            channel = hub.channel(node)
            assert channel is not None
            questions = [Question("POST", f"/fed/1/{n}", {}, bytes([n])) for n in range(MAX_BUSY)]
            answers = await asyncio.gather(*(channel.ask(FAR, question, 100) for question in questions))
            assert [(a.headers["Target"], a.body) for a in answers] == [(q.target, q.body) for q in questions]
    assert near.nodes == far.nodes == set()


async def test_notice_reaches_whoever_listens() -> None:
    """A notice tells which node has something new."""
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    near, far = Hub(echo), Hub(echo)
    near.on_notice = heard.put_nowait
    async with connected(near, far):
        await far.notify()
        assert await heard.get() == FAR.node


async def test_questions_beyond_what_one_side_may_have_open_are_put_off() -> None:
    """A peer that asks too much at once is told to wait, and what it asked before is answered."""
    go = asyncio.Event()

    async def slow(question: Question) -> Answer:
        await go.wait()
        return await echo(question)

    here, there = pipe()
    serving = asyncio.create_task(Hub(slow).serve(FAR.node, there))
    for number in range(MAX_BUSY + 1):
        await here.send(encode_frame(Asked(number, QUESTION)))
    first = await here.incoming.get()
    go.set()
    others = [await here.incoming.get() for _ in range(MAX_BUSY)]
    await here.close()
    await serving

    assert decode_frame(first or b"") == Answered(MAX_BUSY, BUSY)
    assert {frame.number for raw in others if isinstance(frame := decode_frame(raw or b""), Answered)} == set(range(8))


async def test_end_of_the_connection_is_told_to_whoever_waits() -> None:
    """A question that waits when the connection ends is answered by nobody, at once."""
    near = Hub(echo)
    here, there = pipe()
    serving = asyncio.create_task(near.serve(FAR.node, here))
    await asyncio.sleep(0)
    channel = near.channel(FAR.node)
    assert channel is not None
    asked = asyncio.create_task(channel.ask(FAR, QUESTION, 100))
    await there.incoming.get()
    await there.close()
    with pytest.raises(AwayError, match="ended"):
        await asked
    await serving
    assert near.channel(FAR.node) is None


async def test_peer_that_sends_no_frame_is_named_as_the_fault() -> None:
    """Bytes that are no frame end the connection with the peer's fault."""
    near = Hub(echo)
    here, there = pipe()
    await there.send(b"garbage")
    with pytest.raises(RemoteProtocolError):
        await near.serve(FAR.node, here)
    assert here.closed


async def test_answer_over_the_limit_is_refused() -> None:
    """What is longer than was asked for is not handed on."""
    near, far = Hub(echo), Hub(echo)
    async with connected(near, far):
        channel = near.channel(FAR.node)
        assert channel is not None
        with pytest.raises(RemoteProtocolError, match="more than 3 bytes"):
            await channel.ask(FAR, QUESTION, 3)
