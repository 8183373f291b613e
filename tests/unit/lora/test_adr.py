"""The rule of adaptive data rate, as a table: where a row comes from stands in it."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lora.adr import HISTORY, Limits, Settings, decide, note, summarise

FLOORS_DB = (-20.0, -17.5, -15.0, -12.5, -10.0, -7.5)
LIMITS = Limits(5, 7, FLOORS_DB)
SLOW, LOUD = replace(LIMITS, max_dr=3), replace(LIMITS, max_tx_power=4)
# Where the rule of a row comes from.
CS = "ChirpStack, default algorithm"
SEMTECH = "Semtech, simple rate adaptation"
STANDARD = "LoRaWAN 1.0.3, 4.3.1.1 and 5.2"
OURS = "this network"


@dataclass(frozen=True)
class Row:
    """One case: SNRs oldest first, counter steps, what is used, and what is to be used (None for no change)."""

    what: str
    source: str
    snrs: tuple[float, ...]
    now: Settings
    then: Settings | None
    limits: Limits = field(default=LIMITS)
    gaps: tuple[int, ...] = ()


def full(snr_db: float) -> tuple[float, ...]:
    return (snr_db,) * HISTORY


def gaps(lost: int) -> tuple[int, ...]:
    """Counter steps of a full history in which so many frames are missing."""
    return (1, 1 + lost, *[1] * (HISTORY - 2))


ROWS = (
    Row("nothing was heard", OURS, (), Settings(0), None),
    Row("a margin of less than a step changes nothing", SEMTECH, full(5.4), Settings(5), None),
    Row("a whole step takes power back at the fastest rate", SEMTECH, full(5.5), Settings(5), Settings(5, 1)),
    Row("less than a step raises no rate", SEMTECH, full(-4.6), Settings(1, 3), None),
    Row("a step raises the rate before it takes power", CS, full(-4.5), Settings(1, 3), Settings(2, 3)),
    Row("steps over after the fastest rate take power back", CS, full(5.0), Settings(3, 0), Settings(5, 0)),
    Row("two rates and one power", CS, full(6.5), Settings(3, 0), Settings(5, 1)),
    Row("from the slowest to the fastest at once", CS, full(5.0), Settings(0), Settings(5)),
    Row("the least power is the end", CS, full(40.0), Settings(5, 6), Settings(5, 7)),
    Row("nothing below the least power", CS, full(40.0), Settings(5, 7), None),
    Row("the best of the uplinks counts", SEMTECH, (-15.0, 5.5, -15.0), Settings(5), Settings(5, 1)),
    Row("steps up need no full history", CS, (5.5,), Settings(5), Settings(5, 1)),
    Row("a step down wants a full history", CS, full(-5.5)[1:], Settings(5, 3), None),
    Row("a step down gives power", CS, full(-0.5), Settings(5, 3), Settings(5, 2)),
    Row("less than a whole step down is none", CS, full(-0.4), Settings(5, 3), None),
    Row("three steps down", CS, full(-6.5), Settings(5, 3), Settings(5, 0)),
    Row("never more than full power, never a slower rate", CS, full(-20.0), Settings(5, 2), Settings(5, 0)),
    Row("at full power the device slows down by itself", STANDARD, full(-20.0), Settings(5, 0), None),
    Row("a rate over the limit is lowered", CS, full(0.0), Settings(5), Settings(4), replace(LIMITS, max_dr=4)),
    Row(
        "a channel without the fastest rate bounds it",
        OURS,
        full(9.0),
        Settings(0),
        Settings(3, 3),
        SLOW,
    ),
    Row(
        "a power over the limit is raised",
        OURS,
        full(3.0),
        Settings(5, 7),
        Settings(5, 4),
        LOUD,
    ),
    Row("a radio without full power", CS, full(-20.0), Settings(5, 3), Settings(5, 1), replace(LIMITS, min_tx_power=1)),
    Row("the margin is the network's", SEMTECH, full(5.5), Settings(5), Settings(5, 2), replace(LIMITS, margin_db=5.0)),
    Row("rates without LoRa at 125 kHz are left alone", CS, full(20.0), Settings(6), None),
    Row("below 5 % one transmission is enough", CS, full(3.0), Settings(5, 0, 2), Settings(5, 0, 1), gaps=gaps(0)),
    Row("below 5 % three become two", CS, full(3.0), Settings(5, 0, 3), Settings(5, 0, 2), gaps=gaps(0)),
    Row("below 10 % it stays", CS, full(3.0), Settings(5, 0, 2), None, gaps=gaps(1)),
    Row("below 30 % one more", CS, full(3.0), Settings(5, 0, 1), Settings(5, 0, 2), gaps=gaps(2)),
    Row("below 30 % two become three", CS, full(3.0), Settings(5, 0, 2), Settings(5, 0, 3), gaps=gaps(5)),
    Row("from 30 % on three", CS, full(3.0), Settings(5, 0, 1), Settings(5, 0, 3), gaps=gaps(6)),
    Row("three is the most", CS, full(3.0), Settings(5, 0, 3), None, gaps=gaps(1000)),
    Row("losses count in a full history only", CS, full(3.0)[1:], Settings(5, 0, 1), None, gaps=gaps(6)[1:]),
    Row("a gap before the oldest uplink is of another history", CS, full(3.0), Settings(5), None, gaps=(7, *[1] * 19)),
)


def history_of(row: Row) -> bytes:
    history = b""
    for snr_db, gap in zip(row.snrs, row.gaps or (1,) * len(row.snrs), strict=True):
        history = note(history, snr_db, gap)
    return history


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_rule_decides_as_its_source_says(row: Row) -> None:
    """Rate, power and repetitions follow from what was heard, as the source of the row says."""
    assert decide(history_of(row), row.now, row.limits) == row.then


def test_history_keeps_the_last_twenty_uplinks() -> None:
    """The best SNR of 20 uplinks ago counts no more, nor does a loss before them."""
    history = note(note(b"", 12.0, 1), -3.0, 50)
    for _ in range(HISTORY - 1):
        history = note(history, -3.0, 1)

    assert len(history) == 60
    assert (summarise(history).heard, summarise(history).best_snr_db, summarise(history).lost) == (20, -3.0, 0)


@given(
    st.lists(st.tuples(st.floats(), st.integers(0, 2**32)), max_size=50),
    st.builds(Settings, st.integers(0, 15), st.integers(0, 15), st.integers(0, 15)),
    st.builds(Limits, st.integers(0, 5), st.integers(0, 14), st.just(FLOORS_DB), st.floats(0, 40), st.just(0)),
)
def test_what_is_decided_stays_within_the_limits(heard: list[tuple[float, int]], now: Settings, limits: Limits) -> None:
    """Whatever was heard, no rate or power is asked for that the limits do not have, and no slower rate within them."""
    history = b""
    for snr_db, gap in heard:
        history = note(history, snr_db, gap)

    then = decide(history, now, limits)

    if then is not None:
        assert then != now
        assert min(now.dr, limits.max_dr) <= then.dr <= limits.max_dr
        assert 0 <= then.tx_power <= limits.max_tx_power
        assert 1 <= then.nb_trans <= 3 or then.nb_trans == now.nb_trans
