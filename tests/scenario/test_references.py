"""Codes that are bound late, over real nodes: what was imported with an own code alone answers the central one."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from node.demo.files import HEADER
from node.exchange.tables import write_csv
from tests.scenario.views import page
from tests.trade import Trade, meters, trading

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("references")]

OWN, CENTRAL = "00-00009901", "t:cw"
BOUND_AT_ONCE = "t:cwv"
UNBOUND = "<code>нет связи</code>"
COUNT = 3


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker that numbers its types itself, and a utility that reads its passports."""
    with trading(tmp_path_factory.mktemp("references"), "utility", PASSPORT_FEDERATION__DISCOVERY="false") as running:
        yield running


def of_type(trade: Trade, name: str, code: str) -> set[str]:
    """The ids of the passports that a node answers for a central code."""
    return {row["id"] for row in trade.call(name, "get", "/passports", type=code, limit="200")["items"]}


def view(trade: Trade, name: str, device: str) -> Any:  # Any: JSON
    return trade.call(name, "get", f"/passports/{device}")["view"]


def marked(trade: Trade, name: str, devices: Iterable[str]) -> set[str]:
    """The devices whose page says that the code is not bound."""
    return {device for device in devices if UNBOUND in page(trade.nodes[name], f"/devices/{device}")}


@pytest.mark.req("B69")
def test_records_with_an_own_code_answer_the_central_one_once_it_is_bound(trade: Trade) -> None:
    """An unknown code is taken and marked; one binding later every record of it answers, here and at the reader's."""
    bound, *unbound = meters(1 + COUNT)
    rows = [bound, *([OWN, *row[1:]] for row in unbound)]
    job = trade.call("maker", "upload", "/imports", write_csv(HEADER, rows), name="production.csv")["job"]
    report = trade.until("the import", lambda: done(trade, job))
    known = {row["id"]: view(trade, "maker", row["id"]) for row in trade.call("maker", "get", "/passports")["items"]}
    old = {device for device, said in known.items() if said["type"]["local"] == OWN}
    assert (report["accepted"], report["findings"], report["unbound"]) == (1 + COUNT, [], [OWN])
    assert len(old) == COUNT
    assert {known[device]["type"]["central"] for device in old} == {None}
    trade.call("maker", "post", "/shares", {"org": trade.orgs["utility"], "ids": sorted(known)})
    trade.until("the passports", lambda: len(trade.call("utility", "get", "/passports")["items"]) == len(known))
    for name in ("maker", "utility"):
        assert of_type(trade, name, CENTRAL) == set()
        assert of_type(trade, name, BOUND_AT_ONCE) == known.keys() - old
        assert of_type(trade, name, OWN) == set(), "a query is by central codes"
        assert marked(trade, name, known) == old
    said = {device: view(trade, "maker", device)["statements"] for device in old}

    trade.call("maker", "post", "/references", {"catalog": "types", "local": OWN, "central": CENTRAL})

    assert of_type(trade, "maker", CENTRAL) == old
    trade.until("the binding at the reader's", lambda: of_type(trade, "utility", CENTRAL) == old)
    for name in ("maker", "utility"):
        assert of_type(trade, name, BOUND_AT_ONCE) == known.keys() - old
        listed = page(trade.nodes[name], f"/devices?type={CENTRAL}")
        assert {device for device in known if f"/devices/{device}" in listed} == old
        assert marked(trade, name, known) == set()
    for device in old:
        now = view(trade, "maker", device)
        assert (now["type"]["local"], now["type"]["central"]) == (OWN, CENTRAL)
        assert now["statements"] == said[device], "the records are the old ones"


def test_type_narrows_together_with_text_and_state(trade: Trade) -> None:
    """A type, a state and a text are asked together; a device id of another type or state is not answered."""
    trade.produce(meters(2, seed=2))
    device = min(of_type(trade, "maker", BOUND_AT_ONCE))
    asked = {"type": BOUND_AT_ONCE, "state": view(trade, "maker", device)["state"]["code"]}
    serial = view(trade, "maker", device)["title"].rpartition(" ")[2]

    def found(**query: str) -> list[str]:
        return [row["id"] for row in trade.call("maker", "get", "/passports", **query)["items"]]

    for text in (device, serial, serial[:-1]):
        assert found(**asked, q=text) == [device], text
        for other in ({"type": "t:hw"}, {"state": "lost"}):
            assert found(**(asked | other), q=text) == [], (text, other)


def done(trade: Trade, job: str) -> Any:  # Any: JSON
    """The report of an import, None while it runs."""
    found = trade.call("maker", "get", f"/jobs/{job}", wait="20")
    return found["result"] if found["state"] == "done" else None
