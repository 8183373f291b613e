"""GPS time, which DeviceTimeAns and TS003 speak: seconds since 1980-01-06 UTC with no leap seconds.

The offset to UTC stands here and nowhere else, so that it cannot leak into stored times, which are all UTC.
"""

from bisect import bisect_right
from datetime import UTC, datetime

SECOND_US = 1_000_000
GPS_EPOCH_S = 315_964_800
# Days from which UTC has had one more leap second since the GPS epoch (IERS Bulletin C).
_LEAPS = (
    (1981, 7), (1982, 7), (1983, 7), (1985, 7), (1988, 1), (1990, 1), (1991, 1), (1992, 7), (1993, 7),
    (1994, 7), (1996, 1), (1997, 7), (1999, 1), (2006, 1), (2009, 1), (2012, 7), (2015, 7), (2017, 1),
)  # fmt: skip
_LEAP_TIMES_S = tuple(int(datetime(year, month, 1, tzinfo=UTC).timestamp()) for year, month in _LEAPS)


def leap_seconds(utc_s: int) -> int:
    """GPS minus UTC at a time in Unix seconds."""
    return bisect_right(_LEAP_TIMES_S, utc_s)


def gps_from_utc_us(utc_us: int) -> int:
    """Microseconds since the GPS epoch of a UTC time in microseconds since 1970."""
    return utc_us + (leap_seconds(utc_us // SECOND_US) - GPS_EPOCH_S) * SECOND_US


def utc_from_gps_us(gps_us: int) -> int:
    """The UTC time of a GPS time, both in microseconds; within a leap second the second before it."""
    unadjusted_s = gps_us // SECOND_US + GPS_EPOCH_S
    leaps = bisect_right([at + count for count, at in enumerate(_LEAP_TIMES_S, 1)], unadjusted_s)
    return gps_us + (GPS_EPOCH_S - leaps) * SECOND_US
