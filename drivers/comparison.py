"""What a meter says of itself beside what its passport says: the table shown before a device is taken into service.

Which things are compared, and how, is data of the driver's descriptor. A difference is for a person: nothing here
decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from drivers.descriptor import ClockPolicy, Comparison, Descriptor, How, parse_version
from drivers.errors import DriverError
from drivers.plausibility import Amount, check_clock
from drivers.reading import Decoded, Reading, ReportedValue
from drivers.units import convert


class Outcome(StrEnum):
    """What a comparison came to."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NOT_STATED = "not-stated"  # the passport says nothing to compare with


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `expected` and `reported` are texts to show."""

    source: str
    how: How
    expected: str
    reported: str
    outcome: Outcome


Expected = Mapping[str, str | Amount]


def compare(descriptor: Descriptor, decoded: Decoded, expected: Expected, received_at: datetime) -> tuple[Row, ...]:
    """One row for each comparison of the driver that this frame says something about.

    `expected` holds what the passport states by the comparison's source: text for serial, made (as YYYY-MM-DD) and
    firmware, an Amount for the last known register. Clock and temperature need none. Raise UnitError for a register
    whose unit does not compare with the meter's.
    """
    rows = (_row(item, descriptor.clock, decoded, expected, received_at) for item in descriptor.comparisons)
    return tuple(row for row in rows if row is not None)


def differing(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """The rows that stop a registration."""
    return tuple(row for row in rows if row.outcome is Outcome.DIFFERS)


def _row(
    item: Comparison, clock: ClockPolicy, decoded: Decoded, expected: Expected, received_at: datetime
) -> Row | None:
    if item.how in (How.IN_RANGE, How.NOT_BELOW):
        reading = decoded.find_reading(item.source)
        return None if reading is None else _reading_row(item, reading, expected.get(item.source))
    reported = decoded.find_reported(item.source)
    if reported is None:
        return None
    if item.how is How.NEAR_RECEIVED:
        return _clock_row(item, clock, reported, received_at)
    stated = expected.get(item.source)
    if not isinstance(stated, str):
        return Row(item.source, item.how, "", str(reported), Outcome.NOT_STATED)
    return Row(item.source, item.how, stated, str(reported), _outcome(says_same(item.how, stated, str(reported))))


def _clock_row(item: Comparison, clock: ClockPolicy, reported: ReportedValue, received_at: datetime) -> Row:
    near = isinstance(reported, datetime) and check_clock(reported, received_at, clock) is None
    text = _seconds(reported) if isinstance(reported, datetime) else str(reported)
    return Row(item.source, item.how, _seconds(received_at), text, _outcome(near))


def _seconds(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _reading_row(item: Comparison, reading: Reading, stated: str | Amount | None) -> Row:
    reported = f"{reading.value:f} {reading.unit}"
    if item.how is How.IN_RANGE:
        inside = _above(reading.value, item.minimum) and (item.maximum is None or reading.value <= item.maximum)
        return Row(item.source, item.how, f"{item.minimum} … {item.maximum} {reading.unit}", reported, _outcome(inside))
    if not isinstance(stated, Amount):
        return Row(item.source, item.how, "", reported, Outcome.NOT_STATED)
    not_below = _above(reading.value, convert(stated.value, stated.unit, reading.unit))
    return Row(item.source, item.how, f"≥ {stated.value:f} {stated.unit}", reported, _outcome(not_below))


def says_same(how: How, stated: str, reported: str) -> bool:
    """Whether what a meter reports is what its passport states, as numbers, versions or texts."""
    if how is How.SAME_NUMBER:
        return stated.strip().lstrip("0") == reported.strip().lstrip("0")
    if how is How.SAME_VERSION:
        try:
            return parse_version(stated.strip()) == parse_version(reported)
        except DriverError:
            return stated.strip() == reported
    return stated.strip() == reported


def _above(value: Decimal, minimum: Decimal | None) -> bool:
    return minimum is None or value >= minimum


def _outcome(agrees: bool) -> Outcome:
    return Outcome.AGREES if agrees else Outcome.DIFFERS
