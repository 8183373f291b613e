"""Live connections: notices both ways, and questions both ways, so that a node that only dials out can be asked too.

Whoever dialled, a channel is the same at both ends. A question on it is signed as one over https, and answered at the
same desk.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from federation.errors import AwayError, BusyError, OversizeError, RemoteProtocolError
from federation.net.pace import allowed_s
from federation.peer import PeerAddress
from federation.ports import Answer, Question, Wire
from federation.sync.allowance import Allowance, Budget, TokenBucket
from federation.sync.frames import (
    MAX_BUSY,
    MAX_FRAME,
    MAX_GROWN,
    Answered,
    Asked,
    Frame,
    Grown,
    Noticed,
    decode_frame,
    encode_frame,
)

__all__ = ["MAX_FRAME", "Channel", "Hub"]

MAX_LIVE = 256
ANSWER_S = 30.0
RACE_S = 20.0  # longer than a dial takes: within it two nodes may have dialled each other at one time

Answering = Callable[[Question], Awaitable[Answer]]


class Channel:
    """One live connection to a peer. A Carrier to that peer alone.

    A peer that has more questions open than it may is not read from until one of them is answered, nor one whose
    questions are refused too often, for a while.
    """

    def __init__(self, wire: Wire, answering: Answering, noticed: Callable[[Noticed], None], budget: Budget) -> None:
        self._wire = wire
        self._answering = answering
        self._noticed = noticed
        self._budget = budget
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._room = asyncio.Semaphore(MAX_BUSY)
        self._refusals = TokenBucket(Allowance.stranger_requests_s, Allowance.stranger_requests_burst)
        self._news = asyncio.Event()
        self._grown: dict[bytes, Grown] = {}
        self._is_any = False  # whether anything but logs that grew is to be told

    async def run(self) -> None:
        """Serve until the connection ends; raise RemoteProtocolError where the peer sends what is no frame."""
        fault: RemoteProtocolError | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                telling = tasks.create_task(self._tell())
                try:
                    async for raw in self._wire.frames():
                        await self._take(tasks, decode_frame(raw))
                except RemoteProtocolError as error:
                    fault = error
                except AwayError:
                    pass  # the connection is gone, which is how one ends
                telling.cancel()
                self._let_go()
        finally:
            self._let_go()
            await self._wire.close()
        if fault is not None:
            raise fault

    async def ask(self, _peer: PeerAddress, question: Question, limit: int) -> Answer:
        """Ask the peer; raise AwayError where it does not answer in time or the connection ends."""
        if len(self._waiting) >= MAX_BUSY:
            raise BusyError("too many questions wait on the connection", 1.0)
        number = next(self._numbers)
        waiting: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        try:
            async with asyncio.timeout(ANSWER_S + allowed_s(limit)):
                await self._wire.send(encode_frame(Asked(number, question)))
                answer = await waiting
        except TimeoutError as error:
            raise AwayError("TimeoutError") from error
        finally:
            self._waiting.pop(number, None)
        if len(answer.body) > limit:
            raise OversizeError(f"an answer of more than {limit} bytes")
        return answer

    def notify(self, grown: Sequence[Grown] = ()) -> None:
        """Say that there is something new, as soon as the peer reads; what is said once stands for all before.

        With `grown`, that these logs came so far and nothing else is new.
        """
        self._grown |= {one.log: one for one in grown}
        self._is_any = self._is_any or not grown or len(self._grown) > MAX_GROWN
        self._news.set()

    async def close(self) -> None:
        """End the connection."""
        await self._wire.close()

    async def _take(self, tasks: asyncio.TaskGroup, frame: Frame) -> None:
        if (wait := self._refusals.wait(asyncio.get_running_loop().time())) > 0:
            await asyncio.sleep(wait)
        if isinstance(frame, Noticed):
            self._noticed(frame)
        elif isinstance(frame, Asked):
            await self._room.acquire()
            tasks.create_task(self._answer(frame))
        elif (waiting := self._waiting.get(frame.number)) is not None and not waiting.done():
            waiting.set_result(frame.answer)
        else:
            self._refuse()  # nobody asked, or waits any more

    def _refuse(self) -> None:
        self._refusals.take(1, asyncio.get_running_loop().time())

    async def _answer(self, asked: Asked) -> None:
        """Answer one question; a peer that does not read its answer has no connection any more."""
        try:
            with self._budget.hold() as hold:
                answer = await self._answering(asked.question)
                hold.carry(len(answer.body))
                if answer.status >= 400 and answer.status != 401:
                    self._refuse()
                await self._wire.send(encode_frame(Answered(asked.number, answer)))
        except AwayError:
            await self._wire.close()
        finally:
            self._room.release()

    async def _tell(self) -> None:
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                said = Noticed(() if self._is_any else tuple(self._grown.values()))
                self._grown, self._is_any = {}, False
                await self._wire.send(encode_frame(said))
        except AwayError:
            await self._wire.close()

    def _let_go(self) -> None:
        """Whoever waits for an answer learns that none comes."""
        while self._waiting:
            _, waiting = self._waiting.popitem()
            if not waiting.done():
                waiting.set_exception(AwayError("the connection ended"))


@dataclass(slots=True)
class _Held:
    """A connection that is held, and whether this node dialled it."""

    channel: Channel
    dialled: bool
    since: float
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Hub:
    """The live connections of this node, whoever dialled them; one a peer."""

    def __init__(self, own: bytes, answering: Answering, budget: Budget | None = None) -> None:
        """`own` is the id of this node, `answering` its desk, `budget` counts what is in hand."""
        self._own = own
        self._budget = budget or Budget()
        self._answering = answering
        self._held: dict[bytes, _Held] = {}
        self.on_notice: Callable[[bytes, Noticed], None] = _nobody

    @property
    def is_full(self) -> bool:
        """Whether no further connection is taken."""
        return len(self._held) >= MAX_LIVE

    @property
    def nodes(self) -> set[bytes]:
        """The nodes that are connected now."""
        return set(self._held)

    def incoming(self, node: bytes) -> Channel | None:
        """The connection that a node dialled."""
        held = self._held.get(node)
        return held.channel if held is not None and not held.dialled else None

    async def serve(self, node: bytes, wire: Wire, *, dialled: bool) -> None:
        """Hold a connection that this node dialled, or the other, until it ends. One that opens counts as a notice."""
        before, now = self._held.get(node), asyncio.get_running_loop().time()
        if before is not None and now - before.since < RACE_S and not self._is_better(node, before, dialled):
            await wire.close()
            return
        channel = Channel(wire, self._answering, lambda said: self.on_notice(node, said), self._budget)
        held = _Held(channel, dialled, now)
        self._held[node] = held
        try:
            if before is not None:
                await before.channel.close()
            self.on_notice(node, Noticed())
            await held.channel.run()
        finally:
            held.ended.set()
            if self._held.get(node) is held:
                del self._held[node]

    async def left(self, node: bytes) -> None:
        """Wait until there is no connection to a node."""
        while node in self._held:
            await self._held[node].ended.wait()

    async def notify(self, nodes: set[bytes] | None = None, grown: Sequence[Grown] = ()) -> None:
        """Tell these of the connected peers, or all, that something new is here, or that logs have `grown` alone;
        nobody waits for one that does not read.
        """
        for node, held in self._held.items():
            if nodes is None or node in nodes:
                held.channel.notify(grown)

    async def close(self, nodes: set[bytes] | None = None) -> None:
        """End the connections to these nodes, or all."""
        ended = [held.channel for node, held in self._held.items() if nodes is None or node in nodes]
        await asyncio.gather(*(channel.close() for channel in ended))

    def _is_better(self, node: bytes, before: "_Held", dialled: bool) -> bool:
        """Whether a second connection takes the place of a new first one: both nodes must choose the same one.

        Where both dialled it is that of the node with the smaller id; where one dialled twice, the newer. Who dials
        though a connection has stood for long lost it, or is a copy of the node: it takes the place.
        """
        return dialled in (before.dialled, self._own < node)


def _nobody(_node: bytes, _said: Noticed) -> None:
    """Nobody listens yet."""
