"""Vectors of root statements, their chains and forks, cuts, and log statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from federation.cut import Cut, CutRow
from federation.keys import SigningKey, key_hash, key_id
from federation.log import log_hash
from federation.statements import RootStatement, StatementType, root_hash
from tests.builders import Line, box_key, found, id16, log_statement, row, seed, signing_key
from tests.vectors.protocol import curve
from tests.vectors.protocol.case import Case, Json, VectorFile, flip, pack, refusals, with_field
from tests.vectors.protocol.chains import chain_cases

SMALL = b"\1" + curve.encode(curve.SMALL_ORDER[1])


def files() -> list[VectorFile]:
    """The files of this module."""
    return [
        VectorFile("cut", _cut_cases()),
        VectorFile("cut-widening", _widening_cases()),
        VectorFile("cut-effect", _effect_cases()),
        VectorFile("root-statement", _root_statement_cases()),
        VectorFile("root-chain", chain_cases()),
        VectorFile("log-statement", _log_statement_cases()),
    ]


def _cut_cases() -> list[Case]:
    one, two = [b"\1" * 16, 5, b"\7" * 32], [b"\2" * 16, 9, b"\7" * 32]
    many = [[n.to_bytes(16, "big"), 1, b"\7" * 32] for n in range(65)]
    accepted: list[tuple[str, list[object]]] = [
        ("empty", []),
        ("one row", [one]),
        ("two rows", [one, two]),
        ("64 rows", [*many[:64]]),
        ("the largest size", [with_field(one, 1, 2**63 - 1)]),
    ]
    refused: list[tuple[str, object, str]] = [
        ("65 rows", many, "at most 64 rows"),
        ("descending", [two, one], "rows ascend by log"),
        ("one log twice", [one, with_field(one, 1, 6)], "one row a log"),
        ("size 0", [with_field(one, 1, 0)], "a size is at least 1"),
        ("size nil", [with_field(one, 1, None)], "a size is an unsigned integer"),
        ("log of 15 bytes", [with_field(one, 0, b"\1" * 15)], "a log id is 16 bytes"),
        ("log as text", [with_field(one, 0, "a" * 16)], "a log id is binary"),
        ("root of 31 bytes", [with_field(one, 2, b"\7" * 31)], "a root is 32 bytes"),
        ("root nil", [with_field(one, 2, None)], "a root is binary"),
        ("row of two", [one[:2]], "a row has three values"),
        ("row of four", [[*one, 0]], "a row has three values"),
        ("row that is no array", [b"\1" * 16], "a row is an array"),
        ("no array", b"", "a cut is an array"),
        ("nil", None, "a cut is an array"),
    ]
    return [
        *(Case(name, {"cut": pack(rows).hex()}, "accept", "ascending by log") for name, rows in accepted),
        *(Case(name, {"cut": pack(value).hex()}, "refuse", why) for name, value, why in refused),
    ]


def _cut_hex(rows: Sequence[CutRow]) -> str:
    return pack(Cut(tuple(sorted(rows, key=lambda r: r.log))).to_value()).hex()


def _widening_cases() -> list[Case]:
    table: list[tuple[str, list[CutRow], list[CutRow], str, str]] = [
        ("equal", [row("a", 5)], [row("a", 5)], "accept", "keeps the same"),
        ("larger size", [row("a", 5)], [row("a", 6, "later")], "accept", "keeps more"),
        ("one more log", [row("a", 5)], [row("a", 5), row("b", 1)], "accept", "keeps more"),
        ("from the empty cut", [], [row("a", 5)], "accept", "keeps more"),
        ("smaller size", [row("a", 5)], [row("a", 4)], "refuse", "keeps less"),
        ("a log left out", [row("a", 5), row("b", 1)], [row("a", 5)], "refuse", "keeps less"),
        ("another log instead", [row("a", 5)], [row("b", 9)], "refuse", "keeps less"),
        ("another root of the size", [row("a", 5)], [row("a", 5, "fork")], "refuse", "keeps another branch"),
        ("to the empty cut", [row("a", 5)], [], "refuse", "keeps less"),
    ]
    good, odd = _cut_hex([row("a", 5)]), pack([[id16("a"), 0, seed("tree")]]).hex()
    return [
        *(
            Case(name, {"old": _cut_hex(old), "new": _cut_hex(new)}, expect, why)
            for name, old, new, expect, why in table
        ),
        Case("from a cut of another form", {"old": odd, "new": good}, "refuse", "a size is at least 1"),
        Case("to a cut of another form", {"old": "90", "new": odd}, "refuse", "a size is at least 1"),
    ]


def _effect_cases() -> list[Case]:
    def case(name: str, cuts: list[list[CutRow]], roots: Mapping[str, Json], counted: int, why: str) -> Case:
        given: dict[str, Json] = {"cuts": [_cut_hex(cut) for cut in cuts], "log": id16("a").hex(), "roots": roots}
        return Case(name, given, "accept", why, {"counted_size": counted})

    tree, other = seed("tree").hex(), seed("other").hex()
    return [
        case("inside", [[row("a", 5)]], {"5": tree}, 5, "entries 0 to 4 count"),
        case("another root", [[row("a", 5)]], {"5": other}, 0, "a row whose root is another counts nothing"),
        case("log is shorter", [[row("a", 5)]], {}, 0, "the root at 5 is not known yet"),
        case("log not named", [[row("b", 5)]], {"5": tree}, 0, "a log that is not named counts nothing"),
        case("empty cut", [[]], {"5": tree}, 0, "a log that is not named counts nothing"),
        case("widened", [[row("a", 5)], [row("a", 7)]], {"5": tree, "7": tree}, 7, "the later cut keeps more"),
        case(
            "widened with a root of nowhere",
            [[row("a", 5)], [row("a", 7)]],
            {"5": tree, "7": other},
            5,
            "a cut only widens: the earlier one still stands",
        ),
        Case(
            "a cut of another form",
            {"cuts": [pack([[id16("a"), 0, seed("tree")]]).hex()], "log": id16("a").hex(), "roots": {"0": tree}},
            "refuse",
            "a size is at least 1",
        ),
    ]


@dataclass(frozen=True, slots=True)
class _Fields:
    """The seven fields of a good root statement, and who signs it."""

    fields: list[object]
    key: SigningKey

    def build(self, fields: Sequence[object]) -> dict[str, Json]:
        raw = pack(list(fields))
        return {"envelope": pack([raw, self.key.sign_hash("root", root_hash(raw))]).hex()}


def _fields_of(statement: RootStatement, key: SigningKey) -> _Fields:
    body = {
        StatementType.NODE: [id16("a"), signing_key("a").public],
        StatementType.END_NODE: [id16("a"), 1, Cut((row("log", 3),)).to_value()],
    }.get(statement.type, [key.public, key_hash(signing_key("root-2").public)])
    value = [1, statement.org, statement.n, statement.previous, int(statement.type), body, statement.root_key_id]
    return _Fields(value, key)


def _root_statement_cases() -> list[Case]:
    trunk = found()
    genesis = replace(_fields_of(trunk.last, trunk.root))
    genesis.fields[5] = [trunk.root.public, key_hash(signing_key("root-1").public)]
    node = _fields_of(trunk.node("a").last, trunk.root)
    end = _fields_of(trunk.node("a").end("a").last, trunk.root)
    rotate = _fields_of(trunk.rotate("root-1", "root-2").last, signing_key("root-1"))
    sound = {"genesis": genesis, "node": node, "end-node": end, "rotate": rotate}
    cases = [
        Case(name, f.build(f.fields), "accept", "a good statement", _statement_gives(f, trunk))
        for name, f in sound.items()
    ]
    last = _Fields(with_field(node.fields, 2, 999), node.key)
    cases.append(
        Case("n = 999", last.build(last.fields), "accept", "the last of a chain", _statement_gives(last, trunk))
    )
    cases += _named("genesis", refusals(genesis.fields, _genesis_table(), genesis.build))
    cases += _named("node", refusals(node.fields, _node_table(), node.build))
    cases += _named("end-node", refusals(end.fields, _end_table(), end.build))
    cases += _named("rotate", refusals(rotate.fields, _rotate_table(), rotate.build))
    cases += [*_weak_cases("genesis", genesis), *_weak_cases("rotate", rotate)]
    return cases + _envelope_cases("root", pack(node.fields), node.key, 4096)


def _weak_cases(prefix: str, sound: _Fields) -> list[Case]:
    """A root key that is refused, under its own key id."""
    table = [
        ("of small order", SMALL),
        ("that is not canonical", b"\1" + curve.non_canonical_keys()[0]),
        ("of X25519", box_key("a").public),
        ("of 32 bytes", sound.key.public[1:]),
    ]
    return [
        Case(
            f"{prefix}, root key {what}, under its key id",
            sound.build(with_field(with_field(sound.fields, 5, [key, seed("promise")]), 6, key_id(key))),
            "refuse",
            "a key in the body is refused",
        )
        for what, key in table
    ]


def _statement_gives(found_fields: _Fields, trunk: Line) -> dict[str, Json]:
    raw = pack(found_fields.fields)
    digest = root_hash(raw)
    return {"hash": digest.hex(), "org": trunk.org.hex(), "n": _int(found_fields.fields[2])}


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _named(prefix: str, cases: list[Case]) -> list[Case]:
    return [replace(case, name=f"{prefix}, {case.name}") for case in cases]


def _genesis_table() -> list[tuple[int, object, str]]:
    key, promise = signing_key("root-0").public, key_hash(signing_key("root-1").public)
    return [
        (0, 0, "version 0"),
        (0, 2, "version 2"),
        (0, None, "version nil"),
        (0, True, "version true"),
        (1, id16("org"), "a genesis has no org"),
        (2, 1, "a genesis has n = 0"),
        (3, seed("x"), "a genesis follows nothing"),
        (4, 4, "a rotate cannot stand at n = 0"),
        (5, [key], "the body has two values"),
        (5, [key, promise, 0], "the body has two values"),
        (5, [key[1:], promise], "a key is 33 bytes"),
        (5, [SMALL, promise], "a key of small order"),
        (5, [box_key("a").public, promise], "an X25519 key cannot sign"),
        (5, [key, promise[:16]], "a promise is the whole hash of 32 bytes"),
        (5, [key, None], "a promise is binary"),
        (5, {}, "maps are not part of the format"),
        (6, id16("x"), "a genesis is signed by the key in its body"),
        (6, None, "the root key id is binary"),
    ]


def _node_table() -> list[tuple[int, object, str]]:
    key = signing_key("a").public
    return [
        (1, None, "only a genesis has no org"),
        (1, id16("org")[:15], "an org id is 16 bytes"),
        (1, "a" * 16, "an org id is binary"),
        (2, 0, "only a genesis has n = 0"),
        (2, 1000, "a chain has at most 1,000 statements"),
        (2, 2**63, "an integer must be below 2^63"),
        (2, -1, "negative integers are not part of the format"),
        (2, 1.0, "floats are not part of the format"),
        (3, None, "only a genesis follows nothing"),
        (3, seed("x")[:16], "the hash before is 32 bytes"),
        (4, 0, "unknown type"),
        (4, 5, "unknown type"),
        (5, [id16("a")], "the body has two values"),
        (5, [id16("a"), key, None], "the body has two values"),
        (5, [id16("a")[:15], key], "a node id is 16 bytes"),
        (5, [None, key], "a node id is binary"),
        (5, [id16("a"), SMALL], "a key of small order"),
        (5, [id16("a"), b"\1" + curve.non_canonical_keys()[0]], "a key that is not canonical"),
        (5, [id16("a"), box_key("a").public], "an X25519 key cannot sign"),
        (5, [id16("a"), b"\3" + key[1:]], "unknown algorithm"),
        (6, id16("x")[:15], "a key id is 16 bytes"),
    ]


def _end_table() -> list[tuple[int, object, str]]:
    cut = Cut((row("log", 3),)).to_value()
    two = [[b"\2" * 16, 1, seed("r")], [b"\1" * 16, 1, seed("r")]]
    return [
        (4, 0, "unknown type"),
        (4, 5, "unknown type"),
        (5, [id16("a"), 1], "the body has three values"),
        (5, [id16("a"), 1, cut, None], "the body has three values"),
        (5, [id16("a")[:15], 1, cut], "a node id is 16 bytes"),
        (5, [None, 1, cut], "a node id is binary"),
        (5, [id16("a"), None, cut], "a reason is an unsigned integer"),
        (5, [id16("a"), "sold", cut], "a reason is an unsigned integer"),
        (5, [id16("a"), 1, None], "a cut is an array"),
        (5, [id16("a"), 1, two], "the rows of a cut ascend"),
        (5, [id16("a"), 1, [[id16("log"), 0, seed("r")]]], "a size is at least 1"),
    ]


def _rotate_table() -> list[tuple[int, object, str]]:
    key = signing_key("root-1").public
    return [
        (4, 1, "a genesis cannot stand after n = 0"),
        (4, 2, "the body is not that of a node"),
        (5, [key], "the body has two values"),
        (5, [signing_key("x").public, seed("p")], "the key in the body is not the one that signs"),
        (5, [key, seed("p"), None], "the body has two values"),
        (5, [key, seed("p")[:16]], "a promise is the whole hash of 32 bytes"),
        (5, [key, None], "a promise is binary"),
        (6, signing_key("root-0").id, "a rotate is signed by the key in its body, not by the old one"),
    ]


def _envelope_cases(what: str, raw: bytes, key: SigningKey, limit: int) -> list[Case]:
    signature = key.sign_hash("root", root_hash(raw)) if what == "root" else key.sign_hash("log", log_hash(raw))
    fields, last = raw[1:], 18 if what == "root" else 35
    table: list[tuple[str, bytes, str]] = [
        ("signature of 64 bytes", pack([raw, signature[1:]]), "a signature is 65 bytes"),
        ("signature of 66 bytes", pack([raw, signature + b"\0"]), "a signature is 65 bytes"),
        ("signature nil", pack([raw, None]), "a signature is binary"),
        ("statement not wrapped in binary", b"\x92" + raw + pack(signature), "the statement travels as binary"),
        ("statement as text", pack(["a", signature]), "the statement travels as binary"),
        ("one value", pack([raw]), "the envelope has two values"),
        ("three values", pack([raw, signature, None]), "the envelope has two values"),
        ("a byte after the envelope", pack([raw, signature]) + b"\0", "bytes follow the value"),
        ("a byte after the statement", pack([raw + b"\0", signature]), "bytes follow the value"),
        (
            "array not in shortest form",
            pack([b"\xdc\0" + bytes([raw[0] & 15]) + fields, signature]),
            "not the shortest form",
        ),
        ("one field short", pack([bytes([raw[0] - 1]) + raw[1:-last], signature]), "the statement lacks a field"),
        (
            "one field more",
            pack([bytes([raw[0] + 1]) + fields + b"\0", signature]),
            "the statement has a field too many",
        ),
        ("over its size", pack([bytes(limit + 1), signature]), f"a statement is at most {limit} bytes"),
        ("empty", b"", "no value"),
    ]
    return [Case(f"envelope, {name}", {"envelope": made.hex()}, "refuse", why) for name, made, why in table]


def _log_fields() -> list[object]:
    good = log_statement()
    value = [1, good.org, good.node, good.sign_key_id, good.nonce, None, 0, good.witness_key, good.box_key]
    assert pack(value) == good.raw
    return value


def _log_given(fields: Sequence[object], key: SigningKey | None = None) -> dict[str, Json]:
    signer, raw = key or signing_key("node"), pack(list(fields))
    envelope = pack([raw, signer.sign_hash("log", log_hash(raw))])
    return {"sign_key": signing_key("node").public.hex(), "envelope": envelope.hex()}


def _log_statement_cases() -> list[Case]:
    fields, good = _log_fields(), log_statement()
    gives: dict[str, Json] = {"hash": log_hash(good.raw).hex(), "log": log_hash(good.raw)[:16].hex()}
    follows = with_field(with_field(fields, 5, good.log_id), 6, 4)
    unknown = with_field(fields, 6, 99)
    witness = [*fields[:7], good.witness_key]
    table: list[tuple[int, object, str]] = [
        (0, 2, "version 2"),
        (0, 0, "version 0"),
        (1, None, "an org id is binary"),
        (1, good.org + b"\0", "an org id is 16 bytes"),
        (2, good.node[:15], "a node id is 16 bytes"),
        (3, signing_key("x").id, "another sign key is named"),
        (3, good.sign_key_id + bytes(16), "a key id is 16 bytes"),
        (4, good.nonce[:15], "a nonce is 16 bytes"),
        (4, "a" * 16, "a nonce is binary"),
        (4, None, "a nonce is binary"),
        (5, b"", "a previous log is 16 bytes or nil"),
        (5, "a" * 16, "a previous log is binary or nil"),
        (6, None, "a reason is an unsigned integer"),
        (6, 2**63, "an integer must be below 2^63"),
        (7, None, "the witness key is missing"),
        (7, good.box_key, "a witness key is an Ed25519 key"),
        (7, SMALL, "a witness key of small order"),
        (7, signing_key("node").public, "the witness key is the sign key"),
        (8, good.witness_key, "a box key is an X25519 key"),
        (8, None, "the box key is missing"),
        (8, b"\2" + bytes(32), "a box key of small order"),
        (8, b"\2" + curve.P.to_bytes(32, "little"), "a box key that is not canonical"),
    ]
    sealed = pack([good.raw, flip(good.signature)]).hex()
    as_root = pack([good.raw, signing_key("node").sign_hash("root", log_hash(good.raw))]).hex()
    key = signing_key("node").public.hex()
    return [
        Case("first log", _log_given(fields), "accept", "a good statement", gives),
        Case("log after another", _log_given(follows), "accept", "previous log and reason 4 (backup)"),
        Case("reason of later versions", _log_given(unknown), "accept", "a reason is any unsigned integer"),
        *refusals(fields, table, _log_given),
        Case("signed by another key", _log_given(fields, signing_key("x")), "refuse", "not the node's key"),
        Case("signature altered", {"sign_key": key, "envelope": sealed}, "refuse", "does not hold"),
        Case(
            "signed as a root statement", {"sign_key": key, "envelope": as_root}, "refuse", "the text names the object"
        ),
        *(
            replace(case, given={"sign_key": key, **case.given})
            for case in _envelope_cases("log", pack(fields), signing_key("node"), 1024)
        ),
        Case("eight fields", _log_given(witness), "refuse", "a log statement has nine fields"),
    ]
