"""Fifty nodes of one federation, parted for a day of virtual time."""

import pytest

from tests.simulation.fifty import DAY_S, GUESTS, MEMBERS, POLL_S, play

WITHIN_S = 120.0
MANY = 4 * MEMBERS * DAY_S / POLL_S


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.req("B74")
def test_fifty_nodes_hold_the_same_soon_after_a_day_apart() -> None:
    """All converge within minutes of healing, what each node asked, answered and moved is told, and is bounded."""
    report = play()

    print(report.text())
    assert len(report.rows) == MEMBERS + GUESTS == 50
    assert report.apart > 0
    assert report.settled_s < WITHIN_S
    for row in report.rows:
        assert row.logs == 50
        assert row.entries > 100
        assert 0 < row.asked < MANY
        assert 0 < row.answered < MANY
        assert row.bytes_in > 0 < row.bytes_out
