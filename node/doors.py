"""Opening ports, and counting what comes to one and is no request: no handler ever sees it."""

import asyncio
import logging
import os
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Protocol

from aiohttp import http_parser, web
from aiohttp.abc import AbstractAccessLogger
from yarl import URL

from federation.net.gate import Gate, gated_sockets
from node.errors import ConfigError
from node.folder import PRIVATE, short_socket_path

GOODBYE_S = 1.0
# A question may name the columns of a table, or some hundred devices: a letter beyond ASCII is six characters there.
LONGEST_LINE = 1 << 17
# The method of the request that the HTTP library makes up for bytes that are none.
UNREAD = "UNKNOWN"

# Brotli is here for fonts. In requests nobody needs it, and the HTTP library lets an error of its decoder out.
setattr(http_parser, "HAS_BROTLI", False)  # noqa: B010 - the library does not export it

Count = Callable[[str], None]


class Place(Protocol):
    """The settings of a port."""

    @property
    def host(self) -> str:
        """A name or an address."""

    @property
    def port(self) -> int:
        """0 for a free one."""


@asynccontextmanager
async def listening(
    section: str,
    application: web.Application,
    place: Place,
    count: Count,
    *,
    tls: ssl.SSLContext | None = None,
    socket: Path | None = None,
    gate: Gate | None = None,
    longest_line: int = 8190,
) -> AsyncIterator[int]:
    """Serve on a port, and on a socket in the node's folder, for as long as the block lasts; answer the port.

    Raise ConfigError naming the section of the settings where the port cannot be opened. What connects goes through the
    gate, if there is one; behind a gate bodies come as they were sent, and whoever reads them inflates them.
    What comes with a longer first line than that is no request. `count` is told "tls" for a connection that is no TLS
    and "http" for bytes that are no HTTP.
    """
    runner = web.AppRunner(
        application,
        access_log=logging.getLogger(__name__),
        access_log_class=_unread(count),
        shutdown_timeout=GOODBYE_S,
        max_line_size=longest_line,
        auto_decompress=gate is None,
    )
    await runner.setup()
    try:
        if tls is not None:
            tls.sslobject_class = _handshakes(count)
        with opening(section, place.host, place.port):
            for site in _sites(runner, place, tls, gate):
                await site.start()
        bound = runner.addresses[0][1]
        if socket is not None:
            await _listen_on_socket(runner, socket)
        yield bound
    finally:
        await runner.cleanup()


@contextmanager
def opening(section: str, host: str, port: int) -> Iterator[None]:
    """Turn what the system says of a port that cannot be opened into a ConfigError that says which setting it is."""
    try:
        yield
    except OSError as error:
        where = f"[{section}] in config.toml, or PASSPORT_{section.upper()}__HOST and __PORT"
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise ConfigError(f"cannot listen on {host} port {port}: {reason}; change {where}") from error


def url_of(scheme: str, host: str, port: int) -> str:
    """The address of a port, an IPv6 host in brackets."""
    return str(URL.build(scheme=scheme, host=host, port=port))


def _sites(
    runner: web.AppRunner, place: Place, tls: ssl.SSLContext | None, gate: Gate | None
) -> Sequence[web.BaseSite]:
    if gate is None:
        return [web.TCPSite(runner, place.host, place.port, ssl_context=tls)]
    sockets = gated_sockets(place.host, place.port, gate)
    return [web.SockSite(runner, socket, ssl_context=tls) for socket in sockets]


async def _listen_on_socket(runner: web.AppRunner, path: Path) -> None:
    """Commands come in here; the file's rights are the log-in."""
    with short_socket_path(path) as short:
        await asyncio.to_thread(short.unlink, missing_ok=True)
        await web.UnixSite(runner, str(short)).start()
        await asyncio.to_thread(short.chmod, PRIVATE)


def _unread(count: Count) -> type[AbstractAccessLogger]:
    class UnreadRequests(AbstractAccessLogger):
        """Told of every answer; only those to bytes that were no request are counted here."""

        def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:  # noqa: ARG002 - aiohttp's
            if request.method == UNREAD and response.status == 400:
                count("http")

    return UnreadRequests


def _handshakes(count: Count) -> type[ssl.SSLObject]:
    class Handshake(ssl.SSLObject):
        """A connection that tells of a handshake that came to nothing."""

        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError:
                count("tls")
                raise

    return Handshake
