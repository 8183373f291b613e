"""What a node follows, as it tells a peer: the peer then gives it nothing of other subjects, whatever its rights are.

follow   [everything 0 | 1, within [from, to] | nil, added, removed]   -> [filter bin16 | nil, opened]

A filter stands for a whole set of subjects: the sum of a hash of each, so that it is known after every change without
reading the set; nil where everything is taken. Two nodes that name different ones are brought together by telling the
set anew, range by range: only what differs changes anything.
"""

import hashlib
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass

from federation import codec
from federation.errors import CodecError, FilterError

MAX_FOLLOWED = 100_000
MAX_CHANGES = 4096
MAX_QUESTION = 1 << 17
SUBJECT = 16
FIRST, LAST = bytes(SUBJECT), b"\xff" * SUBJECT
NOTHING = bytes(SUBJECT)  # the filter of the empty set
_HASHED = b"passport/follow/1\n"
_NONE: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class FollowAsked:
    """What is followed from now on: `everything`; or what was, with `added` and without `removed`; or, `within` two
    subjects which are included, `added` and no others.
    """

    everything: bool = False
    added: frozenset[bytes] = _NONE
    removed: frozenset[bytes] = _NONE
    within: tuple[bytes, bytes] | None = None

    def to_bytes(self) -> bytes:
        """The canonical question."""
        within: codec.Value = list(self.within) if self.within else None
        return codec.pack([int(self.everything), within, [*sorted(self.added)], [*sorted(self.removed)]])

    @classmethod
    def from_bytes(cls, raw: bytes) -> "FollowAsked":
        """Read the question; raise FilterError where a set is too large or in disorder."""
        try:
            everything, within, added, removed = codec.array(codec.unpack(raw, MAX_QUESTION), 4, "follow")
            asked = cls(_flag(everything), _set(added, "added"), _set(removed, "removed"), _range(within))
        except CodecError as error:
            raise FilterError(f"follow: {error}") from error
        asked._check()
        return asked

    def _check(self) -> None:
        if len(self.added) + len(self.removed) > MAX_CHANGES:
            raise FilterError(f"follow: more than {MAX_CHANGES} subjects at once")
        if self.everything and (self.added or self.removed or self.within):
            raise FilterError("follow: everything is followed, and something beside it")
        if self.within is None:
            if self.added & self.removed:
                raise FilterError("follow: a subject is added and removed")
        elif self.removed or any(not self.within[0] <= subject <= self.within[1] for subject in self.added):
            raise FilterError("follow: a range is told by what is followed in it")


@dataclass(frozen=True, slots=True)
class Followed:
    """What stands at the peer now: the filter, and the newest number of what it opened to the asker."""

    filter: bytes | None
    opened: int

    def to_bytes(self) -> bytes:
        """The canonical answer."""
        return codec.pack([self.filter, self.opened])

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Followed":
        """Read the answer; raise FilterError."""
        try:
            found, opened = codec.array(codec.unpack(raw, 64), 2, "follow")
            return cls(codec.optional_binary(found, SUBJECT, "filter"), codec.uint(opened, "opened"))
        except CodecError as error:
            raise FilterError(f"follow: {error}") from error


def moved(known: bytes, added: Iterable[bytes], removed: Iterable[bytes] = ()) -> bytes:
    """The filter of a set to which subjects are added that it had not, and without others that it had."""
    total = int.from_bytes(known) + sum(map(_hash, added)) - sum(map(_hash, removed))
    return (total % (1 << 8 * SUBJECT)).to_bytes(SUBJECT)


def changes(added: Set[bytes], removed: Set[bytes]) -> Iterator[FollowAsked]:
    """What changed, in as many questions as it takes."""
    ordered = sorted(added | removed)
    for at in range(0, len(ordered), MAX_CHANGES):
        part = frozenset(ordered[at : at + MAX_CHANGES])
        yield FollowAsked(added=part & added, removed=part & removed)


def whole(subjects: Iterable[bytes]) -> Iterator[FollowAsked]:
    """A whole set, range by range, whatever was told before."""
    ordered, first = sorted(subjects), FIRST
    for at in range(0, max(len(ordered), 1), MAX_CHANGES):
        part = ordered[at : at + MAX_CHANGES]
        last = part[-1] if at + MAX_CHANGES < len(ordered) else LAST
        yield FollowAsked(added=frozenset(part), within=(first, last))
        first = next_after(last)


def next_after(subject: bytes) -> bytes:
    """The next one in their order; nothing after the last."""
    return b"" if subject == LAST else (int.from_bytes(subject) + 1).to_bytes(SUBJECT)


def _hash(subject: bytes) -> int:
    return int.from_bytes(hashlib.sha256(_HASHED + subject).digest()[:SUBJECT])


def _flag(value: codec.Value) -> bool:
    flag = codec.uint(value, "everything")
    if flag > 1:
        raise CodecError(f"everything is 0 or 1, got {flag}")
    return bool(flag)


def _set(value: codec.Value, what: str) -> frozenset[bytes]:
    items = [codec.binary(item, SUBJECT, what) for item in codec.array(value, None, what, most=MAX_CHANGES)]
    codec.ascending([*items], what)
    return frozenset(items)


def _range(value: codec.Value) -> tuple[bytes, bytes] | None:
    if value is None:
        return None
    first, last = (codec.binary(end, SUBJECT, "within") for end in codec.array(value, 2, "within"))
    if first > last:
        raise CodecError("within: it ends before it begins")
    return first, last
