"""Writes docs/model.md, the page of the store's tables, from node/store/schema.py: `python -m tests.model_page`."""

import re
from pathlib import Path

from sqlalchemy import Column, Index, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateColumn

from node.store import schema

PAGE = Path(__file__).parent.parent / "docs" / "model.md"
HEAD = """# The tables of a node

Made from `node/store/schema.py` by `make docs`; a test compares it with what the migrations make, on SQLite
and on PostgreSQL. The key of a table is in bold. Times are microseconds since 1970 (UTC).
"""
_SAID = re.compile(r"^# (.+)$")
_GROUP = re.compile(r"Sources|Projections")
_TABLE = re.compile(r"^(\w+) = _(?:table|clustered)\(")


def page() -> str:
    """The page as it should stand."""
    parts, told = [HEAD], list[str]()
    for line in Path(schema.__file__).read_text(encoding="utf-8").splitlines():
        if found := _SAID.match(line):
            told.append(found[1])
            continue
        if found := _TABLE.match(line):
            said = " ".join(told)
            parts += [f"\n## {said.rstrip('.')}" if _GROUP.match(said) else f"\n{said}"] if said else []
            parts.append(_table(getattr(schema, found[1])))
        told = []
    return "\n".join(parts) + "\n"


def _table(table: Table) -> str:
    rows = [f"| {_name(column)} | {_kind(column)} |" for column in table.columns]
    told = [f"\n### {table.name}\n", "| column | type |", "|---|---|", *rows]
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        told.append(f"\nIndex `{index.name}`{' (unique)' if index.unique else ''} on {_columns(index)}.")
    return "\n".join(told)


def _name(column: Column[object]) -> str:
    return f"**{column.name}**" if column.primary_key else column.name


def _kind(column: Column[object]) -> str:
    """The type as SQLite is told it, and whether it may be empty."""
    told = str(CreateColumn(column).compile(dialect=sqlite.dialect())).removeprefix(f"{column.name} ").strip()
    kind = told.replace('"', "").split(" ")[-1 if column.name in told.split() else 0]
    return kind + ("" if column.nullable else ", never empty")


def _columns(index: Index) -> str:
    return ", ".join(f"`{getattr(item, 'name', item)}`" for item in index.expressions)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
