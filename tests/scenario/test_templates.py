"""A new kind of document over real nodes: published by one, filled in by another, found by a third; an act of two."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.api_client import ApiError
from tests.nodes import ALONE, rows
from tests.trade import Trade, meters, trading

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("scenario")]

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ("maker", "utility", "lab")
SEAL = "КН-77031"
Json = Any  # Any: JSON
NEW_KIND: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:epd:template:seal-check:1.0.0",
    "type": "object",
    "required": ["date", "device", "seal", "intact"],
    "additionalProperties": False,
    "properties": {
        "date": {"type": "string", "format": "date", "title": "Дата осмотра"},
        "device": {
            "type": "object",
            "required": ["gid"],
            "additionalProperties": False,
            "properties": {
                "gid": {"type": "string", "x-epd-bind": "device.gid"},
                "serial": {"type": "string", "x-epd-bind": "device.serial"},
            },
        },
        "seal": {"type": "string", "pattern": "^[А-Я]{2}-[0-9]{5}$", "title": "Контрольная пломба"},
        "intact": {"type": "boolean", "title": "Цела"},
        "reason": {"type": "string", "maxLength": 200, "title": "Что с ней"},
    },
    "x-epd-template": {
        "name": "seal-check",
        "version": "1.0.0",
        "publisher": "org:maker",
        "title": {"ru": "Осмотр пломбы", "en": "Seal check"},
        "extract": [{"parameter": "control_seal", "pointer": "/seal"}],
        "rules": [{"type": "required_if", "pointer": "/reason", "if": {"pointer": "/intact", "equals": False}}],
    },
}


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker with two meters, one of which a utility and a lab may read."""
    with trading(tmp_path_factory.mktemp("templates"), "utility", "lab", **ALONE) as running:
        devices = [row["id"] for row in running.produce(meters(2)) if row["kind"] == "device"]
        running.devices = devices
        for name in ("utility", "lab"):
            running.call("maker", "post", "/shares", {"org": running.orgs[name], "ids": devices[:1]})
        for name in ("utility", "lab"):
            running.until("the passport", lambda: running.call(name, "get", "/passports")["items"])  # noqa: B023 - now
        yield running


def tables(trade: Trade) -> dict[str, Json]:
    """The statements that made every table and index of each node."""
    sql = "select type, name, sql from sqlite_master order by type, name"
    return {name: rows(trade.nodes[name].folder, sql) for name in NAMES}


def templates(trade: Trade, name: str) -> dict[str, Json]:
    """What a node holds, by reference."""
    return {row["reference"]: row for row in trade.call(name, "get", "/templates")["items"]}


def refusal(trade: Trade, name: str, method: str, path: str, /, *arguments: Json, **query: str) -> str:
    """The code with which a node refuses."""
    with pytest.raises(ApiError) as refused:
        trade.call(name, method, path, *arguments, **query)
    return refused.value.code


@pytest.mark.req("B60", "B70")
def test_new_kind_of_document_needs_no_code_and_no_table(trade: Trade) -> None:
    """The maker publishes it, the utility fills it in and signs, the lab finds the device by the value it states."""
    before, device = tables(trade), trade.devices[0]

    raw = json.dumps(NEW_KIND, ensure_ascii=False).encode()
    reference = trade.call("maker", "upload", "/templates", raw)["reference"]
    trade.until("the template", lambda: reference in templates(trade, "utility"))
    form = trade.call("utility", "post", "/forms", {"template": reference, "id": device})
    begun = json.loads(form["document"])
    begun |= {"date": "2026-11-02", "seal": "KH-77031", "intact": False}
    trade.call("utility", "put", f"/forms/{form['form']}", begun)
    checked = trade.call("utility", "post", f"/forms/{form['form']}/check")
    trade.call("utility", "put", f"/forms/{form['form']}", {**begun, "seal": SEAL})
    ruled = trade.call("utility", "post", f"/forms/{form['form']}/check")
    refused = refusal(trade, "utility", "post", f"/forms/{form['form']}/signature")
    trade.call("utility", "put", f"/forms/{form['form']}", {**begun, "seal": SEAL, "reason": "сорвана"})
    signed = trade.call("utility", "post", f"/forms/{form['form']}/signature")

    assert begun["device"]["gid"] == device
    assert [(r["pointer"], r["layer"]) for r in checked["remarks"]] == [("/seal", "schema")]
    assert [(r["pointer"], r["rule"]) for r in ruled["remarks"] if r["severity"] == "error"] == [
        ("/reason", "required_if")
    ]
    assert (refused, signed["id"]) == ("document_refused", device)
    assert trade.call("utility", "get", "/forms")["items"] == []
    found = trade.until("the value at the lab", lambda: trade.call("lab", "get", "/passports", q=SEAL)["items"])
    exact = trade.call("lab", "get", "/lookup", q=f"control_seal={SEAL}")["items"]
    assert [row["id"] for row in found] == [row["id"] for row in exact] == [device]
    assert trade.call("lab", "get", "/lookup", q="control_seal=КН-77032")["items"] == []
    stated = trade.call("lab", "get", f"/passports/{device}")["view"]["parameters"]["control_seal"]
    assert stated["values"][-1]["value"] == SEAL
    assert tables(trade) == before


@pytest.mark.req("B57")
def test_act_of_two_nodes_is_one_sided_until_the_other_signs(trade: Trade) -> None:
    """The party that the document names gets the act and its file, and nobody else; its signature makes it agreed."""
    device = trade.devices[1]
    photo = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 6000
    digest = hashlib.sha256(photo).hexdigest()
    raw = (EXAMPLES / "templates" / "commissioning.schema.json").read_bytes()
    reference = trade.call("maker", "upload", "/templates", raw)["reference"]
    form = trade.call("maker", "post", "/forms", {"template": reference, "id": device})["form"]
    trade.call("maker", "put", f"/forms/{form}", act(trade, device))
    assert refusal(trade, "maker", "upload", f"/forms/{form}/files", b"<svg/>", name="x.png") == "attachment_refused"
    trade.call("maker", "upload", f"/forms/{form}/files", photo, name="узел.png")
    reason = {"role": "process_owner", "why": "no-answer", "until": "2026-11-10", "document": "Письмо № 4"}
    signed = trade.call("maker", "post", f"/forms/{form}/signature", {"reasons": [reason]})

    waiting = trade.until("the act at the lab", lambda: trade.call("lab", "get", "/acts")["items"])[0]
    path = f"/passports/{device}/protocols/{waiting['ref']}"
    paper = trade.call("lab", "get", path)
    assert waiting["ref"].startswith(f"{signed['log']}:{signed['seq']}:")
    mine = trade.call("maker", "get", path)
    assert (mine["standing"], mine["agreed"], mine["whole"]) == ("stated", False, True)
    assert (paper["agreed"], paper["whole"]) == (False, False)
    sides = {side["role"]: side for side in paper["parties"]}
    assert (sides["process_executor"]["by"], sides["process_owner"]["by"]) == (trade.orgs["maker"], None)
    assert (sides["process_owner"]["reason"], sides["process_owner"]["document"]) == ("no-answer", "Письмо № 4")
    assert trade.call("lab", "download", f"{path}/files/{digest}") == photo
    assert trade.call("lab", "download", f"{path}/pdf").startswith(b"%PDF")
    assert refusal(trade, "utility", "get", path) == "protocol_unknown"
    assert events(trade, "lab", device) == []

    trade.call("lab", "post", f"{path}/signature")

    trade.until("the agreed act", lambda: events(trade, "maker", device)[-1:] == [("installed", "agreed")])
    both = [row for row in trade.protocols("maker", device) if row["parties"]]
    assert [(row["agreed"], row["standing"]) for row in both] == [(True, "agreed")] * 2
    assert [side["late"] for side in both[0]["parties"]] == [False, True]
    assert trade.call("lab", "get", "/acts")["items"] == trade.call("maker", "get", "/acts", side="wait")["items"] == []
    assert events(trade, "lab", device) == [("installed", "agreed")]
    assert refusal(trade, "maker", "get", f"{path}/files/{'0' * 64}") == "attachment_unknown"


def test_template_of_a_node_that_is_gone_comes_with_the_document(trade: Trade) -> None:
    """A newcomer that never met the publisher has its template from the node that gave it the document, and runs it."""
    device = trade.devices[0]
    kind = json.loads(json.dumps(NEW_KIND).replace("seal-check", "seal-round"))
    reference = trade.call("lab", "upload", "/templates", json.dumps(kind).encode())["reference"]
    trade.until("the template", lambda: reference in templates(trade, "maker"))
    trade.nodes["lab"].stop()
    document = {"date": "2026-11-04", "device": {"gid": device}, "seal": SEAL, "intact": True}
    signed = trade.call("maker", "upload", "/protocols", json.dumps(document).encode(), template=reference)

    trade.start("newcomer", **ALONE)
    text = trade.call("maker", "post", "/invitations")["text"]
    trade.call("newcomer", "post", "/federation/join", {"invitation": text})
    trade.until("the newcomer", lambda: shared(trade, device))

    def given() -> Json:
        known = trade.call("newcomer", "get", "/passports")["items"]
        papers = trade.protocols("newcomer", device) if known else []
        return next((one for one in papers if one["template"] and one["ref"].startswith(place)), None)

    place = f"{signed['log']}:{signed['seq']}:"
    row = trade.until("the document", given)
    held = templates(trade, "newcomer")[reference]
    wrong = {**document, "intact": False}
    ruled = trade.call("newcomer", "upload", "/protocols/check", json.dumps(wrong).encode(), template=reference)
    assert (row["template"], row["whole"], held["org"]) == (reference, True, trade.orgs["lab"])
    assert [(one["pointer"], one["rule"]) for one in ruled["remarks"] if one["severity"] == "error"] == [
        ("/reason", "required_if")
    ]


def shared(trade: Trade, device: str) -> bool:
    """Let the newcomer read a device, as soon as the maker knows it."""
    try:
        trade.call("maker", "post", "/shares", {"org": trade.orgs["newcomer"], "ids": [device]})
    except ApiError:
        return False
    return True


def act(trade: Trade, device: str) -> Json:
    """A commissioning without admission, of the maker and the lab."""
    found = json.loads((EXAMPLES / "protocols" / "commissioning.ok.json").read_text())
    for name in ("radio", "place"):
        found.pop(name)
    title = next(row["title"] for row in trade.call("maker", "get", "/passports")["items"] if row["id"] == device)
    named = {"executor": {"org": trade.orgs["maker"]}, "utility": {"org": trade.orgs["lab"]}}
    serial = {"gid": device, "serial": title.rpartition(" ")[2]}
    return found | named | {"date": "2026-11-03", "admitted": False, "device": serial, "place": {"object": "подвал"}}


def events(trade: Trade, name: str, device: str) -> Json:
    """What happened to a device and how it stands, as a node has it, since it was made."""
    told = trade.call(name, "get", f"/passports/{device}")["view"]["events"]
    return [(row["what"]["central"], row["standing"]) for row in told if row["source"] == "protocol"]
