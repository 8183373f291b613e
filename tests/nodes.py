"""Nodes as processes, for tests: asking them, waiting for them, and reading the stores that they leave."""

import asyncio
import json
import re
import sqlite3
import subprocess
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from node.api_client import ApiClient
from node.demo import processes
from node.demo.processes import NodeProcess
from node.folder import NodeFolder, short_socket_path
from tests.postgres import query

Json = Any  # Any: what the API answers
Found = TypeVar("Found")

DEADLINE_S = 30.0
LOOK_EVERY_S = 0.01
# Nodes of other tests on this machine are not met.
ALONE = {"PASSPORT_FEDERATION__DISCOVERY": "false"}
PORTS = {"web_port": "0", "federation_port": "0"}
OPEN = ("waiting", "running")


def ask(node: NodeProcess, path: str, **query: str) -> Json:
    """One question to a node, over its socket."""
    return asyncio.run(_call(node.folder, "get", path, **query))


def act(node: NodeProcess, path: str, body: dict[str, Any] | None = None) -> Json:
    """One act on a node, over its socket."""
    return asyncio.run(_call(node.folder, "post", path, body))


def send(node: NodeProcess, path: str, raw: bytes, **query: str) -> Json:
    """A file to a node, over its socket."""
    return asyncio.run(_call(node.folder, "upload", path, raw, **query))


def until(what: str, condition: Callable[[], Found | None], within_s: float = DEADLINE_S) -> Found:
    """Look until something is found; raise AssertionError when the time is over."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(LOOK_EVERY_S)
    raise AssertionError(f"not within {within_s:.0f} s: {what}")


def rows(folder: Path, sql: str, *values: object) -> list[Any]:  # Any: the columns of the query
    """What a query finds in the store of a node, running or not, on either engine."""
    config = (folder / "config.toml").read_text(encoding="utf-8")
    if "[store]" in config:
        return query(tomllib.loads(config)["store"]["url"], _numbered(sql), *values)
    connection = sqlite3.connect(f"file:{folder / 'passport.sqlite'}?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def metric(node: NodeProcess, name: str, what: str) -> float:
    """The counter `passport_<name>_total{what="..."}`, 0 where nothing was counted yet."""
    return metrics(node, name).get(what, 0.0)


def metrics(node: NodeProcess, name: str) -> dict[str, float]:
    """Every value of a counter, by what was counted."""
    line = re.compile(rf'^passport_{name}_total{{what="([^"]*)"}} (\S+)$', re.MULTILINE)
    return {what: float(value) for what, value in line.findall(asyncio.run(_metrics(node.folder)))}


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `passport-node`."""
    return processes.run_program(["-m", "node", *arguments])


def check_store(folder: Path) -> None:
    """Raise AssertionError unless `fsck` finds nothing wrong in the store of a node that does not run."""
    done = command("fsck", "--folder", str(folder))
    assert (done.returncode, done.stdout.strip()) == (0, "nothing is wrong"), done.stdout + done.stderr


def journal(folder: Path, what: str) -> list[Json]:
    """The details of the journal's rows of one kind, oldest first."""
    return [json.loads(text) for (text,) in rows(folder, "select detail from journal where what = ? order by id", what)]


async def _call(folder: Path, method: str, *arguments: Any, **query: str) -> Json:  # Any: the client's own arguments
    async with ApiClient(folder) as api:
        return await getattr(api, method)(*arguments, **query)


async def _metrics(folder: Path) -> str:
    with short_socket_path(NodeFolder(folder).socket) as path:
        async with (
            aiohttp.ClientSession("http://node", connector=aiohttp.UnixConnector(str(path))) as session,
            session.get("/metrics", headers={"Accept": "text/plain"}) as response,
        ):
            assert response.status == 200, await response.text()
            return await response.text()


def _numbered(sql: str) -> str:
    """The parameters of a query as PostgreSQL counts them."""
    first, *others = sql.split("?")
    return first + "".join(f"${number}{text}" for number, text in enumerate(others, 1))
