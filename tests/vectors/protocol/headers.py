"""Vectors of headers."""

import hashlib
from collections.abc import Sequence

from tests.builders import STAMP, id16, seed
from tests.vectors.protocol.case import Case, Json, VectorFile, pack, refusals, with_field

LOG = id16("log")
SEQ = 7
COMMITMENT = seed("commitment")
DIGEST = [LOG, 3, id16("entry")]
LONGEST = 4096 - 3 - len(pack([2, LOG, SEQ, STAMP, 4, [id16("subject")]]))  # of one more field of a header


def files() -> list[VectorFile]:
    """The file of this module."""
    return [VectorFile("header", _header_cases())]


def header_fields() -> list[object]:
    """The eleven fields of a good header."""
    head = ["body", COMMITMENT, 2, 0]
    return [1, LOG, SEQ, STAMP, 4, [id16("subject")], STAMP - 5, None, [], [], [head]]


def _given(raw: bytes) -> dict[str, Json]:
    return {"log": LOG.hex(), "seq": SEQ, "header": raw.hex()}


def _build(fields: Sequence[object]) -> dict[str, Json]:
    return _given(pack(list(fields)))


def heads(count: int, size: int = 2) -> list[object]:
    """Field 10 of a header: that many sections."""
    return [[f"s{i}", COMMITMENT, size, 0] for i in range(count)]


def _refs(count: int) -> list[object]:
    return [[LOG, i, id16("entry")] for i in range(count)]


def _header_cases() -> list[Case]:
    fields = header_fields()
    accepted: list[tuple[str, list[object], str]] = [
        ("smallest", fields, "every field is in order"),
        ("four subjects", with_field(fields, 5, [id16(str(i)) for i in range(4)]), "at most four"),
        ("prev", with_field(fields, 7, 6), "prev is a seq"),
        ("prev that is not before", with_field(fields, 7, 9), "a wrong prev is shown, not void"),
        ("16 refs", with_field(fields, 8, _refs(16)), "at most 16"),
        ("refs in any order", with_field(fields, 8, _refs(3)[::-1]), "refs need not ascend"),
        (
            "refs of one seq with two ids",
            with_field(fields, 8, [DIGEST, [LOG, 3, id16("x")]]),
            "two branches of a fork",
        ),
        ("8 auth", with_field(fields, 9, _refs(8)), "at most eight"),
        ("16 sections", with_field(fields, 10, heads(16)), "at most 16"),
        ("largest section", with_field(fields, 10, [["a", COMMITMENT, 262144, 0]]), "256 KiB"),
        ("largest sum", with_field(fields, 10, [*heads(3, 262144), ["last", COMMITMENT, 253952, 0]]), "1 MiB - 8 KiB"),
        ("size 0", with_field(fields, 10, [["a", COMMITMENT, 0, 0]]), "an empty section"),
        ("longest section name", with_field(fields, 10, [["az09_./-" * 3, COMMITMENT, 2, 0]]), "24 characters"),
        ("unknown class", with_field(fields, 10, [["a", COMMITMENT, 2, 6]]), "given to nobody"),
        ("class 3 of an odd size", with_field(fields, 10, [["a", COMMITMENT, 65, 3]]), "unreadable when it is read"),
        ("unknown kind", with_field(fields, 4, 23), "stored, not folded"),
        ("kind 1", with_field(fields, 4, 1), "the smallest"),
        ("largest kind", with_field(fields, 4, 2**63 - 1), "stored, not folded"),
        ("experimental kind", with_field(fields, 4, 128), "stored, not folded"),
        ("largest times", with_field(with_field(fields, 3, 2**63 - 1), 6, 2**63 - 1), "below 2^63"),
        ("time 0", with_field(fields, 6, 0), "1970"),
        ("version 2, six fields", [2, *fields[1:6]], "a later version keeps fields 0 to 5"),
        ("version 2, other fields", [2, *fields[1:6], "new", [1, [2]], None], "the rest is opaque"),
        ("version 2 with the fields of 1", [2, *fields[1:]], "the rest is opaque"),
        ("version 2, 4,096 bytes", [2, *fields[1:6], bytes(LONGEST)], "the longest header"),
        ("version 2^63 - 1", [2**63 - 1, *fields[1:6]], "a later version"),
    ]
    return [
        *(Case(name, _build(made), "accept", why, _header_gives(made)) for name, made, why in accepted),
        *refusals(fields, _header_table(), _build, "void"),
        *_whole_header_cases(fields),
        *_later_cases(fields),
    ]


def _header_gives(fields: Sequence[object]) -> dict[str, Json]:
    raw = pack(list(fields))
    version = fields[0]
    assert isinstance(version, int)
    return {"id": hashlib.sha256(b"\x10" + raw).hexdigest(), "version": version}


def _header_table() -> list[tuple[int, object, str]]:
    subject = id16("subject")
    head = ["body", COMMITMENT, 2, 0]
    return [
        (0, 0, "version 0"),
        (0, None, "version nil"),
        (0, True, "booleans are not part of the format"),
        (0, "1", "a version is an unsigned integer"),
        (1, id16("other"), "not its log"),
        (1, LOG[:15], "a log id is 16 bytes"),
        (1, "a" * 16, "a log id is binary"),
        (1, None, "a log id is binary"),
        (2, SEQ + 1, "not its seq"),
        (2, None, "a seq is an unsigned integer"),
        (2, 2**63, "an integer must be below 2^63"),
        (3, -1, "negative integers are not part of the format"),
        (3, 1.5, "floats are not part of the format"),
        (3, None, "a stamp is an unsigned integer"),
        (3, 2**63, "an integer must be below 2^63"),
        (4, 0, "a kind is at least 1"),
        (4, "event", "a kind is an unsigned integer"),
        (5, [], "1 to 4 subjects"),
        (5, [id16(str(i)) for i in range(5)], "1 to 4 subjects"),
        (5, [subject, subject], "a subject stands once"),
        (5, [subject[:15]], "a subject is 16 bytes"),
        (5, [None], "a subject is binary"),
        (5, subject, "subjects are an array"),
        (6, None, "occurred-at is an unsigned integer"),
        (6, 2**63, "an integer must be below 2^63"),
        (7, b"", "prev is an unsigned integer or nil"),
        (7, -1, "negative integers are not part of the format"),
        (8, _refs(17), "at most 16 refs"),
        (8, [DIGEST, DIGEST], "a ref stands once"),
        (8, [DIGEST[:2]], "a ref has three values"),
        (8, [[LOG, 3, seed("entry")]], "a ref has the first 16 bytes of an id"),
        (8, [[LOG, None, id16("e")]], "a seq is an unsigned integer"),
        (8, [[LOG[:15], 3, id16("e")]], "a log id is 16 bytes"),
        (8, [LOG], "a ref is an array"),
        (8, None, "refs are an array"),
        (9, _refs(9), "at most 8 auth"),
        (9, [DIGEST, DIGEST], "an auth stands once"),
        (9, [DIGEST[:2]], "an auth has three values"),
        (9, [[LOG[:15], 3, id16("e")]], "a log id is 16 bytes"),
        (9, [[LOG, None, id16("e")]], "a seq is an unsigned integer"),
        (9, [[LOG, 3, seed("entry")]], "an auth has the first 16 bytes of an id"),
        (9, None, "auth is an array"),
        (10, [], "1 to 16 sections"),
        (10, heads(17), "1 to 16 sections"),
        (10, [head, with_field(head, 1, seed("x"))], "a name stands once"),
        (10, [with_field(head, 0, "")], "a name has 1 to 24 characters"),
        (10, [with_field(head, 0, "a" * 25)], "a name has 1 to 24 characters"),
        (10, [with_field(head, 0, "Body")], "a name has a-z 0-9 _ . / - only"),
        (10, [with_field(head, 0, "тело")], "a name has a-z 0-9 _ . / - only"),
        (10, [with_field(head, 0, "a b")], "a name has a-z 0-9 _ . / - only"),
        (10, [with_field(head, 0, "body\n")], "a name has a-z 0-9 _ . / - only"),
        (10, [with_field(head, 0, b"body")], "a name is text"),
        (10, [with_field(head, 1, COMMITMENT[:16])], "a commitment is 32 bytes"),
        (10, [with_field(head, 1, None)], "a commitment is binary"),
        (10, [with_field(head, 2, 262145)], "a section is at most 256 KiB"),
        (10, [*heads(3, 262144), ["last", COMMITMENT, 253953, 0]], "sections are at most 1 MiB - 8 KiB together"),
        (10, [with_field(head, 2, None)], "a size is an unsigned integer"),
        (10, [with_field(head, 3, None)], "a class is an unsigned integer"),
        (10, [head[:3]], "a section has four values"),
        (10, [b"body"], "a section is an array"),
        (10, [[*head, 0]], "a section has four values"),
        (10, {}, "maps are not part of the format"),
    ]


def _whole_header_cases(fields: Sequence[object]) -> list[Case]:
    raw = pack(list(fields))
    table = [
        ("ten fields", pack(list(fields[:10])), "a header has exactly 11 fields"),
        ("twelve fields", pack([*fields, None]), "a header has exactly 11 fields"),
        ("no array", pack(b"header"), "a header is an array"),
        ("empty array", b"\x90", "a header has exactly 11 fields"),
        ("empty", b"", "no value"),
        ("a byte after it", raw + b"\xc0", "bytes follow the value"),
        ("cut short", raw[:-1], "the value is cut short"),
        ("version 1 in two bytes", raw[:1] + b"\xcc\x01" + raw[2:], "not the shortest form"),
        ("array in three bytes", b"\xdc\x00\x0b" + raw[1:], "not the shortest form"),
        ("a map", b"\x80", "maps are not part of the format"),
    ]
    return [Case(name, _given(made), "void", why) for name, made, why in table]


def _later_cases(fields: Sequence[object]) -> list[Case]:
    first: list[object] = [2, *fields[1:6]]
    table: list[tuple[str, list[object], str]] = [
        ("version 2, five fields", first[:5], "a later version keeps six fields"),
        ("version 2, another log", with_field(first, 1, id16("other")), "not its log"),
        ("version 2, another seq", with_field(first, 2, 8), "not its seq"),
        ("version 2, kind 0", with_field(first, 4, 0), "a kind is at least 1"),
        ("version 2, five subjects", with_field(first, 5, [id16(str(i)) for i in range(5)]), "1 to 4 subjects"),
        ("version 2, stamp nil", with_field(first, 3, None), "a stamp is an unsigned integer"),
        ("version 2, a float further on", [*first, 1.5], "floats are not part of the format"),
        ("version 2, arrays 9 deep", [*first, [[[[[[[[]]]]]]]]], "arrays nest at most 8 deep"),
    ]
    return [Case(name, _build(made), "void", why) for name, made, why in table]
