"""The production line of a maker through the API: kits by scanning, a device from board to box, one that returns."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from node.api_client import ApiError
from node.demo.documents import bench_template, verification_document, verification_template
from tests.catalog_records import VERSION
from tests.trade import WATER, Trade, meters, trading
from tests.unit.exchange.test_bench import RUN

pytestmark = pytest.mark.slow
Json = Any  # Any: what the API answers
KIT = [
    {"position": "A1", "designation": "СЭ-2726"},
    {"position": "B1", "designation": "Батарея ER14505", "alternates": ["Батарея LS14500"]},
    {"position": "C1", "designation": "Крышка", "optional": True},
]
BATTERY = "Батарея LS14500 № 7"
WHO = {"station": "К-3", "operator": "117"}
DEMANDED = {"firmware": {"firmware": "1.0.7"}, "pack": {"box": "КР-9"}}


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker with five meters of a version with a kit, their production open, a utility, and a lab that takes part."""
    with trading(tmp_path_factory.mktemp("line"), "utility", "lab", PASSPORT_FEDERATION__DISCOVERY="false") as running:
        running.produce(meters(5))
        running.call("maker", "post", f"/types/{WATER.central}/versions", {**VERSION, "kit": KIT})
        for device in running.devices[:4]:
            running.call("maker", "post", f"/passports/{device}/type", {"type": WATER.central, "version": "1.0"})
        for procedure in running.call("maker", "get", "/procedures/shipped")["items"]:
            if procedure["code"] in ("production", "smt"):
                running.call("maker", "post", "/procedures", procedure)
        opened(running, "production", *running.devices[:2], running.devices[3])
        digest = procedure_of(running, "maker", "production")["digest"]
        running.until("the procedure", lambda: procedure_of(running, "lab", "production"))
        running.call("lab", "post", f"/procedures/{digest}/acceptance")
        running.until("the signature", lambda: len(procedure_of(running, "maker", "production")["parties"]) == 2)
        opened(running, "production", running.devices[2], lab="lab")
        yield running


def procedure_of(trade: Trade, who: str, code: str) -> Json:
    """A procedure as a node lists it, None where it is not there."""
    return next((row for row in trade.call(who, "get", "/procedures")["items"] if row["code"] == code), None)


def opened(trade: Trade, code: str, *things: str, lab: str = "maker") -> list[str]:
    """Processes of which the maker has every role, but for the lab's."""
    procedure = procedure_of(trade, "maker", code)
    whole = trade.call("maker", "get", f"/procedures/{procedure['digest']}")["procedure"]
    roles = {role["code"]: trade.orgs[lab if role["code"] == "lab" else "maker"] for role in whole["roles"]}
    body = {"procedure": procedure["digest"], "ids": list(things), "roles": roles}
    found: list[str] = trade.call("maker", "post", "/processes", body)["items"]
    return found


def scan(trade: Trade, step: str, device: str, code: str = "production", **more: Json) -> Json:
    """What a station does with a device."""
    body = {"code": code, "step": step, "text": device, **WHO, "do": True, **more}
    return trade.call("maker", "post", "/line/scans", body)


def refused(trade: Trade, step: str, device: str, **more: Json) -> str:
    """The code with which a scan is refused."""
    with pytest.raises(ApiError) as error:
        scan(trade, step, device, **more)
    return str(error.value.code)


def view(trade: Trade, device: str, who: str = "maker") -> Json:
    """A passport as a node shows it."""
    return trade.call(who, "get", f"/passports/{device}")["view"]


def next_step(trade: Trade, who: str, device: str) -> Json:
    """The step at which the one process of a device stands, None where a node does not know."""
    known = device in [row["id"] for row in trade.call(who, "get", "/passports")["items"]]
    waits = [run["waits"] for run in view(trade, device, who)["processes"]] if known else []
    return waits[0]["step"] if waits and waits[0] else None


@pytest.mark.req("B33")
def test_kit_with_a_wrong_or_used_part_is_refused_and_nothing_goes_in(trade: Trade) -> None:
    """A part of another kit, one too many, a missing one and a used serial are refused by name, all or nothing."""
    one, other = trade.devices[0], trade.devices[1]

    assert refused(trade, "kitting", one, parts=["СЭ-9999 № 1", BATTERY]) == "kit_designation"
    assert refused(trade, "kitting", one, parts=["СЭ-2726 № 1", "СЭ-2726 № 2", BATTERY]) == "kit_too_many"
    assert refused(trade, "kitting", one, parts=["СЭ-2726 № 1"]) == "kit_missing"
    assert refused(trade, "kitting", one, parts=[BATTERY, BATTERY]) == "kit_too_many"
    assert view(trade, one)["composition"]["children"] == []

    done = scan(trade, "kitting", one, parts=["СЭ-2726 № 1", BATTERY])
    assert done["process"]["waits"]["step"] == "firmware"
    inside = {(edge["position"], edge["serial"]) for edge in view(trade, one)["composition"]["children"]}
    assert inside == {("A1", "1"), ("B1", "7")}
    assert refused(trade, "kitting", other, parts=["СЭ-2726 № 1", "Батарея ER14505 № 8"]) == "composition_two_parents"
    assert refused(trade, "kitting", one, parts=["СЭ-2726 № 3"]) == "line_other_step"
    run = trade.call("maker", "get", "/processes", step="kitting")["items"][0]["run"]
    part = {"designation": "СЭ-2726", "serial": "4", "position": "Z9"}
    with pytest.raises(ApiError) as error:
        trade.call("maker", "post", f"/processes/{run}/steps/kitting", {"parts": [part]})
    assert error.value.code == "kit_position"
    (edge,) = [edge for edge in view(trade, one)["composition"]["children"] if edge["position"] == "A1"]
    assert edge["until"] is None
    assert trade.call("maker", "get", "/line/done", code="production", step="kitting")["done"] == 1


def test_version_without_a_kit_takes_any_part(trade: Trade) -> None:
    """A device whose version states no kit is put together of whatever is scanned."""
    device = trade.devices[4]
    opened(trade, "production", device)

    done = scan(trade, "kitting", device, parts=["Что угодно № 5"])

    assert (done["kit"], done["process"]["waits"]["step"]) == ([], "firmware")


@pytest.mark.req("B05", "B26")
def test_device_is_followed_from_its_board_to_its_box(trade: Trade) -> None:
    """The ledger of operations names each step with station and operator, the parts, the bench and the verification,
    which is the step of a lab on its own node.
    """
    device = trade.devices[2]
    board = trade.call("maker", "post", "/things", {"kind": "component", "name": "СЭ-2726", "number": "Б-1"})["id"]
    opened(trade, "smt", board)
    scan(trade, "placement", board, "smt", parts=["STM32L0 № 77"], detail={"panel": "П-12"})
    scan(trade, "reflow", board, "smt")
    scan(trade, "aoi", board, "smt", outcome="passed")
    scan(trade, "kitting", device, parts=[board, "Батарея ER14505 № 21"])
    scan(trade, "firmware", device, detail=DEMANDED["firmware"])
    bench(trade, device)
    scan(trade, "mark", device)
    verify(trade, device)
    scan(trade, "pack", device, detail=DEMANDED["pack"])

    (run,) = view(trade, device)["processes"]
    assert run["state"] == "done"
    ledger = trade.call("maker", "get", f"/passports/{device}/operations", limit="200")["items"]
    moves = [row for row in ledger if row["what"] == "move" and row["says"] == "done"]
    assert {row["step"] for row in moves if row["by"] == trade.orgs["lab"]} == {"initial_verification"}
    assert [row["step"] for row in moves] == [
        "kitting", "firmware", "flow_bench", "mark", "initial_verification", "pack",
    ]  # fmt: skip
    assert {(row["station"], row["operator"]) for row in moves if row["step"] in ("kitting", "mark")} == {
        ("К-3", "117")
    }
    assert [row["name"]["serial"] or row["name"]["part"] for row in ledger if row["what"] == "fitted"]
    protocols = {(row["step"], row["process"], row["run"]) for row in ledger if row["what"] == "protocol"}
    assert protocols == {(step, "production", run["id"]) for step in ("flow_bench", "initial_verification")}
    events = [row["name"]["central"] for row in ledger if row["what"] == "event"]
    assert {"manufactured", "configured", "calibrated", "marked", "verified", "packed"} <= set(events)
    packed = next(row for row in ledger if row["name"].get("central") == "packed")
    assert (packed["by"], packed["operator"], packed["step"]) == (trade.orgs["maker"], "117", "pack")
    known = [row["when_us"] for row in ledger if row["when_us"] is not None]
    assert known == sorted(known)
    tree = trade.call("maker", "get", f"/passports/{device}/tree")
    assert [part["parts"][0]["title"] for part in tree["parts"] if part["id"] == board] == ["STM32L0 № 77"]


@pytest.mark.req("B36")
def test_device_that_comes_back_is_known_with_its_whole_history(trade: Trade) -> None:
    """A meter that was sold and installed is scanned at the plant: its history is here, and a repair is open for it."""
    device = trade.devices[3]
    shipped = {"buyer": trade.orgs["utility"], "number": "ТТН-1", "devices": [device]}
    shipment = trade.call("maker", "post", "/shipments", shipped)["id"]
    trade.until("the offer", lambda: trade.call("utility", "get", "/shipments")["items"])
    trade.call("utility", "post", f"/shipments/{shipment}/acceptance")
    trade.until("the passport", lambda: trade.call("utility", "get", "/passports")["items"])
    for what, day in (("installed", "2026-06-01"), ("removed", "2026-11-20")):
        body = {"what": what, "where": "Ленина, 5", "when": day}
        trade.call("utility", "post", f"/passports/{device}/events", body)
    trade.call("utility", "post", "/shares", {"org": trade.orgs["maker"], "ids": [device]})

    def history() -> list[str]:
        return [event["what"]["central"] for event in view(trade, device)["events"]]

    trade.until("the history", lambda: {"installed", "removed"} <= set(history()))
    serial = view(trade, device)["identity"]["serial"]["value"]
    found = trade.call("maker", "get", "/lookup", q=serial)["items"]
    assert [row["id"] for row in found] == [device]
    theirs = trade.call("utility", "get", f"/passports/{device}")["view"]["events"]
    assert history() == [event["what"]["central"] for event in theirs]
    assert view(trade, device)["parties"]["owner"]["value"] == trade.orgs["utility"]
    repair = next(one for one in trade.call("maker", "get", "/procedures/shipped")["items"] if one["code"] == "repair")
    trade.call("maker", "post", "/procedures", repair)
    (run,) = opened(trade, "repair", device)
    done: Json = {"detail": {"defect": "плата"}, "outcome": "repairable"}
    trade.call("maker", "post", f"/processes/{run}/steps/diagnose", done)
    assert view(trade, device)["processes"][-1]["waits"]["step"] == "replace_parts"


def bench(trade: Trade, device: str) -> None:
    """The bench file of one meter does its step."""
    trade.call("maker", "upload", "/templates", bench_template())
    raw = json.dumps([bench_run(view(trade, device))]).encode()
    job = trade.call("maker", "upload", "/imports", raw, name="bench.json", kind="bench")["job"]
    trade.until("the bench file", lambda: trade.call("maker", "get", f"/jobs/{job}")["state"] == "done")


def bench_run(shown: Json) -> Json:
    """A run of a meter as a bench writes it."""
    printed = {name: shown["identity"][name]["value"] for name in ("designation", "serial", "year")}
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return {**RUN, **printed, "execution": WATER.execution, "started_at": now, "finished_at": now}


def verify(trade: Trade, device: str) -> None:
    """The lab verifies on its own node, and the maker's node hears of it."""
    trade.until("the lab's turn", lambda: next_step(trade, "lab", device) == "initial_verification")
    template = trade.call("lab", "upload", "/templates", verification_template())["reference"]
    (run,) = view(trade, device, "lab")["processes"]
    document = verification_document(device, view(trade, device, "lab")["title"], 1).decode()
    body = {"template": template, "document": document}
    trade.call("lab", "post", f"/processes/{run['id']}/steps/initial_verification", body)
    trade.until("the verification", lambda: next_step(trade, "maker", device) == "pack")
