"""`passport-node import` and `undo`: what their options ask of a node, and what it answers told on the terminal."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from node.cli.checking import read_mapping
from node.errors import InputError


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
        raise InputError("--supplier, --column, --sheet and --preview are of fleet tables: add --fleet")
    return query


def print_preview(out: Console, told: dict[str, Any]) -> None:  # Any: JSON
    """Tell how a table is understood, and what an import of it would do."""
    table = Table("Column", "Header", "What it holds", "Why", "Sample", box=None, pad_edge=False)
    for column in told["columns"]:
        texts = (column["title"], column["name_en"], column["reason_en"], ", ".join(column["sample"]))
        table.add_row(column["letter"], *map(Text, texts))
    out.print(table)
    refused = sum(item["meters"] for item in told["refused"])
    out.print(
        f"{told['meters']} meters: {told['new']} new, {told['known']} of known passports with something to add, "
        f"{told['repeated']} stated already, {refused} to correct; nothing was written"
    )
    for item in told["refused"]:
        out.print(f"  {item['meters']:>7} {item['rule']}", markup=False)


def print_foreseen(out: Console, told: dict[str, Any]) -> None:  # Any: JSON
    """Tell what undoing an import would do."""
    left = sum(item["devices"] for item in told["left"])
    part = "" if told["looked"] >= told["statements"] else f"of the first {told['looked']} statements: "
    out.print(
        f"{part}{told['gone']} devices would be no more, {told['thinner']} would keep what else was said, "
        f"{left} would stay; nothing was written"
    )
    for item in told["left"]:
        out.print(f"  {item['devices']:>7} {item['rule']}", markup=False)


def print_undone(out: Console, result: dict[str, Any]) -> None:  # Any: JSON
    """Tell what an undo took back, and the first devices that it left."""
    out.print(
        f"{result.get('statements', 0)} statements taken back: {result.get('gone', 0)} devices are no more, "
        f"{result.get('thinner', 0)} keep other words, {result.get('left', 0)} stay as they are"
    )
    for row in result.get("findings", ()):
        out.print(f"  {row['id']} · {row['title']} · {row['rule']}", markup=False)
