"""How much of a log counts: the least that anything leaves of it, in whatever order it came."""

import itertools

import pytest

from federation.counting import ALL, Counted, Loss, counted_of, sizes_asked
from federation.cut import Cut, CutRow
from federation.organisation import Chain
from tests.builders import Line, Writer, found, id16, row

LOG = id16("log")
WRITER = Writer(log=LOG).write(10)
STATED = found().node("node")


def cut(size: int, root: bytes | None = None) -> Cut:
    """A cut of the log at a size, with its root there or another one."""
    return Cut((CutRow(LOG, size, root or WRITER.root(size)),))


def counted(
    *lines: Line, size: int = 10, forked_at: int | None = None, cosigned: int = 0, ends: object = ()
) -> Counted:
    """What counts of the log of which `size` entries are here."""

    def root_at(asked: int) -> bytes | None:
        return WRITER.root(asked) if asked <= size else None

    chain = Chain([s for line in lines for s in line.statements])
    return counted_of(LOG, chain.node(id16("node")), root_at, forked_at, cosigned, ends)  # type: ignore[arg-type]  # as given


@pytest.mark.parametrize(
    ("found_out", "expected"),
    [
        pytest.param(counted(STATED), ALL, id="nothing ends it"),
        pytest.param(counted(STATED.end("node", cut(4))), Counted(4, Loss.ENDED), id="ended at 4"),
        pytest.param(counted(STATED.end("node")), Counted(0, Loss.ENDED), id="ended, the log not named"),
        pytest.param(counted(STATED.end("node", Cut((row("other", 4),)))), Counted(0, Loss.ENDED), id="another log"),
        pytest.param(counted(STATED.end("node", cut(4, b"x" * 32))), Counted(0, Loss.ENDED), id="another root"),
        pytest.param(counted(STATED.end("node", cut(8)), size=7), Counted(0, Loss.ENDED), id="root not known yet"),
        pytest.param(
            counted(STATED.end("node", cut(4)).end("node", cut(6))), Counted(6, Loss.ENDED), id="the cut was widened"
        ),
        pytest.param(
            counted(STATED.end("node", cut(4)).end("node", cut(8)), size=7), Counted(4, Loss.ENDED), id="wider, unknown"
        ),
        pytest.param(counted(STATED, found().rotate("root-1", "root-2")), Counted(0, Loss.DISOWNED), id="disowned"),
        pytest.param(
            counted(STATED, found().rotate("root-1", "root-2").node("node")), ALL, id="stated again by the next key"
        ),
        pytest.param(counted(STATED.rotate("root-1", "root-2")), ALL, id="rotated after it was stated"),
        pytest.param(counted(STATED, found().node("other")), Counted(0, Loss.PENDING), id="the chain is forked"),
        pytest.param(counted(STATED, forked_at=3), Counted(3, Loss.FORKED), id="forked at 3"),
        pytest.param(counted(STATED, forked_at=3, cosigned=5), Counted(5, Loss.FORKED), id="forked, more cosigned"),
        pytest.param(counted(STATED.end("node", cut(4)), forked_at=3), Counted(3, Loss.FORKED), id="ended and forked"),
        pytest.param(
            counted(STATED.end("node", cut(4)), forked_at=6), Counted(4, Loss.ENDED), id="forked past the cut"
        ),
        pytest.param(counted(STATED, ends=[[cut(5), cut(2)]]), Counted(5, Loss.LEFT), id="membership, the wider cut"),
        pytest.param(counted(STATED, ends=[[cut(5)], [cut(2)]]), Counted(2, Loss.LEFT), id="two ends of membership"),
        pytest.param(counted(STATED, ends=[[]]), Counted(0, Loss.LEFT), id="an end without a cut"),
    ],
)
def test_counted_size_is_the_least_that_anything_leaves(found_out: Counted, expected: Counted) -> None:
    """Cuts, forks and ends of membership each keep the entries below a size; the smallest of these holds."""
    assert found_out == expected


def test_counted_size_is_equal_for_every_order_of_statements() -> None:
    """Ends that widen, a rotate and what it voids give one size, however they arrive."""
    line = STATED.end("node", cut(4)).end("node", cut(6)).rotate("root-1", "root-2")
    stray = line.back_to(3, "root-0").node("stray")

    found_out = set()
    for order in itertools.permutations([*line.statements, stray.last]):
        found_out.add(counted_of(LOG, Chain(order).node(id16("node")), WRITER.root))

    assert found_out == {Counted(6, Loss.ENDED)}


def test_sizes_of_all_cuts_are_asked_for() -> None:
    """Every root that may decide is named beforehand: of the last cut, of those before it, and of further ends."""
    node = Chain(STATED.end("node", cut(4)).end("node", cut(6)).statements).node(id16("node"))

    assert sizes_asked(LOG, node, [[cut(2)]]) == {2, 4, 6}
    assert sizes_asked(LOG, Chain(STATED.statements).node(id16("node"))) == frozenset()
