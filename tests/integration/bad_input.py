"""A maker's node as a process, a second organisation that it knows, and ways to send either door whatever one likes."""

import base64
import contextlib
import http.client
import socket
import sqlite3
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from federation.request import Request, sign_request
from node.clock import SystemClock, SystemRandom
from node.demo.processes import NodeProcess
from node.folder import NodeFolder
from node.keystore import Keystore, open_keystore
from tests.meters import meter_rows, production_file, start_maker
from tests.nodes import ALONE, act, ask, rows, send, until

SEED = 7
SIGNATURE = "Passport-Signature"
WAIT_S = 10.0
# Whoever is refused so often would be asked to come later: what each refusal says is what these tests ask.
PATIENT = "PASSPORT_FEDERATION__LIMITS__STRANGER_REQUESTS_BURST"
# What a node does by itself, or notes of those who asked in vain.
NOT_COMPARED = {
    *("journal", "sqlite_sequence", "attempts", "idempotency", "checkpoints", "openings", "announced", "announcers"),
}
ANNOUNCING = "directory:"  # how far a node went with that
NOT_COMPARED_COLUMNS = {("peers", "seen_us"), ("peers", "trouble"), ("logs", "note"), ("logs", "note_size")}

Dump = dict[str, list[Any]]  # Any: the columns of each table


@dataclass(frozen=True, slots=True)
class Answer:
    """What a door answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as people read it."""
        return self.body.decode(errors="replace")


class Port:
    """A port of the node, asked as plainly as can be: nothing is tidied up, any certificate is taken."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._is_tls = parts.hostname or "", parts.port or 0, parts.scheme == "https"

    def ask(
        self, method: str, target: str, body: bytes | Iterable[bytes] = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own; a body in parts has no stated length."""
        connection = (
            http.client.HTTPSConnection(self._host, self._port, timeout=WAIT_S, context=_any_certificate())
            if self._is_tls
            else http.client.HTTPConnection(self._host, self._port, timeout=WAIT_S)
        )
        try:
            # A node that has answered does not wait for the rest.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, target, body or None, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, dict(response.headers), response.read())
        finally:
            connection.close()

    def send(self, raw: bytes, *, in_clear: bool = False) -> bytes:
        """Bytes on a connection, and what comes back until the other side closes."""
        with socket.create_connection((self._host, self._port), timeout=WAIT_S) as bare:
            try:
                if self._is_tls and not in_clear:
                    with _any_certificate().wrap_socket(bare) as connection:
                        connection.sendall(raw)
                        return _read(connection)
                bare.sendall(raw)
                if in_clear:
                    bare.shutdown(socket.SHUT_WR)
                return _read(bare)
            except OSError:
                return b""


@dataclass(slots=True)
class Doors:
    """The maker's node, and the keys of a node of another organisation that it talks to."""

    maker: NodeProcess
    maker_org: str
    peer: Keystore
    node: bytes
    log: bytes
    devices: list[str]

    @property
    def federation(self) -> Port:
        """The federation port."""
        return Port(self.maker.addresses["federation"])

    @property
    def console(self) -> Port:
        """The port of the console and the API."""
        return Port(self.maker.addresses["console"])

    def signed(
        self, method: str, target: str, body: bytes = b"", *, ago_ms: int = 0, to: bytes | None = None
    ) -> dict[str, str]:
        """The header of a request that the peer's node signs."""
        request = Request(method, target, self.peer.org, self.peer.node, to or self.node, body)
        time_ms = SystemClock().now() // 1000 - ago_ms
        signature = sign_request(self.peer.sign, request, time_ms, SystemRandom().bytes(16))
        return {SIGNATURE: base64.b64encode(signature.to_bytes()).decode()}


@contextmanager
def open_doors(folder: Path, settings: Mapping[str, str] = MappingProxyType({PATIENT: "1000000"})) -> Iterator[Doors]:
    """Start a maker with a few meters and let a second node join, which then goes away."""
    maker = start_maker(folder / "maker", settings=settings)
    peer = NodeProcess("peer", folder / "peer", environment=ALONE)
    try:
        peer.init(name="ООО «Соседи»", kind="utility")
        peer.start()
        act(peer, "/federation/join", {"invitation": act(maker, "/invitations")["text"]})
        # Questions of a guest are counted, and what is counted is stored.
        number = {"org": ask(peer, "/node")["org"], "what": "number", "rows": ["inn:0000000040"]}
        act(maker, "/attestations", number)
        job = send(maker, "/imports", production_file(meter_rows(6, SEED)), name="p.csv")["job"]
        assert ask(maker, f"/jobs/{job}", wait="30")["result"]["accepted"] == 6
        node = ask(maker, "/node")
        until("the peer is level", lambda: _size(peer) == ask(maker, "/node")["size"])
        peer.stop()
        devices = [row["id"] for row in ask(maker, "/passports")["items"]]
        keystore = open_keystore(NodeFolder(peer.folder), SystemRandom())
        node_id, log = bytes.fromhex(node["node"]), bytes.fromhex(node["log"])
        yield Doors(maker, node["org"], keystore, node_id, log, devices)
    finally:
        peer.stop()
        maker.stop()


class Contents:
    """Every row of a node's store that says something, by table; read again only after somebody wrote."""

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(f"file:{folder / 'passport.sqlite'}?mode=ro", uri=True, timeout=10)
        self._version, self._rows = -1, Dump()

    def read(self) -> Dump:
        """What is stored now."""
        (version,) = self._connection.execute("pragma data_version").fetchone()
        if version != self._version:
            found = self._connection.execute("select name from sqlite_master where type = 'table' order by name")
            tables = [name for (name,) in found if name not in NOT_COMPARED]
            self._version, self._rows = version, {table: _rows(self._connection, table) for table in tables}
        return self._rows

    def close(self) -> None:
        """Let the store go."""
        self._connection.close()


def quiet(folder: Path) -> bool:
    """Whether the node has said all that it was going to say: no job is open, and its checkpoint is up to date."""
    (level,) = rows(folder, "select size = note_size from logs where own = 1")
    open_jobs = rows(folder, "select 1 from jobs where state in ('waiting', 'running')")
    return bool(level[0]) and not open_jobs


def _read(connection: socket.socket) -> bytes:
    received = b""
    while part := connection.recv(1 << 16):
        received += part
    return received


def _any_certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _rows(connection: sqlite3.Connection, table: str) -> list[Any]:  # Any: the columns of the table
    names = [row[1] for row in connection.execute(f"pragma table_info({table})")]
    shown = ", ".join(name for name in names if (table, name) not in NOT_COMPARED_COLUMNS)
    found = connection.execute(f"select {shown} from {table}").fetchall()  # noqa: S608 - own tables
    return sorted((row for row in found if not (table == "settings" and row[0].startswith(ANNOUNCING))), key=repr)


def _size(node: NodeProcess) -> int:
    return int(rows(node.folder, "select coalesce(sum(size), 0) from logs where own = 0")[0][0])
