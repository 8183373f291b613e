"""The demo's relay as a process: it carries bytes both ways, and its end is the end of every connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from node.demo.processes import HOST, RelayProcess, free_ports
from node.demo.relay import Route, read_routes

WAIT_S = 10.0


@asynccontextmanager
async def upper_case() -> AsyncIterator[int]:
    """A server that answers what it read, in capitals, once the asker has said all."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.read()).upper())
        writer.close()

    server = await asyncio.start_server(answer, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def relay(folder: Path, to: int) -> AsyncIterator[tuple[RelayProcess, int]]:
    """A relay that runs, and the port that it takes connections at."""
    (port,) = free_ports(1)
    process = RelayProcess(folder, {port: to})
    await asyncio.to_thread(process.start)
    try:
        yield process, port
    finally:
        await asyncio.to_thread(process.stop)


async def say(port: int, content: bytes) -> bytes:
    async with asyncio.timeout(WAIT_S):
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(content)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
    return answer


async def rest(reader: asyncio.StreamReader) -> bytes:
    """What still comes until the connection ends, in whatever way."""
    async with asyncio.timeout(WAIT_S):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


async def test_bytes_and_ends_are_carried_both_ways(tmp_path: Path) -> None:
    """A large question, its end and the whole answer come through; several connections live side by side."""
    async with upper_case() as server, relay(tmp_path, server) as (_, port):
        large = b"abcdefgh" * 200_000

        answers = await asyncio.gather(say(port, large), say(port, b"x"), say(port, b""))

        assert [*answers] == [large.upper(), b"X", b""]


async def test_ended_relay_cuts_connections_and_comes_back_at_the_same_port(tmp_path: Path) -> None:
    """An open connection ends with the process, a new one is refused, and a new process takes the port again."""
    async with upper_case() as server, relay(tmp_path, server) as (process, port):
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"half a question")
        await writer.drain()

        await asyncio.to_thread(process.stop)

        assert await rest(reader) == b""
        writer.close()
        assert not process.is_open(port)
        await asyncio.to_thread(process.start)
        assert await say(port, b"again") == b"AGAIN"


async def test_relay_to_nobody_breaks_the_connection_off(tmp_path: Path) -> None:
    """Where nothing listens behind it, a connection through the relay ends without an answer."""
    (nobody,) = free_ports(1)
    async with relay(tmp_path, nobody) as (_, port):
        reader, writer = await asyncio.open_connection(HOST, port)

        assert await rest(reader) == b""
        writer.close()


def test_routes_are_read_in_pairs() -> None:
    """Each port has its target, in the order in which they are given."""
    routes = read_routes(["--listen", "0", "--to", "127.0.0.1:9", "--listen", "7", "--to", "localhost:8"])

    assert routes == [Route(0, "127.0.0.1", 9), Route(7, "localhost", 8)]


@pytest.mark.parametrize("arguments", [[], ["--listen", "1"], ["--listen", "1", "--to", "nowhere"]])
def test_routes_that_make_no_sense_are_refused(arguments: list[str]) -> None:
    """A port without a target, or a target without a port, ends the command."""
    with pytest.raises(SystemExit):
        read_routes(arguments)
