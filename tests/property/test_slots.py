"""Sets of places and figures on a shelf: bits, numbers and slices say the same as plain sets of Python."""

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from node.store.slots import (
    CAPACITY,
    change_figures,
    common_bits,
    encode_slots,
    list_bits,
    part_figures,
    places_of,
    read_bits,
)

PLACES = st.one_of(
    st.sets(st.integers(0, CAPACITY - 1), max_size=60),
    st.sets(st.integers(0, CAPACITY - 1), min_size=200, max_size=400),  # on both sides of where numbers become bits
    st.integers(1, 9).map(lambda step: set(range(0, CAPACITY, step))),
)


@given(st.lists(PLACES, min_size=1, max_size=4))
def test_common_places_are_those_of_all_sets(sets: list[set[int]]) -> None:
    """However a set is stored, its bits are its places, and what several have in common is their intersection."""
    stored = [encode_slots(places) for places in sets]

    assert [set(places_of(read_bits(raw))) for raw in stored] == sets
    shared = common_bits(stored)
    assert set(places_of(shared)) == reduce(set.intersection, sets)
    assert places_of(shared) == [place for place, held in enumerate(list_bits(shared)) if held]
    assert len(list_bits(shared)) == CAPACITY


@given(st.dictionaries(st.integers(0, CAPACITY - 1), st.integers(0, 255), max_size=50), PLACES, st.integers(0, 255))
def test_figures_part_places_by_a_bound(numbers: dict[int, int], among: set[int], bound: int) -> None:
    """Places with a smaller byte and with that byte are told apart; a place without a byte has 0."""
    raw = change_figures(b"", numbers.items()) if numbers else b""

    smaller, same = part_figures(raw, read_bits(encode_slots(among)), bound)

    assert set(places_of(smaller)) == {place for place in among if numbers.get(place, 0) < bound}
    assert set(places_of(same)) == {place for place in among if numbers.get(place, 0) == bound}
