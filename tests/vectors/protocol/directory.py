"""Vectors of the directory: keys, seats and holders, and what an announcement leaves."""

from collections.abc import Sequence
from typing import cast

from federation.directory import (
    BUCKETS,
    Seats,
    alias_key,
    bucket_digest,
    bucket_of,
    by_bucket,
    join_marks,
    list_digest,
    split_marks,
)
from tests.builders import id16
from tests.vectors.protocol.case import Case, Json, VectorFile, flip, pack

A, B, C = (bytes([n, *bytes(6), n]) for n in (0x10, 0x11, 0x11))  # the first in bucket 0x100, the others in 0x110
D = b"\x11\x0f" + bytes(6)  # in bucket 0x110 too, behind the others


def files() -> list[VectorFile]:
    """The files of this module."""
    return [VectorFile("holders", _holder_cases()), VectorFile("announced", _announced_cases())]


def _holder_cases() -> list[Case]:
    made = [(id16(f"org/{n}"), id16(f"seat/{n}")) for n in range(40)]
    texts = [("number", "00012345"), ("dev_eui", "02c0de0000000001"), ("number", "С-ДЭР")]
    return [
        *(_holders(f"{count} members", made[:count], "number", "1") for count in (0, 1, 8, 9, 40)),
        *(_holders(f"{scheme} {value}", made, scheme, value) for scheme, value in texts),
        *(Case(name, _given(made[:1], *text), "refuse", why) for name, text, why in _BAD_TEXTS),
    ]


_BAD_TEXTS = [
    ("no scheme", ("", "1"), "a scheme is text of 1 to 256 bytes"),
    ("no value", ("number", ""), "a value is text of 1 to 256 bytes"),
]


def _given(members: Sequence[tuple[bytes, bytes]], scheme: str, value: str) -> dict[str, Json]:
    seats: list[Json] = [{"org": org.hex(), "seat": seat.hex()} for org, seat in members]
    return {"seats": seats, "scheme": scheme, "value": value}


def _holders(name: str, members: Sequence[tuple[bytes, bytes]], scheme: str, value: str) -> Case:
    key = alias_key(scheme, value)
    holders: list[Json] = [org.hex() for org in Seats(dict(members)).holders(bucket_of(key))]
    gives: dict[str, Json] = {"key": key.hex(), "bucket": bucket_of(key), "holders": holders}
    return Case(name, _given(members, scheme, value), "accept", "who holds what has this identifier", gives)


def _announced_cases() -> list[Case]:
    good: list[tuple[str, object, list[bytes]]] = [
        ("no list any more", [None, [], b"", b""], [A, B]),
        ("the list as it is", [bytes(16), [], b"", b""], [A, B]),
        ("a first mark", [None, [], A, b""], []),
        ("marks of two buckets", [None, [], A + B, b""], [A]),
        ("a mark taken out", [None, [], b"", B], [A, B]),
        ("a mark that is not there taken out", [None, [], b"", B], [A]),
        ("added and removed", [None, [], A, A], [B]),
        ("a whole bucket", [None, [[0x110, B + D]], b"", b""], [A, C]),
        ("an empty bucket", [None, [[0x110, b""]], b"", b""], [A, B, D]),
        ("a whole bucket, then more", [None, [[0x110, B]], D, B], [A]),
        ("with the list that it should be", [bytes(16), [], A, b""], []),
    ]
    wrong: list[tuple[str, bytes, str]] = [
        ("an empty array", pack([]), "four values"),
        ("five values", pack([None, [], b"", b"", None]), "four values"),
        ("a list of 15 bytes", pack([bytes(15), [], b"", b""]), "a list has 16 bytes"),
        ("half a mark", pack([None, [], A[:4], b""]), "marks have 8 bytes"),
        ("marks that descend", pack([None, [], B + A, b""]), "marks ascend"),
        ("a mark twice", pack([None, [], b"", A + A]), "marks are unique"),
        ("text for marks", pack([None, [], "", b""]), "marks are binary"),
        ("a mark of another bucket", pack([None, [[0x100, B]], b"", b""]), "marks stand in their bucket"),
        ("a last mark of another bucket", pack([None, [[0x100, A + B]], b"", b""]), "marks stand in their bucket"),
        ("a bucket beyond the last", pack([None, [[BUCKETS, b""]], b"", b""]), "buckets are 0 to 4095"),
        ("buckets that descend", pack([None, [[2, b""], [1, b""]], b"", b""]), "buckets ascend"),
        ("a bucket twice", pack([None, [[1, b""], [1, b""]], b"", b""]), "buckets are unique"),
        ("a bucket without marks", pack([None, [[1]], b"", b""]), "a bucket is a pair"),
        ("marks for nil", pack([None, [[1, None]], b"", b""]), "marks are binary"),
        ("followed by a byte", pack([None, [], b"", b""]) + b"\0", "bytes follow the value"),
        ("a flipped bit", flip(pack([None, [], A, b""]), 0), "an array of four"),
    ]
    return [
        *(_announced(name, value, held) for name, value, held in good),
        *(Case(name, {"asked": raw.hex(), "held": []}, "refuse", why) for name, raw, why in wrong),
    ]


def _announced(name: str, value: object, held: list[bytes]) -> Case:
    _, rows, added, removed = cast("tuple[object, list[tuple[int, bytes]], bytes, bytes]", value)
    kept = {bucket: set(split_marks(marks)) for bucket, marks in rows}
    kept = {bucket: marks for bucket, marks in by_bucket(held).items() if bucket not in kept} | kept
    kept = kept if value != [None, [], b"", b""] else {}
    left = (set[bytes]().union(*kept.values()) | set(split_marks(added))) - set(split_marks(removed))
    digests = {bucket: bucket_digest(join_marks(marks)) for bucket, marks in by_bucket(left).items()}
    given: dict[str, Json] = {"asked": pack(value).hex(), "held": [mark.hex() for mark in held]}
    after: list[Json] = [mark.hex() for mark in sorted(left)]
    return Case(name, given, "accept", "a change", {"held": after, "list": list_digest(digests).hex()})
