"""Step 8: one byte of a stored fragment is altered; `fsck` names it, and so does a node that mirrors the log afresh."""

import asyncio
import re
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from node.demo.processes import NodeProcess
from node.demo.sheet import require

if TYPE_CHECKING:
    from node.demo.stage import Stage

Json = Any  # Any: what the API answers
Part = Literal["section", "header", "signature"]
OWNER, MIRROR = "lab", "auditor"
# It meets nobody but the node that invited it, so that it mirrors the altered copy and no other.
ALONE = {"PASSPORT_FEDERATION__DISCOVERY": "false"}
_PLACES = {
    "section": ("sections", "data", " and name = 'line'"),
    "header": ("fragments", "header", ""),
    "signature": ("fragments", "signature", ""),
}


@dataclass(frozen=True, slots=True)
class Altered:
    """Which entry of which log: hex, seq, and the 16 bytes of the id that `fsck` names, in hex."""

    log: str
    seq: int
    id: str


async def alter_and_find(stage: "Stage") -> Altered:
    """Play the step and put everything back; raise StepError where it does not come out as it must."""
    lab, kept = stage.nodes[OWNER], stage.folder / f"{OWNER}.kept"
    await asyncio.to_thread(lab.stop)
    await asyncio.to_thread(shutil.copytree, lab.folder, kept, ignore=shutil.ignore_patterns("*.sock"))
    try:
        with stage.sheets.act("IT", "one byte of the lab's store, then fsck") as line:
            log, seq = await asyncio.to_thread(alter, lab.folder, "section")
            altered = await asyncio.to_thread(_find, lab.folder, log, seq)
            line.shown = f"log {log[:8]} seq {seq} id {altered.id[:8]}: named by fsck"
        await asyncio.to_thread(lab.start)
        with stage.sheets.act("IT", "a fifth node mirrors the lab's log afresh") as line:
            await _mirror(stage, altered)
            line.shown = "it refuses exactly that entry and keeps what came before"
    finally:
        await asyncio.to_thread(_put_back, lab, kept)
    return altered


def alter(folder: Path, part: Part) -> tuple[str, int]:
    """Flip one bit of the last line that a node published, in a part of the entry; answer log and seq."""
    table, column, extra = _PLACES[part]
    connection = sqlite3.connect(folder / "passport.sqlite")
    try:
        no, log = connection.execute("select no, log from logs where own = 1").fetchone()
        (seq,) = connection.execute(
            "select max(seq) from sections where log_no = ? and name = 'line'", (no,)
        ).fetchone()
        where = f"where log_no = ? and seq = ?{extra}"
        (raw,) = connection.execute(f"select {column} from {table} {where}", (no, seq)).fetchone()  # noqa: S608 - fixed names
        changed = raw[:-1] + bytes([raw[-1] ^ 1])
        connection.execute(f"update {table} set {column} = ? {where}", (changed, no, seq))  # noqa: S608 - fixed names
        connection.commit()
    finally:
        connection.close()
    return log.hex(), seq


def _find(folder: Path, log: str, seq: int) -> Altered:
    """What `fsck` says of that entry."""
    done = subprocess.run(
        [sys.executable, "-m", "node", "fsck", "--folder", str(folder)], capture_output=True, text=True, check=False
    )
    named = re.search(rf"log {log} seq {seq} id ([0-9a-f]+)", done.stdout.replace("\n", " "))
    require(done.returncode == 1 and named is not None, f"fsck names log {log} seq {seq}: {done.stdout}{done.stderr}")
    return Altered(log, seq, named[1] if named else "")


async def _mirror(stage: "Stage", altered: Altered) -> None:
    """A node that has seen nothing yet joins by the lab's invitation; the entry is refused by the same name."""
    node = NodeProcess(MIRROR, stage.folder / MIRROR, environment=ALONE)
    stage.nodes[MIRROR] = node
    try:
        await asyncio.to_thread(node.init, name="Аудитор", kind="housing")
        await asyncio.to_thread(node.start)
        invitation = await stage.post(OWNER, "/invitations")
        await stage.post(MIRROR, "/federation/join", {"invitation": invitation["text"]})
        refusal = await stage.until("the entry is refused", lambda: _refusal(stage))
        named = (refusal["detail"]["log"], refusal["detail"]["seq"])
        require(named == (altered.log, altered.seq), f"the entry is named alike, got {named}")
        kept = _kept(node.folder, altered.log)
        require(kept == altered.seq, f"what came before is kept: {altered.seq} entries, got {kept}")
    finally:
        del stage.nodes[MIRROR]
        await asyncio.to_thread(node.stop)


async def _refusal(stage: "Stage") -> Json:
    rows = (await stage.get(MIRROR, "/journal", limit="100"))["items"]
    return next((row for row in rows if row["what"] == "entry_refused"), None)


def _kept(folder: Path, log: str) -> int:
    connection = sqlite3.connect(f"file:{folder / 'passport.sqlite'}?mode=ro", uri=True)
    try:
        (size,) = connection.execute("select size from logs where log = ?", (bytes.fromhex(log),)).fetchone()
    finally:
        connection.close()
    return int(size)


def _put_back(lab: NodeProcess, kept: Path) -> None:
    """The lab's own folder again: while it was altered, the node said nothing."""
    lab.stop()
    shutil.rmtree(lab.folder)
    kept.rename(lab.folder)
    lab.start()
