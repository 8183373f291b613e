"""Forms whose fields are parts of one value: `steps.0.title.ru` is the Russian title of the first step.

What is empty is left out, and rows of which nothing is left close up: a page may always show one empty row more.
"""

from collections.abc import Iterable, Mapping
from typing import Any

MOST_PARTS = 8  # of one name

Nested = Any  # Any: texts, lists and mappings, as the names say


def nest(fields: Mapping[str, object]) -> dict[str, Nested]:
    """The value of which the fields are parts; a name with too many parts, or one inside a text, is left out."""
    found: dict[str, Nested] = {}
    for name, value in fields.items():
        parts = name.split(".")
        if value == "" or len(parts) > MOST_PARTS:
            continue
        here: Nested = found
        for part in parts[:-1]:
            here = here.setdefault(part, {}) if isinstance(here, dict) else None
        if isinstance(here, dict):
            here.setdefault(parts[-1], value)
    return {name: _listed(value) for name, value in found.items()}


def name_of(location: Iterable[int | str]) -> str:
    """The name of the field that holds what stands at a place of the value."""
    return ".".join(map(str, location))


def texts_of(fields: Mapping[str, object], name: str) -> dict[str, str]:
    """The texts under a name: `role.lab` and its like."""
    found = nest(fields).get(name)
    return (
        {str(key): value for key, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}
    )


def rows_of(fields: Mapping[str, object], name: str) -> list[dict[str, str]]:
    """The rows of texts under a name: `parts.0.serial` and its like."""
    found = nest(fields).get(name)
    rows = found if isinstance(found, list) else []
    return [{str(key): str(value) for key, value in row.items()} for row in rows if isinstance(row, dict)]


def _listed(value: Nested) -> Nested:
    """Mappings by numbers as lists, in the order of the numbers."""
    if not isinstance(value, dict):
        return value
    made = {name: _listed(part) for name, part in value.items()}
    if made and all(name.isdecimal() and name.isascii() for name in made):
        return [made[name] for name in sorted(made, key=int)]
    return made
