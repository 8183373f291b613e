"""A view: one plain value from which pages are rendered and nothing else, its digest, and questions to it.

Text, whole numbers from 0, booleans, nothing, lists and objects; no floats. The digest is over all of it, so that
nothing that is shown lies outside. The two lists that grow with every statement go into it row by row: a long passport
gets one more row without being hashed anew, and its digest is checked page by page.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias, cast

import orjson

from federation import codec
from node.passport.canonical import dump_json

Plain: TypeAlias = "bool | int | str | list[Plain] | dict[str, Plain] | None"
View: TypeAlias = "dict[str, Plain]"

DAY_US = 86_400_000_000
NEVER = -(1 << 62)  # the microsecond of what holds from the beginning


EVENTS, STATEMENTS = ROWS = ("events", "statements")
HASH = 32
# A row ends its block where its hash lies below this, as one in 128 does: a row that comes late alters its block alone.
END = b"\x02"


@dataclass(frozen=True, slots=True)
class Seal:
    """What stands for a list of rows in a digest: how many there are, and a hash over the hashes of their blocks."""

    rows: int
    hash: bytes


def digest(view: View, seals: Mapping[str, Seal] | None = None) -> bytes:
    """The digest of a whole view; `seals` stand for lists of rows that were left out of it."""
    found = {name: seal_of(map(row_hash, rows)) for name in ROWS if isinstance(rows := view.get(name), list)}
    return digest_of(rest_hash(view), {**found, **(seals or {})})


def digest_of(rest: bytes, seals: Mapping[str, Seal]) -> bytes:
    """SHA-256 over `[hash of the rest, [name, number of rows, hash]...]`, canonical, lists by name."""
    sealed: codec.Value = [[name, seal.rows, seal.hash] for name, seal in sorted(seals.items())]
    return hashlib.sha256(codec.pack([rest, sealed])).digest()


def rest_hash(view: View) -> bytes:
    """SHA-256 over the canonical bytes of all but the lists of rows."""
    rest = {name: value for name, value in view.items() if not (name in ROWS and isinstance(value, list))}
    return hashlib.sha256(frozen_view(rest)).digest()


def row_hash(row: Plain) -> bytes:
    """SHA-256 over the canonical bytes of one row."""
    return hashlib.sha256(dump_json(row)).digest()


def seal_of(hashes: Iterable[bytes]) -> Seal:
    """The seal of rows with these hashes, in their order."""
    found = list(hashes)
    blocks, _ = chain_blocks(found)
    return Seal(len(found), seal_hash(blocks))


def chain_blocks(hashes: Iterable[bytes], blocks: bytes = b"", *, is_open: bool = False) -> tuple[bytes, bool]:
    """The hashes of blocks when rows follow `blocks`, of which the last may be open; and whether the last one is.

    A block's hash is SHA-256 over what it was before its last row, then the hash of that row; it begins with nothing.
    """
    done = [blocks[:-HASH] if is_open else blocks]
    block = blocks[-HASH:] if is_open else b""
    for row in hashes:
        block = hashlib.sha256(block + row).digest()
        if row < END:
            done.append(block)
            block = b""
    return b"".join([*done, block]), bool(block)


def seal_hash(blocks: bytes) -> bytes:
    """SHA-256 over the hashes of the blocks."""
    return hashlib.sha256(blocks).digest()


def frozen_view(view: View) -> bytes:
    """The canonical bytes: JSON in UTF-8 with sorted keys, no spaces, and no escapes but those that JSON requires."""
    return dump_json(view)


def dump_view(view: View) -> bytes:
    """A view as it is stored: JSON in the order of its keys."""
    try:
        return orjson.dumps(view)
    except TypeError:  # whole numbers of more than 64 bits
        return json.dumps(view, ensure_ascii=False, separators=(",", ":")).encode()


def load_view(raw: bytes | str) -> View:
    """What `dump_view` wrote, or one row of it."""
    view: View = orjson.loads(raw)
    return view


def value_on(view: View, code: str, day: str | None = None) -> dict[str, Plain] | None:
    """The row of a parameter that stands at the end of a day, or at a moment; None where nothing is known for it.

    The highest rank speaks first, then the latest valid-from; without a day it is the last one.
    """
    parameter = _object(_object(view["parameters"]).get(code))
    at = _at(day) if day else None
    rows = [_object(row) for row in _list(parameter.get("values"))]
    due = [row for row in rows if at is None or _since(row) <= at]
    return max(due, key=lambda row: (cast("int", row["level"]), _since(row)), default=None)


def values_over(view: View, code: str) -> list[tuple[int, dict[str, Plain]]]:
    """The rows of a parameter that stand one after another, each with the microsecond since when; the first may be
    from NEVER.
    """
    rows = [_object(row) for row in _list(_object(_object(view["parameters"]).get(code)).get("values"))]
    found: list[tuple[int, dict[str, Plain]]] = []
    for since in sorted({_since(row) for row in rows}):
        due = [row for row in rows if _since(row) <= since]
        best = max(due, key=lambda row: (cast("int", row["level"]), _since(row)))
        if not found or found[-1][1] is not best:
            found.append((since, best))
    return found


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
    return (moment - _ZERO) // _MICRO


def moment_at(micros: int) -> datetime:
    """The time of microseconds in UTC; one before or after the calendar is its first or last."""
    return _ZERO + min(max(micros * _MICRO, _FIRST), _LAST)


_EPOCH = date(1970, 1, 1).toordinal()
_ZERO, _MICRO = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_FIRST, _LAST = datetime(1, 1, 1, tzinfo=UTC) - _ZERO, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _ZERO


def _at(day: str) -> int:
    return moment_us(day) + (DAY_US - 1 if len(day) == 10 else 0)


def _since(row: dict[str, Plain]) -> int:
    since = row["since"]
    return moment_us(since) if isinstance(since, str) else NEVER


def _holds(edge: dict[str, Plain], at: int) -> bool:
    until = edge["until"]
    return _since(edge) <= at and (not isinstance(until, str) or at < moment_us(until))


def _object(value: Plain) -> dict[str, Plain]:
    return value if isinstance(value, dict) else {}


def _list(value: Plain) -> list[Plain]:
    return value if isinstance(value, list) else []
