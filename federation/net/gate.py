"""Who may connect: limits by remote address, before anybody is known.

A connection is a stranger's until an answer on it was signed, which only known nodes get. Strangers of one address have
few connections, for a short time, and few refusals; who is known has a turn of its own.
"""

import asyncio
import ipaddress
import socket
from collections import Counter, OrderedDict
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from federation.ports import Meter
from federation.sync.allowance import Allowance, TokenBucket

MAX_ADDRESSES = 4096

Place = tuple[str, int]


@dataclass(slots=True)
class _Connection:
    address: str
    ends: asyncio.TimerHandle
    refusals: TokenBucket | None = None  # of its own from the moment on which it is known
    org: bytes = b""  # whose node is known on it


class Gate:
    """The connections to one port, by remote address and port."""

    def __init__(self, allowance: Allowance, meter: Meter) -> None:
        self._allowance = allowance
        self._meter = meter
        self._connections: dict[Place, _Connection] = {}
        self._strangers: Counter[str] = Counter()
        self._orgs: Counter[bytes] = Counter()
        self._refusals: OrderedDict[str, TokenBucket] = OrderedDict()

    def enter(self, place: Place, connection: socket.socket) -> bool:
        """Take a connection, or say that there are too many."""
        address = _network(place)
        if len(self._connections) >= self._allowance.connections:
            return self._refuse("connections")
        if self._strangers[address] >= self._allowance.stranger_connections:
            return self._refuse("stranger_connections")
        ends = asyncio.get_running_loop().call_later(self._allowance.stranger_s, self._end, place, connection)
        self._connections[place] = _Connection(address, ends)
        self._strangers[address] += 1
        return True

    def leave(self, place: Place) -> None:
        """A connection ended."""
        connection = self._connections.pop(place, None)
        if connection is None:
            return
        if connection.refusals is None:
            self._left(connection)
        else:
            self._orgs -= Counter({connection.org: 1})

    def known(self, place: Place, org: bytes) -> None:
        """A node of an organisation asked on a connection: one that has many already goes on as a stranger."""
        connection = self._connections.get(place)
        if connection is None or connection.refusals is not None:
            return
        if self._orgs[org] >= self._allowance.org_connections:
            self._refuse("org_connections")
            return
        connection.refusals, connection.org = self._bucket(), org
        self._orgs[org] += 1
        self._left(connection)

    def wait(self, place: Place) -> float:
        """Seconds until another request may come on a connection: 0 now."""
        return self._refusals_of(place).wait(_now())

    def refused(self, place: Place) -> None:
        """What came on a connection was answered with a refusal."""
        self._refusals_of(place).take(1, _now())

    def _refusals_of(self, place: Place) -> TokenBucket:
        connection = self._connections.get(place)
        if connection is not None and connection.refusals is not None:
            return connection.refusals
        address = _network(place)
        bucket = self._refusals.pop(address, None) or self._bucket()
        self._refusals[address] = bucket
        while len(self._refusals) > MAX_ADDRESSES:
            self._refusals.popitem(last=False)
        return bucket

    def _bucket(self) -> TokenBucket:
        return TokenBucket(self._allowance.stranger_requests_s, self._allowance.stranger_requests_burst)

    def _left(self, connection: _Connection) -> None:
        connection.ends.cancel()
        self._strangers[connection.address] -= 1
        if not self._strangers[connection.address]:
            del self._strangers[connection.address]

    def _end(self, place: Place, connection: socket.socket) -> None:
        if place in self._connections:
            self._refuse("silent")
            with suppress(OSError):  # the other side was faster
                connection.shutdown(socket.SHUT_RDWR)

    def _refuse(self, why: str) -> bool:
        self._meter.count("federation_refused", why)
        return False


class GatedSocket(socket.socket):
    """A listening socket whose connections go through a gate, the handshake of TLS included."""

    gate: Gate

    def accept(self) -> tuple[socket.socket, Place]:
        """The next connection; raise BlockingIOError where none waits, ConnectionAbortedError for one not let in."""
        descriptor, address = self._accept()  # type: ignore[attr-defined]  # the rest of accept() makes a plain socket
        place: Place = address[:2]
        connection = _Entered(self.family, self.type, self.proto, fileno=descriptor)
        if not self.gate.enter(place, connection):
            connection.close()
            raise ConnectionAbortedError
        connection.gate, connection.place = self.gate, place
        return connection, address


class _Entered(socket.socket):
    """A connection that tells the gate when it ends."""

    gate: Gate | None = None
    place: Place = ("", 0)

    def close(self) -> None:
        super().close()
        if self.gate is not None:
            self.gate.leave(self.place)


def gated_sockets(host: str, port: int, gate: Gate) -> list[socket.socket]:
    """Sockets bound to every address of a host, none where one of them cannot be; raise OSError as the system says."""
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    with ExitStack() as opened:
        bound = [_bound(opened.enter_context(GatedSocket(*kind)), at, gate) for *kind, _, at in dict.fromkeys(found)]
        opened.pop_all()
    return bound


def _bound(listening: GatedSocket, address: tuple[object, ...], gate: Gate) -> socket.socket:
    listening.gate = gate
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if listening.family == socket.AF_INET6:
        listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listening.setblocking(False)
    listening.bind(address)
    return listening


def _network(place: Place) -> str:
    """Whose address it is: the first half of one of IPv6, since the other half is anything that its host likes."""
    found = ipaddress.ip_address(place[0].partition("%")[0])
    return place[0] if found.version == 4 else found.exploded[:19]


def _now() -> float:
    return asyncio.get_running_loop().time()
