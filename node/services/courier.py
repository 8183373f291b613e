"""Carrying one message to a receiver: names are resolved once, and the address that is connected to is checked.

No redirect is followed, no more of an answer than its head is read, and all of it has a time.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import aiohttp
from yarl import URL

from federation.net.names import Names
from node.config import WebhooksSection
from node.exchange.webhooks.delivery import Fault, Outcome
from node.exchange.webhooks.message import Message
from node.exchange.webhooks.target import Policy, Target
from node.ports import Clock
from node.secret import Secret

AGENT = "passport-node"
RESOLVERS = 4  # threads


class RefusedAddressError(OSError):
    """An address to which this node sends nothing."""


class Courier:
    """Takes messages to receivers."""

    def __init__(self, settings: WebhooksSection, clock: Clock) -> None:
        self.policy = Policy(settings.allow)
        self._timeout_s = settings.timeout_s
        self._clock = clock

    @asynccontextmanager
    async def out(self) -> AsyncIterator["Road"]:
        """Connections for as long as the block lasts."""
        async with AsyncExitStack() as held:
            resolver = Names(RESOLVERS)
            held.callback(resolver.end)
            sessions = {}
            for is_secure in (True, False):
                connector = aiohttp.TCPConnector(
                    resolver=resolver, socket_factory=partial(self._open, is_secure=is_secure), limit=0
                )
                timeout = aiohttp.ClientTimeout(total=self._timeout_s, ceil_threshold=3600)
                sessions[is_secure] = await held.enter_async_context(
                    aiohttp.ClientSession(
                        connector=connector,
                        timeout=timeout,
                        cookie_jar=aiohttp.DummyCookieJar(),
                        headers={"User-Agent": AGENT},
                        auto_decompress=False,
                    )
                )
            yield Road(sessions, self._clock)

    async def resolve(self, target: Target) -> Sequence[str]:
        """The addresses of a target; none where they are not found now."""
        resolver = Names(RESOLVERS)
        try:
            async with asyncio.timeout(self._timeout_s):
                return [found["host"] for found in await resolver.resolve(target.host, target.port)]
        except (OSError, UnicodeError):  # a time that is over is the first
            return []
        finally:
            resolver.end()

    def _open(self, address: aiohttp.AddrInfoType, *, is_secure: bool) -> socket.socket:
        """The socket of a connection, the last step before it: what is checked here is what is connected to."""
        family, kind, protocol, _, place = address
        if not self.policy.permits(str(place[0]), is_secure=is_secure):
            raise RefusedAddressError(f"{place[0]} is no address that this node sends to")
        return socket.socket(family, kind, protocol)


class Road:
    """Open connections to receivers."""

    def __init__(self, sessions: dict[bool, aiohttp.ClientSession], clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock

    async def send(self, target: Target, message: Message, secrets: Sequence[Secret]) -> Outcome:
        """Post a message once; whatever happens is an outcome."""
        started = self._clock.now()
        headers = message.headers(secrets, started // 1_000_000)
        session = self._sessions[target.is_secure]
        try:
            async with session.post(
                URL(target.url, encoded=True), data=message.body, headers=headers, allow_redirects=False
            ) as response:
                asked_s = _seconds(response.headers.get("Retry-After", ""))
                return Outcome.of_status(response.status, self._clock.now() - started, asked_s)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Outcome(0, fault_of(error), self._clock.now() - started)


def fault_of(error: Exception) -> Fault:
    """What went wrong on the way to a receiver. A time that is over is an OSError of Python's own."""
    if isinstance(error, TimeoutError):
        return Fault.TIMEOUT
    if isinstance(error, aiohttp.ClientConnectorDNSError | UnicodeError):
        return Fault.NAME
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return Fault.TLS
    if isinstance(error, aiohttp.ClientConnectorError):
        return Fault.ADDRESS if isinstance(error.os_error, RefusedAddressError) else Fault.CONNECTION
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError):
        return Fault.CONNECTION
    return Fault.ANSWER


def _seconds(text: str) -> float:
    """How much time an answer asks for, where it says that in seconds."""
    return float(text) if text.isdecimal() and len(text) < 6 else 0.0
