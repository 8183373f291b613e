"""Receivers of webhooks on loopback: real servers that take, refuse, redirect, dawdle or babble."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Json = Any  # Any: JSON
DEADLINE_S = 60.0


@dataclass
class Received:
    """One request as it came."""

    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def id(self) -> str:
        """The id of the message."""
        return self.headers["webhook-id"]

    @property
    def event(self) -> int:
        """The id of the event."""
        return int(self.data["id"])

    @property
    def data(self) -> Json:
        """What is told."""
        return json.loads(self.body)["data"]

    def is_signed(self, secret: str) -> bool:
        """Whether one of the signatures is by that secret, as the convention says it."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        own = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return own in self.headers["webhook-signature"].split()


@dataclass
class Receiver:
    """A receiver, and everything that came. `decide` says with which status the next request is answered."""

    url: str = ""
    decide: Callable[[int], int] = lambda _: 204
    came: list[Received] = field(default_factory=list)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def taken(self) -> list[Received]:
        """What was answered with success."""
        return [one for one in self.came if one.status < 300]

    @property
    def events(self) -> list[int]:
        """The ids of the events that were taken."""
        return [one.event for one in self.taken]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds; it is looked at with each request."""
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                self._moved.clear()
                await self._moved.wait()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Note a request and answer it."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        received = Received(headers, await request.read(), self.decide(len(self.came)))
        self.came.append(received)
        self._moved.set()
        return web.Response(status=received.status, headers={"Location": "/elsewhere"})


@asynccontextmanager
async def receiving(decide: Callable[[int], int] = lambda _: 204) -> AsyncIterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver(decide=decide)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]  # Any: a coroutine


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[str]:
    """The address of a server that answers whatever it likes, byte by byte."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
