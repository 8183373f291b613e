"""Canonical msgpack and the readers of fields."""

import pytest

from federation import codec
from federation.errors import CodecError, LimitError


@pytest.mark.parametrize("value", [True, 1.0, -1, 2**63, {}, (1,), [False], bytearray(b"x"), "\ud800", [{"a": 1}]])
def test_pack_refuses_what_the_format_has_not(value: object) -> None:
    """Nothing outside nil, unsigned integers, text, binary and lists is ever written."""
    with pytest.raises(CodecError):
        codec.pack(value)  # type: ignore[arg-type]  # the point of the test


def test_unpack_over_its_limit() -> None:
    """A value longer than the reader allows is refused before it is read."""
    with pytest.raises(LimitError, match="at most 4"):
        codec.unpack(b"\xc4\x03abc", 4)


def test_unpack_of_a_bomb() -> None:
    """Nested and announced lengths far beyond the bytes are refused, not allocated."""
    for raw in (b"\x91" * 100_000, b"\xdd\xff\xff\xff\xff" * 10, b"\xc6\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff"):
        with pytest.raises(CodecError):
            codec.unpack(raw)


def test_pack_at_the_deepest_nesting() -> None:
    """Eight arrays in each other are written and read; nine are not."""
    value: codec.Value = []
    for _ in range(7):
        value = [value]

    assert codec.unpack(codec.pack(value)) == value
    with pytest.raises(LimitError):
        codec.pack([value])


def test_errors_name_field_and_value() -> None:
    """A refusal says which field, what was expected and what came."""
    with pytest.raises(CodecError, match="seq: expected an unsigned integer, got text"):
        codec.uint("7", "seq")
    with pytest.raises(CodecError, match="log: expected 16 bytes, got 3"):
        codec.binary(b"abc", 16, "log")
    with pytest.raises(CodecError, match="refs: expected an array, got nil"):
        codec.array(None, 2, "refs")
    with pytest.raises(CodecError, match="kind: 0 is below 1"):
        codec.uint(0, "kind", least=1)


def test_field_over_its_limit() -> None:
    """Arrays, binary and text have each a limit of their own."""
    with pytest.raises(LimitError):
        codec.array([1, 2, 3], None, "rows", most=2)
    with pytest.raises(LimitError):
        codec.binary(b"abc", None, "note", most=2)
    with pytest.raises(LimitError):
        codec.text("abc", "name", most=2)


def test_optional_binary() -> None:
    """Nil or binary of one size, nothing else."""
    assert codec.optional_binary(None, 2, "org") is None
    assert codec.optional_binary(b"ab", 2, "org") == b"ab"
    with pytest.raises(CodecError):
        codec.optional_binary(b"", 2, "org")


def test_version_other_than_known() -> None:
    """Only the version that the reader knows is taken."""
    assert codec.version(1, 1) == 1
    with pytest.raises(CodecError, match="version 2, expected 1"):
        codec.version(2, 1)


def test_ascending_compares_packed_bytes() -> None:
    """A set ascends by packed bytes: numbers by value, texts by length first."""
    assert codec.ascending([5, 127, 128, 256, 2**40], "set")
    assert codec.ascending(["b", "aa"], "set")
    for items in (["aa", "b"], [1, 1], [2, 1]):
        with pytest.raises(CodecError, match="not ascending or not unique"):
            codec.ascending(items, "set")  # type: ignore[arg-type]  # lists are invariant
