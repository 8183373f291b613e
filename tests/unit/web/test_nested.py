"""Fields of forms with names of several parts, as one value."""

from node.web.nested import name_of, nest


def test_names_with_points_make_lists_and_mappings() -> None:
    """Numbers are places of a list, in their order; what is empty is left out and its row closes up."""
    fields = {"code": "x", "steps.10.code": "b", "steps.2.code": "a", "steps.2.title.ru": "", "steps.7.code": ""}

    assert nest(fields) == {"code": "x", "steps": [{"code": "a"}, {"code": "b"}]}


def test_names_that_contradict_each_other_lose_the_later_one() -> None:
    """A field inside a text, one twice, and one of too many parts do no harm."""
    fields = {"a": "text", "a.b": "inside", "c.d": "in", "c": "text", ".".join("x" * 20): "deep", "e..f": "gap"}

    assert nest(fields) == {"a": "text", "c": {"d": "in"}, "e": {"": {"f": "gap"}}}


def test_place_of_a_value_gives_the_name_of_its_field() -> None:
    """What a rule says of a place is told beside the field."""
    assert name_of(("steps", 0, "title")) == "steps.0.title"
