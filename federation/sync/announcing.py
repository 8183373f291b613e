"""Telling holders of the directory what is held, and asking them who holds it.

announce [list bin16 | nil, whole [[bucket, marks]...], added marks, removed marks]
                                                        -> nothing, or where the list differs [[bucket, digest bin8]...]
refer    [key bin16...]                                 -> [[[org, node, age us]...]...], for each key

Marks are bins of 8 bytes each, joined, ascending. An announcement replaces whole buckets and changes others mark by
mark; `list` is what the holder should have afterwards: where it has something else, it tells the digests of its
buckets, and those that differ are sent whole. So what was sent is not sent again after a break, and equal lists cost
40 bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from federation import codec
from federation.directory import (
    BUCKETS,
    DIGEST_SIZE,
    KEY_SIZE,
    LIST_SIZE,
    MARK_SIZE,
    check_marks,
)
from federation.errors import CodecError
from federation.sync.messages import Reading

MAX_QUESTION = 1 << 20
MAX_CHANGED = 1 << 16  # marks that are added, and removed, by one question
MAX_KEYS = 8
MAX_REFERRALS = 32  # for one key
MAX_ANSWER = 1 << 17
FULL = 512 * 1024  # bytes of marks after which a question is sent
ROW_OVERHEAD = 8


@dataclass(frozen=True, slots=True)
class Announced:
    """What changed of a list: buckets as they are now, empty ones gone, then marks to be added and taken out."""

    list: bytes | None = None
    whole: Mapping[int, bytes] = field(default_factory=dict)
    added: bytes = b""
    removed: bytes = b""

    def to_bytes(self) -> bytes:
        """The canonical question."""
        rows: codec.Value = [[bucket, marks] for bucket, marks in sorted(self.whole.items())]
        return codec.pack([self.list, rows, self.added, self.removed])

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Announced":
        """Read the question; raise RemoteProtocolError, or LimitError."""
        with Reading("announce"):
            told, rows, added, removed = codec.array(codec.unpack(raw, MAX_QUESTION), 4, "announce")
            whole = dict(_bucket(row) for row in codec.array(rows, None, "buckets", most=BUCKETS))
            if [*whole] != sorted(whole) or len(whole) < len(rows if isinstance(rows, list) else ()):
                raise CodecError("buckets: not ascending or not unique")
            wanted = codec.optional_binary(told, LIST_SIZE, "list")
            return cls(wanted, whole, _marks(added, "added"), _marks(removed, "removed"))


@dataclass(frozen=True, slots=True)
class Referral:
    """Who announced a key: a node of an organisation, and how old its list is, in microseconds."""

    org: bytes
    node: bytes
    age_us: int


def whole_lists(told: bytes, buckets: Mapping[int, bytes]) -> Iterator[Announced]:
    """Whole buckets in as many questions as it takes; the last one tells what the list should be then."""
    part: dict[int, bytes] = {}
    size = 0
    for bucket, marks in sorted(buckets.items()):
        if part and size + len(marks) + ROW_OVERHEAD > FULL:
            yield Announced(None, part)
            part, size = {}, 0
        part[bucket] = marks
        size += len(marks) + ROW_OVERHEAD
    yield Announced(told, part)


def encode_differing(digests: Mapping[int, bytes]) -> bytes:
    """The answer to announce where the list differs: the digests of the buckets that are here."""
    return codec.pack([[bucket, digest] for bucket, digest in sorted(digests.items())])


def decode_differing(raw: bytes | None) -> dict[int, bytes] | None:
    """Read the answer to announce; None where the list is as it should be."""
    if raw is None:
        return None
    with Reading("announced"):
        rows = codec.array(codec.unpack(raw, MAX_ANSWER), None, "buckets", most=BUCKETS)
        return dict(_digest(row) for row in rows)


def encode_refer(keys: Sequence[bytes]) -> bytes:
    """Ask who holds what has these keys."""
    return codec.pack([*keys])


def decode_refer(raw: bytes) -> list[bytes]:
    """Read the question."""
    with Reading("refer"):
        keys = codec.array(codec.unpack(raw, 256), None, "keys", most=MAX_KEYS)
        return [codec.binary(key, KEY_SIZE, "key") for key in keys]


def encode_referrals(found: Sequence[Sequence[Referral]]) -> bytes:
    """The answer to refer."""
    return codec.pack([[[one.org, one.node, one.age_us] for one in some] for some in found])


def decode_referrals(raw: bytes, count: int) -> list[tuple[Referral, ...]]:
    """Read the answer to refer for so many keys; raise RemoteProtocolError."""
    with Reading("refer"):
        rows = codec.array(codec.unpack(raw, MAX_ANSWER), count, "referrals")
        return [
            tuple(_referral(item) for item in codec.array(row, None, "referrals", most=MAX_REFERRALS)) for row in rows
        ]


def _bucket(value: codec.Value) -> tuple[int, bytes]:
    number, marks = codec.array(value, 2, "bucket")
    bucket = _number(number)
    return bucket, check_marks(codec.binary(marks, None, "marks"), "marks", bucket)


def _digest(value: codec.Value) -> tuple[int, bytes]:
    number, digest = codec.array(value, 2, "bucket")
    return _number(number), codec.binary(digest, DIGEST_SIZE, "digest")


def _number(value: codec.Value) -> int:
    if (bucket := codec.uint(value, "bucket")) >= BUCKETS:
        raise CodecError(f"bucket {bucket}: there are {BUCKETS}")
    return bucket


def _marks(value: codec.Value, what: str) -> bytes:
    return check_marks(codec.binary(value, None, what, most=MAX_CHANGED * MARK_SIZE), what, most=MAX_CHANGED)


def _referral(value: codec.Value) -> Referral:
    org, node, age = codec.array(value, 3, "referral")
    return Referral(codec.binary(org, 16, "org"), codec.binary(node, 16, "node"), codec.uint(age, "age"))
