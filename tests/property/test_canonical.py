"""Canonical JSON is what Python's own encoder writes, and what is refused is what its decoder refuses."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from node.passport.canonical import check_json, dump_json
from node.passport.errors import BodyError

TEXTS = st.text(st.characters(codec="utf-8"))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
PIECES = st.sampled_from(
    ["{", "}", "[", "]", ":", ",", " ", '"a"', '"b"', '"a:1.5"', "1", "-1", "1.5", "1e3", "01", "null", "NaN", "\ufeff"]
)


def is_strict(raw: bytes) -> bool:
    """Whether Python's decoder reads it without meeting a float or a doubled key."""

    def refuse(_: object) -> None:
        raise ValueError

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError
        return dict(pairs)

    try:
        json.loads(raw.decode(), parse_float=refuse, parse_constant=refuse, object_pairs_hook=once)
    except (ValueError, RecursionError):
        return False
    return True


def is_taken(raw: bytes) -> bool:
    """Whether `check_json` takes it."""
    try:
        check_json(raw)
    except BodyError:
        return False
    return True


@given(PLAIN)
def test_dump_is_what_the_standard_encoder_writes(value: object) -> None:
    """Whatever writes it, one value has one spelling: it is hashed and signed."""
    written = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    assert dump_json(value) == written
    assert is_taken(written)


@given(st.lists(PIECES, max_size=9).map("".join).map(str.encode) | st.binary(max_size=20))
@example(b"1.5")
@example(b'{"a":1e3}')
@example(b'{"a":1,"a":1}')
@example(b'{"a":[-1.0]}')
@example(b'["a:1.5"]')
@example(b"123456789012345678901234567890")
@example(b"[" * 100_000)
def test_check_refuses_what_the_standard_decoder_refuses(raw: bytes) -> None:
    """The fast look and the slow one agree on any bytes."""
    assert is_taken(raw) == is_strict(raw)


@pytest.mark.parametrize("raw", [b'{"a":1.5}', b'{"a":0.0}', b'{"a":1E5}', b"[1,2.0]", b"-0.5"])
def test_float_is_refused_however_it_is_written(raw: bytes) -> None:
    """A number that may lose digits is never signed."""
    with pytest.raises(BodyError, match="float"):
        check_json(raw)
