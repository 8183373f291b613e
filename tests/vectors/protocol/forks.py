"""Chains of root statements with two at one n: what is voided, what is forked, what anchors attest."""

from tests.builders import found
from tests.vectors.protocol.chain import DISOWNED, LIVE, Chain


def fork_chains() -> list[Chain]:
    """Two statements with one n, as section 1.7 judges them."""
    return [*_rotates(), *_thieves(), *_attested()]


def _rotates() -> list[Chain]:
    """A rotate beats a non-rotate at its n and voids what followed that."""
    trunk = found()
    old = trunk.node("a").node("b")
    fresh = trunk.rotate("root-1", "root-2")
    left, right = trunk.node("a"), trunk.node("b")
    again = trunk.rotate("root-1", "root-2").node("a")
    deeper = trunk.node("k").rotate("root-1", "root-2")
    return [
        Chain(
            "rotate beats a node", "and voids the node after it too", [old, fresh], fresh,
            {"a": DISOWNED, "b": DISOWNED},
        ),
        Chain(
            "rotate beats a fork", "two non-rotates that a rotate voids are no fork", [left, right, fresh], fresh,
            {"a": DISOWNED, "b": DISOWNED},
        ),
        Chain("voided node stated again", "the statement that counts stands", [left, again], again, {"a": LIVE}),
        Chain(
            "rotate after a fork", "two non-rotates at n = 1; the rotate at n = 2 voids neither",
            [deeper, right], trunk, {}, fork=1,
        ),
        Chain(
            "fork after a rotate", "what the rotate voided stays disowned",
            [left, fresh.node("x"), fresh.node("y")], fresh, {"a": DISOWNED}, fork=2,
        ),
    ]  # fmt: skip


def _thieves() -> list[Chain]:
    trunk = found()
    a = trunk.node("a")
    owner = a.node("b").rotate("root-1", "root-2").node("c")
    thief = trunk.rotate("root-1", "thief-2").node("evil")
    beside = a.node("b").rotate("root-1", "thief-2")
    behind = owner.back_to(2, "root-0").node("late").node("later").rotate("root-1", "thief-2")
    return [
        Chain(
            "two non-rotates at one n", "the root key said two things", [a.node("b"), a.node("c")], a, {"a": LIVE},
            fork=2,
        ),
        Chain(
            "fork and what follows it", "statements after the fork do not count, nor are their nodes disowned",
            [a.node("b").node("d"), a.node("c").node("e").node("f")], a, {"a": LIVE}, fork=2,
        ),
        Chain(
            "thief of the current root key", "with root-1 he redeems at n = 1 the promise that the owner redeemed at 3",
            [owner, thief], trunk, {}, fork=1,
        ),
        Chain(
            "one promise redeemed twice at one n", "two rotates side by side",
            [owner, beside], a.node("b"), {"a": LIVE, "b": LIVE}, fork=3,
        ),
        Chain(
            "one promise redeemed again at a later n", "the earlier rotate does not win by being earlier",
            [owner, behind], owner.back_to(2, "root-0"), {"a": LIVE, "b": LIVE}, fork=3,
        ),
        Chain(
            "thief of a retired root key", "he can still fork at an old n: only an attestation ends that",
            [owner, trunk.node("evil")], trunk, {}, fork=1,
        ),
        Chain(
            "thief without the promised key", "he cannot rotate, and the owner's rotate voids what he said",
            [a.node("evil").node("evil-2"), a.rotate("root-1", "root-2").node("b")],
            a.rotate("root-1", "root-2").node("b"), {"a": LIVE, "b": LIVE, "evil": DISOWNED, "evil-2": DISOWNED},
        ),
    ]  # fmt: skip


def _attested() -> list[Chain]:
    trunk = found()
    a = trunk.node("a")
    left, right = a.node("b"), a.node("c").node("d")
    owner = a.node("b").rotate("root-1", "root-2").node("c")
    thief = trunk.rotate("root-1", "thief-2").node("evil")
    second = owner.rotate("root-2", "root-3")
    late = owner.node("x").rotate("root-2", "thief-3")
    stranger = found("x", "y")
    mended, astray = a.rotate("root-1", "root-2").node("x"), trunk.node("z").rotate("root-1", "root-3")
    return [
        Chain(
            "attested branch of a fork", "the other one is voided", [left, right], right,
            {"a": LIVE, "c": LIVE, "d": LIVE, "b": DISOWNED}, attested=[right.statements[2]],
        ),
        Chain(
            "attested by its last statement", "a hash stands for all that it follows", [left, right], right,
            {"a": LIVE, "c": LIVE, "d": LIVE, "b": DISOWNED}, attested=[right.last],
        ),
        Chain(
            "both branches attested", "that chooses none", [left, right], a, {"a": LIVE}, fork=2,
            attested=[left.last, right.last],
        ),
        Chain(
            "trunk attested", "a statement before the fork chooses no branch", [left, right], a, {"a": LIVE}, fork=2,
            attested=[a.last],
        ),
        Chain(
            "unknown hash attested", "it is of no statement here", [left, right], a, {"a": LIVE}, fork=2,
            attested=[stranger.last],
        ),
        Chain(
            "owner attested against the thief", "the owner's rotation stands again", [owner, thief], owner,
            {"a": LIVE, "b": LIVE, "c": LIVE, "evil": DISOWNED}, attested=[owner.statements[3]],
        ),
        Chain(
            "thief attested", "the anchors decide, right or wrong", [owner, thief], thief,
            {"evil": LIVE, "a": DISOWNED, "b": DISOWNED, "c": DISOWNED}, attested=[thief.last],
        ),
        Chain(
            "promise redeemed beside an attested statement", "that rotate does not follow the path's end: no fork",
            [mended, astray], mended, {"a": LIVE, "x": LIVE, "z": DISOWNED}, attested=[a.last],
        ),
        Chain(
            "second theft after an attestation", "an attested branch can fork again further on",
            [second, late, thief], owner, {"a": LIVE, "b": LIVE, "c": LIVE, "evil": DISOWNED}, fork=5,
            attested=[owner.statements[3]],
        ),
        Chain(
            "attested statement against a rotate", "the anchors' choice holds against a rotate at its n",
            [left, right, a.rotate("root-1", "root-2")], left, {"a": LIVE, "b": LIVE, "c": DISOWNED, "d": DISOWNED},
            attested=[left.last],
        ),
    ]  # fmt: skip
