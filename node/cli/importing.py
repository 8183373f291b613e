"""`passport-node import` and `undo`: what their options ask of a node, and what it answers told on the terminal."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from node.cli.checking import read_mapping
from node.cli.talk import in_words
from node.errors import InputError
from node.exchange.fleet.rules import RULES

Told = dict[str, Any]  # Any: JSON


def fleet_query(
    kind: str, supplier: str, columns: Sequence[str], sheet: str | None, *, is_preview: bool
) -> dict[str, str]:
    """What the options ask of the node's API; raise InputError where they are of a fleet table and the file is none."""
    query = {"kind": kind}
    if supplier:
        query["supplier"] = supplier
    if columns or sheet:
        query["mapping"] = read_mapping(columns, sheet).to_json()
    if kind != "fleet" and (len(query) > 1 or is_preview):
        raise InputError(
            "--supplier, --column, --sheet and --preview are of fleet tables: add --fleet",
            ru="--supplier, --column, --sheet и --preview — для таблиц приборов: добавьте --fleet",
        )
    return query


def print_preview(out: Console, told: Told, language: str) -> None:
    """Tell how a table is understood, and what an import of it would do."""
    heads = ("Столбец", "Заголовок", "Что в нём", "Почему", "Пример")
    if language != "ru":
        heads = ("Column", "Header", "What it holds", "Why", "Sample")
    table = Table(*heads, box=None, pad_edge=False)
    for column in told["columns"]:
        name, why = column[f"name_{language}"], column[f"reason_{language}"]
        table.add_row(column["letter"], *map(Text, (column["title"], name, why, ", ".join(column["sample"]))))
    out.print(table)
    refused = sum(item["meters"] for item in told["refused"])
    out.print(
        in_words(
            language,
            f"приборов {told['meters']}: новых {told['new']}, дополнят известные паспорта {told['known']}, уже "
            f"внесено {told['repeated']}, исправить {refused}; ничего не записано",
            f"{told['meters']} meters: {told['new']} new, {told['known']} of known passports with something to add, "
            f"{told['repeated']} stated already, {refused} to correct; nothing was written",
        )
    )
    _print_counts(out, ((item["meters"], item["rule"]) for item in told["refused"]), language)


def print_imported(out: Console, result: Told, language: str) -> None:
    """Tell what an import took, and each row that it did not."""
    findings, repeated, taken = result.get("findings", []), result.get("repeated", 0), result.get("accepted", 0)
    known = in_words(language, f"уже известно {repeated}, ", f"{repeated} known already, ") if repeated else ""
    out.print(
        in_words(
            language,
            f"внесено {taken}, {known}с замечаниями {len(findings)}",
            f"{taken} imported, {known}{len(findings)} reported",
        )
    )
    for finding in findings:
        place = f"{finding['row']} · {finding['column']} · {finding['value']} · {finding['rule']}"
        out.print(f"  {in_words(language, 'строка', 'row')} {place}: {finding[language]}", markup=False)


def print_foreseen(out: Console, told: Told, language: str) -> None:
    """Tell what undoing an import would do."""
    left = sum(item["devices"] for item in told["left"])
    part = ""
    if told["looked"] < told["statements"]:
        looked = told["looked"]
        part = in_words(language, f"из первых утверждений ({looked}): ", f"of the first {looked} statements: ")
    out.print(
        in_words(
            language,
            f"{part}исчезнет приборов {told['gone']}, сохранят остальное сказанное {told['thinner']}, останется {left};"
            " ничего не записано",
            f"{part}{told['gone']} devices would be no more, {told['thinner']} would keep what else was said, "
            f"{left} would stay; nothing was written",
        )
    )
    _print_counts(out, ((item["devices"], item["rule"]) for item in told["left"]), language)


def print_undone(out: Console, result: Told, language: str) -> None:
    """Tell what an undo took back, and the first devices that it left."""
    statements, gone = result.get("statements", 0), result.get("gone", 0)
    thinner, left = result.get("thinner", 0), result.get("left", 0)
    out.print(
        in_words(
            language,
            f"отозвано утверждений {statements}: исчезло приборов {gone}, сохранили остальное сказанное {thinner}, "
            f"остались как есть {left}",
            f"{statements} statements taken back: {gone} devices are no more, {thinner} keep other words, {left} stay "
            "as they are",
        )
    )
    for row in result.get("findings", ()):
        out.print(f"  {row['id']} · {row['title']} · {_named(row['rule'], language)}", markup=False)


def _print_counts(out: Console, counts: Any, language: str) -> None:  # Any: pairs of JSON values
    for count, rule in counts:
        out.print(f"  {count:>7} {_named(rule, language)}", markup=False)


def _named(rule: str, language: str) -> str:
    """A rule by its code, with its name where it is one of a fleet table."""
    return f"{rule} · {RULES[rule].title(language)}" if rule in RULES else rule
