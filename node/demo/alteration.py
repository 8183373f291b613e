"""Step 8: one byte of a stored fragment is altered; `fsck` names it, and so does a node that mirrors the log afresh."""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import ColumnElement, Table, func, select, update

from node.api_client import ApiClient
from node.clock import SystemClock
from node.config import load_settings
from node.demo.processes import NodeProcess
from node.demo.sheet import require
from node.folder import NodeFolder
from node.services.projection import VERSION
from node.store import schema
from node.store.database import Database
from node.store.logs import get_log, list_logs
from node.store.settings import drop_setting

if TYPE_CHECKING:
    from node.demo.stage import Stage

Json = Any  # Any: what the API answers
Part = Literal["section", "header", "signature"]
OWNER, MIRROR = "lab", "auditor"
# It meets nobody but the node that invited it, so that it mirrors the altered copy and no other.
ALONE = {"PASSPORT_FEDERATION__DISCOVERY": "false"}
_PLACES = {
    "section": (schema.sections, schema.sections.c.data),
    "header": (schema.fragments, schema.fragments.c.header),
    "signature": (schema.fragments, schema.fragments.c.signature),
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
    place = await alter(lab.folder, "section")
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
        require(await alter(lab.folder, "section", place) == place, "the same bit is put back")
    await asyncio.to_thread(lab.start)
    return altered


async def alter(folder: Path, part: Part, place: tuple[str, int] | None = None) -> tuple[str, int]:
    """Flip one bit in a part of an entry, of the last line that a node published unless a place is named.

    Answer log and seq; done a second time at the same place, it is put back, and at its start the node folds again what
    it may have folded meanwhile beside the altered line.
    """
    table, column = _PLACES[part]
    async with _store(folder) as database, database.write() as tx:
        (own,) = await list_logs(tx, own=True)
        newest = select(func.max(schema.sections.c.seq)).where(*_line_of(schema.sections, own.no))
        seq = place[1] if place else int(await tx.value(newest))
        entry = (table.c.log_no == own.no, table.c.seq == seq)
        where = (*_line_of(table, own.no), *entry) if part == "section" else entry
        raw = bytes(await tx.value(select(column).where(*where)))
        await tx.run(update(table).where(*where).values({column.name: raw[:-1] + bytes([raw[-1] ^ 1])}))
        if place is not None:
            await drop_setting(tx, VERSION)
    return own.log.hex(), seq


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
    kept = await _kept(node.folder, altered.log)
    require(kept == altered.seq, f"what came before is kept: {altered.seq} entries, got {kept}")
    return kept


async def _refusal(api: ApiClient) -> Json:
    rows = (await api.get("/journal", limit="100"))["items"]
    return next((row for row in rows if row["what"] == "entry_refused"), None)


async def _kept(folder: Path, log: str) -> int:
    async with _store(folder) as database, database.read() as tx:
        return (await get_log(tx, bytes.fromhex(log))).size


@asynccontextmanager
async def _store(folder: Path) -> AsyncIterator[Database]:
    """The store of a node as whoever has its disk or its database may open it."""
    database = Database.of_node(NodeFolder(folder), load_settings(folder).store, SystemClock())
    try:
        yield database
    finally:
        await database.close()


def _line_of(sections: Table, no: int) -> tuple[ColumnElement[bool], ...]:
    """The sections of a log that hold published lines."""
    return sections.c.log_no == no, sections.c.name == "line"
