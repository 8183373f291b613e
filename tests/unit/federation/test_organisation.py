"""Chains of root statements: two statements with one n, in every order of arrival."""

import itertools
import random
import time
from collections.abc import Sequence

import pytest

from federation import organisation
from federation.cut import Cut
from federation.errors import StatementError
from federation.organisation import Chain
from federation.statements import RootStatement
from tests.builders import Line, found, id16, row, signing_key


def statements(*lines: Line) -> list[RootStatement]:
    return list({s.envelope(): s for line in lines for s in line.statements}.values())


def summary(chain: Chain) -> object:
    """All that a chain answers, in a form to compare."""
    fork = chain.fork and (chain.fork.n, chain.fork.left.hash, chain.fork.right.hash)
    refused = sorted((s.envelope(), why) for s, why in chain.refused)
    return [s.hash for s in chain.path], fork, dict(chain.nodes), chain.root_key, chain.promise, refused


def in_every_order(found_statements: Sequence[RootStatement], attested: Sequence[bytes] = ()) -> Chain:
    """The chain, after asserting that no order of arrival changes it: every order of five, a sample of more."""
    chain, mixer = Chain(found_statements, attested), random.Random(5)
    every = itertools.permutations(found_statements)
    sample = (mixer.sample(found_statements, len(found_statements)) for _ in range(120))
    for order in every if len(found_statements) <= 5 else sample:
        assert summary(Chain(order, attested)) == summary(chain)
    return chain


def names(chain: Chain) -> set[str]:
    """The states of the nodes named with one letter: `a` live, `a-` ended, `a!` disowned."""
    letters = {id16(letter): letter for letter in "abcdefgx"}
    marks = {(False, False): "", (True, False): "-", (True, True): "!"}
    return {letters[e.node] + marks[e.ended is not None, e.disowned] for e in chain.nodes.values()}


TRUNK = found()
A = TRUNK.node("a")
ROTATED = TRUNK.rotate("root-1", "root-2")


def test_chain_without_forks() -> None:
    """Statements that follow each other all count."""
    line = A.node("b").rotate("root-1", "root-2").end("a")

    chain = in_every_order(line.statements)

    assert chain.head == line.last
    assert chain.org_id == line.org
    assert names(chain) == {"a-", "b"}
    assert chain.root_key == signing_key("root-1").public
    assert chain.fork is None
    assert not chain.refused


def test_rotate_beats_a_non_rotate() -> None:
    """The rotate counts, the node beside it and the one after that are disowned with an empty cut."""
    chain = in_every_order(statements(A.node("b"), ROTATED.node("c")))

    assert names(chain) == {"a!", "b!", "c"}
    assert chain.nodes[id16("a")].ended == Cut()
    assert chain.fork is None


def test_rotate_voids_a_fork() -> None:
    """Two non-rotates at one n that a rotate voids are no fork."""
    chain = in_every_order(statements(A, TRUNK.node("b"), ROTATED))

    assert chain.fork is None
    assert names(chain) == {"a!", "b!"}


def test_rotate_voids_a_fork_further_on() -> None:
    """A fork among statements that are voided already does not count either."""
    chain = in_every_order(statements(A.node("b"), A.node("c"), ROTATED.node("d")))

    assert chain.fork is None
    assert names(chain) == {"a!", "b!", "c!", "d"}


def test_two_non_rotates_are_a_fork() -> None:
    """From the n of the fork nothing counts, and what hangs on it is unknown, not disowned."""
    chain = in_every_order(statements(A.node("b").node("d"), A.node("c").node("e")))

    assert chain.fork is not None
    assert chain.fork.n == 2
    assert {chain.fork.left.hash, chain.fork.right.hash} == {A.node("b").last.hash, A.node("c").last.hash}
    assert chain.head == A.last
    assert names(chain) == {"a"}


def test_fork_leaves_standing_what_was_voided_before() -> None:
    """A node that a rotate disowned stays disowned when the chain forks later."""
    chain = in_every_order(statements(A, ROTATED.node("b"), ROTATED.node("c")))

    assert chain.fork is not None
    assert chain.fork.n == 2
    assert names(chain) == {"a!"}


def test_rotate_after_a_fork_does_not_heal_it() -> None:
    """A rotate on one branch voids nothing at an earlier n."""
    chain = in_every_order(statements(A.rotate("root-1", "root-2"), TRUNK.node("b")))

    assert chain.fork is not None
    assert chain.fork.n == 1


def test_thief_of_the_current_root_key() -> None:
    """Redeeming the promise again at a smaller n does not undo the owner's rotation: it is a fork."""
    owner = A.node("b").rotate("root-1", "root-2")
    thief = TRUNK.rotate("root-1", "thief-2").node("x")

    chain = in_every_order(statements(owner, thief))

    assert chain.fork is not None
    assert chain.fork.n == 1
    assert {chain.fork.left.hash, chain.fork.right.hash} == {owner.last.hash, thief.statements[1].hash}
    assert chain.path == [TRUNK.last]
    assert names(chain) == set()


def test_promise_redeemed_again_later() -> None:
    """Of two rotates that redeem one promise the earlier does not win: it is a fork at its n."""
    owner = A.rotate("root-1", "root-2").node("b")
    late = A.node("c").node("d").rotate("root-1", "thief-2")

    chain = in_every_order(statements(owner, late))

    assert chain.fork is not None
    assert chain.fork.n == 2
    assert chain.head == A.last


def test_thief_without_the_promised_key() -> None:
    """Who has the root key alone is undone by the owner's rotate, however much he said."""
    thief = A.node("x").end("a").node("f")
    owner = A.rotate("root-1", "root-2").node("b")

    chain = in_every_order(statements(thief, owner))

    assert names(chain) == {"a", "b", "x!", "f!"}
    assert chain.head == owner.last


def test_flood_of_a_thief_does_not_push_out_the_rotate() -> None:
    """However many statements the root key signed beside it, the rotate is found."""
    flood = [TRUNK.node(f"flood-{number}") for number in range(300)]

    chain = Chain(statements(*flood, ROTATED.node("a")))

    assert chain.head == ROTATED.node("a").last
    assert sum(entry.disowned for entry in chain.nodes.values()) == 300


def test_attestation_ends_a_fork() -> None:
    """The attested branch counts; nodes of the other are disowned."""
    left, right = A.node("b"), A.node("c").node("d")

    chain = in_every_order(statements(left, right), [right.statements[2].hash])

    assert chain.fork is None
    assert names(chain) == {"a", "c", "d", "b!"}


def test_attestation_of_the_owner_against_a_thief() -> None:
    """The owner's rotation stands again when the anchors name it, or anything before it on its branch."""
    owner = A.node("b").rotate("root-1", "root-2")
    thief = TRUNK.rotate("root-1", "thief-2").node("x")
    for named in owner.statements[1:]:
        chain = in_every_order(statements(owner, thief), [named.hash])
        assert chain.head == owner.last
        assert names(chain) == {"a", "b", "x!"}


def test_attestation_does_not_end_the_next_fork() -> None:
    """After an attested branch a promise redeemed twice, at two n, is a fork again."""
    owner = A.rotate("root-1", "root-2")
    thief = TRUNK.rotate("root-1", "thief-2")
    second = owner.rotate("root-2", "root-3")
    late = owner.node("b").rotate("root-2", "thief-3")

    chain = in_every_order(statements(second, late, thief), [owner.last.hash])

    assert chain.fork is not None
    assert chain.fork.n == 3
    assert chain.head == owner.last


def test_attestation_of_a_branch_that_forks_again_below() -> None:
    """Naming a statement before both redemptions of a promise chooses neither."""
    base = TRUNK.node("a").node("b")
    early, late = base.rotate("root-1", "root-2"), base.node("c").node("d").rotate("root-1", "thief-2")
    beside = TRUNK.rotate("root-1", "other-2")

    chain = in_every_order(statements(early, late, beside), [base.last.hash])

    assert chain.fork is not None
    assert chain.fork.n == 3
    assert names(chain) == {"a", "b"}


def test_attestation_of_both_branches() -> None:
    """Anchors that name both branches choose none."""
    left, right = A.node("b"), A.node("c")
    chain = in_every_order(statements(left, right), [left.last.hash, right.last.hash])
    assert chain.fork is not None
    assert chain.fork.n == 2


def test_attestation_of_the_trunk_or_of_nothing() -> None:
    """A statement before the fork, or one that is not here, chooses no branch."""
    forked = statements(A.node("b"), A.node("c"))
    for named in (A.last.hash, TRUNK.last.hash, bytes(32)):
        chain = Chain(forked, [named])
        assert chain.fork is not None
        assert chain.fork.n == 2


def test_attested_branch_holds_against_a_rotate() -> None:
    """What the anchors chose is not voided by a rotate at its n."""
    chain = in_every_order(statements(A.node("b"), A.rotate("root-1", "root-2")), [A.node("b").last.hash])
    assert chain.head == A.node("b").last


def test_widened_cut_keeps_the_earlier_ones() -> None:
    """A node ended twice keeps both cuts, the later as the one in force."""
    first, wider = Cut((row("a", 5),)), Cut((row("a", 9),))
    entry = in_every_order(A.end("a", first).end("a", wider).statements).nodes[id16("a")]
    assert (entry.ended, entry.earlier) == (wider, (first,))


@pytest.mark.parametrize("narrower", [Cut(), Cut((row("a", 4),)), Cut((row("b", 9),)), Cut((row("a", 5, "fork"),))])
def test_narrowed_cut(narrower: Cut) -> None:
    """An end-node that keeps less is refused, and all after it."""
    line = A.end("a", Cut((row("a", 5),)))
    chain = in_every_order(line.end("a", narrower).node("b").statements)
    assert chain.head == line.last
    assert chain.refused[0][1].endswith("narrows the cut of a node")
    assert len(chain.refused) == 2


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (A.node("a", signing_key("new")), "stated twice"),
        (A.node("b", signing_key("a")), "states a key a second time"),
        (A.node("b", signing_key("root-0")), "states a key a second time"),
        (A.node("b", signing_key("root-1")), "states a key a second time"),
        (A.end("b"), "never stated"),
        (A.say(A.last.body, signing_key("x")), "not signed by the root key"),
        (A.rotate("x", "root-2"), "does not bring the promised key"),
        (A.rotate("root-1", "root-0"), "promises a key that is in use"),
        (A.rotate("root-1", "root-1"), "promises a key that is in use"),
        (A.rotate("root-1", "a"), "promises a key that is in use"),
        (ROTATED.say(A.last.body, signing_key("root-0")), "not signed by the root key"),
    ],
)
def test_statement_that_breaks_its_rule(line: Line, why: str) -> None:
    """A statement that breaks the rule of its type is refused and takes what follows it along."""
    longer = line.node("f")
    chain = in_every_order(longer.statements)
    assert chain.path == list(line.statements[:-1])
    assert why in next(found for refused, found in chain.refused if refused == line.last)
    assert any(refused == longer.last for refused, _ in chain.refused)


def test_sign_key_again_after_its_statement_was_voided() -> None:
    """What a voided statement used may be stated again on the branch that counts."""
    chain = in_every_order(statements(A, ROTATED.node("a")))
    assert names(chain) == {"a"}


def test_statement_under_two_signatures() -> None:
    """A copy with a broken signature neither refuses the good one nor forks with it."""
    broken = type(A.last)(**{name: getattr(A.last, name) for name in A.last.__slots__} | {"signature": bytes(65)})
    chain = in_every_order([*A.statements, broken])
    assert chain.head.hash == A.last.hash
    assert chain.fork is None


def test_statement_with_a_gap() -> None:
    """Without the one before it a statement does not count."""
    line = A.node("b").node("c")
    chain = in_every_order([line.statements[0], line.statements[1], line.statements[3]])
    assert chain.head == A.last
    assert "follows nothing that stands" in chain.refused[0][1]


def test_set_without_one_genesis() -> None:
    """A set with no genesis, two, or one that is badly signed is no chain."""
    other = found("x", "y")
    broken = type(A.last)(**{name: getattr(TRUNK.last, name) for name in A.last.__slots__} | {"signature": bytes(65)})
    for given in ([], [A.last], [TRUNK.last, other.last], [broken]):
        with pytest.raises(StatementError):
            Chain(given)


def test_genesis_that_promises_itself() -> None:
    """A promise of the key in force is no promise."""
    with pytest.raises(StatementError, match="the root key itself"):
        Chain(found("root-0", "root-0").statements)


def test_unknown_node() -> None:
    """A node that was never stated is not found."""
    assert Chain(A.statements).node(id16("b")) is None
    assert Chain(A.statements).node(id16("a")) is not None


def test_rotates_without_end_are_read_in_linear_time() -> None:
    """Whoever has the promised key holds nobody up with rotates that redeem it, however long the chain before is."""
    chain = TRUNK
    for number in range(400):
        chain = chain.node(f"node-{number}")
    rotates = [chain.rotate("root-1", f"root-{number + 2}") for number in range(400)]
    said = statements(*rotates)
    started = time.process_time()

    found_chain = Chain(said)

    assert found_chain.fork is not None
    assert found_chain.fork.n == chain.last.n + 1
    assert time.process_time() - started < 1.0


def test_kept_are_those_that_count_before_a_flood(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a flood of branches as many are kept as there is room for, and whatever they were, all read the same."""
    monkeypatch.setattr(organisation, "MAX_KEPT", 12)
    flood = [TRUNK.node(f"flood-{number}").node(f"more-{number}") for number in range(20)]
    owner = ROTATED.node("a").node("b").node("c")
    for line, said in ((owner, statements(*flood, owner)), (TRUNK, statements(*flood))):
        chain = Chain(said)

        kept = chain.kept()

        assert len(kept) == 12
        again = Chain(kept)
        assert not again.refused
        assert again.path == chain.path == list(line.statements)
        assert (again.fork and again.fork.n) == (chain.fork and chain.fork.n)


def test_kept_are_both_rotates_of_a_fork_however_far_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rotate that redeems a promise again further on is kept with all that it follows, else the fork were over."""
    late = A.node("c").node("d").node("e").rotate("root-1", "thief-2")
    flood = [A.node(f"flood-{number}") for number in range(20)]
    chain = Chain(statements(A.rotate("root-1", "root-2"), late, *flood))
    monkeypatch.setattr(organisation, "MAX_KEPT", 8)

    again = Chain(chain.kept())

    assert again.fork == chain.fork
    assert chain.fork is not None
    assert {s.hash for s in late.statements} <= {s.hash for s in chain.kept()}


def test_kept_end_where_their_bytes_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept of all branches travels as one chain, in no more bytes than the longest chain may have."""
    flood = [A.node(f"flood-{number}") for number in range(20)]
    chain = Chain(statements(*flood))
    monkeypatch.setattr(organisation, "MAX_KEPT_SIZE", 1000)

    assert 0 < sum(len(statement.envelope()) for statement in chain.kept()) <= 1000
