"""What processes hold of a device and what they answer for it: fragments as stored, passports as the bytes of HTTP."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from node.api_client import ApiClient
from node.demo.processes import NodeProcess
from node.folder import NodeFolder, short_socket_path
from node.passport.ids import parse_device_id
from tests.nodes import rows

Held = frozenset[tuple[bytes, int, str | None]]


def held_fragments(folder: Path, device: str) -> Held:
    """Each entry that names a device, with each of its sections that the node can read."""
    sql = """select l.log, m.seq, s.name from mentions m join logs l on l.no = m.log_no
        left join sections s on s.log_no = m.log_no and s.seq = m.seq and s.form <> 1 where m.subject64 = ?"""
    return frozenset(rows(folder, sql, _subject64(device)))


def order_of_arrival(folder: Path, device: str) -> list[tuple[bytes, int]]:
    """The log and seq of each entry that names a device, in the order in which this node took them in."""
    sql = """select l.log, m.seq from mentions m join logs l on l.no = m.log_no
        join fragments f on f.log_no = m.log_no and f.seq = m.seq where m.subject64 = ?
        order by f.received_us, f.rowid"""
    return rows(folder, sql, _subject64(device))


def answers(nodes: Mapping[str, NodeProcess], devices: Mapping[str, Sequence[str]]) -> dict[str, dict[str, bytes]]:
    """The bytes that each process answers for its devices over TCP, as anybody with a token gets them."""

    async def of_node(node: NodeProcess, held: Sequence[str]) -> dict[str, bytes]:
        async with ApiClient(node.folder) as api:
            issued = await api.post("/tokens", {"name": "test", "scopes": ["read"]})
        headers = {"Authorization": f"Bearer {issued['secret']}"}
        async with aiohttp.ClientSession(node.addresses["console"], headers=headers) as session:
            return {device: await _read(session, f"/api/v1/passports/{device}") for device in held}

    async def of_all() -> dict[str, dict[str, bytes]]:
        return {name: await of_node(nodes[name], held) for name, held in devices.items()}

    return asyncio.run(of_all())


def page(node: NodeProcess, path: str) -> str:
    """A page of the console, as the administrator of the machine sees it."""

    async def ask() -> bytes:
        with short_socket_path(NodeFolder(node.folder).socket) as socket:
            connector = aiohttp.UnixConnector(str(socket))
            async with aiohttp.ClientSession("http://node", connector=connector) as session:
                return await _read(session, path)

    return asyncio.run(ask()).decode()


async def _read(session: aiohttp.ClientSession, path: str) -> bytes:
    async with session.get(path) as response:
        content = await response.read()
        assert response.status == 200, content
        return content


def _subject64(device: str) -> Any:  # Any: a value of a query
    return int.from_bytes(parse_device_id(device).raw[:8], "big", signed=True)
