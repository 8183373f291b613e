"""Laws of the digest: two views have one digest exactly where every value in them is the same, type included."""

import json
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from node.passport.view import Plain, View, digest

texts = st.text(max_size=12)
leaves = st.none() | st.booleans() | st.integers(0, 2**63 - 1) | texts
plains: st.SearchStrategy[Plain] = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=20
)
views = st.dictionaries(texts, plains, min_size=1, max_size=5)


@given(views, st.data())
def test_whatever_is_put_in_place_of_a_value_alters_the_digest(view: View, data: st.DataObject) -> None:
    """A value, a list or an object in a view stands under the digest: put anything else there and it is another one."""
    path = data.draw(st.sampled_from(list(places(view))))
    other = replaced(view, path, data.draw(plains))

    assert (digest(cast("View", other)) == digest(view)) == (spelled(other) == spelled(view))


@given(views, st.data())
def test_what_is_added_to_a_view_or_taken_from_it_alters_the_digest(view: View, data: st.DataObject) -> None:
    """A name more or a name less is another view, whatever stands under it."""
    name = data.draw(texts.filter(lambda text: text not in view))
    gone = data.draw(st.sampled_from(sorted(view)))

    more = {**view, name: data.draw(plains)}
    less = {key: value for key, value in view.items() if key != gone}

    assert len({digest(view), digest(more), digest(less)}) == 3


def places(value: Plain, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where something stands, the view itself left out."""
    items: list[tuple[str | int, Plain]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [place for key, inner in items for place in ((*path, key), *places(inner, (*path, key)))]


def replaced(value: Plain, path: tuple[str | int, ...], other: Plain) -> Plain:
    if not path:
        return other
    if isinstance(value, dict):
        key = cast("str", path[0])
        return {**value, key: replaced(value[key], path[1:], other)}
    at, items = cast("int", path[0]), cast("list[Plain]", value)
    return [*items[:at], replaced(items[at], path[1:], other), *items[at + 1 :]]


def spelled(value: Plain) -> str:
    """One text for each value: `1`, `true` and `"1"` differ in it."""
    return json.dumps(value, sort_keys=True)
