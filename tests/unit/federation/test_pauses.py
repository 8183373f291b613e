"""Pauses between tries."""

from itertools import pairwise

from federation.sync.pauses import Pauses
from tests.fakes import FakeRandom


def test_pauses_grow_up_to_the_longest_and_start_again() -> None:
    """Each pause is about twice the one before, none is over the longest, and a good try makes the next one short."""
    pauses = Pauses(lambda size: bytes([255]) * size, first_s=1, most_s=10)

    found = [pauses.next() for _ in range(6)]

    assert [round(pause) for pause in found] == [1, 2, 4, 8, 10, 10]
    pauses.reset()
    assert round(pauses.next()) == 1


def test_pauses_of_two_nodes_differ() -> None:
    """Half of each pause is drawn, so that nodes do not come back together; no pause is under half of its length."""
    one, other = (Pauses(FakeRandom(seed).bytes, first_s=1, most_s=64) for seed in (1, 2))

    drawn = [(one.next(), other.next()) for _ in range(6)]

    assert all(left != right for left, right in drawn)
    assert all(2**at / 2 <= pause <= 2**at for at, pair in enumerate(drawn) for pause in pair)
    assert all(before < after * 2 for (before, _), (after, _) in pairwise(drawn))
