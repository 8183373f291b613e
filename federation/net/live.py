"""Live connections: notices both ways, and questions both ways, so that a node that only dials out can be asked too.

Whoever dialled, a channel is the same at both ends. A question on it is signed as one over https, and answered at the
same desk.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from contextlib import suppress

from federation.errors import AwayError, FederationError, RemoteProtocolError
from federation.peer import PeerAddress
from federation.ports import Answer, Question, Wire
from federation.sync.frames import MAX_BUSY, MAX_FRAME, Answered, Asked, Noticed, decode_frame, encode_frame

__all__ = ["MAX_FRAME", "Channel", "Hub"]

MAX_LIVE = 256
ANSWER_S = 30.0
SEND_S = 5.0
BUSY = Answer(429, {"Retry-After": "1"})

Answering = Callable[[Question], Awaitable[Answer]]


class Channel:
    """One live connection to a peer. A Carrier to that peer alone."""

    def __init__(self, wire: Wire, answering: Answering, noticed: Callable[[], None]) -> None:
        self._wire = wire
        self._answering = answering
        self._noticed = noticed
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._busy = 0

    async def run(self) -> None:
        """Serve until the connection ends; raise RemoteProtocolError where the peer sends what is no frame."""
        fault: RemoteProtocolError | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                try:
                    async for raw in self._wire.frames():
                        self._take(tasks, raw)
                except RemoteProtocolError as error:
                    fault = error
                except AwayError:
                    pass  # the connection is gone, which is how one ends
                self._let_go()
        finally:
            self._let_go()
            await self._wire.close()
        if fault is not None:
            raise fault

    async def ask(self, _peer: PeerAddress, question: Question, limit: int) -> Answer:
        """Ask the peer; raise AwayError where it does not answer in time or the connection ends."""
        if len(self._waiting) >= MAX_BUSY:
            raise AwayError("too many questions wait on the connection")
        number = next(self._numbers)
        waiting: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._send(encode_frame(Asked(number, question)))
                answer = await waiting
        except TimeoutError as error:
            raise AwayError("TimeoutError") from error
        finally:
            self._waiting.pop(number, None)
        if len(answer.body) > limit:
            raise RemoteProtocolError(f"an answer of more than {limit} bytes")
        return answer

    async def notify(self) -> None:
        """Say that there is something new; raise AwayError where that cannot be said."""
        await self._send(encode_frame(Noticed()))

    async def close(self) -> None:
        """End the connection."""
        await self._wire.close()

    def _take(self, tasks: asyncio.TaskGroup, raw: bytes) -> None:
        frame = decode_frame(raw)
        if isinstance(frame, Noticed):
            self._noticed()
        elif isinstance(frame, Asked):
            self._busy += 1
            tasks.create_task(self._answer(frame, BUSY if self._busy > MAX_BUSY else None))
        elif (waiting := self._waiting.get(frame.number)) is not None and not waiting.done():
            waiting.set_result(frame.answer)

    async def _answer(self, asked: Asked, answer: Answer | None) -> None:
        try:
            answer = answer or await self._answering(asked.question)
            with suppress(AwayError):
                await self._send(encode_frame(Answered(asked.number, answer)))
        finally:
            self._busy -= 1

    def _let_go(self) -> None:
        """Whoever waits for an answer learns that none comes."""
        while self._waiting:
            _, waiting = self._waiting.popitem()
            if not waiting.done():
                waiting.set_exception(AwayError("the connection ended"))

    async def _send(self, frame: bytes) -> None:
        try:
            async with asyncio.timeout(SEND_S):
                await self._wire.send(frame)
        except TimeoutError as error:
            raise AwayError("the peer does not read") from error


class Hub:
    """The live connections of this node, whoever dialled them."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._channels: dict[Channel, bytes] = {}
        self.on_notice: Callable[[bytes], None] = _nobody

    @property
    def is_full(self) -> bool:
        """Whether no further connection is taken."""
        return len(self._channels) >= MAX_LIVE

    @property
    def nodes(self) -> set[bytes]:
        """The nodes that are connected now."""
        return set(self._channels.values())

    def channel(self, node: bytes) -> Channel | None:
        """The newest connection to a node."""
        return next((channel for channel, of in reversed(self._channels.items()) if of == node), None)

    async def serve(self, node: bytes, wire: Wire) -> None:
        """Hold a connection until it ends."""
        channel = Channel(wire, self._answering, lambda: self.on_notice(node))
        self._channels[channel] = node
        try:
            await channel.run()
        finally:
            del self._channels[channel]

    async def notify(self) -> None:
        """Tell every connected peer that something new is here."""
        await asyncio.gather(*(self._tell(channel) for channel in list(self._channels)))

    async def close(self, nodes: set[bytes] | None = None) -> None:
        """End the connections to these nodes, or all."""
        for channel, node in list(self._channels.items()):
            if nodes is None or node in nodes:
                await channel.close()

    async def _tell(self, channel: Channel) -> None:
        try:
            await channel.notify()
        except FederationError:
            await channel.close()


def _nobody(_node: bytes) -> None:
    """Nobody listens yet."""
