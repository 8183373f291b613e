"""The federation port: https in front of the desk, and live connections."""

from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import ClientError, ClientWebSocketResponse, WSMsgType, web
from aiohttp.http import HttpProcessingError

from federation.errors import AwayError, RemoteProtocolError
from federation.net.desk import LIVE, Desk
from federation.net.live import MAX_FRAME, Hub
from federation.ports import Answer, Meter, Question

MAX_REQUEST = 1 << 20
HEARTBEAT_S = 20.0


class FederationServer:
    """Carries what comes over https to the desk, and live connections to the hub."""

    def __init__(self, desk: Desk, hub: Hub, meter: Meter) -> None:
        self._desk = desk
        self._hub = hub
        self._meter = meter

    def application(self) -> web.Application:
        """The aiohttp application of this port."""
        app = web.Application(client_max_size=MAX_REQUEST, middlewares=[self._guard])
        app.add_routes([web.get(LIVE, self._serve_live), web.route("*", "/{path:.*}", self._serve)])
        app.on_shutdown.append(self._close_live)
        return app

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except RemoteProtocolError as error:
            self._meter.count("federation_refused", "protocol")
            return web.Response(status=400, text=str(error))
        except web.HTTPException as error:
            self._meter.count("federation_refused", str(error.status))
            raise

    async def _serve(self, request: web.Request) -> web.Response:
        return _response(await self._desk.answer(_question(request, await _read(request))))

    async def _serve_live(self, request: web.Request) -> web.StreamResponse:
        admitted = await self._desk.admit(_question(request, b""))
        if isinstance(admitted, Answer):
            return _response(admitted)
        if self._hub.is_full:
            raise web.HTTPServiceUnavailable(text="too many peers are connected", headers={"Retry-After": "60"})
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MAX_FRAME)
        await socket.prepare(request)
        try:
            await self._hub.serve(admitted.node, SocketWire(socket))
        except RemoteProtocolError:
            self._meter.count("federation_refused", "frame")
        return socket

    async def _close_live(self, _app: web.Application) -> None:
        await self._hub.close()


class SocketWire:
    """A websocket of aiohttp, of either side, as frames."""

    def __init__(self, socket: ClientWebSocketResponse | web.WebSocketResponse) -> None:
        self._socket = socket

    async def send(self, frame: bytes) -> None:
        """Hand one frame on; raise AwayError where the connection is gone."""
        try:
            await self._socket.send_bytes(frame)
        except (ClientError, OSError, RuntimeError) as error:
            raise AwayError(type(error).__name__) from error

    async def frames(self) -> AsyncIterator[bytes]:
        """What comes, until the connection ends."""
        async for message in self._socket:
            if message.type is not WSMsgType.BINARY:
                return
            yield message.data

    async def close(self) -> None:
        """End the connection."""
        await self._socket.close(code=1001)


def _question(request: web.Request, body: bytes) -> Question:
    return Question(request.method, request.path_qs, request.headers, body)


def _response(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, headers=answer.headers)


async def _read(request: web.Request) -> bytes:
    """The body; raise RemoteProtocolError where it breaks off or is not in the encoding that it states."""
    try:
        return await request.read()
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError) as error:
        raise RemoteProtocolError("the body breaks off, or is not in the encoding that it states") from error
