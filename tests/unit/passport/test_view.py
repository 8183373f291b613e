"""The digest of a view, and what may be asked of it."""

import pytest

from node.passport.view import Plain, View, digest, inside_on, moment_at, moment_us, value_on

ROWS: list[Plain] = [
    {"since": None, "value": "1", "level": 1},
    {"since": "2026-01-10", "value": "2", "level": 5},
    {"since": "2026-02-01T12:00:00Z", "value": "3", "level": 5},
    {"since": "2026-03-01", "value": "4", "level": 1},
]
VIEW: View = {
    "parameters": {"dn": {"values": ROWS}},
    "composition": {
        "children": [
            {"part": "a", "since": "2026-01-01", "until": "2026-02-01", "used": True},
            {"part": "b", "since": "2026-02-01", "until": None, "used": True},
            {"part": "c", "since": "2026-01-01", "until": None, "used": False},
        ]
    },
}


@pytest.mark.parametrize(
    ("day", "value"),
    [
        ("2025-12-31", "1"),
        ("2026-01-10", "2"),
        ("2026-01-31", "2"),
        ("2026-02-01", "3"),
        ("2026-02-01T11:59:59Z", "2"),
        ("2026-03-05", "3"),
        (None, "3"),
    ],
)
def test_value_on_a_day_is_the_highest_rank_then_the_latest(day: str | None, value: str) -> None:
    """A later value of a lower rank does not replace; a day counts to its end."""
    row = value_on(VIEW, "dn", day)

    assert row is not None
    assert row["value"] == value


def test_value_of_an_unknown_parameter_is_none() -> None:
    """Where nothing was said there is no row."""
    assert value_on(VIEW, "q3", "2026-01-01") is None


@pytest.mark.parametrize(("day", "parts"), [("2025-12-31", []), ("2026-01-31", ["a"]), ("2026-02-01", ["b"])])
def test_inside_on_a_day_leaves_out_what_is_disputed(day: str, parts: list[str]) -> None:
    """What was inside on a day follows from the edges that are used."""
    assert [edge["part"] for edge in inside_on(VIEW, day)] == parts


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"a": 1}, {"a": True}),
        ({"a": 0}, {"a": False}),
        ({"a": None}, {"a": False}),
        ({"a": "1"}, {"a": 1}),
        ({"a": []}, {"a": {}}),
        ({"a": ["b", 1]}, {"a": True}),
        ({"a": [["k", "v"]]}, {"a": {"k": "v"}}),
        ({"a": "x", "b": None}, {"a": "x"}),
    ],
)
def test_digest_tells_values_apart(one: View, two: View) -> None:
    """Two views that differ in a value or in its type have two digests."""
    assert digest(one) != digest(two)


def test_digest_does_not_depend_on_the_order_of_keys() -> None:
    """An object has one spelling."""
    assert digest({"a": 1, "b": {"c": 2, "d": 3}}) == digest({"b": {"d": 3, "c": 2}, "a": 1})


@pytest.mark.parametrize(
    "text", ["2026-13-01", "2026-02-30", "2026-01-01T25:00:00Z", "2026-01-01T00:00:00", "0000-01-01"]
)
def test_moment_that_is_none_is_refused(text: str) -> None:
    """A text of the right shape may still name no day."""
    with pytest.raises(ValueError, match=r"."):
        moment_us(text)


@pytest.mark.parametrize(
    ("micros", "shown"),
    [
        (0, "1970-01-01T00:00:00+00:00"),
        (1_790_000_000_123_456, "2026-09-21T14:13:20.123456+00:00"),
        (2**63 - 1, "9999-12-31T23:59:59+00:00"),
        (-(2**63), "0001-01-01T00:00:00+00:00"),
    ],
)
def test_moment_beyond_the_calendar_is_its_end(micros: int, shown: str) -> None:
    """Every number that a statement may carry as a time can be shown."""
    assert moment_at(micros).isoformat() == shown


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_moment_at_the_edge_of_the_calendar_is_counted_in_any_zone(text: str) -> None:
    """A zone may move a written time over the edge: it is a number, and no fault."""
    assert abs(moment_us(text)) > 62_000_000_000_000_000
