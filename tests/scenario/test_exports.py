"""Everything out of a node that lived: open files for the standard library, nothing half-written, no secret."""

import base64
import csv
import hashlib
import json
import re
import shutil
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.demo.files import HEADER
from node.exchange.tables import write_csv
from node.folder import NodeFolder
from node.services.access import Actor
from node.web.routes import API
from node.web.server import ROUTES
from tests.integration.test_lists_as_files import QUERIES
from tests.nodes import ALONE, command
from tests.secrets import keys_of_file, leaks
from tests.trade import Trade, meters, trading

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("scenario")]

METERS = 3
# Every list but those of one job, check, code, mandate and the like, of which these nodes have none.
ASKED = {"id", "catalog"}
LISTS = [
    route
    for route in ROUTES
    if route.table is not None
    and ASKED.issuperset(re.findall(r"{(\w+)", route.path))
    and not route.path.startswith(f"{API}/mandates/")
]
Json = Any  # Any: what stands in the files


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker's meters: verified by a lab, sold to a utility with their keys."""
    with trading(tmp_path_factory.mktemp("exports"), "utility", "lab", **ALONE) as running:
        made = [row for row in running.produce(meters(METERS)) if row["kind"] == "device"]
        running.verify(made)
        offer = {"buyer": running.orgs["utility"], "number": "ТТН-7", "devices": [row["id"] for row in made]}
        shipment = running.call("maker", "post", "/shipments", offer)["id"]
        running.until("the offer", lambda: _shipments(running, "utility"))
        running.call("utility", "post", f"/shipments/{shipment}/acceptance")
        running.until("the keys", lambda: _shipments(running, "utility")[0]["keys"] == METERS)
        running.until("the verifications", lambda: all(running.protocols("utility", row["id"]) for row in made))
        running.devices = [row["id"] for row in made]
        yield running


def _shipments(trade: Trade, name: str) -> Json:
    return trade.call(name, "get", "/shipments")["items"]


def exported(trade: Trade, name: str, target: str) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Run `export --all` about a node."""
    folder = trade.folder / target
    return command("export", "--all", str(folder), "--folder", str(trade.nodes[name].folder)), folder


def lines(path: Path) -> list[Json]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def check_sums(folder: Path) -> None:
    """What `sha256sum -c SHA256SUMS` checks: every file is listed once and is what it was."""
    listed = {line[66:]: line[:64] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    here = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {"SHA256SUMS"}
    assert here == set(listed)
    for name, digest in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name


def root_of(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, by the standard library alone."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


def check_log(folder: Path, log: Json) -> list[Json]:
    """The fragments of a log, whose bytes give the leaves that the checkpoint's root is over."""
    place = folder / "logs" / log["log"]
    leaves = [bytes.fromhex(line) for line in (place / "leaves.txt").read_text().split()]
    fragments = lines(place / "fragments.jsonl")
    for fragment in fragments:
        header, signature = (base64.b64decode(fragment[name]) for name in ("header", "signature"))
        entry = hashlib.sha256(b"\x10" + header).digest()
        assert entry.hex() == fragment["id"]
        assert hashlib.sha256(b"\x00" + entry + signature).digest() == leaves[fragment["seq"]]
        for section in (one for one in fragment["sections"] if one["state"] == "clear"):
            name, raw = section["name"].encode(), base64.b64decode(section["bytes"])
            salted = bytes.fromhex(log["log"]) + bytes([len(name)]) + name + bytes.fromhex(section["salt"]) + raw
            assert hashlib.sha256(b"\x12" + salted).hexdigest() == section["commitment"]
    _, size, root, *_ = log["checkpoint"].split("\n")
    assert base64.b64decode(root) == root_of(leaves[: int(size)])
    return fragments


def subject_of(folder: Path, device: str) -> str:
    (passport,) = (one for one in lines(folder / "passports.jsonl") if one["id"] == device)
    return str(passport["view"]["subjects"][0])


def test_folder_of_a_running_node_is_read_with_the_standard_library_alone(trade: Trade) -> None:
    """Counts, the proof of each log and the facts of a passport are rebuilt from the files; the node journals it."""
    done, folder = exported(trade, "utility", "running")
    assert done.returncode == 0, done.stderr
    check_sums(folder)
    about = json.loads((folder / "node.json").read_text(encoding="utf-8"))

    fragments = {log["log"]: check_log(folder, log) for log in lines(folder / "logs.jsonl")}
    devices = {row["device_id"]: row for row in table(folder / "devices.csv")}
    listed = trade.call("utility", "get", "/passports", limit="200")["items"]

    assert set(devices) == {row["id"] for row in listed}
    assert about["counts"]["passports"] == len(devices) == len(lines(folder / "passports.jsonl"))
    assert sum(map(len, fragments.values())) > 0
    assert about["counts"]["journal"] == len(table(folder / "journal.csv")) == len(lines(folder / "journal.jsonl"))
    assert "ВСЁ, ЧТО ХРАНИТ УЗЕЛ" in (folder / "README.txt").read_text(encoding="utf-8")

    device = trade.devices[0]
    told = [one for log in fragments.values() for one in log if subject_of(folder, device) in one.get("subjects", ())]
    said = {s["name"]: s for one in told for s in one["sections"] if s["state"] == "clear"}
    plate = json.loads(said["nameplate"]["text"])
    row, shown = devices[device], trade.call("utility", "get", f"/passports/{device}")
    assert (row["designation"], row["serial"]) == (plate["designation"], plate["serial"])
    assert (row["title"], row["digest"]) == (shown["view"]["title"], shown["digest"])
    assert row["owner_org"] == trade.orgs["utility"]
    events = [one["code"] for one in table(folder / "events.csv") if one["device_id"] == device]
    assert Counter(events) == Counter(event["what"]["central"] for event in shown["view"]["events"])
    assert "verified" in events
    (protocol,) = (one for one in table(folder / "protocols.csv") if one["device_id"] == device)
    document = (folder / "documents" / protocol["document"]).read_bytes()
    assert document.decode() == shown["view"]["protocols"][0]["document"]
    journal = trade.call("utility", "get", "/journal", limit="5")["items"]
    assert journal[0]["what"] == "node_exported"


def test_every_export_of_every_node_holds_no_secret(trade: Trade) -> None:
    """Keys of devices and nodes stand in no list, no document, no passport file and no folder of open files."""
    out = trade.folder / "out"
    out.mkdir()
    for name in ("maker", "utility"):
        device = trade.devices[0]
        for ending, option in (("passport", "--file"), ("pdf", "--pdf")):
            target = str(out / f"{name}.{ending}")
            done = command("export", device, option, target, "--folder", str(trade.nodes[name].folder))
            assert done.returncode == 0, done.stderr
        checked = command("check-file", str(out / f"{name}.passport"))
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert "root-keys (class 5)" in checked.stdout
        (sold,) = _shipments(trade, name)
        for route in LISTS:
            one = sold["id"] if route.path.startswith(f"{API}/shipments/") else device
            path = route.address({"id": one, "catalog": "types"}).removeprefix(API)
            raw = trade.call(name, "download", path, format="jsonl", **QUERIES.get(route.path.removeprefix(API), {}))
            (out / f"{name}-{route.name}.jsonl").write_bytes(raw)
        assert exported(trade, name, f"out/{name}")[0].returncode == 0
    made = keys_of_file(write_csv(HEADER, meters(METERS)))

    assert leaks(out, {name: trade.nodes[name].folder for name in ("maker", "utility")}, made) == []
    sealed = [s for path in out.rglob("fragments.jsonl") for line in lines(path) for s in line["sections"]]
    secret = [section for section in sealed if section["state"] == "secret"]
    assert secret
    assert all("bytes" not in section for section in secret)


def test_folder_that_is_taken_or_half_written_is_refused(trade: Trade) -> None:
    """A folder with something in it and one that a killed export left are named; an empty one is filled."""
    full, empty = trade.folder / "full", trade.folder / "empty"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    empty.mkdir()

    done, _ = exported(trade, "utility", "full")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{full} is not empty: name a new folder" in done.stderr
    assert [path.name for path in full.iterdir()] == ["mine.txt"]
    assert exported(trade, "utility", "empty")[0].returncode == 0
    check_sums(empty)

    left = trade.folder / "again.part"
    left.mkdir()
    done, again = exported(trade, "utility", "again")
    assert done.returncode == 1
    assert f"{left} is left of an export that was cut off" in done.stderr
    assert not again.exists()
    assert command("export", "--all", str(again), "EPP1-0").returncode == 1


def test_stopped_node_is_exported_and_a_store_of_another_program_leaves_nothing(trade: Trade, tmp_path: Path) -> None:
    """With no node running the command takes the lock itself; where it is refused half way, no folder is left."""
    home, target, refused = tmp_path / "node", tmp_path / "all", tmp_path / "refused"
    trade.nodes["lab"].stop()
    shutil.copytree(trade.nodes["lab"].folder, home, ignore=shutil.ignore_patterns("*.sock"))
    trade.nodes["lab"].start()

    done = command("export", "--all", str(target), "--folder", str(home))

    assert done.returncode == 0, done.stderr
    check_sums(target)
    store = sqlite3.connect(NodeFolder(home).database)
    with store:
        (noted,) = store.execute("select actor from journal order by id desc limit 1").fetchone()
        store.execute("update alembic_version set version_num = '0001'")
    store.close()
    done = command("export", "--all", str(refused), "--folder", str(home))
    assert noted == Actor.local().label
    assert done.returncode == 1
    assert "start the node once with this program" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all", "node"]
