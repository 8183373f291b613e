"""Canonical msgpack: one value, one sequence of bytes.

Only nil, unsigned integers below 2**63, UTF-8 text, binary and arrays; the shortest form of each; nothing after the
value. The field readers below name the field in their error, so that a refusal says what and where.
"""

import itertools
import unicodedata
from typing import cast

import msgpack

from federation.errors import CodecError, LimitError

TYPE_NAMES = {"int": "integer", "str": "text", "bytes": "binary", "list": "array", "NoneType": "nil"}

MAX_INT = 2**63 - 1
MAX_DEPTH = 8
MAX_TEXT = 256
FEW_ARRAYS = 1 << 16
BYTES_AN_ARRAY = 16  # of more arrays than these nothing that is sent here consists, and each takes 64 bytes once read

Value = None | int | str | bytes | list["Value"]


def pack(value: Value, depth: int = MAX_DEPTH) -> bytes:
    """Encode a value; raise CodecError if it holds a type or a number that the format does not have."""
    _check(value, MAX_DEPTH - depth)
    return cast("bytes", msgpack.packb(value, use_bin_type=True))


def unpack(raw: bytes, limit: int = 1 << 20) -> Value:
    """Decode exactly one canonical value of at most `limit` bytes; raise CodecError."""
    if len(raw) > limit:
        raise LimitError(f"{len(raw)} bytes, at most {limit} are allowed")
    counted = _Arrays(len(raw)) if len(raw) > FEW_ARRAYS else None
    try:
        value = msgpack.unpackb(raw, raw=False, strict_map_key=False, list_hook=counted)
    except (ValueError, msgpack.exceptions.UnpackException, RecursionError, OverflowError, TypeError) as error:
        raise CodecError(f"not msgpack: {type(error).__name__}") from error
    _check(value, 0)
    if msgpack.packb(value, use_bin_type=True) != raw:
        raise CodecError("not the shortest form")
    return cast("Value", value)


def array(value: Value, length: int | None, what: str, *, most: int = 1 << 16) -> list[Value]:
    """Take an array of exactly `length` values (any up to `most` if None)."""
    if not isinstance(value, list):
        raise CodecError(f"{what}: expected an array, got {_name(value)}")
    if length is not None and len(value) != length:
        raise CodecError(f"{what}: expected {length} values, got {len(value)}")
    if len(value) > most:
        raise LimitError(f"{what}: {len(value)} values, at most {most} are allowed")
    return value


def uint(value: Value, what: str, *, least: int = 0) -> int:
    """Take an unsigned integer of at least `least`."""
    if not isinstance(value, int):
        raise CodecError(f"{what}: expected an unsigned integer, got {_name(value)}")
    if value < least:
        raise CodecError(f"{what}: {value} is below {least}")
    return value


def version(value: Value, expected: int) -> int:
    """Take the version number that this reader knows."""
    if uint(value, "version") != expected:
        raise CodecError(f"version {value!r}, expected {expected}")
    return expected


def binary(value: Value, size: int | None, what: str, *, most: int = 1 << 20) -> bytes:
    """Take binary of exactly `size` bytes (any up to `most` if None)."""
    if not isinstance(value, bytes):
        raise CodecError(f"{what}: expected binary, got {_name(value)}")
    if size is not None and len(value) != size:
        raise CodecError(f"{what}: expected {size} bytes, got {len(value)}")
    if len(value) > most:
        raise LimitError(f"{what}: {len(value)} bytes, at most {most} are allowed")
    return value


def optional_binary(value: Value, size: int, what: str) -> bytes | None:
    """Take binary of `size` bytes, or nil."""
    return None if value is None else binary(value, size, what)


def text(value: Value, what: str, *, most: int = MAX_TEXT) -> str:
    """Take text: NFC, 1 to `most` bytes of UTF-8, no control characters."""
    if not isinstance(value, str):
        raise CodecError(f"{what}: expected text, got {_name(value)}")
    if not 1 <= len(value.encode()) <= most:
        raise LimitError(f"{what}: {len(value.encode())} bytes of text, 1 to {most} are allowed")
    if value.isascii() and value.isprintable():
        return value
    if unicodedata.normalize("NFC", value) != value:
        raise CodecError(f"{what}: text is not in normal form C")
    if any(unicodedata.category(character) == "Cc" for character in value):
        raise CodecError(f"{what}: text holds a control character")
    return value


def ascending(items: list[Value], what: str) -> list[Value]:
    """Require that packed items ascend strictly, so that a set has one spelling."""
    # Binaries of one length stand packed in the order in which they stand themselves.
    is_plain = all(type(item) is bytes for item in items) and len({len(cast("bytes", item)) for item in items}) < 2
    packed = cast("list[bytes]", items) if is_plain else [pack(item) for item in items]
    if any(left >= right for left, right in itertools.pairwise(packed)):
        raise CodecError(f"{what}: not ascending or not unique")
    return items


class _Arrays:
    """Counts the arrays of a large value while it is read."""

    def __init__(self, size: int) -> None:
        self._left = max(FEW_ARRAYS, size // BYTES_AN_ARRAY)

    def __call__(self, items: list[object]) -> list[object]:
        self._left -= 1
        if self._left < 0:
            raise LimitError("too many arrays for so few bytes")
        return items


def _check(value: object, depth: int) -> None:
    # Layer by layer and not by a call for each value: that would be most of the time of a large one.
    layer: list[list[object]] = [[value]]
    while layer:
        inner: list[list[object]] = []
        for items in layer:
            for item in items:
                kind = type(item)
                if kind is bytes or item is None:
                    continue
                if kind is list:
                    inner.append(cast("list[object]", item))
                elif isinstance(item, str):
                    if not item.isascii():
                        _check_text(item)
                else:
                    _check_int(item)
        if inner and depth >= MAX_DEPTH:
            raise LimitError(f"arrays nest deeper than {MAX_DEPTH}")
        layer, depth = inner, depth + 1


def _check_int(value: object) -> None:
    if type(value) is not int:
        raise CodecError(f"type {type(value).__name__} is not part of the format")
    if not 0 <= value <= MAX_INT:
        raise CodecError(f"integer {value} is outside 0 .. 2**63 - 1")


def _check_text(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise CodecError("text is not UTF-8") from error


def _name(value: object) -> str:
    return TYPE_NAMES.get(type(value).__name__, type(value).__name__)
