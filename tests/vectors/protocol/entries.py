"""Vectors of fragments."""

import hashlib

import msgpack

from federation.fragment import Ref, fragment_id, pad
from federation.merkle import inclusion_path, leaf_hash, root_of
from tests.builders import fragment, id16, section, seed, signing_key, tree
from tests.vectors.protocol.case import Case, Json, VectorFile, flip, pack, with_field
from tests.vectors.protocol.contents import sealed_bytes
from tests.vectors.protocol.headers import LOG, LONGEST, SEQ, header_fields, heads

LARGEST = 262_272
MOST = 1_114_112


def files() -> list[VectorFile]:
    """The files of this module."""
    return [
        VectorFile("fragment", _fragment_cases()),
    ]


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
        accept(
            "sealed section of 262,272 bytes",
            [["body", None, bytes(LARGEST)]],
            _read(("body", "sealed", None), ("owner", "absent", None), hidden),
            "as large as may travel",
        ),
        _sixteen(),
        _largest(),
        *_transport_cases(header, signature, clear, full),
        *_void_cases(header, signature, full),
        *_shown_cases(),
        *_later_fragment_cases(),
        *_proof_cases(),
    ]


def _sixteen() -> Case:
    made = fragment(SEQ, *(section(f"s{i:02}") for i in range(16)))
    given = _wire(made.to_bytes())
    states = _read(*((f"s{i:02}", "clear", b"{}") for i in range(16)))
    return Case("16 sections", given, "accept", "at most 16", {**_leaf_of(given), "sections": states})


def _largest() -> Case:
    given = _wire(_five_sealed(MOST))
    states = _read(*((f"s{i}", "sealed", None) for i in range(5)))
    return Case("1,114,112 bytes", given, "accept", "the largest", {**_leaf_of(given), "sections": states})


def _five_sealed(length: int) -> bytes:
    """An envelope of that many bytes, whose sections nobody but the holder of a box key can read."""
    header = pack([*header_fields()[:10], heads(5)])
    signature = signing_key("node").sign_hash("fragment", fragment_id(header))

    def wire(last: int) -> bytes:
        sizes = (LARGEST, LARGEST, LARGEST, LARGEST, last)
        return pack([header, signature, [[f"s{i}", None, bytes(size)] for i, size in enumerate(sizes)]])

    return wire(length - len(wire(256)) + 256)


def _transport_cases(
    header: bytes, signature: bytes, clear: list[list[object]], full: list[list[object]]
) -> list[Case]:
    body, owner, keys = clear
    long_header = pack([1, bytes(4096 - 4 - len(pack(LOG)))])
    long_header += bytes(4097 - len(long_header))
    sections: list[tuple[str, object, str]] = [
        ("section unnamed in the header", [["other", id16("salt"), b"{}"]], "the header does not name it"),
        ("sealed section unnamed in the header", [["other", None, b"x"]], "the header does not name it"),
        ("sealed section unnamed after others", [body, ["other", None, b"x"]], "the header does not name it"),
        ("sealed section doubled", [["body", None, b"x"], ["body", None, b"x"]], "a section came twice"),
        ("sealed sections in another order", [["owner", None, b"x"], ["body", None, b"x"]], "in header order"),
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
        ("name with a line end", [with_field(body, 0, "body\n")], "a name has a-z 0-9 _ . / - only"),
        ("name of 25 characters", [with_field(body, 0, "a" * 25)], "a name has 1 to 24 characters"),
        ("section that is no array", [b"body"], "a section is an array"),
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
        ("1,114,113 bytes", _five_sealed(MOST + 1), "at most 1 MiB + 64 KiB"),
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
    fields = header_fields()
    other = signing_key("x").sign_hash("fragment", fragment_id(header))
    as_log = signing_key("node").sign_hash("log", fragment_id(header))
    body = [["body", id16("salt"), b"{}"]]
    largest = pack([*fields[:10], heads(16, 0)])
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
    return _entry(pack([*header_fields()[:10], [["body", digest, size, klass]]]), [["body", salt, data]])


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
    ] + [_one_of_two(0), _one_of_two(1)]


def _one_of_two(wrong: int) -> Case:
    """Two sections under their commitments, of which one has another size than the header says."""
    names, salt, data = ("body", "note"), id16("salt"), b"abc"
    digests = [hashlib.sha256(b"\x12" + LOG + b"\4" + name.encode() + salt + data).digest() for name in names]
    rows = [[name, digests[i], 3 + (i == wrong), 0] for i, name in enumerate(names)]
    given = _entry(pack([*header_fields()[:10], rows]), [[name, salt, data] for name in names])
    states = [(name, *(("unreadable", None) if i == wrong else ("clear", data))) for i, name in enumerate(names)]
    gives = {**_leaf_of(given), "sections": _read(*states)}
    return Case(f"shown, section {wrong + 1} of two", given, "shown", "the other section is read", gives)


def _later_fragment_cases() -> list[Case]:
    header = pack([2, *header_fields()[1:6], "new"])
    gives = {**_leaf_of(_entry(header, [])), "sections": []}
    longest = _entry(pack([2, *header_fields()[1:6], bytes(LONGEST)]), [])
    longer = pack([2, *header_fields()[1:6], bytes(LONGEST + 1)])
    body = [["body", id16("salt"), b"{}"]]
    return [
        Case("version 2", _entry(header, []), "accept", "stored, forwarded, not folded, not void", gives),
        Case("version 2 with a section", _entry(header, body), "accept", "its sections are dropped unread", gives),
        Case(
            "version 2, header of 4,096 bytes",
            longest,
            "accept",
            "at most 4 KiB",
            {**_leaf_of(longest), "sections": []},
        ),
        Case("version 2, header of 4,097 bytes", _entry(longer, []), "transport", "at most 4 KiB"),
        Case("version 2 with 17 sections", _entry(header, body * 17), "transport", "at most 16 sections"),
        *(
            Case(f"version 2 with {name}", _entry(header, [made]), "transport", f"the envelope is read as ever: {why}")
            for name, made, why in (
                ("a name that is none", with_field(body[0], 0, "Body"), "a name has a-z 0-9 _ . / - only"),
                ("a name as binary", with_field(body[0], 0, b"body"), "a name is text"),
                ("a salt of 15 bytes", with_field(body[0], 1, id16("salt")[:15]), "a salt is 16 bytes or nil"),
                ("bytes as text", with_field(body[0], 2, "{}"), "section bytes are binary"),
            )
        ),
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
