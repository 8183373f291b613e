"""A node that comes back at another address is found again by the nodes that knew it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.net.discovery import Announcement, discovery
from federation.peer import PeerAddress
from node.demo.processes import NodeProcess
from tests.nodes import PORTS, act, ask, rows, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("scenario")]


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[NodeProcess, NodeProcess]]:
    """Two members of one federation."""
    lab, utility = (NodeProcess(kind, tmp_path / kind) for kind in ("lab", "utility"))
    for node in (lab, utility):
        node.init(name=node.name, kind=node.name, **PORTS)
        node.start()
    act(lab, "/federation", {"name": "Демо"})
    act(utility, "/federation/join", {"invitation": act(lab, "/invitations")["text"]})
    yield lab, utility
    for node in (lab, utility):
        node.stop()


def test_node_at_a_new_port_is_found_again_and_read_from(nodes: tuple[NodeProcess, NodeProcess]) -> None:
    """The old card still tells the old address; what is heard on the local network is newer, and stays."""
    lab, utility = nodes
    until("the card arrives", lambda: [p for p in ask(utility, "/peers")["items"] if p["url"] == url_of(lab)])
    old = url_of(lab)

    lab.kill()
    lab.start()
    assert url_of(lab) != old
    record = {"marks": ["ДЕМО"], "designations": ["СГВ-1"], "serial": {"pattern": "digits", "width": 7}}
    act(lab, "/lines", {"record": {**record, "legal_makers": []}})

    until("the utility reads on", lambda: reads(utility, lab))
    until("the utility knows the new address", lambda: None in troubles(utility, url_of(lab)))
    assert not troubles(utility, old)


def troubles(node: NodeProcess, url: str) -> list[str | None]:
    """What is wrong with each peer that a node knows at an address."""
    return [peer["trouble"] for peer in ask(node, "/peers")["items"] if peer["url"] == url]


def url_of(node: NodeProcess) -> str:
    """Where a node is now."""
    return str(ask(node, "/node")["url"])


def reads(utility: NodeProcess, lab: NodeProcess) -> bool:
    """Whether everything that the lab has said is here."""
    (said,) = rows(lab.folder, "select size from logs where own = 1")
    return said in rows(utility.folder, "select size from logs where own = 0")


def test_stranger_on_the_local_network_cannot_move_a_node(nodes: tuple[NodeProcess, NodeProcess]) -> None:
    """A hint with the node's name and key, and an address where another node lives, changes nothing."""
    lab, utility = nodes
    until("the card arrives", lambda: [p for p in ask(utility, "/peers")["items"] if p["url"] == url_of(lab)])
    told = rows(utility.folder, "select node, org, sign_key, pin, url from peers where state = 'active'")
    (node, org, sign_key, pin, _) = next(row for row in told if row[4] == url_of(lab))

    hint = Announcement(org, bytes(16), PeerAddress(url_of(utility), node, sign_key, pin))
    later = PeerAddress("https://127.0.0.1:9", b"\x07" * 16, sign_key, pin)
    asyncio.run(announce(hint, Announcement(bytes(16), bytes(16), later), utility))

    assert rows(utility.folder, "select node, org, sign_key, pin, url from peers where state = 'active'") == told


async def announce(false: Announcement, sentinel: Announcement, utility: NodeProcess) -> None:
    """Tell the local network a falsehood until a later announcement has been heard."""

    def ignore(_: Announcement) -> None:
        return None

    async with discovery(false, ["127.0.0.1"], ignore), discovery(sentinel, ["127.0.0.1"], ignore):
        await asyncio.to_thread(
            until,
            "the sentinel is heard",
            lambda: rows(utility.folder, "select 1 from peers where node = ?", sentinel.peer.node),
        )
