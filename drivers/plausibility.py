"""Whether a value can be true: checked by the core for every driver alike, never by the driver.

One frame may decode under two layouts with success; only the clock, the earlier register and the catalog's range tell
which is nonsense. A value is never dropped or changed: it gets a status and reasons.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from drivers.descriptor import ClockPolicy
from drivers.errors import UnitError
from drivers.mapping import MappingRow
from drivers.reading import Decoded, Kind, Reading, ReadingKey, Reason, Status
from drivers.units import convert


@dataclass(frozen=True, slots=True)
class Amount:
    """A value with its UCUM unit."""

    value: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class Limits:
    """The range of the parameter catalog for one quantity; None is open."""

    unit: str
    minimum: Decimal | None = None
    maximum: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Expectations:
    """What is known before a frame: ranges by code, and the last believed value of each counter.

    `rows` are those of the mapping by quantity and channel; without one a quantity is the code that is called so.
    """

    limits: Mapping[str, Limits] = field(default_factory=dict)
    last: Mapping[ReadingKey, Amount] = field(default_factory=dict)
    rows: Mapping[tuple[str, int], MappingRow] = field(default_factory=dict)


def judge(
    decoded: Decoded, received_at: datetime, clock: ClockPolicy, expectations: Expectations
) -> tuple[Reading, ...]:
    """The readings of a frame with the status and the reasons that plausibility gives them."""
    doubt = check_clock(decoded.device_time, received_at, clock)
    return tuple(_judge_one(reading, doubt, expectations) for reading in decoded.readings)


def check_clock(device_time: datetime | None, received_at: datetime, policy: ClockPolicy) -> Reason | None:
    """A reason if the meter's time is too far before or after the receive time; None if it has no time."""
    if device_time is None:
        return None
    offset = device_time - received_at
    if -timedelta(seconds=policy.behind_s) <= offset <= timedelta(seconds=policy.ahead_s):
        return None
    code = "clock-ahead" if offset > timedelta(0) else "clock-behind"
    return Reason(code, (("device_time", device_time.isoformat()), ("offset_s", str(offset // timedelta(seconds=1)))))


def check_counter(reading: Reading, last: Amount) -> Reason | None:
    """A reason if a counter is below its last believed value; raise UnitError for units that do not compare."""
    known = convert(last.value, last.unit, reading.unit)
    if reading.value >= known:
        return None
    return Reason(
        "counter-below-last", (("value", _text(reading.value)), ("last", _text(known)), ("unit", reading.unit))
    )


def check_limits(amount: Amount, limits: Limits) -> Reason | None:
    """A reason if a value is outside the catalog's range; raise UnitError for units that do not compare."""
    value = convert(amount.value, amount.unit, limits.unit)
    if limits.minimum is not None and value < limits.minimum:
        return Reason("below-range", (("value", _text(value)), ("limit", _text(limits.minimum)), ("unit", limits.unit)))
    if limits.maximum is not None and value > limits.maximum:
        return Reason("above-range", (("value", _text(value)), ("limit", _text(limits.maximum)), ("unit", limits.unit)))
    return None


def _judge_one(reading: Reading, clock_doubt: Reason | None, expectations: Expectations) -> Reading:
    judged = reading if clock_doubt is None else reading.doubted(Status.UNCERTAIN, clock_doubt)
    for reason in _value_reasons(reading, expectations):
        judged = judged.doubted(Status.BAD, reason)
    return judged


def _value_reasons(reading: Reading, expectations: Expectations) -> list[Reason]:
    row, last = expectations.rows.get((reading.quantity, reading.channel)), expectations.last.get(reading.key)
    found: list[Reason | None] = []
    try:
        amount, code = Amount(reading.value, reading.unit), reading.quantity
        if row is not None and row.can_tell(reading.unit):
            amount, code = Amount(row.conversion(reading.unit).apply(reading.value), row.unit), row.code
        limits = expectations.limits.get(code)
        if limits is not None:
            found.append(check_limits(amount, limits))
        if last is not None and reading.kind is Kind.COUNTER:
            found.append(check_counter(reading, last))
    except UnitError as error:
        found.append(Reason("unit-mismatch", (("detail", str(error)),)))
    return [reason for reason in found if reason is not None]


def _text(value: Decimal) -> str:
    return format(value, "f")
