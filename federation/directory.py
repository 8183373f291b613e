"""The directory: which member says who holds a device. Keys, marks in buckets, and the holders of each bucket.

A device is found by **keys** of 16 bytes: its subjects, and a hash of each other identifier. A list names a key by its
**mark**, the first 8 bytes; marks stand in 4,096 **buckets** by their first 12 bits, so that of a list only what
differs travels. Each bucket is held by three members, told by rendezvous hashing over their **seats**, 16 bytes that no
organisation chooses for itself; up to eight members hold everything. No I/O, no clock.
"""

import hashlib
import itertools
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from heapq import nlargest

from federation import codec
from federation.errors import LimitError, RemoteProtocolError

KEY_SIZE = 16
MARK_SIZE = 8
SEAT_SIZE = 16
DIGEST_SIZE = 8
LIST_SIZE = 16
BUCKETS = 4096
BUCKET_BITS = 12
HOLDERS = 3
ALL_HOLD = 8  # up to so many members each holds everything
MOST_IN_BUCKET = 1 << 16  # marks: 512 KiB, so that a bucket goes into one question

NO_LIST = hashlib.sha256(b"passport/list/1\n").digest()[:LIST_SIZE]


def alias_key(scheme: str, value: str) -> bytes:
    """The key of an identifier that is no subject; `value` as it is normalised for its scheme."""
    return hashlib.sha256(b"passport/alias/1\n" + codec.pack([scheme, value])).digest()[:KEY_SIZE]


def mark_of(key: bytes) -> bytes:
    """What stands for a key in lists."""
    return key[:MARK_SIZE]


def bucket_of(mark: bytes) -> int:
    """The bucket of a mark, or of a key."""
    return int.from_bytes(mark[:2]) >> (16 - BUCKET_BITS)


class Seats:
    """The members by their seats, and which of them holds what."""

    def __init__(self, seats: Mapping[bytes, bytes] | None = None) -> None:
        """`seats` are by organisation."""
        self.seats = dict(sorted((seats or {}).items()))
        self._hashes = [(hashlib.sha256(b"passport/seat/1\n" + seat), org) for org, seat in self.seats.items()]
        self._holders: dict[int, tuple[bytes, ...]] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Seats) and self.seats == other.seats

    __hash__ = None  # type: ignore[assignment]  # it is compared by what it says

    def holders(self, bucket: int) -> tuple[bytes, ...]:
        """The organisations that hold a bucket, the strongest claim first."""
        if len(self._hashes) <= ALL_HOLD:
            return tuple(self.seats)
        if bucket not in self._holders:
            self._holders[bucket] = tuple(org for _, org in nlargest(HOLDERS, self._weights(bucket)))
        return self._holders[bucket]

    def held_by(self) -> dict[bytes, frozenset[int]]:
        """The buckets of each organisation; of a thousand members some seconds of work, once."""
        found: dict[bytes, set[int]] = {org: set() for org in self.seats}
        for bucket in range(BUCKETS):
            for org in self.holders(bucket):
                found[org].add(bucket)
        return {org: frozenset(buckets) for org, buckets in found.items()}

    def _weights(self, bucket: int) -> Iterator[tuple[bytes, bytes]]:
        name = bucket.to_bytes(2)
        for begun, org in self._hashes:
            hashed = begun.copy()
            hashed.update(name)
            yield hashed.digest(), org


def has_mark(marks: bytes, mark: bytes) -> bool:
    """Whether a mark stands in a bucket."""
    at = bisect_left(range(len(marks) // MARK_SIZE), mark, key=lambda n: marks[n * MARK_SIZE : (n + 1) * MARK_SIZE])
    return marks[at * MARK_SIZE : (at + 1) * MARK_SIZE] == mark


def join_marks(marks: Iterable[bytes]) -> bytes:
    """Marks as they stand in a list: ascending, each once."""
    return b"".join(sorted(set(marks)))


def split_marks(marks: bytes) -> list[bytes]:
    """The single marks of a list."""
    return [marks[at : at + MARK_SIZE] for at in range(0, len(marks), MARK_SIZE)]


def by_bucket(marks: Iterable[bytes]) -> dict[int, set[bytes]]:
    """Marks by their buckets."""
    found: dict[int, set[bytes]] = {}
    for mark in marks:
        found.setdefault(bucket_of(mark), set()).add(mark)
    return found


def check_marks(marks: bytes, what: str, bucket: int | None = None, most: int = MOST_IN_BUCKET) -> bytes:
    """Require marks that ascend, all of a bucket where it is given; raise RemoteProtocolError, or LimitError."""
    if len(marks) > most * MARK_SIZE:
        raise LimitError(f"{what}: {len(marks) // MARK_SIZE} marks, at most {most} are allowed")
    if len(marks) % MARK_SIZE:
        raise RemoteProtocolError(f"{what}: {len(marks)} bytes are no whole marks")
    single = split_marks(marks)
    if any(left >= right for left, right in itertools.pairwise(single)):
        raise RemoteProtocolError(f"{what}: not ascending or not unique")
    if bucket is not None and single and not bucket_of(single[0]) == bucket == bucket_of(single[-1]):
        raise RemoteProtocolError(f"{what}: a mark of another bucket than {bucket}")
    return marks


def bucket_digest(marks: bytes) -> bytes:
    """What a bucket is compared by."""
    return hashlib.sha256(marks).digest()[:DIGEST_SIZE]


def list_digest(digests: Mapping[int, bytes]) -> bytes:
    """What a whole list is compared by, from the digests of its buckets that are not empty."""
    hashed = hashlib.sha256(b"passport/list/1\n")
    for bucket, digest in sorted(digests.items()):
        hashed.update(bucket.to_bytes(2) + digest)
    return hashed.digest()[:LIST_SIZE]
