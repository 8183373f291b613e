"""Carrying questions to peers over https, each peer's certificate pinned."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache

import aiohttp
from yarl import URL

from federation.errors import AwayError, CertificateError, RemoteProtocolError, TruncatedError
from federation.net.live import MAX_FRAME
from federation.net.names import Names
from federation.net.pace import gather
from federation.net.server import HEARTBEAT_S, SocketWire
from federation.peer import PeerAddress
from federation.ports import Answer, Question, Wire
from federation.sync.allowance import Budget

TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5)
BEGIN_S = 30.0  # until an answer begins; how its bytes come is `pace`'s matter
DIAL_S = 15.0
AT_ONCE = 8  # connections to one address
RESOLVERS = 16  # threads
KEPT_S = 60.0  # a connection is kept for the next question; the server of aiohttp keeps one for longer
AWAY = (aiohttp.ClientError, TimeoutError, OSError)


class HttpsCarrier:
    """The port `Carrier` over aiohttp."""

    def __init__(self, budget: Budget | None = None) -> None:
        """`budget` counts what is in hand."""
        self._budget = budget or Budget()
        self._session: aiohttp.ClientSession | None = None
        self._names = Names(RESOLVERS)

    async def ask(self, peer: PeerAddress, question: Question, limit: int) -> Answer:
        """Carry a question; the answer's body comes as it was sent, at most `limit` bytes of it."""
        with _faults(), self._budget.hold() as hold:
            async with asyncio.timeout(BEGIN_S) as patience:
                async with self._open().request(
                    question.method,
                    URL(peer.url + question.target, encoded=True),
                    data=question.body or None,
                    headers=question.headers,
                    ssl=_pinned(peer.pin),
                    timeout=TIMEOUT,
                    allow_redirects=False,
                ) as response:
                    patience.reschedule(None)
                    body = await gather(response.content.iter_any(), limit, hold)
                    return Answer(response.status, response.headers, body)

    async def dial(self, peer: PeerAddress, question: Question) -> Wire | Answer:
        """Open a live connection, or answer the refusal."""
        url, headers = URL(peer.url + question.target), question.headers
        with _faults():
            try:
                async with asyncio.timeout(DIAL_S):
                    return SocketWire(
                        await self._open().ws_connect(
                            url,
                            ssl=_pinned(peer.pin),
                            headers=headers,
                            heartbeat=HEARTBEAT_S,
                            max_msg_size=MAX_FRAME,
                        )
                    )
            except aiohttp.WSServerHandshakeError as error:
                return Answer(error.status, error.headers or {})

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            with suppress(asyncio.TimeoutError):
                await self._session.close()
        self._names.end()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            # What is inflated is limited by whoever reads it, not here.
            connector = aiohttp.TCPConnector(
                limit=0, limit_per_host=AT_ONCE, keepalive_timeout=KEPT_S, resolver=self._names
            )
            # What one peer asks to keep would be kept without end, and told to others of its domain.
            jar = aiohttp.DummyCookieJar()
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=jar, auto_decompress=False)
        return self._session


@lru_cache(maxsize=4096)
def _pinned(pin: bytes) -> aiohttp.Fingerprint:
    """One object for a pin: aiohttp tells connections apart by it, and would open one for each question."""
    return aiohttp.Fingerprint(pin)


@contextmanager
def _faults() -> Iterator[None]:
    """Tell apart, in the words of this package, what nobody can help and what the peer did."""
    try:
        yield
    except aiohttp.ServerFingerprintMismatch as error:
        raise CertificateError("another certificate answers at its address") from error
    except aiohttp.ClientPayloadError as error:
        raise TruncatedError("the answer breaks off") from error
    except aiohttp.ClientResponseError as error:
        raise RemoteProtocolError(f"the answer is no HTTP: {error.message[:100]}") from error
    except AWAY as error:
        raise AwayError(type(error).__name__) from error
