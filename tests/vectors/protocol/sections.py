"""Vectors of the sections that the federation reads, and of a federation's genesis."""

import hashlib
from collections.abc import Sequence

from tests.builders import STAMP, box_key, id16, signing_key
from tests.vectors.protocol import curve
from tests.vectors.protocol.case import Case, Json, VectorFile, pack, refusals, with_field

SMALL = b"\1" + curve.encode(curve.SMALL_ORDER[1])


def files() -> list[VectorFile]:
    """The files of this module."""
    return [
        VectorFile("authority", _authority_cases()),
        VectorFile("attest", _attest_cases()),
        VectorFile("witnesses", _witnesses_cases()),
        VectorFile("keys", _keys_cases()),
        VectorFile("erase", _erase_cases()),
        VectorFile("genesis", _genesis_cases()),
    ]


def _section(value: object) -> dict[str, Json]:
    return {"section": pack(value).hex()}


def _accepted(table: Sequence[tuple[str, object, str]]) -> list[Case]:
    return [Case(name, _section(value), "accept", why) for name, value, why in table]


def _refused(table: Sequence[tuple[str, object, str]]) -> list[Case]:
    return [Case(name, _section(value), "refuse", why) for name, value, why in table]


def _ids(count: int) -> list[bytes]:
    return [n.to_bytes(16, "big") for n in range(count)]


def _authority_cases() -> list[Case]:
    fields: list[object] = [1, id16("party"), [], None, [0, 1, 2], STAMP, STAMP + 1]
    accepted: list[tuple[str, object, str]] = [
        ("read", fields, "mine, three classes, from and to"),
        *((f"verb {verb}", with_field(fields, 0, verb), "verbs are 1 to 9") for verb in range(2, 10)),
        ("rows", with_field(fields, 2, ["b", "aa", "ab"]), "ascending by packed bytes: the shorter text first"),
        ("64 rows", with_field(fields, 2, [f"{n:02}" for n in range(64)]), "at most 64"),
        ("no subjects", with_field(fields, 3, []), "an empty list is not nil"),
        ("two subjects", with_field(fields, 3, _ids(2)), "ascending"),
        ("4096 subjects", with_field(fields, 3, _ids(4096)), "at most 4,096"),
        ("unknown class", with_field(fields, 4, [9, 200, 70000]), "ascending as numbers"),
        ("no classes", with_field(fields, 4, []), "an empty list names none"),
        ("16 classes", with_field(fields, 4, list(range(16))), "at most 16"),
        ("open", with_field(with_field(fields, 5, None), 6, None), "from and to may be nil"),
        ("to before from", with_field(fields, 6, 1), "an interval that holds nothing"),
    ]
    table: list[tuple[int, object, str]] = [
        (0, 0, "unknown verb"),
        (0, 10, "unknown verb"),
        (0, "read", "a verb is an unsigned integer"),
        (1, None, "a party is binary"),
        (1, id16("party")[:15], "a party is 16 bytes"),
        (2, None, "rows are an array"),
        (2, ["b", "a"], "rows ascend"),
        (2, ["a", "a"], "a row stands once"),
        (2, ["aa", "b"], "rows ascend by packed bytes"),
        (2, [""], "text is 1 to 256 bytes"),
        (2, ["a\n"], "control character"),
        (2, ["\u0438\u0306"], "not normal form C"),
        (2, ["a" * 257], "text is 1 to 256 bytes"),
        (2, [f"{n:02}" for n in range(65)], "at most 64 rows"),
        (2, [b"a"], "a row is text"),
        (3, _ids(2)[::-1], "subjects ascend"),
        (3, [id16("s"), id16("s")], "a subject stands once"),
        (3, [b"short"], "a subject is 16 bytes"),
        (3, _ids(4097), "at most 4,096 subjects"),
        (4, [1, 0], "classes ascend"),
        (4, [1, 1], "a class stands once"),
        (4, list(range(17)), "at most 16 classes"),
        (4, None, "classes are an array"),
        (5, -1, "negative integers are not part of the format"),
        (5, "now", "a time is an unsigned integer or nil"),
        (4, ["a"], "a class is an unsigned integer"),
        (6, "now", "a time is an unsigned integer or nil"),
        (6, 2**63, "an integer must be below 2^63"),
    ]
    return [
        *_accepted(accepted),
        *refusals(fields, table, _section),
        *_refused([("six values", fields[:6], "seven values"), ("eight values", [*fields, None], "seven values")]),
        Case("followed by a byte", {"section": (pack(fields) + b"\0").hex()}, "refuse", "bytes follow the value"),
    ]


def _attest_cases() -> list[Case]:
    fields: list[object] = [id16("federation"), 1, id16("org"), ["inn:7707083893"], STAMP, None]
    accepted: list[tuple[str, object, str]] = [
        ("number", fields, "one number"),
        *((f"what {what}", with_field(fields, 1, what), "1 to 7") for what in range(2, 8)),
        ("no rows", with_field(fields, 3, []), "an attested maker has none"),
        ("from nil", with_field(fields, 4, None), "from may be nil"),
        ("to", with_field(fields, 5, STAMP + 1), "to is a time"),
    ]
    table: list[tuple[int, object, str]] = [
        (0, None, "a federation id is binary"),
        (0, id16("f")[:15], "a federation id is 16 bytes"),
        (1, 0, "unknown attestation"),
        (1, 8, "unknown attestation"),
        (1, None, "what is an unsigned integer"),
        (2, id16("org") + b"\0", "an org id is 16 bytes"),
        (3, None, "rows are an array"),
        (3, ["b", "a"], "rows ascend"),
        (3, ["a", "a"], "a row stands once"),
        (3, [f"{n:02}" for n in range(65)], "at most 64 rows"),
        (3, [1], "a row is text"),
        (4, b"", "a time is an unsigned integer or nil"),
        (5, "now", "a time is an unsigned integer or nil"),
        (5, 2**63, "an integer must be below 2^63"),
    ]
    return [
        *_accepted(accepted),
        *refusals(fields, table, _section),
        *_refused([("five values", fields[:5], "six values"), ("seven values", [*fields, None], "six values")]),
    ]


def _witnesses_cases() -> list[Case]:
    rows = [[org, "passport/witness/x", signing_key(f"w{i}").public] for i, org in enumerate(_ids(6))]
    one = rows[0]
    return [
        *_accepted([
            ("none", [], "alone, not witnessed"),
            ("one", rows[:1], "quorum 1"),
            ("five", rows[:5], "at most 5"),
        ]),
        *_refused([
            ("six", rows, "at most 5"),
            ("descending", rows[1::-1], "rows ascend"),
            ("one row twice", [one, one], "a row stands once"),
            ("one organisation twice", [one, [one[0], "passport/witness/y", rows[1][2]]], "it would count twice"),
            ("one key twice", [one, [rows[1][0], "passport/witness/y", one[2]]], "it would count twice"),
            ("org of 15 bytes", [with_field(one, 0, bytes(15))], "an org id is 16 bytes"),
            ("name empty", [with_field(one, 1, "")], "text is 1 to 256 bytes"),
            ("name as binary", [with_field(one, 1, b"x")], "a name is text"),
            ("key of small order", [with_field(one, 2, SMALL)], "a key of small order"),
            ("X25519 key", [with_field(one, 2, box_key("w").public)], "an X25519 key cannot sign"),
            ("row of two", [one[:2]], "a row has three values"),
            ("no array", None, "witnesses are an array"),
        ]),
    ]  # fmt: skip


def _keys_cases() -> list[Case]:
    witness, box = signing_key("w").public, box_key("w").public
    return [
        *_accepted([("two keys", [witness, box], "in force from the next seq on")]),
        *_refused([
            ("in another order", [box, witness], "the witness key stands first"),
            ("one key", [witness], "two values"),
            ("three keys", [witness, box, box], "two values"),
            ("witness key of small order", [SMALL, box], "a key of small order"),
            ("witness key not canonical", [b"\1" + curve.non_canonical_keys()[0], box], "not canonical"),
            ("box key of small order", [witness, b"\2" + bytes(32)], "a key of small order"),
            ("box key of 32 bytes", [witness, box[1:]], "a key is 33 bytes"),
            ("box key nil", [witness, None], "a key is binary"),
            ("no array", witness, "keys are an array"),
        ]),
    ]  # fmt: skip


def _erase_cases() -> list[Case]:
    one: list[object] = [id16("log"), 3, id16("entry"), "owner"]
    many = [[id16("log"), n, id16("entry"), "owner"] for n in range(65)]
    return [
        *_accepted([
            ("none", [], "an empty list"),
            ("one", [one], "one section of one entry"),
            ("two sections of one entry", [with_field(one, 3, "flat"), one], "ascending: the shorter name first"),
            ("64", many[:64], "at most 64"),
            ("name of 24 bytes", [with_field(one, 3, "a" * 24)], "a name has 1 to 24 bytes"),
        ]),
        *_refused([
            ("65", many, "at most 64"),
            ("descending", many[1::-1], "rows ascend"),
            ("one row twice", [one, one], "a row stands once"),
            ("log of 15 bytes", [with_field(one, 0, bytes(15))], "a log id is 16 bytes"),
            ("seq nil", [with_field(one, 1, None)], "a seq is an unsigned integer"),
            ("id of 32 bytes", [with_field(one, 2, bytes(32))], "the first 16 bytes of an id"),
            ("name of 25 bytes", [with_field(one, 3, "a" * 25)], "a name has 1 to 24 bytes"),
            ("name empty", [with_field(one, 3, "")], "a name has 1 to 24 bytes"),
            ("row of three", [one[:3]], "a row has four values"),
            ("no array", None, "rows are an array"),
        ]),
    ]  # fmt: skip


def _genesis_cases() -> list[Case]:
    fields: list[object] = [1, "Приборы учёта", _ids(3), 2]

    def given(value: object) -> dict[str, Json]:
        return {"genesis": pack(value).hex()}

    def accepted(name: str, value: list[object], why: str) -> Case:
        found = hashlib.sha256(b"passport/federation/1\n" + pack(value)).hexdigest()[:32]
        spoken = " ".join(found[place : place + 4] for place in range(0, 32, 4))
        return Case(name, given(value), "accept", why, {"id": found, "fingerprint": spoken})

    table: list[tuple[int, object, str]] = [
        (0, 2, "version 2"),
        (0, 0, "version 0"),
        (1, "", "a name is 1 to 128 bytes"),
        (1, "a" * 129, "a name is 1 to 128 bytes"),
        (1, "a\tb", "control character"),
        (1, "\u0438\u0306", "not normal form C"),
        (1, b"name", "a name is text"),
        (2, [], "k of no anchors"),
        (2, _ids(17), "at most 16 anchors"),
        (2, _ids(3)[::-1], "anchors ascend"),
        (2, [bytes(16)] * 2, "an anchor stands once"),
        (2, [bytes(15)], "an anchor is 16 bytes"),
        (2, None, "anchors are an array"),
        (3, 0, "k is at least 1"),
        (3, 4, "k is at most the number of anchors"),
        (3, None, "k is an unsigned integer"),
    ]
    return [
        accepted("three anchors", fields, "two of three must agree"),
        accepted("one anchor", [1, "a", _ids(1), 1], "it alone decides"),
        accepted("sixteen anchors", [1, "a" * 128, _ids(16), 16], "the largest"),
        *refusals(fields, table, given),
        Case("three values", given(fields[:3]), "refuse", "four values"),
        Case("five values", given([*fields, None]), "refuse", "four values"),
        Case("followed by a byte", {"genesis": (pack(fields) + b"\0").hex()}, "refuse", "bytes follow the value"),
    ]
