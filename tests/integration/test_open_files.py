"""The whole node as open files: what a stranger needs to read every code, event and part stands in them."""

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from node.services.export import Export
from node.store.arshin import note_file
from node.web.routes import API
from tests.catalog_records import UNIT
from tests.integration.test_exchange_1c import item, message
from tests.integration.test_web_forms import PLATE, PNG, device_and_template
from tests.unit.node_protocols.builders import document
from tests.unit.web.running import RunningWeb, post

Json = Any  # Any: what stands in the files
DAY = "2026-05-01"
SIGNED, KEPT = PNG, PNG + b"\x01" * (1 << 20)  # of one chunk and of two
SECRET = "whsec_" + "Q2FuYXJ5" * 4


@pytest.fixture
async def folder(web: RunningWeb, tmp_path: Path) -> Path:
    """What a node exports that keeps its own codes, works with a release, and recalled a lot."""
    client = web.local()
    await post(client, "/federation", {"name": "Демо"})
    async with client.get("/api/v1/node") as response:
        org = (await response.json())["org"]
    await post(client, "/attestations", {"org": org, "what": "steward", "rows": ["units"]})
    release = {"number": 1, "label": "первый", "date": DAY, "records": [UNIT], "removed": ["bar"]}
    await post(client, "/catalogs/units/releases", release)
    async with client.post("/api/v1/catalogs/units/adoption", json={"release": "1"}) as response:
        assert response.status == 200
    codes = [{"code": "5", "name": "Объём"}, {"code": "6", "name": "Ду", "central": "dn"}]
    await post(client, "/catalogs/parameters/codes", {"items": codes})
    refused = {"items": [{"local": "5", "central": "volume"}]}
    async with client.post("/api/v1/catalogs/parameters/refusals", json=refused) as response:
        assert response.status == 204
    async with client.put("/api/v1/suppliers/Завод", json={"columns": {"Номер": "serial"}}) as response:
        assert response.status < 300

    device = (await post(client, "/plates", {"designation": "ВС-15", "serial": "0012345"}))["id"]
    lot = (await post(client, "/things", {"kind": "batch", "name": "Батареи", "number": "Л-7"}))["id"]
    part = {"id": lot, "relation": "material", "quantity": "2"}
    await post(client, f"/passports/{device}/parts", {"parts": [part], "since": DAY})
    event = {"what": "installed", "where": "дом 1", "when": DAY, "system": "1С", "external": "B7"}
    await post(client, f"/passports/{device}/events", event)
    await post(client, f"/passports/{lot}/recalls", {"reason": "брак", "when": DAY})
    (tmp_path / "ids.json").write_text(json.dumps([device, lot]))

    async for _ in Export(web.context.core).write(tmp_path / "out"):
        pass
    return tmp_path / "out"


def lines(path: Path) -> list[Json]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


async def test_catalogs_are_those_that_the_node_works_with(folder: Path) -> None:
    """Records of the adopted release stand whole, what it removed is gone, and each release has its own file."""
    units = {record["code"]: record for record in lines(folder / "catalogs" / "units.jsonl")}
    (release,) = lines(folder / "catalogs" / "releases.jsonl")
    released = {record["code"] for record in lines(folder / release["file"])}

    assert units["ft3"] == UNIT
    assert "bar" not in units
    assert (release["catalog"], release["number"], release["label"], release["adopted"]) == ("units", 1, "первый", True)
    assert released == set(units)


async def test_own_codes_that_nobody_bound_are_there_too(folder: Path) -> None:
    """A local catalog leaves whole, with the names of its codes; so do refused suggestions and kept columns."""
    codes = {row["local"]: row for row in lines(folder / "catalogs" / "references.jsonl")}

    assert (codes["5"]["central"], codes["5"]["local_name"]) == (None, "Объём")
    assert (codes["6"]["central"], codes["6"]["local_name"]) == ("dn", "Ду")
    assert lines(folder / "catalogs" / "refused.jsonl") == [{"catalog": "parameters", "refused": {"5": ["volume"]}}]
    assert [(row["name"], row["mapping"]["columns"]) for row in lines(folder / "suppliers.jsonl")] == [
        ("Завод", {"Номер": "serial"})
    ]


async def test_tables_join_by_device_id_and_tell_lots_from_parts(folder: Path) -> None:
    """Where an event happened is an id of devices.csv, its id in another system is there, a material is no part."""
    device, lot = json.loads((folder.parent / "ids.json").read_text())
    events = {row["code"]: row for row in table(folder / "events.csv") if row["device_id"] == device}
    (edge,) = [row for row in table(folder / "composition.csv") if row["whole"] == device]

    assert (events["installed"]["system"], events["installed"]["external"]) == ("1С", "B7")
    assert events["recalled"]["where"] == lot
    assert lot in {row["device_id"] for row in table(folder / "devices.csv")}
    assert (edge["part"], edge["relation"], edge["quantity"]) == (lot, "material", "2")
    assert edge["by_name"] != edge["relation"]


async def test_files_and_what_other_systems_were_told_leave_too(web: RunningWeb, tmp_path: Path) -> None:
    """What is attached to a protocol and to a form, the file for the register, messages of 1C, systems and webhooks."""
    client = web.local()
    device, published = await device_and_template(client, "flow-bench")
    filled = json.dumps(json.loads(document("flow-bench", device, PLATE["serial"], {})))
    for content in (SIGNED, KEPT):
        form = (await post(client, "/forms", {"template": published["id"], "id": device, "document": filled}))["form"]
        async with client.post(f"{API}/forms/{form}/files", params={"name": "узел.png"}, data=content) as response:
            assert response.status < 300
        if content is SIGNED:
            await post(client, f"/forms/{form}/signature", {})
    told = message(1, "items", item())
    await post(client, "/exchange/1c/messages", told)
    await post(client, "/systems", {"name": "Биллинг", "kind": "billing", "scopes": ["read"]})
    await post(client, "/webhooks", {"url": "https://example.org/hook", "secret": SECRET})
    async with web.context.core.database.write() as tx:
        await note_file(tx, "anna", web.context.core.keystore.vault.seal(b"<application/>"), [])

    async for _ in Export(web.context.core).write(tmp_path / "out"):
        pass

    folder = tmp_path / "out"
    (row,) = table(folder / "attachments.csv")
    (draft,) = lines(folder / "forms.jsonl")
    assert (row["name"], row["type"], row["sha256"]) == ("узел.png", "image/png", hashlib.sha256(SIGNED).hexdigest())
    assert (folder / row["file"]).read_bytes() == SIGNED
    assert [(folder / file["file"]).read_bytes() for file in draft["files"]] == [KEPT]
    assert (folder / "arshin" / "1.xml").read_bytes() == b"<application/>"
    assert [(one["system"], one["kind"]) for one in table(folder / "messages-1c.csv")] == [("ut-main", "items")]
    assert [one["name"] for one in table(folder / "systems.csv")] == ["Биллинг"]
    assert [one["url"] for one in table(folder / "webhooks.csv")] == ["https://example.org/hook"]
    assert not [path for path in folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
