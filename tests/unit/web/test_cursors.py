"""Cursors come back only as they were given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import InputError
from node.web.cursors import Cursors

PLACES = st.lists(st.integers(-(2**63), 2**63 - 1) | st.text(max_size=40), min_size=1, max_size=4)


@given(PLACES)
def test_cursor_gives_back_its_place(place: list[int | str]) -> None:
    """What was encoded is decoded, whatever the place."""
    cursors = Cursors(b"secret")
    assert cursors.decode("list", cursors.encode("list", *place), *map(type, place)) == place


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.hex()))
def test_any_other_text_is_refused_as_a_cursor(text: str) -> None:
    """A text that this node never gave raises the cursor's own error and nothing else."""
    with pytest.raises(InputError, match="cursor"):
        Cursors(b"secret").decode("list", text, int)


def test_cursor_of_another_list_node_or_version_is_refused() -> None:
    """A cursor holds for one list of one node with one kind of place."""
    text = Cursors(b"secret").encode("list", 7)
    for cursors, name, kind in (
        (Cursors(b"secret"), "other", int),
        (Cursors(b"another"), "list", int),
        (Cursors(b"secret"), "list", str),
    ):
        with pytest.raises(InputError):
            cursors.decode(name, text, kind)
