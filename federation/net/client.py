"""Asking a peer: pinned TLS, signed requests, answers checked against the peer's key."""

import base64
import binascii
import zlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime

import aiohttp
from yarl import URL

from federation.errors import RemoteProtocolError, RequestError
from federation.fragment import Ref, Section
from federation.net.server import SIGNATURE, TIME, Signer
from federation.peer import PeerAddress, check_url
from federation.ports import Times
from federation.request import Request, sign_request, verify_response
from federation.sync import messages

TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=5, sock_read=20)
TRIES = 2
LIVE = "/fed/1/live"
OTHER_TIME = "the peer does not accept this node's time"
PIN_SIZE = 32  # SHA-256


class PeerClient:
    """Requests to one peer. Raises RemoteProtocolError, or aiohttp.ClientError and TimeoutError where it is away."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        peer: PeerAddress,
        signer: Signer,
        times: Times,
        random: Callable[[int], bytes],
    ) -> None:
        check_url(peer.url)
        if len(peer.pin) != PIN_SIZE:
            raise RemoteProtocolError(f"a pin is {PIN_SIZE} bytes, got {len(peer.pin)}")
        self._session = session
        self._peer = peer
        self._signer = signer
        self._times = times
        self._random = random
        self._ssl = aiohttp.Fingerprint(peer.pin)
        self._offset_ms = 0
        self.clock_gap_s: float | None = None  # how far the peer's clock is ahead, to a second, by its last answer

    async def heads(self, known: bytes | None) -> tuple[bytes, messages.Heads] | None:
        """What the peer has, with the answer's digest; None where it equals `known`."""
        raw = await self._ask("POST", "/fed/1/heads", messages.encode_digest(known))
        return None if raw is None else (messages.digest(raw), messages.decode_heads(raw))

    async def entries(self, log: bytes, start: int, end: int) -> list[messages.Row]:
        """Rows of a log."""
        return await self._rows("entries", log, start, end)

    async def leaves(self, log: bytes, start: int, end: int) -> list[bytes]:
        """Leaf hashes of a log."""
        rows: list[bytes] = []
        while start + len(rows) < end:
            at = start + len(rows)
            part = await self._rows("leaves", log, at, min(end, at + messages.MAX_ENTRIES))
            hashes = [row for row in part if isinstance(row, bytes)]
            if not hashes or len(hashes) != len(part):
                raise RemoteProtocolError("leaves: hashes were asked for")
            rows += hashes
        return rows

    async def pull(self, after: int) -> messages.Pulled:
        """What was opened after a number."""
        return messages.decode_pulled(await self._must("/fed/1/pull", messages.encode_pull(after, messages.MAX_PULL)))

    async def fetch(self, refs: Sequence[Ref]) -> list[messages.Proven]:
        """Entries by place and id."""
        return messages.decode_fetched(await self._must("/fed/1/fetch", messages.encode_fetch(refs)))

    async def secret(self, subject: bytes, section: str) -> Section:
        """The newest secret section of that name about a subject, sealed to this node."""
        return messages.section_from_bytes(await self._must("/fed/1/secret", messages.encode_secret(subject, section)))

    async def chunk(self, ref: Ref, section: str, n: int) -> bytes:
        """One chunk of a section of an entry; the caller compares its hash."""
        return messages.decode_chunk(await self._must("/fed/1/chunk", messages.encode_chunk_asked(ref, section, n)))

    async def lookup(self, scheme: str, value: str) -> list[tuple[bytes, int]]:
        """Subjects that carry an identifier."""
        return messages.decode_found(await self._must("/fed/1/lookup", messages.encode_lookup(scheme, value)))

    async def join(self, join: messages.Join) -> None:
        """Show an invitation's secret."""
        await self._send("POST", "/fed/1/join", join.to_bytes(), {})

    @asynccontextmanager
    async def live(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A connection for notices both ways."""
        async with await self._connect() as socket:
            yield socket

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        url = URL(self._peer.url + LIVE)
        for _ in range(TRIES):
            headers, _ = self._sign("GET", LIVE, b"")
            try:
                return await self._session.ws_connect(
                    url, ssl=self._ssl, headers=headers, heartbeat=20, max_msg_size=1024
                )
            except aiohttp.WSServerHandshakeError as error:
                if not self._takes_time(error.status, error.headers or {}):
                    raise
        raise RequestError(OTHER_TIME)

    async def _rows(self, what: str, log: bytes, start: int, end: int) -> list[messages.Row]:
        raw = await self._ask("GET", f"/fed/1/log/{log.hex()}/{what}?start={start}&end={end}", b"")
        if raw is None:
            raise RemoteProtocolError(f"{what}: an empty answer")
        return messages.decode_entries(raw, start, end - start)

    async def _must(self, path: str, body: bytes) -> bytes:
        raw = await self._ask("POST", path, body)
        if raw is None:
            raise RemoteProtocolError(f"{path}: an empty answer")
        return raw

    async def _ask(self, method: str, target: str, body: bytes) -> bytes | None:
        for _ in range(TRIES):
            headers, digest = self._sign(method, target, body)
            status, raw, answered = await self._send(method, target, body, headers)
            if self._takes_time(status, answered):
                continue
            if status >= 400:
                raise RequestError(f"{target.partition('?')[0]}: {status} {raw[:300].decode(errors='replace')}")
            signature = _signature(answered.get(SIGNATURE, ""))
            verify_response(signature, self._peer.sign_key, digest, status, raw)
            return None if status == 204 else raw
        raise RequestError(OTHER_TIME)

    def _takes_time(self, status: int, answered: Mapping[str, str]) -> bool:
        """Whether the peer refused the time of a request; the next one goes by the time that it told."""
        if status != 401 or TIME not in answered:
            return False
        self._offset_ms = _time(answered[TIME]) - self._times.now() // 1000
        return True

    def _sign(self, method: str, target: str, body: bytes) -> tuple[dict[str, str], bytes]:
        request = Request(method, target, self._signer.org, self._signer.node, self._peer.node, body)
        time_ms, nonce = self._times.now() // 1000 + self._offset_ms, self._random(16)
        signature = sign_request(self._signer.key, request, time_ms, nonce)
        header = base64.b64encode(signature.to_bytes()).decode()
        return {SIGNATURE: header, "Accept-Encoding": "deflate"}, request.hash(time_ms, nonce)

    async def _send(
        self, method: str, target: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes, dict[str, str]]:
        url = URL(self._peer.url + target, encoded=True)
        async with self._session.request(
            method, url, data=body or None, headers=headers, ssl=self._ssl, timeout=TIMEOUT, allow_redirects=False
        ) as response:
            raw = await _read(response)
            self.clock_gap_s = _gap_s(response.headers.get("Date"), self._times.now())
            if response.status >= 400 and not headers:
                raise RequestError(f"{target}: {response.status} {raw[:300].decode(errors='replace')}")
            return response.status, raw, dict(response.headers)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    inflate = zlib.decompressobj() if response.headers.get("Content-Encoding") == "deflate" else None
    raw, size = bytearray(), 0
    async for chunk in response.content.iter_chunked(1 << 16):
        size += len(chunk)
        if size > messages.MAX_BODY:
            raise RemoteProtocolError(f"an answer of more than {messages.MAX_BODY} bytes")
        try:
            raw += inflate.decompress(chunk, messages.MAX_INFLATED + 1 - len(raw)) if inflate else chunk
        except zlib.error as error:
            raise RemoteProtocolError("an answer that does not inflate") from error
        if len(raw) > messages.MAX_INFLATED:
            raise RemoteProtocolError(f"an answer that inflates over {messages.MAX_INFLATED} bytes")
    return bytes(raw)


def _signature(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError("the answer is not signed") from error


def _gap_s(date: str | None, now_us: int) -> float | None:
    """How far a peer's clock is ahead by the date of its answer; None where it tells none."""
    try:
        return None if date is None else parsedate_to_datetime(date).timestamp() - now_us / 1e6
    except (ValueError, OverflowError):
        return None


def _time(value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 16:
        raise RemoteProtocolError("the peer's time is no number")
    return int(value)


def new_session() -> aiohttp.ClientSession:
    """A session whose answers arrive as they were sent: inflating is limited here, not there."""
    return aiohttp.ClientSession(auto_decompress=False)
