"""An address that nobody could ask, told by a peer, does not keep a node from running."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.demo.processes import NodeProcess
from tests.meters import start_maker
from tests.nodes import ALONE, Json, act, ask, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("scenario")]


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[NodeProcess, NodeProcess]]:
    """A maker and a node that joined it."""
    maker = start_maker(tmp_path / "maker")
    other = NodeProcess("other", tmp_path / "other", environment=ALONE)
    try:
        other.init(name="Соседи")
        other.start()
        act(other, "/federation/join", {"invitation": act(maker, "/invitations")["text"]})
        yield maker, other
    finally:
        other.stop()
        maker.stop()


def test_peer_with_an_address_of_no_form_is_shown_with_its_trouble(nodes: tuple[NodeProcess, NodeProcess]) -> None:
    """A node whose peer's address cannot be asked starts, says so, and answers everybody else."""
    maker, other = nodes
    other.stop()
    for url in ("https://[", "https://a..b", "https://a\x00b"):
        maker.stop()
        with sqlite3.connect(maker.folder / "passport.sqlite") as connection:
            connection.execute("update peers set url = ?, trouble = null", (url,))
        connection.close()

        maker.start()

        (peer,) = until("the trouble is shown", lambda: _troubled(maker))
        assert "is no address" in peer["trouble"]
        assert ask(maker, "/node")["size"] > 0


def _troubled(node: NodeProcess) -> list[Json]:
    return [peer for peer in ask(node, "/peers")["items"] if peer["trouble"]]
