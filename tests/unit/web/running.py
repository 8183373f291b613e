"""A node's real API and console on a real port of loopback, over a real store in a folder."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientSession, CookieJar, UnixConnector, web

from node.app import Node
from node.folder import NodeFolder
from node.services.access import Actor, Scope
from node.services.found import found_node
from node.services.ingest import Ingest
from node.services.parts import Parts
from node.store.migrate import upgrade
from node.web.routes import API, Route
from node.web.server import ROUTES, build_application
from tests.builders import found
from tests.fakes import FakeClock, FakeRandom

Json = Any  # Any: JSON
CONFIG = """
[node]
name = "ООО «Счётчик»"
inn = "7707083893"
kind = "maker"
language = "ru"
"""
NOW = 1_790_000_000_000_000  # 2026-09-21
PASSWORD = "correct horse battery"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class RunningWeb:
    """What listens, and doors into it."""

    url: str
    socket: Path
    context: Parts
    clock: FakeClock
    ingest: Ingest
    stop: Callable[[], Awaitable[None]]
    sessions: list[ClientSession] = field(default_factory=list)

    def client(self, headers: Mapping[str, str] | None = None) -> ClientSession:
        """A browser-like client with cookies of its own."""
        jar = CookieJar(unsafe=True)  # cookies of an address without a name
        session = ClientSession(self.url, headers=headers, cookie_jar=jar)
        self.sessions.append(session)
        return session

    def local(self) -> ClientSession:
        """A client of the node's own socket."""
        session = ClientSession("http://node", connector=UnixConnector(str(self.socket)))
        self.sessions.append(session)
        return session

    async def system(self, *scopes: Scope, name: str = "bench") -> ClientSession:
        """A client with a token of those scopes."""
        secret, _ = await self.context.tokens.issue(Actor.local(), name, frozenset(scopes), 30)
        return self.client({"Authorization": f"Bearer {secret}"})

    async def claim(self, name: str = "anna") -> ClientSession:
        """Claim the node by its link, as a browser does; answer that browser."""
        secret = await self.context.access.open_claim()
        browser = self.client(SAME_ORIGIN)
        form = {"name": name, "password": PASSWORD}
        async with browser.post(f"/claim/{secret}", data=form, allow_redirects=False) as response:
            assert response.status == 303, await response.text()
        return browser

    async def meet(self, name: str) -> str:
        """Let the node know another organisation; its id in hex."""
        other = found(f"{name}-0", f"{name}-1")
        await self.ingest.take_chain(other.statements)
        return other.org.hex()

    async def what(self) -> list[str]:
        """What the journal says happened, oldest first."""
        return [row.what for row in await self.context.journal.after(0)]


async def problem_code(response: ClientResponse) -> str:
    """The code of a problem."""
    assert response.content_type == "application/problem+json", await response.text()
    return str((await response.json(content_type=None))["code"])


async def get(client: ClientSession, path: str, **query: str) -> Json:
    """What the API answers."""
    async with client.get(f"{API}{path}", params=query) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def post(client: ClientSession, path: str, body: Json, *statuses: int) -> Json:
    """What the API answers to a body that it takes."""
    async with client.post(f"{API}{path}", json=body) as response:
        assert response.status in (statuses or (200, 201, 204)), await response.text()
        return await response.json() if response.status != 204 else None


async def refused(client: ClientSession, path: str, body: Json) -> str:
    """The code of the problem with which the API refuses a body."""
    async with client.post(f"{API}{path}", json=body) as response:
        assert response.status >= 400
        return await problem_code(response)


async def view_of(client: ClientSession, device: str) -> Json:
    """The view of a passport."""
    return (await get(client, f"/passports/{device}"))["view"]


@asynccontextmanager
async def running_web(
    folder: Path, heartbeat_s: float = 15.0, routes: tuple[Route, ...] = ROUTES, seed: int = 0
) -> AsyncIterator[RunningWeb]:
    """Found a node and listen with its application, on TCP and on its socket."""
    clock, random = FakeClock(NOW), FakeRandom(seed)
    await found_node(NodeFolder(folder), CONFIG, clock, random)
    node = Node(folder, clock, random)
    await upgrade(node.core.database)

    runner = web.AppRunner(
        build_application(node, routes, heartbeat_s=heartbeat_s), access_log=None, shutdown_timeout=1
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    socket = folder / "web.sock"
    await web.UnixSite(runner, str(socket)).start()
    running = RunningWeb(f"http://127.0.0.1:{port}", socket, node, clock, node.ingest, runner.cleanup)
    asking = asyncio.create_task(node.elsewhere.run())  # whoever looks for what is not here waits for it
    try:
        yield running
    finally:
        asking.cancel()
        for session in running.sessions:
            await session.close()
        await runner.cleanup()
        await node.core.database.close()
