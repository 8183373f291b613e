"""The command line's way to a running node: the API over the unix socket in its folder."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from node.errors import NodeError
from node.folder import NodeFolder, short_socket_path

Json = Any  # Any: what the API answers is checked where it is used


class ApiError(NodeError):
    """The node refused: its problem document says why."""

    code = "api"


class ApiClient:
    """Asks the node of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = NodeFolder(folder)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        if not self._folder.socket.exists():
            raise ApiError(f"no node runs in {self._folder.path}: start it with `passport-node serve`", "not_running")
        self._path = short_socket_path(self._folder.socket)
        connector = aiohttp.UnixConnector(path=str(self._path.__enter__()))
        self._session = aiohttp.ClientSession("http://node", connector=connector)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
        self._path.__exit__(kind, error, trace)

    async def get(self, path: str, **query: str) -> Json:
        """GET a resource."""
        return await self._ask("GET", path, params=query)

    async def post(self, path: str, body: Mapping[str, object] | None = None) -> Json:
        """POST a JSON body."""
        return await self._ask("POST", path, json=dict(body or {}))

    async def put(self, path: str, body: Mapping[str, object]) -> Json:
        """Put something in its place."""
        return await self._ask("PUT", path, json=body)

    async def delete(self, path: str) -> Json:
        """Take something away."""
        return await self._ask("DELETE", path)

    async def health(self) -> Json:
        """Whether the node is well; raise ApiError where it is not."""
        return await self._send("GET", "/healthz")

    async def upload(self, path: str, raw: bytes, **query: str) -> Json:
        """POST a file as it is."""
        headers = {"Content-Type": "application/octet-stream"}
        return await self._ask("POST", path, data=raw, params=query, headers=headers)

    async def download(self, path: str, **query: str) -> bytes:
        """GET a file."""
        raw = await self._ask("GET", path, params=query)
        return raw if isinstance(raw, bytes) else json.dumps(raw).encode()

    async def _ask(self, method: str, path: str, **options: Any) -> Json:  # Any: aiohttp's own keywords
        return await self._send(method, f"/api/v1{path}", **options)

    async def _send(self, method: str, path: str, **options: Any) -> Json:  # Any: aiohttp's own keywords
        if self._session is None:
            raise ApiError("the client is not open", "not_running")
        async with self._session.request(method, path, **options) as response:
            raw = await response.read()
            kind = response.content_type
            if response.status >= 400:
                raise _problem(raw, response.status)
            return json.loads(raw) if kind.endswith("json") and raw else raw


def _problem(raw: bytes, status: int) -> ApiError:
    try:
        problem = json.loads(raw)
    except ValueError:
        return ApiError(f"the node answered {status}", "api")
    text = problem.get("detail") or problem.get("title") or str(status)
    errors = "; ".join(f"{item.get('pointer', '')}: {item.get('message', '')}" for item in problem.get("errors", []))
    return ApiError(f"{text} ({errors})" if errors else str(text), str(problem.get("code", "api")))
