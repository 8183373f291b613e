"""The tree of RFC 6962: published vectors, and proofs of every size up to 70."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from federation.errors import ProofError
from federation.merkle import (
    EMPTY_ROOT,
    CompactRange,
    consistency_path,
    inclusion_path,
    leaf_hash,
    root_of,
    subtree_root,
    verify_consistency,
    verify_inclusion,
)
from tests.builders import tree

LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZES = range(1, 71)
HASHES = [leaf_hash(b"%d" % i) for i in range(71)]
ROOT = Path(__file__).parents[3]
SHARED = ROOT / os.environ.get("PASSPORT_VECTORS", "../shared/vectors") / "rfc6962.json"


def published() -> list[bytes]:
    return [leaf_hash(bytes.fromhex(text)) for text in LEAVES]


@pytest.mark.parametrize("size", range(1, 9))
def test_root_of_published_leaves(size: int) -> None:
    """The roots over the leaves published with Certificate Transparency."""
    assert root_of(published()[:size]).hex() == ROOTS[size - 1]


def test_root_of_nothing() -> None:
    """The root of no leaves is the hash of nothing."""
    assert root_of([]) == EMPTY_ROOT == hashlib.sha256().digest()


@pytest.mark.vectors
def test_shared_vectors_of_rfc_6962() -> None:
    """Roots, inclusion and consistency proofs of the shared file hold."""
    if not SHARED.exists():
        pytest.skip("PASSPORT_VECTORS has no rfc6962.json")
    vectors = json.loads(SHARED.read_text())
    leaves = [leaf_hash(bytes.fromhex(text)) for text in vectors["leaves_hex"]]
    roots = [bytes.fromhex(text) for text in vectors["roots"]]

    assert [root_of(leaves[: size + 1]) for size in range(len(leaves))] == roots
    assert root_of([]).hex() == vectors["empty_root"]
    for proof in vectors["inclusion"]:
        path = [bytes.fromhex(text) for text in proof["path"]]
        seq, size = proof["leaf"], proof["size"]
        assert inclusion_path(seq, size, tree(leaves)) == path
        verify_inclusion(leaves[seq], seq, size, path, roots[size - 1])
    for proof in vectors["consistency"]:
        path = [bytes.fromhex(text) for text in proof["proof"]]
        old, new = proof["from"], proof["to"]
        assert consistency_path(old, new, tree(leaves)) == path
        verify_consistency(old, roots[old - 1], new, roots[new - 1], path)


@pytest.mark.parametrize("size", SIZES)
def test_inclusion_in_every_tree(size: int) -> None:
    """Each leaf of each tree up to 70 is proven, and at no other place."""
    leaves, root = HASHES[:size], root_of(HASHES[:size])
    for seq in range(size):
        path = inclusion_path(seq, size, tree(leaves))
        verify_inclusion(leaves[seq], seq, size, path, root)
        with pytest.raises(ProofError):
            verify_inclusion(leaves[seq], (seq + 1) % (size + 1), size, path, root)


@pytest.mark.parametrize("new", [1, 2, 3, 7, 8, 9, 31, 32, 33, 63, 64, 65, 70])
def test_consistency_from_every_size(new: int) -> None:
    """Each smaller tree is proven to be a prefix, and no other size is with that path."""
    second = root_of(HASHES[:new])
    for old in range(1, new + 1):
        path = consistency_path(old, new, tree(HASHES[:new]))
        verify_consistency(old, root_of(HASHES[:old]), new, second, path)
        with pytest.raises(ProofError):
            verify_consistency(old, root_of(HASHES[1 : old + 1]), new, second, path)


def test_consistency_that_proves_nothing() -> None:
    """From 0, backwards, and between two roots of one size there is no proof."""
    first, second = root_of(HASHES[:3]), root_of(HASHES[:7])
    for old, new, path in ((0, 7, [first]), (7, 3, [first]), (3, 7, [])):
        with pytest.raises(ProofError):
            verify_consistency(old, first, new, second, path)
    with pytest.raises(ProofError, match="two roots of one size"):
        verify_consistency(7, first, 7, second, [])
    for old, new in ((0, 7), (8, 7)):
        with pytest.raises(ProofError):
            consistency_path(old, new, tree(HASHES[:7]))


def test_inclusion_of_a_leaf_outside() -> None:
    """A leaf beyond the tree has no path."""
    for seq in (-1, 7):
        with pytest.raises(ProofError):
            inclusion_path(seq, 7, tree(HASHES[:7]))


@pytest.mark.parametrize("size", SIZES)
def test_compact_range_read_from_a_tree(size: int) -> None:
    """Peaks read from stored hashes are those that growing makes."""
    assert CompactRange.of(size, tree(HASHES[:size])) == CompactRange().extend(HASHES[:size])


def test_subtree_root_of_every_left_edge() -> None:
    """A subtree as RFC 6962 splits it has the root of its own leaves."""
    for start, end in ((0, 70), (64, 70), (0, 64), (32, 48), (68, 70), (69, 70)):
        assert subtree_root(start, end, tree(HASHES[:70])) == root_of(HASHES[start:end])
