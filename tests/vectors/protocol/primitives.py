"""Vectors of bytes, text, keys and signatures."""

import hashlib

from federation.keys import SigningKey, key_hash, signed_text
from tests.builders import box_key, seed, signing_key
from tests.vectors.protocol import curve
from tests.vectors.protocol.case import Case, Json, VectorFile, flip, pack

MONTGOMERY_SMALL_ORDER = (
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)

MSGPACK_ACCEPTED = [
    ("nil", "c0", "nil"),
    ("integer 0", "00", "unsigned integer"),
    ("integer 127", "7f", "the largest of one byte"),
    ("integer 128", "cc80", "the smallest with a length byte"),
    ("integer 255", "ccff", "the largest of one byte more"),
    ("integer 256", "cd0100", "the smallest of two bytes"),
    ("integer 65535", "cdffff", "the largest of two bytes"),
    ("integer 65536", "ce00010000", "four bytes"),
    ("integer 2^32 - 1", "ceffffffff", "the largest of four bytes"),
    ("integer 2^32", "cf0000000100000000", "the smallest of eight bytes"),
    ("integer 2^63 - 1", "cf7fffffffffffffff", "the largest that the format has"),
    ("empty text", "a0", "the format has it, though no text field takes it"),
    ("text of 31 bytes", "bf" + "61" * 31, "the longest of the short form"),
    ("text of 32 bytes", "d920" + "61" * 32, "the shortest with a length byte"),
    ("text of 255 bytes", "d9ff" + "61" * 255, "the longest with one length byte"),
    ("text of 256 bytes", "da0100" + "61" * 256, "the shortest with two"),
    ("text of 65536 bytes", "db00010000" + "61" * 65536, "the shortest with four"),
    ("text in Cyrillic", pack("счётчик").hex(), "UTF-8"),
    ("empty binary", "c400", "binary"),
    ("binary of 255 bytes", "c4ff" + "00" * 255, "the longest with one length byte"),
    ("binary of 256 bytes", "c50100" + "00" * 256, "the shortest with two"),
    ("binary of 65536 bytes", "c600010000" + "00" * 65536, "the shortest with four"),
    ("empty array", "90", "array"),
    ("array of 15", "9f" + "00" * 15, "the longest of the short form"),
    ("array of 16", "dc0010" + "00" * 16, "the shortest with a length"),
    ("array of 65536", "dd00010000" + "00" * 65536, "the shortest with four length bytes"),
    ("arrays 8 deep", "91" * 7 + "90", "the deepest that is allowed"),
    ("arrays 8 deep around nil", "91" * 8 + "c0", "what is no array adds no depth"),
    ("arrays 8 deep around an integer", "91" * 8 + "00", "what is no array adds no depth"),
    ("arrays 8 deep around text", "91" * 8 + "a0", "what is no array adds no depth"),
    ("arrays 8 deep around binary", "91" * 8 + "c400", "what is no array adds no depth"),
]
MSGPACK_REFUSED = [
    ("nothing", "", "no value"),
    ("two values", "0000", "bytes follow the value"),
    ("half a value", "cd01", "the value is cut short"),
    ("true", "c3", "booleans are not part of the format"),
    ("false", "c2", "booleans are not part of the format"),
    ("true inside an array", "91c3", "booleans are not part of the format"),
    ("float 32", "ca3f800000", "floats are not part of the format"),
    ("float 64", "cb3ff0000000000000", "floats are not part of the format"),
    ("-1 as fixint", "ff", "negative integers are not part of the format"),
    ("-33 as int 8", "d0df", "negative integers are not part of the format"),
    ("5 as int 8", "d005", "a signed form of a positive integer is not the shortest"),
    ("200 as int 16", "d100c8", "a signed form of a positive integer is not the shortest"),
    ("70000 as int 32", "d200011170", "a signed form of a positive integer is not the shortest"),
    ("2^63 - 1 as int 64", "d37fffffffffffffff", "a signed form of a positive integer is not the shortest"),
    ("-2^63", "d38000000000000000", "negative integers are not part of the format"),
    ("2^63", "cf8000000000000000", "an integer must be below 2^63"),
    ("2^64 - 1", "cfffffffffffffffff", "an integer must be below 2^63"),
    ("2^63 inside an array", "91cf8000000000000000", "an integer must be below 2^63"),
    ("empty map", "80", "maps are not part of the format"),
    ("map", "810000", "maps are not part of the format"),
    ("map 16", "de0000", "maps are not part of the format"),
    ("map 32", "df00000000", "maps are not part of the format"),
    ("fixext", "d40100", "extensions are not part of the format"),
    ("ext 8", "c7010100", "extensions are not part of the format"),
    ("timestamp 32", "d6ff00000000", "timestamps are not part of the format"),
    ("timestamp 96", "c70cff" + "00" * 12, "timestamps are not part of the format"),
    ("reserved byte", "c1", "a byte that msgpack never uses"),
    ("1 in two bytes", "cc01", "not the shortest form"),
    ("128 in three bytes", "cd0080", "not the shortest form"),
    ("1 in nine bytes", "cf0000000000000001", "not the shortest form"),
    ("65535 in five bytes", "ce0000ffff", "not the shortest form"),
    ("2^32 - 1 in nine bytes", "cf00000000ffffffff", "not the shortest form"),
    ("short text with a length byte", "d90161", "not the shortest form"),
    ("short text with two length bytes", "da000161", "not the shortest form"),
    ("short text with four length bytes", "db0000000161", "not the shortest form"),
    ("short binary with two length bytes", "c5000161", "not the shortest form"),
    ("short binary with four length bytes", "c60000000161", "not the shortest form"),
    ("short array with two length bytes", "dc000100", "not the shortest form"),
    ("short array with four length bytes", "dd0000000100", "not the shortest form"),
    ("text that is not UTF-8", "a1ff", "text is UTF-8"),
    ("text with an overlong form", "a2c080", "text is UTF-8, shortest form"),
    ("text with a surrogate", "a3eda080", "surrogates are not UTF-8"),
    ("arrays 9 deep", "91" * 8 + "90", "arrays nest at most 8 deep"),
    ("array of 2^32 - 1 values", "ddffffffff", "the value is cut short"),
]
TEXT_ACCEPTED = [
    ("one letter", "a", "1 byte"),
    ("256 bytes", "a" * 256, "the longest"),
    ("256 bytes in Cyrillic", "ж" * 128, "the limit counts bytes"),
    ("composed й", "\u0439", "normal form C"),
    ("space and no-break space", " \u00a0", "neither is a control character"),
]
TEXT_REFUSED = [
    ("empty", "", "text is 1 to 256 bytes"),
    ("257 bytes", "a" * 257, "text is 1 to 256 bytes"),
    ("258 bytes in 129 letters", "ж" * 129, "the limit counts bytes"),
    ("decomposed й", "\u0438\u0306", "not normal form C"),
    ("Kelvin sign", "\u212a", "not normal form C"),
    ("line feed", "a\nb", "control character"),
    ("line feed at the end", "a\n", "control character"),
    ("U+001F", "a\x1f", "the last of the first block"),
    ("NUL", "a\x00", "control character"),
    ("DEL", "a\x7f", "control character"),
    ("U+0080", "a\u0080", "control character of the second block"),
    ("U+009F", "a\u009f", "the last of the second block"),
    ("next line U+0085", "a\u0085", "control character of the second block"),
]


def files() -> list[VectorFile]:
    """The files of this module."""
    return [
        VectorFile("msgpack", _msgpack_cases()),
        VectorFile("text", _text_cases()),
        VectorFile("key", _key_cases()),
        VectorFile("signature", _signature_cases()),
    ]


def _msgpack_cases() -> list[Case]:
    accepted = [Case(name, {"bytes": raw}, "accept", why) for name, raw, why in MSGPACK_ACCEPTED]
    return accepted + [Case(name, {"bytes": raw}, "refuse", why) for name, raw, why in MSGPACK_REFUSED]


def _text_cases() -> list[Case]:
    def case(name: str, value: object, expect: str, why: str) -> Case:
        return Case(name, {"bytes": pack(value).hex()}, expect, why)

    return [
        *(case(*row[:2], "accept", row[2]) for row in TEXT_ACCEPTED),
        *(case(*row[:2], "refuse", row[2]) for row in TEXT_REFUSED),
        case("binary", b"a", "refuse", "text is not binary"),
        case("nil", None, "refuse", "text is not nil"),
    ]


def _key_cases() -> list[Case]:
    good, box = signing_key("node").public, box_key("node").public
    point = curve.decode(good[1:])
    mixed = curve.encode(curve.add(point, curve.ORDER_8))
    accepted = [("Ed25519 key", good, 1), ("X25519 key", box, 2)]
    refused = [
        ("empty", b"", 1, "a key is 33 bytes"),
        ("32 bytes without algorithm", good[1:], 1, "a key is 33 bytes"),
        ("34 bytes", good + b"\0", 1, "a key is 33 bytes"),
        ("X25519 where Ed25519 is due", box, 1, "the algorithm is another"),
        ("Ed25519 where X25519 is due", good, 2, "the algorithm is another"),
        ("algorithm 0", b"\0" + good[1:], 1, "unknown algorithm"),
        ("algorithm 3", b"\3" + good[1:], 1, "unknown algorithm"),
        ("y of no point", b"\1" + (2).to_bytes(32, "little"), 1, "no x belongs to this y"),
        ("point of mixed order", b"\1" + mixed, 1, "not of the subgroup of prime order"),
    ]
    refused += [
        (f"Ed25519 point {i} of small order", b"\1" + curve.encode(p), 1, "a point of small order")
        for i, p in enumerate(curve.SMALL_ORDER)
    ]
    refused += [
        (f"non-canonical Ed25519 {i}", b"\1" + raw, 1, "y is not below p, or x = 0 has a sign")
        for i, raw in enumerate(curve.non_canonical_keys())
    ]
    refused += [
        (f"X25519 point {i} of small order", b"\2" + bytes.fromhex(text), 2, "a point of small order")
        for i, text in enumerate(MONTGOMERY_SMALL_ORDER)
    ]
    refused += [
        (f"non-canonical X25519 p + {i}", b"\2" + (curve.P + i).to_bytes(32, "little"), 2, "u is not below p")
        for i in (0, 1, 9, 18)
    ]
    high = int.from_bytes(box[1:], "little") | 1 << 255
    refused.append(("X25519 with the top bit", b"\2" + high.to_bytes(32, "little"), 2, "u is not below p"))
    return [
        *(
            Case(name, _key(key, kind), "accept", "canonical and of prime order", _key_gives(key))
            for name, key, kind in accepted
        ),
        *(Case(name, _key(key, kind), "refuse", why) for name, key, kind, why in refused),
    ]


def _key(key: bytes, algorithm: int) -> dict[str, Json]:
    return {"key": key.hex(), "algorithm": algorithm}


def _key_gives(key: bytes) -> dict[str, Json]:
    return {"hash": hashlib.sha256(b"passport/key/1\n" + key).hexdigest(), "id": key_hash(key)[:16].hex()}


def _signature_cases() -> list[Case]:
    key, digest = signing_key("node"), seed("digest")
    good = key.sign_hash("fragment", digest)
    message = signed_text("fragment", digest)
    r, s = good[1:33], int.from_bytes(good[33:], "little")
    zero_r, scalar = curve.encode(curve.IDENTITY), curve.scalar_of(seed("node"))[0]
    made = [
        ("S + L", b"\1" + r + (s + curve.L).to_bytes(32, "little"), "S must be below L"),
        ("S = L", b"\1" + r + curve.L.to_bytes(32, "little"), "S must be below L"),
        ("S with all bits", b"\1" + r + b"\xff" * 32, "S must be below L"),
        (
            "R of small order",
            b"\1" + zero_r + _answer(zero_r, key, message, scalar),
            "the equation holds, and R is of small order",
        ),
        (
            "R spelled with y >= p",
            b"\1" + _spelled() + _answer(_spelled(), key, message, scalar),
            "the identity written as p + 1 is not canonical",
        ),
        *(
            (
                f"cofactored only, R twisted by point {i}",
                b"\1" + curve.sign_with(seed("node"), message, curve.SMALL_ORDER[i]),
                "the equation holds only times 8",
            )
            for i in (1, 2, 4)
        ),
    ]
    plain = [
        ("64 bytes", good[1:], "a signature is 65 bytes"),
        ("66 bytes", good + b"\0", "a signature is 65 bytes"),
        (
            "66 bytes, the last of them signed before the text",
            b"\1" + key.sign(b"\0" + message) + b"\0",
            "a signature is 65 bytes",
        ),
        ("empty", b"", "a signature is 65 bytes"),
        ("algorithm 2", b"\2" + good[1:], "unknown algorithm"),
        ("algorithm 0", b"\0" + good[1:], "unknown algorithm"),
        ("R altered", good[:1] + flip(good[1:33]) + good[33:], "does not hold"),
        ("S altered", flip(good, 200), "does not hold"),
        ("all zeros", b"\1" + bytes(64), "does not hold"),
    ]
    return [
        Case("good", _signature(key.public, "fragment", digest, good), "accept", "made by the key"),
        *(
            Case(
                f"good as {what}",
                _signature(key.public, what, digest, key.sign_hash(what, digest)),
                "accept",
                "own text",
            )
            for what in ("root", "log", "request", "response", "referral")
        ),
        *(
            Case(name, _signature(key.public, "fragment", digest, raw), "refuse", why)
            for name, raw, why in made + plain
        ),
        Case(
            "said as another object", _signature(key.public, "log", digest, good), "refuse", "the text names the object"
        ),
        Case("of another hash", _signature(key.public, "fragment", flip(digest), good), "refuse", "does not hold"),
        Case(
            "of another key", _signature(signing_key("x").public, "fragment", digest, good), "refuse", "does not hold"
        ),
        *(
            Case(name, _signature(made_key, "fragment", digest, good), "refuse", why)
            for name, made_key, why in (
                ("key of algorithm 2", b"\2" + key.public[1:], "an X25519 key signs nothing"),
                ("key of algorithm 0", b"\0" + key.public[1:], "unknown algorithm"),
                ("key of 32 bytes", key.public[1:], "a key is 33 bytes"),
                ("key of 34 bytes", key.public + b"\0", "a key is 33 bytes"),
            )
        ),
        *_weak_key_cases(digest),
    ]


def _weak_key_cases(digest: bytes) -> list[Case]:
    """A key of small order lets anybody sign: R = S·B holds for one challenge in eight or always."""
    cases = []
    for i, point in enumerate(curve.SMALL_ORDER):
        key, message = curve.encode(point), signed_text("fragment", digest)
        nonce = next(n for n in range(1, 200) if _holds(n, key, point, message))
        forged = curve.encode(curve.multiply(nonce, curve.BASE)) + nonce.to_bytes(32, "little")
        given = _signature(b"\1" + key, "fragment", digest, b"\1" + forged)
        cases.append(Case(f"key {i} of small order", given, "refuse", "the equation holds for a key that nobody owns"))
    twisted = curve.encode(curve.add(curve.decode(signing_key("node").public[1:]), curve.ORDER_8))
    return [
        *cases,
        Case("key of mixed order", _mixed(twisted, digest), "refuse", "the equation holds only times 8"),
        Case(
            "key of mixed order, lucky challenge",
            _mixed(twisted, digest, lucky=True),
            "refuse",
            "the equation holds, for a key that is refused where it is stated",
        ),
    ]


def _mixed(key: bytes, digest: bytes, lucky: bool = False) -> dict[str, Json]:
    message, scalar = signed_text("fragment", digest), curve.scalar_of(seed("node"))[0]
    nonce = 1
    while True:
        r = curve.encode(curve.multiply(nonce, curve.BASE))
        k = curve.challenge(r, key, message)
        if (k % 8 == 0) is lucky:
            s = (nonce + k * scalar) % curve.L
            return _signature(b"\1" + key, "fragment", digest, b"\1" + r + s.to_bytes(32, "little"))
        nonce += 1


def _holds(nonce: int, key: bytes, point: curve.Point, message: bytes) -> bool:
    r = curve.encode(curve.multiply(nonce, curve.BASE))
    return curve.multiply(curve.challenge(r, key, message) % 8, point) == curve.IDENTITY


def _spelled() -> bytes:
    return (curve.P + 1).to_bytes(32, "little")


def _answer(r: bytes, key: SigningKey, message: bytes, scalar: int) -> bytes:
    """S for a nonce of 0, whose point is the identity however it is spelled."""
    return (curve.challenge(r, key.public[1:], message) * scalar % curve.L).to_bytes(32, "little")


def _signature(key: bytes, what: str, digest: bytes, signature: bytes) -> dict[str, Json]:
    return {"key": key.hex(), "what": what, "hash": digest.hex(), "signature": signature.hex()}
