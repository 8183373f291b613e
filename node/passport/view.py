"""A view: one plain value from which pages are rendered and nothing else, its digest, and questions to it.

Text, whole numbers from 0, booleans, nothing, lists and objects; no floats. The digest is over all of it, so that
nothing that is shown lies outside.
"""

import hashlib
from datetime import UTC, date, datetime
from typing import TypeAlias, cast

from federation import codec

Plain: TypeAlias = "bool | int | str | list[Plain] | dict[str, Plain] | None"
View: TypeAlias = "dict[str, Plain]"

MAX_DEPTH = 48
DAY_US = 86_400_000_000


def digest(view: View) -> bytes:
    """SHA-256 over the canonical bytes of the whole view."""
    return hashlib.sha256(frozen_view(view)).digest()


def frozen_view(view: View) -> bytes:
    """Canonical msgpack: object `["d", [key, value]...]` by key, list `["l", ...]`, boolean `["b", 0 | 1]`."""
    return codec.pack(_frozen(view), MAX_DEPTH)


def value_on(view: View, code: str, day: str | None = None) -> dict[str, Plain] | None:
    """The row of a parameter that stands at the end of a day, or at a moment; None where nothing is known for it.

    The highest rank speaks first, then the latest valid-from; without a day it is the last one.
    """
    parameter = _object(_object(view["parameters"]).get(code))
    at = _at(day) if day else None
    rows = [_object(row) for row in _list(parameter.get("values"))]
    due = [row for row in rows if at is None or _since(row) <= at]
    return max(due, key=lambda row: (cast("int", row["level"]), _since(row)), default=None)


def inside_on(view: View, day: str) -> list[dict[str, Plain]]:
    """The edges of parts that were inside at the end of a day, or at a moment; disputed ones are left out."""
    at = _at(day)
    children = [_object(edge) for edge in _list(_object(view["composition"])["children"])]
    return [edge for edge in children if edge["used"] and _holds(edge, at)]


def moment_us(text: str) -> int:
    """Microseconds of a date or an RFC 3339 time in UTC; raise ValueError."""
    if len(text) == 10:
        day = date.fromisoformat(text)
        return (day.toordinal() - _EPOCH) * DAY_US
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no zone")
    gap = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds


_EPOCH = date(1970, 1, 1).toordinal()


def _frozen(value: Plain) -> codec.Value:
    if isinstance(value, bool):
        return ["b", int(value)]
    if isinstance(value, dict):
        return ["d", *([key, _frozen(value[key])] for key in sorted(value))]
    if isinstance(value, list):
        return ["l", *map(_frozen, value)]
    return value


def _at(day: str) -> int:
    return moment_us(day) + (DAY_US - 1 if len(day) == 10 else 0)


def _since(row: dict[str, Plain]) -> int:
    since = row["since"]
    return moment_us(since) if isinstance(since, str) else -(1 << 62)


def _holds(edge: dict[str, Plain], at: int) -> bool:
    until = edge["until"]
    return _since(edge) <= at and (not isinstance(until, str) or at < moment_us(until))


def _object(value: Plain) -> dict[str, Plain]:
    return value if isinstance(value, dict) else {}


def _list(value: Plain) -> list[Plain]:
    return value if isinstance(value, list) else []
