"""The registry over a real node: lines and serials, events with their four parts, the timeline, the counts."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from node.api_client import ApiError
from node.demo.processes import NodeProcess
from node.passport.ids import parse_device_id
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


@pytest.mark.parametrize("missing", ["what", "where", "when"])
def test_event_without_one_of_its_parts_is_refused_by_name(lab: NodeProcess, missing: str) -> None:
    """What, where and when must be said and the refusal names the one that is not; empty counts as not said."""
    device = plate(lab, "СВК-15", "0000001")
    count = len(ask(lab, f"/passports/{device}/events")["items"])
    headers = {"Authorization": f"Bearer {act(lab, '/tokens', {'name': missing, 'scopes': ['record']})['secret']}"}

    for body in ({name: value for name, value in EVENT.items() if name != missing}, EVENT | {missing: ""}):
        status, problem = asyncio.run(send(lab, f"/passports/{device}/events", body, headers))
        assert (status, problem["code"]) == (422, "validation")
        assert [(rule["place"], rule["pointer"]) for rule in problem["errors"]] == [("body", f"/{missing}")]

    assert len(ask(lab, f"/passports/{device}/events")["items"]) == count


@pytest.mark.parametrize(
    ("headers", "refused"),
    [({}, (403, "unclaimed")), ({"Authorization": "Bearer of-nobody"}, (401, "unauthenticated"))],
)
def test_event_of_nobody_is_refused(lab: NodeProcess, headers: dict[str, str], refused: tuple[int, str]) -> None:
    """Who is the one who asks, in the name of the node's organisation: who has no name there records nothing."""
    device = plate(lab, "СВК-15", "0000001")
    count = len(ask(lab, f"/passports/{device}/events")["items"])

    status, problem = asyncio.run(send(lab, f"/passports/{device}/events", EVENT, headers))

    assert (status, problem["code"]) == refused
    assert len(ask(lab, f"/passports/{device}/events")["items"]) == count


def test_event_tells_who_what_where_and_both_times(lab: NodeProcess) -> None:
    """Where is a place of the own catalog, a unit or a device; when it happened and when it was recorded stand apart.

    A building has no passport of its own here: where one is meant, its own code in the catalog of places stands for it.
    """
    device, other = plate(lab, "СВК-15", "0000002"), plate(lab, "СВК-15", "0000003")
    unit = with_parts(lab, part_of(lab, other))
    assert ask(lab, f"/passports/{unit}")["view"]["kind"] == "unit"
    whats = {"depot": "installed", unit: "admitted", other: "removed"}
    before = datetime.now(UTC)
    for where, what in whats.items():
        act(lab, f"/passports/{device}/events", EVENT | {"what": what, "where": where})

    events = ask(lab, f"/passports/{device}/events")["items"]

    assert [event["what"]["central"] for event in events] == list(whats.values())
    places = [event["where"] for event in events]
    assert [place["place"] and place["place"]["local"] for place in places] == ["depot", None, None]
    assert [place["object"] for place in places] == [None, *(parse_device_id(text).hex for text in (unit, other))]
    for event in events:
        assert event["by"] == ask(lab, "/node")["org"]
        assert event["occurred"] == 1_772_359_200_000_000
        assert before <= datetime.fromtimestamp(event["recorded"] / 1e6, UTC) <= datetime.now(UTC)


def with_parts(node: NodeProcess, subject: str) -> str:
    """The subject after a part of it was replaced."""
    part = {"position": "плата", "designation": "ПБ-1", "serial": "000202", "removed_serial": "000101"}
    act(node, f"/passports/{subject}/repairs", {"where": "depot", "when": "2026-02-01", "parts": [part]})
    return subject


def part_of(node: NodeProcess, device: str) -> str:
    """The id of the part that stands in a device."""
    with_parts(node, device)
    (part,) = ask(node, f"/passports/{device}/composition", on="2026-02-02")["items"]
    return str(part["part"])


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


async def send(node: NodeProcess, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:  # Any: JSON
    """A request over the network: the status and the answer."""
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{node.addresses['console']}/api/v1{path}", json=body) as response,
    ):
        return response.status, await response.json()
