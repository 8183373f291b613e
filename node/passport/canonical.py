"""JSON as it is signed: UTF-8 with sorted keys, no spaces, and no escapes but those that JSON requires."""

import json
import re
from typing import Never

import orjson

from node.passport.errors import BodyError

# What the standard encoder does not write is not written here.
_OWN = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
# In canonical JSON a number follows one of these at once. The same in a text is looked at more slowly.
_MAY_BE_FLOAT = re.compile(rb"(?:^|[\[:,])-?[0-9]+[.eE]")


def dump_json(value: object) -> bytes:
    """The canonical bytes of a plain value; the caller sees to it that it holds no float."""
    try:
        return orjson.dumps(value, option=_OWN)
    except TypeError:  # keys that are numbers, whole numbers of more than 64 bits
        return _CANONICAL.encode(value).encode()


def check_json(raw: bytes) -> None:
    """Require JSON without floats and without doubled keys, canonical or not; raise BodyError."""
    try:
        if orjson.dumps(orjson.loads(raw), option=orjson.OPT_SORT_KEYS) == raw and not _MAY_BE_FLOAT.search(raw):
            return  # a doubled key would not come back
    except (orjson.JSONDecodeError, TypeError):
        pass  # what it does not read may still be JSON
    try:
        _STRICT.decode(raw.decode())
    except (ValueError, RecursionError) as error:
        raise BodyError(f"not JSON without floats: {error}") from error


def _no_float(text: str) -> Never:
    raise ValueError(f"number {text}: decimals are written as text")


def _no_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("one key stands twice")
    return found


_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False)
_STRICT = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float, object_pairs_hook=_no_twice)
