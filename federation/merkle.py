"""The Merkle tree of RFC 6962: hashes, compact ranges, inclusion and consistency proofs.

Hashes are 32 bytes. A tree is read through `get(level, index)`, the hash of the complete subtree of 2**level leaves
that starts at leaf index * 2**level, so that a caller may keep leaves, tiles or both.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from federation.errors import ProofError

EMPTY_ROOT = hashlib.sha256(b"").digest()
HASH_SIZE = 32

GetHash = Callable[[int, int], bytes]


def leaf_hash(data: bytes) -> bytes:
    """RFC 6962 section 2.1: SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962 section 2.1: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class CompactRange:
    """A tree of `size` leaves as the roots of its complete subtrees, largest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def extend(self, leaves: Iterable[bytes]) -> "CompactRange":
        """The range with leaf hashes added on the right."""
        size, peaks = self.size, list(self.peaks)
        for leaf in leaves:
            carry, rest = leaf, size
            while rest & 1:
                carry = node_hash(peaks.pop(), carry)
                rest >>= 1
            peaks.append(carry)
            size += 1
        return CompactRange(size, tuple(peaks))

    def extend_tile(self, root: bytes, width: int) -> "CompactRange":
        """The range with a complete subtree of `width` leaves (a power of two that divides the size) added."""
        size, peaks, carry, rest = self.size, list(self.peaks), root, self.size // width
        while rest & 1:
            carry = node_hash(peaks.pop(), carry)
            rest >>= 1
        return CompactRange(size + width, (*peaks, carry))

    def root(self) -> bytes:
        """The root hash; of no leaves, the hash of nothing."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    @classmethod
    def of(cls, size: int, get: GetHash) -> "CompactRange":
        """Read the peaks of a tree of `size` leaves."""
        peaks, start = [], 0
        for level in reversed(range(size.bit_length())):
            if size >> level & 1:
                peaks.append(get(level, start >> level))
                start += 1 << level
        return cls(size, tuple(peaks))


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes."""
    return CompactRange().extend(leaves).root()


def subtree_root(start: int, end: int, get: GetHash) -> bytes:
    """The hash of leaves start .. end as RFC 6962 splits them; `start` must be a node's left edge."""
    width = end - start
    if width & (width - 1) == 0 and start % width == 0:
        level = width.bit_length() - 1
        return get(level, start >> level)
    middle = start + _split(width)
    return node_hash(subtree_root(start, middle, get), subtree_root(middle, end, get))


def inclusion_path(seq: int, size: int, get: GetHash) -> list[bytes]:
    """RFC 6962 section 2.1.1: the path of leaf `seq` in the tree of `size` leaves, nearest first."""
    if not 0 <= seq < size:
        raise ProofError(f"leaf {seq} is not in a tree of {size}")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if seq < middle:
            path.append(subtree_root(middle, end, get))
            end = middle
        else:
            path.append(subtree_root(start, middle, get))
            start = middle
    return path[::-1]


def verify_inclusion(leaf: bytes, seq: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """RFC 9162 section 2.1.3.2; raise ProofError unless the leaf is at `seq` of the tree with that root."""
    if not 0 <= seq < size:
        raise ProofError(f"leaf {seq} is not in a tree of {size}")
    position, last, value = seq, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ProofError("the path is too long")
        if position & 1 or position == last:
            value = node_hash(sibling, value)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            value = node_hash(value, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise ProofError("the path is too short")
    if value != root:
        raise ProofError(f"leaf {seq} is not under the root")


def consistency_path(old: int, new: int, get: GetHash) -> list[bytes]:
    """RFC 6962 section 2.1.2: that the tree of `old` leaves is a prefix of the tree of `new`."""
    if not 0 < old <= new:
        raise ProofError(f"no consistency from {old} to {new}")
    if old == new:
        return []
    path: list[bytes] = []
    start, end, complete = 0, new, True
    while end - start > 1 and end != old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(subtree_root(middle, end, get))
            end = middle
        else:
            path.append(subtree_root(start, middle, get))
            start, complete = middle, False
    if not complete:
        path.append(subtree_root(start, end, get))
    return path[::-1]


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> None:
    """RFC 9162 section 2.1.4.2; raise ProofError unless the old tree is a prefix of the new one."""
    if not 0 < old <= new:
        raise ProofError(f"no consistency from {old} to {new}")
    if old == new:
        if path or old_root != new_root:
            raise ProofError("two roots of one size")
        return
    if not path:
        raise ProofError(f"no path from {old} to {new}")
    nodes = [old_root, *path] if old & (old - 1) == 0 else list(path)
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    first = second = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            raise ProofError("the path is too long")
        if position & 1 or position == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        position, last = position >> 1, last >> 1
    if last != 0 or first != old_root or second != new_root:
        raise ProofError(f"the tree of {old} is no prefix of the tree of {new}")


def _split(width: int) -> int:
    return 1 << ((width - 1).bit_length() - 1)
