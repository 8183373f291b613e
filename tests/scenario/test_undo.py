"""An import that is undone, over two real nodes: the one that had received what is taken back shows the same."""

from collections.abc import Iterable, Iterator

import pytest

from node.demo.files import HEADER
from node.exchange.tables import write_csv
from tests.scenario.views import page
from tests.trade import Json, Trade, meters, trading

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("undo of two")]

COUNT = 5


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker and a utility that reads its passports."""
    with trading(tmp_path_factory.mktemp("undo"), "utility", PASSPORT_FEDERATION__DISCOVERY="false") as running:
        yield running


def listed(trade: Trade, name: str) -> set[str]:
    """The ids that a node lists."""
    return {row["id"] for row in trade.call(name, "get", "/passports", limit="200")["items"]}


def digests(trade: Trade, name: str, ids: Iterable[str]) -> list[str]:
    """The digests of passports at a node."""
    return [trade.call(name, "get", f"/passports/{device}")["digest"] for device in sorted(ids)]


def are_equal(trade: Trade, ids: Iterable[str]) -> bool:
    """Whether both nodes show equal bytes."""
    return digests(trade, "maker", ids) == digests(trade, "utility", ids)


def job_of(trade: Trade, job: str) -> Json:
    """A job of the maker once it ended."""
    return trade.until("the job", lambda: ended(trade, job))


def ended(trade: Trade, job: str) -> Json:
    told = trade.call("maker", "get", f"/jobs/{job}")
    return told if told["state"] in ("done", "failed") else None


def take(trade: Trade, rows: list[list[str]]) -> Json:
    return job_of(trade, trade.call("maker", "upload", "/imports", write_csv(HEADER, rows), name="партия.csv")["job"])


def test_undone_import_is_undone_at_the_other_node_too(trade: Trade) -> None:
    """Shared devices leave both nodes, a shipped one and one with a foreign plate stay, and both show equal bytes."""
    rows = meters(COUNT)
    first = take(trade, rows)
    ids = sorted(listed(trade, "maker"))
    trade.call("maker", "post", "/shares", {"org": trade.orgs["utility"], "ids": ids})
    trade.until("the passports", lambda: listed(trade, "utility") == {*ids} and are_equal(trade, ids))
    shipped, typed, *rest = ids
    eui = trade.call("maker", "get", f"/passports/{rest[0]}")["view"]["radio"]["dev_eui"]["value"]
    body = {"buyer": trade.orgs["utility"], "number": "1", "devices": [shipped]}
    trade.call("maker", "post", "/shipments", body)
    plate = trade.call("maker", "get", f"/passports/{typed}")["view"]["plates"][0]
    stated = {name: plate[name] for name in ("mark", "designation", "serial", "year", "approvals")}
    assert trade.call("utility", "post", "/plates", stated)["id"] == typed

    undone = job_of(trade, trade.call("maker", "post", f"/jobs/{first['job']}/undo", {"reason": "чужая партия"})["job"])

    assert (first["result"]["accepted"], undone["state"]) == (COUNT, "done")
    assert {name: undone["result"][name] for name in ("gone", "thinner", "left")} in (
        {"gone": COUNT - 1, "thinner": 0, "left": 1},  # the utility's own plate was not here yet
        {"gone": COUNT - 2, "thinner": 1, "left": 1},
    )
    left = trade.call("maker", "get", f"/jobs/{undone['job']}/left")["items"]
    assert [(row["id"], row["rule"]) for row in left] == [(shipped, "shipped")]
    trade.until("the withdrawals", lambda: listed(trade, "utility") == {shipped, typed})
    trade.until("equal bytes", lambda: are_equal(trade, [shipped]))
    view = trade.call("utility", "get", f"/passports/{typed}")["view"]
    assert [row["by"] for row in view["plates"]] == [trade.orgs["utility"]]
    assert (view["radio"], view["aliases"]) == ({}, [])
    withdrawn = [row for row in view["statements"] if row["withdrawn"] and row["kind"] != 23]
    assert {row["org"] for row in withdrawn} == {trade.orgs["maker"]}
    assert {row["withdrawn"]["reason"] for row in withdrawn} == {"чужая партия"}
    assert "чужая партия" in page(trade.nodes["utility"], f"/devices/{typed}")
    for name in ("maker", "utility"):
        assert trade.call(name, "get", "/lookup", q=eui)["items"] == []

    again = take(trade, rows)["result"]

    assert (again["accepted"], again["findings"]) == (COUNT - 1, [])
    trade.until("the passports again", lambda: {typed, *rest} <= listed(trade, "utility"))
    trade.until("equal bytes", lambda: are_equal(trade, rest))
