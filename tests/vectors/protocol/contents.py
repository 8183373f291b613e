"""Vectors of what stands in sections: commitments, padding, sealing."""

import hashlib
from collections.abc import Sequence

import nacl.bindings

from federation.fragment import pad
from federation.keys import X25519, key_id
from tests.builders import STAMP, box_key, fragment, id16, section, seed
from tests.vectors.protocol.case import Case, Json, VectorFile, flip, pack, refusals

LOG = id16("log")
SEQ = 7


def files() -> list[VectorFile]:
    """The files of this module."""
    return [
        VectorFile("commitment", _commitment_cases()),
        VectorFile("section-content", _content_cases()),
        VectorFile("sealed-section", _sealed_cases()),
    ]


def _commitment_cases() -> list[Case]:
    def case(name: str, section_name: str, salt: bytes, data: bytes) -> Case:
        raw = b"\x12" + LOG + bytes([len(section_name)]) + section_name.encode() + salt + data
        given: dict[str, Json] = {"log": LOG.hex(), "name": section_name, "salt": salt.hex(), "bytes": data.hex()}
        return Case(
            name,
            given,
            "accept",
            "0x12, log, length of the name, name, salt, bytes",
            {"commitment": hashlib.sha256(raw).hexdigest()},
        )

    return [
        case("empty", "a", bytes(16), b""),
        case("some bytes", "body", id16("salt"), b"{}"),
        case("name and salt next to each other", "bod", b"y" + id16("salt")[:15], id16("salt")[15:] + b"{}"),
        case("padded", "owner", id16("salt"), pad(b"yes")),
        case("longest name", "az09_./-" * 3, id16("salt"), bytes(range(256))),
    ]


def _content_cases() -> list[Case]:
    def case(name: str, head: tuple[int, int], data: bytes, content: bytes | None, why: str) -> Case:
        klass, size = head
        given: dict[str, Json] = {"class": klass, "size": size, "bytes": data.hex()}
        gives: dict[str, Json] | None = None if content is None else {"content": content.hex()}
        return Case(name, given, "shown" if content is None else "accept", why, gives)

    def padded(content: bytes, size: int) -> bytes:
        return len(content).to_bytes(4, "big") + content + bytes(size - 4 - len(content))

    sizes = [(0, 64), (1, 64), (60, 64), (61, 128), (124, 128), (125, 256), (1020, 1024), (1021, 2048)]
    return [
        *(case(f"class {c}, plain", (c, 3), b"abc", b"abc", "as it is") for c in (0, 1, 2)),
        *(case(f"class {c}, padded", (c, 64), padded(b"abc", 64), b"abc", "unpadded") for c in (3, 4, 5, 6, 99)),
        *(
            case(
                f"{length} bytes padded to {size}",
                (3, size),
                padded(b"x" * length, size),
                b"x" * length,
                "the smallest 64 * 2^k",
            )
            for length, size in sizes
        ),
        case("plain, empty", (0, 0), b"", b"", "as it is"),
        case("plain, another size", (0, 2), b"abc", None, "the header's size is another"),
        case("padded, another size", (3, 128), padded(b"abc", 64), None, "the header's size is another"),
        case("padded too far", (3, 128), padded(b"abc", 128), None, "not the smallest 64 * 2^k"),
        case("padded to no power", (3, 96), padded(b"x" * 61, 96), None, "not 64 * 2^k"),
        case("no padding", (4, 3), b"abc", None, "class 3 and above is padded"),
        case("nothing at all", (5, 0), b"", None, "at least 64 bytes"),
        case("length without content", (3, 4), bytes(4), None, "at least 64 bytes"),
        case("a bit in the padding", (3, 64), padded(b"abc", 64)[:-1] + b"\1", None, "padding is zeros"),
        case("length too large", (3, 64), b"\0\0\0\x3d" + bytes(60), None, "longer than the bytes"),
        case("length too small", (3, 64), b"\0\0\0\2abc" + bytes(57), None, "content in the padding"),
        case("little-endian length", (3, 64), b"\3\0\0\0abc" + bytes(57), None, "the length is big-endian"),
    ]


def sealed_bytes(section_value: Sequence[object], receiver: str = "receiver", sender: str = "ephemeral") -> bytes:
    """The envelope of a sealed section, the same in every run."""
    salt, data = section_value[1], section_value[2]
    assert isinstance(salt, bytes)
    assert isinstance(data, bytes)
    return pack([1, box_key(receiver).id, _sealed_box(salt + data, receiver, sender)])


def _sealed_box(content: bytes, receiver: str = "receiver", sender: str = "ephemeral") -> bytes:
    """SealedBox with a sender key that is always the same, so that the files never change."""
    public, secret = nacl.bindings.crypto_box_seed_keypair(seed("sealed/" + sender))
    target = box_key(receiver).public[1:]
    nonce = nacl.bindings.crypto_generichash.generichash_blake2b_salt_personal(public + target, digest_size=24)
    return public + nacl.bindings.crypto_box(content, nonce, target, secret)


def _largest_sealed() -> Case:
    """A section of 256 KiB, the largest that a header allows."""
    made = fragment(SEQ, section("photo", bytes(262_144), 2))
    whole = made.sections[0]
    assert whole.salt is not None
    given: dict[str, Json] = {
        "log": LOG.hex(),
        "seq": SEQ,
        "header": made.header.hex(),
        "name": whole.name,
        "sealed": sealed_bytes([whole.name, whole.salt, whole.data]).hex(),
        "box_secret": seed("box/receiver").hex(),
    }
    return Case("262,144 bytes sealed", given, "accept", "as large as a section may be", {"salt": whole.salt.hex()})


def _saltless() -> Case:
    """15 bytes, under a commitment that its author made of them alone."""
    short = id16("salt")[:15]
    digest = hashlib.sha256(b"\x12" + LOG + b"\4keys" + short).digest()
    header = pack([1, LOG, SEQ, STAMP, 4, [id16("subject")], STAMP, None, [], [], [["keys", digest, 0, 0]]])
    given: dict[str, Json] = {
        "log": LOG.hex(),
        "seq": SEQ,
        "header": header.hex(),
        "name": "keys",
        "sealed": pack([1, box_key("receiver").id, _sealed_box(short)]).hex(),
        "box_secret": seed("box/receiver").hex(),
    }
    return Case("shorter than a salt, under its commitment", given, "refuse", "a salt is 16 bytes")


def _misfit(name: str, data: bytes, size: int, why: str) -> Case:
    """Bytes under their commitment that are not what the header's size and class ask for."""
    salt = id16("salt")
    digest = hashlib.sha256(b"\x12" + LOG + b"\4keys" + salt + data).digest()
    header = pack([1, LOG, SEQ, STAMP, 4, [id16("subject")], STAMP, None, [], [], [["keys", digest, size, 5]]])
    given: dict[str, Json] = {
        "log": LOG.hex(),
        "seq": SEQ,
        "header": header.hex(),
        "name": "keys",
        "sealed": sealed_bytes(["keys", salt, data]).hex(),
        "box_secret": seed("box/receiver").hex(),
    }
    return Case(name, given, "shown", why)


def _sealed_cases() -> list[Case]:
    made = fragment(SEQ, section("keys", b"0123456789abcdef", 5), section("note", b"abc", 2))
    keys, note = ([s.name, s.salt, s.data] for s in made.sections)
    secret = seed("box/receiver")
    salt, data = made.sections[0].salt, made.sections[0].data
    assert salt is not None

    def given(sealed: bytes, name: str = "keys", opener: bytes = secret) -> dict[str, Json]:
        return {
            "log": LOG.hex(),
            "seq": SEQ,
            "header": made.header.hex(),
            "name": name,
            "sealed": sealed.hex(),
            "box_secret": opener.hex(),
        }

    good = sealed_bytes(keys)
    fields: list[object] = [1, box_key("receiver").id, _sealed_box(salt + data)]
    box = fields[2]
    assert isinstance(box, bytes)
    table: list[tuple[int, object, str]] = [
        (0, 2, "version 2"),
        (0, 0, "version 0"),
        (1, box_key("x").id, "sealed to another key"),
        (1, key_id(bytes([X25519]) + bytes(32))[:15], "a key id is 16 bytes"),
        (1, None, "a key id is binary"),
        (2, flip(box), "the box does not open"),
        (2, flip(box, 8 * (len(box) - 1)), "the box does not open"),
        (2, box[:47], "shorter than any box"),
        (2, b"", "shorter than any box"),
        (2, None, "a box is binary"),
        (2, bytes(32) + box[32:], "a sender key of small order"),
        (2, _sealed_box(salt + data, "x"), "a box for another key under this key's id"),
        (2, _sealed_box(salt + flip(data)), "what was sealed is not under its commitment"),
        (2, _sealed_box(flip(salt) + data), "what was sealed is not under its commitment"),
        (2, _sealed_box(salt[:8]), "shorter than a salt"),
        (2, _sealed_box(b""), "empty"),
        (2, _sealed_box(salt + b"0123456789abcdef"), "sealed without its padding"),
    ]
    return [
        Case(
            "good",
            given(good),
            "accept",
            "opens",
            {"salt": salt.hex(), "bytes": data.hex(), "content": b"0123456789abcdef".hex()},
        ),
        Case(
            "class 2 sealed",
            given(sealed_bytes(note), "note"),
            "accept",
            "any class may travel sealed",
            {"salt": id16("salt/note").hex(), "bytes": b"abc".hex(), "content": b"abc".hex()},
        ),
        *refusals(fields, table, lambda made_fields: given(pack(made_fields))),
        _largest_sealed(),
        _saltless(),
        _misfit("of another size", pad(b"abc"), 128, "opens under its commitment; the header's size is another"),
        _misfit("not padded", b"abc", 3, "opens under its commitment; class 5 is padded"),
        _misfit("a bit in the padding", pad(b"abc")[:-1] + b"\1", 64, "opens under its commitment; padding is zeros"),
        Case("under another name", given(sealed_bytes(note), "keys"), "refuse", "not under that section's commitment"),
        Case("name not in the header", given(good, "other"), "refuse", "the header does not name it"),
        Case("opened with another key", given(good, opener=seed("box/x")), "refuse", "sealed to another key"),
        Case("two values", given(pack(fields[:2])), "refuse", "the envelope has three values"),
        Case("four values", given(pack([*fields, None])), "refuse", "the envelope has three values"),
        Case("followed by a byte", given(good + b"\0"), "refuse", "bytes follow the value"),
        Case("nothing", given(b""), "refuse", "no value"),
    ]
