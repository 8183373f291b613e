"""GPS time and leap seconds."""

import pytest

from lora.gpstime import SECOND_US, gps_from_utc_us, leap_seconds, utc_from_gps_us


@pytest.mark.parametrize(
    ("utc_s", "leaps"),
    [(315_964_800, 0), (1_136_073_599, 13), (1_136_073_600, 14), (1_483_228_799, 17), (1_483_228_800, 18)],
)
def test_leap_seconds_change_on_their_days(utc_s: int, leaps: int) -> None:
    """GPS was 13 s ahead of UTC until 2006, 17 s until 2017, and is 18 s ahead since."""
    assert leap_seconds(utc_s) == leaps


def test_known_moment_in_both_scales() -> None:
    """2020-01-01T00:00:00Z is GPS second 1,261,872,018."""
    assert gps_from_utc_us(1_577_836_800 * SECOND_US) == 1_261_872_018 * SECOND_US


@pytest.mark.parametrize("utc_s", [315_964_800, 1_136_073_599, 1_136_073_600, 1_483_228_800, 1_800_000_000])
def test_round_trip_keeps_every_microsecond(utc_s: int) -> None:
    """UTC to GPS and back is the same microsecond, on both sides of a leap second."""
    for rest_us in (0, 1, 999_999):
        utc_us = utc_s * SECOND_US + rest_us
        assert utc_from_gps_us(gps_from_utc_us(utc_us)) == utc_us
