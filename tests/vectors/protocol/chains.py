"""Chains of root statements: what counts and what is refused."""

from collections.abc import Sequence
from dataclasses import replace

import msgpack

from federation.cut import Cut
from federation.keys import SigningKey, key_hash, signed_text
from federation.statements import KeyBody, RootStatement, decode_root_statement, root_hash, sign_root_statement
from tests.builders import Line, found, id16, row, seed, signing_key
from tests.vectors.protocol import curve
from tests.vectors.protocol.case import Case, flip, pack
from tests.vectors.protocol.chain import ENDED, LIVE, Chain
from tests.vectors.protocol.forks import fork_chains


def chain_cases() -> list[Case]:
    """Every case of the object root-chain."""
    chains = [*_plain(), *_ended(), *_refused(), *_used(), *fork_chains(), *_signatures()]
    chains += [*_unread(), *_backwards()]
    return [*(chain.to_case() for chain in chains), *_without_genesis()]


def _plain() -> list[Chain]:
    trunk = found()
    grown = trunk.node("a").node("b")
    rotated = trunk.node("a").rotate("root-1", "root-2").node("b")
    twice = trunk.rotate("root-1", "root-2").rotate("root-2", "root-3")
    return [
        Chain("genesis alone", "an organisation without nodes", [trunk], trunk, {}),
        Chain("two nodes", "each statement follows the one before", [grown], grown, {"a": LIVE, "b": LIVE}),
        Chain("rotation", "the promised key takes over", [rotated], rotated, {"a": LIVE, "b": LIVE}),
        Chain("two rotations", "each brings the key that was promised", [twice], twice, {}),
    ]


def _ended() -> list[Chain]:
    trunk = found().node("a")
    first, wider = Cut((row("a", 5),)), Cut((row("a", 9),))
    ended = trunk.end("a", first)
    widened = ended.end("a", wider)
    narrowed = ended.end("a", Cut((row("a", 4),))).node("b")
    emptied = ended.end("a", Cut())
    unknown = trunk.end("z").node("b")
    late = trunk.rotate("root-1", "root-2").end("a", first)
    return [
        Chain("ended node", "its log counts to 5", [ended], ended, {"a": ENDED}, cuts={"a": [first]}),
        Chain(
            "node ended after a rotation", "the new root key ends what the old one stated", [late], late,
            {"a": ENDED}, cuts={"a": [first]},
        ),
        Chain("widened cut", "a later cut keeps more", [widened], widened, {"a": ENDED}, cuts={"a": [first, wider]}),
        Chain(
            "narrowed cut", "a cut may only widen; the node after it is refused with it", [ended], ended, {"a": ENDED},
            refused=narrowed.statements[3:], cuts={"a": [first]},
        ),
        Chain(
            "cut taken back", "the empty cut keeps less", [ended], ended, {"a": ENDED},
            refused=emptied.statements[3:], cuts={"a": [first]},
        ),
        Chain(
            "end of a node that was never stated", "and all after it", [trunk], trunk, {"a": LIVE},
            refused=unknown.statements[2:],
        ),
    ]  # fmt: skip


def _refused() -> list[Chain]:
    trunk = found()
    a = trunk.node("a")
    thief, promised = signing_key("thief"), signing_key("root-1")
    good = a.node("b")
    damaged = replace(good.last, signature=flip(good.last.signature))
    other = replace(a, statements=(*a.statements, found("x", "y").node("c").last))
    table: list[tuple[str, str, Sequence[RootStatement]]] = [
        ("node id twice", "a node id is stated once", a.node("a", signing_key("new")).statements[2:]),
        ("sign key twice", "a key stands in one place", a.node("b", signing_key("a")).statements[2:]),
        ("root key as sign key", "a key stands in one place", a.node("b", signing_key("root-0")).statements[2:]),
        ("promised key as sign key", "a key stands in one place", a.node("b", promised).statements[2:]),
        ("signed by a stranger", "not the root key", a.say(good.last.body, thief).statements[2:]),
        ("signed by the promised key", "it is not in force yet", a.say(good.last.body, promised).statements[2:]),
        ("signature altered", "does not hold", [damaged]),
        ("rotate to a key that was not promised", "not the promise", a.rotate("thief", "root-2").statements[2:]),
        ("rotate that promises its own key", "a key in use", a.rotate("root-1", "root-1").statements[2:]),
        ("rotate that promises the old key", "a key in use", a.rotate("root-1", "root-0").statements[2:]),
        ("rotate that promises a sign key", "a key in use", a.rotate("root-1", "a").statements[2:]),
        ("a gap", "the statement before it is missing", good.node("c").statements[3:]),
        ("of another organisation", "its chain is another", other.statements[2:]),
        ("n that jumps", "n is one more than before", [_jump(a)]),
        ("another org named", "signed and in its place, of another organisation", [_read(_said(a, org=id16("x")))]),
        (
            "another root key named",
            "signed by the root key in force, under the id of the promised one",
            [_read(_said(a, root_key_id=promised.id))],
        ),
    ]
    cases = [Chain(name, why, [a], a, {"a": LIVE}, refused=refused) for name, why, refused in table]
    after = a.rotate("root-1", "root-2")
    late = after.say(good.last.body, signing_key("root-0")).statements[3:]
    return [
        *cases,
        Chain("the old root key after a rotation", "it is in force no more", [after], after, {"a": LIVE}, refused=late),
    ]


def _used() -> list[Chain]:
    """Node ids and keys stay used after a rotation and after the end of their node."""
    a = found().node("a")
    rotated, ended = a.rotate("root-1", "root-2"), a.end("a")
    new = signing_key("new")
    table: list[tuple[str, str, Line, Line]] = [
        ("node id of before a rotation", "a node id is stated once", rotated, rotated.node("a", new)),
        ("sign key of before a rotation", "a key stands in one place", rotated, rotated.node("b", signing_key("a"))),
        (
            "retired root key as sign key",
            "a key stands in one place",
            rotated,
            rotated.node("b", signing_key("root-0")),
        ),
        ("root key in force as sign key", "a key stands in one place", rotated, rotated.node("b", rotated.root)),
        ("retired root key promised", "a key in use", rotated, rotated.rotate("root-2", "root-0")),
        ("sign key of before a rotation promised", "a key in use", rotated, rotated.rotate("root-2", "a")),
        (
            "a promise redeemed twice on one branch",
            "root-2 is the promise",
            rotated,
            rotated.rotate("root-1", "root-3"),
        ),
        ("node id of an ended node", "a node id is stated once", ended, ended.node("a", new)),
        ("sign key of an ended node", "a key stands in one place", ended, ended.node("b", signing_key("a"))),
    ]
    states: dict[bytes, tuple[str, list[Cut]]] = {rotated.last.hash: (LIVE, []), ended.last.hash: (ENDED, [Cut()])}
    cases = []
    for name, why, line, longer in table:
        state, cuts = states[line.last.hash]
        refused = longer.node("after").statements[len(line.statements) :]
        case = Chain(name, f"{why}; the node after it goes with it", [line], line, {"a": state}, refused=refused)
        cases.append(replace(case, cuts={"a": cuts}))
    return cases


def _jump(line: Line) -> RootStatement:
    said = line.node("b").last
    return sign_root_statement(line.root, said.body, line.org, 5, line.last.hash)


def _said(line: Line, *, version: int = 1, org: bytes = b"", key: bytes = b"", root_key_id: bytes = b"") -> bytes:
    """The envelope of the node b after the line, rightly signed by its root key whatever it says."""
    body = [id16("b"), key or signing_key("b").public]
    fields = [version, org or line.org, line.last.n + 1, line.last.hash, 2, body, root_key_id or line.root.id]
    return _signed(line.root, pack(fields))


def _signed(key: SigningKey, raw: bytes) -> bytes:
    return pack([raw, key.sign_hash("root", root_hash(raw))])


def _read(envelope: bytes) -> RootStatement:
    return decode_root_statement(envelope)


def _after(line: Line, envelope: bytes) -> RootStatement:
    """The node c after a statement that cannot be read."""
    said = line.node("c").last
    raw = msgpack.unpackb(envelope)[0]
    return sign_root_statement(line.root, said.body, line.org, line.last.n + 2, root_hash(raw))


def _signatures() -> list[Chain]:
    trunk = found()
    a = trunk.node("a")
    broken = replace(a.last, signature=flip(a.last.signature))
    doubled = replace(a, statements=(*a.statements, broken))
    line = replace(a, statements=a.statements)
    other = curve.sign_with(seed("root-0"), signed_text("root", a.last.hash), nonce=7)
    twice = replace(a.node("b"), statements=(*a.node("b").statements, replace(a.last, signature=b"\1" + other)))
    first = replace(trunk.last, signature=flip(trunk.last.signature))
    founded = replace(a, statements=(first, *a.statements))
    return [
        Chain("one statement with a good and a bad signature", "the good one stands", [doubled], line, {"a": LIVE}),
        Chain(
            "one statement with a bad and a good signature", "the good one stands", [doubled], line, {"a": LIVE},
            backwards=True,
        ),
        Chain(
            "one statement with two good signatures", "one statement twice is no fork", [twice], a.node("b"),
            {"a": LIVE, "b": LIVE},
        ),
        Chain("genesis with a bad and a good signature", "the good one stands", [founded], line, {"a": LIVE}),
    ]  # fmt: skip


def _backwards() -> list[Chain]:
    """The last statement comes first: the order in which they came changes nothing."""
    trunk = found()
    a = trunk.node("a")
    grown, left, right = a.node("b").rotate("root-1", "root-2").node("c"), a.node("b"), a.node("c")
    owner, thief = a.rotate("root-1", "root-2").node("b"), trunk.rotate("root-1", "thief-2")
    return [
        Chain(
            "backwards", "each is judged after the one that it follows", [grown], grown,
            {"a": LIVE, "b": LIVE, "c": LIVE}, backwards=True,
        ),
        Chain("backwards, fork", "two non-rotates at n = 2", [left, right], a, {"a": LIVE}, fork=2, backwards=True),
        Chain(
            "backwards, thief of the current root key", "one promise redeemed twice", [owner, thief], trunk, {}, fork=1,
            backwards=True,
        ),
        Chain(
            "backwards, attested", "the attested branch stands", [owner, thief], owner, {"a": LIVE, "b": LIVE},
            attested=[owner.last], backwards=True,
        ),
        Chain(
            "backwards, with a refused statement", "and what follows it", [a], a, {"a": LIVE},
            refused=a.node("a", signing_key("new")).node("b").statements[2:], backwards=True,
        ),
    ]  # fmt: skip


def _unread() -> list[Chain]:
    """What cannot be read is refused alone, with what follows it; the rest of the set stands."""
    trunk = found()
    a = trunk.node("a")
    weak = b"\1" + curve.encode(curve.SMALL_ORDER[1])
    later, small = _said(a, version=2), _said(a, key=weak)
    other = signing_key("x")
    genesis = _signed(other, pack([2, None, 0, None, 1, [other.public, key_hash(signing_key("y").public)], other.id]))
    table: list[tuple[str, str, Sequence[RootStatement], bytes]] = [
        ("a statement of nonsense", "it counts nothing", [], b"nonsense"),
        ("a statement of version 2", "it is refused, and the node after it", [_after(a, later)], later),
        ("a sign key of small order", "it is refused, and the node after it", [_after(a, small)], small),
        ("a genesis of version 2 beside", "what cannot be read is no second genesis", [], genesis),
    ]
    return [
        Chain(name, why, [a], a, {"a": LIVE}, refused=refused, unreadable=[raw]) for name, why, refused, raw in table
    ]


def _without_genesis() -> list[Case]:
    trunk = found()
    own = signing_key("root-0")
    broken = replace(trunk.last, signature=flip(trunk.last.signature))
    itself = sign_root_statement(own, KeyBody(own.public, key_hash(own.public)))
    table: list[tuple[str, list[RootStatement], str]] = [
        ("no statement", [], "a chain has a genesis"),
        ("no genesis", list(trunk.node("a").statements[1:]), "a chain has a genesis"),
        ("two geneses", [trunk.last, found("x", "y").last], "a chain has one genesis"),
        ("genesis with a broken signature", [broken], "the genesis is not signed by its root key"),
        ("genesis that promises its own key", [itself], "the promised key is the root key itself"),
        ("two geneses of which one stands", [found("x", "y").last, broken], "both can be read"),
    ]
    return [
        *(
            Case(name, {"statements": [s.envelope().hex() for s in statements], "attested": []}, "refuse", why)
            for name, statements, why in table
        ),
        Case("nonsense", {"statements": [b"nonsense".hex()], "attested": []}, "refuse", "a chain has a genesis"),
    ]
