"""The federation port: https, signed requests, signed answers."""

import asyncio
import base64
import binascii
import contextlib
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import WSMsgType, web
from aiohttp.http import HttpProcessingError

from federation import codec
from federation.errors import FederationError, RemoteProtocolError, RequestError
from federation.keys import SigningKey
from federation.ports import Asker, Meter, Shelf, Times
from federation.request import ReplayWindow, Request, RequestSignature, StaleError, response_hash, verify_request
from federation.sync import messages

SIGNATURE = "Passport-Signature"
TIME = "Passport-Time"
MAX_REQUEST = 1 << 20
MAX_LIVE = 256
HEARTBEAT_S = 20.0
HANG_UP_S = 1.0
BINARY = "application/vnd.passport+msgpack"

Answer = bytes | None


@dataclass(frozen=True, slots=True)
class Signer:
    """Who answers here."""

    org: bytes
    node: bytes
    key: SigningKey


class FederationServer:
    """The routes of `/fed/1` over a shelf."""

    def __init__(self, shelf: Shelf, signer: Signer, times: Times, meter: Meter) -> None:
        self._shelf = shelf
        self._signer = signer
        self._times = times
        self._meter = meter
        self._window = ReplayWindow()
        self._live: dict[web.WebSocketResponse, Asker] = {}

    def application(self) -> web.Application:
        """The aiohttp application of this port."""
        app = web.Application(client_max_size=MAX_REQUEST, middlewares=[self._guard])
        app.add_routes(
            [
                web.post("/fed/1/heads", self._signed("heads", self._heads)),
                web.get("/fed/1/log/{log}/entries", self._signed("entries", self._entries)),
                web.get("/fed/1/log/{log}/leaves", self._signed("leaves", self._leaves)),
                web.post("/fed/1/pull", self._signed("pull", self._pull)),
                web.post("/fed/1/fetch", self._signed("fetch", self._fetch)),
                web.post("/fed/1/secret", self._signed("secret", self._secret)),
                web.post("/fed/1/chunk", self._signed("chunk", self._chunk)),
                web.post("/fed/1/lookup", self._signed("lookup", self._lookup)),
                web.post("/fed/1/join", self._join),
                web.get("/fed/1/live", self._serve_live),
            ]
        )
        app.on_shutdown.append(self._close_live)
        return app

    async def notify(self) -> None:
        """Tell every connected peer that something new is here."""
        for socket in list(self._live):
            try:
                async with asyncio.timeout(5):
                    await socket.send_bytes(b"\x01")
            except (ConnectionError, TimeoutError, RuntimeError):
                self._live.pop(socket, None)

    async def hang_up(self, node: bytes) -> None:
        """End the live connections of a node; one that does not answer is let go all the same."""
        for socket in [socket for socket, asker in self._live.items() if asker.node == node]:
            self._live.pop(socket, None)
            with contextlib.suppress(ConnectionError, TimeoutError, RuntimeError):
                async with asyncio.timeout(HANG_UP_S):
                    await socket.close(code=1008)

    @property
    def live_nodes(self) -> set[bytes]:
        """The nodes that listen now."""
        return {asker.node for asker in self._live.values()}

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except StaleError as error:
            self._meter.count("federation_refused", "stale")
            return web.Response(status=401, text=str(error), headers={TIME: str(self._times.now() // 1000)})
        except RequestError as error:
            self._meter.count("federation_refused", "request")
            return web.Response(status=403, text=str(error))
        except FederationError as error:
            self._meter.count("federation_refused", "protocol")
            return web.Response(status=400, text=str(error))
        except web.HTTPException as error:
            self._meter.count("federation_refused", str(error.status))
            raise

    def _signed(
        self, name: str, handler: Callable[[Asker, web.Request, bytes], Awaitable[Answer]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            body = await _read(request)
            asker, digest = await self._authenticate(request, body)
            answer = await handler(asker, request, body)
            self._meter.count("federation_answers", name)
            status, raw = (204, b"") if answer is None else (200, answer)
            signature = self._signer.key.sign_hash("response", response_hash(digest, status, raw))
            return self._response(request, status, raw, signature)

        return handle

    def _response(self, request: web.Request, status: int, raw: bytes, signature: bytes) -> web.Response:
        headers = {SIGNATURE: base64.b64encode(signature).decode(), "Cache-Control": "private, no-store"}
        if len(raw) > 1024 and "deflate" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "deflate"
            raw = zlib.compress(raw, 1)
        return web.Response(status=status, body=raw, content_type=BINARY, headers=headers)

    async def _authenticate(self, request: web.Request, body: bytes) -> tuple[Asker, bytes]:
        signature = RequestSignature.from_bytes(_header_bytes(request.headers.get(SIGNATURE, "")))
        key = await self._shelf.sign_key(signature.org, signature.sender)
        if key is None:
            raise RequestError("the sender is no node of a known organisation")
        asked = Request(request.method, request.path_qs, signature.org, signature.sender, self._signer.node, body)
        now_ms = self._times.now() // 1000
        digest = verify_request(signature, key, asked, now_ms)
        self._window.admit(signature.sender, signature.nonce, now_ms)
        return Asker(signature.org, signature.sender), digest

    async def _heads(self, asker: Asker, _request: web.Request, body: bytes) -> Answer:
        known = messages.decode_digest(body)
        raw = (await self._shelf.heads(asker)).to_bytes()
        return None if known == messages.digest(raw) else raw

    async def _entries(self, asker: Asker, request: web.Request, _body: bytes) -> Answer:
        log, start, end = _range(request)
        return messages.encode_entries(start, await self._shelf.entries(asker, log, start, end))

    async def _leaves(self, _asker: Asker, request: web.Request, _body: bytes) -> Answer:
        log, start, end = _range(request)
        return messages.encode_entries(start, await self._shelf.leaves(log, start, end))

    async def _pull(self, asker: Asker, _request: web.Request, body: bytes) -> Answer:
        return messages.encode_pulled(await self._shelf.pull(asker, *messages.decode_pull(body)))

    async def _fetch(self, asker: Asker, _request: web.Request, body: bytes) -> Answer:
        return messages.encode_fetched(await self._shelf.fetch(asker, messages.decode_fetch(body)))

    async def _secret(self, asker: Asker, _request: web.Request, body: bytes) -> Answer:
        return messages.section_to_bytes(await self._shelf.secret(asker, *messages.decode_secret(body)))

    async def _chunk(self, asker: Asker, _request: web.Request, body: bytes) -> Answer:
        return messages.encode_chunk(await self._shelf.chunk(asker, *messages.decode_chunk_asked(body)))

    async def _lookup(self, asker: Asker, _request: web.Request, body: bytes) -> Answer:
        return messages.encode_found(await self._shelf.lookup(asker, *messages.decode_lookup(body)))

    async def _join(self, request: web.Request) -> web.Response:
        await self._shelf.join(messages.decode_join(await _read(request)))
        return web.Response(status=204)

    async def _serve_live(self, request: web.Request) -> web.WebSocketResponse:
        asker, _ = await self._authenticate(request, b"")
        if len(self._live) >= MAX_LIVE:
            raise RequestError("too many peers are connected")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=1024)
        await socket.prepare(request)
        self._live[socket] = asker
        try:
            async for message in socket:
                if message.type is WSMsgType.BINARY:
                    await self._shelf.noticed(asker)
        finally:
            self._live.pop(socket, None)
        return socket

    async def _close_live(self, _app: web.Application) -> None:
        for socket in list(self._live):
            await socket.close(code=1001)


async def _read(request: web.Request) -> bytes:
    """The body; raise RemoteProtocolError where it breaks off or is not in the encoding that it states."""
    try:
        return await request.read()
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError) as error:
        raise RemoteProtocolError("the body breaks off, or is not in the encoding that it states") from error


def _header_bytes(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError("the request is not signed") from error


def _range(request: web.Request) -> tuple[bytes, int, int]:
    try:
        log = bytes.fromhex(request.match_info["log"])
        start, end = int(request.query["start"]), int(request.query["end"])
    except (KeyError, ValueError) as error:
        raise RemoteProtocolError("entries: log, start and end are hex and numbers") from error
    if len(log) != 16 or not 0 <= start < end <= min(start + messages.MAX_ENTRIES, codec.MAX_INT):
        raise RemoteProtocolError(f"entries: a range of 1 to {messages.MAX_ENTRIES}")
    return log, start, end
