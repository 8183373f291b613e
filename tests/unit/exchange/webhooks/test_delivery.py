"""When an event is tried again, and how a hook is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.exchange.webhooks.delivery import DAY_US, Fault, Health, Outcome, Pace, Pause, Progress

PACE = Pace(first_s=1, longest_s=3600, give_up_days=5)
FAILED = Outcome(0, Fault.CONNECTION)
TAKEN = Outcome.of_status(204)
NOW = 1_790_000_000_000_000


def failed(progress: Progress, times: int, every_us: int) -> Progress:
    """After so many failures at the same event."""
    for n in range(times):
        progress = progress.after(FAILED, 8, NOW + n * every_us, PACE, 0.5)
    return progress


def test_taken_event_moves_the_place_and_forgets_failures() -> None:
    """Once an event is taken the next one is due at once, and the hook is good again."""
    progress = failed(Progress(7), 3, 1).after(TAKEN, 8, NOW + 9, PACE, 0.5)
    assert progress == Progress(8, tries=4, taken=1, taken_us=NOW + 9)
    assert progress.health is Health.GOOD


def test_event_that_was_not_taken_stays_and_waits_longer_each_time() -> None:
    """The place stays; the waits double, up to the longest."""
    progress, waits = Progress(7), []
    for _ in range(20):
        progress = progress.after(FAILED, 8, NOW, PACE, 1.0)
        waits.append((progress.next_us - NOW) / 1e6)
    assert (progress.cursor, progress.attempts, progress.error) == (7, 20, "connection")
    assert waits[:5] == [1, 2, 4, 8, 16]
    assert waits[-1] == 3600
    assert progress.health is Health.FAILING


@given(st.integers(1, 10**6), st.floats(0, 1), st.floats(0, 10**6))
def test_wait_is_between_half_the_interval_and_the_longest(attempts: int, chance: float, asked_s: float) -> None:
    """Chance takes up to a half away, and a receiver that asks for time gets no more than the longest interval."""
    interval_s = min(3600.0, 2.0 ** min(attempts - 1, 62))
    assert interval_s * 0.5e6 - 1 <= PACE.delay_us(attempts, chance, asked_s) <= 3600e6


def test_receiver_that_asks_for_time_gets_it() -> None:
    """The seconds of Retry-After are waited for where they are more than the interval."""
    progress = Progress(7).after(Outcome.of_status(503, retry_after_s=30), 8, NOW, PACE, 0.0)
    assert progress.next_us == NOW + 30_000_000


def test_hook_pauses_after_days_without_a_success() -> None:
    """When nothing was taken for the days that were set the hook stops where it is, and goes on when it is let."""
    progress = failed(Progress(7), 5, DAY_US)
    assert progress.paused == ""
    progress = progress.after(FAILED, 8, NOW + 5 * DAY_US, PACE, 0.5)
    assert (progress.paused, progress.health, progress.cursor) == (Pause.FAILING, Health.PAUSED, 7)
    resumed = progress.resumed()
    assert (resumed.paused, resumed.next_us, resumed.failing_us, resumed.cursor) == ("", 0, 0, 7)


def test_receiver_that_is_gone_stops_the_hook_at_once() -> None:
    """An answer 410 says that nobody wants the events any more."""
    assert Progress(7).after(Outcome.of_status(410), 8, NOW, PACE, 0.5).paused == Pause.GONE


def test_pause_by_hand_during_an_attempt_stays_by_hand() -> None:
    """How an attempt ends does not change why a hook was stopped while it lasted."""
    stopped = Progress(7).stopped(Pause.HAND)
    assert stopped.after(Outcome.of_status(410), 8, NOW, PACE, 0.5).paused == Pause.HAND
    assert stopped.after(TAKEN, 8, NOW, PACE, 0.5).paused == Pause.HAND


@pytest.mark.parametrize(
    ("status", "fault"), [(200, None), (204, None), (299, None), (301, "redirect"), (307, "redirect"), (199, "refused"),
                          (400, "refused"), (500, "refused")]
)  # fmt: skip
def test_status_says_whether_it_was_taken(status: int, fault: str | None) -> None:
    """Two hundred and so on is taken, a redirect is not followed, all else is refused."""
    assert Outcome.of_status(status).fault == fault
