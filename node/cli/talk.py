"""How commands talk: to people on the terminal, to files, and to a running node."""

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from node.collecting import loading
from node.errors import InputError, NodeError
from node.exchange.errors import ExchangeError

if TYPE_CHECKING:
    from node.api_client import ApiClient

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
out = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

Folder = Annotated[Path, typer.Option("--folder", "-f", help="The node's folder.", envvar="PASSPORT_FOLDER")]
Language = Annotated[str, typer.Option(envvar="LANG", help="ru or en; by the locale if not given.")]
HERE = Path("node")
REASONS_RU = {
    errno.ENOENT: "такого файла нет",
    errno.EACCES: "у вас нет права на это",
    errno.EISDIR: "это папка",
    errno.ENOSPC: "на диске нет места",
}
TABLES = (".csv", ".xlsx")


def ask(folder: Path, call: Callable[["ApiClient"], Awaitable[Any]], language: str = "en") -> Any:  # Any: JSON
    """What a running node answers, asked through its socket; its problems come in the language."""
    with loading():
        from node.api_client import ApiClient  # noqa: PLC0415 - imported where it is needed: the other commands answer at once

    async def run() -> Any:  # Any: JSON
        async with ApiClient(folder, language) as api:
            return await call(api)

    return asyncio.run(run())


def listed(folder: Path, path: str, drop: str = "") -> list[Any]:  # Any: JSON
    """The items of a list at a running node; where one is to be dropped, that is done and nothing is listed."""
    if drop:
        ask(folder, lambda api: api.delete(f"{path}/{quote(drop, safe='')}"))
        return []
    items: list[Any] = ask(folder, lambda api: api.get(path))["items"]  # Any: JSON
    return items


def choose_language(wish: str) -> str:
    """`ru` where a language or locale begins so, else `en`."""
    return "ru" if wish.casefold().startswith("ru") else "en"


def in_words(language: str, russian: str, english: str) -> str:
    """The text of the language."""
    return russian if language == "ru" else english


def told(error: Exception, language: str) -> str:
    """What an error says in the language, as far as it has the words."""
    if isinstance(error, ExchangeError):
        return error.text(language)
    words = error.values.get("ru") if isinstance(error, NodeError) and language == "ru" else None
    return str(words or error)


@contextmanager
def telling(language: str, code: int = 1) -> Iterator[None]:
    """Tell an error in the language, and end with the exit code."""
    try:
        yield
    except (NodeError, ExchangeError) as error:
        errors.print(f"passport-node: {told(error, language)}", style="red", markup=False)
        raise typer.Exit(code) from None


def read(file: Path, advice: str, advice_ru: str = "") -> bytes:
    """The bytes of a file; raise InputError with the advice where the system refuses."""
    try:
        return file.read_bytes()
    except OSError as error:
        russian = f"файл {file} не читается: {reason_ru(error)}; {advice_ru}" if advice_ru else ""
        raise InputError(f"{file} cannot be read: {reason(error)}; {advice}", ru=russian) from error


def write(file: Path, raw: bytes, advice: str) -> None:
    """Write what was asked for; raise InputError with the advice where the system refuses."""
    try:
        file.write_bytes(raw)
    except OSError as error:
        raise InputError(f"{file} cannot be written: {reason(error)}; {advice}") from error


def reason(error: OSError) -> str:
    """Why the system refused."""
    return error.strerror or str(error) or type(error).__name__


def reason_ru(error: OSError) -> str:
    """Why the system refused, in Russian where it is one of the usual reasons."""
    return REASONS_RU.get(error.errno or 0) or reason(error)


def progress_bar() -> Progress:
    """A bar on the terminal: what is done, how much of it, for how long."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))


def check_writable(report: Path) -> None:
    """Raise InputError where a report could not be written."""
    if not report.parent.is_dir():
        raise InputError(
            f"the report {report} cannot be written: {report.parent} is no folder; make it first",
            ru=f"отчёт {report} не записать: папки {report.parent} нет; создайте её",
        )
    if report.is_dir() or not os.access(report if report.exists() else report.parent, os.W_OK):
        raise InputError(
            f"the report {report} cannot be written: this user may not write there; name another file",
            ru=f"отчёт {report} не записать: у вас нет права писать туда; назовите другой файл",
        )


def report_ending(report: Path) -> str:
    """What kind of table a report is by its name; raise InputError where it could not be written."""
    if report.suffix.lower() not in TABLES:
        raise InputError(
            f"the report {report} would be no table: give it a name that ends in .csv or .xlsx",
            ru=f"отчёт {report} не будет таблицей: дайте ему имя, которое кончается на .csv или .xlsx",
        )
    check_writable(report)
    return report.suffix.lower().removeprefix(".")
