"""Nodes that nobody can reach: they dial the maker, and are asked on the connections that they dialled."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.api_client import ApiError
from tests.nodes import ALONE, command, journal, rows
from tests.trade import Json, Trade, meters, trading

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker with an address, a utility and a lab that only dial out, and two meters."""
    with trading(tmp_path_factory.mktemp("hidden"), "utility", "lab", hidden=("utility", "lab"), **ALONE) as running:
        running.produce(meters(2))
        yield running


def peer(trade: Trade, at: str, of: str) -> Json:
    """A node as another one lists it."""
    items = trade.call(at, "get", "/peers")["items"]
    return next((item for item in items if item["org"] == trade.orgs[of]), None)


def level(trade: Trade, name: str) -> Json:
    """The maker's word of a hidden node, once it is in touch and nothing is left to take or give."""

    def look() -> Json:
        found = peer(trade, "maker", name)
        is_level = found and (found["to_take"], found["to_give"], found["trouble"]) == (0, 0, None)
        return found if is_level and found["is_live"] else None

    return trade.until(f"the maker is level with {name}", look)


def test_node_that_only_dials_out_is_in_touch_and_level(trade: Trade) -> None:
    """It opens no port and tells no address; whoever it dialled shows it as live, without an address, and level."""
    assert trade.nodes["utility"].addresses["federation"] == ""
    assert trade.call("utility", "get", "/node")["url"] == ""
    for name in ("utility", "lab"):
        shown = level(trade, name)
        assert (shown["url"], shown["dials_out_only"]) == ("", True)
        assert not peer(trade, name, "maker")["dials_out_only"]
    assert rows(trade.nodes["maker"].folder, "select count(*) from peers where url = '' and state = 'active'") == [(2,)]


def test_device_and_its_key_reach_a_node_that_only_dials_out(trade: Trade) -> None:
    """What is sold to it comes with the sealed key; its acceptance reaches the seller on the same connection."""
    device = trade.devices[0]
    sold = {"buyer": trade.orgs["utility"], "devices": [device], "number": "1"}

    shipment = trade.call("maker", "post", "/shipments", sold)["id"]
    trade.until("the offer", lambda: trade.call("utility", "get", "/shipments")["items"])
    trade.call("utility", "post", f"/shipments/{shipment}/acceptance")

    trade.until("the acceptance", lambda: trade.call("maker", "get", f"/shipments/{shipment}")["accepted"])
    trade.until("the key", lambda: trade.call("utility", "get", f"/shipments/{shipment}")["keys"] == 1)
    trade.call("utility", "post", f"/passports/{device}/key-requests", {"org": trade.orgs["maker"]})
    assert journal(trade.nodes["utility"].folder, "key_received")


def test_two_nodes_that_only_dial_out_hear_each_other_through_a_third(trade: Trade) -> None:
    """The lab's verification reaches the utility, which never talks to the lab, through the maker."""
    trade.verify([row for row in trade.call("maker", "get", "/passports")["items"] if row["id"] == trade.devices[0]])

    trade.until("the verification", lambda: trade.protocols("maker", trade.devices[0]))
    trade.call("maker", "post", "/shares", {"org": trade.orgs["utility"], "ids": [trade.devices[0]]})
    there = trade.until("the verification there", lambda: trade.protocols("utility", trade.devices[0]))

    assert there == trade.protocols("maker", trade.devices[0])
    assert peer(trade, "utility", "lab") is None


def test_node_that_only_dials_out_answers_questions_and_refusals(trade: Trade) -> None:
    """The maker looks up what only the hidden node knows, and is refused a key there: both in the words of any peer."""
    plate = trade.call("utility", "post", "/plates", {"text": "СГВ-15 № 0012345"})["id"]
    trade.call("utility", "post", "/shares", {"org": trade.orgs["maker"], "ids": [plate]})

    found = trade.until("the plate", lambda: trade.call("maker", "get", "/lookup", q="0012345")["items"])
    with pytest.raises(ApiError) as refused:
        trade.call("maker", "post", f"/passports/{trade.devices[1]}/key-requests", {"org": trade.orgs["utility"]})

    assert refused.value.code == "key_refused"
    assert plate in {item["id"] for item in found}
    assert journal(trade.nodes["utility"].folder, "secret_refused")


def test_node_that_only_dials_out_invites_nobody(trade: Trade) -> None:
    """An invitation names an address: a node without one says so, and what to do."""
    with pytest.raises(ApiError) as refused:
        trade.call("utility", "post", "/invitations")

    assert refused.value.code == "dials_out_only"


def test_node_that_was_away_is_dialled_again(trade: Trade) -> None:
    """After the maker was restarted at its address both hidden nodes are back in touch, by themselves."""
    maker = trade.nodes["maker"]
    port = maker.addresses["federation"].rpartition(":")[2]
    maker.stop()
    maker.start({"PASSPORT_FEDERATION__PORT": port})

    for name in ("utility", "lab"):
        assert level(trade, name)["dials_out_only"]


def test_settings_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    """A node made to dial out only says so in its settings; an address beside that ends the start with the reason."""
    folder = tmp_path / "node"
    assert command("init", str(folder), "--name", "Дом", "--dial-out").returncode == 0
    config = folder / "config.toml"
    assert "dial_out_only = true" in config.read_text()
    config.write_text(config.read_text().replace("dial_out_only", 'url = "https://h"\ndial_out_only'))

    done = command("serve", "--folder", str(folder))

    assert done.returncode
    assert "only dials out has no url" in done.stderr
