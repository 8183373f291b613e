"""Tables in: imports, their undo, the suppliers whose columns are kept, the check-up."""

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from node.cli.talk import (
    HERE,
    Folder,
    Language,
    app,
    ask,
    check_writable,
    choose_language,
    errors,
    in_words,
    listed,
    out,
    progress_bar,
    read,
    report_ending,
    telling,
    write,
)
from node.errors import InputError

if TYPE_CHECKING:
    from node.api_client import ApiClient

PANEL = "Tables"
BUSY = ("waiting", "running")
UNDOABLE = ("import.fleet", "import.production")


@app.command("import", rich_help_panel=PANEL)
def import_file(
    file: Path,
    kind: Annotated[str, typer.Option(help="production, bench, fleet or commerceml.")] = "production",
    fleet: Annotated[bool, typer.Option("--fleet", help="The file is a fleet table of any shape.")] = False,
    supplier: Annotated[str, typer.Option(help="Whose fleet table it is: its columns are kept by that name.")] = "",
    column: Annotated[list[str] | None, typer.Option(help='What a column holds: "Header=serial".')] = None,
    sheet: Annotated[str | None, typer.Option(help="The sheet of a fleet workbook.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Tell what would be done; write nothing.")] = False,
    report: Annotated[Path | None, typer.Option(help="Where to write the rows to correct.")] = None,
    folder: Folder = HERE,
    language: Language = "en",
) -> None:
    """Import a table; rows to correct come back as a table."""
    from node.cli.importing import fleet_query, print_imported, print_preview  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    spoken = choose_language(language)
    with telling(spoken):
        query = fleet_query("fleet" if fleet else kind, supplier, column or [], sheet, is_preview=preview)
        ending = report_ending(report) if report else ""
        raw = read(file, "name a table, .csv or .xlsx", "назовите таблицу, .csv или .xlsx")
        if preview:
            print_preview(out, ask(folder, lambda api: _preview(api, raw, file.name, query), spoken), spoken)
            return
        job, table = ask(folder, lambda api: _import(api, raw, file.name, query, ending, spoken), spoken)
        print_imported(out, job["result"], spoken)
        if report is not None and table:
            write(report, table, f"these rows are at /imports/{job['job']} in the node's console as well")
    if job["result"].get("accepted") and job["kind"] in UNDOABLE:
        take_back = in_words(spoken, "отозвать этот импорт", "to take it back")
        errors.print(f"{take_back}: passport-node undo {job['job']}", style="dim")
    _require_done(job)


@app.command(rich_help_panel=PANEL)
def suppliers(
    forget: Annotated[str, typer.Option(help="Forget how the tables of this supplier are read.")] = "",
    folder: Folder = HERE,
) -> None:
    """List the suppliers of fleet tables whose columns are kept."""
    for item in listed(folder, "/suppliers", drop=forget):
        columns = ", ".join(f"{title}={field}" for title, field in item["mapping"]["columns"].items())
        out.print(f"{item['name']}: {columns}", markup=False)


@app.command(rich_help_panel=PANEL)
def undo(
    job: Annotated[str, typer.Argument(help="The job of an import, as `import` and the console tell it.")],
    preview: Annotated[bool, typer.Option("--preview", help="Tell what would be taken back; write nothing.")] = False,
    reason: Annotated[str, typer.Option(help="Why: it is signed and shown with what is taken back.")] = "",
    report: Annotated[Path | None, typer.Option(help="Where to write the devices that stay, .csv or .xlsx.")] = None,
    folder: Folder = HERE,
    language: Language = "en",
) -> None:
    """Take back what an import said, but for devices on which something was built since."""
    from node.cli.importing import print_foreseen, print_undone  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    spoken = choose_language(language)
    with telling(spoken):
        ending = report_ending(report) if report else ""
        if preview:
            print_foreseen(out, ask(folder, lambda api: api.get(f"/jobs/{job}/undo"), spoken), spoken)
            return
        ended, table = ask(folder, lambda api: _undo(api, job, reason, ending), spoken)
        print_undone(out, ended["result"], spoken)
        if report is not None and table:
            write(report, table, f"these devices are at /imports/{ended['job']} in the node's console as well")
    _require_done(ended)


@app.command(rich_help_panel=PANEL)
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
    language: Language = "en",
) -> None:
    """Check a fleet table of any shape; nothing is written but the report. Exit 1: errors found; 2: not readable."""
    from node.cli.checking import Wish, check_at_node, check_here, print_report, read_mapping  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    spoken = choose_language(language)
    with telling(spoken, code=2):
        wish = Wish(file, _day(on), days, read_mapping(column or [], sheet), max_mb << 20, report, spoken)
        if report is not None:
            check_writable(report)
        if folder is not None:
            with errors.status(Text(f"{file.name} …")):
                told, written = check_at_node(wish, folder)
        else:
            with progress_bar() as bar:
                told, written = check_here(wish, bar)
        if report is not None:
            write(report, written, "name another file")
    print_report(out, told, wish.language)
    raise typer.Exit(1 if told["grades"]["error"] else 0)


def _day(text: str) -> datetime.date:
    """The day of a check; today on this machine where none is given."""
    try:
        return datetime.date.fromisoformat(text) if text else datetime.datetime.now().astimezone().date()
    except ValueError:
        raise InputError(f"{text!r} is no date, as 2026-03-14", ru=f"«{text}» — не дата вида 2026-03-14") from None


def _require_done(job: Any) -> None:  # Any: JSON
    """End with 1 where a job failed."""
    if job["state"] == "failed":
        out.print(str(job["result"].get("error")), style="red", markup=False)
        raise typer.Exit(1)


async def _preview(api: "ApiClient", raw: bytes, name: str, query: dict[str, str]) -> Any:  # Any: JSON
    with errors.status(Text(f"{name} …")):
        asked = {key: value for key, value in query.items() if key != "kind"}
        return await api.upload("/imports/preview", raw, name=name, **asked)


async def _import(
    api: "ApiClient", raw: bytes, name: str, query: dict[str, str], report: str, language: str
) -> tuple[Any, bytes]:  # Any: JSON
    # The node reads the whole file before it takes the job.
    with errors.status(Text(in_words(language, f"отправляется {name} …", f"sending {name} …"))):
        taken = await api.upload("/imports", raw, name=name, **query)
    job = await _follow(api, taken["job"], name)
    wanted = report and job["result"].get("findings")
    return job, await api.download(f"/jobs/{taken['job']}/report", format=report) if wanted else b""


async def _follow(api: "ApiClient", job_id: str, name: str) -> Any:  # Any: JSON
    """A job once it ended, with a bar until then."""
    with progress_bar() as bar:
        task = bar.add_task(name, total=None)
        while True:
            job = await api.get(f"/jobs/{job_id}", wait="1")
            bar.update(task, completed=job["done"], total=job["total"])
            if job["state"] not in BUSY:
                return job


async def _undo(api: "ApiClient", job_id: str, reason: str, report: str) -> tuple[Any, bytes]:  # Any: JSON
    taken = await api.post(f"/jobs/{job_id}/undo", {"reason": reason} if reason else {})
    job = await _follow(api, taken["job"], f"undo {job_id}")
    wanted = report and job["result"].get("left")
    return job, await api.download(f"/jobs/{taken['job']}/left", format=report) if wanted else b""
