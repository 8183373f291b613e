"""Vectors of headers and fragments."""

import hashlib
from collections.abc import Sequence

import msgpack

from federation.fragment import Ref, fragment_id, pad
from federation.merkle import inclusion_path, leaf_hash, root_of
from tests.builders import STAMP, fragment, id16, section, seed, signing_key, tree
from tests.vectors.protocol.case import Case, Json, VectorFile, flip, pack, refusals, with_field
from tests.vectors.protocol.contents import sealed_bytes

LOG = id16("log")
SEQ = 7
COMMITMENT = seed("commitment")
LARGEST = 262_272
DIGEST = [LOG, 3, id16("entry")]


def files() -> list[VectorFile]:
    """The files of this module."""
    return [
        VectorFile("header", _header_cases()),
        VectorFile("fragment", _fragment_cases()),
    ]


def _fields() -> list[object]:
    head = ["body", COMMITMENT, 2, 0]
    return [1, LOG, SEQ, STAMP, 4, [id16("subject")], STAMP - 5, None, [], [], [head]]


def _given(raw: bytes) -> dict[str, Json]:
    return {"log": LOG.hex(), "seq": SEQ, "header": raw.hex()}


def _build(fields: Sequence[object]) -> dict[str, Json]:
    return _given(pack(list(fields)))


def _heads(count: int, size: int = 2) -> list[object]:
    return [[f"s{i}", COMMITMENT, size, 0] for i in range(count)]


def _refs(count: int) -> list[object]:
    return [[LOG, i, id16("entry")] for i in range(count)]


def _header_cases() -> list[Case]:
    fields = _fields()
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
        ("16 sections", with_field(fields, 10, _heads(16)), "at most 16"),
        ("largest section", with_field(fields, 10, [["a", COMMITMENT, 262144, 0]]), "256 KiB"),
        ("largest sum", with_field(fields, 10, [*_heads(3, 262144), ["last", COMMITMENT, 253952, 0]]), "1 MiB - 8 KiB"),
        ("size 0", with_field(fields, 10, [["a", COMMITMENT, 0, 0]]), "an empty section"),
        ("longest section name", with_field(fields, 10, [["az09_./-" * 3, COMMITMENT, 2, 0]]), "24 characters"),
        ("unknown class", with_field(fields, 10, [["a", COMMITMENT, 2, 6]]), "given to nobody"),
        ("class 3 of an odd size", with_field(fields, 10, [["a", COMMITMENT, 65, 3]]), "unreadable when it is read"),
        ("unknown kind", with_field(fields, 4, 23), "stored, not folded"),
        ("experimental kind", with_field(fields, 4, 128), "stored, not folded"),
        ("largest times", with_field(with_field(fields, 3, 2**63 - 1), 6, 2**63 - 1), "below 2^63"),
        ("time 0", with_field(fields, 6, 0), "1970"),
        ("version 2, six fields", [2, *fields[1:6]], "a later version keeps fields 0 to 5"),
        ("version 2, other fields", [2, *fields[1:6], "new", [1, [2]], None], "the rest is opaque"),
        ("version 2 with the fields of 1", [2, *fields[1:]], "the rest is opaque"),
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
        (8, None, "refs are an array"),
        (9, _refs(9), "at most 8 auth"),
        (9, [DIGEST, DIGEST], "an auth stands once"),
        (9, None, "auth is an array"),
        (10, [], "1 to 16 sections"),
        (10, _heads(17), "1 to 16 sections"),
        (10, [head, with_field(head, 1, seed("x"))], "a name stands once"),
        (10, [with_field(head, 0, "")], "a name has 1 to 24 characters"),
        (10, [with_field(head, 0, "a" * 25)], "a name has 1 to 24 characters"),
        (10, [with_field(head, 0, "Body")], "a name has a-z 0-9 _ . / - only"),
        (10, [with_field(head, 0, "тело")], "a name has a-z 0-9 _ . / - only"),
        (10, [with_field(head, 0, "a b")], "a name has a-z 0-9 _ . / - only"),
        (10, [with_field(head, 0, b"body")], "a name is text"),
        (10, [with_field(head, 1, COMMITMENT[:16])], "a commitment is 32 bytes"),
        (10, [with_field(head, 1, None)], "a commitment is binary"),
        (10, [with_field(head, 2, 262145)], "a section is at most 256 KiB"),
        (10, [*_heads(3, 262144), ["last", COMMITMENT, 253953, 0]], "sections are at most 1 MiB - 8 KiB together"),
        (10, [with_field(head, 2, None)], "a size is an unsigned integer"),
        (10, [with_field(head, 3, None)], "a class is an unsigned integer"),
        (10, [head[:3]], "a section has four values"),
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


def _entry(header: bytes, sections: object, *, signature: bytes | None = None, seq: int = SEQ) -> dict[str, Json]:
    signed = signing_key("node").sign_hash("fragment", fragment_id(header)) if signature is None else signature
    return _wire(pack([header, signed, sections]), seq)


def _wire(raw: bytes, seq: int = SEQ) -> dict[str, Json]:
    key = signing_key("node").public.hex()
    return {"log": LOG.hex(), "seq": seq, "sign_key": key, "fragment": raw.hex()}


def _read(*sections: tuple[str, str, bytes | None]) -> Json:
    return [
        {"name": name, "state": state, "content": None if content is None else content.hex()}
        for name, state, content in sections
    ]


def _fragment_cases() -> list[Case]:
    public = section("body", b'{"a":1}')
    personal = section("owner", b"yes", 4)
    secret = section("keys", b"\0" * 16, 5)
    made = fragment(SEQ, public, personal, secret, refs=[Ref(LOG, 3, id16("x"))], prev=3)
    header, signature = made.header, made.signature
    clear: list[list[object]] = [[s.name, s.salt, s.data] for s in made.sections]
    sealed: list[object] = ["keys", None, sealed_bytes(clear[2])]
    full = [clear[0], clear[1], sealed]
    gives: dict[str, Json] = {"id": made.id.hex(), "leaf": hashlib.sha256(b"\0" + made.id + signature).hexdigest()}
    body, owner = ("body", "clear", public.content), ("owner", "clear", personal.content)
    hidden = ("keys", "absent", None)

    def accept(name: str, sections: object, states: Json, why: str, expect: str = "accept") -> Case:
        return Case(name, _entry(header, sections), expect, why, {**gives, "sections": states})

    return [
        accept("all sections", full, _read(body, owner, ("keys", "sealed", None)), "two in clear, one sealed"),
        accept("no sections", [], _read(("body", "absent", None), ("owner", "absent", None), hidden), "withheld"),
        accept("one section", [clear[1]], _read(("body", "absent", None), owner, hidden), "in header order"),
        accept(
            "sealed public section",
            [["body", None, sealed_bytes(clear[0])]],
            _read(("body", "sealed", None), ("owner", "absent", None), hidden),
            "any class may travel sealed",
        ),
        accept(
            "sealed nonsense",
            [["body", None, b"nonsense"]],
            _read(("body", "sealed", None), ("owner", "absent", None), hidden),
            "only the holder of the box key can tell",
        ),
        *_transport_cases(header, signature, clear, full),
        *_void_cases(header, signature, full),
        *_shown_cases(),
        *_later_fragment_cases(),
        *_proof_cases(),
    ]


def _transport_cases(
    header: bytes, signature: bytes, clear: list[list[object]], full: list[list[object]]
) -> list[Case]:
    body, owner, keys = clear
    long_header = pack([1, bytes(4096 - 4 - len(pack(LOG)))])
    long_header += bytes(4097 - len(long_header))
    sections: list[tuple[str, object, str]] = [
        ("section unnamed in the header", [["other", id16("salt"), b"{}"]], "the header does not name it"),
        ("section doubled", [body, body], "a section came twice"),
        ("sections in another order", [owner, body], "sections stand in header order"),
        ("section altered", [with_field(body, 2, b'{"a":2}')], "off its commitment"),
        ("salt altered", [with_field(body, 1, id16("x"))], "off its commitment"),
        ("section under another's name", [with_field(owner, 0, "body")], "off its commitment"),
        ("padding left out", [with_field(owner, 2, b"yes")], "off its commitment: it is over the padded bytes"),
        ("class 5 in clear", [keys], "a secret section travels sealed only"),
        ("class 5 in clear after others", clear, "a secret section travels sealed only"),
        ("salt of 15 bytes", [with_field(body, 1, id16("salt")[:15])], "a salt is 16 bytes or nil"),
        ("salt as text", [with_field(body, 1, "a" * 16)], "a salt is binary"),
        ("bytes as text", [with_field(body, 2, "{}")], "section bytes are binary"),
        ("section of two", [body[:2]], "a section has three values"),
        ("section of four", [[*body, 0]], "a section has three values"),
        ("name that is none", [with_field(body, 0, "Body")], "a name has a-z 0-9 _ . / - only"),
        ("name as binary", [with_field(body, 0, b"body")], "a name is text"),
        ("17 sections", [[f"s{i:02}", id16("salt"), b""] for i in range(17)], "at most 16 sections"),
        ("sealed section of 262,273 bytes", [["body", None, bytes(LARGEST + 1)]], "at most 256 KiB + 128"),
        ("sections nil", None, "sections are an array"),
        ("sections a map", {}, "maps are not part of the format"),
    ]
    envelopes: list[tuple[str, bytes, str]] = [
        ("signature of 64 bytes", pack([header, signature[1:], full]), "a signature is 65 bytes"),
        ("signature of 66 bytes", pack([header, signature + b"\0", full]), "a signature is 65 bytes"),
        ("signature nil", pack([header, None, full]), "a signature is binary"),
        ("header of 4097 bytes", pack([long_header, signature, []]), "a header is at most 4 KiB"),
        ("header as text", pack(["a", signature, []]), "a header is binary"),
        ("header not wrapped in binary", b"\x93" + header + pack(signature) + b"\x90", "a header is binary"),
        ("envelope of two", pack([header, signature]), "the envelope has three values"),
        ("envelope of four", pack([header, signature, full, None]), "the envelope has three values"),
        ("envelope followed by a byte", pack([header, signature, []]) + b"\0", "bytes follow the value"),
        ("envelope cut short", pack([header, signature, full])[:-1], "the value is cut short"),
        ("envelope not in shortest form", b"\xdc\x00\x03" + pack([header, signature, []])[1:], "not the shortest form"),
        ("nothing", b"", "no value"),
    ]
    return [
        *(Case(name, _entry(header, value), "transport", why) for name, value, why in sections),
        *(Case(name, _wire(raw), "transport", why) for name, raw, why in envelopes),
        Case(
            "section of 262,273 bytes", _committed(bytes(LARGEST + 1), 262_144, 0), "transport", "at most 256 KiB + 128"
        ),
        Case("bad envelope around a void header", _entry(b"\xc3", None), "transport", "the envelope is judged first"),
    ]


def _void_cases(header: bytes, signature: bytes, full: list[list[object]]) -> list[Case]:
    fields = _fields()
    other = signing_key("x").sign_hash("fragment", fragment_id(header))
    as_log = signing_key("node").sign_hash("log", fragment_id(header))
    body = [["body", id16("salt"), b"{}"]]
    largest = pack([*fields[:10], _heads(16, 0)])
    largest += bytes(4096 - len(largest))
    table: list[tuple[str, dict[str, Json], str]] = [
        ("signature altered", _entry(header, full, signature=flip(signature)), "does not hold"),
        ("signature of another key", _entry(header, full, signature=other), "not the log's key"),
        ("signature for another object", _entry(header, full, signature=as_log), "the text names the object"),
        ("signature of algorithm 2", _entry(header, full, signature=b"\2" + signature[1:]), "unknown algorithm"),
        ("header at another seq", _entry(header, full, seq=SEQ + 1), "not its seq"),
        ("header of another log", _entry(pack(with_field(fields, 1, id16("other"))), []), "not its log"),
        ("header that is not canonical", _entry(b"\xdc\x00\x0b" + pack(fields)[1:], []), "not the shortest form"),
        ("header of 4096 bytes with zeros at its end", _entry(largest, []), "bytes follow the value"),
        ("empty header", _entry(b"", []), "no value"),
        (
            "void header with sections",
            _entry(pack(with_field(fields, 4, 0)), body),
            "sections of void entries are dropped",
        ),
        (
            "bad signature and altered section",
            _entry(header, body, signature=flip(signature)),
            "void is judged before sections",
        ),
        ("version 0", _entry(pack(with_field(fields, 0, 0)), []), "version 0"),
        ("doubled subject", _entry(pack(with_field(fields, 5, [id16("s"), id16("s")])), []), "a subject stands once"),
        (
            "version 2 with a bad signature",
            _entry(pack([2, *fields[1:6]]), [], signature=flip(signature)),
            "does not hold",
        ),
    ]
    return [Case(f"void, {name}", given, "void", why, _leaf_of(given)) for name, given, why in table]


def _leaf_of(given: dict[str, Json]) -> dict[str, Json]:
    """A void entry still has an id and a leaf."""
    raw = given["fragment"]
    assert isinstance(raw, str)
    header, signature, _ = msgpack.unpackb(bytes.fromhex(raw))  # as it came, with no check at all
    entry = hashlib.sha256(b"\x10" + header).digest()
    return {"id": entry.hex(), "leaf": hashlib.sha256(b"\0" + entry + signature).hexdigest()}


def _committed(data: bytes, size: int, klass: int) -> dict[str, Json]:
    """An entry whose section is under its commitment, whatever its size and padding."""
    salt = id16("salt")
    digest = hashlib.sha256(b"\x12" + LOG + b"\4body" + salt + data).digest()
    return _entry(pack([*_fields()[:10], [["body", digest, size, klass]]]), [["body", salt, data]])


def _shown_cases() -> list[Case]:
    padded = pad(b"yes")
    table = [
        ("size too small", _committed(b"abc", 2, 0), "the header's size is another"),
        ("size too large", _committed(b"abc", 4, 2), "the header's size is another"),
        ("class 3 without padding", _committed(b"yes", 3, 3), "class 3 is padded"),
        ("padding to 128", _committed(padded + bytes(64), 128, 4), "not the smallest 64 * 2^k"),
        ("padding that is not zero", _committed(padded[:-1] + b"\1", 64, 4), "padding is zeros"),
        ("section of 262,272 bytes", _committed(bytes(LARGEST), 262_144, 0), "as large as may travel, off its size"),
        ("length beyond the bytes", _committed(b"\0\0\0\x7f" + bytes(60), 64, 3), "the length is too large"),
    ]
    return [
        Case(
            f"shown, {name}",
            given,
            "shown",
            why,
            {**_leaf_of(given), "sections": _read(("body", "unreadable", None))},
        )
        for name, given, why in table
    ]


def _later_fragment_cases() -> list[Case]:
    header = pack([2, *_fields()[1:6], "new"])
    gives = {**_leaf_of(_entry(header, [])), "sections": []}
    body = [["body", id16("salt"), b"{}"]]
    return [
        Case("version 2", _entry(header, []), "accept", "stored, forwarded, not folded, not void", gives),
        Case("version 2 with a section", _entry(header, body), "accept", "its sections are dropped unread", gives),
    ]


def _proof_cases() -> list[Case]:
    entries = [fragment(seq) for seq in range(11)]
    leaves = [leaf_hash(entry.id + entry.signature) for entry in entries]
    path, root = [p.hex() for p in inclusion_path(SEQ, 11, tree(leaves))], root_of(leaves).hex()
    entry = entries[SEQ]
    given = _wire(entry.to_bytes())
    proof: dict[str, Json] = {"size": 11, "root": root, "path": path}
    gives = {**_leaf_of(given), "sections": _read(("body", "clear", b"{}"))}
    altered = _wire(pack([entry.header, flip(entry.signature), []]))
    bad: list[tuple[str, dict[str, Json], dict[str, Json], str]] = [
        ("another root", given, {**proof, "root": seed("x").hex()}, "a leaf not under the root"),
        ("path cut short", given, {**proof, "path": path[1:]}, "a leaf not under the root"),
        ("signature altered under a good tree", altered, proof, "another leaf: the sender altered it"),
        ("log shorter than seq", given, {**proof, "size": 7}, "the place is not in the tree"),
    ]
    return [
        Case("with its inclusion path", {**given, "proof": proof}, "accept", "under the root", gives),
        *(Case(f"proof, {name}", {**g, "proof": p}, "transport", why) for name, g, p, why in bad),
    ]
