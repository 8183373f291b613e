"""Values by name become readings by a descriptor's fields.

Fields name values, members with dots and elements with their index, as `gps.speed` or `probes.0.temperature`. Where the
unit of a value is known it is converted to that of the field; where the field has a scale, or the value no unit, the
value times the scale is in the field's unit. A field of kind TIME is the meter's clock in Unix seconds. States are
named alike: alarms where they are set, otherwise reported. Text is what the meter reports. Every other value is listed
as unmapped, with its text.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from drivers.descriptor import Descriptor, Field
from drivers.errors import UnitError
from drivers.payload.values import EXACT, Value, as_number, format_value
from drivers.reading import Decoded, Kind, Reading, Reason, Reported, Status, Unmapped, from_unix
from drivers.units import Unit, convert, get_unit

OUTSIDE = Reason("outside-valid-range")


class FieldReader:
    """What of named values goes where."""

    def __init__(self, descriptor: Descriptor, unit_of: Callable[[str], Unit | None] = lambda _: None) -> None:
        """`unit_of` tells the unit of a value by its name, None where nobody says it."""
        self._clocks = [field.name for field in descriptor.fields if field.kind is Kind.TIME]
        self._amounts = {
            field.name: _Amount(field, unit_of(field.name))
            for field in descriptor.fields
            if field.kind is not Kind.TIME
        }
        self._states = {state.name: state.alarm for state in descriptor.states}

    def read(self, frame: str, found: Value, unread: Iterable[Unmapped] = (), outside: Collection[str] = ()) -> Decoded:
        """All that values say; `outside` are the last parts of names whose values are out of their range."""
        values: dict[str, Value] = {}
        _flatten(found, "", values)
        times = {name: time for name in self._clocks if (time := _time(values.get(name))) is not None}
        at = next(iter(times.values()), None)
        alarms = tuple(name for name, alarm in self._states.items() if alarm and as_number(values.get(name)))
        readings: list[Reading] = []
        reported = [Reported("clock", at)] if at is not None else []
        unmapped = list(unread)
        for name, value in values.items():
            amount = self._amounts.get(name)
            reading = None if amount is None else amount.reading(value, at, alarms)
            if reading is not None:
                is_outside = name.rpartition(".")[2] in outside
                readings.append(reading.doubted(Status.UNCERTAIN, OUTSIDE) if is_outside else reading)
            elif isinstance(value, str):
                reported.append(Reported(name, value))
            elif name in self._states:
                reported.append(Reported(name, as_number(value) or 0))
            elif name not in times:
                unmapped.append(Unmapped(name, format_value(value).encode()))
        return Decoded(frame, at, tuple(readings), tuple(reported), alarms, tuple(unmapped))


class _Amount:
    """A field that a number is a reading of, with what brings the number into the field's unit."""

    def __init__(self, field: Field, unit: Unit | None) -> None:
        self._field = field
        self._unit = None if unit is None or field.scale != 1 else unit
        self._factor = field.scale if self._unit is None else _factor(self._unit, get_unit(field.unit))

    def reading(self, value: Value, at: datetime | None, alarms: tuple[str, ...]) -> Reading | None:
        """The reading, or None for what is no number or none a meter can show."""
        number = as_number(value)
        if number is None:
            return None
        try:
            if self._factor is not None:
                number = EXACT.multiply(number, self._factor)
            elif self._unit is not None:
                number = convert(Decimal(number), self._unit.code, self._field.unit)
        except (UnitError, ArithmeticError):
            return None
        return self._field.reading(number, at, alarms)


def _factor(unit: Unit, target: Unit) -> Decimal | None:
    """What a conversion multiplies by, where it does nothing else and its digits end."""
    if unit.offset != target.offset or (unit.offset and unit.factor != target.factor):
        return None
    factor = unit.factor / target.factor
    found = EXACT.divide(Decimal(factor.numerator), Decimal(factor.denominator))
    return found if Fraction(found) == factor else None


def _time(value: Value | None) -> datetime | None:
    number = as_number(value)
    try:
        return None if number is None else from_unix(int(number))
    except (ValueError, OverflowError, OSError):
        return None


def _flatten(value: Value, path: str, into: dict[str, Value]) -> None:
    """Put in every value that is one, by its path."""
    if isinstance(value, dict):
        for name, item in value.items():
            _flatten(item, f"{path}.{name}" if path else name, into)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _flatten(item, f"{path}.{index}", into)
    else:
        into[path] = value
