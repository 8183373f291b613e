"""Twenty nodes of one federation, parted for a day of virtual time; `make sim` plays fifty."""

import pytest

from tests.simulation.apart import DAY_S, MEMBERS, POLL_S, play

WITHIN_S = 120.0
GUESTS = 15
NODES = MEMBERS + GUESTS
MANY = 4 * MEMBERS * DAY_S / POLL_S


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.req("B74")
def test_twenty_nodes_hold_the_same_soon_after_a_day_apart() -> None:
    """All converge within minutes of healing, what each node asked, answered and moved is told, and is bounded."""
    report = play(MEMBERS, GUESTS)

    print(report.text())
    assert len(report.rows) == NODES
    assert report.apart > 0
    assert report.settled_s < WITHIN_S
    for row in report.rows:
        assert row.logs == NODES
        assert row.entries > 2 * NODES
        assert 0 < row.asked < MANY
        assert 0 < row.answered < MANY
        assert row.bytes_in > 0 < row.bytes_out
