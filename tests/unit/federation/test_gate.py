"""Who may connect: how many connections one organisation, and one host, may hold."""

import socket
from collections import Counter
from collections.abc import Iterator

import pytest

from federation.net.gate import Gate
from federation.sync.allowance import Allowance
from tests.builders import id16

NEAR, FAR = id16("near"), id16("far")


class Counts(Counter[str]):
    """What was refused, by its reason."""

    def count(self, _name: str, label: str = "", amount: int = 1) -> None:
        """Add one, or more."""
        self[label] += amount


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    """Any connection."""
    one, other = socket.socketpair()
    with one, other:
        yield one


async def test_organisation_that_holds_its_connections_leaves_room_for_others(connection: socket.socket) -> None:
    """Beyond its number a known node is a stranger on what it opens: few, for a short time; others come in."""
    refused = Counts()
    gate = Gate(Allowance(org_connections=3, stranger_connections=2, connections=6), refused)

    def come(port: int, org: bytes) -> bool:
        is_in = gate.enter(("192.0.2.1", port), connection)
        if is_in:
            gate.known(("192.0.2.1", port), org)
        return is_in

    assert [come(port, NEAR) for port in range(6)] == [True] * 5 + [False]
    assert (refused["org_connections"], refused["stranger_connections"]) == (2, 1)
    for port in (0, 3):
        gate.leave(("192.0.2.1", port))
    assert come(7, NEAR)
    assert refused["org_connections"] == 2
    assert gate.enter(("192.0.2.2", 1), connection)
    for port in range(8):
        gate.leave(("192.0.2.1", port))
    gate.leave(("192.0.2.2", 1))


async def test_addresses_of_one_host_count_together(connection: socket.socket) -> None:
    """A host has as many addresses of IPv6 as it likes in its network, and is one stranger."""
    gate = Gate(Allowance(stranger_connections=2), Counts())

    came = [gate.enter((f"2001:db8::{n}%eth0", n), connection) for n in range(1, 4)]
    elsewhere = gate.enter(("2001:db8:0:1::1", 9), connection)

    assert (came, elsewhere) == ([True, True, False], True)
    for n in range(1, 4):
        gate.leave((f"2001:db8::{n}%eth0", n))
    gate.leave(("2001:db8:0:1::1", 9))
