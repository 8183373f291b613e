"""A driver of a descriptor and one payload document: what the document decodes becomes readings by the descriptor.

The descriptor's fields name values of the document, members with dots and elements with their index, as `gps.speed` or
`probes.0.temperature`. A value is converted from the unit of the document to that of the field; where the field has a
scale, or the document no unit that is known, the value times the scale is in the field's unit. A field of kind TIME is
the meter's clock in Unix seconds. States are named alike: alarms where they are set, otherwise reported. Text is what
the meter reports. Every other value is listed as unmapped, with its text, and so are bytes without a field.
"""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from drivers.descriptor import Descriptor, Field, Level
from drivers.driver import Driver
from drivers.errors import DescriptorError, DocumentError, UnitError
from drivers.payload.proof import failed_vectors
from drivers.payload.schema import Program, parse_schema
from drivers.payload.values import EXACT, Value, as_number, format_value
from drivers.reading import Decoded, Kind, Reading, Reason, Reported, Status, Unmapped, from_unix
from drivers.units import Unit, convert, find_unit_by_symbol, get_unit

OUTSIDE = Reason("outside-valid-range")


def payload_driver(descriptor: Descriptor, document: bytes) -> Driver:
    """The driver of a document; the hash of it is over descriptor and document, not over this interpreter.

    Raise DocumentError for a document that does not hold its own vectors, DescriptorError for a descriptor that is of
    another level, names a port or a field the document has not, or gives a field the unit of something else.
    """
    program = parse_schema(document)
    failed = failed_vectors(program)
    if failed:
        raise DocumentError(f"{program.name}: {failed[0]}")
    _check(descriptor, program)
    mapping = _Mapping(descriptor, program)
    return Driver(descriptor, mapping.decode, ())


def fields_of(program: Program) -> tuple[Field, ...]:
    """The fields a descriptor may begin with: every value whose unit is known, named by its meaning."""
    found = ((path, program.annotations.find(path)) for path in program.annotations.by_path)
    return tuple(
        Field(path, told.semantic or path, unit.code, Kind.GAUGE)
        for path, told in found
        if told is not None and told.unit is not None and (unit := find_unit_by_symbol(told.unit)) is not None
    )


class _Mapping:
    """What of a document goes where."""

    def __init__(self, descriptor: Descriptor, program: Program) -> None:
        self._program = program
        self._clocks = [field.name for field in descriptor.fields if field.kind is Kind.TIME]
        self._amounts = {
            field.name: _Amount(field, _unit_of(program, field.name))
            for field in descriptor.fields
            if field.kind is not Kind.TIME
        }
        self._states = {state.name: state.alarm for state in descriptor.states}

    def decode(self, port: int, data: bytes) -> Decoded:
        """All that a payload says; raise FrameError."""
        payload = self._program.decode(port, data)
        values: dict[str, Value] = {}
        _flatten(payload.values, "", values)
        times = {name: time for name in self._clocks if (time := _time(values.get(name))) is not None}
        at = next(iter(times.values()), None)
        alarms = tuple(name for name, alarm in self._states.items() if alarm and as_number(values.get(name)))
        readings: list[Reading] = []
        reported = [Reported("clock", at)] if at is not None else []
        unmapped = [Unmapped(name, raw) for name, raw in payload.unread]
        for name, value in values.items():
            amount = self._amounts.get(name)
            reading = None if amount is None else amount.reading(value, at, alarms)
            if reading is not None:
                outside = name.rpartition(".")[2] in payload.outside
                readings.append(reading.doubted(Status.UNCERTAIN, OUTSIDE) if outside else reading)
            elif isinstance(value, str):
                reported.append(Reported(name, value))
            elif name in self._states:
                reported.append(Reported(name, as_number(value) or 0))
            elif name not in times:
                unmapped.append(Unmapped(name, format_value(value).encode()))
        return Decoded(f"port-{port}", at, tuple(readings), tuple(reported), alarms, tuple(unmapped))


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


def _check(descriptor: Descriptor, program: Program) -> None:
    if descriptor.level is not Level.PAYLOAD:
        raise DescriptorError(f"{descriptor.id} is of level {descriptor.level}, a payload document is of level 0")
    for port in descriptor.ports:
        if not program.serves(port):
            raise DescriptorError(f"{descriptor.id} has port {port}, {program.name} has nothing on it")
    for field in descriptor.fields:
        unit = _unit_of(program, field.name)
        if not program.annotations.knows(_path(field.name)):
            raise DescriptorError(
                f"{descriptor.id} has a field {field.name!r}, {program.name} decodes none of that name"
            )
        if unit is not None and field.scale == 1 and unit.dimension != get_unit(field.unit).dimension:
            raise DescriptorError(f"field {field.name!r} is in {field.unit}, {program.name} gives it in {unit.code}")


def _unit_of(program: Program, name: str) -> Unit | None:
    told = program.annotations.find(_path(name))
    return None if told is None or told.unit is None else find_unit_by_symbol(told.unit)


def _path(name: str) -> str:
    """The path in the document of a value: an element's index is not in it."""
    return ".".join(part for part in name.split(".") if not part.isdigit())


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
