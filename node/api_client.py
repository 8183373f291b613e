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

ANSWER_S = 300
SHOWN = 80  # characters of a request in a message


class ApiError(NodeError):
    """The node refused, and its problem document says why, or it could not be asked.

    Its own codes: `not_running` where nobody listens, `unanswered` where the node ended or took too long.
    """

    code = "api"


class ApiClient:
    """Asks the node of one folder; problems come in the language that it asks for, as does what is said around them."""

    def __init__(self, folder: Path, language: str = "en") -> None:
        self._folder, self._language = NodeFolder(folder), language
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        if not self._folder.socket.exists():
            raise self._not_running()
        self._path = short_socket_path(self._folder.socket)
        connector = aiohttp.UnixConnector(path=str(self._path.__enter__()))
        timeout = aiohttp.ClientTimeout(total=ANSWER_S)
        headers = {"Accept-Language": self._language}
        self._session = aiohttp.ClientSession("http://node", connector=connector, headers=headers, timeout=timeout)
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

    async def fetch(self, path: str) -> bytes:
        """POST for a file."""
        raw = await self._ask("POST", path)
        return raw if isinstance(raw, bytes) else json.dumps(raw).encode()

    async def read(self, path: str, language: str) -> bytes:
        """GET a file whose text is in a language."""
        raw = await self._ask("GET", path, headers={"Accept-Language": language})
        return raw if isinstance(raw, bytes) else json.dumps(raw).encode()

    async def _ask(self, method: str, path: str, **options: Any) -> Json:  # Any: aiohttp's own keywords
        return await self._send(method, f"/api/v1{path}", **options)

    async def _send(self, method: str, path: str, **options: Any) -> Json:  # Any: aiohttp's own keywords
        if self._session is None:
            raise ApiError("the client is not open", "not_running")
        try:
            async with self._session.request(method, path, **options) as response:
                raw = await response.read()
        except aiohttp.ClientConnectorError as error:
            raise self._unreached(error.os_error) from error
        except TimeoutError as error:
            raise self._unanswered(f"has not answered for {ANSWER_S} s", f"не ответил за {ANSWER_S} с") from error
        except aiohttp.ClientError as error:
            raise self._unanswered("ended before it answered", "остановился, не ответив") from error
        if response.status >= 400:
            raise _problem(raw, response.status, f"{method} {path}")
        return json.loads(raw) if response.content_type.endswith("json") and raw else raw

    def _not_running(self) -> ApiError:
        text = f"no node runs in {self._folder.path}: start it with `{self._start}`"
        russian = f"в папке {self._folder.path} узел не работает: запустите его командой `{self._start}`"
        return ApiError(self._said(text, russian), "not_running")

    def _unreached(self, error: OSError) -> ApiError:
        # A node that was killed leaves its socket behind, and nobody listens there.
        if isinstance(error, ConnectionRefusedError | FileNotFoundError):
            return self._not_running()
        text = f"the node's socket {self._folder.socket} cannot be used: {error.strerror}; ask as the user who runs it"
        russian = (
            f"сокетом узла {self._folder.socket} воспользоваться нельзя: {error.strerror}; запустите команду от имени "
            "того, кто запустил узел"
        )
        return ApiError(self._said(text, russian), "not_running")

    def _unanswered(self, what: str, in_russian: str) -> ApiError:
        russian = (
            f"узел в папке {self._folder.path} {in_russian}, и что вышло из запроса, неизвестно: посмотрите в "
            f"{self._folder.log}, если узел не работает, запустите его командой `{self._start}`, и проверьте, прежде "
            "чем повторять"
        )
        text = (
            f"the node in {self._folder.path} {what}, so it is not known what became of this: see {self._folder.log}, "
            f"start the node with `{self._start}` if it does not run, and look before you repeat it"
        )
        return ApiError(self._said(text, russian), "unanswered")

    def _said(self, english: str, russian: str) -> str:
        return russian if self._language == "ru" else english

    @property
    def _start(self) -> str:
        return f"passport-node serve -f {self._folder.path}"


def _problem(raw: bytes, status: int, asked: str) -> ApiError:
    try:
        problem = json.loads(raw)
    except ValueError:
        # What is no problem document was refused before it came to a route.
        shown = asked if len(asked) <= SHOWN else f"{asked[:SHOWN]}…"
        return ApiError(f"the node cannot read the request {shown} and answers HTTP {status}", "api")
    # The title says what is wrong, the detail with what.
    text = ": ".join(str(problem[name]) for name in ("title", "detail") if problem.get(name)) or str(status)
    errors = "; ".join(f"{item.get('pointer', '')}: {item.get('message', '')}" for item in problem.get("errors", []))
    return ApiError(f"{text} ({errors})" if errors else str(text), str(problem.get("code", "api")))
