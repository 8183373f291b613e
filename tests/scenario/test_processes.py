"""Processes over three nodes: the owner on one, those who do the steps on others."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import partial
from importlib import resources
from typing import Any

import pytest

from node.api_client import ApiError
from node.demo.documents import verification_document, verification_template
from tests.trade import Trade, meters, trading

pytestmark = pytest.mark.slow
Json = Any  # Any: what the API answers
EVERYBODY = ("maker", "utility", "lab")


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker, a utility and a lab."""
    with trading(tmp_path_factory.mktemp("processes"), "utility", "lab") as trade:
        yield trade


def publish(trade: Trade, who: str, name: str, *parties: str) -> str:
    """Publish a procedure that comes with the product, and let others accept it on their own nodes."""
    raw = (resources.files("node.passport") / "data" / "procedures" / f"{name}.json").read_text()
    digest = str(trade.call(who, "post", "/procedures", json.loads(raw))["digest"])
    for party in parties:
        trade.until("the procedure", partial(is_known, trade, party, digest))
        trade.call(party, "post", f"/procedures/{digest}/acceptance")
    trade.until("all signatures", lambda: all(parties_of(trade, n, digest) == {who, *parties} for n in EVERYBODY))
    return digest


def is_known(trade: Trade, who: str, digest: str) -> bool:
    """Whether a procedure has arrived at a node."""
    return digest in known(trade, who)


def known(trade: Trade, who: str) -> dict[str, Json]:
    """The procedures that a node knows."""
    return {row["digest"]: row for row in trade.call(who, "get", "/procedures")["items"]}


def parties_of(trade: Trade, who: str, digest: str) -> set[str]:
    """Who takes part by a procedure, as a node sees it."""
    names = {org: name for name, org in trade.orgs.items()}
    return {names[party["org"]] for party in known(trade, who).get(digest, {"parties": []})["parties"]}


def process(trade: Trade, who: str, run: str) -> Json:
    """A process as a node shows it, None where it is not there."""
    try:
        return trade.call(who, "get", f"/processes/{run}")["process"]
    except ApiError as error:
        if error.code != "run_unknown":
            raise
        return None


def do(trade: Trade, who: str, run: str, step: str, **body: Json) -> None:
    """Do a step as soon as it is there to be done."""
    trade.until(f"the turn of {step}", lambda: at_step(process(trade, who, run)) == step)
    trade.call(who, "post", f"/processes/{run}/steps/{step}", body)


def at_step(shown: Json) -> Json:
    return shown and shown["waits"] and shown["waits"]["step"]


@pytest.mark.req("A20")
def test_step_is_done_only_by_those_who_accepted_the_same_version(trade: Trade) -> None:
    """Two organisations see one version and both signatures; who has not accepted it gets no step and can do none."""
    digest = publish(trade, "utility", "dispatch_request", "lab")
    texts = {json.dumps(trade.call(who, "get", f"/procedures/{digest}")["procedure"]) for who in ("utility", "lab")}
    assert len(texts) == 1

    house = trade.call("utility", "post", "/things", {"kind": "object", "name": "Дом 1"})["id"]
    body = {"procedure": digest, "ids": [house], "roles": {"executor": trade.orgs["maker"]}}
    with pytest.raises(ApiError) as refused:
        trade.call("utility", "post", "/processes", body)
    assert refused.value.code == "procedure_not_accepted"


@pytest.mark.req("A11", "A21", "B59", "B64c")
def test_request_of_a_dispatcher_is_done_by_another_organisation_and_closed_by_the_caller(trade: Trade) -> None:
    """The call reaches the executor's node, is done there, and the caller's node shows the closing with the event."""
    digest = publish(trade, "utility", "dispatch_request", "lab")
    house = trade.call("utility", "post", "/things", {"kind": "object", "name": "Дом 2"})["id"]
    roles = {"executor": trade.orgs["lab"]}
    body = {"procedure": digest, "ids": [house], "roles": roles, "number": "О-17", "about": "нет горячей воды"}
    (run,) = trade.call("utility", "post", "/processes", body)["items"]

    do(trade, "lab", run, "visit", detail={"found": "закрыта задвижка"})
    do(trade, "lab", run, "resolve", detail={"done": "задвижка открыта"})
    (row,) = trade.call("lab", "get", "/processes", owner=trade.orgs["utility"])["items"]
    assert (row["number"], row["owner"], row["step"]) == ("О-17", trade.orgs["utility"], "confirm")
    with pytest.raises(ApiError) as refused:
        trade.call("lab", "post", f"/processes/{run}/closing", {"reason": "сделано"})
    assert refused.value.code == "run_owner_only"
    do(trade, "utility", run, "confirm", outcome="confirmed")

    trade.until("the closing", lambda: {process(trade, who, run)["state"] for who in ("utility", "lab")} == {"done"})
    view = trade.call("utility", "get", f"/passports/{house}")["view"]
    (event,) = view["events"]
    assert (event["what"]["central"], event["by"]) == ("serviced", trade.orgs["lab"])
    assert event["why"] == {"process": "dispatch_request", "step": "resolve", "run": run}
    (shown,) = view["processes"]
    assert (shown["id"], shown["owner"], shown["roles"]) == (run, trade.orgs["utility"], roles)


@pytest.mark.req("A10", "B64d")
def test_repair_goes_over_three_nodes_and_ends_with_a_verification(trade: Trade) -> None:
    """The workshop replaces a board, the lab verifies, the owner takes it back; every node shows one passport."""
    digest = publish(trade, "maker", "repair", "utility", "lab")
    (row,) = trade.produce(meters(1))
    device = row["id"]
    roles = {"workshop": trade.orgs["utility"], "lab": trade.orgs["lab"]}
    (run,) = trade.call("maker", "post", "/processes", {"procedure": digest, "ids": [device], "roles": roles})["items"]

    do(trade, "utility", run, "diagnose", outcome="repairable", detail={"defect": "плата"})
    part = {"position": "плата", "designation": "СЭ-2726", "serial": "26-1", "removed_serial": "22-1"}
    do(trade, "utility", run, "replace_parts", replaced=[part])
    trade.until("the repair", lambda: at_step(process(trade, "lab", run)) == "verify")
    state = trade.call("lab", "get", f"/passports/{device}")["view"]["state"]
    assert (state["code"], state["needs_verification"]) == ("repaired", True)
    template = trade.call("lab", "upload", "/templates", verification_template())["reference"]
    today = {"template": template, "document": document_of(device, row["title"])}
    # A protocol is added by the executor of its step, at that step alone.
    for who, step, code in (("utility", "verify", "run_no_mandate"), ("lab", "diagnose", "run_step_order")):
        with pytest.raises(ApiError) as refused:
            trade.call(who, "post", f"/processes/{run}/steps/{step}", today)
        assert refused.value.code == code
    do(trade, "lab", run, "verify", **today)
    with pytest.raises(ApiError) as refused:
        trade.call("lab", "post", f"/processes/{run}/steps/verify", today)
    assert refused.value.code == "run_step_order"
    do(trade, "maker", run, "return")

    digests = trade.until("one passport", lambda: one_digest(trade, device))
    assert len(digests) == 1
    view = trade.call("utility", "get", f"/passports/{device}")["view"]
    assert view["state"]["needs_verification"] is False
    assert [protocol["by"] for protocol in view["protocols"]] == [trade.orgs["lab"]]
    inside = {edge["serial"] for edge in view["composition"]["children"] if edge["until"] is None}
    assert inside == {"26-1"}
    assert [move["by"] for move in view["processes"][0]["moves"]] == [
        trade.orgs[who] for who in ("maker", "utility", "utility", "lab", "maker")
    ]


def document_of(device: str, title: str) -> str:
    """A verification of today: after the repair."""
    day = datetime.now(UTC).date()
    last = date.fromordinal(day.replace(year=day.year + 6).toordinal() - 1)
    raw = verification_document(device, title, 1).decode()
    return raw.replace("2026-11-02", day.isoformat()).replace("2032-11-01", last.isoformat())


def one_digest(trade: Trade, device: str) -> set[str] | None:
    """The state of the process on all nodes, where they agree and it is done."""
    views = [trade.call(who, "get", f"/passports/{device}")["view"] for who in EVERYBODY]
    told = {json.dumps(view["processes"], sort_keys=True) for view in views}
    return told if len(told) == 1 and views[0]["processes"][0]["state"] == "done" else None
