"""Three organisations write about one device while none of them reaches another; afterwards all hold one passport."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.trade import Trade, meters, trading

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("scenario")]

SAID = {"maker": "calibrated", "lab": "verified", "utility": "installed"}
AT = {"maker": "2026-05-01T08:00:00Z", "lab": "2026-05-02T08:00:00Z", "utility": "2026-05-03T08:00:00Z"}


@pytest.fixture
def trade(tmp_path: Path) -> Iterator[Trade]:
    """A maker, a lab and a utility; each node keeps its port over restarts."""
    with trading(tmp_path, "lab", "utility") as trade:
        for node in trade.nodes.values():
            port = urlsplit(node.addresses["federation"]).port
            node.environment = {**node.environment, "PASSPORT_FEDERATION__PORT": str(port)}
        yield trade


@pytest.mark.req("B67")
def test_three_write_apart_and_hold_one_passport_after_sync(trade: Trade) -> None:
    """Each writes with the other two stopped; once all run, the digests are equal and all three events are there."""
    device = trade.produce(meters(1))[0]["id"]
    for name in ("lab", "utility"):
        trade.call("maker", "post", "/shares", {"org": trade.orgs[name], "ids": [device]})
        trade.until("the passport arrives", partial(passport, trade, name, device))
    for node in trade.nodes.values():
        node.stop()

    for name, node in trade.nodes.items():
        node.start()
        event = {"what": SAID[name], "where": name, "when": AT[name]}
        trade.call(name, "post", f"/passports/{device}/events", event)
        assert said(trade, name, device) & set(SAID.values()) == {SAID[name]}, "the others are away"
        node.stop()
    for node in trade.nodes.values():
        node.start()

    trade.until("one passport on all three", lambda: len({digest(trade, name, device) for name in SAID}) == 1)
    for name in SAID:
        assert set(SAID.values()) <= said(trade, name, device)


def passport(trade: Trade, name: str, device: str) -> Any:
    """What a node answers for a device, or None while it has none."""
    items = trade.call(name, "get", "/passports")["items"]
    return trade.call(name, "get", f"/passports/{device}") if any(row["id"] == device for row in items) else None


def digest(trade: Trade, name: str, device: str) -> str:
    """Of the whole view."""
    return str(passport(trade, name, device)["digest"])


def said(trade: Trade, name: str, device: str) -> set[str]:
    """The codes of the events that a node shows."""
    return {row["what"]["central"] for row in trade.call(name, "get", f"/passports/{device}/events")["items"]}
