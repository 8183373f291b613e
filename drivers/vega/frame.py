"""What the frames of this family have in common: little-endian structures of an exact length."""

import struct
from datetime import datetime
from decimal import Decimal

from drivers.errors import EncodeError, FrameError

Raw = int | bytes


def unpack_exact(layout: struct.Struct, data: bytes, what: str) -> tuple[Raw, ...]:
    """Read a structure that must fill the whole frame; raise FrameError naming both lengths."""
    if len(data) != layout.size:
        raise FrameError(f"{what} is {layout.size} bytes, got {len(data)}: {preview(data)}")
    values: tuple[Raw, ...] = layout.unpack(data)
    return values


def unpack_integers(layout: struct.Struct, data: bytes, what: str) -> tuple[int, ...]:
    """The same for a structure of integers alone."""
    return tuple(value for value in unpack_exact(layout, data, what) if isinstance(value, int))


def pack(layout: struct.Struct, what: str, *values: Raw) -> bytes:
    """Write a structure; raise EncodeError for a value that does not fit its place."""
    try:
        return layout.pack(*values)
    except struct.error as error:
        raise EncodeError(f"{what}: {error}") from error


def to_unix(moment: datetime, what: str) -> int:
    """Whole Unix seconds of an aware time, truncated as meters do; raise EncodeError outside 32 bits."""
    if moment.tzinfo is None:
        raise EncodeError(f"{what}: the time {moment} has no time zone")
    seconds = int(moment.timestamp() // 1)
    if not 0 <= seconds < 1 << 32:
        raise EncodeError(f"{what}: {moment.isoformat()} does not fit 32 bits of Unix seconds")
    return seconds


def to_steps(value: Decimal, step: Decimal, what: str) -> int:
    """A value as a whole number of steps in 32 bits; raise EncodeError if it is none."""
    if not value.is_finite() or not 0 <= value < step * (1 << 32) or value % step:
        raise EncodeError(f"{what} {value} is no multiple of {step} in 32 bits")
    return int(value / step)


def preview(data: bytes) -> str:
    """The bytes as hex for an error text, cut after 40 bytes."""
    return data[:40].hex() + ("…" if len(data) > 40 else "") if data else "empty"
