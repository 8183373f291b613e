"""`passport-node check`: a table checked here or by a running node, and its report told on the terminal.

Nothing is written but the report that is asked for, and no node is needed.
"""

import asyncio
import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from node.api_client import ApiClient
from node.cli.talk import reason_ru
from node.errors import InputError
from node.exchange.errors import ExchangeError
from node.exchange.fleet.checkup import check_fleet
from node.exchange.fleet.known import Known
from node.exchange.fleet.mapping import FleetMapping
from node.exchange.fleet.reader import read_fleet
from node.exchange.fleet.report import FORMATS, report_json, write_report
from node.exchange.fleet.sheets import FLEET_LIMITS
from node.passport.catalogs import load_types

Told = dict[str, Any]  # Any: the report is JSON, from here or from a node

EXAMPLES = 3
SHOWN_DUE = 10
SHOWN_MONTHS = 18
BAR = 30
COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}
STAGES = {"read": ("чтение", "reading"), "rows": ("строки", "rows"), "check": ("проверка", "checking")}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be checked and how."""

    file: Path
    on: datetime.date
    days: int
    mapping: FleetMapping
    max_bytes: int
    report: Path | None
    language: str

    @property
    def report_kind(self) -> str:
        """The format of the report by its name; raise InputError where it is none."""
        if self.report is None:
            return ""
        kind = self.report.suffix.lower().removeprefix(".")
        if kind not in FORMATS:
            endings = ", .".join(FORMATS)
            raise InputError(
                f"the report {self.report} would be no table: end its name in .{endings}",
                ru=f"отчёт {self.report} не будет таблицей: пусть его имя кончается на .{endings}",
            )
        return kind


def read_file(wish: Wish) -> bytes:
    """The file's bytes; raise InputError before a file that is too large is read into memory."""
    try:
        size = wish.file.stat().st_size
        if size > wish.max_bytes:
            raise InputError(
                f"{wish.file} has {size >> 20} MB, at most {wish.max_bytes >> 20} MB are read: "
                "split it, or give a larger --max-mb",
                ru=f"в файле {wish.file} {size >> 20} МБ, читается не больше {wish.max_bytes >> 20} МБ: "
                "разделите его или задайте больше: --max-mb",
            )
        return wish.file.read_bytes()
    except OSError as error:
        raise InputError(
            f"{wish.file} cannot be read: {error.strerror or error}; name a table, .csv or .xlsx",
            ru=f"файл {wish.file} не читается: {reason_ru(error)}; назовите таблицу, .csv или .xlsx",
        ) from error


def check_here(wish: Wish, bar: Progress) -> tuple[Told, bytes]:
    """Check without a node: the report, and its file where one is wanted; raise InputError or ExchangeError."""
    kind, raw = wish.report_kind, read_file(wish)
    limits = replace(FLEET_LIMITS, max_bytes=wish.max_bytes)
    tell = _teller(bar, wish.language)
    table = read_fleet(raw, wish.mapping, today=wish.on, known=Known(types=load_types()), limits=limits, progress=tell)
    report = check_fleet(table, days=wish.days, progress=tell)
    written = write_report(report, table, kind, wish.language, wish.file.name) if kind else b""
    return report_json(report, wish.file.name), written


def check_at_node(wish: Wish, folder: Path) -> tuple[Told, bytes]:
    """Check at the running node of a folder, with its lines, catalogs and registry."""
    kind, raw = wish.report_kind, read_file(wish)

    async def run() -> tuple[Told, bytes]:
        query = {"name": wish.file.name, "on": wish.on.isoformat(), "days": str(wish.days)}
        async with ApiClient(folder, wish.language) as api:
            told = await api.upload("/checks", raw, **query, mapping=wish.mapping.to_json())
            path = f"/checks/{told['check']}/report"
            return told, await api.download(path, format=kind, language=wish.language) if kind else b""

    return asyncio.run(run())


def read_mapping(columns: Sequence[str], sheet: str | None) -> FleetMapping:
    """The mapping that a command's options say; raise InputError."""
    try:
        return FleetMapping.from_pairs(columns, sheet)
    except ExchangeError as error:
        raise InputError(str(error), ru=error.text("ru")) from error


def print_report(out: Console, told: Told, language: str) -> None:
    """Tell a report: how the table was understood, what was found, and when verifications end."""
    russian = language == "ru"
    _print_columns(out, told, language)
    _print_rules(out, told, language)
    _print_outlook(out, told, language)
    grades = told["grades"]
    if russian:
        text = f"ошибок {grades['error']}, предупреждений {grades['warning']}, заметок {grades['note']}"
    else:
        text = f"{grades['error']} errors, {grades['warning']} warnings, {grades['note']} notes"
    out.print(Text(text, style="bold red" if grades["error"] else "bold green"))


def _teller(bar: Progress, language: str) -> Callable[[str, int, int], None]:
    tasks: dict[str, Any] = {}  # Any: the bar's own id of a task

    def tell(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = bar.add_task(STAGES[what][0 if language == "ru" else 1], total=total)
        bar.update(tasks[what], completed=done, total=total)

    return tell


def _print_columns(out: Console, told: Told, language: str) -> None:
    russian = language == "ru"
    where = f"«{told['sheet']}», " if told["sheet"] else ""
    head = "–".join(
        str(row) for row in dict.fromkeys((told["header_rows"] or [0])[:: max(1, len(told["header_rows"]) - 1)])
    )
    if russian:
        title = f"Таблица понята так ({where}строка заголовка {head}, приборов {told['meters']}):"
        heads = ("Столбец", "Заголовок", "Что в нём", "Почему", "Пример")
    else:
        title = f"The table was understood so ({where}header in row {head}, {told['meters']} meters):"
        heads = ("Column", "Header", "What it holds", "Why", "Sample")
    out.print(Text(title, style="bold"))
    table = Table(*heads, box=None, pad_edge=False)
    for column in told["columns"]:
        table.add_row(
            column["letter"],
            Text(column["title"]),
            Text(column[f"name_{language}"], style="" if column["field"] not in ("ignored", "index") else "dim"),
            Text(column[f"reason_{language}"], style="dim"),
            Text(", ".join(column["sample"]), style="dim"),
        )
    out.print(table)
    for other in told["other_sheets"]:
        if other["fleet"]:
            name = other["name"]
            out.print(
                Text(
                    f'Лист «{name}» тоже похож на таблицу приборов: --sheet "{name}"'
                    if russian
                    else f'Sheet «{name}» looks like a fleet table too: --sheet "{name}"'
                )
            )
    out.print()


def _print_rules(out: Console, told: Told, language: str) -> None:
    if not told["rules"]:
        out.print(Text("Замечаний нет." if language == "ru" else "Nothing was found.", style="green"))
    more, line = ("и ещё", "строка") if language == "ru" else ("and more:", "row")
    for rule in told["rules"]:
        colour = COLOURS[rule["grade"]]
        out.print(
            Text.assemble((f"{rule['rows']:>7} ", colour), (rule[f"title_{language}"], "bold"), f"  {rule['rule']}")
        )
        for finding in rule["findings"][:EXAMPLES]:
            place = " · ".join(part for part in (finding["column"], finding["value"]) if part)
            out.print(Text(f"        {line} {finding['where']} · {place}: {finding[language]}"))
            if finding["address"]:
                out.print(Text(f"          {finding['address']}", style="dim"))
        if len(rule["findings"]) > EXAMPLES:
            out.print(Text(f"        {more} {rule['rows'] - EXAMPLES}", style="dim"))
    out.print()


def _print_outlook(out: Console, told: Told, language: str) -> None:
    if not told["months"]:
        return
    russian = language == "ru"
    out.print(Text("Поверки по месяцам:" if russian else "Verifications by month:", style="bold"))
    this_month = told["on"][:7]
    passed = sum(item["count"] for item in told["months"] if item["month"] < this_month)
    shown = [("…" + this_month, passed)] if passed else []
    coming = [(item["month"], item["count"]) for item in told["months"] if item["month"] >= this_month]
    shown += coming[:SHOWN_MONTHS]
    largest = max(count for _, count in shown) if shown else 1
    for month, count in shown:
        bar = "█" * max(1, round(count * BAR / largest))
        out.print(Text(f"  {month:>8} {bar} {count}", style="red" if month.startswith("…") else ""))
    if len(coming) > SHOWN_MONTHS:
        later = sum(count for _, count in coming[SHOWN_MONTHS:])
        out.print(Text(f"  {'позже' if russian else 'later':>8} {later}", style="dim"))
    expired, expiring, days = told["expired"], told["expiring"], told["days"]
    if russian:
        out.print(Text(f"просрочено {expired}, истекает за {days} дней {expiring}, без срока {told['undated']}"))
    else:
        out.print(Text(f"{expired} expired, {expiring} end within {days} days, {told['undated']} without an end"))
    for due in told["due"][:SHOWN_DUE]:
        out.print(Text(f"  {due['until']}  {due['address']}  {due['designation']} № {due['serial']}", style="dim"))
    out.print()
