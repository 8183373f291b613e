"""Requests over keep-alive connections, and how long each took: as fast as answers come, or at a rate.

Bytes are made beforehand and answers are only cut apart, so that one core asks more than a node on another answers.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

OK, END_OF_HEAD, LENGTH = b"HTTP/1.1 200 ", b"\r\n\r\n", b"\r\ncontent-length:"


@dataclass(slots=True)
class Taken:
    """What a load took: seconds by the clock; of each answer the seconds, and its size in bytes."""

    seconds: float = 0.0
    each_s: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.each_s) / self.seconds

    def within_s(self, share: float) -> float:
        """The seconds in which this share of the answers came."""
        return sorted(self.each_s)[min(len(self.each_s) - 1, int(len(self.each_s) * share))]


class LoadError(Exception):
    """A server answered something else than 200, or hung up."""


class Connection(asyncio.Protocol):
    """One connection, one question at a time."""

    def __init__(self) -> None:
        """Not connected yet."""
        self._got = bytearray()
        self._whole = 0
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, request: bytes) -> Awaitable[int]:
        """Send a request; the size of its answer."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        """Look whether the answer is whole."""
        self._got += data
        if not self._whole:
            self._whole = _whole_size(self._got)
        if self._answer and self._whole and len(self._got) >= self._whole:
            is_ok, answer = self._got.startswith(OK), self._answer
            if is_ok:
                answer.set_result(self._whole)
            else:
                answer.set_exception(LoadError(bytes(self._got[:500]).decode(errors="replace")))
            self._got, self._whole, self._answer = bytearray(), 0, None

    def connection_lost(self, _error: Exception | None) -> None:
        """Whoever waits is told."""
        if self._answer:
            self._answer.set_exception(LoadError("the server hung up"))

    def close(self) -> None:
        """Hang up."""
        self._transport.close()


def get(path: str, token: str = "") -> bytes:
    """The bytes of a GET."""
    asked_by = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{asked_by}Accept: application/json\r\n\r\n".encode()


async def load_in_turn(port: int, requests: Sequence[bytes], connections: int) -> Taken:
    """Send each request as soon as one of the connections is free."""
    waiting, taken = iter(requests), Taken()

    async def work(connection: Connection) -> None:
        for request in waiting:
            begun = time.perf_counter()
            taken.sizes.append(await connection.ask(request))
            taken.each_s.append(time.perf_counter() - begun)

    return await _run(port, connections, taken, work)


async def load_at_rate(port: int, requests: Sequence[bytes], connections: int, rate: float) -> Taken:
    """Send so many requests a second; what one waits for a free connection counts as time it took."""
    waiting, taken, begun = iter(enumerate(requests)), Taken(), time.perf_counter()

    async def work(connection: Connection) -> None:
        for number, request in waiting:
            due = begun + number / rate
            await asyncio.sleep(due - time.perf_counter())
            taken.sizes.append(await connection.ask(request))
            taken.each_s.append(time.perf_counter() - due)

    return await _run(port, connections, taken, work)


async def _run(port: int, count: int, taken: Taken, work: Callable[[Connection], Awaitable[None]]) -> Taken:
    loop = asyncio.get_running_loop()
    opened = [(await loop.create_connection(Connection, "127.0.0.1", port))[1] for _ in range(count)]
    begun = time.perf_counter()
    try:
        await asyncio.gather(*map(work, opened))
    finally:
        for connection in opened:
            connection.close()
    taken.seconds = time.perf_counter() - begun
    return taken


def _whole_size(got: bytearray) -> int:
    end = got.find(END_OF_HEAD)
    if end < 0:
        return 0
    head = bytes(got[:end]).lower()
    at = head.find(LENGTH)
    length = int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    return end + len(END_OF_HEAD) + length
