"""A laboratory's day: forty meters from their owner in the morning to the «Аршин» file and the register's records."""

import json
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import etree

from node.api_client import ApiError
from node.demo.documents import verification_document, verification_template
from node.exchange.arshin import check_application
from tests.trade import Trade, meters, trading

pytestmark = pytest.mark.slow
Json = Any  # Any: what the API answers
COUNT, UNFIT, ANNULLED, RECORDED = 40, 6, 11, 2
VERIFIED, UNTIL = date(2026, 11, 2), date(2032, 11, 1)


class Register(BaseHTTPRequestHandler):
    """The register's public interface as it answers from outside: a record of whatever serial it is asked about."""

    def do_GET(self) -> None:
        """Answer one request."""
        asked = parse_qs(urlsplit(self.path).query)
        item = {
            "vri_id": "1-900000001",
            "org_title": "ФБУ «Демо-ЦСМ»",
            "mit_number": asked["mit_number"][0],
            "mit_title": "Счётчики воды",
            "mi_number": asked["mi_number"][0],
            "verification_date": f"{VERIFIED:%d.%m.%Y}",
            "valid_date": f"{UNTIL:%d.%m.%Y}",
            "result_docnum": f"С-ЪЫЬ/{VERIFIED:%d-%m-%Y}/900000001",
            "applicability": True,
        }
        body = json.dumps({"result": {"count": 1, "items": [item]}}, ensure_ascii=False).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Nothing is printed."""


@pytest.fixture(scope="module")
def register() -> Iterator[str]:
    """The address of the register."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Register)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/fundmetrology/eapi"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory, register: str) -> Iterator[Trade]:
    """A maker who owns forty meters, and a lab that both accepted one procedure of verification."""
    with trading(
        tmp_path_factory.mktemp("lab"), "lab", PASSPORT_ARSHIN__URL=register, PASSPORT_ARSHIN__RECORD_DAYS="1"
    ) as trade:
        trade.produce(meters(COUNT))
        raw = (resources.files("node.passport") / "data" / "procedures" / "verification.json").read_text()
        digest = trade.call("maker", "post", "/procedures", json.loads(raw))["digest"]
        trade.until("the procedure", lambda: accept(trade, digest))
        org = trade.orgs["lab"]
        trade.until("the lab's signature", lambda: org in parties_of(trade, digest))
        body = {"procedure": digest, "ids": trade.devices, "roles": {"lab": org}, "number": "З-40"}
        trade.call("maker", "post", "/processes", body)
        yield trade


def accept(trade: Trade, digest: str) -> bool:
    """Let the lab accept a procedure that has arrived."""
    arrived = any(row["digest"] == digest for row in trade.call("lab", "get", "/procedures")["items"])
    if arrived:
        trade.call("lab", "post", f"/procedures/{digest}/acceptance")
    return arrived


def parties_of(trade: Trade, digest: str) -> set[str]:
    """Who takes part by a procedure, as the maker sees it."""
    return {party["org"] for party in trade.call("maker", "get", f"/procedures/{digest}")["parties"]}


def queue(trade: Trade, step: str) -> list[Json]:
    """What waits for the lab at a step, all of it or nothing yet."""
    items: list[Json] = trade.call("lab", "get", "/processes", mine="true", step=step, limit="200")["items"]
    return items if len(items) == COUNT else []


def result(row: Json, number: int) -> str:
    """The filled protocol of a meter; one of them is unfit."""
    document = json.loads(verification_document(row["id"], row["title"], number + 1))
    if number == UNFIT:
        document |= {"applicable": False, "unfit_reasons": "Погрешность на Q2 вне допуска"}
        del document["valid_until"]
    return json.dumps(document, ensure_ascii=False)


def verification_of(trade: Trade, who: str, device: str) -> Json:
    """What a node shows of a meter's verification."""
    return trade.call(who, "get", f"/passports/{device}")["view"]["verification"]


@pytest.mark.req("A09")
def test_forty_meters_go_from_the_queue_to_the_register(trade: Trade) -> None:
    """Taken in, verified, exported whole and valid; one unfit, one annulled; records come back and outrank the lab.

    The unfit one is not installed; a result without a record after the term is shown as such.
    """
    for row in trade.until("forty in the queue", lambda: queue(trade, "remove_or_onsite")):
        trade.call("lab", "post", f"/processes/{row['run']}/steps/remove_or_onsite", {"detail": {"seals": "целы"}})
    waiting = sorted(queue(trade, "protocol"), key=lambda row: row["title"])
    assert {row["number"] for row in waiting} == {"З-40"}

    template = trade.call("lab", "upload", "/templates", verification_template())["reference"]
    for number, row in enumerate(waiting):
        body = {"template": template, "document": result(row, number)}
        done = trade.call("lab", "post", f"/processes/{row['run']}/steps/protocol", body)
        assert done["process"]["moves"][-1]["outcome"] == ("unfit" if number == UNFIT else "fit")

    devices = [row["id"] for row in waiting]
    (paper,) = trade.call("lab", "get", f"/passports/{devices[ANNULLED]}/protocols")["items"]
    path = f"/passports/{devices[ANNULLED]}/protocols/{paper['ref']}/annul"
    assert trade.call("lab", "post", path, {"reason": "перепутан эталон"})["file"] is None
    assert verification_of(trade, "lab", devices[ANNULLED])["valid_until"] is None

    file = trade.call("lab", "post", "/arshin/files", {})["file"]
    raw = trade.call("lab", "download", f"/arshin/files/{file}")
    check_application(raw)
    results = etree.fromstring(raw).findall("{*}result")
    assert len(results) == COUNT - 1
    assert [one.find("{*}inapplicable") is not None for one in results].count(True) == 1

    job = trade.call("lab", "post", "/register/read", {"devices": devices[:RECORDED]})["job"]
    trade.until("the register", lambda: trade.call("lab", "get", f"/jobs/{job}", wait="10")["state"] == "done")
    for device in devices[:RECORDED]:
        for who in ("lab", "maker"):
            told = trade.until("the record", lambda who=who, device=device: registered(trade, who, device))  # type: ignore[misc]  # mypy does not infer a lambda with a default
            assert (told["record"], told["valid_until"]) == ("С-ЪЫЬ/02-11-2026/900000001", UNTIL.isoformat())
    assert verification_of(trade, "lab", devices[RECORDED])["standing"] == "stated"

    installed = {"what": "installed", "where": "дом", "when": "2026-11-10"}
    with pytest.raises(ApiError) as refused:
        trade.call("maker", "post", f"/passports/{devices[UNFIT]}/events", installed)
    assert refused.value.code == "device_unfit"
    missing = [one["what"] for one in trade.call("maker", "get", f"/passports/{devices[RECORDED]}/processes")["items"]]
    assert "record-missing" in missing
    recorded = trade.call("maker", "get", f"/passports/{devices[0]}/processes")["items"]
    assert "record-missing" not in [one["what"] for one in recorded]

    soon = trade.call("maker", "get", "/passports", expires_before="2033-01-01", limit="200")["items"]
    assert len(soon) == COUNT - 2
    loads = {load["org"]: load["open"] for load in trade.call("maker", "get", "/processes/loads")["items"]}
    assert loads == {trade.orgs["maker"]: COUNT - 1, trade.orgs["lab"]: 1}  # what was annulled is to be verified anew


def registered(trade: Trade, who: str, device: str) -> Json:
    """The verification of a meter once the register's record stands in its passport."""
    told = verification_of(trade, who, device)
    return told if told["standing"] == "registered" else None
