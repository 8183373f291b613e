"""Two nodes of one organisation and a partner: both speak for it, one is stolen and ended, the other leaves last."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from node.api_client import ApiError
from node.demo.files import PRODUCTS
from node.demo.processes import NodeProcess
from tests.nodes import ALONE, Json, act, ask, command, journal, rows, until

pytestmark = pytest.mark.slow

SETTINGS = {**ALONE, "PASSPORT_FEDERATION__POLL_S": "0.3"}
CENTRAL = PRODUCTS[0].central


@dataclass
class Firm:
    """The first and the second node of an organisation, its partner, and where its root keys lie."""

    first: NodeProcess
    second: NodeProcess
    partner: NodeProcess
    keys: Path
    ids: dict[str, str] = field(default_factory=dict)

    def codes(self, where: NodeProcess) -> set[str]:
        """The own codes of the organisation that count at a node."""
        return {row["local"] for row in ask(where, "/references")["items"] if row["org"] == self.ids["org"]}

    def has(self, *codes: str) -> None:
        """Wait until all three count these codes of the organisation and no others."""
        nodes = (self.first, self.second, self.partner)
        until(f"all count {codes}", lambda: all(self.codes(one) == set(codes) for one in nodes))

    def peer(self, where: NodeProcess, name: str) -> Json:
        """What a node says of another one."""
        return next((row for row in ask(where, "/peers")["items"] if row["node"] == self.ids[name]), None)

    def end(self, name: str, *more: str) -> None:
        """End a node with the root key, through the first node, which runs."""
        arguments = ("keys", "end-node", self.ids[name][:8], "--reason", "stolen", "--root-key", str(self.keys))
        self.first.type(*arguments, *more)


def say(node: NodeProcess, code: str) -> None:
    """Let a node say what an own code means."""
    act(node, "/references", {"catalog": "types", "local": code, "central": CENTRAL})


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    """A partner that is the anchor, and an organisation with two nodes, the second made as the guide says."""
    folder = tmp_path_factory.mktemp("firm")
    partner, first, second = (
        NodeProcess(name, folder / name, environment=SETTINGS) for name in ("partner", "first", "second")
    )
    for one in (partner, first):
        one.init(name=f"МУП «{one.name}»")
    second.init(name="МУП «first»", organisation_of=str(folder / "request.txt"))
    try:
        for one in (partner, first):
            one.start()
        act(partner, "/federation", {"name": "Два узла"})
        act(first, "/federation/join", {"invitation": act(partner, "/invitations")["text"]})
        first.type("keys", "move", str(folder / "medium"))
        first.type(
            "keys", "state-node", str(folder / "request.txt"), "--to", str(folder / "answer.txt"),
            "--root-key", str(folder / "medium"),
        )  # fmt: skip
        second.type("keys", "take", str(folder / "answer.txt"))
        second.start()
        firm = Firm(first, second, partner, folder / "medium")
        firm.ids = {one.name: ask(one, "/node")["node"] for one in (first, second)} | {
            "org": ask(first, "/node")["org"]
        }
        act(partner, "/attestations", {"org": firm.ids["org"], "what": "number", "rows": ["inn:0000000018"]})
        yield firm
    finally:
        for one in (partner, first, second):
            one.stop()


def test_both_nodes_of_an_organisation_speak_for_it(firm: Firm) -> None:
    """What each says counts on all three, each is met where it is, and the root keys lie on neither."""
    assert ask(firm.second, "/node")["org"] == firm.ids["org"]
    assert ask(firm.first, "/keys")["warnings"] == ask(firm.second, "/keys")["warnings"] == []

    say(firm.first, "первый")
    say(firm.second, "второй")

    firm.has("первый", "второй")
    until("the partner met both", lambda: firm.peer(firm.partner, "first") and firm.peer(firm.partner, "second"))
    urls = {name: firm.peer(firm.partner, name)["url"] for name in ("first", "second")}
    assert urls == {one.name: ask(one, "/node")["url"] for one in (firm.first, firm.second)}
    until("the first met the second", lambda: (firm.peer(firm.first, "second") or {}).get("url") == urls["second"])


def test_stolen_node_is_ended_with_a_cut_and_counts_no_more(firm: Firm) -> None:
    """What it signed past the cut falls on every node and comes back where the cut is widened; nobody answers it."""
    ((log, size),) = rows(firm.second.folder, "select hex(log), size from logs where own = 1")
    say(firm.second, "краденый")
    firm.has("первый", "второй", "краденый")
    ((later,),) = rows(firm.second.folder, "select size from logs where own = 1")

    firm.end("second", "--at", f"{log}={size}")

    others = (firm.first, firm.partner)
    until("it counts no more", lambda: all(firm.codes(one) == {"первый", "второй"} for one in others))
    until("nobody talks to it", lambda: all(firm.peer(one, "second")["state"] == "ended" for one in others))
    until("its connection is closed", lambda: not any(firm.peer(one, "second")["is_live"] for one in others))
    until("it is refused", lambda: "403" in str(firm.peer(firm.second, "first")["trouble"]))
    say(firm.second, "ещё")  # the thief does not hear of its end
    with pytest.raises(ApiError, match="ended by its organisation"):
        act(firm.first, f"/peers/{firm.ids['second']}", {"state": "active"})

    firm.end("second", "--at", f"{log}={later}")

    kept = {"первый", "второй", "краденый"}
    until("the widened cut keeps more", lambda: all(firm.codes(one) == kept for one in others))
    assert {row["reason"] for row in journal(firm.partner.folder, "log_counted")} == {"ended"}


def test_organisation_leaves_with_its_last_node(firm: Firm) -> None:
    """The last node is ended like any other: what was said counts on at the partner, and it can say nothing more."""
    refused = command("keys", "end-node", "ffffffff", "--reason", "retired", "--folder", str(firm.first.folder))
    assert refused.returncode == 1

    firm.end("first")

    until("the partner knows", lambda: firm.peer(firm.partner, "first")["state"] == "ended")
    assert firm.codes(firm.partner) == {"первый", "второй", "краденый"}
    with pytest.raises(ApiError, match="ended by its organisation"):
        say(firm.first, "поздно")
