"""One frame over several gateways."""

from lora.dedup import WINDOW_US, Collected, Deduplicator
from lora.identifiers import Eui
from lora.radio import Reception
from tests.unit.lora.builders import GATEWAYS, START_US, make_heard

FIRST, SECOND = GATEWAYS[:2]


def take(dedup: Deduplicator, payload: bytes, gateway: Eui, at_us: int, snr_db: float = 0.0) -> list[Collected]:
    due = list(dedup.pop_due(at_us))
    dedup.add(Reception(gateway, make_heard(payload, snr_db=snr_db), at_us))
    return due


def test_frame_over_two_gateways_is_one_with_the_best_first() -> None:
    """The same bytes over two gateways 150 ms apart are one frame with two receptions, best SNR first."""
    dedup = Deduplicator()
    take(dedup, b"frame", FIRST, START_US, snr_db=-3.0)
    take(dedup, b"frame", SECOND, START_US + 150_000, snr_db=6.0)

    (collected,) = dedup.pop_due(START_US + WINDOW_US)

    assert [reception.gateway for reception in collected.receptions] == [SECOND, FIRST]
    assert collected.first_us == START_US


def test_frame_heard_once_waits_for_the_window_and_no_longer() -> None:
    """A frame heard once comes out 200 ms after it was heard, whatever came in between."""
    dedup = Deduplicator()
    take(dedup, b"frame", FIRST, START_US)
    take(dedup, b"other", FIRST, START_US + 100_000)

    assert dedup.next_timeout() == START_US + 200_000
    assert list(dedup.pop_due(START_US + 199_999)) == []
    assert [one.payload for one in dedup.pop_due(START_US + 200_000)] == [b"frame"]


def test_later_reception_does_not_move_the_end() -> None:
    """A reception within the window does not lengthen it."""
    dedup = Deduplicator()
    take(dedup, b"frame", FIRST, START_US)
    take(dedup, b"frame", SECOND, START_US + 199_000)

    assert dedup.next_timeout() == START_US + 200_000


def test_same_bytes_after_the_window_are_another_frame() -> None:
    """What comes after the window is not added to what came before: it is judged on its own."""
    dedup = Deduplicator()
    take(dedup, b"frame", FIRST, START_US)

    (due,) = take(dedup, b"frame", SECOND, START_US + 200_000)

    assert len(due.receptions) == 1
    assert dedup.next_timeout() == START_US + 400_000


def test_gateway_that_hears_a_frame_twice_counts_once() -> None:
    """Of two receptions by one gateway the better one stays."""
    dedup = Deduplicator()
    take(dedup, b"frame", FIRST, START_US, snr_db=-20.0)
    take(dedup, b"frame", FIRST, START_US + 1, snr_db=5.0)

    (collected,) = dedup.pop_due(START_US + WINDOW_US)

    assert [reception.snr_db for reception in collected.receptions] == [5.0]


def test_clock_set_back_does_not_hold_frames() -> None:
    """When the node's clock is set back, what waited comes out at once."""
    dedup = Deduplicator()
    take(dedup, b"frame", FIRST, START_US)

    assert len(list(dedup.pop_due(START_US - 3_600_000_000))) == 1


def test_too_many_different_frames_are_refused_not_kept() -> None:
    """Memory is bounded: beyond the limit a new frame is refused, and a further reception of a known one is not."""
    dedup = Deduplicator(max_pending=1)
    take(dedup, b"frame", FIRST, START_US)

    assert not dedup.add(Reception(FIRST, make_heard(b"other"), START_US))
    assert dedup.add(Reception(SECOND, make_heard(b"frame"), START_US))


def test_what_another_gateway_brings_late_is_of_the_closed_frame() -> None:
    """Within a second and a half of the first reception, once for each gateway; later the bytes are another frame."""
    dedup = Deduplicator()
    take(dedup, b"frame", FIRST, START_US)
    list(dedup.pop_due(START_US + WINDOW_US))

    late = dedup.find_closed(Reception(SECOND, make_heard(b"frame"), START_US + 900_000))

    assert late is not None
    assert ([one.gateway for one in late.receptions], late.first_us) == ([FIRST, SECOND], START_US)
    for gateway, at_us in (
        (FIRST, START_US + 900_000),
        (SECOND, START_US + 950_000),
        (GATEWAYS[2], START_US + 1_500_001),
    ):
        assert dedup.find_closed(Reception(gateway, make_heard(b"frame"), at_us)) is None
    assert dedup.find_closed(Reception(SECOND, make_heard(b"other"), START_US + 900_000)) is None


def test_closed_frames_are_forgotten() -> None:
    """No more closed frames are held than may wait, and none longer than it can be late."""
    dedup = Deduplicator(max_pending=3)
    for number in range(10):
        take(dedup, bytes([number]), FIRST, START_US + number * WINDOW_US)
    list(dedup.pop_due(START_US + 10 * WINDOW_US))

    held = [
        number
        for number in range(10)
        if dedup.find_closed(Reception(SECOND, make_heard(bytes([number])), START_US + 10 * WINDOW_US)) is not None
    ]

    assert held == [7, 8, 9]
