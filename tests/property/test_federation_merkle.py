"""Laws of the tree: growing in pieces, and proofs that any turned bit breaks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import ProofError
from federation.merkle import (
    CompactRange,
    consistency_path,
    inclusion_path,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from tests.builders import tree
from tests.laws import cases

LEAVES = [leaf_hash(b"%d" % number) for number in range(70)]
SIZES = st.integers(1, 70)


def turned(raw: bytes, bit: int) -> bytes:
    changed = bytearray(raw)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@given(st.lists(st.integers(0, 20), max_size=8))
def test_range_grown_in_pieces_equals_the_whole(pieces: list[int]) -> None:
    """However the leaves are cut into pieces, the range and its root are the same."""
    grown, start = CompactRange(), 0
    leaves = [leaf_hash(b"%d" % number) for number in range(sum(pieces))]
    for piece in pieces:
        grown = grown.extend(leaves[start : start + piece])
        start += piece

    assert grown == CompactRange().extend(leaves)
    assert grown.root() == root_of(leaves)
    assert len(grown.peaks) == grown.size.bit_count()


@given(SIZES, st.data())
@cases(200)
def test_inclusion_breaks_with_any_bit(size: int, data: st.DataObject) -> None:
    """A proof verifies, and does not with a bit turned in leaf, path or root."""
    seq, bit = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, 255))
    path, root = inclusion_path(seq, size, tree(LEAVES[:size])), root_of(LEAVES[:size])
    verify_inclusion(LEAVES[seq], seq, size, path, root)

    wrong = [(turned(LEAVES[seq], bit), path, root), (LEAVES[seq], path, turned(root, bit))]
    wrong += [(LEAVES[seq], [*path[:at], turned(path[at], bit), *path[at + 1 :]], root) for at in range(len(path))]
    wrong += [(LEAVES[seq], path[:-1], root)] * bool(path) + [(LEAVES[seq], [*path, root], root)]
    for leaf, altered, top in wrong:
        with pytest.raises(ProofError):
            verify_inclusion(leaf, seq, size, altered, top)


@given(SIZES, st.data())
@cases(200)
def test_consistency_breaks_with_any_bit(new: int, data: st.DataObject) -> None:
    """A proof verifies, and does not with a bit turned in either root or the path."""
    old, bit = data.draw(st.integers(1, new)), data.draw(st.integers(0, 255))
    path = consistency_path(old, new, tree(LEAVES[:new]))
    first, second = root_of(LEAVES[:old]), root_of(LEAVES[:new])
    verify_consistency(old, first, new, second, path)

    wrong = [(turned(first, bit), second, path), (first, turned(second, bit), path), (first, second, [*path, first])]
    wrong += [(first, second, [*path[:at], turned(path[at], bit), *path[at + 1 :]]) for at in range(len(path))]
    wrong += [(first, second, path[:-1])] * bool(path)
    for before, after, altered in wrong:
        with pytest.raises(ProofError):
            verify_consistency(old, before, new, after, altered)


@given(SIZES, st.data())
@cases(150)
def test_altered_leaf_alters_the_root(size: int, data: st.DataObject) -> None:
    """Turning one bit of one leaf, or swapping two, gives another root."""
    at, bit = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, 255))
    leaves = [*LEAVES[:at], turned(LEAVES[at], bit), *LEAVES[at + 1 : size]]
    assert root_of(leaves) != root_of(LEAVES[:size])
    if at:
        swapped = [*LEAVES[: at - 1], LEAVES[at], LEAVES[at - 1], *LEAVES[at + 1 : size]]
        assert root_of(swapped) != root_of(LEAVES[:size])
