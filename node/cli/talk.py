"""How commands talk: to people on the terminal, to files, and to a running node."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from node.api_client import ApiClient
from node.errors import InputError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
out = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

Folder = Annotated[Path, typer.Option("--folder", "-f", help="The node's folder.", envvar="PASSPORT_FOLDER")]
HERE = Path("node")
TABLES = (".csv", ".xlsx")


def ask(folder: Path, call: Callable[[ApiClient], Awaitable[Any]]) -> Any:  # Any: JSON
    """What a running node answers, asked through its socket."""

    async def run() -> Any:  # Any: JSON
        async with ApiClient(folder) as api:
            return await call(api)

    return asyncio.run(run())


def read(file: Path, advice: str) -> bytes:
    """The bytes of a file; raise InputError with the advice where the system refuses."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {reason(error)}; {advice}") from error


def write(file: Path, raw: bytes, advice: str) -> None:
    """Write what was asked for; raise InputError with the advice where the system refuses."""
    try:
        file.write_bytes(raw)
    except OSError as error:
        raise InputError(f"{file} cannot be written: {reason(error)}; {advice}") from error


def reason(error: OSError) -> str:
    """Why the system refused."""
    return error.strerror or str(error) or type(error).__name__


def progress_bar() -> Progress:
    """A bar on the terminal: what is done, how much of it, for how long."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))


def check_writable(report: Path) -> None:
    """Raise InputError where a report could not be written."""
    if not report.parent.is_dir():
        raise InputError(f"the report {report} cannot be written: {report.parent} is no folder; make it first")
    if report.is_dir() or not os.access(report if report.exists() else report.parent, os.W_OK):
        raise InputError(f"the report {report} cannot be written: this user may not write there; name another file")


def report_ending(report: Path) -> str:
    """What kind of table a report is by its name; raise InputError where it could not be written."""
    if report.suffix.lower() not in TABLES:
        raise InputError(f"the report {report} would be no table: give it a name that ends in .csv or .xlsx")
    check_writable(report)
    return report.suffix.lower().removeprefix(".")
