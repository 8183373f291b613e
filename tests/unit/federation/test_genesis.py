"""The genesis of a federation."""

import pytest

from federation import codec
from federation.errors import CodecError
from federation.genesis import Genesis, fingerprint

ANCHORS = tuple(bytes(15) + bytes([n]) for n in range(17))


def test_genesis_reads_what_it_writes() -> None:
    """Name, anchors and k survive, and the id is over the bytes."""
    made = Genesis("Приборы", ANCHORS[:3], 2)
    assert Genesis.from_bytes(made.to_bytes()) == made
    assert made.id != Genesis("Приборы", ANCHORS[:3], 3).id


def test_fingerprint_is_read_aloud() -> None:
    """Eight groups of four hex digits."""
    assert fingerprint(bytes(range(16))) == "0001 0203 0405 0607 0809 0a0b 0c0d 0e0f"


@pytest.mark.parametrize(
    "made",
    [
        Genesis("", ANCHORS[:1], 1),
        Genesis("a" * 129, ANCHORS[:1], 1),
        Genesis("a", (), 0),
        Genesis("a", (), 1),
        Genesis("a", ANCHORS[:1], 0),
        Genesis("a", ANCHORS[:1], 2),
        Genesis("a", ANCHORS, 1),
        Genesis("a", ANCHORS[1::-1], 1),
        Genesis("a", (ANCHORS[0], ANCHORS[0]), 2),
        Genesis("a", (b"short",), 1),
    ],
)
def test_genesis_that_breaks_a_rule(made: Genesis) -> None:
    """No anchor twice, 1 to 16 of them, and k among them."""
    with pytest.raises(CodecError):
        Genesis.from_bytes(made.to_bytes())


def test_genesis_of_another_version() -> None:
    """Only version 1 is read."""
    with pytest.raises(CodecError, match="version"):
        Genesis.from_bytes(codec.pack([2, "a", [ANCHORS[0]], 1]))
