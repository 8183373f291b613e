"""Step 8: one byte of a stored fragment is altered; `fsck` names it, and so does a node that mirrors the log afresh."""

import asyncio
import re
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from node.api_client import ApiClient
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
    lab = stage.nodes[OWNER]
    mirror = NodeProcess(MIRROR, stage.folder / MIRROR, environment=ALONE)
    await asyncio.to_thread(lab.stop)
    place = alter(lab.folder, "section")
    try:
        with stage.sheets.act("IT", "one byte of the lab's store; passport-node fsck") as line:
            altered, _ = await asyncio.gather(
                asyncio.to_thread(_find, lab.folder, *place),
                asyncio.to_thread(mirror.init, name="Аудитор", kind="housing"),
            )
            line.shown = f"log {altered.log[:8]} seq {altered.seq} id {altered.id[:8]}: named by fsck"
        await asyncio.gather(asyncio.to_thread(lab.start), asyncio.to_thread(mirror.start))
        with stage.sheets.act("IT", "a fifth node mirrors the lab's log afresh") as line:
            kept = await _mirror(stage, mirror, altered)
            line.shown = f"it refuses exactly that entry and keeps the {kept} before it"
    finally:
        await asyncio.gather(asyncio.to_thread(mirror.stop), asyncio.to_thread(lab.stop))
        require(alter(lab.folder, "section", place) == place, "the same bit is put back")
    await asyncio.to_thread(lab.start)
    return altered


def alter(folder: Path, part: Part, place: tuple[str, int] | None = None) -> tuple[str, int]:
    """Flip one bit in a part of an entry, of the last line that a node published unless a place is named.

    Answer log and seq; done a second time at the same place, it is put back.
    """
    table, column, extra = _PLACES[part]
    connection = sqlite3.connect(folder / "passport.sqlite")
    try:
        no, log = connection.execute("select no, log from logs where own = 1").fetchone()
        newest = "select max(seq) from sections where log_no = ? and name = 'line'"
        seq = place[1] if place else connection.execute(newest, (no,)).fetchone()[0]
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


async def _mirror(stage: "Stage", node: NodeProcess, altered: Altered) -> int:
    """A node that has seen nothing yet joins by the lab's invitation and refuses the entry by the same name.

    Answer how many entries it keeps.
    """
    invitation = await stage.post(OWNER, "/invitations")
    async with ApiClient(node.folder) as api:
        await api.post("/federation/join", {"invitation": invitation["text"]})
        refusal = await stage.until("the entry is refused", partial(_refusal, api))
    named = (refusal["detail"]["log"], refusal["detail"]["seq"])
    require(named == (altered.log, altered.seq), f"the entry is named alike, got {named}")
    kept = _kept(node.folder, altered.log)
    require(kept == altered.seq, f"what came before is kept: {altered.seq} entries, got {kept}")
    return kept


async def _refusal(api: ApiClient) -> Json:
    rows = (await api.get("/journal", limit="100"))["items"]
    return next((row for row in rows if row["what"] == "entry_refused"), None)


def _kept(folder: Path, log: str) -> int:
    connection = sqlite3.connect(f"file:{folder / 'passport.sqlite'}?mode=ro", uri=True)
    try:
        (size,) = connection.execute("select size from logs where log = ?", (bytes.fromhex(log),)).fetchone()
    finally:
        connection.close()
    return int(size)
