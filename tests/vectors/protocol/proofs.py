"""Vectors of checkpoints and fork proofs."""

import base64
from collections.abc import Sequence

from federation.checkpoint import SIGNATURE_TYPE, Checkpoint, note_key_id, origin
from federation.fragment import fragment_id
from federation.keys import SigningKey
from tests.builders import Writer, fragment, id16, section, seed, signing_key
from tests.vectors.protocol.case import Case, Json, VectorFile, flip, pack, with_field

LOG = id16("log")
KEY = signing_key("node")
DASH = "\u2014"


def files() -> list[VectorFile]:
    """The files of this module."""
    return [VectorFile("checkpoint", _checkpoint_cases()), VectorFile("fork-proof", _fork_cases())]


def _text(origin_line: str = "", size: str = "5", root: str = "") -> str:
    return f"{origin_line or origin(LOG)}\n{size}\n{root or base64.b64encode(seed('root')).decode()}\n"


def _line(text: str, key: SigningKey = KEY, name: str = "", kind: int = SIGNATURE_TYPE) -> str:
    who = name or origin(LOG)
    blob = note_key_id(who, kind, key.public[1:]) + key.sign(text.encode())
    return f"{DASH} {who} {base64.b64encode(blob).decode()}\n"


def _note(text: str) -> str:
    return text + "\n" + _line(text)


def _given(note: str | bytes) -> dict[str, Json]:
    raw = note.encode() if isinstance(note, str) else note
    return {"log": LOG.hex(), "sign_key": KEY.public.hex(), "note": raw.hex()}


def _checkpoint_cases() -> list[Case]:
    text = _text()
    good, own = _note(text), _line(text)
    foreign = _line(text, signing_key("witness"), "example.org/witness", 4)
    doubled = _line(text, signing_key("x"))
    largest = _note(_text(size=str(2**63 - 1)))
    sixteen = good + foreign * 15
    accepted: list[tuple[str, str, str, int]] = [
        ("good", good, "three lines and the log's signature", 5),
        ("size 1", _note(_text(size="1")), "the smallest", 1),
        ("largest size", largest, "below 2^63", 2**63 - 1),
        ("foreign signature after", good + foreign, "foreign signatures are ignored", 5),
        ("foreign signature of nonsense", good + f"{DASH} x {base64.b64encode(bytes(9)).decode()}\n", "ignored", 5),
        ("foreign signature of 5 bytes", good + _foreign(5), "a key id and one byte more", 5),
        ("own name with another key after", good + doubled, "only the first line is judged", 5),
        ("16 signatures", sixteen, "at most 16", 5),
        ("4,096 bytes", _long(good, 4096), "the longest", 5),
        ("foreign name in Cyrillic", good + _foreign(9, "свидетель"), "any characters but spaces and plus", 5),
        ("foreign name with a zero-width space", good + _foreign(9, "a\u200bb"), "that is no space", 5),
    ]
    return [
        *(
            Case(name, _given(note), "accept", why, {"size": size, "root": seed("root").hex()})
            for name, note, why, size in accepted
        ),
        *(Case(name, _given(note), "refuse", why) for name, note, why in _text_refusals()),
        *(Case(name, _given(note), "refuse", why) for name, note, why in _line_refusals(text, own, foreign)),
    ]


def _foreign(length: int, name: str = "x") -> str:
    return f"{DASH} {name} {base64.b64encode(bytes(length)).decode()}\n"


def _long(good: str, length: int) -> str:
    """The note with a foreign line that brings it to that many bytes."""
    return good + _foreign(9, "x" * (length - len((good + _foreign(9)).encode()) + 1))


def _text_refusals() -> list[tuple[str, str, str]]:
    root = base64.b64encode(seed("root")).decode()
    spare = root[:-2] + chr(ord(root[-2]) + 1) + "="
    return [
        ("size 0", _note(_text(size="0")), "size 0 is never published"),
        ("leading zero", _note(_text(size="05")), "decimal without leading zeros"),
        ("plus sign", _note(_text(size="+5")), "digits only"),
        ("negative size", _note(_text(size="-5")), "digits only"),
        ("size in Arabic digits", _note(_text(size="\u0665")), "ASCII digits only"),
        ("size with a space", _note(_text(size="5 ")), "digits only"),
        ("size 2^63", _note(_text(size=str(2**63))), "below 2^63"),
        ("size of 20 digits", _note(_text(size="1" * 20)), "below 2^63"),
        ("no size", _note(_text(size="x")), "digits only"),
        ("root without padding", _note(_text(root=root.rstrip("="))), "padded base64"),
        ("root with spare bits set", _note(_text(root=spare)), "base64 has one spelling"),
        ("root in the URL alphabet", _note(_text(root="-" * 43 + "=")), "the standard alphabet"),
        ("root of 31 bytes", _note(_text(root=base64.b64encode(bytes(31)).decode())), "a root is 32 bytes"),
        ("root of 33 bytes", _note(_text(root=base64.b64encode(bytes(33)).decode())), "a root is 32 bytes"),
        ("root in hex", _note(_text(root=seed("root").hex())), "a root is 32 bytes of base64"),
        ("root with a space", _note(_text(root=root + " ")), "base64 only"),
        ("another log", _note(_text(origin(id16("other")))), "the note is of another log"),
        ("capitals in the origin", _note(_text("passport/" + LOG.hex().upper())), "lower-case hex"),
        ("another prefix", _note(_text("passports/" + LOG.hex())), "the origin is passport/ and the log"),
        ("origin cut short", _note(_text(origin(LOG)[:-1])), "32 digits"),
        ("extension line", _note(_text() + "extension\n"), "exactly three lines"),
        ("two lines", _note("\n".join(_text().split("\n")[:2]) + "\n"), "exactly three lines"),
        ("empty first line", _note("\n" + _text()), "exactly three lines"),
        ("carriage returns", _note(_text().replace("\n", "\r\n")), "lines end with 0A alone"),
    ]


def _line_refusals(text: str, own: str, foreign: str) -> list[tuple[str, str | bytes, str]]:
    blob = base64.b64decode(own.split(" ")[2])
    name = origin(LOG)
    stranger = signing_key("x")

    def line(raw: bytes, who: str = name) -> str:
        return f"{text}\n{DASH} {who} {base64.b64encode(raw).decode()}\n"

    return [
        ("no signature", text, "a signature is needed"),
        ("no signature after the empty line", text + "\n", "a signature is needed"),
        ("foreign signature first", f"{text}\n{foreign}{own}", "the log's own signature stands first"),
        ("foreign signature only", f"{text}\n{foreign}", "the log's own signature stands first"),
        ("own name, another key", f"{text}\n{_line(text, stranger)}", "the key id is another"),
        ("key id of the log, signed by another", line(blob[:4] + stranger.sign(text.encode())), "does not hold"),
        ("key id of a cosignature", f"{text}\n{_line(text, kind=4)}", "a log's signature has type 0x01"),
        ("another name with the log's key", f"{text}\n{_line(text, name='passport/x')}", "the name is the origin"),
        ("another name with the log's key id", line(blob, "passport/x"), "the name is the origin"),
        ("signature altered", line(flip(blob)), "does not hold"),
        ("signature of 63 bytes", line(blob[:-1]), "a signature is 64 bytes"),
        ("signature of 65 bytes", line(blob + b"\0"), "a signature is 64 bytes"),
        (
            "signature of 65 bytes, the last of them signed before the text",
            line(blob[:4] + KEY.sign(b"\0" + text.encode()) + b"\0"),
            "a signature is 64 bytes",
        ),
        ("key id alone", line(blob[:4]), "a signature is missing"),
        ("another text signed", line(blob[:4] + KEY.sign(_text(size="6").encode())), "does not hold"),
        ("hyphen for the dash", f"{text}\n{own.replace(DASH, '-')}", "a line starts with U+2014"),
        ("two spaces", f"{text}\n{own.replace(' ', '  ', 1)}", "one space"),
        ("text after the signature", f"{text}\n{own[:-1]} x\n", "three words"),
        ("base64 without padding", f"{text}\n{own.rstrip().rstrip('=')}\n", "padded base64"),
        ("malformed foreign line", f"{text}\n{own}{DASH} x\n", "every line has its form"),
        ("foreign signature of 4 bytes", f"{text}\n{own}{_foreign(4)}", "a key id alone signs nothing"),
        ("foreign base64 not canonical", f"{text}\n{own}{DASH} x AAAAAAB=\n", "base64 has one spelling"),
        ("name with a plus", f"{text}\n{own}{foreign.replace('example', 'a+b')}", "a name has no plus"),
        ("empty line between signatures", f"{text}\n{own}\n{foreign}", "every line has its form"),
        ("no line end", f"{text}\n{own[:-1]}", "the last line ends with 0A"),
        ("a letter for the last line end", f"{text}\n{own[:-1]}A", "the last line ends with 0A"),
        ("line end too many", f"{text}\n{own}\n", "every line has its form"),
        ("17 signatures", f"{text}\n{own}{foreign * 16}", "at most 16"),
        ("4,097 bytes", _long(text + "\n" + own, 4097), "at most 4 KiB"),
        *(
            (f"foreign name with {what}", f"{text}\n{own}{_foreign(9, f'a{space}b')}", "a name has no space")
            for what, space in (
                ("a tab", "\t"),
                ("U+001C", "\x1c"),
                ("U+0085", "\x85"),
                ("a no-break space", "\xa0"),
                ("an em space", "\u2003"),
                ("an ideographic space", "\u3000"),
            )
        ),
        ("foreign name empty", f"{text}\n{own}{_foreign(9, '')}", "a name has a character"),
        ("over 4096 bytes", f"{text}\n{own}{DASH} x {'A' * 4000}\n", "at most 4 KiB"),
        ("not UTF-8", f"{text}\n{own}".encode() + b"\xff\n", "UTF-8"),
        ("empty", "", "no lines"),
    ]


def _signed(header: bytes, key: SigningKey = KEY) -> list[object]:
    return [header, key.sign_hash("fragment", fragment_id(header))]


def _ordered(*branches: list[object]) -> list[list[object]]:
    return sorted(branches, key=pack)


def _proof(proof: Sequence[object], key: bytes = KEY.public) -> dict[str, Json]:
    return {"sign_key": key.hex(), "proof": pack(list(proof)).hex()}


def _fork_cases() -> list[Case]:
    return [*_header_forks(), *_checkpoint_forks()]


def _header_forks() -> list[Case]:
    one = _signed(fragment(7, section(content=b"1")).header)
    two = _signed(fragment(7, section(content=b"2")).header)
    low, high = _ordered(one, two)
    good: list[object] = [1, LOG, 1, low, high, None]
    void = _signed(pack([1, LOG, 7, "void"]))
    short = _signed(pack([1, LOG, 7]))
    later = _signed(pack([2, LOG, 7, 0, 1, [id16("s")], "new"]))
    gives: dict[str, Json] = {"log": LOG.hex(), "seq": 7, "kind": 1}
    accepted: list[tuple[str, Sequence[object], str]] = [
        ("two headers", good, "two entries at one seq"),
        ("a void header", [1, LOG, 1, *_ordered(one, void), None], "fields 1 and 2 are enough"),
        ("three fields", [1, LOG, 1, *_ordered(one, short), None], "fields 1 and 2 are enough"),
        ("a header of version 2", [1, LOG, 1, *_ordered(one, later), None], "fields 1 and 2 are enough"),
        ("a header of 4,096 bytes", [1, LOG, 1, *_ordered(one, _signed(_sized(4096))), None], "at most 4 KiB"),
        ("with a cosigned checkpoint", with_field(good, 5, Writer().write(3).note()), "the log's signature holds"),
    ]
    foreign = Writer(log=id16("other")).write(3).note()
    stranger = Writer(key=signing_key("x")).write(3).note()
    eight, other_log = fragment(8), fragment(7, log=id16("other"))
    odd = b"\xdc\x00\x0b" + fragment(7).header[1:]
    low_header, low_signature = low
    assert isinstance(low_header, bytes)
    assert isinstance(low_signature, bytes)
    stranger_entry = _ordered(one, _signed(fragment(7, section(content=b"2")).header, signing_key("x")))
    refused: list[tuple[str, Sequence[object], str]] = [
        ("the same twice", [1, LOG, 1, low, low, None], "both branches say the same"),
        ("in another order", [1, LOG, 1, high, low, None], "the smaller branch stands first"),
        ("two seqs", [1, LOG, 1, *_ordered(one, _signed(eight.header)), None], "not of one place"),
        ("two logs", [1, LOG, 1, *_ordered(one, _signed(other_log.header)), None], "not of one place"),
        ("said of another log", with_field(good, 1, id16("other")), "not of that log"),
        ("signed by another key", [1, LOG, 1, *stranger_entry, None], "not the log's key"),
        ("signature altered", [1, LOG, 1, *_ordered(high, [low_header, flip(low_signature)]), None], "does not hold"),
        ("a header not canonical", [1, LOG, 1, *_ordered(one, _signed(odd)), None], "fields 1 and 2 cannot be read"),
        ("two fields", [1, LOG, 1, *_ordered(one, _signed(pack([1, LOG]))), None], "fields 1 and 2 cannot be read"),
        ("seq nil", [1, LOG, 1, *_ordered(one, _signed(pack([1, LOG, None]))), None], "fields 1 and 2 cannot be read"),
        *(
            (f"{what} in both", [1, LOG, 1, *_ordered(*_places(seq)), None], "fields 1 and 2 cannot be read")
            for what, seq in (("seq nil", None), ("seq as text", "7"), ("seq as binary", b"7"), ("seq 2^63", 2**63))
        ),
        ("log nil in both", [1, LOG, 1, *_ordered(*_places(7, None)), None], "not of that log"),
        ("an empty header", [1, LOG, 1, *_ordered(one, _signed(b"")), None], "fields 1 and 2 cannot be read"),
        ("a header of 4,097 bytes", [1, LOG, 1, *_ordered(one, _signed(_sized(4097))), None], "at most 4 KiB"),
        ("kind 2", with_field(good, 2, 2), "the proof has seven values"),
        ("header of 4097 bytes", [1, LOG, 1, *_ordered(one, _signed(bytes(4097))), None], "at most 4 KiB"),
        ("signature of 64 bytes", [1, LOG, 1, [low_header, low_signature[1:]], high, None], "a signature is 65 bytes"),
        ("branch of three", [1, LOG, 1, [*low, None], high, None], "a branch has two values"),
        *(
            (f"{what}, {place} branch", [1, LOG, 1, *pair, None], why)
            for what, odd, why in (
                ("header as text", ["a", low_signature], "a header is binary"),
                ("signature nil", [low_header, None], "a signature is binary"),
                ("no array", low_header, "a branch is an array"),
            )
            for place, pair in (("first", [odd, high]), ("second", [low, odd]))
        ),
        ("version 2", with_field(good, 0, 2), "version 2"),
        ("kind 0", with_field(good, 2, 0), "unknown kind"),
        ("kind 3", with_field(good, 2, 3), "unknown kind"),
        ("five values", good[:5], "the proof has six values"),
        ("seven values", [*good, None], "the proof has six values"),
        ("log of 15 bytes", with_field(good, 1, LOG[:15]), "a log id is 16 bytes"),
        *(
            (f"{what} there and in both", [1, log, 1, *_ordered(*_places(7, log)), None], why)
            for what, log, why in (
                ("log of 15 bytes", LOG[:15], "a log id is 16 bytes"),
                ("log nil", None, "a log id is binary"),
            )
        ),
        ("checkpoint of another log", with_field(good, 5, foreign), "the note is of another log"),
        ("checkpoint by another key", with_field(good, 5, stranger), "not the log's key"),
        ("checkpoint of nonsense", with_field(good, 5, b"x"), "no checkpoint"),
        ("checkpoint as text", with_field(good, 5, "x"), "a note is binary"),
        ("empty array", [], "the proof has six values"),
    ]
    return [
        *(Case(f"headers, {name}", _proof(proof), "accept", why, gives) for name, proof, why in accepted),
        *(Case(f"headers, {name}", _proof(proof), "refuse", why) for name, proof, why in refused),
        Case("headers, against another key", _proof(good, signing_key("x").public), "refuse", "not the log's key"),
    ]


def _sized(length: int) -> bytes:
    """A header at seq 7 of that many bytes, more than 256."""
    return pack([1, LOG, 7, bytes(length - len(pack([1, LOG, 7])) - 3)])


def _places(seq: object, log: object = LOG) -> list[list[object]]:
    """Two headers that agree on their place, whatever it is."""
    return [_signed(pack([1, log, seq, mark])) for mark in (1, 2)]


def _branch(writer: Writer, seq: int, size: int | None = None) -> list[object]:
    return [writer.note(size), writer.leaves[seq], writer.path(seq, size)]


def _beyond(writer: Writer) -> list[object]:
    """The last leaf, whose path is said to be that of the place after it."""
    return _branch(writer, len(writer.entries) - 1)


def _checkpoint_forks() -> list[Case]:
    trunk, other = Writer().write(5), Writer().write(2).write(5, "fork")
    longer = Writer().write(2).write(9, "fork")
    low, high = _ordered(_branch(trunk, 2), _branch(other, 2))
    good: list[object] = [1, LOG, 2, 2, low, high, None]
    at_4 = [1, LOG, 2, 4, *_ordered(_branch(trunk, 4), _branch(longer, 4)), None]
    first, second = Writer().write(1), Writer().write(1, "fork")
    at_0 = [1, LOG, 2, 0, *_ordered(_branch(first, 0), _branch(second, 0)), None]
    accepted: list[tuple[str, Sequence[object], int, str]] = [
        ("two checkpoints", good, 2, "different leaves at one seq"),
        ("of different sizes", at_4, 4, "sizes may differ"),
        ("of one entry each", at_0, 0, "empty paths"),
        ("with a cosigned checkpoint", with_field(good, 6, trunk.note(2)), 2, "the log's signature holds"),
    ]
    note, leaf, path = low
    assert isinstance(note, bytes)
    assert isinstance(leaf, bytes)
    assert isinstance(path, list)
    stranger = Writer(key=signing_key("x")).write(5, "fork")
    elsewhere = Writer(log=id16("other")).write(5, "fork")
    later = Writer().write(9)
    unsigned = Checkpoint(LOG, 5, trunk.root()).text()

    def forged(branch: list[object]) -> list[object]:
        return [1, LOG, 2, 2, *_ordered(high, branch), None]

    refused: list[tuple[str, Sequence[object], str]] = [
        ("the same twice", [1, LOG, 2, 2, low, low, None], "both branches say the same"),
        ("one log, two sizes", [1, LOG, 2, 2, *_ordered(_branch(trunk, 2), _branch(later, 2)), None], "the same leaf"),
        ("below the fork", [1, LOG, 2, 1, *_ordered(_branch(trunk, 1), _branch(other, 1)), None], "the same leaf"),
        ("in another order", [1, LOG, 2, 2, high, low, None], "the smaller branch stands first"),
        ("leaf altered", forged([note, flip(leaf), path]), "not under the root"),
        ("path altered", forged([note, leaf, [flip(path[0]), *path[1:]]]), "not under the root"),
        ("path one short", forged([note, leaf, path[:-1]]), "the path is too short"),
        ("path one long", forged([note, leaf, [*path, leaf]]), "the path is too long"),
        ("path of 65", forged([note, leaf, [leaf] * 65]), "at most 64"),
        ("path of 31 bytes", forged([note, leaf, [path[0][:31], *path[1:]]]), "a hash is 32 bytes"),
        ("leaf of 31 bytes", forged([note, leaf[:31], path]), "a hash is 32 bytes"),
        (
            "one tree, the leaf cut after 31 bytes",
            [1, LOG, 2, 2, *_ordered(low, [note, leaf[:31], [leaf[31:] + path[0], *path[1:]]]), None],
            "a hash is 32 bytes, though the joined bytes lead to the root",
        ),
        *(
            (f"{what}, {place} branch", [1, LOG, 2, 2, *pair, None], why)
            for what, odd, why in (
                ("note as text", ["a", leaf, path], "a note is binary"),
                ("note nil", [None, leaf, path], "a note is binary"),
                ("leaf nil", [note, None, path], "a hash is binary"),
                ("path nil", [note, leaf, None], "a path is an array"),
            )
            for place, pair in (("first", [odd, high]), ("second", [low, odd]))
        ),
        ("another seq", with_field(good, 3, 3), "not under the root"),
        ("seq beyond the sizes", with_field(good, 3, 99), "the place is not in the tree"),
        ("seq nil", with_field(good, 3, None), "a seq is an unsigned integer"),
        ("note by another key", forged(_branch(stranger, 2)), "not the log's key"),
        ("note of another log", forged(_branch(elsewhere, 2)), "the note is of another log"),
        ("note without a signature", forged([unsigned, leaf, path]), "no checkpoint"),
        ("said of another log", with_field(good, 1, id16("other")), "the note is of another log"),
        ("branch of two", [1, LOG, 2, 2, low[:2], high, None], "a branch has three values"),
        (
            "last leaf beyond its size",
            [1, LOG, 2, 5, *_ordered(_beyond(trunk), _beyond(other)), None],
            "not in the tree",
        ),
        ("version 2", with_field(good, 0, 2), "version 2"),
        ("kind 1", with_field(good, 2, 1), "the proof has six values"),
        ("kind 3", with_field(good, 2, 3), "unknown kind"),
        ("checkpoint of another log", with_field(good, 6, elsewhere.note()), "the note is of another log"),
        ("checkpoint by another key", with_field(good, 6, stranger.note()), "not the log's key"),
        ("checkpoint as text", with_field(good, 6, "x"), "a note is binary"),
        ("six values", good[:6], "the proof has seven values"),
        ("headers under kind 2", [1, LOG, 2, 2, *_two_headers(), None], "a branch has three values"),
        ("checkpoints under kind 1", [1, LOG, 1, low, high, None], "a branch has two values"),
    ]
    return [
        *(
            Case(f"checkpoints, {name}", _proof(proof), "accept", why, {"log": LOG.hex(), "seq": seq, "kind": 2})
            for name, proof, seq, why in accepted
        ),
        *(Case(f"checkpoints, {name}", _proof(proof), "refuse", why) for name, proof, why in refused),
        Case("checkpoints, against another key", _proof(good, signing_key("x").public), "refuse", "not the log's key"),
    ]


def _two_headers() -> list[list[object]]:
    return _ordered(_signed(fragment(2).header), _signed(fragment(2, section(content=b"2")).header))
