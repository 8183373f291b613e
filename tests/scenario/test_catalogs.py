"""Releases and type passports between real nodes: a steward signs, a maker publishes, another node decides when."""

import math
from collections.abc import Iterator
from typing import Any

import pytest

from node.api_client import ApiError
from tests.catalog_records import TYPE, UNIT, VERSION
from tests.nodes import command, journal
from tests.scenario.views import page
from tests.trade import Trade, meters, trading

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("catalogs")]
DAY = "2026-05-01"


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker that keeps the units for the federation, and a utility."""
    with trading(tmp_path_factory.mktemp("catalogs"), "utility", PASSPORT_FEDERATION__DISCOVERY="false") as running:
        body = {"org": running.orgs["maker"], "what": "steward", "rows": ["units", "types"]}
        running.call("maker", "post", "/attestations", body)
        yield running


def releases(trade: Trade, name: str) -> dict[int, str]:
    """The releases of units that a node has, with their states."""
    return {row["number"]: row["state"] for row in trade.call(name, "get", "/catalogs/units/releases")["items"]}


def publish(trade: Trade, number: int, *records: dict[str, Any], removed: tuple[str, ...] = ()) -> None:
    body = {"number": number, "label": f"выпуск {number}", "date": DAY, "records": list(records), "removed": removed}
    trade.call("maker", "post", "/catalogs/units/releases", body)
    trade.until(f"release {number} at the utility", lambda: number in releases(trade, "utility"))


def write(trade: Trade, device: str, unit: str) -> Any:  # Any: JSON
    """A volume in that unit, as the utility writes it."""
    row = {"code": "volume", "value": "3", "unit": unit, "since": DAY}
    return trade.call("utility", "post", f"/passports/{device}/parameters", {"rows": [row]})


@pytest.mark.req("B49")
def test_node_works_on_release_n_while_n_plus_one_arrives(trade: Trade) -> None:
    """The steward signs two releases; the utility adopts the first, sees what the second changes, and adopts it."""
    device = trade.call("utility", "post", "/plates", {"designation": "ВС-15Д", "serial": "0012345"})["id"]
    publish(trade, 1, UNIT)
    with pytest.raises(ApiError, match="unit-unknown"):
        write(trade, device, "ft3")
    trade.call("utility", "post", "/catalogs/units/adoption", {"release": "1"})
    write(trade, device, "ft3")
    # The steward's own view of the world is the same, whatever he adopted: nothing.
    assert releases(trade, "maker") == {1: "waiting"}

    publish(trade, 2, {**UNIT, "ru": "куб. фут"}, {**UNIT, "code": "yd3", "ru": "ярд³", "en": "yd³"}, removed=("bar",))

    assert releases(trade, "utility") == {1: "adopted", 2: "waiting"}
    with pytest.raises(ApiError, match="unit-unknown"):
        write(trade, device, "yd3")
    found = trade.call("utility", "get", "/catalogs/units/releases/2/difference")
    assert (found["release"], found["against"]) == (2, 1)
    assert [row["code"] for row in found["added"]] == ["yd3"]
    assert [row["code"] for row in found["removed"]] == ["bar"]
    changed = found["changed"][0]
    assert (changed["code"], changed["touched"]) == ("ft3", 1)
    assert changed["changes"] == [{"field": "ru", "old": "фут³", "new": "куб. фут"}]
    shown = page(trade.nodes["utility"], "/catalogs/units/releases/2")
    assert "куб. фут" in shown
    view = trade.call("utility", "get", f"/passports/{device}")

    trade.call("utility", "post", "/catalogs/units/adoption", {"release": "2"})

    assert trade.call("utility", "get", f"/passports/{device}") == view, "an adoption changes no passport"
    write(trade, device, "yd3")
    assert releases(trade, "utility") == {1: "older", 2: "adopted"}
    folder = trade.nodes["utility"].folder
    assert [row["release"] for row in journal(folder, "release_adopted")] == [1, 2]
    assert [row["release"] for row in journal(folder, "release_arrived")] == [1, 2]


def test_release_is_adopted_by_itself_where_the_node_is_set_so(trade: Trade) -> None:
    """A node that adopts by itself works with a release of many pages as soon as it is here whole."""
    trade.call("utility", "post", "/catalogs/types/adoption", {"automatic": True})
    types = [
        {**TYPE, "code": f"t:n{n}", "model": f"Н-{n}", "executions": [f"Н-{n}-15"], "execution_params": {}}
        for n in range(1500)
    ]
    body = {"number": 1, "label": "типы", "date": DAY, "records": types}

    trade.call("maker", "post", "/catalogs/types/releases", body)

    def adopted() -> bool:
        return bool(trade.call("utility", "get", "/catalogs/types/releases")["release"] == 1)

    trade.until("the adoption", adopted)
    assert trade.call("utility", "get", "/types/t:n1499")["release"] == 1


@pytest.mark.req("B04", "B51", "B53")
def test_type_stands_before_its_first_device_and_devices_name_its_version(trade: Trade) -> None:
    """A type has its card with approval and validity, executions and versions; a device names one and gets defaults."""
    assert trade.call("maker", "post", "/types", {"record": TYPE}) == {"code": "t:new", "counts": True}
    assert trade.call("maker", "post", "/types/t:new/versions", VERSION)["counts"] is True
    with pytest.raises(ApiError) as twice:
        trade.call("maker", "post", "/types/t:new/versions", {**VERSION, "note": "другая"})
    odd = {**VERSION, "version": "1.1", "firmware": [{"n": math.nan}]}
    with pytest.raises(ApiError, match="JSON"):
        trade.call("maker", "post", "/types/t:new/versions", odd)
    trade.until("the type at the utility", lambda: has_version(trade))
    card = trade.call("utility", "get", "/types/t:new")
    assert (card["approval"], card["valid_from"], card["valid_until"], card["approval_state"]) == (
        "77777-26", "2026-01-15", "2031-01-14", "valid",
    )  # fmt: skip
    assert {row["code"]: row["defaults"] for row in card["executions"]} == {
        "УЗ-20-2,5": {"dn": 20, "ratio_r": 250, "q3": "2.5"},
        "УЗ-20-4": {"dn": 20, "ratio_r": 250, "q3": 4},
    }
    version = card["versions"][0]
    assert (version["version"], version["firmware"], version["prototypes"][0]["serial"]) == (
        "1.0", VERSION["firmware"], "ОП-1",
    )  # fmt: skip
    assert (card["devices"], twice.value.code) == (0, "type_version_taken")

    plate = {"designation": "УЗ-20", "serial": "1", "type": "t:new", "execution": "УЗ-20-2,5", "version": "1.0"}
    device = trade.call("maker", "post", "/plates", plate)["id"]
    items = trade.produce(meters(1))
    old = next(row["id"] for row in items if row["id"] != device)
    body = {"type": "t:new", "execution": "УЗ-20-4", "version": "1.0"}
    trade.call("maker", "post", f"/passports/{old}/type", body)
    with pytest.raises(ApiError, match="version"):
        trade.call("maker", "post", f"/passports/{old}/type", {**body, "version": "9"})

    view = trade.call("maker", "get", f"/passports/{device}")["view"]["type"]
    assert (view["central"], view["execution"], view["facts"]["version"]["value"]) == ("t:new", "УЗ-20-2,5", "1.0")
    assert (view["name"], view["defaults"]["q3"], view["record"]["approval"]) == (TYPE["type_ru"], "2.5", "77777-26")
    assert trade.call("maker", "get", "/types/t:new")["devices"] == 2
    assert "77777-26" in page(trade.nodes["maker"], "/types/t:new")
    assert trade.call("maker", "get", f"/types/{card['id']}")["code"] == "t:new"
    assert "/types/t%3Anew" in page(trade.nodes["maker"], f"/devices/{device}")


def test_catalogs_are_kept_by_the_command_line(trade: Trade, tmp_path: Any) -> None:
    """Own codes come from a table, are mapped, and a release is signed from a file of records."""
    folder = str(trade.nodes["maker"].folder)
    (tmp_path / "codes.csv").write_text("код;наименование\nМ3;кубометры\n", encoding="utf-8")
    (tmp_path / "units.json").write_text(
        '[{"code": "in3", "ru": "дюйм³", "en": "in³", "dimension": "volume", "factor": "1/61024"}]'
    )

    loaded = command("catalog", "import", "units", str(tmp_path / "codes.csv"), "--folder", folder)
    mapped = command("catalog", "map", "units", "М3=m3", "--folder", folder)
    signed = command(
        "catalog", "publish", "units", str(tmp_path / "units.json"), "--number", "9", "--label", "дюймы",
        "--date", DAY, "--folder", folder,
    )  # fmt: skip

    assert (loaded.returncode, mapped.returncode, signed.returncode) == (0, 0, 0), loaded.stderr + signed.stderr
    assert trade.call("maker", "get", "/catalogs/units/codes")["items"][0]["central"] == "m3"
    assert 9 in releases(trade, "maker")


def has_version(trade: Trade) -> bool:
    """Whether the utility has the type with its version."""
    try:
        return bool(trade.call("utility", "get", "/types/t:new")["versions"])
    except ApiError:
        return False
