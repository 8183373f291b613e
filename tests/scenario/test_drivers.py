"""Drivers between real nodes: a maker publishes, the utility's node fetches, tests and runs, or says why not."""

from collections.abc import Iterator
from typing import Any

import pytest

from node.api_client import ApiError
from tests.catalog_records import TYPE
from tests.nodes import command, journal
from tests.published import DOCUMENT, FRAME, SAYS, folder, package
from tests.trade import Trade, trading

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("drivers")]
Json = Any  # Any: JSON


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker that publishes its type, a utility, and a service firm."""
    with trading(
        tmp_path_factory.mktemp("drivers"), "utility", "service", PASSPORT_FEDERATION__DISCOVERY="false"
    ) as running:
        running.call("maker", "post", "/types", {"record": TYPE})
        yield running


def version(trade: Trade, name: str, driver: str, number: str) -> Json:
    """How a version stands at a node, or None where it did not come there."""
    items = trade.call(name, "get", "/drivers/versions")["items"]
    return next((one for one in items if (one["driver"], one["version"]) == (driver, number)), None)


def until_state(trade: Trade, name: str, driver: str, number: str, state: str) -> Json:
    """Wait until a version stands so at a node."""

    def stands() -> Json:
        found = version(trade, name, driver, number)
        return found if found and found["state"] == state else None

    return trade.until(f"{driver} {number} {state} at {name}", stands)


def publish(trade: Trade, who: str, **changes: Any) -> Json:  # Any: as of `folder`
    """Let a node publish a driver of its organisation."""
    return trade.call(who, "upload", "/drivers/versions", package(trade.orgs[who], **changes).encode())


def reads(trade: Trade, name: str, driver: str) -> list[tuple[str, str]]:
    """What a node makes of the frame by a driver."""
    found = trade.call(name, "post", f"/drivers/{driver}/decodings", {"port": 2, "data": FRAME})
    return [(one["quantity"], one["value"]) for one in found["readings"]]


def test_driver_of_the_maker_reads_at_the_utility_what_it_could_not_read(trade: Trade) -> None:
    """The utility fetches it, runs its vectors and works with it; a later version replaces it; taken back it ends."""
    with pytest.raises(ApiError) as unknown:
        reads(trade, "utility", "water-7")
    assert unknown.value.code == "driver_unknown"

    publish(trade, "maker")

    found = until_state(trade, "utility", "water-7", "1.0", "active")
    assert (found["standing"], found["vectors"], found["own"]) == ("owner", 1, False)
    assert reads(trade, "utility", "water-7") == [("volume", "1.234"), ("temperature", "23.1")]

    tenfold = "port-2 | 0:volume=12.34 m3 0:temperature=23.1 Cel | leak=0"
    publish(trade, "maker", version="1.1", scale="0.01", says=tenfold)
    until_state(trade, "utility", "water-7", "1.1", "active")
    assert reads(trade, "utility", "water-7") == [("volume", "12.34"), ("temperature", "23.1")]
    assert version(trade, "utility", "water-7", "1.0")["state"] == "replaced"
    newest = version(trade, "utility", "water-7", "1.1")["hash"]
    with pytest.raises(ApiError) as foreign:
        trade.call("utility", "post", f"/drivers/versions/{newest}/withdrawal", {"reason": "чужой"})
    assert foreign.value.code == "driver_not_own"

    trade.call("maker", "post", f"/drivers/versions/{newest}/withdrawal", {"reason": "объём вдесятеро больше"})
    until_state(trade, "utility", "water-7", "1.1", "withdrawn")
    with pytest.raises(ApiError):
        reads(trade, "utility", "water-7")
    publish(trade, "maker", version="1.2")
    until_state(trade, "utility", "water-7", "1.2", "active")
    assert reads(trade, "utility", "water-7") == [("volume", "1.234"), ("temperature", "23.1")]


def test_driver_of_a_stranger_runs_where_an_administrator_trusts_him(trade: Trade) -> None:
    """For types that are not his he is refused everywhere, with the reason; trust is one node's, and can be taken."""
    publish(trade, "service", name="water-alike")
    for name in ("maker", "utility"):
        found = until_state(trade, name, "water-alike", "1.0", "refused")
        assert "t:new" in found["why"]
    service = trade.orgs["service"]

    trade.call("utility", "put", f"/drivers/publishers/{service}", {})
    assert version(trade, "utility", "water-alike", "1.0")["standing"] == "trusted"
    assert reads(trade, "utility", "water-alike") == [("volume", "1.234"), ("temperature", "23.1")]
    assert version(trade, "maker", "water-alike", "1.0")["state"] == "refused"

    trade.call("utility", "delete", f"/drivers/publishers/{service}")
    assert version(trade, "utility", "water-alike", "1.0")["state"] == "refused"
    assert {row["driver"] for row in journal(trade.nodes["utility"].folder, "driver_refused")} == {"water-alike"}


def test_two_publishers_of_one_id_do_not_stand_in_each_others_way(trade: Trade) -> None:
    """Whoever publishes under the id of another takes nothing of his; trusted, his runs beside it, and it is told."""
    publish(trade, "maker", name="water-8")
    until_state(trade, "service", "water-8", "1.0", "active")

    publish(trade, "service", name="water-8")

    def both() -> Json:
        items = trade.call("utility", "get", "/drivers/versions")["items"]
        found = {one["org"]: one for one in items if one["driver"] == "water-8"}
        return found if len(found) == 2 else None

    found = trade.until("both at the utility", both)
    maker, service = trade.orgs["maker"], trade.orgs["service"]
    assert (found[maker]["state"], found[service]["state"]) == ("active", "refused")
    trade.call("utility", "put", f"/drivers/publishers/{service}", {})
    found = both()
    assert (found[maker]["state"], found[service]["state"]) == ("active", "active")
    assert (found[maker]["namesakes"], found[service]["namesakes"]) == ([service], [maker])
    with pytest.raises(ApiError) as doubled:
        reads(trade, "utility", "water-8")
    assert doubled.value.code == "driver_doubled"
    stopped = trade.call("utility", "post", f"/drivers/versions/{found[service]['hash']}/stop", {})
    assert (stopped["state"], stopped["stopped"]) == ("stopped", True)
    assert reads(trade, "utility", "water-8") == [("volume", "1.234"), ("temperature", "23.1")]
    trade.call("utility", "delete", f"/drivers/publishers/{service}")


def test_author_makes_a_driver_tests_it_and_publishes_it_by_commands(trade: Trade, tmp_path: Any) -> None:
    """`driver new` begins a folder that holds its own test; `test`, `try` and `publish` work on it."""
    node = trade.nodes["maker"].folder
    place = tmp_path / "water-9"
    made = command("driver", "new", str(place), "--id", "water-9", "-f", str(node))
    assert made.returncode == 0, made.stderr
    assert command("driver", "test", str(place)).returncode == 0

    for name, content in folder(trade.orgs["maker"], name="water-9").items():
        (place / name).write_bytes(content)
    tested = command("driver", "test", str(place))
    assert (tested.returncode, "water-9 1.0" in tested.stdout) == (0, True), tested.stdout + tested.stderr
    tried = command("driver", "try", str(place), "2", FRAME)
    assert SAYS in tried.stdout
    told = command("driver", "publish", str(place), "-f", str(node))
    assert told.returncode == 0, told.stderr
    until_state(trade, "utility", "water-9", "1.0", "active")
    there = command("driver", "try", "water-9", "2", FRAME, "-f", str(trade.nodes["utility"].folder))
    assert "1.234" in there.stdout

    (place / "payload.yaml").write_bytes(DOCUMENT.replace(b"div: 10", b"div: 100"))
    failed = command("driver", "test", str(place))
    assert failed.returncode == 1
    assert "temperature=23.1" in failed.stdout + failed.stderr
    assert "temperature=2.31" in failed.stdout + failed.stderr
    listed = command("drivers", "-f", str(trade.nodes["utility"].folder))
    assert "water-9 1.0" in listed.stdout


@pytest.mark.req("A03")
def test_package_in_the_folder_of_a_node_reads_after_a_start(trade: Trade) -> None:
    """An administrator puts a package there and starts the node again; what is wrong is listed and stops nothing."""
    node = trade.nodes["service"]
    place = node.folder / "drivers"
    place.mkdir()
    (place / "water-10.json").write_bytes(package("00" * 16, name="water-10", types=("t:new",)).encode())
    (place / "wrong.json").write_bytes(package("00" * 16, name="water-11", says="port-2").encode())
    (place / "torn.json").write_bytes(b"{")
    node.stop()
    node.start()

    assert reads(trade, "service", "water-10") == [("volume", "1.234"), ("temperature", "23.1")]
    broken = {one["name"]: one["why"] for one in trade.call("service", "get", "/drivers")["broken"]}
    assert broken.keys() == {"torn.json", "wrong.json"}
    assert "usual" in broken["wrong.json"]
