"""Cuts: what they keep, and that they only widen."""

import pytest

from federation import codec
from federation.cut import Cut, CutRow
from federation.errors import CodecError
from federation.organisation import NodeEntry
from tests.builders import id16, row, seed


def cut(*rows: CutRow) -> Cut:
    return Cut(tuple(sorted(rows, key=lambda r: r.log)))


def test_cut_reads_what_it_writes() -> None:
    """A cut survives its array form."""
    made = cut(row("a", 5), row("b", 2**63 - 1))
    assert Cut.from_value(made.to_value()) == made


def test_cut_with_doubled_log() -> None:
    """One log has one row."""
    with pytest.raises(CodecError, match="not ascending or not unique"):
        Cut.from_value([[id16("a"), 1, seed("r")], [id16("a"), 2, seed("r")]])


def test_cut_over_64_rows() -> None:
    """A cut has at most 64 rows."""
    rows: list[codec.Value] = [[bytes(14) + n.to_bytes(2, "big"), 1, seed("r")] for n in range(65)]
    assert len(Cut.from_value(rows[:64]).rows) == 64
    with pytest.raises(CodecError):
        Cut.from_value(rows)


def test_cut_counts_under_its_root_only() -> None:
    """A row counts up to its size if the root is the log's, else nothing."""
    kept = cut(row("a", 5))
    assert kept.counted_size(id16("a"), {5: seed("tree")}.get) == 5
    assert kept.counted_size(id16("a"), {5: seed("other")}.get) == 0
    assert kept.counted_size(id16("a"), lambda _: None) == 0
    assert kept.counted_size(id16("b"), {5: seed("tree")}.get) == 0


@pytest.mark.parametrize(
    ("wider", "answer"),
    [
        (cut(row("a", 5)), True),
        (cut(row("a", 6, "later")), True),
        (cut(row("a", 5), row("b", 1)), True),
        (cut(row("a", 5, "fork")), False),
        (cut(row("a", 4)), False),
        (cut(row("b", 9)), False),
        (cut(), False),
    ],
)
def test_cut_widens(wider: Cut, answer: bool) -> None:
    """A cut widens another if it keeps at least what that one keeps."""
    assert wider.widens(cut(row("a", 5))) is answer


def test_cut_with_a_root_of_nowhere_takes_nothing_back() -> None:
    """A later, larger row with a false root leaves standing what the earlier cut kept."""
    entry = NodeEntry(id16("n"), b"", cut(row("a", 9, "nowhere")), earlier=(cut(row("a", 5)),))
    roots = {5: seed("tree"), 9: seed("real")}

    assert entry.counted_size(id16("a"), roots.get) == 5
    assert NodeEntry(id16("n"), b"").counted_size(id16("a"), roots.get) is None
    assert NodeEntry(id16("n"), b"", Cut(), disowned=True).counted_size(id16("a"), roots.get) == 0
