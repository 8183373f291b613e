"""The federation port: https in front of the desk, and live connections."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from aiohttp import ClientError, ClientWebSocketResponse, WSMsgType, web
from aiohttp.http import HttpProcessingError

from federation.errors import AwayError, BusyError, FederationError, OversizeError, SlowError, TruncatedError
from federation.net.desk import LIVE, MAX_REQUEST, SIGNATURE, Desk, asker_of, busy
from federation.net.gate import Gate, Place
from federation.net.live import MAX_FRAME, Hub
from federation.net.pace import allowed_s, gather
from federation.ports import Answer, Meter, Question
from federation.sync.allowance import Allowance

HEARTBEAT_S = 20.0
GOODBYE_S = 1.0
NOWHERE: Place = ("", 0)
NOBODY = b""


class FederationServer:
    """Carries what comes over https to the desk, and live connections to the hub."""

    def __init__(self, desk: Desk, hub: Hub, meter: Meter, gate: Gate | None = None) -> None:
        """`gate` is the one of the port that this is served on."""
        self._desk = desk
        self._hub = hub
        self._meter = meter
        self._gate = gate or Gate(Allowance(), meter)

    def application(self) -> web.Application:
        """The aiohttp application of this port. Bodies come to it as they were sent, deflated perhaps."""
        app = web.Application(client_max_size=MAX_REQUEST, middlewares=[self._guard])
        app.add_routes([web.get(LIVE, self._serve_live), web.route("*", "/{path:.*}", self._serve)])
        app.on_shutdown.append(self._close_live)
        return app

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        place = _place(request)
        try:
            if (wait := self._gate.wait(place)) > 0:
                raise BusyError("too many refusals", wait)
            return await handler(request)
        except BusyError as error:
            self._meter.count("federation_refused", error.code)
            return _last(busy(error.retry_s))
        except FederationError as error:
            self._meter.count("federation_refused", error.code)
            self._gate.refused(place)
            return _last(Answer(STATUSES.get(type(error), 400), {}, str(error).encode()))
        except web.HTTPException as error:
            self._meter.count("federation_refused", str(error.status))
            self._gate.refused(place)
            raise

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        answer = await self._desk.answer(_question(request, await self._read(request)))
        with self._desk.budget.hold_for(self._note(request, answer), len(answer.body)):
            return await _send(request, answer)

    async def _read(self, request: web.Request) -> bytes:
        """The body; raise a FederationError where it is too large, trickles or breaks off."""
        if (request.content_length or 0) > MAX_REQUEST:
            raise OversizeError(f"more than {MAX_REQUEST} bytes")
        try:
            with self._desk.budget.hold() as hold:
                return await gather(request.content.iter_any(), MAX_REQUEST, hold)
        except (web.RequestPayloadError, HttpProcessingError, ConnectionError) as error:
            raise TruncatedError("the body breaks off") from error

    def _note(self, request: web.Request, answer: Answer) -> bytes:
        """Who got a signed answer is known from now on; whose question was refused may not ask so often. Who asked."""
        if SIGNATURE in answer.headers:
            org = asker_of(request.headers)
            self._gate.known(_place(request), org)
            return org
        if answer.status >= 400 and answer.status != 401:
            self._gate.refused(_place(request))
        return NOBODY

    async def _serve_live(self, request: web.Request) -> web.StreamResponse:
        admitted = await self._desk.admit(_question(request, b""))
        if isinstance(admitted, Answer):
            self._note(request, admitted)
            return _response(admitted)
        self._gate.known(_place(request), admitted.org)
        if self._hub.is_full:
            raise web.HTTPServiceUnavailable(text="too many peers are connected", headers={"Retry-After": "60"})
        channel = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MAX_FRAME, compress=False)
        await channel.prepare(request)
        try:
            await self._hub.serve(admitted.node, SocketWire(channel), dialled=False)
        except FederationError:
            self._meter.count("federation_refused", "frame")
        return channel

    async def _close_live(self, _app: web.Application) -> None:
        await self._hub.close()


STATUSES: dict[type[FederationError], int] = {OversizeError: 413, SlowError: 408}


class SocketWire:
    """A websocket of aiohttp, of either side, as frames."""

    def __init__(self, channel: ClientWebSocketResponse | web.WebSocketResponse) -> None:
        self._channel = channel
        # Kept while there is one: what is gone cannot be asked for it.
        self._socket: socket.socket | None = channel.get_extra_info("socket")

    async def send(self, frame: bytes) -> None:
        """Hand one frame on; raise AwayError where the connection is gone, or where the other side does not read."""
        try:
            async with asyncio.timeout(allowed_s(len(frame))):
                await self._channel.send_bytes(frame)
        except TimeoutError as error:
            raise AwayError("the peer does not read") from error
        except (ClientError, OSError, RuntimeError) as error:
            raise AwayError(type(error).__name__) from error

    async def frames(self) -> AsyncIterator[bytes]:
        """What comes, until the connection ends."""
        async for message in self._channel:
            if message.type is not WSMsgType.BINARY:
                return
            yield message.data

    async def close(self) -> None:
        """End the connection; who does not say goodbye is not waited for, what he did not read is dropped."""
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(GOODBYE_S):
                await self._channel.close(code=1001)
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


def _place(request: web.Request) -> Place:
    """The remote address and port."""
    found = request.transport.get_extra_info("peername") if request.transport is not None else None
    return found[:2] if found else NOWHERE


def _question(request: web.Request, body: bytes) -> Question:
    return Question(request.method, request.path_qs, request.headers, body)


def _response(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, headers=answer.headers)


def _last(answer: Answer) -> web.Response:
    """An answer after which the connection ends: what else was sent on it is not read."""
    response = _response(answer)
    response.force_close()
    return response


async def _send(request: web.Request, answer: Answer) -> web.StreamResponse:
    """Send an answer, as long as the other side reads it."""
    response = _response(answer)
    try:
        async with asyncio.timeout(allowed_s(len(answer.body))):
            await response.prepare(request)
            await response.write_eof()
    except TimeoutError as error:
        if request.transport is not None:
            request.transport.abort()
        raise SlowError("an answer is not read") from error
    return response
