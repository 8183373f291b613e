"""The registry over a real node: lines and serials, events with their four parts, the timeline, the counts."""

import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from node.api_client import ApiError
from node.demo.processes import NodeProcess
from tests.nodes import PORTS, act, ask

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("registry")]

EVENT = {"what": "installed", "where": "depot", "when": "2026-03-01T10:00:00Z"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A steward of serial lines."""
    node = NodeProcess("lab", tmp_path_factory.mktemp("registry") / "lab")
    node.init(name="ФБУ «Демо-ЦСМ»", kind="lab", **PORTS)
    node.start()
    act(node, "/federation", {"name": "Демо"})
    org = ask(node, "/node")["org"]
    act(node, "/attestations", {"org": org, "what": "steward", "rows": ["line"]})
    for designation, yearly in (("СВК-15", False), ("СГВ-15", False), ("ГОД-15", True)):
        publish_line(node, designation, restarts_yearly=yearly)
    yield node
    node.stop()


def publish_line(node: NodeProcess, designation: str, *, restarts_yearly: bool) -> None:
    """A line of seven digits."""
    record = {
        "marks": ["ДЕМО"],
        "designations": [designation],
        "legal_makers": [],
        "serial": {"pattern": "digits", "width": 7},
        "restarts_yearly": restarts_yearly,
    }
    act(node, "/lines", {"record": record})


def plate(node: NodeProcess, designation: str, serial: str, year: str | None = None) -> str:
    """State a plate; answer the device id."""
    body = {"mark": "ДЕМО", "designation": designation, "serial": serial}
    return str(act(node, "/plates", body | ({"year": year} if year else {}))["id"])


@pytest.mark.req("B54")
def test_serial_is_unique_within_its_line_and_year(lab: NodeProcess) -> None:
    """One serial in two lines is two devices; where serials restart each year the year tells them apart."""
    one, other = plate(lab, "СВК-15", "0012345"), plate(lab, "СГВ-15", "0012345")
    first, second = plate(lab, "ГОД-15", "0012345", "2024"), plate(lab, "ГОД-15", "0012345", "2025")

    assert len({one, other, first, second}) == 4
    assert plate(lab, "СВК-15", "12345") == one
    assert plate(lab, "ГОД-15", "0012345", "2024") == first
    assert {item["id"] for item in ask(lab, "/lookup", q="0012345")["items"]} == {one, other, first, second}


@pytest.mark.req("B63")
@pytest.mark.parametrize("missing", ["what", "where", "when"])
def test_event_without_one_of_its_parts_is_refused(lab: NodeProcess, missing: str) -> None:
    """What, where and when must be said; who is the one who signs, so nobody can leave it out."""
    device = plate(lab, "СВК-15", "0000001")
    count = len(ask(lab, f"/passports/{device}/events")["items"])
    body = {name: value for name, value in EVENT.items() if name != missing}

    with pytest.raises(ApiError):
        act(lab, f"/passports/{device}/events", body)
    with pytest.raises(ApiError):
        asyncio.run(anonymous(lab, f"/passports/{device}/events"))

    assert len(ask(lab, f"/passports/{device}/events")["items"]) == count


@pytest.mark.req("B63")
def test_event_tells_who_what_where_and_both_times(lab: NodeProcess) -> None:
    """Where is a place of the own catalog or an object; when it happened and when it was recorded stand apart."""
    device, house = plate(lab, "СВК-15", "0000002"), plate(lab, "СВК-15", "0000003")
    act(lab, f"/passports/{device}/events", EVENT)
    act(lab, f"/passports/{device}/events", EVENT | {"what": "admitted", "where": house})

    placed, housed = ask(lab, f"/passports/{device}/events")["items"]

    assert placed["by"] == housed["by"] == ask(lab, "/node")["org"]
    assert (placed["what"]["central"], housed["what"]["central"]) == ("installed", "admitted")
    assert placed["where"]["place"]["local"] == "depot"
    assert housed["where"]["object"]
    assert placed["occurred"] == 1_772_359_200_000_000
    assert placed["recorded"] > placed["occurred"]


def test_time_without_a_zone_and_words_for_a_time_are_refused(lab: NodeProcess) -> None:
    """A naive time, a month of thirteen and a word are refused by name of the field."""
    device = plate(lab, "СВК-15", "0000002")

    for when in ("2026-03-01T10:00:00", "2026-13-01", "yesterday"):
        with pytest.raises(ApiError):
            act(lab, f"/passports/{device}/events", EVENT | {"when": when})


@pytest.mark.req("B55")
def test_timeline_is_filtered_by_who_and_what(lab: NodeProcess) -> None:
    """The API answers the events of one organisation, of one code, of both, or none."""
    device = plate(lab, "СВК-15", "0000004")
    org = ask(lab, "/node")["org"]
    for what in ("installed", "admitted", "installed"):
        act(lab, f"/passports/{device}/events", EVENT | {"what": what})

    def count(**query: str) -> int:
        return len(ask(lab, f"/passports/{device}/events", **query)["items"])

    assert (count(), count(what="installed"), count(what="admitted"), count(what="lost")) == (3, 2, 1, 0)
    assert (count(who=org), count(who=org, what="admitted"), count(who="00" * 16)) == (3, 1, 0)


def test_registry_is_counted_by_state(lab: NodeProcess) -> None:
    """Counts over all passports agree with the list and with its filter."""
    counted = ask(lab, "/registry")

    listed = ask(lab, "/passports", limit="200")["items"]
    assert counted["total"] == len(listed)
    for state, count in counted["states"].items():
        assert len(ask(lab, "/passports", limit="200", state=state)["items"]) == count


async def anonymous(node: NodeProcess, path: str) -> Any:  # Any: JSON
    """The same request over the network, without a name."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{node.addresses['console']}/api/v1{path}", json=EVENT) as response,
    ):
        if response.status >= 400:
            raise ApiError(str(response.status), str(response.status))
        return await response.json()
