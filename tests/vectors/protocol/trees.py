"""Vectors of the Merkle tree: roots, inclusion, consistency."""

import hashlib

from federation.merkle import consistency_path, inclusion_path, root_of
from tests.builders import tree
from tests.vectors.protocol.case import Case, Json, VectorFile, flip

RFC6962_LEAVES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")


def files() -> list[VectorFile]:
    """The files of this module."""
    return [
        VectorFile("merkle-root", _root_cases()),
        VectorFile("inclusion", _inclusion_cases()),
        VectorFile("consistency", _consistency_cases()),
    ]


def _leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\0" + data).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def _leaves(size: int) -> list[bytes]:
    return [_leaf(b"%d" % i) for i in range(size)]


def _root_cases() -> list[Case]:
    published = [bytes.fromhex(text) for text in RFC6962_LEAVES]
    trees = [(f"RFC 6962 leaves, size {n}", published[:n]) for n in range(9)]
    trees += [(f"size {n}", [b"%d" % i for i in range(n)]) for n in (9, 31, 32, 33, 70)]
    return [
        Case(
            name,
            {"leaves": [leaf.hex() for leaf in data]},
            "accept",
            "RFC 6962 section 2.1",
            {"root": root_of([_leaf(leaf) for leaf in data]).hex()},
        )
        for name, data in trees
    ]


def _inclusion_cases() -> list[Case]:
    cases = []
    for seq, size in ((0, 1), (0, 2), (1, 2), (2, 3), (5, 8), (6, 7), (0, 70), (64, 70), (69, 70)):
        leaves = _leaves(size)
        path, root = inclusion_path(seq, size, tree(leaves)), root_of(leaves)
        cases.append(Case(f"leaf {seq} of {size}", _inclusion(leaves[seq], seq, size, path, root), "accept", "holds"))
    leaves = _leaves(7)
    path, root, leaf = inclusion_path(5, 7, tree(leaves)), root_of(leaves), leaves[5]
    single = root_of(leaves[:1])
    return [
        *cases,
        Case("path one short", _inclusion(leaf, 5, 7, path[:-1], root), "refuse", "the path is too short"),
        Case("path one long", _inclusion(leaf, 5, 7, [*path, root], root), "refuse", "the path is too long"),
        Case(
            "path one short, to the root of a part",
            _inclusion(leaf, 5, 7, path[:-1], root_of(leaves[4:])),
            "refuse",
            "the path is too short, though it leads to that root",
        ),
        Case(
            "path one long, to a root above",
            _inclusion(leaf, 5, 7, [*path, leaf], _node(leaf, root)),
            "refuse",
            "the path is too long, though it leads to that root",
        ),
        Case(
            "no path to a leaf of two",
            _inclusion(leaf, 0, 2, [], leaf),
            "refuse",
            "the path is too short, though the leaf is that root",
        ),
        Case("path in another order", _inclusion(leaf, 5, 7, path[::-1], root), "refuse", "not under the root"),
        Case(
            "path with a bit turned",
            _inclusion(leaf, 5, 7, [flip(path[0]), *path[1:]], root),
            "refuse",
            "not under the root",
        ),
        Case("another leaf", _inclusion(flip(leaf), 5, 7, path, root), "refuse", "not under the root"),
        Case("another place", _inclusion(leaf, 4, 7, path, root), "refuse", "not under the root"),
        Case("another root", _inclusion(leaf, 5, 7, path, flip(root)), "refuse", "not under the root"),
        Case(
            "last leaf at place = size",
            _inclusion(leaves[6], 7, 7, inclusion_path(6, 7, tree(leaves)), root),
            "refuse",
            "the place is not in the tree, though the path leads to the root",
        ),
        Case("place 1 in a tree of one", _inclusion(leaves[0], 1, 1, [], single), "refuse", "the place is not there"),
        Case("place = size", _inclusion(leaf, 7, 7, path, root), "refuse", "the place is not in the tree"),
        Case("path in a tree of one", _inclusion(leaves[0], 0, 1, [leaf], single), "refuse", "the path is too long"),
    ]


def _inclusion(leaf: bytes, seq: int, size: int, path: list[bytes], root: bytes) -> dict[str, Json]:
    return {"leaf": leaf.hex(), "seq": seq, "size": size, "path": [p.hex() for p in path], "root": root.hex()}


def _consistency_cases() -> list[Case]:
    cases = []
    for old, new in ((1, 1), (1, 2), (2, 3), (3, 7), (4, 7), (6, 8), (8, 8), (32, 70), (69, 70)):
        leaves = _leaves(new)
        path = consistency_path(old, new, tree(leaves))
        given = _consistency(old, root_of(leaves[:old]), new, root_of(leaves), path)
        cases.append(Case(f"{old} to {new}", given, "accept", "the old tree is a prefix of the new one"))
    leaves = _leaves(7)
    path, first, second = consistency_path(3, 7, tree(leaves)), root_of(leaves[:3]), root_of(leaves)
    other = root_of(_leaves(8)[1:4])
    return [
        *cases,
        Case("no path", _consistency(3, first, 7, second, []), "refuse", "a path is needed between two sizes"),
        Case("path one short", _consistency(3, first, 7, second, path[:-1]), "refuse", "too short"),
        Case("path one long", _consistency(3, first, 7, second, [*path, first]), "refuse", "too long"),
        Case(
            "path one short, to the root of a part",
            _consistency(3, first, 7, root_of(leaves[:4]), path[:-1]),
            "refuse",
            "too short, though it leads to both roots",
        ),
        Case(
            "path one long, to roots above",
            _consistency(3, _node(other, first), 7, _node(other, second), [*path, other]),
            "refuse",
            "too long, though it leads to both roots",
        ),
        *(
            Case(
                f"backwards, {old} to {new} with one root",
                _consistency(old, second, new, second, [second]),
                "refuse",
                "the old size is the larger one",
            )
            for old, new in ((7, 3), (6, 2))
        ),
        Case(
            "path with a bit turned",
            _consistency(3, first, 7, second, [flip(path[0]), *path[1:]]),
            "refuse",
            "no prefix",
        ),
        Case("old root of another tree", _consistency(3, other, 7, second, path), "refuse", "no prefix"),
        Case("new root with a bit turned", _consistency(3, first, 7, flip(second), path), "refuse", "no prefix"),
        Case("from 0", _consistency(0, hashlib.sha256().digest(), 7, second, path), "refuse", "size 0 proves nothing"),
        Case(
            "0 to 0",
            _consistency(0, hashlib.sha256().digest(), 0, hashlib.sha256().digest(), []),
            "refuse",
            "size 0 proves nothing",
        ),
        Case("backwards", _consistency(7, second, 3, first, path), "refuse", "the old size is the larger one"),
        Case("two roots of one size", _consistency(7, second, 7, first, []), "refuse", "two roots of one size"),
        Case("a path within one size", _consistency(7, second, 7, second, path), "refuse", "nothing to prove"),
    ]


def _consistency(old: int, first: bytes, new: int, second: bytes, path: list[bytes]) -> dict[str, Json]:
    return {
        "old": old,
        "old_root": first.hex(),
        "new": new,
        "new_root": second.hex(),
        "path": [p.hex() for p in path],
    }
