"""A TCP relay: takes connections at one address and moves their bytes to another, both ways, reading nothing.

It is a link of the demo that can be cut: end the process, and whoever knows only its addresses reaches nobody behind
them. TLS goes from node to node through it.

    python -m node.demo.relay --listen PORT --to HOST:PORT [--listen PORT --to HOST:PORT ...]

The addresses that it took are printed as one line of JSON. SIGTERM ends it as it would any process, at once.
"""

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

HOST = "127.0.0.1"
CHUNK = 1 << 16
CONNECT_S = 5.0


@dataclass(frozen=True, slots=True)
class Route:
    """A port on loopback, 0 for any, and where its connections go."""

    listen: int
    host: str
    port: int


async def run_relay(routes: Sequence[Route]) -> None:
    """Carry connections for as long as the process runs; raise OSError where a port is taken."""
    servers = [await asyncio.start_server(_Carrier(route).carry, HOST, route.listen) for route in routes]
    addresses = [f"{HOST}:{server.sockets[0].getsockname()[1]}" for server in servers]
    print(json.dumps({"started": addresses}), flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


class _Carrier:
    """Carries the connections of one route."""

    def __init__(self, route: Route) -> None:
        self._route = route

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until both ends have closed it or one broke it off."""
        try:
            async with asyncio.timeout(CONNECT_S):
                far_reader, far_writer = await asyncio.open_connection(self._route.host, self._route.port)
        except (OSError, TimeoutError):
            writer.transport.abort()
            return
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(_move(reader, far_writer))
                ways.create_task(_move(far_reader, writer))
        except* OSError:
            # What one end broke off is broken off at the other: bytes are missing, it must not look like an end.
            far_writer.transport.abort()
            writer.transport.abort()
        finally:
            far_writer.close()
            writer.close()


async def _move(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(CHUNK):
        writer.write(chunk)
        await writer.drain()
    writer.write_eof()


def read_routes(arguments: Sequence[str]) -> list[Route]:
    """The routes of a command line; it ends the process where they make no sense."""
    parser = argparse.ArgumentParser(prog="python -m node.demo.relay", description="Carry TCP connections.")
    parser.add_argument("--listen", type=int, action="append", required=True, metavar="PORT")
    parser.add_argument("--to", action="append", required=True, metavar="HOST:PORT")
    given = parser.parse_args(arguments)
    if len(given.listen) != len(given.to):
        parser.error("each --listen has one --to")
    parts = [target.rpartition(":") for target in given.to]
    if not all(host and port.isascii() and port.isdigit() for host, _, port in parts):
        parser.error("--to is HOST:PORT")
    return [Route(listen, host, int(port)) for listen, (host, _, port) in zip(given.listen, parts, strict=True)]


def main() -> None:
    """Carry until the process is ended."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run_relay(read_routes(sys.argv[1:])))


if __name__ == "__main__":
    main()
