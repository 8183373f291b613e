"""Carrying questions to peers over https, each peer's certificate pinned."""

import asyncio
from contextlib import suppress

import aiohttp
from yarl import URL

from federation.errors import AwayError, RemoteProtocolError
from federation.net.live import MAX_FRAME
from federation.net.server import HEARTBEAT_S, SocketWire
from federation.peer import PeerAddress
from federation.ports import Answer, Question, Wire

TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=5, sock_read=20)
AWAY = (aiohttp.ClientError, TimeoutError, OSError)


class HttpsCarrier:
    """The port `Carrier` over aiohttp."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, peer: PeerAddress, question: Question, limit: int) -> Answer:
        """Carry a question; the answer's body comes as it was sent, at most `limit` bytes of it."""
        try:
            async with self._open().request(
                question.method,
                URL(peer.url + question.target, encoded=True),
                data=question.body or None,
                headers=question.headers,
                ssl=aiohttp.Fingerprint(peer.pin),
                timeout=TIMEOUT,
                allow_redirects=False,
            ) as response:
                return Answer(response.status, response.headers, await _read(response, limit))
        except AWAY as error:
            raise AwayError(type(error).__name__) from error

    async def dial(self, peer: PeerAddress, question: Question) -> Wire | Answer:
        """Open a live connection, or answer the refusal."""
        url, headers = URL(peer.url + question.target), question.headers
        try:
            return SocketWire(
                await self._open().ws_connect(
                    url,
                    ssl=aiohttp.Fingerprint(peer.pin),
                    headers=headers,
                    heartbeat=HEARTBEAT_S,
                    max_msg_size=MAX_FRAME,
                )
            )
        except aiohttp.WSServerHandshakeError as error:
            return Answer(error.status, error.headers or {})
        except AWAY as error:
            raise AwayError(type(error).__name__) from error

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            with suppress(asyncio.TimeoutError):
                await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            # What is inflated is limited by whoever reads it, not here.
            self._session = aiohttp.ClientSession(auto_decompress=False)
        return self._session


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    raw = bytearray()
    async for chunk in response.content.iter_chunked(1 << 16):
        raw += chunk
        if len(raw) > limit:
            raise RemoteProtocolError(f"an answer of more than {limit} bytes")
    return bytes(raw)
