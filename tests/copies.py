"""Copies of a node, as people make them: a backup that is restored, and `cp -a` of a folder while the node writes."""

import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from node.demo.processes import NodeProcess
from node.folder import NodeFolder
from tests.nodes import command, rows

TRIES = 20
COUNTS = "select l.log, count(*) from fragments f join logs l on l.no = f.log_no group by l.log"
OWN_LOGS = "select log from logs where own = 1 order by no"


@dataclass(frozen=True, slots=True)
class Vault:
    """Where a node's backups and its recovery key are."""

    folder: Path
    key: Path

    @property
    def settings(self) -> dict[str, str]:
        """What the node is started with."""
        return {"PASSPORT_BACKUP__FOLDER": str(self.folder), "PASSPORT_BACKUP__EVERY_HOURS": "0"}

    def newest(self) -> Path:
        """The newest backup."""
        return max(self.folder.glob("*.backup"), key=lambda path: path.stat().st_mtime_ns)


def make_vault(node: NodeProcess, folder: Path) -> Vault:
    """Make a recovery key for a node that was made, in a folder apart from it."""
    vault = Vault(folder / "backups", folder / "recovery.key")
    typed("backup", "key", str(vault.key), "--folder", str(node.folder))
    return vault


def back_up(node: NodeProcess, vault: Vault) -> Path:
    """A backup of a running node, made by the command."""
    typed("backup", "make", "--folder", str(node.folder))
    return vault.newest()


def restore(node: NodeProcess, backup: Path, vault: Vault, into: Path) -> NodeProcess:
    """The node that a backup makes in another folder, at the same address, not started."""
    typed("restore", str(backup), str(into), "--key", str(vault.key))
    return NodeProcess(f"{node.name}-restored", into, node.federation_port, vault.settings)


def copy_running(node: NodeProcess, into: Path, port: int, settings: Mapping[str, str]) -> NodeProcess:
    """What `cp -a` makes of a node's folder while it writes, at another port, not started.

    A copy that was torn is made again, as one would who sees that it does not open.
    """
    for _ in range(TRIES):
        shutil.rmtree(into, ignore_errors=True)
        # A socket cannot be copied, and is none of what the copy needs.
        subprocess.run(["cp", "-a", str(node.folder), str(into)], check=False, capture_output=True)
        NodeFolder(into).socket.unlink(missing_ok=True)
        if _is_whole(NodeFolder(into)):
            return NodeProcess(f"{node.name}-copied", into, port, settings)
    raise AssertionError(f"{TRIES} copies of {node.folder} were torn")


def counts(folder: Path) -> dict[bytes, int]:
    """How many statements of each log a store has."""
    return dict(rows(folder, COUNTS))


def own_logs(folder: Path) -> list[bytes]:
    """The logs of the node of a store, oldest first."""
    return [log for (log,) in rows(folder, OWN_LOGS)]


def typed(*arguments: str) -> str:
    """What a command prints that must end well."""
    done = command(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _is_whole(folder: NodeFolder) -> bool:
    try:
        with closing(sqlite3.connect(folder.database)) as store:
            return bool(store.execute("pragma integrity_check").fetchone() == ("ok",))
    except sqlite3.DatabaseError:
        return False
