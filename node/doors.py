"""Opening ports, and counting what comes to one and is no request: no handler ever sees it."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from node.folder import PRIVATE, short_socket_path

GOODBYE_S = 1.0
# The method of the request that the HTTP library makes up for bytes that are none.
UNREAD = "UNKNOWN"

Count = Callable[[str], None]


@asynccontextmanager
async def listening(
    application: web.Application,
    host: str,
    port: int,
    count: Count,
    *,
    tls: ssl.SSLContext | None = None,
    socket: Path | None = None,
) -> AsyncIterator[int]:
    """Serve on a port, and on a socket in the node's folder, for as long as the block lasts; answer the port.

    `count` is told "tls" for a connection that is no TLS and "http" for bytes that are no HTTP.
    """
    runner = web.AppRunner(
        application, access_log=logging.getLogger(__name__), access_log_class=_unread(count), shutdown_timeout=GOODBYE_S
    )
    await runner.setup()
    try:
        if tls is not None:
            tls.sslobject_class = _handshakes(count)
        site = web.TCPSite(runner, host, port, ssl_context=tls)
        await site.start()
        bound = runner.addresses[0][1]
        if socket is not None:
            await _listen_on_socket(runner, socket)
        yield bound
    finally:
        await runner.cleanup()


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
