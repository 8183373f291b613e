"""What one asker may take: rates, questions at once, bytes in hand."""

from contextlib import ExitStack

import pytest

from federation.errors import BusyError
from federation.sync.allowance import MAX_ASKERS, Allowance, Budget, Daily, TokenBucket, Turns
from tests.builders import id16

NEAR, FAR = id16("near"), id16("far")
SMALL = Allowance(requests_s=2, requests_burst=3, bytes_s=10, bytes_burst=100, at_once=2)


def taken(turns: Turns, node: bytes, now: float, size: int = 0) -> float:
    """Take a turn and give it back: 0, or the seconds to wait."""
    try:
        with turns.turn(node, now) as bytes_of:
            bytes_of.take(size, now)
    except BusyError as error:
        return error.retry_s
    return 0


def test_bucket_gives_a_burst_and_then_its_rate() -> None:
    """After a silence as much as the burst comes at once, then what the rate brings; a debt is waited out."""
    bucket = TokenBucket(rate=2, burst=4)

    bucket.take(10, 0)

    assert bucket.wait(0) == pytest.approx(4)  # a debt of 6 at 2 a second, and one second more
    assert bucket.wait(2.9) > 0
    assert bucket.wait(3.1) == 0
    bucket.take(0, 1000)
    bucket.take(4, 1000)
    assert bucket.wait(1000) > 0


def test_clock_that_goes_back_fills_nothing_and_takes_nothing() -> None:
    """A clock that was set back by a day neither opens the bucket nor keeps it shut."""
    bucket = TokenBucket(rate=1, burst=2)
    bucket.take(2, 100_000)

    assert bucket.wait(13_600) > 0
    assert bucket.wait(13_603) == 0


def test_node_that_asks_too_often_waits_and_others_do_not() -> None:
    """A node over its rate is told how long to wait; another one is answered meanwhile; later it is answered again."""
    turns = Turns(SMALL)

    waits = [taken(turns, NEAR, 0) for _ in range(5)]

    assert waits[:3] == [0, 0, 0]
    assert all(wait >= 1 for wait in waits[3:])
    assert taken(turns, FAR, 0) == 0
    assert taken(turns, NEAR, 2) == 0


def test_node_that_took_too_many_bytes_waits_for_them() -> None:
    """What an answer came to beyond the burst is a debt of bytes."""
    turns = Turns(SMALL)

    assert taken(turns, NEAR, 0, size=150) == 0

    assert taken(turns, NEAR, 1) == pytest.approx(5)  # a debt of 40 at 10 a second, and one second more
    assert taken(turns, NEAR, 6) == 0


def test_node_has_a_bounded_number_of_questions_open() -> None:
    """Questions that are being answered count, whatever carries them; one that ends makes room."""
    turns = Turns(Allowance(at_once=2))
    with ExitStack() as open_questions:
        for _ in range(2):
            open_questions.enter_context(turns.turn(NEAR, 0))
        assert taken(turns, NEAR, 0) == 1
        assert taken(turns, FAR, 0) == 0
    assert taken(turns, NEAR, 0) == 0


def test_askers_are_remembered_in_bounded_memory() -> None:
    """However many nodes ask, the oldest is forgotten, and nothing else of it is kept."""
    turns = Turns(SMALL)
    for number in range(MAX_ASKERS + 100):
        assert taken(turns, number.to_bytes(16), 0) == 0
    assert len(turns) == MAX_ASKERS


def test_bytes_in_hand_have_one_limit_over_all() -> None:
    """What does not fit is put off; all is given back at the end."""
    budget = Budget(100)
    with budget.hold(60) as hold:
        with pytest.raises(BusyError), budget.hold(50):
            raise AssertionError("no room was left")
        assert budget.held == 60
        hold.take(40)
        assert budget.held == 100
        with pytest.raises(BusyError):
            hold.take(1)
    assert budget.held == 0


def test_answers_that_one_organisation_does_not_read_leave_room_for_others() -> None:
    """What it was sent and has not taken is a part of all at most; what it reads makes room again."""
    budget = Budget(400)
    with budget.hold_for(NEAR, 60):
        with pytest.raises(BusyError), budget.hold_for(NEAR, 60):
            raise AssertionError("it holds more than its part")
        with budget.hold_for(FAR, 60):
            assert budget.held == 120
    with budget.hold_for(NEAR, 200):
        assert budget.held == 200  # one answer is sent however large it is
    assert budget.held == 0


def test_day_is_counted_once_though_the_clock_goes_back_over_midnight() -> None:
    """New marks are counted by organisation up to a number; the next day begins anew, the one before does not."""
    daily = Daily()
    assert [daily.take(NEAR, mark, 7, 2) for mark in (b"a", b"b", b"a", b"c")] == [True, True, False, None]
    assert daily.take(FAR, b"c", 7, 2) is True
    assert daily.take(NEAR, b"c", 6, 2) is None
    assert daily.take(NEAR, b"c", 7, 2) is None
    assert daily.take(NEAR, b"c", 8, 2) is True
    assert daily.take(NEAR, b"d", 2, 1) is True  # a clock that was wrong by days is set right
