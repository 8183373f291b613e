"""A node whose store is not the one that its log left with opens a new log, and takes the old one back from a peer."""

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from federation.fragment import decode_header
from federation.log import LogStatement, Reason, decode_log_statement
from node.demo.processes import NodeProcess, free_ports
from node.folder import NodeFolder
from tests.nodes import ALONE, act, ask, check_store, journal, rows, until

pytestmark = pytest.mark.slow

Log = tuple[bytes, int, int]  # id, size, own
ROWS = {"number": ["inn:0000000018"], "maker": []}
LOGS = "select log, size, own from logs where node = ? order by no"


@dataclass(frozen=True, slots=True)
class Pair:
    """A node whose store goes wrong, and the peer that keeps what it said."""

    broken: NodeProcess
    peer: NodeProcess
    node: bytes
    first: Path  # a copy of the store that no log was opened in

    def attest(self, what: str) -> None:
        """Let the node say something, and wait until the peer has all of its log."""
        act(self.broken, "/attestations", {"org": self.org, "what": what, "rows": ROWS[what]})
        self.wait_for_peer()

    @property
    def org(self) -> str:
        """The organisation of the node."""
        return str(ask(self.broken, "/node")["org"])

    def logs(self, where: NodeProcess) -> list[Log]:
        """The logs of the node as a store has them, oldest first."""
        return [(log, size, own) for log, size, own in rows(where.folder, LOGS, self.node)]

    def wait_for_peer(self) -> None:
        """Wait until the peer has every log of the node as far as it goes."""
        mine = "select log, size from logs where node = ? and size > 0 order by log"
        until(
            "the peer is level",
            lambda: rows(self.broken.folder, mine, self.node) == rows(self.peer.folder, mine, self.node),
        )

    def wait_for_old(self, old: Log) -> None:
        """Wait until the node has its old log again as far as it went."""
        until("the old log is back", lambda: old[:2] in [log[:2] for log in self.logs(self.broken)])

    def restore(self, copy: Path) -> None:
        """Put an old copy in the place of the store, as one who knows nothing of `head` would."""
        store = NodeFolder(self.broken.folder).database
        for path in store.parent.glob(f"{store.name}*"):
            path.unlink()
        shutil.copy(copy, store)

    def newest(self) -> LogStatement:
        """The statement of the log that the node writes, as the peer has it."""
        sql = "select envelope from logs where node = ? order by no desc limit 1"
        return decode_log_statement(rows(self.peer.folder, sql, self.node)[0][0])


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """An anchor with a store to break, and a member that mirrors it."""
    # Ports that outlive a restart: what is tested is not how a node that moved is found.
    peer, broken = (
        NodeProcess(name, tmp_path / name, port, ALONE)
        for name, port in zip(("peer", "broken"), free_ports(2), strict=True)
    )
    for node in (peer, broken):
        node.init(name=f"МУП «{node.name}»")
    first = copy_store(broken.folder, tmp_path / "first.sqlite")
    try:
        for node in (peer, broken):
            node.start()
        act(broken, "/federation", {"name": "Сомнение"})
        act(peer, "/federation/join", {"invitation": act(broken, "/invitations")["text"]})
        pair = Pair(broken, peer, bytes.fromhex(ask(broken, "/node")["node"]), first)
        pair.wait_for_peer()
        yield pair
    finally:
        for node in (peer, broken):
            node.stop()


def copy_store(folder: Path, target: Path) -> Path:
    """A copy of a store as it is now, of one file."""
    store = sqlite3.connect(NodeFolder(folder).database, isolation_level=None)
    try:
        store.execute("vacuum into ?", (str(target),))
    finally:
        store.close()
    return target


def entries(where: NodeProcess, log: bytes) -> list[tuple[int, bytes, bytes]]:
    """What a store has of a log: place, header and signature of each entry."""
    sql = (
        "select f.seq, f.header, f.signature from fragments f join logs l on l.no = f.log_no where l.log = ? order by 1"
    )
    return rows(where.folder, sql, log)


def attested(node: NodeProcess, org: str) -> set[str]:
    """What anchors said of an organisation, as a node folds it."""
    items = ask(node, "/organisations")["items"]
    return {what for item in items if item["org"] == org for what in item["attested"]}


def test_store_restored_from_an_older_time_opens_a_new_log(pair: Pair, tmp_path: Path) -> None:
    """What the copy lacks comes back from a peer into the old log, and the node goes on in a new one."""
    copy = copy_store(pair.broken.folder, tmp_path / "old.sqlite")
    pair.attest("number")
    (old,) = pair.logs(pair.broken)
    said, org = entries(pair.broken, old[0]), pair.org
    pair.broken.stop()

    pair.restore(copy)
    pair.broken.start()
    pair.wait_for_old(old)
    pair.attest("maker")

    assert [detail["reason"] for detail in journal(pair.broken.folder, "log_opened")] == ["first", "behind"]
    assert (pair.newest().previous, pair.newest().reason) == (old[0], Reason.BEHIND)
    assert entries(pair.broken, old[0]) == said
    assert [decode_header(header, old[0], seq).seq for seq, header, _ in said] == list(range(old[1]))
    assert attested(pair.broken, org) == {"number", "maker"}
    assert [log[0] for log in pair.logs(pair.peer)] == [log[0] for log in pair.logs(pair.broken)]
    pair.broken.stop()
    check_store(pair.broken.folder)


def test_lost_head_opens_a_new_log(pair: Pair) -> None:
    """Without `head` nobody can tell whether the store is the newest: the old log stays as it is, a new one goes on."""
    pair.attest("number")
    (old,) = pair.logs(pair.broken)
    pair.broken.stop()

    NodeFolder(pair.broken.folder).head.unlink()
    pair.broken.start()
    pair.attest("maker")

    assert [detail["reason"] for detail in journal(pair.broken.folder, "log_opened")] == ["first", "head_lost"]
    assert (pair.newest().previous, pair.newest().reason) == (old[0], Reason.HEAD_LOST)
    assert pair.logs(pair.broken)[0] == old
    assert attested(pair.broken, pair.org) == {"number", "maker"}
    pair.broken.stop()
    check_store(pair.broken.folder)


def test_whole_head_opens_no_log(pair: Pair) -> None:
    """A node that was ended and started again goes on in its log."""
    (old,) = pair.logs(pair.broken)
    pair.broken.stop()

    pair.broken.start()
    pair.attest("number")

    ((log, size, _),) = pair.logs(pair.broken)
    assert (log, size > old[1]) == (old[0], True)


def test_store_from_before_the_first_log_opens_a_new_log(pair: Pair) -> None:
    """Where the store does not even name the old log, `head` does: a peer that is met again gives it back."""
    pair.attest("number")
    (old,) = pair.logs(pair.broken)
    said, org = entries(pair.broken, old[0]), pair.org
    pair.broken.stop()

    pair.restore(pair.first)
    pair.broken.start()
    act(pair.broken, "/federation/join", {"invitation": act(pair.peer, "/invitations")["text"]})
    pair.wait_for_old(old)
    pair.attest("maker")

    assert [detail["reason"] for detail in journal(pair.broken.folder, "log_opened")] == ["behind"]
    assert (pair.newest().previous, pair.newest().reason) == (old[0], Reason.BEHIND)
    assert entries(pair.broken, old[0]) == said
    assert attested(pair.broken, org) == {"number", "maker"}
    pair.broken.stop()
    check_store(pair.broken.folder)
