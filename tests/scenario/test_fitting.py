"""A fitter's work over two nodes: a meter is installed with an act of two, and later taken down for another one."""

import json
from collections.abc import Iterator
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from node.api_client import ApiError
from tests.trade import Trade, meters, trading

pytestmark = pytest.mark.slow
Json = Any  # Any: what the API answers
ACT = Path(__file__).parents[2] / "examples" / "templates" / "commissioning.schema.json"
FILLED = Path(__file__).parents[2] / "examples" / "protocols" / "commissioning.ok.json"


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker who owns two meters, a fitter (the utility's node) and a lab, in one federation."""
    with trading(tmp_path_factory.mktemp("fitting"), "utility", "lab") as trade:
        trade.produce(meters(2))
        yield trade


def opened(trade: Trade, name: str, device: str) -> str:
    """A process of the owner in which the fitter is the executor."""
    raw = (resources.files("node.passport") / "data" / "procedures" / f"{name}.json").read_text()
    digest = trade.call("maker", "post", "/procedures", json.loads(raw))["digest"]
    trade.until("the procedure", lambda: digest in {row["digest"] for row in known(trade, "utility")})
    trade.call("utility", "post", f"/procedures/{digest}/acceptance")
    trade.until(
        "the signature", lambda: any(r["digest"] == digest and len(r["parties"]) > 1 for r in known(trade, "maker"))
    )
    body = {"procedure": digest, "ids": [device], "roles": {"executor": trade.orgs["utility"]}}
    return str(trade.call("maker", "post", "/processes", body)["items"][0])


def known(trade: Trade, who: str) -> list[Json]:
    """The procedures that a node knows."""
    items: list[Json] = trade.call(who, "get", "/procedures")["items"]
    return items


def at_step(trade: Trade, who: str, run: str) -> str:
    """Where a process stands as a node shows it, empty where it is not there yet."""
    rows = trade.call(who, "get", "/processes", limit="200")["items"]
    return next((row["step"] for row in rows if row["run"] == run), "")


def do(trade: Trade, who: str, run: str, step: str, **body: Json) -> None:
    """Do a step as soon as it is its turn here."""
    trade.until(step, lambda: at_step(trade, who, run) == step)
    trade.call(who, "post", f"/processes/{run}/steps/{step}", body)


def state(trade: Trade, who: str, device: str) -> str:
    """The state of a device as a node shows it."""
    return str(trade.call(who, "get", f"/passports/{device}")["view"]["state"]["code"])


def act(trade: Trade, device: str, title: str) -> str:
    """A commissioning act of the fitter and the owner."""
    found = json.loads(FILLED.read_text())
    for name in ("radio", "place"):
        del found[name]
    whose = {"executor": {"org": trade.orgs["utility"]}, "utility": {"org": trade.orgs["maker"]}}
    plate = {"gid": device, "serial": title.rpartition(" ")[2]}
    changes = {"date": "2026-11-20", "admitted": False, "device": plate, "place": {"object": "подвал"}}
    return json.dumps(found | whose | changes, ensure_ascii=False)


@pytest.mark.req("A07")
def test_meter_is_installed_by_the_fitter_and_both_nodes_show_it(trade: Trade) -> None:
    """Found by its serial, refused while unverified, mounted, sealed, commissioned by an act that both sign."""
    (row, *_) = trade.call("maker", "get", "/passports", limit="200")["items"]
    device, title = row["id"], row["title"]
    run = opened(trade, "installation", device)
    trade.until("the work", lambda: at_step(trade, "utility", run) == "check_passport")
    found = trade.call("utility", "get", "/lookup", q=title.rpartition(" ")[2])["items"]
    assert [one["id"] for one in found] == [device]
    with pytest.raises(ApiError) as refused:
        trade.call("utility", "post", f"/processes/{run}/steps/check_passport", {})
    assert refused.value.code == "run_need_verified"

    trade.verify([row])
    trade.until("the verification", lambda: verified(trade, "utility", device))
    do(trade, "utility", run, "check_passport")
    do(trade, "utility", run, "mount", detail={"place": "подвал, стояк 2"})
    do(trade, "utility", run, "seal", detail={"seal": "ПЛ-100341"})
    template = trade.call("utility", "upload", "/templates", ACT.read_bytes())["reference"]
    do(trade, "utility", run, "commission", template=template, document=act(trade, device, title))
    assert state(trade, "utility", device) != "installed"

    waiting = trade.until("the act", lambda: trade.call("maker", "get", "/acts")["items"])
    trade.call("maker", "post", f"/passports/{device}/protocols/{waiting[0]['ref']}/signature")
    do(trade, "maker", run, "confirm")

    for who in ("maker", "utility"):
        trade.until(f"installed at the {who}", partial(is_in, trade, who, device, "installed"))
        trade.until("the closing", partial(is_closed, trade, who, run))
        view = trade.call(who, "get", f"/passports/{device}")["view"]
        (event,) = [one for one in view["events"] if one["what"]["central"] == "installed"]
        assert (event["standing"], event["why"]["run"]) == ("agreed", run)


@pytest.mark.req("A08")
def test_meter_is_taken_down_with_its_final_reading_and_another_takes_its_place(trade: Trade) -> None:
    """The place is empty after the removal, the reading is kept, and the place tells which device followed which."""
    old, new = (row["id"] for row in trade.call("maker", "get", "/passports", limit="200")["items"][:2])
    unit = trade.call("maker", "post", "/things", {"kind": "unit", "name": "Узел ввода"})["id"]
    trade.call(
        "maker", "post", f"/passports/{unit}/parts", {"parts": [{"id": old, "position": "G1"}], "since": "2026-11-20"}
    )
    run = opened(trade, "dismantling", old)

    do(trade, "utility", run, "final_reading", detail={"reading": "128,417", "unit": "м3"})
    do(trade, "utility", run, "unseal", detail={"seal": "ПЛ-100341"})
    do(trade, "utility", run, "remove", detail={"reading": "128,417"})
    do(trade, "maker", run, "handover")
    trade.call("maker", "post", f"/passports/{unit}/parts/removals", {"part": old, "when": "2026-11-21"})
    assert trade.call("maker", "get", f"/passports/{unit}/tree", on="2026-11-21")["parts"] == []
    trade.call(
        "maker", "post", f"/passports/{unit}/parts", {"parts": [{"id": new, "position": "G1"}], "since": "2026-11-22"}
    )

    for who in ("maker", "utility"):
        trade.until(f"removed at the {who}", partial(is_in, trade, who, old, "removed"))
    view = trade.call("utility", "get", f"/passports/{old}")["view"]
    (removed,) = [one for one in view["events"] if one["what"]["central"] == "removed"]
    assert removed["detail"] == {"reading": "128,417"}
    assert view["processes"][-1]["moves"][1]["detail"] == {"reading": "128,417", "unit": "м3"}
    shown = trade.call("maker", "get", f"/passports/{unit}")["view"]["composition"]["children"]
    stood = {edge["part"]: (edge["position"], edge["since"], edge["until"]) for edge in shown}
    assert sorted(stood.values(), key=str) == [("G1", "2026-11-20", "2026-11-21"), ("G1", "2026-11-22", None)]
    assert len(trade.call("maker", "get", f"/passports/{unit}/tree", on="2026-11-22")["parts"]) == 1


def verified(trade: Trade, who: str, device: str) -> bool:
    """Whether a node knows of a verification."""
    return bool(trade.call(who, "get", f"/passports/{device}")["view"]["verification"]["valid_until"])


def is_in(trade: Trade, who: str, device: str, code: str) -> bool:
    """Whether a device is in a state as a node shows it."""
    return state(trade, who, device) == code


def is_closed(trade: Trade, who: str, run: str) -> bool:
    """Whether a process is over as a node shows it."""
    return bool(trade.call(who, "get", f"/processes/{run}")["process"]["state"] == "done")
