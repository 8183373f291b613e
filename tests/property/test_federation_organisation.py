"""Laws of chains: any set of statements, honest or not, gives one answer in every order."""

from hypothesis import given
from hypothesis import strategies as st

from federation.organisation import Chain
from federation.statements import RootStatement, StatementType
from tests.builders import Line, found, id16
from tests.laws import cases
from tests.unit.federation.test_organisation import summary

STEPS = ("a", "b", "end-a", "rotate", "thief")


def step(line: Line, name: str) -> Line:
    """The branch with one more statement: by the owner, or by a thief of the promised key."""
    rotations = sum(s.type is StatementType.ROTATE for s in line.statements)
    if name == "end-a":
        return line.end("a")
    if name in ("rotate", "thief"):
        before = "" if line.statements[-1].type is not StatementType.ROTATE or name == "rotate" else "thief-"
        return line.rotate(f"{before}root-{rotations + 1}", f"{'thief-' * (name == 'thief')}root-{rotations + 2}")
    return line.node(f"{name}-{line.last.n}")


@st.composite
def trees(draw: st.DrawFn) -> list[RootStatement]:
    """Statements of several branches that grow from one another."""
    branches = [found()]
    for _ in range(draw(st.integers(1, 7))):
        line = draw(st.sampled_from(branches))
        branches.append(step(line, draw(st.sampled_from(STEPS))))
    return list({s.envelope(): s for line in branches for s in line.statements}.values())


@given(trees(), st.data())
@cases(150)
def test_order_of_arrival_changes_nothing(statements: list[RootStatement], data: st.DataObject) -> None:
    """Equal sets of statements and attestations give equal chains."""
    attested = data.draw(st.lists(st.sampled_from([s.hash for s in statements]), max_size=2))
    mixed = data.draw(st.permutations(statements))
    assert summary(Chain(mixed, attested)) == summary(Chain(statements, reversed(attested)))


@given(trees())
@cases(150)
def test_chain_counts_by_the_rule(statements: list[RootStatement]) -> None:
    """The path is a chain from the genesis on; where it passes a statement by, a rotate won; else it ends in a fork."""
    chain = Chain(statements)
    refused = {s.hash for s, _ in chain.refused}
    standing = [s for s in statements if s.hash not in refused]

    assert [s.n for s in chain.path] == list(range(len(chain.path)))
    assert all(s.previous == before.hash for before, s in zip(chain.path, chain.path[1:], strict=False))
    for before, chosen in zip(chain.path, chain.path[1:], strict=False):
        beside = [s for s in standing if s.previous == before.hash and s.hash != chosen.hash]
        assert not beside or chosen.type is StatementType.ROTATE
        assert all(s.type is not StatementType.ROTATE for s in beside)
    after = [s for s in standing if s.previous == chain.head.hash]
    assert bool(after) == (chain.fork is not None)
    assert chain.fork is None or chain.fork.n == chain.head.n + 1


@given(trees(), st.data())
@cases(150)
def test_one_attestation_leads_to_its_statement(statements: list[RootStatement], data: st.DataObject) -> None:
    """A single attested statement that stands is on the path, whatever else was said."""
    refused = {s.hash for s, _ in Chain(statements).refused}
    standing = [s for s in statements if s.hash not in refused]
    named = data.draw(st.sampled_from(standing))
    assert named in Chain(statements, [named.hash]).path


@given(trees())
@cases(100)
def test_disowned_nodes_count_nothing(statements: list[RootStatement]) -> None:
    """A disowned node is on no counted branch and keeps nothing of any log."""
    chain = Chain(statements)
    for entry in chain.nodes.values():
        if entry.disowned:
            assert entry.counted_size(id16("log"), lambda _: bytes(32)) == 0
