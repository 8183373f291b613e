"""Two sources of one parameter, asked of the nodes of both: both are shown, and the higher rank stands."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.scenario.views import page
from tests.trade import WHO, Trade, meters, trading

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("web sources")]

# Whom the maker lets write ranks one step below it, and not at all where the maker alone may state.
PRODUCTION, PHYSICAL = "hardware_version", "firmware_version"
MAKER, UTILITY = (WHO[name]["name"] for name in ("maker", "utility"))
MADE, CHANGED, SETTLED = "2026-04-16", "2026-06-01", "2026-09-01"


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker of one meter, and a utility that it lets read and speak of it."""
    folder = tmp_path_factory.mktemp("web-sources")
    with trading(folder, "utility", PASSPORT_FEDERATION__DISCOVERY="false") as running:
        (row,) = running.produce(meters(1))
        running.call("maker", "post", "/shares", {"org": running.orgs["utility"], "ids": [row["id"]], "write": True})
        running.until("the passport", lambda: running.call("utility", "get", "/passports")["items"])
        yield running


def state(trade: Trade, name: str, code: str, value: str, since: str) -> None:
    """Let an organisation say a value of the meter from a day on."""
    row = {"code": {"central": code}, "value": value, "since": since}
    trade.call(name, "post", f"/passports/{trade.devices[0]}/parameters", {"rows": [row]})


def value_on(trade: Trade, name: str, code: str, on: str) -> Any:  # Any: JSON
    """What a node answers of a parameter on a day: value, standing, by whom, and what others say beside it."""
    items = trade.call(name, "get", f"/passports/{trade.devices[0]}/parameters", on=on)["items"]
    (row,) = [item for item in items if item["code"] == code] or [None]
    if row is None:
        return None
    beside = {(other["value"], other["standing"], other["by"]) for other in row["others"]}
    return row["value"], row["standing"], row["by"], beside


@pytest.mark.req("B56")
def test_two_sources_of_a_value_are_both_shown_and_ranked_on_every_day(trade: Trade) -> None:
    """Seller and reader answer alike: the maker's word stands over what it let another say, shown beside it."""
    maker, utility = trade.orgs["maker"], trade.orgs["utility"]
    state(trade, "utility", PRODUCTION, "D", MADE)
    state(trade, "maker", PHYSICAL, "1.5", CHANGED)
    state(trade, "utility", PHYSICAL, "1.7", CHANGED)
    state(trade, "maker", PHYSICAL, "1.8", SETTLED)
    state(trade, "utility", PHYSICAL, "1.80", SETTLED)
    trade.until("both words on both nodes", lambda: digests(trade) == 1)

    lent = ("1.5", "stated", maker, {("1.7", "claim", utility)})
    for name in ("maker", "utility"):
        assert value_on(trade, name, PHYSICAL, "2026-04-15") is None
        assert value_on(trade, name, PHYSICAL, MADE) == ("1.4", "stated", maker, set())
        assert value_on(trade, name, PHYSICAL, "2026-05-31") == ("1.4", "stated", maker, set())
        assert value_on(trade, name, PHYSICAL, CHANGED) == lent
        assert value_on(trade, name, PHYSICAL, "2026-08-31") == lent
        assert value_on(trade, name, PHYSICAL, SETTLED) == ("1.8", "stated", maker, {("1.80", "stated", utility)})
        for day in (MADE, SETTLED):
            assert value_on(trade, name, PRODUCTION, day) == ("C", "stated", maker, {("D", "claim", utility)})
        shown = page(trade.nodes[name], f"/devices/{trade.devices[0]}?on={CHANGED}")
        values = shown[shown.index('id="parameters"') : shown.index('id="composition"')]
        assert all(text in values for text in ("<strong>1.5</strong>", "1.7", UTILITY, "<strong>C</strong>"))
        rivals = shown[shown.index('id="conflicts"') : shown.index('id="identity"')]
        assert f'D <span class="quiet">({UTILITY})</span>' in rivals, "the lower word is a claim"


def digests(trade: Trade) -> int:
    """How many different passports the two nodes hold of the meter."""
    path = f"/passports/{trade.devices[0]}"
    return len({trade.call(name, "get", path)["digest"] for name in ("maker", "utility")})
