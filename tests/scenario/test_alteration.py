"""One byte altered in a stored fragment is found by its own node, and by whoever mirrors the log afresh."""

import asyncio
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.api_client import ApiClient
from node.demo.alteration import Part, alter
from node.demo.processes import NodeProcess

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("scenario")]
DEADLINE_S = 20.0
SERIAL = {"pattern": "digits", "width": 7}
PORTS = {"web_port": "0", "federation_port": "0"}
# The leaf in the tree is over both as one, and the signature over the header: which of them was touched cannot be told.
HEADER_OR_SIGNATURE = "the header or the signature (it does not hold) was altered: its leaf is not the one in the tree"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of a lab with a federation and a log of serial lines, and of a node that has seen nothing."""
    folder = tmp_path_factory.mktemp("written")
    lab, auditor = NodeProcess("lab", folder / "lab"), NodeProcess("auditor", folder / "auditor")
    lab.init(name="ФБУ «Демо-ЦСМ»", kind="lab", **PORTS)
    auditor.init(name="Аудитор", kind="utility", **PORTS)
    lab.start()
    try:
        call(lab, "post", "/federation", {"name": "Демо"})
        for number in range(5):
            record = {"marks": ["ДЕМО"], "designations": [f"СГВ-{number}"], "legal_makers": [], "serial": SERIAL}
            call(lab, "post", "/lines", {"record": record})
    finally:
        lab.stop()
    return folder


@pytest.fixture
def nodes(written: Path, tmp_path: Path) -> Iterator[tuple[NodeProcess, NodeProcess]]:
    """The lab and the auditor as they were left, both stopped."""
    shutil.copytree(written, tmp_path / "nodes", ignore=shutil.ignore_patterns("*.sock"))
    both = NodeProcess("lab", tmp_path / "nodes" / "lab"), NodeProcess("auditor", tmp_path / "nodes" / "auditor")
    yield both
    for process in both:
        process.stop()


def call(node: NodeProcess, method: str, path: str, *arguments: Any) -> Any:  # Any: JSON
    async def run() -> Any:  # Any: JSON
        async with ApiClient(node.folder) as api:
            return await getattr(api, method)(path, *arguments)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("what", "differs"),
    [
        ("section", "section line was altered: it is not under its commitment"),
        ("header", HEADER_OR_SIGNATURE),
        ("signature", HEADER_OR_SIGNATURE),
    ],
)
def test_altered_entry_is_named_by_fsck_and_refused_by_a_fresh_mirror(
    nodes: tuple[NodeProcess, NodeProcess], what: Part, differs: str
) -> None:
    """Both name log, seq and id of exactly that entry, `fsck` what of it differs; the mirror keeps what came before."""
    lab, auditor = nodes
    log, seq = asyncio.run(alter(lab.folder, what))

    fsck = subprocess.run(
        [sys.executable, "-m", "node", "fsck", "--folder", str(lab.folder)], capture_output=True, text=True, check=False
    )

    assert fsck.returncode == 1
    named = fsck.stdout.replace("\n", " ")
    assert f"log {log} seq {seq} id " in named
    assert re.search(rf" id [0-9a-f]{{64}}: {re.escape(differs)} 1 findings\s*$", named), named

    for node in nodes:
        node.start()
    invitation = call(lab, "post", "/invitations")["text"]
    call(auditor, "post", "/federation/join", {"invitation": invitation})
    refusal = wait_for_refusal(auditor)

    assert (refusal["detail"]["log"], refusal["detail"]["seq"]) == (log, seq)
    with sqlite3.connect(auditor.folder / "passport.sqlite") as connection:
        row = connection.execute("select size, stopped from logs where own = 0").fetchone()
    connection.close()
    assert row[0] == seq
    entry = row[1].split(" id ")[1].split(":")[0]
    assert f"id {entry}" in named


def wait_for_refusal(node: NodeProcess) -> Any:  # Any: JSON
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        for row in call(node, "get", "/journal")["items"]:
            if row["what"] == "entry_refused":
                return row
    raise AssertionError("no refusal in the auditor's journal")
