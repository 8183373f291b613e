"""A copy of a node's folder, made while the node wrote, runs beside it: the fork is proven, and both heal."""

import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from node.demo.files import PRODUCTS
from node.demo.processes import NodeProcess, free_ports
from tests.nodes import ALONE, act, ask, check_store, journal, rows, until

pytestmark = pytest.mark.slow

SETTINGS = {**ALONE, "PASSPORT_FEDERATION__POLL_S": "0.3"}
HEARD_S = 90.0  # a copy takes the place of a connection that has stood for a while
CENTRAL = PRODUCTS[0].central


@dataclass(frozen=True, slots=True)
class Three:
    """A node, a copy of it that writes the same log, and the peer of both."""

    node: NodeProcess
    copy: NodeProcess
    peer: NodeProcess
    org: str

    def codes(self, where: NodeProcess) -> set[str]:
        """The own codes of the node's organisation that count."""
        items = ask(where, "/references")["items"]
        return {item["local"] for item in items if item["org"] == self.org}

    def meet(self, one: NodeProcess) -> None:
        """The peer hears where that one of the two is now."""
        act(one, "/federation/join", {"invitation": act(self.peer, "/invitations")["text"]})


def say(node: NodeProcess, *codes: str) -> None:
    """Let a node say what own codes mean."""
    for code in codes:
        act(node, "/references", {"catalog": "types", "local": code, "central": CENTRAL})


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Three]:
    """A member that is copied while it writes; the peer has what the member said, and is away when the copy starts."""
    peer, node = (
        NodeProcess(name, tmp_path / name, port, SETTINGS)
        for name, port in zip(("peer", "node"), free_ports(2), strict=True)
    )
    copy = NodeProcess("copy", tmp_path / "copy", 0, {**SETTINGS, "PASSPORT_FEDERATION__PORT": "0"})
    for one in (peer, node):
        one.init(name=f"МУП «{one.name}»")
    try:
        for one in (peer, node):
            one.start()
        act(peer, "/federation", {"name": "Раздвоение"})
        three = Three(node, copy, peer, str(ask(node, "/node")["org"]))
        three.meet(node)
        writing = threading.Thread(target=say, args=(node, *(f"до-{n}" for n in range(8))))
        writing.start()
        until("the node writes", lambda: len(three.codes(node)) > 1)
        subprocess.run(["cp", "-a", node.folder, copy.folder], check=True)
        writing.join()
        say(node, "у-узла-1", "у-узла-2")
        until("the peer is level", lambda: three.codes(peer) == three.codes(node))
        peer.stop()
        yield three
    finally:
        for one in (peer, node, copy):
            one.stop()


def test_copy_of_a_folder_that_was_written_ends_in_a_proof_and_heals(three: Three) -> None:
    """Neither loses a statement: each opens a new log and says again what fell, once; every node counts the same."""
    before = three.codes(three.node)
    three.copy.start()
    say(three.copy, "у-копии-1", "у-копии-2")
    copied = three.codes(three.copy)
    assert len(copied) > 3
    assert "у-узла-1" not in copied

    three.peer.start()
    until("the copy sees the fork", lambda: journal(three.copy.folder, "log_said_again"))
    three.meet(three.copy)
    until("the node sees the fork", lambda: journal(three.node.folder, "log_said_again"))
    three.meet(three.node)

    whole = before | copied
    nodes = (three.peer, three.node, three.copy)
    until("all have everything", lambda: all(three.codes(one) == whole for one in nodes), HEARD_S)
    assert {row["reason"] for one in (three.node, three.copy) for row in journal(one.folder, "log_opened")} == {
        "first",
        "root_differs",
    }
    assert said_twice(three) == []
    assert journal(three.peer.folder, "log_forked")
    for one in nodes:
        one.stop()
        check_store(one.folder)


def said_twice(three: Three) -> list[str]:
    """Own codes for which the peer counts more than one statement."""
    sql = """select s.data from sections s join fragments f on f.log_no = s.log_no and f.seq = s.seq
        join logs l on l.no = f.log_no where l.org = ? and s.name = 'reference'
        and (l.counted is null or f.seq < l.counted)"""
    found = [json.loads(data)["local"] for (data,) in rows(three.peer.folder, sql, bytes.fromhex(three.org))]
    assert len(found) > 3
    return [code for code in set(found) if found.count(code) > 1]
