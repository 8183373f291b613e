"""The network between simulated machines: slow, lossy, cut in two, and the same for the same seed.

A question is a request over https: it is delayed, lost on the way there or back, carried twice, or torn. A live
connection keeps the order of its frames; cut, it is found out after a while. Whoever carries counts.
"""

import asyncio
import random
import zlib
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from federation.errors import AwayError, CertificateError, FederationError, OversizeError, TruncatedError
from federation.peer import PeerAddress
from federation.ports import Answer, Asker, Question, Wire
from federation.sync.frames import Answered, Asked, decode_frame
from tests.simulation.transcript import Transcript

SUFFIX = ".sim"
CONNECT_S = 5.0
TIMEOUT_S = 30.0
HEARTBEAT_S = 20.0
REFUSED_S = 0.001
TOO_MANY = Answer(503, {"Retry-After": "60"})


@dataclass(frozen=True, slots=True)
class Weather:
    """How a link behaves: delays in seconds, and which shares of questions and answers meet with what."""

    least_s: float = 0.005
    most_s: float = 0.2
    lost: float = 0.0
    doubled: float = 0.0
    torn: float = 0.0
    cut: float = 0.0  # of live connections, at each frame


CALM = Weather()
ROUGH = Weather(most_s=2.0, lost=0.05, doubled=0.05, torn=0.03, cut=0.01)


@dataclass(slots=True)
class Load:
    """What one machine tried to ask, asked, answered and moved, by the kind of question."""

    tried: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    bytes_in: Counter[str] = field(default_factory=Counter)
    bytes_out: Counter[str] = field(default_factory=Counter)


class Endpoint(Protocol):
    """A machine as the network sees it."""

    name: str

    @property
    def is_up(self) -> bool:
        """Whether anybody listens there."""
        ...

    @property
    def pin(self) -> bytes:
        """SHA-256 of its certificate."""
        ...

    def work(self, what: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Do something there, as long as the machine is up."""
        ...

    async def answer(self, question: Question) -> Answer:
        """Answer a question."""
        ...

    async def admit(self, question: Question) -> Asker | Answer:
        """Who asks for a live connection, or the refusal."""
        ...

    async def hold(self, node: bytes, wire: Wire) -> None:
        """Serve a live connection until it ends."""
        ...


class Network:
    """All links. `heard` holds what each machine was ever sent, in clear, where that is kept."""

    def __init__(self, chance: random.Random, transcript: Transcript, *, keeps_all: bool = True) -> None:
        self._chance = chance
        self._transcript = transcript
        self._keeps_all = keeps_all
        self._ends: dict[str, Endpoint] = {}
        self._side: dict[str, int] = {}
        self._links: dict[frozenset[str], Weather] = {}
        self._led: dict[tuple[str, str], str] = {}
        self._wires: dict[SimWire, None] = {}
        self.weather = CALM
        self.load: dict[str, Load] = defaultdict(Load)
        self.heard: dict[str, list[bytes]] = defaultdict(list)
        self.broken: list[str] = []

    def join(self, end: Endpoint) -> None:
        """Take a machine in."""
        self._ends[end.name] = end

    def split(self, *sides: Iterable[str]) -> None:
        """Part the machines: those of one side reach each other; who is named nowhere reaches nobody."""
        self._side = {name: number for number, side in enumerate(sides, 1) for name in side}
        for name in self._ends:
            self._side.setdefault(name, -1 - len(self._side))
        self._transcript.note("network", "split", sides=[sorted(side) for side in sides])
        for wire in list(self._wires):
            if self._is_apart(wire.here, wire.there):
                wire.fail_soon()

    def heal(self) -> None:
        """Let everybody reach everybody."""
        self._side = {}
        self._transcript.note("network", "heal")

    def set_link(self, one: str, other: str, weather: Weather) -> None:
        """Let one link behave otherwise than the rest."""
        self._links[frozenset((one, other))] = weather

    def lead(self, here: str, wanted: str, found: str) -> None:
        """Who asks from one machine for another finds a third there."""
        self._led[here, wanted] = found

    def drop(self, name: str, *, at_once: bool) -> None:
        """A machine is gone: the other ends of its connections learn it at once, or by missing a heartbeat."""
        for wire in list(self._wires):
            if wire.there == name:
                wire.fail_soon(0.0 if at_once else None)
            elif wire.here == name:
                wire.fall()

    async def ask(self, here: str, peer: PeerAddress, question: Question, limit: int) -> Answer:
        """Carry a question over and its answer back."""
        async with self._within(here, question):
            there = await self._reach(here, peer, question)
            await self._carry(here, there, question)
            weather = self._between(here, there.name)
            if self._chance.random() < weather.doubled:
                there.work(self._again(here, there, question))
            answer = await self._served(there, question)
            answer = await self._carry_back(here, there.name, question, answer)
        if len(answer.body) > limit:
            raise OversizeError(f"an answer of more than {limit} bytes")
        return answer

    async def dial(self, here: str, peer: PeerAddress, question: Question) -> Wire | Answer:
        """Open a live connection, or bring the refusal back."""
        async with self._within(here, question):
            there = await self._reach(here, peer, question)
            await self._carry(here, there, question)
            admitted = await self._finished(there, there.admit(question))
            if isinstance(admitted, Answer):
                return await self._carry_back(here, there.name, question, admitted)
            near, far = SimWire(self, here, there.name), SimWire(self, there.name, here)
            near.other, far.other = far, near
            self._wires[near] = self._wires[far] = None
            there.work(self._hold(there, admitted.node, far))
            await self._delay(here, there.name)
            return near

    def delay(self, one: str, other: str) -> float:
        """How long something takes on a link."""
        weather = self._between(one, other)
        return self._chance.uniform(weather.least_s, weather.most_s)

    def may_cut(self, one: str, other: str) -> bool:
        """Whether a connection breaks at this frame."""
        return self._chance.random() < self._between(one, other).cut

    def is_open(self, one: str, other: str) -> bool:
        """Whether anything gets from one to the other now."""
        end = self._ends.get(other)
        return end is not None and end.is_up and not self._is_apart(one, other)

    def count_frame(self, here: str, there: str, frame: bytes) -> None:
        """A frame arrived."""
        self.load[here].bytes_out["live"] += len(frame)
        self.load[there].bytes_in["live"] += len(frame)
        self._transcript.carried(here, there, "live", frame)
        if self._keeps_all:
            self.heard[there] += _plain_frame(frame)

    def forget(self, wire: "SimWire") -> None:
        """A connection ended."""
        self._wires.pop(wire, None)

    def _is_apart(self, one: str, other: str) -> bool:
        return self._side.get(one) != self._side.get(other)

    def _between(self, one: str, other: str) -> Weather:
        return self._links.get(frozenset((one, other)), self.weather)

    @staticmethod
    def _within(here: str, question: Question) -> "_Patience":
        return _Patience(f"{here}: {question.target}")

    async def _reach(self, here: str, peer: PeerAddress, question: Question) -> Endpoint:
        self.load[here].tried[kind_of(question.target)] += 1
        name = peer.url.removeprefix("https://").removesuffix(SUFFIX)
        name = self._led.get((here, name), name)
        there = self._ends.get(name)
        if there is None or self._is_apart(here, name):
            await asyncio.sleep(CONNECT_S)
            raise AwayError("ConnectionTimeoutError")
        if not there.is_up:
            await asyncio.sleep(REFUSED_S)
            raise AwayError("ClientConnectorError")
        if there.pin != peer.pin:
            raise CertificateError("another certificate answers at its address")
        return there

    async def _carry(self, here: str, there: Endpoint, question: Question) -> None:
        kind, size = kind_of(question.target), _size(question.headers, question.body) + len(question.target)
        self.load[here].asked[kind] += 1
        self.load[here].bytes_out[kind] += size
        await self._leg(here, there.name)
        if not there.is_up:
            raise AwayError("ServerDisconnectedError")
        self.load[there.name].answered[kind] += 1
        self.load[there.name].bytes_in[kind] += size
        self._transcript.carried(here, there.name, question.target, question.body)
        if self._keeps_all:
            self.heard[there.name].append(question.body)

    async def _carry_back(self, here: str, there: str, question: Question, answer: Answer) -> Answer:
        kind, size = kind_of(question.target), _size(answer.headers, answer.body)
        self.load[there].bytes_out[kind] += size
        await self._leg(here, there)
        self.load[here].bytes_in[kind] += size
        self._transcript.carried(there, here, f"{question.target} {answer.status}", answer.body)
        if self._keeps_all:
            self.heard[here].append(_plain(answer))
        if self._chance.random() < self._between(here, there).torn:
            if self._chance.random() < 0.5:
                raise TruncatedError("the answer breaks off")
            answer = replace(answer, body=answer.body[: int(len(answer.body) * self._chance.random())])
        return answer

    async def _leg(self, here: str, there: str) -> None:
        """One way: lost, whoever asked waits until patience ends."""
        await self._delay(here, there)
        is_lost = self._chance.random() < self._between(here, there).lost
        if is_lost or self._is_apart(here, there):
            await asyncio.sleep(2 * TIMEOUT_S)

    async def _delay(self, here: str, there: str) -> None:
        await asyncio.sleep(self.delay(here, there))

    async def _served(self, there: Endpoint, question: Question) -> Answer:
        answer: Answer = await self._finished(there, there.answer(question))
        return answer

    async def _finished(self, there: Endpoint, what: Coroutine[Any, Any, Any]) -> Any:  # Any: what the work answers
        task = there.work(what)
        await asyncio.wait([task])
        if task.cancelled() or not there.is_up:
            raise AwayError("ServerDisconnectedError")
        if (error := task.exception()) is not None:
            # Over https this is a 500; here it is a fault of the program that the run is to tell.
            self.broken.append(f"{there.name}: {error!r}")
            return Answer(500, {})
        return task.result()

    async def _again(self, here: str, there: Endpoint, question: Question) -> None:
        """The same question comes a second time, and whoever sent it hears nothing of that."""
        await self._delay(here, there.name)
        self._transcript.carried(here, there.name, f"{question.target} again", question.body)
        try:
            await there.answer(question)
        except Exception as error:
            self.broken.append(f"{there.name}: {error!r}")

    async def _hold(self, there: Endpoint, node: bytes, wire: "SimWire") -> None:
        try:
            await there.hold(node, wire)
        except FederationError:
            pass  # the fault of whoever dialled; the connection is gone
        except Exception as error:
            self.broken.append(f"{there.name}: {error!r}")
        finally:
            await wire.close()


class SimCarrier:
    """The port `Carrier` of one machine."""

    def __init__(self, network: Network, here: str) -> None:
        self._network = network
        self._here = here

    async def ask(self, peer: PeerAddress, question: Question, limit: int) -> Answer:
        """Carry a question."""
        return await self._network.ask(self._here, peer, question, limit)

    async def dial(self, peer: PeerAddress, question: Question) -> Wire | Answer:
        """Open a live connection."""
        return await self._network.dial(self._here, peer, question)

    async def close(self) -> None:
        """Connections end with the machine."""


class SimWire:
    """One end of a live connection."""

    other: "SimWire"

    def __init__(self, network: Network, here: str, there: str) -> None:
        self.here, self.there = here, there
        self._network = network
        self._came: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._last = 0.0
        self._is_closed = False

    async def send(self, frame: bytes) -> None:
        """Hand one frame on; it arrives after those before it, unless the connection breaks."""
        if self._is_closed:
            raise AwayError("ClientConnectionResetError")
        loop = asyncio.get_running_loop()
        self._last = max(self._last + 1e-6, loop.time() + self._network.delay(self.here, self.there))
        if self._network.may_cut(self.here, self.there):
            self.fail_soon(0.0)
            self.other.fail_soon(0.0)
            return
        loop.call_at(self._last, self._arrive, frame)

    async def frames(self) -> AsyncIterator[bytes]:
        """What comes, until the connection ends."""
        while (frame := await self._came.get()) is not None:
            yield frame

    async def close(self) -> None:
        """End the connection."""
        if self._is_closed:
            return
        self._end()
        self.other.fail_soon(0.0 if self._network.is_open(self.here, self.there) else None)

    def fail_soon(self, seconds: float | None = None) -> None:
        """This end learns that the connection is gone: after that time, or when it misses a heartbeat."""
        loop = asyncio.get_running_loop()
        loop.call_later(1.5 * HEARTBEAT_S if seconds is None else seconds, self._end)

    def fall(self) -> None:
        """The machine of this end fell; the other end is told by whoever knows how."""
        self._end()

    def _arrive(self, frame: bytes) -> None:
        if self.other._is_closed or not self._network.is_open(self.here, self.there):
            return
        self._network.count_frame(self.here, self.there, frame)
        self.other._came.put_nowait(frame)

    def _end(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._network.forget(self)
            self._came.put_nowait(None)


class _Patience:
    """Ends a wait for an answer as the https carrier does."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._timeout = asyncio.timeout(TIMEOUT_S)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as late:
            raise AwayError("TimeoutError") from late


def kind_of(target: str) -> str:
    """What is asked, without what of."""
    return target.partition("?")[0].rpartition("/")[2]


def _size(headers: Any, body: bytes) -> int:  # Any: a mapping of any kind
    return sum(len(name) + len(value) + 4 for name, value in headers.items()) + len(body)


def _plain(answer: Answer) -> bytes:
    with suppress(zlib.error):
        if answer.headers.get("Content-Encoding") == "deflate":
            return zlib.decompress(answer.body)
    return answer.body


def _plain_frame(raw: bytes) -> Iterator[bytes]:
    with suppress(FederationError):
        frame = decode_frame(raw)
        if isinstance(frame, Asked):
            yield frame.question.body
        elif isinstance(frame, Answered):
            yield _plain(frame.answer)
