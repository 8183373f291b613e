"""The date and time types of EN 13757-3 annex A: F, G, I and J.

A meter's time has no zone: it is the local time that it was set to. What it marks as invalid, every wildcard ("each
day") and whatever is no day of the calendar is None. Years of two digits are 1981-2080; hundred-year bits win.
"""

from datetime import date, datetime, time

NOT_A_TIME = None
_CENTURY_FROM = 81


def decode_date(raw: bytes) -> date | None:
    """Type G, 2 bytes."""
    return _date(raw[0] & 0x1F, raw[1] & 0x0F, raw[0] >> 5 | raw[1] >> 4 << 3, 0)


def decode_minute(raw: bytes) -> datetime | None:
    """Type F, 4 bytes: a date with hour and minute."""
    minute, hour = raw[0], raw[1]
    if minute & 0x80:
        return NOT_A_TIME
    day = _date(raw[2] & 0x1F, raw[3] & 0x0F, raw[2] >> 5 | raw[3] >> 4 << 3, hour >> 5 & 3)
    return _at(day, hour & 0x1F, minute & 0x3F, 0)


def decode_second(raw: bytes) -> datetime | None:
    """Type I, 6 bytes: a date with hour, minute and second."""
    if raw[1] & 0x80:
        return NOT_A_TIME
    day = _date(raw[3] & 0x1F, raw[4] & 0x0F, raw[3] >> 5 | raw[4] >> 4 << 3, 0)
    return _at(day, raw[2] & 0x1F, raw[1] & 0x3F, raw[0] & 0x3F)


def decode_time_of_day(raw: bytes) -> str | None:
    """Type J, 3 bytes, as HH:MM:SS."""
    try:
        return time(raw[2] & 0x1F, raw[1] & 0x3F, raw[0] & 0x3F).isoformat()
    except ValueError:
        return NOT_A_TIME


def _date(day: int, month: int, year: int, hundreds: int) -> date | None:
    if year > 99:
        return NOT_A_TIME
    full = 1900 + 100 * hundreds + year if hundreds else (1900 if year >= _CENTURY_FROM else 2000) + year
    try:
        return date(full, month, day)
    except ValueError:
        return NOT_A_TIME


def _at(day: date | None, hour: int, minute: int, second: int) -> datetime | None:
    if day is None:
        return NOT_A_TIME
    try:
        return datetime.combine(day, time(hour, minute, second))
    except ValueError:
        return NOT_A_TIME
