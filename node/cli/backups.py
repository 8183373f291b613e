"""Backups: the recovery key, making, checking, drills, restoring a node; a new log after a whole-machine snapshot."""

import asyncio
import tempfile
from collections.abc import Awaitable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from node.cli.opening import open_node, refusals_of_the_store
from node.cli.talk import HERE, Folder, app, ask, out, progress_bar, reason
from node.clock import SystemClock, SystemRandom
from node.errors import BackupError, FolderError, InputError
from node.folder import NodeFolder, write_durably, written_privately

if TYPE_CHECKING:
    from node.api_client import ApiClient
    from node.backup.archive import Head
    from node.backup.locks import Opener, Passphrase
    from node.services.work import Work

PANEL = "Backups"
BUSY = ("waiting", "running")
LOOK_EVERY_S = 0.2
T = TypeVar("T")

backup_app = typer.Typer(no_args_is_help=True, help="Make, check and drill backups of this node.")
app.add_typer(backup_app, name="backup", rich_help_panel=PANEL)

KeyFile = Annotated[Path | None, typer.Option("--key", help="The file that `backup key` wrote.")]
PassphraseFile = Annotated[Path | None, typer.Option(help="A file with the passphrase, in place of typing it.")]


@backup_app.command("key")
def backup_key(
    file: Annotated[Path, typer.Argument(help="A new file, to be kept apart from this machine.")],
    replace: Annotated[bool, typer.Option("--replace", help="Make another key than there is.")] = False,
    folder: Folder = HERE,
) -> None:
    """Make a recovery key: its private half goes into the file, this once; the node keeps the other half."""
    from node.backup.locks import KEY_SIZE, PrivateRecoveryKey  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    home = NodeFolder(folder)
    if not home.config.exists():
        raise FolderError(f"{folder} holds no node: name its folder with --folder")
    if home.recovery_key.exists() and not replace:
        raise InputError(
            f"{home.recovery_key} is there already: --replace makes a new key; keep the file of the old one"
        )
    if file.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{file} lies in the node's folder: name a place apart from it, else both are lost together")
    key = PrivateRecoveryKey(SystemRandom().bytes(KEY_SIZE))
    made = f"# Opens the backups of the node in {folder.resolve().name}. Whoever has it can read them.\n"
    try:
        with written_privately(file) as written:
            written.write(f"{made}{key.to_text()}\n".encode())
    except OSError as error:
        raise InputError(f"{file} cannot be written: {reason(error)}; name a new file") from error
    write_durably(home.recovery_key, f"{key.public.to_text()}\n".encode())
    out.print(
        f"recovery key {key.public.id.hex()}\nMove {file} off this machine: without it no backup opens elsewhere."
    )


@backup_app.command("make")
def backup_make(
    to: Annotated[
        Path | None, typer.Option(help="Another folder than the settings name; the node must not run.")
    ] = None,
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Lock it with a passphrase that is asked for.")
    ] = False,
    passphrase_file: PassphraseFile = None,
    folder: Folder = HERE,
) -> None:
    """Make a backup now: encrypted, read back whole and checked."""
    words = _passphrase(passphrase_file, confirm=True) if passphrase or passphrase_file else None
    if to is None and NodeFolder(folder).socket.exists() and _is_running(folder):
        body: dict[str, object] = {"passphrase": words.text} if words else {}
        job = _follow(folder, ask(folder, lambda api: api.post("/backups", body))["job"])
        result = job["result"]
        _say_made(result["file"], result["size"], result["statements"], result["trouble"])
        return
    with refusals_of_the_store(folder):
        name, size, statements, trouble = asyncio.run(_make_here(folder, to, words))
    _say_made(name, size, statements, trouble)


@backup_app.command("list")
def backup_list(folder: Folder = HERE) -> None:
    """The backups in the folder of backups, newest first."""
    from node.backup.archive import find_head  # noqa: PLC0415 - imported where it is needed: the other commands answer at once
    from node.config import load_settings  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    place = load_settings(folder).backup.place(folder)
    found = sorted(place.glob("passport-*.backup"), reverse=True)
    for path in found:
        try:
            told = _told(find_head(path), path.stat().st_size)
        except (BackupError, OSError) as error:
            told = reason(error) if isinstance(error, OSError) else str(error)
        out.print(f"{path.name}  {told}", markup=False)
    if not found:
        out.print(f"there is no backup in {place}", markup=False)


@backup_app.command("verify")
def backup_verify(file: Path, key: KeyFile = None, passphrase_file: PassphraseFile = None) -> None:
    """Open a backup, check every hash, and the store in it by its own proofs; nothing of it stays."""
    from node.services.backup_opening import check_backup  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    opener = _opener(file, key, passphrase_file)
    with tempfile.TemporaryDirectory(prefix="passport-verify-") as place:
        work = _work()
        checked = _run("verify", work, check_backup(file, opener, Path(place), SystemClock(), SystemRandom(), work))
    _say_findings(checked.findings)
    out.print(f"{checked.contents.program}, {len(checked.counts)} logs, {checked.statements} statements: whole")


@backup_app.command("drill")
def backup_drill(folder: Folder = HERE) -> None:
    """Restore the newest backup of the running node aside, check it, compare it with the node, remove it."""
    result = _follow(folder, ask(folder, lambda api: api.post("/backups/drills"))["job"])["result"]
    if result["trouble"]:
        raise InputError(f"{result['file']} would not do: {result['trouble']}")
    hours, seconds = result["age_us"] / 3.6e9, result["took_ms"] / 1000
    out.print(
        f"{result['file']} is {hours:.1f} hours old and restored in {seconds:.1f} s: "
        f"{result['statements']} statements, {result['since']} said since"
    )


@app.command(rich_help_panel=PANEL)
def restore(
    file: Annotated[Path, typer.Argument(help="A backup.")],
    into: Annotated[Path, typer.Argument(help="An empty or new folder.")],
    key: KeyFile = None,
    passphrase_file: PassphraseFile = None,
    store: Annotated[
        str | None, typer.Option(help="Another store than the settings in it name; '' for a file.")
    ] = None,
) -> None:
    """Make a node's folder out of a backup; never over one that is there."""
    from node.services.restoring import restore_node  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    opener, work = _opener(file, key, passphrase_file), _work()
    with refusals_of_the_store(into):
        done = _run(
            "restore", work, restore_node(file, opener, NodeFolder(into), store, SystemClock(), SystemRandom(), work)
        )
    made = datetime.fromtimestamp(done.head.made_us // 1_000_000, UTC)
    out.print(f"node {done.head.node.hex()} as of {made:%Y-%m-%d %H:%M:%S} UTC, {done.statements} statements")
    out.print(f"store {done.store}, by {done.program}", markup=False)
    out.print("Its first start opens a new log; what was said after the backup comes back from peers.")
    out.print(f"Next: passport-node serve -f {into}")
    _say_findings(done.findings)


@app.command("new-log", rich_help_panel=PANEL)
def new_log(folder: Folder = HERE) -> None:
    """Open a new log by hand: after the whole machine went back to a snapshot. The node must not run."""
    with refusals_of_the_store(folder):
        opened, old = asyncio.run(_open_log(folder))
    out.print(f"log {opened}\nbefore {old}\nNext: passport-node serve -f {folder}")


async def _open_log(folder: Path) -> tuple[str, str]:
    from node.store.migrate import upgrade  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    node = open_node(folder)
    with node.folder.locked():
        try:
            await upgrade(node.core.database)
            await node.core.database.hold(node.core.node, node.core.random.bytes(16))
            old = await node.ledger.newest()
            await node.ledger.open(by_hand=True)
        finally:
            await node.core.database.close()
    return node.ledger.log.log.hex(), old.hex() if old else "none"


async def _make_here(folder: Path, to: Path | None, words: "Passphrase | None") -> tuple[str, int, int, str]:
    """Make a backup of a node that does not run."""
    from node.services.backup_making import make_backup  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    node, work = open_node(folder), _work()
    with node.folder.locked():
        try:
            await node.core.database.lock()
            lock, key = await node.backups.lock(words)
            target = to or node.backups.folder
            made = await _shown("backup", work, make_backup(node.core, target, lock, key, work))
        finally:
            await node.core.database.close()
    return str(made.path), made.size, sum(made.contents.counts.values()), "; ".join(made.findings)


def _opener(file: Path, key: Path | None, passphrase_file: Path | None) -> "Opener":
    """What opens a file, asked for where nothing names it."""
    from node.backup.archive import find_head  # noqa: PLC0415 - imported where it is needed: the other commands answer at once
    from node.backup.locks import PassphraseLock, parse_private  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    try:
        lock = find_head(file).lock
        if key is not None:
            return parse_private(key.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read: {reason(error)}") from error
    if isinstance(lock, PassphraseLock) or passphrase_file is not None:
        return _passphrase(passphrase_file, confirm=False)
    raise InputError(f"{file} is locked to the recovery key {lock.name}: name its file with --key")


def _passphrase(file: Path | None, *, confirm: bool) -> "Passphrase":
    from node.backup.locks import Passphrase  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    if file is None:
        return Passphrase(str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm)))
    try:
        return Passphrase(file.read_text("utf-8").rstrip("\r\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read: name a file with one line of UTF-8") from error


def _is_running(folder: Path) -> bool:
    from node.api_client import ApiError  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    try:
        ask(folder, lambda api: api.health())
    except ApiError as error:
        if error.code == "not_running":
            return False
        raise
    return True


def _follow(folder: Path, job_id: str) -> dict[str, Any]:  # Any: JSON
    """Show how far a job of the running node is; answer it when it is done, raise InputError where it failed."""

    async def follow(api: "ApiClient") -> dict[str, Any]:  # Any: JSON
        with progress_bar() as bar:
            task = bar.add_task("backup", total=None)
            while True:
                job: dict[str, Any] = await api.get(f"/jobs/{job_id}")  # Any: JSON
                stage = str(job["result"].get("stage", "backup"))
                bar.update(task, description=stage, completed=job["done"], total=job["total"])
                if job["state"] not in BUSY:
                    return job
                await asyncio.sleep(LOOK_EVERY_S)

    job: dict[str, Any] = ask(folder, follow)  # Any: JSON
    if job["state"] == "failed":
        raise InputError(str(job["result"].get("error")))
    return job


def _work() -> "Work":
    from node.services.work import Work  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    return Work()


def _run(what: str, work: "Work", call: Awaitable[T]) -> T:
    return asyncio.run(_shown(what, work, call))


async def _shown(what: str, work: "Work", call: Awaitable[T]) -> T:
    """Await work with a bar on the terminal."""
    running = asyncio.ensure_future(call)
    with progress_bar() as bar:
        task = bar.add_task(what, total=None)
        while not (await asyncio.wait([running], timeout=LOOK_EVERY_S))[0]:
            bar.update(task, description=work.stage or what, completed=work.parts(100), total=100)
    return await running


def _told(head: "Head", size: int) -> str:
    made = datetime.fromtimestamp(head.made_us // 1_000_000, UTC)
    return f"{made:%Y-%m-%d %H:%M:%S} UTC  {size / 1e6:.1f} MB  locked to {head.lock.name}"


def _say_made(name: str, size: int, statements: int, trouble: str) -> None:
    out.print(f"{name}\n{size / 1e6:.1f} MB, {statements} statements, read back whole", markup=False)
    _say_findings([trouble] if trouble else [])


def _say_findings(findings: "list[str] | tuple[str, ...]") -> None:
    """Tell what fsck found; end with exit code 1 where that is anything."""
    for text in findings:
        out.print(text, style="red", markup=False)
    if findings:
        out.print(f"{len(findings)} findings: the store that was copied has these faults")
        raise typer.Exit(1)
