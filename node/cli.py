"""`passport-node`: every command. Those about a running node ask it through its socket.

What a node itself is made of is imported by the commands that run one: the others answer at once.
"""

import asyncio
import datetime
import gc
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import structlog
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text
from structlog.tracebacks import ExceptionDictTransformer

from federation.errors import FederationError
from node.api_client import ApiClient
from node.clock import SystemClock, SystemRandom
from node.config import load_settings, template_config
from node.errors import FolderError, InputError, NodeError, NotFoundError
from node.folder import NodeFolder
from node.passport.errors import DeviceIdError
from node.passport.ids import format_device_id, parse_device_id
from node.passport.view import Seal, digest
from node.redaction import redact_event
from node.store.errors import StoreError

if TYPE_CHECKING:
    from node.app import Addresses, Node

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
federation_app = typer.Typer(no_args_is_help=True, help="Found a federation, say what its anchors attest.")
app.add_typer(federation_app, name="federation")
catalog_app = typer.Typer(no_args_is_help=True, help="Load and map own codes, sign and adopt releases of catalogs.")
app.add_typer(catalog_app, name="catalog")
out = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

Folder = Annotated[Path, typer.Option("--folder", "-f", help="The node's folder.", envvar="PASSPORT_FOLDER")]
HERE = Path("node")
BUSY = ("waiting", "running")
UNDOABLE = ("import.fleet", "import.production")
LOCAL = "local:administrator"
TABLES = (".csv", ".xlsx")
LONGEST_TEXT = 256  # characters that a look-up takes


def main() -> None:
    """The entry point: errors are one clear line, and the exit code is 1."""
    try:
        app()
    except (NodeError, StoreError, FederationError) as error:
        text = str(error)
    except OSError as error:
        text = f"the system refuses{f' {error.filename}' if error.filename else ''}: {_reason(error)}"
    else:
        return
    finally:
        gc.freeze()  # what is left is given back with the process, not piece by piece
    errors.print(f"passport-node: {text}", style="red", markup=False)
    sys.exit(1)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="An empty or new folder.")],
    name: Annotated[str, typer.Option(help="The organisation's name, as others will see it.")],
    kind: Annotated[str, typer.Option(help="maker, lab, utility, housing, service or operator.")] = "utility",
    inn: str = "",
    ogrn: str = "",
    place: str = "",
    language: str = "ru",
    web_port: int = 8440,
    federation_port: int = 8441,
    radio_port: Annotated[int | None, typer.Option(help="Open the gateway port: this node owns a network.")] = None,
) -> None:
    """Make a node: its organisation's root keys, its own keys, its store."""
    text = template_config(
        {"name": name, "kind": kind, "inn": inn, "ogrn": ogrn, "place": place, "language": language},
        web_port,
        federation_port,
        radio_port,
    )
    from node.services.found import found_node  # noqa: PLC0415 - see above

    try:
        with _refusals_of_the_store(folder):
            founded = asyncio.run(found_node(NodeFolder(folder), text, SystemClock(), SystemRandom()))
    except OSError as error:
        raise FolderError(f"{folder} cannot be made a node's folder: {_reason(error)}; name a new one") from error
    out.print(f"organisation {founded.org.hex()}\nnode         {founded.node.hex()}\nfolder       {folder}")
    out.print("Move root.key and next-root.key off this machine: they are needed to add or end nodes only.")
    out.print(f"Next: passport-node serve -f {folder}")


@app.command()
def serve(folder: Folder = HERE) -> None:
    """Run the node until it is interrupted."""

    def started(addresses: "Addresses") -> None:
        print(json.dumps({"started": addresses.as_dict()}), flush=True)

    with _refusals_of_the_store(folder):
        node = _open(folder)
        configure_logging(NodeFolder(folder).log)
        asyncio.run(_until_signal(node.run(started)))


@app.command()
def health(folder: Folder = HERE) -> None:
    """Ask a running node whether it is well; exit 1 where it does not answer so."""
    out.print(str(_ask(folder, lambda api: api.health())))


@app.command()
def fsck(folder: Folder = HERE) -> None:
    """Check every leaf, section, signature and root of the store."""
    with _refusals_of_the_store(folder):
        found = asyncio.run(_fsck(_open(folder)))
    for text in found:
        out.print(text, style="red", markup=False)
    out.print("nothing is wrong" if not found else f"{len(found)} findings")
    if found:
        raise typer.Exit(1)


@federation_app.command("new")
def federation_new(name: str, folder: Folder = HERE) -> None:
    """Found a federation with this organisation as its anchor."""
    answer = _ask(folder, lambda api: api.post("/federation", {"name": name}))
    out.print(f"federation {answer['id']}\nfingerprint {answer['fingerprint']}")


@federation_app.command("attest")
def federation_attest(
    org: str, what: str, rows: Annotated[list[str] | None, typer.Argument()] = None, folder: Folder = HERE
) -> None:
    """Say something of an organisation as an anchor: number, maker, accreditation, steward."""
    _ask(folder, lambda api: api.post("/attestations", {"org": org, "what": what, "rows": rows or []}))


@catalog_app.command("import")
def catalog_import(catalog: str, file: Path, folder: Folder = HERE) -> None:
    """Load own codes from a table with the columns code, name and central."""
    raw = _read(file, "name a table, .csv or .xlsx")
    answer = _ask(folder, lambda api: api.upload(f"/catalogs/{catalog}/codes/file", raw))
    out.print(f"{answer['taken']} taken, {answer['known']} known already")


@catalog_app.command("map")
def catalog_map(catalog: str, pairs: list[str], folder: Folder = HERE) -> None:
    """Bind own codes to central ones, as OWN=CENTRAL; OWN= binds to none."""
    items = []
    for pair in pairs:
        local, sign, central = pair.rpartition("=")
        if not sign or not local:
            raise InputError(f"{pair!r} is no pair: write OWN=CENTRAL")
        items.append({"local": local, "central": central or None})
    answer = _ask(folder, lambda api: api.post(f"/catalogs/{catalog}/mappings", {"items": items}))
    out.print(f"statement {answer['statement']}" if answer["statement"] else "nothing was new")


@catalog_app.command("publish")
def catalog_publish(
    catalog: str,
    file: Annotated[Path, typer.Argument(help="Records as a list in JSON.")],
    number: Annotated[int, typer.Option(help="The release's number, greater than any before.")],
    label: Annotated[str, typer.Option(help="What people call it.")],
    date: Annotated[str, typer.Option(help="As 2026-01-31.")],
    whole: Annotated[bool, typer.Option(help="These records alone, not over those of the newest release.")] = False,
    folder: Folder = HERE,
) -> None:
    """Sign a release of a central catalog as its steward."""
    try:
        records = json.loads(_read(file, "name a list of records in JSON"))
    except ValueError as error:
        raise InputError(f"{file} is no JSON: {error}") from error
    body = {"number": number, "label": label, "date": date, "records": records, "whole": whole}
    answer = _ask(folder, lambda api: api.post(f"/catalogs/{catalog}/releases", body))
    out.print(f"release {answer['number']} {answer['digest']}")


@catalog_app.command("adopt")
def catalog_adopt(catalog: str, release: str, folder: Folder = HERE) -> None:
    """Work with a release from now on: its number, or `shipped`."""
    answer = _ask(folder, lambda api: api.post(f"/catalogs/{catalog}/adoption", {"release": release}))
    out.print(f"{catalog}: release {answer['release']}")


@app.command()
def invite(folder: Folder = HERE) -> None:
    """Print an invitation for one node."""
    answer = _ask(folder, lambda api: api.post("/invitations"))
    print(answer["text"])


@app.command()
def join(invitation: str, folder: Folder = HERE) -> None:
    """Take an invitation."""
    answer = _ask(folder, lambda api: api.post("/federation/join", {"invitation": invitation}))
    out.print(f"federation {answer['id']}\nfingerprint {answer['fingerprint']}")


@app.command("import")
def import_file(
    file: Path,
    kind: Annotated[str, typer.Option(help="production, bench or fleet.")] = "production",
    fleet: Annotated[bool, typer.Option("--fleet", help="The file is a fleet table of any shape.")] = False,
    supplier: Annotated[str, typer.Option(help="Whose fleet table it is: its columns are kept by that name.")] = "",
    column: Annotated[list[str] | None, typer.Option(help='What a column holds: "Header=serial".')] = None,
    sheet: Annotated[str | None, typer.Option(help="The sheet of a fleet workbook.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Tell what would be done; write nothing.")] = False,
    report: Annotated[Path | None, typer.Option(help="Where to write the rows to correct.")] = None,
    folder: Folder = HERE,
) -> None:
    """Import a table; rows to correct come back as a table."""
    from node.importing import fleet_query, print_preview  # noqa: PLC0415 - see above

    query = fleet_query("fleet" if fleet else kind, supplier, column or [], sheet, is_preview=preview)
    ending = _report_ending(report) if report else ""
    raw = _read(file, "name a table, .csv or .xlsx")
    if preview:
        print_preview(out, _ask(folder, lambda api: _preview(api, raw, file.name, query)))
        return
    job, table = _ask(folder, lambda api: _import(api, raw, file.name, query, ending))
    result = job["result"]
    findings, repeated = result.get("findings", []), result.get("repeated", 0)
    known = f"{repeated} known already, " if repeated else ""
    out.print(f"{result.get('accepted', 0)} imported, {known}{len(findings)} reported")
    for finding in findings:
        out.print(
            f"  row {finding['row']} · {finding['column']} · {finding['value']} · {finding['rule']}: {finding['en']}",
            markup=False,
        )
    if report is not None and table:
        _write(report, table, f"these rows are at /imports/{job['job']} in the node's console as well")
    if result.get("accepted") and job["kind"] in UNDOABLE:
        out.print(f"to take it back: passport-node undo {job['job']}", style="dim")
    _require_done(job)


@app.command()
def suppliers(
    forget: Annotated[str, typer.Option(help="Forget how the tables of this supplier are read.")] = "",
    folder: Folder = HERE,
) -> None:
    """List the suppliers of fleet tables whose columns are kept."""
    if forget:
        _ask(folder, lambda api: api.delete(f"/suppliers/{quote(forget, safe='')}"))
        return
    for item in _ask(folder, lambda api: api.get("/suppliers"))["items"]:
        columns = ", ".join(f"{title}={field}" for title, field in item["mapping"]["columns"].items())
        out.print(f"{item['name']}: {columns}", markup=False)


@app.command()
def undo(
    job: Annotated[str, typer.Argument(help="The job of an import, as `import` and the console tell it.")],
    preview: Annotated[bool, typer.Option("--preview", help="Tell what would be taken back; write nothing.")] = False,
    reason: Annotated[str, typer.Option(help="Why: it is signed and shown with what is taken back.")] = "",
    report: Annotated[Path | None, typer.Option(help="Where to write the devices that stay, .csv or .xlsx.")] = None,
    folder: Folder = HERE,
) -> None:
    """Take back what an import said, but for devices on which something was built since."""
    from node.importing import print_foreseen, print_undone  # noqa: PLC0415 - see above

    ending = _report_ending(report) if report else ""
    if preview:
        print_foreseen(out, _ask(folder, lambda api: api.get(f"/jobs/{job}/undo")))
        return
    ended, table = _ask(folder, lambda api: _undo(api, job, reason, ending))
    print_undone(out, ended["result"])
    if report is not None and table:
        _write(report, table, f"these devices are at /imports/{ended['job']} in the node's console as well")
    _require_done(ended)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A table of meters: .xlsx or .csv of any shape.")],
    folder: Annotated[
        Path | None, typer.Option("--folder", "-f", help="Check at this running node: its lines and registry count.")
    ] = None,
    on: Annotated[str, typer.Option(help="The day of the check, as 2026-03-14; today if not given.")] = "",
    days: Annotated[int, typer.Option(min=0, max=3650, help="Verifications ending within so many days are told.")] = 90,
    sheet: Annotated[str | None, typer.Option(help="The sheet of a workbook.")] = None,
    column: Annotated[list[str] | None, typer.Option(help='What a column holds: "Header=serial".')] = None,
    report: Annotated[Path | None, typer.Option(help="Where to write the report: .xlsx, .csv, .json, .html.")] = None,
    max_mb: Annotated[int, typer.Option(min=1, max=4096, help="The largest file that is read.")] = 64,
    language: Annotated[str, typer.Option(envvar="LANG", help="ru or en; by the locale if not given.")] = "en",
) -> None:
    """Check a fleet table of any shape; nothing is written but the report. Exit 1: errors found; 2: not readable."""
    from node.checking import Wish, check_at_node, check_here, choose_language, print_report, read_mapping  # noqa: PLC0415 - see above
    from node.exchange.errors import ExchangeError  # noqa: PLC0415 - see above

    try:
        wish = Wish(
            file, _day(on), days, read_mapping(column or [], sheet), max_mb << 20, report, choose_language(language)
        )
        if report is not None:
            _check_writable(report)
        if folder is not None:
            with errors.status(Text(f"{file.name} …")):
                told, written = check_at_node(wish, folder)
        else:
            with _bar() as bar:
                told, written = check_here(wish, bar)
        if report is not None:
            _write(report, written, "name another file")
    except (NodeError, ExchangeError) as error:
        errors.print(f"passport-node: {error}", style="red", markup=False)
        raise typer.Exit(2) from None
    print_report(out, told, wish.language)
    raise typer.Exit(1 if told["grades"]["error"] else 0)


@app.command()
def ship(buyer: str, number: str, devices: list[str], folder: Folder = HERE) -> None:
    """Offer devices to a buyer."""
    answer = _ask(folder, lambda api: api.post("/shipments", {"buyer": buyer, "number": number, "devices": devices}))
    out.print(f"shipment {answer['id']}")


@app.command()
def arshin(file: Path, folder: Folder = HERE) -> None:
    """Write the «Аршин» import file of this lab's verifications."""
    raw = _ask(folder, lambda api: api.download("/arshin"))
    _write(file, raw, "name another file")
    out.print(f"{file}: {raw.count(b'<gost:result>') or raw.count(b'result>') // 2} results")


@app.command()
def lookup(
    text: str,
    folder: Folder = HERE,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="The digest, conflicts and claims as well.")] = False,
) -> None:
    """Find a device by anything that stands on it: here, then at the peers; exit 1 where nothing is found."""
    if len(text) > LONGEST_TEXT:
        raise InputError(
            f"nothing on a device has {len(text)} characters: look up its number, DevEUI or id, "
            f"in at most {LONGEST_TEXT}"
        )
    found = _ask(folder, lambda api: _look_up(api, text, whole=verbose))
    if not found:
        raise NotFoundError(
            f"nothing that carries {text!r} is known here or told by the peers that answer: compare it with the device "
            "character by character; if it is right, ask who owns the device to share its passport with this node"
        )
    for row, passport in found:
        out.print(f"{row['id']}  {row['title']}  {row['state']}  {row['source']}", markup=False)
        if passport is not None:
            _print_digest(passport)


@app.command()
def export(
    subject: Annotated[str, typer.Argument(help="A device id.")] = "",
    everything: Annotated[Path | None, typer.Option("--all", help="Write the whole node as open files.")] = None,
    pdf: Annotated[Path | None, typer.Option(help="Write a document for paper.")] = None,
    file: Annotated[Path | None, typer.Option(help="Write the signed file, for `check-file`.")] = None,
    party: Annotated[str, typer.Option(help="An organisation: in the file only what it may read.")] = "",
    language: Annotated[str, typer.Option(help="Of the document: ru or en.")] = "",
    folder: Folder = HERE,
) -> None:
    """Print a passport as JSON, write it as PDF or as a signed file; or write the whole node as open files."""
    if everything is not None:
        if subject:
            raise InputError("name a device, or --all with a folder: not both")
        counts = _export_all(folder, everything)
        told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        out.print(f"{everything}: {told}", markup=False)
        return
    try:
        device = format_device_id(parse_device_id(subject))
    except DeviceIdError as error:
        raise InputError(f"{subject!r} is no device id: {error}; `passport-node lookup` tells ids") from error
    if pdf is None and file is None:
        print(json.dumps(_ask(folder, lambda api: api.get(f"/passports/{device}")), ensure_ascii=False, indent=1))
    if pdf is not None:
        spoken = language or load_settings(folder).node.language
        _write(pdf, _ask(folder, lambda api: api.read(f"/passports/{device}/pdf", spoken)), "name another file")
        out.print(str(pdf), markup=False)
    if file is not None:
        named = {"party": party} if party else {}
        _write(file, _ask(folder, lambda api: api.download(f"/passports/{device}/file", **named)), "name another file")
        out.print(str(file), markup=False)


@app.command("check-file")
def check_passport_file(
    file: Path,
    fingerprint: Annotated[str, typer.Option(help="Of the federation, as its people compare it.")] = "",
) -> None:
    """Check a passport file with no node: what is signed by whom, and what was altered; exit 1 where anything was."""
    from node.exchange.errors import PassportFileError  # noqa: PLC0415 - see above
    from node.exchange.file_report import report_file  # noqa: PLC0415 - see above

    try:
        report = report_file(file.read_bytes(), fingerprint)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {_reason(error)}; name a passport file") from error
    except PassportFileError as error:
        raise InputError(f"{file}: {error}") from error
    for line in report.lines:
        out.print(line, markup=False)
    for finding in report.findings:
        out.print(str(finding), style="red", markup=False)
    out.print("nothing is wrong" if not report.findings else f"{len(report.findings)} findings")
    if report.findings:
        raise typer.Exit(1)


@app.command()
def demo(
    folder: Path = Path("build/demo"),
    seed: int = 1,
    once: bool = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="The digest of each passport on each node.")] = False,
) -> None:
    """Play the product's main job on four nodes of this machine."""
    from node.demo.run import run_demo  # noqa: PLC0415 - see above

    raise typer.Exit(run_demo(folder, seed, once=once, verbose=verbose))


def configure_logging(path: Path | None = None) -> None:
    """JSON lines into the node's log file."""
    target = path.open("a", encoding="utf-8") if path else sys.stderr
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Places and messages only: the values of local names may be secrets.
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            redact_event,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.WriteLoggerFactory(target),
        cache_logger_on_first_use=False,
    )


async def _until_signal(run: Coroutine[Any, Any, None]) -> None:  # Any: what asyncio sends into a coroutine
    task = asyncio.ensure_future(run)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return


def _open(folder: Path) -> "Node":
    # What is imported stays: looking through its million objects for garbage would take a third of a start.
    gc.disable()
    from node.app import Node  # noqa: PLC0415 - see above

    gc.freeze()
    gc.enable()
    return Node(folder, SystemClock(), SystemRandom())


@contextmanager
def _refusals_of_the_store(folder: Path) -> Iterator[None]:
    """Work on the store of a node; raise FolderError naming it where the database refuses."""
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError  # noqa: PLC0415 - see above

    try:
        yield
    except (SQLAlchemyError, ConnectionRefusedError) as error:
        # SQLAlchemy's own text repeats the statement with its values, which may be secrets.
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise FolderError(
            f"the store {_store_name(folder)} cannot be used: {reason}; see that it is this node's database, whole, "
            "and that this user may write it"
        ) from error


def _store_name(folder: Path) -> str:
    """The file of a store, or the address of its server without the password."""
    from sqlalchemy.engine import make_url  # noqa: PLC0415 - see above
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 - see above

    try:
        url = make_url(load_settings(folder).store.url or NodeFolder(folder).url())
    except ArgumentError:
        return "of the setting [store] url"
    return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)


async def _fsck(node: "Node") -> list[str]:
    found: list[str] = []
    with node.folder.locked(), _bar() as bar:
        task = bar.add_task("fsck", total=None)
        try:
            async for progress in node.fsck.run():
                bar.update(task, completed=progress.done, total=progress.total)
                found += map(str, progress.findings)
        finally:
            await node.core.database.close()
    return found


def _export_all(folder: Path, target: Path) -> dict[str, int]:
    """Write everything; a running node goes on, and is told for its journal."""
    with _refusals_of_the_store(folder):
        node = _open(folder)
        try:
            with node.folder.locked():
                return asyncio.run(_export(node, target, is_alone=True))
        except FolderError as error:
            if error.code != "folder_locked":
                raise
        counts = asyncio.run(_export(_open(folder), target, is_alone=False))
    body = {"folder": str(target), "passports": counts.get("passports", 0)}
    _ask(folder, lambda api: api.post("/exports", body))
    return counts


async def _export(node: "Node", target: Path, *, is_alone: bool) -> dict[str, int]:
    with _bar() as bar:
        task = bar.add_task("export", total=None)
        try:
            async for progress in node.export.write(target):
                bar.update(task, description=progress.what, completed=progress.done, total=progress.total)
            if is_alone:
                await node.export.note(LOCAL, str(target), node.export.counts.get("passports", 0))
        finally:
            await node.core.database.close()
    return node.export.counts


def _report_ending(report: Path) -> str:
    """What kind of table a report is by its name; raise InputError where it could not be written."""
    if report.suffix.lower() not in TABLES:
        raise InputError(f"the report {report} would be no table: give it a name that ends in .csv or .xlsx")
    _check_writable(report)
    return report.suffix.lower().removeprefix(".")


def _check_writable(report: Path) -> None:
    """Raise InputError where a report could not be written."""
    if not report.parent.is_dir():
        raise InputError(f"the report {report} cannot be written: {report.parent} is no folder; make it first")
    if report.is_dir() or not os.access(report if report.exists() else report.parent, os.W_OK):
        raise InputError(f"the report {report} cannot be written: this user may not write there; name another file")


def _day(text: str) -> datetime.date:
    """The day of a check; today on this machine where none is given."""
    try:
        return datetime.date.fromisoformat(text) if text else datetime.datetime.now().astimezone().date()
    except ValueError:
        raise InputError(f"{text!r} is no date, as 2026-03-14") from None


def _write(file: Path, raw: bytes, advice: str) -> None:
    """Write what was asked for; raise InputError with the advice where the system refuses."""
    try:
        file.write_bytes(raw)
    except OSError as error:
        raise InputError(f"{file} cannot be written: {_reason(error)}; {advice}") from error


def _read(file: Path, advice: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {_reason(error)}; {advice}") from error


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__


def _require_done(job: Any) -> None:  # Any: JSON
    """End with 1 where a job failed."""
    if job["state"] == "failed":
        out.print(str(job["result"].get("error")), style="red", markup=False)
        raise typer.Exit(1)


async def _preview(api: ApiClient, raw: bytes, name: str, query: dict[str, str]) -> Any:  # Any: JSON
    with errors.status(Text(f"{name} …")):
        asked = {key: value for key, value in query.items() if key != "kind"}
        return await api.upload("/imports/preview", raw, name=name, **asked)


async def _import(
    api: ApiClient, raw: bytes, name: str, query: dict[str, str], report: str
) -> tuple[Any, bytes]:  # Any: JSON
    # The node reads the whole file before it takes the job.
    with errors.status(Text(f"sending {name} …")):
        taken = await api.upload("/imports", raw, name=name, **query)
    job = await _follow(api, taken["job"], name)
    wanted = report and job["result"].get("findings")
    return job, await api.download(f"/jobs/{taken['job']}/report", format=report) if wanted else b""


async def _follow(api: ApiClient, job_id: str, name: str) -> Any:  # Any: JSON
    """A job once it ended, with a bar until then."""
    with _bar() as bar:
        task = bar.add_task(name, total=None)
        while True:
            job = await api.get(f"/jobs/{job_id}", wait="1")
            bar.update(task, completed=job["done"], total=job["total"])
            if job["state"] not in BUSY:
                return job


async def _undo(api: ApiClient, job_id: str, reason: str, report: str) -> tuple[Any, bytes]:  # Any: JSON
    taken = await api.post(f"/jobs/{job_id}/undo", {"reason": reason} if reason else {})
    job = await _follow(api, taken["job"], f"undo {job_id}")
    wanted = report and job["result"].get("left")
    return job, await api.download(f"/jobs/{taken['job']}/left", format=report) if wanted else b""


async def _look_up(api: ApiClient, text: str, *, whole: bool) -> list[tuple[Any, Any]]:  # Any: JSON
    """What carries the text; with the whole passport of each that is here, if wanted."""
    found = (await api.get("/lookup", q=text))["items"]
    return [
        (row, await api.get(f"/passports/{row['id']}") if whole and row["source"] == "here" else None) for row in found
    ]


def _print_digest(passport: Any) -> None:  # Any: JSON
    """The digest, computed over what the node answered, and what stands in dispute in it."""
    view = passport["view"]
    sealed = {name: Seal(seal["rows"], bytes.fromhex(seal["hash"])) for name, seal in passport["sealed"].items()}
    mark = digest(view, sealed).hex()
    if mark != passport["digest"]:
        raise NodeError(f"{passport['id']}: the node answers a view of digest {mark} and says {passport['digest']}")
    count = sealed["statements"].rows if "statements" in sealed else len(view["statements"])
    out.print(f"  digest {mark} over the whole view: {count} statements")
    for name in ("conflicts", "claims", "pending"):
        for item in view[name]:
            out.print(f"  {name.removesuffix('s')}: {json.dumps(item, ensure_ascii=False)}", markup=False)


def _bar() -> Progress:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))


def _ask(folder: Path, call: Callable[[ApiClient], Awaitable[Any]]) -> Any:  # Any: JSON
    async def run() -> Any:  # Any: JSON
        async with ApiClient(folder) as api:
            return await call(api)

    return asyncio.run(run())
